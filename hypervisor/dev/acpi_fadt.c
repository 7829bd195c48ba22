/* SPDX-License-Identifier: MIT */
/*
 * dev/acpi_fadt.c - the fixed hardware out of the FADT, the sleep type of
 * "off" out of the DSDT.
 *
 * Source: ACPI 6.4, 5.2.9 (FADT), 4.8 (fixed hardware), 7.4.2 (_Sx).  Nothing
 * but the arguments is touched.
 */
#include "lib/string.h"
#include "dev/acpi.h"
#include "dev/acpi_bytes.h"

#define FADT_DSDT        40
#define FADT_SCI         46
#define FADT_SMI_CMD     48
#define FADT_ACPI_ENABLE 52
#define FADT_PM1A_EVT    56
#define FADT_PM1B_EVT    60
#define FADT_PM1A_CNT    64
#define FADT_PM1B_CNT    68
#define FADT_PM_TMR      76
#define FADT_PM_TMR_LEN  91
#define FADT_BOOT_ARCH   109
#define FADT_FLAGS       112
#define FADT_RESET_REG   116
#define FADT_RESET_VALUE 128
#define FADT_X_DSDT      140
#define FADT_X_PM1A_EVT  148
#define FADT_X_PM1B_EVT  160
#define FADT_X_PM1A_CNT  172
#define FADT_X_PM1B_CNT  184
#define FADT_X_PM_TMR    208

#define FADT_BYTES_MIN 116

#define FLAG_PM_TMR_32 (1U << 8)
#define FLAG_RESET     (1U << 10)
#define FLAG_REDUCED   (1U << 20)

#define BOOT_ARCH_REVISION 3 /* the field means something from here on */
#define BOOT_ARCH_8042     (1U << 1)

/* The last port a register of four bytes can begin at. */
#define PORT_LAST 0xfffcU

static const struct {
    uint16_t old, x;
    size_t field;
} ports[] = {
    {FADT_PM1A_EVT, FADT_X_PM1A_EVT, offsetof(struct acpi_fixed, pm1a_evt)},
    {FADT_PM1B_EVT, FADT_X_PM1B_EVT, offsetof(struct acpi_fixed, pm1b_evt)},
    {FADT_PM1A_CNT, FADT_X_PM1A_CNT, offsetof(struct acpi_fixed, pm1a_cnt)},
    {FADT_PM1B_CNT, FADT_X_PM1B_CNT, offsetof(struct acpi_fixed, pm1b_cnt)},
    {FADT_PM_TMR, FADT_X_PM_TMR, offsetof(struct acpi_fixed, pm_timer)},
};

/*
 * The newer form of an address wins where it is one.  Registers in memory are
 * legal and nobody builds them; they count as not there.
 */
static uint16_t port_of(const struct acpi_header *fadt, uint16_t old,
                        uint16_t x)
{
    const uint8_t *b = (const void *)fadt;
    uint32_t v = get32(b + old);

    if (fadt->length >= (uint32_t)x + ACPI_GAS_BYTES) {
        struct acpi_gas g = get_gas(b + x);

        if (g.space == ACPI_SPACE_IO && g.address != 0 &&
            g.address <= PORT_LAST) {
            return (uint16_t)g.address;
        }
    }
    return v <= PORT_LAST ? (uint16_t)v : 0;
}

static void read_reset(const uint8_t *b, struct acpi_fixed *f)
{
    struct acpi_gas g = get_gas(b + FADT_RESET_REG);

    f->reset_space = g.space;
    f->reset_address = g.address;
    f->reset_value = b[FADT_RESET_VALUE];
    switch (g.space) {
    case ACPI_SPACE_MEMORY:
        f->has_reset = g.address != 0 && g.address < ACPI_MADDR_END;
        break;
    case ACPI_SPACE_IO:
        f->has_reset = g.address != 0 && g.address <= 0xffff;
        break;
    case ACPI_SPACE_PCI:
        /* Bus 0: device in bits 32-47, function in 16-31, offset in 0-15. */
        f->has_reset = g.address >> 32 < 32 && (g.address >> 16 & 0xffff) < 8 &&
                       (g.address & 0xffff) < 256;
        break;
    default:
        break;
    }
}

bool acpi_fadt_parse(const struct acpi_header *fadt,
                     struct acpi_fixed *ret_fixed)
{
    const uint8_t *b = (const void *)fadt;
    struct acpi_fixed f = {0};
    uint32_t flags;

    if (fadt->length < FADT_BYTES_MIN ||
        memcmp(fadt->signature, "FACP", 4) != 0) {
        return false;
    }
    flags = get32(b + FADT_FLAGS);
    f.is_reduced = (flags & FLAG_REDUCED) != 0;
    f.has_8042 = fadt->revision < BOOT_ARCH_REVISION ||
                 (get16(b + FADT_BOOT_ARCH) & BOOT_ARCH_8042) != 0;
    f.dsdt = get32(b + FADT_DSDT);
    if (fadt->length >= FADT_X_DSDT + 8 && get64(b + FADT_X_DSDT) != 0) {
        f.dsdt = get64(b + FADT_X_DSDT);
    }
    if (fadt->length > FADT_RESET_VALUE && (flags & FLAG_RESET) != 0) {
        read_reset(b, &f);
    }
    if (!f.is_reduced) {
        for (unsigned int i = 0; i < ARRAY_SIZE(ports); i++) {
            uint16_t v = port_of(fadt, ports[i].old, ports[i].x);

            memcpy((uint8_t *)&f + ports[i].field, &v, sizeof(v));
        }
        f.sci = get16(b + FADT_SCI);
        f.smi_command = get32(b + FADT_SMI_CMD);
        f.enable_value = b[FADT_ACPI_ENABLE];
        f.pm_timer_is_32bit = (flags & FLAG_PM_TMR_32) != 0;
        if (b[FADT_PM_TMR_LEN] != sizeof(uint32_t)) {
            f.pm_timer = 0;
        }
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
