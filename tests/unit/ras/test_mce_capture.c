/* SPDX-License-Identifier: MIT */
/*
 * ras/mce, mce_words: banks without number, or none, some in the poller's hand, and
 * a pool of records that ends in the middle of a machine check.
 */
#include "tests/unit/unit.h"

#include "tests/unit/ras/ras_fakes.h"
#include "fake_hw.h"
#include "fake_printk.h"
#include "fire_alarm.h"
#include "x86/percpu.h"
#include "cpu/tenant.h"
#include "ras/bank.h"
#include "ras/mca_regs.h"
#include "ras/mce.h"
#include "ras/mce_words.h"
#include "ras/poll.h"
#include "ras/record.h"

#define BANKS_MAX 32U
#define CORRECTED 0x9c00000000000090UL
#define SRAO      0xbd000000000000c0UL
#define SRAR      0xbd80000000000134UL
#define FATAL     0xbe00000000800400UL
#define ANY_BANK  ~0U

static struct cpu_regs in_guest = {.rip = 0x1000, .cs = 0xe033};

/* The processor. */
static unsigned int banks, kind;
static uint64_t status[BANKS_MAX], mcg_status;
static unsigned int cleared[BANKS_MAX];
static unsigned int pollers_bank, harvest;

unsigned int bank_count(void)
{
    return banks;
}

uint64_t bank_mcg_cap(void)
{
    return banks;
}

unsigned int bank_kind(void)
{
    return kind;
}

void bank_probe(void)
{
}

void bank_cpu_init(void)
{
    assert_int_not_equal(banks, 0);
}

bool bank_read(unsigned int bank, struct mca_bank_regs *ret_regs)
{
    assert_in_range(bank, 0, banks - 1);
    *ret_regs = (struct mca_bank_regs){.bank = bank, .status = status[bank]};
    return (status[bank] & MCI_VAL) != 0;
}

void bank_clear(unsigned int bank)
{
    cleared[bank]++;
    status[bank] = 0;
}

uint64_t bank_mcg_status(void)
{
    return mcg_status;
}

void bank_mcg_clear(void)
{
    mcg_status = 0;
}

bool poll_owns(unsigned int bank, uint64_t value)
{
    assert_int_equal(value, status[bank]);
    return pollers_bank == ANY_BANK || bank == pollers_bank;
}

unsigned int ras_poll_harvest(void)
{
    return harvest;
}

/* Takes up what there is, in order, as response/ does.  Return: records. */
static unsigned int respond(void)
{
    struct mce_record *r;
    unsigned int n = 0;

    while ((r = record_consume()) != NULL) {
        mce_words_say(r);
        record_hold(r);
        n++;
    }
    return n;
}

static void collect(void)
{
    struct vigil_mce_record d;

    (void)respond();
    while (record_fetch(true, &d) == 0) {
        assert_int_equal(record_acknowledge(true, d.seq), 0);
    }
    assert_int_equal(record_count(MCE_RECORD_FREE), MCE_RECORDS);
}

static int set_up(void **state)
{
    (void)state;
    fake_hw_reset();
    memset(this_cpu(), 0, sizeof(*this_cpu()));
    memset(&ras_counters, 0, sizeof(ras_counters));
    memset(status, 0, sizeof(status));
    memset(cleared, 0, sizeof(cleared));
    banks = BANKS_MAX;
    kind = MCE_KIND_SER;
    mcg_status = MCG_RIPV | MCG_MCIP;
    pollers_bank = BANKS_MAX;
    harvest = 0;
    fake_box_is_there = true;
    fake_dying = false;
    tenant_set(2, 0);
    collect();
    fake_printk_forget();
    fake_printk_count = 0;
    return 0;
}

/* Three records: one first line, each bank told once, in order. */
static void more_than_a_record_holds(void **state)
{
    char words[32];

    (void)state;
    for (unsigned int i = 0; i < BANKS_MAX; i++) {
        status[i] = CORRECTED;
    }
    ras_mce(&in_guest);
    assert_int_equal(fake_printk_count, 0);
    assert_int_equal(record_count(MCE_RECORD_COMMITTED), 3);
    assert_int_equal(respond(), 3);
    assert_int_equal(fake_printk_count, 1 + BANKS_MAX);
    for (unsigned int i = 0; i < BANKS_MAX; i++) {
        snprintf(words, sizeof(words), "machine check: bank %u status", i);
        assert_true(fake_printk_said(words));
        assert_int_equal(cleared[i], 1);
    }
    assert_int_equal(ras_counters.mce_corrected, BANKS_MAX);
}

/* The first record was filed before anybody knew that it would be fatal. */
static void fatal_behind_a_full_record(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < VIGIL_MCE_BANKS; i++) {
        status[i] = CORRECTED;
    }
    status[20] = FATAL;
    mcg_status = MCG_MCIP;
    EXPECT_PANIC(ras_mce(&in_guest));
    assert_non_null(strstr(fire_alarm_text, "bank 20"));
    assert_true(fake_printk_said("machine check: bank 20 status"));
    assert_int_equal(record_count(MCE_RECORD_COMMITTED), 2);
    assert_int_equal(cleared[20], 0);
}

/* One record left: the banks that do not fit are told at once, and counted. */
static void pool_ends_in_the_middle(void **state)
{
    struct mce_record *taken[MCE_RECORDS];
    const uint64_t lost = record_lost();
    unsigned int n = 0;

    (void)state;
    while (n < MCE_RECORDS - 1) {
        taken[n++] = record_reserve(true);
    }
    for (unsigned int i = 0; i <= VIGIL_MCE_BANKS; i++) {
        status[i] = SRAO;
    }
    ras_mce(&in_guest);
    assert_int_equal(record_lost(), lost + 1);
    assert_int_equal(fake_printk_count, 1);
    assert_true(fake_printk_said("machine check: bank 14 status"));
    assert_int_equal(respond(), 1);
    assert_int_equal(fake_printk_count, 1 + 1 + VIGIL_MCE_BANKS);
    assert_int_equal(cleared[VIGIL_MCE_BANKS], 1);
    while (n > 0) {
        record_dismiss(taken[--n]);
    }
}

/* One of those needs an action: nobody can take it, that is the end. */
static void pool_ends_before_an_action(void **state)
{
    static struct mce_record *taken[MCE_RECORDS];
    static unsigned int n;

    (void)state;
    while (n < MCE_RECORDS - 1) {
        taken[n++] = record_reserve(true);
    }
    for (unsigned int i = 0; i <= VIGIL_MCE_BANKS; i++) {
        status[i] = SRAR;
    }
    mcg_status |= MCG_EIPV;
    EXPECT_PANIC(ras_mce(&in_guest));
    assert_non_null(strstr(fire_alarm_text, "no room for a record"));
    while (n > 0) {
        record_dismiss(taken[--n]);
    }
}

/* What the poller has in hand it records and tells; there was a #MC all the same. */
static void pollers_own(void **state)
{
    (void)state;
    status[3] = CORRECTED;
    pollers_bank = 3;
    ras_mce(&in_guest);
    assert_int_equal(respond(), 0);
    assert_int_equal(fake_printk_count, 1);
    assert_true(fake_printk_said("machine check on CPU 0 in guest d2v0"));
    assert_int_equal(cleared[3], 0);

    /* Others are ours. */
    mcg_status = MCG_RIPV | MCG_MCIP;
    status[5] = SRAO;
    ras_mce(&in_guest);
    assert_int_equal(respond(), 1);
    assert_int_equal(fake_printk_count, 3);
    assert_true(fake_printk_said("machine check: bank 5 status"));
    assert_false(fake_printk_said("machine check: bank 3 status"));

    /* What was interrupted cannot go on: not for a corrected error. */
    pollers_bank = ANY_BANK;
    mcg_status = MCG_MCIP;
    EXPECT_PANIC(ras_mce(&in_guest));
    assert_non_null(strstr(fire_alarm_text, "no bank"));
}

/* Without machine-check registers there is an exception, and no more. */
static void no_banks(void **state)
{
    (void)state;
    banks = 0;
    ras_init();
    assert_true(fake_printk_said("no machine-check banks"));
    ras_cpu_init();
    assert_int_equal(fake_printk_count, 1);
    mcg_status = 0;
    EXPECT_PANIC(ras_mce(&in_guest));
}

static void said_at_boot(void **state)
{
    (void)state;
    ras_init();
    assert_string_equal(fake_printk_last, "ras: 32 machine-check banks, MCG_CAP "
                                          "0x20, with recovery");
    kind = MCE_KIND_PLAIN;
    harvest = 2;
    ras_init();
    assert_string_equal(fake_printk_last,
                        "ras: 32 machine-check banks, MCG_CAP 0x20, no recovery, "
                        "errors left from before the reset");
    ras_cpu_init();
    assert_string_equal(fake_printk_last,
                        "ras: errors left from before the reset on CPU 0");
    harvest = 0;
    fake_printk_count = 0;
    ras_cpu_init();
    assert_int_equal(fake_printk_count, 0);
}

/* A count of banks that no record can have, after damage: none is read beyond. */
static void more_banks_than_can_be(void **state)
{
    struct mce_record *r;

    (void)state;
    status[1] = SRAO;
    ras_mce(&in_guest);
    r = record_consume();
    assert_non_null(r);
    r->data->banks = VIGIL_MCE_BANKS + 1;
    mce_words_say(r);
    assert_int_equal(fake_printk_count, 1 + VIGIL_MCE_BANKS);
    record_hold(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(more_than_a_record_holds, set_up),
        cmocka_unit_test_setup(fatal_behind_a_full_record, set_up),
        cmocka_unit_test_setup(pool_ends_in_the_middle, set_up),
        cmocka_unit_test_setup(pool_ends_before_an_action, set_up),
        cmocka_unit_test_setup(pollers_own, set_up),
        cmocka_unit_test_setup(no_banks, set_up),
        cmocka_unit_test_setup(said_at_boot, set_up),
        cmocka_unit_test_setup(more_banks_than_can_be, set_up),
    };

    return UNIT_RUN(tests);
}
