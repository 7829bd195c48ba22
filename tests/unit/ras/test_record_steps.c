/* SPDX-License-Identifier: MIT */
/*
 * ras/record: a #MC, or another CPU, between any two steps.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "ras/record.h"
#include "fake_hw.h"
#include "tests/unit/ras/record_steps.h"

/*
 * What Dom0, another CPU and a #MC do.  Each error has a number in its record, in
 * the first and last words that are copied.
 */
static uint64_t errors, delivered, newest;

static bool error_comes(bool urgent)
{
    struct mce_record *r = record_reserve(urgent);

    errors++;
    if (r == NULL) {
        return false;
    }
    r->data->tsc = r->data->bank[VIGIL_MCE_BANKS - 1].misc = errors;
    record_commit(r);
    newest = r->data->seq;
    return true;
}

static void machine_check(void)
{
    (void)error_comes(true);
}

static void another_responds(void)
{
    struct mce_record *r;

    while ((r = record_consume()) != NULL) {
        record_hold(r);
    }
}

static int fetch_whole(bool urgent, struct vigil_mce_record *ret_d)
{
    int rc = record_fetch(urgent, ret_d);

    if (rc == 0) {
        assert_int_not_equal(ret_d->tsc, 0);
        assert_int_equal(ret_d->tsc, ret_d->bank[VIGIL_MCE_BANKS - 1].misc);
    }
    return rc;
}

static void dom0_takes(bool urgent)
{
    struct vigil_mce_record d;

    if (fetch_whole(urgent, &d) == 0) {
        assert_int_equal(record_acknowledge(urgent, d.seq), 0);
        delivered++;
    }
}

static void dom0_takes_corrected(void)
{
    dom0_takes(false);
}

static void handled_elsewhere(void)
{
    machine_check();
    another_responds();
}

static void seen_elsewhere(void)
{
    handled_elsewhere();
    dom0_takes(true);
    dom0_takes(false);
}

static void fetch_one(void)
{
    struct vigil_mce_record d;
    int rc = fetch_whole(false, &d);
    void (*act)(void) = others;

    /* What it gives is there to be acknowledged, not overwritten. */
    others = NULL;
    if (rc == 0) {
        assert_int_equal(record_acknowledge(false, d.seq), 0);
        delivered++;
    }
    others = act;
}

static void acknowledge_one(void)
{
    void (*act)(void) = others;
    struct vigil_mce_record d;

    others = NULL;
    assert_int_equal(fetch_whole(false, &d), 0);
    others = act;
    delivered += record_acknowledge(false, d.seq) == 0;
}

static void consume_one(void)
{
    struct mce_record *r = record_consume();

    if (r != NULL) {
        assert_int_equal(r->state, MCE_RECORD_CONSUMING);
        record_hold(r);
    }
}

static void corrected_comes(void)
{
    (void)error_comes(false);
}

/* No record is free: half of them still to be seen, half held. */
static void fill(void)
{
    unsigned int i;

    for (i = 0; i < MCE_RECORDS / 2; i++) {
        assert_true(error_comes(i % 4 == 0));
    }
    another_responds();
    for (; i < MCE_RECORDS; i++) {
        assert_true(error_comes(i % 4 == 0));
    }
}

/* INV-RAS-3, whoever comes between which two steps. */
static void between_any_two_steps(void **state)
{
    static void (*const does[])(void) = {fetch_one, acknowledge_one,
                                         consume_one, corrected_comes,
                                         machine_check};
    static void (*const comes[])(void) = {machine_check, another_responds,
                                          handled_elsewhere, seen_elsewhere};

    for (unsigned int i = 0; i < ARRAY_SIZE(does) * ARRAY_SIZE(comes); i++) {
        unsigned int after = 0;

        do {
            uint64_t lost = record_lost();

            errors = delivered = 0;
            fill();
            others_act(comes[i % ARRAY_SIZE(comes)], ANY_STEP, after);
            does[i / ARRAY_SIZE(comes)]();
            assert_int_equal(record_count(MCE_RECORD_RESERVED), 0);
            assert_int_equal(record_count(MCE_RECORD_CONSUMING), 0);
            if (others != NULL) {
                break; /* it has no more steps */
            }
            another_responds();
            for (unsigned int n = 0; n < MCE_RECORDS; n++) {
                dom0_takes(true);
                dom0_takes(false);
            }
            assert_int_equal(errors, delivered + record_lost() - lost);
            assert_int_equal(record_count(MCE_RECORD_FREE), MCE_RECORDS);
        } while (++after < 1000);
        assert_in_range(after, 2, 999);
        others = NULL;
        (void)empty_pool(state);
    }
}

/* The record is raided, filled and held again before it is acknowledged. */
static void acknowledges_what_was_fetched(void **state)
{
    struct vigil_mce_record d, now;

    (void)state;
    for (unsigned int i = 0; i < MCE_RECORDS; i++) {
        machine_check();
    }
    another_responds();
    assert_int_equal(record_fetch(true, &d), 0);
    others_act(handled_elsewhere, MCE_RECORD_HELD, 0);
    assert_int_equal(record_acknowledge(true, d.seq), -ENOENT);
    assert_null(others);
    assert_int_equal(record_count(MCE_RECORD_HELD), MCE_RECORDS);
    for (unsigned int i = 0; i < MCE_RECORDS; i++) {
        assert_int_equal(record_fetch(true, &now), 0);
        assert_true(now.seq > d.seq);
        assert_int_equal(record_acknowledge(true, now.seq), 0);
    }
    assert_int_equal(now.seq, newest); /* nobody's has gone unread */
}

/* The one corrected record is seen and read, and an urgent error takes it. */
static void urgent_in_its_place(void)
{
    another_responds();
    dom0_takes(false);
    machine_check();
}

static void urgent_in_its_place_and_held(void)
{
    urgent_in_its_place();
    another_responds();
}

/* But for one that is corrected and to be seen, all is urgent and held. */
static void fill_but_for_one(void)
{
    for (unsigned int i = 1; i < MCE_RECORDS; i++) {
        machine_check();
    }
    another_responds();
    corrected_comes();
}

static void raids_what_it_looked_for(void **state)
{
    uint64_t lost = record_lost();
    struct mce_record *r;

    fill_but_for_one();
    others_act(urgent_in_its_place, MCE_RECORD_COMMITTED, 0);
    assert_null(record_reserve(false));
    assert_null(others);
    assert_int_equal(record_lost(), lost + 1);
    r = record_consume(); /* it still needs an action */
    assert_non_null(r);
    assert_true(r->urgent);
    assert_int_equal(r->data->seq, newest);
    record_hold(r);

    (void)empty_pool(state);
    fill_but_for_one();
    another_responds();
    others_act(urgent_in_its_place_and_held, MCE_RECORD_HELD, 0);
    assert_null(record_reserve(false));
    assert_null(others);
    assert_int_equal(record_lost(), lost + 2);
    assert_int_equal(record_count(MCE_RECORD_HELD), MCE_RECORDS);
}

/* Whatever it wants, another has it: it gives up, and has lost one error. */
static void others_are_always_first(void **state)
{
    uint64_t lost = record_lost();

    (void)state;
    for (unsigned int i = 0; i < MCE_RECORDS; i++) {
        corrected_comes();
    }
    another_responds();
    others_act(dom0_takes_corrected, MCE_RECORD_HELD, 0);
    others_always = true;
    assert_null(record_reserve(false));
    others = NULL;
    assert_int_equal(record_lost(), lost + 1);
    assert_int_equal(record_count(MCE_RECORD_FREE), MCE_RECORDS);
    assert_true(error_comes(false));
}

static struct mce_record *taken;

static void another_consumes(void)
{
    taken = record_consume();
}

static void consumed_by_another(void **state)
{
    struct mce_record *a = add(true), *b = add(true);

    (void)state;
    others_act(another_consumes, MCE_RECORD_COMMITTED, 0);
    assert_ptr_equal(record_consume(), b);
    assert_ptr_equal(taken, a);
    record_hold(a);
    record_hold(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(between_any_two_steps, empty_pool),
        cmocka_unit_test_setup(acknowledges_what_was_fetched, empty_pool),
        cmocka_unit_test_setup(raids_what_it_looked_for, empty_pool),
        cmocka_unit_test_setup(others_are_always_first, empty_pool),
        cmocka_unit_test_setup(consumed_by_another, empty_pool),
    };

    fake_hw_reset();
    return UNIT_RUN(tests);
}
