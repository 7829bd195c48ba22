/* SPDX-License-Identifier: MIT */
/*
 * crash/blackbox.c - lay out, fill and seal the preserved zone.
 *
 * States of a zone:
 *
 *   (anything) --blackbox_init--> RUNNING --blackbox_begin--> WRITING
 *   WRITING --blackbox_seal--> SEALED       RUNNING --blackbox_clean--> SEALED
 *   any of them --next boot, blackbox_mark_taken--> TAKEN
 *
 * Every step leaves the header consistent for a reader that comes after a
 * reset at that very moment: sizes are stored after the bytes they count, the
 * state after everything it promises.
 */
#include "crash/blackbox.h"

#include "lib/assert.h"
#include "lib/bits.h"
#include "lib/crc32.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "x86/atomic.h"
#include "x86/barrier.h"
#include "x86/percpu.h"
#include "x86/tsc.h"
#include "log/printk.h"

#define LINE_BYTES 64
#define CONTEXTS_BYTES (NR_CPUS * sizeof(uint32_t))

/* Places in the header's section table. */
enum section_slot {
    SLOT_LOG,
    SLOT_REGS,
    SLOT_TRACE,
    SLOT_NOTES,
    SLOT_MCE,
    SLOT_CPUS,
    SLOT_CONTEXTS,
    SLOT_COUNT,
};

STATIC_ASSERT(sizeof(struct vigil_box_header) <= BOX_REGS_OFFSET, "header");
STATIC_ASSERT(sizeof(struct vigil_box_regs) <=
                  BOX_CONTEXTS_OFFSET - BOX_REGS_OFFSET,
              "registers");
STATIC_ASSERT(CONTEXTS_BYTES <= BOX_CPUS_OFFSET - BOX_CONTEXTS_OFFSET,
              "contexts");
STATIC_ASSERT(NR_CPUS * sizeof(struct vigil_box_cpu) <= BOX_CPUS_BYTES,
              "CPUs");

static const struct slot_layout {
    uint32_t type;
    uint32_t offset;
    uint32_t room; /* 0: to the end of the zone */
} layout[SLOT_COUNT] = {
    [SLOT_LOG] = {VIGIL_BOX_SECT_LOG, BOX_LOG_OFFSET, 0},
    [SLOT_REGS] = {VIGIL_BOX_SECT_REGS, BOX_REGS_OFFSET,
                   sizeof(struct vigil_box_regs)},
    [SLOT_TRACE] = {VIGIL_BOX_SECT_BACKTRACE, BOX_TRACE_OFFSET,
                    BOX_TRACE_BYTES},
    [SLOT_NOTES] = {VIGIL_BOX_SECT_NOTES, BOX_NOTES_OFFSET, BOX_NOTES_BYTES},
    [SLOT_MCE] = {VIGIL_BOX_SECT_MCE, BOX_MCE_OFFSET, BOX_MCE_BYTES},
    [SLOT_CPUS] = {VIGIL_BOX_SECT_CPUS, BOX_CPUS_OFFSET, BOX_CPUS_BYTES},
    [SLOT_CONTEXTS] = {VIGIL_BOX_SECT_CONTEXTS, BOX_CONTEXTS_OFFSET,
                       CONTEXTS_BYTES},
};

/* c: set by blackbox_init(); the crash path is the only writer afterwards */
static struct vigil_box_header *box;
static size_t box_bytes; /* as the header says, which is not believed */
/* c: by blackbox_init(); NULL once it is being sealed, and without a box */
static struct vigil_mce_record *mce_records;

/* Before there is a zone, and without one. */
static uint32_t contexts_nowhere[NR_CPUS];
/* c: by blackbox_init(); each CPU writes its own */
uint32_t *blackbox_contexts = contexts_nowhere;

static NMI_SAFE void flush(const void *start, size_t bytes)
{
    const char *p = start;

    for (size_t i = 0; i < bytes; i += LINE_BYTES) {
        cache_flush_line(p + i);
    }
    smp_mb();
}

static void flush_header(void)
{
    flush(box, sizeof(*box));
}

static uint8_t *section_bytes(enum section_slot slot)
{
    return (uint8_t *)box + layout[slot].offset;
}

static uint32_t header_crc(const struct vigil_box_header *h)
{
    static const uint32_t zero;
    const size_t at = offsetof(struct vigil_box_header, crc32);
    const uint8_t *bytes = (const uint8_t *)h;
    uint32_t crc = crc32(0, bytes, at);

    crc = crc32(crc, &zero, sizeof(zero));
    return crc32(crc, bytes + at + sizeof(zero),
                 sizeof(*h) - at - sizeof(zero));
}

bool blackbox_present(void)
{
    return box != NULL;
}

const void *blackbox_zone(size_t *ret_bytes)
{
    if (box != NULL) {
        *ret_bytes = box_bytes;
    }
    return box;
}

int blackbox_init(void *zone, size_t bytes, uint64_t boot_id,
                  uint64_t generation, const char *build)
{
    struct vigil_box_header *h = zone;
    size_t log_bytes;

    if (zone == NULL || bytes < BOX_MIN_BYTES ||
        !IS_ALIGNED((uintptr_t)zone, LINE_BYTES)) {
        return -EINVAL;
    }
    log_bytes =
        (bytes - BOX_LOG_OFFSET) / VIGIL_LOG_CELL_BYTES * VIGIL_LOG_CELL_BYTES;

    memset(zone, 0, BOX_LOG_OFFSET);
    h->version = VIGIL_BOX_VERSION;
    h->header_bytes = sizeof(*h);
    h->zone_bytes = bytes;
    h->boot_id = boot_id;
    h->generation = generation;
    h->state = VIGIL_BOX_RUNNING;
    h->stage = VIGIL_BOX_STAGE_NONE;
    strlcpy(h->build, build, sizeof(h->build));
    for (unsigned int i = 0; i < SLOT_COUNT; i++) {
        h->section[i].type = layout[i].type;
        h->section[i].offset = layout[i].offset;
    }
    h->section[SLOT_LOG].bytes = log_bytes;
    h->section[SLOT_CONTEXTS].bytes = CONTEXTS_BYTES;

    log_attach((uint8_t *)zone + BOX_LOG_OFFSET, log_bytes, boot_id);

    /* MB(blackbox:A) the magic makes it a box: last. */
    __atomic_store_n(&h->magic, VIGIL_BOX_MAGIC, __ATOMIC_RELEASE);
    box = h;
    box_bytes = bytes;
    blackbox_contexts = (uint32_t *)(void *)section_bytes(SLOT_CONTEXTS);
    mce_records = (void *)section_bytes(SLOT_MCE);
    flush(zone, BOX_LOG_OFFSET);
    return 0;
}

void blackbox_set_clock(uint64_t tsc_khz, uint64_t wallclock_ns)
{
    if (box) {
        box->tsc_khz = tsc_khz;
        box->wallclock_ns = wallclock_ns;
        flush_header();
    }
}

void blackbox_begin(uint32_t kind, uint32_t cpu)
{
    if (box == NULL) {
        return;
    }
    box->kind = kind;
    box->cpu = cpu;
    box->tsc = rdtsc();
    __atomic_store_n(&box->state, VIGIL_BOX_WRITING, __ATOMIC_RELEASE);
    flush_header();
}

void blackbox_reason(const char *reason)
{
    if (box != NULL) {
        /* Its last byte is NUL at any time: half of it still ends. */
        strlcpy(box->reason, reason, sizeof(box->reason));
        flush_header();
    }
}

void blackbox_stage(uint32_t stage, uint32_t depth)
{
    if (box == NULL) {
        return;
    }
    if (stage > box->stage) {
        box->stage = stage;
    }
    box->depth = depth;
    flush_header();
}

void blackbox_regs(const struct vigil_box_regs *regs)
{
    if (box == NULL) {
        return;
    }
    memcpy(section_bytes(SLOT_REGS), regs, sizeof(*regs));
    box->section[SLOT_REGS].bytes = sizeof(*regs);
    flush(section_bytes(SLOT_REGS), sizeof(*regs));
    flush_header();
}

/* The count lies in the box, which is not believed, not even while dying. */
static size_t room_left(enum section_slot slot)
{
    uint64_t used = box->section[slot].bytes;

    return used < layout[slot].room ? layout[slot].room - used : 0;
}

static void append(enum section_slot slot, const void *bytes, size_t len)
{
    uint64_t at = box->section[slot].bytes;

    memcpy(section_bytes(slot) + at, bytes, len);
    /* The count after the bytes, for a reader of a torn record. */
    __atomic_store_n(&box->section[slot].bytes, at + len, __ATOMIC_RELEASE);
}

void blackbox_cpu(cpu_t cpu, uint32_t state, uint32_t context,
                  const struct cpu_regs *regs)
{
    struct vigil_box_cpu c = {.cpu = cpu, .state = state, .context = context};

    if (regs != NULL) {
        c.cs = regs->cs;
        c.rip = regs->rip;
        c.rsp = regs->rsp;
        c.rflags = regs->rflags;
    }
    if (box != NULL && room_left(SLOT_CPUS) >= sizeof(c)) {
        append(SLOT_CPUS, &c, sizeof(c));
    }
}

void blackbox_text_append(uint32_t type, const char *text, size_t len)
{
    enum section_slot slot =
        type == VIGIL_BOX_SECT_BACKTRACE ? SLOT_TRACE : SLOT_NOTES;
    size_t room = box != NULL ? room_left(slot) : 0;

    if (room != 0) {
        append(slot, text, MIN(len, room));
    }
}

NMI_SAFE struct vigil_mce_record *blackbox_mce_slot(unsigned int index)
{
    struct vigil_mce_record *records = atomic_load(&mce_records);

    return records != NULL && index < BOX_MCE_BYTES / sizeof(*records)
               ? &records[index]
               : NULL;
}

NMI_SAFE void blackbox_mce_written(unsigned int index)
{
    const struct vigil_mce_record *r = blackbox_mce_slot(index);
    uint64_t end = (index + 1UL) * sizeof(*r);
    uint64_t *bytes;
    uint64_t now;

    if (r == NULL) {
        return; /* sealed meanwhile: the section does not grow any more */
    }
    bytes = &box->section[SLOT_MCE].bytes;
    do {
        now = atomic_load(bytes);
    } while (now < end && !atomic_cas(bytes, now, end));
    flush(r, offsetof(struct vigil_mce_record, bank) +
                 MIN(r->banks, (uint32_t)VIGIL_MCE_BANKS) * sizeof(r->bank[0]));
    flush(bytes, sizeof(*bytes));
}

/* Is there nothing to compare it with?  It is written to the last. */
static bool has_no_sum(uint32_t type)
{
    return type == VIGIL_BOX_SECT_NONE || type == VIGIL_BOX_SECT_LOG ||
           type == VIGIL_BOX_SECT_CONTEXTS;
}

void blackbox_seal(void)
{
    if (box == NULL) {
        return;
    }
    /* What comes from now on would not agree with the sum. */
    atomic_store(&mce_records, NULL);
    for (unsigned int i = 0; i < SLOT_COUNT; i++) {
        if (!has_no_sum(layout[i].type)) {
            box->section[i].crc32 =
                crc32(0, section_bytes(i), box->section[i].bytes);
        }
    }
    /* Contents reach memory before the header that vouches for them. */
    flush((uint8_t *)box + BOX_REGS_OFFSET, box->zone_bytes - BOX_REGS_OFFSET);
    __atomic_store_n(&box->state, VIGIL_BOX_SEALED, __ATOMIC_RELEASE);
    box->crc32 = header_crc(box);
    flush_header();
}

void blackbox_clean(const char *reason)
{
    /* The first one to say why knows best. */
    if (box == NULL || box->state != VIGIL_BOX_RUNNING) {
        return;
    }
    box->kind = VIGIL_BOX_KIND_CLEAN;
    box->tsc = rdtsc();
    strlcpy(box->reason, reason, sizeof(box->reason));
    blackbox_seal();
}

/* ---- the next boot's side: bytes from nobody we know ---- */

static bool section_fits(const struct vigil_box_header *h,
                         const struct vigil_box_section *s)
{
    if (s->type == VIGIL_BOX_SECT_NONE) {
        return true;
    }
    return s->offset >= h->header_bytes && s->offset <= h->zone_bytes &&
           s->bytes <= h->zone_bytes - s->offset &&
           IS_ALIGNED(s->offset, LINE_BYTES);
}

static bool header_is_possible(const struct vigil_box_header *h, size_t bytes)
{
    if (h->version != VIGIL_BOX_VERSION || h->header_bytes != sizeof(*h) ||
        h->zone_bytes < sizeof(*h) || h->zone_bytes > bytes) {
        return false;
    }
    if (memchr(h->build, 0, sizeof(h->build)) == NULL ||
        memchr(h->reason, 0, sizeof(h->reason)) == NULL) {
        return false;
    }
    for (unsigned int i = 0; i < VIGIL_BOX_SECTIONS; i++) {
        if (!section_fits(h, &h->section[i])) {
            return false;
        }
    }
    return h->state >= VIGIL_BOX_RUNNING && h->state <= VIGIL_BOX_TAKEN;
}

static bool sums_agree(const struct vigil_box_header *h)
{
    if (h->crc32 != header_crc(h)) {
        return false;
    }
    for (unsigned int i = 0; i < VIGIL_BOX_SECTIONS; i++) {
        const struct vigil_box_section *s = &h->section[i];

        if (has_no_sum(s->type)) {
            continue; /* the cells of the log carry their own */
        }
        if (crc32(0, (const uint8_t *)h + s->offset, s->bytes) != s->crc32) {
            return false;
        }
    }
    return true;
}

enum box_verdict blackbox_check(const void *zone, size_t bytes)
{
    const struct vigil_box_header *h = zone;

    if (zone == NULL || bytes < sizeof(*h) ||
        !IS_ALIGNED((uintptr_t)zone, sizeof(uint64_t)) ||
        h->magic != VIGIL_BOX_MAGIC) {
        return BOX_NOTHING;
    }
    if (!header_is_possible(h, bytes)) {
        return BOX_MANGLED;
    }
    if (h->state == VIGIL_BOX_TAKEN) {
        return BOX_TAKEN;
    }
    if (h->state == VIGIL_BOX_RUNNING) {
        return BOX_RESET;
    }
    if (h->state == VIGIL_BOX_WRITING) {
        return BOX_TORN;
    }
    if (!sums_agree(h)) {
        return BOX_SEALED_BAD;
    }
    return h->kind == VIGIL_BOX_KIND_CLEAN ? BOX_CLEAN : BOX_SEALED_OK;
}

const char *blackbox_verdict_name(enum box_verdict verdict)
{
    switch (verdict) {
    case BOX_NOTHING:
        return "nothing";
    case BOX_MANGLED:
        return "mangled";
    case BOX_TAKEN:
        return "taken";
    case BOX_CLEAN:
        return "clean";
    case BOX_RESET:
        return "reset without a record";
    case BOX_TORN:
        return "incomplete";
    case BOX_SEALED_OK:
        return "sealed";
    case BOX_SEALED_BAD:
        return "sealed, damaged";
    }
    return "unknown";
}

void blackbox_mark_taken(void *zone, size_t bytes)
{
    struct vigil_box_header *h = zone;

    if (bytes < sizeof(*h)) {
        return;
    }
    h->state = VIGIL_BOX_TAKEN;
    h->crc32 = header_crc(h);
    flush(h, sizeof(*h));
}

uint64_t blackbox_generation_of(const void *zone, size_t bytes)
{
    enum box_verdict verdict = blackbox_check(zone, bytes);
    const struct vigil_box_header *h = zone;

    if (verdict == BOX_NOTHING || verdict == BOX_MANGLED) {
        return 0;
    }
    return h->generation;
}

static const struct vigil_box_section *section_of(const void *zone,
                                                  uint32_t type)
{
    const struct vigil_box_header *h = zone;

    for (unsigned int i = 0; i < VIGIL_BOX_SECTIONS; i++) {
        if (h->section[i].type == type) {
            return &h->section[i];
        }
    }
    return NULL;
}

uint32_t blackbox_context_of(const void *zone, cpu_t cpu)
{
    const struct vigil_box_section *s =
        section_of(zone, VIGIL_BOX_SECT_CONTEXTS);

    if (s == NULL || cpu >= s->bytes / sizeof(uint32_t)) {
        return 0;
    }
    return ((const uint32_t *)zone)[s->offset / sizeof(uint32_t) + cpu];
}

const struct vigil_mce_record *blackbox_mce_next(const void *zone,
                                                 uint64_t after)
{
    const struct vigil_box_section *s = section_of(zone, VIGIL_BOX_SECT_MCE);
    const struct vigil_mce_record *r, *next = NULL;

    if (s == NULL) {
        return NULL;
    }
    r = (const void *)((const uint8_t *)zone + s->offset);
    for (uint64_t left = s->bytes / sizeof(*r); left > 0; left--, r++) {
        if (r->seq > after && r->banks <= VIGIL_MCE_BANKS &&
            (next == NULL || r->seq < next->seq)) {
            next = r;
        }
    }
    return next;
}
