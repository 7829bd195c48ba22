/* SPDX-License-Identifier: MIT */
/*
 * crash/blackbox.h - the preserved zone: lay it out, seal it, believe it.
 *
 * The boot floor finds the physical range, harvests what the previous boot
 * left, and gives the mapped zone to blackbox_init().  From then on the log
 * ring lives in it.  The crash path writes sections and seals it.
 *
 *   +0                    struct vigil_box_header
 *   +BOX_REGS_OFFSET      struct vigil_box_regs
 *   +BOX_CONTEXTS_OFFSET  uint32_t, what each CPU is in the middle of
 *   +BOX_CPUS_OFFSET      struct vigil_box_cpu, one for each
 *   +BOX_TRACE_OFFSET     backtrace text
 *   +BOX_NOTES_OFFSET     notes text
 *   +BOX_MCE_OFFSET       machine-check records, as they come
 *   +BOX_LOG_OFFSET       log ring, to the end of the zone
 *
 * Format: include/public/vigil/blackbox.h.
 */
#ifndef VIGIL_CRASH_BLACKBOX_H
#define VIGIL_CRASH_BLACKBOX_H

#include <vigil/blackbox.h>
#include <vigil/mce.h>

#include "lib/compiler.h"
#include "lib/types.h"
#include "x86/regs.h"

#define BOX_REGS_OFFSET  4096U
#define BOX_CONTEXTS_OFFSET 4608U
#define BOX_CPUS_OFFSET  5120U
#define BOX_CPUS_BYTES   (BOX_TRACE_OFFSET - BOX_CPUS_OFFSET)
#define BOX_TRACE_OFFSET 8192U
#define BOX_TRACE_BYTES  8192U
#define BOX_NOTES_OFFSET (BOX_TRACE_OFFSET + BOX_TRACE_BYTES)
#define BOX_NOTES_BYTES  16384U
#define BOX_MCE_OFFSET   (BOX_NOTES_OFFSET + BOX_NOTES_BYTES)
#define BOX_MCE_BYTES    32768U
#define BOX_LOG_OFFSET   (BOX_MCE_OFFSET + BOX_MCE_BYTES)
#define BOX_MIN_BYTES    (BOX_LOG_OFFSET + 65536U)

/* What blackbox_check() says about a zone it was shown. */
enum box_verdict {
    BOX_NOTHING,   /* no magic: never a box, or memory was lost            */
    BOX_MANGLED,   /* magic, but version, sizes or sections are impossible */
    BOX_TAKEN,     /* already collected by an earlier boot                 */
    BOX_CLEAN,     /* orderly shutdown: the log, no crash                  */
    BOX_RESET,     /* was running: reset without a panic; the log only     */
    BOX_TORN,      /* a crash began to write and did not finish            */
    BOX_SEALED_OK, /* complete; header and section checksums agree         */
    BOX_SEALED_BAD /* sealed, but a checksum disagrees: damaged in part    */
};

/**
 * blackbox_check() - judge a zone; believes nothing in it
 * @zone:  first byte; may hold anything; not written
 * @bytes: size of the zone
 *
 * With any verdict but BOX_NOTHING and BOX_MANGLED, every section's offset
 * and size lie inside the zone, and the texts of the header end in NUL.
 *
 * Context: any; pure.
 * Return:  the verdict
 */
enum box_verdict blackbox_check(const void *zone, size_t bytes) MUST_CHECK;

/**
 * blackbox_verdict_name() - a word for logs
 * @verdict: any value
 *
 * Context: any.
 * Return:  static string
 */
const char *blackbox_verdict_name(enum box_verdict verdict);

/**
 * blackbox_mark_taken() - say that a zone, or a copy of one, was collected
 * @zone:  zone whose verdict was not BOX_NOTHING or BOX_MANGLED
 * @bytes: its size
 *
 * Context: boot.
 * Return:  nothing.
 */
void blackbox_mark_taken(void *zone, size_t bytes);

/**
 * blackbox_generation_of() - boots that used a zone so far
 * @zone:  first byte; may hold anything
 * @bytes: its size
 *
 * Context: boot.
 * Return:  the generation of a believable header, else 0
 */
uint64_t blackbox_generation_of(const void *zone, size_t bytes);

/**
 * blackbox_init() - lay out the zone for this boot and move the log into it
 * @zone:       mapped, 64-byte aligned, harvested already; overwritten
 * @bytes:      its size, at least BOX_MIN_BYTES
 * @boot_id:    number of this boot, not 0
 * @generation: boots that used this zone, this one included
 * @build:      version text for the header
 *
 * Context: boot, one CPU running.
 * Return:  0; -EINVAL: too small or unaligned, the log stays where it is
 */
int blackbox_init(void *zone, size_t bytes, uint64_t boot_id,
                  uint64_t generation, const char *build) MUST_CHECK;

/**
 * blackbox_set_clock() - store the calibration readers need
 * @tsc_khz:      TSC cycles per millisecond
 * @wallclock_ns: UTC, in nanoseconds, at TSC 0 of this boot; 0 if unknown
 *
 * Context: boot.
 * Return:  nothing.
 */
void blackbox_set_clock(uint64_t tsc_khz, uint64_t wallclock_ns);

/**
 * blackbox_present() - is there a zone?
 *
 * Context: any.
 * Return:  true after a successful blackbox_init()
 */
bool blackbox_present(void);

/**
 * blackbox_begin() - a crash begins: RUNNING -> WRITING
 * @kind: VIGIL_BOX_KIND_HYPERVISOR or VIGIL_BOX_KIND_DOM0
 * @cpu:  CPU that failed first
 *
 * Context: any, dying; NMI-safe.
 * Return:  nothing.
 */
void blackbox_begin(uint32_t kind, uint32_t cpu);

/**
 * blackbox_reason() - say what it died of
 * @reason: one line, cut to fit
 *
 * Context: any, dying, once; NMI-safe.
 * Return:  nothing.
 */
void blackbox_reason(const char *reason);

/**
 * blackbox_stage() - note how far the crash path has come
 * @stage: VIGIL_BOX_STAGE_*; a lower one than before is ignored
 * @depth: failures inside the crash path so far
 *
 * Context: any, dying; NMI-safe.
 * Return:  nothing.
 */
void blackbox_stage(uint32_t stage, uint32_t depth);

/**
 * blackbox_regs() - store the registers of the failure
 * @regs: public form
 *
 * Context: any, dying; NMI-safe.
 * Return:  nothing.
 */
void blackbox_regs(const struct vigil_box_regs *regs);

/**
 * blackbox_zone() - where this boot's zone lies
 * @ret_bytes: its size, whole pages; set where there is one
 *
 * It never moves.  The log in it changes all the time.
 *
 * Context: any.
 * Return:  its first byte, or NULL: there is none
 */
const void *blackbox_zone(size_t *ret_bytes);

/* Of each CPU, by its number: in the zone, where there is one. */
extern uint32_t *blackbox_contexts;

/**
 * blackbox_context() - keep what a CPU is in the middle of
 * @cpu:  this CPU, below NR_CPUS
 * @word: vigil/context.h
 *
 * It outlives a reset that no panic came before.  For NMI and #MC, where the
 * worst resets come from; interrupts have no instruction to spare for it.
 *
 * Context: any; NMI-safe.
 * Return:  nothing.
 */
static ALWAYS_INLINE void blackbox_context(cpu_t cpu, uint32_t word)
{
    WRITE_ONCE(blackbox_contexts[cpu], word);
}

/**
 * blackbox_context_of() - what a CPU was in the middle of when it was reset
 * @zone: verdict BOX_RESET or BOX_TORN; its words may be any
 * @cpu:  any number
 *
 * Context: boot.
 * Return:  the word; 0: in nothing, or nobody knows
 */
uint32_t blackbox_context_of(const void *zone, cpu_t cpu);

/**
 * blackbox_cpu() - add what one CPU was in the middle of
 * @cpu:     its number
 * @state:   VIGIL_BOX_CPU_*
 * @context: its context word (vigil/context.h)
 * @regs:    where it was; NULL: nobody knows
 *
 * What does not fit is dropped.
 *
 * Context: any, dying; NMI-safe.
 * Return:  nothing.
 */
void blackbox_cpu(cpu_t cpu, uint32_t state, uint32_t context,
                  const struct cpu_regs *regs);

/**
 * blackbox_text_append() - add text to the backtrace or notes section
 * @type: VIGIL_BOX_SECT_BACKTRACE or VIGIL_BOX_SECT_NOTES
 * @text: bytes
 * @len:  number of bytes; what does not fit is dropped
 *
 * Context: any, dying; NMI-safe.
 * Return:  nothing.
 */
void blackbox_text_append(uint32_t type, const char *text, size_t len);

/**
 * blackbox_mce_slot() - where a machine-check record lives in the box
 * @index: which, from 0
 *
 * Context: any, #MC included.
 * Return:  its place, of no one else; NULL: no box, no room, or it is sealed
 */
NMI_SAFE struct vigil_mce_record *blackbox_mce_slot(unsigned int index);

/**
 * blackbox_mce_written() - a record has its number: it counts from now on
 * @index: which; it had a place when it was begun
 *
 * Context: any, #MC included.
 * Return:  nothing.
 */
NMI_SAFE void blackbox_mce_written(unsigned int index);

/**
 * blackbox_mce_next() - the machine-check records of a zone, oldest first
 * @zone:  of which blackbox_check() said neither BOX_NOTHING nor BOX_MANGLED
 * @after: number of the one before; 0: from the first
 *
 * Context: boot.
 * Return:  the next, which has at most VIGIL_MCE_BANKS banks; NULL: no more
 */
const struct vigil_mce_record *blackbox_mce_next(const void *zone,
                                                 uint64_t after);

/**
 * blackbox_seal() - checksums, state SEALED, write back the caches
 *
 * Context: any, dying.
 * Return:  nothing.
 */
void blackbox_seal(void);

/**
 * blackbox_clean() - an orderly power off or reboot: kind CLEAN, sealed
 * @reason: one line
 *
 * The first call counts.  machine_restart(), machine_poweroff() and
 * machine_halt() call it too, so a caller need not, but can say more.
 *
 * Context: normal.
 * Return:  nothing.
 */
void blackbox_clean(const char *reason);

#endif
