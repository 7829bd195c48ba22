/* SPDX-License-Identifier: MIT */
/*
 * x86/irqflags.h - the interrupt flag of this CPU.
 */
#ifndef VIGIL_X86_IRQFLAGS_H
#define VIGIL_X86_IRQFLAGS_H

#include "lib/types.h"

static inline uint64_t read_rflags(void)
{
    uint64_t v;

    asm volatile("pushfq; popq %0" : "=r"(v));
    return v;
}

static inline bool irqs_enabled(void)
{
    return (read_rflags() & (1UL << 9)) != 0;
}

static inline void irq_disable(void)
{
    asm volatile("cli" : : : "memory");
}

static inline void irq_enable(void)
{
    asm volatile("sti" : : : "memory");
}

/* Disable interrupts; give the result to irq_restore(). */
static inline uint64_t irq_save(void)
{
    uint64_t v = read_rflags();

    irq_disable();
    return v;
}

static inline void irq_restore(uint64_t flags)
{
    if (flags & (1UL << 9)) {
        irq_enable();
    }
}

static inline void halt(void)
{
    asm volatile("hlt" : : : "memory");
}

static inline void cpu_relax(void)
{
    asm volatile("pause" : : : "memory");
}

#endif
