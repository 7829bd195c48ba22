/* SPDX-License-Identifier: MIT */
/*
 * dev/hpet.c, pmtimer.c: registers as hardware might fill them.
 */
#include "tests/unit/dev/acpi_machine.h"

#include <errno.h>

#include "dev/acpi_hpet.h"
#include "dev/hpet.h"
#include "dev/pmtimer.h"
#include "tests/fake/fake_hw.h"
#include "tests/fake/fake_printk.h"

static uint32_t regs[HPET_BYTES / 4];
static struct acpi_hpet found;
static struct acpi_fixed fixed;

const struct acpi_hpet *acpi_hpet(void)
{
    return &found;
}

const struct acpi_fixed *acpi_fixed(void)
{
    return &fixed;
}

void *acpi_map(maddr_t a, size_t bytes)
{
    assert_int_equal(a, 0xfed00000);
    assert_int_equal(bytes, sizeof(regs));
    return machine_is_full ? NULL : regs;
}

static void hpet(void **state)
{
    (void)state;
    found.base = 0;
    assert_int_equal(hpet_init(), 0);
    assert_int_equal(hpet_comparators(), 0);
    found.base = 0xfed00000;
    regs[0] = 0x8086a201;
    regs[1] = 10000000; /* QEMU's: 100 MHz, three comparators */
    regs[4] = 2;        /* legacy lines taken, counter stopped */
    regs[0x100 / 4] = 0x4c;
    regs[0x140 / 4] = 4;
    regs[0x160 / 4] = 4; /* not one of the three */
    regs[0xf0 / 4] = 4711;
    assert_int_equal(hpet_init(), 100000000);
    assert_int_equal(hpet_comparators(), 3);
    assert_int_equal(regs[4], 1);
    assert_int_equal(regs[0x100 / 4], 0x48);
    assert_int_equal(regs[0x140 / 4], 0);
    assert_int_equal(regs[0x160 / 4], 4);
    assert_int_equal(hpet_read(), 4711);
    regs[1] = 69841279; /* Intel's: 14.318 MHz */
    assert_int_equal(hpet_init(), 14318179);
    machine_is_full = true;
    assert_int_equal(hpet_init(), 0);
    machine_is_full = false;
}

static void hpet_nonsense(void **state)
{
    static const uint32_t bad[] = {0, 1, 99999, 100000001, 0xffffffff};

    (void)state;
    regs[0] = 0x8086a201;
    for (unsigned int i = 0; i < 5; i++) {
        regs[1] = bad[i];
        regs[4] = 0;
        fake_printk_forget();
        assert_int_equal(hpet_init(), 0);
        assert_int_equal(hpet_comparators(), 0);
        assert_int_equal(regs[4], 0);
        assert_true(fake_printk_said("make no sense"));
    }
    regs[0] = 0x8086a200; /* no revision: nobody there */
    regs[1] = 10000000;
    assert_int_equal(hpet_init(), 0);
    regs[0] = 0xffffffff; /* 32 comparators: more than there is room for */
    assert_int_equal(hpet_init(), 100000000);
    assert_int_equal(hpet_comparators(), 24);
}

static const uint32_t *script;
static unsigned int reads;

static uint32_t in_hook(uint16_t port, unsigned int bytes)
{
    assert_int_equal(port, 0x608);
    assert_int_equal(bytes, 4);
    return script[reads++ % 16];
}

static void pmtimer(void **state)
{
    /* A carry caught half-way, then sense; and what is beyond 24 bits. */
    static const uint32_t glitch[16] = {0xff000fff, 0xff001fff, 0xff001000,
                                        0xff001001};
    /* Never two that fit: any value, but an end. */
    static uint32_t mad[16];

    (void)state;
    fake_hw_reset();
    fake_in_hook = in_hook;
    fixed.pm_timer = 0;
    assert_int_equal(pmtimer_bits(), 0);
    fixed.pm_timer = 0x608;
    assert_int_equal(pmtimer_bits(), 24);
    script = glitch;
    reads = 0;
    assert_int_equal(pmtimer_read(), 0x1001);
    fixed.pm_timer_is_32bit = true;
    assert_int_equal(pmtimer_bits(), 32);
    reads = 0;
    assert_int_equal(pmtimer_read(), 0xff001001);
    for (unsigned int i = 0; i < 16; i++) {
        mad[i] = i * 0x1000000;
    }
    script = mad;
    reads = 0;
    (void)pmtimer_read();
    assert_int_equal(reads, 11);
}

static uint64_t counter;

static uint32_t counting(const volatile void *p)
{
    size_t at = (size_t)((const volatile uint8_t *)p - (uint8_t *)regs);

    if (at == 0xf0 || at == 0xf4) {
        counter++;
        return (uint32_t)(at == 0xf0 ? counter : counter >> 32);
    }
    return regs[at / 4];
}

static uint64_t comparator(unsigned int n)
{
    return regs[(0x108 + 0x20 * n) / 4] |
           (uint64_t)regs[(0x10c + 0x20 * n) / 4] << 32;
}

static void nmi(void **state)
{
    (void)state;
    found.base = 0;
    assert_int_equal(hpet_init(), 0);
    assert_int_equal(hpet_nmi_setup(true, 0, 0), -ENODEV);
    found.base = 0xfed00000;
    memset(regs, 0, sizeof(regs));
    regs[0] = 0x8086a201;
    regs[1] = 10000000; /* three comparators, 100 MHz */
    for (unsigned int i = 0; i < 3; i++) {
        regs[(0x100 + 0x20 * i) / 4] = 0x30; /* 64 bits */
        regs[(0x104 + 0x20 * i) / 4] = 0x4;  /* pin 2 */
    }
    assert_int_equal(hpet_init(), 100000000);
    /* None can send messages, none reaches pin 3. */
    assert_int_equal(hpet_nmi_setup(true, 2, 0), -ENODEV);
    assert_int_equal(hpet_nmi_setup(false, 3, 0), -ENODEV);
    fake_mmio_in_hook = counting;
    counter = 0x1ffff0000;
    assert_int_equal(hpet_nmi_setup(false, 2, 0), 0);
    assert_false(hpet_nmi_take()); /* not due before it is started */
    assert_int_equal(regs[0x140 / 4], 2 << 9);
    /* The low half carries on the way to the first. */
    hpet_nmi_start(1000000, 1250000000);
    assert_int_equal(regs[0x140 / 4], 2 << 9 | 4);
    assert_in_range(comparator(2), 0x1ffff0000 + 100000,
                    0x1ffff0000 + 100010);
    assert_false(hpet_nmi_take());
    counter += 99900;
    assert_false(hpet_nmi_take());
    counter += 100;
    assert_true(hpet_nmi_take());
    assert_false(hpet_nmi_take()); /* once */
    assert_in_range(comparator(2), counter + 125000000 - 10,
                    counter + 125000000);
    /* Late by a second. */
    counter += 225000000;
    assert_true(hpet_nmi_take());
    assert_in_range(comparator(2), counter + 125000000 - 10,
                    counter + 125000000);
    hpet_nmi_stop();
    assert_int_equal(regs[0x140 / 4] & 4, 0);
    /* By message: the last that can, though it has 32 bits only. */
    regs[0x120 / 4] = 0x8000;
    assert_int_equal(hpet_nmi_setup(true, 0, 300), -ENODEV);
    assert_int_equal(hpet_nmi_setup(true, 0, 5), 0);
    assert_int_equal(regs[0x130 / 4], 0x400);
    assert_int_equal(regs[0x134 / 4], 0xfee05000);
    hpet_nmi_start(1000000, 3600000000000);
    assert_int_equal(regs[0x120 / 4], 0x4000 | 0x100 | 4);
    counter += 100000;
    assert_true(hpet_nmi_take());
    assert_int_equal(comparator(1) >> 32, 0);
    /* An hour is more than half of what 32 bits hold. */
    assert_in_range((uint32_t)comparator(1) - (uint32_t)counter,
                    (1U << 30) - 10, 1U << 30);
    fake_mmio_in_hook = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hpet),
        cmocka_unit_test(nmi),
        cmocka_unit_test(hpet_nonsense),
        cmocka_unit_test(pmtimer),
    };

    return UNIT_RUN(tests);
}
