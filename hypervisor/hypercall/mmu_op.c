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

#include "lib/compiler.h"
#include "x86/tlb.h"
#include "log/printk.h"
#include "mm/m2p.h"
#include "domain/account.h"
#include "pv/mmu_update.h"
#include "pv/mmuext.h"
#include "pv/pagetype.h"
#include "pv/pv.h"

/* Set in count while a list is gone on with: *done counts already. */
#define LIST_RESUMED 0x80000000UL

/* Requests copied from the guest at once. */
#define CHUNK 16

/* Whom a call is about; references are held between begin and end. */
struct mmu_parties {
    struct domain *pt_owner;
    struct domain *pg_owner; /* NULL: frames of nobody (DOMID_IO, _XEN) */
    domid_t frames_of;
};

/* Resolve one domid; only the control domain may name another domain. */
static int party_get(domid_t domid, struct domain **ret_domain)
{
    struct domain *d = hypercall_domain(domid);

    if (!d) {
        return current->domain->is_privileged ? -ESRCH : -EPERM;
    }
    if (d != current->domain && !current->domain->is_privileged) {
        domain_put(d);
        return -EPERM;
    }
    *ret_domain = d;
    return 0;
}

static void parties_end(struct mmu_parties *p)
{
    if (p->pg_owner) {
        domain_put(p->pg_owner);
    }
    domain_put(p->pt_owner);
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
        domain_put(p->pt_owner);
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

static int machphys_update(const struct mmu_parties *p, maddr_t addr,
                           uint64_t gpfn)
{
    mfn_t m = maddr_to_mfn(addr);

    if (!p->pg_owner || !mfn_valid(m) ||
        !frame_get(frame_of(m), p->pg_owner->domid)) {
        return -EINVAL;
    }
    m2p_set(m, pfn(gpfn));
    account_put(frame_of(m));
    return 0;
}

static int one_update(const struct mmu_parties *p,
                      const struct mmu_request *req, const struct mmu_update *u)
{
    maddr_t addr = u->ptr & ~7UL;

    switch (u->ptr & 7) {
    case MMU_NORMAL_PT_UPDATE:
    case MMU_PT_UPDATE_NO_TRANSLATE: /* differs for translated guests only */
        return mmu_entry_write(req, addr, u->val, false);
    case MMU_PT_UPDATE_PRESERVE_AD:
        return mmu_entry_write(req, addr, u->val, true);
    case MMU_MACHPHYS_UPDATE:
        return machphys_update(p, addr, u->val);
    default:
        return -ENOSYS;
    }
}

int64_t do_mmu_update(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                      uint64_t a5 UNUSED)
{
    struct vcpu *v = current;
    uint32_t count = (uint32_t)(a2 & ~LIST_RESUMED);
    uint32_t i, done = done_before(a3, (a2 & LIST_RESUMED) != 0);
    struct mmu_update chunk[CHUNK];
    struct mmu_parties p;
    struct mmu_request req;
    int rc = parties_begin(a4, &p);

    if (rc) {
        return rc;
    }
    req = (struct mmu_request){.v = v,
                               .pt_owner = p.pt_owner,
                               .frames_of = p.frames_of,
                               .should_stop = hypercall_should_stop};
    for (i = 0;; i++) {
        rc = mmu_finish_pending(v, hypercall_should_stop);
        if (rc || i == count) {
            break;
        }
        if (i % CHUNK == 0) {
            uint32_t n = MIN(count - i, (uint32_t)CHUNK);

            if (i != 0 && hypercall_should_stop()) {
                rc = -ERESTART;
                break;
            }
            rc = copy_from_guest(chunk, a1 + i * sizeof(chunk[0]),
                                 n * sizeof(chunk[0]));
            if (rc) {
                break;
            }
        }
        rc = one_update(&p, &req, &chunk[i % CHUNK]);
        if (rc) {
            break;
        }
    }
    if (rc && rc != -ERESTART) {
        log_about(LOG_DEBUG, v->domain->domid, (int)v->vcpu_id,
                  "mmu_update %u of %u: error %d", i, count, rc);
    }
    parties_end(&p);
    if (done_store(a3, done + i) && rc == 0) {
        rc = -EFAULT;
    }
    if (rc == -ERESTART) {
        return hypercall_restart(__HYPERVISOR_mmu_update, 4,
                                 a1 + i * sizeof(chunk[0]),
                                 (count - i) | LIST_RESUMED, a3, a4, 0);
    }
    return rc;
}

int64_t do_mmuext_op(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                     uint64_t a5 UNUSED)
{
    struct vcpu *v = current;
    uint32_t count = (uint32_t)(a2 & ~LIST_RESUMED);
    uint32_t i, done = done_before(a3, (a2 & LIST_RESUMED) != 0);
    struct domain *pg_owner;
    struct mmuext_op op;
    int rc = party_get((domid_t)a4, &pg_owner);

    if (rc) {
        return rc;
    }
    op.cmd = 0;
    for (i = 0;; i++) {
        rc = mmu_finish_pending(v, hypercall_should_stop);
        if (rc || i == count) {
            break;
        }
        if (i != 0 && hypercall_should_stop()) {
            rc = -ERESTART;
            break;
        }
        rc = copy_from_guest(&op, a1 + i * sizeof(op), sizeof(op));
        if (rc) {
            break;
        }
        rc = mmuext_run(v, &op, pg_owner, hypercall_should_stop);
        if (rc) {
            break;
        }
    }
    if (rc && rc != -ERESTART) {
        log_about(LOG_DEBUG, v->domain->domid, (int)v->vcpu_id,
                  "mmuext_op %u (command %u): error %d", i, op.cmd, rc);
    }
    domain_put(pg_owner);
    if (done_store(a3, done + i) && rc == 0) {
        rc = -EFAULT;
    }
    if (rc == -ERESTART) {
        return hypercall_restart(__HYPERVISOR_mmuext_op, 4, a1 + i * sizeof(op),
                                 (count - i) | LIST_RESUMED, a3, a4, 0);
    }
    return rc;
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
    if (bitmap != UVMF_LOCAL && bitmap != UVMF_ALL &&
        mmu_flush_bitmap(d, bitmap)) {
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
    struct mmu_request req = {.v = v,
                              .pt_owner = v->domain,
                              .frames_of = frames_of,
                              .should_stop = hypercall_should_stop};
    int rc = mmu_va_write(&req, va, val);

    if (rc == 0) {
        return va_flush(v->domain, va, flags);
    }
    if (rc != -ERESTART) {
        log_about(LOG_DEBUG, v->domain->domid, (int)v->vcpu_id,
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
