/* SPDX-License-Identifier: MIT */
/*
 * mm/hvmap.c - the hypervisor's own page tables.
 *
 * hvmap_init() builds fresh L3 tables beside the ones head.S left, then puts
 * them into hv_l4 one slot at a time.  Old and new map the running code and
 * stack alike, so no moment is without them.  hv_l4 itself stays.
 *
 * Everything but the guests' view of the M2P is supervisor only and global
 * (unless guests are isolated): these entries are the same in every L4 that
 * ever gets loaded.
 */
#include "mm/hvmap.h"

#include "lib/assert.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "x86/invlpg.h"
#include "x86/percpu.h"
#include "x86/string_asm.h"
#include "cpu/features.h"
#include "mm/boot_alloc.h"
#include "mm/directmap.h"
#include "mm/memmap.h"
#include "mm/page_alloc.h"
#include "mm/pti.h"

#define TABLE_FLAGS (PTE_P | PTE_W | PTE_A | PTE_D)
#define LEAF_FLAGS  (PTE_P | PTE_A | PTE_D | (pti_on ? 0 : PTE_G))
#define RAM_FLAGS   (PTE_W | PTE_NX)
#define SIZE_2M     (1UL << L2_SHIFT)
#define SIZE_1G     (1UL << L3_SHIFT)
#define BIOS_START  0xc0000UL /* option ROMs, then the BIOS and its tables */
#define VIDEO_START 0xa0000UL
#define BIOS_END    0x100000UL

extern char __image_start[], __text_end[], __rodata_end[], __init_start[],
    __init_text_end[], __init_end[], __data_start[], __bss_end[];

/* The L4 the functions below work on: a copy while hvmap_init() builds. */
static pte_t build_l4[PT_ENTRIES] INIT_DATA ALIGNED(PAGE_SIZE);
static pte_t *work_l4 = hv_l4;

static pte_t *table_new(maddr_t *ret_maddr)
{
    pte_t *table;

    if (page_alloc_is_up()) {
        table = hv_page_alloc();
        if (table == NULL) {
            return NULL;
        }
        *ret_maddr = ptr_to_maddr(table);
        return table;
    }
    *ret_maddr = boot_alloc_pages(1, 1);
    table = maddr_to_ptr(*ret_maddr);
    rep_stosq(table, 0, PT_ENTRIES);
    return table;
}

/* The entry for @va in the table of @level, tables above it made as needed. */
static pte_t *entry_for(uint64_t va, unsigned int level)
{
    pte_t *table = work_l4;

    for (unsigned int l = 4; l > level; l--) {
        pte_t *e = &table[pt_index(va, l)];

        if ((*e & PTE_P) == 0) {
            maddr_t a;

            if (table_new(&a) == NULL) {
                return NULL;
            }
            /* Guests read the M2P through these; the leaf says read-only. */
            *e =
                a | TABLE_FLAGS | (va >= M2P_VA && va < M2P_VA_END ? PTE_U : 0);
        }
        BUG_ON((*e & PTE_PS) != 0);
        table = mfn_to_ptr(pte_mfn(*e));
    }
    return &table[pt_index(va, level)];
}

static void check_range(uint64_t va)
{
    BUG_ON(va < HV_HOLE_START || va >= HV_HOLE_END ||
           pt_index(va, 4) == PERDOMAIN_L4_SLOT);
}

mfn_t hvmap_frame(uint64_t va)
{
    const pte_t *table = hv_l4;

    for (unsigned int level = 4;; level--) {
        pte_t e = table[pt_index(va, level)];
        uint64_t pages = 1UL << (9 * (level - 1));

        if ((e & PTE_P) == 0) {
            return INVALID_MFN;
        }
        if (level == 1 || (e & PTE_PS) != 0) {
            return mfn(mfn_x(pte_mfn(e)) + (va >> PAGE_SHIFT & (pages - 1)));
        }
        table = mfn_to_ptr(pte_mfn(e));
    }
}

int hvmap_map(uint64_t va, mfn_t m, uint64_t flags)
{
    pte_t *e;

    check_range(va);
    e = entry_for(va, 1);
    if (e == NULL) {
        return -ENOMEM;
    }
    *e = pte_make(m, flags | LEAF_FLAGS);
    invlpg(va);
    return 0;
}

int hvmap_map_2m(uint64_t va, mfn_t m, uint64_t flags)
{
    pte_t *e;

    check_range(va);
    BUG_ON(!IS_ALIGNED(va, SIZE_2M) || !IS_ALIGNED(mfn_x(m), PT_ENTRIES));
    e = entry_for(va, 2);
    if (e == NULL) {
        return -ENOMEM;
    }
    *e = pte_make(m, flags | LEAF_FLAGS | PTE_PS);
    invlpg(va);
    return 0;
}

void hvmap_unmap(uint64_t va)
{
    pte_t *e;

    check_range(va);
    e = entry_for(va, 1);
    if (e != NULL) {
        *e = 0;
        invlpg(va);
    }
}

void hvmap_guard_block(uint64_t block)
{
    for (uint64_t off = 0; off <= CPU_GUARD_LAST; off += PAGE_SIZE) {
        if (cpu_block_is_guard(off)) {
            hvmap_unmap(block + off);
        }
    }
}

int hvmap_cpu_block(cpu_t cpu, uint64_t *ret_block)
{
    uint64_t block = CPU_BLOCKS_VA + (uint64_t)cpu * CPU_BLOCK_BYTES;

    for (uint64_t off = 0; off < CPU_BLOCK_BYTES; off += PAGE_SIZE) {
        void *page;

        if (cpu_block_is_guard(off) ||
            !mfn_is_invalid(hvmap_frame(block + off))) {
            continue;
        }
        page = hv_page_alloc();
        if (page == NULL || hvmap_map(block + off, ptr_to_mfn(page),
                                      PTE_W | PTE_NX) != 0) {
            hv_page_free(page);
            return -ENOMEM;
        }
    }
    *ret_block = block;
    return 0;
}

static const char *leaf_fault(uint64_t va, uint64_t flags)
{
    if ((flags & PTE_W) != 0 && (flags & PTE_NX) == 0) {
        return "is writable and executable";
    }
    if ((flags & PTE_U) == 0) {
        return NULL;
    }
    if (va < M2P_VA || va >= M2P_VA_END) {
        return "is open to guests";
    }
    return (flags & PTE_W) != 0 ? "is for guests to write" : NULL;
}

/* @flags: W and U where all tables above have them, NX where one has. */
static const char *audit(const pte_t *table, unsigned int level, uint64_t va,
                         uint64_t flags, uint64_t *ret_va)
{
    for (unsigned int i = 0; i < PT_ENTRIES; i++) {
        uint64_t here = va + ((uint64_t)i << (L1_SHIFT + 9 * (level - 1)));
        const char *fault;
        uint64_t all;
        pte_t e = table[i];

        if ((e & PTE_P) == 0 ||
            (level == 4 && (i < HV_L4_FIRST || i > HV_L4_LAST))) {
            continue;
        }
        here |= level == 4 ? 0xffffUL << 48 : 0;
        all = (flags & e & (PTE_W | PTE_U)) | ((flags | e) & PTE_NX);
        if (level > 1 && (e & PTE_PS) == 0) {
            fault = audit(mfn_to_ptr(pte_mfn(e)), level - 1, here, all, ret_va);
        } else {
            fault = leaf_fault(here, all);
            *ret_va = fault != NULL ? here : *ret_va;
        }
        if (fault != NULL) {
            return fault;
        }
    }
    return NULL;
}

const char *hvmap_audit(uint64_t *ret_va)
{
    return audit(hv_l4, 4, 0, PTE_W | PTE_U, ret_va);
}

void hvmap_fill_l4(pte_t *l4, mfn_t perdomain)
{
    for (unsigned int i = HV_L4_FIRST; i <= HV_L4_LAST; i++) {
        l4[i] = hv_l4[i];
    }
    l4[PERDOMAIN_L4_SLOT] =
        mfn_is_invalid(perdomain) ? 0 : pte_make(perdomain, TABLE_FLAGS);
    pti_l4_changed();
}

/* Map page-aligned [a, end) at @va with the largest pages that fit. */
static INIT_TEXT void map_range(uint64_t va, maddr_t a, maddr_t end,
                                uint64_t flags)
{
    while (a < end) {
        unsigned int level = 1;
        uint64_t size = PAGE_SIZE;

        if (cpu_features.page1gb && IS_ALIGNED(a | va, SIZE_1G) &&
            end - a >= SIZE_1G) {
            level = 3;
            size = SIZE_1G;
        } else if (IS_ALIGNED(a | va, SIZE_2M) && end - a >= SIZE_2M) {
            level = 2;
            size = SIZE_2M;
        }
        /* boot_alloc panics rather than return nothing */
        *entry_for(va, level) = pte_make(
            maddr_to_mfn(a), flags | LEAF_FLAGS | (level > 1 ? PTE_PS : 0));
        a += size;
        va += size;
    }
}

static INIT_TEXT void directmap_range(maddr_t start, maddr_t end,
                                      uint64_t flags)
{
    if (start < end) {
        map_range(DIRECTMAP_VA + start, start, end, flags);
    }
}

/*
 * RAM, except that code and constants have no writable alias.  Pages, not 2
 * MiB pieces, at the edges of a region, so that no type meets another in one
 * mapping.
 */
static INIT_TEXT void directmap_ram(maddr_t start, maddr_t end)
{
    maddr_t ro_start = ptr_to_maddr(__image_start);
    maddr_t ro_end = ptr_to_maddr(__rodata_end);

    directmap_range(start, MIN(end, ro_start), RAM_FLAGS);
    directmap_range(MAX(start, ro_start), MIN(end, ro_end), PTE_NX);
    directmap_range(MAX(start, ro_end), end, RAM_FLAGS);
}

/* May firmware tables be here?  Regions, ascending, tell by their place. */
static INIT_TEXT bool may_hold_tables(const struct memmap_region *r,
                                      maddr_t low_end)
{
    return r->type == MEMMAP_ACPI || r->type == MEMMAP_NVS ||
           (r->type == MEMMAP_RESERVED && r->start <= low_end &&
            r->end <= 1UL << 32);
}

static INIT_TEXT void directmap_build(void)
{
    struct memmap_region r;
    maddr_t low_end = 0; /* end of RAM below 4 GiB and what adjoins it */

    for (unsigned int i = 0; memmap_region(i, &r); i++) {
        if ((r.type == MEMMAP_RAM || r.type == MEMMAP_KEPT) &&
            r.end <= 1UL << 32) {
            low_end = r.end;
        }
    }
    for (unsigned int i = 0; memmap_region(i, &r); i++) {
        bool ram = r.type == MEMMAP_RAM || r.type == MEMMAP_KEPT;

        if (!ram && !may_hold_tables(&r, low_end)) {
            continue;
        }
        if (!ram && r.start <= low_end && r.end > low_end) {
            low_end = r.end;
        }
        /* The first MiB is done below. */
        directmap_ram(MAX(r.start, BIOS_END), r.end);
    }
    directmap_range(0, VIDEO_START, RAM_FLAGS);
    directmap_range(BIOS_START, BIOS_END, RAM_FLAGS);
}

static INIT_TEXT void image_part(const char *start, const char *end,
                                 uint64_t flags)
{
    maddr_t a = ptr_to_maddr(start), last = ptr_to_maddr(end);

    for (; a < last; a += PAGE_SIZE) {
        *entry_for(HV_IMAGE_VA + a, 1) =
            pte_make(maddr_to_mfn(a), flags | LEAF_FLAGS);
    }
}

INIT_TEXT void hvmap_init(void)
{
    work_l4 = build_l4;
    directmap_build();
    image_part(__image_start, __text_end, 0);
    image_part(__text_end, __rodata_end, PTE_NX);
    image_part(__init_start, __init_text_end, 0);
    image_part(__init_text_end, __init_end, PTE_W | PTE_NX);
    image_part(__data_start, __bss_end, PTE_W | PTE_NX);
    for (unsigned int i = HV_L4_FIRST; i <= HV_L4_LAST; i++) {
        if (i != PERDOMAIN_L4_SLOT) {
            uint64_t va =
                HV_HOLE_START + ((uint64_t)(i - HV_L4_FIRST) << L4_SHIFT);

            (void)entry_for(va, 3);
        }
    }

    for (unsigned int i = HV_L4_FIRST; i <= HV_L4_LAST; i++) {
        WRITE_ONCE(hv_l4[i], build_l4[i]);
    }
    for (unsigned int i = 0; i < PT_ENTRIES; i++) {
        if (i < HV_L4_FIRST || i > HV_L4_LAST) {
            WRITE_ONCE(hv_l4[i], 0);
        }
    }
    work_l4 = hv_l4;
    tlb_flush_local_global();
    tlb_flush_local();
    boot_alloc_lift_limit();
}

void hvmap_drop_init(void)
{
    maddr_t start = ptr_to_maddr(__init_start);
    uint64_t bytes = (uint64_t)(__init_end - __init_start);

    for (uint64_t off = 0; off < bytes; off += PAGE_SIZE) {
        hvmap_unmap((uint64_t)__init_start + off);
    }
    page_alloc_add(maddr_to_mfn(start), bytes >> PAGE_SHIFT);
}
