/* SPDX-License-Identifier: MIT */
/*
 * lib/ksyms.c - names for addresses of a Linux kernel.
 *
 * Its table (scripts/kallsyms.c of Linux makes it): for each symbol an offset,
 * 32 bits, and a name that is a row of tokens; a token is a number that stands
 * for some characters.  The first character is the type, as nm has it.
 *
 *   offset >= 0   address = base + offset; where any is negative, all that are
 *   offset <  0   not are absolute, and address = base - 1 - offset
 */
#include "lib/ksyms.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SYMBOLS_MAX 1000000U
#define NAMES_MAX   (64U << 20) /* bytes, decoded */
#define NAME_MAX    1024U
#define TOKENS      256U
#define TOKEN_BYTES 8192U
#define BIG_NAME    0x80U

/* What the note says. */
struct places {
    uint64_t names, num, tokens, index, offsets, base;
};

static int place_of(const char *note, const char *symbol, uint64_t *ret_place)
{
    char key[64];
    const char *at;

    snprintf(key, sizeof(key), "SYMBOL(%s)=", symbol);
    at = strstr(note, key);
    if (!at) {
        return -1;
    }
    *ret_place = strtoull(at + strlen(key), NULL, 16);
    return 0;
}

static int find_places(const char *note, struct places *p)
{
    return place_of(note, "kallsyms_names", &p->names) ||
           place_of(note, "kallsyms_num_syms", &p->num) ||
           place_of(note, "kallsyms_token_table", &p->tokens) ||
           place_of(note, "kallsyms_token_index", &p->index) ||
           place_of(note, "kallsyms_offsets", &p->offsets) ||
           place_of(note, "kallsyms_relative_base", &p->base);
}

struct source {
    ksyms_read *read;
    void *who;
    uint64_t at;      /* next byte of the names      */
    uint8_t chunk[4096];
    size_t used, len; /* of chunk                    */
    uint16_t index[TOKENS];
    char tokens[TOKEN_BYTES + 1];
    size_t token_len;
};

/* As much as there is: the tokens may end before a page that is not there. */
static int read_tokens(struct source *s, const struct places *p)
{
    size_t want;

    if (s->read(s->who, p->index, s->index, sizeof(s->index))) {
        return -1;
    }
    want = s->index[TOKENS - 1] + 64U;
    want = want > TOKEN_BYTES ? TOKEN_BYTES : want;
    if (s->read(s->who, p->tokens, s->tokens, want)) {
        return -1;
    }
    s->token_len = want;
    s->tokens[want] = '\0';
    return 0;
}

/* The next byte of the names; -1: there is none. */
static int next_byte(struct source *s)
{
    if (s->used == s->len) {
        s->len = sizeof(s->chunk) - (s->at & (sizeof(s->chunk) - 1));
        s->used = 0;
        if (s->read(s->who, s->at, s->chunk, s->len)) {
            s->len = 0;
            return -1;
        }
        s->at += s->len;
    }
    return s->chunk[s->used++];
}

/* Decode one name to @buf of NAME_MAX.  Return: its length, or -1. */
static int next_name(struct source *s, char *buf)
{
    int tokens = next_byte(s);
    size_t len = 0;

    if (tokens >= (int)BIG_NAME) {
        int more = next_byte(s);

        tokens = more < 0 ? -1 : (tokens & 0x7f) | more << 7;
    }
    if (tokens < 0) {
        return -1;
    }
    for (int i = 0; i < tokens; i++) {
        int token = next_byte(s);
        size_t at;

        if (token < 0) {
            return -1;
        }
        for (at = s->index[token]; at < s->token_len && s->tokens[at]; at++) {
            if (len < NAME_MAX - 1) {
                buf[len++] = s->tokens[at];
            }
        }
    }
    buf[len] = '\0';
    return (int)len;
}

static int add(struct ksyms *syms, size_t *room, const char *name, size_t len,
               uint64_t address)
{
    struct ksym *s = &syms->symbols[syms->count];

    if (syms->names_len + len + 1 > *room) {
        if (*room >= NAMES_MAX) {
            return -1;
        }
        *room = *room ? *room * 2 : 1U << 20;
        syms->names = xrealloc(syms->names, *room);
        return add(syms, room, name, len, address);
    }
    s->address = address;
    s->name = (uint32_t)syms->names_len;
    memcpy(syms->names + syms->names_len, name, len + 1);
    syms->names_len += len + 1;
    syms->count++;
    return 0;
}

static uint64_t address_of(int32_t offset, uint64_t base, int some_negative)
{
    if (offset < 0) {
        return base - 1 - (uint64_t)(int64_t)offset;
    }
    return some_negative ? (uint64_t)offset : base + (uint64_t)offset;
}

static int by_address(const void *a, const void *b)
{
    uint64_t left = ((const struct ksym *)a)->address;
    uint64_t right = ((const struct ksym *)b)->address;

    return left < right ? -1 : left > right;
}

static int decode(struct source *s, const int32_t *offsets, uint32_t count,
                  uint64_t base, struct ksyms *syms)
{
    char name[NAME_MAX];
    int some_negative = 0;
    size_t room = 0;

    for (uint32_t i = 0; i < count; i++) {
        some_negative |= offsets[i] < 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        int len = next_name(s, name);

        if (len < 1 ||
            add(syms, &room, name, (size_t)len,
                address_of(offsets[i], base, some_negative))) {
            return -1;
        }
    }
    return 0;
}

int ksyms_from_kernel(const char *note, ksyms_read *read, void *who,
                      struct ksyms *ret_syms, struct fault *fault)
{
    struct source *s;
    struct ksyms syms = {.count = 0};
    int32_t *offsets = NULL;
    struct places p;
    uint32_t count = 0;
    uint64_t base;
    int rc = -1;

    if (find_places(note, &p)) {
        return fault_set(fault, EXIT_FAILED,
                         "the guest's kernel does not say where its symbols "
                         "are (Linux 6.0 and later do)");
    }
    s = xmalloc(sizeof(*s));
    s->read = read;
    s->who = who;
    s->at = p.names;
    if (read(who, p.num, &count, sizeof(count)) == 0 && count > 0 &&
        count <= SYMBOLS_MAX && read(who, p.base, &base, sizeof(base)) == 0 &&
        read_tokens(s, &p) == 0) {
        offsets = xmalloc(count * sizeof(*offsets));
        syms.symbols = xmalloc(count * sizeof(*syms.symbols));
        if (read(who, p.offsets, offsets, count * sizeof(*offsets)) == 0) {
            rc = decode(s, offsets, count, base, &syms);
        }
    }
    free(offsets);
    free(s);
    if (rc) {
        ksyms_free(&syms);
        return fault_set(fault, EXIT_FAILED,
                         "the guest's table of symbols cannot be read");
    }
    qsort(syms.symbols, syms.count, sizeof(*syms.symbols), by_address);
    *ret_syms = syms;
    return 0;
}

int ksyms_from_file(const char *path, struct ksyms *ret_syms,
                    struct fault *fault)
{
    struct ksyms syms = {.count = 0};
    size_t room = 0, slots = 0;
    char line[NAME_MAX + 64];
    FILE *f = fopen(path, "r");

    if (!f) {
        return fault_errno(fault, errno, "%s cannot be read", path);
    }
    while (fgets(line, sizeof(line), f) && syms.count < SYMBOLS_MAX) {
        char *end;
        uint64_t address = strtoull(line, &end, 16);

        /* "ffffffff81000000 T _text" */
        if (end == line || end[0] != ' ' || !isalpha((unsigned char)end[1]) ||
            end[2] != ' ') {
            continue;
        }
        end[3 + strcspn(end + 3, " \t\r\n")] = '\0';
        end[2] = end[1]; /* the type before the name */
        if (syms.count == slots) {
            slots = slots ? slots * 2 : 4096;
            syms.symbols = xrealloc(syms.symbols, slots * sizeof(*syms.symbols));
        }
        if (add(&syms, &room, end + 2, strlen(end + 2), address)) {
            break;
        }
    }
    fclose(f);
    if (syms.count == 0) {
        ksyms_free(&syms);
        return fault_set(fault, EXIT_FAILED, "%s is not a System.map", path);
    }
    qsort(syms.symbols, syms.count, sizeof(*syms.symbols), by_address);
    *ret_syms = syms;
    return 0;
}

const char *ksyms_find(const struct ksyms *syms, uint64_t address,
                       uint64_t *ret_offset)
{
    size_t low = 0, high = syms->count;
    const char *name;

    /* symbols[low].address <= address < symbols[high].address */
    if (high == 0 || address < syms->symbols[0].address) {
        return NULL;
    }
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (syms->symbols[middle].address <= address) {
            low = middle;
        } else {
            high = middle;
        }
    }
    name = syms->names + syms->symbols[low].name;
    if (high == syms->count || !strchr("tTwW", name[0])) {
        return NULL; /* behind the last, or data */
    }
    *ret_offset = address - syms->symbols[low].address;
    return name + 1;
}

void ksyms_free(struct ksyms *syms)
{
    free(syms->symbols);
    free(syms->names);
    memset(syms, 0, sizeof(*syms));
}
