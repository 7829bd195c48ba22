/* SPDX-License-Identifier: MIT */
#include "tests/unit/dev/irq_machine.h"

#include "lib/errno.h"
#include "x86/percpu.h"
#include "cpu/clock.h"
#include "cpu/lapic.h"
#include "cpu/softirq.h"
#include "cpu/timer.h"
#include "dev/acpi_madt.h"
#include "dev/i8259.h"
#include "dev/ioapic.h"
#include "dev/irq.h"
#include "dev/irq_impl.h"
#include "fake_hw.h"

struct ioapic_route routes[PINS];
bool masked[PINS];
uint32_t targets[PINS];
unsigned int eois, handled, message_masks, message_moves;
bool message_masked, message_maskable, masked_at_eoi;
uint64_t now_ns;
struct timer *timer;
static bool raised;
static struct acpi_madt madt;

/* ---- what the code under test calls -------------------------------------- */

void lapic_eoi(void)
{
    eois++;
    masked_at_eoi = masked[9];
}

uint64_t clock_now_ns(void)
{
    return now_ns;
}

void timer_init(struct timer *t, void (*fn)(void *arg), void *arg)
{
    *t = (struct timer){.deadline_ns = TIMER_NEVER, .fn = fn, .arg = arg};
}

void timer_set(struct timer *t, uint64_t deadline_ns)
{
    assert_int_equal(t->deadline_ns, TIMER_NEVER); /* never set twice */
    t->deadline_ns = deadline_ns;
    timer = t;
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
    targets[gsi] = route->apic_id;
    masked[gsi] = is_masked;
}

void ioapic_set_mask(unsigned int gsi, bool is_masked)
{
    masked[gsi] = is_masked;
}

void ioapic_set_target(unsigned int gsi, uint32_t apic_id)
{
    targets[gsi] = apic_id;
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

void msi_set_mask(struct irq_desc *desc, bool is_masked)
{
    (void)desc;
    message_masked = is_masked;
    message_masks++;
}

void msix_mask_now(const struct irq_desc *desc)
{
    (void)desc;
    message_masked = true;
}

void softirq_raise(enum softirq nr)
{
    assert_int_equal(nr, SOFTIRQ_IRQ);
    raised = true;
}

bool msi_can_mask(const struct irq_desc *desc)
{
    (void)desc;
    return message_maskable;
}

void msi_move(const struct irq_desc *desc)
{
    (void)desc;
    message_moves++;
}

void handler(void *arg)
{
    handled++;
    assert_ptr_equal(arg, &handled);
}

int irq_machine_setup(void **state)
{
    (void)state;
    fake_hw_reset();
    memset(irq_descs, 0, sizeof(irq_descs));
    eois = handled = message_masks = message_moves = 0;
    now_ns = 5000000000ULL;
    timer = NULL;
    message_maskable = true;
    irq_set_ratelimit(1000);
    madt = (struct acpi_madt){
        .override_count = 2,
        .override = {{.isa = 0, .gsi = 2}, {.isa = 9, .gsi = 9, .flags = 0xd}},
    };
    irq_init();
    return 0;
}

void dispatch(unsigned int vector)
{
    fake_irqs_on = false;
    irq_dispatch(vector);
    fake_irqs_on = true;
    if (raised) {
        raised = false;
        irq_storm_softirq();
    }
}

int make_messages(unsigned int first, unsigned int count, bool is_msix)
{
    int rc;

    for (unsigned int i = 0; i < count; i++) {
        irq_descs[first + i] = (struct irq_desc){
            .exists = true,
            .is_msi = true,
            .is_msix = is_msix,
            .entry = (uint16_t)i,
            .block = (uint16_t)count,
            .is_masked = true,
        };
    }
    fake_irqs_on = false;
    rc = irq_vectors_take(first, count);
    fake_irqs_on = true;
    return rc;
}
