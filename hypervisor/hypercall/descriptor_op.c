/* SPDX-License-Identifier: MIT */
/*
 * hypercall/descriptor_op.c - segments and the kernel stack of a vcpu.
 *
 *   set_gdt(frames, entries)
 *   update_descriptor(machine address, descriptor)
 *   set_segment_base(which, base)
 *   stack_switch(ss, sp)
 * Return:  0; -EFAULT; -EINVAL malformed, not a descriptor page, or a
 *          descriptor a guest may not have
 */
#include "domain/account.h"
#include "hypercall/call.h"
#include "lib/bits.h"
#include "mm/directmap.h"
#include "pv/descriptor.h"
#include "pv/pagetype.h"
#include "x86/msr.h"

int64_t do_set_gdt(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                   uint64_t a5)
{
    uint64_t list[PV_GDT_FRAMES];
    mfn_t frames[PV_GDT_FRAMES];
    unsigned int ents = (unsigned int)a2;
    unsigned int n, i;

    (void)a3;
    (void)a4;
    (void)a5;
    if (a2 > PV_GDT_FRAMES * 512) {
        return -EINVAL;
    }
    n = (ents + 511) / 512;
    if (copy_from_guest(list, a1, n * sizeof(list[0])) != 0) {
        return -EFAULT;
    }
    for (i = 0; i < n; i++) {
        frames[i] = mfn(list[i]);
    }
    return pv_set_gdt(current, frames, ents);
}

int64_t do_update_descriptor(uint64_t a1, uint64_t a2, uint64_t a3,
                             uint64_t a4, uint64_t a5)
{
    mfn_t m = maddr_to_mfn(a1);
    uint64_t desc = a2;
    uint64_t *slot;
    struct frame *f;
    int rc = -EINVAL;
    bool is_desc;

    (void)a3;
    (void)a4;
    (void)a5;
    if (!IS_ALIGNED(a1, 8) || !descriptor_fix(&desc)) {
        return -EINVAL;
    }
    if (!mfn_valid(m) || !frame_get(frame_of(m), current->domain->domid)) {
        return -EINVAL;
    }
    f = frame_of(m);
    is_desc = pagetype_is(f, PAGETYPE_SEGDESC) && pagetype_count(f) != 0;
    /* Not a descriptor page now: an ordinary store to a writable page. */
    if (is_desc || pagetype_get(f, PAGETYPE_WRITABLE, NULL) == 0) {
        slot = maddr_to_ptr(a1);
        WRITE_ONCE(*slot, desc);
        if (!is_desc) {
            pagetype_put_all(f);
        }
        rc = 0;
    }
    account_put(f);
    return rc;
}

int64_t do_set_segment_base(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                            uint64_t a5)
{
    struct pv_vcpu *p = current->pv;

    (void)a3;
    (void)a4;
    (void)a5;
    if (a1 != SEGBASE_GS_USER_SEL && !va_is_canonical(a2)) {
        return -EINVAL;
    }
    switch ((unsigned int)a1) {
    case SEGBASE_FS:
        wrmsr(MSR_FS_BASE, a2);
        p->fs_base = a2;
        return 0;
    case SEGBASE_GS_USER:
        wrmsr(MSR_KERNEL_GS_BASE, a2); /* hypercalls come from the kernel */
        p->gs_base_user = a2;
        return 0;
    case SEGBASE_GS_KERNEL:
        wrmsr(MSR_GS_BASE, a2);
        p->gs_base_kernel = a2;
        return 0;
    case SEGBASE_GS_USER_SEL:
        /* Loading a selector sets the active base: do it on the user one. */
        swapgs();
        if (load_gs_safe((uint16_t)a2) != 0) {
            wrmsr(MSR_GS_BASE, 0); /* null selector, as the guest expects */
        }
        swapgs();
        return 0;
    default:
        return -EINVAL;
    }
}

int64_t do_stack_switch(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                        uint64_t a5)
{
    struct pv_vcpu *p = current->pv;

    (void)a3;
    (void)a4;
    (void)a5;
    p->kernel_ss = (uint16_t)(a1 | 3);
    p->kernel_sp = a2;
    return 0;
}
