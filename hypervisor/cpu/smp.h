/* SPDX-License-Identifier: MIT */
/*
 * cpu/smp.h - which CPUs there are, and calls on others.
 *
 * A CPU has a number from boot on, in the firmware's order, and keeps it.  It is
 * online or not; its block (cpu_blocks[]) is there since it first was.
 *
 * Socket: boot/smp.c starts CPUs, and plugs in how to (struct smp_ops).
 */
#ifndef VIGIL_CPU_SMP_H
#define VIGIL_CPU_SMP_H

#include "lib/bits.h"
#include "lib/compiler.h"
#include "lib/types.h"
#include "x86/atomic.h"
#include "x86/percpu.h"

/* Of the firmware's list; the first one is CPU 0. */
struct smp_cpu {
    uint32_t apic_id;
    uint32_t acpi_id;
};

/* a: only smp_set_online() writes it */
extern cpumask_t cpus_online;

static inline cpumask_t smp_online(void)
{
    return READ_ONCE(cpus_online);
}

static inline bool smp_is_online(cpu_t cpu)
{
    return cpu < NR_CPUS && (smp_online() >> cpu & 1) != 0;
}

static inline unsigned int smp_online_count(void)
{
    return bit_count(smp_online());
}

/**
 * smp_set_online() - a CPU takes part from now on, or no longer
 * @cpu:    this CPU
 * @online: which
 *
 * Context: boot/smp.c.
 */
void smp_set_online(cpu_t cpu, bool online);

/**
 * smp_add_cpu() - a CPU of the firmware's list gets a number
 * @cpu: what is known of it
 *
 * Context: boot, the boot processor first.
 * Return:  its number; -1: there are NR_CPUS already
 */
int smp_add_cpu(const struct smp_cpu *cpu);

/**
 * smp_cpu_count() - numbers given: CPUs 0 .. count - 1
 *
 * Context: any.
 * Return:  at least 1
 */
unsigned int smp_cpu_count(void);

/**
 * smp_cpu() - what is known of a CPU
 * @cpu: below smp_cpu_count()
 *
 * Context: any.
 * Return:  constant
 */
const struct smp_cpu *smp_cpu(cpu_t cpu);

/**
 * smp_call() - call a function on other CPUs, and on this one
 * @mask: online CPUs
 * @fn:   called with interrupts off, in interrupt context; takes only locks
 *        that are IRQ_OFF
 * @arg:  given to @fn
 *
 * Returns when all have returned from it.
 * Context: interrupts on, no lock held that is taken with interrupts off.
 */
void smp_call(cpumask_t mask, void (*fn)(void *arg), void *arg);

/**
 * smp_answer() - do what other CPUs have asked this one for
 *
 * Context: VECTOR_CALL, and wherever a CPU waits for another.
 */
void smp_answer(void);

/**
 * smp_park_if_asked() - stop here for good, if boot/smp.c wants it
 *
 * Context: idle, interrupts off.
 */
void smp_park_if_asked(void);

struct smp_ops {
    int (*up)(cpu_t cpu);
    int (*down)(cpu_t cpu);
    void (*park)(void); /* on the CPU that stops */
};

/**
 * smp_plug() - how CPUs are started and stopped
 * @ops: static storage
 *
 * Context: boot.
 */
void smp_plug(const struct smp_ops *ops);

/**
 * smp_cpu_up() - start a CPU that is not online
 * @cpu: below smp_cpu_count()
 *
 * Context: hypercall.
 * Return:  0; -EINVAL: no such CPU; -EEXIST: it is online; -EBUSY: another is
 *          being started or stopped; -ENOMEM; -EIO: it does not come
 */
int smp_cpu_up(cpu_t cpu) MUST_CHECK;

/**
 * smp_cpu_down() - stop a CPU
 * @cpu: online, not 0
 *
 * Context: hypercall.
 * Return:  0; -EINVAL: no such CPU, or the first; -ENOENT: it is not online;
 *          -ERESTART: a vcpu has to leave it, perhaps the caller's: once more;
 *          -EBUSY: as above, or it cannot be spared; -ENOSPC: its interrupts
 *          find no room elsewhere
 */
int smp_cpu_down(cpu_t cpu) MUST_CHECK;

#endif
