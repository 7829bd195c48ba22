/* SPDX-License-Identifier: MIT */
/*
 * bench/events.c - event channels, timers, scheduling.
 */
#include "bench.h"

static void run(void)
{
}

const struct bench_area bench_events = {"events", run};
