/* SPDX-License-Identifier: MIT */
/*
 * crash/stop: all answer, none answers, nobody else is there.
 */
#include "tests/unit/unit.h"

#include "x86/percpu.h"
#include "crash/backtrace.h"
#include "crash/blackbox.h"
#include "crash/stop.h"
#include "fake_hw.h"
#include "fake_printk.h"

struct cpu_block *cpu_blocks[NR_CPUS];

static unsigned int answers, lines;
static struct vigil_box_cpu boxed[8];
static unsigned int boxed_count;
static cpumask_t others;
static jmp_buf parked;

void backtrace_line(uint64_t rip)
{
    assert_int_equal(rip, 0x1234);
    lines++;
}

void blackbox_cpu(cpu_t cpu, uint32_t state, uint32_t context,
                  const struct cpu_regs *regs)
{
    assert_in_range(boxed_count, 0, 7);
    boxed[boxed_count++] = (struct vigil_box_cpu){
        .cpu = cpu,
        .state = state,
        .context = context,
        .rip = regs != NULL ? regs->rip : 0,
    };
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
            /* What stops it is an NMI; what it was in is without that. */
            this_cpu()->context = context_within(
                i == 1 ? CTX_IRQ : 0, CTX_NMI, i == 2);
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
    cpu_blocks[3] = &fake_cpu_blocks[3];
    fake_cpu_blocks[3].context = CTX_MC;
    crash_stop_print();
    assert_int_equal(lines, 2);
    assert_true(fake_printk_said("CPU 1 was in irq in hypervisor, at:"));
    assert_true(fake_printk_said("CPU 2 was in guest, at:"));
    assert_true(fake_printk_said("CPU 3 did not stop, in: mce in hypervisor"));
    assert_int_equal(boxed_count, 3);
    assert_int_equal(boxed[0].state, VIGIL_BOX_CPU_STOPPED);
    assert_int_equal(boxed[0].context, CTX_IRQ);
    assert_int_equal(boxed[0].rip, 0x1234);
    assert_int_equal(boxed[1].context, CTX_OF_GUEST);
    assert_int_equal(boxed[2].cpu, 3);
    assert_int_equal(boxed[2].state, VIGIL_BOX_CPU_SILENT);
    assert_int_equal(boxed[2].context, CTX_MC);

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
