/* SPDX-License-Identifier: MIT */
/*
 * domain/account over the real allocator: frames in, out one by one and in
 * runs, and what somebody else's reference holds back.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "lib/bits.h"
#include "mm/directmap.h"
#include "mm/frame_state.h"
#include "mm/m2p.h"
#include "mm/memmap.h"
#include "mm/page_alloc.h"
#include "domain/account.h"
#include "fake_m2p.h"
#include "fake_machine.h"

#define MIB   (1UL << 20)
#define GUEST 7

static struct domain guest = {.domid = GUEST};

struct domain *domain_get(domid_t domid)
{
    if (domid != GUEST) {
        return NULL;
    }
    domain_hold(&guest);
    return &guest;
}

void domain_put(struct domain *d)
{
    assert_ptr_equal(d, &guest);
    (void)atomic_sub(&d->refs, 1u);
}

void domain_frame_gone(struct domain *d)
{
    assert_ptr_equal(d, &guest);
}

void domain_claim(struct domain *d, uint32_t pages)
{
    d->outstanding_pages = pages;
}

static int machine_up(void **state)
{
    (void)state;
    fake_machine_init(64 * MIB);
    memmap_add(MIB, 63 * MIB, 1);
    memmap_finish();
    frame_table_init(memmap_top_frame());
    page_alloc_init();
    spin_lock_init(&guest.lock, "domain", LOCK_RANK_DOMAIN, IRQ_ANY);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    guest.state = DOMAIN_RUNNING;
    guest.page_list = FRAME_NONE;
    guest.tot_pages = 0;
    guest.max_pages = 1000;
    guest.page_cursor = 0;
    guest.refs = 1;
    memset(fake_m2p, 0xff, sizeof(fake_m2p));
    return 0;
}

static uint64_t free_frames(void)
{
    struct page_alloc_stats s;

    page_alloc_stats(&s);
    return s.free_frames;
}

static struct frame *take(unsigned int order, uint64_t first)
{
    mfn_t m;

    assert_int_equal(account_alloc(&guest, pfn(first), order, PA_ANY_BITS, &m),
                     0);
    return frame_of(m);
}

/* The list is whole: as many frames as the tally says, linked both ways. */
static void check_list(void)
{
    uint32_t prev = FRAME_NONE, count = 0;
    const struct frame *f;

    for (f = account_pagelist_first(&guest); f != NULL;
         f = account_pagelist_next(f)) {
        assert_int_equal(f->prev, prev);
        assert_int_equal(f->owner, GUEST);
        assert_true((f->flags & FRAME_F_LISTED) != 0);
        assert_int_equal(f->flags & FRAME_F_DIRTY, 0);
        prev = (uint32_t)mfn_x(frame_mfn(f));
        count++;
    }
    assert_int_equal(count, guest.tot_pages);
}

static void alloc_counts_and_lists(void **state)
{
    struct frame *f = take(3, 100);
    mfn_t m;

    (void)state;
    for (unsigned int i = 0; i < 8; i++) {
        assert_int_equal(f[i].count, 1);
        assert_int_equal(f[i].state, FRAME_INUSE);
        assert_int_equal(f[i].flags, FRAME_F_ALLOCATED | FRAME_F_LISTED);
        assert_int_equal(fake_m2p[mfn_x(frame_mfn(&f[i]))], 100 + i);
    }
    (void)take(0, M2P_INVALID);
    assert_int_equal(guest.tot_pages, 9);
    check_list();
    guest.outstanding_pages = 3;
    (void)take(1, 200);
    assert_int_equal(guest.outstanding_pages, 1);
    (void)take(1, 202);
    assert_int_equal(guest.outstanding_pages, 0);
    assert_int_equal(account_alloc(&guest, pfn(0), 10, PA_ANY_BITS, &m),
                     -E2BIG);
    guest.max_pages = 1U << 20;
    assert_int_equal(account_alloc(&guest, pfn(0), 18, PA_ANY_BITS, &m),
                     -ENOMEM);
    guest.state = DOMAIN_DYING;
    assert_int_equal(account_alloc(&guest, pfn(0), 0, PA_ANY_BITS, &m),
                     -EINVAL);
    check_list();
}

/* A frame is stolen only from an owner who alone holds it, and comes back. */
static void steal_and_assign(void **state)
{
    struct frame *f = take(1, 0);

    (void)state;
    assert_true(frame_get(f, GUEST));
    assert_int_equal(account_steal(&guest, f), -EBUSY);
    account_put(f);
    assert_int_equal(account_steal(&guest, f), 0);
    assert_int_equal(guest.tot_pages, 1);
    assert_int_equal(f->owner, DOMID_INVALID);
    assert_int_equal(f->flags, 0);
    assert_false(frame_get(f, GUEST));
    check_list();
    assert_int_equal(account_steal(&guest, f), -EINVAL);
    assert_int_equal(account_assign(&guest, f), 0);
    check_list();
    /* On its way out of service, it may still be taken from its owner. */
    frame_move(f, FRAME_INUSE, FRAME_OFFLINING);
    assert_int_equal(account_steal(&guest, f), 0);
    page_free(f, 0);
    assert_int_equal(f->state, FRAME_OFFLINED);
    assert_int_equal(guest.refs, 1);
}

/* Runs are freed in both directions, up to a frame that somebody holds. */
static void release_runs(void **state)
{
    uint64_t before = free_frames();
    struct frame *block = take(3, 0), *held = block + 5, *f, *next;
    uint32_t freed = 0;

    (void)state;
    for (unsigned int i = 0; i < 8; i++) {
        (void)take(0, 100 + i); /* pushed in front: a run downwards */
    }
    assert_true(frame_get(held, GUEST));
    for (f = account_pagelist_first(&guest); f != NULL; f = next) {
        uint32_t n = account_release_run(&guest, f, 3, &next);

        assert_true(f == held ? n == 0 : n >= 1 && n <= 3);
        freed += n;
        assert_int_equal(guest.tot_pages, 16 - freed);
        check_list();
    }
    assert_int_equal(freed, 15);
    assert_int_equal(free_frames(), before - 1);
    assert_ptr_equal(account_pagelist_first(&guest), held);
    assert_int_equal(block[4].state, FRAME_FREE);
    assert_true(fake_m2p[mfn_x(frame_mfn(&block[4]))] == M2P_INVALID);
    account_put(held);
    assert_int_equal(account_release_run(&guest, held, 1, &next), 1);
    assert_null(next);
    assert_int_equal(free_frames(), before);
    /* Gone meanwhile: the walk begins again. */
    f = take(0, 1);
    assert_int_equal(account_release_run(&guest, held, 1, &next), 0);
    assert_ptr_equal(next, f);
}

/* What hardware called bad leaves service, so it is freed one by one. */
static void release_leaves_broken_frames(void **state)
{
    struct frame *f = take(1, 0), *next;

    (void)state;
    f[0].flags |= FRAME_F_BROKEN;
    assert_int_equal(account_release_run(&guest, &f[0], 8, &next), 0);
    assert_ptr_equal(next, &f[1]);
    assert_int_equal(account_release_run(&guest, &f[1], 8, &next), 1);
    assert_int_equal(account_release(&guest, &f[0]), 0);
    assert_int_equal(f[0].state, FRAME_OFFLINED);
    assert_int_equal(guest.tot_pages, 0);
}

static bool is_wanted(const struct frame *f)
{
    return f->aux != 0;
}

static void walk_goes_on(void **state)
{
    struct frame *f = take(2, 0), *next, *found;

    (void)state;
    assert_ptr_equal(account_pagelist_resume(&guest), f);
    account_pagelist_stop(&guest, &f[2]);
    assert_ptr_equal(account_pagelist_resume(&guest), &f[2]);
    assert_int_equal(account_release_run(&guest, &f[2], 1, &next), 1);
    assert_ptr_equal(account_pagelist_resume(&guest), f);
    guest.page_cursor = ~0U;
    assert_ptr_equal(account_pagelist_resume(&guest), f);

    f[1].aux = 1;
    account_pagelist_stop(&guest, NULL);
    assert_true(account_pagelist_find(&guest, 1, is_wanted, &found));
    assert_null(found);
    assert_true(account_pagelist_find(&guest, 8, is_wanted, &found));
    assert_ptr_equal(found, &f[1]);
    assert_int_equal(found->count, 2);
    /* It goes meanwhile: the walk goes on behind it all the same. */
    assert_int_equal(account_release(&guest, found), 0);
    account_put(found);
    assert_false(account_pagelist_find(&guest, 8, is_wanted, &found));
    assert_null(found);
    assert_int_equal(guest.page_cursor, 0);
}

#define CASE(fn) cmocka_unit_test_setup(fn, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(alloc_counts_and_lists),
        CASE(steal_and_assign),
        CASE(release_runs),
        CASE(release_leaves_broken_frames),
        CASE(walk_goes_on),
    };

    return cmocka_run_group_tests(tests, machine_up, NULL);
}
