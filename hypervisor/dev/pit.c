/* SPDX-License-Identifier: MIT */
/*
 * dev/pit.c - 8254 channel 2 as reference for the time stamp counter.
 *
 * Mode 0 (terminal count): the output, bit 5 of port 0x61, rises when the
 * count has run out, which starts with the write of its high byte.
 */
#include "dev/pit.h"

#include "x86/io.h"
#include "x86/tsc.h"

#define PIT_CHANNEL2           0x42
#define PIT_MODE               0x43
#define MODE_CH2_LOHI_TERMINAL 0xb0
#define PORT61                 0x61
#define GATE2                  0x01
#define SPEAKER                0x02
#define OUT2                   0x20

#define PIT_HZ      1193182ULL
#define WAIT_MAX_NS 50000000ULL
/* A port read takes 1 us or so; under an emulator perhaps a few. */
#define READS_MAX   2000000U

/* Cycles while @ticks run out; 0: they do not. */
static uint64_t run_ticks(uint16_t ticks)
{
    uint8_t old = inb(PORT61);
    uint64_t start, end = 0;

    outb(PORT61, (uint8_t)((old & ~SPEAKER & 0x0f) | GATE2));
    outb(PIT_MODE, MODE_CH2_LOHI_TERMINAL);
    outb(PIT_CHANNEL2, (uint8_t)ticks);
    outb(PIT_CHANNEL2, (uint8_t)(ticks >> 8));
    start = rdtsc_ordered();
    for (unsigned int i = 0; i < READS_MAX; i++) {
        if (inb(PORT61) & OUT2) {
            end = rdtsc_ordered();
            break;
        }
    }
    outb(PORT61, old & 0x0f);
    /* An output that was high from the start says nothing. */
    return end > start ? end - start : 0;
}

uint64_t pit_wait_ns(uint64_t ns)
{
    uint64_t ticks;

    if (ns > WAIT_MAX_NS) {
        ns = WAIT_MAX_NS;
    }
    ticks = ns * PIT_HZ / 1000000000ULL;
    return run_ticks((uint16_t)(ticks != 0 ? ticks : 1));
}

uint64_t pit_measure_tsc_khz(void)
{
    const uint16_t ticks = (uint16_t)(PIT_HZ / 20); /* 50 ms */
    uint64_t c[3];

    for (unsigned int i = 0; i < 3; i++) {
        c[i] = run_ticks(ticks);
        if (c[i] == 0) {
            return 0;
        }
    }
    /* A measurement can only be too long (SMI, stolen time), but the start
     * may be late as well; the median of three is neither extreme. */
    for (unsigned int i = 0; i < 2; i++) {
        for (unsigned int j = 0; j < 2 - i; j++) {
            if (c[j] > c[j + 1]) {
                uint64_t t = c[j];

                c[j] = c[j + 1];
                c[j + 1] = t;
            }
        }
    }
    return c[1] * PIT_HZ / ticks / 1000;
}
