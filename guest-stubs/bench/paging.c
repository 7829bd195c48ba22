/* SPDX-License-Identifier: MIT */
/*
 * bench/paging.c - entries of page tables, TLB flushes, descriptors, balloon.
 *
 * A small tree of our own hangs in an L4 slot nobody else uses.  Its L1 table
 * is mapped read-only at &l1, so that entries can be changed in all three
 * ways: by mmu_update, by update_va_mapping and by plain stores.
 */
#include "bench.h"

/* Nothing is mapped here; WINDOW_SLOT is its slot of the L4. */
#define WINDOW      0x10000000000UL
#define WINDOW_SLOT 2

#define BATCH_MAX 128U

static uint64_t l1[512] __page_aligned;
static uint64_t l2[512] __page_aligned;
static uint64_t l3[512] __page_aligned;
static uint64_t data[2][512] __page_aligned;
static uint64_t gdt[512] __page_aligned;
static char spare[4096] __page_aligned; /* ballooned out and in again */

static struct mmu_update batch[BATCH_MAX];
static uint64_t rw[2], ro; /* entries: data[0], data[1]; data[0] */

static uint64_t entry_for(const void *page, uint64_t flags)
{
    return mm_maddr(page) | flags;
}

static bool window_open(void)
{
    long rc;

    l3[0] = entry_for(l2, PTE_FLAGS_TABLE);
    l2[0] = entry_for(l1, PTE_FLAGS_TABLE);
    rc = mm_protect(l1, PTE_FLAGS_RO);
    rc = rc ? rc : mm_protect(l2, PTE_FLAGS_RO);
    rc = rc ? rc : mm_protect(l3, PTE_FLAGS_RO);
    rc = rc ? rc
            : mm_write_pte(mm_maddr((const void *)start_info->pt_base) +
                               WINDOW_SLOT * sizeof(uint64_t),
                           entry_for(l3, PTE_FLAGS_TABLE));
    rw[0] = entry_for(data[0], PTE_FLAGS_DATA);
    rw[1] = entry_for(data[1], PTE_FLAGS_DATA);
    ro = entry_for(data[0], PTE_FLAGS_RO);
    return CHECK(rc == 0, "no page tables of our own: %ld", rc);
}

/* Only when an operation was refused is there something to say. */
static void verdict(const char *name, long rc)
{
    if (rc) {
        bench_absent(name, rc);
    }
}

/* Time `op`, whose result must be 0. */
#define TIME(name, prepare, op)                                                \
    do {                                                                       \
        long rc_ = 0;                                                          \
                                                                               \
        BENCH(name, BENCH_MANY, prepare, rc_ |= (op));                         \
        verdict(name, rc_);                                                    \
    } while (0)

static void set(uint64_t value)
{
    mm_write_pte(mm_maddr(&l1[0]), value);
}

static void run_single(void)
{
    struct mmu_update req = {.ptr = mm_maddr(&l1[0]), .val = rw[0]};
    unsigned int i = 0;

    set(rw[0]);
    TIME("mmu_update_l1_same", , hc_mmu_update(&req, 1, NULL));
    TIME("mmu_update_l1_swap_frame", req.val = rw[++i & 1],
         hc_mmu_update(&req, 1, NULL));
    req.val = 0;
    TIME("mmu_update_l1_clear", set(rw[0]), hc_mmu_update(&req, 1, NULL));
    req.val = rw[0];
    TIME("mmu_update_l1_set", set(0), hc_mmu_update(&req, 1, NULL));
    req.val = ro;
    TIME("mmu_update_l1_wrprotect", set(rw[0]), hc_mmu_update(&req, 1, NULL));
    set(rw[0]);
    i = 0;
    req.ptr |= MMU_PT_UPDATE_PRESERVE_AD;
    TIME("mmu_update_preserve_ad", req.val = ++i & 1 ? ro : rw[0],
         hc_mmu_update(&req, 1, NULL));
    req.ptr = mm_maddr(data[0]) | MMU_MACHPHYS_UPDATE;
    req.val = mm_pfn(data[0]);
    TIME("mmu_update_machphys", , hc_mmu_update(&req, 1, NULL));
    set(0);
}

static void clear_batch(unsigned int count)
{
    unsigned int i;

    for (i = 0; i < count; i++) {
        batch[i].val = 0;
    }
    hc_mmu_update(batch, count, NULL);
    for (i = 0; i < count; i++) {
        batch[i].val = rw[i & 1];
    }
}

static void run_batch(const char *name, unsigned int count)
{
    unsigned int i;

    for (i = 0; i < count; i++) {
        batch[i].ptr = mm_maddr(&l1[i]);
    }
    TIME(name, clear_batch(count), hc_mmu_update(batch, count, NULL));
    clear_batch(count);
}

static void run_va(void)
{
    const void *va = (const void *)WINDOW;
    unsigned int i = 0;

    set(rw[0]);
    TIME("update_va_mapping_noflush", i++,
         hc_update_va_mapping(va, rw[i & 1], UVMF_NONE));
    TIME("update_va_mapping_invlpg_local", i++,
         hc_update_va_mapping(va, rw[i & 1], UVMF_INVLPG | UVMF_LOCAL));
    TIME("update_va_mapping_invlpg_all", i++,
         hc_update_va_mapping(va, rw[i & 1], UVMF_INVLPG | UVMF_ALL));
    TIME("update_va_mapping_tlbflush_local", i++,
         hc_update_va_mapping(va, rw[i & 1], UVMF_TLB_FLUSH | UVMF_LOCAL));
    TIME("update_va_mapping_clear", set(rw[0]),
         hc_update_va_mapping(va, 0, UVMF_NONE));
}

static bool cmpxchg(uint64_t *p, uint64_t old, uint64_t new)
{
    bool done;

    __asm__ volatile("lock cmpxchgq %3, %1"
                     : "=@ccz"(done), "+m"(*p), "+a"(old)
                     : "r"(new)
                     : "memory");
    return done;
}

static uint64_t xchg(uint64_t *p, uint64_t new)
{
    __asm__ volatile("xchgq %0, %1" : "+r"(new), "+m"(*p) : : "memory");
    return new;
}

static inline __attribute__((always_inline)) void and_low_byte(uint64_t *p,
                                                               uint8_t mask)
{
    __asm__ volatile("lock andb %1, %0"
                     : "+m"(*(uint8_t *)p)
                     : "i"((int8_t)mask)
                     : "memory");
}

/* Plain stores to a live L1 table, performed by the hypervisor. */
static void run_ptwr(void)
{
    unsigned int i = 0;
    long rc = hypercall2(__HYPERVISOR_vm_assist, VMASST_CMD_enable,
                         VMASST_TYPE_writable_pagetables);

    if (rc) {
        bench_absent("ptwr_emul_store", rc);
        return;
    }
    set(rw[0]);
    BENCH("ptwr_emul_store", BENCH_MANY, i++, WRITE_ONCE(l1[0], rw[i & 1]));
    set(rw[0]);
    TIME("ptwr_emul_cmpxchg_clear", set(rw[0]),
         cmpxchg(&l1[0], READ_ONCE(l1[0]), 0) ? 0 : -1);
    /* As Linux clears an entry, and as it write-protects one in fork(). */
    TIME("ptwr_emul_xchg_clear", set(rw[0]), xchg(&l1[0], 0) ? 0 : -1);
    BENCH("ptwr_emul_wrprotect", BENCH_MANY, set(rw[0]),
          and_low_byte(&l1[0], (uint8_t)~PTE_RW));
    set(0);
}

static void run_flush(void)
{
    struct mmuext_op op = {.cmd = MMUEXT_INVLPG_LOCAL,
                           .arg1.linear_addr = WINDOW};

    TIME("mmuext_invlpg_local", , hc_mmuext_op(&op, 1, NULL));
    op.cmd = MMUEXT_INVLPG_ALL;
    TIME("mmuext_invlpg_all", , hc_mmuext_op(&op, 1, NULL));
    op.cmd = MMUEXT_TLB_FLUSH_LOCAL;
    TIME("mmuext_tlb_flush_local", , hc_mmuext_op(&op, 1, NULL));
    op.cmd = MMUEXT_TLB_FLUSH_ALL;
    TIME("mmuext_tlb_flush_all", , hc_mmuext_op(&op, 1, NULL));
}

static void run_descriptors(void)
{
    const uint64_t flat_data = 0x00cff3000000ffffUL;
    unsigned long frame = mm_mfn(gdt);
    long rc;

    gdt[1] = flat_data;
    rc = mm_protect(gdt, PTE_FLAGS_RO);
    rc = rc ? rc : hypercall2(__HYPERVISOR_set_gdt, (unsigned long)&frame, 512);
    if (rc) {
        bench_absent("update_descriptor", rc);
        return;
    }
    TIME("update_descriptor", ,
         hypercall2(__HYPERVISOR_update_descriptor, mm_maddr(&gdt[1]),
                    flat_data));
    TIME("set_gdt_1frame", ,
         hypercall2(__HYPERVISOR_set_gdt, (unsigned long)&frame, 512));
    hypercall2(__HYPERVISOR_set_gdt, (unsigned long)&frame, 0);
    mm_protect(gdt, PTE_FLAGS_DATA);
}

/* One page out, and in again: @in tells which of the two is timed. */
static void run_balloon(const char *name, bool in)
{
    unsigned long *p2m = (unsigned long *)start_info->mfn_list;
    unsigned int left = bench_begin(name) ? bench_count(BENCH_MANY) : 0;
    unsigned long pfn = mm_pfn(spare), frame;
    struct xen_memory_reservation res = {.nr_extents = 1, .domid = DOMID_SELF};

    if (!left) {
        return;
    }
    set_xen_guest_handle(res.extent_start, &frame);
    while (left--) {
        uint64_t t[4];
        long out, back;

        mm_protect(spare, 0);
        frame = mm_mfn(spare);
        t[0] = bench_tsc();
        out = hc_memory_op(XENMEM_decrease_reservation, &res);
        t[1] = bench_tsc();
        frame = pfn;
        t[2] = bench_tsc();
        back = hc_memory_op(XENMEM_populate_physmap, &res);
        t[3] = bench_tsc();
        if (out != 1 || back != 1) {
            bench_absent(name, out != 1 ? out : back);
            return;
        }
        p2m[pfn] = frame;
        mm_protect(spare, PTE_FLAGS_DATA);
        bench_sample(in ? t[3] - t[2] : t[1] - t[0]);
    }
    bench_end();
}

static void run_memory(void)
{
    struct xen_memory_domain self = {.domid = DOMID_SELF};

    run_balloon("balloon_decrease_1", false);
    run_balloon("balloon_populate_1", true);
    BENCH("memory_op_max_ram_page", BENCH_MANY, ,
          hc_memory_op(XENMEM_maximum_ram_page, NULL));
    BENCH("memory_op_current_reservation", BENCH_MANY, ,
          hc_memory_op(XENMEM_current_reservation, &self));
}

static void run(void)
{
    if (window_open()) {
        run_single();
        run_batch("mmu_update_batch8_set", 8);
        run_batch("mmu_update_batch32_set", 32);
        run_batch("mmu_update_batch128_set", 128);
        run_va();
        run_ptwr();
    }
    run_flush();
    bench_page_tables();
    run_descriptors();
    run_memory();
}

const struct bench_area bench_paging = {"paging", run};
