/* SPDX-License-Identifier: MIT */
/*
 * dev/rtc.c - MC146818 clock and CMOS memory.
 */
#include "dev/rtc.h"

#include "x86/io.h"
#include "sync/spinlock.h"

#define CMOS_INDEX 0x70
#define CMOS_DATA  0x71

#define RTC_SECONDS 0x00
#define RTC_MINUTES 0x02
#define RTC_HOURS   0x04
#define RTC_DAY     0x07
#define RTC_MONTH   0x08
#define RTC_YEAR    0x09
#define RTC_REG_A   0x0a
#define RTC_REG_B   0x0b
#define RTC_CENTURY 0x32

#define REG_A_UPDATING 0x80
#define REG_B_BINARY   0x04
#define REG_B_24H      0x02
#define HOUR_PM        0x80

/* An update takes 2 ms at most. */
#define UPDATE_READS_MAX 20000U

static SPINLOCK(cmos_lock, LOCK_RANK_DEVICE, IRQ_OFF);

static uint8_t cmos_read_locked(uint8_t index)
{
    outb(CMOS_INDEX, index & 0x7f);
    return inb(CMOS_DATA);
}

uint8_t rtc_read(uint8_t index)
{
    unsigned long flags = spin_lock_irqsave(&cmos_lock);
    uint8_t v = cmos_read_locked(index);

    spin_unlock_irqrestore(&cmos_lock, flags);
    return v;
}

void rtc_write(uint8_t index, uint8_t value)
{
    unsigned long flags = spin_lock_irqsave(&cmos_lock);

    outb(CMOS_INDEX, index & 0x7f);
    outb(CMOS_DATA, value);
    spin_unlock_irqrestore(&cmos_lock, flags);
}

uint64_t rtc_to_seconds(unsigned int year, unsigned int month, unsigned int day,
                        unsigned int hour, unsigned int minute,
                        unsigned int second)
{
    /* Years that begin in March put the leap day at their end. */
    uint64_t y = month > 2 ? year : year - 1;
    uint64_t m = month > 2 ? month - 3 : month + 9;
    uint64_t days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 +
                    day - 1 - 719468;

    return ((days * 24 + hour) * 60 + minute) * 60 + second;
}

struct rtc_date {
    uint8_t second, minute, hour, day, month, year, century, reg_b;
};

static bool date_read(struct rtc_date *d)
{
    unsigned long flags = spin_lock_irqsave(&cmos_lock);
    unsigned int i;

    for (i = 0; i < UPDATE_READS_MAX; i++) {
        if (!(cmos_read_locked(RTC_REG_A) & REG_A_UPDATING)) {
            break;
        }
    }
    d->second = cmos_read_locked(RTC_SECONDS);
    d->minute = cmos_read_locked(RTC_MINUTES);
    d->hour = cmos_read_locked(RTC_HOURS);
    d->day = cmos_read_locked(RTC_DAY);
    d->month = cmos_read_locked(RTC_MONTH);
    d->year = cmos_read_locked(RTC_YEAR);
    d->century = cmos_read_locked(RTC_CENTURY);
    d->reg_b = cmos_read_locked(RTC_REG_B);
    spin_unlock_irqrestore(&cmos_lock, flags);
    return i < UPDATE_READS_MAX;
}

static unsigned int decode(uint8_t v, uint8_t reg_b)
{
    return reg_b & REG_B_BINARY ? v : (v >> 4) * 10U + (v & 15);
}

uint64_t rtc_read_utc_ns(void)
{
    struct rtc_date d = {0}, again = {0};
    unsigned int year, month, day, hour, minute, second, century;
    bool is_pm;

    /* Two equal readings: no update came in between. */
    for (unsigned int i = 0;; i++) {
        if (i == 4 || !date_read(&d) || !date_read(&again)) {
            return 0;
        }
        if (d.second == again.second && d.minute == again.minute &&
            d.hour == again.hour && d.day == again.day) {
            break;
        }
    }
    second = decode(d.second, d.reg_b);
    minute = decode(d.minute, d.reg_b);
    is_pm = !(d.reg_b & REG_B_24H) && (d.hour & HOUR_PM) != 0;
    hour = decode(d.reg_b & REG_B_24H ? d.hour : d.hour & 0x7f, d.reg_b);
    if (!(d.reg_b & REG_B_24H)) {
        hour = hour % 12 + (is_pm ? 12 : 0);
    }
    day = decode(d.day, d.reg_b);
    month = decode(d.month, d.reg_b);
    year = decode(d.year, d.reg_b);
    century = decode(d.century, d.reg_b);
    if (century < 19 || century > 29) { /* no such register on this board */
        century = year < 70 ? 20 : 19;
    }
    year += century * 100;
    if (second > 59 || minute > 59 || hour > 23 || day < 1 || day > 31 ||
        month < 1 || month > 12 || year < 1970 || year > 2399) {
        return 0;
    }
    return rtc_to_seconds(year, month, day, hour, minute, second) *
           1000000000ULL;
}

void rtc_lock(void)
{
    spin_lock(&cmos_lock);
}

void rtc_unlock(void)
{
    spin_unlock(&cmos_lock);
}
