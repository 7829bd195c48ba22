/* SPDX-License-Identifier: MIT */
/*
 * dev/pit.c - 8254 channel 2 as reference for the time stamp counter, channel 0
 * as the slowest of tickers.
 *
 * Mode 0 (terminal count): the output, bit 5 of port 0x61, rises when the
 * count has run out, which starts with the write of its high byte.
 *
 * Source: Intel 82C54 data sheet, "Mode definitions".
 */
#include "dev/pit.h"

#include "x86/io.h"
#include "x86/tsc.h"

#define PIT_CHANNEL0           0x40
#define PIT_CHANNEL2           0x42
#define PIT_MODE               0x43
#define MODE_CH2_LOHI_TERMINAL 0xb0
#define MODE_CH0_LOHI_ONE_SHOT 0x32
#define MODE_CH0_LOHI_RATE     0x34
#define PORT61                 0x61
#define GATE2                  0x01
#define SPEAKER                0x02
#define OUT2                   0x20

#define PIT_HZ      1193182ULL
/*
 * When to give up: a port read takes 1 us or so, under an emulator a few, or
 * next to nothing where instructions are the clock.  The cycles are 0.2 s of
 * the fastest TSC; if that does not count either, the second limit ends it.
 */
#define READS_MIN   2000000U
#define CYCLES_MAX  (1ULL << 30)
#define READS_MAX   100000000U
/* Measure again until it is known to one part in so many, but not for ever. */
#define GOOD_ENOUGH 2000
#define TRIES_MAX   10

/*
 * A measurement: the middle of what it can have been, and the width of that.
 * The machine (or the emulator's host) may have been elsewhere when the count
 * began or ended.
 */
struct span {
    uint64_t cycles; /* 0: nothing was measured                        */
    uint64_t slack;  /* 0 as well: the counter does not count          */
};

/* Cycles while @ticks run out. */
static struct span run_ticks(uint16_t ticks)
{
    uint8_t old = inb(PORT61);
    uint64_t before, start, last, now;
    struct span s = {0, 0};

    outb(PORT61, (uint8_t)((old & ~SPEAKER & 0x0f) | GATE2));
    outb(PIT_MODE, MODE_CH2_LOHI_TERMINAL);
    outb(PIT_CHANNEL2, (uint8_t)ticks);
    before = rdtsc_ordered();
    outb(PIT_CHANNEL2, (uint8_t)(ticks >> 8));
    start = rdtsc_ordered();
    last = start;
    for (unsigned int i = 0;
         i < READS_MIN || (last - start < CYCLES_MAX && i < READS_MAX); i++) {
        bool over = (inb(PORT61) & OUT2) != 0;

        now = rdtsc_ordered();
        if (over) {
            /* An output that was high from the start says nothing. */
            s.slack = (start - before) + (now - last);
            s.cycles = i == 0 ? 0 : now - before - s.slack / 2;
            break;
        }
        last = now;
    }
    outb(PORT61, old & 0x0f);
    return s;
}

/*
 * Mode 1 waits for its gate to rise, which channel 0's never does: the output
 * is high at once, and stays so.  Terminal count would rise once more, later:
 * on an emulator whose clocks are late, when somebody listens.
 */
void pit_tick_stop(void)
{
    outb(PIT_MODE, MODE_CH0_LOHI_ONE_SHOT);
    outb(PIT_CHANNEL0, 1);
    outb(PIT_CHANNEL0, 0);
}

void pit_tick_start(void)
{
    outb(PIT_MODE, MODE_CH0_LOHI_RATE);
    outb(PIT_CHANNEL0, 0); /* 65536 */
    outb(PIT_CHANNEL0, 0);
}

uint64_t pit_measure_tsc_khz(void)
{
    const uint16_t ticks = (uint16_t)(PIT_HZ / 100); /* 10 ms */
    struct span best = {0, 0};

    for (unsigned int i = 0; i < TRIES_MAX; i++) {
        struct span s = run_ticks(ticks);

        if (s.cycles == 0 && s.slack == 0) {
            return 0;
        }
        if (s.cycles == 0) {
            continue; /* it was over before the first look */
        }
        if (best.cycles == 0 || s.slack < best.slack) {
            best = s;
        }
        if (best.slack < best.cycles / GOOD_ENOUGH) {
            break;
        }
    }
    return best.cycles * PIT_HZ / ticks / 1000;
}
