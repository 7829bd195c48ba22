/* SPDX-License-Identifier: MIT */
/*
 * dev/rtc.c: dates, the forms the chip can keep them in, and nonsense.
 */
#include "tests/unit/unit.h"

#include <time.h>

#include "dev/rtc.h"
#include "fake_hw.h"

static uint8_t cmos[128], idx;

static uint32_t port_in(uint16_t port, unsigned int bytes)
{
    assert_int_equal(bytes, 1);
    assert_int_equal(port, 0x71);
    return cmos[idx];
}

static void port_out(uint16_t port, unsigned int bytes, uint32_t v)
{
    assert_int_equal(bytes, 1);
    if (port == 0x70) {
        assert_true(v < 0x80); /* NMI stays enabled */
        idx = (uint8_t)v;
    } else {
        cmos[idx] = (uint8_t)v;
    }
}

static int setup(void **state)
{
    (void)state;
    fake_hw_reset();
    fake_in_hook = port_in;
    fake_out_hook = port_out;
    memset(cmos, 0, sizeof(cmos));
    return 0;
}

static void seconds(void **state)
{
    (void)state;
    assert_int_equal(rtc_to_seconds(1970, 1, 1, 0, 0, 0), 0);
    for (int year = 1970; year < 2110; year++) {
        for (int month = 1; month <= 12; month++) {
            struct tm tm = {.tm_year = year - 1900,
                            .tm_mon = month - 1,
                            .tm_mday = 28,
                            .tm_hour = 13};

            assert_int_equal(rtc_to_seconds((unsigned int)year,
                                            (unsigned int)month, 28, 13, 0, 0),
                             timegm(&tm));
        }
    }
}

static void put(uint8_t sec, uint8_t min, uint8_t hour, uint8_t day,
                uint8_t month, uint8_t year, uint8_t century, uint8_t reg_b)
{
    cmos[0] = sec;
    cmos[2] = min;
    cmos[4] = hour;
    cmos[7] = day;
    cmos[8] = month;
    cmos[9] = year;
    cmos[0x32] = century;
    cmos[0x0b] = reg_b;
}

#define NS 1000000000ULL

static void forms(void **state)
{
    const uint64_t want = rtc_to_seconds(2024, 2, 29, 23, 59, 58) * NS;

    (void)state;
    put(0x58, 0x59, 0x23, 0x29, 0x02, 0x24, 0x20, 0x02);
    assert_int_equal(rtc_read_utc_ns(), want);
    put(58, 59, 23, 29, 2, 24, 20, 0x06);
    assert_int_equal(rtc_read_utc_ns(), want);
    put(0x58, 0x59, 0x91, 0x29, 0x02, 0x24, 0x20, 0x00); /* 11 pm */
    assert_int_equal(rtc_read_utc_ns(), want);
    put(0x00, 0x00, 0x12, 0x01, 0x01, 0x24, 0x20, 0x00); /* 12 am */
    assert_int_equal(rtc_read_utc_ns(),
                     rtc_to_seconds(2024, 1, 1, 0, 0, 0) * NS);
    put(0x58, 0x59, 0x23, 0x29, 0x02, 0x24, 0x00, 0x02); /* no century */
    assert_int_equal(rtc_read_utc_ns(), want);
}

static void nonsense(void **state)
{
    (void)state;
    put(0x61, 0, 0, 1, 1, 0x24, 0x20, 0x02);
    assert_int_equal(rtc_read_utc_ns(), 0);
    put(0, 0, 0, 1, 0x13, 0x24, 0x20, 0x02);
    assert_int_equal(rtc_read_utc_ns(), 0);
    memset(cmos, 0xff, sizeof(cmos)); /* no chip, or updating for ever */
    assert_int_equal(rtc_read_utc_ns(), 0);
}

static void bytes(void **state)
{
    (void)state;
    rtc_write(0xff, 0x42); /* bit 7 is not ours to give away */
    assert_int_equal(rtc_read(0x7f), 0x42);
}

#define T(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {T(seconds), T(forms), T(nonsense),
                                       T(bytes)};

    return UNIT_RUN(tests);
}
