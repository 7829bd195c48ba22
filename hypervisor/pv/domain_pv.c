/* SPDX-License-Identifier: MIT */
/*
 * pv/domain_pv.c - the PV part of domains and vcpus: their per-domain tables,
 * and the order in which a domain is taken down.
 */
#include "pv/domain_pv.h"

#include "cpu/spec_ctrl.h"
#include "domain/account.h"
#include "domain/death.h"
#include "domain/evtchn.h"
#include "domain/grant.h"
#include "domain/vtimer.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/directmap.h"
#include "mm/heap.h"
#include "mm/page_alloc.h"
#include "pv/ctrlreg.h"
#include "pv/debugreg.h"
#include "pv/descriptor.h"
#include "pv/fpu.h"
#include "pv/guest_access.h"
#include "pv/guest_cpuid.h"
#include "pv/mmuext.h"
#include "pv/pagetype.h"
#include "pv/switch.h"
#include "x86/cr.h"

#define PERDOMAIN_FLAGS (PTE_P | PTE_W | PTE_A)
#define SLOTS_A_VCPU 32
#define VCPUS_A_TABLE (PT_ENTRIES / SLOTS_A_VCPU)

static void free_pv(struct domain *d)
{
    struct pv_domain *p = d->pv;
    unsigned int i;

    /* An idle CPU may still have its tables, and its GDT through them. */
    tlb_retire(&d->tlb);
    for (i = 0; i < d->max_vcpus; i++) {
        struct vcpu *v = d->vcpu[i];

        if (v != NULL && v->pv != NULL) {
            pv_fpu_free(v);
            pv_clear_traps(v->pv);
            heap_free(v->pv);
            v->pv = NULL;
        }
    }
    for (i = 0; i < MAX_VCPUS; i += VCPUS_A_TABLE) {
        hv_page_free(p->gdt_l1[i]);
    }
    if (!mfn_is_invalid(p->perdomain_l3)) {
        pte_t *l3 = mfn_to_ptr(p->perdomain_l3);

        if ((l3[0] & PTE_P) != 0) {
            hv_page_free(mfn_to_ptr(pte_mfn(l3[0])));
        }
        hv_page_free(l3);
    }
    cpu_policy_free(d);
    heap_free(p);
    d->pv = NULL;
}

/* An L3 and an L2; L1 tables come with the vcpus that need them. */
static int init_perdomain(struct pv_domain *p)
{
    pte_t *l3 = hv_page_alloc();
    pte_t *l2 = hv_page_alloc();

    if (l3 == NULL || l2 == NULL) {
        hv_page_free(l3);
        hv_page_free(l2);
        return -ENOMEM;
    }
    l3[0] = pte_make(ptr_to_mfn(l2), PERDOMAIN_FLAGS);
    p->perdomain_l3 = ptr_to_mfn(l3);
    return 0;
}

int pv_domain_create(domid_t domid,
                     const struct xen_domctl_createdomain *config,
                     bool privileged, struct domain **ret_domain)
{
    struct pv_domain *p = heap_alloc(sizeof(*p));
    struct domain *d;
    int rc;

    if (p == NULL) {
        return -ENOMEM;
    }
    p->perdomain_l3 = INVALID_MFN;
    rc = init_perdomain(p);
    if (rc != 0) {
        heap_free(p);
        return rc;
    }
    rc = domain_create(domid, config, privileged, &d);
    if (rc != 0) {
        pte_t *l3 = mfn_to_ptr(p->perdomain_l3);

        hv_page_free(mfn_to_ptr(pte_mfn(l3[0])));
        hv_page_free(l3);
        heap_free(p);
        return rc;
    }
    d->pv = p;
    d->free_pv = free_pv;
    domain_publish(d);
    *ret_domain = d;
    return 0;
}

/* The 32 slots of a vcpu in the per-domain area. */
static int init_slots(struct vcpu *v)
{
    struct pv_domain *p = v->domain->pv;
    unsigned int first = v->vcpu_id - v->vcpu_id % VCPUS_A_TABLE;
    pte_t *l2 = mfn_to_ptr(pte_mfn(((pte_t *)mfn_to_ptr(p->perdomain_l3))[0]));

    if (p->gdt_l1[first] == NULL) {
        pte_t *l1 = hv_page_alloc();
        unsigned int i;

        if (l1 == NULL) {
            return -ENOMEM;
        }
        for (i = 0; i < VCPUS_A_TABLE && first + i < MAX_VCPUS; i++) {
            p->gdt_l1[first + i] = l1 + i * SLOTS_A_VCPU;
        }
        l2[first / VCPUS_A_TABLE] = pte_make(ptr_to_mfn(l1), PERDOMAIN_FLAGS);
    }
    pv_init_descriptor_slots(v);
    return 0;
}

int pv_vcpu_create(struct domain *d, unsigned int vcpu_id,
                   struct vcpu **ret_vcpu)
{
    struct pv_vcpu *p = heap_alloc(sizeof(*p));
    struct vcpu *v;
    int rc;

    if (p == NULL) {
        return -ENOMEM;
    }
    rc = vcpu_create(d, vcpu_id, &v);
    if (rc != 0) {
        heap_free(p);
        return rc;
    }
    v->pv = p;
    p->traps = pv_no_traps;
    p->spec_ctrl = spec_guest_value(0);
    p->guest_kernel = true;
    p->guest_table = INVALID_MFN;
    p->guest_table_user = INVALID_MFN;
    pv_cr4_update(v);
    rc = init_slots(v);
    if (rc == 0) {
        rc = pv_fpu_init(v);
    }
    if (rc != 0) {
        heap_free(p);
        v->pv = NULL;
        vcpu_free(v);
        return rc;
    }
    pv_debugreg_init(v);
    *ret_vcpu = v;
    return 0;
}

/* Where vcpu_info was the guest's, and was given up: not heap memory. */
#define NO_VCPU_INFO mfn(0)

/* A vcpu gives up what it holds of its domain's frames.  May be repeated. */
static void drop_vcpu(struct vcpu *v)
{
    pv_drop_descriptors(v);
    if (!mfn_is_invalid(v->vcpu_info_mfn) &&
        !mfn_eq(v->vcpu_info_mfn, NO_VCPU_INFO)) {
        struct frame *f = frame_of(v->vcpu_info_mfn);
        vcpu_info_t *keep =
            &v->domain->shared_info->vcpu_info[v->vcpu_id % 32];

        v->vcpu_info = keep;
        v->vcpu_info_mfn = NO_VCPU_INFO;
        pagetype_put_ref(f, true);
    }
}

/*
 * In this order.  Each call goes on with the step the last one stopped in: to
 * walk through all frames again, only to find that nothing is left to do in
 * them, would take longer than the step that has to be finished.
 */
enum teardown_step {
    TEARDOWN_GRANTS,
    TEARDOWN_EVENTS,
    TEARDOWN_VCPUS,
    TEARDOWN_TABLES,
    TEARDOWN_FRAMES,
    TEARDOWN_DONE,
};

static int teardown(struct domain *d, uint32_t step, bool (*should_stop)(void))
{
    unsigned int i;

    switch (step) {
    case TEARDOWN_GRANTS:
        return grant_domain_destroy(d, should_stop);
    case TEARDOWN_EVENTS:
        return evtchn_domain_destroy(d, should_stop);
    case TEARDOWN_VCPUS:
        for (i = 0; i < d->max_vcpus; i++) {
            if (d->vcpu[i] != NULL) {
                /* None runs, so none sets a timer any more. */
                vtimer_destroy(d->vcpu[i]);
                drop_vcpu(d->vcpu[i]);
            }
        }
        return 0;
    case TEARDOWN_TABLES:
        return pv_mm_teardown(d, should_stop);
    default:
        return domain_relinquish_frames(d, should_stop);
    }
}

int pv_domain_destroy(struct domain *d, bool (*should_stop)(void))
{
    if (domain_is_dom0(d) || (current != NULL && current->domain == d)) {
        return -EINVAL;
    }
    if (d->relinquished) {
        return 0;
    }
    domain_destroy_begin(d);
    if (!domain_has_stopped(d)) {
        return -ERESTART; /* they leave their CPUs meanwhile */
    }
    while (d->pv->teardown_step < TEARDOWN_DONE) {
        int rc = teardown(d, d->pv->teardown_step, should_stop);

        if (rc != 0) {
            return rc;
        }
        d->pv->teardown_step++;
    }
    domain_destroy_end(d);
    return 0;
}

/* Socket of domain/death.c. */
static void death_detail(struct vcpu *v, struct vigil_death *rec)
{
    struct pv_vcpu *p = v->pv;

    if (p == NULL) {
        return;
    }
    pv_save_segments(v);
    rec->cr2 = v->vcpu_info->arch.cr2;
    rec->cr3 = mfn_to_maddr(p->guest_kernel ? p->guest_table
                                            : p->guest_table_user);
    rec->fs_base = p->fs_base;
    rec->gs_base = p->guest_kernel ? p->gs_base_kernel : p->gs_base_user;
    rec->gs_base_user = p->gs_base_user;
    rec->ds = p->ds;
    rec->es = p->es;
    rec->fs = p->fs;
    rec->gs = p->gs;
    rec->guest_kernel = p->guest_kernel;
    if (v == current) {
        while (rec->stack_words < ARRAY_SIZE(rec->stack) &&
               copy_from_guest(&rec->stack[rec->stack_words],
                               rec->rsp + rec->stack_words * 8UL, 8) == 0) {
            rec->stack_words++;
        }
    }
}

void pv_init(void)
{
    death_plug(death_detail);
}
