/* SPDX-License-Identifier: MIT */
/*
 * pv/pt_validate.h - what entries of page tables take and drop; walks over
 * whole tables.  Used by pv/pagetype.c and pv/mmu_update.c only.
 */
#ifndef VIGIL_PV_PT_VALIDATE_H
#define VIGIL_PV_PT_VALIDATE_H

#include "x86/page.h"
#include "mm/frame.h"
#include "domain/account.h"
#include "domain/domain.h"
#include "pv/pagetype.h"
#include "pv/pte_check.h"

struct domain;

/**
 * pt_l1e_get_slow() - pt_l1e_get() with all its rules
 * @d:         domain whose table it is for
 * @frames_of: as pt_l1e_get()
 * @pte:       as pt_l1e_get()
 *
 * Context: any but NMI/#MC.
 * Return:  as pt_l1e_get()
 */
int pt_l1e_get_slow(const struct domain *d, domid_t frames_of, pte_t *pte)
    MUST_CHECK;

/**
 * pt_l1e_get() - take what a present L1 entry needs
 * @d:         domain whose table it is for
 * @frames_of: owner of frames it may map: a domid, DOMID_IO or DOMID_XEN
 * @pte:       in: as the guest wrote it; out: as it is to be stored
 *
 * RAM of a domain in ordinary use is decided here: no bit that needs a right,
 * a frame in use by that owner, writable already if that is wanted.
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL forbidden bits or not such a frame; -EPERM no right to
 *          that device memory; -EBUSY not to be mapped writable now
 */
static ALWAYS_INLINE MUST_CHECK int pt_l1e_get(const struct domain *d,
                                               domid_t frames_of, pte_t *pte)
{
    pte_t e = *pte;
    mfn_t m = pte_mfn(e);

    if (likely((e & ~(PTE_ALLOWED | PTE_G)) == 0 && mfn_valid(m) &&
               frames_of < DOMID_FIRST_RESERVED)) {
        struct frame *f = frame_of(m);

        if (likely(frame_get_usual(f, frames_of))) {
            if (!(e & PTE_W) ||
                likely(pagetype_get_usual(f, PAGETYPE_WRITABLE))) {
                *pte = pte_adjust(1, e);
                return 0;
            }
            account_put(f);
        }
    }
    {
        pte_t copy = e; /* so that *pte may live in a register */
        int rc = pt_l1e_get_slow(d, frames_of, &copy);

        *pte = copy;
        return rc;
    }
}

/* Are @d's not-present entries to be looked at (L1TF)? */
static inline bool pt_checks_absent(const struct domain *d)
{
    return unlikely(pte_l1tf.domu | pte_l1tf.dom0) &&
           (domain_is_dom0(d) ? pte_l1tf.dom0 : pte_l1tf.domu);
}

/**
 * pt_absent_fits() - may @d have this entry, which is not present?
 * @d:   domain whose table it is for
 * @pte: entry
 *
 * If not the log says so.
 * Context: any but NMI/#MC.
 * Return:  true: it may
 */
bool pt_absent_fits(struct domain *d, pte_t pte) MUST_CHECK;

/* Device memory and firmware's frames have no reference count. */
static inline bool pt_is_device(mfn_t m)
{
    return !mfn_valid(m) || READ_ONCE(frame_of(m)->state) == FRAME_RESERVED;
}

/**
 * pt_l1e_put_unflushed() - drop what a present, stored L1 entry holds
 * @pte: the entry, no longer in its table
 *
 * For who keeps another domain's frame by other means until processors have
 * forgotten the entry, or where it was never in a table.
 * Context: any but NMI/#MC.
 */
void pt_l1e_put_unflushed(pte_t pte);

/**
 * pt_l1e_put_slow() - pt_l1e_put() of device memory and others' frames
 * @d:   as pt_l1e_put()
 * @pte: as pt_l1e_put()
 *
 * Context: any but NMI/#MC, interrupts on.
 */
void pt_l1e_put_slow(const struct domain *d, pte_t pte);

/**
 * pt_l1e_put() - drop what a present, stored L1 entry holds
 * @d:   domain in whose table it was
 * @pte: the entry, no longer in its table; a flush is owed (tlb_owe())
 *
 * Context: any but NMI/#MC, interrupts on.
 */
static ALWAYS_INLINE void pt_l1e_put(const struct domain *d, pte_t pte)
{
    mfn_t m = pte_mfn(pte);

    if (likely(mfn_valid(m))) {
        struct frame *f = frame_of(m);
        uint64_t head = READ_ONCE(*frame_head(f));

        if (likely(((head ^ FRAME_HEAD(0, d->domid, FRAME_INUSE, 0)) &
                    FRAME_HEAD(0, 0xffff, 0xff, 0)) == 0)) {
            if (pte & PTE_W) {
                pagetype_put_writable(f);
            }
            account_put(f);
            return;
        }
    }
    pt_l1e_put_slow(d, pte);
}

/**
 * pt_table_get() - take the table a present entry of level 2 to 4 points at
 * @d:           domain whose table it is for
 * @level:       2..4, of the entry
 * @pte:         in: as the guest wrote it; out: as it is to be stored
 * @should_stop: as pagetype_get()
 *
 * Context: any but NMI/#MC.
 * Return:  as pagetype_get()
 */
int pt_table_get(const struct domain *d, unsigned int level, pte_t *pte,
                 bool (*should_stop)(void)) MUST_CHECK;

/**
 * pt_validate() - take every entry of a table, from frame.aux on
 * @f:           the table; frame.aux entries are taken already
 * @level:       1..4
 * @should_stop: as pagetype_get()
 *
 * On -ERESTART and errors frame.aux says how many are taken now.
 * Context: any but NMI/#MC.
 * Return:  as pagetype_get()
 */
int pt_validate(struct frame *f, unsigned int level, bool (*should_stop)(void))
    MUST_CHECK;

/**
 * pt_devalidate() - drop the first frame.aux entries, from the last one down
 * @f:           the table
 * @level:       1..4
 * @should_stop: as pagetype_get()
 *
 * Context: any but NMI/#MC.
 * Return:  0; -ERESTART: frame.aux says how many are still taken
 */
int pt_devalidate(struct frame *f, unsigned int level,
                  bool (*should_stop)(void)) MUST_CHECK;

/**
 * pt_io_rights() - does a domain own device memory or ports?
 * @d: domain
 *
 * Context: any.
 * Return:  true or false
 */
bool pt_io_rights(const struct domain *d);

#endif
