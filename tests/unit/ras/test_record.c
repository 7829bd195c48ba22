/* SPDX-License-Identifier: MIT */
/*
 * ras/record: the moves of a record, raiding, and that every loss is counted; last
 * words.  What comes in between: test_record_steps.c.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "cpu/tenant.h"
#include "crash/notes.h"
#include "ras/bank.h"
#include "ras/record.h"
#include "fake_hw.h"
#include "tests/unit/ras/ras_fakes.h"
#include "tests/unit/ras/record_steps.h"

static const struct mce_situation at_guest = {
    .mcg_status = 5, .where = MCE_AT_GUEST, .kind = MCE_KIND_SER};

static const struct mca_bank_regs srao = {
    .bank = 9, .status = 0xbd000000000000c0, .addr = 0x12345678, .misc = 0x8c};

static void life_of_a_record(void **state)
{
    const struct cpu_regs regs = {.rip = 0xffffffff81000000, .cs = 0xe033};
    struct vigil_mce_record d;
    struct mce_record *r;

    (void)state;
    tenant_set(3, 1);
    r = record_reserve(true);
    assert_non_null(r);
    assert_int_equal(r->state, MCE_RECORD_RESERVED);
    record_describe(r, &at_guest, &regs);
    assert_true(record_add_bank(r, &srao, mce_grade(srao.status, &at_guest)));
    assert_null(record_consume()); /* not before it is whole */
    record_commit(r);
    assert_int_equal(record_fetch(true, &d), -ENOENT); /* nor before response */
    assert_ptr_equal(record_consume(), r);
    assert_int_equal(r->state, MCE_RECORD_CONSUMING);
    assert_null(record_consume());
    record_hold(r);
    assert_int_equal(record_fetch(false, &d), -ENOENT);
    assert_int_equal(record_fetch(true, &d), 0);
    assert_int_equal(d.banks, 1);
    assert_int_equal(d.bank[0].bank, 9);
    assert_int_equal(d.bank[0].status, srao.status);
    assert_int_equal(d.bank[0].addr, srao.addr);
    assert_int_equal(d.grade, MCE_LATER);
    assert_int_equal(d.domid, 3);
    assert_int_equal(d.vcpu, 1);
    assert_int_equal(d.rip, regs.rip);
    assert_int_equal(d.mcg_status, 5);
    assert_int_equal(d.mcg_cap, 0x100010a);
    assert_int_equal(d.where, VIGIL_MCE_IN_GUEST);
    /* Fetched again until acknowledged; the wrong class or number is not it. */
    assert_int_equal(record_fetch(true, &d), 0);
    assert_int_equal(record_acknowledge(false, d.seq), -ENOENT);
    assert_int_equal(record_acknowledge(true, d.seq + 1), -ENOENT);
    assert_int_equal(record_acknowledge(true, d.seq), 0);
    assert_int_equal(record_acknowledge(true, d.seq), -ENOENT);
    assert_int_equal(record_count(MCE_RECORD_FREE), MCE_RECORDS);
}

static void oldest_first(void **state)
{
    struct vigil_mce_record d;
    struct mce_record *a = add(false), *b = add(true), *c = add(false);

    (void)state;
    assert_ptr_equal(record_consume(), a);
    assert_ptr_equal(record_consume(), b);
    assert_ptr_equal(record_consume(), c);
    record_hold(c);
    record_hold(a);
    record_hold(b);
    assert_int_equal(record_fetch(false, &d), 0);
    assert_int_equal(d.seq, a->data->seq);
    assert_int_equal(record_acknowledge(false, d.seq), 0);
    assert_int_equal(record_fetch(false, &d), 0);
    assert_int_equal(d.seq, c->data->seq);
}

static void dismissed(void **state)
{
    struct mce_record *r = record_reserve(false);
    uint64_t lost = record_lost();

    (void)state;
    record_dismiss(r);
    assert_null(record_consume());
    assert_int_equal(record_lost(), lost);
    assert_int_equal(record_count(MCE_RECORD_FREE), MCE_RECORDS);
}

static void full_of_banks(void **state)
{
    struct mce_record *r = record_reserve(true);
    const struct mce_rule *rule = mce_grade(srao.status, &at_guest);

    (void)state;
    for (unsigned int i = 0; i < VIGIL_MCE_BANKS; i++) {
        assert_true(record_add_bank(r, &srao, rule));
    }
    assert_false(record_add_bank(r, &srao, rule));
    assert_int_equal(r->data->banks, VIGIL_MCE_BANKS);
    record_dismiss(r);
}

/* Nobody collects: corrected errors push out the oldest corrected ones. */
static void corrected_flood(void **state)
{
    uint64_t lost = record_lost();
    struct mce_record *first = add(false);
    uint64_t first_seq = first->data->seq;
    struct vigil_mce_record d;
    struct mce_record *r;

    (void)state;
    for (unsigned int i = 1; i < MCE_RECORDS + 10; i++) {
        (void)add(false);
    }
    assert_int_equal(record_lost(), lost + 10);
    while ((r = record_consume()) != NULL) {
        record_hold(r);
    }
    assert_int_equal(record_fetch(false, &d), 0);
    assert_int_equal(d.seq, first_seq + 10);
}

static void urgent_raids_corrected(void **state)
{
    uint64_t lost = record_lost();
    struct mce_record *held, *r;

    (void)state;
    for (unsigned int i = 0; i < MCE_RECORDS; i++) {
        (void)add(false);
    }
    held = record_consume();
    held = record_consume();
    record_hold(held);
    /* One that is only kept for reading goes before one still to be seen. */
    r = record_reserve(true);
    assert_ptr_equal(r, held);
    record_commit(r);
    for (unsigned int i = 0; i < MCE_RECORDS - 2; i++) {
        (void)add(true);
    }
    assert_int_equal(record_lost(), lost + MCE_RECORDS - 1);
    /* The rest is urgent and unseen, or being worked on: not to be had. */
    assert_null(record_reserve(true));
    assert_null(record_reserve(false));
    assert_int_equal(record_lost(), lost + MCE_RECORDS + 1);
    /* The one being worked on is none of empty_pool()'s. */
    assert_int_equal(record_count(MCE_RECORD_CONSUMING), 1);
}

static void urgent_raids_held_urgent(void **state)
{
    struct mce_record *oldest = NULL, *r;

    (void)state;
    for (unsigned int i = record_count(MCE_RECORD_FREE); i != 0; i--) {
        (void)add(true);
    }
    while ((r = record_consume()) != NULL) {
        if (oldest == NULL) {
            oldest = r;
        }
        record_hold(r);
    }
    assert_null(record_reserve(false));
    r = record_reserve(true);
    assert_ptr_equal(r, oldest);
    assert_int_equal(r->data->banks, 0);
    record_dismiss(r);
}

static unsigned long long told[MCE_RECORDS + 1];

/* Return: how many records they tell of: numbers in told[]. */
static unsigned int last_words(void)
{
    unsigned int n = 0;

    notes[0] = '\0';
    assert_int_equal(__crash_notes_end - __crash_notes_start, 1);
    assert_string_equal(__crash_notes_start->name, "machine_checks");
    __crash_notes_start->write();
    for (const char *at = notes; (at = strstr(at, "check record ")) != NULL;) {
        at += strlen("check record ");
        assert_in_range(n, 0, MCE_RECORDS - 1);
        told[n++] = strtoull(at, NULL, 10);
    }
    return n;
}

/* Lines in them. */
static unsigned int lines(void)
{
    unsigned int n = 0;

    for (const char *at = notes; (at = strchr(at, '\n')) != NULL; at++) {
        n++;
    }
    return n;
}

/* The first of all: nothing has been lost yet. */
static void nothing_to_say(void **state)
{
    (void)state;
    assert_int_equal(record_lost(), 0);
    assert_int_equal(last_words(), 0);
    assert_string_equal(notes, "");
    record_dismiss(record_reserve(true));
    assert_int_equal(last_words(), 0);
    assert_string_equal(notes, "");
}

static void unread_ones(void **state)
{
    const struct mce_rule *rule = mce_grade(srao.status, &at_guest);
    struct mce_record *first = record_reserve(true), *later, *open;
    char text[300];

    (void)state;
    later = record_reserve(false);
    open = record_reserve(true); /* nothing in it can be relied on */
    first->data->mcg_status = 0x5a;
    assert_true(record_add_bank(first, &srao, rule));
    later->data->rip = 0xabc;
    record_commit(later); /* by number, not by place */
    record_commit(first);
    open->data->seq = first->data->seq + 1; /* it was about to be committed */
    assert_ptr_equal(record_consume(), later);
    assert_int_equal(last_words(), 2);
    (void)snprintf(text, sizeof(text),
                   "machine-check record %llu: no error, MCG_STATUS 0x0, rip "
                   "0xabc, 0 banks\n"
                   "machine-check record %llu: memory is bad, MCG_STATUS 0x5a, "
                   "rip 0x0, 1 banks\n"
                   "  bank 9: status 0xbd000000000000c0 addr 0x12345678 misc "
                   "0x8c\n",
                   (unsigned long long)later->data->seq,
                   (unsigned long long)first->data->seq);
    assert_string_equal(notes, text);
    record_hold(later);
    assert_int_equal(last_words(), 2);
    assert_string_equal(notes, text);

    /* A count that cannot be, of a machine that is dying. */
    first->data->banks = 99;
    assert_int_equal(last_words(), 2);
    assert_int_equal(lines(), 2 + VIGIL_MCE_BANKS);
    first->data->banks = 0;
    record_dismiss(open);
}

static void more_than_there_was_room_for(void **state)
{
    uint64_t lost = record_lost(), newest = 0;
    char text[60];

    (void)state;
    for (unsigned int i = 0; i < MCE_RECORDS + 3; i++) {
        newest = add(false)->data->seq;
    }
    assert_int_equal(last_words(), MCE_RECORDS);
    for (unsigned int i = 0; i < MCE_RECORDS; i++) {
        assert_int_equal(told[i], newest - MCE_RECORDS + 1 + i);
    }
    (void)snprintf(text, sizeof(text), "%llu machine-check records lost\n",
                   (unsigned long long)lost + 3);
    assert_memory_equal(notes, text, strlen(text));
    assert_int_equal(lines(), 1 + MCE_RECORDS);
}

/* In the box from commit to acknowledge, if there is one then. */
static void in_the_box(void **state)
{
    struct vigil_mce_record d;
    struct mce_record *r;

    (void)state;
    for (int is_there = 0; is_there < 2; is_there++) {
        unsigned int written = fake_box_written;

        fake_box_is_there = is_there;
        r = record_reserve(true);
        assert_int_equal(record_outlives_reset(r), is_there);
        assert_int_equal(r->data >= fake_box &&
                             r->data < fake_box + FAKE_BOX_RECORDS,
                         is_there);
        assert_int_equal(r->data->seq, 0);
        fake_box_is_there = true; /* one that comes now is not its own */
        record_commit(r);
        assert_int_not_equal(r->data->seq, 0);
        assert_int_equal(fake_box_written, written + is_there);
        assert_ptr_equal(record_consume(), r);
        record_hold(r);
        assert_int_equal(record_fetch(true, &d), 0);
        assert_int_equal(d.seq, r->data->seq);
        assert_int_equal(record_acknowledge(true, d.seq), 0);
        assert_int_equal(r->data->seq, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_to_say, empty_pool),
        cmocka_unit_test_setup(unread_ones, empty_pool),
        cmocka_unit_test_setup(more_than_there_was_room_for, empty_pool),
        cmocka_unit_test_setup(in_the_box, empty_pool),
        cmocka_unit_test_setup(life_of_a_record, empty_pool),
        cmocka_unit_test_setup(oldest_first, empty_pool),
        cmocka_unit_test_setup(dismissed, empty_pool),
        cmocka_unit_test_setup(full_of_banks, empty_pool),
        cmocka_unit_test_setup(corrected_flood, empty_pool),
        cmocka_unit_test_setup(urgent_raids_corrected, empty_pool),
        cmocka_unit_test(urgent_raids_held_urgent),
    };

    fake_hw_reset();
    return UNIT_RUN(tests);
}
