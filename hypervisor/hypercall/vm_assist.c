/* SPDX-License-Identifier: MIT */
/*
 * hypercall/vm_assist.c - HYPERVISOR_vm_assist(cmd, type).
 *
 * Return:  0; -EINVAL no such assist for a 64-bit PV guest; -ENOSYS no such
 *          cmd
 */
#include "hypercall/call.h"
#include "pv/pv.h"

int64_t do_vm_assist(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                     uint64_t a5)
{
    struct domain *d = current->domain;
    unsigned int type = (unsigned int)a2;

    (void)a3;
    (void)a4;
    (void)a5;
    if (type >= 32 || ((PV_ASSISTS >> type) & 1) == 0) {
        return -EINVAL;
    }
    switch ((unsigned int)a1) {
    case VMASST_CMD_enable:
        (void)atomic_or(&d->vm_assist, 1U << type);
        break;
    case VMASST_CMD_disable:
        (void)atomic_and(&d->vm_assist, ~(1U << type));
        break;
    default:
        return -ENOSYS;
    }
    if (type == VMASST_TYPE_writable_pagetables) {
        d->pv->ptwr_enabled = a1 == VMASST_CMD_enable;
    }
    return 0;
}
