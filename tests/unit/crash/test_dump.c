/* SPDX-License-Identifier: MIT */
/*
 * crash/dump: all answer, one does not, one answers late; asked from an NMI and
 * from elsewhere; one round at a time.
 */
#include "tests/unit/unit.h"

#include "x86/percpu.h"
#include "cpu/clock.h"
#include "cpu/lapic.h"
#include "cpu/smp.h"
#include "crash/backtrace.h"
#include "crash/dump.h"
#include "crash/symbols.h"
#include "fake_hw.h"
#include "fake_printk.h"

#define CPUS 4U

cpumask_t cpus_online;
struct cpu_block *cpu_blocks[NR_CPUS];

static cpumask_t dead;      /* their NMI never comes              */
static cpumask_t sent;      /* were sent one                      */
static uint64_t now_ns;
static bool asks_again;     /* whoever answers asks, too          */

uint64_t clock_now_ns(void)
{
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
    assert_in_range(max, 8, 32);
    assert_int_equal(rbp, 0x5000);
    ret_rips[0] = 0x77;
    ret_rips[1] = 0x88;
    return 2;
}

static const struct cpu_regs in_hv = {
    .rip = 0x1234, .cs = 0xe008, .rbp = 0x5000, .rflags = 2};
static const struct cpu_regs in_guest = {.rip = 0x4321, .cs = 0xe033};

void lapic_nmi(uint32_t apic_id)
{
    unsigned int me = fake_cpu;

    /* APIC ids are not CPU numbers. */
    assert_int_equal(apic_id % 2, 0);
    sent |= CPUMASK_OF(apic_id / 2);
    if ((dead >> (apic_id / 2) & 1) != 0) {
        return;
    }
    fake_cpu = apic_id / 2;
    assert_true(dump_is_on());
    this_cpu()->context = context_within(fake_cpu == 1 ? CTX_IRQ : 0, CTX_NMI,
                                         fake_cpu == 2);
    assert_true(dump_if_asked(fake_cpu == 2 ? &in_guest : &in_hv));
    assert_false(dump_if_asked(&in_hv)); /* once */
    if (asks_again) {
        assert_int_equal(dump_cpus(LOG_ERROR, &in_hv, 1000000), DUMP_NOT_NOW);
    }
    fake_cpu = me;
}

static int set_up(void **state)
{
    (void)state;
    fake_hw_reset();
    cpus_online = 0;
    for (unsigned int i = 0; i < CPUS; i++) {
        fake_cpu_blocks[i].cpu_id = i;
        fake_cpu_blocks[i].apic_id = 2 * i;
        cpu_blocks[i] = &fake_cpu_blocks[i];
        cpus_online |= CPUMASK_OF(i);
    }
    fake_cpu = 0;
    dead = sent = 0;
    asks_again = false;
    fake_printk_count = 0;
    return 0;
}

static void all_answer(void **state)
{
    (void)state;
    assert_false(dump_if_asked(&in_hv));
    asks_again = true;
    assert_int_equal(dump_cpus(LOG_NOTICE, NULL, 1000000), 0);
    assert_int_equal(sent, 0xf); /* itself, too */
    assert_false(dump_is_on());
    /* Three lines of three CPUs, one of the guest's, and the last. */
    assert_int_equal(fake_printk_count, 3 * 3 + 1 + 1);
    assert_true(fake_printk_said("CPU 0: at fn1234, rsp 0000000000000000, "
                                 "interrupts off, hypervisor"));
    assert_true(fake_printk_said("interrupts off, irq in hypervisor"));
    assert_non_null(strstr(fake_printk_last, "4 of 4 CPUs"));
}

static void from_an_nmi(void **state)
{
    (void)state;
    fake_cpu = 1;
    assert_int_equal(dump_cpus(LOG_ERROR, &in_hv, 1000000), 0);
    assert_int_equal(sent, 0xd); /* not itself: NMIs are blocked */
    assert_int_equal(fake_printk_count, 3 * 3 + 1 + 1);
    assert_non_null(strstr(fake_printk_last, "4 of 4 CPUs"));
}

static void one_is_dead(void **state)
{
    uint64_t before = now_ns;

    (void)state;
    dead = CPUMASK_OF(3);
    assert_int_equal(dump_cpus(LOG_ERROR, NULL, 1000000), CPUMASK_OF(3));
    assert_in_range(now_ns - before, 1000000, 1100000);
    assert_non_null(strstr(fake_printk_last, "3 of 4 CPUs"));
    /* Its NMI comes after all: its lines, and nobody waits. */
    fake_printk_count = 0;
    fake_cpu = 3;
    assert_true(dump_if_asked(&in_hv));
    assert_int_equal(fake_printk_count, 3);
    assert_false(dump_if_asked(&in_hv));
    fake_cpu = 0;
    /* The next round is whole again. */
    dead = 0;
    assert_int_equal(dump_cpus(LOG_ERROR, NULL, 1000000), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(all_answer, set_up),
        cmocka_unit_test_setup(from_an_nmi, set_up),
        cmocka_unit_test_setup(one_is_dead, set_up),
    };

    return UNIT_RUN(tests);
}
