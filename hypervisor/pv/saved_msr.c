/* SPDX-License-Identifier: MIT */
/*
 * pv/saved_msr.c - what a saved vcpu has beside its registers, as MSRs.
 */
#include "pv/saved_msr.h"

#include "lib/errno.h"
#include "x86/msr_index.h"
#include "x86/nospec.h"
#include "pv/guest_msr.h"
#include "pv/vmca.h"

#define ASYNC_NMI_WAITS   0x1UL
#define ASYNC_MCE_WAITS   0x2UL
#define ASYNC_NOW_SHIFT   4
#define ASYNC_DEPTH_SHIFT 8
#define ASYNC_OUTER_SHIFT 12
#define ASYNC_INNER_SHIFT 16
#define ASYNC_BITS        0x33333UL
#define MASKS             (VCPU_ASYNC_NMI | VCPU_ASYNC_MCE)
#define DEPTH_MAX         2

/* Of an error in line; the number of its bank is one more, so never 0. */
enum waiting_word {
    WAITING_BANK,
    WAITING_MCG,
    WAITING_STATUS,
    WAITING_ADDR,
    WAITING_MISC,
    WAITING_WORDS
};
#define WAITING_STRIDE 8

_Static_assert(VIGIL_MSR_WAITING_LAST < VIGIL_MSR_ASYNC, "numbers");
_Static_assert(sizeof(((struct vcpu *)0)->async_saved) ==
                   DEPTH_MAX * sizeof(uint32_t),
               "the outer and the inner one");

struct msr_list {
    xen_domctl_vcpu_msr_t *out;
    unsigned int count;
};

static void add(struct msr_list *l, uint32_t index, uint64_t value)
{
    if (value != 0) {
        l->out[l->count++] =
            (xen_domctl_vcpu_msr_t){.index = index, .value = value};
    }
}

/* ---- virtual NMI and #MC -------------------------------------------------- */

static uint64_t async_word(const struct vcpu *v)
{
    return (v->nmi_pending ? ASYNC_NMI_WAITS : 0) |
           (v->mce_pending ? ASYNC_MCE_WAITS : 0) |
           (uint64_t)v->async_mask << ASYNC_NOW_SHIFT |
           (uint64_t)v->async_depth << ASYNC_DEPTH_SHIFT |
           (uint64_t)v->async_saved[0] << ASYNC_OUTER_SHIFT |
           (uint64_t)v->async_saved[1] << ASYNC_INNER_SHIFT;
}

static bool set_async(struct vcpu *v, uint64_t word)
{
    uint32_t mask = (uint32_t)(word >> ASYNC_NOW_SHIFT) & MASKS;
    unsigned int depth = (unsigned int)(word >> ASYNC_DEPTH_SHIFT) & 3;

    /* Masked without a handler to return from would be for ever. */
    if ((word & ~ASYNC_BITS) != 0 || depth > DEPTH_MAX ||
        (depth == 0 && mask != 0)) {
        return false;
    }
    v->async_mask = mask;
    v->async_depth = depth;
    v->async_saved[0] = (uint32_t)(word >> ASYNC_OUTER_SHIFT) & MASKS;
    v->async_saved[1] = (uint32_t)(word >> ASYNC_INNER_SHIFT) & MASKS;
    v->mce_pending = (word & ASYNC_MCE_WAITS) != 0;
    /* One that a tool has sent meanwhile stays. */
    if ((word & ASYNC_NMI_WAITS) != 0) {
        v->nmi_pending = true;
    }
    return true;
}

/* ---- machine checks --------------------------------------------------------- */

static uint64_t *waiting_word(struct vmca_error *e, enum waiting_word which)
{
    switch (which) {
    case WAITING_MCG:
        return &e->mcg_status;
    case WAITING_STATUS:
        return &e->status;
    case WAITING_ADDR:
        return &e->addr;
    case WAITING_MISC:
        return &e->misc;
    case WAITING_BANK:
    case WAITING_WORDS:
        break;
    }
    return NULL;
}

static void add_machine_checks(struct msr_list *l, struct vmca *m)
{
    add(l, MSR_MCG_STATUS, m->mcg_status);
    for (unsigned int i = 0; i < VMCA_BANKS; i++) {
        add(l, MSR_MCx_STATUS(i), m->bank[i].status);
        add(l, MSR_MCx_ADDR(i), m->bank[i].addr);
        add(l, MSR_MCx_MISC(i), m->bank[i].misc);
    }
    for (unsigned int i = 0; i < m->waiting_count; i++) {
        uint32_t index = VIGIL_MSR_WAITING + i * WAITING_STRIDE;

        add(l, index + WAITING_BANK, m->waiting[i].bank + 1);
        for (unsigned int w = WAITING_MCG; w < WAITING_WORDS; w++) {
            add(l, index + w,
                *waiting_word(&m->waiting[i], (enum waiting_word)w));
        }
    }
}

/* The errors in line are counted by their banks, in their order. */
static bool set_waiting(struct vmca *m, uint32_t offset, uint64_t value)
{
    uint64_t i = index_nospec(offset / WAITING_STRIDE, VMCA_WAITING);
    enum waiting_word which = (enum waiting_word)(offset % WAITING_STRIDE);
    uint64_t *word;

    if (which == WAITING_BANK) {
        if (i != m->waiting_count || value == 0 || value > VMCA_BANKS) {
            return false;
        }
        m->waiting[i] =
            (struct vmca_error){.bank = (unsigned int)value - 1};
        m->waiting_count++;
        return true;
    }
    word = i < m->waiting_count ? waiting_word(&m->waiting[i], which) : NULL;
    if (word == NULL) {
        return false;
    }
    *word = value;
    return true;
}

static bool set_machine_check(struct vcpu *v, uint32_t index, uint64_t value)
{
    struct vmca *m = &v->pv->vmca;

    if (index == MSR_MCG_STATUS) {
        return vmca_wrmsr(v, index, value) == VMCA_DONE;
    }
    for (unsigned int i = 0; i < VMCA_BANKS; i++) {
        if (index == MSR_MCx_STATUS(i)) {
            m->bank[i].status = value;
            return true;
        }
        if (index == MSR_MCx_ADDR(i)) {
            m->bank[i].addr = value;
            return true;
        }
        if (index == MSR_MCx_MISC(i)) {
            m->bank[i].misc = value;
            return true;
        }
    }
    return false;
}

/* ---- all of them -------------------------------------------------------------- */

unsigned int saved_msrs_get(struct vcpu *v, xen_domctl_vcpu_msr_t *out)
{
    static const uint32_t registers[] = {MSR_SPEC_CTRL, MSR_TSC_AUX};
    struct msr_list l = {.out = out};

    for (unsigned int i = 0; i < ARRAY_SIZE(registers); i++) {
        uint64_t value;

        if (guest_rdmsr(v, registers[i], &value)) {
            add(&l, registers[i], value);
        }
    }
    add_machine_checks(&l, &v->pv->vmca);
    add(&l, VIGIL_MSR_ASYNC, async_word(v));
    for (unsigned int i = 0; i < v->async_depth; i++) {
        add(&l, VIGIL_MSR_ASYNC_FRAME0 + i, v->pv->async_frame[i]);
    }
    return l.count;
}

static bool set_one(struct vcpu *v, const xen_domctl_vcpu_msr_t *msr)
{
    if (msr->reserved != 0) {
        return false;
    }
    switch (msr->index) {
    case MSR_SPEC_CTRL:
    case MSR_TSC_AUX:
        return guest_wrmsr(v, msr->index, msr->value);
    case VIGIL_MSR_ASYNC:
        return set_async(v, msr->value);
    case VIGIL_MSR_ASYNC_FRAME0:
        v->pv->async_frame[0] = msr->value;
        return true;
    case VIGIL_MSR_ASYNC_FRAME1:
        v->pv->async_frame[1] = msr->value;
        return true;
    default:
        break;
    }
    if (msr->index >= VIGIL_MSR_WAITING &&
        msr->index <= VIGIL_MSR_WAITING_LAST) {
        return set_waiting(&v->pv->vmca, msr->index - VIGIL_MSR_WAITING,
                           msr->value);
    }
    return set_machine_check(v, msr->index, msr->value);
}

int saved_msrs_set(struct vcpu *v, const xen_domctl_vcpu_msr_t *msrs,
                   unsigned int count)
{
    v->pv->vmca.waiting_count = 0;
    for (unsigned int i = 0; i < count; i++) {
        if (!set_one(v, &msrs[i])) {
            return -EINVAL;
        }
    }
    return 0;
}
