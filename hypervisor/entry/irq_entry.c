/* SPDX-License-Identifier: MIT */
/*
 * entry/irq_entry.c - interrupts: our own vectors here, devices to dev/irq.
 */
#include "cpu/lapic.h"
#include "cpu/smp.h"
#include "cpu/softirq.h"
#include "dev/irq.h"
#include "entry/context_word.h"
#include "entry/trap.h"
#include "x86/barrier.h"
#include "x86/percpu.h"

static NOINLINE NORETURN void left_wrong(uint32_t word)
{
    this_cpu()->context += word;
    context_wrong(NULL, "at the end of an interrupt", word);
}

/*
 * Interrupts come only where the context word is 0: not in another, not in NMI
 * or #MC, not while dying.  So one addition puts this one in, and what the
 * subtraction leaves says whether all that came meanwhile left it as it was.
 */
static ALWAYS_INLINE void take(unsigned int vector, uint32_t word)
{
    struct cpu_block *cb = this_cpu();

    cb->context += word;
    barrier(); /* in place: what comes meanwhile finds it */
    cb->irq_count++;
    switch (vector) {
    case VECTOR_TIMER:
        lapic_eoi();
        softirq_raise(SOFTIRQ_TIMER);
        break;
    case VECTOR_RESCHEDULE:
        lapic_eoi(); /* the trip through the exit path is the message */
        break;
    case VECTOR_CALL:
        lapic_eoi();
        smp_answer();
        break;
    case VECTOR_SPURIOUS:
        break;
    default:
        irq_dispatch(vector);
        break;
    }
    cb->context -= word;
    if (unlikely(cb->context != 0)) {
        left_wrong(word);
    }
}

void irq_entry_from_guest(unsigned int vector)
{
    take(vector, CTX_IRQ | CTX_OF_GUEST);
}

void irq_entry_from_hypervisor(unsigned int vector)
{
    take(vector, CTX_IRQ);
}
