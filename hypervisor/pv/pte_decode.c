/* SPDX-License-Identifier: MIT */
/*
 * pv/pte_decode.c - instructions a guest kernel writes its page tables with.
 * Source: SDM 2, chapter 2 (encoding) and appendix A (opcode maps).
 */
#include "pv/pte_decode.h"

#include "lib/bits.h"

#define REX_W 8
#define REX_R 4
#define REX_B 1

#define RFLAGS_AF (1UL << 4)
#define RFLAGS_SF (1UL << 7)
#define RFLAGS_OF (1UL << 11)
#define RFLAGS_ARITH                                                           \
    (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)

struct reader {
    const uint8_t *bytes;
    unsigned int len, at;
    bool cut; /* ran past the end */
};

static uint8_t next_byte(struct reader *r)
{
    if (r->at >= r->len) {
        r->cut = true;
        return 0;
    }
    return r->bytes[r->at++];
}

/* @n bytes, little endian, sign-extended. */
static uint64_t next_signed(struct reader *r, unsigned int n)
{
    uint64_t v = 0;
    unsigned int i;

    for (i = 0; i < n; i++) {
        v |= (uint64_t)next_byte(r) << (8 * i);
    }
    if (n < 8 && (v >> (8 * n - 1) & 1)) {
        v |= ~MASK_BITS(8 * n);
    }
    return v;
}

/*
 * Skip ModRM, SIB and displacement of a memory operand; false for a register
 * operand, which cannot have faulted.
 */
static bool skip_modrm(struct reader *r, uint8_t *ret_reg)
{
    uint8_t modrm = next_byte(r);
    unsigned int mod = modrm >> 6, rm = modrm & 7, disp = 0;

    *ret_reg = (modrm >> 3) & 7;
    if (mod == 3) {
        return false;
    }
    if (mod == 1) {
        disp = 1;
    } else if (mod == 2) {
        disp = 4;
    }
    if (rm == 4) {
        uint8_t sib = next_byte(r);

        if (mod == 0 && (sib & 7) == 5) {
            disp = 4;
        }
    } else if (mod == 0 && rm == 5) {
        disp = 4; /* relative to rip */
    }
    if (r->len - r->at < disp) {
        r->cut = true;
        return true;
    }
    r->at += disp;
    return true;
}

struct prefixes {
    uint8_t rex;
    bool opsize, addrsize, rep;
};

/* Prefixes and the first opcode byte. */
static uint8_t read_prefixes(struct reader *r, struct prefixes *p)
{
    for (;;) {
        uint8_t b = next_byte(r);

        switch (b) {
        case 0x66:
            p->opsize = true;
            break;
        case 0x67:
            p->addrsize = true;
            break;
        case 0xf2:
        case 0xf3:
            p->rep = true;
            break;
        case 0xf0: /* lock: all of it is atomic here */
        case 0x26: /* segments: the address is known already */
        case 0x2e:
        case 0x36:
        case 0x3e:
        case 0x64:
        case 0x65:
            break;
        default:
            if ((b & 0xf0) == 0x40) {
                p->rex = b;
                return next_byte(r); /* a REX prefix is the last one */
            }
            return b;
        }
        if (r->cut) {
            return 0;
        }
    }
}

/* add or adc sbb and sub xor cmp, as in bits 3-5 of opcode or ModRM. */
static bool arith_op(unsigned int nr, enum pte_op *ret_op)
{
    switch (nr) {
    case 0:
        *ret_op = PTE_OP_ADD;
        return true;
    case 1:
        *ret_op = PTE_OP_OR;
        return true;
    case 4:
        *ret_op = PTE_OP_AND;
        return true;
    case 5:
        *ret_op = PTE_OP_SUB;
        return true;
    case 6:
        *ret_op = PTE_OP_XOR;
        return true;
    default:
        return false;
    }
}

/* bts btr btc by ModRM.reg 5 6 7. */
static enum pte_op bit_op(unsigned int nr)
{
    return nr == 5 ? PTE_OP_BTS : nr == 6 ? PTE_OP_BTR : PTE_OP_BTC;
}

/* Two-byte opcodes, after 0x0f. */
static bool decode_0f(struct reader *r, struct pte_insn *insn, uint8_t wide,
                      uint8_t *ret_reg)
{
    uint8_t op = next_byte(r);

    insn->width = wide;
    switch (op) {
    case 0xab:
    case 0xb3:
    case 0xbb:
        insn->op = bit_op((unsigned int)(op >> 3) & 7);
        return skip_modrm(r, ret_reg);
    case 0xba:
        if (!skip_modrm(r, ret_reg) || *ret_reg < 5) {
            return false;
        }
        insn->op = bit_op(*ret_reg);
        insn->from_imm = true;
        insn->imm = next_byte(r);
        return true;
    case 0xb0:
    case 0xb1:
    case 0xc0:
    case 0xc1:
        insn->width = op & 1 ? wide : 1;
        insn->op = op < 0xc0 ? PTE_OP_CMPXCHG : PTE_OP_XADD;
        return skip_modrm(r, ret_reg);
    case 0xc3:
        insn->op = PTE_OP_MOV; /* movnti */
        return wide >= 4 && skip_modrm(r, ret_reg);
    default:
        return false;
    }
}

static bool decode_imm(struct reader *r, struct pte_insn *insn,
                       unsigned int imm_bytes)
{
    insn->from_imm = true;
    insn->imm = next_signed(r, imm_bytes);
    return true;
}

/* One-byte opcodes. */
static bool decode_one(struct reader *r, const struct prefixes *p, uint8_t op,
                       struct pte_insn *insn, uint8_t *ret_reg)
{
    unsigned int imm_bytes = insn->width < 4 ? insn->width : 4;

    switch (op) {
    case 0x00:
    case 0x01:
    case 0x08:
    case 0x09:
    case 0x20:
    case 0x21:
    case 0x28:
    case 0x29:
    case 0x30:
    case 0x31:
        return arith_op((unsigned int)op >> 3, &insn->op) &&
               skip_modrm(r, ret_reg);
    case 0x80:
    case 0x81:
    case 0x83:
        if (!skip_modrm(r, ret_reg) || !arith_op(*ret_reg, &insn->op)) {
            return false;
        }
        return decode_imm(r, insn, op == 0x81 ? imm_bytes : 1);
    case 0x86:
    case 0x87:
        insn->op = PTE_OP_XCHG;
        return skip_modrm(r, ret_reg);
    case 0x88:
    case 0x89:
        insn->op = PTE_OP_MOV;
        return skip_modrm(r, ret_reg);
    case 0xa2:
    case 0xa3:
        insn->op = PTE_OP_MOV; /* from al/rax to an absolute address */
        (void)next_signed(r, p->addrsize ? 4 : 8);
        *ret_reg = 0;
        return true;
    case 0xaa:
    case 0xab:
        insn->op = PTE_OP_STOS;
        insn->rep = p->rep;
        *ret_reg = 0;
        return !p->addrsize;
    case 0xc6:
    case 0xc7:
        insn->op = PTE_OP_MOV;
        return skip_modrm(r, ret_reg) && *ret_reg == 0 &&
               decode_imm(r, insn, imm_bytes);
    case 0xf6:
    case 0xf7:
        insn->op = PTE_OP_NOT;
        return skip_modrm(r, ret_reg) && *ret_reg == 2;
    default:
        return false;
    }
}

bool pte_insn_decode(const uint8_t *bytes, unsigned int len,
                     struct pte_insn *ret_insn)
{
    struct reader r = {.bytes = bytes,
                       .len = len < INSN_MAX_BYTES ? len : INSN_MAX_BYTES};
    struct prefixes p = {0};
    struct pte_insn insn = {0};
    uint8_t op = read_prefixes(&r, &p), reg = 0;
    uint8_t wide = p.rex & REX_W ? 8 : p.opsize ? 2 : 4;
    bool known, fixed_reg;

    if (op == 0x0f) {
        fixed_reg = false;
        known = decode_0f(&r, &insn, wide, &reg);
    } else {
        insn.width = op & 1 || op == 0x83 ? wide : 1;
        fixed_reg = (op & 0xf0) == 0xa0;
        known = decode_one(&r, &p, op, &insn, &reg);
    }
    if (!known || r.cut) {
        return false;
    }
    if (!insn.from_imm) {
        if (insn.width == 1 && p.rex == 0 && reg >= 4) {
            insn.high_byte = true;
            reg = (uint8_t)(reg - 4);
        } else if ((p.rex & REX_R) && !fixed_reg) {
            reg = (uint8_t)(reg + 8);
        }
    }
    insn.reg = reg;
    insn.len = (uint8_t)r.at;
    *ret_insn = insn;
    return true;
}

/*
 * Bytes of ModRM, SIB and displacement, in the low bytes of @word; 0 for a
 * register operand.
 */
static inline unsigned int modrm_bytes(uint64_t word)
{
    static const uint8_t disp_bytes[3] = {0, 1, 4};
    unsigned int mod = word >> 6 & 3, base = word & 7, sib = 0;

    if (mod == 3) {
        return 0;
    }
    if (base == 4) {
        base = word >> 8 & 7;
        sib = 1;
    }
    return 1 + sib + (mod == 0 && base == 5 ? 4 : disp_bytes[mod]);
}

/* REX.W with any of R, X, B, then an opcode. */
static inline bool is_wide(uint64_t word, uint8_t opcode)
{
    return (word & 0xfff8) == (0x48U | (unsigned int)opcode << 8);
}

/* The register ModRM names, with REX.R. */
static inline unsigned int wide_reg(uint64_t word)
{
    return (unsigned int)((word >> 19 & 7) | (word & REX_R) << 1);
}

bool pte_usual_store(uint64_t word, struct cpu_regs *regs, uint64_t *ret_src,
                     unsigned int *ret_len)
{
    unsigned int bytes = modrm_bytes(word >> 16);

    if (!is_wide(word, 0x89) || bytes == 0) {
        return false;
    }
    *ret_len = 2 + bytes;
    *ret_src = *regs_gpr(regs, wide_reg(word));
    return true;
}

bool pte_insn_usual(uint64_t word, struct pte_insn *ret_insn)
{
    unsigned int bytes, prefixes;

    if (is_wide(word, 0x87)) {
        bytes = modrm_bytes(word >> 16);
        *ret_insn = (struct pte_insn){.op = PTE_OP_XCHG,
                                      .len = (uint8_t)(2 + bytes),
                                      .width = 8,
                                      .reg = (uint8_t)wide_reg(word)};
        return bytes != 0;
    }
    if ((uint8_t)word != 0xf0) {
        return false;
    }
    prefixes = (word >> 8 & 0xf0) == 0x40 ? 2 : 1;
    word >>= 8 * prefixes;
    bytes = modrm_bytes(word >> 8);
    /* 80 /4 ib; the immediate must be in the word. */
    if ((word & 0x38ff) != 0x2080 || bytes == 0 || prefixes + bytes + 2 > 8) {
        return false;
    }
    *ret_insn =
        (struct pte_insn){.op = PTE_OP_AND,
                          .len = (uint8_t)(prefixes + 1 + bytes + 1),
                          .width = 1,
                          .from_imm = true,
                          .reg = 4,
                          .imm = (uint64_t)(int8_t)(word >> 8 * (1 + bytes))};
    return true;
}

void pte_insn_save(const struct pte_insn *insn, struct cpu_regs *regs,
                   struct pte_undo *ret_undo)
{
    *ret_undo = (struct pte_undo){.rip = regs->rip,
                                  .rflags = regs->rflags,
                                  .rax = regs->rax,
                                  .rcx = regs->rcx,
                                  .rdi = regs->rdi,
                                  .src = *regs_gpr(regs, insn->reg)};
}

void pte_insn_undo(const struct pte_insn *insn, struct cpu_regs *regs,
                   const struct pte_undo *undo)
{
    /* The source may be one of those after it. */
    *regs_gpr(regs, insn->reg) = undo->src;
    regs->rip = undo->rip;
    regs->rflags = undo->rflags;
    regs->rax = undo->rax;
    regs->rcx = undo->rcx;
    regs->rdi = undo->rdi;
}

static void reg_write(uint64_t *reg, const struct pte_insn *insn,
                      uint64_t value)
{
    unsigned int shift = insn->high_byte ? 8 : 0;

    switch (insn->width) {
    case 8:
        *reg = value;
        break;
    case 4:
        *reg = (uint32_t)value; /* clears the upper half */
        break;
    default:
        *reg = (*reg & ~(MASK_BITS(8U * insn->width) << shift)) | value
                                                                      << shift;
        break;
    }
}

/* Flags of a result; CF, AF, OF come from the caller. */
static void set_flags(struct cpu_regs *regs, uint64_t result, unsigned int bits,
                      uint64_t carry_overflow_adjust)
{
    uint64_t flags = carry_overflow_adjust;

    if (!__builtin_parity((unsigned int)(result & 0xff))) {
        flags |= RFLAGS_PF;
    }
    if (result == 0) {
        flags |= RFLAGS_ZF;
    }
    if (result >> (bits - 1) & 1) {
        flags |= RFLAGS_SF;
    }
    regs->rflags = (regs->rflags & ~RFLAGS_ARITH) | flags;
}

static uint64_t do_add(struct cpu_regs *regs, uint64_t a, uint64_t b,
                       unsigned int bits)
{
    uint64_t sum = (a + b) & MASK_BITS(bits), flags = 0;

    flags |= sum < a ? RFLAGS_CF : 0;
    flags |= (a ^ b ^ sum) & 0x10 ? RFLAGS_AF : 0;
    flags |= (~(a ^ b) & (a ^ sum)) >> (bits - 1) & 1 ? RFLAGS_OF : 0;
    set_flags(regs, sum, bits, flags);
    return sum;
}

static uint64_t do_sub(struct cpu_regs *regs, uint64_t a, uint64_t b,
                       unsigned int bits)
{
    uint64_t diff = (a - b) & MASK_BITS(bits), flags = 0;

    flags |= a < b ? RFLAGS_CF : 0;
    flags |= (a ^ b ^ diff) & 0x10 ? RFLAGS_AF : 0;
    flags |= ((a ^ b) & (a ^ diff)) >> (bits - 1) & 1 ? RFLAGS_OF : 0;
    set_flags(regs, diff, bits, flags);
    return diff;
}

static uint64_t do_bit(struct cpu_regs *regs, enum pte_op op, uint64_t mem,
                       uint64_t src, unsigned int bits)
{
    uint64_t bit = 1UL << (src & (bits - 1));

    regs->rflags = (regs->rflags & ~RFLAGS_CF) | (mem & bit ? RFLAGS_CF : 0);
    if (op == PTE_OP_BTS) {
        return mem | bit;
    }
    return op == PTE_OP_BTR ? mem & ~bit : mem ^ bit;
}

/* One step of stos; true: a store is made. */
static bool do_stos(const struct pte_insn *insn, struct cpu_regs *regs)
{
    if (insn->rep && regs->rcx == 0) {
        regs->rip += insn->len;
        return false;
    }
    if (regs->rflags & RFLAGS_DF) {
        regs->rdi -= insn->width;
    } else {
        regs->rdi += insn->width;
    }
    /* A repeated one stays at its rip and faults for the next element. */
    if (!insn->rep || --regs->rcx == 0) {
        regs->rip += insn->len;
    }
    return true;
}

bool pte_insn_apply(const struct pte_insn *insn, struct cpu_regs *regs,
                    uint64_t mem, uint64_t *ret_mem)
{
    unsigned int bits = 8U * insn->width;
    uint64_t *reg = regs_gpr(regs, insn->reg);
    uint64_t src =
        insn->from_imm ? insn->imm : *reg >> (insn->high_byte ? 8 : 0);
    uint64_t acc = regs->rax & MASK_BITS(bits);
    const struct pte_insn to_acc = {.width = insn->width};

    src &= MASK_BITS(bits);
    *ret_mem = mem;
    if (insn->op == PTE_OP_STOS) {
        if (!do_stos(insn, regs)) {
            return false;
        }
        *ret_mem = src;
        return true;
    }
    regs->rip += insn->len;
    switch (insn->op) {
    case PTE_OP_MOV:
        *ret_mem = src;
        break;
    case PTE_OP_XCHG:
        *ret_mem = src;
        reg_write(reg, insn, mem);
        break;
    case PTE_OP_ADD:
        *ret_mem = do_add(regs, mem, src, bits);
        break;
    case PTE_OP_SUB:
        *ret_mem = do_sub(regs, mem, src, bits);
        break;
    case PTE_OP_OR:
        *ret_mem = mem | src;
        set_flags(regs, *ret_mem, bits, 0);
        break;
    case PTE_OP_AND:
        *ret_mem = mem & src;
        set_flags(regs, *ret_mem, bits, 0);
        break;
    case PTE_OP_XOR:
        *ret_mem = mem ^ src;
        set_flags(regs, *ret_mem, bits, 0);
        break;
    case PTE_OP_NOT:
        *ret_mem = ~mem & MASK_BITS(bits);
        break;
    case PTE_OP_BTS:
    case PTE_OP_BTR:
    case PTE_OP_BTC:
        *ret_mem = do_bit(regs, insn->op, mem, src, bits);
        break;
    case PTE_OP_XADD:
        *ret_mem = do_add(regs, mem, src, bits);
        reg_write(reg, insn, mem);
        break;
    case PTE_OP_CMPXCHG:
        (void)do_sub(regs, acc, mem, bits);
        if (acc != mem) {
            reg_write(&regs->rax, &to_acc, mem);
            return false;
        }
        *ret_mem = src;
        break;
    case PTE_OP_STOS:
        break;
    }
    return true;
}
