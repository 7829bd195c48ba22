/* SPDX-License-Identifier: MIT */
/*
 * ras/nmi_note.c - notes of NMIs, and the timer that puts them into words.
 *
 * A ring for each CPU.  Its NMI handler alone moves `left`, its timer's
 * callback alone `written` (whichever CPU that runs on: timers of a CPU that
 * stops go to another).  Who dies reads what is between the two.
 */
#include "ras/nmi_note.h"

#include "lib/format.h"
#include "x86/atomic.h"
#include "x86/percpu.h"
#include "log/sink.h"
#include "cpu/clock.h"
#include "cpu/timer.h"
#include "crash/dump.h"
#include "crash/notes.h"
#include "ras/decode.h"
#include "ras/ghes.h"
#include "ras/nmi.h"
#include "ras/nmi_storm.h"

#define NOTES      16U       /* a power of two */
#define SOON_NS    20000ULL  /* Dom0's handler begins within 2 */
#define LOOK_NS    1000000000ULL
#define TEXT_BYTES 200

static struct notes {
    struct nmi_note ring[NOTES];
    uint32_t left;    /* a: notes since boot; only this CPU's NMIs   */
    uint32_t written; /* a: of these, in the log; only the callback  */
    struct timer timer;
    bool is_soon;  /* a: the timer is set for notes, not to look only */
    bool is_ready; /* the timer has been initialised                  */
} notes[NR_CPUS];

static NMI_SAFE void text_of(char *buf, const struct nmi_note *n)
{
    const char *causes = nmi_causes_name(n->causes);
    char who[CONTEXT_TEXT_BYTES];

    if (n->begins_storm) {
        (void)snprintf(buf, TEXT_BYTES,
                       "NMI storm on CPU %u: %s%s: from now on only counted",
                       n->tag.cpu, causes, n->line_is_off ? ", disabled" : "");
        return;
    }
    (void)snprintf(buf, TEXT_BYTES,
                   "NMI on CPU %u: %s (port 0x61: 0x%02x) in %s, rip 0x%lx: %s",
                   n->tag.cpu, causes, n->port61,
                   describe_tenant(who, n->from_guest, n->tenant), n->rip,
                   n->what_follows);
}

NMI_SAFE void nmi_note_say(const struct nmi_note *note)
{
    char text[TEXT_BYTES];

    text_of(text, note);
    log_seen(&note->tag, "%s", text);
}

NMI_SAFE void nmi_note_leave(const struct nmi_note *note)
{
    struct notes *n = &notes[this_cpu_id()];
    uint32_t left = n->left;

    if (left - atomic_load(&n->written) == NOTES) {
        nmi_note_say(note);
        return;
    }
    n->ring[left % NOTES] = *note;
    atomic_store(&n->left, left + 1);
}

static void write_notes(struct notes *n)
{
    uint32_t written = n->written;

    while (written != atomic_load(&n->left)) {
        nmi_note_say(&n->ring[written % NOTES]);
        written++;
        atomic_store(&n->written, written);
    }
}

static void look_at_storms(cpu_t cpu)
{
    static const char *const names[NMI_SOURCES] = {
        [NMI_FROM_PORT61] = "SERR and IOCHK",
        [NMI_FROM_FIRMWARE] = "firmware",
        [NMI_FROM_NOBODY] = "unknown source",
    };
    struct nmi_storm s;

    while (nmi_storm_look(cpu, clock_now_ns(), &s)) {
        pr_warn("NMI storm on CPU %u is over: %s: %lu only counted, in %lu ms",
                cpu, names[s.source], s.count, s.duration_ns / 1000000);
    }
}

/* One CPU at a time; another one looks again. */
static bool say_firmware(void)
{
    static bool busy; /* a */
    bool again = true;

    if (!atomic_xchg(&busy, true)) {
        again = ghes_say(clock_now_ns());
        atomic_store(&busy, false);
    }
    return again;
}

static void timer_due(void *arg)
{
    struct notes *n = arg;
    cpu_t cpu = (cpu_t)(n - notes);

    /* Before: a note that comes now sets the timer again. */
    atomic_store(&n->is_soon, false);
    write_notes(n);
    dump_say_late(cpu);
    log_drain();
    look_at_storms(cpu);
    if (say_firmware() || nmi_storm_goes_on(cpu)) {
        timer_set(&n->timer, clock_now_ns() + LOOK_NS);
    }
}

void nmi_notes_soon(void)
{
    struct notes *n = &notes[this_cpu_id()];

    if ((n->left == atomic_load(&n->written) && !dump_is_late(this_cpu_id())) ||
        atomic_load(&n->is_soon)) {
        return;
    }
    if (!n->is_ready) {
        timer_init(&n->timer, timer_due, n);
        n->is_ready = true;
    }
    atomic_store(&n->is_soon, true);
    timer_set(&n->timer, clock_now_ns() + SOON_NS);
}

/* Dying: what nobody has put into words yet. */
static void last_notes(void)
{
    char text[TEXT_BYTES];

    for (cpu_t cpu = 0; cpu < NR_CPUS; cpu++) {
        const struct notes *n = &notes[cpu];
        uint32_t left = n->left, at = n->written;

        if (left - at > NOTES) {
            continue; /* torn: the two do not belong together */
        }
        for (; at != left; at++) {
            text_of(text, &n->ring[at % NOTES]);
            crash_note("%s", text);
        }
    }
}
CRASH_NOTE(nmis, last_notes);
