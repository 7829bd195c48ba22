/* SPDX-License-Identifier: MIT */
/*
 * domain/rights.h - which I/O ports, device frames and interrupts a domain
 * may use.
 *
 * Ordinary domains begin with none and get what the control domain gives
 * them.  The control domain begins with all but what the hypervisor drives
 * itself.  All numbers may come from guests.
 */
#ifndef VIGIL_DOMAIN_RIGHTS_H
#define VIGIL_DOMAIN_RIGHTS_H

#include "domain/domain.h"

/**
 * rights_init_control() - what the control domain may use
 * @d: control domain
 *
 * Everything, except: 8259s, 8254, port 0x61, PCI configuration ports, the
 * serial line, the PM timer and the port of SMIs (all of them mediated or ours);
 * local APIC, IO-APICs, the message window, AMD's HyperTransport hole, firmware's
 * code and the watchdog.  The HPET may be written (known limit 36).  Whatever the
 * rights say, nobody maps our RAM or what is unusable (pv/pt_validate.c).
 *
 * Context: boot, after irq_init() and uart_init().
 * Return:  nothing.
 */
void rights_init_control(struct domain *d);

/**
 * rights_look() - is all of a range in one of the sets?
 * @d:     domain
 * @set:   @d->io_ports, io_mem or irqs
 * @first: first number
 * @last:  last number, not below @first
 *
 * Takes no lock; sees a change that is made at this moment as a whole or not.
 * Context: any but NMI/#MC.
 * Return:  true: all of it
 */
bool rights_look(const struct domain *d, const struct rangeset *set,
                 uint64_t first, uint64_t last);

/**
 * rights_ports_ok() - may it use these I/O ports?
 * @d:     domain
 * @port:  first
 * @count: how many, at least 1
 *
 * Context: any but NMI/#MC.
 * Return:  true: all of them
 */
bool rights_ports_ok(struct domain *d, uint32_t port, uint32_t count);

/**
 * rights_mem_ok() - may it map these frames that are not RAM?
 * @d:     domain
 * @m:     first
 * @count: how many, at least 1
 *
 * Context: any but NMI/#MC.
 * Return:  true: all of them
 */
bool rights_mem_ok(const struct domain *d, mfn_t m, uint64_t count);

/**
 * rights_mem_read_ok() - may it map them read-only?
 * @d:     domain
 * @m:     first
 * @count: how many, at least 1
 *
 * The control domain may look at the IO-APICs' registers.
 *
 * Context: any but NMI/#MC.
 * Return:  true: all of them
 */
bool rights_mem_read_ok(const struct domain *d, mfn_t m, uint64_t count);

/**
 * rights_irq_ok() - may it use this interrupt?
 * @d:    domain
 * @pirq: number
 *
 * Context: any but NMI/#MC.
 * Return:  true: it may
 */
bool rights_irq_ok(struct domain *d, unsigned int pirq);

/* What rights_change() changes. */
enum rights_kind {
    RIGHTS_PORTS,
    RIGHTS_MEM,
    RIGHTS_IRQ
};

/**
 * rights_change() - give or take away
 * @d:     domain
 * @kind:  kind of thing
 * @first: first number
 * @last:  last number, not below @first
 * @allow: give (else take away)
 *
 * Mappings that exist already stay.
 *
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL bad range; -ENOMEM no memory, or too many separate ranges
 */
int rights_change(struct domain *d, enum rights_kind kind, uint64_t first,
                  uint64_t last, bool allow) MUST_CHECK;

#endif
