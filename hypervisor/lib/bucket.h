/* SPDX-License-Identifier: MIT */
/*
 * lib/bucket.h - token bucket: so many at once, so many per time.
 *
 * Used for rate limits and error thresholds.  Time is an argument, in any
 * unit that does not run backwards, so tests need no clock.  No lock: the
 * caller guards a bucket that is shared.
 */
#ifndef VIGIL_LIB_BUCKET_H
#define VIGIL_LIB_BUCKET_H

#include "lib/compiler.h"
#include "lib/types.h"

struct bucket {
    uint64_t capacity;  /* tokens it can hold                             */
    uint64_t per_token; /* time units after which a token is added, not 0 */
    uint64_t tokens;    /* tokens in it at time @last                     */
    uint64_t last;
};

/**
 * bucket_init() - make a full bucket
 * @b:         the bucket
 * @capacity:  tokens it can hold
 * @per_token: time units after which a token comes back; 0 is taken as 1
 * @now:       present time
 *
 * Context: any.
 * Return:  nothing.
 */
void bucket_init(struct bucket *b, uint64_t capacity, uint64_t per_token,
                 uint64_t now);

/**
 * bucket_take() - take one token
 * @b:   the bucket
 * @now: present time; earlier than before counts as no time passed
 *
 * Context: any.
 * Return:  true: there was one; false: empty, the rate is exceeded
 */
bool bucket_take(struct bucket *b, uint64_t now) MUST_CHECK;

#endif
