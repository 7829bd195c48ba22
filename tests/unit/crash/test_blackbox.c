/* SPDX-License-Identifier: MIT */
/*
 * crash/blackbox: the life of a zone, and blackbox_check() on bytes that were
 * not written by us.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "x86/percpu.h"
#include "log/printk.h"
#include "crash/blackbox.h"
#include "fake_hw.h"

#define ZONE_BYTES (256 * 1024)

/* In the heap and of the exact size: reading beyond it is seen by ASan. */
static unsigned char *zone;

static struct vigil_box_header *header(void)
{
    return (struct vigil_box_header *)(void *)zone;
}

static int setup(void **state)
{
    (void)state;
    fake_hw_reset();
    zone = aligned_alloc(64, ZONE_BYTES);
    memset(zone, 0xa5, ZONE_BYTES);
    assert_int_equal(blackbox_init(zone, ZONE_BYTES, 11, 3, "Vigil test"), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(zone);
    return 0;
}

/* What every believable verdict promises. */
static void sections_inside(const void *copy, size_t bytes)
{
    const struct vigil_box_header *h = copy;

    for (int i = 0; i < VIGIL_BOX_SECTIONS; i++) {
        const struct vigil_box_section *s = &h->section[i];

        if (s->type != VIGIL_BOX_SECT_NONE) {
            assert_true(s->offset <= bytes);
            assert_true(s->bytes <= bytes - s->offset);
        }
    }
    assert_non_null(memchr(h->reason, 0, sizeof(h->reason)));
    assert_non_null(memchr(h->build, 0, sizeof(h->build)));
}

/* A machine too small for one, or dead before it: nothing is written anywhere. */
static void without_a_zone(void **state)
{
    static const struct vigil_box_regs regs = {.rip = 1};
    static const struct cpu_regs where = {.rip = 2};
    size_t bytes = 77;

    (void)state;
    fake_hw_reset();
    assert_false(blackbox_present());
    assert_null(blackbox_zone(&bytes));
    assert_int_equal(bytes, 77);
    blackbox_context(5, 0x21);
    assert_int_equal(blackbox_contexts[5], 0x21);
    blackbox_set_clock(2000000, 55);
    blackbox_begin(VIGIL_BOX_KIND_HYPERVISOR, 2);
    blackbox_reason("nowhere to put it");
    blackbox_stage(VIGIL_BOX_STAGE_NOTES, 1);
    blackbox_regs(&regs);
    blackbox_cpu(2, VIGIL_BOX_CPU_DIED, 7, &where);
    blackbox_text_append(VIGIL_BOX_SECT_NOTES, "note\n", 5);
    assert_null(blackbox_mce_slot(0));
    blackbox_mce_written(0);
    blackbox_clean("power off");
    blackbox_seal();
    assert_int_equal(fake_flushed_lines, 0);
    assert_false(blackbox_present());
}

static void refuses_bad_zones(void **state)
{
    (void)state;
    assert_int_equal(blackbox_init(zone, BOX_MIN_BYTES - 1, 1, 1, ""), -EINVAL);
    assert_int_equal(blackbox_init(zone + 1, ZONE_BYTES - 64, 1, 1, ""),
                     -EINVAL);
    assert_int_equal(blackbox_init(NULL, ZONE_BYTES, 1, 1, ""), -EINVAL);
}

/* The zone is this one, and no context of before it was there is in it. */
static void zone_is_there(void **state)
{
    size_t bytes = 77;

    (void)state;
    assert_true(blackbox_present());
    assert_ptr_equal(blackbox_zone(&bytes), zone);
    assert_int_equal(bytes, ZONE_BYTES);
    assert_int_equal(blackbox_contexts[5], 0);
    assert_in_range((uintptr_t)blackbox_contexts, (uintptr_t)zone,
                    (uintptr_t)zone + BOX_CPUS_OFFSET - 1);
}

static void running_then_reset(void **state)
{
    struct vigil_log_cell cell;
    const struct vigil_log_cell *ring;

    (void)state;
    pr_info("hello box");
    assert_int_equal(blackbox_check(zone, ZONE_BYTES), BOX_RESET);
    assert_int_equal(blackbox_generation_of(zone, ZONE_BYTES), 3);
    sections_inside(zone, ZONE_BYTES);
    assert_int_equal(header()->section[0].type, VIGIL_BOX_SECT_LOG);
    assert_int_equal(header()->section[0].bytes % VIGIL_LOG_CELL_BYTES, 0);
    /* The message lies in the zone and carries this boot's number. */
    assert_int_equal(
        log_ring_read(log_ring_now(), log_ring_next(log_ring_now()) - 1, &cell),
        LOG_READ_OK);
    assert_int_equal(cell.boot_id, 11);
    ring = (const void *)(zone + header()->section[0].offset);
    assert_ptr_equal(log_ring_now()->cells, ring);
}

static void crash_is_sealed(void **state)
{
    struct vigil_box_regs regs = {.rip = 0xffff82d080201234};
    static const struct cpu_regs where = {
        .rip = 0x11, .cs = 0x22, .rflags = 0x33, .rsp = 0x44};
    static const struct vigil_box_cpu cpus[] = {
        {.cpu = 2,
         .state = VIGIL_BOX_CPU_DIED,
         .context = 7,
         .rip = 0x11,
         .cs = 0x22,
         .rflags = 0x33,
         .rsp = 0x44},
        {.cpu = 5, .state = VIGIL_BOX_CPU_SILENT, .context = 9},
    };
    const struct vigil_box_section *s = header()->section;

    (void)state;
    blackbox_set_clock(2000000, 55);
    blackbox_begin(VIGIL_BOX_KIND_HYPERVISOR, 2);
    assert_int_equal(blackbox_check(zone, ZONE_BYTES), BOX_TORN);
    assert_string_equal(header()->reason, "");
    blackbox_reason("a reason");
    blackbox_stage(VIGIL_BOX_STAGE_NOTES, 1);
    blackbox_stage(VIGIL_BOX_STAGE_STOP, 2);
    assert_int_equal(header()->stage, VIGIL_BOX_STAGE_NOTES);
    assert_int_equal(header()->depth, 2);
    blackbox_regs(&regs);
    blackbox_text_append(VIGIL_BOX_SECT_BACKTRACE, "one\n", 4);
    blackbox_text_append(VIGIL_BOX_SECT_BACKTRACE, "two\n", 4);
    blackbox_text_append(VIGIL_BOX_SECT_NOTES, "note\n", 5);
    blackbox_cpu(2, VIGIL_BOX_CPU_DIED, 7, &where);
    blackbox_cpu(5, VIGIL_BOX_CPU_SILENT, 9, NULL);
    assert_ptr_equal(blackbox_mce_slot(2), zone + BOX_MCE_OFFSET + 1024);
    *blackbox_mce_slot(2) = (struct vigil_mce_record){.seq = 5, .banks = 1};
    blackbox_mce_written(2);
    blackbox_mce_written(0);
    blackbox_seal();
    /* What comes now would not be covered by the sum. */
    assert_null(blackbox_mce_slot(2));
    blackbox_mce_written(3);

    assert_int_equal(blackbox_check(zone, ZONE_BYTES), BOX_SEALED_OK);
    assert_string_equal(header()->reason, "a reason");
    assert_int_equal(header()->cpu, 2);
    assert_int_equal(header()->tsc_khz, 2000000);
    for (int i = 0; i < VIGIL_BOX_SECTIONS; i++) {
        const char *bytes = (const char *)zone + s[i].offset;

        if (s[i].type == VIGIL_BOX_SECT_BACKTRACE) {
            assert_int_equal(s[i].bytes, 8);
            assert_memory_equal(bytes, "one\ntwo\n", 8);
        } else if (s[i].type == VIGIL_BOX_SECT_CPUS) {
            assert_int_equal(s[i].bytes, sizeof(cpus));
            assert_memory_equal(bytes, cpus, sizeof(cpus));
        } else if (s[i].type == VIGIL_BOX_SECT_NOTES) {
            assert_memory_equal(bytes, "note\n", 5);
        } else if (s[i].type == VIGIL_BOX_SECT_REGS) {
            assert_memory_equal(bytes, &regs, sizeof(regs));
        } else if (s[i].type == VIGIL_BOX_SECT_MCE) {
            assert_int_equal(s[i].bytes, 3 * 512);
        }
    }

    /* Any damage to what a checksum covers is seen. */
    zone[BOX_TRACE_OFFSET] ^= 1;
    assert_int_equal(blackbox_check(zone, ZONE_BYTES), BOX_SEALED_BAD);
    zone[BOX_TRACE_OFFSET] ^= 1;
    header()->tsc ^= 1;
    assert_int_equal(blackbox_check(zone, ZONE_BYTES), BOX_SEALED_BAD);
    header()->tsc ^= 1;
    assert_int_equal(blackbox_check(zone, ZONE_BYTES), BOX_SEALED_OK);

    blackbox_mark_taken(zone, ZONE_BYTES);
    assert_int_equal(blackbox_check(zone, ZONE_BYTES), BOX_TAKEN);
    assert_int_equal(blackbox_generation_of(zone, ZONE_BYTES), 3);
}

/* Whatever ends the machine: what has a number is a record, and in its order. */
static void records_outlive_a_reset(void **state)
{
    const struct vigil_mce_record *r;

    (void)state;
    assert_null(blackbox_mce_next(zone, 0));
    blackbox_mce_slot(0)->seq = 9;
    blackbox_mce_slot(2)->seq = 7;
    blackbox_mce_slot(3)->seq = 8;
    blackbox_mce_slot(4)->seq = 10; /* behind what has been written */
    blackbox_mce_slot(0)->banks = VIGIL_MCE_BANKS;
    blackbox_mce_slot(3)->banks = VIGIL_MCE_BANKS + 1; /* no record of ours */
    blackbox_mce_written(3);
    assert_int_equal(blackbox_check(zone, ZONE_BYTES), BOX_RESET);
    r = blackbox_mce_next(zone, 0);
    assert_ptr_equal(r, blackbox_mce_slot(2));
    r = blackbox_mce_next(zone, r->seq);
    assert_ptr_equal(r, blackbox_mce_slot(0));
    assert_null(blackbox_mce_next(zone, r->seq));
    assert_null(blackbox_mce_slot(BOX_MCE_BYTES / sizeof(*r)));
    for (int i = 0; i < VIGIL_BOX_SECTIONS; i++) {
        if (header()->section[i].type == VIGIL_BOX_SECT_MCE) {
            header()->section[i].type = VIGIL_BOX_SECT_NONE;
        }
    }
    assert_null(blackbox_mce_next(zone, 0));
}

static void context_outlives_a_reset(void **state)
{
    (void)state;
    blackbox_context(0, 0x21);
    blackbox_context(NR_CPUS - 1, 0x4);
    assert_int_equal(blackbox_check(zone, ZONE_BYTES), BOX_RESET);
    assert_int_equal(blackbox_context_of(zone, 0), 0x21);
    assert_int_equal(blackbox_context_of(zone, 1), 0);
    assert_int_equal(blackbox_context_of(zone, NR_CPUS - 1), 0x4);
    assert_int_equal(blackbox_context_of(zone, NR_CPUS), 0);
    /* An NMI that comes when the box is sealed damages nothing. */
    blackbox_clean("power off");
    blackbox_context(1, 2);
    assert_int_equal(blackbox_check(zone, ZONE_BYTES), BOX_CLEAN);
}

static void texts_stop_at_their_room(void **state)
{
    char text[1000];

    (void)state;
    memset(text, 't', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    for (int i = 0; i < 100; i++) {
        blackbox_text_append(VIGIL_BOX_SECT_BACKTRACE, text, sizeof(text));
        blackbox_text_append(VIGIL_BOX_SECT_NOTES, text, sizeof(text));
    }
    blackbox_begin(VIGIL_BOX_KIND_DOM0, 0);
    blackbox_reason(text);
    blackbox_seal();
    assert_int_equal(blackbox_check(zone, ZONE_BYTES), BOX_SEALED_OK);
    assert_int_equal(strlen(header()->reason), VIGIL_BOX_REASON_BYTES - 1);
}

/* What kills the machine may have written over the counts before. */
static void counts_are_not_believed(void **state)
{
    static unsigned char before[ZONE_BYTES];

    (void)state;
    for (int i = 0; i < VIGIL_BOX_SECTIONS; i++) {
        header()->section[i].bytes = ZONE_BYTES + 1;
    }
    memcpy(before, zone, ZONE_BYTES);
    blackbox_text_append(VIGIL_BOX_SECT_BACKTRACE, "one\n", 4);
    blackbox_text_append(VIGIL_BOX_SECT_NOTES, "note\n", 5);
    blackbox_cpu(1, VIGIL_BOX_CPU_SILENT, 0, NULL);
    assert_memory_equal(zone, before, ZONE_BYTES);
}

static void clean_end(void **state)
{
    (void)state;
    blackbox_clean("power off asked by Dom0");
    assert_int_equal(blackbox_check(zone, ZONE_BYTES), BOX_CLEAN);
    blackbox_clean("too late");
    assert_string_equal(header()->reason, "power off asked by Dom0");
    /* A crash on the way out still counts as one. */
    blackbox_begin(VIGIL_BOX_KIND_HYPERVISOR, 0);
    assert_int_equal(blackbox_check(zone, ZONE_BYTES), BOX_TORN);
}

static void nothing_is_believed(void **state)
{
    unsigned char *small = aligned_alloc(64, 64);

    (void)state;
    memset(small, 0, 64);
    assert_int_equal(blackbox_check(NULL, 0), BOX_NOTHING);
    assert_int_equal(blackbox_check(small, 64), BOX_NOTHING);
    assert_int_equal(blackbox_generation_of(small, 64), 0);
    free(small);

    header()->magic ^= 1;
    assert_int_equal(blackbox_check(zone, ZONE_BYTES), BOX_NOTHING);
    header()->magic ^= 1;
    /* The zone got smaller than the header says. */
    assert_int_equal(blackbox_check(zone, ZONE_BYTES - 1), BOX_MANGLED);
    header()->version++;
    assert_int_equal(blackbox_check(zone, ZONE_BYTES), BOX_MANGLED);
    assert_int_equal(blackbox_generation_of(zone, ZONE_BYTES), 0);
    header()->version--;
    header()->header_bytes--;
    assert_int_equal(blackbox_check(zone, ZONE_BYTES), BOX_MANGLED);
    header()->header_bytes++;
    header()->state = 0;
    assert_int_equal(blackbox_check(zone, ZONE_BYTES), BOX_MANGLED);
    header()->state = 9;
    assert_int_equal(blackbox_check(zone, ZONE_BYTES), BOX_MANGLED);
    header()->state = VIGIL_BOX_RUNNING;
    assert_int_equal(blackbox_check(zone, ZONE_BYTES), BOX_RESET);
    /* Smaller than its own header, without a section that could tell. */
    memset(header()->section, 0, sizeof(header()->section));
    header()->zone_bytes = sizeof(struct vigil_box_header);
    assert_int_equal(blackbox_check(zone, ZONE_BYTES), BOX_RESET);
    header()->zone_bytes--;
    assert_int_equal(blackbox_check(zone, ZONE_BYTES), BOX_MANGLED);
    header()->zone_bytes = ZONE_BYTES;
    header()->state = VIGIL_BOX_SEALED;
    memset(header()->reason, 'x', sizeof(header()->reason));
    assert_int_equal(blackbox_check(zone, ZONE_BYTES), BOX_MANGLED);
}

/* Two texts; neither may be without its end. */
static void endless_text(void **state)
{
    (void)state;
    memset(header()->build, 'x', sizeof(header()->build));
    assert_int_equal(blackbox_check(zone, ZONE_BYTES), BOX_MANGLED);
    header()->build[sizeof(header()->build) - 1] = '\0';
    assert_int_equal(blackbox_check(zone, ZONE_BYTES), BOX_RESET);
}

/* What is not aligned is not looked at: it cannot be ours. */
static void not_aligned(void **state)
{
    (void)state;
    memmove(zone + 4, zone, sizeof(struct vigil_box_header));
    assert_int_equal(blackbox_check(zone + 4, ZONE_BYTES - 4), BOX_NOTHING);
    memmove(zone + 8, zone + 4, sizeof(struct vigil_box_header));
    assert_int_not_equal(blackbox_check(zone + 8, ZONE_BYTES - 8), BOX_NOTHING);
}

/* A zone that has no room for a header cannot be marked. */
static void too_small_to_be_taken(void **state)
{
    (void)state;
    blackbox_clean("power off");
    blackbox_mark_taken(zone, sizeof(struct vigil_box_header) - 1);
    assert_int_equal(blackbox_check(zone, ZONE_BYTES), BOX_CLEAN);
    blackbox_mark_taken(zone, sizeof(struct vigil_box_header));
    assert_int_equal(blackbox_check(zone, ZONE_BYTES), BOX_TAKEN);
}

static void verdicts_have_names(void **state)
{
    static const char *const names[] = {
        [BOX_NOTHING] = "nothing",
        [BOX_MANGLED] = "mangled",
        [BOX_TAKEN] = "taken",
        [BOX_CLEAN] = "clean",
        [BOX_RESET] = "reset without a record",
        [BOX_TORN] = "incomplete",
        [BOX_SEALED_OK] = "sealed",
        [BOX_SEALED_BAD] = "sealed, damaged",
        [BOX_SEALED_BAD + 1] = "unknown",
    };

    (void)state;
    for (unsigned int i = 0; i <= BOX_SEALED_BAD + 1; i++) {
        assert_string_equal(blackbox_verdict_name((enum box_verdict)i),
                            names[i]);
    }
}

static void impossible_sections(void **state)
{
    static const struct {
        uint64_t offset, bytes;
    } rows[] = {
        {0, 8},                 /* over the header             */
        {ZONE_BYTES, 1},        /* behind the end              */
        {ZONE_BYTES + 64, 0},   /* behind the end, empty       */
        {4096, ZONE_BYTES},     /* over the end                */
        {4096, UINT64_MAX},     /* wraps                       */
        {UINT64_MAX - 63, 128}, /* wraps                       */
        {4097, 1},              /* not aligned                 */
    };

    (void)state;
    header()->state = VIGIL_BOX_SEALED;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct vigil_box_section *s = &header()->section[7];

        s->type = VIGIL_BOX_SECT_NOTES;
        s->offset = rows[i].offset;
        s->bytes = rows[i].bytes;
        assert_int_equal(blackbox_check(zone, ZONE_BYTES), BOX_MANGLED);
    }
}

static void random_damage(void **state)
{
    unsigned char *copy = aligned_alloc(64, ZONE_BYTES);
    unsigned int seen[BOX_SEALED_BAD + 1] = {0};

    (void)state;
    blackbox_begin(VIGIL_BOX_KIND_HYPERVISOR, 0);
    blackbox_seal();
    srand(4);
    for (int round = 0; round < 3000; round++) {
        enum box_verdict v;

        memcpy(copy, zone, BOX_LOG_OFFSET);
        for (int i = rand() % 4; i >= 0; i--) {
            /* Mostly the header behind the magic, where it hurts. */
            size_t at =
                8 + (size_t)rand() % (sizeof(struct vigil_box_header) - 8);

            copy[at] = (unsigned char)(rand() & 1 ? rand() : 0xff);
        }
        v = blackbox_check(copy, ZONE_BYTES);
        seen[v]++;
        if (v != BOX_NOTHING && v != BOX_MANGLED) {
            sections_inside(copy, ZONE_BYTES);
        }
    }
    assert_true(seen[BOX_MANGLED] > 0);
    assert_true(seen[BOX_SEALED_BAD] > 0);
    free(copy);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_zone), /* the first: a zone stays */
        TEST(refuses_bad_zones),
        TEST(running_then_reset),
        TEST(crash_is_sealed),
        TEST(texts_stop_at_their_room),
        TEST(clean_end),
        TEST(nothing_is_believed),
        TEST(impossible_sections),
        TEST(random_damage),
        TEST(counts_are_not_believed),
        TEST(records_outlive_a_reset),
        TEST(context_outlives_a_reset),
        TEST(zone_is_there),
        TEST(endless_text),
        TEST(not_aligned),
        TEST(too_small_to_be_taken),
        TEST(verdicts_have_names),
    };

    return UNIT_RUN(tests);
}
