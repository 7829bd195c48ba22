/* SPDX-License-Identifier: MIT */
/*
 * cpu/lapic.c - xAPIC and x2APIC registers (SDM 3A chapter 11).
 */
#include "cpu/lapic.h"

#include "cpu/clock.h"
#include "cpu/features.h"
#include "cpu/timer.h"
#include "lib/assert.h"
#include "log/printk.h"
#include "x86/barrier.h"
#include "x86/io.h"
#include "x86/irqflags.h"
#include "x86/layout.h"
#include "x86/msr.h"
#include "x86/percpu.h"

/* The count is read next to the clock, so that this is enough for 1 in 10^4. */
#define CALIBRATE_NS 1000000

#define REG_ID 0x020
#define REG_TPR 0x080
#define REG_EOI 0x0b0
#define REG_SVR 0x0f0
#define REG_ESR 0x280
#define REG_ICR_LO 0x300
#define REG_ICR_HI 0x310
#define REG_LVT_CMCI 0x2f0
#define REG_LVT_TIMER 0x320
#define REG_LVT_THERMAL 0x330
#define REG_LVT_PERF 0x340
#define REG_LVT_LINT0 0x350
#define REG_LVT_LINT1 0x360
#define REG_LVT_ERROR 0x370
#define REG_TIMER_INIT 0x380
#define REG_TIMER_NOW 0x390
#define REG_TIMER_DIVIDE 0x3e0

#define LVT_MASKED 0x10000u
#define LVT_NMI 0x00400u
#define SVR_ENABLE 0x100u
#define DIVIDE_BY_1 0xbu
#define ICR_SELF 0x40000u
#define ICR_NMI 0x00400u
#define ICR_INIT 0x00500u
#define ICR_STARTUP 0x00600u
#define ICR_BUSY 0x01000u
#define ICR_ASSERT 0x04000u
#define ICR_OTHERS 0xc0000u

#define APIC_BASE_BOOTSTRAP (1UL << 8)
#define APIC_BASE_X2 (1UL << 10)
#define APIC_BASE_ENABLE (1UL << 11)

/* Looks at a bus that is not free; each takes longer than the bus does. */
#define ICR_LOOKS_MAX 100000

static uint64_t timer_khz;
static bool is_x2;
static cpu_t bootstrap_cpu; /* the first, unless another says that it is */

static inline uint32_t reg_read(unsigned int reg)
{
    if (is_x2) {
        return (uint32_t)rdmsr(MSR_X2APIC_FIRST + reg / 16);
    }
    return mmio_read32((const volatile void *)(FIXMAP_LAPIC_VA + reg));
}

static inline void reg_write(unsigned int reg, uint32_t v)
{
    if (is_x2) {
        wrmsr(MSR_X2APIC_FIRST + reg / 16, v);
        return;
    }
    mmio_write32((volatile void *)(FIXMAP_LAPIC_VA + reg), v);
}

static NMI_SAFE void icr_wait(void)
{
    if (is_x2) {
        return; /* has no such bit */
    }
    for (int i = 0; i < ICR_LOOKS_MAX; i++) {
        if ((reg_read(REG_ICR_LO) & ICR_BUSY) == 0) {
            return;
        }
        cpu_relax();
    }
}

/* xAPIC has two registers for this: an interrupt must not come in between. */
static void icr_send(uint32_t apic_id, uint32_t what)
{
    uint64_t flags;

    if (is_x2) {
        /* A write to this MSR waits for no store before it (SDM 3A 11.12.3) */
        smp_mb();
        wrmsr(MSR_X2APIC_FIRST + REG_ICR_LO / 16,
              (uint64_t)apic_id << 32 | what);
        return;
    }
    flags = irq_save();
    icr_wait();
    reg_write(REG_ICR_HI, apic_id << 24);
    reg_write(REG_ICR_LO, what);
    irq_restore(flags);
}

bool lapic_is_x2(void)
{
    return is_x2;
}

cpu_t lapic_bootstrap_cpu(void)
{
    return bootstrap_cpu;
}

void lapic_take_nmi_line(bool take)
{
    reg_write(REG_LVT_LINT1, take ? LVT_NMI : LVT_MASKED);
}

NMI_SAFE void lapic_take_pmu(bool take)
{
    reg_write(REG_LVT_PERF, take ? LVT_NMI : LVT_MASKED);
}

void lapic_init(void)
{
    uint64_t base = rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE;

    if (cpu_features.x2apic) {
        /* Two steps: from off to x2APIC is not a legal one (SDM 11.12.5). */
        wrmsr(MSR_APIC_BASE, base);
        base |= APIC_BASE_X2;
    }
    wrmsr(MSR_APIC_BASE, base);
    if ((base & APIC_BASE_BOOTSTRAP) != 0) {
        bootstrap_cpu = this_cpu_id();
    }
    is_x2 = (base & APIC_BASE_X2) != 0;
    reg_write(REG_TPR, 0);
    reg_write(REG_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
    reg_write(REG_LVT_LINT0, LVT_MASKED);
    /* The firmware's NMI line goes to all of them, and one shall answer. */
    lapic_take_nmi_line(this_cpu_id() == 0);
    reg_write(REG_LVT_ERROR, LVT_MASKED | VECTOR_SPURIOUS);
    reg_write(REG_TIMER_DIVIDE, DIVIDE_BY_1);
    reg_write(REG_SVR, SVR_ENABLE | VECTOR_SPURIOUS);
    reg_write(REG_EOI, 0);
    this_cpu()->apic_id = lapic_id();
}

void lapic_calibrate(void)
{
    uint64_t khz = clock_tsc_khz();
    uint64_t start, end, ticks;

    reg_write(REG_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
    reg_write(REG_TIMER_INIT, 0xffffffffu);
    start = clock_now_ns();
    do {
        end = clock_now_ns();
    } while (end - start < CALIBRATE_NS);
    ticks = 0xffffffffu - reg_read(REG_TIMER_NOW);
    end = clock_now_ns();
    reg_write(REG_TIMER_INIT, 0);
    timer_khz = ticks * 1000000 / (end - start);
    if (timer_khz == 0) {
        panic("the local APIC timer does not count");
    }
    pr_info("cpu: TSC %lu kHz, local APIC timer %lu kHz", (unsigned long)khz,
            (unsigned long)timer_khz);
}

void lapic_eoi(void)
{
    reg_write(REG_EOI, 0);
}

uint32_t lapic_id(void)
{
    uint32_t id = reg_read(REG_ID);

    return is_x2 ? id : id >> 24;
}

void lapic_timer_arm(uint64_t delay_ns)
{
    uint64_t ticks;

    if (delay_ns == TIMER_NEVER) {
        reg_write(REG_TIMER_INIT, 0);
        return;
    }
    /* At most 4 s ahead: no overflow below, and timer_run() re-arms. */
    if (delay_ns > 4000000000ULL) {
        delay_ns = 4000000000ULL;
    }
    ticks = delay_ns * timer_khz / 1000000;
    if (ticks == 0) {
        ticks = 1;
    } else if (ticks > 0xffffffffu) {
        ticks = 0xffffffffu;
    }
    reg_write(REG_LVT_TIMER, VECTOR_TIMER);
    reg_write(REG_TIMER_INIT, (uint32_t)ticks);
}

NMI_SAFE void lapic_self_ipi(uint8_t vector)
{
    reg_write(REG_ICR_LO, ICR_SELF | vector);
}

void lapic_send(uint32_t apic_id, uint8_t vector)
{
    icr_send(apic_id, vector);
}

void lapic_send_init(uint32_t apic_id)
{
    icr_send(apic_id, ICR_INIT | ICR_ASSERT);
}

void lapic_send_startup(uint32_t apic_id, uint8_t page)
{
    icr_send(apic_id, ICR_STARTUP | ICR_ASSERT | page);
}

void lapic_nmi_others(void)
{
    icr_wait();
    reg_write(REG_ICR_LO, ICR_OTHERS | ICR_ASSERT | ICR_NMI);
}

NMI_SAFE void lapic_nmi(uint32_t apic_id)
{
    uint32_t high;

    if (is_x2) {
        smp_mb(); /* as in icr_send() */
        wrmsr(MSR_X2APIC_FIRST + REG_ICR_LO / 16,
              (uint64_t)apic_id << 32 | ICR_NMI | ICR_ASSERT);
        return;
    }
    /* An NMI may have come between the two writes of icr_send(). */
    icr_wait();
    high = reg_read(REG_ICR_HI);
    reg_write(REG_ICR_HI, apic_id << 24);
    reg_write(REG_ICR_LO, ICR_NMI | ICR_ASSERT);
    icr_wait();
    reg_write(REG_ICR_HI, high);
}

void lapic_self_nmi(void)
{
    /* The self shorthand is for fixed vectors only (SDM 3A 11.6.1). */
    lapic_nmi(lapic_id());
}
