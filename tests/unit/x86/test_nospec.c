/* SPDX-License-Identifier: MIT */
/*
 * x86/nospec: what passed the check is unchanged, the rest is harmless.
 */
#include "tests/unit/unit.h"

#include "x86/nospec.h"

static void indices(void **state)
{
    static const uint64_t counts[] = {1, 2, 64, 0x80000000, 1UL << 52, ~0UL};

    (void)state;
    assert_int_equal(index_nospec(0, 0), 0);
    assert_int_equal(index_nospec(~0UL, 0), 0);
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        uint64_t n = counts[i];

        assert_int_equal(index_nospec(0, n), 0);
        assert_int_equal(index_nospec(n - 1, n), n - 1);
        assert_int_equal(index_nospec(n, n), 0);
        assert_int_equal(index_nospec(~0UL, n), 0);
    }
}

static void powers_of_two(void **state)
{
    (void)state;
    assert_int_equal(index_nospec_mask(0, 64), 0);
    assert_int_equal(index_nospec_mask(63, 64), 63);
    assert_in_range(index_nospec_mask(64, 64), 0, 63);
    assert_in_range(index_nospec_mask(~0UL, 64), 0, 63);
}

static void addresses(void **state)
{
    static const uint64_t guests[] = {0,
                                      0x1000,
                                      0x00007fffffffffff,
                                      HV_HOLE_END,
                                      HV_HOLE_END + 1,
                                      0xffffffff80000000,
                                      ~0UL};
    static const uint64_t ours[] = {HV_HOLE_START, DIRECTMAP_VA, HV_IMAGE_VA,
                                    HV_HOLE_END - 1};

    (void)state;
    for (size_t i = 0; i < sizeof(guests) / sizeof(guests[0]); i++) {
        assert_int_equal(guest_va_nospec(guests[i]), guests[i]);
    }
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        /* Bits 63 to 47 differ: an access faults, a guess reads nothing. */
        assert_int_equal(guest_va_nospec(ours[i]), ours[i] & ~(1UL << 63));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(indices),
        cmocka_unit_test(powers_of_two),
        cmocka_unit_test(addresses),
    };

    return UNIT_RUN(tests);
}
