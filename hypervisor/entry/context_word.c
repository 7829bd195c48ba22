/* SPDX-License-Identifier: MIT */
/*
 * entry/context_word.c - the context word of this CPU.
 */
#include "entry/context_word.h"

#include "crash/context.h"
#include "crash/panic.h"
#include "x86/percpu.h"

NMI_SAFE void context_wrong(const struct cpu_regs *regs, const char *where,
                            uint32_t want)
{
    char is[VIGIL_CTX_TEXT_BYTES], should[VIGIL_CTX_TEXT_BYTES];

    (void)context_words(this_cpu()->context, is, sizeof(is));
    (void)context_words(want, should, sizeof(should));
    if (regs != NULL) {
        panic_regs(regs, "context word %s: \"%s\", must be \"%s\"", where, is,
                   should);
    }
    panic("context word %s: \"%s\", must be \"%s\"", where, is, should);
}

NMI_SAFE uint32_t context_enter_any(uint32_t kind, const struct cpu_regs *regs)
{
    struct cpu_block *cb = this_cpu();
    uint32_t before = cb->context, word;

    if (unlikely(before != 0 && regs_from_guest(regs))) {
        context_wrong(regs, "in a guest", 0);
    }
    word = context_within(before, kind, regs_from_guest(regs));
    WRITE_ONCE(cb->context, word);
    blackbox_context(cb->cpu_id, word);
    return before;
}

NMI_SAFE void context_leave_any(uint32_t kind, uint32_t before,
                                const struct cpu_regs *regs)
{
    struct cpu_block *cb = this_cpu();
    uint32_t want = context_within(before, kind, regs_from_guest(regs));

    if (unlikely(READ_ONCE(cb->context) != want)) {
        context_wrong(regs,
                      kind == CTX_NMI ? "at the end of an NMI"
                                      : "at the end of a #MC",
                      want);
    }
    WRITE_ONCE(cb->context, before);
    /* An interrupt takes its own level away in silence: none is left of it. */
    blackbox_context(cb->cpu_id,
                     (before & CTX_IN_NMI_OR_MC) != 0 ? before : 0);
}
