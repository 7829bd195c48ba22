/* SPDX-License-Identifier: MIT */
/*
 * dev/ioapic.c: several IO-APICs, each with its pins; what is written when.
 */
#include "tests/unit/unit.h"

#include "lib/errno.h"
#include "mm/hvmap.h"
#include "dev/acpi_madt.h"
#include "dev/ioapic.h"
#include "fake_hw.h"

#define CHIPS  4
#define RTES   (2 * 240)
#define MASKED 0x10000U

struct chip {
    uint32_t window[8]; /* what is mapped: the hooks know it by its address */
    uint32_t select, version, rte[RTES];
};

static struct chip chips[CHIPS];
static struct acpi_madt madt;
/* The low half of the entry whose high half was written last, at that time. */
static uint32_t low_at_high;
static unsigned int high_writes, low_writes;

const struct acpi_madt *acpi_madt(void)
{
    return &madt;
}

void *iomap(maddr_t a, size_t bytes)
{
    unsigned int n = (unsigned int)(a >> 12) & 0xf;

    assert_true(bytes >= 0x14);
    return n < CHIPS ? chips[n].window : NULL;
}

static struct chip *chip_of(const volatile void *p)
{
    for (unsigned int i = 0; i < CHIPS; i++) {
        if ((uintptr_t)p - (uintptr_t)chips[i].window <
            sizeof(chips[i].window)) {
            return &chips[i];
        }
    }
    fake_unexpected("device memory", (uintptr_t)p);
}

static uint32_t in(const volatile void *p)
{
    const struct chip *c = chip_of(p);

    assert_int_equal((uintptr_t)p - (uintptr_t)c->window, 0x10);
    if (c->select == 1) {
        return c->version;
    }
    return c->select >= 0x10 && c->select < 0x10 + RTES
               ? c->rte[c->select - 0x10]
               : 0xabc0 + c->select;
}

static void out(volatile void *p, uint32_t v)
{
    struct chip *c = chip_of(p);

    if (p == c->window) {
        c->select = v;
        return;
    }
    assert_in_range(c->select, 0x10, 0x10 + RTES - 1);
    if (c->select & 1) {
        low_at_high = c->rte[c->select - 0x11];
        high_writes++;
    } else {
        low_writes++;
    }
    c->rte[c->select - 0x10] = v;
}

static unsigned int top;

/* 24 pins from 0, 16 from 24, one that does not answer, 240 from 200. */
static int setup(void **state)
{
    static const uint32_t versions[CHIPS] = {0x170011, 0x0f0020, 0xffffffff,
                                             0xef0020};
    static const uint32_t bases[CHIPS] = {0, 24, 40, 200};

    if (top != 0) {
        return 0; /* it is found once */
    }
    (void)state;
    fake_hw_reset();
    fake_mmio_in_hook = in;
    fake_mmio_out_hook = out;
    for (unsigned int i = 0; i < CHIPS; i++) {
        chips[i].version = versions[i];
        madt.ioapic[i] = (struct madt_ioapic){
            .id = (uint8_t)i,
            .address = 0xfec00000U + (i << 12),
            .gsi_base = bases[i],
        };
    }
    madt.ioapic[CHIPS].address = 0xfec08000; /* cannot be mapped */
    madt.ioapic[CHIPS + 1] = (struct madt_ioapic){.address = 0xfec00000,
                                                  .gsi_base = 0x7fffffff};
    madt.ioapic_count = CHIPS + 2;
    top = ioapic_init();
    return 0;
}

static void each_has_its_pins(void **state)
{
    (void)state;
    assert_int_equal(top, 256); /* the rest of the last one has no numbers */
    assert_true(ioapic_has(0) && ioapic_has(23) && ioapic_has(24));
    assert_true(ioapic_has(39) && ioapic_has(200) && ioapic_has(255));
    assert_false(ioapic_has(40) || ioapic_has(199) || ioapic_has(256));
    assert_false(ioapic_has(~0U));
    assert_int_equal(ioapic_address(0), 0xfec00000);
    assert_int_equal(ioapic_address(1), 0xfec01000);
    assert_int_equal(ioapic_address(2), 0xfec03000);
    assert_int_equal(ioapic_address(3), 0);
    for (unsigned int pin = 0; pin < 24; pin++) {
        assert_int_equal(chips[0].rte[2 * pin], MASKED);
    }
}

static void a_route_goes_to_the_right_one(void **state)
{
    struct ioapic_route route = {
        .vector = 0x41, .is_level = true, .is_active_low = true, .apic_id = 7};

    (void)state;
    ioapic_route(27, &route, false);
    assert_int_equal(chips[1].rte[6], 0x41 | 1U << 15 | 1U << 13);
    assert_int_equal(chips[1].rte[7], 7U << 24);
    assert_true((low_at_high & MASKED) != 0); /* while half of it is new */
    route.is_level = route.is_active_low = false;
    ioapic_route(3, &route, true);
    assert_int_equal(chips[0].rte[6], 0x41 | MASKED);
    ioapic_route(100, &route, false); /* nobody's */
}

static void a_mask_is_one_bit(void **state)
{
    (void)state;
    low_writes = high_writes = 0;
    ioapic_set_mask(27, true);
    assert_int_equal(chips[1].rte[6], 0x41 | 1U << 15 | 1U << 13 | MASKED);
    ioapic_set_mask(27, false);
    assert_int_equal(chips[1].rte[6], 0x41 | 1U << 15 | 1U << 13);
    assert_int_equal(low_writes, 2);
    assert_int_equal(high_writes, 0);
    ioapic_set_mask(100, true);
}

/* The entry is never masked, or an edge would be lost. */
static void a_target_is_one_write(void **state)
{
    (void)state;
    low_writes = high_writes = 0;
    ioapic_set_target(27, 3);
    assert_int_equal(chips[1].rte[7], 3U << 24);
    assert_int_equal(chips[1].rte[6], 0x41 | 1U << 15 | 1U << 13);
    assert_int_equal(low_writes, 0);
    assert_int_equal(high_writes, 1);
    ioapic_set_target(100, 3);
    assert_int_equal(high_writes, 1);
}

static void registers_are_read_where_they_are(void **state)
{
    uint32_t v;

    (void)state;
    assert_int_equal(ioapic_read_register(0xfec01000, 1, &v), 0);
    assert_int_equal(v, 0x0f0020);
    assert_int_equal(ioapic_read_register(0xfec01000, 0x16, &v), 0);
    assert_int_equal(v, 0x41 | 1U << 15 | 1U << 13);
    assert_int_equal(ioapic_read_register(0xfec01000, 0x30, &v), -EINVAL);
    assert_int_equal(ioapic_read_register(0xfec01000, 3, &v), -EINVAL);
    assert_int_equal(ioapic_read_register(0xfec02000, 1, &v), -EINVAL);
}

#define T(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(each_has_its_pins),
        T(a_route_goes_to_the_right_one),
        T(a_mask_is_one_bit),
        T(a_target_is_one_write),
        T(registers_are_read_where_they_are),
    };

    return UNIT_RUN(tests);
}
