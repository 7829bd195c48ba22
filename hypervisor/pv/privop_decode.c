/* SPDX-License-Identifier: MIT */
/*
 * pv/privop_decode.c - bytes to privileged operation; pure.
 *
 * Maps: one-byte opcodes (port I/O, cli, sti), 0f xx, and 0f 01 xx.  Source:
 * SDM 2, appendix A and the pages of the instructions.
 */
#include "pv/privop_decode.h"

#include "lib/string.h"

struct cursor {
    const uint8_t *bytes;
    size_t count, at;
    bool cut; /* wanted a byte that was not there */
};

struct prefixes {
    bool operand16, address_override, lock, repeat;
    uint8_t rex, segment;
};

#define REX_R 0x4
#define REX_B 0x1

static uint8_t next_byte(struct cursor *c)
{
    if (c->at >= c->count) {
        c->cut = true;
        return 0;
    }
    return c->bytes[c->at++];
}

/*
 * Consume prefixes; return the first byte that is none.  A REX prefix counts
 * only directly before the opcode (SDM 2, 2.2.1).
 */
static uint8_t take_prefixes(struct cursor *c, bool long_mode,
                             struct prefixes *p)
{
    for (;;) {
        uint8_t b = next_byte(c);

        if (c->cut) {
            return 0;
        }
        switch (b) {
        case 0x66:
            p->operand16 = true;
            break;
        case 0x67:
            p->address_override = true;
            break;
        case 0xf0:
            p->lock = true;
            break;
        case 0xf2:
        case 0xf3:
            p->repeat = true;
            break;
        case 0x26: /* es, cs, ss, ds: base 0 in a flat guest */
        case 0x2e:
        case 0x36:
        case 0x3e:
            p->segment = INSN_SEG_DEFAULT;
            break;
        case 0x64:
            p->segment = INSN_SEG_FS;
            break;
        case 0x65:
            p->segment = INSN_SEG_GS;
            break;
        default:
            if (long_mode && (b & 0xf0) == 0x40) {
                p->rex = b;
                continue;
            }
            return b;
        }
        p->rex = 0;
    }
}

/*
 * Access to a control or debug register: the memory forms do not exist, mod
 * is ignored by hardware (SDM 2, MOV to/from control registers).
 */
static void decode_sysreg(struct cursor *c, const struct prefixes *p,
                          enum privop op, struct privop_insn *insn)
{
    uint8_t modrm = next_byte(c);

    insn->op = op;
    insn->sysreg = (uint8_t)((modrm >> 3 & 7) | (p->rex & REX_R ? 8 : 0));
    insn->gpr = (uint8_t)((modrm & 7) | (p->rex & REX_B ? 8 : 0));
}

static void decode_0f01(struct cursor *c, const struct prefixes *p,
                        struct privop_insn *insn)
{
    switch (next_byte(c)) {
    case 0xd1:
        if (!p->operand16 && !p->repeat) {
            insn->op = PRIVOP_XSETBV;
        }
        break;
    case 0xf9:
        insn->op = PRIVOP_RDTSCP;
        break;
    default:
        break;
    }
}

static void decode_0f(struct cursor *c, const struct prefixes *p,
                      struct privop_insn *insn)
{
    switch (next_byte(c)) {
    case 0x01:
        decode_0f01(c, p, insn);
        break;
    case 0x06:
        insn->op = PRIVOP_CLTS;
        break;
    case 0x08:
    case 0x09:
        insn->op = PRIVOP_CACHE_FLUSH;
        break;
    case 0x20:
        decode_sysreg(c, p, PRIVOP_READ_CR, insn);
        break;
    case 0x21:
        decode_sysreg(c, p, PRIVOP_READ_DR, insn);
        break;
    case 0x22:
        decode_sysreg(c, p, PRIVOP_WRITE_CR, insn);
        break;
    case 0x23:
        decode_sysreg(c, p, PRIVOP_WRITE_DR, insn);
        break;
    case 0x30:
        insn->op = PRIVOP_WRMSR;
        break;
    case 0x31:
        insn->op = PRIVOP_RDTSC;
        break;
    case 0x32:
        insn->op = PRIVOP_RDMSR;
        break;
    case 0xa2:
        insn->op = PRIVOP_CPUID;
        break;
    default:
        break;
    }
}

static void decode_io(struct cursor *c, const struct prefixes *p,
                      uint8_t opcode, bool long_mode, struct privop_insn *insn)
{
    insn->io_bytes = (opcode & 1) == 0 ? 1 : p->operand16 ? 2 : 4;
    switch (opcode) {
    case 0x6c:
    case 0x6d:
        insn->op = PRIVOP_INS;
        break;
    case 0x6e:
    case 0x6f:
        insn->op = PRIVOP_OUTS;
        insn->segment = p->segment;
        break;
    case 0xe4:
    case 0xe5:
    case 0xe6:
    case 0xe7:
        insn->port_in_insn = true;
        insn->port = next_byte(c);
        insn->op = opcode < 0xe6 ? PRIVOP_IN : PRIVOP_OUT;
        break;
    default: /* 0xec .. 0xef */
        insn->op = opcode < 0xee ? PRIVOP_IN : PRIVOP_OUT;
        break;
    }
    if (insn->op == PRIVOP_INS || insn->op == PRIVOP_OUTS) {
        insn->repeat = p->repeat;
        insn->addr_bytes = long_mode && !p->address_override ? 8 : 4;
        /* 16-bit addresses: no compiler and no kernel makes them. */
        if (!long_mode && p->address_override) {
            insn->op = PRIVOP_NONE;
        }
    }
}

bool privop_decode(const uint8_t *bytes, size_t count, bool long_mode,
                   struct privop_insn *ret_insn)
{
    struct cursor c = {.bytes = bytes, .count = count};
    struct prefixes p = {0};
    struct privop_insn insn = {.op = PRIVOP_NONE};
    uint8_t opcode;

    if (c.count > INSN_BYTES_MAX) {
        c.count = INSN_BYTES_MAX;
    }
    opcode = take_prefixes(&c, long_mode, &p);
    switch (opcode) {
    case 0x0f:
        decode_0f(&c, &p, &insn);
        break;
    case 0x6c:
    case 0x6d:
    case 0x6e:
    case 0x6f:
    case 0xe4:
    case 0xe5:
    case 0xe6:
    case 0xe7:
    case 0xec:
    case 0xed:
    case 0xee:
    case 0xef:
        decode_io(&c, &p, opcode, long_mode, &insn);
        break;
    case 0xfa:
        insn.op = PRIVOP_CLI;
        break;
    case 0xfb:
        insn.op = PRIVOP_STI;
        break;
    default:
        break;
    }
    /* None of these may be locked: hardware raises #UD. */
    if (c.cut || p.lock) {
        insn.op = PRIVOP_NONE;
    }
    insn.len = (uint8_t)c.at;
    *ret_insn = insn;
    return insn.op != PRIVOP_NONE;
}

bool privop_is_forced_cpuid(const uint8_t *bytes, size_t count)
{
    static const uint8_t sequence[FORCED_CPUID_BYTES] = {0x0f, 0x0b, 'x', 'e',
                                                         'n',  0x0f, 0xa2};

    return count >= sizeof(sequence) &&
           memcmp(bytes, sequence, sizeof(sequence)) == 0;
}
