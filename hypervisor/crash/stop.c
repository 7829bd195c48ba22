/* SPDX-License-Identifier: MIT */
/*
 * crash/stop.c - one flag, one set, one NMI, one bounded wait.
 *
 * The flag is set before the NMI is sent: a CPU that takes an NMI for another
 * reason in that moment stops too, which is as good.  A CPU in the middle of
 * another NMI takes ours afterwards, since the processor latches one.
 */
#include "crash/stop.h"

#include "lib/bits.h"
#include "lib/string.h"
#include "x86/atomic.h"
#include "x86/irqflags.h"
#include "x86/tsc.h"
#include "log/printk.h"
#include "crash/backtrace.h"
#include "crash/blackbox.h"
#include "crash/context.h"

#define WAIT_MS   1000
#define GUESS_KHZ 4000000 /* too long a wait does no harm, too short might */

/* Legend: c constant after init; a atomic; o written once by its own CPU */
static const struct crash_stop_ops *stop_ops; /* c */
static uint32_t stop_request; /* a: CPU + 1 of who dies, 0: nobody */
static cpumask_t stopped;    /* a: CPUs that stand still */
static cpumask_t silent;     /* dying CPU: those that did not stop in time */
static struct parked_cpu {
    struct cpu_regs regs; /* o */
    uint32_t context;     /* o */
    bool valid;           /* a: set after these */
} parked[NR_CPUS];

void crash_stop_register(const struct crash_stop_ops *ops)
{
    stop_ops = ops;
}

NMI_SAFE bool crash_stop_requested(void)
{
    uint32_t by = __atomic_load_n(&stop_request, __ATOMIC_ACQUIRE);

    /* An NMI may hit the dying CPU too: it must not wait for itself. */
    return by != 0 && by != this_cpu_id() + 1;
}

NMI_SAFE bool crash_stop_began(void)
{
    return __atomic_load_n(&stop_request, __ATOMIC_ACQUIRE) != 0;
}

NMI_SAFE void crash_stop_park(const struct cpu_regs *regs)
{
    cpu_t cpu = this_cpu_id();

    irq_disable();
    if (cpu < NR_CPUS && regs != NULL) {
        memcpy(&parked[cpu].regs, regs, sizeof(*regs));
        parked[cpu].context = context_interrupted(this_cpu()->context);
        __atomic_store_n(&parked[cpu].valid, true, __ATOMIC_RELEASE);
    }
    if (cpu < NR_CPUS) {
        (void)atomic_or(&stopped, CPUMASK_OF(cpu));
    }
    for (;;) {
        halt();
    }
}

unsigned int crash_stop_others(uint64_t tsc_khz)
{
    cpumask_t expected = stop_ops ? stop_ops->others_online() : 0;
    uint64_t khz = tsc_khz ? tsc_khz : GUESS_KHZ;
    uint64_t begin;

    __atomic_store_n(&stop_request, this_cpu_id() + 1, __ATOMIC_SEQ_CST);
    if (expected == 0) {
        return 0;
    }
    stop_ops->nmi_others();
    begin = rdtsc();
    do {
        expected &= ~atomic_load(&stopped);
        if (expected == 0) {
            return 0;
        }
        cpu_relax();
    } while (rdtsc() - begin < khz * WAIT_MS);
    silent = expected;
    return bit_count(expected);
}

static void print_stopped(cpu_t cpu)
{
    const struct parked_cpu *p = &parked[cpu];
    char words[VIGIL_CTX_TEXT_BYTES];

    printk(LOG_PANIC, "CPU %u was in %s, at:", cpu,
           context_words(p->context, words, sizeof(words)));
    backtrace_line(p->regs.rip);
    blackbox_cpu(cpu, VIGIL_BOX_CPU_STOPPED, p->context, &p->regs);
}

static void print_silent(cpu_t cpu)
{
    uint32_t context = cpu_blocks[cpu] == NULL
                           ? 0
                           : READ_ONCE(cpu_blocks[cpu]->context);
    char words[VIGIL_CTX_TEXT_BYTES];

    printk(LOG_PANIC, "CPU %u did not stop, in: %s", cpu,
           context_words(context, words, sizeof(words)));
    blackbox_cpu(cpu, VIGIL_BOX_CPU_SILENT, context, NULL);
}

void crash_stop_print(void)
{
    for (cpu_t cpu = 0; cpu < NR_CPUS; cpu++) {
        if (__atomic_load_n(&parked[cpu].valid, __ATOMIC_ACQUIRE)) {
            print_stopped(cpu);
        } else if ((silent & CPUMASK_OF(cpu)) != 0) {
            print_silent(cpu);
        }
    }
}
