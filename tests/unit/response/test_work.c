/* SPDX-License-Identifier: MIT */
/*
 * response/work: each bit is answered once, in order, and bits that are not
 * this floor's stay.
 */
#include "tests/unit/unit.h"

#include "x86/percpu.h"
#include "log/sink.h"
#include "ras/nmi_note.h"
#include "response/mce_response.h"
#include "response/nmi_reflect.h"
#include "response/work.h"

#define NOTES 0x100 /* no bit of its own: of WORK_NMI */

static unsigned int done[8], done_count;
static uint16_t arrives; /* while the machine checks are answered */

void mce_response_run(void)
{
    done[done_count++] = WORK_MCE;
    this_cpu()->work |= arrives;
}

void nmi_reflect_run(void)
{
    done[done_count++] = WORK_NMI;
}

void nmi_notes_soon(void)
{
    done[done_count++] = NOTES;
}

void log_drain(void)
{
    done[done_count++] = WORK_LOG;
}

void nmi_reflect_init(void)
{
}

static void run(uint16_t work)
{
    done_count = 0;
    this_cpu()->work = work;
    response_run();
}

static void each_in_order(void **state)
{
    (void)state;
    arrives = 0;
    run(WORK_LOG | WORK_NMI | WORK_MCE);
    assert_int_equal(done_count, 4);
    assert_int_equal(done[0], WORK_MCE);
    assert_int_equal(done[1], WORK_NMI);
    assert_int_equal(done[2], NOTES);
    assert_int_equal(done[3], WORK_LOG);
    assert_int_equal(this_cpu()->work, 0);
}

/* The exit path has yet to load DR7, whatever else was to do. */
static void others_stay(void **state)
{
    (void)state;
    arrives = 0;
    run(WORK_DR7 | WORK_NMI);
    assert_int_equal(done_count, 2);
    assert_int_equal(this_cpu()->work, WORK_DR7);
    run(WORK_DR7);
    assert_int_equal(done_count, 0);
    assert_int_equal(this_cpu()->work, WORK_DR7);
}

static void what_comes_meanwhile_stays(void **state)
{
    (void)state;
    arrives = WORK_MCE | WORK_NMI;
    run(WORK_MCE);
    assert_int_equal(done_count, 1);
    assert_int_equal(this_cpu()->work, WORK_MCE | WORK_NMI);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_in_order),
        cmocka_unit_test(others_stay),
        cmocka_unit_test(what_comes_meanwhile_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
