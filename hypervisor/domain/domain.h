/* SPDX-License-Identifier: MIT */
/*
 * domain/domain.h - the unit of ownership.
 *
 *   BUILDING -> RUNNING -> SHUTDOWN -> DYING -> DEAD
 *       \__________\__________________/
 *
 * SHUTDOWN: a reason is known and no vcpu runs.  DYING: giving memory back;
 * stays until the last foreign reference goes.  domain_set_state() owns the
 * table of legal moves.  INV-DOM-1: a dying domain gains nothing.
 *
 * Legend:  c constant after creation   D domain lock, to write; read without
 *          a atomic   L list_lock of domain.c   K the domctl lock
 *          R domain lock to write, rights_seq to read   C console_lock
 */
#ifndef VIGIL_DOMAIN_DOMAIN_H
#define VIGIL_DOMAIN_DOMAIN_H

#include "cpu/tlb.h"
#include "domain/vtsc.h"
#include "lib/compiler.h"
#include "lib/frames.h"
#include "lib/rangeset.h"
#include "lib/xen_abi.h"
#include "log/printk.h"
#include "sync/seqcount.h"
#include "sync/spinlock.h"
#include "x86/regs.h"

enum domain_state {
    DOMAIN_BUILDING,
    DOMAIN_RUNNING,
    DOMAIN_SHUTDOWN,
    DOMAIN_DYING,
    DOMAIN_DEAD,
};

#define MAX_VCPUS 64 /* a domain                                       */

struct vigil_death;   /* <vigil/vigil_op.h> */
struct vcpu;
struct evtchn_domain; /* domain/evtchn.c */
struct grant_table;   /* domain/grant.c  */
struct sched_domain;  /* domain/sched_impl.h */
struct pv_domain;     /* pv/pv.h         */

/*
 * A domid is given again when its domain is gone and nobody refers to it any
 * more (in_use of domain.c).  What may outlive a domain, or is compared with
 * what was noted of one, names it by its instance, which is never given again.
 */
struct domain {
    domid_t domid;                 /* c */
    bool is_privileged;            /* c: the control domain             */
    bool is_renumbered;            /* c: another had the domid before   */
    enum domain_state state;       /* D */
    uint32_t refs;                 /* a: domain_get()/domain_put()      */
    struct domain *next_spare;     /* L: of a struct that is none, or of
                                      one in domain_reap.c              */
    uint64_t instance;             /* c: 1, 2, ... since the start      */
    struct spinlock lock;          /* rank LOCK_DOMAIN                  */

    xen_domain_handle_t handle;    /* D: uuid                           */
    uint32_t create_flags;         /* c: XEN_DOMCTL_CDF_*               */
    unsigned int max_vcpus;        /* c */
    struct vcpu *vcpu[MAX_VCPUS];  /* c once created                    */

    uint32_t tot_pages;            /* D: frames in the tally            */
    uint32_t max_pages;            /* D: limit of the tally             */
    uint32_t page_list;            /* D: head, frame number; FRAME_NONE */
    uint32_t page_cursor;          /* K: where a walk of it goes on     */
    uint32_t outstanding_pages;    /* D: domain_claim()                 */

    bool relinquished;             /* D: domain_destroy_end() was called */
    void (*free_pv)(struct domain *d); /* c: pv/ frees its part         */
    unsigned int pause_count;      /* D: domain_pause()                 */
    uint32_t pollers;              /* a: vcpus with a poll_port         */
    bool controller_paused;        /* D: DOMCTL_pausedomain             */
    unsigned int shutdown_code;    /* D: SHUTDOWN_*                     */
    bool shutting_down;            /* D: set once, by the first reason  */
    uint32_t death_code;           /* D: VIGIL_DEATH_*                  */
    evtchn_port_t suspend_port;    /* D: domain_tell_suspend()          */

    shared_info_t *shared_info;    /* c: hypervisor's view              */
    mfn_t shared_info_mfn;         /* c */
    int64_t time_offset_s;         /* D: XEN_DOMCTL_settimeoffset       */
    uint32_t vm_assist;            /* D: bit per VMASST_TYPE_*          */
    uint32_t tsc_mode;             /* D: of xl.cfg                     */
    uint32_t tsc_incarnation;      /* D: XEN_DOMCTL_settscinfo          */
    struct vtsc vtsc;              /* D until it runs, then c           */
    struct sched_domain *sched;    /* c: domain/sched_domain.c          */
    uint64_t node_affinity;        /* D: memory nodes; all ones: any    */

    struct evtchn_domain *evtchn;  /* c */
    struct grant_table *grants;    /* c */
    struct pv_domain *pv;          /* c */
    struct tlb_space tlb;          /* a: where its tables are loaded    */

    struct rangeset io_ports;      /* R: ports it may use               */
    struct rangeset io_mem;        /* R: frames beyond RAM it may map   */
    struct rangeset irqs;          /* R: pirqs it may bind              */
    struct range *rights_space;    /* D: of all three; NULL: no rights  */
    struct seqcount rights_seq;    /* D: a look without the lock        */

    struct e820entry *e820;        /* D, also to read: its memory map   */
    unsigned int e820_count;       /* D */

    /* line buffer of HYPERVISOR_console_io for unprivileged domains */
    struct spinlock console_lock;
    char console_line[128];        /* C */
    unsigned int console_len;      /* C */

    struct log_guest log;          /* its share of the log              */
};

extern struct domain *dom0; /* the control domain; NULL before it exists */

/**
 * domain_create() - a new domain with no vcpu and no memory
 * @domid:      wanted, or DOMID_INVALID for the next free one
 * @config:     as XEN_DOMCTL_createdomain gives it, checked by the caller
 * @privileged: control domain
 * @ret_domain: the domain, BUILDING, with one reference for being listed
 *
 * Allocates shared info, event channels and grant table; pv/domain_pv.h adds
 * the PV part (call that one, pv_domain_create()).  Nobody finds it before
 * domain_publish(); domain_put() undoes it until then.
 * Context: any but NMI/#MC.
 * Return:  0, -EEXIST domid taken, -ENOMEM, -EINVAL
 */
int domain_create(domid_t domid, const struct xen_domctl_createdomain *config,
                  bool privileged, struct domain **ret_domain) MUST_CHECK;

/**
 * domain_publish() - a new domain can be found from now on
 * @d: from domain_create(), complete
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void domain_publish(struct domain *d);

/**
 * domain_get() - find a domain and keep it
 * @domid: real domid; DOMID_SELF is resolved by hypercall/, not here
 *
 * O(1), without a lock.  Context: any but NMI/#MC.
 * Return:  domain with one more reference, or NULL
 */
struct domain *domain_get(domid_t domid) MUST_CHECK;

/**
 * domain_peek() - find a domain without keeping it
 * @domid: real domid
 *
 * Only for whoever holds something that keeps the domain: one of the frames in
 * its tally, say.
 * Context: any.
 * Return:  domain or NULL
 */
struct domain *domain_peek(domid_t domid);

/**
 * domain_instance() - which domain has a number now
 * @domid: any
 *
 * Context: any but NMI/#MC.
 * Return:  its instance; 0: nobody has it
 */
uint64_t domain_instance(domid_t domid);

/**
 * domain_next() - walk the domains in order of domid
 * @domid: smallest domid wanted
 *
 * Context: any but NMI/#MC.
 * Return:  first domain with domid >= @domid, one more reference; NULL
 */
struct domain *domain_next(domid_t domid) MUST_CHECK;

/**
 * domain_put() - give a reference back; the last one frees a DEAD domain
 * @d: domain
 *
 * Of one that is large, what is left then: see domain_reap().
 * Context: any but NMI/#MC.
 */
void domain_put(struct domain *d);

/**
 * domain_reap() - go on with the freeing of domains nobody refers to any more
 *
 * The last reference may go in the middle of anything.  So only a little is
 * freed there, and the rest here, a bounded step at a time: in the idle loop,
 * and where domains are made and destroyed.
 * Context: any but NMI/#MC, no lock of rank LOCK_RANK_DOMAIN_LIST or above.
 * Return:  true: call again, there is more
 */
bool domain_reap(void) MUST_CHECK;

/**
 * domain_set_state() - the one writer of domain.state
 * @d:  domain
 * @to: new state; an illegal move is a bug of ours (panics)
 *
 * Context: any but NMI/#MC.
 */
void domain_set_state(struct domain *d, enum domain_state to);

/**
 * domain_claim() - memory a domain is promised and has not got yet
 * @d:     domain
 * @pages: what is left of the promise; replaces what was
 *
 * Context: any but NMI/#MC.
 */
void domain_claim(struct domain *d, uint32_t pages);

/**
 * domain_claims() - what all domains are promised
 *
 * Context: any.
 * Return:  pages
 */
uint64_t domain_claims(void);

/**
 * domain_pause() - nobody of this domain runs until domain_unpause()
 * @d: domain; may be paused several times
 *
 * On return no vcpu of @d is running (except the caller's own, which stops
 * on its way out).  Waits for those that run on other CPUs.
 * Context: any but NMI/#MC, interrupts on; the domctl lock held, so that two
 * vcpus never wait for each other.
 */
void domain_pause(struct domain *d);

/**
 * domain_unpause() - undo one domain_pause()
 * @d: domain
 *
 * Context: any but NMI/#MC.
 */
void domain_unpause(struct domain *d);

/**
 * domain_shutdown() - the domain asked to end, or must
 * @d:      domain
 * @reason: SHUTDOWN_* of <xen/sched.h>
 *
 * The control domain's shutdown is the machine's: poweroff, reboot or (crash)
 * a sealed box and a reset.  Others stop all vcpus, become SHUTDOWN and raise
 * VIRQ_DOM_EXC in the control domain.
 * Context: any but NMI/#MC.
 */
void domain_shutdown(struct domain *d, unsigned int reason);

/**
 * domain_tell_suspend() - who waits for a domain to suspend
 * @d:    domain
 * @port: a channel of @d: its other end is told of SHUTDOWN_suspend, and
 *        nobody by VIRQ_DOM_EXC; 0: as of other ends
 *
 * Context: any but NMI/#MC.
 */
void domain_tell_suspend(struct domain *d, evtchn_port_t port);

/**
 * domain_crash() - end a domain that broke a promise; only that domain
 * @d:    domain
 * @code: VIGIL_DEATH_* of <vigil/vigil_op.h>
 * @fmt:  one line: what it did, with the values
 *
 * Records registers and text (vigil_op death_next), logs it, then
 * domain_shutdown(SHUTDOWN_crash).  The caller must return promptly; the
 * current vcpu does not run again.
 * Context: any but NMI/#MC.
 */
void domain_crash(struct domain *d, uint32_t code, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/**
 * domain_death_next() - read the log of deaths
 * @after_seq: newest record already known; 0 for all
 * @ret_death: the oldest newer record (struct vigil_death)
 * @ret_lost:  records overwritten since @after_seq
 *
 * Context: any but NMI/#MC.
 * Return:  0, -ENOENT nothing newer
 */
int domain_death_next(uint64_t after_seq, struct vigil_death *ret_death,
                      uint64_t *ret_lost) MUST_CHECK;

/**
 * domain_resume() - a domain that had shut down runs again
 * @d: SHUTDOWN domain
 *
 * Context: any but NMI/#MC.
 */
void domain_resume(struct domain *d);

/**
 * domain_destroy_begin() - stop it for good: DYING, nothing gained any more
 * @d: not the control domain
 *
 * Its vcpus are told to stop.  Their timers are left: as long as one runs it may
 * set them.  Idempotent.
 * Context: any but NMI/#MC.
 */
void domain_destroy_begin(struct domain *d);

/**
 * domain_has_stopped() - does no vcpu run on any CPU?
 * @d: domain whose vcpus are all held
 *
 * Context: any.
 * Return:  true; false: look again later
 */
bool domain_has_stopped(const struct domain *d);

/**
 * domain_relinquish_frames() - give up the frames still on its page list
 * @d:           DYING; no page type is in use by its own tables
 * @should_stop: asked between frames
 *
 * Context: any but NMI/#MC.
 * Return:  0, -ERESTART call again
 */
int domain_relinquish_frames(struct domain *d,
                             bool (*should_stop)(void)) MUST_CHECK;

/**
 * domain_destroy_end() - everything of its own is given up
 * @d: DYING
 *
 * It becomes DEAD when the last frame others still hold comes back.
 * Context: any but NMI/#MC.
 */
void domain_destroy_end(struct domain *d);

/**
 * domain_frame_gone() - domain/account.c: a frame of @d went back
 * @d: owner
 *
 * Context: any but NMI/#MC.
 */
void domain_frame_gone(struct domain *d);

/* One more reference on a domain that is known to be alive (it is linked to). */
static inline void domain_hold(struct domain *d)
{
    __atomic_fetch_add(&d->refs, 1, __ATOMIC_SEQ_CST);
}

static inline bool domain_is_dying(const struct domain *d)
{
    return d->state >= DOMAIN_DYING;
}

static inline bool domain_is_dom0(const struct domain *d)
{
    return d->is_privileged;
}

#endif
