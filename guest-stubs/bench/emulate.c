/* SPDX-License-Identifier: MIT */
/*
 * bench/emulate.c - privileged instructions, FPU and debug registers.
 */
#include "bench.h"

static void run(void)
{
}

const struct bench_area bench_emulate = {"emulate", run};
