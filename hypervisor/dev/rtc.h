/* SPDX-License-Identifier: MIT */
/*
 * dev/rtc.h - wall-clock time from the CMOS clock.
 */
#ifndef VIGIL_DEV_RTC_H
#define VIGIL_DEV_RTC_H

#include "lib/compiler.h"
#include "lib/types.h"

/**
 * rtc_read_utc_ns() - time of day now
 *
 * The clock is taken to run in UTC.  Waits for the end of an update, at most
 * about 20 ms.
 *
 * Context: any but NMI/#MC.
 * Return:  nanoseconds since 1970; 0: the clock is absent or holds nonsense
 */
uint64_t rtc_read_utc_ns(void);

/**
 * rtc_read() - one byte of CMOS memory
 * @index: 0 .. 127; bit 7 (NMI mask) is forced clear
 *
 * Context: any but NMI/#MC.
 * Return:  the byte
 */
uint8_t rtc_read(uint8_t index);

/**
 * rtc_write() - change one byte of CMOS memory, for the control domain
 * @index: 0 .. 127
 * @value: new byte
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void rtc_write(uint8_t index, uint8_t value);

/**
 * rtc_lock() - keep everybody else off the clock's ports
 *
 * Context: any but NMI/#MC, interrupts off.
 * Return:  nothing.
 */
void rtc_lock(void);

/**
 * rtc_unlock() - the end of it
 *
 * Context: as rtc_lock().
 * Return:  nothing.
 */
void rtc_unlock(void);

/**
 * rtc_to_seconds() - seconds since 1970 of a date, proleptic Gregorian, UTC
 * @year:   1970 ..
 * @month:  1 .. 12
 * @day:    1 .. 31
 * @hour:   0 .. 23
 * @minute: 0 .. 59
 * @second: 0 .. 59
 *
 * Pure.  Context: any.
 * Return:  seconds
 */
uint64_t rtc_to_seconds(unsigned int year, unsigned int month, unsigned int day,
                        unsigned int hour, unsigned int minute,
                        unsigned int second);

#endif
