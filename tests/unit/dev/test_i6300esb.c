/* SPDX-License-Identifier: MIT */
/*
 * dev/i6300esb: found where it is and nowhere else, silent until it is started,
 * each register written by the rule that the data sheet gives.
 */
#include "tests/unit/unit.h"

#include "mm/hvmap.h"
#include "crash/reboot.h"
#include "dev/acpi.h"
#include "dev/i6300esb.h"
#include "dev/pci_cfg.h"
#include "dev/pci_guard.h"
#include "fake_hw.h"
#include "fake_printk.h"

#define ESB      0x25ab8086U
#define BRIDGE   0x12378086U
#define BAR      0xfebff010U
#define COMMAND  0x04
#define HEADER   0x0e
#define CONFIG   0x60
#define LOCK     0x68
#define RELOAD   0xc
#define MULTI    0x80U

/* A bus: who is where, and how often a place was asked. */
static uint32_t devices[256], headers[256];
static unsigned int asked[256];
/* The watchdog itself. */
static uint8_t esb_devfn;
static uint32_t bar, command, config, lock;
static uint8_t window[64] __attribute__((aligned(16)));
static unsigned int keys; /* of those that have come, in their order */
static uint32_t timer1, timer2;
static unsigned int feeds, forgets;
static bool has_expired, bar_is_ram, no_map;
/* What the hypervisor did about it. */
static pci_bdf_t hidden;
static void (*at_end)(void);
static uint32_t port_address;

static void esb_is(uint8_t devfn)
{
    devices[devfn] = ESB;
    esb_devfn = devfn;
}

uint32_t pci_cfg_read(pci_bdf_t bdf, unsigned int reg, unsigned int bytes)
{
    assert_true(bdf < 256);
    if (reg == 0) {
        asked[bdf]++;
        assert_int_equal(bytes, 4);
        return devices[bdf];
    }
    if (reg == HEADER) {
        return headers[bdf];
    }
    assert_int_equal(bdf, esb_devfn);
    if (reg == PCI_BAR0) {
        return bar;
    }
    assert_int_equal(reg, COMMAND);
    return command;
}

void pci_cfg_write(pci_bdf_t bdf, unsigned int reg, unsigned int bytes,
                   uint32_t value)
{
    assert_int_equal(bdf, esb_devfn);
    switch (reg) {
    case COMMAND:
        assert_int_equal(bytes, 2);
        command = value;
        break;
    case CONFIG:
        assert_int_equal(bytes, 2);
        config = value;
        break;
    case LOCK:
        assert_int_equal(bytes, 1);
        lock = value;
        break;
    default:
        fail_msg("register 0x%x written", reg);
    }
}

bool pci_device_exists(pci_bdf_t bdf)
{
    return devices[bdf] != ~0U;
}

bool acpi_range_has(maddr_t start, uint64_t bytes, unsigned int types)
{
    assert_int_equal(start, bar & ~15U);
    assert_int_equal(bytes, 16);
    assert_int_equal(types, ACPI_RAM);
    return bar_is_ram;
}

void *iomap(maddr_t a, size_t bytes)
{
    assert_int_equal(a, BAR);
    assert_int_equal(bytes, 16);
    return no_map ? NULL : window;
}

void pci_hide(pci_bdf_t bdf)
{
    hidden = bdf;
}

void reboot_set_hardware_watchdog(void (*stop)(void))
{
    at_end = stop;
}

static uint32_t mmio_in(const volatile void *p)
{
    assert_ptr_equal(p, window + RELOAD);
    assert_true((command & 2) != 0);
    return has_expired ? 0x200 : 0;
}

/* Any write but of the two keys needs them before it, and uses them up. */
static void mmio_out(volatile void *p, uint32_t v)
{
    size_t reg = (size_t)((volatile uint8_t *)p - window);

    assert_true((command & 2) != 0);
    if (reg == RELOAD && (v == 0x80 || v == 0x86)) {
        assert_int_equal(v, keys == 0 ? 0x80 : 0x86);
        keys++;
        return;
    }
    assert_int_equal(keys, 2);
    keys = 0;
    switch (reg) {
    case 0:
        timer1 = v;
        break;
    case 4:
        timer2 = v;
        break;
    case RELOAD:
        assert_true(v == 0x100 || v == 0x200);
        feeds += v == 0x100;
        forgets += v == 0x200;
        break;
    default:
        fail_msg("register 0x%zx written", reg);
    }
}

static void port_out(uint16_t port, unsigned int bytes, uint32_t v)
{
    if (port == 0xcf8) {
        assert_int_equal(bytes, 4);
        port_address = v;
    } else {
        assert_int_equal(port, 0xcfc);
        assert_int_equal(bytes, 1);
        assert_int_equal(port_address, 0x80000000U | esb_devfn << 8 | LOCK);
        lock = v;
    }
}

static int setup(void **state)
{
    (void)state;
    fake_hw_reset();
    fake_mmio_in_hook = mmio_in;
    fake_mmio_out_hook = mmio_out;
    fake_out_hook = port_out;
    memset(devices, 0xff, sizeof(devices));
    memset(headers, 0, sizeof(headers));
    memset(asked, 0, sizeof(asked));
    devices[0] = BRIDGE;
    bar = BAR;
    command = 1;
    config = 0;
    lock = 2; /* the firmware's, or the one before us */
    keys = feeds = forgets = 0;
    timer1 = timer2 = 0;
    has_expired = bar_is_ram = no_map = false;
    hidden = ~0U;
    at_end = NULL;
    return 0;
}

static void none_is_there(void **state)
{
    (void)state;
    assert_false(esb_find());
    assert_int_equal(hidden, ~0U);
    assert_null(at_end);
    /* Of a device that is not there only the first function is asked. */
    for (unsigned int devfn = 0; devfn < 256; devfn++) {
        assert_int_equal(asked[devfn], devfn % 8 == 0);
    }
}

static void found_and_off(void **state)
{
    (void)state;
    esb_is(4 << 3);
    assert_true(esb_find());
    assert_int_equal(hidden, 4 << 3);
    assert_int_equal(lock, 0);
    assert_int_equal(command, 3);
    assert_int_equal(forgets, 1);
    assert_int_equal(feeds, 0);
    assert_int_equal(esb_page(), BAR & ~0xfffU);
    assert_false(fake_printk_said("reset the machine"));
}

/* A function of a device that has several; not of one that has not. */
static void a_function(void **state)
{
    (void)state;
    devices[5 << 3] = BRIDGE;
    esb_is(5 << 3 | 4);
    assert_false(esb_find());
    headers[5 << 3] = MULTI;
    assert_true(esb_find());
    assert_int_equal(hidden, 5 << 3 | 4);
}

static void it_was_its_reset(void **state)
{
    (void)state;
    esb_is(255);
    headers[31 << 3] = MULTI;
    devices[31 << 3] = BRIDGE;
    has_expired = true;
    assert_true(esb_find());
    assert_int_equal(forgets, 1);
    assert_true(fake_printk_said("this watchdog that reset the machine"));
}

static void registers_that_are_none(void **state)
{
    static const uint32_t bars[] = {0, 8, 0xc001, BAR | 1};

    (void)state;
    esb_is(4 << 3);
    for (unsigned int i = 0; i < ARRAY_SIZE(bars); i++) {
        bar = bars[i];
        assert_false(esb_find());
    }
    assert_true(fake_printk_said("no registers at 0x"));
    bar = BAR;
    bar_is_ram = true;
    assert_false(esb_find());
    bar_is_ram = false;
    no_map = true;
    assert_false(esb_find());
    assert_int_equal(hidden, ~0U);
    assert_int_equal(lock, 2); /* not touched */
    assert_null(at_end);
}

/* Two stages, half of the time each; the second is the reset. */
static void started(void **state)
{
    (void)state;
    esb_is(4 << 3);
    assert_true(esb_find());
    esb_start(15000);
    assert_int_equal(config, 3);
    assert_int_equal(lock, 2);
    /* 33 MHz by 2^15. */
    assert_in_range(timer1, 15000 / 2 * 33000 / 32768 - 8,
                    15000 / 2 * 33333 / 32768 + 1);
    assert_int_equal(timer2, timer1);
    assert_int_equal(feeds, 1);
    esb_feed();
    assert_int_equal(feeds, 2);
    esb_start(~0ULL / 2000);
    assert_int_equal(timer1, 0xfffff);
    assert_int_equal(keys, 0);
}

static void stopped(void **state)
{
    (void)state;
    esb_is(4 << 3);
    assert_true(esb_find());
    esb_start(15000);
    assert_int_equal(lock, 2);
    assert_ptr_equal(at_end, esb_stop);
    at_end();
    assert_int_equal(lock, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(none_is_there, setup),
        cmocka_unit_test_setup(found_and_off, setup),
        cmocka_unit_test_setup(a_function, setup),
        cmocka_unit_test_setup(it_was_its_reset, setup),
        cmocka_unit_test_setup(registers_that_are_none, setup),
        cmocka_unit_test_setup(started, setup),
        cmocka_unit_test_setup(stopped, setup),
    };

    return UNIT_RUN(tests);
}
