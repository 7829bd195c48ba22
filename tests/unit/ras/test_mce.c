/* SPDX-License-Identifier: MIT */
/*
 * ras/mce, bank, poll, inject: from scripted registers to records, on a
 * processor like QEMU's (MCG_CAP 0x100010a: SER_P, 10 banks).
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "tests/unit/ras/ras_fakes.h"
#include "fake_hw.h"
#include "fake_printk.h"
#include "fire_alarm.h"
#include "x86/msr_index.h"
#include "x86/percpu.h"
#include "x86/soft_int.h"
#include "cpu/features.h"
#include "cpu/softirq.h"
#include "cpu/tenant.h"
#include "cpu/timer.h"
#include "ras/bank.h"
#include "ras/inject.h"
#include "ras/mca_regs.h"
#include "ras/mce.h"
#include "ras/mce_words.h"
#include "ras/poll.h"
#include "ras/record.h"

#define BANKS     10U
#define CORRECTED 0x9c00000000000090UL
#define SRAO      0xbd000000000000c0UL
#define SRAR      0xbd80000000000134UL
#define FATAL     0xbe00000000800400UL

static struct cpu_regs in_guest = {.rip = 0x1000, .cs = 0xe033};
static struct cpu_regs in_hv = {.rip = 0xffff82d080201000, .cs = 0xe008};
static struct cpu_regs *soft_regs = &in_hv;

static void (*softirq_fn)(void);
static struct timer *armed_timer;

void softirq_plug(enum softirq nr, void (*fn)(void))
{
    assert_int_equal(nr, SOFTIRQ_RAS);
    softirq_fn = fn;
}

void softirq_raise(enum softirq nr)
{
    assert_int_equal(nr, SOFTIRQ_RAS);
    softirq_fn();
}

void timer_init(struct timer *t, void (*fn)(void *arg), void *arg)
{
    t->fn = fn;
    t->arg = arg;
}

void timer_set(struct timer *t, uint64_t deadline_ns)
{
    t->deadline_ns = deadline_ns;
    armed_timer = t;
}

void timer_stop(struct timer *t)
{
    (void)t;
}

void soft_machine_check(void)
{
    ras_mce(soft_regs);
    ras_mce_end();
}

static void set_bank(unsigned int bank, uint64_t status, uint64_t addr)
{
    fake_msr_fault(MSR_MCx_ADDR(bank), false, false);
    fake_msr_fault(MSR_MCx_MISC(bank), false, false);
    fake_msr_set(MSR_MCx_STATUS(bank), status);
    fake_msr_set(MSR_MCx_ADDR(bank), addr);
    fake_msr_set(MSR_MCx_MISC(bank), 0x8c);
}

static uint64_t bank_now(unsigned int bank)
{
    return fake_msr_get(MSR_MCx_STATUS(bank));
}

static void drain(void)
{
    struct vigil_mce_record d;
    struct mce_record *r;

    while ((r = record_consume()) != NULL) {
        record_hold(r);
    }
    for (int urgent = 0; urgent < 2; urgent++) {
        while (record_fetch(urgent, &d) == 0) {
            assert_int_equal(record_acknowledge(urgent, d.seq), 0);
        }
    }
}

static int set_up(void **state)
{
    (void)state;
    fake_hw_reset();
    memset(this_cpu(), 0, sizeof(*this_cpu()));
    memset(&ras_counters, 0, sizeof(ras_counters));
    cpu_features = (struct cpu_features){
        .vendor = CPU_AMD, .family = 15, .mce = true, .mca = true,
        .l1_ecx = 1u << 31};
    fake_msr_set(MSR_MCG_CAP, 0x100010a);
    fake_msr_set(MSR_MCG_STATUS, 0);
    fake_msr_set(MSR_MCG_CTL, 0);
    for (unsigned int i = 0; i < BANKS; i++) {
        fake_msr_set(MSR_MCx_CTL(i), 0);
        /* Without its valid bit the hardware may refuse to show it. */
        fake_msr_set(MSR_MCx_STATUS(i), 0);
        fake_msr_fault(MSR_MCx_ADDR(i), true, true);
        fake_msr_fault(MSR_MCx_MISC(i), true, true);
    }
    tenant_set(2, 0);
    ras_init();
    drain();
    fake_printk_forget();
    fake_printk_count = 0;
    fake_box_is_there = true;
    fake_dying = false;
    this_cpu()->work = 0;
    return 0;
}

/* As response/ takes it up. */
static struct mce_record *only_record(void)
{
    struct mce_record *r = record_consume();

    assert_non_null(r);
    assert_null(record_consume());
    mce_words_say(r);
    record_hold(r);
    return r;
}

static void banks_are_switched_on(void **state)
{
    (void)state;
    assert_int_equal(bank_count(), BANKS);
    assert_int_equal(bank_kind(), MCE_KIND_SER);
    for (unsigned int i = 0; i < BANKS; i++) {
        assert_int_equal(fake_msr_get(MSR_MCx_CTL(i)), ~0UL);
    }
    assert_int_equal(fake_msr_get(MSR_MCG_CTL), ~0UL);
}

static void harvested_at_boot(void **state)
{
    const struct mce_record *r;

    (void)state;
    set_bank(3, FATAL, 0x1000);
    ras_init();
    r = only_record();
    assert_int_equal(r->data->where, VIGIL_MCE_LEFT_OVER);
    assert_int_equal(r->data->bank[0].status, FATAL);
    assert_int_equal(r->data->grade, MCE_LOG);
    assert_int_equal(bank_now(3), 0);
}

static void recoverable(void **state)
{
    struct mce_record *r;

    (void)state;
    set_bank(9, SRAO, 0x1e345040);
    fake_msr_set(MSR_MCG_STATUS, 5);
    ras_mce(&in_hv);
    r = only_record();
    assert_true(r->urgent);
    assert_int_equal(r->data->banks, 1);
    assert_int_equal(r->data->bank[0].addr, 0x1e345040);
    assert_int_equal(r->data->bank[0].misc, 0x8c);
    assert_int_equal(r->data->grade, MCE_LATER);
    assert_int_equal(r->data->rip, in_hv.rip);
    assert_int_equal(bank_now(9), 0);
    /* Its frame is still on the stack of #MC: none may come. */
    assert_int_equal(fake_msr_get(MSR_MCG_STATUS), 5);
    ras_mce_end();
    assert_int_equal(fake_msr_get(MSR_MCG_STATUS), 0);
    assert_int_equal(this_cpu()->work & WORK_MCE, WORK_MCE);
    assert_int_equal(ras_counters.mce_total, 1);
    assert_int_equal(ras_counters.mce_recovered, 1);
    assert_non_null(strstr(fake_printk_last, "scrubber"));
}

static void consumed_by_guest(void **state)
{
    struct mce_record *r;

    (void)state;
    set_bank(1, SRAR, 0x2000);
    fake_msr_set(MSR_MCG_STATUS, 7);
    ras_mce(&in_guest);
    r = only_record();
    assert_int_equal(r->data->grade, MCE_ACTION);
    assert_int_equal(r->data->where, VIGIL_MCE_IN_GUEST);
    assert_int_equal(r->data->domid, 2);
}

/* The banks stay as they are: the next boot reads them. */
static void fatal_leaves_the_banks(void **state)
{
    (void)state;
    set_bank(2, CORRECTED, 0x3000);
    set_bank(4, FATAL, 0x1000);
    fake_msr_set(MSR_MCG_STATUS, 4);
    EXPECT_PANIC(ras_mce(&in_guest));
    assert_non_null(strstr(fire_alarm_text, "context corrupt"));
    assert_non_null(strstr(fire_alarm_text, "bank 4"));
    assert_non_null(strstr(fire_alarm_text, "be00000000800400"));
    assert_non_null(strstr(fire_alarm_text, "guest d2v0"));
    assert_int_equal(bank_now(4), FATAL);
    assert_int_equal(bank_now(2), CORRECTED);
    /* The record is there before the panic is. */
    assert_int_equal(only_record()->data->banks, 2);
}

static void worst_bank_decides(void **state)
{
    (void)state;
    set_bank(0, SRAO, 0x3000);
    set_bank(1, SRAR, 0x1000);
    set_bank(5, CORRECTED, 0x5000);
    fake_msr_set(MSR_MCG_STATUS, 7);
    EXPECT_PANIC(ras_mce(&in_hv));
    assert_non_null(strstr(fire_alarm_text, "hypervisor consumed"));
    assert_non_null(strstr(fire_alarm_text, "bank 1"));
    drain();
}

/* No bank at all is a record, too; without RIPV it is the end. */
static void silent_machine_check(void **state)
{
    (void)state;
    fake_msr_set(MSR_MCG_STATUS, 5);
    ras_mce(&in_guest);
    assert_int_equal(only_record()->data->banks, 0);
    assert_non_null(strstr(fake_printk_last, "no bank"));
    fake_msr_set(MSR_MCG_STATUS, 4);
    EXPECT_PANIC(ras_mce(&in_guest));
    drain();
}

/* A #MC before ras_init() finds out for itself what there is: see bank.h. */
static void no_mca_at_all(void **state)
{
    (void)state;
    cpu_features.mca = false;
    bank_probe();
    assert_int_equal(bank_count(), BANKS); /* once probed, for good */
}

static void no_room_for_a_needed_record(void **state)
{
    /* Static: a panic comes back by longjmp(). */
    static struct mce_record *all[MCE_RECORDS];
    static unsigned int n;

    (void)state;
    while (n < MCE_RECORDS && (all[n] = record_reserve(true)) != NULL) {
        n++;
    }
    set_bank(1, SRAO, 0x2000);
    fake_msr_set(MSR_MCG_STATUS, 5);
    ras_mce(&in_guest); /* nobody uses that memory: logged and counted */
    set_bank(1, SRAR, 0x2000);
    fake_msr_set(MSR_MCG_STATUS, 7);
    EXPECT_PANIC(ras_mce(&in_guest));
    assert_non_null(strstr(fire_alarm_text, "no room"));
    while (n > 0) {
        record_dismiss(all[--n]);
    }
}

static void polled(void **state)
{
    struct mce_record *r;

    (void)state;
    assert_int_equal(ras_poll_now(), 0);
    set_bank(9, CORRECTED, 0x12345000);
    assert_int_equal(ras_poll_now(), 1);
    r = only_record();
    assert_false(r->urgent);
    assert_int_equal(r->data->where, VIGIL_MCE_POLLED);
    assert_int_equal(r->data->bank[0].addr, 0x12345000);
    assert_int_equal(bank_now(9), 0);
    assert_non_null(strstr(fake_printk_last, "corrected"));
    assert_non_null(strstr(fake_printk_last, "12345000"));
    assert_int_equal(ras_counters.mce_corrected, 1);
    assert_int_equal(this_cpu()->work & WORK_MCE, WORK_MCE);
    assert_false(poll_owns(9, CORRECTED));
}

static uint64_t interval(void)
{
    return armed_timer->deadline_ns - fake_now_ns;
}

static void interval_adapts(void **state)
{
    (void)state;
    ras_poll_init();
    ras_poll_cpu_init();
    assert_int_equal(interval(), 2000000000);
    for (unsigned int i = 0; i < 5; i++) {
        armed_timer->fn(armed_timer->arg);
    }
    assert_int_equal(interval(), 16000000000);
    for (unsigned int i = 0; i < 5; i++) {
        set_bank(0, CORRECTED, 0x1000);
        armed_timer->fn(armed_timer->arg);
    }
    assert_int_equal(interval(), 2000000000);
    drain();
}

static void stage_srao(uint64_t addr)
{
    assert_int_equal(inject_stage(MSR_MCx_STATUS(7), SRAO), 0);
    assert_int_equal(inject_stage(MSR_MCx_MISC(7), 0x86), 0);
    assert_int_equal(inject_stage(MSR_MCx_ADDR(7), addr), 0);
    assert_int_equal(inject_stage(MSR_MCG_STATUS, 5), 0);
}

static void injected(void **state)
{
    struct mce_record *r;

    (void)state;
    stage_srao(0x4444000);
    /* Not visible before it is armed. */
    assert_int_equal(ras_poll_now(), 0);
    inject_check();
    r = only_record();
    assert_int_equal(r->data->bank[0].bank, 7);
    assert_int_equal(r->data->bank[0].addr, 0x4444000);
    assert_int_equal(r->data->mcg_status, 5);
    /* The hardware was not touched, and the values are gone. */
    assert_int_equal(fake_msr_writes(MSR_MCx_STATUS(7)), 0);
    fake_msr_set(MSR_MCG_STATUS, 5);
    inject_check();
    assert_int_equal(only_record()->data->banks, 0);
}

/* A real one, once the values are armed, must not keep its MCIP. */
static void real_one_in_between(void **state)
{
    (void)state;
    stage_srao(0x4444000);
    fake_msr_set(MSR_MCG_STATUS, 5);
    inject_check();
    assert_int_equal(only_record()->data->bank[0].bank, 7);
    assert_int_equal(fake_msr_get(MSR_MCG_STATUS), 0);
}

/* The tool says that there is an address, and gives none. */
static void injected_without_address(void **state)
{
    struct mce_record *r;

    (void)state;
    fake_msr_fault(MSR_MCx_ADDR(7), true, true);
    fake_msr_fault(MSR_MCx_MISC(7), true, true);
    assert_int_equal(inject_stage(MSR_MCx_STATUS(7), SRAO), 0);
    assert_int_equal(inject_stage(MSR_MCG_STATUS, 5), 0);
    inject_check();
    r = only_record();
    assert_int_equal(r->data->bank[0].addr, 0);
    assert_int_equal(r->data->bank[0].misc, 0);
}

/* What is not looked at is gone, too, and leaves no trace in the next. */
static void injected_in_vain(void **state)
{
    (void)state;
    assert_int_equal(inject_stage(MSR_MCx_ADDR(7), 0x5000), 0);
    assert_int_equal(inject_stage(MSR_MCG_STATUS, 5), 0);
    inject_poll();
    assert_null(record_consume());
    assert_int_equal(inject_stage(MSR_MCx_STATUS(7), SRAO), 0);
    inject_poll();
    assert_int_equal(only_record()->data->bank[0].addr, 0);
    fake_msr_set(MSR_MCG_STATUS, 1);
    inject_check();
    assert_int_equal(only_record()->data->mcg_status, 1);
}

static void injected_for_the_poller(void **state)
{
    (void)state;
    assert_int_equal(inject_stage(MSR_MCx_STATUS(8), 0x9400000000000090), 0);
    assert_int_equal(inject_stage(MSR_MCx_ADDR(8), 0x7000), 0);
    inject_poll();
    assert_int_equal(only_record()->data->bank[0].addr, 0x7000);
    inject_poll();
    assert_null(record_consume());
}

static void staging_is_checked(void **state)
{
    unsigned int staged = 0;

    (void)state;
    assert_int_equal(inject_stage(MSR_MCx_CTL(1), 1), -EINVAL);
    assert_int_equal(inject_stage(MSR_MCx_STATUS(BANKS), 1), -EINVAL);
    assert_int_equal(inject_stage(MSR_EFER, 1), -EINVAL);
    assert_int_equal(inject_stage(MSR_MCG_CAP, 1), -EINVAL);
    for (unsigned int i = 0; i < BANKS; i++) {
        staged += inject_stage(MSR_MCx_STATUS(i), 0) == 0;
        staged += inject_stage(MSR_MCx_ADDR(i), 0) == 0;
        staged += inject_stage(MSR_MCx_MISC(i), 0) == 0;
    }
    assert_int_equal(staged, 3 * BANKS);
    /* Staged again: replaced, not added. */
    assert_int_equal(inject_stage(MSR_MCx_STATUS(0), 0), 0);
}

/* ---- the lines ---- */

/* The machine check itself writes none of them. */
static void told_later(void **state)
{
    struct mce_record *r;

    (void)state;
    set_bank(9, SRAO, 0x1e345040);
    set_bank(3, CORRECTED, 0x5000);
    fake_msr_set(MSR_MCG_STATUS, 5);
    ras_mce(&in_guest);
    assert_int_equal(fake_printk_count, 0);
    r = only_record();
    assert_int_equal(fake_printk_count, 3);
    assert_true(fake_printk_said("machine check on CPU 0 in guest d2v0, rip "
                                 "0x1000, MCG_STATUS 0x5"));
    assert_true(fake_printk_said("bank 3 status 0x9c00000000000090 addr "
                                 "0x5000 misc 0x8c (memory controller: read)"));
    assert_true(fake_printk_said("bank 9 status 0xbd000000000000c0"));
    /* Once. */
    mce_words_say(r);
    assert_int_equal(fake_printk_count, 3);
}

/* Nobody has run since whose it was: the record says it, not the moment. */
static void told_of_then(void **state)
{
    (void)state;
    tenant_set(7, 3);
    set_bank(9, SRAO, 0x1e345040);
    fake_msr_set(MSR_MCG_STATUS, 5);
    ras_mce(&in_hv);
    tenant_set(TENANT_NONE, 0);
    (void)only_record();
    assert_true(fake_printk_said("in hypervisor for d7v3, rip "
                                 "0xffff82d080201000"));
}

static void silence_is_told(void **state)
{
    (void)state;
    fake_msr_set(MSR_MCG_STATUS, 5);
    ras_mce(&in_guest);
    assert_int_equal(fake_printk_count, 0);
    (void)only_record();
    assert_int_equal(fake_printk_count, 2);
    assert_true(fake_printk_said("machine check: no bank"));
}

/* Who cannot count on a later moment writes at once, and nobody again. */
static void told_at_once(void)
{
    set_bank(9, SRAO, 0x1e345040);
    fake_msr_set(MSR_MCG_STATUS, 5);
    ras_mce(&in_guest);
    assert_int_equal(fake_printk_count, 2);
    assert_true(fake_printk_said("machine check on CPU 0"));
    assert_true(fake_printk_said("bank 9"));
    (void)only_record();
    assert_int_equal(fake_printk_count, 2);
}

static void told_at_once_without_box(void **state)
{
    (void)state;
    fake_box_is_there = false;
    told_at_once();
}

static void told_at_once_dying(void **state)
{
    (void)state;
    fake_dying = true;
    told_at_once();
}

static void told_before_the_panic(void **state)
{
    (void)state;
    set_bank(2, CORRECTED, 0x3000);
    set_bank(4, FATAL, 0x1000);
    fake_msr_set(MSR_MCG_STATUS, 4);
    EXPECT_PANIC(ras_mce(&in_guest));
    assert_int_equal(fake_printk_count, 3);
    assert_true(fake_printk_said("bank 2"));
    assert_true(fake_printk_said("bank 4"));
    (void)only_record();
    assert_int_equal(fake_printk_count, 3);
}

/* All records are taken: the log is what is left. */
static void told_without_record(void **state)
{
    struct mce_record *all[MCE_RECORDS];
    unsigned int n = 0;

    (void)state;
    while (n < MCE_RECORDS && (all[n] = record_reserve(true)) != NULL) {
        n++;
    }
    set_bank(1, SRAO, 0x2000);
    set_bank(2, CORRECTED, 0x3000);
    fake_msr_set(MSR_MCG_STATUS, 5);
    ras_mce(&in_guest);
    assert_int_equal(fake_printk_count, 3);
    assert_true(fake_printk_said("machine check on CPU 0 in guest d2v0"));
    assert_true(fake_printk_said("bank 1 status 0xbd000000000000c0"));
    assert_true(fake_printk_said("bank 2 status 0x9c00000000000090"));
    fake_printk_forget();
    ras_mce(&in_guest); /* no bank this time */
    assert_int_equal(fake_printk_count, 5);
    assert_true(fake_printk_said("machine check: no bank"));
    while (n > 0) {
        record_dismiss(all[--n]);
    }
}

/* The box has it from the machine check on, until somebody collects it. */
static void kept_in_the_box(void **state)
{
    const unsigned int written = fake_box_written;
    struct mce_record *r;

    (void)state;
    set_bank(9, SRAO, 0x1e345040);
    fake_msr_set(MSR_MCG_STATUS, 5);
    ras_mce(&in_guest);
    assert_int_equal(fake_box_written, written + 1);
    r = only_record();
    assert_true(r->data >= fake_box && r->data < fake_box + FAKE_BOX_RECORDS);
    assert_int_not_equal(r->data->seq, 0);
    assert_int_equal(r->data->bank[0].addr, 0x1e345040);
    assert_int_equal(record_acknowledge(true, r->data->seq), 0);
    assert_int_equal(r->data->seq, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(banks_are_switched_on, set_up),
        cmocka_unit_test_setup(harvested_at_boot, set_up),
        cmocka_unit_test_setup(recoverable, set_up),
        cmocka_unit_test_setup(consumed_by_guest, set_up),
        cmocka_unit_test_setup(fatal_leaves_the_banks, set_up),
        cmocka_unit_test_setup(worst_bank_decides, set_up),
        cmocka_unit_test_setup(silent_machine_check, set_up),
        cmocka_unit_test_setup(no_mca_at_all, set_up),
        cmocka_unit_test_setup(no_room_for_a_needed_record, set_up),
        cmocka_unit_test_setup(polled, set_up),
        cmocka_unit_test_setup(interval_adapts, set_up),
        cmocka_unit_test_setup(injected, set_up),
        cmocka_unit_test_setup(real_one_in_between, set_up),
        cmocka_unit_test_setup(injected_without_address, set_up),
        cmocka_unit_test_setup(injected_in_vain, set_up),
        cmocka_unit_test_setup(injected_for_the_poller, set_up),
        cmocka_unit_test_setup(staging_is_checked, set_up),
        cmocka_unit_test_setup(told_later, set_up),
        cmocka_unit_test_setup(told_of_then, set_up),
        cmocka_unit_test_setup(silence_is_told, set_up),
        cmocka_unit_test_setup(told_at_once_without_box, set_up),
        cmocka_unit_test_setup(told_at_once_dying, set_up),
        cmocka_unit_test_setup(told_before_the_panic, set_up),
        cmocka_unit_test_setup(told_without_record, set_up),
        cmocka_unit_test_setup(kept_in_the_box, set_up),
    };

    return UNIT_RUN(tests);
}
