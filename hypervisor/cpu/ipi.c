/* SPDX-License-Identifier: MIT */
/*
 * cpu/ipi.c - interrupts from one CPU to others.
 */
#include "cpu/ipi.h"

#include "cpu/lapic.h"
#include "lib/bits.h"
#include "x86/percpu.h"

void ipi_send(cpu_t cpu, uint8_t vector)
{
    lapic_send(cpu_blocks[cpu]->apic_id, vector);
}

void ipi_send_mask(cpumask_t mask, uint8_t vector)
{
    mask &= ~CPUMASK_OF(this_cpu_id());
    while (mask != 0) {
        unsigned int cpu = bit_lowest(mask);

        mask &= mask - 1;
        ipi_send(cpu, vector);
    }
}
