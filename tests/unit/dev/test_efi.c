/* SPDX-License-Identifier: MIT */
/*
 * dev/efi.c: memory maps and system tables as firmware might break them.
 * The source is included, since its state lasts as long as the program.
 */
#include "tests/unit/unit.h"

#include "dev/efi.c"
#include "fake_printk.h"

#define FIRMWARE                                                               \
    0x3f000000UL /* a region of runtime data, one page of it here */

static uint8_t page[PAGE_SIZE] ALIGNED(16);

/* Machine memory is that page; elsewhere nobody may look. */
void *iomap(maddr_t a, size_t bytes)
{
    assert_in_range(a, FIRMWARE, FIRMWARE + PAGE_SIZE);
    assert_in_range(a + bytes, FIRMWARE, FIRMWARE + PAGE_SIZE);
    return page + (a - FIRMWARE);
}

static const struct efi_descriptor ovmf[] = {
    /* clang-format off */
    {EFI_CONVENTIONAL, 0, 0x0,        0, 0x80,   0xf},
    {EFI_BOOT_CODE,    0, 0x80000,    0, 0x20,   0xf},
    {EFI_CONVENTIONAL, 0, 0x100000,   0, 0x706,  0xf},
    {EFI_ACPI_NVS,     0, 0x806000,   0, 0x2,    0xf},
    {EFI_RUNTIME_DATA, 0, FIRMWARE,   0, 1,      0xf | EFI_ATTR_RUNTIME},
    {EFI_ACPI_RECLAIM, 0, 0x3f76c000, 0, 0x12,   0xf},
    {EFI_MMIO,         0, 0xffc00000, 0, 0x400,  1 | EFI_ATTR_RUNTIME},
    /* clang-format on */
};

static int reset(void **state)
{
    (void)state;
    map_count = 0;
    has_sys = false;
    memset(&sys, 0, sizeof(sys));
    memset(page, 0, sizeof(page));
    fake_printk_last[0] = '\0';
    return 0;
}

static uint32_t e820_of(uint32_t type, uint64_t attr)
{
    return efi_map_e820(&(struct efi_region){0x1000, 0x1000, attr, type});
}

static void types(void **state)
{
    (void)state;
    assert_int_equal(e820_of(EFI_CONVENTIONAL, 0xf), MEMMAP_RAM);
    assert_int_equal(e820_of(EFI_BOOT_CODE, 0xf), MEMMAP_RAM);
    assert_int_equal(e820_of(EFI_BOOT_DATA, 0xf), MEMMAP_RAM);
    assert_int_equal(e820_of(EFI_LOADER_CODE, 0xf), MEMMAP_RAM);
    assert_int_equal(e820_of(EFI_LOADER_DATA, 0xf), MEMMAP_RAM);
    assert_int_equal(e820_of(EFI_CONVENTIONAL, 0x7), MEMMAP_RESERVED);
    assert_int_equal(e820_of(EFI_CONVENTIONAL, 0xf | EFI_ATTR_SP),
                     MEMMAP_RESERVED);
    assert_int_equal(e820_of(EFI_BOOT_DATA, 0xf | EFI_ATTR_RUNTIME),
                     MEMMAP_RESERVED);
    assert_int_equal(e820_of(EFI_RUNTIME_CODE, 0xf), MEMMAP_RESERVED);
    assert_int_equal(e820_of(EFI_RUNTIME_DATA, 0xf), MEMMAP_RESERVED);
    assert_int_equal(e820_of(EFI_RESERVED, 0xf), MEMMAP_RESERVED);
    assert_int_equal(e820_of(EFI_MMIO, 1), MEMMAP_RESERVED);
    assert_int_equal(e820_of(EFI_MMIO_PORTS, 1), MEMMAP_RESERVED);
    assert_int_equal(e820_of(14, 0xf), MEMMAP_RESERVED);
    assert_int_equal(e820_of(0x80000000, 0xf), MEMMAP_RESERVED);
    assert_int_equal(e820_of(EFI_ACPI_RECLAIM, 0xf), MEMMAP_ACPI);
    assert_int_equal(e820_of(EFI_ACPI_NVS, 0xf), MEMMAP_NVS);
    assert_int_equal(e820_of(EFI_UNUSABLE, 0xf), MEMMAP_UNUSABLE);
}

static void map_lookup(void **state)
{
    struct efi_region r;

    (void)state;
    assert_int_equal(efi_map_load(ovmf, sizeof(ovmf), sizeof(ovmf[0])), 0);
    assert_true(efi_map_region(2, &r));
    assert_int_equal(r.start, 0x100000);
    assert_int_equal(r.bytes, 0x706000);
    assert_false(efi_map_region(ARRAY_SIZE(ovmf), &r));
    assert_true(efi_map_find(0x807fff, &r));
    assert_int_equal(r.type, EFI_ACPI_NVS);
    assert_false(efi_map_find(0x808000, &r));
}

/* Descriptors may be longer than the specification names; neighbours merge. */
static void map_stride(void **state)
{
    uint8_t *wide = calloc(3, 48);
    struct efi_descriptor d = {EFI_CONVENTIONAL, 0, 0x100000, 0, 1, 0xf};
    struct efi_region r;

    (void)state;
    memcpy(wide, &d, sizeof(d));
    d.start += PAGE_SIZE;
    memcpy(wide + 48, &d, sizeof(d));
    d.start += PAGE_SIZE;
    d.attr = 0xe;
    memcpy(wide + 96, &d, sizeof(d));
    /* The third is cut short by a byte: it does not count. */
    assert_int_equal(efi_map_load(wide, 3 * 48 - 1, 48), 0);
    assert_int_equal(map_count, 1);
    assert_true(efi_map_region(0, &r));
    assert_int_equal(r.bytes, 2 * PAGE_SIZE);
    assert_int_equal(efi_map_load(wide, 3 * 48, 48), 0);
    assert_int_equal(map_count, 2);
    free(wide);
}

static void map_nonsense(void **state)
{
    struct efi_descriptor d[MAP_MAX + 3];
    const struct efi_descriptor bad[] = {
        {EFI_CONVENTIONAL, 0, 0x1000, 0, 0, 0xf},             /* empty     */
        {EFI_CONVENTIONAL, 0, 0x1000, 0, ~0ULL, 0xf},         /* wraps     */
        {EFI_CONVENTIONAL, 0, 0x1800, 0, 1, 0xf},             /* half page */
        {EFI_CONVENTIONAL, 0, 0xfffffffffffff000, 0, 1, 0xf}, /* no wires */
    };

    (void)state;
    assert_int_equal(efi_map_load(bad, sizeof(bad), sizeof(bad[0])), -EINVAL);
    assert_int_equal(efi_map_load(ovmf, sizeof(ovmf), 39), -EINVAL);
    assert_int_equal(efi_map_load(ovmf, sizeof(ovmf), 0), -EINVAL);
    assert_int_equal(efi_map_load(ovmf, 39, 40), -EINVAL);
    assert_int_equal(efi_map_load(ovmf, 0, 40), -EINVAL);
    for (unsigned int i = 0; i < ARRAY_SIZE(d); i++) {
        d[i] = (struct efi_descriptor){7, 0, 0x2000ULL * i, 0, 1, 0xf};
    }
    assert_int_equal(efi_map_load(d, sizeof(d), sizeof(d[0])), 0);
    assert_int_equal(map_count, MAP_MAX);
    assert_non_null(strstr(fake_printk_last, "3 entries"));
}

/* A system table at the start of the page, its vendor at 0x200. */
static struct efi_system_table *table(void)
{
    static const uint16_t name[] = {'E', 'D', 'K', 0x20ac, 0};
    struct efi_system_table *t = (void *)page;

    assert_int_equal(efi_map_load(ovmf, sizeof(ovmf), sizeof(ovmf[0])), 0);
    *t = (struct efi_system_table){
        .head = {TABLE_SIGNATURE, 0x00020046, sizeof(*t), 0, 0},
        .vendor = FIRMWARE + 0x200,
        .vendor_revision = 0x10000,
        .runtime = FIRMWARE + 0x400,
        .config_count = 11,
        .config = FIRMWARE + 0x300,
    };
    memcpy(page + 0x200, name, sizeof(name));
    return t;
}

static void system_table(void **state)
{
    const struct efi_system *s;

    (void)state;
    (void)table();
    efi_init(FIRMWARE);
    s = efi_system();
    assert_non_null(s);
    assert_int_equal(s->revision, 0x00020046);
    assert_int_equal(s->vendor_revision, 0x10000);
    assert_int_equal(s->vendor[3], 0x20ac);
    assert_int_equal(s->vendor[4], 0);
    assert_int_equal(s->config, FIRMWARE + 0x300);
    assert_int_equal(s->config_count, 11);
    assert_int_equal(s->runtime, FIRMWARE + 0x400);
    assert_non_null(strstr(fake_printk_last, "EFI v2.70 by EDK?"));
}

static void system_table_broken(void **state)
{
    (void)state;
    table()->head.signature ^= 1;
    efi_init(FIRMWARE);
    assert_null(efi_system());
    table()->head.bytes = sizeof(struct efi_system_table) - 1;
    efi_init(FIRMWARE);
    assert_null(efi_system());
    table()->head.bytes = 0x80000000;
    efi_init(FIRMWARE);
    assert_null(efi_system());
    (void)table();
    efi_init(0x50000000); /* nowhere */
    assert_null(efi_system());
    efi_init(FIRMWARE + PAGE_SIZE - 8); /* its end is nowhere */
    assert_null(efi_system());
    assert_non_null(strstr(fake_printk_last, "not in EFI's memory map"));
}

static void vendor_and_config_broken(void **state)
{
    struct efi_system_table *t = table();

    (void)state;
    t->vendor = 0x50000000;
    t->config = FIRMWARE + PAGE_SIZE - 10 * CONFIG_BYTES; /* has 11 */
    efi_init(FIRMWARE);
    assert_non_null(efi_system());
    assert_int_equal(efi_system()->vendor[0], 0);
    assert_int_equal(efi_system()->config_count, 0);
    reset(NULL);
    /* A name without an end, at the end of its region. */
    t = table();
    t->vendor = FIRMWARE + PAGE_SIZE - 4;
    memset(page + PAGE_SIZE - 4, 'x', 4);
    t->config_count = ~0ULL / CONFIG_BYTES + 2; /* times 24 is small again */
    efi_init(FIRMWARE);
    assert_int_equal(efi_system()->vendor[1], 0x7878);
    assert_int_equal(efi_system()->vendor[2], 0);
    assert_int_equal(efi_system()->config_count, 0);
    reset(NULL);
    t = table();
    t->vendor = FIRMWARE + 0x600; /* longer than we keep */
    memset(page + 0x600, 'y', 0x400);
    efi_init(FIRMWARE);
    assert_int_equal(efi_system()->vendor[EFI_VENDOR_CHARS - 1], 0);
    assert_int_equal(efi_system()->vendor[EFI_VENDOR_CHARS - 2], 0x7979);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(types, reset),
        cmocka_unit_test_setup(map_lookup, reset),
        cmocka_unit_test_setup(map_stride, reset),
        cmocka_unit_test_setup(map_nonsense, reset),
        cmocka_unit_test_setup(system_table, reset),
        cmocka_unit_test_setup(system_table_broken, reset),
        cmocka_unit_test_setup(vendor_and_config_broken, reset),
    };

    return UNIT_RUN(tests);
}
