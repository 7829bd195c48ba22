/* SPDX-License-Identifier: MIT */
/*
 * cpu/topology: APIC IDs come apart as the processor says, whichever way.
 */
#include "tests/unit/unit.h"

#include "cpu/topology.h"
#include "fake_hw.h"

static int set_up(void **state)
{
    (void)state;
    fake_hw_reset();
    /* A processor that knows nothing: unscripted leaves are an error. */
    for (uint32_t leaf = 0; leaf < 5; leaf++) {
        fake_cpuid_set(leaf, 0, 0, 0, 0, 0);
    }
    fake_cpuid_set(0, 0, 4, 0, 0, 0);
    fake_cpuid_set(0x80000000, 0, 0x80000001, 0, 0, 0);
    fake_cpuid_set(0x80000001, 0, 0, 0, 0, 0);
    return 0;
}

static void check(unsigned int core_shift, unsigned int socket_shift)
{
    struct cpu_topology t;

    topology_read(&t);
    assert_int_equal(t.core_shift, core_shift);
    assert_int_equal(t.socket_shift, socket_shift);
}

static void level(uint32_t leaf, uint32_t i, uint32_t kind, uint32_t shift)
{
    fake_cpuid_set(leaf, i, shift, kind != 0 ? 2 : 0, kind << 8 | i, 0);
}

static void levels(void **state)
{
    struct cpu_topology t;

    (void)state;
    fake_cpuid_set(0, 0, 0xb, 0, 0, 0);
    level(0xb, 0, 1, 1);
    level(0xb, 1, 2, 4);
    level(0xb, 2, 0, 0);
    check(1, 4);
    topology_read(&t);
    assert_int_equal(topology_socket(&t, 0x35), 3);
    assert_int_equal(topology_core(&t, 0x35), 2);
    assert_int_equal(topology_socket(&t, ~0U), 0x0fffffff);
}

static void dies_are_in_the_socket(void **state)
{
    (void)state;
    fake_cpuid_set(0, 0, 0x1f, 0, 0, 0);
    level(0x1f, 0, 1, 1);
    level(0x1f, 1, 2, 3);
    level(0x1f, 2, 5, 5);
    level(0x1f, 3, 0, 0);
    check(1, 5);
    /* Leaf 1Fh that is empty: the older one. */
    level(0x1f, 0, 0, 0);
    level(0xb, 0, 1, 0);
    level(0xb, 1, 2, 2);
    level(0xb, 2, 0, 0);
    check(0, 2);
}

static void nonsense_ends(void **state)
{
    (void)state;
    fake_cpuid_set(0, 0, 0xb, 0, 0, 0);
    for (uint32_t i = 0; i < 8; i++) {
        level(0xb, i, 2, 255);
    }
    check(0, 31);
    /* More threads' bits than the socket has. */
    level(0xb, 0, 2, 3);
    level(0xb, 1, 1, 31);
    level(0xb, 2, 2, 3);
    level(0xb, 3, 0, 0);
    check(0, 3);
}

static void counts_of_amd(void **state)
{
    (void)state;
    fake_cpuid_set(0x80000000, 0, 0x8000001e, 0, 0, 0);
    fake_cpuid_set(0x80000008, 0, 0, 0, 4U << 12 | 11, 0);
    check(0, 4);
    fake_cpuid_set(0x80000001, 0, 0, 0, 1U << 22, 0);
    fake_cpuid_set(0x8000001e, 0, 0, 1U << 8, 0, 0);
    check(1, 4);
    /* Without the number of bits: as the number of threads needs. */
    fake_cpuid_set(0x80000008, 0, 0, 0, 11, 0);
    check(1, 4);
    fake_cpuid_set(0x80000008, 0, 0, 0, 7, 0);
    check(1, 3);
}

static void counts_of_intel(void **state)
{
    (void)state;
    check(0, 0);
    fake_cpuid_set(1, 0, 0, 16U << 16, 0, 1U << 28);
    fake_cpuid_set(4, 0, 7U << 26, 0, 0, 0);
    check(1, 4);
    fake_cpuid_set(4, 0, 63U << 26, 0, 0, 0);
    check(0, 4);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, set_up)
    const struct CMUnitTest tests[] = {
        TEST(levels),
        TEST(dies_are_in_the_socket),
        TEST(nonsense_ends),
        TEST(counts_of_amd),
        TEST(counts_of_intel),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
