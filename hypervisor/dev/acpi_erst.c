/* SPDX-License-Identifier: MIT */
/*
 * dev/acpi_erst.c - read the error record serialization table.
 *
 * Source: ACPI 6.4, 18.5.
 */
#include "dev/acpi_erst.h"

#include "lib/string.h"
#include "log/printk.h"
#include "dev/acpi_bytes.h"

#define ERST_HEADER_BYTES 36 /* length of the serialization header */
#define ERST_COUNT        44
#define ERST_ENTRIES      48
#define ENTRY_BYTES       32

#define ENTRY_ACTION      0
#define ENTRY_INSTRUCTION 1
#define ENTRY_REGISTER    4

#define INSTRUCTION_LAST 0x12

enum {
    ACTION_BEGIN_WRITE = 0,
    ACTION_BEGIN_READ = 1,
    ACTION_BEGIN_CLEAR = 2,
    ACTION_END = 3,
    ACTION_EXECUTE = 5,
    ACTION_BUSY = 6,
    ACTION_STATUS = 7,
    ACTION_GET_RANGE = 13,
};

static const uint8_t needed[] = {
    ACTION_BEGIN_WRITE, ACTION_BEGIN_READ, ACTION_BEGIN_CLEAR, ACTION_END,
    ACTION_EXECUTE,     ACTION_BUSY,       ACTION_STATUS,      ACTION_GET_RANGE,
};

static const char *entry_fault(const uint8_t *e)
{
    struct acpi_gas g = get_gas(e + ENTRY_REGISTER);

    if (e[ENTRY_ACTION] >= ERST_ACTIONS) {
        return "an action nobody knows";
    }
    if (e[ENTRY_INSTRUCTION] > INSTRUCTION_LAST) {
        return "an instruction nobody knows";
    }
    if (g.space > ACPI_SPACE_IO ||
        (g.space == ACPI_SPACE_IO && g.address > 0xffff) ||
        g.address >= ACPI_MADDR_END) {
        return "a register that cannot be";
    }
    return NULL;
}

bool acpi_erst_parse(const struct acpi_header *table,
                     struct acpi_erst *ret_erst, const char **ret_why)
{
    const uint8_t *b = (const void *)table;
    size_t end = table->length;
    uint32_t count, header;

    memset(ret_erst, 0, sizeof(*ret_erst));
    if (end < ERST_ENTRIES || memcmp(table->signature, "ERST", 4) != 0) {
        *ret_why = "too short";
        return false;
    }
    /* Firmware counts the header alone, or from the start of the table. */
    header = get32(b + ERST_HEADER_BYTES);
    if (header != ERST_ENTRIES - ERST_HEADER_BYTES && header != ERST_ENTRIES) {
        *ret_why = "its header has an odd length";
        return false;
    }
    count = get32(b + ERST_COUNT);
    if (count > (end - ERST_ENTRIES) / ENTRY_BYTES) {
        *ret_why = "it does not hold its instructions";
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *e = b + ERST_ENTRIES + (size_t)i * ENTRY_BYTES;

        *ret_why = entry_fault(e);
        if (*ret_why != NULL) {
            return false;
        }
        ret_erst->count[e[ENTRY_ACTION]]++;
        ret_erst->instruction_count++;
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(needed); i++) {
        if (ret_erst->count[needed[i]] == 0) {
            *ret_why = "an action it cannot do without is missing";
            return false;
        }
    }
    return true;
}

void acpi_erst_init(void)
{
    const struct acpi_header *h = acpi_find_table("ERST", 0);
    struct acpi_erst erst;
    const char *why;

    if (h == NULL) {
        return;
    }
    if (!acpi_erst_parse(h, &erst, &why)) {
        pr_warn("dev: ACPI ERST: %s, ignored", why);
        return;
    }
    pr_info("dev: ACPI error record store: %u instructions, not used",
            erst.instruction_count);
}
