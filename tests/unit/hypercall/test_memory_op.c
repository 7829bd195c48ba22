/* SPDX-License-Identifier: MIT */
/*
 * hypercall/memory_op, memory_exchange, memory_map and pv/reservation over the
 * real allocator and account: what tools rely on, and lists wrong in the middle.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "lib/bits.h"
#include "cpu/features.h"
#include "cpu/timer.h"
#include "mm/directmap.h"
#include "mm/heap.h"
#include "mm/m2p.h"
#include "mm/memmap.h"
#include "mm/page_alloc.h"
#include "domain/account.h"
#include "domain/grant.h"
#include "pv/pagetype.h"
#include "hypercall/call.h"
#include "fake_m2p.h"
#include "fake_machine.h"
#include "fake_printk.h"

#define MIB    (1UL << 20)
#define FRAMES (64 * MIB / PAGE_SIZE)

static struct domain control = {.domid = 0, .is_privileged = true};
static struct domain guest = {.domid = 7};
static struct vcpu control_vcpu = {.domain = &control};
static struct vcpu guest_vcpu = {.domain = &guest};
static shared_info_t shared;
static const void *bad_from; /* this word cannot be read or written   */
static unsigned int stop_after;
static uint64_t restart_cmd;
static unsigned int grants;
struct cpu_features cpu_features = {.phys_bits = 40};

static bool is_bad(uint64_t va, size_t bytes)
{
    uint64_t bad = (uint64_t)bad_from;

    return bad != 0 && va <= bad && bad < va + bytes;
}

int copy_from_guest(void *dst, uint64_t va, size_t bytes)
{
    if (va == 0 || is_bad(va, bytes)) {
        return -EFAULT;
    }
    memcpy(dst, (const void *)va, bytes);
    return 0;
}

int copy_to_guest(uint64_t va, const void *src, size_t bytes)
{
    if (va == 0 || is_bad(va, bytes)) {
        return -EFAULT;
    }
    memcpy((void *)va, src, bytes);
    return 0;
}

mfn_t m2p_table_frame(unsigned int n)
{
    return n < 3 ? mfn(100 + n) : INVALID_MFN;
}

bool hypercall_should_stop(void)
{
    return stop_after != 0 && --stop_after == 0;
}

int64_t hypercall_restart(uint64_t nr, unsigned int args, uint64_t a1,
                          uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    (void)a3;
    (void)a4;
    (void)a5;
    assert_int_equal(nr, __HYPERVISOR_memory_op);
    assert_int_equal(args, 2);
    restart_cmd = a1;
    return do_memory_op(a1, a2, 0, 0, 0);
}

static struct domain *known(domid_t domid)
{
    return domid == 0 ? &control : domid == 7 ? &guest : NULL;
}

struct domain *hypercall_domain(domid_t domid)
{
    return domid == DOMID_SELF ? current->domain : known(domid);
}

void domain_claim(struct domain *d, uint32_t pages)
{
    d->outstanding_pages = pages;
}

uint64_t domain_claims(void)
{
    return guest.outstanding_pages;
}

struct domain *domain_get(domid_t domid)
{
    return known(domid);
}

void domain_put(struct domain *d)
{
    (void)d;
}

void domain_frame_gone(struct domain *d)
{
    (void)d;
}

int pagetype_unpin(struct frame *f)
{
    if ((f->type & TYPE_PINNED) == 0) {
        return -EINVAL;
    }
    f->type &= ~TYPE_PINNED;
    return 0;
}

void pagetype_put_page(struct frame *f)
{
    f->type = 0;
    account_put(f);
}

void grant_table_size(struct domain *d, unsigned int *ret_nr_frames,
                      unsigned int *ret_max)
{
    (void)d;
    *ret_nr_frames = grants;
    *ret_max = 4;
}

int grant_table_frame(struct domain *d, unsigned int idx, mfn_t *ret_mfn)
{
    (void)d;
    *ret_mfn = mfn(500 + idx);
    return 0;
}

void *heap_alloc(size_t bytes)
{
    return calloc(1, bytes);
}

void heap_free(void *p)
{
    free(p);
}

static void domain_reset(struct domain *d)
{
    spin_lock_init(&d->lock, "domain", LOCK_RANK_DOMAIN, IRQ_ANY);
    d->state = DOMAIN_RUNNING;
    d->page_list = FRAME_NONE;
    d->tot_pages = 0;
    d->outstanding_pages = 0;
    d->max_pages = 4096;
    d->shared_info = &shared;
    heap_free(d->e820);
    d->e820 = NULL;
    d->e820_count = 0;
    rangeset_init(&d->io_mem, NULL, 0);
}

static int machine_up(void **state)
{
    (void)state;
    fake_machine_init(64 * MIB);
    memmap_add(MIB, 63 * MIB, 1);
    memmap_add(0xfffc0000, 0x40000, 2);
    memmap_finish();
    frame_table_init(memmap_top_frame());
    page_alloc_init();
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    domain_reset(&control);
    domain_reset(&guest);
    this_cpu()->current_vcpu = &control_vcpu;
    memset(fake_m2p, 0xff, sizeof(fake_m2p));
    bad_from = NULL;
    stop_after = 0;
    restart_cmd = 0;
    return 0;
}

static void give_up_all(struct domain *d)
{
    struct frame *f;

    while ((f = account_pagelist_first(d)) != NULL) {
        assert_true(frame_get(f, d->domid));
        assert_int_equal(account_release(d, f), 0);
        account_put(f);
    }
    assert_int_equal(d->tot_pages, 0);
}

static int tear_down(void **state)
{
    (void)state;
    give_up_all(&control);
    give_up_all(&guest);
    return 0;
}

static int64_t op(unsigned int cmd, void *arg)
{
    return do_memory_op(cmd, (uint64_t)arg, 0, 0, 0);
}

static struct xen_memory_reservation list_of(uint64_t *list, uint64_t count,
                                             unsigned int order, domid_t domid)
{
    struct xen_memory_reservation r = {
        .nr_extents = count, .extent_order = order, .domid = domid};

    r.extent_start.p = list;
    return r;
}

static uint64_t free_now(void)
{
    struct page_alloc_stats s;

    page_alloc_stats(&s);
    return s.free_frames;
}

static void populate_and_give_back(void **state)
{
    uint64_t list[8] = {1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007};
    struct xen_memory_reservation r = list_of(list, 8, 0, 7);
    uint64_t before = free_now();
    unsigned int i;

    (void)state;
    stop_after = 3;
    assert_int_equal(op(XENMEM_populate_physmap, &r), 8);
    assert_int_equal(restart_cmd & 63, XENMEM_populate_physmap);
    assert_in_range(restart_cmd >> 6, 1, 7);
    assert_int_equal(guest.tot_pages, 8);
    for (i = 0; i < 8; i++) {
        assert_int_equal(fake_m2p[list[i]], 1000 + i);
        assert_int_equal(frame_of(mfn(list[i]))->owner, 7);
    }
    assert_int_equal(
        op(XENMEM_current_reservation, &(struct xen_memory_domain){.domid = 7}),
        8);
    /* A pinned one goes, too; one that is mapped stays for the mapping. */
    assert_true(frame_get(frame_of(mfn(list[2])), 7));
    frame_of(mfn(list[2]))->type |= TYPE_PINNED;
    assert_true(frame_get(frame_of(mfn(list[5])), 7));
    assert_int_equal(op(XENMEM_decrease_reservation, &r), 8);
    assert_int_equal(guest.tot_pages, 1);
    assert_int_equal(fake_m2p[list[0]], ~0UL);
    /* Giving it back again is refused: it is nobody's allocation now. */
    r = list_of(&list[5], 1, 0, 7);
    assert_int_equal(op(XENMEM_decrease_reservation, &r), 0);
    account_put(frame_of(mfn(list[5])));
    assert_int_equal(guest.tot_pages, 0);
    assert_int_equal(free_now(), before);
}

static void lists_end_at_the_first_mistake(void **state)
{
    uint64_t list[4] = {1, 2, 3, 4};
    struct xen_memory_reservation r = list_of(list, 4, 9, 7);
    uint64_t before = free_now();

    (void)state;
    guest.max_pages = 1024 + 511;
    this_cpu()->softirq = 1;
    fake_machine_step_ns = 1U << 30; /* goes on in small pieces */
    assert_int_equal(op(XENMEM_populate_physmap, &r), 2);
    assert_int_equal(restart_cmd, XENMEM_populate_physmap | 1 << 6);
    assert_int_equal(guest.tot_pages, 1024);
    /* Beyond RAM, somebody else's, and a list that ends in nothing. */
    list[1] = FRAMES + 5;
    assert_int_equal(op(XENMEM_decrease_reservation, &r), 1);
    assert_int_equal(guest.tot_pages, 512);
    bad_from = &list[0];
    assert_int_equal(op(XENMEM_populate_physmap, &r), 0);
    assert_int_equal(guest.tot_pages, 512);
    assert_int_equal(free_now(), before - 512);
    bad_from = NULL;
    r.extent_order = 19;
    assert_int_equal(op(XENMEM_populate_physmap, &r), 0);
    r = list_of(NULL, 4, 0, 7);
    assert_int_equal(op(XENMEM_populate_physmap, &r), 0);
    assert_int_equal(op(XENMEM_increase_reservation, &r), 4);
    r = list_of(list, 4, 0, 9);
    assert_int_equal(op(XENMEM_populate_physmap, &r), 0);
    assert_int_equal(op(XENMEM_decrease_reservation, NULL), 0);
}

static void guests_act_on_themselves_only(void **state)
{
    uint64_t list[1] = {1};
    struct xen_memory_reservation r = list_of(list, 1, 0, 0);
    struct xen_memory_map map = {.nr_entries = 8};
    struct xen_memory_domain self = {.domid = DOMID_SELF};

    (void)state;
    this_cpu()->current_vcpu = &guest_vcpu;
    assert_int_equal(op(XENMEM_populate_physmap, &r), -EPERM);
    r.domid = DOMID_SELF;
    assert_int_equal(op(XENMEM_populate_physmap, &r), 1);
    r.extent_order = 10;
    assert_int_equal(op(XENMEM_populate_physmap, &r), 0);
    assert_int_equal(op(XENMEM_machine_memory_map, &map), -EPERM);
    assert_int_equal(op(XENMEM_memory_map, &map), -ENOSYS);
    assert_int_equal(op(XENMEM_claim_pages, &r), -EPERM);
    /* Told: what is unknown, not what has a use for the answer. */
    assert_false(fake_printk_said("is not offered"));
    assert_int_equal(op(XENMEM_add_to_physmap, &r), -ENOSYS);
    assert_true(fake_printk_said("memory_op 7 is not offered"));
    assert_int_equal(op(XENMEM_maximum_reservation, &self), 4096);
    assert_int_equal(
        op(XENMEM_maximum_reservation, &(struct xen_memory_domain){.domid = 0}),
        -EPERM);
    shared.arch.max_pfn = 77;
    assert_int_equal(op(XENMEM_maximum_gpfn, &self), 76);
    shared.arch.max_pfn = ~0UL;
    assert_int_equal(op(XENMEM_maximum_gpfn, &self), -EINVAL);
}

/* 64 single frames for one piece of 64: what swiotlb-xen does at boot. */
static struct xen_memory_exchange take_64(uint64_t *in, uint64_t *out,
                                          unsigned int bits)
{
    struct xen_memory_reservation r = list_of(in, 64, 0, DOMID_SELF);
    struct xen_memory_exchange e = {0};
    unsigned int i;

    for (i = 0; i < 64; i++) {
        in[i] = 3000 + i;
    }
    assert_int_equal(op(XENMEM_populate_physmap, &r), 64);
    e.in = list_of(in, 64, 0, DOMID_SELF);
    e.out = list_of(out, 1, 6, DOMID_SELF);
    e.out.mem_flags = bits;
    *out = 3000;
    return e;
}

static void exchange_for_a_piece(void **state)
{
    uint64_t in[64], out, before = free_now();
    struct xen_memory_exchange e = take_64(in, &out, 25);
    unsigned int i;

    (void)state;
    memset(mfn_to_ptr(mfn(in[0])), 0x55, PAGE_SIZE);
    assert_int_equal(op(XENMEM_exchange, &e), 0);
    assert_int_equal(e.nr_exchanged, 64);
    assert_int_equal(out % 64, 0);
    assert_true(out + 64 <= 1UL << (25 - PAGE_SHIFT));
    assert_int_equal(control.tot_pages, 64);
    assert_int_equal(free_now(), before - 64);
    for (i = 0; i < 64; i++) {
        assert_int_equal(fake_m2p[out + i], 3000 + i);
        assert_int_equal(frame_of(mfn(out + i))->owner, 0);
        assert_int_equal(*(uint64_t *)mfn_to_ptr(mfn(out + i)), 0);
        assert_int_equal(frame_of(mfn(in[i]))->state, FRAME_FREE);
    }
    /* And back again: one in, 64 out. */
    for (i = 0; i < 64; i++) {
        in[i] = 3000 + i;
    }
    e = (struct xen_memory_exchange){0};
    e.in = list_of(&out, 1, 6, DOMID_SELF);
    e.out = list_of(in, 64, 0, DOMID_SELF);
    assert_int_equal(op(XENMEM_exchange, &e), 0);
    assert_int_equal(e.nr_exchanged, 1);
    for (i = 0; i < 64; i++) {
        assert_int_equal(fake_m2p[in[i]], 3000 + i);
    }
}

static void failed_exchange_changes_nothing(void **state)
{
    uint64_t in[64], out, before;
    struct xen_memory_exchange e = take_64(in, &out, 18);
    unsigned int i;

    (void)state;
    before = free_now();
    /* No memory that low. */
    assert_int_equal(op(XENMEM_exchange, &e), -ENOMEM);
    e.out.mem_flags = 0;
    /* The last frame is mapped somewhere. */
    assert_true(frame_get(frame_of(mfn(in[63])), 0));
    assert_int_equal(op(XENMEM_exchange, &e), -EBUSY);
    account_put(frame_of(mfn(in[63])));
    /* One twice; one of nobody's; one beyond RAM. */
    i = (unsigned int)in[10];
    in[10] = in[11];
    assert_int_equal(op(XENMEM_exchange, &e), -EINVAL);
    in[10] = FRAMES + 1;
    assert_int_equal(op(XENMEM_exchange, &e), -EINVAL);
    in[10] = i;
    bad_from = &in[20];
    assert_int_equal(op(XENMEM_exchange, &e), -EFAULT);
    bad_from = &out;
    assert_int_equal(op(XENMEM_exchange, &e), -EFAULT);
    bad_from = NULL;
    assert_int_equal(e.nr_exchanged, 0);
    assert_int_equal(out, 3000);
    assert_int_equal(control.tot_pages, 64);
    assert_int_equal(free_now(), before);
    for (i = 0; i < 64; i++) {
        assert_int_equal(fake_m2p[in[i]], 3000 + i);
        assert_int_equal(frame_of(mfn(in[i]))->count, 1);
    }
    /* Shapes that do not match. */
    e.out.nr_extents = 2;
    assert_int_equal(op(XENMEM_exchange, &e), -EINVAL);
    e.out.extent_order = 19;
    assert_int_equal(op(XENMEM_exchange, &e), -EPERM);
    e.out.extent_order = 6;
    e.in.domid = e.out.domid = 7;
    e.out.nr_extents = 1;
    assert_int_equal(op(XENMEM_exchange, &e), -EOPNOTSUPP);
    e.in.domid = e.out.domid = DOMID_SELF;
    assert_int_equal(op(XENMEM_exchange, &e), 0);
}

static void exchange_restarts(void **state)
{
    uint64_t in[8] = {10, 11, 12, 13, 14, 15, 16, 17};
    uint64_t out[4] = {10, 12, 14, 16};
    struct xen_memory_reservation r = list_of(in, 8, 0, DOMID_SELF);
    struct xen_memory_exchange e = {0};

    (void)state;
    assert_int_equal(op(XENMEM_populate_physmap, &r), 8);
    e.in = list_of(in, 8, 0, DOMID_SELF);
    e.out = list_of(out, 4, 1, DOMID_SELF);
    stop_after = 2;
    assert_int_equal(op(XENMEM_exchange, &e), 0);
    assert_int_equal(restart_cmd, XENMEM_exchange);
    assert_int_equal(e.nr_exchanged, 8);
    assert_int_equal(fake_m2p[out[3] + 1], 17);
    assert_int_equal(control.tot_pages, 8);
}

static void machine_map_reserves_what_is_ours(void **state)
{
    struct e820entry got[16];
    struct xen_memory_map map = {.nr_entries = 16};
    unsigned int i;
    bool lapic = false;
    static struct range space[4];

    (void)state;
    map.buffer.p = got;
    rangeset_init(&control.io_mem, space, ARRAY_SIZE(space));
    assert_int_equal(rangeset_add(&control.io_mem, 0, MASK_BITS(28)), 0);
    assert_int_equal(rangeset_remove(&control.io_mem, 0xfee00, 0xfeeff), 0);
    assert_int_equal(op(XENMEM_machine_memory_map, &map), 0);
    assert_in_range(map.nr_entries, 3, 16);
    for (i = 0; i < map.nr_entries; i++) {
        if (got[i].addr == 0xfee00000) {
            assert_int_equal(got[i].size, 0x100000);
            assert_int_equal(got[i].type, MEMMAP_RESERVED);
            lapic = true;
        }
        if (i > 0) {
            assert_true(got[i].addr >= got[i - 1].addr + got[i - 1].size);
        }
    }
    assert_true(lapic);
    map.nr_entries = 2;
    assert_int_equal(op(XENMEM_machine_memory_map, &map), -EINVAL);
    map.buffer.p = NULL;
    assert_int_equal(op(XENMEM_machine_memory_map, &map), 0);
    assert_int_equal(map.nr_entries, i);
}

static void guest_map_is_what_was_set(void **state)
{
    struct e820entry set[2] = {{.addr = 0, .size = 64 * MIB, .type = 1},
                               {.addr = 64 * MIB, .size = MIB, .type = 2}};
    struct e820entry got[4];
    struct xen_foreign_memory_map f = {.domid = 7, .map = {.nr_entries = 2}};
    struct xen_memory_map map = {.nr_entries = 4};

    (void)state;
    f.map.buffer.p = set;
    map.buffer.p = got;
    assert_int_equal(op(XENMEM_set_memory_map, &f), 0);
    this_cpu()->current_vcpu = &guest_vcpu;
    assert_int_equal(op(XENMEM_set_memory_map, &f), -EPERM);
    assert_int_equal(op(XENMEM_memory_map, &map), 0);
    assert_int_equal(map.nr_entries, 2);
    assert_memory_equal(got, set, sizeof(set));
    this_cpu()->current_vcpu = &control_vcpu;
    f.map.nr_entries = 1025;
    assert_int_equal(op(XENMEM_set_memory_map, &f), -EINVAL);
    f.domid = 9;
    f.map.nr_entries = 1;
    assert_int_equal(op(XENMEM_set_memory_map, &f), -ESRCH);
    domain_reset(&guest);
}

static void tables_and_resources(void **state)
{
    struct xen_machphys_mapping mapping;
    struct xen_machphys_mfn_list l = {.max_extents = 8};
    struct xen_mem_acquire_resource r = {
        .domid = 7, .type = XENMEM_resource_grant_table, .nr_frames = 2};
    uint64_t list[8] = {0};

    (void)state;
    assert_int_equal(op(XENMEM_machphys_mapping, &mapping), 0);
    assert_int_equal(mapping.v_start, M2P_VA);
    assert_int_equal(mapping.max_mfn, FRAMES - 1);
    assert_int_equal(op(XENMEM_maximum_ram_page, NULL), FRAMES - 1);
    l.extent_start.p = list;
    assert_int_equal(op(XENMEM_machphys_mfn_list, &l), 0);
    assert_int_equal(l.nr_extents, 3);
    assert_int_equal(list[2], 102);
    r.frame_list.p = list;
    r.frame = 1;
    assert_int_equal(op(XENMEM_acquire_resource, &r), 0);
    assert_int_equal(list[1], 502);
    r.nr_frames = 4;
    assert_int_equal(op(XENMEM_acquire_resource, &r), -EINVAL);
    r.frame_list.p = NULL;
    r.nr_frames = 0;
    assert_int_equal(op(XENMEM_acquire_resource, &r), 0);
    assert_int_equal(r.nr_frames, 4);
    r.pad = 1;
    assert_int_equal(op(XENMEM_acquire_resource, &r), -EINVAL);
    r.pad = 0;
    r.type = XENMEM_resource_ioreq_server;
    assert_int_equal(op(XENMEM_acquire_resource, &r), -EOPNOTSUPP);
    r.type = XENMEM_resource_grant_table;
    r.domid = DOMID_SELF;
    assert_int_equal(op(XENMEM_acquire_resource, &r), -EPERM);
}

static void claims(void **state)
{
    struct xen_memory_reservation r = list_of(NULL, 2000, 0, 7);
    uint64_t list[1] = {5};
    struct xen_memory_reservation one = list_of(list, 1, 0, 7);

    (void)state;
    assert_int_equal(op(XENMEM_claim_pages, &r), 0);
    assert_int_equal(guest.outstanding_pages, 2000);
    assert_int_equal(op(XENMEM_claim_pages, &r), -EINVAL);
    assert_int_equal(op(XENMEM_populate_physmap, &one), 1);
    assert_int_equal(guest.outstanding_pages, 1999);
    r.nr_extents = 0;
    assert_int_equal(op(XENMEM_claim_pages, &r), 0);
    assert_int_equal(guest.outstanding_pages, 0);
    guest.max_pages = 1U << 20;
    r.nr_extents = FRAMES + 1;
    assert_int_equal(op(XENMEM_claim_pages, &r), -ENOMEM);
    r.extent_order = 1;
    assert_int_equal(op(XENMEM_claim_pages, &r), -EINVAL);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(populate_and_give_back),
        CASE(lists_end_at_the_first_mistake),
        CASE(guests_act_on_themselves_only),
        CASE(exchange_for_a_piece),
        CASE(failed_exchange_changes_nothing),
        CASE(exchange_restarts),
        CASE(machine_map_reserves_what_is_ours),
        CASE(guest_map_is_what_was_set),
        CASE(tables_and_resources),
        CASE(claims),
    };

    return cmocka_run_group_tests(tests, machine_up, NULL);
}
