/* SPDX-License-Identifier: MIT */
/*
 * pv/mmio_emulate.c - filtered writes to PCI's own memory.
 *
 * The instructions are those pte_decode.h knows: Linux uses plain MOVs, and
 * whatever else a compiler makes of a store is among them.
 */
#include "pv/mmio_emulate.h"

#include "lib/bits.h"
#include "x86/exc.h"
#include "dev/pci_guard.h"
#include "pv/guest_access.h"
#include "pv/mmu_update.h"
#include "pv/pt_validate.h"
#include "pv/pte_decode.h"

/* What can be read at rip: the page after it may be missing. */
static unsigned int fetch(uint64_t rip, uint8_t bytes[INSN_MAX_BYTES])
{
    unsigned int room = (unsigned int)(PAGE_SIZE - (rip & ~PAGE_MASK));

    if (copy_from_guest(bytes, rip, INSN_MAX_BYTES) == 0) {
        return INSN_MAX_BYTES;
    }
    return room < INSN_MAX_BYTES && copy_from_guest(bytes, rip, room) == 0
               ? room
               : 0;
}

/* The guarded machine address that the guest has read-only at @va. */
static bool guarded_target(const struct vcpu *v, uint64_t va, maddr_t *ret_a)
{
    pte_t e = mmu_peek_l1e(v, va);

    if ((e & (PTE_P | PTE_W)) != PTE_P || !pt_is_device(pte_mfn(e))) {
        return false;
    }
    *ret_a = mfn_to_maddr(pte_mfn(e)) + (va & ~PAGE_MASK);
    return pci_guard_at(*ret_a) != PCI_GUARDED_NOT;
}

bool pv_mmio_emulate(struct vcpu *v, struct cpu_regs *regs, uint64_t addr,
                     uint32_t error_code)
{
    const uint32_t write_to_present = PFEC_PRESENT | PFEC_WRITE;
    uint8_t bytes[INSN_MAX_BYTES];
    struct pte_insn insn;
    uint64_t mem;
    maddr_t a;

    if ((error_code & (write_to_present | PFEC_RESERVED | PFEC_FETCH)) !=
            write_to_present ||
        !v->domain->is_privileged || !guarded_target(v, addr, &a) ||
        !pte_insn_decode(bytes, fetch(regs->rip, bytes), &insn) ||
        !IS_ALIGNED(addr, insn.width)) {
        return false;
    }
    if (pte_insn_apply(&insn, regs, pci_guard_read(a, insn.width), &mem)) {
        pci_guard_write(a, insn.width, mem);
    }
    regs->rflags &= ~RFLAGS_RF;
    return true;
}
