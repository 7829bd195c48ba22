/* SPDX-License-Identifier: MIT */
/*
 * ras/mce_words.c - the lines of a machine check.
 *
 * What a bank's registers mean is worked out once more from the record: grading
 * depends on nothing else.
 */
#include "ras/mce_words.h"

#include "log/printk.h"
#include "cpu/tenant.h"
#include "ras/decode.h"
#include "ras/mca_regs.h"

/* Where and when: from a record, or of this moment where there is none. */
struct place {
    struct mce_situation at;
    struct tenant tenant;
    uint64_t rip;
    struct log_tag tag;
};

static NMI_SAFE struct place place_of(const struct vigil_mce_record *d)
{
    return (struct place){
        .at = {.mcg_status = d->mcg_status, .where = d->where,
               .kind = bank_kind()},
        .tenant = {.domid = d->domid, .vcpu = d->vcpu},
        .rip = d->rip,
        .tag = {.context = LOG_CTX_MC, .cpu = (uint16_t)d->cpu, .tsc = d->tsc},
    };
}

static NMI_SAFE void say_where(struct place *p)
{
    char who[CONTEXT_TEXT_BYTES];

    p->tag.level = LOG_ERROR;
    log_seen(&p->tag,
             "machine check on CPU %u in %s, rip 0x%lx, MCG_STATUS 0x%lx",
             p->tag.cpu,
             describe_tenant(who, p->at.where == MCE_AT_GUEST, p->tenant),
             p->rip, p->at.mcg_status);
}

static NMI_SAFE void say_bank(struct place *p, const struct mca_bank_regs *b)
{
    const struct mce_rule *rule = mce_grade(b->status, &p->at);

    p->tag.level = rule->grade > MCE_LOG ? LOG_ERROR : LOG_WARNING;
    log_seen(&p->tag,
             "machine check: bank %u status 0x%lx addr 0x%lx misc 0x%lx (%s): "
             "%s",
             b->bank, b->status, b->addr, b->misc, mce_code_name(b->status),
             rule->why);
}

static NMI_SAFE void say_nothing(struct place *p)
{
    p->tag.level = LOG_ERROR;
    log_seen(&p->tag, "machine check: %s", mce_grade(0, &p->at)->why);
}

NMI_SAFE void mce_words_say(struct mce_record *r)
{
    const struct vigil_mce_record *d = r->data;
    struct place p;

    if (r->is_told) {
        return;
    }
    r->is_told = true;
    p = place_of(d);
    if (!r->goes_on) {
        say_where(&p);
    }
    for (unsigned int i = 0; i < d->banks && i < VIGIL_MCE_BANKS; i++) {
        const struct mca_bank_regs b = {.bank = d->bank[i].bank,
                                        .status = d->bank[i].status,
                                        .addr = d->bank[i].addr,
                                        .misc = d->bank[i].misc};

        say_bank(&p, &b);
    }
    if (d->banks == 0) {
        say_nothing(&p);
    }
}

NMI_SAFE void mce_words_say_lost(const struct mce_situation *at,
                                 const struct cpu_regs *regs,
                                 const struct mca_bank_regs *bank,
                                 bool goes_on)
{
    struct place p = {.at = *at,
                      .tenant = tenant_now(),
                      .rip = regs->rip,
                      .tag = log_stamp(LOG_ERROR, 0)};

    if (!goes_on) {
        say_where(&p);
    }
    if (bank != NULL && bank->status != 0) {
        say_bank(&p, bank);
    } else if (bank != NULL) {
        say_nothing(&p);
    }
}
