/* SPDX-License-Identifier: MIT */
/*
 * mmu - the page-type rules that keep PV guests apart from the hardware.
 *
 * Claim: no frame is writable and a page table at the same time; pins nest as
 * the ABI says; bad entries are refused and change nothing; a batch stops at
 * the first bad entry and says how far it came.
 * Plan, on pages of our own:
 *   1. Pin order: a writable page cannot be pinned; read-only it can; twice
 *      cannot; unpinned twice cannot.
 *   2. A pinned page cannot be mapped writable again, through any alias.
 *   3. Entries of a live table: mmu_update, update_va_mapping and a plain write
 *      (emulated) all work and are all checked.
 *   4. Refused: PSE, reserved bits, a foreign frame, the hypervisor's slots.
 *   5. Batch counts.
 *   6. PT_UPDATE_PRESERVE_AD keeps A and D.
 */
#include "stub.h"

const char stub_name[] = "mmu";

/* Nothing is mapped here; the tables below are built by hand. */
#define TEST_VA 0x10000000000UL

static uint64_t l1[512] __page_aligned;
static uint64_t l2[512] __page_aligned;
static uint64_t l3[512] __page_aligned;
static uint64_t data[512] __page_aligned;

static uint64_t entry_for(const void *page, uint64_t flags)
{
    return mm_maddr(page) | flags;
}

static void check_pin_order(void)
{
    CHECK(mm_mmuext(MMUEXT_PIN_L1_TABLE, mm_mfn(l1)) != 0,
          "a writable page was pinned");
    CHECK(mm_protect(l1, PTE_FLAGS_RO) == 0, "make read-only");
    CHECK(mm_mmuext(MMUEXT_PIN_L1_TABLE, mm_mfn(l1)) == 0, "pin L1");
    CHECK(mm_mmuext(MMUEXT_PIN_L1_TABLE, mm_mfn(l1)) == -XEN_EINVAL,
          "pinned twice");
    CHECK(mm_mmuext(MMUEXT_PIN_L2_TABLE, mm_mfn(l1)) != 0,
          "an L1 was pinned as L2");
    CHECK(mm_protect(l1, PTE_FLAGS_DATA) != 0, "a page table is writable");
    CHECK((mm_pte(l1, 1) & (PTE_P | PTE_RW)) == PTE_P,
          "the refused entry was written: %lx", mm_pte(l1, 1));
    CHECK(mm_map(data, mm_maddr(l1), PTE_FLAGS_DATA) != 0,
          "a page table is writable through an alias");
    CHECK(mm_map(data, mm_maddr(l1), PTE_FLAGS_RO) == 0,
          "a read-only alias of a page table is refused");
    CHECK(mm_protect(data, PTE_FLAGS_DATA) == 0, "put the alias back");
    CHECK(mm_mmuext(MMUEXT_UNPIN_TABLE, mm_mfn(l1)) == 0, "unpin");
    CHECK(mm_mmuext(MMUEXT_UNPIN_TABLE, mm_mfn(l1)) == -XEN_EINVAL,
          "unpinned twice");
    CHECK(mm_protect(l1, PTE_FLAGS_DATA) == 0, "writable after unpin");
    l1[0] = 0;
}

/* TEST_VA -> l3 -> l2 -> l1: afterwards all three are live tables. */
static bool build(void)
{
    uint64_t l4_entry = mm_pte_maddr((const void *)TEST_VA, 4);

    l3[0] = entry_for(l2, PTE_FLAGS_TABLE);
    l2[0] = entry_for(l1, PTE_FLAGS_TABLE);
    l1[1] = entry_for(data, PTE_FLAGS_RO);
    CHECK(mm_write_pte(l4_entry, entry_for(l3, PTE_FLAGS_TABLE)) != 0,
          "an L4 entry with writable tables below");
    CHECK(mm_protect(l1, PTE_FLAGS_RO) == 0 &&
              mm_protect(l2, PTE_FLAGS_RO) == 0 &&
              mm_protect(l3, PTE_FLAGS_RO) == 0,
          "make the tables read-only");
    return CHECK(mm_write_pte(l4_entry, entry_for(l3, PTE_FLAGS_TABLE)) == 0,
                 "link an L3");
}

static void check_live(void)
{
    volatile uint64_t *va = (volatile uint64_t *)TEST_VA;
    uint64_t l1_entry = mm_maddr(&l1[0]);

    data[0] = 0x1122334455667788UL;
    CHECK(va[512] == data[0], "TEST_VA reads %lx", va[512]);

    CHECK(mm_write_pte(l1_entry, entry_for(data, PTE_FLAGS_DATA)) == 0,
          "mmu_update of a live L1");
    va[0] = 0x99UL;
    CHECK(data[0] == 0x99UL, "a write through the new entry is lost");
    CHECK(mm_write_pte(l1_entry, entry_for(l1, PTE_FLAGS_DATA)) != 0,
          "an L1 maps itself writable");
    CHECK(mm_write_pte(l1_entry, entry_for(l1, PTE_FLAGS_RO)) == 0,
          "an L1 may map itself read-only");

    /* Plain writes to a live L1 are caught, checked and done for us. */
    CHECK(hypercall2(__HYPERVISOR_vm_assist, VMASST_CMD_enable,
                     VMASST_TYPE_writable_pagetables) == 0,
          "vm_assist");
    WRITE_ONCE(l1[2], entry_for(data, PTE_FLAGS_DATA));
    CHECK((l1[2] & ~0xfffUL & 0x000fffffffffffffUL) == mm_maddr(data),
          "a plain write left %lx", l1[2]);
    va[2 * 512 + 1] = 5;
    CHECK(data[1] == 5, "the page is not there after a plain write");
    WRITE_ONCE(l1[2], 0);
    mm_mmuext(MMUEXT_TLB_FLUSH_LOCAL, 0);
    CHECK(l1[2] == 0, "a plain write of 0 left %lx", l1[2]);

    CHECK(hc_update_va_mapping((const void *)(TEST_VA + 3 * PAGE_SIZE),
                               entry_for(data, PTE_FLAGS_DATA),
                               UVMF_INVLPG) == 0,
          "update_va_mapping under a table of our own");
    CHECK(va[3 * 512 + 1] == 5, "and the page is not there");
    CHECK(hc_update_va_mapping((const void *)0x7f0000000000UL, 0, 0) != 0,
          "update_va_mapping where no tables are");
}

static void check_refused(void)
{
    uint64_t l1_entry = mm_maddr(&l1[4]), l2_entry = mm_maddr(&l2[1]);
    uint64_t l4 = mm_maddr((const void *)start_info->pt_base);
    uint64_t before;

    CHECK(mm_write_pte(l2_entry, entry_for(data, PTE_FLAGS_DATA | 0x80)) != 0,
          "a superpage");
    CHECK(mm_write_pte(l1_entry, (1UL << 51) | PTE_FLAGS_DATA) != 0,
          "a frame beyond all memory");
    CHECK(mm_write_pte(l2_entry, entry_for(l3, PTE_FLAGS_TABLE)) != 0,
          "an L3 as an L1");
    CHECK(mm_write_pte(l2_entry, entry_for(data, PTE_FLAGS_TABLE)) != 0,
          "a writable page as an L1");
    CHECK(l1[4] == 0 && l2[1] == 0, "a refused entry was written");
    /* The hypervisor's slots are 256-271. */
    before = mm_pte((const void *)0xffff800000000000UL, 4);
    CHECK(mm_write_pte(l4 + 256 * 8, 0) != 0, "slot 256 can be cleared");
    CHECK(mm_write_pte(l4 + 271 * 8, 0) != 0, "slot 271 can be cleared");
    CHECK(mm_pte((const void *)0xffff800000000000UL, 4) == before,
          "slot 256 changed");
    CHECK(mm_write_pte(mm_maddr(&data[7]), 1234) == 0 && data[7] == 1234,
          "mmu_update of a plain page of our own");
    CHECK(mm_write_pte(mm_maddr(&data[7]) | 3, 0) == 0, "no-translate update");
    CHECK(mm_write_pte((1UL << 51) | 8, 0) != 0, "entry beyond all memory");
    /* Not present: stored as it is. */
    CHECK(mm_write_pte(l1_entry, 0xdead0UL) == 0 && l1[4] == 0xdead0UL,
          "a not-present entry");
    CHECK(mm_mmuext(MMUEXT_NEW_BASEPTR, mm_mfn(data)) != 0,
          "a plain page as top-level table");
    CHECK(mm_mmuext(MMUEXT_PIN_L4_TABLE, 1UL << 40) != 0, "a pin of no frame");
}

static void check_batch(void)
{
    struct mmu_update batch[4];
    unsigned int done = 77, i;
    long rc;

    for (i = 0; i < ARRAY_SIZE(batch); i++) {
        batch[i].ptr = mm_maddr(&l1[8 + i]);
        batch[i].val = entry_for(data, PTE_FLAGS_DATA);
    }
    rc = hc_mmu_update(batch, 4, &done);
    CHECK(rc == 0 && done == 4, "a good batch: %ld, %u done", rc, done);
    for (i = 0; i < ARRAY_SIZE(batch); i++) {
        batch[i].val = 0;
    }
    batch[2].val = entry_for(l2, PTE_FLAGS_DATA);
    done = 77;
    rc = hc_mmu_update(batch, 4, &done);
    CHECK(rc < 0 && done == 2, "a bad third: %ld, %u done", rc, done);
    CHECK(l1[8] == 0 && l1[9] == 0, "those before it were not done");
    CHECK(l1[10] && l1[11], "the bad one or one after it was done");
    CHECK(hc_mmu_update(batch, 0, &done) == 0 && done == 0, "empty batch");
}

static void check_preserve_ad(void)
{
    volatile uint64_t *va = (volatile uint64_t *)(TEST_VA + 16 * PAGE_SIZE);
    uint64_t entry = mm_maddr(&l1[16]);
    uint64_t plain = entry_for(data, PTE_P | PTE_RW | PTE_U);

    CHECK(mm_write_pte(entry, plain) == 0, "map");
    *va = 1;
    CHECK((l1[16] & (PTE_A | PTE_D)) == (PTE_A | PTE_D), "A and D not set: %lx",
          l1[16]);
    CHECK(mm_write_pte(entry | MMU_PT_UPDATE_PRESERVE_AD, plain) == 0,
          "preserve A/D");
    CHECK((l1[16] & (PTE_A | PTE_D)) == (PTE_A | PTE_D), "A and D lost: %lx",
          l1[16]);
    CHECK(mm_write_pte(entry, plain) == 0, "plain update");
    CHECK(!(l1[16] & PTE_D), "D kept by a plain update: %lx", l1[16]);
}

static void check_machphys(void)
{
    unsigned long mfn = mm_mfn(data), pfn = machine_to_phys_mapping[mfn];
    struct mmu_update req = {
        .ptr = mm_maddr(data) | MMU_MACHPHYS_UPDATE,
        .val = 0x1234,
    };

    CHECK(hc_mmu_update(&req, 1, NULL) == 0, "MACHPHYS_UPDATE");
    CHECK(machine_to_phys_mapping[mfn] == 0x1234, "the M2P did not change");
    req.val = pfn;
    CHECK(hc_mmu_update(&req, 1, NULL) == 0, "MACHPHYS_UPDATE back");
}

static void take_down(void)
{
    uint64_t l4_entry = mm_pte_maddr((const void *)TEST_VA, 4);

    CHECK(mm_write_pte(l4_entry, 0) == 0, "unlink the L3");
    CHECK(mm_mmuext(MMUEXT_TLB_FLUSH_LOCAL, 0) == 0, "flush");
    CHECK(mm_protect(l3, PTE_FLAGS_DATA) == 0 &&
              mm_protect(l2, PTE_FLAGS_DATA) == 0 &&
              mm_protect(l1, PTE_FLAGS_DATA) == 0,
          "the tables do not become writable again");
    l1[0] = l2[0] = l3[0] = 1;
}

void stub_main(void)
{
    check_pin_order();
    if (build()) {
        check_live();
        check_refused();
        check_batch();
        check_preserve_ad();
        check_machphys();
        take_down();
    }
    report(VERDICT_SUCCESS, "page types are kept apart");
}
