/* SPDX-License-Identifier: MIT */
/*
 * pv/dom0_memory.c - Dom0's memory while it is being built.
 */
#include "pv/dom0_memory.h"

#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/directmap.h"
#include "mm/m2p.h"
#include "mm/page_alloc.h"
#include "domain/account.h"

#define P2M_PER_PAGE (PAGE_SIZE / sizeof(uint64_t))
#define P2M_INVALID  (~0ULL)

/* The kernel half runs at CPL 3 like the rest: U everywhere. */
#define TABLE_FLAGS (PTE_P | PTE_W | PTE_U | PTE_A | PTE_D)
#define LEAF_FLAGS  (PTE_P | PTE_U | PTE_A | PTE_GUEST_KERNEL)

/* PFNs handed out one after the other for page tables. */
struct table_supply {
    uint64_t next, end;
};

static uint64_t *p2m_entry(const struct dom0_memory *mem, uint64_t p)
{
    uint64_t *page;

    if (p / P2M_PER_PAGE >= mem->p2m_pages) {
        return NULL;
    }
    page = mfn_to_ptr(mfn(mem->p2m_frames[p / P2M_PER_PAGE]));
    return &page[p % P2M_PER_PAGE];
}

static bool is_populated(const struct dom0_memory *mem, uint64_t p)
{
    const uint64_t *e = p2m_entry(mem, p);

    return e != NULL && *e != P2M_INVALID;
}

static void assign(struct dom0_memory *mem, uint64_t p, mfn_t m)
{
    *p2m_entry(mem, p) = mfn_x(m);
    m2p_set(m, pfn(p));
}

int dom0_memory_init(struct dom0_memory *mem, struct domain *d,
                     const struct dom0_layout *l, uint64_t nr_pages)
{
    uint64_t array_pages =
        DIV_ROUND_UP(l->p2m_pages * sizeof(*mem->p2m_frames), PAGE_SIZE);
    struct frame *f = page_alloc_exact(array_pages);
    mfn_t m;
    int rc;

    if (f == NULL) {
        return -ENOMEM;
    }
    mem->d = d;
    mem->nr_pages = nr_pages;
    mem->p2m_frames = mfn_to_ptr(frame_mfn(f));
    mem->p2m_pages = l->p2m_pages;
    mem->l4 = INVALID_MFN;
    for (uint64_t i = 0; i < l->p2m_pages; i++) {
        rc = account_alloc(d, pfn(M2P_INVALID), 0, PA_ANY_BITS, &m);
        if (rc != 0) {
            return rc;
        }
        mem->p2m_frames[i] = mfn_x(m);
        memset(mfn_to_ptr(m), 0xff, PAGE_SIZE);
    }
    for (uint64_t i = 0; i < l->p2m_pages; i++) {
        assign(mem, l->p2m_pfn + i, mfn(mem->p2m_frames[i]));
    }
    return 0;
}

void dom0_memory_done(struct dom0_memory *mem)
{
    page_free_exact(
        frame_of(ptr_to_mfn(mem->p2m_frames)),
        DIV_ROUND_UP(mem->p2m_pages * sizeof(*mem->p2m_frames), PAGE_SIZE));
    mem->p2m_frames = NULL;
    mem->p2m_pages = 0;
}

/* Allocate [first, first + count), none of it populated. */
static int populate_gap(struct dom0_memory *mem, uint64_t first, uint64_t count)
{
    unsigned int limit = MAX_ORDER;

    while (count > 0) {
        unsigned int order = MIN(limit, bit_highest(count));
        mfn_t m;
        int rc = account_alloc(mem->d, pfn(M2P_INVALID), order, PA_ANY_BITS,
                               &m);

        if (rc == -ENOMEM && order > 0) {
            limit = order - 1;
            continue;
        }
        if (rc != 0) {
            return rc;
        }
        for (uint64_t i = 0; i < BIT(order); i++) {
            assign(mem, first + i, mfn_add(m, i));
        }
        first += BIT(order);
        count -= BIT(order);
    }
    return 0;
}

int dom0_memory_populate(struct dom0_memory *mem, uint64_t first,
                         uint64_t count)
{
    uint64_t end = first + count;

    while (first < end) {
        uint64_t gap_end;
        int rc;

        if (is_populated(mem, first)) {
            first++;
            continue;
        }
        for (gap_end = first; gap_end < end; gap_end++) {
            if (is_populated(mem, gap_end)) {
                break;
            }
        }
        rc = populate_gap(mem, first, gap_end - first);
        if (rc != 0) {
            return rc;
        }
        first = gap_end;
    }
    return 0;
}

void *dom0_memory_page(const struct dom0_memory *mem, uint64_t p)
{
    return is_populated(mem, p) ? mfn_to_ptr(mfn(*p2m_entry(mem, p))) : NULL;
}

int dom0_memory_copy(struct dom0_memory *mem, uint64_t to, const void *from,
                     uint64_t bytes)
{
    const uint8_t *source = from;

    while (bytes > 0) {
        uint64_t offset = to & ~PAGE_MASK;
        uint64_t part = MIN(bytes, PAGE_SIZE - offset);
        uint8_t *page = dom0_memory_page(mem, to >> PAGE_SHIFT);

        if (page == NULL) {
            return -EINVAL;
        }
        memcpy(page + offset, source, part);
        to += part;
        source += part;
        bytes -= part;
    }
    return 0;
}

/* Write one leaf; tables come from @supply.  False: supply or PFN missing. */
static bool map_page(const struct dom0_memory *mem, struct table_supply *supply,
                     uint64_t va, uint64_t p, uint64_t flags)
{
    pte_t *table = mfn_to_ptr(mem->l4);

    for (unsigned int level = 4; level > 1; level--) {
        pte_t *e = &table[pt_index(va, level)];

        if ((*e & PTE_P) == 0) {
            if (supply->next == supply->end ||
                !is_populated(mem, supply->next)) {
                return false;
            }
            *e = pte_make(mfn(*p2m_entry(mem, supply->next)), TABLE_FLAGS);
            supply->next++;
        }
        table = mfn_to_ptr(pte_mfn(*e));
    }
    if (!is_populated(mem, p)) {
        return false;
    }
    table[pt_index(va, 1)] =
        pte_make(mfn(*p2m_entry(mem, p)), flags | LEAF_FLAGS);
    return true;
}

int dom0_memory_map(struct dom0_memory *mem, const struct dom0_layout *l)
{
    uint64_t pt_pfn = (l->pt_va - l->virt_base) >> PAGE_SHIFT;
    struct table_supply run = {pt_pfn + 1, pt_pfn + l->pt_pages};
    struct table_supply list = {l->p2m_table_pfn,
                                l->p2m_table_pfn + l->p2m_table_pages};
    uint64_t *first = p2m_entry(mem, pt_pfn);

    if (first == NULL || *first == P2M_INVALID) {
        return -EINVAL;
    }
    mem->l4 = mfn(*first);
    for (uint64_t p = 0; p < l->run_pages; p++) {
        bool is_table = p >= pt_pfn && p < pt_pfn + l->pt_pages;

        if (!map_page(mem, &run, l->virt_base + (p << PAGE_SHIFT), p,
                      is_table ? 0 : PTE_W)) {
            return -EINVAL;
        }
    }
    if (l->p2m_table_pages == 0) {
        return 0;
    }
    for (uint64_t i = 0; i < l->p2m_pages; i++) {
        if (!map_page(mem, &list, l->p2m_va + (i << PAGE_SHIFT), l->p2m_pfn + i,
                      PTE_W)) {
            return -EINVAL;
        }
    }
    return 0;
}
