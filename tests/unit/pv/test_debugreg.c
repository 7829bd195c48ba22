/* SPDX-License-Identifier: MIT */
/*
 * pv/debugreg: what a guest may set, what reaches the processor.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "x86/cr.h"
#include "pv/debugreg.h"
#include "pv/pv.h"
#include "fake_hw.h"

static struct pv_vcpu pv;
static struct vcpu v;

static int set_up(void **state)
{
    (void)state;
    fake_hw_reset();
    memset(&pv, 0, sizeof(pv));
    memset(&v, 0, sizeof(v));
    v.pv = &pv;
    this_cpu()->current_vcpu = &v;
    pv_debugreg_init(&v);
    fake_dr[7] = DR7_DEFAULT;
    return 0;
}

static uint64_t get(unsigned int reg)
{
    uint64_t value = 0;

    assert_int_equal(debugreg_get(&v, reg, &value), 0);
    return value;
}

static void reset_values(void **state)
{
    (void)state;
    assert_int_equal(get(6), 0xffff0ff0);
    assert_int_equal(get(7), 0x400);
    /* Without CR4.DE 4 and 5 are other names of 6 and 7. */
    assert_int_equal(get(4), 0xffff0ff0);
    assert_int_equal(get(5), 0x400);
}

static void armed_reaches_hardware(void **state)
{
    (void)state;
    assert_int_equal(debugreg_set(&v, 0, 0x1000), 0);
    assert_int_equal(fake_dr[0], 0); /* nothing enabled yet */
    assert_int_equal(debugreg_set(&v, 7, 0x401), 0);
    assert_int_equal(fake_dr[0], 0x1000);
    assert_int_equal(fake_dr[7], 0x401);
    assert_int_equal(debugreg_set(&v, 1, 0x2000), 0);
    assert_int_equal(fake_dr[1], 0x2000);
    pv_debugreg_save(&v);
    assert_int_equal(fake_dr[7], DR7_DEFAULT);
    pv_debugreg_load(&v);
    assert_int_equal(fake_dr[7], 0x401);
    assert_int_equal(debugreg_set(&v, 7, 0), 0);
    assert_int_equal(fake_dr[7], DR7_DEFAULT);
    assert_int_equal(get(7), 0x400);
}

static void not_running(void **state)
{
    (void)state;
    this_cpu()->current_vcpu = NULL;
    assert_int_equal(debugreg_set(&v, 0, 0x1000), 0);
    assert_int_equal(debugreg_set(&v, 7, 0x401), 0);
    assert_int_equal(fake_dr[7], DR7_DEFAULT);
    assert_int_equal(fake_dr[0], 0);
}

static void refused(void **state)
{
    (void)state;
    assert_int_equal(debugreg_set(&v, 0, 0xffff800000000000UL), -EPERM);
    assert_int_equal(debugreg_set(&v, 3, 0xffff87ffffffffffUL), -EPERM);
    assert_int_equal(debugreg_set(&v, 3, 0xffff880000000000UL), 0);
    assert_int_equal(debugreg_set(&v, 1, 0x0000800000000000UL), -EPERM);
    assert_int_equal(debugreg_set(&v, 6, 1UL << 32), -EINVAL);
    assert_int_equal(debugreg_set(&v, 7, 1UL << 32), -EINVAL);
    assert_int_equal(debugreg_set(&v, 7, 1UL << 13), -EPERM);
    assert_int_equal(debugreg_set(&v, 7, 0x20001), -EPERM); /* I/O, no DE */
    assert_int_equal(debugreg_set(&v, 8, 0), -EINVAL);
    pv.cr4 = CR4_DE;
    assert_int_equal(debugreg_set(&v, 4, 0), -ENODEV);
    assert_int_equal(debugreg_set(&v, 5, 0), -ENODEV);
    assert_int_equal(get(7), 0x400);
}

static void io_breakpoints(void **state)
{
    (void)state;
    pv.cr4 = CR4_DE;
    assert_int_equal(debugreg_set(&v, 0, 0x3f9), 0);
    /* breakpoint 0: I/O, 4 bytes, so 0x3f8 to 0x3fb */
    assert_int_equal(debugreg_set(&v, 7, 0xe0002), 0);
    assert_int_equal(get(7), 0xe0402);
    assert_int_equal(fake_dr[7], DR7_DEFAULT); /* never in the processor */
    assert_int_equal(debugreg_io_hits(&v, 0x3f8, 1), 1);
    assert_int_equal(debugreg_io_hits(&v, 0x3fb, 1), 1);
    assert_int_equal(debugreg_io_hits(&v, 0x3f4, 4), 0);
    assert_int_equal(debugreg_io_hits(&v, 0x3f7, 2), 1);
    assert_int_equal(debugreg_io_hits(&v, 0x3fc, 4), 0);
}

static void dr6_is_sticky(void **state)
{
    (void)state;
    assert_int_equal(debugreg_set(&v, 6, 1), 0);
    assert_int_equal(get(6), 0xffff0ff1);
    fake_dr[6] = 0xffff4ff0; /* single step */
    debugreg_take_db(&v);
    assert_int_equal(get(6), 0xffff4ff1);
    assert_int_equal(fake_dr[6], DR6_DEFAULT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(reset_values, set_up),
        cmocka_unit_test_setup(armed_reaches_hardware, set_up),
        cmocka_unit_test_setup(not_running, set_up),
        cmocka_unit_test_setup(refused, set_up),
        cmocka_unit_test_setup(io_breakpoints, set_up),
        cmocka_unit_test_setup(dr6_is_sticky, set_up),
    };

    return UNIT_RUN(tests);
}
