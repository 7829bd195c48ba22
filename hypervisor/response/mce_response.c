/* SPDX-License-Identifier: MIT */
/*
 * response/mce_response.c - for each committed record: what happened, who is
 * hurt, what we do.
 *
 * The interrupted vcpu does not run before this is through: #MC from a guest
 * leaves by the exit path, which comes here first.
 */
#include "response/mce_response.h"

#include <vigil/vigil_op.h>

#include "lib/errno.h"
#include "lib/panic.h"
#include "log/printk.h"
#include "mm/m2p.h"
#include "ras/mca_regs.h"
#include "ras/mce_words.h"
#include "ras/record.h"
#include "domain/death.h"
#include "domain/domain.h"
#include "response/poison.h"
#include "response/telemetry.h"
#include "response/vmce.h"

/* One bank of one record, with what has been found out about it. */
struct incident {
    const struct vigil_mce_record *record;
    struct vigil_mce_bank *bank;
    struct poison poison;
};

static bool was_consumed(const struct incident *i)
{
    return i->bank->grade == VIGIL_MCE_ACTION;
}

/* Does the bank name a machine address? */
static bool address_is_usable(const struct vigil_mce_record *d,
                              const struct vigil_mce_bank *b)
{
    if ((b->status & MCI_ADDRV) == 0) {
        return false;
    }
    /* Only with SER_P does MISC say what kind of address it is. */
    if ((d->mcg_cap & MCG_CAP_SER_P) == 0 || (b->status & MCI_MISCV) == 0) {
        return true;
    }
    return MCI_MISC_MODE(b->misc) == MCI_MISC_PHYSICAL;
}

/* The guest the processor served is lost. */
static void kill_consumer(const struct incident *i, const char *why)
{
    struct domain *d;

    if (i->record->domid == VIGIL_MCE_NO_DOMAIN) {
        return;
    }
    d = domain_get(i->record->domid);
    if (d == NULL) {
        return;
    }
    i->bank->action = VIGIL_MCE_DID_KILL;
    death_set_maddr(i->bank->addr);
    domain_crash(d, VIGIL_DEATH_MEMORY_ERROR,
                 "memory error: %s: machine address 0x%lx, bank %u status "
                 "0x%lx",
                 why, i->bank->addr, i->bank->bank, i->bank->status);
    death_set_maddr(0);
    domain_put(d);
}

static void kill_unable(struct domain *d, const struct incident *i, int rc)
{
    bool overrun = rc == -EBUSY;

    i->bank->action = VIGIL_MCE_DID_KILL;
    death_set_maddr(i->bank->addr);
    domain_crash(d,
                 overrun ? VIGIL_DEATH_VMCE_OVERRUN : VIGIL_DEATH_VMCE_UNHANDLED,
                 "memory error at machine address 0x%lx (its frame 0x%lx), %s",
                 i->bank->addr, i->poison.pfn,
                 overrun ? "while it handles another machine check"
                         : "and it has no machine-check handler");
    death_set_maddr(0);
}

/* Tell a domain of its bad page; it is killed if it cannot be told. */
static void tell_domain(struct domain *d, const struct incident *i, int vcpu,
                        uint64_t pfn, bool required)
{
    const struct vmce e = {
        .source = i->bank,
        .required = required,
        .pfn = pfn,
    };
    int rc;

    if (d->state != DOMAIN_RUNNING) {
        pr_warn("machine check: d%u does not run: it is not told", d->domid);
        i->bank->action = VIGIL_MCE_DID_MARK;
        return;
    }
    rc = vmce_deliver(d, vcpu, &e);
    if (rc == -ENOSPC) {
        pr_warn("machine check: d%u has too many waiting: it is told only that "
                "it missed some, its frame 0x%lx",
                d->domid, pfn);
        i->bank->action = VIGIL_MCE_DID_MARK;
        return;
    }
    if (rc != 0) {
        kill_unable(d, i, rc);
        return;
    }
    i->bank->action = VIGIL_MCE_DID_VMCE;
    pr_notice("machine check: d%u gets a virtual one, %s, its frame 0x%lx",
              d->domid, required ? "action required" : "action optional", pfn);
}

static void in_domain(struct incident *i)
{
    bool own = i->poison.owner == i->record->domid;
    bool consumed = was_consumed(i);
    struct domain *d = domain_get(i->poison.owner);

    if (d != NULL) {
        tell_domain(d, i, consumed && own ? i->record->vcpu : -1,
                    i->poison.pfn, consumed && own);
        domain_put(d);
    }
    if (!consumed || own) {
        return;
    }
    /* Somebody else's memory, mapped: the number would mean nothing here. */
    d = domain_get(i->record->domid);
    if (d != NULL) {
        tell_domain(d, i, i->record->vcpu, M2P_INVALID, true);
        domain_put(d);
    }
}

static void in_shared_page(struct incident *i)
{
    struct domain *d = domain_get(i->poison.owner);

    if (d == NULL) {
        return;
    }
    i->bank->action = VIGIL_MCE_DID_KILL;
    death_set_maddr(i->bank->addr);
    domain_crash(d, VIGIL_DEATH_MEMORY_ERROR,
                 "memory error at machine address 0x%lx, in a page it shares "
                 "with the hypervisor",
                 i->bank->addr);
    death_set_maddr(0);
    domain_put(d);
}

static void in_hypervisor(struct incident *i)
{
    if (was_consumed(i)) {
        panic("machine check: the hypervisor's memory at 0x%lx is bad and "
              "was used: bank %u status 0x%lx misc 0x%lx",
              i->bank->addr, i->bank->bank, i->bank->status, i->bank->misc);
    }
    i->bank->action = VIGIL_MCE_DID_DEGRADED;
    pr_err("machine check: the hypervisor's memory at 0x%lx is bad; nobody "
           "has used it yet, restart this machine soon",
           i->bank->addr);
}

static void respond_to_memory(struct incident *i)
{
    poison_mark(i->bank->addr, &i->poison);
    switch (i->poison.victim) {
    case POISON_NOT_RAM:
        pr_warn("machine check: 0x%lx is not memory Vigil manages",
                i->bank->addr);
        if (was_consumed(i)) {
            kill_consumer(i, "address is not memory");
        }
        break;
    case POISON_NOBODY:
        i->bank->action = VIGIL_MCE_DID_OFFLINE;
        pr_notice("machine check: frame 0x%lx was free, now out of service",
                  mfn_x(i->poison.mfn));
        break;
    case POISON_DOMAIN:
        i->bank->owner = i->poison.owner;
        in_domain(i);
        break;
    case POISON_SHARED:
        i->bank->owner = i->poison.owner;
        in_shared_page(i);
        break;
    case POISON_HYPERVISOR:
        in_hypervisor(i);
        break;
    }
}

static void respond(struct vigil_mce_record *d, struct vigil_mce_bank *b)
{
    struct incident i = {.record = d, .bank = b};

    if (b->grade < VIGIL_MCE_LATER) {
        return;
    }
    if (address_is_usable(d, b)) {
        respond_to_memory(&i);
    } else if (was_consumed(&i)) {
        kill_consumer(&i, "its address is unknown");
    }
    if (b->grade == VIGIL_MCE_KILL) {
        kill_consumer(&i, "the guest cannot be resumed");
    }
}

void mce_response_run(void)
{
    struct mce_record *r;

    while ((r = record_consume()) != NULL) {
        mce_words_say(r);
        for (unsigned int i = 0; i < r->data->banks; i++) {
            respond(r->data, &r->data->bank[i]);
        }
        telemetry_publish(r);
    }
}
