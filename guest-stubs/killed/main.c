/* SPDX-License-Identifier: MIT */
/*
 * killed - what the hypervisor must kill a guest for.
 *
 * Claim: a guest whose state cannot be mended is ended alone, with a reason of
 * its own for each case.  Plan: the command line chooses one; default ud2.
 *   ud2        exception, and no handler registered for it
 *   badstack   exception while the kernel stack is not mapped
 *   badiret    iret hypercall with an unreadable frame
 *   nouser     iret to user mode, and no user page table loaded
 *   badselector iret to a bad selector, and neither a #GP handler nor a
 *              failsafe callback to hear of it
 *   noevent    event pending and unmasked, and no event callback
 *   pagetable  the top-level entry that maps the kernel is removed
 * Coming back from any of them is a FAILURE.
 */
#include "stub.h"

const char stub_name[] = "killed";

/* Outside everything the builder mapped. */
#define NOWHERE 0x700000000000UL

struct killing {
    const char *word, *what;
    void (*kill)(void);
};

static void by_ud2(void)
{
    hc_set_trap_table(NULL);
    __asm__ volatile("ud2");
}

static void by_badstack(void)
{
    __asm__ volatile("mov %0, %%rsp\n\tud2" : : "r"(NOWHERE));
}

static void by_badiret(void)
{
    __asm__ volatile("mov %0, %%rsp\n\tsyscall"
                     :
                     : "r"(NOWHERE), "a"(__HYPERVISOR_iret)
                     : "rcx", "r11", "memory");
}

static void iret_to(unsigned long cs, unsigned long ss)
{
    struct iret_context frame = {
        .rip = (unsigned long)by_ud2,
        .cs = cs,
        .rflags = 2,
        .rsp = (unsigned long)&frame,
        .ss = ss,
    };

    __asm__ volatile("mov %0, %%rsp\n\tsyscall"
                     :
                     : "r"(&frame), "a"(__HYPERVISOR_iret)
                     : "rcx", "r11", "memory");
}

static void by_nouser(void)
{
    iret_to(FLAT_USER_CS, FLAT_USER_SS);
}

static void by_badselector(void)
{
    hc_set_trap_table(NULL);
    hc_callback_register(CALLBACKTYPE_failsafe, 0, NULL);
    /* RPL 0: back into the kernel, so only the selector is wrong. */
    iret_to(0x1000, FLAT_KERNEL_SS);
}

static void by_noevent(void)
{
    struct evtchn_bind_ipi ipi = {.vcpu = 0};
    struct evtchn_send send;

    hc_callback_register(CALLBACKTYPE_event, 0, NULL);
    if (hc_evtchn_op(EVTCHNOP_bind_ipi, &ipi) || evtchn_unmask(ipi.port)) {
        report(VERDICT_FAILURE, "no IPI channel");
        return;
    }
    WRITE_ONCE(vcpu_info0->evtchn_upcall_mask, 0);
    send.port = ipi.port;
    hc_evtchn_op(EVTCHNOP_send, &send);
}

static void by_pagetable(void)
{
    /* Neither the next instruction nor a stack for its fault remains. */
    mm_write_pte(mm_pte_maddr((const void *)VIRT_BASE, 4), 0);
    mm_mmuext(MMUEXT_TLB_FLUSH_LOCAL, 0);
}

static const struct killing killings[] = {
    {"ud2", "exception with no handler", by_ud2},
    {"badstack", "exception with the stack unmapped", by_badstack},
    {"badiret", "iret hypercall with an unreadable frame", by_badiret},
    {"nouser", "iret to user mode with no user page table", by_nouser},
    {"badselector", "iret to a bad selector, nobody to tell", by_badselector},
    {"noevent", "event with no event callback", by_noevent},
    {"pagetable", "kernel mapping removed", by_pagetable},
};

void stub_main(void)
{
    const struct killing *chosen = &killings[0];
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(killings); i++) {
        if (cmdline_has(killings[i].word)) {
            chosen = &killings[i];
        }
    }
    print("killed: about to die by %s: %s\n", chosen->word, chosen->what);
    console_drain(NS_PER_SEC);
    chosen->kill();
    report(VERDICT_FAILURE, "still running after %s", chosen->word);
}
