/* SPDX-License-Identifier: MIT */
/*
 * dev/irq.c: vectors, masking by type, end of interrupt.
 */
#include "tests/unit/unit.h"

#include "lib/errno.h"
#include "cpu/lapic.h"
#include "dev/acpi_madt.h"
#include "dev/i8259.h"
#include "dev/ioapic.h"
#include "dev/irq.h"
#include "dev/irq_impl.h"
#include "fake_hw.h"

#define PINS 24

static struct ioapic_route routes[PINS];
static bool masked[PINS];
static unsigned int eois, handled, message_masks;
static bool masked_at_eoi;
static struct acpi_madt madt;

/* ---- what the code under test calls -------------------------------------- */

void lapic_eoi(void)
{
    eois++;
    masked_at_eoi = masked[9];
}

uint32_t lapic_id(void)
{
    return 3;
}

void i8259_init(void)
{
}

void i8259_spurious(unsigned int vector)
{
    (void)vector;
}

unsigned int ioapic_init(void)
{
    for (unsigned int i = 0; i < PINS; i++) {
        masked[i] = true;
    }
    return PINS;
}

bool ioapic_has(unsigned int gsi)
{
    return gsi < PINS && gsi != 17;
}

void ioapic_route(unsigned int gsi, const struct ioapic_route *route,
                  bool is_masked)
{
    routes[gsi] = *route;
    masked[gsi] = is_masked;
}

void ioapic_set_mask(unsigned int gsi, bool is_masked)
{
    masked[gsi] = is_masked;
}

int ioapic_read_register(uint64_t base, unsigned int reg, uint32_t *ret_value)
{
    (void)base;
    (void)reg;
    (void)ret_value;
    return -EINVAL;
}

uint64_t ioapic_address(unsigned int n)
{
    return n == 0 ? 0xfec00000 : 0;
}

const struct acpi_madt *acpi_madt(void)
{
    return &madt;
}

void msi_set_mask(const struct irq_desc *desc, bool is_masked)
{
    (void)desc;
    (void)is_masked;
    message_masks++;
}

static void handler(void *arg)
{
    handled++;
    assert_ptr_equal(arg, &handled);
}

static int setup(void **state)
{
    (void)state;
    fake_hw_reset();
    memset(irq_descs, 0, sizeof(irq_descs));
    eois = handled = message_masks = 0;
    madt = (struct acpi_madt){
        .override_count = 2,
        .override = {{.isa = 0, .gsi = 2}, {.isa = 9, .gsi = 9, .flags = 0xd}},
    };
    irq_init();
    return 0;
}

static void dispatch(unsigned int vector)
{
    fake_irqs_on = false;
    irq_dispatch(vector);
    fake_irqs_on = true;
}

static void level_waits_for_its_eoi(void **state)
{
    (void)state;
    assert_int_equal(irq_bind(9, handler, &handled, "test"), 0);
    assert_true(routes[9].is_level);
    assert_false(routes[9].is_active_low); /* by the override */
    assert_int_equal(routes[9].apic_id, 3);
    assert_false(masked[9]);
    assert_true(irq_needs_eoi(9));
    dispatch(routes[9].vector);
    assert_int_equal(handled, 1);
    assert_int_equal(eois, 1);
    assert_true(masked_at_eoi);
    irq_eoi(9);
    assert_false(masked[9]);
    irq_eoi(9); /* not waiting: nothing */
    dispatch(routes[9].vector);
    irq_unbind(9);
    irq_eoi(9); /* its owner is gone: stays masked */
    assert_true(masked[9]);
}

static void edge_is_not_masked(void **state)
{
    (void)state;
    assert_int_equal(irq_isa_to_gsi(0), 2);
    assert_int_equal(irq_isa_to_gsi(4), 4);
    assert_int_equal(irq_bind(4, handler, &handled, "test"), 0);
    assert_int_equal(irq_bind(4, handler, &handled, "again"), -EBUSY);
    assert_true(irq_has_handler(4));
    assert_false(irq_needs_eoi(4));
    dispatch(routes[4].vector);
    dispatch(routes[4].vector);
    assert_int_equal(handled, 2);
    assert_false(masked[4]);
    irq_unbind(4);
    assert_true(masked[4]);
    assert_false(irq_has_handler(4));
    dispatch(routes[4].vector); /* one was on its way */
    assert_int_equal(handled, 2);
    assert_int_equal(eois, 3);
}

static void setup_is_refused_when_it_would_disturb(void **state)
{
    struct irq_info info;

    (void)state;
    assert_int_equal(irq_setup_gsi(PINS, true, true), -EINVAL);
    assert_int_equal(irq_setup_gsi(17, true, true), -EINVAL);
    assert_int_equal(irq_setup_gsi(20, true, false), 0);
    assert_true(masked[20]);
    assert_int_not_equal(routes[20].vector, 0);
    assert_int_equal(irq_bind(20, handler, &handled, "test"), 0);
    assert_int_equal(irq_setup_gsi(20, true, false), 0);
    assert_int_equal(irq_setup_gsi(20, false, false), -EEXIST);
    assert_int_equal(irq_info_get(20, &info), 0);
    assert_true(info.is_level);
    assert_true(info.has_handler);
    assert_int_equal(irq_info_get(17, &info), -EINVAL);
    assert_int_equal(irq_bind(17, handler, &handled, "test"), -EINVAL);
    assert_int_equal(irq_bind(NR_IRQS, handler, &handled, "test"), -EINVAL);
}

static void vectors_are_aligned_and_run_out(void **state)
{
    uint8_t v;
    unsigned int n = 0;

    (void)state;
    fake_irqs_on = false;
    assert_int_equal(irq_vectors_take(8, 100, &v), 0);
    assert_int_equal(v % 8, 0);
    assert_in_range(v, IRQ_VECTOR_FIRST, IRQ_VECTOR_LAST - 7);
    irq_descs[103].fn = handler;
    irq_descs[103].arg = &handled;
    irq_descs[103].is_msi = true;
    irq_dispatch(v + 3U);
    assert_int_equal(handled, 1);
    while (irq_vectors_take(1, 110, &v) == 0) {
        assert_int_not_equal(v, 0x80);
        n++;
    }
    assert_int_equal(n, IRQ_VECTOR_LAST - IRQ_VECTOR_FIRST + 1 - 8 - 1);
    assert_int_equal(irq_vectors_take(1, 110, &v), -ENOSPC);
    irq_vector_free(0x55);
    assert_int_equal(irq_vectors_take(1, 110, &v), 0);
    assert_int_equal(v, 0x55);
}

static void unknown_vectors_are_acknowledged(void **state)
{
    (void)state;
    dispatch(0x66);
    assert_int_equal(eois, 1);
    dispatch(0x27); /* of the 8259s */
    assert_int_equal(eois, 1);
}

#define T(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(level_waits_for_its_eoi),
        T(edge_is_not_masked),
        T(setup_is_refused_when_it_would_disturb),
        T(vectors_are_aligned_and_run_out),
        T(unknown_vectors_are_acknowledged),
    };

    return UNIT_RUN(tests);
}
