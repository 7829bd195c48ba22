/* SPDX-License-Identifier: MIT */
/*
 * pv/layout_dom0.c - where everything goes in Dom0's first address space.
 */
#include "pv/layout_dom0.h"

#include "lib/bits.h"
#include "lib/errno.h"
#include "x86/layout.h"
#include "x86/page.h"

#define SLACK_BYTES     (512UL << 10)
#define ROUND_BYTES     (4UL << 20)
#define P2M_ENTRY_BYTES 8
/* Far more than any kernel; keeps every sum below from wrapping. */
#define RUN_MAX         (64UL << 30)
#define PAGES_MAX       (1UL << 36)

uint64_t layout_table_pages(uint64_t start, uint64_t end)
{
    uint64_t pages = 0;

    for (unsigned int shift = L2_SHIFT; shift <= L4_SHIFT; shift += 9) {
        pages += ((end - 1) >> shift) - (start >> shift) + 1;
    }
    return pages;
}

static bool in_hole(uint64_t start, uint64_t end)
{
    return start < HV_HOLE_END && end > HV_HOLE_START;
}

/* Canonical, not wrapping, in the guest's half of things. */
static bool range_ok(uint64_t start, uint64_t bytes)
{
    uint64_t last = start + bytes - 1;

    return bytes != 0 && last >= start && va_is_canonical(start) &&
           va_is_canonical(last) && start >> 63 == last >> 63 &&
           !in_hole(start, last);
}

/*
 * Place start_info, tables and stack from @cursor on; the tables have to map
 * themselves, so grow their number until it suffices.  False: the run does
 * not fit below the end of the address space.
 */
static bool place_tables(struct dom0_layout *l, uint64_t cursor)
{
    uint64_t bytes; /* of the run; end_va may wrap to 0 at the very top */

    l->start_info_va = cursor;
    l->pt_va = cursor + PAGE_SIZE;
    for (l->pt_pages = 4;; l->pt_pages++) {
        l->stack_va = l->pt_va + (l->pt_pages << PAGE_SHIFT);
        l->end_va =
            ALIGN_UP(l->stack_va + PAGE_SIZE + SLACK_BYTES, ROUND_BYTES);
        bytes = l->end_va - l->virt_base;
        if (!range_ok(l->virt_base, bytes)) {
            return false;
        }
        if (1 + layout_table_pages(l->virt_base, l->virt_base + bytes) <=
            l->pt_pages) {
            break;
        }
    }
    l->run_pages = bytes >> PAGE_SHIFT;
    return true;
}

static int place_p2m(const struct dom0_layout_in *in, struct dom0_layout *l,
                     const char **ret_why)
{
    uint64_t bytes = l->p2m_pages << PAGE_SHIFT;

    l->p2m_va = in->init_p2m;
    if (!IS_ALIGNED(in->init_p2m, PAGE_SIZE) ||
        !range_ok(in->init_p2m, bytes)) {
        *ret_why = "the kernel wants its P2M list at an impossible address";
        return -EINVAL;
    }
    /* Separate tables keep the two supplies apart; Linux asks for slot 1. */
    if (in->init_p2m >> L4_SHIFT <= (l->end_va - 1) >> L4_SHIFT &&
        (in->init_p2m + bytes - 1) >> L4_SHIFT >= l->virt_base >> L4_SHIFT) {
        *ret_why = "the kernel wants its P2M list among its own addresses";
        return -EINVAL;
    }
    l->p2m_pfn = l->rest_pfn;
    l->p2m_table_pfn = l->p2m_pfn + l->p2m_pages;
    l->p2m_table_pages = layout_table_pages(in->init_p2m, in->init_p2m + bytes);
    l->rest_pfn = l->p2m_table_pfn + l->p2m_table_pages;
    return 0;
}

int layout_dom0(const struct dom0_layout_in *in, struct dom0_layout *ret_layout,
                const char **ret_why)
{
    struct dom0_layout l = {.virt_base = in->virt_base};
    uint64_t cursor;

    if (in->nr_pages > PAGES_MAX || in->load_start >= in->load_end ||
        in->load_start < in->paddr_offset ||
        in->load_end - in->paddr_offset > RUN_MAX / 2 ||
        in->initrd_bytes > RUN_MAX / 4) {
        *ret_why = "the kernel's load addresses make no sense";
        return -EINVAL;
    }
    l.initrd_pages = DIV_ROUND_UP(in->initrd_bytes, PAGE_SIZE);
    l.p2m_pages = DIV_ROUND_UP(in->nr_pages * P2M_ENTRY_BYTES, PAGE_SIZE);
    if (!IS_ALIGNED(in->virt_base | in->paddr_offset, PAGE_SIZE) ||
        !range_ok(in->virt_base, in->load_end - in->paddr_offset)) {
        *ret_why = "the kernel's base address makes no sense";
        return -EINVAL;
    }

    cursor =
        in->virt_base + ALIGN_UP(in->load_end - in->paddr_offset, PAGE_SIZE);
    if (l.initrd_pages != 0 && !in->initrd_by_pfn) {
        l.initrd_va = cursor;
        l.initrd_pfn = (cursor - in->virt_base) >> PAGE_SHIFT;
        cursor += l.initrd_pages << PAGE_SHIFT;
    }
    if (!in->p2m_elsewhere) {
        l.p2m_va = cursor;
        l.p2m_pfn = (cursor - in->virt_base) >> PAGE_SHIFT;
        cursor += l.p2m_pages << PAGE_SHIFT;
    }
    if (!place_tables(&l, cursor)) {
        *ret_why = "the kernel's address space has no room for its tables";
        return -EINVAL;
    }
    if (in->entry < in->virt_base ||
        in->entry - in->virt_base >= l.run_pages << PAGE_SHIFT) {
        *ret_why = "the kernel's entry point is outside the kernel";
        return -EINVAL;
    }

    l.rest_pfn = l.run_pages;
    if (l.initrd_pages != 0 && in->initrd_by_pfn) {
        l.initrd_pfn = l.rest_pfn;
        l.rest_pfn += l.initrd_pages;
    }
    if (in->p2m_elsewhere) {
        int rc = place_p2m(in, &l, ret_why);

        if (rc != 0) {
            return rc;
        }
    }
    if (l.rest_pfn > in->nr_pages) {
        *ret_why = "Dom0's memory is too small for its kernel and initrd";
        return -ENOMEM;
    }
    *ret_layout = l;
    return 0;
}
