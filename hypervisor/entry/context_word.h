/* SPDX-License-Identifier: MIT */
/*
 * entry/context_word.h - the context word of this CPU: put in, taken out, judged.
 *
 * For the doors that may come anywhere, NMI and #MC; an interrupt's does it by
 * itself, in three instructions (entry/irq_entry.c).  A word that is not as it
 * was means that some exception has been left in a way it was not entered, or
 * twice: nothing that looks at it (locks, the log) can be right any more.
 */
#ifndef VIGIL_ENTRY_CONTEXT_WORD_H
#define VIGIL_ENTRY_CONTEXT_WORD_H

#include "lib/compiler.h"
#include "lib/types.h"
#include "x86/percpu.h"
#include "x86/regs.h"
#include "crash/blackbox.h"

/*
 * The two that end in _any are calls; the others spare an NMI the call where, as
 * nearly always, this CPU is in nothing else.
 */

/**
 * context_enter_any() - context_enter() whatever this CPU is in already
 * @kind: as there
 * @regs: as there
 *
 * Context: NMI, #MC.
 * Return:  as there
 */
uint32_t context_enter_any(uint32_t kind, const struct cpu_regs *regs);

/**
 * context_leave_any() - context_leave() whatever this CPU was in before
 * @kind:   as there
 * @before: as there
 * @regs:   as there
 *
 * Context: NMI, #MC.
 */
void context_leave_any(uint32_t kind, uint32_t before,
                       const struct cpu_regs *regs);

/**
 * context_enter() - this CPU is in an exception now
 * @kind: CTX_NMI or CTX_MC
 * @regs: what it interrupted; where that is a guest, the word must be 0
 *
 * Context: NMI, #MC.
 * Return:  the word before, for context_leave()
 */
static ALWAYS_INLINE uint32_t context_enter(uint32_t kind,
                                            const struct cpu_regs *regs)
{
    struct cpu_block *cb = this_cpu();
    uint32_t word;

    if (unlikely(cb->context != 0)) {
        return context_enter_any(kind, regs);
    }
    word = context_within(0, kind, regs_from_guest(regs));
    WRITE_ONCE(cb->context, word);
    blackbox_context(cb->cpu_id, word);
    return 0;
}

/**
 * context_leave() - the end of context_enter()
 * @kind:   as given there
 * @before: as returned there
 * @regs:   as given there
 *
 * A panic if the word is not what context_enter() made it.
 * Context: NMI, #MC.
 */
static ALWAYS_INLINE void context_leave(uint32_t kind, uint32_t before,
                                        const struct cpu_regs *regs)
{
    struct cpu_block *cb = this_cpu();

    if (unlikely(before != 0 ||
                 READ_ONCE(cb->context) !=
                     context_within(0, kind, regs_from_guest(regs)))) {
        context_leave_any(kind, before, regs);
        return;
    }
    WRITE_ONCE(cb->context, 0);
    blackbox_context(cb->cpu_id, 0);
}

/**
 * context_wrong() - panic: this CPU's word is not what it must be
 * @regs:  what was interrupted, or NULL
 * @where: in words, e.g. "at the end of an interrupt"
 * @want:  what it must be
 *
 * Context: any.
 */
void context_wrong(const struct cpu_regs *regs, const char *where,
                   uint32_t want) NORETURN;

#endif
