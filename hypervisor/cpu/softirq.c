/* SPDX-License-Identifier: MIT */
/*
 * cpu/softirq.c - pending bits of this CPU and the handlers behind them.
 */
#include "cpu/softirq.h"

#include "lib/assert.h"
#include "lib/bits.h"
#include "cpu/ipi.h"
#include "cpu/lapic.h"
#include "x86/atomic.h"

static void (*handler[SOFTIRQ_COUNT])(void);

void softirq_plug(enum softirq nr, void (*fn)(void))
{
    handler[nr] = fn;
}

void softirq_raise(enum softirq nr)
{
    (void)atomic_or(&this_cpu()->softirq, (uint32_t)(1u << nr));
}

void softirq_raise_on(cpu_t cpu, enum softirq nr)
{
    uint32_t bit = 1u << nr;

    /* Whoever set the bit before us has sent for it, or is that CPU. */
    if ((atomic_or(&cpu_blocks[cpu]->softirq, bit) & bit) == 0 &&
        cpu != this_cpu_id()) {
        ipi_send(cpu, VECTOR_RESCHEDULE);
    }
}

void softirq_run(void)
{
    struct cpu_block *cb = this_cpu();
    uint32_t pending;

    /* SCHED is left for the exit path, which alone may switch. */
    while ((pending = READ_ONCE(cb->softirq) & ~(1u << SOFTIRQ_SCHED)) != 0) {
        unsigned int nr = bit_lowest(pending);

        (void)atomic_and(&cb->softirq, ~(1u << nr));
        if (handler[nr] != NULL) {
            handler[nr]();
        }
    }
}
