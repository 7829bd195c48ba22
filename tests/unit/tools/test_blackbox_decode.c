/* SPDX-License-Identifier: MIT */
/* The black box after a crash: good, torn, truncated, corrupted, hostile. */
#include "tests/unit/unit.h"

#include <vigil/blackbox.h>

#include "lib/blackbox_decode.h"
#include "lib/checksum.h"

#define ZONE_BYTES 8192
#define NOTES      "last words\n"

/* The header, and bytes behind it. */
static union {
    struct vigil_box_header header;
    uint8_t bytes[ZONE_BYTES];
} zone;

static struct box_view view;

static void seal(void)
{
    zone.header.crc32 = 0;
    zone.header.crc32 = checksum_crc32(&zone.header, sizeof(zone.header));
}

static void add_section(unsigned int at, uint32_t type, uint64_t offset,
                        uint64_t bytes)
{
    struct vigil_box_section *section = &zone.header.section[at];

    section->type = type;
    section->offset = offset;
    section->bytes = bytes;
    if (offset <= ZONE_BYTES && bytes <= ZONE_BYTES - offset) {
        section->crc32 = checksum_crc32(zone.bytes + offset, bytes);
    }
}

static int good_box(void **state)
{
    (void)state;
    memset(&zone, 0, sizeof(zone));
    zone.header.magic = VIGIL_BOX_MAGIC;
    zone.header.version = VIGIL_BOX_VERSION;
    zone.header.header_bytes = sizeof(zone.header);
    zone.header.zone_bytes = ZONE_BYTES;
    zone.header.boot_id = 42;
    zone.header.state = VIGIL_BOX_SEALED;
    zone.header.kind = VIGIL_BOX_KIND_HYPERVISOR;
    zone.header.stage = VIGIL_BOX_STAGE_SEAL;
    strcpy(zone.header.reason, "provoked");
    memcpy(zone.bytes + 2048, NOTES, strlen(NOTES));
    add_section(0, VIGIL_BOX_SECT_LOG, 4096, 4096);
    zone.header.section[0].crc32 = 0;
    add_section(1, VIGIL_BOX_SECT_NOTES, 2048, strlen(NOTES));
    seal();
    return 0;
}

static void test_good(void **state)
{
    const struct box_section *notes;

    (void)state;
    assert_int_equal(box_decode(&zone, sizeof(zone), &view), BOX_OK);
    assert_int_equal(view.header_trust, BOX_VERIFIED);
    assert_int_equal(view.section_count, 2);
    assert_int_equal(view.rejected_count, 0);
    assert_string_equal(view.header.reason, "provoked");
    notes = box_section_find(&view, VIGIL_BOX_SECT_NOTES);
    assert_non_null(notes);
    assert_int_equal(notes->trust, BOX_VERIFIED);
    assert_memory_equal(notes->data, NOTES, strlen(NOTES));
    assert_null(box_section_find(&view, VIGIL_BOX_SECT_REGS));
    assert_int_equal(box_section_find(&view, VIGIL_BOX_SECT_LOG)->bytes, 4096);
}

static void test_taken(void **state)
{
    (void)state;
    /* The taker changes the state only; the checksum is of the sealed one. */
    zone.header.state = VIGIL_BOX_TAKEN;
    assert_int_equal(box_decode(&zone, sizeof(zone), &view), BOX_OK);
    assert_int_equal(view.header_trust, BOX_VERIFIED);
    seal();
    assert_int_equal(box_decode(&zone, sizeof(zone), &view), BOX_OK);
    assert_int_equal(view.header_trust, BOX_VERIFIED);
}

static void test_every_truncation(void **state)
{
    uint8_t *copy;

    (void)state;
    for (size_t len = 0; len < ZONE_BYTES; len += len < 900 ? 1 : 61) {
        /* Its own allocation, so that a read too far is caught. */
        copy = malloc(len ? len : 1);
        memcpy(copy, zone.bytes, len);
        assert_int_equal(box_decode(copy, len, &view), BOX_TOO_SHORT);
        free(copy);
    }
}

static void test_wrong_header(void **state)
{
    (void)state;
    zone.header.magic++;
    assert_int_equal(box_decode(&zone, sizeof(zone), &view), BOX_BAD_MAGIC);
    good_box(NULL);
    zone.header.version++;
    assert_int_equal(box_decode(&zone, sizeof(zone), &view), BOX_BAD_VERSION);
    good_box(NULL);
    zone.header.header_bytes--;
    assert_int_equal(box_decode(&zone, sizeof(zone), &view), BOX_BAD_SIZE);
    good_box(NULL);
    zone.header.zone_bytes = 10;
    assert_int_equal(box_decode(&zone, sizeof(zone), &view), BOX_BAD_SIZE);
    good_box(NULL);
    zone.header.zone_bytes = UINT64_MAX;
    assert_int_equal(box_decode(&zone, sizeof(zone), &view), BOX_TOO_SHORT);
    good_box(NULL);
    zone.header.state = 0;
    assert_int_equal(box_decode(&zone, sizeof(zone), &view), BOX_BAD_STATE);
    good_box(NULL);
    zone.header.state = VIGIL_BOX_TAKEN + 1;
    assert_int_equal(box_decode(&zone, sizeof(zone), &view), BOX_BAD_STATE);
    good_box(NULL);
    zone.header.kind = 0;
    assert_int_equal(box_decode(&zone, sizeof(zone), &view), BOX_BAD_STATE);
    good_box(NULL);
    zone.header.kind = VIGIL_BOX_KIND_CLEAN + 1;
    assert_int_equal(box_decode(&zone, sizeof(zone), &view), BOX_BAD_STATE);
}

static void test_torn_is_evidence(void **state)
{
    (void)state;
    zone.header.state = VIGIL_BOX_WRITING;
    zone.header.stage = VIGIL_BOX_STAGE_NOTES;
    zone.header.section[1].crc32++;
    assert_int_equal(box_decode(&zone, sizeof(zone), &view), BOX_OK);
    assert_int_equal(view.header_trust, BOX_UNSEALED);
    assert_int_equal(box_section_find(&view, VIGIL_BOX_SECT_NOTES)->trust,
                     BOX_UNSEALED);
    assert_string_equal(box_stage_name(view.header.stage), "notes");
    assert_string_equal(box_stage_name(99), "?");

    /* Reset while running: nobody set a kind, whatever stands there. */
    zone.header.state = VIGIL_BOX_RUNNING;
    zone.header.kind = 77;
    assert_int_equal(box_decode(&zone, sizeof(zone), &view), BOX_OK);
    assert_int_equal(view.header.kind, VIGIL_BOX_KIND_RESET);
}

static void test_damaged_is_marked(void **state)
{
    (void)state;
    zone.bytes[2048] ^= 1;
    assert_int_equal(box_decode(&zone, sizeof(zone), &view), BOX_OK);
    assert_int_equal(view.header_trust, BOX_VERIFIED);
    assert_int_equal(box_section_find(&view, VIGIL_BOX_SECT_NOTES)->trust,
                     BOX_DISAGREES);
    zone.header.tsc++;
    assert_int_equal(box_decode(&zone, sizeof(zone), &view), BOX_OK);
    assert_int_equal(view.header_trust, BOX_DISAGREES);
}

static void test_sections_outside(void **state)
{
    static const struct {
        uint64_t offset;
        uint64_t bytes;
    } outside[] = {
        {0, 16},
        {8, 8},
        {sizeof(struct vigil_box_header) - 1, 1},
        {ZONE_BYTES + 1, 0},
        {ZONE_BYTES, 1},
        {4096, 4097},
        {UINT64_MAX, 2},
        {4096, UINT64_MAX},
        {UINT64_MAX - 10, UINT64_MAX - 10},
    };
    const size_t count = sizeof(outside) / sizeof(outside[0]);

    (void)state;
    for (unsigned int i = 0; i < count; i++) {
        add_section(i + 2, VIGIL_BOX_SECT_REGS, outside[i].offset,
                    outside[i].bytes);
    }
    seal();
    assert_int_equal(box_decode(&zone, sizeof(zone), &view), BOX_OK);
    assert_int_equal(view.rejected_count, count);
    assert_int_equal(view.section_count, 2);
    assert_null(box_section_find(&view, VIGIL_BOX_SECT_REGS));
}

static void test_texts_end(void **state)
{
    (void)state;
    memset(zone.header.reason, 'r', sizeof(zone.header.reason));
    memset(zone.header.build, 'b', sizeof(zone.header.build));
    seal();
    assert_int_equal(box_decode(&zone, sizeof(zone), &view), BOX_OK);
    assert_int_equal(view.header_trust, BOX_VERIFIED);
    assert_int_equal(strlen(view.header.reason), VIGIL_BOX_REASON_BYTES - 1);
    assert_int_equal(strlen(view.header.build), 63);
}

static void test_every_flipped_bit(void **state)
{
    (void)state;
    for (size_t bit = 0; bit < 8 * sizeof(zone.header); bit++) {
        zone.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (box_decode(&zone, sizeof(zone), &view) == BOX_OK) {
            /*
             * SEALED (3) differs from RUNNING (1) by one bit: such a box is
             * no longer taken for a sealed one. Nothing else may verify.
             */
            assert_int_not_equal(view.header_trust, BOX_VERIFIED);
        }
        zone.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

static void test_time(void **state)
{
    struct vigil_box_header *header = &zone.header;

    (void)state;
    header->wallclock_ns = 1785831323000000000ULL;
    header->tsc_khz = 2000000; /* 2 GHz */
    header->tsc = 20000000000ULL;
    assert_true(box_time_ns(header) == 1785831333000000000ULL);
    header->tsc_khz = 0;
    assert_true(box_time_ns(header) == 0);
    header->tsc_khz = 1;
    header->tsc = UINT64_MAX;
    assert_true(box_time_ns(header) == 0);
    header->tsc_khz = 2000000;
    header->wallclock_ns = 5;
    assert_true(box_time_ns(header) == 0);
    header->wallclock_ns = UINT64_MAX;
    assert_true(box_time_ns(header) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_good, good_box),
        cmocka_unit_test_setup(test_taken, good_box),
        cmocka_unit_test_setup(test_every_truncation, good_box),
        cmocka_unit_test_setup(test_wrong_header, good_box),
        cmocka_unit_test_setup(test_torn_is_evidence, good_box),
        cmocka_unit_test_setup(test_damaged_is_marked, good_box),
        cmocka_unit_test_setup(test_sections_outside, good_box),
        cmocka_unit_test_setup(test_texts_end, good_box),
        cmocka_unit_test_setup(test_every_flipped_bit, good_box),
        cmocka_unit_test_setup(test_time, good_box),
    };

    return UNIT_RUN(tests);
}
