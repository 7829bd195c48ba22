/* SPDX-License-Identifier: MIT */
/*
 * entry/work_exit.c - nothing pending is forgotten on the way out.
 *
 * Order: what NMI and #MC context deferred, softirqs, the scheduler's
 * decision, the vcpu's own events.  Each may cause more of the others, so it
 * goes round until a pass with interrupts off finds nothing (INV-ENTRY-1).
 */
#include "cpu/smp.h"
#include "cpu/spec_ctrl.h"
#include "cpu/softirq.h"
#include "domain/domain.h"
#include "domain/sched.h"
#include "domain/vcpu.h"
#include "entry/context_word.h"
#include "entry/idle.h"
#include "entry/trap.h"
#include "log/sink.h"
#include "mm/pti.h"
#include "mm/scrub.h"
#include "pv/bounce.h"
#include "pv/debugreg.h"
#include "pv/switch.h"
#include "response/work.h"
#include "x86/atomic.h"
#include "x86/irqflags.h"
#include "x86/percpu.h"

#define SCHED_BIT (1u << SOFTIRQ_SCHED)

static bool work_is_pending(const struct cpu_block *cb)
{
    return (READ_ONCE(cb->work) & WORK_RESPONSE) != 0 ||
           (READ_ONCE(cb->softirq) & ~SCHED_BIT) != 0;
}

static void do_work(struct cpu_block *cb)
{
    if ((READ_ONCE(cb->work) & WORK_RESPONSE) != 0) {
        response_run();
    }
    softirq_run();
}

/* Interrupts off.  True when a vcpu that may run is current. */
static bool choose_vcpu(struct cpu_block *cb)
{
    struct vcpu *v = cb->current_vcpu;
    struct vcpu *next;

    if (v != NULL && READ_ONCE(v->hold) == 0 &&
        (READ_ONCE(cb->softirq) & SCHED_BIT) == 0) {
        return true;
    }
    (void)atomic_and(&cb->softirq, (uint16_t)~SCHED_BIT);
    next = sched_pick();
    if (next != v) {
        pv_switch_to(next);
        sched_after_switch();
    }
    return next != NULL;
}

/* Nothing to run: free and clean memory, then halt until something happens. */
static void idle_once(struct cpu_block *cb)
{
    bool more;

    irq_enable();
    log_drain();
    more = domain_reap();
    more = scrub_idle_step() || more;
    irq_disable();
    smp_park_if_asked();
    if (!more && !work_is_pending(cb) &&
        (READ_ONCE(cb->softirq) & SCHED_BIT) == 0) {
        spec_idle();
        idle_halt();
    } else {
        irq_enable();
    }
}

static bool vcpu_has_pending(const struct vcpu *v)
{
    const vcpu_info_t *vi = v->vcpu_info;

    if (unlikely(v->mce_pending || v->nmi_pending)) {
        return true;
    }
    return READ_ONCE(vi->evtchn_upcall_pending) != 0 &&
           READ_ONCE(vi->evtchn_upcall_mask) == 0;
}

void leave_isolated(struct cpu_regs *regs)
{
    bool isolated = domain_is_dom0(current->domain)
                        ? spec_choice.pti_dom0
                        : spec_choice.pti_domu;

    regs->entry_flags = isolated ? ENTRY_ISOLATED : 0;
    if (isolated) {
        pti_follow();
    }
}

static NOINLINE NORETURN void something_is_left(void)
{
    context_wrong(guest_regs(), "on the way to a guest", 0);
}

void exit_to_guest(struct cpu_regs *regs)
{
    struct cpu_block *cb = this_cpu();
    struct vcpu *delivered = NULL; /* to whom, since work was last done */

    (void)regs; /* the frame at the top of the stack: guest_regs() */
    for (;;) {
        irq_disable();
        if (unlikely(work_is_pending(cb))) {
            irq_enable();
            do_work(cb);
            delivered = NULL;
            continue;
        }
        if (!choose_vcpu(cb)) {
            idle_once(cb);
            delivered = NULL;
            continue;
        }
        if (delivered != cb->current_vcpu &&
            vcpu_has_pending(cb->current_vcpu)) {
            irq_enable();
            /* An NMI blocked by the async mask stays pending: once only. */
            delivered = cb->current_vcpu;
            pv_deliver_pending(delivered);
            continue;
        }
        break;
    }
    if (unlikely(cb->context != 0)) {
        something_is_left();
    }
    if (unlikely((READ_ONCE(cb->work) & WORK_DR7) != 0)) {
        (void)atomic_and(&cb->work, (uint16_t)~WORK_DR7);
        pv_debugreg_load(cb->current_vcpu);
    }
}
