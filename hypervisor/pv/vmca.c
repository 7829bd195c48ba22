/* SPDX-License-Identifier: MIT */
/*
 * pv/vmca.c - the machine-check banks a guest sees.
 */
#include "pv/vmca.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "x86/atomic.h"
#include "x86/exc.h"
#include "x86/msr_index.h"
#include "x86/nospec.h"
#include "cpu/features.h"
#include "pv/pv.h"

#define MCG_CAP_CMCI_P (1UL << 10)
#define MCG_CAP_TES_P  (1UL << 11)
#define MCG_CAP_SER_P  (1UL << 24)

#define MCG_STATUS_WRITABLE                                                    \
    (VMCA_MCG_RIPV | VMCA_MCG_EIPV | VMCA_MCG_MCIP | VMCA_MCG_LMCES)
#define MCI_STATUS_VAL    (1UL << 63)
#define MCI_STATUS_OVER   (1UL << 62)
/* CMCI enable and corrected-error threshold; no interrupt is ever sent. */
#define MCI_CTL2_WRITABLE (1UL << 30 | 0x7fffUL)

/* Registers of a bank, in the order of their numbers. */
enum bank_register {
    BANK_CTL,
    BANK_STATUS,
    BANK_ADDR,
    BANK_MISC
};

static bool is_intel(void)
{
    return cpu_features.vendor == CPU_INTEL;
}

uint64_t vmca_cap(void)
{
    return VMCA_BANKS |
           (is_intel() ? MCG_CAP_CMCI_P | MCG_CAP_TES_P | MCG_CAP_SER_P : 0);
}

void vmca_vcpu_init(struct vcpu *v)
{
    memset(&v->pv->vmca, 0, sizeof(v->pv->vmca));
}

static void fill_bank(struct vmca *m, const struct vmca_error *e)
{
    struct vmca_bank *b = &m->bank[e->bank];
    uint64_t over = b->status & MCI_STATUS_VAL ? MCI_STATUS_OVER : 0;

    for (unsigned int i = 0; over != 0 && i < VMCA_BANKS; i++) {
        if ((m->bank[i].status & MCI_STATUS_VAL) == 0) {
            b = &m->bank[i];
            over = 0;
        }
    }
    b->status = e->status | over;
    b->addr = e->addr;
    b->misc = e->misc;
}

int vmca_inject(struct vcpu *v, const struct vmca_error *e)
{
    struct vmca *m = &v->pv->vmca;

    if (e->bank >= VMCA_BANKS) {
        return -EINVAL;
    }
    if (v->pv->traps[EXC_MC].address == 0) {
        return -ENOENT;
    }
    /* The handler has not read the last one: this would overwrite it. */
    if (v->mce_pending || (m->mcg_status & VMCA_MCG_MCIP) != 0) {
        return -EBUSY;
    }
    if (e->status & MCI_STATUS_VAL) {
        fill_bank(m, e);
    }
    m->mcg_status = (e->mcg_status & MCG_STATUS_WRITABLE) | VMCA_MCG_MCIP;
    atomic_store(&v->mce_pending, true); /* locked, for vcpu_kick() */
    vcpu_kick(v);
    return 0;
}

/* Its guest has used the memory and cannot go on without an answer. */
static bool is_required(const struct vmca_error *e)
{
    return (e->mcg_status & VMCA_MCG_EIPV) != 0;
}

/* Hardware with its banks full would do so too (SDM 3B 16.3.2.2.1). */
static void note_overflow(struct vmca *m)
{
    for (unsigned int i = m->waiting_count; i > 0; i--) {
        struct vmca_error *w = &m->waiting[i - 1];

        /* With OVER, a required one would be fatal to the kernel. */
        if ((w->status & MCI_STATUS_VAL) != 0 && !is_required(w)) {
            w->status |= MCI_STATUS_OVER;
            return;
        }
    }
}

static int wait_in_line(struct vmca *m, const struct vmca_error *e)
{
    if (m->waiting_count < VMCA_WAITING) {
        m->waiting[m->waiting_count] = *e;
        m->waiting_count++;
        return 0;
    }
    if (is_required(e)) {
        return -EBUSY;
    }
    note_overflow(m);
    return -ENOSPC;
}

int vmca_raise(struct vcpu *v, const struct vmca_error *e)
{
    bool in_hand = v->mce_pending || (v->async_mask & VCPU_ASYNC_MCE) != 0;
    struct vmca *m = &v->pv->vmca;
    int rc = -EBUSY;

    /* In the order they came. */
    if (m->waiting_count == 0) {
        rc = vmca_inject(v, e);
    }
    if (rc == -EBUSY && in_hand) {
        rc = wait_in_line(m, e);
    }
    return rc;
}

int vmca_handler_done(struct vcpu *v)
{
    struct vmca *m = &v->pv->vmca;
    int rc;

    /* One that came between the handler's last write and its return is next. */
    if (m->waiting_count == 0 || v->mce_pending) {
        return 0;
    }
    rc = vmca_inject(v, &m->waiting[0]);
    if (rc == 0) {
        m->waiting_count--;
        memmove(&m->waiting[0], &m->waiting[1],
                m->waiting_count * sizeof(m->waiting[0]));
    }
    return rc;
}

/* Which bank register an index names; false: none at all. */
static bool find_bank(uint32_t index, unsigned int *ret_bank,
                      enum bank_register *ret_reg)
{
    /* 32 banks are what the numbering leaves room for (SDM 4, table 2-2). */
    if (index < MSR_MC0_CTL || index >= MSR_MC0_CTL + 4 * 32) {
        return false;
    }
    *ret_bank = (index - MSR_MC0_CTL) / 4;
    *ret_reg = (enum bank_register)((index - MSR_MC0_CTL) % 4);
    return true;
}

static bool find_ctl2(uint32_t index, unsigned int *ret_bank)
{
    if (!is_intel() || index < MSR_MC0_CTL2 || index >= MSR_MC0_CTL2 + 32) {
        return false;
    }
    *ret_bank = index - MSR_MC0_CTL2;
    return true;
}

/* A guest chose @bank, which is checked. */
static const struct vmca_bank *bank_of(const struct vmca *m, unsigned int bank)
{
    return &m->bank[index_nospec(bank, VMCA_BANKS)];
}

enum vmca_access vmca_rdmsr(const struct vcpu *v, uint32_t index,
                            uint64_t *ret_value)
{
    const struct vmca *m = &v->pv->vmca;
    enum bank_register reg;
    unsigned int bank;

    switch (index) {
    case MSR_MCG_CAP:
        *ret_value = vmca_cap();
        return VMCA_DONE;
    case MSR_MCG_STATUS:
        *ret_value = m->mcg_status;
        return VMCA_DONE;
    case MSR_MCG_CTL:
        /* MCG_CAP does not announce it; kernels that look see "all on". */
        *ret_value = ~0UL;
        return VMCA_DONE;
    case MSR_MCG_EXT_CTL:
        return VMCA_FAULT;
    default:
        break;
    }
    if (find_ctl2(index, &bank)) {
        *ret_value = bank < VMCA_BANKS ? bank_of(m, bank)->ctl2 : 0;
        return VMCA_DONE;
    }
    if (!find_bank(index, &bank, &reg)) {
        return VMCA_NOT_MINE;
    }
    /*
     * A kernel reads banks in its #MC handler, where a #GP is fatal to it:
     * banks beyond ours are empty, not faulting.
     */
    *ret_value = 0;
    switch (reg) {
    case BANK_CTL:
        *ret_value = bank < VMCA_BANKS ? ~0UL : 0;
        break;
    case BANK_STATUS:
        *ret_value = bank < VMCA_BANKS ? bank_of(m, bank)->status : 0;
        break;
    case BANK_ADDR:
        *ret_value = bank < VMCA_BANKS ? bank_of(m, bank)->addr : 0;
        break;
    case BANK_MISC:
        *ret_value = bank < VMCA_BANKS ? bank_of(m, bank)->misc : 0;
        break;
    }
    return VMCA_DONE;
}

enum vmca_access vmca_wrmsr(struct vcpu *v, uint32_t index, uint64_t value)
{
    struct vmca *m = &v->pv->vmca;
    enum bank_register reg;
    unsigned int bank;

    switch (index) {
    case MSR_MCG_CAP:
    case MSR_MCG_CTL:
        return VMCA_DONE;
    case MSR_MCG_STATUS:
        m->mcg_status = value & MCG_STATUS_WRITABLE;
        return VMCA_DONE;
    case MSR_MCG_EXT_CTL:
        return VMCA_FAULT;
    default:
        break;
    }
    if (find_ctl2(index, &bank)) {
        if (bank < VMCA_BANKS) {
            m->bank[bank].ctl2 = value & MCI_CTL2_WRITABLE;
        }
        return VMCA_DONE;
    }
    if (!find_bank(index, &bank, &reg)) {
        return VMCA_NOT_MINE;
    }
    if (reg == BANK_CTL || bank >= VMCA_BANKS) {
        return VMCA_DONE;
    }
    /* SDM 3B 16.3.2.2: software may only clear them. */
    if (value != 0) {
        return VMCA_FAULT;
    }
    switch (reg) {
    case BANK_CTL:
        break;
    case BANK_STATUS:
        m->bank[bank].status = 0;
        break;
    case BANK_ADDR:
        m->bank[bank].addr = 0;
        break;
    case BANK_MISC:
        m->bank[bank].misc = 0;
        break;
    }
    return VMCA_DONE;
}
