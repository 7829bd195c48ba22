/* SPDX-License-Identifier: MIT */
/*
 * dev/hpet.c - the counter of the first HPET.
 *
 * Source: IA-PC HPET Specification 1.0a, 2.3.
 */
#include "dev/hpet.h"

#include "lib/compiler.h"
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
#define COMPARATOR_INTERRUPT 4U

/* The specification's upper bound; nobody builds the lower one. */
#define PERIOD_MAX_FS 100000000U
#define PERIOD_MIN_FS 100000U
#define FS_PER_S      1000000000000000ULL

static volatile uint8_t *regs;   /* c */
static unsigned int comparators; /* c */

static uint32_t reg_read(unsigned int reg)
{
    return mmio_read32(regs + reg);
}

static void reg_write(unsigned int reg, uint32_t v)
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
    return FS_PER_S / period;
}

uint32_t hpet_read(void)
{
    return reg_read(REG_COUNTER);
}

unsigned int hpet_comparators(void)
{
    return comparators;
}
