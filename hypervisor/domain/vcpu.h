/* SPDX-License-Identifier: MIT */
/*
 * domain/vcpu.h - one virtual processor: what keeps it from running, its
 * saved registers, its timers and its page shared with the guest.
 *
 * A vcpu may run when hold == 0.  Each bit of hold has one owner and one
 * reason; sched.c only looks at the whole word.  q below is the lock of the run
 * queue of its processor.
 *
 *   runstate: RUNNING <-> RUNNABLE -> BLOCKED -> RUNNABLE, OFFLINE
 *   (the numbers of <xen/vcpu.h>; sched.c is the one writer)
 */
#ifndef VIGIL_DOMAIN_VCPU_H
#define VIGIL_DOMAIN_VCPU_H

#include "lib/lheap.h"
#include "lib/list.h"
#include "cpu/timer.h"
#include "domain/domain.h"
#include "x86/atomic.h"
#include "x86/nospec.h"
#include "x86/percpu.h"

/* vcpu.hold: why it may not run */
#define VCPU_HOLD_DOWN 0x01    /* VCPUOP_down, or never brought up        */
#define VCPU_HOLD_BLOCKED 0x02 /* SCHEDOP_block or poll                   */
#define VCPU_HOLD_PAUSED 0x04  /* domain pause_count > 0                  */
#define VCPU_HOLD_CONTROL 0x08 /* DOMCTL_pausedomain                      */
#define VCPU_HOLD_STOPPED 0x10 /* its domain has shut down or is dying    */

/* What the scheduler does with it: sched.c draws the moves. */
enum sched_state {
    SCHED_ASLEEP,  /* does not want to run                        */
    SCHED_QUEUED,  /* on the queue of its processor               */
    SCHED_RUNNING, /* chosen by its processor                     */
    SCHED_PARKED,  /* waits for its domain's budget               */
    SCHED_LEAVING, /* must go elsewhere, once its CPU has saved it */
    SCHED_MOVING,  /* between two queues                          */
};

struct pv_vcpu; /* pv/pv.h */
struct sched_unit; /* domain/sched_impl.h */

struct vcpu {
    struct domain *domain; /* c */
    unsigned int vcpu_id;  /* c */
    cpu_t processor;       /* q: CPU it is on, or was on last    */
    uint32_t hold;         /* atomic; VCPU_HOLD_*                */
    bool is_initialised;   /* registers were given               */
    bool is_running;       /* atomic: on a CPU, or not saved yet */
    cpu_t ran_on;          /* pv/switch.c: CPU of the last run   */
    uint8_t sched_state;   /* q: enum sched_state; peeked at     */
    struct cpu_regs regs;  /* valid while not running; use vcpu_regs() */

    struct lheap_node run_node; /* q: key: virtual time in its domain */
    struct sched_unit *unit;    /* q: its domain's of its processor   */
    struct list move_link;      /* q: may_move or leaving of a queue  */
    int64_t served_ns;          /* q: what it got more than its queue */
    uint64_t woken_at_ns;       /* q: it has been active since        */
    cpumask_t hard_affinity;    /* q: sched_set_affinity()            */
    cpumask_t soft_affinity;    /* q */
    cpumask_t hard_before_pin;  /* c while pin_override               */
    bool pin_override;          /* by itself: SCHEDOP_pin_override    */

    vcpu_runstate_info_t runstate;  /* q */
    uint64_t runstate_guest;        /* guest va of its copy, 0: none */
    struct timer singleshot;        /* VCPUOP_set_singleshot_timer   */
    struct timer periodic;
    uint64_t periodic_ns;           /* 0: stopped                    */
    struct timer poll_timer;
    evtchn_port_t poll_port;        /* port polled for; 0: none, ~0: several */

    vcpu_info_t *vcpu_info;   /* hypervisor's view, never NULL             */
    mfn_t vcpu_info_mfn;      /* registered page, INVALID_MFN: shared info */
    vcpu_info_t *own_info;    /* c: without a slot in it: from the heap    */
    uint64_t time_guest;      /* VCPUOP_register_vcpu_time_memory_area     */
    uint32_t time_version;
    bool nmi_pending;         /* a virtual NMI waits                       */
    bool mce_pending;         /* a virtual #MC waits                       */
    uint32_t async_mask;      /* VCPU_ASYNC_*: in that guest handler now   */
    uint32_t async_saved[2];  /* masks saved by the innermost handlers     */
    unsigned int async_depth;

    evtchn_port_t virq_port[NR_VIRQS]; /* per-vcpu virqs; 0: unbound      */

    struct pv_vcpu *pv; /* c */

    bool in_multicall;  /* hypercall/multicall.c                         */
    bool hypercall_preempted; /* continuation.c: set by restart          */
};

#define VCPU_ASYNC_NMI 0x1
#define VCPU_ASYNC_MCE 0x2

/* The vcpu this pcpu serves; NULL while idle. */
#define current (this_cpu()->current_vcpu)

/* The vcpu a guest's number means; NULL: there is none. */
static inline struct vcpu *domain_vcpu(const struct domain *d, uint64_t id)
{
    return id < d->max_vcpus && id < MAX_VCPUS
               ? d->vcpu[index_nospec(id, MAX_VCPUS)]
               : NULL;
}

/* Where the registers of @v are right now: on the stack if it is current. */
static inline struct cpu_regs *vcpu_regs(struct vcpu *v)
{
    return v == current ? guest_regs() : &v->regs;
}

/* SCHEDOP_poll: waits for @port, or for any (EVTCHN_POLL_SEVERAL). */
static inline void vcpu_poll_begin(struct vcpu *v, evtchn_port_t port)
{
    if (atomic_xchg(&v->poll_port, port) == 0) {
        (void)atomic_add(&v->domain->pollers, 1u);
    }
}

/* It does not wait for a port any more, if it did. */
static inline void vcpu_poll_end(struct vcpu *v)
{
    if (atomic_xchg(&v->poll_port, 0) != 0) {
        (void)atomic_sub(&v->domain->pollers, 1u);
    }
}

/**
 * vcpu_create() - add a vcpu to a domain, down and uninitialised
 * @d:        domain
 * @vcpu_id:  0 .. max_vcpus - 1, not in use
 * @ret_vcpu: the vcpu
 *
 * pv/domain_pv.h's pv_vcpu_create() calls it and adds the PV part.
 * Context: any but NMI/#MC.
 * Return:  0, -EINVAL, -ENOMEM
 */
int vcpu_create(struct domain *d, unsigned int vcpu_id,
                struct vcpu **ret_vcpu) MUST_CHECK;

/**
 * vcpu_free() - the last of a vcpu; it is not queued, its timers are stopped
 * @v: vcpu
 *
 * Context: domain destruction.
 */
void vcpu_free(struct vcpu *v);

/**
 * vcpu_hold() - set reasons not to run; stops it if it runs
 * @v:   vcpu
 * @why: VCPU_HOLD_* bits
 *
 * Context: any but NMI/#MC.
 */
void vcpu_hold(struct vcpu *v, uint32_t why);

/**
 * vcpu_is_off() - has every CPU let go of a vcpu?
 * @v: vcpu, held by the caller: it stays off
 *
 * Context: any.
 * Return:  true: it is asleep and its registers are saved
 */
bool vcpu_is_off(const struct vcpu *v);

/**
 * vcpu_release() - clear reasons not to run; queues it if none is left
 * @v:   vcpu
 * @why: VCPU_HOLD_* bits
 *
 * Context: any but NMI/#MC.
 */
void vcpu_release(struct vcpu *v, uint32_t why);

/**
 * vcpu_kick() - something for this vcpu to see on its way to the guest
 * @v: vcpu
 *
 * Wakes it if blocked; makes the pcpu running it go through the exit path.
 * Context: any but NMI/#MC.
 */
void vcpu_kick(struct vcpu *v);

/**
 * vcpu_block() - SCHEDOP_block for the current vcpu
 *
 * Unmasks upcalls; blocks unless an event is pending.  Takes effect on the
 * way out.
 * Context: hypercall.
 */
void vcpu_block(void);

/**
 * vcpu_mark_events_pending() - set the master pending flag and wake
 * @v: vcpu
 *
 * Context: any but NMI/#MC.
 */
void vcpu_mark_events_pending(struct vcpu *v);

/**
 * vcpu_runstate_get() - times up to now, of any vcpu
 * @v:        vcpu
 * @ret_info: states and nanoseconds
 *
 * Context: any but NMI/#MC.
 */
void vcpu_runstate_get(struct vcpu *v, vcpu_runstate_info_t *ret_info);

/**
 * vcpu_runstate_copy() - times up to the last change of state, of any vcpu
 * @v:        vcpu
 * @ret_info: states and nanoseconds
 *
 * Context: any but NMI/#MC.
 */
void vcpu_runstate_copy(struct vcpu *v, vcpu_runstate_info_t *ret_info);

#endif
