/* SPDX-License-Identifier: MIT */
/*
 * bench/domains.c - domctl, from one domain to many.
 */
#include "bench.h"

static void run(void)
{
}

const struct bench_area bench_domains = {"domains", run};
