/* SPDX-License-Identifier: MIT */
/*
 * ras/poll: banks that change while they are looked at, no room for what was
 * found, no banks.  With the other files, and registers: test_mce.c.
 */
#include "tests/unit/unit.h"

#include "x86/percpu.h"
#include "cpu/softirq.h"
#include "cpu/timer.h"
#include "ras/bank.h"
#include "ras/mca_regs.h"
#include "ras/mce.h"
#include "ras/poll.h"
#include "ras/record.h"
#include "fake_hw.h"
#include "fake_printk.h"
#include "tests/unit/ras/ras_fakes.h"

#define BANK      3U /* the one that has an error */
#define CORRECTED 0x9c00000000000090UL
#define OTHER     0x9c00000000000150UL

/* ---- banks: after each look at one the rest of the machine may act ------- */

static unsigned int banks;
static uint64_t status[8];
static unsigned int looks; /* at BANK */
static void (*after_look)(void);

static void looked(unsigned int bank)
{
    if (bank == BANK) {
        looks++;
        if (after_look != NULL) {
            after_look();
        }
    }
}

unsigned int bank_count(void)
{
    return banks;
}

unsigned int bank_kind(void)
{
    return MCE_KIND_SER;
}

uint64_t bank_status(unsigned int bank)
{
    uint64_t v = status[bank];

    looked(bank);
    return v;
}

bool bank_read(unsigned int bank, struct mca_bank_regs *ret_regs)
{
    *ret_regs = (struct mca_bank_regs){.bank = bank, .status = status[bank]};
    looked(bank);
    return (ret_regs->status & MCI_VAL) != 0;
}

void bank_clear(unsigned int bank)
{
    status[bank] = 0;
}

/* ---- records: one ----------------------------------------------------------- */

static struct mce_record the_record;
static bool has_room, bank_fits;
static unsigned int committed, dismissed, counted;
static uint64_t recorded; /* the status of the last one */

struct mce_record *record_reserve(bool urgent)
{
    assert_false(urgent);
    return has_room ? &the_record : NULL;
}

void record_describe(struct mce_record *r, const struct mce_situation *at,
                     const struct cpu_regs *regs)
{
    assert_ptr_equal(r, &the_record);
    assert_int_equal(at->where, MCE_AT_POLL);
    assert_null(regs);
}

bool record_add_bank(struct mce_record *r, const struct mca_bank_regs *bank,
                     const struct mce_rule *rule)
{
    (void)rule;
    assert_ptr_equal(r, &the_record);
    recorded = bank->status;
    return bank_fits;
}

void record_commit(struct mce_record *r)
{
    assert_ptr_equal(r, &the_record);
    assert_true(r->is_told); /* tell() does */
    /* Until it is cleared it is the poller's. */
    assert_true(poll_owns(BANK, recorded));
    assert_int_equal(status[BANK], recorded);
    committed++;
}

void record_dismiss(struct mce_record *r)
{
    assert_ptr_equal(r, &the_record);
    dismissed++;
}

void mce_count_polled(uint64_t which)
{
    assert_true((which & MCI_VAL) != 0);
    counted++;
}

/* ---- timers -------------------------------------------------------------------- */

static unsigned int timers_made, timers_set, timers_stopped;

void timer_init(struct timer *t, void (*fn)(void *arg), void *arg)
{
    (void)t;
    assert_non_null(fn);
    assert_null(arg);
    timers_made++;
}

void timer_set(struct timer *t, uint64_t deadline_ns)
{
    (void)t;
    assert_true(deadline_ns > fake_now_ns);
    timers_set++;
}

void timer_stop(struct timer *t)
{
    (void)t;
    timers_stopped++;
}

void softirq_plug(enum softirq nr, void (*fn)(void))
{
    (void)fn;
    fake_unexpected("plug of softirq", nr);
}

void softirq_raise(enum softirq nr)
{
    fake_unexpected("softirq", nr);
}

static int set_up(void **state)
{
    (void)state;
    fake_hw_reset();
    fake_printk_forget();
    memset(status, 0, sizeof(status));
    banks = ARRAY_SIZE(status);
    status[BANK] = CORRECTED;
    has_room = bank_fits = true;
    looks = committed = dismissed = counted = 0;
    timers_made = timers_set = timers_stopped = 0;
    recorded = 0;
    after_look = NULL;
    return 0;
}

/* ---- a machine check in between ------------------------------------------------- */

/* It records what is there, and clears it, unless it is the poller's. */
static void machine_check(void)
{
    if (!poll_owns(BANK, status[BANK])) {
        status[BANK] = 0;
    }
    after_look = NULL;
}

/* Between the first look and the taking in hand. */
static void machine_check_was_first(void **state)
{
    (void)state;
    after_look = machine_check;
    assert_int_equal(ras_poll_now(), 0);
    assert_int_equal(committed, 0);
    assert_int_equal(counted, 0);
    assert_false(fake_printk_said("bank"));
    assert_int_equal(this_cpu()->work & WORK_MCE, 0);
    assert_false(poll_owns(BANK, CORRECTED));
}

static unsigned int when; /* at which look */

static void machine_check_then(void)
{
    if (looks == when) {
        assert_true(poll_owns(BANK, CORRECTED));
        /* Not another error, another bank, or another CPU's. */
        assert_false(poll_owns(BANK, OTHER));
        assert_false(poll_owns(BANK + 1, CORRECTED));
        fake_cpu = 1;
        assert_false(poll_owns(BANK, CORRECTED));
        fake_cpu = 0;
        machine_check();
    }
}

/* Later it leaves this error alone: recorded once. */
static void machine_check_leaves_it(void **state)
{
    for (when = 2; when <= 3; when++) {
        (void)set_up(state);
        after_look = machine_check_then;
        assert_int_equal(ras_poll_now(), 1);
        assert_null(after_look);
        assert_int_equal(committed, 1);
        assert_int_equal(counted, 1);
        assert_int_equal(recorded, CORRECTED);
        assert_int_equal(status[BANK], 0);
        assert_int_equal(this_cpu()->work & WORK_MCE, WORK_MCE);
        assert_false(poll_owns(BANK, CORRECTED));
    }
}

static void another_error_then(void)
{
    if (looks == when) {
        status[BANK] = OTHER;
    }
}

/* The hardware writes a worse one over it: that is what is recorded. */
static void replaced_by_another(void **state)
{
    for (when = 1; when <= 2; when++) {
        (void)set_up(state);
        after_look = another_error_then;
        assert_int_equal(ras_poll_now(), 1);
        assert_int_equal(committed, 1);
        assert_int_equal(recorded, OTHER);
        assert_int_equal(looks, when + 1 + 3);
        assert_int_equal(status[BANK], 0);
    }
}

static void never_the_same(void)
{
    status[BANK]++;
}

/* Left for the next time, and to every machine check until then. */
static void changes_for_ever(void **state)
{
    (void)state;
    after_look = never_the_same;
    assert_int_equal(ras_poll_now(), 0);
    assert_int_equal(looks, 2 * 8);
    assert_int_equal(committed, 0);
    assert_int_equal(status[BANK], CORRECTED + looks);
    for (uint64_t i = 0; i <= looks; i++) {
        assert_false(poll_owns(BANK, CORRECTED + i));
    }
    after_look = NULL;
    assert_int_equal(ras_poll_now(), 1);
    assert_int_equal(recorded, CORRECTED + 2 * 8);
}

/* ---- nowhere to put it ------------------------------------------------------------- */

/* The log and the counts have it, and the bank is free for the next. */
static void is_told_all_the_same(unsigned int dismissals)
{
    assert_int_equal(ras_poll_now(), 1);
    assert_int_equal(committed, 0);
    assert_int_equal(dismissed, dismissals);
    assert_int_equal(counted, 1);
    assert_int_equal(status[BANK], 0);
    assert_true(fake_printk_said("bank 3 status 0x9c00000000000090"));
    assert_false(poll_owns(BANK, CORRECTED));
}

static void no_room(void **state)
{
    (void)state;
    has_room = false;
    is_told_all_the_same(0);
}

static void record_is_full(void **state)
{
    (void)state;
    bank_fits = false;
    is_told_all_the_same(1);
}

/* ---- by the clock -------------------------------------------------------------------- */

static void no_banks_no_timer(void **state)
{
    (void)state;
    banks = 0;
    ras_poll_cpu_init();
    ras_poll_cpu_down();
    assert_int_equal(timers_made + timers_set + timers_stopped, 0);
    banks = 1;
    ras_poll_cpu_init();
    assert_int_equal(timers_made, 1);
    assert_int_equal(timers_set, 1);
    assert_int_equal(timers_stopped, 0);
    ras_poll_cpu_down();
    assert_int_equal(timers_stopped, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(machine_check_was_first, set_up),
        cmocka_unit_test_setup(machine_check_leaves_it, set_up),
        cmocka_unit_test_setup(replaced_by_another, set_up),
        cmocka_unit_test_setup(changes_for_ever, set_up),
        cmocka_unit_test_setup(no_room, set_up),
        cmocka_unit_test_setup(record_is_full, set_up),
        cmocka_unit_test_setup(no_banks_no_timer, set_up),
    };

    return UNIT_RUN(tests);
}
