/* SPDX-License-Identifier: MIT */
/*
 * pv/pte_emulate.c - direct writes of a guest kernel to its L1 tables.
 *
 * Linux writes L1 entries like this all its life (clearing, ageing, write
 * protection at fork), so it must be exact: one atomic change of the entry,
 * registers and flags as the processor would leave them.
 */
#include "pv/pte_emulate.h"

#include "lib/bits.h"
#include "lib/errno.h"
#include "x86/exc.h"
#include "cpu/softirq.h"
#include "mm/directmap.h"
#include "domain/account.h"
#include "pv/guest_access.h"
#include "pv/mmu_update.h"
#include "pv/pagetype.h"
#include "pv/pte_decode.h"
#include "pv/pv.h"

/* A table given up before may take long. */
static bool should_stop(void)
{
    return softirq_pending();
}

#define FETCH_BYTES 16 /* two words; INSN_MAX_BYTES of them are looked at */

/* Fetch what can be read at rip: the page after it may be missing. */
static unsigned int fetch(uint64_t rip, uint8_t bytes[FETCH_BYTES])
{
    unsigned int room = (unsigned int)(PAGE_SIZE - (rip & ~PAGE_MASK));

    if (copy_from_guest(bytes, rip, FETCH_BYTES) == 0) {
        return INSN_MAX_BYTES;
    }
    if (room < INSN_MAX_BYTES && copy_from_guest(bytes, rip, room) == 0) {
        return room;
    }
    return copy_from_guest(bytes, rip, INSN_MAX_BYTES) == 0 ? INSN_MAX_BYTES
                                                            : 0;
}

/* The first word at rip; 0, which is no store we know, if it is not there. */
static inline uint64_t fetch_word(uint64_t rip)
{
    unsigned int bad = 0;
    uint64_t word = 0;

    if (guest_open(rip, sizeof(word))) {
        guest_load(word, rip, bad);
        guest_close();
    }
    return bad ? 0 : word;
}

/*
 * The L1 table a write to @addr would hit, kept one until
 * pagetype_put_page(); NULL if it is not one of this domain's.
 */
static ALWAYS_INLINE struct frame *target_hold(const struct vcpu *v,
                                               uint64_t addr)
{
    pte_t e = mmu_peek_l1e(v, addr);
    struct frame *f;

    if ((e & (PTE_P | PTE_W)) != PTE_P || !mfn_valid(pte_mfn(e))) {
        return NULL;
    }
    /* A table that is not valid is not made one here. */
    f = frame_of(pte_mfn(e));
    if (!pagetype_is(f, PAGETYPE_L1) || !frame_get(f, v->domain->domid)) {
        return NULL;
    }
    if (!pagetype_get_valid(f, PAGETYPE_L1)) {
        account_put(f);
        return NULL;
    }
    return f;
}

/* Perform @insn on the entry; 0 or why the guest may not have the result. */
static int perform(const struct mmu_request *req, struct cpu_regs *regs,
                   const struct pte_insn *insn, pte_t *entry,
                   unsigned int shift)
{
    uint64_t mask = MASK_BITS(8U * insn->width) << shift;
    struct pte_undo undo;
    int rc;

    pte_insn_save(insn, regs, &undo);
    for (;;) {
        pte_t old = READ_ONCE(*entry);
        uint64_t mem;

        rc = 0;
        if (pte_insn_apply(insn, regs, (old & mask) >> shift, &mem)) {
            rc =
                mmu_l1e_replace(req, entry, (old & ~mask) | mem << shift, &old);
        }
        if (likely(rc == 0)) {
            return 0;
        }
        pte_insn_undo(insn, regs, &undo);
        if (rc != -EAGAIN) { /* the processor set A or D in between */
            return rc;
        }
    }
}

/* Neither a usual store nor one of the usual instructions. */
static NOINLINE bool decode(uint64_t rip, struct pte_insn *ret_insn)
{
    uint8_t bytes[FETCH_BYTES];

    return pte_insn_decode(bytes, fetch(rip, bytes), ret_insn);
}

/* The store at regs->rip, to @addr in @table, which is kept one. */
static ALWAYS_INLINE int do_store(const struct mmu_request *req,
                                  struct cpu_regs *regs,
                                  const struct frame *table, uint64_t addr)
{
    pte_t *entry = (pte_t *)mfn_to_ptr(frame_mfn(table)) +
                   (addr & ~PAGE_MASK) / sizeof(pte_t);
    uint64_t src, word = fetch_word(regs->rip);
    struct pte_insn insn;
    unsigned int len;

    if (IS_ALIGNED(addr, sizeof(pte_t)) &&
        pte_usual_store(word, regs, &src, &len)) {
        int rc = mmu_l1e_replace(req, entry, src, NULL);

        regs->rip += rc == 0 ? len : 0;
        return rc;
    }
    if (!pte_insn_usual(word, &insn) && !decode(regs->rip, &insn)) {
        return -EINVAL;
    }
    if (addr & (insn.width - 1U)) {
        return -EINVAL;
    }
    return perform(req, regs, &insn, entry,
                   8U * (unsigned int)(addr & (sizeof(pte_t) - 1)));
}

bool pv_pte_emulate(struct vcpu *v, struct cpu_regs *regs, uint64_t addr,
                    uint32_t error_code)
{
    const uint32_t write_to_present = PFEC_PRESENT | PFEC_WRITE;
    struct domain *d = v->domain;
    const struct mmu_request req = {
        .v = v, .pt_owner = d, .frames_of = d->domid};
    struct frame *table;
    int rc;

    if ((error_code & (write_to_present | PFEC_RESERVED | PFEC_FETCH)) !=
            write_to_present ||
        !v->pv->guest_kernel ||
        !(d->vm_assist & BIT(VMASST_TYPE_writable_pagetables)) ||
        domain_is_dying(d)) {
        return false;
    }
    if (mmu_finish_pending(v, should_stop) != 0) {
        return true; /* the guest executes it again */
    }
    table = target_hold(v, addr);
    if (!table) {
        return false;
    }
    rc = do_store(&req, regs, table, addr);
    if (likely(rc == 0)) {
        regs->rflags &= ~RFLAGS_RF;
    }
    pagetype_put_page(table);
    return rc == 0;
}
