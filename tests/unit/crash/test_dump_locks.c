/* SPDX-License-Identifier: MIT */
/*
 * crash/dump with every lock held, by the real log: the one that asks, and each that
 * answers, holds one lock of each rank, and the console's own.
 */
#include "tests/unit/unit.h"

#include "x86/percpu.h"
#include "sync/spinlock.h"
#include "log/printk.h"
#include "log/ring.h"
#include "cpu/clock.h"
#include "cpu/lapic.h"
#include "cpu/smp.h"
#include "crash/backtrace.h"
#include "crash/dump.h"
#include "crash/notes.h"
#include "crash/symbols.h"
#include "fake_hw.h"
#include "fake_sink.h"

#define CPUS 2U

cpumask_t cpus_online = 3;
struct cpu_block *cpu_blocks[NR_CPUS];


uint64_t clock_now_ns(void)
{
    static uint64_t now_ns;

    return now_ns += 1000;
}

size_t symbol_format(char *buf, size_t size, uint64_t addr)
{
    return (size_t)snprintf(buf, size, "fn%lx", (unsigned long)addr);
}

size_t symbol_format_return(char *buf, size_t size, uint64_t addr)
{
    return (size_t)snprintf(buf, size, "back%lx", (unsigned long)addr);
}

unsigned int backtrace_walk_nmi(uint64_t rbp, uint64_t *ret_rips,
                                unsigned int max)
{
    assert_int_not_equal(max, 0);
    ret_rips[0] = rbp + 1;
    return 1;
}

void crash_note(const char *fmt, ...)
{
    (void)fmt;
    abort();
}

void lapic_nmi(uint32_t apic_id)
{
    const struct cpu_regs regs = {.rip = 0x1234, .cs = 0xe008, .rbp = 0x5000};
    unsigned int me = fake_cpu;
    uint32_t before;

    fake_cpu = apic_id;
    before = this_cpu()->context;
    this_cpu()->context = context_within(before, CTX_NMI, false);
    assert_true(dump_if_asked(&regs));
    this_cpu()->context = before;
    fake_cpu = me;
}

static void ask(const char *held)
{
    print_message("held: %s\n", held);
    fake_shown_len = 0;
    fake_cpu = 0;
    assert_int_equal(dump_cpus(LOG_ERROR, NULL, 1000000), 0);
    assert_int_equal(fake_shown_len, 0); /* the way out does that */
}

static void check_lines(void)
{
    static const char *const lines[] = {
        "(XEN) CPU 0: at fn1234", "(XEN) CPU 0:    [<0000000000005001>]",
        "(XEN) CPU 1: at fn1234", "(XEN) CPU 1:    [<0000000000005001>]",
        "(XEN) all-CPU dump: 2 of 2 CPUs"};

    fake_cpu = 0;
    log_drain();
    for (unsigned int i = 0; i < ARRAY_SIZE(lines); i++) {
        assert_non_null(strstr(fake_shown, lines[i]));
    }
}

/* A lock of each rank, held by the one that asks, then by the one that answers. */
static void each_rank(void **state)
{
    static const struct {
        enum lock_rank rank;
        const char *name;
    } ranks[] = {
#define RANK(name) {LOCK_RANK_##name, #name}
        RANK(DOMCTL),   RANK(DOMAIN_LIST),  RANK(DOMAIN),    RANK(EVTCHN),
        RANK(GRANT),    RANK(PAGETYPE),     RANK(PCI_PAGES), RANK(ACCOUNT),
        RANK(IOMAP),    RANK(HEAP),         RANK(POOL),      RANK(SCHED_CPUS),
        RANK(RUNQUEUE), RANK(SCHED_BUDGET), RANK(IRQ_DESC),  RANK(EFI),
        RANK(DEVICE),   RANK(PCI_CFG),      RANK(SINK),      RANK(TIMER),
        RANK(IRQ_LEAF),
    };

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(ranks); i++) {
        for (unsigned int holder = 0; holder < CPUS; holder++) {
            struct spinlock lock;

            spin_lock_init(&lock, ranks[i].name, ranks[i].rank, IRQ_ANY);
            fake_cpu = holder;
            spin_lock(&lock);
            ask(ranks[i].name);
            fake_cpu = holder;
            spin_unlock(&lock);
            check_lines();
        }
    }
}

/* The sinks' own: whoever shows the log is the one that is asked. */
static void sinks(void **state)
{
    (void)state;
    for (unsigned int holder = 0; holder < CPUS; holder++) {
        fake_cpu = holder;
        log_hold();
        ask("sink_lock");
        fake_cpu = holder;
        log_release();
        check_lines();
    }
}

static int set_up(void **state)
{
    (void)state;
    fake_hw_reset();
    for (unsigned int i = 0; i < CPUS; i++) {
        fake_cpu_blocks[i].cpu_id = i;
        fake_cpu_blocks[i].apic_id = i;
        cpu_blocks[i] = &fake_cpu_blocks[i];
    }
    fake_cpu = 0;
    log_sink_register(&fake_sink);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rank),
        cmocka_unit_test(sinks),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
