/* SPDX-License-Identifier: MIT */
/*
 * hypercall.h - the way down: one inline function per argument count, and a
 * typed wrapper for every call the stubs make.
 *
 * A 64-bit PV kernel calls the hypervisor with a plain `syscall`: number in
 * rax, arguments in rdi, rsi, rdx, r10, r8, result in rax.  rcx and r11 are
 * destroyed by the instruction; the hypervisor may also destroy the argument
 * registers, so they are outputs here.  Every wrapper returns what the
 * hypervisor said: 0 or more, or a negative XEN_E* number.
 *
 * Used by: everything under guest-stubs/.  Context: any, also in handlers.
 */
#ifndef VIGIL_STUBS_HYPERCALL_H
#define VIGIL_STUBS_HYPERCALL_H

#include <stddef.h>
#include <stdint.h>

#include <xen/xen.h>

#include <xen/callback.h>
#include <xen/errno.h>
#include <xen/event_channel.h>
#include <xen/features.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/nmi.h>
#include <xen/physdev.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>

static inline long hypercall5(unsigned long nr, unsigned long a1,
                              unsigned long a2, unsigned long a3,
                              unsigned long a4, unsigned long a5)
{
    long ret;
    register unsigned long r10 __asm__("r10") = a4;
    register unsigned long r8 __asm__("r8") = a5;

    __asm__ volatile("syscall"
                     : "=a"(ret), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10),
                       "+r"(r8)
                     : "0"(nr)
                     : "rcx", "r11", "memory");
    return ret;
}

static inline long hypercall3(unsigned long nr, unsigned long a1,
                              unsigned long a2, unsigned long a3)
{
    return hypercall5(nr, a1, a2, a3, 0, 0);
}

static inline long hypercall2(unsigned long nr, unsigned long a1,
                              unsigned long a2)
{
    return hypercall5(nr, a1, a2, 0, 0, 0);
}

static inline long hc_set_trap_table(const struct trap_info *table)
{
    return hypercall2(__HYPERVISOR_set_trap_table, (unsigned long)table, 0);
}

static inline long hc_stack_switch(unsigned long ss, unsigned long sp)
{
    return hypercall2(__HYPERVISOR_stack_switch, ss, sp);
}

static inline long hc_xen_version(unsigned long cmd, void *arg)
{
    return hypercall2(__HYPERVISOR_xen_version, cmd, (unsigned long)arg);
}

static inline long hc_console_write(const char *text, size_t len)
{
    return hypercall3(__HYPERVISOR_console_io, CONSOLEIO_write, len,
                      (unsigned long)text);
}

static inline long hc_sched_op(unsigned long cmd, void *arg)
{
    return hypercall2(__HYPERVISOR_sched_op, cmd, (unsigned long)arg);
}

static inline long hc_vcpu_op(unsigned long cmd, unsigned long vcpu, void *arg)
{
    return hypercall3(__HYPERVISOR_vcpu_op, cmd, vcpu, (unsigned long)arg);
}

static inline long hc_evtchn_op(unsigned long cmd, void *arg)
{
    return hypercall2(__HYPERVISOR_event_channel_op, cmd, (unsigned long)arg);
}

static inline long hc_evtchn_send(evtchn_port_t port)
{
    struct evtchn_send op = {.port = port};

    return hc_evtchn_op(EVTCHNOP_send, &op);
}

static inline long hc_evtchn_close(evtchn_port_t port)
{
    struct evtchn_close op = {.port = port};

    return hc_evtchn_op(EVTCHNOP_close, &op);
}

static inline long hc_callback_register(unsigned int type, unsigned int flags,
                                        const void *address)
{
    struct callback_register reg = {
        .type = (uint16_t)type,
        .flags = (uint16_t)flags,
        .address = (unsigned long)address,
    };

    return hypercall2(__HYPERVISOR_callback_op, CALLBACKOP_register,
                      (unsigned long)&reg);
}

static inline long hc_update_va_mapping(const void *va, uint64_t pte,
                                        unsigned long flags)
{
    return hypercall3(__HYPERVISOR_update_va_mapping, (unsigned long)va, pte,
                      flags);
}

static inline long hc_mmu_update(struct mmu_update *req, unsigned int count,
                                 unsigned int *done)
{
    return hypercall5(__HYPERVISOR_mmu_update, (unsigned long)req, count,
                      (unsigned long)done, DOMID_SELF, 0);
}

static inline long hc_mmuext_op(struct mmuext_op *op, unsigned int count,
                                unsigned int *done)
{
    return hypercall5(__HYPERVISOR_mmuext_op, (unsigned long)op, count,
                      (unsigned long)done, DOMID_SELF, 0);
}

static inline long hc_memory_op(unsigned long cmd, void *arg)
{
    return hypercall2(__HYPERVISOR_memory_op, cmd, (unsigned long)arg);
}

static inline long hc_grant_table_op(unsigned long cmd, void *arg,
                                     unsigned int count)
{
    return hypercall3(__HYPERVISOR_grant_table_op, cmd, (unsigned long)arg,
                      count);
}

static inline long hc_multicall(struct multicall_entry *calls,
                                unsigned int count)
{
    return hypercall2(__HYPERVISOR_multicall, (unsigned long)calls, count);
}

static inline long hc_set_timer_op(uint64_t when)
{
    return hypercall2(__HYPERVISOR_set_timer_op, when, 0);
}

static inline long hc_set_segment_base(unsigned int which, unsigned long base)
{
    return hypercall2(__HYPERVISOR_set_segment_base, which, base);
}

#endif /* VIGIL_STUBS_HYPERCALL_H */
