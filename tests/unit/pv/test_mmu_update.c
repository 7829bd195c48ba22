/* SPDX-License-Identifier: MIT */
/*
 * pv/mmu_update, mmuext, pte_emulate: single rules, each by name.
 */
#include "tests/unit/pv/mmu_machine.h"

#include "lib/errno.h"
#include "x86/exc.h"
#include "x86/tlb.h"
#include "mm/directmap.h"
#include "pv/mmu_update.h"
#include "pv/mmuext.h"
#include "pv/pagetype.h"
#include "pv/pte_emulate.h"

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
    struct range one;

    (void)state;
    machine_reset(1);
    stop_chance = 0;
    assert_int_equal(ext(MMUEXT_PIN_L1_TABLE, FIRST_L1), 0);
    assert_int_equal(mmu_entry_write(&req, entry, dev, false), -EPERM);
    rangeset_init(&dom.io_mem, &one, 1);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(self_map_is_refused),
        cmocka_unit_test(hypervisor_slots),
        cmocka_unit_test(device_memory),
        cmocka_unit_test(stale_translation),
        cmocka_unit_test(direct_writes),
    };

    machine_init();
    return UNIT_RUN(tests);
}
