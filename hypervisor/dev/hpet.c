/* SPDX-License-Identifier: MIT */
/*
 * dev/hpet.c - the counter of the first HPET.
 *
 * Source: IA-PC HPET Specification 1.0a, 2.3.
 */
#include "dev/hpet.h"

#include "lib/compiler.h"
#include "lib/errno.h"
#include "x86/io.h"
#include "log/printk.h"
#include "dev/acpi_hpet.h"

#define REG_CAPABILITIES 0x000
#define REG_PERIOD       0x004 /* of a tick, in femtoseconds */
#define REG_CONFIG       0x010
#define REG_COUNTER      0x0f0
#define REG_COMPARATOR   0x100 /* configuration; 0x20 bytes each */
#define COMPARATOR_BYTES 0x20
#define COMPARATORS_MAX  ((HPET_BYTES - REG_COMPARATOR) / COMPARATOR_BYTES)

#define CAP_REVISION         0xffU
#define CAP_LAST(cap)        ((cap) >> 8 & 0x1f)
#define CONFIG_ENABLE        1U
#define CONFIG_LEGACY        2U

/* Of a comparator; the high half of its configuration: pins it can use. */
#define COMPARATOR_VALUE     0x08
#define COMPARATOR_MESSAGE   0x10
#define COMPARATOR_INTERRUPT (1U << 2)
#define COMPARATOR_IS_64     (1U << 5)
#define COMPARATOR_ONLY_32   (1U << 8)
#define COMPARATOR_PIN(pin)  ((pin) << 9)
#define COMPARATOR_BY_MSG    (1U << 14)
#define COMPARATOR_MSG_CAP   (1U << 15)

#define MESSAGE_ADDRESS      0xfee00000U
#define MESSAGE_APIC(id)     ((id) << 12)
#define MESSAGE_NMI          0x400U
/* So that 32 bits of the counter tell whether the time has come. */
#define NMI_TICKS_MAX        (1U << 30)

/* The specification's upper bound; nobody builds the lower one. */
#define PERIOD_MAX_FS 100000000U
#define PERIOD_MIN_FS 100000U
#define FS_PER_S      1000000000000000ULL

static volatile uint8_t *regs;   /* c */
static unsigned int comparators; /* c */
static uint64_t frequency;       /* c: Hz */

/* c: of the comparator that sends NMIs: its registers, configuration, ticks */
static unsigned int nmi_reg;
static uint32_t nmi_config;
static uint32_t nmi_ticks;
static uint32_t nmi_target; /* only this NMI's CPU: low half of its value */

static ALWAYS_INLINE uint32_t reg_read(unsigned int reg)
{
    return mmio_read32(regs + reg);
}

static ALWAYS_INLINE void reg_write(unsigned int reg, uint32_t v)
{
    mmio_write32(regs + reg, v);
}

uint64_t hpet_init(void)
{
    const struct acpi_hpet *table = acpi_hpet();
    uint32_t cap, period;

    comparators = 0;
    if (table->base == 0) {
        return 0;
    }
    regs = acpi_map(table->base, HPET_BYTES);
    if (regs == NULL) {
        pr_warn("dev: HPET: cannot map 0x%lx", table->base);
        return 0;
    }
    cap = reg_read(REG_CAPABILITIES);
    period = reg_read(REG_PERIOD);
    if ((cap & CAP_REVISION) == 0 || period < PERIOD_MIN_FS ||
        period > PERIOD_MAX_FS) {
        pr_warn("dev: HPET at 0x%lx: capabilities 0x%x, period %u fs make no "
                "sense, not used",
                table->base, cap, period);
        return 0;
    }
    /* The number has five bits, the registers have room for 24. */
    comparators = MIN(CAP_LAST(cap) + 1, COMPARATORS_MAX);
    for (unsigned int i = 0; i < comparators; i++) {
        unsigned int reg = REG_COMPARATOR + i * COMPARATOR_BYTES;

        reg_write(reg, reg_read(reg) & ~COMPARATOR_INTERRUPT);
    }
    reg_write(REG_CONFIG,
              (reg_read(REG_CONFIG) & ~CONFIG_LEGACY) | CONFIG_ENABLE);
    frequency = FS_PER_S / period;
    return frequency;
}

/* The last comparators are the ones that nobody is used to. */
int hpet_nmi_setup(bool by_message, unsigned int pin, uint32_t apic_id)
{
    if (comparators == 0 && hpet_init() == 0) {
        return -ENODEV;
    }
    for (unsigned int i = comparators; i-- > 0;) {
        unsigned int reg = REG_COMPARATOR + i * COMPARATOR_BYTES;
        uint32_t config = reg_read(reg);

        if (by_message ? (config & COMPARATOR_MSG_CAP) == 0 || apic_id >= 255
                       : pin >= 32 || (reg_read(reg + 4) >> pin & 1) == 0) {
            continue;
        }
        nmi_config = COMPARATOR_INTERRUPT;
        nmi_config |= by_message ? COMPARATOR_BY_MSG : COMPARATOR_PIN(pin);
        nmi_config |=
            (config & COMPARATOR_IS_64) == 0 ? COMPARATOR_ONLY_32 : 0;
        reg_write(reg, nmi_config & ~COMPARATOR_INTERRUPT);
        if (by_message) {
            reg_write(reg + COMPARATOR_MESSAGE, MESSAGE_NMI);
            reg_write(reg + COMPARATOR_MESSAGE + 4,
                      MESSAGE_ADDRESS | MESSAGE_APIC(apic_id));
        }
        nmi_target = reg_read(REG_COUNTER) + NMI_TICKS_MAX; /* not due */
        nmi_reg = reg;
        return 0;
    }
    return -ENODEV;
}

/* Silent while its two halves do not belong together. */
static NMI_SAFE void nmi_arm(uint32_t ticks)
{
    uint32_t high = reg_read(REG_COUNTER + 4);
    uint32_t low = reg_read(REG_COUNTER);

    if (reg_read(REG_COUNTER + 4) != high) {
        /* It has carried meanwhile, and will not again for long. */
        low = reg_read(REG_COUNTER);
        high = reg_read(REG_COUNTER + 4);
    }
    nmi_target = low + ticks;
    high += nmi_target < low ? 1 : 0;
    reg_write(nmi_reg, nmi_config & ~COMPARATOR_INTERRUPT);
    reg_write(nmi_reg + COMPARATOR_VALUE, nmi_target);
    if ((nmi_config & COMPARATOR_ONLY_32) == 0) {
        reg_write(nmi_reg + COMPARATOR_VALUE + 4, high);
    }
    reg_write(nmi_reg, nmi_config);
}

void hpet_nmi_start(uint64_t first_ns, uint64_t period_ns)
{
    uint64_t khz = frequency / 1000;

    nmi_ticks = (uint32_t)MIN(period_ns / 1000 * khz / 1000, NMI_TICKS_MAX);
    nmi_arm((uint32_t)MIN(first_ns / 1000 * khz / 1000, NMI_TICKS_MAX));
}

NMI_SAFE bool hpet_nmi_take(void)
{
    if ((int32_t)(reg_read(REG_COUNTER) - nmi_target) < 0) {
        return false;
    }
    nmi_arm(nmi_ticks);
    return true;
}

void hpet_nmi_stop(void)
{
    reg_write(nmi_reg, nmi_config & ~COMPARATOR_INTERRUPT);
}

uint32_t hpet_read(void)
{
    return reg_read(REG_COUNTER);
}

unsigned int hpet_comparators(void)
{
    return comparators;
}
