/* SPDX-License-Identifier: MIT */
/*
 * hypercall/nmi_op.c - HYPERVISOR_nmi_op(cmd, arg): another way to set the
 * handler of vector 2.  Only for the control domain's vcpu 0, the one that
 * gets the hardware's NMIs.
 *
 * Return:  0; -EINVAL another vcpu, or no guest address; -EFAULT; -ENOSYS; -ENOMEM
 */
#include "lib/xen_abi.h"
#include "x86/exc.h"
#include "pv/pv.h"
#include "hypercall/call.h"

#define GATE_MASKS_EVENTS 4

static int64_t nmi_register(uint64_t arg)
{
    struct xennmi_callback cb;

    if (!current->domain->is_privileged || current->vcpu_id != 0) {
        return -EINVAL;
    }
    if (copy_from_guest(&cb, arg, sizeof(cb)) != 0) {
        return -EFAULT;
    }
    if (!guest_range_ok(cb.handler_address, 1)) {
        return -EINVAL;
    }
    return pv_set_trap(current->pv, &(const struct trap_info){
                                        .vector = EXC_NMI,
                                        .flags = GATE_MASKS_EVENTS,
                                        .cs = SEL_GUEST_CS64,
                                        .address = cb.handler_address,
                                    });
}

int64_t do_nmi_op(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                  uint64_t a5)
{
    (void)a3;
    (void)a4;
    (void)a5;
    switch ((unsigned int)a1) {
    case XENNMI_register_callback:
        return nmi_register(a2);
    case XENNMI_unregister_callback:
        return pv_set_trap(current->pv,
                           &(const struct trap_info){.vector = EXC_NMI});
    default:
        return -ENOSYS;
    }
}
