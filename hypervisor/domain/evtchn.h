/* SPDX-License-Identifier: MIT */
/*
 * domain/evtchn.h - event channels: a guest's interrupt lines.
 *
 *                 +-- bind_interdomain (other end) --> INTERDOMAIN
 *   FREE -> UNBOUND <---------- close by the other end ----/
 *     |\--> VIRQ, IPI, PIRQ
 *     ^ close from every state
 *
 * How a pending event becomes visible to the guest is one of two ABIs:
 * evtchn_2l.c (bitmaps in shared info, 4096 ports) until the guest's first
 * init_control, evtchn_fifo.c (linked event words, 131072 ports) after it.
 *
 * Channels are stored in buckets of a page each, allocated as ports come into
 * use and kept until the domain is freed, so a port finds its channel in
 * O(1) and pointers to channels stay valid.
 *
 * Nothing here is called by interrupt handlers: they raise softirqs.
 */
#ifndef VIGIL_DOMAIN_EVTCHN_H
#define VIGIL_DOMAIN_EVTCHN_H

#include "domain/domain.h"
#include "domain/vcpu.h"

#define EVTCHN_PORTS_2L     4096U
#define EVTCHN_PORTS_FIFO   EVTCHN_FIFO_NR_CHANNELS
#define EVTCHN_POLL_SEVERAL (~(evtchn_port_t)0)

enum evtchn_state {
    EVTCHN_FREE,
    EVTCHN_UNBOUND,
    EVTCHN_INTERDOMAIN,
    EVTCHN_PIRQ,
    EVTCHN_VIRQ,
    EVTCHN_IPI,
};

/*
 * Legend:  E  event lock of its domain   B  event locks of both ends
 *          +  and the channel's own lock, to leave this state; either to read
 *          Q  who holds the queues of the vcpu it names   a  atomic
 */
struct evtchn {
    uint8_t state;         /* E+, B+ if INTERDOMAIN: enum evtchn_state       */
    uint8_t priority;      /* E, read without: FIFO                          */
    bool is_pending_early; /* a: FIFO, no event word yet when it came        */
    uint8_t lock;          /* a: the channel's own, evtchn_impl.h            */
    uint16_t last;         /* Q: FIFO queue it was linked on last            */
    uint16_t vcpu;         /* E, read without: vcpu to notify                */
    evtchn_port_t port;    /* c                                              */
    uint32_t next;         /* a: it waits to be linked: evtchn_impl.h        */
    union {
        struct {
            domid_t remote;    /* may bind                                  */
            uint64_t instance; /* that one of the number; 0: the first      */
        } unbound;
        struct {
            struct domain *remote;
            evtchn_port_t remote_port;
        } interdomain;
        unsigned int pirq;
        unsigned int virq;
    } u; /* as state */
};

/* ---- life ------------------------------------------------------------- */

/**
 * evtchn_domain_init() - event channels for a new domain
 * @d:        domain; @d->evtchn is set
 * @max_port: highest port it may use (createdomain's max_evtchn_port)
 *
 * Context: any but NMI/#MC.
 * Return:  0; -ENOMEM
 */
int evtchn_domain_init(struct domain *d, uint32_t max_port) MUST_CHECK;

/**
 * evtchn_domain_destroy() - close all ports of a dying domain
 * @d:           domain, DYING
 * @should_stop: asked now and then; NULL: never stop
 *
 * May be called again and again; also gives back the FIFO pages.
 *
 * Context: any but NMI/#MC.
 * Return:  0 done; -ERESTART call again
 */
int evtchn_domain_destroy(struct domain *d, bool (*should_stop)(void))
    MUST_CHECK;

/**
 * evtchn_domain_free() - free what is left, with the domain itself
 * @d:      domain after evtchn_domain_destroy(), or one that never ran
 * @budget: buckets to free at most; what of it is left is written back
 *
 * Context: any but NMI/#MC; nobody else knows @d.
 * Return:  true: all is free; false: call again with more
 */
bool evtchn_domain_free(struct domain *d, unsigned int *budget) MUST_CHECK;

/**
 * evtchn_reset() - close all ports and go back to the 2-level ABI
 * @d:           domain; not running, or the caller's own
 * @should_stop: asked now and then; NULL: never stop
 *
 * Nothing can be bound until it is done.
 *
 * Context: any but NMI/#MC.
 * Return:  0; -ERESTART call again: stopped, or another CPU is at it
 */
int evtchn_reset(struct domain *d, bool (*should_stop)(void)) MUST_CHECK;

/**
 * evtchn_count() - ports that are not free
 * @d: domain
 *
 * Looks without locks: for statistics.
 * Context: any but NMI/#MC.
 * Return:  their number
 */
unsigned int evtchn_count(const struct domain *d);

/* ---- binding ---------------------------------------------------------- */

/**
 * evtchn_alloc_unbound() - a port that another domain may bind to
 * @d:        domain that gets the port
 * @remote:   domid that may bind; already resolved, not DOMID_SELF
 * @ret_port: the port
 *
 * Context: any but NMI/#MC.
 * Return:  0; -ENOSPC no port left; -ENOMEM; -EINVAL @d is dying; -EBUSY, here
 *          and below: its ports are being reset
 */
int evtchn_alloc_unbound(struct domain *d, domid_t remote,
                         evtchn_port_t *ret_port) MUST_CHECK;

/**
 * evtchn_bind_interdomain() - connect a new local port to an unbound one
 * @d:           domain that gets the local port
 * @remote:      other end's domain, may be @d
 * @remote_port: unbound port there that accepts @d
 * @ret_port:    the local port
 *
 * The local port is set pending once, in case the other end had sent before.
 *
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL not such a port; -ENOSPC, -ENOMEM
 */
int evtchn_bind_interdomain(struct domain *d, struct domain *remote,
                            evtchn_port_t remote_port, evtchn_port_t *ret_port)
    MUST_CHECK;

/**
 * evtchn_bind_virq() - a port for a virtual interrupt
 * @d:        domain
 * @virq:     0 .. NR_VIRQS - 1
 * @vcpu:     vcpu; must be 0 for global virqs
 * @ret_port: the port
 *
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL no such virq, or a global one not on vcpu 0; -ENOENT no
 *          such vcpu; -EEXIST bound already; -ENOSPC, -ENOMEM
 */
int evtchn_bind_virq(struct domain *d, unsigned int virq, unsigned int vcpu,
                     evtchn_port_t *ret_port) MUST_CHECK;

/**
 * evtchn_bind_ipi() - a port by which a vcpu is notified by others
 * @d:        domain
 * @vcpu:     vcpu
 * @ret_port: the port
 *
 * Context: any but NMI/#MC.
 * Return:  0; -ENOENT no such vcpu; -ENOSPC, -ENOMEM
 */
int evtchn_bind_ipi(struct domain *d, unsigned int vcpu,
                    evtchn_port_t *ret_port) MUST_CHECK;

/**
 * evtchn_bind_pirq() - a port for a physical interrupt
 * @d:          domain
 * @pirq:       its number for the interrupt, mapped by pirq_map_*()
 * @will_share: level-triggered line of several devices
 * @ret_port:   the port
 *
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL not mapped; -EEXIST bound already; -EPERM the right to
 *          it has gone; -EBUSY the hypervisor's or another domain's; -ENOSPC,
 *          -ENOMEM
 */
int evtchn_bind_pirq(struct domain *d, unsigned int pirq, bool will_share,
                     evtchn_port_t *ret_port) MUST_CHECK;

/**
 * evtchn_close() - free a port; the other end becomes unbound
 * @d:    domain
 * @port: any number
 *
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL no such port
 */
int evtchn_close(struct domain *d, evtchn_port_t port) MUST_CHECK;

/**
 * evtchn_bind_vcpu() - choose the vcpu that a port notifies
 * @d:    domain
 * @port: any number; not an IPI, not a per-vcpu virq
 * @vcpu: vcpu
 *
 * Context: any but NMI/#MC.
 * Return:  0; -ENOENT no such vcpu; -EINVAL not such a port
 */
int evtchn_bind_vcpu(struct domain *d, evtchn_port_t port, unsigned int vcpu)
    MUST_CHECK;

/**
 * evtchn_status() - what a port is bound to
 * @d:          domain
 * @port:       any number
 * @ret_status: EVTCHNSTAT_* and details; dom and port are left alone
 *
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL no such port
 */
int evtchn_status(struct domain *d, evtchn_port_t port,
                  struct evtchn_status *ret_status) MUST_CHECK;

/* ---- sending ---------------------------------------------------------- */

/**
 * evtchn_send() - notify the other end of a port
 * @d:    sender
 * @port: INTERDOMAIN, IPI, or UNBOUND (does nothing)
 *
 * Context: any but NMI/#MC and interrupt handlers.
 * Return:  0; -EINVAL no such port, or one that cannot be sent to
 */
int evtchn_send(struct domain *d, evtchn_port_t port) MUST_CHECK;

/**
 * evtchn_set_pending() - make a port pending by itself
 * @d:    domain
 * @port: any number; ports that are free are left alone
 *
 * Context: any but NMI/#MC and interrupt handlers.
 * Return:  nothing.
 */
void evtchn_set_pending(struct domain *d, evtchn_port_t port);

/**
 * evtchn_unmask() - clear a port's mask; notify if it is pending
 * @d:    domain
 * @port: any number
 *
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL no such port
 */
int evtchn_unmask(struct domain *d, evtchn_port_t port) MUST_CHECK;

/**
 * evtchn_is_pending() - is the port's event waiting, masked or not?
 * @d:    domain
 * @port: any number
 *
 * Context: any but NMI/#MC.
 * Return:  true: pending
 */
bool evtchn_is_pending(struct domain *d, evtchn_port_t port);

/**
 * evtchn_port_usable() - could the domain have a channel with this number?
 * @d:    domain
 * @port: any number
 *
 * For SCHEDOP_poll, which refuses other numbers.
 *
 * Context: any but NMI/#MC.
 * Return:  true: below the limit and its bucket exists
 */
bool evtchn_port_usable(struct domain *d, evtchn_port_t port);

/**
 * evtchn_vcpu_has_pending() - has the vcpu an upcall waiting?
 * @v: vcpu
 *
 * The master flag; whether upcalls are masked is not looked at.
 *
 * Context: any.
 * Return:  true: an upcall is due as soon as it is not masked
 */
bool evtchn_vcpu_has_pending(const struct vcpu *v);

/* ---- FIFO ABI --------------------------------------------------------- */

/**
 * evtchn_fifo_init_control() - a vcpu's control block; the first one switches
 *                              the domain to the FIFO ABI
 * @v:      vcpu
 * @m:      frame of @v's domain; held here until reset or destruction
 * @offset: of the block in it, 8-byte aligned
 *
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL bad frame or offset, or it has a block already; -ENOMEM
 */
int evtchn_fifo_init_control(struct vcpu *v, mfn_t m, uint32_t offset)
    MUST_CHECK;

/**
 * evtchn_fifo_expand_array() - one more page of event words
 * @d: domain
 * @m: its frame, held here until reset or destruction
 *
 * Context: any but NMI/#MC.
 * Return:  0; -EOPNOTSUPP before init_control; -ENOSPC has all pages;
 *          -EINVAL bad frame
 */
int evtchn_fifo_expand_array(struct domain *d, mfn_t m) MUST_CHECK;

/**
 * evtchn_set_priority() - queue for a port's future events
 * @d:        domain
 * @port:     any number
 * @priority: EVTCHN_FIFO_PRIORITY_MAX (0) .. EVTCHN_FIFO_PRIORITY_MIN (15)
 *
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL; -EOPNOTSUPP the domain uses the 2-level ABI
 */
int evtchn_set_priority(struct domain *d, evtchn_port_t port, uint32_t priority)
    MUST_CHECK;

/**
 * evtchn_dump() - print a domain's ports (debug key e)
 * @d: domain
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void evtchn_dump(struct domain *d);

#endif
