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
#define NAME_BYTES 96

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

static void print_line(uint64_t rip, const char *name)
{
    char line[128];
    size_t len = scnprintf(line, sizeof(line) - 1, "   [<%016lx>] %s",
                           (unsigned long)rip, name);

    printk(crash_in_progress() ? LOG_PANIC : LOG_NOTICE, "%s", line);
    if (crash_in_progress()) {
        line[len] = '\n';
        blackbox_text_append(VIGIL_BOX_SECT_BACKTRACE, line, len + 1);
    }
}

void backtrace_line(uint64_t rip)
{
    char name[NAME_BYTES];

    symbol_format(name, sizeof(name), rip);
    print_line(rip, name);
}

void backtrace_return_line(uint64_t rip)
{
    char name[NAME_BYTES];

    symbol_format_return(name, sizeof(name), rip);
    print_line(rip, name);
}
