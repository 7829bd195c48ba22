/* SPDX-License-Identifier: MIT */
/*
 * dev/hpet.h - the high precision event timer: its counter, as a reference
 * clock.  One comparator may send NMIs (dev/nmi_timer.h), the others are left
 * masked.
 */
#ifndef VIGIL_DEV_HPET_H
#define VIGIL_DEV_HPET_H

#include "lib/compiler.h"
#include "lib/types.h"

/**
 * hpet_init() - map the registers, start the counter, mask all comparators
 *
 * The firmware may have routed two of them to the lines of the 8254 and the
 * CMOS clock; those get their lines back.
 *
 * Context: boot, after acpi_init().
 * Return:  frequency in Hz, 10 MHz to 10 GHz; 0: there is none, or it says
 *          what no HPET can say
 */
uint64_t hpet_init(void);

/**
 * hpet_read() - the low 32 bits of the counter
 *
 * Context: any, after hpet_init() found one.
 * Return:  ticks, wrapping
 */
uint32_t hpet_read(void);

/**
 * hpet_nmi_setup() - choose a comparator that shall send NMIs
 * @by_message: by a message to a local APIC; else by a pin of an IO-APIC
 * @pin:        that pin; not looked at with @by_message
 * @apic_id:    that local APIC; not looked at without @by_message
 *
 * Context: boot.
 * Return:  0; -ENODEV: no HPET, or no comparator can do that
 */
int hpet_nmi_setup(bool by_message, unsigned int pin, uint32_t apic_id)
    MUST_CHECK;

/**
 * hpet_nmi_start() - the comparator of hpet_nmi_setup() sends its first NMI
 * @first_ns:  so long from now
 * @period_ns: from each of them to the next; less where the counter is short
 *
 * Context: any but NMI/#MC, with the CPU that gets them.
 * Return:  nothing.
 */
void hpet_nmi_start(uint64_t first_ns, uint64_t period_ns);

/**
 * hpet_nmi_take() - is it time for that NMI?  Then wait for the next
 *
 * Context: NMI, after hpet_nmi_start().
 * Return:  true: it was
 */
bool hpet_nmi_take(void);

/**
 * hpet_nmi_stop() - no more of them
 *
 * Context: any but NMI/#MC, after hpet_nmi_setup().
 * Return:  nothing.
 */
void hpet_nmi_stop(void);

/**
 * hpet_comparators() - how many comparators there are
 *
 * Context: any.
 * Return:  1 .. 24; 0: no HPET
 */
unsigned int hpet_comparators(void);

#endif
