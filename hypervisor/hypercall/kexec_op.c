/* SPDX-License-Identifier: MIT */
/*
 * hypercall/kexec_op.c - HYPERVISOR_kexec_op(op, arg), control domain only.
 *
 * Not offered: a crash of the control domain or of the hypervisor leaves its
 * record in the black box instead.  "Is an image loaded?" is answered, because
 * kexec-tools asks it before everything else.
 *
 * Return:  0 kexec_status: nothing is loaded; -EFAULT; -EINVAL no such type;
 *          -ENOSYS all else
 */
#include "lib/xen_abi.h"
#include "hypercall/call.h"

int64_t do_kexec_op(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                    uint64_t a5)
{
    struct xen_kexec_status status;

    (void)a3;
    (void)a4;
    (void)a5;
    if (a1 != KEXEC_CMD_kexec_status) {
        return -ENOSYS;
    }
    if (copy_from_guest(&status, a2, sizeof(status)) != 0) {
        return -EFAULT;
    }
    return status.type == KEXEC_TYPE_DEFAULT || status.type == KEXEC_TYPE_CRASH
               ? 0
               : -EINVAL;
}
