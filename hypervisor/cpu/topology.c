/* SPDX-License-Identifier: MIT */
/*
 * cpu/topology.c - the parts of an APIC ID, by CPUID.
 *
 * Leaf 1Fh or 0Bh where there is one (SDM 3A 9.9.3.1, APM 3 E.3.13): a list of
 * levels, each with the number of bits below the next.  Else by counts: AMD's
 * 80000008h and 8000001Eh, Intel's 1 and 4.
 */
#include "cpu/topology.h"

#include "lib/bits.h"
#include "x86/cpuid.h"

#define LEAF_LEVELS    0x0000000bU
#define LEAF_LEVELS_V2 0x0000001fU
#define LEVELS_MAX     8U /* there are 6 kinds */
#define LEVEL_NONE     0U
#define LEVEL_THREAD   1U

#define FEATURE_HTT      (1U << 28) /* leaf 1, edx        */
#define FEATURE_TOPOEXT  (1U << 22) /* leaf 80000001h, ecx */

static bool by_levels(uint32_t leaf, struct cpu_topology *t)
{
    if (cpuid(0).a < leaf || (cpuid_count(leaf, 0).b & 0xffff) == 0) {
        return false;
    }
    for (uint32_t i = 0; i < LEVELS_MAX; i++) {
        struct cpuid_regs r = cpuid_count(leaf, i);
        uint32_t kind = r.c >> 8 & 0xff;

        if (kind == LEVEL_NONE) {
            break;
        }
        if (kind == LEVEL_THREAD) {
            t->core_shift = r.a & 31;
        }
        t->socket_shift = r.a & 31;
    }
    return true;
}

static bool by_amd_counts(struct cpu_topology *t)
{
    uint32_t max = cpuid(0x80000000).a, c;

    if (max < 0x80000008 || (c = cpuid(0x80000008).c) == 0) {
        return false;
    }
    t->socket_shift =
        (c >> 12 & 15) != 0 ? c >> 12 & 15 : order_of_count((c & 0xff) + 1);
    if (max >= 0x8000001e && (cpuid(0x80000001).c & FEATURE_TOPOEXT) != 0) {
        t->core_shift = order_of_count((cpuid(0x8000001e).b >> 8 & 0xff) + 1);
    }
    return true;
}

static void by_intel_counts(struct cpu_topology *t)
{
    struct cpuid_regs r = cpuid(1);
    unsigned int core_bits = 0;

    if ((r.d & FEATURE_HTT) == 0) {
        return;
    }
    t->socket_shift = order_of_count(r.b >> 16 & 0xff);
    if (cpuid(0).a >= 4) {
        core_bits = order_of_count((cpuid(4).a >> 26) + 1);
    }
    if (core_bits <= t->socket_shift) {
        t->core_shift = t->socket_shift - core_bits;
    }
}

void topology_read(struct cpu_topology *ret_topology)
{
    struct cpu_topology t = {0, 0};

    if (!by_levels(LEAF_LEVELS_V2, &t) && !by_levels(LEAF_LEVELS, &t) &&
        !by_amd_counts(&t)) {
        by_intel_counts(&t);
    }
    if (t.core_shift > t.socket_shift) {
        t.core_shift = 0;
    }
    *ret_topology = t;
}
