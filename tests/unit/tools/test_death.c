/* SPDX-License-Identifier: MIT */
/* Every reason the hypervisor can give has its own word and sentence. */
#include "tests/unit/unit.h"

#include <vigil/vigil_op.h>

#include "lib/death.h"

static void test_all_codes(void **state)
{
    (void)state;
    for (uint32_t code = 0; code < VIGIL_DEATH_MAX; code++) {
        assert_non_null(death_class(code));
        assert_non_null(death_sentence(code));
        for (uint32_t other = 0; other < code; other++) {
            assert_string_not_equal(death_class(code), death_class(other));
            assert_string_not_equal(death_sentence(code),
                                    death_sentence(other));
        }
    }
}

static void test_unknown_codes(void **state)
{
    (void)state;
    assert_string_equal(death_class(VIGIL_DEATH_MAX), "unknown");
    assert_string_equal(death_class(UINT32_MAX), "unknown");
    assert_non_null(death_sentence(UINT32_MAX));
    assert_int_equal(death_by_guest(UINT32_MAX), 0);
}

static void test_by_whom(void **state)
{
    (void)state;
    assert_int_equal(death_by_guest(VIGIL_DEATH_GUEST_CRASH), 1);
    assert_int_equal(death_by_guest(VIGIL_DEATH_WATCHDOG), 1);
    assert_int_equal(death_by_guest(VIGIL_DEATH_NO_TRAP_HANDLER), 0);
    assert_int_equal(death_by_guest(VIGIL_DEATH_VMCE_UNHANDLED), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_codes),
        cmocka_unit_test(test_unknown_codes),
        cmocka_unit_test(test_by_whom),
    };

    return UNIT_RUN(tests);
}
