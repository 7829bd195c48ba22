/* SPDX-License-Identifier: MIT */
/*
 * lib/idset.c - numbers, and summaries of their words (idset.h).
 */
#include "lib/idset.h"

#include "lib/bits.h"

static void set_bit_to(uint64_t *words, unsigned int bit, bool on)
{
    uint64_t mask = BIT(bit % 64);

    words[bit / 64] = on ? words[bit / 64] | mask : words[bit / 64] & ~mask;
}

static void change(struct idset *s, unsigned int id, bool in)
{
    unsigned int w = id / 64;

    set_bit_to(s->word, id, in);
    set_bit_to(s->some, w, s->word[w] != 0);
    set_bit_to(s->full, w, s->word[w] == ~0UL);
}

void idset_add(struct idset *s, unsigned int id)
{
    change(s, id, true);
}

void idset_remove(struct idset *s, unsigned int id)
{
    change(s, id, false);
}

/*
 * The first bit from @from on that is set in @words, each xor'ed with @flip;
 * IDSET_NONE if there is none among @count words.
 */
static unsigned int first_bit(const uint64_t *words, unsigned int count,
                              uint64_t flip, unsigned int from)
{
    uint64_t mask = ~MASK_BITS(from % 64);

    for (unsigned int w = from / 64; w < count; w++) {
        uint64_t bits = (words[w] ^ flip) & mask;

        if (bits != 0) {
            return w * 64 + bit_lowest(bits);
        }
        mask = ~0UL;
    }
    return IDSET_NONE;
}

/* @summary tells which words have a bit, once xor'ed with @flip as they are. */
static unsigned int find(const struct idset *s, const uint64_t *summary,
                         uint64_t flip, unsigned int from)
{
    unsigned int w = from / 64, id;

    if (from >= IDSET_MAX) {
        return IDSET_NONE;
    }
    id = first_bit(s->word, w + 1, flip, from);
    if (id != IDSET_NONE) {
        return id;
    }
    w = first_bit(summary, IDSET_WORDS / 64, flip, w + 1);
    return w == IDSET_NONE ? IDSET_NONE
                           : first_bit(s->word, w + 1, flip, w * 64);
}

unsigned int idset_next(const struct idset *s, unsigned int from)
{
    return find(s, s->some, 0, from);
}

unsigned int idset_next_free(const struct idset *s, unsigned int from)
{
    return find(s, s->full, ~0UL, from);
}
