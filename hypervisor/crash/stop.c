/* SPDX-License-Identifier: MIT */
/*
 * crash/stop.c - one flag, one set, an NMI, INIT, bounded waits.
 *
 * The flag is set before the NMI is sent: a CPU that takes an NMI for another
 * reason in that moment stops too, which is as good.  A CPU in the middle of
 * another NMI takes ours afterwards, since the processor latches one.
 *
 *   asked by NMI --parks------------------------> stopped
 *        | nobody new for ANSWER_MS
 *        +--INIT--> waits for a STARTUP that never comes
 *        +--is the bootstrap processor: left alone, and named
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

#define ANSWER_MS  250 /* without an answer: the rest of them is dead      */
#define ANSWERS_MS 500 /* as long as they answer one by one                */
#define INITS_MS   100 /* to send INIT to all                              */
#define INIT_MS    10  /* until it has been taken: SDM 3A 9.4.4 waits that */
#define LOOK_MS    1   /* that a look takes at most                        */
#define GUESS_KHZ  4000000 /* too long a wait does no harm, too short might */

/* Legend: c constant after init; a atomic; o written once by its own CPU */
static const struct crash_stop_ops *stop_ops; /* c */
static uint32_t stop_request; /* a: CPU + 1 of who dies, 0: nobody */
static cpumask_t stopped;     /* a: CPUs that stand still */
static cpumask_t silent;      /* dying CPU: those that did not stop in time */
static cpumask_t sent_init;   /* dying CPU: of these                        */
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

/*
 * A look that took longer than LOOK_MS was not spent here: this CPU itself stood,
 * for its firmware or for an emulator's host, and so may have the others.
 */
static uint64_t spent(uint64_t *last, uint64_t khz)
{
    uint64_t now = rdtsc();
    uint64_t took = MIN(now - *last, khz * LOOK_MS);

    *last = now;
    return took;
}

/* Return: those of @expected that did not answer */
static cpumask_t wait_for(cpumask_t expected, uint64_t khz)
{
    uint64_t last = rdtsc(), since_one = 0, all = 0;

    while (expected != 0 && since_one < khz * ANSWER_MS &&
           all < khz * ANSWERS_MS) {
        cpumask_t left = expected & ~atomic_load(&stopped);
        uint64_t took = spent(&last, khz);

        all += took;
        since_one = left == expected ? since_one + took : 0;
        expected = left;
        cpu_relax();
    }
    return expected;
}

static void send_init(cpumask_t to, uint64_t khz)
{
    uint64_t begin = rdtsc(), last, waited = 0;

    while (to != 0) {
        cpu_t cpu = bit_lowest(to);

        to &= to - 1;
        if (stop_ops->init(cpu)) {
            sent_init |= CPUMASK_OF(cpu);
        }
        /* Each may have to wait for an ICR that stays busy. */
        if (rdtsc() - begin >= khz * INITS_MS) {
            break;
        }
    }
    last = rdtsc();
    while (sent_init != 0 && waited < khz * INIT_MS) {
        waited += spent(&last, khz);
        cpu_relax();
    }
}

unsigned int crash_stop_others(uint64_t tsc_khz)
{
    cpumask_t expected = stop_ops ? stop_ops->others_online() : 0;
    uint64_t khz = tsc_khz ? tsc_khz : GUESS_KHZ;

    __atomic_store_n(&stop_request, this_cpu_id() + 1, __ATOMIC_SEQ_CST);
    /* What INIT was sent to stands still, and answers nobody. */
    expected &= ~sent_init;
    if (expected == 0) {
        return 0;
    }
    stop_ops->nmi_others();
    expected = wait_for(expected, khz);
    if (expected != 0) {
        silent |= expected;
        send_init(expected, khz);
    }
    return bit_count(expected);
}

static bool has_parked(cpu_t cpu)
{
    return __atomic_load_n(&parked[cpu].valid, __ATOMIC_ACQUIRE);
}

static uint32_t context_of_silent(cpu_t cpu)
{
    return cpu_blocks[cpu] == NULL ? 0 : READ_ONCE(cpu_blocks[cpu]->context);
}

void crash_stop_keep(void)
{
    for (cpu_t cpu = 0; cpu < NR_CPUS; cpu++) {
        cpumask_t me = CPUMASK_OF(cpu);

        if (has_parked(cpu)) {
            blackbox_cpu(cpu, VIGIL_BOX_CPU_STOPPED, parked[cpu].context,
                         &parked[cpu].regs);
        } else if ((silent & me) != 0) {
            blackbox_cpu(cpu,
                         (sent_init & me) != 0 ? VIGIL_BOX_CPU_INIT
                                               : VIGIL_BOX_CPU_SILENT,
                         context_of_silent(cpu), NULL);
        }
    }
}

static void print_stopped(cpu_t cpu)
{
    const struct parked_cpu *p = &parked[cpu];
    char words[VIGIL_CTX_TEXT_BYTES];

    printk(LOG_PANIC, "CPU %u was in %s, at:", cpu,
           context_words(p->context, words, sizeof(words)));
    backtrace_line(p->regs.rip, BACKTRACE_EXACT);
}

static void print_silent(cpu_t cpu)
{
    char words[VIGIL_CTX_TEXT_BYTES];

    printk(LOG_PANIC, "CPU %u did not stop, in: %s%s", cpu,
           context_words(context_of_silent(cpu), words, sizeof(words)),
           (sent_init & CPUMASK_OF(cpu)) != 0 ? "; it was sent INIT" : "");
}

void crash_stop_print(void)
{
    for (cpu_t cpu = 0; cpu < NR_CPUS; cpu++) {
        if (has_parked(cpu)) {
            print_stopped(cpu);
        } else if ((silent & CPUMASK_OF(cpu)) != 0) {
            print_silent(cpu);
        }
    }
}
