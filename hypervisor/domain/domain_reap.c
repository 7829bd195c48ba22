/* SPDX-License-Identifier: MIT */
/*
 * domain/domain_reap.c - the last of a large domain is freed a step at a time.
 *
 * Senders look at buckets of channels without a lock, and who maps a grant gives
 * it back to the table of a domain that is dying: both stay until nobody refers
 * to it.  The last reference may go in the middle of anything, which cannot be
 * continued; so what is left then waits here.
 */
#include "domain/domain.h"

#include "sync/spinlock.h"
#include "domain/domain_impl.h"
#include "domain/evtchn.h"
#include "domain/grant.h"

/*
 * Buckets of channels, frames of grants.  So many are some ten thousand
 * instructions, and all that most domains have.
 */
#define FREED_PER_STEP 32

/* Legend:  R remains_lock */
static SPINLOCK(remains_lock, LOCK_RANK_DOMAIN_LIST, IRQ_ANY);
static struct domain *remains;  /* R: by next_spare                    */
static unsigned int unfinished; /* R: so many, with those in hand      */

static bool free_some(struct domain *d)
{
    unsigned int budget = FREED_PER_STEP;

    return evtchn_domain_free(d, &budget) && grant_domain_free(d, &budget);
}

void domain_rest_free(struct domain *d)
{
    if (free_some(d)) {
        domain_struct_free(d);
        return;
    }
    spin_lock(&remains_lock);
    d->next_spare = remains;
    remains = d;
    unfinished++;
    spin_unlock(&remains_lock);
}

bool domain_reap(void)
{
    struct domain *d;
    bool done, more;

    if (likely(READ_ONCE(remains) == NULL)) {
        return READ_ONCE(unfinished) != 0; /* another CPU is at it */
    }
    spin_lock(&remains_lock);
    d = remains;
    if (d != NULL) {
        remains = d->next_spare;
    }
    spin_unlock(&remains_lock);
    if (d == NULL) {
        return true;
    }
    done = free_some(d);
    if (done) {
        domain_struct_free(d);
    }
    spin_lock(&remains_lock);
    if (done) {
        unfinished--;
    } else {
        d->next_spare = remains;
        remains = d;
    }
    more = unfinished != 0;
    spin_unlock(&remains_lock);
    return more;
}
