/* SPDX-License-Identifier: MIT */
/*
 * crash/backtrace.c - walk saved frame pointers without trusting any of them.
 *
 *     rbp -> | caller's rbp  |   +0
 *            | return address|   +8
 */
#include "crash/backtrace.h"

#include "lib/format.h"
#include "x86/percpu.h"
#include "log/printk.h"
#include "crash/blackbox.h"
#include "crash/panic.h"
#include "crash/symbols.h"

#define PAIR_BYTES 16U
#define LINE_BYTES 128

NMI_SAFE bool backtrace_stack_ok(uint64_t addr)
{
    uint64_t offset = addr - cpu_block_of(read_rsp());

    return cpu_block_has_stack(offset) &&
           offset <= CPU_BLOCK_BYTES - CPU_STRUCT_BYTES - PAIR_BYTES;
}

/* Inlined, so that one of its users has a direct call. */
static ALWAYS_INLINE unsigned int walk(uint64_t rbp, stack_contains_fn stack_ok,
                                       uint64_t *ret_rips, unsigned int max)
{
    unsigned int n = 0;

    while (n < max && (rbp & 7) == 0 && stack_ok(rbp)) {
        const uint64_t *pair = (const uint64_t *)(uintptr_t)rbp;
        uint64_t next = READ_ONCE(pair[0]);
        uint64_t rip = READ_ONCE(pair[1]);

        if (rip == 0) {
            break;
        }
        ret_rips[n++] = rip;
        /* Callers lie higher; anything else is damage or the end. */
        if (next <= rbp) {
            break;
        }
        rbp = next;
    }
    return n;
}

unsigned int backtrace_walk(uint64_t rbp, stack_contains_fn stack_ok,
                            uint64_t *ret_rips, unsigned int max)
{
    return walk(rbp, stack_ok, ret_rips, max);
}

NMI_SAFE unsigned int backtrace_walk_nmi(uint64_t rbp, uint64_t *ret_rips,
                                         unsigned int max)
{
    return walk(rbp, backtrace_stack_ok, ret_rips, max);
}

/* @line has LINE_BYTES of room.  Returns the length. */
static size_t line_of(char *line, uint64_t rip, enum backtrace_rip kind)
{
    size_t at = scnprintf(line, LINE_BYTES, "   [<%016lx>] ", rip);

    if (kind == BACKTRACE_RETURN) {
        return at + symbol_format_return(line + at, LINE_BYTES - at, rip);
    }
    return at + symbol_format(line + at, LINE_BYTES - at, rip);
}

void backtrace_line(uint64_t rip, enum backtrace_rip kind)
{
    char line[LINE_BYTES];

    (void)line_of(line, rip, kind);
    printk(crash_in_progress() ? LOG_PANIC : LOG_NOTICE, "%s", line);
}

void backtrace_keep(uint64_t rip, enum backtrace_rip kind)
{
    char line[LINE_BYTES];
    size_t len = line_of(line, rip, kind);

    line[len] = '\n'; /* in place of the NUL */
    blackbox_text_append(VIGIL_BOX_SECT_BACKTRACE, line, len + 1);
}
