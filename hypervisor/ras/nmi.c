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
 */
#include "ras/nmi.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "x86/atomic.h"
#include "x86/percpu.h"
#include "log/printk.h"
#include "cpu/clock.h"
#include "crash/panic.h"
#include "crash/stop.h"
#include "dev/port61.h"
#include "ras/decode.h"
#include "ras/mce.h"

enum nmi_policy {
    NMI_TO_DOM0,
    NMI_IGNORED,
    NMI_IS_FATAL,
};

#define NS_PER_S      1000000000ULL
#define LINES_A_SECOND 8 /* more of SERR and IOCHK together: storm */

static enum nmi_policy policy = NMI_TO_DOM0; /* c */
static uint32_t for_dom0[NMI_CAUSES];        /* a: NMIs that wait, by cause */
static uint32_t for_dom0_count;              /* a: all of them; never more  */

/* Only the boot CPU's NMI handler. */
static uint64_t storm_start_ns;
static unsigned int storm_count;

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

NMI_SAFE unsigned int nmi_causes_of(uint8_t port61)
{
    unsigned int causes = 0;

    if (port61 != 0xff) {
        causes |= (port61 & PORT61_SERR) != 0 ? NMI_CAUSE_SERR : 0;
        causes |= (port61 & PORT61_IOCHK) != 0 ? NMI_CAUSE_IOCHK : 0;
    }
    return causes != 0 ? causes : NMI_CAUSE_UNKNOWN;
}

static NMI_SAFE const char *causes_name(unsigned int causes)
{
    switch (causes) {
    case NMI_CAUSE_SERR:
        return "PCI system error (SERR)";
    case NMI_CAUSE_IOCHK:
        return "I/O channel check (IOCHK)";
    case NMI_CAUSE_SERR | NMI_CAUSE_IOCHK:
        return "SERR and IOCHK";
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

static NMI_SAFE void count(unsigned int causes)
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
}

/* Acknowledge the line, or leave it off if it does not calm down. */
static NMI_SAFE void settle_port61(unsigned int causes)
{
    uint64_t now = clock_now_ns();
    uint8_t lines = 0;

    if ((causes & (NMI_CAUSE_SERR | NMI_CAUSE_IOCHK)) == 0) {
        return;
    }
    if ((causes & NMI_CAUSE_SERR) != 0) {
        lines = PORT61_SERR;
    }
    if ((causes & NMI_CAUSE_IOCHK) != 0) {
        lines = (uint8_t)(lines | PORT61_IOCHK);
    }
    if (now - storm_start_ns > NS_PER_S) {
        storm_start_ns = now;
        storm_count = 0;
    }
    storm_count++;
    if (storm_count > LINES_A_SECOND) {
        port61_mask(lines);
        log_nmi(LOG_ERROR, "NMI: %s disabled, more than %u in a second",
                causes_name(causes), LINES_A_SECOND);
    } else {
        port61_clear(lines);
    }
}

static NMI_SAFE unsigned int ask_port61(uint8_t *ret_byte)
{
    *ret_byte = 0;
    /* The chipset has one such port and wires it to the boot CPU. */
    if (this_cpu_id() == 0) {
        *ret_byte = port61_read();
    }
    return nmi_causes_of(*ret_byte);
}

NMI_SAFE void ras_nmi(struct cpu_regs *regs)
{
    char who[CONTEXT_TEXT_BYTES];
    unsigned int causes;
    uint8_t port;

    if (crash_stop_requested()) {
        crash_stop_park(regs);
    }
    causes = ask_port61(&port);
    count(causes);
    log_nmi(LOG_WARNING,
            "NMI on CPU %u: %s (port 0x61: 0x%02x) in %s, rip 0x%lx: %s",
            this_cpu_id(), causes_name(causes), port,
            describe_context(who, regs_from_guest(regs)), regs->rip,
            policy_name(policy));
    switch (policy) {
    case NMI_TO_DOM0:
        /* Counted last: who sees the count finds the cause.  Who comes before
         * is sent again by the work bit. */
        (void)atomic_add(&for_dom0[causes], 1);
        (void)atomic_add(&for_dom0_count, 1);
        (void)atomic_or(&this_cpu()->work, WORK_NMI);
        break;
    case NMI_IGNORED:
        break;
    case NMI_IS_FATAL:
        /* Dying already: one more would cost the record a stage. */
        if (!crash_in_progress()) {
            panic_regs(regs, "NMI: %s, and nmi=fatal", causes_name(causes));
        }
        break;
    }
    settle_port61(causes);
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
