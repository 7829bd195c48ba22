/* SPDX-License-Identifier: MIT */
/*
 * dev/acpi.c, acpi_madt.c: the parsers, with tables as firmware might break
 * them.
 */
#include "tests/unit/dev/acpi_machine.h"

#include "dev/acpi_madt.h"

/* ---- RSDP ------------------------------------------------------------------ */

static void make_rsdp(uint8_t *p, uint8_t revision)
{
    memset(p, 0, 36);
    memcpy(p, "RSD PTR ", 8);
    p[15] = revision;
    put32(p + 16, 0x1000);
    put32(p + 20, 36);
    put64(p + 24, 0x123456000);
    fix_sum(p, 20, 8);
    fix_sum(p, 36, 32);
}

static void rsdp(void **state)
{
    uint8_t *p = malloc(36), *v1 = malloc(20);
    maddr_t root;
    bool is_xsdt;

    (void)state;
    make_rsdp(p, 2);
    assert_true(acpi_rsdp_parse(p, 36, &root, &is_xsdt));
    assert_int_equal(root, 0x123456000);
    assert_true(is_xsdt);
    /* Cut short, or the second sum wrong: the first part still counts. */
    memcpy(v1, p, 20);
    assert_true(acpi_rsdp_parse(v1, 20, &root, &is_xsdt));
    assert_int_equal(root, 0x1000);
    assert_false(is_xsdt);
    p[30] ^= 1;
    assert_true(acpi_rsdp_parse(p, 36, &root, &is_xsdt));
    assert_false(is_xsdt);
    put32(p + 20, 0xffffffff);
    assert_true(acpi_rsdp_parse(p, 36, &root, &is_xsdt));
    assert_false(is_xsdt);
    make_rsdp(p, 0);
    assert_true(acpi_rsdp_parse(p, 36, &root, &is_xsdt));
    assert_false(is_xsdt);

    assert_false(acpi_rsdp_parse(v1, 19, &root, &is_xsdt));
    v1[17] ^= 1;
    assert_false(acpi_rsdp_parse(v1, 20, &root, &is_xsdt));
    make_rsdp(p, 0);
    p[0] = 'X';
    fix_sum(p, 20, 8);
    assert_false(acpi_rsdp_parse(p, 36, &root, &is_xsdt));
    make_rsdp(p, 0);
    put32(p + 16, 0);
    fix_sum(p, 20, 8);
    assert_false(acpi_rsdp_parse(p, 36, &root, &is_xsdt));
    free(p);
    free(v1);
}

/* ---- FADT, S5 --------------------------------------------------------------- */

static void fadt(void **state)
{
    uint8_t *p = table("FACP", 129);
    struct acpi_fixed f;

    (void)state;
    put32(p + 64, 0x604);
    put32(p + 76, 0x608);
    p[91] = 4; /* bytes of the timer */
    put32(p + 40, 0x7fe0000);
    put32(p + 112, 1U << 10);
    p[116] = 1;
    put64(p + 120, 0xcf9);
    p[128] = 0x0f;
    assert_true(acpi_fadt_parse((void *)p, &f));
    assert_int_equal(f.pm1a_cnt, 0x604);
    assert_int_equal(f.pm1b_cnt, 0);
    assert_int_equal(f.pm_timer, 0x608);
    assert_int_equal(f.dsdt, 0x7fe0000);
    assert_true(f.has_reset);
    assert_int_equal(f.reset_address, 0xcf9);
    assert_int_equal(f.reset_value, 0x0f);
    put64(p + 120, 0x10cf9); /* no such port */
    assert_true(acpi_fadt_parse((void *)p, &f));
    assert_false(f.has_reset);
    put32(p + 64, 0x12340604);
    assert_true(acpi_fadt_parse((void *)p, &f));
    assert_int_equal(f.pm1a_cnt, 0);
    free(p);

    p = table("FACP", 116); /* ACPI 1.0 */
    put32(p + 112, 1U << 10);
    assert_true(acpi_fadt_parse((void *)p, &f));
    assert_false(f.has_reset);
    free(p);
    p = table("FACP", 115);
    assert_false(acpi_fadt_parse((void *)p, &f));
    free(p);

    p = table("FACP", 184);
    put64(p + 140, 0x123450000);
    p[172] = 1;
    put64(p + 176, 0xb004);
    assert_true(acpi_fadt_parse((void *)p, &f));
    assert_int_equal(f.dsdt, 0x123450000);
    assert_int_equal(f.pm1a_cnt, 0xb004);
    free(p);
}

static void s5(void **state)
{
    static const uint8_t good[] = {0x10, 0x08, '_', 'S',  '5', '_', 0x12, 0x06,
                                   0x04, 0x0a, 5,   0x0a, 7,   0,   0};
    static const uint8_t ops[] = {0x08, '\\', '_',  'S',  '5',  '_',  0x12,
                                  0x40, 0x06, 0x04, 0x01, 0x00, 0x00, 0x00};
    uint8_t a = 9, b = 9;

    (void)state;
    assert_true(acpi_s5_parse(good, sizeof(good), &a, &b));
    assert_int_equal(a, 5);
    assert_int_equal(b, 7);
    assert_true(acpi_s5_parse(ops, sizeof(ops), &a, &b));
    assert_int_equal(a, 1);
    assert_int_equal(b, 0);
    /* Every cut is refused and nothing behind it is read. */
    for (size_t cut = 0; cut < 13; cut++) {
        uint8_t *p = malloc(cut + 1);

        memcpy(p, good, cut);
        assert_false(acpi_s5_parse(p, cut, &a, &b));
        free(p);
    }
}

/* ---- MADT ------------------------------------------------------------------- */

static uint8_t *make_madt(const uint8_t *entries, size_t bytes)
{
    uint8_t *p = table("APIC", (uint32_t)(44 + bytes));

    put32(p + 36, 0xfee00000);
    put32(p + 40, 1);
    memcpy(p + 44, entries, bytes);
    return p;
}

static void madt(void **state)
{
    /* As QEMU 7.2 makes it, one processor of two enabled; and an address. */
    static const uint8_t entries[] = {
        0,  8,  0,    0, 1, 0, 0,    0,                   /* local APIC       */
        0,  8,  1,    1, 0, 0, 0,    0,                   /* disabled         */
        1,  12, 0,    0, 0, 0, 0xc0, 0xfe, 0,    0, 0, 0, /* IO-APIC          */
        2,  10, 0,    0, 2, 0, 0,    0,    0,    0,       /* ISA 0 at GSI 2   */
        2,  10, 0,    9, 9, 0, 0,    0,    0x0d, 0,       /* level, high      */
        4,  6,  0xff, 0, 0, 1,                            /* NMI on LINT1     */
        5,  12, 0,    0, 0, 0, 0xe0, 0xfe, 0,    0, 0, 0, /* APIC address     */
        9,  16, 0,    0, 5, 1, 0,    0,    1,    0, 0, 0,
        9,  0,  0,    0, /* x2APIC       */
        77, 3,  0,       /* not known        */
    };
    struct acpi_madt m;
    uint8_t *p = make_madt(entries, sizeof(entries));

    (void)state;
    assert_true(acpi_madt_parse((void *)p, &m));
    assert_int_equal(m.cpu_count, 3);
    assert_true(m.cpu[0].is_enabled);
    assert_false(m.cpu[1].is_enabled);
    assert_int_equal(m.cpu[2].apic_id, 0x105);
    assert_int_equal(m.ioapic_count, 1);
    assert_int_equal(m.ioapic[0].address, 0xfec00000);
    assert_int_equal(m.override_count, 2);
    assert_int_equal(m.override[0].gsi, 2);
    assert_int_equal(MADT_TRIGGER(m.override[1].flags), MADT_LEVEL);
    assert_int_equal(MADT_POLARITY(m.override[1].flags), MADT_ACTIVE_HIGH);
    assert_int_equal(m.nmi_count, 1);
    assert_int_equal(m.nmi[0].lint, 1);
    assert_int_equal(m.nmi[0].acpi_uid, MADT_UID_ALL);
    assert_true(m.has_8259);
    assert_int_equal(m.dropped, 0);
    memcpy(p, "FOOO", 4);
    assert_false(acpi_madt_parse((void *)p, &m));
    free(p);
}

static void madt_broken(void **state)
{
    static const uint8_t zero_length[] = {0, 8, 0, 0, 1, 0, 0, 0, 0, 0};
    static const uint8_t too_long[] = {0, 8, 0, 0, 1, 0, 0, 0, 0, 200, 1};
    static const uint8_t too_short[] = {1, 4, 0, 0, 0, 4, 0, 0, 9, 2};
    static const uint8_t bad_values[] = {
        2, 10, 1, 3,  2, 0, 0, 0, 0, 0, /* bus */
        2, 10, 0, 16, 2, 0, 0, 0, 0, 0, 4, 6, 0, 0,
        0, 7,  1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    struct acpi_madt m;
    uint8_t *p = make_madt(zero_length, sizeof(zero_length));

    (void)state;
    assert_true(acpi_madt_parse((void *)p, &m));
    assert_int_equal(m.cpu_count, 1);
    assert_int_equal(m.dropped, 1);
    free(p);
    p = make_madt(too_long, sizeof(too_long));
    assert_true(acpi_madt_parse((void *)p, &m));
    assert_int_equal(m.cpu_count, 1);
    assert_int_equal(m.dropped, 1);
    free(p);
    p = make_madt(too_short, sizeof(too_short));
    assert_true(acpi_madt_parse((void *)p, &m));
    assert_int_equal(m.ioapic_count + m.override_count + m.cpu_count, 0);
    assert_int_equal(m.dropped, 3);
    free(p);
    p = make_madt(bad_values, sizeof(bad_values));
    assert_true(acpi_madt_parse((void *)p, &m));
    assert_int_equal(m.ioapic_count + m.override_count + m.nmi_count, 0);
    assert_int_equal(m.dropped, 4);
    free(p);
    p = table("APIC", 43);
    assert_false(acpi_madt_parse((void *)p, &m));
    free(p);
}

/* Processors by either kind of entry, by their names and what they may do. */
static void madt_cpus(void **state)
{
    static const uint8_t entries[] = {
        0,  8,  7, 4,    1,    0,    0,    0, /* enabled                     */
        0,  8,  8, 6,    2,    0,    0,    0, /* may come later              */
        0,  8,  9, 4,    1,    0,    0,    0, /* 4 again: a lie              */
        0,  8,  1, 0xff, 0,    0,    0,    0, /* an empty socket             */
        0,  8,  1, 0xff, 1,    0,    0,    0, /* enabled, but nobody's name  */
        9,  16, 0, 0,    4,    0,    0,    0,    1, 0, 0, 0, 7, 0, 0, 0, /* 4 again    */
        9,  16, 0, 0,    0,    1,    0,    0,    3, 0, 0, 0, 0, 1, 0, 0, /* enabled    */
        9,  16, 0, 0,    0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 5, 0, 0, 0, 9,
        16, 0,  0, 0xff, 0xff, 0xff, 0xff, 0,    0, 0, 0, 5, 0, 0, 0, 9, 15,
        0,  0,  5, 0,    0,    0,    1,    0,    0, 0, 5, 0, 0, /* short         */
    };
    struct acpi_madt m;
    uint8_t *p = make_madt(entries, sizeof(entries));

    (void)state;
    assert_true(acpi_madt_parse((void *)p, &m));
    assert_int_equal(m.cpu_count, 3);
    assert_int_equal(m.dropped, 5);
    assert_int_equal(m.cpu[0].apic_id, 4);
    assert_int_equal(m.cpu[0].acpi_uid, 7);
    assert_true(m.cpu[0].is_enabled);
    assert_false(m.cpu[0].is_online_capable);
    assert_int_equal(m.cpu[1].apic_id, 6);
    assert_false(m.cpu[1].is_enabled);
    assert_true(m.cpu[1].is_online_capable);
    assert_int_equal(m.cpu[2].apic_id, 0x100);
    assert_int_equal(m.cpu[2].acpi_uid, 0x100);
    assert_true(m.cpu[2].is_enabled);
    assert_false(m.cpu[2].is_online_capable);
    free(p);
}

/* A running processor behind a table full of empty sockets is found. */
static void madt_sockets(void **state)
{
    uint8_t *entries = calloc(MADT_CPUS_MAX + 1, 8);
    struct acpi_madt m;
    unsigned int enabled = 0;
    uint8_t *p;

    (void)state;
    for (unsigned int i = 0; i <= MADT_CPUS_MAX; i++) {
        entries[8 * i + 1] = 8;
        entries[8 * i + 3] = (uint8_t)i;
        entries[8 * i + 4] = i == 0 || i == MADT_CPUS_MAX;
    }
    p = make_madt(entries, 8 * (MADT_CPUS_MAX + 1));
    assert_true(acpi_madt_parse((void *)p, &m));
    assert_int_equal(m.cpu_count, MADT_CPUS_MAX);
    assert_int_equal(m.dropped, 1);
    for (unsigned int i = 0; i < m.cpu_count; i++) {
        enabled += m.cpu[i].is_enabled;
    }
    assert_int_equal(enabled, 2);
    assert_int_equal(m.cpu[0].apic_id, 0);
    assert_int_equal(m.cpu[1].apic_id, MADT_CPUS_MAX);
    free(p);
    free(entries);
}

static void madt_nmis(void **state)
{
    static const uint8_t entries[] = {
        4,  6,  3, 5, 0,  1,                   /* CPU 3, LINT1            */
        10, 12, 9, 0, 4,  1, 0, 0, 0, 0, 0, 0, /* CPU 0x104, LINT0        */
        10, 12, 5, 0, 4,  1, 0, 0, 2, 0, 0, 0, /* there is no LINT2       */
        3,  8,  5, 0, 23, 0, 0, 0,             /* GSI 23                  */
        3,  7,  5, 0, 23, 0, 0,                /* short                   */
    };
    static const uint8_t all[] = {4, 6, 0xff, 0x0d, 0, 0};
    struct acpi_madt m;
    uint16_t flags = 77;
    uint8_t *p = make_madt(entries, sizeof(entries));

    (void)state;
    assert_true(acpi_madt_parse((void *)p, &m));
    assert_int_equal(m.dropped, 2);
    assert_true(madt_nmi_pin(&m, 3, 1, &flags));
    assert_int_equal(flags, 5);
    assert_false(madt_nmi_pin(&m, 3, 0, &flags));
    assert_false(madt_nmi_pin(&m, 4, 1, &flags));
    assert_true(madt_nmi_pin(&m, 0x104, 0, &flags));
    assert_int_equal(flags, 9);
    assert_int_equal(m.nmi_source_count, 1);
    assert_int_equal(m.nmi_source[0].gsi, 23);
    assert_int_equal(m.nmi_source[0].flags, 5);
    free(p);

    p = make_madt(all, sizeof(all));
    assert_true(acpi_madt_parse((void *)p, &m));
    assert_true(madt_nmi_pin(&m, 3, 0, &flags));
    assert_int_equal(flags, 0x0d);
    assert_true(madt_nmi_pin(&m, 0x12345, 0, &flags));
    assert_false(madt_nmi_pin(&m, 3, 1, &flags));
    free(p);
}

/* An APIC that cannot be where the table says is where it is after reset. */
static void madt_address(void **state)
{
    static const uint8_t odd[] = {5, 12, 0, 0, 0, 0, 0xe0, 0xfe, 0, 0, 0x10, 0};
    struct acpi_madt m;
    uint8_t *p = make_madt(odd, sizeof(odd)); /* 2^52 and more */

    (void)state;
    put32(p + 36, 0xfee00123);
    assert_true(acpi_madt_parse((void *)p, &m));
    assert_int_equal(m.lapic_address, 0xfee00000);
    assert_int_equal(m.dropped, 2);
    put32(p + 36, 0xfec80000);
    assert_true(acpi_madt_parse((void *)p, &m));
    assert_int_equal(m.lapic_address, 0xfec80000);
    assert_int_equal(m.dropped, 1);
    free(p);
}

static void madt_random(void **state)
{
    (void)state;
    srand(3);
    for (unsigned int round = 0; round < 20000; round++) {
        uint8_t bytes[64];
        struct acpi_madt m;
        uint8_t *p;
        size_t n = (size_t)rand() % sizeof(bytes);

        for (size_t i = 0; i < n; i++) {
            bytes[i] = (uint8_t)(rand() % 3 ? rand() % 20 : rand());
        }
        p = make_madt(bytes, n);
        assert_true(acpi_madt_parse((void *)p, &m));
        free(p);
    }
}

static void madt_too_many(void **state)
{
    uint8_t *entries = calloc(100, 8);
    struct acpi_madt m;
    uint8_t *p;

    (void)state;
    for (unsigned int i = 0; i < 100; i++) {
        entries[8 * i + 1] = 8;
    }
    p = make_madt(entries, 800);
    assert_true(acpi_madt_parse((void *)p, &m));
    assert_int_equal(m.cpu_count, MADT_CPUS_MAX);
    assert_int_equal(m.dropped, 100 - MADT_CPUS_MAX);
    free(p);
    free(entries);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rsdp),
        cmocka_unit_test(fadt),
        cmocka_unit_test(s5),
        cmocka_unit_test(madt),
        cmocka_unit_test(madt_broken),
        cmocka_unit_test(madt_cpus),
        cmocka_unit_test(madt_sockets),
        cmocka_unit_test(madt_nmis),
        cmocka_unit_test(madt_address),
        cmocka_unit_test(madt_random),
        cmocka_unit_test(madt_too_many),
    };

    return UNIT_RUN(tests);
}
