/* SPDX-License-Identifier: MIT */
/*
 * cpu/tsc_sync: a counter that is ahead or behind is seen, and set.
 *
 * The two CPUs run one after the other here, the one that is ahead first: the
 * other's first reading comes a whole turn of the first later.
 */
#include "tests/unit/unit.h"

#include "cpu/features.h"
#include "cpu/smp.h"
#include "cpu/softirq.h"
#include "cpu/tsc_sync.h"
#include "fake_hw.h"
#include "fake_printk.h"
#include "x86/msr_index.h"
#include "x86/percpu.h"

#define STEP 7UL
#define TURN (300 * STEP)

struct cpu_features cpu_features;

static uint64_t shift[2], adjust[2]; /* of each CPU's counter: all, written */
static uint64_t drift;               /* CPU 1 gains that much each time       */
static bool deaf;                    /* CPU 1's counter takes no writing      */
static unsigned int raised, calls;

void softirq_raise(enum softirq nr)
{
    assert_int_equal(nr, SOFTIRQ_TIMER);
    assert_int_equal(fake_cpu, 1);
    raised++;
}

/* Run @fn on a CPU with that CPU's counter and registers. */
static void run_on(unsigned int cpu, void (*fn)(void *arg), void *arg)
{
    unsigned int sets;
    uint64_t base = fake_tsc;

    fake_cpu = cpu;
    if (cpu == 1) {
        shift[1] += drift;
    }
    fake_msr_set(MSR_TSC_ADJUST, adjust[cpu]);
    sets = fake_msr_writes(MSR_TSC);
    fake_tsc = base + shift[cpu];
    fn(arg);
    base = fake_tsc - shift[cpu];
    if (!deaf) {
        shift[cpu] += fake_msr_get(MSR_TSC_ADJUST) - adjust[cpu];
        adjust[cpu] = fake_msr_get(MSR_TSC_ADJUST);
        if (fake_msr_writes(MSR_TSC) != sets) {
            shift[cpu] = fake_msr_get(MSR_TSC) - base;
        }
    }
    fake_tsc = base;
    fake_cpu = 0;
    fake_msr_set(MSR_TSC_ADJUST, adjust[0]);
}

void smp_call(cpumask_t mask, void (*fn)(void *arg), void *arg)
{
    calls++;
    if (mask == CPUMASK_OF(1)) {
        run_on(1, fn, arg);
    } else {
        unsigned int first = (int64_t)(shift[1] + drift - shift[0]) > 0;

        assert_int_equal(mask, 3);
        run_on(first, fn, arg);
        run_on(!first, fn, arg);
    }
}

static int set_up(void **state)
{
    (void)state;
    fake_hw_reset();
    fake_printk_forget();
    fake_cpu_blocks[0].cpu_id = 0;
    fake_cpu_blocks[1].cpu_id = 1;
    memset(&cpu_features, 0, sizeof(cpu_features));
    memset(shift, 0, sizeof(shift));
    memset(adjust, 0, sizeof(adjust));
    fake_tsc = 1000000000000;
    fake_tsc_step = STEP;
    fake_msr_set(MSR_TSC, 0);
    fake_msr_set(MSR_TSC_ADJUST, 0);
    drift = 0;
    deaf = false;
    raised = calls = 0;
    return 0;
}

static void assert_agree(void)
{
    int64_t apart = (int64_t)(shift[1] - shift[0]);

    /* Less than the one could see of the other. */
    assert_true(apart <= (int64_t)TURN && apart >= -(int64_t)TURN);
}

static void equal_ones_are_left_alone(void **state)
{
    (void)state;
    cpu_features.tsc_adjust = true;
    adjust[1] = 12345; /* that is what made it equal */
    assert_int_equal(tsc_sync(1), 0);
    assert_int_equal(calls, 1);
    assert_int_equal(shift[1], 0);
    assert_int_equal(raised, 0);
}

/* Firmware wrote one of them: exactly what it was. */
static void what_was_written_is_undone(void **state)
{
    (void)state;
    for (int sign = -1; sign <= 1; sign += 2) {
        (void)set_up(NULL);
        cpu_features.tsc_adjust = true;
        shift[0] = adjust[0] = 777;
        adjust[1] = (uint64_t)(sign * 5000000000L);
        shift[1] = adjust[1];
        assert_int_equal(tsc_sync(1), 0);
        assert_int_equal(shift[1], shift[0]);
        assert_int_equal(raised, 1);
    }
}

/* They began at different moments. */
static void measured(bool tsc_adjust)
{
    for (int sign = -1; sign <= 1; sign += 2) {
        (void)set_up(NULL);
        cpu_features.tsc_adjust = tsc_adjust;
        shift[1] = (uint64_t)(sign * 5000000000L);
        assert_int_equal(tsc_sync(1), 0);
        assert_agree();
        assert_true(raised >= 1);
        assert_true(fake_printk_said("and was set"));
    }
}

static void measured_and_adjusted(void **state)
{
    (void)state;
    measured(true);
}

static void measured_and_written(void **state)
{
    (void)state;
    measured(false);
}

/* Whatever is tried: said, and an end. */
static void what_cannot_be_set_is_told(void **state)
{
    (void)state;
    deaf = true;
    shift[1] = (uint64_t)-9000000L;
    assert_in_range(tsc_sync(1), 9000000 - 2 * TURN, 9000000);
    assert_true(fake_printk_said("differ by"));
    assert_true(calls < 20);

    (void)set_up(NULL);
    drift = 100 * TURN;
    assert_true(tsc_sync(1) != 0);
    assert_true(calls < 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(equal_ones_are_left_alone, set_up),
        cmocka_unit_test_setup(what_was_written_is_undone, set_up),
        cmocka_unit_test_setup(measured_and_adjusted, set_up),
        cmocka_unit_test_setup(measured_and_written, set_up),
        cmocka_unit_test_setup(what_cannot_be_set_is_told, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
