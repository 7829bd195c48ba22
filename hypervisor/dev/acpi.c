/* SPDX-License-Identifier: MIT */
/*
 * dev/acpi.c - find and keep the firmware's tables; sleep and reset.
 *
 * Source: ACPI 6.4, chapters 5.2.5 (RSDP), 5.2.7 (RSDT), 5.2.9 (FADT),
 * 4.8.3.2.1 (PM1 control).
 */
#include "dev/acpi.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "x86/barrier.h"
#include "x86/io.h"
#include "x86/irqflags.h"
#include "log/printk.h"
#include "crash/reboot.h"
#include "mm/hvmap.h"
#include "dev/acpi_bytes.h"
#include "dev/acpi_madt.h"
#include "dev/acpi_mcfg.h"

#define TABLES_MAX 64

#define BIOS_START   0xe0000UL
#define BIOS_BYTES   0x20000UL
#define EBDA_POINTER 0x40eUL
#define EBDA_BYTES   1024UL

#define RSDP_V1_BYTES 20
#define RSDP_V2_BYTES 36

/* Offsets in the FADT. */
#define FADT_DSDT        40
#define FADT_SMI_CMD     48
#define FADT_ACPI_ENABLE 52
#define FADT_PM1A_EVT    56
#define FADT_PM1B_EVT    60
#define FADT_PM1A_CNT    64
#define FADT_PM1B_CNT    68
#define FADT_PM_TMR      76
#define FADT_FLAGS       112
#define FADT_RESET_REG   116
#define FADT_RESET_VALUE 128
#define FADT_X_DSDT      140
#define FADT_X_PM1A_CNT  172
#define FADT_BYTES_MIN   116
#define FADT_FLAG_RESET  (1U << 10)

#define GAS_SPACE_MEMORY 0
#define GAS_SPACE_IO     1
#define GAS_SPACE_PCI    2

#define PM1_SLP_EN        0x2000
#define PM1_SLP_TYP_SHIFT 10
#define SLEEP_READS_MAX   1000000U

static const struct acpi_header *tables[TABLES_MAX];
static unsigned int table_count;
static struct acpi_fixed fixed;
static struct acpi_madt madt;
static bool has_madt;
static maddr_t rsdp_maddr;
static volatile uint8_t *reset_mmio;
static bool has_s5;
static uint8_t s5_typ_a, s5_typ_b;

/* ---- pure ------------------------------------------------------------- */

bool acpi_checksum_ok(const void *p, size_t bytes)
{
    const uint8_t *b = p;
    uint8_t sum = 0;

    for (size_t i = 0; i < bytes; i++) {
        sum = (uint8_t)(sum + b[i]);
    }
    return sum == 0;
}

bool acpi_rsdp_parse(const void *p, size_t bytes, maddr_t *ret_root,
                     bool *ret_is_xsdt)
{
    const uint8_t *b = p;
    uint32_t length;

    if (bytes < RSDP_V1_BYTES || memcmp(b, "RSD PTR ", 8) != 0 ||
        !acpi_checksum_ok(b, RSDP_V1_BYTES)) {
        return false;
    }
    if (b[15] >= 2 && bytes >= RSDP_V2_BYTES) {
        length = get32(b + 20);
        if (length >= RSDP_V2_BYTES && length <= bytes &&
            acpi_checksum_ok(b, length) && get64(b + 24) != 0) {
            *ret_root = get64(b + 24);
            *ret_is_xsdt = true;
            return true;
        }
        /* The first part was valid: fall back on what it says. */
    }
    *ret_root = get32(b + 16);
    *ret_is_xsdt = false;
    return *ret_root != 0;
}

static uint16_t port_at(const uint8_t *fadt, size_t offset)
{
    uint32_t v = get32(fadt + offset);

    return v <= 0xfffc ? (uint16_t)v : 0;
}

bool acpi_fadt_parse(const struct acpi_header *fadt,
                     struct acpi_fixed *ret_fixed)
{
    const uint8_t *b = (const void *)fadt;
    struct acpi_fixed f = {0};

    if (fadt->length < FADT_BYTES_MIN) {
        return false;
    }
    f.pm1a_evt = port_at(b, FADT_PM1A_EVT);
    f.pm1b_evt = port_at(b, FADT_PM1B_EVT);
    f.pm1a_cnt = port_at(b, FADT_PM1A_CNT);
    f.pm1b_cnt = port_at(b, FADT_PM1B_CNT);
    f.pm_timer = port_at(b, FADT_PM_TMR);
    f.smi_command = get32(b + FADT_SMI_CMD);
    f.enable_value = b[FADT_ACPI_ENABLE];
    f.dsdt = get32(b + FADT_DSDT);
    if (fadt->length >= FADT_X_DSDT + 8 && get64(b + FADT_X_DSDT) != 0) {
        f.dsdt = get64(b + FADT_X_DSDT);
    }
    if (f.pm1a_cnt == 0 && fadt->length >= FADT_X_PM1A_CNT + 12 &&
        b[FADT_X_PM1A_CNT] == GAS_SPACE_IO &&
        get64(b + FADT_X_PM1A_CNT + 4) <= 0xfffc) {
        f.pm1a_cnt = (uint16_t)get64(b + FADT_X_PM1A_CNT + 4);
    }
    if (fadt->length > FADT_RESET_VALUE &&
        (get32(b + FADT_FLAGS) & FADT_FLAG_RESET) != 0) {
        f.reset_space = b[FADT_RESET_REG];
        f.reset_address = get64(b + FADT_RESET_REG + 4);
        f.reset_value = b[FADT_RESET_VALUE];
        f.has_reset =
            f.reset_address != 0 && f.reset_space <= GAS_SPACE_PCI &&
            (f.reset_space != GAS_SPACE_IO || f.reset_address <= 0xffff);
    }
    *ret_fixed = f;
    return true;
}

/* An AML integer of a few forms; advances *@at; false: something else. */
static bool aml_small_int(const uint8_t *aml, size_t bytes, size_t *at,
                          uint8_t *ret)
{
    size_t i = *at;

    if (i >= bytes) {
        return false;
    }
    if (aml[i] <= 1) { /* ZeroOp, OneOp */
        *ret = aml[i];
        *at = i + 1;
        return true;
    }
    if (aml[i] == 0x0a && i + 1 < bytes) { /* BytePrefix */
        *ret = aml[i + 1];
        *at = i + 2;
        return true;
    }
    return false;
}

bool acpi_s5_parse(const uint8_t *aml, size_t bytes, uint8_t *ret_typ_a,
                   uint8_t *ret_typ_b)
{
    /* NameOp? "_S5_" PackageOp PkgLength NumElements Integer Integer ... */
    for (size_t i = 1; i + 8 < bytes; i++) {
        size_t at = i + 4;
        uint8_t a, b;

        if (memcmp(aml + i, "_S5_", 4) != 0 || aml[at] != 0x12 ||
            !(aml[i - 1] == 0x08 ||
              (i >= 2 && aml[i - 2] == 0x08 && aml[i - 1] == '\\'))) {
            continue;
        }
        at += 1;
        at += (size_t)(aml[at] >> 6) + 1; /* PkgLength has 1 to 4 bytes */
        at += 1;                          /* NumElements */
        if (aml_small_int(aml, bytes, &at, &a) &&
            aml_small_int(aml, bytes, &at, &b) && a <= 7 && b <= 7) {
            *ret_typ_a = a;
            *ret_typ_b = b;
            return true;
        }
    }
    return false;
}

/* ---- finding ----------------------------------------------------------- */

/* Map and verify one table; NULL: nonsense. */
static const struct acpi_header *table_map(maddr_t a)
{
    const struct acpi_header *h;
    uint32_t length;

    if (a == 0 || a >= ACPI_MADDR_END) {
        return NULL;
    }
    h = iomap(a, sizeof(*h));
    if (h == NULL) {
        return NULL;
    }
    length = h->length;
    if (length < sizeof(*h) || length > ACPI_TABLE_BYTES_MAX) {
        return NULL;
    }
    if ((a & (PAGE_SIZE - 1)) + length > PAGE_SIZE) {
        h = iomap(a, length);
        if (h == NULL || h->length != length) {
            return NULL;
        }
    }
    return acpi_checksum_ok(h, length) ? h : NULL;
}

static bool rsdp_search(maddr_t start, size_t bytes, maddr_t *ret_root,
                        bool *ret_is_xsdt)
{
    const uint8_t *p = iomap(start, bytes);

    for (size_t i = 0; p != NULL && i + RSDP_V1_BYTES <= bytes; i += 16) {
        if (acpi_rsdp_parse(p + i, bytes - i, ret_root, ret_is_xsdt)) {
            rsdp_maddr = start + i;
            return true;
        }
    }
    return false;
}

static bool rsdp_find(const void *rsdp, size_t rsdp_bytes, maddr_t *ret_root,
                      bool *ret_is_xsdt)
{
    const void *low;
    maddr_t ebda = 0;

    if (rsdp != NULL) {
        return acpi_rsdp_parse(rsdp, rsdp_bytes, ret_root, ret_is_xsdt);
    }
    low = iomap(EBDA_POINTER, sizeof(uint16_t));
    if (low != NULL) {
        ebda = (maddr_t)get16(low) << 4;
    }
    if (ebda >= 0x80000 && ebda < 0xa0000 &&
        rsdp_search(ebda, EBDA_BYTES, ret_root, ret_is_xsdt)) {
        return true;
    }
    return rsdp_search(BIOS_START, BIOS_BYTES, ret_root, ret_is_xsdt);
}

const struct acpi_header *acpi_find_table(const char *signature,
                                          unsigned int instance)
{
    for (unsigned int i = 0; i < table_count; i++) {
        if (memcmp(tables[i]->signature, signature, 4) == 0 &&
            instance-- == 0) {
            return tables[i];
        }
    }
    return NULL;
}

maddr_t acpi_rsdp_maddr(void)
{
    return rsdp_maddr;
}

const struct acpi_fixed *acpi_fixed(void)
{
    return &fixed;
}

const struct acpi_madt *acpi_madt(void)
{
    return has_madt ? &madt : NULL;
}

static void poweroff(void)
{
    if (has_s5) {
        (void)acpi_enter_sleep((uint16_t)(s5_typ_a << PM1_SLP_TYP_SHIFT),
                               (uint16_t)(s5_typ_b << PM1_SLP_TYP_SHIFT));
    }
}

static const struct reboot_ops reboot_ops = {
    .acpi_reset = acpi_reset,
    .acpi_poweroff = poweroff,
};

#define PM1_SCI_EN   1U
#define ENABLE_TRIES 1000000

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

static void fixed_init(void)
{
    const struct acpi_header *h = acpi_find_table("FACP", 0);

    if (h == NULL || !acpi_fadt_parse(h, &fixed)) {
        return;
    }
    if (fixed.has_reset && fixed.reset_space == GAS_SPACE_MEMORY) {
        reset_mmio = iomap(fixed.reset_address, 1);
    }
    enable_acpi_mode();
    h = table_map(fixed.dsdt);
    if (h != NULL && memcmp(h->signature, "DSDT", 4) == 0) {
        has_s5 = acpi_s5_parse((const uint8_t *)(h + 1), h->length - sizeof(*h),
                               &s5_typ_a, &s5_typ_b);
    }
}

int acpi_init(const void *rsdp, size_t rsdp_bytes)
{
    const struct acpi_header *root;
    const struct acpi_header *h;
    bool is_xsdt;
    maddr_t at;
    size_t width;

    if (!rsdp_find(rsdp, rsdp_bytes, &at, &is_xsdt)) {
        pr_warn("dev: the firmware has no ACPI root pointer");
        return -ENOENT;
    }
    root = table_map(at);
    if (root == NULL ||
        memcmp(root->signature, is_xsdt ? "XSDT" : "RSDT", 4) != 0) {
        pr_warn("dev: no valid ACPI root table at 0x%lx", at);
        return -ENOENT;
    }
    width = is_xsdt ? 8 : 4;
    for (size_t i = 0; i < (root->length - sizeof(*root)) / width; i++) {
        const uint8_t *entry = (const uint8_t *)(root + 1) + i * width;

        at = is_xsdt ? get64(entry) : get32(entry);
        h = table_map(at);
        if (h == NULL) {
            pr_warn("dev: ACPI table at 0x%lx is not valid, ignored", at);
        } else if (table_count == TABLES_MAX) {
            pr_warn("dev: more than %d ACPI tables, rest ignored", TABLES_MAX);
            break;
        } else {
            tables[table_count++] = h;
        }
    }
    fixed_init();
    h = acpi_find_table("APIC", 0);
    has_madt = h != NULL && acpi_madt_parse(h, &madt);
    if (!has_madt) {
        pr_warn("dev: the firmware has no valid MADT");
    } else if (madt.dropped != 0) {
        pr_warn("dev: ACPI MADT: %u entries make no sense or are too many, "
                "ignored",
                madt.dropped);
    }
    acpi_mcfg_init();
    reboot_register(&reboot_ops);
    pr_info("dev: ACPI: %u tables, %u IO-APICs, %u processors", table_count,
            madt.ioapic_count, madt.cpu_count);
    return 0;
}

/* ---- acting ------------------------------------------------------------- */

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
    case GAS_SPACE_IO:
        outb((uint16_t)fixed.reset_address, fixed.reset_value);
        break;
    case GAS_SPACE_MEMORY:
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
