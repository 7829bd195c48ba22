/* SPDX-License-Identifier: MIT */
/*
 * bench/calls.c - hypercalls that do next to nothing: what is left is the way
 * in, the dispatch and the way out.
 */
#include "bench.h"

#define UNUSED_NR 63 /* in range of the table, never assigned */

static struct multicall_entry calls[100];

static void multicall(const char *name, unsigned int count)
{
    unsigned int i;

    for (i = 0; i < count; i++) {
        calls[i] = (struct multicall_entry){
            .op = __HYPERVISOR_xen_version, .args = {XENVER_version, 0}};
    }
    BENCH(name, BENCH_MANY, , hc_multicall(calls, count));
}

static void run(void)
{
    struct xen_feature_info features = {.submap_idx = 0};

    BENCH("hypercall_xen_version", BENCH_MANY, ,
          hc_xen_version(XENVER_version, NULL));
    BENCH("hypercall_unknown_nr", BENCH_MANY, , hypercall2(UNUSED_NR, 0, 0));
    BENCH("hypercall_get_features", BENCH_MANY, ,
          hc_xen_version(XENVER_get_features, &features));
    multicall("multicall_null_1", 1);
    multicall("multicall_null_2", 2);
    multicall("multicall_null_10", 10);
    multicall("multicall_null_32", 32);
    multicall("multicall_null_100", 100);
}

const struct bench_area bench_calls = {"calls", run};
