/* SPDX-License-Identifier: MIT */
/*
 * hypercall/mmu_op.c - mmu_update (1), update_va_mapping (14),
 * update_va_mapping_otherdomain (22), mmuext_op (26).
 *
 * Lists are worked off in order up to the first failure; *done tells how many
 * were done, and is added to when the call is interrupted and run again.
 * Errors: -EINVAL malformed or not the owner's, -EPERM not you or no right to
 * that memory, -EBUSY frame in use as something else, -EFAULT list not
 * readable, -ESRCH no such domain, -ENOSYS unknown command.
 */
#include "hypercall/call.h"

#include "lib/assert.h"
#include "lib/compiler.h"
#include "cpu/tlb.h"
#include "log/printk.h"
#include "mm/m2p.h"
#include "domain/account.h"
#include "pv/mmu_update.h"
#include "pv/mmuext.h"
#include "pv/pagetype.h"
#include "pv/pv.h"

/* Set in count while a list is gone on with: *done counts already. */
#define LIST_RESUMED 0x80000000UL

/* Between two looks whether something more urgent waits: a power of two. */
#define STRIDE 16U

/* Whom a call is about; references are held between begin and end. */
struct mmu_parties {
    struct domain *pt_owner;
    struct domain *pg_owner; /* NULL: frames of nobody (DOMID_IO, _XEN) */
    domid_t frames_of;
};

/*
 * Resolve one domid; only the control domain may name another domain.  The
 * caller's own needs no reference: it is here.
 */
static int party_get(domid_t domid, struct domain **ret_domain)
{
    struct domain *d = current->domain;

    if (likely(domid == DOMID_SELF || domid == d->domid)) {
        *ret_domain = d;
        return 0;
    }
    if (!d->is_privileged) {
        return -EPERM;
    }
    d = domain_get(domid);
    if (!d) {
        return -ESRCH;
    }
    *ret_domain = d;
    return 0;
}

static inline void party_put(struct domain *d)
{
    if (unlikely(d && d != current->domain)) {
        domain_put(d);
    }
}

static void parties_end(struct mmu_parties *p)
{
    party_put(p->pg_owner);
    party_put(p->pt_owner);
}

/* @foreign: low 16 bits owner of frames, high bits owner of tables + 1. */
static int parties_begin(uint64_t foreign, struct mmu_parties *p)
{
    domid_t domid = (domid_t)foreign;
    uint32_t pt = (uint32_t)foreign >> 16;
    int rc;

    p->pg_owner = NULL;
    p->frames_of = domid;
    rc = party_get(pt ? (domid_t)(pt - 1) : DOMID_SELF, &p->pt_owner);
    if (rc) {
        return rc;
    }
    if (domid == DOMID_IO ||
        (domid == DOMID_XEN && current->domain->is_privileged)) {
        return 0;
    }
    rc = party_get(domid, &p->pg_owner);
    if (rc) {
        party_put(p->pt_owner);
        return rc;
    }
    p->frames_of = p->pg_owner->domid;
    return 0;
}

/* *done of the earlier runs of this call; what cannot be read counts as 0. */
static uint32_t done_before(uint64_t done_va, bool resumed)
{
    uint32_t done = 0;

    if (resumed && done_va && copy_from_guest(&done, done_va, sizeof(done))) {
        done = 0;
    }
    return done;
}

static int done_store(uint64_t done_va, uint32_t done)
{
    return done_va ? copy_to_guest(done_va, &done, sizeof(done)) : 0;
}

static int machphys_update(domid_t frames_of, maddr_t addr, uint64_t gpfn)
{
    mfn_t m = maddr_to_mfn(addr);

    if (frames_of >= DOMID_FIRST_RESERVED || !mfn_valid(m) ||
        !frame_get(frame_of(m), frames_of)) {
        return -EINVAL;
    }
    m2p_set(m, pfn(gpfn));
    account_put(frame_of(m));
    return 0;
}

/* The commands that one_update() does not do itself. */
static NOINLINE int other_update(struct mmu_request *req, uint64_t ptr,
                                 uint64_t val)
{
    maddr_t addr = ptr & ~7UL;

    switch (ptr & 7) {
    case MMU_PT_UPDATE_NO_TRANSLATE: /* differs for translated guests only */
        return mmu_entry_write(req, addr, val, false);
    case MMU_MACHPHYS_UPDATE:
        return machphys_update(req->frames_of, addr, val);
    default:
        return -ENOSYS;
    }
}

static ALWAYS_INLINE int one_update(struct mmu_request *req, uint64_t ptr,
                                    uint64_t val)
{
    STATIC_ASSERT(MMU_NORMAL_PT_UPDATE == 0 && MMU_PT_UPDATE_PRESERVE_AD == 2,
                  "bit 1 is what they differ in");
    if (likely((ptr & (7 ^ MMU_PT_UPDATE_PRESERVE_AD)) == 0)) {
        return mmu_entry_write(req, ptr & ~7UL, val,
                               (ptr & MMU_PT_UPDATE_PRESERVE_AD) != 0);
    }
    return other_update(req, ptr, val);
}

/* Work off @count requests at @va; returns why it ended, *ret_i where. */
static ALWAYS_INLINE int update_list(struct mmu_request *req, uint64_t va,
                                     uint32_t count, uint32_t *ret_i)
{
    uint32_t i;
    int rc = guest_range_ok(va, (uint64_t)count * sizeof(struct mmu_update))
                 ? 0
                 : -EFAULT;

    for (i = 0; i < count && rc == 0; i++, va += sizeof(struct mmu_update)) {
        unsigned int bad = 0;
        uint64_t ptr, val;

        if (i % STRIDE == 0 && i != 0 && unlikely(hypercall_should_stop())) {
            rc = -ERESTART;
            break;
        }
        guest_reopen();
        guest_load(ptr, va + offsetof(struct mmu_update, ptr), bad);
        guest_load(val, va + offsetof(struct mmu_update, val), bad);
        guest_close();
        if (unlikely(bad)) {
            rc = -EFAULT;
            break;
        }
        rc = one_update(req, ptr, val);
        if (unlikely(rc)) {
            break;
        }
    }
    *ret_i = i;
    return rc;
}

/* Say what went wrong, tell the guest how far it came, or go on later. */
static NOINLINE int64_t list_end(unsigned int nr, uint64_t va, uint64_t count,
                                 uint64_t done_va, uint64_t foreign, int rc,
                                 uint32_t i)
{
    struct vcpu *v = current;
    unsigned int entry_bytes = nr == __HYPERVISOR_mmu_update
                                   ? sizeof(struct mmu_update)
                                   : sizeof(struct mmuext_op);
    uint32_t total = (uint32_t)(count & ~LIST_RESUMED);
    uint32_t done = done_before(done_va, (count & LIST_RESUMED) != 0);

    if (rc && rc != -ERESTART) {
        log_about(LOG_DEBUG, &v->domain->log, (int)v->vcpu_id,
                  "%s %u of %u: error %d",
                  nr == __HYPERVISOR_mmu_update ? "mmu_update" : "mmuext_op", i,
                  total, rc);
    }
    if (done_store(done_va, done + i) && rc == 0) {
        rc = -EFAULT;
    }
    if (rc == -ERESTART) {
        return hypercall_restart(nr, 4, va + (uint64_t)i * entry_bytes,
                                 (total - i) | LIST_RESUMED, done_va, foreign,
                                 0);
    }
    return rc;
}

static ALWAYS_INLINE int64_t update_run(struct domain *pt_owner,
                                        domid_t frames_of, uint64_t va,
                                        uint64_t count, uint64_t done_va,
                                        uint64_t foreign)
{
    struct mmu_request req UNINITIALISED;
    uint32_t i UNINITIALISED;
    int rc;

    mmu_request_begin(&req, current, pt_owner, frames_of,
                      hypercall_should_stop);
    rc = update_list(&req, va, (uint32_t)(count & ~LIST_RESUMED), &i);
    mmu_request_end(&req);
    if (likely(rc == 0)) {
        rc = mmu_finish_pending(req.v, hypercall_should_stop);
        if (likely(rc == 0 && done_va == 0)) {
            return 0;
        }
    }
    return list_end(__HYPERVISOR_mmu_update, va, count, done_va, foreign, rc,
                    i);
}

/* Tables or frames may be another domain's. */
static NOINLINE int64_t update_foreign(uint64_t va, uint64_t count,
                                       uint64_t done_va, uint64_t foreign)
{
    struct mmu_parties p;
    int64_t rc = parties_begin(foreign, &p);

    if (rc) {
        return rc;
    }
    rc = update_run(p.pt_owner, p.frames_of, va, count, done_va, foreign);
    parties_end(&p);
    return rc;
}

int64_t do_mmu_update(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                      uint64_t a5 UNUSED)
{
    if (likely(a4 == DOMID_SELF)) {
        struct domain *d = current->domain;

        return update_run(d, d->domid, a1, a2, a3, a4);
    }
    return update_foreign(a1, a2, a3, a4);
}

/* One operation of the list, each word read once. */
static int one_ext(struct vcpu *v, struct domain *pg_owner, uint64_t va)
{
    struct mmuext_op op;
    uint64_t cmd, arg1, arg2;
    unsigned int bad = 0;

    STATIC_ASSERT(offsetof(struct mmuext_op, cmd) == 0 &&
                      sizeof(op.arg1.mfn) == 8 && sizeof(op.arg2.src_mfn) == 8,
                  "three words");
    if (unlikely(!guest_open(va, sizeof(op)))) {
        return -EFAULT;
    }
    guest_load(cmd, va, bad);
    guest_load(arg1, va + offsetof(struct mmuext_op, arg1), bad);
    guest_load(arg2, va + offsetof(struct mmuext_op, arg2), bad);
    guest_close();
    if (unlikely(bad)) {
        return -EFAULT;
    }
    op.cmd = (unsigned int)cmd;
    op.arg1.mfn = arg1;
    op.arg2.src_mfn = arg2;
    return mmuext_run(v, &op, pg_owner, hypercall_should_stop);
}

int64_t do_mmuext_op(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                     uint64_t a5 UNUSED)
{
    struct vcpu *v = current;
    uint32_t count = (uint32_t)(a2 & ~LIST_RESUMED);
    uint32_t i;
    struct domain *pg_owner;
    int rc = party_get((domid_t)a4, &pg_owner);

    if (rc) {
        return rc;
    }
    for (i = 0;; i++) {
        rc = mmu_finish_pending(v, hypercall_should_stop);
        if (rc || i == count) {
            break;
        }
        if (i != 0 && hypercall_should_stop()) {
            rc = -ERESTART;
            break;
        }
        rc = one_ext(v, pg_owner, a1 + i * sizeof(struct mmuext_op));
        if (rc) {
            break;
        }
    }
    party_put(pg_owner);
    if (likely(rc == 0 && a3 == 0)) {
        return 0;
    }
    return list_end(__HYPERVISOR_mmuext_op, a1, a2, a3, a4, rc, i);
}

/* UVMF_*: what to flush after the entry has changed. */
static int va_flush(const struct domain *d, uint64_t va, uint64_t flags)
{
    uint64_t bitmap = flags & ~UVMF_FLUSHTYPE_MASK;

    switch (flags & UVMF_FLUSHTYPE_MASK) {
    case UVMF_NONE:
        return 0;
    case UVMF_TLB_FLUSH:
    case UVMF_INVLPG:
        break;
    default:
        return -EINVAL;
    }
    if (bitmap == UVMF_ALL) {
        mmu_flush_others(d);
    } else if (bitmap != UVMF_LOCAL && mmu_flush_bitmap(d, bitmap)) {
        return -EFAULT;
    }
    if ((flags & UVMF_FLUSHTYPE_MASK) == UVMF_TLB_FLUSH) {
        tlb_flush_now();
    } else {
        invlpg(va);
    }
    return 0;
}

static int va_mapping(uint64_t va, uint64_t val, uint64_t flags,
                      domid_t frames_of)
{
    struct vcpu *v = current;
    struct mmu_request req UNINITIALISED; /* mmu_va_write() keeps nothing */
    int rc;

    mmu_request_begin(&req, v, v->domain, frames_of, hypercall_should_stop);
    rc = mmu_va_write(&req, va, val);
    if (likely(rc == 0)) {
        return va_flush(v->domain, va, flags);
    }
    if (rc != -ERESTART) {
        log_about(LOG_DEBUG, &v->domain->log, (int)v->vcpu_id,
                  "update_va_mapping %#llx to %#llx: error %d",
                  (unsigned long long)va, (unsigned long long)val, rc);
    }
    return rc;
}

int64_t do_update_va_mapping(uint64_t a1, uint64_t a2, uint64_t a3,
                             uint64_t a4 UNUSED, uint64_t a5 UNUSED)
{
    int rc = va_mapping(a1, a2, a3, current->domain->domid);

    if (rc == -ERESTART) {
        return hypercall_restart(__HYPERVISOR_update_va_mapping, 3, a1, a2, a3,
                                 0, 0);
    }
    return rc;
}

int64_t do_update_va_mapping_otherdomain(uint64_t a1, uint64_t a2, uint64_t a3,
                                         uint64_t a4, uint64_t a5 UNUSED)
{
    struct mmu_parties p;
    int rc = parties_begin((domid_t)a4, &p);

    if (rc) {
        return rc;
    }
    rc = va_mapping(a1, a2, a3, p.frames_of);
    parties_end(&p);
    if (rc == -ERESTART) {
        return hypercall_restart(__HYPERVISOR_update_va_mapping_otherdomain, 4,
                                 a1, a2, a3, a4, 0);
    }
    return rc;
}
