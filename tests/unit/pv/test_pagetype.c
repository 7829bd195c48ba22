/* SPDX-License-Identifier: MIT */
/*
 * pv/pagetype, pt_validate, mmu_update, mmuext, mm_teardown, grant_pte: random
 * guests do random things to their page tables, walks are interrupted at
 * random, and after each step every count is recomputed from the tables.  Then
 * several vcpus at once.
 */
#include "tests/unit/pv/mmu_machine.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "lib/errno.h"
#include "mm/directmap.h"
#include "pv/grant_pte.h"
#include "pv/mmu_update.h"
#include "pv/mmuext.h"
#include "pv/pagetype.h"

static uint32_t between(uint32_t first, uint32_t end)
{
    return first + rnd(end - first);
}

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
        return rnd(2) ? 0 : (pte_t)rnd(1U << 31) << 12;
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

static void hold_or_release(void)
{
    struct frame **h = &held[me][rnd(HELD_MAX)];

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
    pte_t e = mmu_peek_l1e(my_vcpu, va);

    return e && rnd(4) ? pte_mfn(e) : mfn(rnd(FRAMES));
}

/* One operation; its own work left over is finished first, as hypercalls do. */
static int one_step(struct mmu_request *req, unsigned int what, uint32_t frame,
                    maddr_t addr, uint64_t va, pte_t val)
{
    int rc = mmu_finish_pending(my_vcpu, maybe_stop);

    if (rc) {
        return rc;
    }
    switch (what) {
    case 0:
    case 1:
    case 2:
    case 3:
        rc = mmu_entry_write(req, addr, val, frame & 1);
        if (req->l1 && rnd(2)) {
            /* One more entry of the table that is kept. */
            (void)!mmu_entry_write(
                req, (addr & PAGE_MASK) + 8 * some_index(), val, false);
        }
        mmu_request_end(req);
        return rc;
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
            my_vcpu, va, false, other.domid,
            pte_make(mfn(between(FIRST_OTHER, FRAMES)), val & 0xfff));
    case 11:
        return grant_pte_remove(my_vcpu, va, false, mapped_at(va));
    case 12:
        return grant_pte_replace(my_vcpu, va, mapped_at(va), some_va());
    case 13:
        return ext(MMUEXT_CLEAR_PAGE, frame);
    default:
        hold_or_release();
        return 0;
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

static void random_steps(unsigned int steps, void (*check)(void),
                         unsigned long done[16])
{
    struct mmu_request req = {.v = my_vcpu,
                              .pt_owner = &dom,
                              .frames_of = dom.domid,
                              .should_stop = maybe_stop,
                              .l1_page = MMU_NO_PAGE};

    for (unsigned int step = 0; step < steps; step++) {
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
            check();
        } while (rc == -ERESTART && rnd(8));
        done[what] += rc == 0;
    }
}

static void random_guest(unsigned int seed, unsigned long done[16])
{
    machine_reset(seed);
    stop_chance = seed % 3 ? 4 : 0;
    if (seed % 4) {
        plant_trees();
    }
    random_steps(2000, check_all, done);
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

/* ---- several vcpus at once, each a thread ---- */

#define ROUNDS 4
#define STEPS  3000

static pthread_barrier_t barrier;
static unsigned long done_by[MACHINE_VCPUS][16];

static void check_nothing(void)
{
}

static void *vcpu_thread(void *arg)
{
    me = (unsigned int)(uintptr_t)arg;
    fake_cpu = me;
    rnd_seed(1000 + me);
    for (unsigned int round = 0; round < ROUNDS; round++) {
        (void)pthread_barrier_wait(&barrier);
        random_steps(STEPS, check_nothing, done_by[me]);
        (void)pthread_barrier_wait(&barrier);
    }
    return NULL;
}

/*
 * They fight over the same few tables and frames, with walks of one another
 * to wait for, carry on or undo.  Whenever all stand still, every count is what
 * the tables say.
 */
static void vcpus_at_once(void **state)
{
    pthread_t thread[MACHINE_VCPUS];

    (void)state;
    memset(done_by, 0, sizeof(done_by));
    machine_reset(1);
    assert_int_equal(
        pthread_barrier_init(&barrier, NULL, MACHINE_VCPUS + 1), 0);
    for (unsigned int v = 0; v < MACHINE_VCPUS; v++) {
        assert_int_equal(pthread_create(&thread[v], NULL, vcpu_thread,
                                        (void *)(uintptr_t)v),
                         0);
    }
    for (unsigned int round = 0; round < ROUNDS; round++) {
        machine_reset(round);
        stop_chance = round % 3 ? 4 : 0;
        if (round % 2 == 0) {
            plant_trees();
        }
        (void)pthread_barrier_wait(&barrier);
        (void)pthread_barrier_wait(&barrier);
        check_all();
        teardown_and_check();
    }
    for (unsigned int v = 0; v < MACHINE_VCPUS; v++) {
        assert_int_equal(pthread_join(thread[v], NULL), 0);
        for (unsigned int i = 0; i < 15; i++) {
            if (done_by[v][i] == 0) {
                fail_msg("vcpu %u: operation %u never succeeded", v, i);
            }
        }
    }
}

static void *want_writable(void *arg)
{
    me = 1;
    fake_cpu = 1;
    return (void *)(intptr_t)pagetype_get(arg, PAGETYPE_WRITABLE, NULL);
}

static uint64_t word(enum pagetype type, uint64_t rest)
{
    return (uint64_t)type << TYPE_SHIFT | TYPE_BUSY | TYPE_PARTIAL | rest;
}

/*
 * A walk that is undone is waited for.  If another CPU goes on with it instead,
 * the frame is in use as a table: an answer, for that walk may wait for us.
 */
static void waits_for_what_it_saw(void **state)
{
    struct frame *f = frame_of(mfn(first_of[1]));
    struct timespec limit;
    pthread_t thread;
    void *rc;

    (void)state;
    machine_reset(1);
    f->type = word(PAGETYPE_L2, 0);
    assert_int_equal(pthread_create(&thread, NULL, want_writable, f), 0);
    usleep(50000);
    __atomic_store_n(&f->type, word(PAGETYPE_L2, 1), __ATOMIC_SEQ_CST);
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += 60;
    assert_int_equal(pthread_timedjoin_np(thread, &rc, &limit), 0);
    assert_int_equal((intptr_t)rc, -EBUSY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_for_what_it_saw),
        cmocka_unit_test(random_guests),
        cmocka_unit_test(vcpus_at_once),
    };

    machine_init();
    return UNIT_RUN(tests);
}
