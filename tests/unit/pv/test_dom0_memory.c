/* SPDX-License-Identifier: MIT */
/*
 * test_dom0_memory - populate, copy, and read the page tables back the way
 * the processor and Linux would.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "lib/bits.h"
#include "mm/directmap.h"
#include "mm/m2p.h"
#include "mm/memmap.h"
#include "mm/page_alloc.h"
#include "domain/account.h"
#include "pv/dom0_memory.h"
#include "fake_machine.h"

#define MIB  (1UL << 20)
#define BASE 0xffffffff80000000

static struct domain dom = {.domid = 0};
static uint64_t m2p[256 * 256];

void m2p_set(mfn_t m, pfn_t p)
{
    m2p[mfn_x(m)] = pfn_x(p);
}

int account_alloc(struct domain *d, pfn_t p, unsigned int order,
                  unsigned int bits, mfn_t *ret_mfn)
{
    struct frame *f = page_alloc(order, PA_CLEAN, bits);

    assert_true(pfn_x(p) == M2P_INVALID);
    if (f == NULL) {
        return -ENOMEM;
    }
    for (uint64_t i = 0; i < BIT(order); i++) {
        f[i].owner = d->domid;
    }
    *ret_mfn = frame_mfn(f);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    fake_machine_init(256 * MIB);
    memmap_add(MIB, 255 * MIB, 1);
    memmap_finish();
    frame_table_init(memmap_top_frame());
    page_alloc_init();
    return 0;
}

static bool walk(mfn_t l4, uint64_t va, pte_t *ret_leaf)
{
    pte_t *table = mfn_to_ptr(l4);

    for (unsigned int level = 4; level > 1; level--) {
        pte_t e = table[pt_index(va, level)];

        if ((e & PTE_P) == 0) {
            return false;
        }
        assert_int_equal(e & ~PTE_ADDR, PTE_P | PTE_W | PTE_U | PTE_A | PTE_D);
        table = mfn_to_ptr(pte_mfn(e));
    }
    *ret_leaf = table[pt_index(va, 1)];
    return (*ret_leaf & PTE_P) != 0;
}

static void build_and_check(bool elsewhere)
{
    struct dom0_layout_in in = {
        .virt_base = BASE,
        .load_start = MIB,
        .load_end = 9 * MIB,
        .entry = BASE + MIB,
        .initrd_bytes = 5 * MIB + 3,
        .initrd_by_pfn = true,
        .p2m_elsewhere = elsewhere,
        .init_p2m = 0x8000000000,
        .nr_pages = 100 * 256 + 7,
    };
    static uint8_t bytes[3 * 4096];
    struct page_alloc_stats before, after;
    struct dom0_memory mem;
    struct dom0_layout l;
    const char *why;
    uint64_t pt_pfn, *list;
    uint8_t *p;
    pte_t leaf;

    page_alloc_stats(&before);
    assert_int_equal(layout_dom0(&in, &l, &why), 0);
    assert_int_equal(dom0_memory_init(&mem, &dom, &l, in.nr_pages), 0);
    assert_int_equal(dom0_memory_populate(&mem, 0, l.rest_pfn), 0);
    assert_null(dom0_memory_page(&mem, l.rest_pfn));
    memset(bytes, 0x3c, sizeof(bytes));
    assert_int_equal(dom0_memory_copy(&mem, MIB + 5, bytes, sizeof(bytes)), 0);
    p = dom0_memory_page(&mem, 256);
    assert_int_equal(p[4], 0);
    assert_int_equal(p[5], 0x3c);
    p = dom0_memory_page(&mem, 259);
    assert_int_equal(p[4], 0x3c);
    assert_int_equal(p[5], 0);
    assert_int_equal(dom0_memory_copy(&mem, l.rest_pfn << PAGE_SHIFT, bytes, 1),
                     -EINVAL);
    assert_int_equal(dom0_memory_copy(&mem, ~0UL - 100, bytes, 1), -EINVAL);

    assert_int_equal(dom0_memory_map(&mem, &l), 0);
    assert_int_equal(
        dom0_memory_populate(&mem, l.rest_pfn, in.nr_pages - l.rest_pfn), 0);

    /* The run: consecutive PFNs; tables read-only, the L4 first of them. */
    pt_pfn = (l.pt_va - BASE) >> PAGE_SHIFT;
    for (uint64_t n = 0; n < l.run_pages; n++) {
        assert_true(walk(mem.l4, BASE + n * PAGE_SIZE, &leaf));
        assert_int_equal(m2p[mfn_x(pte_mfn(leaf))], n);
        assert_int_equal((leaf & PTE_W) != 0,
                         n < pt_pfn || n >= pt_pfn + l.pt_pages);
        assert_true((leaf & PTE_U) != 0 && (leaf & PTE_GUEST_KERNEL) != 0);
    }
    assert_int_equal(m2p[mfn_x(mem.l4)], pt_pfn);
    assert_false(walk(mem.l4, l.end_va, &leaf));
    assert_false(walk(mem.l4, BASE - PAGE_SIZE, &leaf));

    /* The list: readable at its place, right for every PFN, padded. */
    for (uint64_t i = 0; i < l.p2m_pages; i++) {
        assert_true(walk(mem.l4, l.p2m_va + i * PAGE_SIZE, &leaf));
        assert_true((leaf & PTE_W) != 0);
        assert_int_equal(m2p[mfn_x(pte_mfn(leaf))], l.p2m_pfn + i);
        list = mfn_to_ptr(pte_mfn(leaf));
        for (uint64_t k = 0; k < 512; k++) {
            uint64_t n = i * 512 + k;

            if (n < in.nr_pages) {
                assert_int_equal(m2p[list[k]], n);
            } else {
                assert_int_equal(list[k], ~0UL);
            }
        }
    }
    dom0_memory_done(&mem);
    page_alloc_stats(&after);
    assert_int_equal(before.free_frames - after.free_frames, in.nr_pages);
}

static void test_list_elsewhere(void **state)
{
    (void)state;
    build_and_check(true);
}

static void test_list_in_the_run(void **state)
{
    (void)state;
    build_and_check(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list_elsewhere),
        cmocka_unit_test(test_list_in_the_run),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
