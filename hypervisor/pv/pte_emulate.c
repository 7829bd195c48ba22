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

/* Fetch what can be read at rip: the page after it may be missing. */
static unsigned int fetch(uint64_t rip, uint8_t bytes[INSN_MAX_BYTES])
{
    unsigned int room = (unsigned int)(PAGE_SIZE - (rip & ~PAGE_MASK));

    if (copy_from_guest(bytes, rip, INSN_MAX_BYTES) == 0) {
        return INSN_MAX_BYTES;
    }
    if (room < INSN_MAX_BYTES && copy_from_guest(bytes, rip, room) == 0) {
        return room;
    }
    return 0;
}

/*
 * The L1 table a write to @addr would hit, kept one until
 * pagetype_put_page(); NULL if it is not one of this domain's.
 */
static struct frame *target_hold(const struct vcpu *v, uint64_t addr)
{
    struct frame *table, *f;
    const pte_t *map = mmu_find_l1e(v, addr, &table);
    pte_t e;

    if (!map) {
        return NULL;
    }
    e = READ_ONCE(*map);
    if (!(e & PTE_P) || (e & PTE_W) || !mfn_valid(pte_mfn(e)) ||
        !pagetype_is(frame_of(pte_mfn(e)), PAGETYPE_L1) ||
        pagetype_get_page(pte_mfn(e), v->domain->domid, PAGETYPE_L1, NULL,
                          &f)) {
        return NULL;
    }
    return f;
}

/* Perform @insn on the entry; 0 or why the guest may not have the result. */
static int perform(struct vcpu *v, struct cpu_regs *regs,
                   const struct pte_insn *insn, pte_t *entry,
                   unsigned int shift)
{
    const struct mmu_request req = {
        .v = v, .pt_owner = v->domain, .frames_of = v->domain->domid};
    uint64_t mask = MASK_BITS(8U * insn->width) << shift;
    struct cpu_regs after;
    int rc;

    do {
        pte_t old = READ_ONCE(*entry);
        uint64_t mem;

        after = *regs;
        rc = 0;
        if (pte_insn_apply(insn, &after, (old & mask) >> shift, &mem)) {
            rc = mmu_l1e_replace(&req, entry, (old & ~mask) | mem << shift,
                                 false, &old);
        }
    } while (rc == -EAGAIN); /* the processor set A or D in between */
    if (rc == 0) {
        after.rflags &= ~RFLAGS_RF;
        *regs = after;
    }
    return rc;
}

bool pv_pte_emulate(struct vcpu *v, struct cpu_regs *regs, uint64_t addr,
                    uint32_t error_code)
{
    const uint32_t write_to_present = PFEC_PRESENT | PFEC_WRITE;
    uint8_t bytes[INSN_MAX_BYTES];
    struct pte_insn insn;
    struct frame *table;
    pte_t *entry;
    int rc;

    if ((error_code & (write_to_present | PFEC_RESERVED | PFEC_FETCH)) !=
            write_to_present ||
        !v->pv->guest_kernel ||
        !(v->domain->vm_assist & BIT(VMASST_TYPE_writable_pagetables)) ||
        domain_is_dying(v->domain)) {
        return false;
    }
    if (mmu_finish_pending(v, should_stop) != 0) {
        return true; /* the guest executes it again */
    }
    table = target_hold(v, addr);
    if (!table) {
        return false;
    }
    if (!pte_insn_decode(bytes, fetch(regs->rip, bytes), &insn) ||
        (addr & (insn.width - 1U))) {
        pagetype_put_page(table);
        return false;
    }
    entry = (pte_t *)mfn_to_ptr(frame_mfn(table)) +
            (addr & ~PAGE_MASK) / sizeof(pte_t);
    rc = perform(v, regs, &insn, entry,
                 8U * (unsigned int)(addr & (sizeof(pte_t) - 1)));
    pagetype_put_page(table);
    return rc == 0;
}
