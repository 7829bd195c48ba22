/* SPDX-License-Identifier: MIT */
/*
 * dev/acpi_mcfg.c: windows as firmware gives them, and as it might break them.
 */
#include "tests/unit/dev/acpi_machine.h"

#include "dev/acpi_mcfg.h"

static void *the_table;

const struct acpi_header *acpi_find_table(const char *signature,
                                          unsigned int instance)
{
    return strcmp(signature, "MCFG") == 0 && instance == 0 ? the_table : NULL;
}

bool acpi_range_has(maddr_t start, uint64_t bytes, unsigned int types)
{
    struct memmap_region r;
    bool has = false;

    for (unsigned int i = 0; memmap_region(i, &r); i++) {
        has = has || ((types >> r.type & 1) != 0 && r.start < start + bytes &&
                      start < r.end);
    }
    return has;
}

struct entry {
    uint64_t base;
    uint16_t segment;
    uint8_t first, last;
};

static void *make(const struct entry *e, unsigned int count, size_t more)
{
    uint8_t *p = table("MCFG", (uint32_t)(44 + 16 * count + more));

    for (unsigned int i = 0; i < count; i++) {
        put64(p + 44 + 16 * i, e[i].base);
        put16(p + 44 + 16 * i + 8, e[i].segment);
        p[44 + 16 * i + 10] = e[i].first;
        p[44 + 16 * i + 11] = e[i].last;
    }
    return p;
}

static void windows(void **state)
{
    static const struct entry e[] = {
        {0xb0000000, 0, 0, 0xff},
        {0x3f00000000, 1, 0x80, 0xff},
        {0x3e00000000, 1, 0, 0x7f},
    };
    struct acpi_mcfg m;
    void *p = make(e, 3, 0);

    (void)state;
    assert_true(acpi_mcfg_parse(p, &m));
    assert_int_equal(m.count, 3);
    assert_int_equal(m.dropped, 0);
    assert_int_equal(m.window[1].base, 0x3f00000000);
    assert_int_equal(m.window[1].segment, 1);
    assert_int_equal(m.window[1].bus_first, 0x80);
    assert_int_equal(m.window[1].bus_last, 0xff);
    memcpy(p, "MCFH", 4);
    assert_false(acpi_mcfg_parse(p, &m));
    free(p);
    p = table("MCFG", 43);
    assert_false(acpi_mcfg_parse(p, &m));
    free(p);
    p = table("MCFG", 44);
    assert_true(acpi_mcfg_parse(p, &m));
    assert_int_equal(m.count, 0);
    free(p);
}

/* One good window, and what it may not have beside it. */
static void refused(const struct entry *bad)
{
    const struct entry e[] = {{0xe0000000, 0, 0, 0x3f}, *bad};
    struct acpi_mcfg m;
    void *p = make(e, 2, 0);

    assert_true(acpi_mcfg_parse(p, &m));
    assert_int_equal(m.count, 1);
    assert_int_equal(m.dropped, 1);
    free(p);
}

static void nonsense(void **state)
{
    static const struct entry bad[] = {
        {0, 1, 0, 0xff},             /* no address                 */
        {0xb0080000, 1, 0, 0xff},    /* not aligned                */
        {0xb0000000, 1, 9, 8},       /* buses the wrong way round  */
        {0xb0000000, 0, 0x3f, 0x50}, /* bus served already         */
        {0xe0000000, 1, 0x20, 0x40}, /* memory taken already       */
        {0xd0100000, 1, 0, 0xff},    /* runs into the first        */
        {1ULL << 52, 1, 0, 0},       /* beyond every processor     */
        {(1ULL << 52) - (1 << 20), 1, 0, 1},
        {0xfffffffffff00000, 1, 0, 0xff}, /* wraps                      */
    };
    static const struct entry good = {(1ULL << 52) - (1 << 20), 1, 0, 0};
    struct acpi_mcfg m;
    void *p;

    (void)state;
    for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        refused(&bad[i]);
    }
    p = make(&good, 1, 15); /* and half an entry behind it */
    assert_true(acpi_mcfg_parse(p, &m));
    assert_int_equal(m.count, 1);
    assert_int_equal(m.dropped, 1);
    free(p);
}

static void too_many(void **state)
{
    struct entry e[MCFG_WINDOWS_MAX + 3];
    struct acpi_mcfg m;
    void *p;

    (void)state;
    for (unsigned int i = 0; i < MCFG_WINDOWS_MAX + 3; i++) {
        e[i] = (struct entry){0x100000000ULL * (i + 1), (uint16_t)i, 0, 0xff};
    }
    p = make(e, MCFG_WINDOWS_MAX + 3, 0);
    assert_true(acpi_mcfg_parse(p, &m));
    assert_int_equal(m.count, MCFG_WINDOWS_MAX);
    assert_int_equal(m.dropped, 3);
    free(p);
}

static void lookup(void **state)
{
    static const struct entry e[] = {
        {0xb0000000, 0, 0, 0x0f},     /* RAM in its last page       */
        {0xe0000000, 0, 0x10, 0x1f},  /* free: the map has a hole   */
        {0x100000000, 1, 0x80, 0xff}, /* bus 0 would be in RAM      */
        {0xc0000000, 2, 0, 1},        /* the firmware's ACPI memory */
    };
    static const struct memmap_region map[] = {
        {0, 0xb0fff000, MEMMAP_RESERVED},
        {0xb0fff000, 0xb1000000, MEMMAP_RAM},
        {0xc0100000, 0xc0101000, MEMMAP_ACPI},
        {0x100000000, 0x108000000, MEMMAP_RAM},
        {0, 0, MEMMAP_RAM},
    };

    (void)state;
    machine_reset();
    machine_map = map;
    the_table = make(e, 4, 0);
    acpi_mcfg_init();
    assert_int_equal(acpi_mcfg()->count, 2);
    assert_int_equal(mcfg_base(0, 0), 0);
    assert_int_equal(mcfg_base(0, 0x10), 0xe1000000);
    assert_int_equal(mcfg_base(0, 0x1f), 0xe1f00000);
    assert_int_equal(mcfg_base(0, 0x20), 0);
    assert_int_equal(mcfg_base(1, 0x7f), 0);
    assert_int_equal(mcfg_base(1, 0x80), 0x108000000);
    assert_int_equal(mcfg_base(1, 0xff), 0x10ff00000);
    assert_int_equal(mcfg_base(2, 0), 0);
    assert_int_equal(mcfg_base(3, 0), 0);
    free(the_table);
    the_table = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows),
        cmocka_unit_test(nonsense),
        cmocka_unit_test(too_many),
        cmocka_unit_test(lookup),
    };

    return UNIT_RUN(tests);
}
