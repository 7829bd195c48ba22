/* SPDX-License-Identifier: MIT */
/*
 * bench/grants.c - grant tables and the console.
 */
#include "bench.h"

static void run(void)
{
}

const struct bench_area bench_grants = {"grants", run};
