/* SPDX-License-Identifier: MIT */
/*
 * cpu/pmu: a counter is found only where there is one that is free and counts;
 * its NMI is told from others', and each lets the next one come.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "x86/msr_index.h"
#include "cpu/features.h"
#include "cpu/lapic.h"
#include "cpu/pmu.h"
#include "fake_hw.h"

#define LEAF       0xaU
#define WIDTH      48U
#define ENABLE     (1UL << 22)
#define RUNS       0x530000UL /* enabled, NMI, both rings */
#define BELOW_0(n) ((1UL << WIDTH) - (n))

struct cpu_features cpu_features;
static bool is_nmi;
static unsigned int entries;

void lapic_take_pmu(bool take)
{
    is_nmi = take;
    entries++;
}

static void intel(uint32_t version, uint32_t counters, uint32_t not_there)
{
    cpu_features = (struct cpu_features){.vendor = CPU_INTEL, .max_leaf = 0xd};
    fake_cpuid_set(LEAF, 0, 7U << 24 | WIDTH << 16 | counters << 8 | version,
                   not_there, 0, 0);
    fake_msr_set(MSR_PERF_SELECT0, 0);
    fake_msr_set(MSR_PERF_COUNTER0, 77);
    fake_msr_set(MSR_PERF_GLOBAL_CTRL, 0x700000000UL);
    fake_msr_set(MSR_PERF_GLOBAL_OVF_CTRL, 0);
}

static void amd(uint32_t family)
{
    cpu_features = (struct cpu_features){.vendor = CPU_AMD, .family = family};
    fake_msr_set(MSR_AMD_PERF_SELECT0, 0);
    fake_msr_set(MSR_AMD_PERF_COUNTER0, 77);
}

static int setup(void **state)
{
    (void)state;
    pmu_stop();
    fake_hw_reset();
    is_nmi = false;
    entries = 0;
    return 0;
}

static void none(void **state)
{
    (void)state;
    cpu_features = (struct cpu_features){.vendor = CPU_OTHER};
    assert_int_equal(pmu_find(), -ENODEV);
    intel(0, 4, 0);
    assert_int_equal(pmu_find(), -ENODEV);
    intel(2, 0, 0);
    assert_int_equal(pmu_find(), -ENODEV);
    intel(2, 4, 1); /* it does not count these cycles */
    assert_int_equal(pmu_find(), -ENODEV);
    intel(2, 4, 0);
    cpu_features.max_leaf = 9;
    assert_int_equal(pmu_find(), -ENODEV);
    amd(6);
    assert_int_equal(pmu_find(), -ENODEV);
    assert_int_equal(fake_msr_writes(MSR_AMD_PERF_COUNTER0), 0);
}

/* Registers that are not there, as processors and emulators have it. */
static void not_kept(void **state)
{
    (void)state;
    amd(0xf);
    fake_msr_drop_writes(MSR_AMD_PERF_COUNTER0);
    assert_int_equal(pmu_find(), -ENODEV);
    fake_msr_set(MSR_AMD_PERF_COUNTER0, 0);
    assert_int_equal(pmu_find(), -ENODEV);
    fake_hw_reset();
    amd(0xf);
    fake_msr_fault(MSR_AMD_PERF_COUNTER0, false, true);
    assert_int_equal(pmu_find(), -ENODEV);
    fake_hw_reset();
    amd(0xf);
    fake_msr_fault(MSR_AMD_PERF_SELECT0, true, true);
    assert_int_equal(pmu_find(), -ENODEV);
    assert_int_equal(entries, 0);
}

static void of_the_firmware(void **state)
{
    (void)state;
    intel(2, 4, 0);
    fake_msr_set(MSR_PERF_SELECT0, ENABLE | 0xc0);
    assert_int_equal(pmu_find(), -EBUSY);
    assert_int_equal(fake_msr_get(MSR_PERF_COUNTER0), 77);
    assert_int_equal(fake_msr_writes(MSR_PERF_SELECT0), 0);
}

static void takes_its_own(uint32_t select, uint32_t counter, uint64_t event)
{
    assert_int_equal(pmu_find(), 0);
    assert_int_equal(fake_msr_get(counter), 0);
    assert_false(pmu_take());
    pmu_start(1000, 5000);
    assert_true(is_nmi);
    assert_int_equal(fake_msr_get(select), RUNS | event);
    assert_int_equal(fake_msr_get(counter), BELOW_0(1000));
    /* Another's, while it still counts up. */
    fake_msr_set(counter, BELOW_0(1));
    assert_false(pmu_take());
    assert_int_equal(fake_msr_get(counter), BELOW_0(1));
    /* Its own: it has come to 0, and a little further. */
    for (uint64_t more = 0; more < 3; more++) {
        fake_msr_set(counter, 100 * more);
        is_nmi = false; /* the processor masks it */
        assert_true(pmu_take());
        assert_int_equal(fake_msr_get(counter), BELOW_0(5000));
        assert_true(is_nmi);
        assert_false(pmu_take());
    }
    pmu_stop();
    assert_int_equal(fake_msr_get(select), 0);
    assert_false(is_nmi);
    fake_msr_set(counter, 3);
    assert_false(pmu_take());
}

static void of_intel(void **state)
{
    (void)state;
    intel(2, 4, 0);
    takes_its_own(MSR_PERF_SELECT0, MSR_PERF_COUNTER0, 0x3c);
    assert_int_equal(fake_msr_get(MSR_PERF_GLOBAL_CTRL), 0x700000001UL);
    assert_int_equal(fake_msr_get(MSR_PERF_GLOBAL_OVF_CTRL), 1);
    assert_int_equal(fake_msr_writes(MSR_PERF_GLOBAL_OVF_CTRL), 3);
}

/* The first version has no global registers. */
static void of_intel_first(void **state)
{
    (void)state;
    intel(1, 2, 0);
    fake_msr_fault(MSR_PERF_GLOBAL_CTRL, true, true);
    fake_msr_fault(MSR_PERF_GLOBAL_OVF_CTRL, true, true);
    takes_its_own(MSR_PERF_SELECT0, MSR_PERF_COUNTER0, 0x3c);
}

static void of_amd(void **state)
{
    (void)state;
    amd(0x17);
    takes_its_own(MSR_AMD_PERF_SELECT0, MSR_AMD_PERF_COUNTER0, 0x76);
}

/* Of what is written, 31 bits are sure to be kept. */
static void long_periods(void **state)
{
    (void)state;
    amd(0xf);
    assert_int_equal(pmu_find(), 0);
    pmu_start(1UL << 40, 1UL << 50);
    assert_int_equal(fake_msr_get(MSR_AMD_PERF_COUNTER0),
                     BELOW_0((1UL << 31) - 1));
    fake_msr_set(MSR_AMD_PERF_COUNTER0, 0);
    assert_true(pmu_take());
    assert_int_equal(fake_msr_get(MSR_AMD_PERF_COUNTER0),
                     BELOW_0((1UL << 31) - 1));
    pmu_start(0, 0);
    assert_int_equal(fake_msr_get(MSR_AMD_PERF_COUNTER0), BELOW_0(1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(none, setup),
        cmocka_unit_test_setup(not_kept, setup),
        cmocka_unit_test_setup(of_the_firmware, setup),
        cmocka_unit_test_setup(of_intel, setup),
        cmocka_unit_test_setup(of_intel_first, setup),
        cmocka_unit_test_setup(of_amd, setup),
        cmocka_unit_test_setup(long_periods, setup),
    };

    return UNIT_RUN(tests);
}
