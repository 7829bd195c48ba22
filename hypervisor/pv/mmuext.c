/* SPDX-License-Identifier: MIT */
/*
 * pv/mmuext.c - base pointers and the operations of mmuext_op.
 */
#include "pv/mmuext.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "x86/barrier.h"
#include "mm/directmap.h"
#include "domain/account.h"
#include "pv/descriptor.h"
#include "pv/guest_access.h"
#include "pv/mmu_update.h"
#include "pv/pagetype.h"
#include "pv/pt_validate.h"
#include "pv/pv.h"
#include "pv/switch.h"

/*
 * The new table is held and loaded before the old one is given up.  The base
 * of the mode that does not run is not in use: its own load comes with the
 * switch to that mode, and flushes.
 */
static int base_change(struct vcpu *v, mfn_t *base, mfn_t l4,
                       bool (*should_stop)(void))
{
    bool runs = base == (v->pv->guest_kernel ? &v->pv->guest_table
                                             : &v->pv->guest_table_user);
    mfn_t old = *base;
    int rc = mmu_finish_pending(v, should_stop);

    if (rc) {
        return rc;
    }
    if (mfn_eq(old, l4)) {
        /* Loading a base flushes, whether it is another one or not. */
        if (runs && v == current) {
            tlb_flush_now();
        }
        return 0;
    }
    if (!mfn_is_invalid(l4)) {
        rc = pagetype_get_page(l4, v->domain->domid, PAGETYPE_L4, should_stop,
                               NULL);
        if (rc) {
            return rc;
        }
    }
    *base = l4;
    if (runs) {
        pv_load_cr3(v);
    }
    if (!mfn_is_invalid(old)) {
        mmu_release_table(v, frame_of(old), should_stop);
    }
    return 0;
}

int pv_set_base_stop(struct vcpu *v, mfn_t l4, bool (*should_stop)(void))
{
    if (mfn_is_invalid(l4)) {
        return -EINVAL;
    }
    return base_change(v, &v->pv->guest_table, l4, should_stop);
}

int pv_set_user_base_stop(struct vcpu *v, mfn_t l4, bool (*should_stop)(void))
{
    if (mfn_x(l4) == 0) {
        l4 = INVALID_MFN;
    }
    return base_change(v, &v->pv->guest_table_user, l4, should_stop);
}

int pv_set_base(struct vcpu *v, mfn_t l4)
{
    return pv_set_base_stop(v, l4, NULL);
}

int pv_set_user_base(struct vcpu *v, mfn_t l4)
{
    return pv_set_user_base_stop(v, l4, NULL);
}

int pv_drop_bases(struct vcpu *v, bool (*should_stop)(void))
{
    mfn_t *base[2] = {&v->pv->guest_table_user, &v->pv->guest_table};
    unsigned int i;

    for (i = 0; i < 2; i++) {
        int rc = mmu_finish_pending(v, should_stop);

        if (rc) {
            return rc;
        }
        if (!mfn_is_invalid(*base[i])) {
            struct frame *f = frame_of(*base[i]);

            *base[i] = INVALID_MFN;
            mmu_release_table(v, f, should_stop);
        }
    }
    return mmu_finish_pending(v, should_stop);
}

void mmu_flush_others(const struct domain *d)
{
    tlb_flush_cpus(READ_ONCE(d->tlb.cpus) & ~this_cpu()->cpu_mask);
}

int mmu_flush_bitmap(const struct domain *d, uint64_t va)
{
    cpumask_t mask = 0;
    uint64_t vcpus;

    /* Linux rounds its bitmaps to words and makes them no longer. */
    _Static_assert(MAX_VCPUS <= 64, "one word");
    if (copy_from_guest(&vcpus, va, sizeof(vcpus))) {
        return -EFAULT;
    }
    for (; vcpus != 0; vcpus &= vcpus - 1) {
        const struct vcpu *v = domain_vcpu(d, bit_lowest(vcpus));

        if (v != NULL && v != current) {
            mask |= pv_flush_vcpu(v);
        }
    }
    tlb_flush_cpus(mask);
    return 0;
}

static int do_pin(struct vcpu *v, mfn_t m, enum pagetype type,
                  const struct domain *owner, bool (*should_stop)(void))
{
    struct frame *f;
    int rc = pagetype_pin(m, owner->domid, type, should_stop, &f);

    if (f) {
        mmu_release_table(v, f, should_stop);
    }
    return rc;
}

static int do_unpin(struct vcpu *v, mfn_t m, const struct domain *owner,
                    bool (*should_stop)(void))
{
    struct frame *f;
    int rc;

    if (!mfn_valid(m) || !frame_get(frame_of(m), owner->domid)) {
        return -EINVAL;
    }
    f = frame_of(m);
    rc = pagetype_unpin(f);
    if (rc == 0) {
        mmu_release_table(v, f, should_stop);
    }
    account_put(f);
    return rc;
}

static int do_clear(mfn_t m, const struct domain *owner,
                    bool (*should_stop)(void))
{
    struct frame *f;
    int rc =
        pagetype_get_page(m, owner->domid, PAGETYPE_WRITABLE, should_stop, &f);

    if (rc == 0) {
        memset(mfn_to_ptr(m), 0, PAGE_SIZE);
        pagetype_put_page(f);
    }
    return rc;
}

static int do_copy(mfn_t to, mfn_t from, const struct domain *owner,
                   bool (*should_stop)(void))
{
    struct frame *dst, *src;
    int rc;

    if (!mfn_valid(from)) {
        return -EINVAL;
    }
    src = frame_of(from);
    if (!frame_get(src, owner->domid)) {
        return -EINVAL;
    }
    rc = pagetype_get_page(to, owner->domid, PAGETYPE_WRITABLE, should_stop,
                           &dst);
    if (rc == 0) {
        memmove(mfn_to_ptr(to), mfn_to_ptr(from), PAGE_SIZE);
        pagetype_put_page(dst);
    }
    account_put(src);
    return rc;
}

static int do_set_ldt(struct vcpu *v, uint64_t base, unsigned int ents)
{
    if (ents > 8192 || (base & ~PAGE_MASK) ||
        !guest_range_ok(base, (uint64_t)ents * 8)) {
        return -EINVAL;
    }
    return pv_set_ldt(v, base, ents);
}

/* Operations on the caller's own processor state. */
static int run_own(struct vcpu *v, const struct mmuext_op *op,
                   bool (*should_stop)(void))
{
    uint64_t va = op->arg1.linear_addr;
    int rc;

    switch (op->cmd) {
    case MMUEXT_NEW_BASEPTR:
        return pv_set_base_stop(v, mfn(op->arg1.mfn), should_stop);

    case MMUEXT_NEW_USER_BASEPTR:
        return pv_set_user_base_stop(v, mfn(op->arg1.mfn), should_stop);

    case MMUEXT_TLB_FLUSH_ALL:
        mmu_flush_others(v->domain);
        tlb_flush_now();
        return 0;

    case MMUEXT_TLB_FLUSH_LOCAL:
        tlb_flush_now();
        return 0;

    case MMUEXT_TLB_FLUSH_MULTI:
        rc = mmu_flush_bitmap(v->domain, handle_va(op->arg2.vcpumask));
        if (rc == 0) {
            tlb_flush_now();
        }
        return rc;

    case MMUEXT_INVLPG_ALL:
        mmu_flush_others(v->domain);
        if (guest_range_ok(va, 1)) {
            invlpg(va);
        }
        return 0;

    case MMUEXT_INVLPG_LOCAL:
        if (guest_range_ok(va, 1)) {
            invlpg(va);
        }
        return 0;

    case MMUEXT_INVLPG_MULTI:
        rc = mmu_flush_bitmap(v->domain, handle_va(op->arg2.vcpumask));
        if (rc == 0 && guest_range_ok(va, 1)) {
            invlpg(va);
        }
        return rc;

    case MMUEXT_FLUSH_CACHE:
    case MMUEXT_FLUSH_CACHE_GLOBAL:
        if (!pt_io_rights(v->domain)) {
            return -EACCES;
        }
        cache_writeback_all();
        return 0;

    case MMUEXT_SET_LDT:
        return do_set_ldt(v, va, op->arg2.nr_ents);

    default:
        return -ENOSYS;
    }
}

int mmuext_run(struct vcpu *v, const struct mmuext_op *op,
               struct domain *pg_owner, bool (*should_stop)(void))
{
    switch (op->cmd) {
    case MMUEXT_PIN_L1_TABLE:
    case MMUEXT_PIN_L2_TABLE:
    case MMUEXT_PIN_L3_TABLE:
    case MMUEXT_PIN_L4_TABLE:
        return do_pin(
            v, mfn(op->arg1.mfn),
            (enum pagetype)(PAGETYPE_L1 + (op->cmd - MMUEXT_PIN_L1_TABLE)),
            pg_owner, should_stop);

    case MMUEXT_UNPIN_TABLE:
        return do_unpin(v, mfn(op->arg1.mfn), pg_owner, should_stop);

    case MMUEXT_CLEAR_PAGE:
        return do_clear(mfn(op->arg1.mfn), pg_owner, should_stop);

    case MMUEXT_COPY_PAGE:
        return do_copy(mfn(op->arg1.mfn), mfn(op->arg2.src_mfn), pg_owner,
                       should_stop);

    case MMUEXT_MARK_SUPER:
    case MMUEXT_UNMARK_SUPER:
        return -EOPNOTSUPP;

    default:
        if (pg_owner != v->domain) {
            return -EPERM;
        }
        return run_own(v, op, should_stop);
    }
}
