/* SPDX-License-Identifier: MIT */
/*
 * ras/ghes.c - errors that the firmware has seen first, announced by NMI.
 *
 * Source: ACPI 6.4, 18.3.2.7 and 18.3.2.8.
 */
#include "ras/ghes.h"

#include "lib/crc32.h"
#include "x86/atomic.h"
#include "log/printk.h"
#include "crash/notes.h"
#include "dev/acpi_bert.h"
#include "dev/acpi_bytes.h"
#include "dev/acpi_hest.h"

#define NS_PER_S 1000000000ULL

#define BLOCK_STATUS   0 /* bits 0, 1: an uncorrected, a corrected error */
#define BLOCK_SEVERITY 16
#define STATUS_ERROR   3U

#define COPY_BYTES 4096U /* of a block: as much is looked at */

enum source_state { IDLE, SEEN, SAID };

/* Legend: c constant after boot; s the softirq's; a atomic */
static struct source {
    uint16_t id;      /* c */
    uint8_t *block;   /* c: the firmware's, may change at any time     */
    uint32_t bytes;   /* c */
    uint8_t *ack;     /* c: register to write when it was read, or NULL */
    uint64_t ack_keep, ack_set; /* c */
    uint32_t state;   /* a: NMI makes it SEEN, the softirq all others   */
    uint64_t said_ns; /* s */
    uint32_t said;    /* s: checksum of what was said                   */
} sources[HEST_GENERIC_MAX];
static unsigned int source_count; /* c */

/* Judged is a copy: what lies there may change any time.  s, or dying. */
static uint8_t copy[COPY_BYTES];

/* Firmware's memory, not any guest's: what they write is no error record. */
static uint8_t *map(maddr_t at, uint32_t bytes)
{
    if (at == 0 || at >= ACPI_MADDR_END || acpi_range_has(at, bytes, ACPI_RAM)) {
        return NULL;
    }
    return acpi_map(at, bytes);
}

static bool find(struct source *s, const struct hest_generic *g)
{
    const uint8_t *where;

    if (g->status.space != ACPI_SPACE_MEMORY ||
        (g->has_ack && g->ack.space != ACPI_SPACE_MEMORY)) {
        return false;
    }
    where = map(g->status.address, sizeof(uint64_t));
    s->block = where != NULL ? map(get64(where), g->block_bytes) : NULL;
    s->ack = g->has_ack ? map(g->ack.address, sizeof(uint64_t)) : NULL;
    if (s->block == NULL || (g->has_ack && s->ack == NULL)) {
        return false;
    }
    s->id = g->id;
    s->bytes = g->block_bytes;
    s->ack_keep = g->ack_keep;
    s->ack_set = g->ack_set;
    return true;
}

static NMI_SAFE bool has_error(const struct source *s)
{
    return (get32(s->block + BLOCK_STATUS) & STATUS_ERROR) != 0;
}

static NOINLINE NMI_SAFE enum ghes_answer ask_all(void)
{
    enum ghes_answer answer = GHES_NOTHING;

    for (unsigned int i = 0; i < source_count; i++) {
        struct source *s = &sources[i];

        if (!has_error(s) ||
            !atomic_cas(&s->state, (uint32_t)IDLE, (uint32_t)SEEN)) {
            continue;
        }
        if (get32(s->block + BLOCK_SEVERITY) == ERROR_FATAL) {
            answer = GHES_FATAL;
        } else if (answer == GHES_NOTHING) {
            answer = GHES_ERROR;
        }
    }
    return answer;
}

NMI_SAFE enum ghes_answer ghes_ask(void)
{
    return likely(source_count == 0) ? GHES_NOTHING : ask_all();
}

static bool parse(const struct source *s, struct error_block *ret_block)
{
    uint32_t bytes = MIN(s->bytes, COPY_BYTES);

    memcpy(copy, s->block, bytes);
    return error_block_parse(copy, bytes, ret_block);
}

static void say_section(const struct source *s, const struct error_section *e)
{
    if (e->has_address) {
        pr_warn("ras: firmware error source %u: %s: %s error at 0x%lx", s->id,
                error_severity_text(e->severity), e->kind, e->address);
    } else {
        pr_warn("ras: firmware error source %u: %s: %s error", s->id,
                error_severity_text(e->severity), e->kind);
    }
}

static void say(struct source *s, const char *when)
{
    struct error_block b;

    if (!parse(s, &b)) {
        return; /* Dom0 has been quicker */
    }
    pr_warn("ras: firmware error source %u reports a hardware error%s, %s",
            s->id, when, error_severity_text(b.severity));
    for (unsigned int i = 0; i < b.section_count; i++) {
        say_section(s, &b.section[i]);
    }
    if (b.dropped != 0) {
        pr_warn("ras: firmware error source %u: %u sections cut off, malformed "
                "or too many", s->id, b.dropped);
    }
}

static void say_seen(struct source *s, uint64_t now_ns)
{
    say(s, "");
    s->said_ns = now_ns;
    s->said = crc32(0, copy, MIN(s->bytes, COPY_BYTES));
    atomic_store(&s->state, (uint32_t)SAID);
}

static void acknowledge(struct source *s)
{
    static const uint32_t none;

    memcpy(s->block + BLOCK_STATUS, &none, sizeof(none));
    if (s->ack != NULL) {
        uint64_t v = (get64(s->ack) & s->ack_keep) | s->ack_set;

        memcpy(s->ack, &v, sizeof(v));
    }
}

/*
 * What stands there already nobody is told by an NMI; the next one, of whatever
 * source, would find it, and be taken for its.
 */
static void clear_old(struct source *s)
{
    if (has_error(s)) {
        say(s, " from before this boot");
        acknowledge(s);
    }
}

/* A second later: Dom0 has answered, or will not. */
static void settle(struct source *s, uint64_t now_ns)
{
    if (has_error(s)) {
        memcpy(copy, s->block, MIN(s->bytes, COPY_BYTES));
        if (crc32(0, copy, MIN(s->bytes, COPY_BYTES)) != s->said) {
            say_seen(s, now_ns); /* another one has come since */
            return;
        }
        acknowledge(s);
    }
    atomic_store(&s->state, (uint32_t)IDLE);
    /* One whose NMI came before that store was nobody's. */
    if (has_error(s) &&
        atomic_cas(&s->state, (uint32_t)IDLE, (uint32_t)SEEN)) {
        say_seen(s, now_ns);
    }
}

bool ghes_say(uint64_t now_ns)
{
    bool again = false;

    for (unsigned int i = 0; i < source_count; i++) {
        struct source *s = &sources[i];
        uint32_t state = atomic_load(&s->state);

        if (state == SEEN) {
            say_seen(s, now_ns);
        } else if (state == SAID && now_ns - s->said_ns >= NS_PER_S) {
            settle(s, now_ns);
        }
        again = again || atomic_load(&s->state) != IDLE;
    }
    return again;
}

void ghes_init(void)
{
    const struct acpi_hest *hest = acpi_hest();
    unsigned int left_out = 0;

    for (unsigned int i = 0; i < hest->generic_count; i++) {
        if (hest->generic[i].notify != HEST_BY_NMI) {
            continue;
        }
        if (find(&sources[source_count], &hest->generic[i])) {
            clear_old(&sources[source_count++]);
        } else {
            left_out++;
        }
    }
    if (source_count != 0) {
        pr_info("ras: %u firmware error sources announce errors by NMI",
                source_count);
    }
    if (left_out != 0) {
        pr_warn("ras: %u firmware error sources name no memory of the "
                "firmware's for their records, ignored",
                left_out);
    }
}

static void note_section(const struct error_section *e)
{
    if (e->has_address) {
        crash_note("  %s: %s error at 0x%lx", error_severity_text(e->severity),
                   e->kind, e->address);
    } else {
        crash_note("  %s: %s error", error_severity_text(e->severity), e->kind);
    }
}

/* Dying: what an NMI saw and nobody said; a fatal one always is. */
static void last_words(void)
{
    for (unsigned int i = 0; i < source_count; i++) {
        const struct source *s = &sources[i];
        struct error_block b;

        if (s->state != SEEN || !parse(s, &b)) {
            continue;
        }
        crash_note("firmware error source %u: %s", s->id,
                   error_severity_text(b.severity));
        for (unsigned int n = 0; n < b.section_count; n++) {
            note_section(&b.section[n]);
        }
    }
}
CRASH_NOTE(firmware_errors, last_words);
