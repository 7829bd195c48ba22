/* SPDX-License-Identifier: MIT */
/*
 * ras/inject: the table of stand-in values, when it is full and as it is used.
 * What the machine makes of them: test_mce.c.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "x86/msr_index.h"
#include "x86/soft_int.h"
#include "ras/bank.h"
#include "ras/inject.h"
#include "ras/poll.h"

#define BANKS 20U /* three registers of each: more than the table holds */

/* What looks at the values while they are armed. */
static void (*looks)(void);

unsigned int bank_count(void)
{
    return BANKS;
}

void soft_machine_check(void)
{
    looks();
}

unsigned int ras_poll_now(void)
{
    looks();
    return 0;
}

static uint64_t played(uint32_t msr)
{
    uint64_t v = 0x5a5a;

    assert_true(inject_read(msr, &v));
    return v;
}

static bool is_played(uint32_t msr)
{
    uint64_t v;

    return inject_read(msr, &v);
}

static void nothing(void)
{
}

static int empty(void **state)
{
    (void)state;
    looks = nothing;
    inject_poll();
    return 0;
}

/* The n-th register that may be played. */
static uint32_t nth(unsigned int n)
{
    return n == 0 ? MSR_MCG_STATUS : MSR_MCx_STATUS((n - 1) / 3) + (n - 1) % 3;
}

static void all_are_there(void)
{
    for (unsigned int i = 0; i < INJECT_MSRS; i++) {
        assert_int_equal(played(nth(i)), i == 7 ? 0x777 : 100 + i);
    }
    assert_false(is_played(nth(INJECT_MSRS + 2)));
}

static void none_is_there(void)
{
    for (unsigned int i = 0; i < INJECT_MSRS; i++) {
        assert_false(is_played(nth(i)));
    }
}

static void full(void **state)
{
    (void)state;
    for (unsigned int round = 0; round < 2; round++) {
        for (unsigned int i = 0; i < INJECT_MSRS; i++) {
            assert_int_equal(inject_stage(nth(i), 100 + i), 0);
        }
        assert_int_equal(inject_stage(nth(INJECT_MSRS), 1), -ENOMEM);
        /* One that is there finds its place all the same. */
        assert_int_equal(inject_stage(nth(7), 0x777), 0);
        assert_int_equal(inject_stage(nth(INJECT_MSRS), 1), -ENOMEM);
        looks = all_are_there;
        if (round == 0) {
            inject_check();
        } else {
            inject_poll();
        }
        none_is_there();
        looks = none_is_there;
        inject_poll();
    }
}

static void forgets_two(void)
{
    assert_true(inject_forget_bank(3));
    assert_false(inject_forget_bank(3));
    assert_false(is_played(MSR_MCx_ADDR(3)));
    assert_false(inject_forget_bank(4)); /* its status is the hardware's */
    assert_int_equal(played(MSR_MCx_ADDR(5)), 3);
    assert_int_equal(played(MSR_MCx_MISC(5)), 0);
    assert_int_equal(played(MSR_MCG_STATUS), 5);
    inject_forget_mcg();
    assert_false(is_played(MSR_MCG_STATUS));
    inject_forget_mcg();
    /* Its place may be taken again at once. */
    assert_int_equal(inject_stage(MSR_MCG_STATUS, 6), 0);
    assert_int_equal(played(MSR_MCG_STATUS), 6);
}

static void forgotten_one_by_one(void **state)
{
    (void)state;
    assert_int_equal(inject_stage(MSR_MCx_STATUS(3), 1), 0);
    assert_int_equal(inject_stage(MSR_MCx_ADDR(3), 2), 0);
    assert_int_equal(inject_stage(MSR_MCx_MISC(3), 3), 0);
    assert_int_equal(inject_stage(MSR_MCx_ADDR(4), 4), 0);
    assert_int_equal(inject_stage(MSR_MCx_STATUS(5), 2), 0);
    assert_int_equal(inject_stage(MSR_MCx_ADDR(5), 3), 0);
    assert_int_equal(inject_stage(MSR_MCG_STATUS, 4), 0);
    assert_int_equal(inject_stage(MSR_MCG_STATUS, 5), 0);
    /* Before they are armed clearing means the hardware's. */
    assert_false(inject_forget_bank(3));
    inject_forget_mcg();
    looks = forgets_two;
    inject_check();
    looks = nothing;
    assert_false(is_played(MSR_MCG_STATUS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(full, empty),
        cmocka_unit_test_setup(forgotten_one_by_one, empty),
    };

    return UNIT_RUN(tests);
}
