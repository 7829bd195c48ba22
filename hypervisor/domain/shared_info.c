/* SPDX-License-Identifier: MIT */
/*
 * domain/shared_info.c - shared_info and vcpu_info (ABI: <xen/xen.h>).
 */
#include "domain/shared_info.h"

#include "domain/account.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/directmap.h"
#include "mm/heap.h"
#include "mm/page_alloc.h"
#include "x86/barrier.h"

int shared_info_init(struct domain *d)
{
    void *p = hv_page_alloc();
    unsigned int i;

    if (p == NULL) {
        return -ENOMEM;
    }
    d->shared_info = p;
    d->shared_info_mfn = ptr_to_mfn(p);
    for (i = 0; i < XEN_LEGACY_MAX_VCPUS; i++) {
        d->shared_info->vcpu_info[i].evtchn_upcall_mask = 1;
    }
    account_share_hv_page(d, p);
    return 0;
}

void shared_info_destroy(struct domain *d)
{
    if (d->shared_info != NULL) {
        void *p = d->shared_info;

        d->shared_info = NULL;
        account_unshare_hv_page(p);
    }
}

int vcpu_info_default(struct vcpu *v)
{
    v->vcpu_info_mfn = INVALID_MFN;
    if (v->vcpu_id < XEN_LEGACY_MAX_VCPUS) {
        v->vcpu_info = &v->domain->shared_info->vcpu_info[v->vcpu_id];
        return 0;
    }
    v->own_info = heap_alloc(sizeof(vcpu_info_t));
    v->vcpu_info = v->own_info;
    if (v->vcpu_info == NULL) {
        return -ENOMEM;
    }
    v->vcpu_info->evtchn_upcall_mask = 1;
    return 0;
}

void vcpu_info_register(struct vcpu *v, mfn_t m, unsigned int offset)
{
    vcpu_info_t *old = v->vcpu_info;
    vcpu_info_t *now = maddr_to_ptr(mfn_to_maddr(m) + offset);

    memcpy(now, old, sizeof(*now));
    v->vcpu_info = now;
    v->vcpu_info_mfn = m;
    smp_wmb();
    /*
     * A page of the hypervisor that stood in stays until the vcpu goes: an
     * event on another CPU may be on its way there.
     */
    /* Events may have hit the old place while we copied. */
    now->evtchn_pending_sel = ~0UL;
    vcpu_mark_events_pending(v);
}
