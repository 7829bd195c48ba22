/* SPDX-License-Identifier: MIT */
/*
 * crash/backtrace.c - walk saved frame pointers without trusting any of them.
 *
 *     rbp -> | caller's rbp  |   +0
 *            | return address|   +8
 */
#include "crash/backtrace.h"

#include "x86/percpu.h"
#include "log/printk.h"
#include "crash/blackbox.h"
#include "crash/panic.h"
#include "crash/symbols.h"

#define PAIR_BYTES 16U
#define NAME_BYTES 96
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

void backtrace_line(uint64_t rip, enum backtrace_rip kind)
{
    char name[NAME_BYTES];

    if (kind == BACKTRACE_RETURN) {
        symbol_format_return(name, sizeof(name), rip);
    } else {
        symbol_format(name, sizeof(name), rip);
    }
    printk(crash_in_progress() ? LOG_PANIC : LOG_NOTICE, "   [<%016lx>] %s",
           (unsigned long)rip, name);
}

static char *put_text(char *at, const char *end, const char *text)
{
    while (*text != '\0' && at < end) {
        *at++ = *text++;
    }
    return at;
}

static char *put_hex(char *at, const char *end, uint64_t value,
                     unsigned int digits)
{
    while (digits < 16 && value >> 4 * digits != 0) {
        digits++;
    }
    while (digits > 0 && at < end) {
        digits--;
        *at++ = "0123456789abcdef"[value >> 4 * digits & 0xf];
    }
    return at;
}

/*
 * By hand, for that takes two fifths of scnprintf()'s instructions: this is what a
 * deep trace costs before its record is complete.
 */
void backtrace_keep(uint64_t rip, enum backtrace_rip kind)
{
    const unsigned int back = kind == BACKTRACE_RETURN ? 1 : 0;
    char line[LINE_BYTES], *at = line;
    const char *const end = line + sizeof(line) - 1;
    uint64_t offset, length;
    const char *name = symbol_lookup(rip - back, &offset, &length);

    at = put_text(at, end, "   [<");
    at = put_hex(at, end, rip, 16);
    at = put_text(at, end, ">] ");
    if (name == NULL) {
        at = put_hex(at, end, rip, 16);
    } else {
        at = put_text(at, end, name);
        at = put_text(at, end, offset + back == 0 ? "+" : "+0x");
        at = put_hex(at, end, offset + back, 1);
        at = put_text(at, end, "/0x");
        at = put_hex(at, end, length, 1);
    }
    *at++ = '\n';
    blackbox_text_append(VIGIL_BOX_SECT_BACKTRACE, line, (size_t)(at - line));
}
