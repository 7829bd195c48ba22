/* SPDX-License-Identifier: MIT */
/*
 * vcpus.c - the other vcpus of a stub.
 */
#include "vcpus.h"

#define STACK_BYTES 16384UL

static char stacks[VCPUS_MAX][STACK_BYTES] __page_aligned;
static struct vcpu_guest_context context;
static void (*entries[VCPUS_MAX])(unsigned int id);

unsigned int vcpu_self(void)
{
    unsigned long sp = (unsigned long)__builtin_frame_address(0);
    unsigned long at = sp - (unsigned long)stacks;

    /* The first one is on the stack it was given by start.S. */
    return at < sizeof(stacks) ? (unsigned int)(at / STACK_BYTES) : 0;
}

unsigned int vcpus_there(void)
{
    unsigned int id = 0;

    while (id < VCPUS_MAX && hc_vcpu_op(VCPUOP_is_up, id, NULL) >= 0) {
        id++;
    }
    return id;
}

static void begin(void)
{
    unsigned int id = vcpu_self();

    entries[id](id);
    for (;;) {
        hc_vcpu_op(VCPUOP_down, id, NULL);
    }
}

long vcpu_start(unsigned int id, void (*fn)(unsigned int id))
{
    unsigned long top = (unsigned long)&stacks[id][STACK_BYTES];
    long rc;

    memset(&context, 0, sizeof(context));
    entries[id] = fn;
    for (unsigned int v = 0; v < 32; v++) {
        context.trap_ctxt[v] = (struct trap_info){
            .vector = (uint8_t)v,
            .flags = 4, /* masks events */
            .cs = FLAT_KERNEL_CS,
            .address = trap_entry_points[v],
        };
    }
    context.flags = VGCF_in_kernel | VGCF_syscall_disables_events |
                    VGCF_failsafe_disables_events;
    context.user_regs.rip = (unsigned long)begin;
    context.user_regs.cs = FLAT_KERNEL_CS;
    context.user_regs.ss = FLAT_KERNEL_SS;
    context.user_regs.rflags = RFLAGS_IF;
    /* As after a call. */
    context.user_regs.rsp = top - 8;
    context.kernel_ss = FLAT_KERNEL_SS;
    context.kernel_sp = top;
    context.ctrlreg[3] = xen_pfn_to_cr3(mm_mfn((void *)start_info->pt_base));
    context.event_callback_eip = trap_entry_points[TRAP_EVENT];
    context.failsafe_callback_eip = trap_entry_points[TRAP_FAILSAFE];
    context.syscall_callback_eip = trap_entry_points[TRAP_SYSCALL];
    vcpu_info_of(id)->evtchn_upcall_mask = 1;
    rc = hc_vcpu_op(VCPUOP_initialise, id, &context);
    return rc ? rc : hc_vcpu_op(VCPUOP_up, id, NULL);
}
