/* SPDX-License-Identifier: MIT */
/*
 * For tests of hypercalls in which every grant table is of version 1.
 */
#include "domain/grant.h"
#include "lib/errno.h"

void grant_status_size(struct domain *d, unsigned int *ret_nr_frames,
                       unsigned int *ret_max)
{
    (void)d;
    *ret_nr_frames = 0;
    *ret_max = 0;
}

int grant_status_frame(struct domain *d, unsigned int idx, mfn_t *ret_mfn)
{
    (void)d;
    (void)idx;
    (void)ret_mfn;
    return -EINVAL;
}
