/* SPDX-License-Identifier: MIT */
/*
 * dev/acpi.c with all that hangs on it: whole machines, whose firmware is
 * sound, poor, or mad.
 */
#include "tests/unit/dev/acpi_machine.h"

#include "dev/acpi_bert.h"
#include "dev/acpi_hest.h"
#include "dev/acpi_hpet.h"
#include "dev/acpi_madt.h"
#include "dev/acpi_mcfg.h"
#include "dev/numa.h"
#include "tests/fake/fake_printk.h"

#define LENGTH_AT   4
#define CHECKSUM_AT 9

#define RSDP_AT   0xf0000
#define TABLES_AT 0x3ffe0000

static const char *const set[] = {"facp", "apic", "hpet", "mcfg", "srat",
                                  "slit", "hest", "erst", "bert"};

#define SET (sizeof(set) / sizeof(set[0]))

static const struct memmap_region ram[] = {
    {0, 0xa0000, MEMMAP_RAM},
    {0x100000, 0x3ffe0000, MEMMAP_RAM},
    {0x3ffe0000, 0x40000000, MEMMAP_RESERVED},
    {0, 0, MEMMAP_RAM},
};

/* The machine with the tables of @names; @spoil changes one before. */
static void build(const char *const names[], unsigned int count,
                  void (*spoil)(uint8_t *table, size_t bytes))
{
    uint8_t *root = table("XSDT", (uint32_t)(36 + 8 * count));
    uint8_t bios[0x20000], low[2] = {0}, *rsdp = bios;

    machine_reset();
    machine_hardware();
    machine_map = ram;
    fake_printk_forget();
    for (unsigned int i = 0; i < count; i++) {
        size_t bytes;
        uint8_t *p = fixture_load(names[i], &bytes);
        maddr_t at = TABLES_AT + 0x2000 + 0x2000 * i;

        if (spoil != NULL) {
            spoil(p, bytes);
        }
        machine_put(at, p, bytes);
        put64(root + 36 + 8 * i, at);
        free(p);
    }
    fix_sum(root, 36 + 8 * count, CHECKSUM_AT);
    machine_put(TABLES_AT, root, 36 + 8 * count);
    free(root);
    memset(bios, 0, sizeof(bios));
    memcpy(rsdp, "RSD PTR ", 8);
    rsdp[15] = 2;
    put32(rsdp + 20, 36);
    put64(rsdp + 24, TABLES_AT);
    fix_sum(rsdp, 20, 8);
    fix_sum(rsdp, 36, 32);
    machine_put(RSDP_AT - 0x10000, bios, sizeof(bios));
    machine_put(0x40e, low, 2);
}

static void machine(void **state)
{
    unsigned int node;

    (void)state;
    build(set, SET, NULL);
    assert_int_equal(acpi_init(NULL, 0), 0);
    assert_int_equal(acpi_rsdp_maddr(), 0xe0000);
    assert_int_equal(acpi_madt()->cpu_count, 5);
    assert_int_equal(acpi_fixed()->pm_timer, 0x608);
    assert_int_equal(acpi_hpet()->base, 0xfed00000);
    assert_int_equal(mcfg_base(0, 1), 0xb0100000);
    assert_int_equal(acpi_hest()->generic_count, 4);
    assert_int_equal(numa_node_count(), 2);
    assert_int_equal(numa_node_of(0x1000), 0);
    assert_int_equal(numa_node_of(0x180000000), 1);
    assert_int_equal(numa_node_of(~0ULL), 0);
    assert_int_equal(numa_node_of_apic(0x101), 1);
    assert_int_equal(numa_node_of_apic(77), 0);
    assert_true(numa_node_of_domain(0x100, &node));
    assert_int_equal(node, 1);
    assert_false(numa_node_of_domain(77, &node));
    assert_int_equal(numa_distance(0, 0), 10);
    assert_int_equal(numa_distance(0, 1), 20);
    assert_int_equal(numa_distance(0, 2), 255);
    /* The region of the BERT lies in no memory the machine has: all ones. */
    assert_non_null(acpi_bert());
    assert_non_null(machine_reboot_ops);
    assert_true(fake_printk_said("generic by NMI 2, polled 1, others 1"));
}

/* Nothing of a machine before is left when the next says less. */
static void machine_of_little(void **state)
{
    static const char *const little[] = {
        "apic-liar", "srat-clash", "hpet-port",    "mcfg-liar",
        "hest-liar", "erst-hole",  "bert-nowhere", "slit-near"};

    (void)state;
    build(set, SET, NULL);
    assert_int_equal(acpi_init(NULL, 0), 0);
    build(little, 8, NULL);
    assert_int_equal(acpi_init(NULL, 0), 0);
    assert_int_equal(acpi_madt()->cpu_count, 1);
    assert_int_equal(acpi_fixed()->pm1a_cnt, 0);
    assert_int_equal(acpi_hpet()->base, 0);
    assert_int_equal(mcfg_base(1, 0), 0);
    assert_int_equal(acpi_hest()->generic_count, 1);
    assert_int_equal(numa_node_count(), 1);
    assert_null(acpi_bert());
    assert_null(machine_reboot_ops);
    assert_true(fake_printk_said("no valid FADT"));
    assert_true(fake_printk_said("SRAT: two nodes claim the same memory"));
    assert_true(fake_printk_said("HPET names no registers"));
    assert_true(fake_printk_said("MCFG: 4 windows make no sense"));
    assert_true(fake_printk_said("MADT: 7 entries make no sense"));
    assert_true(fake_printk_said("ERST: an action it cannot do without"));
    assert_true(fake_printk_said("BERT names no error region"));
}

/* Registers and records that the memory map says are something else. */
static void in_memory(void **state)
{
    static const char *const names[] = {"hpet", "mcfg", "bert"};
    static const struct memmap_region all_ram[] = {
        {0, 0x40000000, MEMMAP_RAM},
        {0xb0000000, 0xb0001000, MEMMAP_NVS},
        {0xfed00000, 0xfed01000, MEMMAP_ACPI},
        {0x140000080, 0x140001000, MEMMAP_KEPT},
        {0, 0, MEMMAP_RAM},
    };

    (void)state;
    build(names, 3, NULL);
    machine_map = all_ram;
    assert_int_equal(acpi_init(NULL, 0), 0);
    assert_int_equal(acpi_hpet()->base, 0);
    assert_true(fake_printk_said("0xfed00000 would be memory"));
    assert_int_equal(mcfg_base(0, 0), 0);
    assert_int_equal(mcfg_base(1, 0), 0x3f00000000);
    assert_true(fake_printk_said("window at 0xb0000000 has memory in it"));
    assert_null(acpi_bert());
    assert_true(fake_printk_said("0x140000000 is ordinary memory"));
}

static void break_sum(uint8_t *p, size_t bytes)
{
    p[bytes - 1] ^= 1;
}

static void break_length(uint8_t *p, size_t bytes)
{
    (void)bytes;
    put32(p + LENGTH_AT, 0xfffffff0);
    memcpy(p, "\x1b[2J", 4); /* a name a terminal would obey */
}

static void table_faults(void **state)
{
    (void)state;
    build(set, SET, break_sum);
    assert_int_equal(acpi_init(NULL, 0), 0);
    assert_null(acpi_madt());
    assert_true(fake_printk_said("table FACP at 0x3ffe2000: wrong checksum"));
    assert_true(fake_printk_said("table BERT at 0x3fff2000: wrong checksum"));
    build(set, SET, break_length);
    assert_int_equal(acpi_init(NULL, 0), 0);
    assert_true(fake_printk_said("table ?[2J at 0x3ffe2000: impossible length "
                                 "4294967280"));
    assert_true(fake_printk_said("no valid MADT"));
}

/* A root of nothing but nonsense ends, and does not fill the log. */
static void root_of_nonsense(void **state)
{
    const uint32_t bytes = ACPI_TABLE_BYTES_MAX - 4;
    uint8_t *root = table("XSDT", bytes), rsdp[36] = "RSD PTR ";
    unsigned int lines = fake_printk_count;

    (void)state;
    machine_reset();
    machine_hardware();
    memset(root + 36, 0xee, bytes - 36);
    fix_sum(root, bytes, CHECKSUM_AT);
    machine_put(TABLES_AT, root, bytes);
    rsdp[15] = 2;
    put32(rsdp + 20, 36);
    put64(rsdp + 24, TABLES_AT);
    fix_sum(rsdp, 20, 8);
    fix_sum(rsdp, 36, 32);
    assert_int_equal(acpi_init(rsdp, 36), 0);
    assert_true(fake_printk_count - lines < 30);
    assert_true(fake_printk_said("no such address"));
    free(root);

    /* The root beyond what this processor can address. */
    put64(rsdp + 24, 1ULL << 40);
    fix_sum(rsdp, 36, 32);
    assert_int_equal(acpi_init(rsdp, 36), -2);
    machine_is_full = true;
    put64(rsdp + 24, 0x1000);
    fix_sum(rsdp, 36, 32);
    assert_int_equal(acpi_init(rsdp, 36), -2);
}

static uint32_t dice_state = 1;

static uint32_t dice(void)
{
    dice_state = dice_state * 1103515245 + 12345;
    return dice_state >> 8;
}

/* Some bytes of each table change; the sum is right again. */
static void random_bytes(uint8_t *p, size_t bytes)
{
    uint32_t length;

    for (unsigned int n = dice() % 6; n > 0; n--) {
        p[dice() % bytes] =
            dice() % 2 ? (uint8_t)dice() : (uint8_t)(dice() % 3);
    }
    if (dice() % 8 != 0) {
        /* Whole, so that more than the first check sees it. */
        put32(p + LENGTH_AT,
              dice() % 4 ? (uint32_t)bytes : dice() % (uint32_t)bytes + 1);
    }
    memcpy(&length, p + LENGTH_AT, sizeof(length));
    if (length > bytes && length <= PAGE_SIZE) {
        /* Real: the rest of its page is memory, too.  Here it is not. */
        length = (uint32_t)bytes;
        put32(p + LENGTH_AT, length);
    }
    if (length > CHECKSUM_AT && length <= bytes) {
        fix_sum(p, length, CHECKSUM_AT);
    }
}

static void machine_random(void **state)
{
    unsigned int found = 0;

    (void)state;
    for (unsigned int round = 0; round < 400; round++) {
        build(set, SET, random_bytes);
        if (acpi_init(NULL, 0) == 0 && acpi_madt() != NULL) {
            found++;
        }
    }
    assert_true(found > 100);
    machine_reset();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(machine),          cmocka_unit_test(machine_of_little),
        cmocka_unit_test(in_memory),        cmocka_unit_test(table_faults),
        cmocka_unit_test(root_of_nonsense), cmocka_unit_test(machine_random),
    };

    return UNIT_RUN(tests);
}
