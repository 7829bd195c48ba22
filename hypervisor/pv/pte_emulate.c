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
#include "mm/directmap.h"
#include "pv/guest_access.h"
#include "pv/mmu_update.h"
#include "pv/pagetype.h"
#include "pv/pte_decode.h"
#include "pv/pv.h"

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

/* The entry a write to @addr means; NULL if it is not in an L1 table. */
static pte_t *target_entry(const struct vcpu *v, uint64_t addr)
{
    struct frame *table, *f;
    const pte_t *map = mmu_find_l1e(v, addr, &table);
    pte_t e;

    if (!map) {
        return NULL;
    }
    e = READ_ONCE(*map);
    if (!(e & PTE_P) || (e & PTE_W) || !mfn_valid(pte_mfn(e))) {
        return NULL;
    }
    f = frame_of(pte_mfn(e));
    if (f->owner != v->domain->domid || !pagetype_is(f, PAGETYPE_L1)) {
        return NULL;
    }
    return (pte_t *)mfn_to_ptr(pte_mfn(e)) +
           (addr & ~PAGE_MASK) / sizeof(pte_t);
}

bool pv_pte_emulate(struct vcpu *v, struct cpu_regs *regs, uint64_t addr,
                    uint32_t error_code)
{
    const uint32_t write_to_present = PFEC_PRESENT | PFEC_WRITE;
    struct mmu_request req = {
        .v = v, .pt_owner = v->domain, .frames_of = v->domain->domid};
    uint8_t bytes[INSN_MAX_BYTES];
    struct pte_insn insn;
    unsigned int len, shift;
    pte_t *entry;

    if ((error_code & (write_to_present | PFEC_RESERVED | PFEC_FETCH)) !=
            write_to_present ||
        !v->pv->guest_kernel ||
        !(v->domain->vm_assist & BIT(VMASST_TYPE_writable_pagetables)) ||
        domain_is_dying(v->domain)) {
        return false;
    }
    entry = target_entry(v, addr);
    if (!entry) {
        return false;
    }
    len = fetch(regs->rip, bytes);
    if (!pte_insn_decode(bytes, len, &insn) || (addr & (insn.width - 1U))) {
        return false;
    }
    shift = 8U * (addr & (sizeof(pte_t) - 1));
    if (mmu_finish_pending(v, NULL)) {
        return false;
    }
    for (;;) {
        struct cpu_regs after = *regs;
        uint64_t mask = MASK_BITS(8U * insn.width) << shift;
        pte_t old = READ_ONCE(*entry), new;
        uint64_t mem;
        int rc = 0;

        if (pte_insn_apply(&insn, &after, (old & mask) >> shift, &mem)) {
            new = (old & ~mask) | mem << shift;
            rc = mmu_l1e_replace(&req, entry, new, false, &old);
        }
        if (rc == 0) {
            after.rflags &= ~RFLAGS_RF;
            *regs = after;
            return true;
        }
        /* -EAGAIN: the processor set A or D in between. */
        if (rc != -EAGAIN) {
            return false;
        }
    }
}
