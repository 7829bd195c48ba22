/* SPDX-License-Identifier: MIT */
/*
 * crash/stop: all answer, none answers, nobody else is there.
 */
#include "tests/unit/unit.h"

#include "x86/percpu.h"
#include "crash/backtrace.h"
#include "crash/stop.h"
#include "fake_hw.h"
#include "fake_printk.h"

static unsigned int answers, lines;
static cpumask_t others;
static jmp_buf parked;

void backtrace_line(uint64_t rip)
{
    assert_int_equal(rip, 0x1234);
    lines++;
}

static cpumask_t others_online(void)
{
    return others;
}

static void halted(void)
{
    longjmp(parked, 1);
}

/* The NMI reaches @answers CPUs, one after the other. */
static void nmi_others(void)
{
    static struct cpu_regs regs = {.rip = 0x1234, .cs = 0xe008};

    /* Asked are the others, never the dying CPU itself. */
    assert_false(crash_stop_requested());
    for (unsigned int i = 1; i <= answers; i++) {
        if (setjmp(parked) == 0) {
            fake_cpu = i;
            assert_true(crash_stop_requested());
            crash_stop_park(&regs);
        }
        fake_cpu = 0;
    }
}

static const struct crash_stop_ops ops = {others_online, nmi_others};

static void stops_them(void **state)
{
    (void)state;
    fake_hw_reset();
    fake_halt_hook = halted;
    assert_false(crash_stop_requested());
    assert_int_equal(crash_stop_others(1000), 0);
    assert_false(crash_stop_requested());
    fake_cpu = 1;
    assert_true(crash_stop_requested());
    fake_cpu = 0;

    crash_stop_register(&ops);
    others = 0xe; /* CPUs 1 to 3 */
    answers = 2;
    fake_tsc_step = 1000;
    assert_int_equal(crash_stop_others(1000), 1);
    /* One second of 1000 cycles per millisecond, not more. */
    assert_in_range(fake_tsc, 1000000, 1100000);
    crash_stop_print();
    assert_int_equal(lines, 2);

    /* They are stopped, though they do not answer again. */
    answers = 0;
    others = 0x6;
    assert_int_equal(crash_stop_others(0), 0);
    /* One that is offline and stops too does not count for another. */
    answers = 2;
    others = 0x30;
    assert_int_equal(crash_stop_others(1000), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stops_them),
    };

    return UNIT_RUN(tests);
}
