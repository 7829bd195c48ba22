/* SPDX-License-Identifier: MIT */
/*
 * cpu/pmu.c - one counter, which counts up to 0 from below.
 */
#include "cpu/pmu.h"

#include "lib/errno.h"
#include "x86/msr.h"
#include "x86/percpu.h"
#include "cpu/features.h"
#include "cpu/lapic.h"

#define LEAF_PERFMON 0xaU

/* Of an event select register, the same for both. */
#define SEL_USER           (1UL << 16)
#define SEL_KERNEL         (1UL << 17)
#define SEL_NMI            (1UL << 20) /* the interrupt that the LVT names */
#define SEL_ENABLE         (1UL << 22)
#define EVENT_CYCLES_INTEL 0x3cUL /* those in which it is not halted */
#define EVENT_CYCLES_AMD   0x76UL

/* Older processors take 32 bits of what is written, and extend the sign. */
#define CYCLES_MAX ((1UL << 31) - 1)
#define PATTERN    0x5a5a5a5UL

/* c: set by pmu_find(), on the first CPU */
static struct {
    uint32_t select, counter; /* MSRs; 0: there is none */
    uint64_t event;
    unsigned int width;
    bool has_global; /* Intel's, from version 2 on */
} pmu;

static uint64_t period_of[NR_CPUS]; /* its own CPU; 0: it does not run */

static bool choose(void)
{
    struct cpuid_regs r;

    pmu.has_global = false;
    switch (cpu_features.vendor) {
    case CPU_INTEL:
        if (cpu_features.max_leaf < LEAF_PERFMON) {
            return false;
        }
        r = cpuid(LEAF_PERFMON);
        if ((r.a & 0xff) == 0 || (r.a >> 8 & 0xff) == 0 || (r.a >> 24) == 0 ||
            (r.b & 1) != 0) {
            return false; /* bit 0: these cycles are not counted */
        }
        pmu.select = MSR_PERF_SELECT0;
        pmu.counter = MSR_PERF_COUNTER0;
        pmu.event = EVENT_CYCLES_INTEL;
        pmu.width = r.a >> 16 & 0xff;
        pmu.has_global = (r.a & 0xff) >= 2;
        return pmu.width > 32 && pmu.width < 64;
    case CPU_AMD:
        pmu.select = MSR_AMD_PERF_SELECT0;
        pmu.counter = MSR_AMD_PERF_COUNTER0;
        pmu.event = EVENT_CYCLES_AMD;
        pmu.width = 48;
        return cpu_features.family >= 0xf;
    case CPU_OTHER:
        break;
    }
    return false;
}

static bool keeps_what_is_written(void)
{
    uint64_t value;

    return wrmsr_safe(pmu.counter, PATTERN) == 0 &&
           rdmsr_safe(pmu.counter, &value) == 0 && value == PATTERN &&
           wrmsr_safe(pmu.counter, 0) == 0 &&
           rdmsr_safe(pmu.counter, &value) == 0 && value == 0;
}

int pmu_find(void)
{
    uint64_t before;
    int rc = -ENODEV;

    if (choose() && rdmsr_safe(pmu.select, &before) == 0) {
        if ((before & SEL_ENABLE) != 0) {
            rc = -EBUSY;
        } else if (keeps_what_is_written()) {
            return 0;
        }
    }
    pmu.select = 0;
    return rc;
}

static NMI_SAFE void arm(uint64_t cycles)
{
    wrmsr(pmu.counter, (0 - cycles) & ((1UL << pmu.width) - 1));
}

static uint64_t cut(uint64_t cycles)
{
    return MAX(MIN(cycles, CYCLES_MAX), 1UL);
}

void pmu_start(uint64_t first, uint64_t period)
{
    pmu_stop();
    WRITE_ONCE(period_of[this_cpu_id()], cut(period));
    arm(cut(first));
    lapic_take_pmu(true);
    wrmsr(pmu.select, pmu.event | SEL_USER | SEL_KERNEL | SEL_NMI | SEL_ENABLE);
    if (pmu.has_global) {
        wrmsr(MSR_PERF_GLOBAL_CTRL, rdmsr(MSR_PERF_GLOBAL_CTRL) | 1);
    }
}

void pmu_stop(void)
{
    if (READ_ONCE(period_of[this_cpu_id()]) == 0) {
        return;
    }
    wrmsr(pmu.select, 0);
    lapic_take_pmu(false);
    /* Last: until here an NMI may be on its way. */
    WRITE_ONCE(period_of[this_cpu_id()], 0);
}

NMI_SAFE bool pmu_take(void)
{
    uint64_t period = READ_ONCE(period_of[this_cpu_id()]);

    /* Its upper bit is set until it has come to 0. */
    if (period == 0 || (rdmsr(pmu.counter) >> (pmu.width - 1) & 1) != 0) {
        return false;
    }
    arm(period);
    if (pmu.has_global) {
        wrmsr(MSR_PERF_GLOBAL_OVF_CTRL, 1);
    }
    /* Intel's processors mask the entry with each (SDM 3A 11.5.1). */
    lapic_take_pmu(true);
    return true;
}
