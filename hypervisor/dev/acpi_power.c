/* SPDX-License-Identifier: MIT */
/*
 * dev/acpi_power.c - act on the fixed hardware: into ACPI mode, sleep, reset.
 *
 * Source: ACPI 6.4, 4.8.2.5 (legacy and ACPI mode), 4.8.3.2.1 (PM1 control),
 * 4.8.3.6 (reset register), 16.1 (going to sleep).
 */
#include "lib/errno.h"
#include "lib/string.h"
#include "x86/barrier.h"
#include "x86/io.h"
#include "x86/irqflags.h"
#include "log/printk.h"
#include "crash/reboot.h"
#include "dev/acpi.h"

#define PM1_SCI_EN        1U
#define PM1_SLP_EN        0x2000
#define PM1_SLP_TYP_SHIFT 10
#define SLEEP_READS_MAX   1000000U
#define ENABLE_TRIES      1000000U

/* All c. */
static struct acpi_fixed fixed;
static volatile uint8_t *reset_mmio;
static bool has_s5;
static uint8_t s5_typ_a, s5_typ_b;
static struct reboot_ops reboot_ops;

const struct acpi_fixed *acpi_fixed(void)
{
    return &fixed;
}

static void poweroff(void)
{
    (void)acpi_enter_sleep((uint16_t)(s5_typ_a << PM1_SLP_TYP_SHIFT),
                           (uint16_t)(s5_typ_b << PM1_SLP_TYP_SHIFT));
}

/*
 * Leave legacy mode (ACPI 4.8.2.5).  Done here because the control domain is
 * denied the SMI command port; it finds the machine in ACPI mode already.
 */
static void enable_acpi_mode(void)
{
    if (fixed.smi_command == 0 || fixed.smi_command > 0xffff ||
        fixed.enable_value == 0 || fixed.pm1a_cnt == 0 ||
        (inw(fixed.pm1a_cnt) & PM1_SCI_EN) != 0) {
        return;
    }
    outb((uint16_t)fixed.smi_command, fixed.enable_value);
    for (unsigned int i = 0; i < ENABLE_TRIES; i++) {
        if ((inw(fixed.pm1a_cnt) & PM1_SCI_EN) != 0) {
            return;
        }
    }
    pr_warn("dev: the firmware did not enter ACPI mode");
}

static void read_s5(void)
{
    const struct acpi_header *h = acpi_map_table(fixed.dsdt, "DSDT");

    if (h != NULL) {
        has_s5 = acpi_s5_parse((const uint8_t *)(h + 1), h->length - sizeof(*h),
                               &s5_typ_a, &s5_typ_b);
    }
}

void acpi_power_init(void)
{
    const struct acpi_header *h = acpi_find_table("FACP", 0);

    fixed = (struct acpi_fixed){0};
    reset_mmio = NULL;
    has_s5 = false;
    if (h == NULL) {
        pr_warn("dev: the firmware has no valid FADT: no power off, no reset "
                "register");
        return;
    }
    if (!acpi_fadt_parse(h, &fixed)) {
        pr_warn("dev: ACPI FADT of %u bytes is too short, ignored", h->length);
        return;
    }
    if (fixed.has_reset && fixed.reset_space == ACPI_SPACE_MEMORY) {
        reset_mmio = acpi_map(fixed.reset_address, 1);
        fixed.has_reset = reset_mmio != NULL;
    }
    if (fixed.pm1a_cnt == 0) {
        pr_warn("dev: ACPI FADT: no PM1 control register: no power off");
    }
    enable_acpi_mode();
    read_s5();
    reboot_ops.acpi_reset = fixed.has_reset ? acpi_reset : NULL;
    reboot_ops.acpi_poweroff = has_s5 ? poweroff : NULL;
    reboot_register(&reboot_ops);
}

int acpi_enter_sleep(uint16_t pm1a_val, uint16_t pm1b_val)
{
    if (fixed.pm1a_cnt == 0) {
        return -ENODEV;
    }
    /* ACPI 16.1: type first, then type and enable. */
    outw(fixed.pm1a_cnt, (uint16_t)(pm1a_val & ~PM1_SLP_EN));
    if (fixed.pm1b_cnt != 0) {
        outw(fixed.pm1b_cnt, (uint16_t)(pm1b_val & ~PM1_SLP_EN));
    }
    cache_writeback_all();
    outw(fixed.pm1a_cnt, pm1a_val | PM1_SLP_EN);
    if (fixed.pm1b_cnt != 0) {
        outw(fixed.pm1b_cnt, pm1b_val | PM1_SLP_EN);
    }
    for (unsigned int i = 0; i < SLEEP_READS_MAX; i++) {
        (void)inw(fixed.pm1a_cnt);
    }
    return -EIO;
}

void acpi_reset(void)
{
    if (!fixed.has_reset) {
        return;
    }
    switch (fixed.reset_space) {
    case ACPI_SPACE_IO:
        outb((uint16_t)fixed.reset_address, fixed.reset_value);
        break;
    case ACPI_SPACE_MEMORY:
        if (reset_mmio != NULL) {
            *reset_mmio = fixed.reset_value;
        }
        break;
    default: {
        /* Bus 0: device in bits 32-47, function 16-31, offset 0-15.  By
         * hand: the lock may be held by whoever died. */
        uint64_t a = fixed.reset_address;
        uint32_t devfn = (uint32_t)(((a >> 32) & 31) << 3 | ((a >> 16) & 7));

        outl(0xcf8, 0x80000000U | devfn << 8 | (uint32_t)(a & 0xfc));
        outb((uint16_t)(0xcfc + (a & 3)), fixed.reset_value);
        break;
    }
    }
    for (unsigned int i = 0; i < SLEEP_READS_MAX / 10; i++) {
        cpu_relax();
    }
}
