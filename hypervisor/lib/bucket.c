/* SPDX-License-Identifier: MIT */
/*
 * lib/bucket.c - token bucket in whole numbers.
 *
 * @last moves only by whole tokens, so the fraction of a token that has
 * accumulated is never lost, however often it is asked.
 */
#include "lib/bucket.h"

NMI_SAFE void bucket_init(struct bucket *b, uint64_t capacity,
                          uint64_t per_token, uint64_t now)
{
    b->capacity = capacity;
    b->per_token = per_token == 0 ? 1 : per_token;
    b->tokens = capacity;
    b->last = now;
}

NMI_SAFE bool bucket_take(struct bucket *b, uint64_t now)
{
    if (now > b->last) {
        uint64_t fresh = (now - b->last) / b->per_token;

        if (fresh >= b->capacity - b->tokens) {
            /* Full: a full bucket gains nothing by waiting. */
            b->tokens = b->capacity;
            b->last = now;
        } else {
            b->tokens += fresh;
            b->last += fresh * b->per_token;
        }
    }
    if (b->tokens == 0) {
        return false;
    }
    b->tokens--;
    return true;
}
