/* SPDX-License-Identifier: MIT */
/*
 * lib/x86_calls.c - undo xz's filter for calls and jumps of x86 code.
 *
 * A byte E8 or E9 is taken for an opcode when the last byte of the four behind
 * it, the top of a displacement, is 00 or FF.  What makes it intricate are
 * opcode bytes within three bytes of each other: those that were not taken for
 * one are remembered in `near`, bit n for the byte n + 1 before.
 *
 * Source: "The .xz File Format" 5.3.2 names the filter; its rules are those of
 * the LZMA SDK (public domain).
 */
#include "lib/xz.h"

#define OPCODES     0xe8e8e8e8e8e8e8e8ULL
#define LOW_BIT     0x0101010101010101ULL
#define HIGH_BIT    0x8080808080808080ULL
#define INSTRUCTION 5
#define NEAR_BYTES  3
#define TARGET_BITS 25
#define TARGET_MASK ((1U << TARGET_BITS) - 1)
#define TARGET_SIGN (1U << (TARGET_BITS - 1))

typedef uint64_t word_t __attribute__((aligned(1), may_alias));
typedef uint32_t half_t __attribute__((aligned(1), may_alias));

/* First E8 or E9 at @i or behind; @end or more: none before @end. */
static uint64_t next_opcode(const uint8_t *code, uint64_t i, uint64_t end)
{
    for (; i + sizeof(word_t) <= end; i += sizeof(word_t)) {
        /* Zero bytes where E8 or E9 stood; the lowest mark is exact. */
        uint64_t w = (*(const word_t *)(code + i) & ~LOW_BIT) ^ OPCODES;
        uint64_t marks = (w - LOW_BIT) & ~w & HIGH_BIT;

        if (marks != 0) {
            return i + (uint64_t)__builtin_ctzll(marks) / 8;
        }
    }
    while (i < end && (code[i] & 0xfe) != 0xe8) {
        i++;
    }
    return i;
}

static bool is_top(uint32_t byte)
{
    return byte == 0x00 || byte == 0xff;
}

/*
 * The target behind the opcode at @at, made relative again.  The filter made it
 * so that the byte @overlap before its top cannot be taken for a top by an
 * opcode that many bytes before; where it was, the bits below were inverted.
 */
static uint32_t displacement(uint32_t target, uint32_t at, unsigned int overlap)
{
    uint32_t result = target - (at + INSTRUCTION);

    while (overlap != 0 && is_top((result >> (24 - overlap * 8)) & 0xff)) {
        target = result ^ ((1U << (32 - overlap * 8)) - 1);
        result = target - (at + INSTRUCTION);
    }
    result &= TARGET_MASK;
    return (result ^ TARGET_SIGN) - TARGET_SIGN;
}

void x86_calls_decode(uint8_t *code, uint64_t bytes)
{
    uint64_t end = bytes >= INSTRUCTION ? bytes - (INSTRUCTION - 1) : 0;
    uint64_t last = 0, i = next_opcode(code, 0, end);
    uint32_t near = 0;

    while (i < end) {
        unsigned int overlap = 0;
        bool taken = is_top(code[i + INSTRUCTION - 1]);

        near = i - last > NEAR_BYTES ? 0 : (near << (i - last) >> 1) & 7;
        if (near != 0) {
            /* Two of them are too many to tell apart. */
            overlap = (unsigned int)__builtin_ctz(near) + 1;
            taken = taken && (near & (near - 1)) == 0 &&
                    !is_top(code[i + INSTRUCTION - 1 - overlap]);
        }
        last = i;
        if (taken) {
            half_t *target = (half_t *)(code + i + 1);

            *target = displacement(*target, (uint32_t)i, overlap);
            i += INSTRUCTION;
        } else {
            near = near << 1 | 1;
            i++;
        }
        i = next_opcode(code, i, end);
    }
}
