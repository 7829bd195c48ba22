/* SPDX-License-Identifier: MIT */
/*
 * pv/pagetype, pt_validate, mmu_update, mmuext, mm_teardown, grant_pte: random
 * guests do random things to their page tables, walks are interrupted at
 * random, and after each step every count is recomputed from the tables.
 */
#include "tests/unit/unit.h"

#include <sys/mman.h>

#include "lib/errno.h"
#include "x86/exc.h"
#include "cpu/features.h"
#include "mm/directmap.h"
#include "mm/hvmap.h"
#include "mm/m2p.h"
#include "mm/memmap.h"
#include "domain/account.h"
#include "pv/descriptor.h"
#include "pv/grant_pte.h"
#include "pv/mmu_update.h"
#include "pv/mmuext.h"
#include "pv/pagetype.h"
#include "pv/pte_emulate.h"
#include "pv/pv.h"
#include "pv/switch.h"

#define FRAMES      80
#define FIRST_L4    8
#define FIRST_L3    12
#define FIRST_L2    20
#define FIRST_L1    32
#define FIRST_DATA  48
#define FIRST_OTHER 64 /* frames of the other domain */
#define HELD_MAX    16

struct cpu_features cpu_features = {.phys_bits = 40};
uint64_t max_frame = FRAMES;

static struct domain dom, other;
static struct pv_domain pv_dom, pv_other;
static struct vcpu vcpu;
static struct pv_vcpu pv_vcpu;
static struct frame *held[HELD_MAX];
static unsigned int stop_chance; /* in 16ths */

/* ---- what the code under test calls ---- */

bool frame_get(struct frame *f, domid_t owner)
{
    if (f->state != FRAME_INUSE || f->owner != owner) {
        return false;
    }
    f->count++;
    return true;
}

bool frame_get_held(struct frame *f)
{
    assert_true(f->count > 0);
    f->count++;
    return true;
}

void account_put(struct frame *f)
{
    /* The allocation's own reference is never dropped here. */
    assert_true(f->count > 1);
    f->count--;
}

struct frame *account_pagelist_first(struct domain *d)
{
    assert_ptr_equal(d, &dom);
    return frame_of(mfn(FIRST_L4));
}

struct frame *account_pagelist_next(const struct frame *f)
{
    return mfn_x(frame_mfn(f)) + 1 < FIRST_OTHER
               ? frame_of(mfn_add(frame_mfn(f), 1))
               : NULL;
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

enum memmap_type memmap_type_at(maddr_t a)
{
    (void)a;
    return MEMMAP_RESERVED;
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

/* ---- the model: count everything from what is written in the tables ---- */

static pte_t *table_at(unsigned int n)
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

static void check_all(void)
{
    struct expected e[FRAMES] = {{0}};
    mfn_t base[2] = {pv_vcpu.guest_table, pv_vcpu.guest_table_user};

    for (unsigned int n = FIRST_L4; n < FRAMES; n++) {
        const struct frame *f = frame_of(mfn(n));
        unsigned int level = pagetype_level(pagetype_of(f));

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
    for (unsigned int i = 0; i < 2; i++) {
        if (!mfn_is_invalid(base[i])) {
            expect_use(&e[mfn_x(base[i])], PAGETYPE_L4);
        }
    }
    if (pv_vcpu.mmu_pending) {
        uint64_t n = pv_vcpu.mmu_pending - 1;

        expect_use(&e[n], pagetype_of(frame_of(mfn(n))));
    }
    for (unsigned int i = 0; i < HELD_MAX; i++) {
        if (held[i]) {
            expect_use(&e[mfn_x(frame_mfn(held[i]))], PAGETYPE_WRITABLE);
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

/* ---- random guests ---- */

static uint32_t rnd(uint32_t below)
{
    return (uint32_t)rand() % below;
}

static bool maybe_stop(void)
{
    return rnd(16) < stop_chance;
}

static uint32_t between(uint32_t first, uint32_t end)
{
    return first + rnd(end - first);
}

static const uint32_t first_of[6] = {FIRST_DATA, FIRST_L1, FIRST_L2,
                                     FIRST_L3,   FIRST_L4, 0};
static const uint32_t end_of[5] = {FIRST_OTHER, FIRST_DATA, FIRST_L1, FIRST_L2,
                                   FIRST_L3};

/* A frame meant for @level (0: data), mostly. */
static uint32_t some_frame(unsigned int level)
{
    if (rnd(16) == 0) {
        return rnd(FRAMES + 4);
    }
    return between(first_of[level], end_of[level]);
}

static unsigned int some_index(void)
{
    static const unsigned int idx[] = {0, 1, 2, 255, 256, 272, 511};

    return idx[rnd(7)];
}

static pte_t some_entry(unsigned int level)
{
    pte_t flags = PTE_P;

    if (rnd(4) == 0) {
        return rnd(2) ? 0 : (pte_t)rand() << 12;
    }
    flags |= rnd(2) ? PTE_W : 0;
    flags |= rnd(2) ? PTE_U : 0;
    flags |= rnd(2) ? PTE_A | PTE_D : 0;
    flags |= rnd(12) == 0 ? PTE_PS : 0;
    flags |= rnd(4) == 0 ? PTE_NX : 0;
    return pte_make(mfn(some_frame(level - 1)), flags);
}

static uint64_t some_va(void)
{
    uint64_t va = (uint64_t)some_index() << L4_SHIFT |
                  (uint64_t)some_index() << L3_SHIFT |
                  (uint64_t)some_index() << L2_SHIFT |
                  (uint64_t)some_index() << L1_SHIFT;

    return (uint64_t)((int64_t)(va << 16) >> 16);
}

static int ext(unsigned int cmd, uint32_t frame)
{
    struct mmuext_op op = {.cmd = cmd, .arg1.mfn = frame};

    return mmuext_run(&vcpu, &op, &dom, maybe_stop);
}

static void hold_or_release(void)
{
    struct frame **h = &held[rnd(HELD_MAX)];

    if (*h) {
        pagetype_put_ref(*h, true);
        *h = NULL;
    } else {
        struct frame *f = frame_of(mfn(between(FIRST_L4, FIRST_OTHER)));

        if (pagetype_get_ref(f, dom.domid, true) == 0) {
            *h = f;
        }
    }
}

/* The frame behind an address, mostly. */
static mfn_t mapped_at(uint64_t va)
{
    struct frame *table;
    const pte_t *e = mmu_find_l1e(&vcpu, va, &table);

    return e && rnd(4) ? pte_mfn(*e) : mfn(rnd(FRAMES));
}

/* One operation; its own work left over is finished first, as hypercalls do. */
static int one_step(struct mmu_request *req, unsigned int what, uint32_t frame,
                    maddr_t addr, uint64_t va, pte_t val)
{
    int rc = mmu_finish_pending(&vcpu, maybe_stop);

    if (rc) {
        return rc;
    }
    switch (what) {
    case 0:
    case 1:
    case 2:
    case 3:
        return mmu_entry_write(req, addr, val, frame & 1);
    case 4:
        return ext((unsigned int)(frame < FIRST_L3   ? MMUEXT_PIN_L4_TABLE
                                  : frame < FIRST_L2 ? MMUEXT_PIN_L3_TABLE
                                  : frame < FIRST_L1 ? MMUEXT_PIN_L2_TABLE
                                                     : MMUEXT_PIN_L1_TABLE),
                   frame);
    case 5:
        return ext(MMUEXT_UNPIN_TABLE, frame);
    case 6:
        return ext(MMUEXT_NEW_BASEPTR, frame);
    case 7:
        return ext(MMUEXT_NEW_USER_BASEPTR, rnd(4) ? frame : 0);
    case 8:
    case 9:
        return mmu_va_write(req, va, val);
    case 10:
        return grant_pte_install(
            &vcpu, va, false, other.domid,
            pte_make(mfn(between(FIRST_OTHER, FRAMES)), val & 0xfff));
    case 11:
        return grant_pte_remove(&vcpu, va, false, mapped_at(va));
    case 12:
        return grant_pte_replace(&vcpu, va, mapped_at(va), some_va());
    case 13:
        return ext(MMUEXT_CLEAR_PAGE, frame);
    default:
        hold_or_release();
        return 0;
    }
}

static void machine_reset(unsigned int seed)
{
    memset(frame_table, 0, FRAMES * sizeof(struct frame));
    memset(mfn_to_ptr(mfn(0)), 0, FRAMES * PAGE_SIZE);
    memset(&dom, 0, sizeof(dom));
    memset(&other, 0, sizeof(other));
    memset(&pv_vcpu, 0, sizeof(pv_vcpu));
    memset(&pv_dom, 0, sizeof(pv_dom));
    memset(&vcpu, 0, sizeof(vcpu));
    memset(held, 0, sizeof(held));
    dom.domid = 1;
    dom.pv = &pv_dom;
    dom.state = DOMAIN_RUNNING;
    dom.max_vcpus = 1;
    dom.vcpu[0] = &vcpu;
    other.domid = 2;
    other.pv = &pv_other;
    vcpu.domain = &dom;
    vcpu.pv = &pv_vcpu;
    pv_vcpu.guest_kernel = true;
    pv_vcpu.guest_table = pv_vcpu.guest_table_user = INVALID_MFN;
    for (unsigned int n = FIRST_L4; n < FRAMES; n++) {
        struct frame *f = frame_of(mfn(n));

        f->state = FRAME_INUSE;
        f->owner = n < FIRST_OTHER ? 1 : 2;
        f->count = 1;
        f->flags = FRAME_F_ALLOCATED | FRAME_F_LISTED;
    }
    srand(seed);
}

static void teardown_and_check(void)
{
    int rc;

    dom.state = DOMAIN_DYING;
    for (unsigned int i = 0; i < HELD_MAX; i++) {
        if (held[i]) {
            pagetype_put_ref(held[i], true);
            held[i] = NULL;
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
        assert_int_equal(f->type & ~TYPE_MASK, 0);
        assert_true(n >= FIRST_OTHER || pagetype_steal_check(f, 0));
    }
}

/* Whole trees from the start, so that deep walks happen. */
static void plant_trees(void)
{
    for (unsigned int level = 1; level <= 4; level++) {
        for (uint32_t n = first_of[level]; n < end_of[level]; n++) {
            for (unsigned int k = 0; k < 5; k++) {
                table_at(n)[some_index()] = pte_make(
                    mfn(between(first_of[level - 1], end_of[level - 1])),
                    PTE_P | PTE_U | (level == 1 && rnd(2) ? PTE_W : 0));
            }
        }
    }
}

static void random_guest(unsigned int seed, unsigned long done[16])
{
    struct mmu_request req = {.v = &vcpu,
                              .pt_owner = &dom,
                              .frames_of = dom.domid,
                              .should_stop = maybe_stop};

    machine_reset(seed);
    stop_chance = seed % 3 ? 4 : 0;
    if (seed % 4) {
        plant_trees();
    }
    for (unsigned int step = 0; step < 2000; step++) {
        unsigned int level = 1 + rnd(4), what = rnd(15);
        uint32_t frame = some_frame(rnd(16) ? level : 0);
        maddr_t addr = mfn_to_maddr(mfn(frame)) + 8 * some_index();
        uint64_t va = some_va();
        pte_t val = some_entry(what < 4 ? level : 1);
        int rc;

        if (what == 6 || what == 7) {
            frame = some_frame(4);
        }
        do {
            rc = one_step(&req, what, frame, addr, va, val);
            check_all();
        } while (rc == -ERESTART && rnd(8));
        done[what] += rc == 0;
    }
    teardown_and_check();
}

static void random_guests(void **state)
{
    unsigned long done[16] = {0};

    (void)state;
    for (unsigned int seed = 1; seed <= 60; seed++) {
        random_guest(seed, done);
    }
    for (unsigned int i = 0; i < 15; i++) {
        if (done[i] == 0) {
            fail_msg("operation %u never succeeded", i);
        }
    }
}

static void self_map_is_refused(void **state)
{
    uint32_t l1 = FIRST_L1, l2 = FIRST_L2;

    (void)state;
    machine_reset(1);
    stop_chance = 0;
    /* Read-only in itself is how Linux lives; writable is never possible. */
    table_at(l1)[5] = pte_make(mfn(l1), PTE_P | PTE_U);
    assert_int_equal(ext(MMUEXT_PIN_L1_TABLE, l1), 0);
    assert_int_equal(ext(MMUEXT_PIN_L1_TABLE, l1), -EINVAL);
    check_all();
    assert_int_equal(ext(MMUEXT_UNPIN_TABLE, l1), 0);
    assert_int_equal(ext(MMUEXT_UNPIN_TABLE, l1), -EINVAL);
    table_at(l1)[5] |= PTE_W;
    assert_int_not_equal(ext(MMUEXT_PIN_L1_TABLE, l1), 0);
    check_all();
    table_at(l2)[7] = pte_make(mfn(l2), PTE_P | PTE_U);
    assert_int_not_equal(ext(MMUEXT_PIN_L2_TABLE, l2), 0);
    check_all();
    teardown_and_check();
}

static void hypervisor_slots(void **state)
{
    struct mmu_request req = {
        .v = &vcpu, .pt_owner = &dom, .frames_of = dom.domid};

    (void)state;
    machine_reset(1);
    stop_chance = 0;
    table_at(FIRST_L4)[260] = ~0UL; /* ignored, then overwritten */
    assert_int_equal(ext(MMUEXT_PIN_L4_TABLE, FIRST_L4), 0);
    assert_int_equal(table_at(FIRST_L4)[260], 0xabcd000 | PTE_P);
    for (unsigned int i = HV_L4_FIRST; i <= HV_L4_LAST; i++) {
        assert_int_equal(
            mmu_entry_write(&req, FIRST_L4 * PAGE_SIZE + 8 * i, 0, false),
            -EINVAL);
    }
    teardown_and_check();
}

static void device_memory(void **state)
{
    struct mmu_request req = {
        .v = &vcpu, .pt_owner = &dom, .frames_of = dom.domid};
    maddr_t entry = FIRST_L1 * PAGE_SIZE;
    pte_t dev = pte_make(mfn(0xfed00), PTE_P | PTE_W | PTE_U);

    (void)state;
    machine_reset(1);
    stop_chance = 0;
    assert_int_equal(ext(MMUEXT_PIN_L1_TABLE, FIRST_L1), 0);
    assert_int_equal(mmu_entry_write(&req, entry, dev, false), -EPERM);
    rangeset_init(&dom.io_mem, dom.io_mem_space, RIGHTS_RANGES);
    assert_int_equal(rangeset_add(&dom.io_mem, 0xfed00, 0xfed00), 0);
    assert_int_equal(mmu_entry_write(&req, entry, dev, false), 0);
    assert_int_equal(table_at(FIRST_L1)[0], dev | PTE_PCD);
    assert_int_equal(mmu_entry_write(&req, entry + 8, dev + PAGE_SIZE, false),
                     -EPERM);
    /* Not for somebody else's frames. */
    req.frames_of = other.domid;
    assert_int_equal(mmu_entry_write(&req, entry + 16, dev, false), -EPERM);
    assert_int_equal(mmu_entry_write(&req, entry, PTE_ADDR | PTE_P, false),
                     -EINVAL);
    teardown_and_check();
}

/* A frame that was writable is flushed before it becomes a table. */
static void stale_translation(void **state)
{
    struct mmu_request req = {
        .v = &vcpu, .pt_owner = &dom, .frames_of = dom.domid};
    maddr_t entry = FIRST_L1 * PAGE_SIZE;
    unsigned int before;

    (void)state;
    machine_reset(1);
    stop_chance = 0;
    this_cpu()->tlb_stale = 0;
    assert_int_equal(ext(MMUEXT_PIN_L1_TABLE, FIRST_L1), 0);
    assert_int_equal(mmu_entry_write(&req, entry,
                                     pte_make(mfn(FIRST_L1 + 1), PTE_P | PTE_W),
                                     false),
                     0);
    assert_int_not_equal(ext(MMUEXT_PIN_L1_TABLE, FIRST_L1 + 1), 0);
    assert_int_equal(mmu_entry_write(&req, entry, 0, false), 0);
    before = fake_tlb_flushes;
    assert_int_equal(ext(MMUEXT_PIN_L1_TABLE, FIRST_L1 + 1), 0);
    assert_int_equal(fake_tlb_flushes, before + 1);
    teardown_and_check();
}

/* A guest kernel writes its L1 table through a read-only mapping of it. */
static void direct_writes(void **state)
{
    static uint8_t code[32] __attribute__((aligned(32)));
    static const uint8_t store[] = {0x48, 0x89, 0x07};
    static const uint8_t clear_w[] = {0xf0, 0x80, 0x27, 0xfd};
    const uint32_t fault = PFEC_PRESENT | PFEC_WRITE | PFEC_USER;
    const uint32_t l1 = FIRST_L1, data = FIRST_DATA;
    const pte_t want = pte_make(mfn(data), PTE_P | PTE_W | PTE_U);
    const uint64_t va = 0x5000, entry_va = va + 8 * 9;
    struct cpu_regs regs = {.rip = (uint64_t)code, .rax = want};

    (void)state;
    machine_reset(1);
    stop_chance = 0;
    dom.vm_assist = 1U << VMASST_TYPE_writable_pagetables;
    for (unsigned int level = 4; level > 1; level--) {
        table_at(first_of[level])[0] =
            pte_make(mfn(first_of[level - 1]), PTE_P | PTE_W | PTE_U);
    }
    table_at(l1)[5] = pte_make(mfn(l1), PTE_P | PTE_U);
    assert_int_equal(ext(MMUEXT_NEW_BASEPTR, FIRST_L4), 0);

    memcpy(code, store, sizeof(store));
    assert_true(pv_pte_emulate(&vcpu, &regs, entry_va, fault));
    assert_int_equal(regs.rip, (uint64_t)code + sizeof(store));
    assert_int_equal(table_at(l1)[9], want);
    check_all();

    memcpy(code, clear_w, sizeof(clear_w));
    regs.rip = (uint64_t)code;
    assert_true(pv_pte_emulate(&vcpu, &regs, entry_va, fault));
    assert_int_equal(table_at(l1)[9], want & ~PTE_W);
    check_all();

    /* A writable mapping of the table itself is refused, registers stay. */
    memcpy(code, store, sizeof(store));
    regs.rip = (uint64_t)code;
    regs.rax = pte_make(mfn(l1), PTE_P | PTE_W | PTE_U);
    assert_false(pv_pte_emulate(&vcpu, &regs, entry_va, fault));
    assert_int_equal(regs.rip, (uint64_t)code);
    assert_int_equal(table_at(l1)[9], want & ~PTE_W);
    /* So are stores that are not aligned, to data, or from user mode. */
    regs.rax = 0;
    assert_false(pv_pte_emulate(&vcpu, &regs, entry_va + 4, fault));
    assert_false(pv_pte_emulate(&vcpu, &regs, 0x9000, fault));
    pv_vcpu.guest_kernel = false;
    assert_false(pv_pte_emulate(&vcpu, &regs, entry_va, fault));
    pv_vcpu.guest_kernel = true;
    check_all();
    teardown_and_check();
}

static void map_fixed(uint64_t va, size_t bytes)
{
    if (mmap((void *)va, bytes, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != (void *)va) {
        abort();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(self_map_is_refused),
        cmocka_unit_test(hypervisor_slots),
        cmocka_unit_test(device_memory),
        cmocka_unit_test(stale_translation),
        cmocka_unit_test(direct_writes),
        cmocka_unit_test(random_guests),
    };

    map_fixed(FRAMETABLE_VA, FRAMES * sizeof(struct frame));
    map_fixed(DIRECTMAP_VA, FRAMES * PAGE_SIZE);
    fake_hw_reset();
    return UNIT_RUN(tests);
}
