/* SPDX-License-Identifier: MIT */
/*
 * pv/dom0_memory.h - Dom0's memory while it is being built: PFN to frame,
 * allocation, copying, first page tables.  Used by build_dom0.c only.
 */
#ifndef VIGIL_PV_DOM0_MEMORY_H
#define VIGIL_PV_DOM0_MEMORY_H

#include "x86/page.h"
#include "domain/domain.h"
#include "pv/layout_dom0.h"

struct dom0_memory {
    struct domain *d;
    uint64_t nr_pages;
    uint64_t *p2m_frames; /* machine frame of each page of the P2M list */
    uint64_t p2m_pages;
    mfn_t l4;
};

/**
 * dom0_memory_init() - allocate the P2M list, every entry invalid
 * @mem: filled in
 * @d:   domain that owns everything
 * @l:   layout
 * @nr_pages: size of Dom0
 *
 * Gives the list's own pages their PFNs.
 * Context: boot.
 * Return:  0, -ENOMEM
 */
int dom0_memory_init(struct dom0_memory *mem, struct domain *d,
                     const struct dom0_layout *l, uint64_t nr_pages) MUST_CHECK;

/**
 * dom0_memory_done() - free what only building needed
 * @mem: from dom0_memory_init()
 *
 * Context: boot.
 */
void dom0_memory_done(struct dom0_memory *mem);

/**
 * dom0_memory_populate() - allocate zeroed memory for PFNs that have none
 * @mem:   from dom0_memory_init()
 * @first: first PFN
 * @count: PFNs; those populated already are skipped
 *
 * Context: boot.
 * Return:  0, -ENOMEM
 */
int dom0_memory_populate(struct dom0_memory *mem, uint64_t first,
                         uint64_t count) MUST_CHECK;

/**
 * dom0_memory_page() - the contents of a populated PFN
 * @mem: from dom0_memory_init()
 * @p:   PFN
 *
 * Context: boot.
 * Return:  pointer in the direct map; NULL: not populated
 */
void *dom0_memory_page(const struct dom0_memory *mem, uint64_t p);

/**
 * dom0_memory_copy() - copy bytes into Dom0's memory
 * @mem:   from dom0_memory_init()
 * @to:    pseudo-physical address, any alignment; all of it populated
 * @from:  bytes
 * @bytes: how many
 *
 * Context: boot.
 * Return:  0, -EINVAL outside populated memory
 */
int dom0_memory_copy(struct dom0_memory *mem, uint64_t to, const void *from,
                     uint64_t bytes) MUST_CHECK;

/**
 * dom0_memory_map() - write the first page tables
 * @mem: from dom0_memory_init(), the layout's PFNs populated
 * @l:   layout
 *
 * Maps the run, page tables read-only, and the P2M list if it is elsewhere.
 * Context: boot, before the tables are validated.
 * Return:  0; -EINVAL a layout that contradicts itself
 */
int dom0_memory_map(struct dom0_memory *mem, const struct dom0_layout *l)
    MUST_CHECK;

#endif
