/* SPDX-License-Identifier: MIT */
/*
 * bench/paging.c - page tables, descriptors, TLB flushes, balloon.
 */
#include "bench.h"

static void run(void)
{
}

const struct bench_area bench_paging = {"paging", run};
