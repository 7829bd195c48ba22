/* SPDX-License-Identifier: MIT */
/*
 * pv/mmu_update.h - change one entry of a guest's page tables, checked.
 *
 * Used by hypercall/mmu_op.c, pv/pte_emulate.c and pv/grant_pte.c.
 */
#ifndef VIGIL_PV_MMU_UPDATE_H
#define VIGIL_PV_MMU_UPDATE_H

#include "x86/page.h"
#include "mm/frame.h"
#include "domain/vcpu.h"
#include "pv/pv.h"

/* On whose behalf, in whose tables, mapping whose frames. */
struct mmu_request {
    struct vcpu *v;          /* who asks; keeps work left over            */
    struct domain *pt_owner; /* owner of the tables written               */
    domid_t frames_of;       /* owner of frames mapped; or DOMID_IO, _XEN */
    bool (*should_stop)(void);
    struct frame *l1; /* kept by mmu_entry_write(): NULL at the start     */
    maddr_t l1_page;  /* its address; MMU_NO_PAGE while there is none     */
};

#define MMU_NO_PAGE (~0UL) /* l1_page at the start */

/* What an entry or more are written with; mmu_request_end() follows. */
static inline void mmu_request_begin(struct mmu_request *ret_req,
                                     struct vcpu *v, struct domain *pt_owner,
                                     domid_t frames_of,
                                     bool (*should_stop)(void))
{
    ret_req->v = v;
    ret_req->pt_owner = pt_owner;
    ret_req->frames_of = frames_of;
    ret_req->should_stop = should_stop;
    ret_req->l1 = NULL;
    ret_req->l1_page = MMU_NO_PAGE;
}

/**
 * mmu_request_drop() - mmu_request_end() when something was kept
 * @req: no more entries are written with it
 *
 * Context: any but NMI/#MC.
 */
void mmu_request_drop(struct mmu_request *req);

/* Give back what mmu_entry_write() kept. */
static inline void mmu_request_end(struct mmu_request *req)
{
    if (req->l1 != NULL) {
        mmu_request_drop(req);
    }
}

/**
 * mmu_entry_write() - MMU_NORMAL_PT_UPDATE and its relatives
 * @req:  see above
 * @addr: machine address of the entry, 8-byte aligned
 * @val:  the new entry, as the guest wrote it
 * @keep_ad: keep the accessed and dirty bits now in the entry
 *
 * Frames that are not page tables are written plainly.  An L1 table written to
 * is kept one until another frame is or mmu_request_end() is called, which the
 * caller must do: entries of one table mostly come in a row.
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL malformed, wrong owner, forbidden bits; -EPERM no right
 *          to that device memory; -EBUSY would map a page table writable;
 *          -ERESTART call again with the same arguments
 */
int mmu_entry_write(struct mmu_request *req, maddr_t addr, pte_t val,
                    bool keep_ad) MUST_CHECK;

/**
 * mmu_va_write() - change the L1 entry behind a virtual address
 * @req: see above; tables of @req->v's current address space
 * @va:  guest virtual address
 * @val: the new entry
 *
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL no L1 table there, or as mmu_entry_write()
 */
int mmu_va_write(const struct mmu_request *req, uint64_t va, pte_t val)
    MUST_CHECK;

/**
 * mmu_hold_l1e() - the L1 entry behind a guest virtual address
 * @v:         vcpu; the tables of its current mode are walked
 * @va:        any value; the hypervisor's hole is refused
 * @ret_table: the L1 table's frame, kept one until pagetype_put_page()
 *
 * Other vcpus of the domain may change the tables meanwhile: then it is one of
 * the domain's L1 tables, as if the guest had found it just before.
 * Context: any but NMI/#MC.
 * Return:  the entry in the direct map; NULL: no L1 table there
 */
pte_t *mmu_hold_l1e(const struct vcpu *v, uint64_t va,
                    struct frame **ret_table);

/**
 * mmu_peek_l1e() - what the L1 entry behind a guest virtual address says
 * @v:  as mmu_hold_l1e()
 * @va: as mmu_hold_l1e()
 *
 * Nothing is held, and nothing it says may be relied on: see frame_get() and
 * pagetype_get().
 * Context: any but NMI/#MC.
 * Return:  the entry; 0: there is none
 */
pte_t mmu_peek_l1e(const struct vcpu *v, uint64_t va);

/**
 * mmu_l1e_replace() - the checked store every L1 change ends in
 * @req:     see above
 * @entry:   in a valid L1 table of @req->pt_owner, through the direct map;
 *           the caller holds it by a type count
 * @val:     the new entry, as the guest wrote it
 * @expect:  store only if the entry holds this; NULL: whatever it holds
 *
 * Context: any but NMI/#MC.
 * Return:  as mmu_entry_write(); -EAGAIN: not *@expect, nothing changed
 */
int mmu_l1e_replace(const struct mmu_request *req, pte_t *entry, pte_t val,
                    const pte_t *expect) MUST_CHECK;

/**
 * mmu_finish_pending_slow() - mmu_finish_pending() when there is something
 * @v:           vcpu
 * @should_stop: NULL: to the end
 *
 * Context: any but NMI/#MC.
 * Return:  as mmu_finish_pending()
 */
int mmu_finish_pending_slow(struct vcpu *v, bool (*should_stop)(void))
    MUST_CHECK;

/**
 * mmu_finish_pending() - go on releasing the table a vcpu left half released
 * @v:           vcpu
 * @should_stop: NULL: to the end
 *
 * Call before any other page-table work of this vcpu.
 * Context: any but NMI/#MC.
 * Return:  0 nothing left; -ERESTART call again
 */
static inline MUST_CHECK int mmu_finish_pending(struct vcpu *v,
                                                bool (*should_stop)(void))
{
    return likely(v->pv->mmu_pending == 0)
               ? 0
               : mmu_finish_pending_slow(v, should_stop);
}

/**
 * mmu_release_table() - drop a table's type and reference, now or bit by bit
 * @v:           vcpu that remembers what is left over
 * @f:           frame; the caller gives up one type count and one reference
 * @should_stop: NULL: to the end
 *
 * @v should have nothing pending; else it is done at once.
 * Context: any but NMI/#MC.
 */
void mmu_release_table(struct vcpu *v, struct frame *f,
                       bool (*should_stop)(void));

#endif
