/* SPDX-License-Identifier: MIT */
/*
 * hypercall/cpu_hotplug: second threads go and come, in steps; one that is off
 * stays off while its core has another.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "cpu/smp.h"
#include "hypercall/cpu_hotplug.h"
#include "fake_hw.h"

#define CPUS 6U

/* Two sockets of two cores of two threads; two places are empty. */
static const struct smp_cpu cpus[CPUS] = {{.apic_id = 0}, {.apic_id = 1},
                                          {.apic_id = 2}, {.apic_id = 3},
                                          {.apic_id = 5}, {.apic_id = 6}};

cpumask_t cpus_online;

static int answer; /* of the next change; 0: it is done */
static bool stops;
static unsigned int changes;

bool hypercall_should_stop(void)
{
    return stops;
}

unsigned int smp_cpu_count(void)
{
    return CPUS;
}

const struct smp_cpu *smp_cpu(cpu_t cpu)
{
    assert_true(cpu < CPUS);
    return &cpus[cpu];
}

int smp_cpu_up(cpu_t cpu)
{
    if (answer == 0) {
        assert_false(smp_is_online(cpu));
        cpus_online |= 1UL << cpu;
        changes++;
    }
    return answer;
}

int smp_cpu_down(cpu_t cpu)
{
    assert_int_not_equal(cpu, 0);
    if (answer == 0) {
        assert_true(smp_is_online(cpu));
        cpus_online &= ~(1UL << cpu);
        changes++;
    }
    return answer;
}

static int set_up(void **state)
{
    (void)state;
    fake_hw_reset();
    fake_cpuid_set(0, 0, 0xb, 0, 0, 0);
    fake_cpuid_set(0xb, 0, 1, 2, 0x100, 0);
    fake_cpuid_set(0xb, 1, 2, 4, 0x201, 0);
    fake_cpuid_set(0xb, 2, 0, 0, 2, 0);
    cpus_online = (1UL << CPUS) - 1;
    answer = 0;
    stops = false;
    changes = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    answer = 0;
    stops = false;
    assert_int_equal(cpu_hotplug_smt(true), 0);
    return 0;
}

/* CPU 4 has its core alone, but is its second thread all the same. */
static void all_at_once(void **state)
{
    (void)state;
    assert_int_equal(cpu_hotplug_smt(true), 0);
    assert_int_equal(changes, 0);
    assert_int_equal(cpu_hotplug_smt(false), 0);
    assert_int_equal(cpus_online, 0x25);
    assert_int_equal(cpu_hotplug_smt(false), 0);
    assert_int_equal(changes, 3);
    assert_int_equal(cpu_hotplug_smt(true), 0);
    assert_int_equal(cpus_online, 0x3f);
}

/* The same call again and again: each does one. */
static void in_steps(void **state)
{
    (void)state;
    stops = true;
    assert_int_equal(cpu_hotplug_smt(false), -ERESTART);
    assert_int_equal(cpus_online, 0x3d);
    answer = -ERESTART; /* a vcpu has to leave it first */
    assert_int_equal(cpu_hotplug_smt(false), -ERESTART);
    assert_int_equal(cpus_online, 0x3d);
    answer = 0;
    assert_int_equal(cpu_hotplug_smt(false), -ERESTART);
    assert_int_equal(cpu_hotplug_smt(false), -ERESTART);
    assert_int_equal(cpu_hotplug_smt(false), 0);
    assert_int_equal(cpus_online, 0x25);
}

static void error_ends_it(void **state)
{
    (void)state;
    answer = -ENOSPC;
    assert_int_equal(cpu_hotplug_smt(false), -ENOSPC);
    assert_int_equal(cpus_online, 0x3f);
}

/* What is off is not started alone, unless it is all its core has. */
static void stays_off(void **state)
{
    (void)state;
    assert_int_equal(cpu_hotplug_smt(false), 0);
    assert_int_equal(cpu_hotplug_online(1), -EPERM);
    assert_int_equal(cpus_online, 0x25);
    assert_int_equal(cpu_hotplug_online(4), 0);
    cpus_online &= ~4UL;
    assert_int_equal(cpu_hotplug_online(3), 0);
    assert_int_equal(cpu_hotplug_online(2), -EPERM);
    assert_int_equal(cpu_hotplug_smt(true), 0);
    assert_int_equal(cpu_hotplug_online(2), 0);
    answer = -EINVAL;
    assert_int_equal(cpu_hotplug_online(CPUS), -EINVAL);
    assert_int_equal(cpu_hotplug_online(~0U), -EINVAL);
}

/* One thread a core: there is nothing to switch. */
static void no_threads(void **state)
{
    (void)state;
    fake_cpuid_set(0xb, 0, 0, 1, 0x100, 0);
    assert_int_equal(cpu_hotplug_smt(false), -EOPNOTSUPP);
    assert_int_equal(cpu_hotplug_smt(true), -EOPNOTSUPP);
    assert_int_equal(changes, 0);
    fake_cpuid_set(0xb, 0, 1, 2, 0x100, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(in_steps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(error_ends_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stays_off, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_threads, set_up, tear_down),
    };

    return UNIT_RUN(tests);
}
