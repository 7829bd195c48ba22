/* SPDX-License-Identifier: MIT */
/*
 * tests/model/seen.h - a set of transitions, written into a file.
 *
 * A model's verifier and the test that drives the code include it: what they
 * write is compared byte by byte by tests/model/run.  The transition at hand is
 * a string of bytes; a file has each once, in no order.
 */
#ifndef VIGIL_MODEL_SEEN_H
#define VIGIL_MODEL_SEEN_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEEN_BYTES 80

static unsigned char seen_now[SEEN_BYTES];
static unsigned int seen_len;
static unsigned char (*seen_set)[SEEN_BYTES]; /* all zero: free */
static size_t seen_size, seen_count;
static FILE *seen_file;

/* Append a byte to the transition. */
static void seen_byte(unsigned int value)
{
    if (seen_len == SEEN_BYTES || value > 255) {
        abort();
    }
    seen_now[seen_len++] = (unsigned char)value;
}

static unsigned char *seen_place(const unsigned char *what)
{
    unsigned long long hash = 14695981039346656037ULL;
    size_t i;

    for (i = 0; i < SEEN_BYTES; i++) {
        hash = (hash ^ what[i]) * 1099511628211ULL;
    }
    for (i = hash % seen_size; seen_set[i][0] != 0; i = (i + 1) % seen_size) {
        if (memcmp(seen_set[i], what, SEEN_BYTES) == 0) {
            break;
        }
    }
    return seen_set[i];
}

/* The transition is complete: put it into the set, and into the file if it is
 * new.  Its first byte is not zero. */
static void seen_end(const char *path)
{
    unsigned char *place;

    memset(seen_now + seen_len, 0, SEEN_BYTES - seen_len);
    if (2 * seen_count >= seen_size) {
        unsigned char(*old)[SEEN_BYTES] = seen_set;
        size_t old_size = seen_size, i;

        seen_size = old_size == 0 ? 1 << 16 : 4 * old_size;
        seen_set = calloc(seen_size, SEEN_BYTES);
        if (seen_set == NULL) {
            abort();
        }
        for (i = 0; i < old_size; i++) {
            if (old[i][0] != 0) {
                memcpy(seen_place(old[i]), old[i], SEEN_BYTES);
            }
        }
        free(old);
    }
    place = seen_place(seen_now);
    if (place[0] == 0) {
        memcpy(place, seen_now, SEEN_BYTES);
        seen_count++;
        if (seen_file == NULL) {
            seen_file = fopen(path, "wb");
        }
        if (seen_file == NULL ||
            fwrite(seen_now, SEEN_BYTES, 1, seen_file) != 1) {
            abort();
        }
    }
    seen_len = 0;
}

#endif
