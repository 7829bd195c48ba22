/* SPDX-License-Identifier: MIT */
/*
 * crash/picture.c - registers and return addresses, and the names for them.
 */
#include "crash/picture.h"

#include "lib/format.h"
#include "x86/irqflags.h"
#include "x86/percpu.h"
#include "crash/backtrace.h"
#include "crash/context.h"
#include "crash/symbols.h"

#define NAME_BYTES 80

NMI_SAFE void picture_take(struct picture *p, const struct cpu_regs *regs,
                           enum log_level level)
{
    p->tag = log_stamp(level, 0);
    p->rip = regs->rip;
    p->rsp = regs->rsp;
    p->rflags = regs->rflags;
    p->cs = (uint16_t)regs->cs;
    p->context = context_interrupted(this_cpu()->context);
    p->tenant = tenant_now();
    p->from_guest = regs_from_guest(regs);
    p->count = p->from_guest
                   ? 0
                   : backtrace_walk_nmi(regs->rbp, p->frames, PICTURE_FRAMES);
}

static NMI_SAFE void first_line(const struct picture *p, const char *how,
                                char *buf)
{
    char name[NAME_BYTES], words[VIGIL_CTX_TEXT_BYTES];

    if (p->from_guest) {
        (void)snprintf(buf, PICTURE_LINE_BYTES,
                       "CPU %u: %sin d%uv%u, rip %04x:%016lx rsp %016lx",
                       p->tag.cpu, how, p->tenant.domid, p->tenant.vcpu, p->cs,
                       p->rip, p->rsp);
        return;
    }
    (void)symbol_format(name, sizeof(name), p->rip);
    (void)snprintf(buf, PICTURE_LINE_BYTES,
                   "CPU %u: %sat %s, rsp %016lx, interrupts %s, %s", p->tag.cpu,
                   how, name, p->rsp,
                   (p->rflags & RFLAGS_IF) != 0 ? "on" : "off",
                   context_words(p->context, words, sizeof(words)));
}

NMI_SAFE bool picture_line(const struct picture *p, unsigned int line,
                           const char *how, char *buf)
{
    char name[NAME_BYTES];
    uint64_t rip;

    if (line == 0) {
        first_line(p, how, buf);
        return true;
    }
    /* Torn, the count may be anything. */
    if (line > READ_ONCE(p->count) || line > PICTURE_FRAMES) {
        return false;
    }
    rip = READ_ONCE(p->frames[line - 1]);
    (void)symbol_format_return(name, sizeof(name), rip);
    (void)snprintf(buf, PICTURE_LINE_BYTES, "CPU %u:    [<%016lx>] %s",
                   p->tag.cpu, rip, name);
    return true;
}
