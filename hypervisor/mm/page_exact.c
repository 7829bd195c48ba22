/* SPDX-License-Identifier: MIT */
/*
 * mm/page_exact.c - frames by their number, not by a power of two; single pages
 * by their address.
 */
#include "mm/page_alloc.h"

#include "lib/bits.h"
#include "mm/directmap.h"

struct frame *page_alloc_exact(uint64_t count)
{
    unsigned int order = order_of_count(count);
    struct frame *f = count == 0 ? NULL : page_alloc(order, 0, PA_ANY_BITS);

    if (f != NULL && count < BIT(order)) {
        page_free_exact(f + count, BIT(order) - count);
    }
    return f;
}

void page_free_exact(struct frame *f, uint64_t count)
{
    while (count > 0) {
        unsigned int order = order_of_piece(mfn_x(frame_mfn(f)), count);

        page_free(f, order);
        f += BIT(order);
        count -= BIT(order);
    }
}

void *hv_page_alloc(void)
{
    struct frame *f = page_alloc(0, PA_CLEAN, PA_ANY_BITS);

    return f == NULL ? NULL : mfn_to_ptr(frame_mfn(f));
}

void hv_page_free(void *p)
{
    if (p != NULL) {
        page_free(frame_of(ptr_to_mfn(p)), 0);
    }
}
