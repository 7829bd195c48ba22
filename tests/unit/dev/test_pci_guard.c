/* SPDX-License-Identifier: MIT */
/*
 * dev/pci_guard.c, pci_cfg.c, msix_table.c: the control domain configures
 * devices, but not what they send as messages; by ports and in memory.
 */
#include "tests/unit/unit.h"

#include "lib/errno.h"
#include "dev/acpi_mcfg.h"
#include "dev/ioapic.h"
#include "dev/msi.h"
#include "dev/msix_table.h"
#include "dev/pci_guard.h"
#include "fake_hw.h"
#include "mm/hvmap.h"
#include "mm/memmap.h"

/* One device on segment 0, 00:03.0; its twin on segment 1, bus 2, is in ECAM. */
#define BDF   pci_bdf(0, 0, 0x18)
#define BDF1  pci_bdf(1, 2, 0x18)
#define MSI   0x50
#define MSIX  0x70
#define TABLE 0xfd001000UL
#define ECAM  0xb0000000UL
#define CF8   (0x80000000U | 0x18 << 8)

static uint8_t config[256];
static uint8_t ecam[3][MCFG_BUS_BYTES]; /* segment 0 bus 0; segment 1 bus 2 */
static uint8_t table_page[PAGE_SIZE];
static uint32_t address;
static struct acpi_mcfg mcfg;
static uint16_t control_wanted;
static unsigned int controls, iomaps, moved;
static enum memmap_type table_is;

const struct acpi_mcfg *acpi_mcfg(void)
{
    return &mcfg;
}

enum memmap_type memmap_type_at(maddr_t a)
{
    (void)a;
    return table_is;
}

uint64_t ioapic_address(unsigned int n)
{
    return n == 0 ? 0xfec00000 : 0;
}

void *iomap(maddr_t a, size_t bytes)
{
    iomaps++;
    if (a == ECAM || a == 0xc0200000UL) {
        assert_int_equal(bytes, MCFG_BUS_BYTES);
        return ecam[a == ECAM ? 0 : 1];
    }
    assert_int_equal(a, TABLE);
    return table_page;
}

void msi_guest_control(pci_bdf_t bdf, unsigned int cap, uint16_t wanted)
{
    (void)bdf;
    assert_int_equal(cap, MSI);
    control_wanted = wanted;
    controls++;
}

void msix_rows_moved(pci_bdf_t bdf)
{
    (void)bdf;
    moved++;
}

static uint32_t port_in(uint16_t port, unsigned int bytes)
{
    uint32_t v = 0xffffffffU;
    unsigned int reg = (address & 0xfc) + (port & 3U);

    assert_true(port >= 0xcfc && port + bytes <= 0xd00);
    if ((address & 0xffffff00U) == CF8) {
        memcpy(&v, config + reg, bytes);
    }
    return v;
}

static void port_out(uint16_t port, unsigned int bytes, uint32_t v)
{
    if (port == 0xcf8) {
        address = v;
    } else if ((address & 0xffffff00U) == CF8) {
        memcpy(config + (address & 0xfc) + (port & 3U), &v, bytes);
    }
}

static void put(uint8_t *space, unsigned int reg, unsigned int bytes,
                uint32_t v)
{
    memcpy(space + reg, &v, bytes);
}

/* Vendor, memory decoding, MSI (64 bits, mask bits) and MSI-X of 32 rows. */
static void make_device(uint8_t *space)
{
    memset(space, 0, 256);
    put(space, 0x00, 4, 0x12345678);
    put(space, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    put(space, PCI_STATUS, 2, PCI_STATUS_CAP_LIST);
    put(space, PCI_BAR0 + 4, 4, (uint32_t)TABLE - 0x1000);
    put(space, PCI_CAP_POINTER, 1, MSI);
    put(space, MSI, 4, MSIX << 8 | PCI_CAP_MSI | 0x0180U << 16);
    put(space, MSIX, 4, PCI_CAP_MSIX | 31U << 16);
    put(space, MSIX + MSIX_TABLE, 4, 0x1001); /* BAR 1, 4 KiB into it */
}

static int setup(void **state)
{
    (void)state;
    fake_hw_reset();
    fake_in_hook = port_in;
    fake_out_hook = port_out;
    make_device(config);
    memset(ecam, 0, sizeof(ecam));
    make_device(ecam[0] + (0x18 << 12));
    make_device(ecam[1] + (0x18 << 12));
    memset(table_page, 0, sizeof(table_page));
    mcfg = (struct acpi_mcfg){
        .count = 2,
        .window = {{.base = ECAM, .bus_last = 3},
                   {.base = 0xc0000000UL,
                    .segment = 1,
                    .bus_first = 2,
                    .bus_last = 2}},
    };
    table_is = MEMMAP_RESERVED;
    controls = 0;
    pci_guard_forget(BDF);
    pci_guard_forget(BDF1);
    return 0;
}

/* Write by ports, as a guest does. */
static void guest_out(unsigned int reg, unsigned int bytes, uint32_t v)
{
    pci_guest_port_write(CF8 | (reg & 0xfc), reg & 3, bytes, v);
}

static uint32_t now(unsigned int reg)
{
    uint32_t v;

    memcpy(&v, config + reg, sizeof(v));
    return v;
}

static void ordinary_registers_pass(void **state)
{
    (void)state;
    guest_out(0x3c, 1, 11);
    assert_int_equal(config[0x3c], 11);
    guest_out(0x44, 4, 0xabcdef01);
    assert_int_equal(now(0x44), 0xabcdef01);
    guest_out(0x90, 2, 0x55aa);
    assert_int_equal(now(0x90), 0x55aa);
    assert_int_equal(pci_guest_port_read(CF8 | 0x44, 2, 2), 0xabcd);
    assert_int_equal(pci_guest_port_read(0x00001844, 0, 4), 0xffffffff);
    assert_int_equal(pci_guest_port_read(0x80001900, 0, 4), 0xffffffff);
    /* Misaligned: nothing; it would have reached the next register. */
    pci_guest_port_write(CF8 | 0x3c, 1, 2, 0xffff);
    pci_guest_port_write(CF8 | 0x3c, 3, 2, 0xffff);
    assert_int_equal(now(0x3c), 11);
}

static void messages_are_not_written(void **state)
{
    (void)state;
    guest_out(MSI + 4, 4, 0xfee00000);
    guest_out(MSI + 8, 4, 1);
    guest_out(MSI + 12, 2, 0x31);
    guest_out(MSI + 12, 1, 0x31);
    guest_out(MSI + 16, 4, 0xffffffff);
    guest_out(MSI + 20, 4, 0xffffffff);
    for (unsigned int i = 4; i < 24; i += 4) {
        assert_int_equal(now(MSI + i), 0);
    }
    assert_int_equal(controls, 0);
    guest_out(MSI + 24, 4, 0x77); /* behind it */
    assert_int_equal(now(MSI + 24), 0x77);
    guest_out(MSIX + 4, 4, 0xffffffff);
    assert_int_equal(now(MSIX + 4), 0x1001);

    /* Bits 24 to 30 of 0xcf8 are no way round. */
    pci_guest_port_write(CF8 | 0x0f000000 | (MSI + 4), 0, 4, 0xfee00000);
    assert_int_equal(now(MSI + 4), 0);
}

static void control_bits_are_told(void **state)
{
    (void)state;
    guest_out(MSI + 2, 2, 0x0181);
    assert_int_equal(controls, 1);
    assert_int_equal(control_wanted, 0x0181);
    guest_out(MSI + 2, 1, 0x01);
    assert_int_equal(control_wanted, 0x0101);
    guest_out(MSI, 4, 0x00710000);
    assert_int_equal(control_wanted, 0x0071);
    guest_out(MSI, 2, 0); /* not it: the read-only half */
    assert_int_equal(controls, 3);
    assert_int_equal(now(MSI), MSIX << 8 | PCI_CAP_MSI | 0x0180U << 16);

    guest_out(MSIX + 2, 2, 0xffff);
    assert_int_equal(now(MSIX) >> 16, 0xc000);
    guest_out(MSIX + 3, 1, 0x80);
    assert_int_equal(now(MSIX) >> 16, 0x8000);
}

static void tables_are_guarded_when_they_show(void **state)
{
    (void)state;
    assert_int_equal(pci_guard_at(TABLE), PCI_GUARDED_NOT);
    pci_guard_device(BDF);
    assert_int_equal(pci_guard_at(TABLE), PCI_GUARDED_TABLE);
    assert_int_equal(pci_guard_at(TABLE + 0xfff), PCI_GUARDED_TABLE);
    assert_int_equal(pci_guard_at(TABLE + 0x1000), PCI_GUARDED_NOT);
    assert_int_equal(pci_guard_at(TABLE - 1), PCI_GUARDED_NOT);
    /* It moves while it does not answer, and shows at its new place. */
    guest_out(PCI_COMMAND, 2, 0);
    guest_out(PCI_BAR0 + 4, 4, (uint32_t)TABLE + 0x4000);
    assert_int_equal(pci_guard_at(TABLE), PCI_GUARDED_TABLE);
    moved = 0;
    guest_out(PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    assert_int_equal(moved, 1);
    assert_int_equal(pci_guard_at(TABLE), PCI_GUARDED_NOT);
    assert_int_equal(pci_guard_at(TABLE + 0x5000), PCI_GUARDED_TABLE);
    pci_guard_forget(BDF);
    assert_int_equal(pci_guard_at(TABLE + 0x5000), PCI_GUARDED_NOT);
}

static void tables_that_lie_are_not_believed(void **state)
{
    struct msix_table t;
    static const uint32_t bad_bars[] = {0, 0xfebff000, 0xfedff000, 0xfee00000,
                                        0xaffff000, 0xfebfff01};

    (void)state;
    assert_int_equal(msix_table_find(BDF, MSIX, &t), 0);
    assert_int_equal(t.first, TABLE);
    assert_int_equal(t.rows, 32);
    for (unsigned int i = 0; i < ARRAY_SIZE(bad_bars); i++) {
        put(config, PCI_BAR0 + 4, 4, bad_bars[i]);
        put(config, MSIX + MSIX_TABLE, 4, bad_bars[i] == 0 ? 1 : 0x1001);
        assert_true(msix_table_find(BDF, MSIX, &t) < 0);
        pci_guard_device(BDF);
        assert_int_equal(pci_guard_at(bad_bars[i] + 0x1000) ==
                             PCI_GUARDED_TABLE, false);
    }
    make_device(config);
    put(config, MSIX + MSIX_TABLE, 4, 0x1006); /* BAR 6: there is none */
    assert_true(msix_table_find(BDF, MSIX, &t) < 0);
    make_device(config);
    table_is = MEMMAP_RAM;
    assert_true(msix_table_find(BDF, MSIX, &t) < 0);
    table_is = MEMMAP_RESERVED;
    put(config, PCI_COMMAND, 2, 0);
    assert_true(msix_table_find(BDF, MSIX, &t) < 0);
    /* All of a table counts, not its first page. */
    make_device(config);
    put(config, PCI_BAR0 + 4, 4, 0xfebfe000);
    put(config, MSIX, 4, PCI_CAP_MSIX | 0x7ffU << 16); /* 32 KiB */
    assert_true(msix_table_find(BDF, MSIX, &t) < 0);
    /* A chain of capabilities without an end. */
    put(config, MSI, 2, MSI << 8 | 0x01);
    assert_int_equal(pci_find_capability(BDF, PCI_CAP_MSIX), 0);
}

static void only_the_rows_are_kept_from_a_page(void **state)
{
    (void)state;
    pci_guard_device(BDF);
    pci_guard_write(TABLE + 0x1fc, 4, 0x31);
    pci_guard_write(TABLE + 0x1f8, 8, 0x31);
    assert_int_equal(table_page[0x1fc] | table_page[0x1f8], 0);
    pci_guard_write(TABLE + 0x200, 4, 0x11223344);
    assert_int_equal(pci_guard_read(TABLE + 0x200, 4), 0x11223344);
    pci_guard_write(TABLE + 0x208, 8, 0x1122334455667788);
    assert_int_equal(pci_guard_read(TABLE + 0x208, 8), 0x1122334455667788);
    pci_guard_write(TABLE + 0x210, 1, 0xff);
    assert_int_equal(pci_guard_read(TABLE + 0x210, 2), 0xff);
}

static void configuration_in_memory_is_filtered(void **state)
{
    maddr_t dev = ECAM + (0x18 << 12), dev1 = 0xc0200000UL + (0x18 << 12);
    unsigned int mapped;

    (void)state;
    assert_int_equal(pci_guard_at(dev), PCI_GUARDED_CONFIG);
    assert_int_equal(pci_guard_at(ECAM + 4 * MCFG_BUS_BYTES), PCI_GUARDED_NOT);
    assert_int_equal(pci_guard_at(0xc01fffffUL), PCI_GUARDED_NOT);
    assert_int_equal(pci_guard_at(0xc0300000UL), PCI_GUARDED_NOT);
    pci_guard_write(dev + MSI + 4, 4, 0xfee00000); /* by ports: segment 0 */
    assert_int_equal(now(MSI + 4), 0);
    pci_guard_write(dev + 0x3c, 1, 10);
    assert_int_equal(config[0x3c], 10);
    assert_int_equal(pci_guard_read(dev, 4), 0x12345678);
    pci_guard_write(dev + 0x104, 4, 0x99); /* ports do not reach that */
    assert_int_equal(ecam[0][(0x18 << 12) + 0x104], 0x99);

    assert_int_equal(pci_guard_read(dev1, 2), 0x5678);
    pci_guard_write(dev1 + MSI + 4, 4, 0xfee00000);
    assert_int_equal(pci_guard_read(dev1 + MSI + 4, 4), 0);
    pci_guard_write(dev1 + 0x44, 2, 0x1234);
    assert_int_equal(ecam[1][(0x18 << 12) + 0x44], 0x34);
    assert_int_equal(config[0x44], 0);
    mapped = iomaps;
    assert_int_equal(pci_cfg_prepare(BDF1), 0);
    assert_int_equal(iomaps, mapped);
    assert_int_equal(pci_cfg_prepare(pci_bdf(1, 3, 0)), -ENODEV);
    assert_int_equal(pci_cfg_prepare(pci_bdf(0, 200, 0)), 0);
    assert_false(pci_device_exists(pci_bdf(1, 3, 0)));
    assert_true(pci_device_exists(BDF1));
}

#define T(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(ordinary_registers_pass),
        T(messages_are_not_written),
        T(control_bits_are_told),
        T(tables_are_guarded_when_they_show),
        T(tables_that_lie_are_not_believed),
        T(only_the_rows_are_kept_from_a_page),
        T(configuration_in_memory_is_filtered),
    };

    return UNIT_RUN(tests);
}
