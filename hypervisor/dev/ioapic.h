/* SPDX-License-Identifier: MIT */
/*
 * dev/ioapic.h - IO-APICs: pins, redirection entries.
 *
 * A pin is named by its global system interrupt (GSI).  All calls with a GSI
 * that no IO-APIC has are harmless.
 */
#ifndef VIGIL_DEV_IOAPIC_H
#define VIGIL_DEV_IOAPIC_H

#include "lib/compiler.h"
#include "lib/types.h"

struct ioapic_route {
    uint8_t vector;
    bool is_level;
    bool is_active_low;
    bool is_nmi; /* not @vector, but an NMI */
    uint32_t apic_id; /* destination, physical */
};

/**
 * ioapic_init() - map every IO-APIC of the MADT and mask all pins
 *
 * Context: boot, after acpi_init(), interrupts off.
 * Return:  highest GSI + 1; 0: none
 */
unsigned int ioapic_init(void);

/**
 * ioapic_has() - is there a pin for this GSI?
 * @gsi: any number
 *
 * Context: any.
 * Return:  true: there is
 */
bool ioapic_has(unsigned int gsi);

/**
 * ioapic_route() - program a pin's entry
 * @gsi:       pin
 * @route:     where to
 * @is_masked: leave it masked
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void ioapic_route(unsigned int gsi, const struct ioapic_route *route,
                  bool is_masked);

/**
 * ioapic_set_mask() - mask or unmask a pin
 * @gsi:       pin
 * @is_masked: what it shall be
 *
 * Context: any but NMI/#MC; also interrupt handlers.
 * Return:  nothing.
 */
void ioapic_set_mask(unsigned int gsi, bool is_masked);

/**
 * ioapic_set_target() - send a pin's interrupts to another CPU
 * @gsi:     pin
 * @apic_id: destination, physical
 *
 * One write, so that it is good at any time: also while the pin is in use.
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void ioapic_set_target(unsigned int gsi, uint32_t apic_id);

/**
 * ioapic_read_register() - raw read, for the control domain
 * @base:      machine address of the IO-APIC
 * @reg:       register number
 * @ret_value: value
 *
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL no such IO-APIC or register
 */
int ioapic_read_register(uint64_t base, unsigned int reg, uint32_t *ret_value)
    MUST_CHECK;

/**
 * ioapic_address() - where the n-th one lies
 * @n: index from 0
 *
 * Context: any.
 * Return:  machine address; 0 past the last
 */
uint64_t ioapic_address(unsigned int n);

#endif
