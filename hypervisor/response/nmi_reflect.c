/* SPDX-License-Identifier: MIT */
/*
 * response/nmi_reflect.c - give hardware NMIs to Dom0's vcpu 0, one by one.
 */
#include "response/nmi_reflect.h"

#include "lib/xen_abi.h"
#include "x86/atomic.h"
#include "x86/exc.h"
#include "log/printk.h"
#include "ras/mce.h"
#include "ras/nmi.h"
#include "domain/domain.h"
#include "domain/vcpu.h"
#include "pv/bounce.h"
#include "pv/pv.h"

_Static_assert(NMI_CAUSE_IOCHK == XEN_NMIREASON_io_error &&
                   NMI_CAUSE_SERR == XEN_NMIREASON_pci_serr &&
                   NMI_CAUSE_UNKNOWN == XEN_NMIREASON_unknown,
               "causes are numbered as in shared info");

#define ALL_REASONS ((unsigned long)NMI_CAUSES_TOLD)

/*
 * The pending NMI of the vcpu is one of the hardware's.  Atomic: the CPU that
 * got it sets this, the one where the vcpu runs takes it back.
 */
static bool armed;

static struct vcpu *receiver(void)
{
    return dom0 != NULL ? dom0->vcpu[0] : NULL;
}

static void set_reason(struct vcpu *v, unsigned long reason)
{
    unsigned long *word = &v->domain->shared_info->arch.nmi_reason;

    /* The guest may write here too: touch our bits only. */
    (void)atomic_and(word, ~ALL_REASONS);
    (void)atomic_or(word, reason & ALL_REASONS);
}

static void drop_all(void)
{
    unsigned int dropped = 0;

    while (nmi_next_for_dom0() != 0) {
        dropped++;
    }
    pr_warn("NMI: Dom0 has no handler: %u not reflected", dropped);
}

void nmi_reflect_run(void)
{
    struct vcpu *v = receiver();

    if (v == NULL || !nmi_waits_for_dom0()) {
        return;
    }
    /* Armed, but neither pending nor taken: dropped for want of a handler. */
    if (READ_ONCE(armed) && READ_ONCE(v->nmi_pending)) {
        return;
    }
    WRITE_ONCE(armed, false);
    if (v->pv->traps[EXC_NMI].address == 0) {
        drop_all();
        return;
    }
    atomic_store(&armed, true);
    atomic_store(&v->nmi_pending, true); /* locked, for vcpu_kick() */
    vcpu_kick(v);
}

/* The frame is about to be built. */
static void nmi_taken(struct vcpu *v)
{
    unsigned int causes = 0;

    if (v != receiver()) {
        return;
    }
    if (atomic_xchg(&armed, false)) {
        causes = nmi_next_for_dom0();
        (void)atomic_add(&ras_counters.nmi_reflected, 1);
    }
    set_reason(v, causes);
}

/* Its handler has returned. */
static void nmi_done(struct vcpu *v)
{
    if (v == receiver()) {
        set_reason(v, 0);
        nmi_reflect_run();
    }
}

void nmi_reflect_init(void)
{
    static const struct pv_nmi_hooks hooks = {
        .taken = nmi_taken,
        .done = nmi_done,
    };

    pv_plug_nmi_hooks(&hooks);
}
