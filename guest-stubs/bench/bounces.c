/* SPDX-License-Identifier: MIT */
/*
 * bench/bounces.c - exceptions, system calls and NMIs bounced to the guest.
 */
#include "bench.h"

static void run(void)
{
}

const struct bench_area bench_bounces = {"bounces", run};
