/* SPDX-License-Identifier: MIT */
/*
 * cpu/smp.c - the list of CPUs, and calls on others.
 *
 * One call at a time: whoever wants to make one waits for the other to end,
 * and answers it meanwhile.
 */
#include "cpu/smp.h"

#include "cpu/ipi.h"
#include "cpu/lapic.h"
#include "cpu/tlb.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "x86/irqflags.h"

cpumask_t cpus_online;

/* Legend: c constant after boot; a atomic; o written by who owns the call */
static struct smp_cpu cpus[NR_CPUS]; /* c */
static unsigned int cpu_count;       /* c */
static const struct smp_ops *smp_ops; /* c */

static struct {
    uint32_t owner;      /* a: CPU + 1 of who calls, 0: nobody           */
    cpumask_t pending;   /* a: have not returned yet                     */
    void (*fn)(void *);  /* o: before pending                            */
    void *arg;           /* o */
} call;

static uint32_t changing; /* a: a CPU is being started or stopped */

void smp_set_online(cpu_t cpu, bool online)
{
    if (online) {
        (void)atomic_or(&cpus_online, CPUMASK_OF(cpu));
    } else {
        (void)atomic_and(&cpus_online, ~CPUMASK_OF(cpu));
    }
}

int smp_add_cpu(const struct smp_cpu *cpu)
{
    if (cpu_count == NR_CPUS) {
        return -1;
    }
    cpus[cpu_count] = *cpu;
    return (int)cpu_count++;
}

unsigned int smp_cpu_count(void)
{
    return cpu_count;
}

const struct smp_cpu *smp_cpu(cpu_t cpu)
{
    return &cpus[cpu];
}

static void answer_call(void)
{
    cpumask_t me = CPUMASK_OF(this_cpu_id());

    if ((atomic_load(&call.pending) & me) != 0) {
        uint64_t flags = irq_save();

        /* An interrupt may have answered it in between. */
        if ((atomic_load(&call.pending) & me) != 0) {
            call.fn(call.arg);
            (void)atomic_and(&call.pending, ~me);
        }
        irq_restore(flags);
    }
}

void smp_answer(void)
{
    tlb_answer();
    answer_call();
}

void smp_call(cpumask_t mask, void (*fn)(void *arg), void *arg)
{
    cpu_t me = this_cpu_id();
    cpumask_t left;

    ASSERT(irqs_enabled());
    while (!atomic_cas(&call.owner, 0U, me + 1)) {
        WRITE_ONCE(this_cpu()->waits_for, atomic_load(&call.owner));
        smp_answer();
        cpu_relax();
    }
    WRITE_ONCE(this_cpu()->waits_for, 0);
    call.fn = fn;
    call.arg = arg;
    atomic_store(&call.pending, mask & ~CPUMASK_OF(me));
    ipi_send_mask(mask, VECTOR_CALL);
    if ((mask & CPUMASK_OF(me)) != 0) {
        uint64_t flags = irq_save();

        fn(arg);
        irq_restore(flags);
    }
    while ((left = atomic_load(&call.pending)) != 0) {
        WRITE_ONCE(this_cpu()->waits_for, bit_lowest(left) + 1);
        tlb_answer();
        cpu_relax();
    }
    WRITE_ONCE(this_cpu()->waits_for, 0);
    atomic_store(&call.owner, 0U);
}

void smp_park_if_asked(void)
{
    if (unlikely(READ_ONCE(this_cpu()->parking))) {
        smp_ops->park();
    }
}

void smp_plug(const struct smp_ops *ops)
{
    smp_ops = ops;
}

int smp_cpu_up(cpu_t cpu)
{
    int rc;

    if (cpu >= cpu_count) {
        return -EINVAL;
    }
    if (smp_is_online(cpu)) {
        return -EEXIST;
    }
    if (!atomic_cas(&changing, 0U, 1U)) {
        return -EBUSY;
    }
    rc = smp_is_online(cpu) ? -EEXIST : smp_ops->up(cpu);
    atomic_store(&changing, 0U);
    return rc;
}

int smp_cpu_down(cpu_t cpu)
{
    int rc;

    if (cpu >= cpu_count || cpu == 0) {
        return -EINVAL;
    }
    if (!smp_is_online(cpu)) {
        return -ENOENT;
    }
    if (!atomic_cas(&changing, 0U, 1U)) {
        return -EBUSY;
    }
    rc = smp_is_online(cpu) ? smp_ops->down(cpu) : -ENOENT;
    atomic_store(&changing, 0U);
    return rc;
}
