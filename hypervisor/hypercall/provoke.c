/* SPDX-License-Identifier: MIT */
/*
 * hypercall/provoke.c - fail on request, in real ways.
 *
 * Nothing is simulated: the page fault is a store to an address nothing is
 * mapped at, the exception is an undefined instruction, the stack really runs
 * into its guard page.  Used to prove that each of them leaves a record.
 */
#include <vigil/vigil_op.h>

#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/format.h"
#include "x86/exc.h"
#include "x86/irqflags.h"
#include "x86/layout.h"
#include "cpu/desc.h"
#include "cpu/lapic.h"
#include "log/printk.h"
#include "crash/notes.h"
#include "dev/efi_runtime.h"
#include "hypercall/vigil_op.h"

/* Between the per-domain slot and the fixed map: never mapped (layout.h). */
#define NOTHING_MAPPED_HERE 0xffff828000000000UL

/* Set just before the panic that is to be disturbed. */
static bool panic_again;

/* While panicking, when asked for: fail once more. */
static void provoke_note(void)
{
    if (panic_again) {
        panic_again = false;
        panic("provoked: a second panic, while panicking");
    }
}
CRASH_NOTE(provoke, provoke_note);

static NOINLINE void wild_store(void)
{
    *(volatile uint64_t *)NOTHING_MAPPED_HERE = 0x7669676c;
}

/*
 * Each call keeps its frame in use after the one below returns, so that the
 * compiler cannot turn the recursion into a loop.
 */
static NOINLINE uint64_t eat_stack(volatile const uint64_t *limit, uint64_t n)
{
    volatile uint64_t frame[64];

    for (unsigned int i = 0; i < ARRAY_SIZE(frame); i++) {
        frame[i] = n + i;
    }
    if (n < *limit) {
        frame[n % ARRAY_SIZE(frame)] += eat_stack(limit, n + 1);
    }
    return frame[n % ARRAY_SIZE(frame)];
}

/* Who waits for this CPU waits in vain; only NMI and #MC still come. */
static NOINLINE NORETURN void hang(void)
{
    irq_disable();
    for (;;) {
        cpu_relax();
    }
}

/*
 * NMIs are blocked from the beginning of one to the next IRET, which does not
 * come: this CPU's own IDT has no door for them but hang().
 */
static NORETURN void die_in_nmi(void)
{
    static struct gate gates[EXC_NMI + 1];
    const struct table_register idtr = {sizeof(gates) - 1, (uint64_t)gates};

    irq_disable();
    gates[EXC_NMI] = desc_gate(hang, IST_NMI);
    lidt(&idtr);
    lapic_self_nmi();
    hang();
}

/* As the public header has it; what is written is known to who reads it. */
static void write_records(void)
{
    static uint32_t written[NR_CPUS]; /* each its own CPU's */
    char text[304];

    for (unsigned int i = 0; i < VIGIL_PROVOKED_AT_ONCE; i++) {
        uint32_t cpu = this_cpu_id(), number = written[cpu]++;
        size_t len = number % 16 == 0 ? 300 : 100;
        size_t at = scnprintf(text, sizeof(text), "load %u %u ", cpu, number);

        for (; at < len; at++) {
            text[at] = (char)('a' + (cpu + number + at) % 26);
        }
        text[len] = '\0';
        printk(LOG_DEBUG, "%s", text);
    }
}

int provoke_failure(uint32_t kind)
{
    volatile uint64_t limit = 1UL << 40;

    switch (kind) {
    case VIGIL_PROVOKE_PANIC:
        panic("provoked by the control domain");
    case VIGIL_PROVOKE_EXCEPTION:
        __builtin_trap();
    case VIGIL_PROVOKE_NESTED:
        panic_again = true;
        panic("provoked by the control domain, to be disturbed");
    case VIGIL_PROVOKE_PAGE_FAULT:
        wild_store();
        break;
    case VIGIL_PROVOKE_STACK:
        (void)eat_stack(&limit, 0);
        break;
    case VIGIL_PROVOKE_FIRMWARE:
        return efi_runtime_fail();
    case VIGIL_PROVOKE_HANG:
        hang();
    case VIGIL_PROVOKE_DEAD:
        die_in_nmi();
    case VIGIL_PROVOKE_RECORDS:
        write_records();
        return 0;
    default:
        return -EINVAL;
    }
    panic("provoked failure %u did not happen", kind);
}
