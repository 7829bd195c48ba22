/* SPDX-License-Identifier: MIT */
/*
 * dev/acpi_madt.c - read the multiple APIC description table.
 *
 * Source: ACPI 6.4, 5.2.12.  Nothing but the arguments is touched.
 */
#include "dev/acpi_madt.h"

#include "lib/string.h"
#include "dev/acpi_bytes.h"

#define MADT_LAPIC_ADDRESS 36
#define MADT_FLAGS         40
#define MADT_ENTRIES       44
#define MADT_FLAG_PCAT     1U

/* Where each processor has it after reset (SDM 3A 11.4.1). */
#define LAPIC_RESET_ADDRESS 0xfee00000U

#define ENTRY_LAPIC         0
#define ENTRY_IOAPIC        1
#define ENTRY_OVERRIDE      2
#define ENTRY_NMI_SOURCE    3
#define ENTRY_LAPIC_NMI     4
#define ENTRY_LAPIC_ADDRESS 5
#define ENTRY_X2APIC        9
#define ENTRY_X2APIC_NMI    10

#define LAPIC_ENABLED        1U
#define LAPIC_ONLINE_CAPABLE 2U

/* Nobody's: the xAPIC broadcast, the x2APIC broadcast. */
#define XAPIC_NO_ID  0xffU
#define X2APIC_NO_ID 0xffffffffU
/* "Every processor" in an NMI entry. */
#define UID8_ALL     0xffU

/* Where to put one more processor; NULL: no room. */
static struct madt_cpu *cpu_slot(struct acpi_madt *m, bool is_enabled)
{
    if (m->cpu_count < MADT_CPUS_MAX) {
        return &m->cpu[m->cpu_count++];
    }
    /* Firmware fills up with sockets that are empty: those give way. */
    for (unsigned int i = 0; is_enabled && i < m->cpu_count; i++) {
        if (!m->cpu[i].is_enabled) {
            m->dropped++;
            return &m->cpu[i];
        }
    }
    return NULL;
}

static bool add_cpu(struct acpi_madt *m, uint32_t apic_id, uint32_t uid,
                    uint32_t flags)
{
    const bool is_enabled = (flags & LAPIC_ENABLED) != 0;
    struct madt_cpu *c;

    /* Two running processors with one name: the first is believed. */
    for (unsigned int i = 0; is_enabled && i < m->cpu_count; i++) {
        if (m->cpu[i].is_enabled && m->cpu[i].apic_id == apic_id) {
            return false;
        }
    }
    c = cpu_slot(m, is_enabled);
    if (c == NULL) {
        return false;
    }
    *c = (struct madt_cpu){
        .apic_id = apic_id,
        .acpi_uid = uid,
        .is_enabled = is_enabled,
        .is_online_capable = !is_enabled && (flags & LAPIC_ONLINE_CAPABLE) != 0,
    };
    return true;
}

static bool add_lapic(struct acpi_madt *m, const uint8_t *e)
{
    uint32_t flags = get32(e + 4);

    if (e[3] == XAPIC_NO_ID) {
        /* A usual way to say "empty socket"; with "enabled" it is a lie. */
        return (flags & LAPIC_ENABLED) == 0;
    }
    return add_cpu(m, e[3], e[2], flags);
}

static bool add_x2apic(struct acpi_madt *m, const uint8_t *e)
{
    uint32_t apic_id = get32(e + 4), flags = get32(e + 8);

    if (apic_id == X2APIC_NO_ID) {
        return (flags & LAPIC_ENABLED) == 0;
    }
    return add_cpu(m, apic_id, get32(e + 12), flags);
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

static bool add_nmi_source(struct acpi_madt *m, const uint8_t *e)
{
    if (m->nmi_source_count == MADT_NMI_SOURCES_MAX) {
        return false;
    }
    m->nmi_source[m->nmi_source_count++] = (struct madt_nmi_source){
        .gsi = get32(e + 4),
        .flags = get16(e + 2),
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

static bool is_page(uint64_t address)
{
    return address != 0 && address < ACPI_MADDR_END &&
           (address & (PAGE_SIZE - 1)) == 0;
}

/* One entry of @length bytes; false: malformed, or no room. */
static bool entry_read(struct acpi_madt *m, const uint8_t *e, uint8_t length)
{
    uint64_t address;

    switch (e[0]) {
    case ENTRY_LAPIC:
        return length >= 8 && add_lapic(m, e);
    case ENTRY_X2APIC:
        return length >= 16 && add_x2apic(m, e);
    case ENTRY_IOAPIC:
        return length >= 12 && add_ioapic(m, e);
    case ENTRY_OVERRIDE:
        return length >= 10 && add_override(m, e);
    case ENTRY_NMI_SOURCE:
        return length >= 8 && add_nmi_source(m, e);
    case ENTRY_LAPIC_NMI:
        return length >= 6 && add_nmi(m, e[2] == UID8_ALL ? MADT_UID_ALL : e[2],
                                      get16(e + 3), e[5]);
    case ENTRY_X2APIC_NMI:
        return length >= 12 && add_nmi(m, get32(e + 4), get16(e + 2), e[8]);
    case ENTRY_LAPIC_ADDRESS:
        if (length < 12) {
            return false;
        }
        address = get64(e + 4);
        if (!is_page(address)) {
            return false;
        }
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
    if (!is_page(ret_madt->lapic_address)) {
        ret_madt->lapic_address = LAPIC_RESET_ADDRESS;
        ret_madt->dropped++;
    }
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

bool madt_nmi_pin(const struct acpi_madt *m, uint32_t acpi_uid,
                  unsigned int lint, uint16_t *ret_flags)
{
    for (unsigned int i = 0; i < m->nmi_count; i++) {
        const struct madt_lapic_nmi *n = &m->nmi[i];

        if (n->lint == lint &&
            (n->acpi_uid == acpi_uid || n->acpi_uid == MADT_UID_ALL)) {
            *ret_flags = n->flags;
            return true;
        }
    }
    return false;
}
