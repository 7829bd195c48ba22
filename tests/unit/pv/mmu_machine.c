/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/pv/mmu_machine.c - a machine of a few frames for page-type tests.
 */
#include "tests/unit/pv/mmu_machine.h"

#include <sys/mman.h>

#include "lib/errno.h"
#include "cpu/features.h"
#include "crash/blackbox.h"
#include "mm/directmap.h"
#include "mm/hvmap.h"
#include "mm/m2p.h"
#include "mm/memmap.h"
#include "dev/pci_guard.h"
#include "domain/account.h"
#include "domain/rights.h"
#include "pv/descriptor.h"
#include "pv/mmu_update.h"
#include "pv/mmuext.h"
#include "pv/pagetype.h"
#include "pv/pv.h"
#include "pv/switch.h"

struct cpu_features cpu_features = {.phys_bits = 40};
uint64_t max_frame = FRAMES;

struct domain dom, other;
static struct pv_domain pv_dom, pv_other;
struct vcpu vcpus[MACHINE_VCPUS];
struct pv_vcpu pv_vcpus[MACHINE_VCPUS];
struct frame *held[MACHINE_VCPUS][HELD_MAX];
unsigned int stop_chance;
__thread unsigned int me;
static __thread unsigned int seed_now;

/* ---- what the code under test calls ---- */

/* Nothing here is offlining or near overflow: only another vcpu may be ahead. */
bool frame_get_slow(struct frame *f, domid_t owner)
{
    while (f->state == FRAME_INUSE && f->owner == owner) {
        if (frame_get_usual(f, owner)) {
            return true;
        }
    }
    return false;
}

bool frame_get_held(struct frame *f)
{
    assert_true(atomic_add(&f->count, 1u) > 0);
    return true;
}

void account_settle(struct frame *f)
{
    (void)f;
    abort(); /* the allocation's own reference is never dropped here */
}

void account_pagelist_stop(struct domain *d, const struct frame *f)
{
    d->page_cursor = f == NULL ? 0 : (uint32_t)mfn_x(frame_mfn(f)) + 1;
}

bool account_pagelist_find(struct domain *d, unsigned int max,
                           bool (*wanted)(const struct frame *f),
                           struct frame **ret_frame)
{
    struct frame *f = d->page_cursor != 0 ? frame_of(mfn(d->page_cursor - 1))
                                          : account_pagelist_first(d);

    assert_ptr_equal(d, &dom);
    *ret_frame = NULL;
    while (f != NULL && max-- != 0 && *ret_frame == NULL) {
        struct frame *here = f;

        f = account_pagelist_next(f);
        if (wanted(here)) {
            assert_true(frame_get(here, d->domid));
            *ret_frame = here;
        }
    }
    account_pagelist_stop(d, f);
    return f != NULL;
}

struct domain *domain_peek(domid_t domid)
{
    return domid == dom.domid ? &dom : domid == other.domid ? &other : NULL;
}

void hvmap_fill_l4(pte_t *l4, mfn_t perdomain)
{
    (void)perdomain;
    for (unsigned int i = HV_L4_FIRST; i <= HV_L4_LAST; i++) {
        l4[i] = 0xabcd000 | PTE_P;
    }
}

enum memmap_type unlisted_type = MEMMAP_RESERVED;

enum memmap_type memmap_type_at(maddr_t a)
{
    (void)a;
    return unlisted_type;
}

uint64_t zone_frame, zone_frames;

const void *blackbox_zone(size_t *ret_bytes)
{
    *ret_bytes = zone_frames * PAGE_SIZE;
    return zone_frames != 0 ? maddr_to_ptr(zone_frame * PAGE_SIZE) : NULL;
}

uint64_t guarded_frame, shown_frame;

enum pci_guarded pci_guard_at(maddr_t a)
{
    return guarded_frame != 0 && a >> PAGE_SHIFT == guarded_frame
               ? PCI_GUARDED_TABLE
               : PCI_GUARDED_NOT;
}

bool rights_mem_ok(const struct domain *d, mfn_t m, uint64_t count)
{
    return rangeset_contains(&d->io_mem, mfn_x(m), mfn_x(m) + count - 1);
}

bool rights_mem_read_ok(const struct domain *d, mfn_t m, uint64_t count)
{
    return rights_mem_ok(d, m, count) ||
           (shown_frame != 0 && mfn_x(m) == shown_frame);
}

bool m2p_is_table_frame(mfn_t m)
{
    (void)m;
    return false;
}

int descriptor_fix_page(uint64_t *page)
{
    return page[0] == 0 ? 0 : -EINVAL;
}

void pv_load_cr3(struct vcpu *v)
{
    (void)v;
}

int pv_set_ldt(struct vcpu *v, uint64_t base, unsigned int ents)
{
    (void)v;
    (void)base;
    (void)ents;
    abort();
}

const uint32_t first_of[6] = {FIRST_DATA, FIRST_L1, FIRST_L2,
                              FIRST_L3,   FIRST_L4, 0};
const uint32_t end_of[5] = {FIRST_OTHER, FIRST_DATA, FIRST_L1, FIRST_L2,
                            FIRST_L3};

/* ---- the model: count everything from what is written in the tables ---- */

pte_t *table_at(unsigned int n)
{
    return mfn_to_ptr(mfn(n));
}

struct expected {
    uint32_t refs, uses;
    unsigned int type; /* a user wants this type; 0: none */
};

static void expect_use(struct expected *e, enum pagetype type)
{
    e->refs++;
    e->uses++;
    if (e->type != 0) {
        assert_int_equal(e->type, type);
    }
    e->type = type;
}

static void expect_entries(struct expected *e, unsigned int n,
                           unsigned int taken, unsigned int level, bool valid)
{
    for (unsigned int i = 0; i < taken; i++) {
        pte_t p = table_at(n)[i];
        uint64_t m = mfn_x(pte_mfn(p));

        if (!(p & PTE_P) ||
            (level == 4 && i >= HV_L4_FIRST && i <= HV_L4_LAST)) {
            continue;
        }
        assert_true(p & PTE_U);
        if (level > 1) {
            assert_in_range(m, 0, FRAMES - 1);
            expect_use(&e[m], (enum pagetype)(level - 1));
            if (valid) {
                assert_true(
                    pagetype_is(frame_of(mfn(m)), (enum pagetype)(level - 1)));
            }
        } else if (m >= FIRST_L4 && m < FRAMES) {
            if (p & PTE_W) {
                expect_use(&e[m], PAGETYPE_WRITABLE);
            } else {
                e[m].refs++;
            }
        }
    }
}

void check_all(void)
{
    struct expected e[FRAMES] = {{0}};

    for (unsigned int n = FIRST_L4; n < FRAMES; n++) {
        const struct frame *f = frame_of(mfn(n));
        unsigned int level = pagetype_level(pagetype_of(f));

        assert_false(f->type & TYPE_BUSY);
        e[n].refs++; /* the allocation */
        if (f->type & TYPE_PARTIAL) {
            assert_true(level > 1);
            assert_false(f->type & TYPE_VALID);
            e[n].refs++;
            expect_entries(e, n, f->aux, level, false);
        } else if (level > 0 && (f->type & TYPE_VALID)) {
            assert_true(pagetype_count(f) > 0);
            expect_entries(e, n, PT_ENTRIES, level, true);
        }
        if (f->type & TYPE_PINNED) {
            expect_use(&e[n], pagetype_of(f));
        }
    }
    for (unsigned int v = 0; v < MACHINE_VCPUS; v++) {
        const struct pv_vcpu *p = &pv_vcpus[v];

        if (!mfn_is_invalid(p->guest_table)) {
            expect_use(&e[mfn_x(p->guest_table)], PAGETYPE_L4);
        }
        if (!mfn_is_invalid(p->guest_table_user)) {
            expect_use(&e[mfn_x(p->guest_table_user)], PAGETYPE_L4);
        }
        if (p->mmu_pending) {
            uint64_t n = p->mmu_pending - 1;

            expect_use(&e[n], pagetype_of(frame_of(mfn(n))));
        }
        for (unsigned int i = 0; i < HELD_MAX; i++) {
            if (held[v][i]) {
                expect_use(&e[mfn_x(frame_mfn(held[v][i]))], PAGETYPE_WRITABLE);
            }
        }
    }
    for (unsigned int n = FIRST_L4; n < FRAMES; n++) {
        const struct frame *f = frame_of(mfn(n));

        assert_int_equal(f->count, e[n].refs);
        assert_int_equal(pagetype_count(f), e[n].uses);
        if (e[n].uses) {
            /* INV-PV-1: one type at a time, for all users alike. */
            assert_int_equal(pagetype_of(f), e[n].type);
        }
        assert_true(pagetype_count(f) <= f->count); /* INV-PV-2 */
    }
}

/* ---- the machine ---- */

uint32_t rnd(uint32_t below)
{
    return (uint32_t)rand_r(&seed_now) % below;
}

void rnd_seed(unsigned int seed)
{
    seed_now = seed;
}

bool maybe_stop(void)
{
    return rnd(16) < stop_chance;
}

int ext(unsigned int cmd, uint32_t frame)
{
    struct mmuext_op op = {.cmd = cmd, .arg1.mfn = frame};

    return mmuext_run(my_vcpu, &op, &dom, maybe_stop);
}

/* Nobody runs but us. */
cpumask_t pv_flush_vcpu(const struct vcpu *v)
{
    (void)v;
    return 0;
}

void machine_reset(unsigned int seed)
{
    memset(frame_table, 0, FRAMES * sizeof(struct frame));
    memset(mfn_to_ptr(mfn(0)), 0, FRAMES * PAGE_SIZE);
    memset(&dom, 0, sizeof(dom));
    memset(&other, 0, sizeof(other));
    memset(pv_vcpus, 0, sizeof(pv_vcpus));
    memset(&pv_dom, 0, sizeof(pv_dom));
    memset(vcpus, 0, sizeof(vcpus));
    memset(held, 0, sizeof(held));
    dom.domid = 1;
    dom.pv = &pv_dom;
    dom.state = DOMAIN_RUNNING;
    dom.max_vcpus = MACHINE_VCPUS;
    dom.tlb.cpus = 1; /* its tables are loaded on CPU 0 */
    other.domid = 2;
    other.pv = &pv_other;
    for (unsigned int v = 0; v < MACHINE_VCPUS; v++) {
        dom.vcpu[v] = &vcpus[v];
        vcpus[v].vcpu_id = v;
        vcpus[v].domain = &dom;
        vcpus[v].pv = &pv_vcpus[v];
        pv_vcpus[v].guest_kernel = true;
        pv_vcpus[v].guest_table = pv_vcpus[v].guest_table_user = INVALID_MFN;
    }
    for (unsigned int n = FIRST_L4; n < FRAMES; n++) {
        struct frame *f = frame_of(mfn(n));

        f->state = FRAME_INUSE;
        f->owner = n < FIRST_OTHER ? 1 : 2;
        f->count = 1;
        f->flags = FRAME_F_ALLOCATED | FRAME_F_LISTED;
        f->next = n + 1 < FIRST_OTHER ? n + 1 : FRAME_NONE;
    }
    dom.page_list = FIRST_L4;
    rnd_seed(seed);
}

void teardown_and_check(void)
{
    int rc;

    dom.state = DOMAIN_DYING;
    for (unsigned int i = 0; i < MACHINE_VCPUS * HELD_MAX; i++) {
        struct frame **h = &held[i / HELD_MAX][i % HELD_MAX];

        if (*h) {
            pagetype_put_ref(*h, true);
            *h = NULL;
        }
    }
    do {
        rc = pv_mm_teardown(&dom, maybe_stop);
        check_all();
    } while (rc == -ERESTART);
    assert_int_equal(rc, 0);
    for (unsigned int n = FIRST_L4; n < FRAMES; n++) {
        const struct frame *f = frame_of(mfn(n));

        assert_int_equal(f->count, 1);
        assert_int_equal(f->type & ~TYPE_MASK,
                         pagetype_of(f) == PAGETYPE_WRITABLE ? TYPE_VALID : 0);
        assert_true(n >= FIRST_OTHER || pagetype_steal_check(f, 0));
    }
}

static void map_fixed(uint64_t va, size_t bytes)
{
    if (mmap((void *)va, bytes, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != (void *)va) {
        abort();
    }
}

void machine_init(void)
{
    map_fixed(FRAMETABLE_VA, FRAMES * sizeof(struct frame));
    map_fixed(DIRECTMAP_VA, FRAMES * PAGE_SIZE);
    fake_hw_reset();
}
