/* SPDX-License-Identifier: MIT */
/*
 * dev/pit: channel 0 on a model of the 82C54: after the stop its output does not
 * rise any more, whatever it did before.
 */
#include "tests/unit/unit.h"

#include "dev/pit.h"
#include "fake_hw.h"

/* Its gate is always high and never rises. */
static unsigned int mode, writes;
static uint32_t count, left;
static bool output, counts;
static unsigned int rises; /* of the output */

static void output_is(bool high)
{
    rises += high && !output;
    output = high;
}

static void port_out(uint16_t port, unsigned int bytes, uint32_t v)
{
    assert_int_equal(bytes, 1);
    if (port == 0x43) {
        assert_int_equal(v & 0xf1, 0x30); /* channel 0, two bytes, binary */
        mode = v >> 1 & 7;
        writes = 0;
        counts = false;
        output_is(mode != 0);
        return;
    }
    assert_int_equal(port, 0x40);
    count = writes == 0 ? v : count | v << 8;
    if (++writes == 2) {
        left = count == 0 ? 0x10000 : count;
        /* 1 and 5 are begun by their gate. */
        counts = mode != 1 && mode != 5;
    }
}

static void tick(void)
{
    if (!counts) {
        return;
    }
    left--;
    if (mode == 2) {
        output_is(left != 1);
        left = left == 1 ? (count == 0 ? 0x10001 : count + 1) : left;
    } else if (left == 0) {
        output_is(true);
        counts = false;
    }
}

static int setup(void **state)
{
    (void)state;
    fake_hw_reset();
    fake_out_hook = port_out;
    output = false;
    rises = 0;
    return 0;
}

static void ticks(void **state)
{
    (void)state;
    pit_tick_start();
    assert_int_equal(mode, 2);
    rises = 0;
    for (unsigned int i = 0; i < 10 * 0x10000; i++) {
        tick();
    }
    assert_in_range(rises, 9, 10);
}

static void silent_after_the_stop(void **state)
{
    (void)state;
    for (unsigned int before = 0; before < 0x10000; before += 0x3fff) {
        pit_tick_start();
        for (unsigned int i = 0; i < before; i++) {
            tick();
        }
        pit_tick_stop();
        rises = 0;
        for (unsigned int i = 0; i < 3 * 0x10000; i++) {
            tick();
        }
        assert_int_equal(rises, 0);
        assert_true(output);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(ticks, setup),
        cmocka_unit_test_setup(silent_after_the_stop, setup),
    };

    return UNIT_RUN(tests);
}
