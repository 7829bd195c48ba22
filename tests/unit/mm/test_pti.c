/* SPDX-License-Identifier: MIT */
/*
 * test_pti - what an isolated guest's tables have of ours, and how the copy of
 * its L4 follows.
 */
#include "tests/unit/unit.h"

#include "mm/pti.c"
#include "fake_machine.h"

#define MIB   (1UL << 20)
#define BLOCK (CPU_BLOCKS_VA + 3 * CPU_BLOCK_BYTES)
#define CPU   3

/* Code and the page of SYSCALL are where tests.mk tells the linker. */
struct gate idt[256] ALIGNED(4096);
uint64_t gdt_page[512] ALIGNED(4096);
struct tss_slot tss_slots[NR_CPUS] ALIGNED(4096);

static bool machine_is_there;
static unsigned int pages_left;
static uint64_t next_page = 2 * MIB;
static maddr_t guest[2] = {1 * MIB, 1 * MIB + PAGE_SIZE};

void *hv_page_alloc(void)
{
    if (pages_left == 0) {
        return NULL;
    }
    pages_left--;
    next_page += PAGE_SIZE;
    return maddr_to_ptr(next_page);
}

/* Everything of ours is mapped somewhere, but for the guards. */
mfn_t hvmap_frame(uint64_t va)
{
    if (va >= BLOCK && va < BLOCK + CPU_BLOCK_BYTES &&
        cpu_block_is_guard(va - BLOCK)) {
        return INVALID_MFN;
    }
    return mfn(0x100000 + (va >> PAGE_SHIFT & 0xfffff));
}

static int set_up(void **state)
{
    (void)state;
    if (!machine_is_there) {
        fake_machine_init(16 * MIB);
        machine_is_there = true;
    }
    fake_machine_fill(0, 16 * MIB, 0);
    memset(copy_of, 0, sizeof(copy_of));
    fake_cpu = 0;
    memset(fake_cpu_blocks, 0, sizeof(fake_cpu_blocks));
    fake_cpu_blocks[0].cpu_id = CPU;
    next_page = 2 * MIB;
    pages_left = 100;
    pti_init(true);
    return 0;
}

/* The entry of level 1 for @va; 0: there is none. */
static pte_t leaf(const pte_t *l4, uint64_t va)
{
    const pte_t *table = l4;

    for (unsigned int level = 4; level > 1; level--) {
        pte_t e = table[pt_index(va, level)];

        if ((e & PTE_P) == 0) {
            return 0;
        }
        assert_int_equal(e & PTE_U, 0);
        table = maddr_to_ptr(e & PTE_ADDR);
    }
    return table[pt_index(va, 1)];
}

static unsigned int leaves(const pte_t *table, unsigned int level)
{
    unsigned int n = 0;

    for (unsigned int i = 0; i < PT_ENTRIES; i++) {
        if (table[i] & PTE_P) {
            n += level == 1
                     ? 1
                     : leaves(maddr_to_ptr(table[i] & PTE_ADDR), level - 1);
        }
    }
    return n;
}

static void only_what_the_doors_need(void **state)
{
    unsigned int stacks = 0, others;
    const pte_t *l4;

    (void)state;
    assert_int_equal(pti_cpu_init(CPU, BLOCK), 0);
    l4 = copy_of[CPU].l4;
    for (uint64_t off = 0; off < CPU_BLOCK_BYTES; off += PAGE_SIZE) {
        pte_t e = leaf(l4, BLOCK + off);

        if (cpu_block_is_guard(off)) {
            assert_int_equal(e, 0);
            continue;
        }
        stacks++;
        assert_int_equal(e & (PTE_W | PTE_NX | PTE_U | PTE_G), PTE_W | PTE_NX);
        assert_int_equal(mfn_x(pte_mfn(e)), mfn_x(hvmap_frame(BLOCK + off)));
    }
    /* Code: two pages, for all to read, for nobody to write. */
    assert_int_equal(leaf(l4, (uint64_t)__entry_text_start) & (PTE_W | PTE_NX),
                     0);
    assert_int_not_equal(leaf(l4, (uint64_t)__entry_text_end - 1), 0);
    assert_int_equal(leaf(l4, (uint64_t)__entry_text_end + PAGE_SIZE), 0);
    assert_int_equal(leaf(l4, (uint64_t)idt) & (PTE_W | PTE_NX), PTE_NX);
    assert_int_equal(leaf(l4, (uint64_t)gdt_page) & (PTE_W | PTE_NX),
                     PTE_W | PTE_NX);
    others = 2 /* code */ + 1 + 1 + sizeof(tss_slots) / PAGE_SIZE + 1;
    assert_int_equal(leaves(l4, 4), stacks + others);
    /* No other CPU's block. */
    assert_int_equal(leaf(l4, BLOCK - CPU_BLOCK_BYTES + CPU_STACK_MAIN), 0);
}

static void memory_may_run_out(void **state)
{
    unsigned int tries = 0;

    (void)state;
    pages_left = 0;
    while (pti_cpu_init(CPU, BLOCK) == -ENOMEM) {
        tries++;
        pages_left = 1;
    }
    assert_in_range(tries, 5, 20);
    only_what_the_doors_need(state);
}

static void nothing_unless_wanted(void **state)
{
    (void)state;
    pti_init(false);
    assert_int_equal(pti_cpu_init(CPU, BLOCK), 0);
    assert_null(copy_of[CPU].l4);
    assert_int_equal(pages_left, 100);
    pti_l4_changed();
    assert_false(pti_was_behind());
}

static void copy_follows(void **state)
{
    pte_t *l4[2] = {maddr_to_ptr(guest[0]), maddr_to_ptr(guest[1])};
    pte_t own;
    pte_t *copy;

    (void)state;
    assert_int_equal(pti_cpu_init(CPU, BLOCK), 0);
    copy = copy_of[CPU].l4;
    own = copy[OWN_SLOT];
    for (unsigned int i = 0; i < PT_ENTRIES; i++) {
        l4[0][i] = 0x1000000 + i * PAGE_SIZE + PTE_P;
        l4[1][i] = 0x2000000 + i * PAGE_SIZE + PTE_P;
    }
    fake_cr[3] = guest[0];
    pti_follow();
    for (unsigned int i = 0; i < PT_ENTRIES; i++) {
        bool guests = i < HV_L4_FIRST || i > HV_L4_LAST ||
                      i == PERDOMAIN_L4_SLOT || i == 256;

        assert_int_equal(copy[i], guests ? l4[0][i] : i == OWN_SLOT ? own : 0);
    }
    assert_int_equal(fake_cpu_blocks[0].pti_full, guest[0]);
    assert_int_equal(fake_cpu_blocks[0].pti_guest, ptr_to_maddr(copy));
    assert_false(pti_was_behind());
    /* Another vcpu makes an entry: a fault may come of that, once. */
    l4[0][7] = 0x7000 | PTE_P;
    pti_l4_changed();
    assert_true(pti_was_behind());
    pti_follow();
    assert_int_equal(copy[7], 0x7000 | PTE_P);
    assert_false(pti_was_behind());
    /* Other tables, and back. */
    fake_cr[3] = guest[1];
    pti_follow();
    assert_int_equal(copy[0], l4[1][0]);
    assert_int_equal(fake_cpu_blocks[0].pti_full, guest[1]);
    fake_cr[3] = guest[0];
    pti_follow();
    assert_int_equal(copy[0], l4[0][0]);
    assert_int_equal(copy[OWN_SLOT], own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(only_what_the_doors_need, set_up),
        cmocka_unit_test_setup(memory_may_run_out, set_up),
        cmocka_unit_test_setup(nothing_unless_wanted, set_up),
        cmocka_unit_test_setup(copy_follows, set_up),
    };

    return UNIT_RUN(tests);
}
