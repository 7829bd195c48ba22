/* SPDX-License-Identifier: MIT */
/*
 * pv/pte_decode.h - pure: instructions a guest kernel writes its page tables
 * with.  Bytes to operation, and operation to result; no memory, no state.
 *
 * Known: mov, movnti, xchg, stos, add or and sub xor, not, bts btr btc,
 * cmpxchg, xadd, in 64-bit mode, with one memory operand of 1 to 8 bytes.
 * The address is not computed: the faulting address is that operand.
 */
#ifndef VIGIL_PV_PTE_DECODE_H
#define VIGIL_PV_PTE_DECODE_H

#include "lib/compiler.h"
#include "x86/regs.h"

#define INSN_MAX_BYTES 15

enum pte_op {
    PTE_OP_MOV,
    PTE_OP_XCHG,
    PTE_OP_ADD,
    PTE_OP_OR,
    PTE_OP_AND,
    PTE_OP_SUB,
    PTE_OP_XOR,
    PTE_OP_NOT,
    PTE_OP_BTS,
    PTE_OP_BTR,
    PTE_OP_BTC,
    PTE_OP_CMPXCHG,
    PTE_OP_XADD,
    PTE_OP_STOS,
};

struct pte_insn {
    enum pte_op op;
    uint8_t len;    /* bytes of the instruction                     */
    uint8_t width;  /* bytes of the memory operand: 1, 2, 4, 8      */
    bool from_imm;  /* source is imm, else register                 */
    bool high_byte; /* source is ah ch dh bh                        */
    bool rep;       /* stos only                                    */
    uint8_t reg;    /* source register, 0..15 in the CPU's order    */
    uint64_t imm;   /* sign-extended                                */
};

/**
 * pte_insn_decode() - understand the instruction that faulted
 * @bytes:    as fetched at rip
 * @len:      how many there are, at most INSN_MAX_BYTES
 * @ret_insn: set when true is returned
 *
 * Context: any.
 * Return:  true: one of ours; false: another one, or cut short
 */
bool pte_insn_decode(const uint8_t *bytes, unsigned int len,
                     struct pte_insn *ret_insn) MUST_CHECK;

/**
 * pte_usual_store() - what Linux sets entries with: mov of a 64-bit register
 * @word:    the first 8 bytes at rip
 * @regs:    registers; not changed
 * @ret_src: what is stored
 * @ret_len: bytes of the instruction, at most 8
 *
 * Context: any.
 * Return:  true: it is one; false: pte_insn_decode() may know it
 */
bool pte_usual_store(uint64_t word, struct cpu_regs *regs, uint64_t *ret_src,
                     unsigned int *ret_len) MUST_CHECK;

/**
 * pte_insn_usual() - what Linux clears and write-protects entries with
 * @word:     the first 8 bytes at rip
 * @ret_insn: as pte_insn_decode() would set it; undefined after false
 *
 * xchg of a 64-bit register, lock andb of an immediate: all of the instruction
 * is in @word.
 * Context: any.
 * Return:  true: it is one; false: pte_insn_decode() may know it
 */
bool pte_insn_usual(uint64_t word, struct pte_insn *ret_insn) MUST_CHECK;

/* Registers an instruction may change, to be put back if it cannot be done. */
struct pte_undo {
    uint64_t rip, rflags, rax, rcx, rdi, src;
};

/**
 * pte_insn_save() - remember what pte_insn_apply() may change
 * @insn:     decoded
 * @regs:     registers before
 * @ret_undo: for pte_insn_undo()
 *
 * Context: any.
 */
void pte_insn_save(const struct pte_insn *insn, struct cpu_regs *regs,
                   struct pte_undo *ret_undo);

/**
 * pte_insn_undo() - as if the instruction had not been
 * @insn: decoded
 * @regs: registers after; before again on return
 * @undo: from pte_insn_save()
 *
 * Context: any.
 */
void pte_insn_undo(const struct pte_insn *insn, struct cpu_regs *regs,
                   const struct pte_undo *undo);

/**
 * pte_insn_apply() - what the instruction does
 * @insn:      decoded
 * @regs:      in: registers before; out: registers, flags and rip after
 * @mem:       memory operand, zero-extended
 * @ret_mem:   the operand afterwards; set in any case
 *
 * Context: any.
 * Return:  true: memory is to be written; false: it stays (cmpxchg that did
 *          not match, rep stos with a count of 0)
 */
bool pte_insn_apply(const struct pte_insn *insn, struct cpu_regs *regs,
                    uint64_t mem, uint64_t *ret_mem) MUST_CHECK;

#endif
