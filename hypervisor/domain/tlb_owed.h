/* SPDX-License-Identifier: MIT */
/*
 * domain/tlb_owed.h - translations that processors may still hold after the
 * entry they came from has gone: who must flush when (docs/adr/0017).
 *
 * tlb_owe(d): a present entry in the tables of @d was taken away or weakened,
 * and nobody has flushed.  Called after the entry is stored and before what it
 * held is given up.
 *
 * tlb_pay(d): on return no processor has a translation from before, made by
 * tables of @d.  Called
 *   - before a frame of @d gets another page type (first_use(): after the
 *     frame was claimed, so that nobody maps it in between as it was);
 *   - before a frame of @d goes to the heap or to nobody;
 *   - before an entry of @d's tables that maps another domain's frame gives
 *     that frame up: the owner's debts do not tell of it;
 *   - before a grant that @d had mapped is reported as no longer in use.
 * So a debt of @d only ever concerns frames that @d owns.
 *
 * Another processor acknowledges by an interrupt: not with interrupts off, and
 * no lock may be held that is ever waited for with interrupts off.
 */
#ifndef VIGIL_DOMAIN_TLB_OWED_H
#define VIGIL_DOMAIN_TLB_OWED_H

#include "domain/domain.h"
#include "cpu/tlb.h"

static inline void tlb_owe(const struct domain *d)
{
    tlb_mark_stale(&d->tlb);
}

static inline void tlb_pay(const struct domain *d)
{
    if (likely(d != NULL)) {
        tlb_sync(&d->tlb);
    } else {
        tlb_sync_all(); /* whose it was is not known */
    }
}

#endif
