/* SPDX-License-Identifier: MIT */
/*
 * ras/record.c - the pool of machine-check records.
 *
 * No lock: a record belongs to whoever moved its state by compare-and-swap.
 * A #MC may interrupt any line here and reserve or raid; it never touches a
 * record that is RESERVED, CONSUMING, or COMMITTED and urgent.
 */
#include "ras/record.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "x86/atomic.h"
#include "x86/percpu.h"
#include "x86/tsc.h"
#include "cpu/tenant.h"
#include "crash/blackbox.h"
#include "crash/notes.h"

static struct mce_record pool[MCE_RECORDS];
/* For records begun before there is a box, without one, and once it is sealed. */
static struct vigil_mce_record nowhere[MCE_RECORDS];
static uint64_t last_seq; /* a */
static uint64_t lost;     /* a */

static NMI_SAFE bool move(struct mce_record *r, enum mce_record_state from,
                          enum mce_record_state to)
{
    return atomic_cas(&r->state, (uint32_t)from, (uint32_t)to);
}

/* The oldest record of a class in a state. */
static NMI_SAFE struct mce_record *oldest(enum mce_record_state state,
                                          bool urgent)
{
    struct mce_record *found = NULL;

    for (unsigned int i = 0; i < MCE_RECORDS; i++) {
        struct mce_record *r = &pool[i];

        if (atomic_load(&r->state) == (uint32_t)state && r->urgent == urgent &&
            (found == NULL || r->data->seq < found->data->seq)) {
            found = r;
        }
    }
    return found;
}

static NMI_SAFE struct mce_record *raid(enum mce_record_state state,
                                        bool urgent)
{
    struct mce_record *r;

    /* Each failure means that somebody else took one: bounded. */
    for (unsigned int tries = 0; tries < MCE_RECORDS; tries++) {
        r = oldest(state, urgent);
        if (r == NULL) {
            return NULL;
        }
        if (!move(r, state, MCE_RECORD_RESERVED)) {
            continue;
        }
        if (r->urgent == urgent) {
            (void)atomic_add(&lost, 1);
            return r;
        }
        /* Others have emptied and filled it since it was looked at. */
        atomic_store(&r->state, (uint32_t)state);
    }
    return NULL;
}

static NMI_SAFE struct mce_record *take(bool urgent)
{
    struct mce_record *r;

    for (unsigned int i = 0; i < MCE_RECORDS; i++) {
        if (move(&pool[i], MCE_RECORD_FREE, MCE_RECORD_RESERVED)) {
            return &pool[i];
        }
    }
    r = raid(MCE_RECORD_HELD, false);
    if (r == NULL) {
        r = raid(MCE_RECORD_COMMITTED, false);
    }
    if (r == NULL && urgent) {
        r = raid(MCE_RECORD_HELD, true);
    }
    if (r == NULL) {
        (void)atomic_add(&lost, 1);
    }
    return r;
}

static NMI_SAFE unsigned int index_of(const struct mce_record *r)
{
    return (unsigned int)(r - pool);
}

NMI_SAFE struct mce_record *record_reserve(bool urgent)
{
    struct mce_record *r = take(urgent);

    if (r != NULL) {
        r->data = blackbox_mce_slot(index_of(r));
        if (r->data == NULL) {
            r->data = &nowhere[index_of(r)];
        }
        /* First, so that no reset leaves a mixture that looks like a record. */
        WRITE_ONCE(r->data->seq, 0);
        memset(r->data, 0, offsetof(struct vigil_mce_record, bank));
        r->urgent = urgent;
        r->is_told = false;
        r->goes_on = false;
    }
    return r;
}

NMI_SAFE bool record_outlives_reset(const struct mce_record *r)
{
    return r->data != &nowhere[index_of(r)];
}

NMI_SAFE void record_describe(struct mce_record *r,
                              const struct mce_situation *at,
                              const struct cpu_regs *regs)
{
    const struct cpu_block *cb = this_cpu();
    struct tenant t = tenant_now();

    r->data->tsc = rdtsc();
    r->data->mcg_status = at->mcg_status;
    r->data->mcg_cap = bank_mcg_cap();
    r->data->where = (uint16_t)at->where;
    r->data->cpu = cb->cpu_id;
    r->data->apic_id = cb->apic_id;
    r->data->domid = t.domid;
    r->data->vcpu = t.vcpu;
    if (regs != NULL) {
        r->data->rip = regs->rip;
        r->data->cs = regs->cs;
    }
}

NMI_SAFE bool record_add_bank(struct mce_record *r,
                              const struct mca_bank_regs *bank,
                              const struct mce_rule *rule)
{
    struct vigil_mce_bank *b;

    if (r->data->banks >= VIGIL_MCE_BANKS) {
        return false;
    }
    b = &r->data->bank[r->data->banks++];
    *b = (struct vigil_mce_bank){.status = bank->status,
                                 .addr = bank->addr,
                                 .misc = bank->misc,
                                 .bank = (uint16_t)bank->bank,
                                 .owner = VIGIL_MCE_NO_DOMAIN,
                                 .grade = rule->grade};
    if (rule->grade > r->data->grade) {
        r->data->grade = rule->grade;
    }
    return true;
}

NMI_SAFE void record_commit(struct mce_record *r)
{
    atomic_store(&r->data->seq, atomic_add(&last_seq, 1) + 1);
    if (record_outlives_reset(r)) {
        blackbox_mce_written(index_of(r));
    }
    atomic_store(&r->state, (uint32_t)MCE_RECORD_COMMITTED);
}

NMI_SAFE void record_dismiss(struct mce_record *r)
{
    atomic_store(&r->state, (uint32_t)MCE_RECORD_FREE);
}

struct mce_record *record_consume(void)
{
    struct mce_record *r, *other;

    do {
        r = oldest(MCE_RECORD_COMMITTED, true);
        other = oldest(MCE_RECORD_COMMITTED, false);
        if (r == NULL || (other != NULL && other->data->seq < r->data->seq)) {
            r = other;
        }
        if (r == NULL) {
            return NULL;
        }
    } while (!move(r, MCE_RECORD_COMMITTED, MCE_RECORD_CONSUMING));
    return r;
}

void record_hold(struct mce_record *r)
{
    atomic_store(&r->state, (uint32_t)MCE_RECORD_HELD);
}

int record_fetch(bool urgent, struct vigil_mce_record *ret_data)
{
    const struct mce_record *r;
    uint64_t seq;

    for (;;) {
        r = oldest(MCE_RECORD_HELD, urgent);
        if (r == NULL) {
            return -ENOENT;
        }
        seq = r->data->seq;
        memcpy(ret_data, r->data, sizeof(*ret_data));
        /* A #MC may have raided it meanwhile: then the number differs. */
        if (atomic_load(&r->state) == MCE_RECORD_HELD && seq == r->data->seq &&
            seq == ret_data->seq) {
            return 0;
        }
    }
}

int record_acknowledge(bool urgent, uint64_t seq)
{
    for (unsigned int i = 0; i < MCE_RECORDS; i++) {
        struct mce_record *r = &pool[i];

        if (atomic_load(&r->state) != MCE_RECORD_HELD ||
            r->data->seq != seq || r->urgent != urgent ||
            !move(r, MCE_RECORD_HELD, MCE_RECORD_CONSUMING)) {
            continue;
        }
        if (r->data->seq == seq) {
            /* It is collected: not for the next boot any more. */
            WRITE_ONCE(r->data->seq, 0);
            record_dismiss(r);
            return 0;
        }
        /* Raided, filled and held since it was looked at: another one. */
        record_hold(r);
    }
    return -ENOENT;
}

uint64_t record_lost(void)
{
    return atomic_load(&lost);
}

unsigned int record_count(enum mce_record_state state)
{
    unsigned int n = 0;

    for (unsigned int i = 0; i < MCE_RECORDS; i++) {
        n += atomic_load(&pool[i].state) == (uint32_t)state;
    }
    return n;
}

static void note_record(const struct vigil_mce_record *d)
{
    crash_note("machine-check record %lu: %s, MCG_STATUS 0x%lx, rip 0x%lx, "
               "%u banks",
               d->seq, mce_grade_name(d->grade), d->mcg_status, d->rip,
               d->banks);
    for (unsigned int i = 0; i < d->banks && i < VIGIL_MCE_BANKS; i++) {
        crash_note("  bank %u: status 0x%lx addr 0x%lx misc 0x%lx",
                   d->bank[i].bank, d->bank[i].status, d->bank[i].addr,
                   d->bank[i].misc);
    }
}

static const struct mce_record *next_after(uint64_t seq)
{
    const struct mce_record *next = NULL;

    for (unsigned int i = 0; i < MCE_RECORDS; i++) {
        const struct mce_record *r = &pool[i];

        if (r->state >= MCE_RECORD_COMMITTED && r->data->seq > seq &&
            (next == NULL || r->data->seq < next->data->seq)) {
            next = r;
        }
    }
    return next;
}

/* Dying: nobody fetches the rest any more. */
static void records_note(void)
{
    const struct mce_record *r;
    uint64_t seq = 0;

    if (record_lost() != 0) {
        crash_note("%lu machine-check records lost", record_lost());
    }
    while ((r = next_after(seq)) != NULL) {
        seq = r->data->seq;
        note_record(r->data);
    }
}
CRASH_NOTE(machine_checks, records_note);
