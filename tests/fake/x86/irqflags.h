/* SPDX-License-Identifier: MIT */
/*
 * tests/fake/x86/irqflags.h - the interrupt flag is a variable.
 */
#ifndef VIGIL_FAKE_X86_IRQFLAGS_H
#define VIGIL_FAKE_X86_IRQFLAGS_H

#include "lib/types.h"
#include "fake_hw.h"

static inline uint64_t read_rflags(void)
{
    return fake_irqs_on ? 1UL << 9 | 2 : 2;
}

static inline bool irqs_enabled(void)
{
    return fake_irqs_on;
}

static inline void irq_disable(void)
{
    fake_irqs_on = false;
}

static inline void irq_enable(void)
{
    fake_irqs_on = true;
}

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
    if (fake_halt_hook == 0) {
        fake_unexpected("halt on CPU", fake_cpu);
    }
    fake_halt_hook();
}

/* By number: sched_yield() is also a function of the hypervisor. */
#define HOST_SYS_SCHED_YIELD 24
long syscall(long number, ...);

/* What is waited for may need this very processor of the build machine's. */
static inline void cpu_relax(void)
{
    if (fake_relax_hook != 0) {
        fake_relax_hook();
    } else {
        (void)syscall(HOST_SYS_SCHED_YIELD);
    }
}

#endif
