/* SPDX-License-Identifier: MIT */
/*
 * Every table Vigil reads, as iasl makes it from the sources in acpi/ here:
 * good ones, ones that lie, and what becomes of each when any of its bytes
 * changes or its end is missing.  Tables lie in allocations of their exact
 * size, so that AddressSanitizer sees each byte read too far.
 */
#include "tests/unit/dev/acpi_machine.h"

#include <dirent.h>

#include "dev/acpi_bert.h"
#include "dev/acpi_erst.h"
#include "dev/acpi_hest.h"
#include "dev/acpi_hpet.h"
#include "dev/acpi_madt.h"
#include "dev/acpi_mcfg.h"
#include "dev/numa.h"

#define LENGTH_AT 4

/* ---- one table, its own parser, and what must hold whatever it says --------- */

static void parse_madt(const void *p)
{
    struct acpi_madt m;

    if (!acpi_madt_parse(p, &m)) {
        return;
    }
    assert_true(m.cpu_count <= MADT_CPUS_MAX);
    assert_true(m.ioapic_count <= MADT_IOAPICS_MAX);
    assert_true(m.override_count <= MADT_OVERRIDES_MAX);
    assert_true(m.nmi_count <= MADT_NMIS_MAX);
    assert_true(m.lapic_address % PAGE_SIZE == 0 && m.lapic_address >> 52 == 0);
    for (unsigned int i = 0; i < m.cpu_count; i++) {
        for (unsigned int k = 0; k < i && m.cpu[i].is_enabled; k++) {
            assert_false(m.cpu[k].is_enabled &&
                         m.cpu[k].apic_id == m.cpu[i].apic_id);
        }
    }
}

static void parse_mcfg(const void *p)
{
    struct acpi_mcfg m;

    if (!acpi_mcfg_parse(p, &m)) {
        return;
    }
    assert_true(m.count <= MCFG_WINDOWS_MAX);
    for (unsigned int i = 0; i < m.count; i++) {
        const struct mcfg_window *w = &m.window[i];

        assert_true(w->bus_first <= w->bus_last);
        assert_true(w->base != 0 && w->base % MCFG_BUS_BYTES == 0);
        assert_true(w->base + ((w->bus_last + 1ULL) << 20) <= 1ULL << 52);
    }
}

static void parse_srat(const void *p)
{
    struct numa_map m;
    const char *why = NULL;

    if (!numa_srat_parse(p, &m, &why)) {
        assert_non_null(why);
        assert_int_equal(m.range_count + m.cpu_count, 0);
        assert_int_equal(m.node_count, 1);
        return;
    }
    assert_true(m.node_count >= 1 && m.node_count <= NUMA_NODES_MAX);
    for (unsigned int i = 0; i < m.range_count; i++) {
        assert_true(m.range[i].node < m.node_count);
        assert_true(m.range[i].start < m.range[i].end);
        assert_true(m.range[i].end <= 1ULL << 52);
        for (unsigned int k = 0; k < i; k++) {
            assert_true(m.range[i].end <= m.range[k].start ||
                        m.range[k].end <= m.range[i].start);
        }
    }
    for (unsigned int i = 0; i < m.cpu_count; i++) {
        assert_true(m.cpu[i].node < m.node_count);
    }
}

static void parse_slit(const void *p)
{
    struct numa_map m;
    const char *why = NULL;

    numa_map_reset(&m);
    m.node_count = 4;
    for (unsigned int i = 0; i < m.node_count; i++) {
        m.domain[i] = i == 3 ? 1000000 : i;
    }
    if (!numa_slit_parse(p, &m, &why)) {
        assert_non_null(why);
    }
    for (unsigned int i = 0; i < m.node_count; i++) {
        assert_int_equal(m.distance[i][i], NUMA_NEAR);
    }
}

static void parse_hest(const void *p)
{
    struct acpi_hest h;

    if (!acpi_hest_parse(p, &h)) {
        return;
    }
    assert_true(h.generic_count <= HEST_GENERIC_MAX);
    for (unsigned int i = 0; i < h.generic_count; i++) {
        assert_true(h.generic[i].status.address != 0);
        assert_true(h.generic[i].block_bytes >= 20);
        assert_true(h.generic[i].block_bytes <= 1U << 20);
    }
}

static void parse_erst(const void *p)
{
    struct acpi_erst e;
    const char *why = NULL;

    if (!acpi_erst_parse(p, &e, &why)) {
        assert_non_null(why);
    }
}

static void parse_bert(const void *p)
{
    maddr_t at;
    uint32_t bytes;

    if (acpi_bert_parse(p, &at, &bytes)) {
        assert_true(at != 0 && at < 1ULL << 52);
        assert_true(bytes >= 20 && bytes <= 1U << 20);
    }
}

static void parse_hpet(const void *p)
{
    struct acpi_hpet h;

    if (acpi_hpet_parse(p, &h)) {
        assert_true(h.base != 0 && h.base < 1ULL << 52);
        assert_true(h.base % HPET_BYTES == 0);
    }
}

static void parse_fadt(const void *p)
{
    struct acpi_fixed f;

    if (!acpi_fadt_parse(p, &f)) {
        return;
    }
    assert_true(f.pm1a_cnt <= 0xfffc && f.pm_timer <= 0xfffc);
    if (f.has_reset && f.reset_space == ACPI_SPACE_IO) {
        assert_true(f.reset_address <= 0xffff);
    } else if (f.has_reset) {
        assert_true(f.reset_space == ACPI_SPACE_MEMORY ||
                    f.reset_space == ACPI_SPACE_PCI);
    }
}

static const struct {
    const char *signature;
    void (*parse)(const void *table);
} parsers[] = {
    {"APIC", parse_madt}, {"MCFG", parse_mcfg}, {"SRAT", parse_srat},
    {"SLIT", parse_slit}, {"HEST", parse_hest}, {"ERST", parse_erst},
    {"BERT", parse_bert}, {"HPET", parse_hpet}, {"FACP", parse_fadt},
};

#define PARSERS (sizeof(parsers) / sizeof(parsers[0]))

static unsigned int parsed;

static void parse(const void *p)
{
    for (unsigned int i = 0; i < PARSERS; i++) {
        if (memcmp(p, parsers[i].signature, 4) == 0) {
            parsers[i].parse(p);
            parsed++;
        }
    }
}

/* ---- every fixture, changed in every byte and cut at every length ------------ */

static void each_fixture(void (*fn)(const uint8_t *p, size_t bytes))
{
    DIR *dir = opendir(ACPI_FIXTURES);
    struct dirent *d;
    unsigned int n = 0;

    assert_non_null(dir);
    while ((d = readdir(dir)) != NULL) {
        char *dot = strrchr(d->d_name, '.');
        size_t bytes;
        uint8_t *p;

        if (dot == NULL || strcmp(dot, ".aml") != 0) {
            continue;
        }
        *dot = '\0';
        p = fixture_load(d->d_name, &bytes);
        fn(p, bytes);
        free(p);
        n++;
    }
    closedir(dir);
    assert_true(n >= 22);
}

static void mutate(const uint8_t *good, size_t bytes)
{
    static const uint8_t values[] = {0, 1, 2, 0x7f, 0x80, 0xfe, 0xff};
    uint8_t *p = malloc(bytes);

    memcpy(p, good, bytes);
    for (size_t at = 0; at < bytes; at++) {
        if (at < 4 || (at >= LENGTH_AT && at < LENGTH_AT + 4)) {
            continue; /* acpi.c has looked at these */
        }
        for (unsigned int v = 0; v < sizeof(values); v++) {
            p[at] = values[v];
            parse(p);
        }
        for (unsigned int bit = 0; bit < 8; bit++) {
            p[at] = good[at] ^ (uint8_t)(1U << bit);
            parse(p);
        }
        p[at] = good[at];
    }
    free(p);
}

static void cut(const uint8_t *good, size_t bytes)
{
    for (size_t n = sizeof(struct acpi_header); n < bytes; n++) {
        uint8_t *p = malloc(n);

        memcpy(p, good, n);
        put32(p + LENGTH_AT, (uint32_t)n);
        parse(p);
        free(p);
    }
}

static void any_byte(void **state)
{
    (void)state;
    parsed = 0;
    each_fixture(mutate);
    assert_true(parsed > 10000);
}

static void any_end(void **state)
{
    (void)state;
    parsed = 0;
    each_fixture(cut);
    assert_true(parsed > 1000);
}

/* A parser is given a table that is not its own. */
static void not_mine(const uint8_t *p, size_t bytes)
{
    struct acpi_madt madt;
    struct acpi_mcfg mcfg;
    struct numa_map map;
    struct acpi_hest hest;
    struct acpi_erst erst;
    struct acpi_hpet hpet;
    struct acpi_fixed fixed;
    maddr_t at;
    uint32_t n;
    const char *why;
    unsigned int takers = 0;

    (void)bytes;
    numa_map_reset(&map);
    takers += acpi_madt_parse((const void *)p, &madt);
    takers += acpi_mcfg_parse((const void *)p, &mcfg);
    takers += numa_slit_parse((const void *)p, &map, &why);
    takers += numa_srat_parse((const void *)p, &map, &why);
    takers += acpi_hest_parse((const void *)p, &hest);
    takers += acpi_erst_parse((const void *)p, &erst, &why);
    takers += acpi_bert_parse((const void *)p, &at, &n);
    takers += acpi_hpet_parse((const void *)p, &hpet);
    takers += acpi_fadt_parse((const void *)p, &fixed);
    assert_true(takers <= 1);
}

static void signatures(void **state)
{
    (void)state;
    each_fixture(not_mine);
}

/* ---- what the good ones and the liars come to -------------------------------- */

static void madt(void **state)
{
    struct acpi_madt m;
    uint16_t flags;
    void *p = fixture_load("apic", NULL);

    (void)state;
    assert_true(acpi_madt_parse(p, &m));
    assert_int_equal(m.dropped, 0);
    assert_int_equal(m.cpu_count, 5);
    assert_int_equal(m.cpu[1].apic_id, 2);
    assert_true(m.cpu[2].is_online_capable);
    assert_int_equal(m.cpu[4].apic_id, 0x101);
    assert_int_equal(m.ioapic_count, 2);
    assert_int_equal(m.ioapic[1].gsi_base, 24);
    assert_int_equal(m.override_count, 2);
    assert_int_equal(m.nmi_source_count, 1);
    assert_true(madt_nmi_pin(&m, 3, 1, &flags));
    assert_true(madt_nmi_pin(&m, 0x100, 0, &flags));
    free(p);
    p = fixture_load("apic-liar", NULL);
    assert_true(acpi_madt_parse(p, &m));
    assert_int_equal(m.cpu_count, 1);
    assert_int_equal(m.ioapic_count + m.override_count + m.nmi_count, 0);
    assert_int_equal(m.lapic_address, 0xfee00000);
    assert_int_equal(m.dropped, 7);
    free(p);
}

static void fadt(void **state)
{
    struct acpi_fixed f;
    void *p = fixture_load("facp", NULL);

    (void)state;
    assert_true(acpi_fadt_parse(p, &f));
    assert_int_equal(f.pm1a_evt, 0x600);
    assert_int_equal(f.pm1a_cnt, 0x604);
    assert_int_equal(f.pm_timer, 0x608);
    assert_true(f.pm_timer_is_32bit && f.has_8042 && f.has_reset);
    assert_int_equal(f.sci, 9);
    assert_int_equal(f.reset_address, 0xcf9);
    assert_int_equal(f.reset_value, 6);
    assert_int_equal(f.dsdt, 0x3ffe0040);
    free(p);
    p = fixture_load("facp-reduced", NULL);
    assert_true(acpi_fadt_parse(p, &f));
    assert_true(f.is_reduced && f.has_reset);
    assert_int_equal(f.pm1a_cnt + f.pm1a_evt + f.pm_timer + f.smi_command, 0);
    free(p);
    p = fixture_load("facp-liar", NULL);
    assert_true(acpi_fadt_parse(p, &f));
    assert_int_equal(f.pm1a_cnt + f.pm1a_evt + f.pm_timer, 0);
    assert_false(f.has_reset);
    free(p);
}

static void numa(void **state)
{
    struct numa_map m;
    const char *why = NULL;
    void *p = fixture_load("srat", NULL), *slit = fixture_load("slit", NULL);

    (void)state;
    assert_true(numa_srat_parse(p, &m, &why));
    assert_int_equal(m.dropped, 0);
    assert_int_equal(m.node_count, 2);
    assert_int_equal(m.domain[0], 2);
    assert_int_equal(m.domain[1], 0x100);
    assert_int_equal(m.range_count, 4);
    assert_int_equal(m.cpu_count, 4);
    assert_int_equal(m.distance[0][1], NUMA_FAR);
    /* The SLIT knows nothing of domain 0x100. */
    assert_true(numa_slit_parse(slit, &m, &why));
    assert_int_equal(m.distance[0][1], NUMA_FAR);
    m.domain[1] = 0;
    assert_true(numa_slit_parse(slit, &m, &why));
    assert_int_equal(m.distance[0][1], 31);
    assert_int_equal(m.distance[1][0], 21);
    free(slit);
    free(p);
    p = fixture_load("srat-clash", NULL);
    assert_false(numa_srat_parse(p, &m, &why));
    assert_string_equal(why, "two nodes claim the same memory");
    free(p);
    p = fixture_load("srat-liar", NULL);
    assert_true(numa_srat_parse(p, &m, &why));
    assert_int_equal(m.node_count, 1);
    assert_int_equal(m.range_count, 1);
    assert_int_equal(m.dropped, 5);
    free(p);
    p = fixture_load("slit-near", NULL);
    m.node_count = 2;
    m.domain[0] = 0;
    m.domain[1] = 1;
    m.distance[0][1] = 77;
    assert_false(numa_slit_parse(p, &m, &why));
    assert_string_equal(why, "a distance makes no sense");
    assert_int_equal(m.distance[0][1], 77);
    /* Counts whose square wraps or does not fit. */
    put64((uint8_t *)p + 36, 1ULL << 32);
    assert_false(numa_slit_parse(p, &m, &why));
    put64((uint8_t *)p + 36, 3);
    assert_false(numa_slit_parse(p, &m, &why));
    put64((uint8_t *)p + 36, 0);
    assert_false(numa_slit_parse(p, &m, &why));
    free(p);
}

static void hest(void **state)
{
    struct acpi_hest h;
    void *p = fixture_load("hest", NULL);

    (void)state;
    assert_true(acpi_hest_parse(p, &h));
    assert_int_equal(h.dropped, 0);
    assert_int_equal(h.source_count, 11);
    assert_int_equal(h.count[HEST_MACHINE_CHECK], 1);
    assert_int_equal(h.count[HEST_CORRECTED_CHECK], 1);
    assert_int_equal(h.count[HEST_DEFERRED_CHECK], 1);
    assert_int_equal(h.count[HEST_NMI], 1);
    assert_int_equal(h.count[HEST_PCIE_BRIDGE], 0); /* not enabled */
    assert_int_equal(h.generic_count, 4);
    assert_int_equal(h.generic[0].notify, HEST_BY_NMI);
    assert_int_equal(h.generic[0].status.address, 0x3ff00000);
    assert_int_equal(h.generic[0].block_bytes, 0x1000);
    assert_false(h.generic[0].has_ack);
    assert_true(h.generic[1].has_ack);
    assert_int_equal(h.generic[1].ack.address, 0x3ff00018);
    assert_int_equal(h.generic[1].ack_set, 1);
    assert_int_equal(h.generic[2].notify, HEST_BY_POLLING);
    free(p);
    p = fixture_load("hest-liar", NULL);
    assert_true(acpi_hest_parse(p, &h));
    assert_int_equal(h.generic_count, 1);
    assert_int_equal(h.generic[0].id, 6);
    assert_int_equal(h.source_count, 1);
    assert_int_equal(h.dropped, 5 + 0xffffffffU - 6);
    free(p);
}

static void small_ones(void **state)
{
    struct acpi_erst e;
    struct acpi_hpet h;
    struct acpi_mcfg m;
    const char *why = NULL;
    maddr_t at;
    uint32_t bytes;
    void *p = fixture_load("erst", NULL);

    (void)state;
    assert_true(acpi_erst_parse(p, &e, &why));
    assert_int_equal(e.instruction_count, 14);
    ((uint8_t *)p)[48 + 1] = 0x13;
    assert_false(acpi_erst_parse(p, &e, &why));
    assert_string_equal(why, "an instruction nobody knows");
    free(p);
    p = fixture_load("erst-count", NULL);
    assert_false(acpi_erst_parse(p, &e, &why));
    assert_string_equal(why, "it does not hold its instructions");
    free(p);
    p = fixture_load("erst-hole", NULL);
    assert_false(acpi_erst_parse(p, &e, &why));
    assert_string_equal(why, "an action it cannot do without is missing");
    free(p);

    p = fixture_load("hpet", NULL);
    assert_true(acpi_hpet_parse(p, &h));
    assert_int_equal(h.base, 0xfed00000);
    assert_int_equal(h.min_tick, 0x80);
    free(p);
    p = fixture_load("hpet-port", NULL);
    assert_false(acpi_hpet_parse(p, &h));
    free(p);
    p = fixture_load("hpet-nowhere", NULL);
    assert_false(acpi_hpet_parse(p, &h));
    free(p);

    p = fixture_load("bert", NULL);
    assert_true(acpi_bert_parse(p, &at, &bytes));
    assert_int_equal(at, 0x140000000);
    assert_int_equal(bytes, 0x100);
    free(p);
    p = fixture_load("bert-nowhere", NULL);
    assert_false(acpi_bert_parse(p, &at, &bytes));
    free(p);

    p = fixture_load("mcfg-liar", NULL);
    assert_true(acpi_mcfg_parse(p, &m));
    assert_int_equal(m.count, 1);
    assert_int_equal(m.dropped, 4);
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_byte),   cmocka_unit_test(any_end),
        cmocka_unit_test(signatures), cmocka_unit_test(madt),
        cmocka_unit_test(fadt),       cmocka_unit_test(numa),
        cmocka_unit_test(hest),       cmocka_unit_test(small_ones),
    };

    return UNIT_RUN(tests);
}
