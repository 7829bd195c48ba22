/* SPDX-License-Identifier: MIT */
/*
 * traps.c - who gets a trap: the stub's handler, else the exception table,
 * else the end of the stub with a register dump and verdict ERROR.
 */
#include "stub.h"

/* Filled by EXTABLE(). */
struct extable_entry {
    uint64_t from, to;
};
extern const struct extable_entry extable_start[], extable_end[];

volatile struct trap_seen trap_seen;
static trap_handler handlers[TRAP_SOURCES];

/* set_trap_table: the gate sets the upcall mask, as Linux's gates all do. */
#define GATE_MASKS_EVENTS 4U

_Static_assert(__HYPERVISOR_iret == 23, "the number in TRAP_IRET");

static struct trap_info gate(unsigned int vector, unsigned int dpl,
                             unsigned long entry)
{
    return (struct trap_info){
        .vector = (uint8_t)vector,
        .flags = (uint8_t)(GATE_MASKS_EVENTS | dpl),
        .cs = FLAT_KERNEL_CS,
        .address = entry,
    };
}

long trap_register_at(unsigned int vector, unsigned int dpl, const char *entry)
{
    struct trap_info table[2] = {gate(vector, dpl, (unsigned long)entry), {0}};

    return hc_set_trap_table(table);
}

long trap_register(unsigned int vector, unsigned int dpl)
{
    return trap_register_at(vector, dpl,
                            (const char *)trap_entry_points[vector]);
}

void trap_handle(unsigned int source, trap_handler handler)
{
    handlers[source] = handler;
}

void traps_init(void)
{
    static struct trap_info table[33];
    unsigned int vector, used = 0;
    long rc;

    for (vector = 0; vector < 32; vector++) {
        bool soft = vector == TRAP_BP || vector == TRAP_OF;

        if (vector != TRAP_NMI && vector != TRAP_MC) {
            table[used++] =
                gate(vector, soft ? 3 : 0, trap_entry_points[vector]);
        }
    }
    rc = hc_set_trap_table(table);
    if (rc) {
        report(VERDICT_FAILURE, "set_trap_table: %ld", rc);
    }
    rc = hc_callback_register(CALLBACKTYPE_event, CALLBACKF_mask_events,
                              (const void *)trap_entry_points[TRAP_EVENT]);
    if (rc) {
        report(VERDICT_FAILURE, "event callback: %ld", rc);
    }
    rc = hc_callback_register(CALLBACKTYPE_failsafe, CALLBACKF_mask_events,
                              (const void *)trap_entry_points[TRAP_FAILSAFE]);
    if (rc) {
        report(VERDICT_FAILURE, "failsafe callback: %ld", rc);
    }
    rc = hc_callback_register(CALLBACKTYPE_syscall, CALLBACKF_mask_events,
                              (const void *)trap_entry_points[TRAP_SYSCALL]);
    if (rc) {
        report(VERDICT_FAILURE, "syscall callback: %ld", rc);
    }
}

static bool extable_fixup(struct trap_regs *regs)
{
    const struct extable_entry *entry;

    for (entry = extable_start; entry < extable_end; entry++) {
        if (entry->from == regs->rip) {
            trap_seen.count++;
            trap_seen.vector = regs->vector;
            trap_seen.error = regs->error;
            trap_seen.rip = regs->rip;
            trap_seen.cs = regs->cs;
            trap_seen.rflags = regs->rflags;
            trap_seen.cr2 = vcpu_info0->arch.cr2;
            regs->rip = entry->to;
            return true;
        }
    }
    return false;
}

static void unexpected(const struct trap_regs *r)
{
    print("trap %lu error %lx rip %lx cs %lx rflags %lx rsp %lx ss %lx\n",
          r->vector, r->error, r->rip, r->cs, r->rflags, r->rsp, r->ss);
    print("rax %lx rbx %lx rcx %lx rdx %lx rsi %lx rdi %lx rbp %lx cr2 %lx\n",
          r->rax, r->rbx, r->rcx, r->rdx, r->rsi, r->rdi, r->rbp,
          vcpu_info0->arch.cr2);
    report(VERDICT_ERROR, "unexpected trap %lu at %lx", r->vector, r->rip);
    report_last_line();
    stub_shutdown(SHUTDOWN_crash);
}

void trap_dispatch(struct trap_regs *regs)
{
    trap_handler handler = handlers[regs->vector];

    if (handler && handler(regs)) {
        return;
    }
    if (extable_fixup(regs)) {
        return;
    }
    unexpected(regs);
}
