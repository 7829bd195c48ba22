/* SPDX-License-Identifier: MIT */
/*
 * domain/pirq.h - physical interrupts as a domain sees them.
 *
 * A pirq is a domain's own number for an interrupt line or message.  Mapped:
 * it stands for an irq of dev/irq.h.  Bound: an event channel receives it.
 * The interrupt handler only sets a bit; SOFTIRQ_IRQ sends the events.
 * Where that finds the vcpu on another CPU, it has the irq sent there.
 */
#ifndef VIGIL_DOMAIN_PIRQ_H
#define VIGIL_DOMAIN_PIRQ_H

#include "dev/irq.h"
#include "domain/domain.h"

#define NR_PIRQS 512U
#define PIRQ_ANY (-1)

/**
 * pirq_init() - plug the interrupt softirq
 *
 * Context: boot.
 * Return:  nothing.
 */
void pirq_init(void);

/**
 * pirq_map_gsi() - give a domain a number for an interrupt pin
 * @d:        domain
 * @gsi:      pin
 * @wanted:   the number, or PIRQ_ANY
 * @ret_pirq: the number
 *
 * Mapping again to the same number is no error.
 *
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL no such pin, or number taken by another irq; -EPERM
 *          the domain may not use it; -ENOSPC, -ENOMEM
 */
int pirq_map_gsi(struct domain *d, unsigned int gsi, int wanted,
                 unsigned int *ret_pirq) MUST_CHECK;

/**
 * pirq_map_msi() - give a domain numbers for messages of a device
 * @d:        domain
 * @req:      device and what kind
 * @wanted:   first number, or PIRQ_ANY
 * @ret_pirq: first of @req->count consecutive numbers
 *
 * Context: any but NMI/#MC.
 * Return:  as irq_msi_alloc()
 */
int pirq_map_msi(struct domain *d, const struct msi_request *req, int wanted,
                 unsigned int *ret_pirq) MUST_CHECK;

/**
 * pirq_reserve() - a number that nobody else gets, to be mapped later
 * @d:        domain
 * @is_gsi:   one of the numbers for pins, else one for messages
 * @ret_pirq: the number; pirq_unmap() or a mapping ends the reservation
 *
 * Context: any but NMI/#MC.
 * Return:  0; -ENOSPC; -ENOMEM; -EINVAL @d is dying
 */
int pirq_reserve(struct domain *d, bool is_gsi,
                 unsigned int *ret_pirq) MUST_CHECK;

/**
 * pirq_unmap() - take the number back; frees a message-signalled irq
 * @d:    domain
 * @pirq: any number; of several MSI of one device the first: all go
 *
 * A bound one stops delivering; its port stays until closed.
 *
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL not mapped, or not the first of several
 */
int pirq_unmap(struct domain *d, unsigned int pirq) MUST_CHECK;

/**
 * pirq_bind() - send a mapped pirq to a port (evtchn_bind.c calls it)
 * @d:     domain
 * @pirq:  any number
 * @port:  port
 * @share: the domain says the line is shared (nothing changes here)
 *
 * Context: any but NMI/#MC.  Event lock held.
 * Return:  0; -EINVAL not mapped; -EEXIST bound; -EPERM a line that @d has no
 *          right to any more; -EBUSY irq is in use; -ENOSPC
 */
int pirq_bind(struct domain *d, unsigned int pirq, evtchn_port_t port,
              bool share) MUST_CHECK;

/**
 * pirq_unbind() - undo pirq_bind() (evtchn_bind.c calls it)
 * @d:    domain
 * @pirq: any number
 * @port: port it was bound to; bound to another one by now: left alone
 *
 * Context: any but NMI/#MC.  Event lock held.
 * Return:  nothing.
 */
void pirq_unbind(struct domain *d, unsigned int pirq, evtchn_port_t port);

/**
 * pirq_eoi() - the guest has dealt with it
 * @d:    domain
 * @pirq: any number
 *
 * Context: any but NMI/#MC.
 * Return:  0, also when nothing was waiting; -EINVAL no such number
 */
int pirq_eoi(struct domain *d, unsigned int pirq) MUST_CHECK;

/**
 * pirq_query() - XENIRQSTAT_* flags
 * @d:         domain
 * @pirq:      any number
 * @ret_flags: the flags
 *
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL no such number
 */
int pirq_query(struct domain *d, unsigned int pirq, uint32_t *ret_flags)
    MUST_CHECK;

/**
 * pirq_set_eoi_map() - the page in which the guest sees what needs an EOI
 * @d:           domain
 * @m:           its frame; held here until destruction
 * @auto_unmask: pirq_eoi() unmasks the port as well (first form of the call)
 *
 * Context: any but NMI/#MC.
 * Return:  0; -EBUSY has one; -EINVAL bad frame; -ENOMEM
 */
int pirq_set_eoi_map(struct domain *d, mfn_t m, bool auto_unmask) MUST_CHECK;

/**
 * pirq_of_irq() - a domain's number for an irq
 * @d:   domain
 * @irq: number of dev/irq.h
 *
 * Context: any but NMI/#MC.
 * Return:  pirq, or PIRQ_ANY: it has none
 */
int pirq_of_irq(struct domain *d, unsigned int irq);

/**
 * pirq_domain_destroy() - unbind and unmap everything of a dying domain
 * @d: domain
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void pirq_domain_destroy(struct domain *d);

#endif
