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

/* Its bit of cpu_block.pending. */
static inline uint32_t bit_of(unsigned int nr)
{
    return (1u << PENDING_SOFTIRQ_SHIFT) << nr;
}

void softirq_plug(enum softirq nr, void (*fn)(void))
{
    handler[nr] = fn;
}

void softirq_raise(enum softirq nr)
{
    (void)atomic_or(&this_cpu()->pending, bit_of(nr));
}

void softirq_raise_on(cpu_t cpu, enum softirq nr)
{
    /* Whoever set the bit before us has sent for it, or is that CPU. */
    if (!atomic_test_and_set_bit(PENDING_SOFTIRQ_SHIFT + nr,
                                 &cpu_blocks[cpu]->pending) &&
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

        (void)atomic_and(&cb->pending, ~bit_of(nr));
        if (handler[nr] != NULL) {
            handler[nr]();
        }
    }
}
