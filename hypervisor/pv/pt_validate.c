/* SPDX-License-Identifier: MIT */
/*
 * pv/pt_validate.c - what entries take and drop; walks over whole tables.
 *
 * The hot path of fork() in a guest: straight loops, no logging.
 */
#include "pv/pt_validate.h"

#include "lib/assert.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "cpu/features.h"
#include "log/printk.h"
#include "crash/blackbox.h"
#include "mm/directmap.h"
#include "mm/hvmap.h"
#include "mm/m2p.h"
#include "mm/memmap.h"
#include "dev/pci_guard.h"
#include "domain/account.h"
#include "domain/rights.h"
#include "domain/tlb_owed.h"
#include "pv/pagetype.h"
#include "pv/pte_check.h"
#include "pv/pv.h"

#define FIRST_MIB 0x100000UL

bool pt_io_rights(const struct domain *d)
{
    return d->io_mem.count != 0 || d->io_ports.count != 0;
}

/*
 * The control domain may look at the log and its box (VIGIL_OP_log_window).  No
 * allocator has these frames, so nothing needs to be held.
 */
static int log_window_get(const struct domain *d, mfn_t m, pte_t *pte)
{
    size_t bytes;
    const void *zone = blackbox_zone(&bytes);

    if (zone == NULL || !d->is_privileged || (*pte & PTE_W) != 0 ||
        mfn_x(m) - mfn_x(ptr_to_mfn(zone)) >= bytes / PAGE_SIZE) {
        return -EPERM;
    }
    /* As the hypervisor has it, whatever was asked for. */
    *pte &= ~PTE_L1_CACHE;
    return 0;
}

static int device_get(const struct domain *d, domid_t frames_of, pte_t *pte)
{
    uint64_t n = mfn_x(pte_mfn(*pte));
    maddr_t a = mfn_to_maddr(mfn(n));
    enum memmap_type type;

    if (frames_of == DOMID_XEN) {
        return log_window_get(d, mfn(n), pte);
    }
    if (frames_of != d->domid && frames_of != DOMID_IO) {
        return -EPERM;
    }
    if (!rights_mem_ok(d, mfn(n), 1)) {
        /* Some may be looked at by the control domain. */
        if (!rights_mem_read_ok(d, mfn(n), 1)) {
            return -EPERM;
        }
        *pte &= ~PTE_W;
    }
    /*
     * Whatever the rights say: RAM without a usable record is ours (image,
     * boot allocations, black box), and unusable memory is nobody's: reading it
     * may be a machine check.  The first MiB is kept but harmless.  Asked here
     * since there may be more such places than a set of rights has room for.
     */
    type = memmap_type_at(a);
    if (a >= FIRST_MIB && (type == MEMMAP_RAM || type == MEMMAP_KEPT ||
                           type == MEMMAP_UNUSABLE)) {
        return -EPERM;
    }
    if ((*pte & PTE_W) != 0 && pci_guard_at(a) != PCI_GUARDED_NOT) {
        *pte &= ~PTE_W; /* pv/mmio_emulate.c does what is written */
    }
    *pte = pte_device_cache(*pte);
    return 0;
}

static bool flags_ok(const struct domain *d, unsigned int level, pte_t e)
{
    unsigned int bits = cpu_features.phys_bits;

    if (likely(pte_check_flags(level, e, false, bits))) {
        return true;
    }
    return pte_check_flags(level, e, true, bits) && pt_io_rights(d);
}

int pt_l1e_get_slow(const struct domain *d, domid_t frames_of, pte_t *pte)
{
    pte_t e = *pte;
    mfn_t m = pte_mfn(e);
    struct frame *f;
    int rc;

    if (unlikely(!flags_ok(d, 1, e))) {
        return -EINVAL;
    }
    e = pte_adjust(1, e);
    if (unlikely(pt_is_device(m))) {
        rc = device_get(d, frames_of, &e);
        if (rc == 0) {
            *pte = e;
        }
        return rc;
    }
    /* Of the hypervisor's allocated frames only the M2P table, only to read. */
    if (unlikely(frames_of == DOMID_XEN) &&
        ((e & PTE_W) || !m2p_is_table_frame(m))) {
        return -EPERM;
    }
    f = frame_of(m);
    if (unlikely(!frame_get(f, frames_of))) {
        return -EINVAL;
    }
    if (e & PTE_W) {
        rc = pagetype_get(f, PAGETYPE_WRITABLE, NULL);
        if (unlikely(rc)) {
            account_put(f);
            return rc;
        }
    }
    *pte = e;
    return 0;
}

void pt_l1e_put_unflushed(pte_t pte)
{
    mfn_t m = pte_mfn(pte);

    if (!pt_is_device(m)) {
        struct frame *f = frame_of(m);

        if (pte & PTE_W) {
            pagetype_put_writable(f);
        }
        account_put(f);
    }
}

void pt_l1e_put_slow(const struct domain *d, pte_t pte)
{
    mfn_t m = pte_mfn(pte);

    /* Of what @d owes its owner knows nothing. */
    if (!pt_is_device(m) && READ_ONCE(frame_of(m)->owner) != d->domid) {
        tlb_pay(d);
    }
    pt_l1e_put_unflushed(pte);
}

int pt_table_get(const struct domain *d, unsigned int level, pte_t *pte,
                 bool (*should_stop)(void))
{
    pte_t e = *pte;
    int rc;

    if (!pte_check_flags(level, e, false, cpu_features.phys_bits)) {
        return -EINVAL;
    }
    rc = pagetype_get_page(pte_mfn(e), d->domid, (enum pagetype)(level - 1),
                           should_stop, NULL);
    if (rc) {
        return rc;
    }
    *pte = pte_adjust(level, e);
    return 0;
}

bool pt_absent_fits(struct domain *d, pte_t pte)
{
    if (!pt_checks_absent(d) || !pte_names_memory(pte)) {
        return true;
    }
    log_about(LOG_WARNING, &d->log, -1,
              "a not-present entry 0x%lx names memory, which this processor "
              "would read (L1TF): refused",
              (unsigned long)pte);
    return false;
}

/* What the walks step over. */
static bool absent_fit(struct domain *d, unsigned int level, const pte_t *table)
{
    for (unsigned int i = 0; i < PT_ENTRIES; i++) {
        bool ours = level == 4 && i >= HV_L4_FIRST && i <= HV_L4_LAST;

        if (!(table[i] & PTE_P) && !ours && !pt_absent_fits(d, table[i])) {
            return false;
        }
    }
    return true;
}

#define GROUP 8 /* entries of a cache line */

/* Is any of the entries of the cache line at @e present? */
static ALWAYS_INLINE bool group_present(const pte_t *e)
{
    return ((e[0] | e[1] | e[2] | e[3] | e[4] | e[5] | e[6] | e[7]) & PTE_P) !=
           0;
}

static int validate_l1(struct frame *f, const struct domain *d, pte_t *table)
{
    const domid_t domid = d->domid;
    pte_t *e = &table[f->aux], *end = &table[PT_ENTRIES];

    while (e != end) {
        pte_t was = *e, now = was;

        if (IS_ALIGNED((uint64_t)e, GROUP * sizeof(*e)) && !group_present(e)) {
            e += GROUP;
            continue;
        }
        if (now & PTE_P) {
            int rc = pt_l1e_get(d, domid, &now);

            if (unlikely(rc)) {
                f->aux = (uint32_t)(e - table);
                return rc;
            }
            if (now != was) {
                *e = now;
            }
        }
        e++;
    }
    f->aux = PT_ENTRIES;
    return 0;
}

static inline bool slot_is_ours(unsigned int level, unsigned int i)
{
    return level == 4 && i >= HV_L4_FIRST && i <= HV_L4_LAST;
}

/*
 * The walk down may have stopped inside the last table still taken, which is
 * then taken but not valid: walk that one up first.
 */
static int revive_last(const pte_t *table, unsigned int taken,
                       unsigned int level, bool (*should_stop)(void))
{
    struct frame *child;
    pte_t e;
    int rc;

    if (taken == 0) {
        return 0;
    }
    e = table[taken - 1];
    if (!(e & PTE_P) || slot_is_ours(level, taken - 1)) {
        return 0;
    }
    child = frame_of(pte_mfn(e));
    if (pagetype_is(child, (enum pagetype)(level - 1))) {
        return 0;
    }
    rc = pagetype_get(child, (enum pagetype)(level - 1), should_stop);
    if (rc == 0) {
        pagetype_put_all(child); /* the entry has its own */
    }
    return rc;
}

int pt_validate(struct frame *f, unsigned int level, bool (*should_stop)(void))
{
    struct domain *d = domain_peek(f->owner);
    pte_t *table = mfn_to_ptr(frame_mfn(f));
    unsigned int i;
    int rc;

    /* INV-DOM-1: a dying domain gains nothing. */
    if (!d || !d->pv || domain_is_dying(d)) {
        return -EINVAL;
    }
    if (pt_checks_absent(d) && !absent_fit(d, level, table)) {
        return -EINVAL;
    }
    if (level == 1) {
        return validate_l1(f, d, table);
    }
    rc = revive_last(table, f->aux, level, should_stop);
    if (rc) {
        return rc;
    }
    for (i = f->aux; i < PT_ENTRIES; i++) {
        pte_t e = table[i];

        if (i % GROUP == 0 && !group_present(&table[i])) {
            i += GROUP - 1;
            continue;
        }
        if (!(e & PTE_P) || slot_is_ours(level, i)) {
            continue;
        }
        rc = pt_table_get(d, level, &e, should_stop);
        if (rc) {
            f->aux = i;
            return rc;
        }
        if (e != table[i]) {
            table[i] = e;
        }
        /* At least one entry each time, so that a walk always ends. */
        if (should_stop && i + 1 < PT_ENTRIES && should_stop()) {
            f->aux = i + 1;
            return -ERESTART;
        }
    }
    f->aux = PT_ENTRIES;
    if (level == 4) {
        hvmap_fill_l4(table, d->pv->perdomain_l3);
    }
    return 0;
}

static void devalidate_l1(struct frame *f, const struct domain *d,
                          const pte_t *table)
{
    const pte_t *e = &table[f->aux];

    while (e != table) {
        if (IS_ALIGNED((uint64_t)e, GROUP * sizeof(*e)) &&
            !group_present(e - GROUP)) {
            e -= GROUP;
            continue;
        }
        e--;
        if (*e & PTE_P) {
            pt_l1e_put(d, *e);
        }
    }
    f->aux = 0;
}

int pt_devalidate(struct frame *f, unsigned int level,
                  bool (*should_stop)(void))
{
    const struct domain *d = domain_peek(f->owner);
    const pte_t *table = mfn_to_ptr(frame_mfn(f));
    unsigned int i;

    /* Processors may still hold what these entries led to. */
    tlb_owe(d);
    if (level == 1) {
        devalidate_l1(f, d, table);
        return 0;
    }
    for (i = f->aux; i-- > 0;) {
        struct frame *child;

        if (i % GROUP == GROUP - 1 && !group_present(&table[i + 1 - GROUP])) {
            i -= GROUP - 1;
            continue;
        }
        if (!(table[i] & PTE_P) || slot_is_ours(level, i)) {
            continue;
        }
        child = frame_of(pte_mfn(table[i]));
        if (pagetype_put(child, should_stop) == -ERESTART) {
            f->aux = i + 1;
            return -ERESTART;
        }
        account_put(child);
        if (should_stop && i > 0 && should_stop()) {
            f->aux = i;
            return -ERESTART;
        }
    }
    f->aux = 0;
    return 0;
}
