/* SPDX-License-Identifier: MIT */
/*
 * pv/layout_dom0.h - where everything goes in Dom0's first address space.
 *
 *  virt_base = PFN 0
 *  |           kernel_end   start_info   pt_base      stack      end
 *  |  kernel   | (initrd) | (P2M)      | tables     | 1 page   | slack ...
 *
 *  One run of PFNs mapped with 4 KiB pages, up to the next 4 MiB boundary
 *  with at least 512 KiB of slack.  An initrd and a P2M list outside it (the
 *  usual case: MOD_START_PFN, INIT_P2M) get the PFNs behind the run: initrd,
 *  P2M list, the P2M's own page tables.  All other memory follows, unmapped.
 *
 * Pure arithmetic on numbers read from a kernel file: hostile.
 */
#ifndef VIGIL_PV_LAYOUT_DOM0_H
#define VIGIL_PV_LAYOUT_DOM0_H

#include "lib/compiler.h"
#include "lib/types.h"

struct dom0_layout_in {
    uint64_t virt_base;    /* va of PFN 0                             */
    uint64_t paddr_offset; /* p_paddr of PFN 0                        */
    uint64_t load_start;   /* p_paddr range of the loadable segments  */
    uint64_t load_end;
    uint64_t entry;        /* va                                      */
    uint64_t initrd_bytes; /* 0: none                                 */
    bool initrd_by_pfn;
    bool p2m_elsewhere; /* map the P2M list at init_p2m               */
    uint64_t init_p2m;
    uint64_t nr_pages; /* all of Dom0's memory                        */
};

struct dom0_layout {
    uint64_t virt_base;
    uint64_t start_info_va, pt_va, stack_va, initrd_va, p2m_va, end_va;
    uint64_t pt_pages;  /* tables of the mapped run, the L4 first      */
    uint64_t run_pages; /* mapped: PFN 0 .. run_pages - 1             */
    uint64_t initrd_pfn, initrd_pages;
    uint64_t p2m_pfn, p2m_pages; /* the list, in the run or behind it */
    uint64_t p2m_table_pfn, p2m_table_pages;
    uint64_t rest_pfn; /* first PFN nothing is said about             */
};

/**
 * layout_dom0() - compute the layout
 * @in:         what kernel, initrd and memory size ask for
 * @ret_layout: filled in when 0 is returned
 * @ret_why:    one phrase, static, when it does not work out
 *
 * Context: any.
 * Return:  0; -EINVAL the kernel's addresses make no sense; -ENOMEM
 *          @in->nr_pages is too small for kernel, initrd and tables
 */
int layout_dom0(const struct dom0_layout_in *in, struct dom0_layout *ret_layout,
                const char **ret_why) MUST_CHECK;

/**
 * layout_table_pages() - page tables that map a range with 4 KiB pages
 * @start: first address
 * @end:   first address after the range
 *
 * Without the L4.
 * Context: any.
 * Return:  number of L3, L2 and L1 tables
 */
uint64_t layout_table_pages(uint64_t start, uint64_t end);

#endif
