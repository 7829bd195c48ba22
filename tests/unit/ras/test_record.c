/* SPDX-License-Identifier: MIT */
/*
 * ras/record: the moves of a record, raiding, and that every loss is counted.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "tests/unit/ras/ras_fakes.h"
#include "fake_hw.h"
#include "ras/bank.h"
#include "ras/record.h"
#include "cpu/tenant.h"

/* bank.c is not linked here. */
uint64_t bank_mcg_cap(void)
{
    return 0x100010a;
}

static const struct mce_situation at_guest = {
    .mcg_status = 5, .where = MCE_AT_GUEST, .kind = MCE_KIND_SER};

static const struct mca_bank_regs srao = {
    .bank = 9, .status = 0xbd000000000000c0, .addr = 0x12345678, .misc = 0x8c};

/* The pool has no reset: empty it by its own rules. */
static int empty_pool(void **state)
{
    struct vigil_mce_record d;
    struct mce_record *r;

    (void)state;
    while ((r = record_consume()) != NULL) {
        record_hold(r);
    }
    for (int urgent = 0; urgent < 2; urgent++) {
        while (record_fetch(urgent, &d) == 0) {
            assert_int_equal(record_acknowledge(urgent, d.seq), 0);
        }
    }
    assert_int_equal(record_count(MCE_RECORD_FREE), MCE_RECORDS);
    return 0;
}

static struct mce_record *add(bool urgent)
{
    struct mce_record *r = record_reserve(urgent);

    assert_non_null(r);
    record_commit(r);
    return r;
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
