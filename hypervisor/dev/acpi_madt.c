/* SPDX-License-Identifier: MIT */
/*
 * dev/acpi_madt.c - read the multiple APIC description table.
 *
 * Source: ACPI 6.4, 5.2.12.  Nothing but the arguments is touched.
 */
#include "dev/acpi_madt.h"

#include "lib/string.h"

#define MADT_LAPIC_ADDRESS 36
#define MADT_FLAGS         40
#define MADT_ENTRIES       44
#define MADT_FLAG_PCAT     1U

#define ENTRY_LAPIC         0
#define ENTRY_IOAPIC        1
#define ENTRY_OVERRIDE      2
#define ENTRY_LAPIC_NMI     4
#define ENTRY_LAPIC_ADDRESS 5
#define ENTRY_X2APIC        9
#define ENTRY_X2APIC_NMI    10

#define LAPIC_ENABLED 1U

static uint32_t get32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

static uint16_t get16(const uint8_t *p)
{
    uint16_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

static bool add_cpu(struct acpi_madt *m, uint32_t apic_id, uint32_t uid,
                    uint32_t flags)
{
    if (m->cpu_count == MADT_CPUS_MAX) {
        return false;
    }
    m->cpu[m->cpu_count++] = (struct madt_cpu){
        .apic_id = apic_id,
        .acpi_uid = uid,
        .is_enabled = (flags & LAPIC_ENABLED) != 0,
    };
    return true;
}

static bool add_nmi(struct acpi_madt *m, uint32_t uid, uint16_t flags,
                    uint8_t lint)
{
    if (m->nmi_count == MADT_NMIS_MAX || lint > 1) {
        return false;
    }
    m->nmi[m->nmi_count++] = (struct madt_lapic_nmi){
        .acpi_uid = uid,
        .lint = lint,
        .flags = flags,
    };
    return true;
}

static bool add_ioapic(struct acpi_madt *m, const uint8_t *e)
{
    uint32_t address = get32(e + 4);

    if (m->ioapic_count == MADT_IOAPICS_MAX || address == 0) {
        return false;
    }
    m->ioapic[m->ioapic_count++] = (struct madt_ioapic){
        .id = e[2],
        .address = address,
        .gsi_base = get32(e + 8),
    };
    return true;
}

static bool add_override(struct acpi_madt *m, const uint8_t *e)
{
    if (m->override_count == MADT_OVERRIDES_MAX || e[2] != 0 || e[3] > 15) {
        return false;
    }
    m->override[m->override_count++] = (struct madt_override){
        .isa = e[3],
        .gsi = get32(e + 4),
        .flags = get16(e + 8),
    };
    return true;
}

/* One entry of @length bytes; false: malformed, or no room. */
static bool entry_read(struct acpi_madt *m, const uint8_t *e, uint8_t length)
{
    uint64_t address;

    switch (e[0]) {
    case ENTRY_LAPIC:
        return length >= 8 && add_cpu(m, e[3], e[2], get32(e + 4));
    case ENTRY_X2APIC:
        return length >= 16 &&
               add_cpu(m, get32(e + 4), get32(e + 12), get32(e + 8));
    case ENTRY_IOAPIC:
        return length >= 12 && add_ioapic(m, e);
    case ENTRY_OVERRIDE:
        return length >= 10 && add_override(m, e);
    case ENTRY_LAPIC_NMI:
        return length >= 6 && add_nmi(m, e[2], get16(e + 3), e[5]);
    case ENTRY_X2APIC_NMI:
        return length >= 12 && add_nmi(m, get32(e + 4), get16(e + 2), e[8]);
    case ENTRY_LAPIC_ADDRESS:
        if (length < 12) {
            return false;
        }
        memcpy(&address, e + 4, sizeof(address));
        m->lapic_address = address;
        return true;
    default:
        return true; /* nothing we need */
    }
}

bool acpi_madt_parse(const struct acpi_header *table,
                     struct acpi_madt *ret_madt)
{
    const uint8_t *b = (const void *)table;
    size_t at = MADT_ENTRIES, end = table->length;

    memset(ret_madt, 0, sizeof(*ret_madt));
    if (end < MADT_ENTRIES || memcmp(table->signature, "APIC", 4) != 0) {
        return false;
    }
    ret_madt->lapic_address = get32(b + MADT_LAPIC_ADDRESS);
    ret_madt->has_8259 = (get32(b + MADT_FLAGS) & MADT_FLAG_PCAT) != 0;
    while (end - at >= 2) {
        uint8_t length = b[at + 1];

        if (length < 2 || length > end - at) {
            /* The chain is broken: nothing behind it can be believed. */
            ret_madt->dropped++;
            break;
        }
        if (!entry_read(ret_madt, b + at, length)) {
            ret_madt->dropped++;
        }
        at += length;
    }
    return true;
}
