/* SPDX-License-Identifier: MIT */
/*
 * crash/picture.h - where a CPU was: what its NMI keeps, and the words for it.
 *
 * To take one is a few hundred instructions; to put one into words is tens of
 * thousands, and nobody should have NMIs blocked for so long.  So the two are
 * apart: crash/dump.c has a CPU take its own, of its own stack, and somebody else
 * say what is in it.
 */
#ifndef VIGIL_CRASH_PICTURE_H
#define VIGIL_CRASH_PICTURE_H

#include "lib/compiler.h"
#include "lib/types.h"
#include "x86/regs.h"
#include "log/printk.h"
#include "cpu/tenant.h"

#define PICTURE_FRAMES     16U
#define PICTURE_LINE_BYTES 200U

struct picture {
    struct log_tag tag; /* when, on which CPU, how severe its lines are       */
    uint64_t rip, rsp, rflags; /* interrupted                                 */
    uint32_t context;          /* context word, without this NMI              */
    struct tenant tenant;
    uint16_t cs;
    bool from_guest;    /* then there are no frames: they are not ours        */
    unsigned int count; /* of frames                                          */
    uint64_t frames[PICTURE_FRAMES]; /* return addresses, innermost first     */
};

/**
 * picture_take() - of this CPU
 * @p:     to be filled in
 * @regs:  interrupted context
 * @level: how severe the lines are
 *
 * Context: NMI.
 * Return:  nothing.
 */
void picture_take(struct picture *p, const struct cpu_regs *regs,
                  enum log_level level);

/**
 * picture_line() - one line of it
 * @p:    the picture; may be torn: whoever shares it looks whether it is
 * @line: 0: where it was; 1 and on: who called that
 * @how:  comes behind the number of the CPU, e.g. "late: "
 * @buf:  for the line, PICTURE_LINE_BYTES
 *
 * Context: any.
 * Return:  false: it has no such line, @buf is as it was
 */
bool picture_line(const struct picture *p, unsigned int line, const char *how,
                  char *buf) MUST_CHECK;

#endif
