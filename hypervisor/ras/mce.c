/* SPDX-License-Identifier: MIT */
/*
 * ras/mce.c - the #MC conductor.
 *
 * Never silent: a machine check for which no bank speaks up is recorded and
 * logged too.  One CPU so far, hence no rendezvous; a broadcast one is
 * handled by each CPU alone.
 */
#include "ras/mce.h"

#include "x86/atomic.h"
#include "x86/percpu.h"
#include "log/printk.h"
#include "crash/panic.h"
#include "ras/bank.h"
#include "ras/decode.h"
#include "ras/mca_regs.h"
#include "ras/mce_words.h"
#include "ras/poll.h"
#include "ras/record.h"

struct ras_counters ras_counters;

/* What one #MC amounts to, gathered bank by bank. */
struct capture {
    const struct mce_situation *at;
    const struct cpu_regs *regs;
    struct mce_record *open;     /* being filled; NULL: none             */
    const struct mce_rule *worst;
    struct mca_bank_regs worst_bank;
    unsigned int banks;
    unsigned int records;
    uint32_t seen;     /* bit per bank, to be cleared                    */
    bool lost;         /* there was no record for one that needs an action */
    bool is_told;      /* its first line has been written                */
};

/* Nobody may come to write its lines later: mce_words.h. */
static NMI_SAFE bool is_last_chance(const struct capture *c)
{
    return !record_outlives_reset(c->open) || crash_in_progress() || c->lost ||
           c->worst->grade >= MCE_FATAL;
}

static NMI_SAFE void close_record(struct capture *c)
{
    if (c->open == NULL) {
        return;
    }
    c->open->goes_on = c->is_told || c->records > 1;
    if (is_last_chance(c)) {
        mce_words_say(c->open);
        c->is_told = true;
    }
    record_commit(c->open);
    c->open = NULL;
}

static NMI_SAFE struct mce_record *open_record(struct capture *c)
{
    if (c->open == NULL) {
        c->open = record_reserve(true);
        if (c->open != NULL) {
            c->records++;
            record_describe(c->open, c->at, c->regs);
        }
    }
    return c->open;
}

static NMI_SAFE void keep(struct capture *c, const struct mca_bank_regs *b,
                          const struct mce_rule *rule)
{
    if (open_record(c) != NULL && !record_add_bank(c->open, b, rule)) {
        close_record(c);
        /* A fresh record has room: false only if there is none. */
        if (open_record(c) != NULL && !record_add_bank(c->open, b, rule)) {
            c->lost = true;
        }
    }
    if (c->open == NULL) {
        c->lost = c->lost || rule->grade >= MCE_ACTION;
        mce_words_say_lost(c->at, c->regs, b,
                           c->is_told || c->records != 0);
        c->is_told = true;
    }
}

static NMI_SAFE void capture_bank(struct capture *c,
                                  const struct mca_bank_regs *b)
{
    const struct mce_rule *rule = mce_grade(b->status, c->at);

    c->banks++;
    c->seen |= 1u << b->bank;
    if ((b->status & MCI_UC) == 0) {
        (void)atomic_add(&ras_counters.mce_corrected, 1);
    } else if (rule->grade < MCE_FATAL) {
        (void)atomic_add(&ras_counters.mce_recovered, 1);
    }
    if (c->worst == NULL || rule->grade > c->worst->grade) {
        c->worst = rule;
        c->worst_bank = *b;
    }
    keep(c, b, rule);
}

/* No bank holds an error: that is a record too. */
static NMI_SAFE void capture_nothing(struct capture *c)
{
    c->worst = mce_grade(0, c->at);
    c->worst_bank = (struct mca_bank_regs){0};
    if (open_record(c) != NULL) {
        c->open->data->grade = c->worst->grade;
        return;
    }
    mce_words_say_lost(c->at, c->regs, &c->worst_bank, false);
    c->is_told = true;
}

static NMI_SAFE void capture_all(struct capture *c)
{
    unsigned int owned = 0;

    for (unsigned int i = 0; i < bank_count(); i++) {
        struct mca_bank_regs b;

        if (!bank_read(i, &b)) {
            continue;
        }
        if (poll_owns(i, b.status)) {
            owned++;
            continue;
        }
        capture_bank(c, &b);
    }
    if (c->banks == 0 && (owned == 0 || (c->at->mcg_status & MCG_RIPV) == 0)) {
        capture_nothing(c);
    }
    close_record(c);
    if (c->records == 0 && !c->is_told) {
        mce_words_say_lost(c->at, c->regs, NULL, false);
    }
}

static NMI_SAFE void panic_if_fatal(const struct capture *c)
{
    const struct mca_bank_regs *b = &c->worst_bank;
    char who[CONTEXT_TEXT_BYTES];

    if (c->worst->grade < MCE_FATAL && !c->lost) {
        return;
    }
    panic_regs(c->regs,
               "machine check: %s: %s: bank %u status 0x%lx addr 0x%lx misc "
               "0x%lx MCG_STATUS 0x%lx in %s",
               c->lost ? "no room for a record" : c->worst->why,
               mce_code_name(b->status), b->bank, b->status, b->addr, b->misc,
               c->at->mcg_status,
               describe_context(who, c->at->where == MCE_AT_GUEST));
}

NMI_SAFE void ras_mce(struct cpu_regs *regs)
{
    struct mce_situation at = {
        .where = regs_from_guest(regs) ? MCE_AT_GUEST : MCE_AT_HV,
    };
    struct capture c = {.at = &at, .regs = regs};

    /* CR4.MCE is on long before ras_init(). */
    bank_probe();
    at.mcg_status = bank_mcg_status();
    at.kind = bank_kind();
    (void)atomic_add(&ras_counters.mce_total, 1);
    capture_all(&c);
    if (c.worst != NULL) {
        panic_if_fatal(&c);
    }
    for (unsigned int i = 0; i < bank_count(); i++) {
        if ((c.seen >> i & 1) != 0) {
            bank_clear(i);
        }
    }
    (void)atomic_or(&this_cpu()->work, WORK_MCE);
}

NMI_SAFE void ras_mce_end(void)
{
    bank_mcg_clear();
}

void mce_count_polled(uint64_t status)
{
    if ((status & MCI_UC) == 0) {
        (void)atomic_add(&ras_counters.mce_corrected, 1);
    } else {
        (void)atomic_add(&ras_counters.mce_recovered, 1);
    }
}

void ras_cpu_init(void)
{
    unsigned int found;

    bank_probe();
    if (bank_count() == 0) {
        return;
    }
    found = ras_poll_harvest();
    bank_cpu_init();
    if (found != 0) {
        pr_info("ras: errors left from before the reset on CPU %u",
                this_cpu_id());
    }
}

void ras_init(void)
{
    unsigned int found;

    bank_probe();
    if (bank_count() == 0) {
        pr_warn("ras: this processor has no machine-check banks");
        return;
    }
    found = ras_poll_harvest();
    bank_cpu_init();
    pr_info("ras: %u machine-check banks, MCG_CAP 0x%lx, %s%s", bank_count(),
            bank_mcg_cap(),
            bank_kind() == MCE_KIND_PLAIN ? "no recovery" : "with recovery",
            found != 0 ? ", errors left from before the reset" : "");
}
