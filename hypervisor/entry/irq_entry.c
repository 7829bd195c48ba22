/* SPDX-License-Identifier: MIT */
/*
 * entry/irq_entry.c - interrupts: our own vectors here, devices to dev/irq.
 */
#include "cpu/lapic.h"
#include "cpu/smp.h"
#include "cpu/softirq.h"
#include "dev/irq.h"
#include "entry/trap.h"
#include "x86/percpu.h"

void irq_entry(unsigned int vector)
{
    struct cpu_block *cb = this_cpu();
    uint32_t context = cb->context;

    cb->context = context | CTX_IRQ;
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
    cb->context = context;
}
