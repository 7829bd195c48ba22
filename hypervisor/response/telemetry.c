/* SPDX-License-Identifier: MIT */
/*
 * response/telemetry.c - machine-check records for the control domain.
 *
 * Readers walk the entries by their size and stop at one of size 0, so what
 * lies behind the last entry must be zero.
 */
#include "response/telemetry.h"

#include "lib/string.h"
#include "x86/page.h"
#include "ras/mca_regs.h"
#include "domain/virq.h"

_Static_assert(sizeof(struct mcinfo_global) +
                       VIGIL_MCE_BANKS * sizeof(struct mcinfo_bank) <=
                   sizeof(((struct mc_info *)NULL)->mi_data),
               "a record's banks fit");

struct builder {
    struct mc_info *info;
    size_t used; /* bytes of mi_data */
};

/* Room for an entry with its head filled in; NULL: full. */
static void *add_entry(struct builder *b, uint16_t type, size_t bytes)
{
    struct mcinfo_common *c;

    if (b->used + bytes > sizeof(b->info->mi_data)) {
        return NULL;
    }
    c = (void *)((char *)b->info->mi_data + b->used);
    c->type = type;
    c->size = (uint16_t)bytes;
    b->used += bytes;
    b->info->mi_nentries++;
    return c;
}

static uint32_t flags_of(const struct vigil_mce_record *d)
{
    uint32_t flags;

    switch (d->where) {
    case VIGIL_MCE_POLLED:
        flags = MC_FLAG_POLLED;
        break;
    case VIGIL_MCE_LEFT_OVER:
        flags = MC_FLAG_RESET;
        break;
    default:
        flags = MC_FLAG_MCE;
        break;
    }
    for (unsigned int i = 0; i < d->banks; i++) {
        if ((d->bank[i].status & MCI_UC) == 0) {
            flags |= MC_FLAG_CORRECTABLE;
        } else if (d->bank[i].grade < VIGIL_MCE_FATAL) {
            flags |= MC_FLAG_UNCORRECTABLE | MC_FLAG_RECOVERABLE;
        } else {
            flags |= MC_FLAG_UNCORRECTABLE;
        }
    }
    return flags;
}

static void add_global(struct builder *b, const struct vigil_mce_record *d)
{
    struct mcinfo_global *g = add_entry(b, MC_TYPE_GLOBAL, sizeof(*g));

    if (g == NULL) {
        return;
    }
    g->mc_domid = d->domid;
    g->mc_vcpuid = d->domid == VIGIL_MCE_NO_DOMAIN ? XEN_MC_VCPUID_INVALID
                                                   : d->vcpu;
    g->mc_apicid = d->apic_id;
    g->mc_flags = flags_of(d);
    g->mc_gstatus = d->mcg_status;
}

static void add_bank(struct builder *b, const struct vigil_mce_record *d,
                     unsigned int i)
{
    const struct vigil_mce_bank *from = &d->bank[i];
    struct mcinfo_bank *m = add_entry(b, MC_TYPE_BANK, sizeof(*m));

    if (m == NULL) {
        return;
    }
    m->mc_bank = from->bank;
    m->mc_domid = from->owner;
    m->mc_status = from->status;
    m->mc_addr = from->addr;
    m->mc_misc = from->misc;
    m->mc_tsc = d->tsc;
}

static void add_recovery(struct builder *b, const struct vigil_mce_bank *from)
{
    struct mcinfo_recovery *m;

    if (from->action == VIGIL_MCE_DID_NOTHING) {
        return;
    }
    m = add_entry(b, MC_TYPE_RECOVERY, sizeof(*m));
    if (m == NULL) {
        return;
    }
    m->mc_bank = from->bank;
    m->action_flags = from->action == VIGIL_MCE_DID_DEGRADED
                          ? REC_ACTION_NEED_RESET
                          : REC_ACTION_RECOVERED;
    m->action_types = MC_ACTION_PAGE_OFFLINE;
    m->action_info.page_retire.mfn = from->addr >> PAGE_SHIFT;
    m->action_info.page_retire.status =
        from->action == VIGIL_MCE_DID_OFFLINE ? PG_OFFLINE_OFFLINED
                                              : PG_OFFLINE_PENDING;
}

void telemetry_build(const struct vigil_mce_record *d,
                     struct mc_info *ret_info)
{
    struct builder b = {.info = ret_info};

    memset(ret_info, 0, sizeof(*ret_info));
    add_global(&b, d);
    for (unsigned int i = 0; i < d->banks; i++) {
        add_bank(&b, d, i);
    }
    /* A reader looks for a bank: one that says "nothing valid" will do. */
    if (d->banks == 0) {
        add_bank(&b, d, 0);
    }
    for (unsigned int i = 0; i < d->banks; i++) {
        add_recovery(&b, &d->bank[i]);
    }
}

void telemetry_publish(struct mce_record *r)
{
    record_hold(r);
    virq_raise_global(VIRQ_MCA);
}

int telemetry_fetch(bool urgent, struct mc_info *ret_info,
                    uint64_t *ret_cookie)
{
    struct vigil_mce_record d;
    int rc = record_fetch(urgent, &d);

    if (rc != 0) {
        return rc;
    }
    telemetry_build(&d, ret_info);
    *ret_cookie = d.seq;
    return 0;
}

int telemetry_acknowledge(bool urgent, uint64_t cookie)
{
    return record_acknowledge(urgent, cookie);
}
