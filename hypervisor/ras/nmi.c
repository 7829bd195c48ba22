/* SPDX-License-Identifier: MIT */
/*
 * ras/nmi.c - who sent this NMI?
 *
 * Corners:
 *   - an IRET from a nested #MC would let the next NMI in while this one's
 *     stack is in use: entry/ leaves #MC by RET then (docs/architecture.md)
 *   - reading port 0x61 may fall into system management mode; nothing here
 *     depends on how long that takes
 *   - a device can be made to raise SERR for ever (CVE-2013-3495): a line
 *     that fires too often stays disabled
 *   - a line of text takes longer than all the rest: notes, written later
 */
#include "ras/nmi.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "x86/atomic.h"
#include "x86/percpu.h"
#include "log/printk.h"
#include "cpu/clock.h"
#include "crash/dump.h"
#include "crash/panic.h"
#include "crash/stop.h"
#include "dev/port61.h"
#include "ras/mce.h"
#include "ras/ghes.h"
#include "ras/nmi_note.h"
#include "ras/nmi_storm.h"
#include "ras/watchdog.h"

enum nmi_policy {
    NMI_TO_DOM0,
    NMI_IGNORED,
    NMI_IS_FATAL,
};

static enum nmi_policy policy = NMI_TO_DOM0; /* c */
static cpu_t line_cpu;                       /* a */
static uint32_t for_dom0[NMI_CAUSES];        /* a: NMIs that wait, by cause */
static uint32_t for_dom0_count;              /* a: all of them; never more  */

int nmi_set_policy(const char *value)
{
    if (strcmp(value, "dom0") == 0) {
        policy = NMI_TO_DOM0;
    } else if (strcmp(value, "ignore") == 0) {
        policy = NMI_IGNORED;
    } else if (strcmp(value, "fatal") == 0) {
        policy = NMI_IS_FATAL;
    } else {
        return -EINVAL;
    }
    return 0;
}

void nmi_set_line_cpu(cpu_t cpu)
{
    atomic_store(&line_cpu, cpu);
}

NMI_SAFE cpu_t nmi_line_cpu(void)
{
    return atomic_load(&line_cpu);
}

NMI_SAFE unsigned int nmi_causes_of(uint8_t port61)
{
    unsigned int causes = 0;

    if ((port61 & (PORT61_SERR | PORT61_IOCHK)) == 0 || port61 == 0xff) {
        return NMI_CAUSE_UNKNOWN;
    }
    causes |= (port61 & PORT61_SERR) != 0 ? NMI_CAUSE_SERR : 0;
    causes |= (port61 & PORT61_IOCHK) != 0 ? NMI_CAUSE_IOCHK : 0;
    return causes;
}

NMI_SAFE const char *nmi_causes_name(unsigned int causes)
{
    switch (causes) {
    case NMI_CAUSE_SERR:
        return "PCI system error (SERR)";
    case NMI_CAUSE_IOCHK:
        return "I/O channel check (IOCHK)";
    case NMI_CAUSE_SERR | NMI_CAUSE_IOCHK:
        return "SERR and IOCHK";
    case NMI_CAUSE_FIRMWARE:
        return "error source of the firmware";
    case NMI_CAUSE_FIRMWARE | NMI_CAUSE_SERR:
    case NMI_CAUSE_FIRMWARE | NMI_CAUSE_IOCHK:
    case NMI_CAUSE_FIRMWARE | NMI_CAUSE_SERR | NMI_CAUSE_IOCHK:
        return "error source of the firmware, and SERR or IOCHK";
    default:
        return "unknown source";
    }
}

static NMI_SAFE const char *policy_name(enum nmi_policy p)
{
    switch (p) {
    case NMI_TO_DOM0:
        return "goes to Dom0";
    case NMI_IGNORED:
        return "ignored";
    case NMI_IS_FATAL:
        return "fatal";
    }
    return "?";
}

static ALWAYS_INLINE void count(unsigned int causes)
{
    (void)atomic_add(&ras_counters.nmi_total, 1);
    if ((causes & NMI_CAUSE_SERR) != 0) {
        (void)atomic_add(&ras_counters.nmi_serr, 1);
    }
    if ((causes & NMI_CAUSE_IOCHK) != 0) {
        (void)atomic_add(&ras_counters.nmi_iochk, 1);
    }
    if ((causes & NMI_CAUSE_UNKNOWN) != 0) {
        (void)atomic_add(&ras_counters.nmi_unknown, 1);
    }
    if ((causes & NMI_CAUSE_FIRMWARE) != 0) {
        (void)atomic_add(&ras_counters.nmi_firmware, 1);
    }
}

static NMI_SAFE uint8_t lines_of(unsigned int causes)
{
    unsigned int lines = 0;

    if ((causes & NMI_CAUSE_SERR) != 0) {
        lines |= PORT61_SERR;
    }
    if ((causes & NMI_CAUSE_IOCHK) != 0) {
        lines |= PORT61_IOCHK;
    }
    return (uint8_t)lines;
}

/* What it says belongs to the line's NMI, not to one that another sends. */
static NMI_SAFE uint8_t ask_port61(void)
{
    return this_cpu_id() == nmi_line_cpu() ? port61_read() : 0;
}

static NMI_SAFE enum nmi_source source_of(unsigned int causes)
{
    if ((causes & NMI_CAUSE_FIRMWARE) != 0) {
        return NMI_FROM_FIRMWARE;
    }
    return (causes & NMI_CAUSE_UNKNOWN) != 0 ? NMI_FROM_NOBODY
                                             : NMI_FROM_PORT61;
}

static NMI_SAFE void act(const struct cpu_regs *regs,
                         const struct nmi_note *note)
{
    switch (policy) {
    case NMI_TO_DOM0:
        nmi_note_leave(note);
        /* Counted last: who sees the count finds the cause.  Who comes before
         * is sent again by the work bit. */
        (void)atomic_add(&for_dom0[note->causes], 1);
        (void)atomic_add(&for_dom0_count, 1);
        break;
    case NMI_IGNORED:
        nmi_note_leave(note);
        break;
    case NMI_IS_FATAL:
        nmi_note_say(note);
        /* Dying already: one more would cost the record a stage. */
        if (!crash_in_progress()) {
            panic_regs(regs, "NMI: %s, and nmi=fatal",
                       nmi_causes_name(note->causes));
        }
        break;
    }
}

/* One that is nobody's, or has a cause: all that is done for it. */
static NOINLINE NMI_SAFE void nmi_take(const struct cpu_regs *regs,
                                       uint8_t port, enum ghes_answer firmware)
{
    unsigned int causes = nmi_causes_of(port);
    enum nmi_admission admission;
    uint8_t lines;

    if (firmware != GHES_NOTHING) {
        causes = (causes & ~NMI_CAUSE_UNKNOWN) | NMI_CAUSE_FIRMWARE;
    }
    lines = lines_of(causes);
    admission = nmi_storm_admit(source_of(causes), clock_now_ns());
    count(causes);
    if (firmware == GHES_FATAL && policy != NMI_IGNORED &&
        !crash_in_progress()) {
        panic_regs(regs, "NMI: the firmware reports a fatal hardware error");
    }
    if (admission == NMI_IN_STORM) {
        (void)atomic_add(&ras_counters.nmi_left_out, 1);
    } else {
        const struct nmi_note note = {
            .tag = log_stamp(LOG_WARNING, 0),
            .rip = regs->rip,
            .tenant = tenant_now(),
            .from_guest = regs_from_guest(regs),
            .port61 = port,
            .causes = (uint8_t)causes,
            .begins_storm = admission == NMI_STORM_BEGINS,
            .line_is_off = lines != 0,
            .what_follows = policy_name(policy),
        };

        if (admission == NMI_STORM_BEGINS) {
            (void)atomic_add(&ras_counters.nmi_left_out, 1);
            nmi_note_leave(&note);
        } else {
            act(regs, &note);
        }
        (void)atomic_or(&this_cpu()->work, WORK_NMI);
    }
    /* Acknowledge the line, or leave it off if it does not calm down. */
    if (lines != 0 && admission == NMI_ADMITTED) {
        port61_clear(lines);
    } else if (lines != 0) {
        port61_mask(lines);
    }
}

/* Where many come they are ours, or a storm: those end here, and what others need
 * is nmi_take()'s, so these save no register for it and read no clock. */
NMI_SAFE void ras_nmi(struct cpu_regs *regs)
{
    enum ghes_answer firmware;
    uint8_t port;
    bool ours = false;

    if (crash_stop_requested()) {
        crash_stop_park(regs);
    }
    if (unlikely(dump_if_asked(regs))) {
        ours = true;
        watchdog_asked(regs);
    }
    ours = watchdog_nmi(regs) || ours;
    port = ask_port61();
    firmware = ghes_ask();
    if (firmware != GHES_NOTHING || nmi_causes_of(port) != NMI_CAUSE_UNKNOWN) {
        nmi_take(regs, port, firmware);
    } else if (ours) {
        return;
    } else if (nmi_storm_counts(NMI_FROM_NOBODY)) {
        count(NMI_CAUSE_UNKNOWN);
        (void)atomic_add(&ras_counters.nmi_left_out, 1);
    } else {
        nmi_take(regs, port, GHES_NOTHING);
    }
}

unsigned int nmi_next_for_dom0(void)
{
    for (unsigned int causes = 1; causes < NMI_CAUSES; causes++) {
        /* Only this function takes away, and it does not nest. */
        if (atomic_load(&for_dom0[causes]) != 0) {
            (void)atomic_sub(&for_dom0_count, 1);
            (void)atomic_sub(&for_dom0[causes], 1);
            return causes;
        }
    }
    return 0;
}

bool nmi_waits_for_dom0(void)
{
    return atomic_load(&for_dom0_count) != 0;
}
