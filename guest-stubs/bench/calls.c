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

/* The frame of the iret hypercall, for the instruction after it. */
static void iret_to_here(void)
{
    unsigned long scratch;

    __asm__ volatile("mov %%rsp, %0\n"
                     "push %[ss]\n"
                     "push %0\n"
                     "pushf\n"
                     "push %[cs]\n"
                     "lea 1f(%%rip), %0\n"
                     "push %0\n"
                     "push $0\n"
                     "push %%rcx\n"
                     "push %%r11\n"
                     "push %%rax\n"
                     "mov %[nr], %%eax\n"
                     "syscall\n"
                     "1:"
                     : "=&r"(scratch)
                     : [ss] "i"(FLAT_KERNEL_SS),
                       [cs] "i"(FLAT_KERNEL_CS & ~3),
                       [nr] "i"(__HYPERVISOR_iret)
                     : "rax", "rcx", "r11", "memory", "cc");
}

static void run(void)
{
    struct xen_feature_info features = {.submap_idx = 0};

    BENCH("hypercall_xen_version", BENCH_MANY, ,
          hc_xen_version(XENVER_version, NULL));
    BENCH("hypercall_unknown_nr", BENCH_MANY, , hypercall2(UNUSED_NR, 0, 0));
    BENCH("hypercall_get_features", BENCH_MANY, ,
          hc_xen_version(XENVER_get_features, &features));
    BENCH("iret_kernel_to_kernel", BENCH_MANY, , iret_to_here());
    multicall("multicall_null_1", 1);
    multicall("multicall_null_2", 2);
    multicall("multicall_null_10", 10);
    multicall("multicall_null_32", 32);
    multicall("multicall_null_100", 100);
}

const struct bench_area bench_calls = {"calls", run};
