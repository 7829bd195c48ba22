/* SPDX-License-Identifier: MIT */
/*
 * sample.c - collect the samples of one operation and print its figures.
 */
#include "bench-user/sample.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t samples[SAMPLE_MAX];
static unsigned int count;
static const char *current;
static const char *chosen;
static unsigned int most;
static uint64_t bracket; /* cost of two tsc() with nothing between */

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

    return (a > b) - (a < b);
}

void sample_setup(const char *only, unsigned int limit)
{
    unsigned int i;

    chosen = only;
    most = limit;
    bracket = UINT64_MAX;
    for (i = 0; i < 100; i++) {
        uint64_t t0 = tsc(), t1 = tsc();

        if (t1 - t0 < bracket) {
            bracket = t1 - t0;
        }
    }
    /* The first touch of the array is not the operation's to pay. */
    memset(samples, 0xff, sizeof(samples));
}

bool sample_begin(const char *name)
{
    const char *word = chosen;

    current = name;
    count = 0;
    while (word && *word) {
        size_t len = strcspn(word, ",");

        if (len && strncmp(word, name, len) == 0) {
            return true;
        }
        word += len + (word[len] == ',');
    }
    return !chosen;
}

unsigned int sample_count(unsigned int wanted)
{
    return most && most < wanted ? most : wanted;
}

void sample_add_raw(uint64_t ticks)
{
    if (count < SAMPLE_MAX) {
        samples[count++] = ticks;
    }
}

void sample_add(uint64_t ticks)
{
    sample_add_raw(ticks > bracket ? ticks - bracket : 0);
}

void sample_end(void)
{
    if (!count) {
        errno = 0;
        sample_absent();
        return;
    }
    qsort(samples, count, sizeof(samples[0]), compare);
    printf("BENCH %s %" PRIu64 " %" PRIu64 " %" PRIu64 " %u\n", current,
           samples[0], samples[count / 2], samples[count - 1], count);
    fflush(stdout);
}

void sample_absent(void)
{
    printf("BENCH-ABSENT %s %d\n", current, errno);
    fflush(stdout);
}
