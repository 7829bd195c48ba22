/* SPDX-License-Identifier: MIT */
/*
 * response/vmce.c - turn a machine check into the guest's own.
 */
#include "response/vmce.h"

#include "lib/errno.h"
#include "x86/atomic.h"
#include "x86/page.h"
#include "log/printk.h"
#include "cpu/features.h"
#include "mm/m2p.h"
#include "ras/mca_regs.h"
#include "ras/mce.h"
#include "domain/vcpu.h"
#include "pv/pv.h"

/* Bank 0 has a history of meaning something else; kernels trust bank 1. */
#define BANK_USUAL 1

#define CODE_SCRUB_ANY_CHANNEL (MCI_CODE_SCRUB | 0xf)

static uint64_t code_of(const struct vmce *e)
{
    uint64_t code = e->source->status & MCI_CODE;

    if (e->required) {
        return code == MCI_CODE_FETCH ? MCI_CODE_FETCH : MCI_CODE_LOAD;
    }
    if (code == MCI_CODE_WRITEBACK ||
        (code & MCI_CODE_SCRUB_MASK) == MCI_CODE_SCRUB) {
        return code;
    }
    return CODE_SCRUB_ANY_CHANNEL;
}

static uint64_t class_of(const struct vmce *e, bool intel)
{
    if (intel) {
        return MCI_UC | MCI_S | (e->required ? MCI_AR : 0);
    }
    return e->required ? MCI_UC | MCI_POISON : MCI_DEFERRED;
}

void vmce_translate(const struct vmce *e, bool intel,
                    struct vmca_error *ret_error)
{
    uint64_t misc = e->source->misc;

    *ret_error = (struct vmca_error){
        .bank = BANK_USUAL,
        .mcg_status = VMCA_MCG_RIPV | (e->required ? VMCA_MCG_EIPV : 0),
        .status = MCI_VAL | MCI_EN | class_of(e, intel) | code_of(e),
    };
    if (e->pfn == M2P_INVALID) {
        return;
    }
    ret_error->status |= MCI_ADDRV | MCI_MISCV;
    ret_error->addr = e->pfn << PAGE_SHIFT | (e->source->addr & ~PAGE_MASK);
    /* How many low bits mean nothing; a page at most, for it is one page. */
    if ((e->source->status & MCI_MISCV) == 0 || MCI_MISC_LSB(misc) > 12) {
        ret_error->misc = MCI_MISC_PHYSICAL_PAGE;
    } else {
        ret_error->misc = MCI_MISC_PHYSICAL << 6 | MCI_MISC_LSB(misc);
    }
}

static bool is_up(const struct vcpu *v)
{
    return v != NULL && v->is_initialised && (v->hold & VCPU_HOLD_DOWN) == 0;
}

static struct vcpu *choose(struct domain *d, int vcpu)
{
    if (vcpu >= 0 && vcpu < (int)d->max_vcpus && is_up(d->vcpu[vcpu])) {
        return d->vcpu[vcpu];
    }
    for (unsigned int i = 0; i < d->max_vcpus; i++) {
        if (is_up(d->vcpu[i])) {
            return d->vcpu[i];
        }
    }
    return NULL;
}

/* The others take part in what their kernel believes is a broadcast. */
static void tell_others(struct domain *d, const struct vcpu *but)
{
    const struct vmca_error notice = {.mcg_status = VMCA_MCG_RIPV};

    for (unsigned int i = 0; i < d->max_vcpus; i++) {
        struct vcpu *v = d->vcpu[i];

        /* One that cannot be told has no handler, or never ends it. */
        if (v != but && is_up(v) && vmca_raise(v, &notice) != 0) {
            pr_warn("machine check: d%uv%u is not told", d->domid, i);
        }
    }
}

int vmce_deliver(struct domain *d, int vcpu, const struct vmce *e)
{
    bool intel = cpu_features.vendor == CPU_INTEL;
    struct vcpu *v = choose(d, vcpu);
    struct vmca_error error;
    int rc;

    if (v == NULL) {
        return -ENOENT;
    }
    vmce_translate(e, intel, &error);
    /* Used by the handler itself: it would use it again for ever. */
    if (e->required && (v->async_mask & VCPU_ASYNC_MCE) != 0) {
        return -EBUSY;
    }
    rc = vmca_raise(v, &error);
    if (rc != 0) {
        return rc;
    }
    if (intel) {
        tell_others(d, v);
    }
    (void)atomic_add(&ras_counters.vmce_delivered, 1);
    return 0;
}
