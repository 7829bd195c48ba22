/* SPDX-License-Identifier: MIT */
/*
 * cpu/alternative.c - code that boot changes once.
 *
 * Before mm/hvmap.c makes text read-only.  No other CPU runs, and this one is in
 * none of the sites, but NMI or #MC may pass through those of an entry: short
 * sites are changed by one store.  Their handlers use no thunk.
 */
#include "cpu/alternative.h"

#include "lib/panic.h"
#include "lib/string.h"
#include "x86/cpuid.h"

extern const struct alt_site __alt_sites_start[], __alt_sites_end[];
/* Jumps to the return thunk: offsets in the image (tools/mksyms.py). */
extern const uint32_t __alt_returns_start[], __alt_returns_end[];
extern uint8_t __image_start[];

#define OPCODE_JMP   0xe9
#define RETURN_BYTES 5

/* No-ops of so many bytes (SDM 2B, NOP). */
static const uint8_t nops[10][9] = {
    {0}, /* none */
    {0x90},
    {0x66, 0x90},
    {0x0f, 0x1f, 0x00},
    {0x0f, 0x1f, 0x40, 0x00},
    {0x0f, 0x1f, 0x44, 0x00, 0x00},
    {0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00},
    {0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00},
    {0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00},
    {0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00},
};

static void fill_with_nops(uint8_t *at, unsigned int bytes)
{
    while (bytes != 0) {
        unsigned int n = MIN(bytes, 9U);

        memcpy(at, nops[n], n);
        at += n;
        bytes -= n;
    }
}

/* A word anywhere in text. */
struct text_word {
    uint64_t value;
} __attribute__((packed, may_alias));

static void change(uint8_t *site, const uint8_t *code, unsigned int bytes)
{
    struct text_word *word = (struct text_word *)(void *)site;
    struct text_word new;

    if (bytes > sizeof(new)) {
        memcpy(site, code, bytes);
        return;
    }
    new = *word;
    memcpy(&new, code, bytes);
    *(volatile struct text_word *)word = new;
}

bool alternative_patch(const struct alt_site *first,
                       const struct alt_site *last, uint32_t chosen)
{
    for (const struct alt_site *s = first; s < last; s++) {
        if (s->new_bytes > s->site_bytes || s->what >= 32) {
            return false;
        }
    }
    for (const struct alt_site *s = first; s < last; s++) {
        uint8_t *site = (uint8_t *)((uint64_t)&s->site + (int64_t)s->site);
        const uint8_t *code =
            (const uint8_t *)((uint64_t)&s->replacement +
                              (int64_t)s->replacement);

        uint8_t bytes[UINT8_MAX];

        if ((chosen >> s->what & 1) == 0) {
            continue;
        }
        memcpy(bytes, code, s->new_bytes);
        fill_with_nops(bytes + s->new_bytes,
                       (unsigned int)s->site_bytes - s->new_bytes);
        change(site, bytes, s->site_bytes);
    }
    return true;
}

/*
 * Functions return by a jump to the return thunk; make that a RET in place.
 * What is not such a jump stays: it works as it is.
 */
void alternative_returns(uint8_t *image, const uint32_t *first,
                         const uint32_t *last)
{
    static const uint8_t ret[RETURN_BYTES] = {0xc3, 0xcc, 0xcc, 0xcc, 0xcc};

    for (const uint32_t *at = first; at < last; at++) {
        if (image[*at] == OPCODE_JMP) {
            change(image + *at, ret, sizeof(ret));
        }
    }
}

void alternative_apply(uint32_t chosen, bool plain_returns)
{
    if (plain_returns) {
        alternative_returns(__image_start, __alt_returns_start,
                            __alt_returns_end);
    }
    if (!alternative_patch(__alt_sites_start, __alt_sites_end, chosen)) {
        panic("cpu: a replacement does not fit the code it is for");
    }
    (void)cpuid(0); /* serialises: no instruction fetched before is used */
}
