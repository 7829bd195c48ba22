/* SPDX-License-Identifier: MIT */
/*
 * test_hvmap - what the finished tables map, and how, read back page by page.
 * The image is where tests.mk tells the linker.
 *
 *   0x001000..0x9f000 BIOS data   0x100000..96 MiB RAM, image at 2 MiB
 *   96..97 MiB black box (hidden) 97..98 MiB ACPI tables marked reserved
 *   3 GiB reserved (MMCONFIG)     4..6 GiB RAM
 */
#include "tests/unit/unit.h"

#include "mm/hvmap.c"
#include "fake_machine.h"

#define MIB (1UL << 20)
#define GIB (1UL << 30)

pte_t hv_l4[PT_ENTRIES] ALIGNED(PAGE_SIZE);
struct cpu_features cpu_features = {.page1gb = true};

static unsigned int pages_left; /* that hv_page_alloc() will hand out */
static unsigned int pages_freed;

bool page_alloc_is_up(void)
{
    return false;
}

void *hv_page_alloc(void)
{
    if (pages_left == 0) {
        return NULL;
    }
    pages_left--;
    return maddr_to_ptr(boot_alloc_pages(1, 1));
}

void hv_page_free(void *p)
{
    pages_freed += p != NULL;
}

void page_alloc_add(mfn_t start, uint64_t count)
{
    (void)start;
    (void)count;
    abort();
}

static int set_up(void **state)
{
    (void)state;
    fake_machine_init(6 * GIB);
    memmap_add(0, 0x9fc00, 1);
    memmap_add(0xf0000, 0x10000, 2);
    memmap_add(MIB, 96 * MIB, 1);
    memmap_add(97 * MIB, MIB, 2);
    memmap_add(3 * GIB, 256 * MIB, 2);
    memmap_add(4 * GIB, 2 * GIB, 1);
    memmap_finish();
    memmap_reserve(2 * MIB, 0x101000);
    memmap_hide(96 * MIB, MIB);
    hv_l4[0] = 0x1234 | PTE_P; /* the identity map */
    hvmap_init();
    return 0;
}

/* Translate; 0 when not mapped.  @ret_size: of the page. */
static pte_t translate_from(pte_t *table, uint64_t va, maddr_t *ret_maddr,
                            uint64_t *ret_size)
{
    for (unsigned int level = 4; level > 0; level--) {
        pte_t e = table[pt_index(va, level)];

        if ((e & PTE_P) == 0) {
            return 0;
        }
        if (level == 1 || (e & PTE_PS) != 0) {
            *ret_size = 1UL << (L1_SHIFT + 9 * (level - 1));
            *ret_maddr = mfn_to_maddr(pte_mfn(e)) + (va & (*ret_size - 1));
            return e;
        }
        assert_true((e & PTE_W) != 0);
        table = mfn_to_ptr(pte_mfn(e));
    }
    return 0;
}

static pte_t translate(uint64_t va, maddr_t *ret_maddr, uint64_t *ret_size)
{
    return translate_from(build_l4, va, ret_maddr, ret_size);
}

static uint64_t assert_direct(maddr_t a, uint64_t flags)
{
    maddr_t got = 0;
    uint64_t size = 0;
    pte_t e = translate(DIRECTMAP_VA + a, &got, &size);

    if ((e & PTE_P) == 0 || got != a) {
        fail_msg("%#lx is not in the direct map", a);
    }
    assert_int_equal(e & (PTE_W | PTE_NX | PTE_U), flags);
    assert_true(IS_ALIGNED(got - (a & (size - 1)), size));
    return size;
}

static void assert_no_direct(maddr_t a)
{
    maddr_t got;
    uint64_t size;

    if (translate(DIRECTMAP_VA + a, &got, &size) != 0) {
        fail_msg("%#lx is in the direct map", a);
    }
}

static void test_direct_map(void **state)
{
    (void)state;
    for (maddr_t a = 0; a < 98 * MIB; a += PAGE_SIZE) {
        if (a >= 0xa0000 && a < 0xc0000) {
            assert_no_direct(a);
        } else if (a >= 2 * MIB && a < 2 * MIB + 0x40000) {
            assert_direct(a, PTE_NX); /* text and constants: no write */
        } else {
            assert_direct(a, PTE_W | PTE_NX);
        }
    }
    assert_no_direct(98 * MIB);
    assert_no_direct(3 * GIB);
    assert_no_direct(4 * GIB - PAGE_SIZE);
    for (maddr_t a = 4 * GIB; a < 6 * GIB; a += 2 * MIB) {
        assert_int_equal(assert_direct(a, PTE_W | PTE_NX), GIB);
    }
    assert_no_direct(6 * GIB);
    assert_int_equal(assert_direct(50 * MIB, PTE_W | PTE_NX), 2 * MIB);
}

static void test_image(void **state)
{
    (void)state;
    for (maddr_t a = MIB; a < 4 * MIB; a += PAGE_SIZE) {
        maddr_t got = 0;
        uint64_t size = 0, want;
        pte_t e = translate(HV_IMAGE_VA + a, &got, &size);

        if (a < 0x200000 || a >= 0x301000) {
            assert_int_equal(e, 0);
            continue;
        }
        assert_int_equal(got, a);
        assert_int_equal(size, PAGE_SIZE);
        want = a < 0x236000   ? 0
               : a < 0x240000 ? PTE_NX
               : a < 0x244000 ? 0
                              : PTE_W | PTE_NX;
        assert_int_equal(e & (PTE_W | PTE_NX | PTE_U), want);
    }
}

/* What a block's page @n is mapped to: 0 for nothing. */
static pte_t block_page(uint64_t block, unsigned int n)
{
    maddr_t got;
    uint64_t size;

    return translate_from(hv_l4, block + n * PAGE_SIZE, &got, &size);
}

static void test_guards_of_the_first(void **state)
{
    uint64_t block = CPU_BLOCKS_VA;

    (void)state;
    /* The image's own is not in the hole here: one that is mapped like it. */
    for (unsigned int n = 0; n < 17; n++) {
        assert_int_equal(hvmap_map(block + n * PAGE_SIZE, mfn(0x260 + n),
                                   PTE_W | PTE_NX), 0);
    }
    hvmap_guard_block(block);
    for (unsigned int n = 0; n < 16; n++) {
        bool guard = n < 11 && n % 2 == 0;

        assert_int_equal(block_page(block, n) & PTE_P, guard ? 0 : PTE_P);
    }
    assert_true(block_page(block, 16) != 0); /* what lies behind it stays */
}

static void test_block_of_another(void **state)
{
    uint64_t block = 1, again = 2, next = 3;

    (void)state;
    /* Ten pages are wanted; it goes on where it failed. */
    pages_left = 4;
    assert_int_equal(hvmap_cpu_block(7, &block), -ENOMEM);
    assert_int_equal(block, 1);
    assert_int_equal(pages_freed, 0);
    pages_left = 6;
    assert_int_equal(hvmap_cpu_block(7, &block), 0);
    assert_int_equal(pages_left, 0);
    assert_int_equal(block, CPU_BLOCKS_VA + 7 * CPU_BLOCK_BYTES);
    for (unsigned int n = 0; n < 16; n++) {
        bool guard = n < 11 && n % 2 == 0;
        pte_t e = block_page(block, n);

        assert_int_equal(e & (PTE_P | PTE_W | PTE_NX | PTE_U),
                         guard ? 0 : PTE_P | PTE_W | PTE_NX);
    }
    assert_int_equal(hvmap_cpu_block(7, &again), 0);
    assert_int_equal(again, block);
    pages_left = 10;
    assert_int_equal(hvmap_cpu_block(NR_CPUS - 1, &next), 0);
    assert_int_equal(block_page(block, 16), 0);
    assert_true(next + CPU_BLOCK_BYTES <= VA(0xffff82d080000000));
}

static void test_audit(void **state)
{
    uint64_t va = 0, wrong = FIXMAP_IOMAP_VA + 5 * PAGE_SIZE;

    (void)state;
    assert_null(hvmap_audit(&va));
    assert_int_equal(hvmap_map(wrong, mfn(0x300), PTE_W), 0);
    assert_string_equal(hvmap_audit(&va), "is writable and executable");
    assert_true(va == wrong);
    assert_int_equal(hvmap_map(wrong, mfn(0x300), PTE_NX), 0);
    assert_null(hvmap_audit(&va));
    /* To guests: the M2P, all levels of it, and nothing else. */
    assert_int_equal(hvmap_map(wrong, mfn(0x300), PTE_U | PTE_NX), 0);
    assert_null(hvmap_audit(&va)); /* a table above says no */
    hvmap_unmap(wrong);
    wrong = M2P_VA + 7 * PAGE_SIZE;
    assert_int_equal(hvmap_map(wrong, mfn(0x300), PTE_U | PTE_NX), 0);
    assert_null(hvmap_audit(&va));
    assert_int_equal(hvmap_map(wrong, mfn(0x300), PTE_U | PTE_W | PTE_NX), 0);
    assert_string_equal(hvmap_audit(&va), "is for guests to write");
    assert_true(va == wrong);
    hvmap_unmap(wrong);
    *entry_for(FIXMAP_VA, 1) = pte_make(mfn(0x300), PTE_P | PTE_U | PTE_NX);
    for (unsigned int level = 2; level <= 4; level++) {
        *entry_for(FIXMAP_VA, level) |= PTE_U;
    }
    assert_string_equal(hvmap_audit(&va), "is open to guests");
    assert_true(va == FIXMAP_VA);
    hvmap_unmap(FIXMAP_VA);
}

static void test_slots(void **state)
{
    pte_t l4[PT_ENTRIES] = {[5] = 7};

    (void)state;
    for (unsigned int i = 0; i < PT_ENTRIES; i++) {
        bool ours =
            i >= HV_L4_FIRST && i <= HV_L4_LAST && i != PERDOMAIN_L4_SLOT;

        assert_int_equal((hv_l4[i] & PTE_P) != 0, ours);
    }
    hvmap_fill_l4(l4, mfn(0x77));
    assert_int_equal(l4[5], 7);
    assert_int_equal(mfn_x(pte_mfn(l4[PERDOMAIN_L4_SLOT])), 0x77);
    assert_int_equal(l4[PERDOMAIN_L4_SLOT] & PTE_U, 0);
    assert_int_equal(l4[256], hv_l4[256]);
    assert_int_equal(l4[256] & PTE_U, PTE_U); /* M2P: the leaf decides */
    assert_int_equal(l4[262] & PTE_U, 0);
    hvmap_fill_l4(l4, INVALID_MFN);
    assert_int_equal(l4[PERDOMAIN_L4_SLOT], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_direct_map),
        cmocka_unit_test(test_image),
        cmocka_unit_test(test_slots),
        cmocka_unit_test(test_guards_of_the_first),
        cmocka_unit_test(test_block_of_another),
        cmocka_unit_test(test_audit),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
