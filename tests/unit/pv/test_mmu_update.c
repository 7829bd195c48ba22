/* SPDX-License-Identifier: MIT */
/*
 * pv/mmu_update, mmuext, pte_emulate: single rules, each by name.
 */
#include "tests/unit/pv/mmu_machine.h"

#include "lib/errno.h"
#include "x86/exc.h"
#include "cpu/tlb.h"
#include "mm/directmap.h"
#include "pv/mmu_update.h"
#include "pv/mmuext.h"
#include "pv/pagetype.h"
#include "pv/pte_check.h"
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

/* One entry, as a hypercall with one request does it. */
static int write_one(struct mmu_request *req, maddr_t addr, pte_t val,
                     bool keep_ad)
{
    int rc = mmu_entry_write(req, addr, val, keep_ad);

    mmu_request_end(req);
    assert_null(req->l1);
    check_all();
    return rc;
}

static void hypervisor_slots(void **state)
{
    struct mmu_request req = {.v = my_vcpu,
                              .pt_owner = &dom,
                              .frames_of = dom.domid,
                              .l1_page = MMU_NO_PAGE};

    (void)state;
    machine_reset(1);
    stop_chance = 0;
    table_at(FIRST_L4)[260] = ~0UL; /* ignored, then overwritten */
    assert_int_equal(ext(MMUEXT_PIN_L4_TABLE, FIRST_L4), 0);
    assert_int_equal(table_at(FIRST_L4)[260], 0xabcd000 | PTE_P);
    for (unsigned int i = HV_L4_FIRST; i <= HV_L4_LAST; i++) {
        assert_int_equal(
            write_one(&req, FIRST_L4 * PAGE_SIZE + 8 * i, 0, false), -EINVAL);
    }
    teardown_and_check();
}

static void device_memory(void **state)
{
    struct mmu_request req = {.v = my_vcpu,
                              .pt_owner = &dom,
                              .frames_of = dom.domid,
                              .l1_page = MMU_NO_PAGE};
    maddr_t entry = FIRST_L1 * PAGE_SIZE;
    pte_t dev = pte_make(mfn(0xfed00), PTE_P | PTE_W | PTE_U);
    struct range one;

    (void)state;
    machine_reset(1);
    stop_chance = 0;
    assert_int_equal(ext(MMUEXT_PIN_L1_TABLE, FIRST_L1), 0);
    assert_int_equal(write_one(&req, entry, dev, false), -EPERM);
    rangeset_init(&dom.io_mem, &one, 1);
    assert_int_equal(rangeset_add(&dom.io_mem, 0xfed00, 0xfed00), 0);
    assert_int_equal(write_one(&req, entry, dev, false), 0);
    assert_int_equal(table_at(FIRST_L1)[0], dev | PTE_PCD);
    assert_int_equal(write_one(&req, entry + 8, dev + PAGE_SIZE, false),
                     -EPERM);
    /* Guarded: the right to write is left out, whenever it is asked for. */
    guarded_frame = 0xfed00;
    assert_int_equal(write_one(&req, entry, 0, false), 0);
    assert_int_equal(write_one(&req, entry, dev, false), 0);
    assert_int_equal(table_at(FIRST_L1)[0], (dev & ~PTE_W) | PTE_PCD);
    assert_int_equal(write_one(&req, entry, dev | PTE_PCD, false), 0);
    assert_int_equal(table_at(FIRST_L1)[0], (dev & ~PTE_W) | PTE_PCD);
    guarded_frame = 0;
    assert_int_equal(write_one(&req, entry, dev, false), 0);
    assert_int_equal(table_at(FIRST_L1)[0], dev | PTE_PCD);
    /* No right to it, but it may be looked at. */
    shown_frame = 0xfed01;
    assert_int_equal(write_one(&req, entry + 8, dev + PAGE_SIZE, false), 0);
    assert_int_equal(table_at(FIRST_L1)[1],
                     ((dev & ~PTE_W) + PAGE_SIZE) | PTE_PCD);
    shown_frame = 0;
    /* Not for somebody else's frames. */
    req.frames_of = other.domid;
    assert_int_equal(write_one(&req, entry + 16, dev, false), -EPERM);
    assert_int_equal(write_one(&req, entry, PTE_ADDR | PTE_P, false), -EINVAL);
    teardown_and_check();
}

/* What is no device's is not mapped, whoever has the right to. */
static void ours_and_unusable(void **state)
{
    static const struct {
        enum memmap_type type;
        int high, low; /* the answers above the first MiB and in it */
    } rows[] = {
        {MEMMAP_RAM, -EPERM, 0},      {MEMMAP_KEPT, -EPERM, 0},
        {MEMMAP_UNUSABLE, -EPERM, 0}, {MEMMAP_RESERVED, 0, 0},
        {MEMMAP_ACPI, 0, 0},          {MEMMAP_NVS, 0, 0},
    };
    struct mmu_request req = {.v = my_vcpu,
                              .pt_owner = &dom,
                              .frames_of = dom.domid,
                              .l1_page = MMU_NO_PAGE};
    maddr_t entry = FIRST_L1 * PAGE_SIZE;
    pte_t high = pte_make(mfn(0x100), PTE_P | PTE_U);
    pte_t low = pte_make(mfn(0xff), PTE_P | PTE_U);
    struct range one;

    (void)state;
    machine_reset(1);
    stop_chance = 0;
    assert_int_equal(ext(MMUEXT_PIN_L1_TABLE, FIRST_L1), 0);
    rangeset_init(&dom.io_mem, &one, 1);
    assert_int_equal(rangeset_add(&dom.io_mem, 0xff, 0x100), 0);
    for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
        unlisted_type = rows[i].type;
        assert_int_equal(write_one(&req, entry, high, false), rows[i].high);
        assert_int_equal(write_one(&req, entry, low, false), rows[i].low);
        assert_int_equal(write_one(&req, entry, 0, false), 0);
    }
    unlisted_type = MEMMAP_RESERVED;
    teardown_and_check();
}

/* The control domain may read the log's frames, and nobody writes them. */
static void log_window(void **state)
{
    struct mmu_request req = {.v = my_vcpu,
                              .pt_owner = &dom,
                              .frames_of = DOMID_XEN,
                              .l1_page = MMU_NO_PAGE};
    maddr_t entry = FIRST_L1 * PAGE_SIZE;
    pte_t first = pte_make(mfn(0xfe000), PTE_P | PTE_U);
    struct range one;

    (void)state;
    machine_reset(1);
    stop_chance = 0;
    assert_int_equal(ext(MMUEXT_PIN_L1_TABLE, FIRST_L1), 0);
    dom.is_privileged = true;
    assert_int_equal(write_one(&req, entry, first, false), -EPERM);
    zone_frame = 0xfe000;
    zone_frames = 4;
    assert_int_equal(write_one(&req, entry, first, false), 0);
    assert_int_equal(table_at(FIRST_L1)[0], first);
    assert_int_equal(write_one(&req, entry + 8, first + 3 * PAGE_SIZE, false),
                     0);
    assert_int_equal(write_one(&req, entry + 16, first + 4 * PAGE_SIZE, false),
                     -EPERM);
    assert_int_equal(write_one(&req, entry + 16, first - PAGE_SIZE, false),
                     -EPERM);
    assert_int_equal(write_one(&req, entry + 16, first | PTE_W, false), -EPERM);
    /* Cached as the hypervisor has it; device memory it is not. */
    rangeset_init(&dom.io_mem, &one, 1);
    assert_int_equal(rangeset_add(&dom.io_mem, 0xfed00, 0xfed00), 0);
    assert_int_equal(write_one(&req, entry + 16, first | PTE_PCD, false), 0);
    assert_int_equal(table_at(FIRST_L1)[2], first);
    assert_int_equal(
        write_one(&req, entry + 24, pte_make(mfn(0xfed00), PTE_P | PTE_U), false),
        -EPERM);
    dom.is_privileged = false;
    assert_int_equal(write_one(&req, entry + 24, first, false), -EPERM);
    zone_frames = 0;
    teardown_and_check();
}

/* L1TF: not present, but it names memory. */
static void absent_entries_are_refused(void **state)
{
    struct mmu_request req = {.v = my_vcpu,
                              .pt_owner = &dom,
                              .frames_of = dom.domid,
                              .l1_page = MMU_NO_PAGE};
    const pte_t present = pte_make(mfn(FIRST_DATA), PTE_P | PTE_U);
    const pte_t absent = present & ~PTE_P;

    (void)state;
    machine_reset(1);
    stop_chance = 0;
    assert_int_equal(ext(MMUEXT_PIN_L1_TABLE, FIRST_L1), 0);
    assert_int_equal(ext(MMUEXT_PIN_L2_TABLE, FIRST_L2), 0);
    assert_int_equal(write_one(&req, FIRST_L1 * PAGE_SIZE, absent, false), 0);
    assert_int_equal(write_one(&req, FIRST_L1 * PAGE_SIZE, 0, false), 0);
    pte_l1tf_init(46, 46, 0, false, true);
    assert_int_equal(write_one(&req, FIRST_L1 * PAGE_SIZE, present, false), 0);
    assert_int_equal(write_one(&req, FIRST_L1 * PAGE_SIZE, absent, false),
                     -EINVAL);
    assert_int_equal(table_at(FIRST_L1)[0], present);
    /* Inverted, as Linux does it, and none at all. */
    assert_int_equal(write_one(&req, FIRST_L1 * PAGE_SIZE, absent ^ PTE_ADDR,
                               false),
                     0);
    assert_int_equal(write_one(&req, FIRST_L1 * PAGE_SIZE, 0, false), 0);
    assert_int_equal(write_one(&req, FIRST_L2 * PAGE_SIZE, absent, false),
                     -EINVAL);
    assert_int_equal(ext(MMUEXT_UNPIN_TABLE, FIRST_L1), 0);
    assert_int_equal(ext(MMUEXT_UNPIN_TABLE, FIRST_L2), 0);
    /* Written before it was a table, in the middle of nothing. */
    table_at(FIRST_L1)[300] = absent;
    table_at(FIRST_L2)[300] = absent;
    assert_int_equal(ext(MMUEXT_PIN_L1_TABLE, FIRST_L1), -EINVAL);
    assert_int_equal(ext(MMUEXT_PIN_L2_TABLE, FIRST_L2), -EINVAL);
    check_all();
    pte_l1tf_init(46, 46, 0, true, false); /* Dom0's only */
    assert_int_equal(ext(MMUEXT_PIN_L1_TABLE, FIRST_L1), 0);
    assert_int_equal(ext(MMUEXT_UNPIN_TABLE, FIRST_L1), 0);
    pte_l1tf_init(46, 46, 0, false, false);
    teardown_and_check();
}

/* An L1 table is kept from one entry to the next, and let go for another. */
static void table_is_kept(void **state)
{
    const maddr_t l1 = FIRST_L1 * PAGE_SIZE, l2 = FIRST_L2 * PAGE_SIZE;
    const pte_t rw = pte_make(mfn(FIRST_DATA), PTE_P | PTE_W | PTE_U);
    struct mmu_request req;
    const struct frame *table = frame_of(mfn(FIRST_L1));

    (void)state;
    machine_reset(1);
    stop_chance = 0;
    req = (struct mmu_request){.v = my_vcpu,
                               .pt_owner = &dom,
                               .frames_of = dom.domid,
                               .l1_page = MMU_NO_PAGE};
    assert_int_equal(ext(MMUEXT_PIN_L1_TABLE, FIRST_L1), 0);
    assert_int_equal(ext(MMUEXT_PIN_L2_TABLE, FIRST_L2), 0);
    assert_int_equal(mmu_entry_write(&req, l1, rw, false), 0);
    assert_int_equal(pagetype_count(table), 2);
    assert_int_equal(table->count, 3);
    assert_int_equal(mmu_entry_write(&req, l1 + 8 * 511, rw, false), 0);
    assert_int_equal(pagetype_count(table), 2);
    /* Not aligned: not an entry of the table that is kept either. */
    assert_int_equal(mmu_entry_write(&req, l1 + 4, rw, false), -EINVAL);
    assert_int_equal(mmu_entry_write(&req, l1, 0, false), 0);
    assert_int_equal(pagetype_count(table), 2);
    /* Even while it is unpinned it stays a table: no writable mapping of it. */
    assert_int_equal(ext(MMUEXT_UNPIN_TABLE, FIRST_L1), 0);
    assert_int_equal(mmu_entry_write(&req, l1, l1 | PTE_P | PTE_W, false),
                     -EBUSY);
    /* An entry of another frame lets it go; then it is an ordinary page. */
    assert_int_equal(mmu_entry_write(&req, l2, 0, false), 0);
    assert_int_equal(pagetype_count(table), 0);
    assert_null(req.l1);
    check_all();
    assert_int_equal(write_one(&req, l1, 1234, false), 0);
    assert_int_equal(table_at(FIRST_L1)[0], 1234);
    teardown_and_check();
}

/* Only W changes: the reference stays, the type comes and goes. */
static void write_protect(void **state)
{
    const maddr_t l1 = FIRST_L1 * PAGE_SIZE;
    const pte_t ro = pte_make(mfn(FIRST_DATA), PTE_P | PTE_U);
    const pte_t theirs = pte_make(mfn(FIRST_OTHER), PTE_P | PTE_U);
    const struct frame *f = frame_of(mfn(FIRST_DATA));
    struct mmu_request req;

    (void)state;
    machine_reset(1);
    stop_chance = 0;
    req = (struct mmu_request){.v = my_vcpu,
                               .pt_owner = &dom,
                               .frames_of = dom.domid,
                               .l1_page = MMU_NO_PAGE};
    assert_int_equal(ext(MMUEXT_PIN_L1_TABLE, FIRST_L1), 0);
    assert_int_equal(write_one(&req, l1, ro | PTE_W | PTE_D, false), 0);
    assert_int_equal(f->count, 2);
    assert_int_equal(pagetype_count(f), 1);
    this_cpu()->tlb_stale = 0;
    assert_int_equal(write_one(&req, l1, ro, true), 0);
    assert_int_equal(table_at(FIRST_L1)[0], ro | PTE_D);
    assert_int_equal(f->count, 2);
    assert_int_equal(pagetype_count(f), 0);
    assert_int_equal(this_cpu()->tlb_stale, 1);
    /* It is a table now: mapped read-only still, and not writable again. */
    assert_int_equal(ext(MMUEXT_PIN_L1_TABLE, FIRST_DATA), 0);
    assert_int_equal(write_one(&req, l1, ro | PTE_W, false), -EBUSY);
    assert_int_equal(table_at(FIRST_L1)[0], ro | PTE_D);
    assert_int_equal(ext(MMUEXT_UNPIN_TABLE, FIRST_DATA), 0);
    assert_int_equal(write_one(&req, l1, ro | PTE_W, false), 0);
    assert_int_equal(f->count, 2);
    assert_int_equal(pagetype_count(f), 1);
    /* Another domain's frame, mapped by right, gets no right to write so. */
    req.frames_of = other.domid;
    assert_int_equal(write_one(&req, l1 + 8, theirs, false), 0);
    req.frames_of = dom.domid;
    assert_int_equal(write_one(&req, l1 + 8, theirs | PTE_W, false), -EINVAL);
    assert_int_equal(table_at(FIRST_L1)[1], theirs);
    /* Bits nobody may have are seen, too. */
    assert_int_equal(write_one(&req, l1, ro | PTE_PWT, false), -EINVAL);
    teardown_and_check();
}

/* Whole lines of empty entries are passed over, and nothing else. */
static void sparse_tables(void **state)
{
    const pte_t rw = pte_make(mfn(FIRST_DATA), PTE_P | PTE_W | PTE_U);
    const struct frame *f = frame_of(mfn(FIRST_DATA));

    (void)state;
    machine_reset(1);
    stop_chance = 0;
    for (unsigned int i = 0; i < PT_ENTRIES; i++) {
        memset(table_at(FIRST_L1), 0, PAGE_SIZE);
        memset(table_at(FIRST_L2), 0, PAGE_SIZE);
        table_at(FIRST_L1)[i] = rw;
        /* Not present, however much else is in them. */
        table_at(FIRST_L1)[i ^ 1] = rw & ~PTE_P;
        table_at(FIRST_L1)[i ^ 256] = rw & ~PTE_P;
        table_at(FIRST_L2)[i] = pte_make(mfn(FIRST_L1), PTE_P | PTE_U);
        assert_int_equal(ext(MMUEXT_PIN_L2_TABLE, FIRST_L2), 0);
        assert_int_equal(f->count, 2);
        assert_int_equal(pagetype_count(frame_of(mfn(FIRST_L1))), 1);
        check_all();
        assert_int_equal(ext(MMUEXT_UNPIN_TABLE, FIRST_L2), 0);
        assert_int_equal(f->count, 1);
        check_all();
    }
    teardown_and_check();
}

/* A frame that was writable is flushed before it becomes a table. */
static void stale_translation(void **state)
{
    struct mmu_request req = {.v = my_vcpu,
                              .pt_owner = &dom,
                              .frames_of = dom.domid,
                              .l1_page = MMU_NO_PAGE};
    maddr_t entry = FIRST_L1 * PAGE_SIZE;
    unsigned int before;

    (void)state;
    machine_reset(1);
    stop_chance = 0;
    this_cpu()->tlb_stale = 0;
    assert_int_equal(ext(MMUEXT_PIN_L1_TABLE, FIRST_L1), 0);
    assert_int_equal(write_one(&req, entry,
                               pte_make(mfn(FIRST_L1 + 1), PTE_P | PTE_W),
                               false),
                     0);
    assert_int_not_equal(ext(MMUEXT_PIN_L1_TABLE, FIRST_L1 + 1), 0);
    assert_int_equal(write_one(&req, entry, 0, false), 0);
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
    assert_true(pv_pte_emulate(my_vcpu, &regs, entry_va, fault));
    assert_int_equal(regs.rip, (uint64_t)code + sizeof(store));
    assert_int_equal(table_at(l1)[9], want);
    check_all();

    memcpy(code, clear_w, sizeof(clear_w));
    regs.rip = (uint64_t)code;
    assert_true(pv_pte_emulate(my_vcpu, &regs, entry_va, fault));
    assert_int_equal(table_at(l1)[9], want & ~PTE_W);
    check_all();

    /* A writable mapping of the table itself is refused, registers stay. */
    memcpy(code, store, sizeof(store));
    regs.rip = (uint64_t)code;
    regs.rax = pte_make(mfn(l1), PTE_P | PTE_W | PTE_U);
    assert_false(pv_pte_emulate(my_vcpu, &regs, entry_va, fault));
    assert_int_equal(regs.rip, (uint64_t)code);
    assert_int_equal(table_at(l1)[9], want & ~PTE_W);
    /* So are stores that are not aligned, to data, or from user mode. */
    regs.rax = 0;
    assert_false(pv_pte_emulate(my_vcpu, &regs, entry_va + 4, fault));
    assert_false(pv_pte_emulate(my_vcpu, &regs, 0x9000, fault));
    my_pv->guest_kernel = false;
    assert_false(pv_pte_emulate(my_vcpu, &regs, entry_va, fault));
    my_pv->guest_kernel = true;
    check_all();
    teardown_and_check();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(self_map_is_refused),
        cmocka_unit_test(hypervisor_slots),
        cmocka_unit_test(absent_entries_are_refused),
        cmocka_unit_test(device_memory),
        cmocka_unit_test(ours_and_unusable),
        cmocka_unit_test(log_window),
        cmocka_unit_test(table_is_kept),
        cmocka_unit_test(write_protect),
        cmocka_unit_test(sparse_tables),
        cmocka_unit_test(stale_translation),
        cmocka_unit_test(direct_writes),
    };

    machine_init();
    return UNIT_RUN(tests);
}
