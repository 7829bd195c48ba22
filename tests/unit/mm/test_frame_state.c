/* SPDX-License-Identifier: MIT */
/*
 * test_frame_state - every pair of states, with and without BROKEN.
 */
#include "tests/unit/unit.h"

#include "mm/frame_state.h"
#include "fire_alarm.h"

static bool expected(enum frame_state from, enum frame_state to)
{
    switch (from) {
    case FRAME_RESERVED:
        return to == FRAME_FREE;
    case FRAME_FREE:
        return to == FRAME_INUSE || to == FRAME_OFFLINED;
    case FRAME_INUSE:
        return to == FRAME_FREE || to == FRAME_OFFLINING;
    case FRAME_OFFLINING:
        return to == FRAME_OFFLINED || to == FRAME_INUSE;
    case FRAME_OFFLINED:
        return to == FRAME_FREE;
    }
    return false;
}

static void test_table(void **state)
{
    (void)state;
    for (unsigned int from = 0; from <= FRAME_OFFLINED; from++) {
        for (unsigned int to = 0; to <= FRAME_OFFLINED; to++) {
            bool ok = expected(from, to);
            bool broken_ok =
                ok && (to == FRAME_OFFLINING || to == FRAME_OFFLINED);

            assert_int_equal(frame_move_is_legal(0, from, to), ok);
            assert_int_equal(frame_move_is_legal(FRAME_F_DIRTY, from, to), ok);
            assert_int_equal(frame_move_is_legal(FRAME_F_BROKEN, from, to),
                             broken_ok);
        }
    }
    assert_false(frame_move_is_legal(0, 9, FRAME_FREE));
}

static void test_move(void **state)
{
    struct frame f = {.state = FRAME_RESERVED};

    (void)state;
    frame_move(&f, FRAME_RESERVED, FRAME_FREE);
    frame_move(&f, FRAME_FREE, FRAME_INUSE);
    assert_int_equal(f.state, FRAME_INUSE);
    EXPECT_PANIC(frame_move(&f, FRAME_FREE, FRAME_INUSE)); /* not there */
    EXPECT_PANIC(frame_move(&f, FRAME_INUSE, FRAME_RESERVED));
    assert_non_null(strstr(fire_alarm_text, "RESERVED"));
    f.flags = FRAME_F_BROKEN;
    EXPECT_PANIC(frame_move(&f, FRAME_INUSE, FRAME_FREE));
    assert_int_equal(f.state, FRAME_INUSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_move),
    };

    return UNIT_RUN(tests);
}
