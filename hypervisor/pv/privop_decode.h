/* SPDX-License-Identifier: MIT */
/*
 * pv/privop_decode.h - bytes to privileged operation; pure.
 *
 * A PV guest runs at CPL 3, so a privileged instruction of its kernel arrives
 * here as #GP (or #UD for the forced CPUID).  The decoder knows exactly the
 * instructions pv/privop.c can perform and refuses everything else; it reads
 * nothing but the bytes it is given, which a guest chose.
 *
 * Encodings: SDM 2, appendix A (opcode map).
 */
#ifndef VIGIL_PV_PRIVOP_DECODE_H
#define VIGIL_PV_PRIVOP_DECODE_H

#include "lib/compiler.h"
#include "lib/types.h"

#define INSN_BYTES_MAX 15 /* SDM 2, 2.3.11 */

enum privop {
    PRIVOP_NONE, /* not one of ours: the guest gets its fault */
    PRIVOP_RDMSR,
    PRIVOP_WRMSR,
    PRIVOP_RDTSC,
    PRIVOP_RDTSCP,
    PRIVOP_CPUID,
    PRIVOP_XSETBV,
    PRIVOP_CLTS,
    PRIVOP_CLI,
    PRIVOP_STI,
    PRIVOP_CACHE_FLUSH, /* invd, wbinvd, wbnoinvd */
    PRIVOP_READ_CR,
    PRIVOP_WRITE_CR,
    PRIVOP_READ_DR,
    PRIVOP_WRITE_DR,
    PRIVOP_IN,
    PRIVOP_OUT,
    PRIVOP_INS,
    PRIVOP_OUTS,
};

struct privop_insn {
    enum privop op;
    uint8_t len;        /* bytes of the whole instruction               */
    uint8_t sysreg;     /* READ/WRITE_CR, _DR: which one                */
    uint8_t gpr;        /* READ/WRITE_CR, _DR: 0 rax .. 15 r15          */
    uint8_t io_bytes;   /* IN OUT INS OUTS: 1, 2 or 4                   */
    uint8_t addr_bytes; /* INS OUTS: width of rsi, rdi and rcx: 4 or 8  */
    bool repeat;        /* INS OUTS: rep prefix                         */
    bool port_in_insn;  /* IN OUT: @port; else port is in dx            */
    uint8_t port;
    uint8_t segment; /* OUTS: INSN_SEG_*                              */
};

/* Segment prefix; 64-bit code has a base only in fs and gs. */
#define INSN_SEG_DEFAULT 0
#define INSN_SEG_FS      1
#define INSN_SEG_GS      2

/**
 * privop_decode() - what does the guest want to do?
 * @bytes:     instruction bytes, from the guest
 * @count:     how many of them are known; at most INSN_BYTES_MAX are used
 * @long_mode: 64-bit code (else 32-bit code)
 * @ret_insn:  the operation; PRIVOP_NONE if it is none of ours or cut short
 *
 * Context: any.
 * Return:  true when @ret_insn->op is not PRIVOP_NONE
 */
bool privop_decode(const uint8_t *bytes, size_t count, bool long_mode,
                   struct privop_insn *ret_insn) MUST_CHECK;

/**
 * privop_is_forced_cpuid() - ud2, the letters "xen", cpuid
 * @bytes: instruction bytes, from the guest
 * @count: how many
 *
 * Source: <xen/arch-x86/xen.h>, XEN_EMULATE_PREFIX.
 * Context: any.
 * Return:  true when the bytes begin with the whole sequence
 */
bool privop_is_forced_cpuid(const uint8_t *bytes, size_t count) MUST_CHECK;

#define FORCED_CPUID_BYTES 7

#endif
