/* SPDX-License-Identifier: MIT */
/*
 * hypercall/traps_op.c - where a guest wants its exceptions and callbacks.
 *
 *   set_trap_table(list)        list ends at address 0; NULL clears all
 *   callback_op(cmd, arg)       register, unregister
 *   iret()
 * Return:  0; -EFAULT; -EINVAL malformed; -ENOSYS no such cmd or type;
 *          -ENOMEM
 */
#include "hypercall/call.h"
#include "pv/bounce.h"
#include "pv/pv.h"

#define TRAPS_MAX 257 /* 256 and the end mark */

int64_t do_set_trap_table(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                          uint64_t a5)
{
    struct pv_vcpu *p = current->pv;
    struct trap_info t;
    unsigned int i;

    (void)a2;
    (void)a3;
    (void)a4;
    (void)a5;
    if (a1 == 0) {
        pv_clear_traps(p);
        return 0;
    }
    for (i = 0; i < TRAPS_MAX; i++) {
        if (copy_from_guest(&t, a1 + i * sizeof(t), sizeof(t)) != 0) {
            return -EFAULT;
        }
        if (t.address == 0) {
            return 0;
        }
        if (!guest_range_ok(t.address, 1)) {
            return -EINVAL;
        }
        if (pv_set_trap(p, &t) != 0) {
            return -ENOMEM;
        }
    }
    return -EINVAL;
}

/*
 * Where a callback type is kept; NULL for those a guest does not get.  Among
 * them sysenter: it faults here, and a kernel whose registration is refused
 * tells its 32-bit programs to use int 0x80 instead.
 */
static struct pv_callback *callback_slot(struct pv_vcpu *p, uint16_t type)
{
    switch (type) {
    case CALLBACKTYPE_event:
        return &p->event;
    case CALLBACKTYPE_failsafe:
        return &p->failsafe;
    case CALLBACKTYPE_syscall:
        return &p->syscall;
    case CALLBACKTYPE_syscall32:
        return &p->syscall32;
    default:
        return NULL;
    }
}

static int64_t callback_register(uint64_t arg)
{
    struct callback_register r;
    struct pv_callback *cb;

    if (copy_from_guest(&r, arg, sizeof(r)) != 0) {
        return -EFAULT;
    }
    if (!guest_range_ok(r.address, 1)) {
        return -EINVAL;
    }
    if (r.type == CALLBACKTYPE_nmi) {
        return pv_set_trap(current->pv,
                           &(const struct trap_info){
                               .vector = 2, .flags = 4, .address = r.address});
    }
    cb = callback_slot(current->pv, r.type);
    if (cb == NULL) {
        return -ENOSYS;
    }
    cb->rip = r.address;
    cb->mask_events = (r.flags & CALLBACKF_mask_events) != 0;
    return 0;
}

static int64_t callback_unregister(uint64_t arg)
{
    struct callback_unregister u;
    struct pv_callback *cb;

    if (copy_from_guest(&u, arg, sizeof(u)) != 0) {
        return -EFAULT;
    }
    if (u.type == CALLBACKTYPE_nmi) {
        return pv_set_trap(current->pv,
                           &(const struct trap_info){.vector = 2});
    }
    cb = callback_slot(current->pv, u.type);
    if (cb == NULL || u.type == CALLBACKTYPE_event ||
        u.type == CALLBACKTYPE_failsafe) {
        return -EINVAL;
    }
    *cb = (struct pv_callback){0};
    return 0;
}

int64_t do_callback_op(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                       uint64_t a5)
{
    (void)a3;
    (void)a4;
    (void)a5;
    switch ((int)a1) {
    case CALLBACKOP_register:
        return callback_register(a2);
    case CALLBACKOP_unregister:
        return callback_unregister(a2);
    default:
        return -ENOSYS;
    }
}

int64_t do_iret(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                uint64_t a5)
{
    (void)a1;
    (void)a2;
    (void)a3;
    (void)a4;
    (void)a5;
    return pv_iret();
}
