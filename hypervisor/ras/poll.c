/* SPDX-License-Identifier: MIT */
/*
 * ras/poll.c - corrected errors, found by looking at the banks by the clock.
 *
 * A bank in hand:
 *
 *   1  read status                     a #MC here records and clears it
 *   2  in_hand = bank, status          from here a #MC leaves this error alone
 *   3  read status again: changed?     then 1 was overtaken, start over
 *   4  read the rest; changed?         then a worse error replaced it: over
 *   5  record, clear, in_hand = none
 */
#include "ras/poll.h"

#include "x86/atomic.h"
#include "x86/barrier.h"
#include "x86/percpu.h"
#include "log/printk.h"
#include "cpu/clock.h"
#include "cpu/softirq.h"
#include "cpu/timer.h"
#include "ras/bank.h"
#include "ras/decode.h"
#include "ras/mca_regs.h"
#include "ras/mce.h"
#include "ras/record.h"

#define NS_PER_S    1000000000ULL
#define INTERVAL_MIN (2 * NS_PER_S)
#define INTERVAL_MAX (16 * NS_PER_S)

/* Only the CPU itself and its own #MC. */
static struct {
    uint64_t status; /* 0: none in hand; written last, cleared first     */
    unsigned int bank;
} in_hand[NR_CPUS];

/* Each CPU looks at its own banks, by its own clock. */
static struct timer timer[NR_CPUS];
static uint64_t interval_ns[NR_CPUS];

NMI_SAFE bool poll_owns(unsigned int bank, uint64_t status)
{
    cpu_t cpu = this_cpu_id();

    return READ_ONCE(in_hand[cpu].status) == status &&
           in_hand[cpu].bank == bank;
}

static void take_in_hand(unsigned int bank, uint64_t status)
{
    cpu_t cpu = this_cpu_id();

    in_hand[cpu].bank = bank;
    barrier();
    WRITE_ONCE(in_hand[cpu].status, status);
    barrier();
}

static void let_go(void)
{
    barrier();
    WRITE_ONCE(in_hand[this_cpu_id()].status, 0);
}

/* Read a bank so that no #MC records it too; false: it holds no error. */
static bool claim(unsigned int bank, struct mca_bank_regs *ret_regs)
{
    /* A bank that changes for ever is left for the next time. */
    for (unsigned int tries = 0; tries < 8; tries++) {
        uint64_t status = bank_status(bank);

        if ((status & MCI_VAL) == 0) {
            return false;
        }
        take_in_hand(bank, status);
        if (bank_read(bank, ret_regs) && ret_regs->status == status &&
            bank_status(bank) == status) {
            return true;
        }
        let_go();
    }
    return false;
}

static void tell(const struct mca_bank_regs *b, const struct mce_rule *rule)
{
    printk(rule->grade > MCE_LOG ? LOG_ERROR : LOG_WARNING,
           "machine check: %s: bank %u status 0x%lx addr 0x%lx misc 0x%lx "
           "(%s), CPU %u",
           rule->why, b->bank, b->status, b->addr, b->misc,
           mce_code_name(b->status), this_cpu_id());
}

static void record(const struct mca_bank_regs *b,
                   const struct mce_situation *at, const struct mce_rule *rule)
{
    struct mce_record *r = record_reserve((b->status & MCI_UC) != 0);

    if (r == NULL) {
        return; /* counted; the log has it */
    }
    r->is_told = true;
    record_describe(r, at, NULL);
    if (!record_add_bank(r, b, rule)) {
        record_dismiss(r);
        return;
    }
    record_commit(r);
}

static unsigned int look(unsigned int where)
{
    struct mce_situation at = {.where = where, .kind = bank_kind()};
    unsigned int found = 0;

    for (unsigned int i = 0; i < bank_count(); i++) {
        const struct mce_rule *rule;
        struct mca_bank_regs b;

        if (!claim(i, &b)) {
            continue;
        }
        rule = mce_grade(b.status, &at);
        record(&b, &at, rule);
        bank_clear(i);
        let_go();
        tell(&b, rule);
        mce_count_polled(b.status);
        found++;
    }
    if (found != 0) {
        (void)atomic_or(&this_cpu()->work, WORK_MCE);
    }
    return found;
}

unsigned int ras_poll_now(void)
{
    return look(MCE_AT_POLL);
}

unsigned int ras_poll_harvest(void)
{
    return look(MCE_AT_BOOT);
}

static void poll_softirq(void)
{
    cpu_t cpu = this_cpu_id();

    if (ras_poll_now() != 0) {
        interval_ns[cpu] = MAX(interval_ns[cpu] / 2, INTERVAL_MIN);
    } else {
        interval_ns[cpu] = MIN(interval_ns[cpu] * 2, INTERVAL_MAX);
    }
    timer_set(&timer[cpu], clock_now_ns() + interval_ns[cpu]);
}

static void poll_due(void *arg)
{
    (void)arg;
    softirq_raise(SOFTIRQ_RAS);
}

void ras_poll_init(void)
{
    softirq_plug(SOFTIRQ_RAS, poll_softirq);
}

void ras_poll_cpu_init(void)
{
    cpu_t cpu = this_cpu_id();

    if (bank_count() == 0) {
        return;
    }
    interval_ns[cpu] = INTERVAL_MIN;
    timer_init(&timer[cpu], poll_due, NULL);
    timer_set(&timer[cpu], clock_now_ns() + INTERVAL_MIN);
}

void ras_poll_cpu_down(void)
{
    if (bank_count() != 0) {
        timer_stop(&timer[this_cpu_id()]);
    }
}
