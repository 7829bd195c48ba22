/* SPDX-License-Identifier: MIT */
/*
 * crash/dump.c - one set, one NMI for each, one bounded wait.
 */
#include "crash/dump.h"

#include "lib/bits.h"
#include "lib/format.h"
#include "x86/atomic.h"
#include "x86/irqflags.h"
#include "x86/percpu.h"
#include "log/printk.h"
#include "cpu/clock.h"
#include "cpu/lapic.h"
#include "cpu/smp.h"
#include "cpu/tenant.h"
#include "crash/backtrace.h"
#include "crash/context.h"
#include "crash/symbols.h"

#define NAME_BYTES   80
#define FRAMES_MAX   16
/* Ends the wait where no clock runs; each look takes longer than a cycle. */
#define LOOKS_MAX    1000000000U

/* Legend: a atomic; o only the owner of the round */
static uint32_t owner;     /* a: CPU + 1 of who asks, 0: nobody       */
static cpumask_t asked;    /* a: NMI sent, not taken                  */
static cpumask_t pending;  /* a: lines not finished                   */
static uint32_t lines_at;  /* o: level of the lines, set before asked */

static NMI_SAFE void write_guest(enum log_level level,
                                 const struct cpu_regs *regs)
{
    struct tenant t = tenant_now();

    log_nmi(level, "CPU %u: in d%uv%u, rip %04x:%016lx rsp %016lx",
            this_cpu_id(), t.domid, t.vcpu, regs->cs, regs->rip, regs->rsp);
}

static NMI_SAFE void write_self(enum log_level level,
                                const struct cpu_regs *regs)
{
    uint64_t rips[FRAMES_MAX];
    char name[NAME_BYTES], words[VIGIL_CTX_TEXT_BYTES];
    unsigned int n;

    if (regs_from_guest(regs)) {
        write_guest(level, regs);
        return;
    }
    (void)symbol_format(name, sizeof(name), regs->rip);
    log_nmi(level, "CPU %u: at %s, rsp %016lx, interrupts %s, %s",
            this_cpu_id(), name, regs->rsp,
            (regs->rflags & RFLAGS_IF) != 0 ? "on" : "off",
            context_words(context_interrupted(this_cpu()->context), words,
                          sizeof(words)));
    n = backtrace_walk_nmi(regs->rbp, rips, FRAMES_MAX);
    for (unsigned int i = 0; i < n; i++) {
        (void)symbol_format_return(name, sizeof(name), rips[i]);
        log_nmi(level, "CPU %u:    [<%016lx>] %s", this_cpu_id(), rips[i],
                name);
    }
}

NMI_SAFE bool dump_if_asked(const struct cpu_regs *regs)
{
    cpumask_t me = CPUMASK_OF(this_cpu_id());

    if (likely((READ_ONCE(asked) & me) == 0)) {
        return false;
    }
    (void)atomic_and(&asked, ~me);
    write_self((enum log_level)READ_ONCE(lines_at), regs);
    (void)atomic_and(&pending, ~me);
    return true;
}

static NMI_SAFE void send(cpumask_t to)
{
    while (to != 0) {
        unsigned int cpu = bit_lowest(to);

        to &= to - 1;
        lapic_nmi(cpu_blocks[cpu]->apic_id);
    }
}

NMI_SAFE bool dump_is_on(void)
{
    return atomic_load(&owner) != 0;
}

/* Return: those that have not answered */
static NMI_SAFE cpumask_t wait(uint64_t end_ns)
{
    for (uint32_t i = 0; i < LOOKS_MAX; i++) {
        cpumask_t left = atomic_load(&pending);

        if (left == 0 || clock_now_ns() > end_ns) {
            return left;
        }
        cpu_relax();
    }
    return atomic_load(&pending);
}

static NMI_SAFE void name_silent(enum log_level level, cpumask_t silent)
{
    while (silent != 0) {
        unsigned int cpu = bit_lowest(silent);

        silent &= silent - 1;
        log_nmi(level, "CPU %u: does not answer, not even to an NMI", cpu);
    }
}

NMI_SAFE cpumask_t dump_cpus(enum log_level level, const struct cpu_regs *regs,
                             uint64_t limit_ns)
{
    cpumask_t me = CPUMASK_OF(this_cpu_id());
    cpumask_t all = smp_online() | me, silent;
    uint64_t start = clock_now_ns();

    if (!atomic_cas(&owner, 0U, this_cpu_id() + 1)) {
        return DUMP_NOT_NOW;
    }
    WRITE_ONCE(lines_at, level);
    atomic_store(&pending, regs == NULL ? all : all & ~me);
    atomic_store(&asked, regs == NULL ? all : all & ~me);
    send(regs == NULL ? all : all & ~me);
    if (regs != NULL) {
        write_self(level, regs);
    }
    silent = wait(start + limit_ns);
    name_silent(level, silent);
    log_nmi(level, "all-CPU dump: %u of %u CPUs, %lu us",
            bit_count(all & ~silent), bit_count(all),
            (clock_now_ns() - start) / 1000);
    atomic_store(&owner, 0U);
    return silent;
}
