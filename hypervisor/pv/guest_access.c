/* SPDX-License-Identifier: MIT */
/*
 * pv/guest_access.c - the only dereference of guest memory.
 *
 * The guest's tables are loaded, so its addresses are used as they are; a
 * fault ends the copy through the exception table.  CR0.WP makes read-only
 * guest pages (page tables among them) read-only here too.
 */
#include "pv/guest_access.h"

#include "lib/errno.h"

int copy_from_guest(void *dst, uint64_t va, size_t bytes)
{
    size_t left;

    if (unlikely(!guest_range_ok(va, bytes))) {
        return -EFAULT;
    }
    stac_if(cpu_features.smap);
    left = copy_may_fault(dst, (const void *)guest_va_nospec(va), bytes);
    clac_if(cpu_features.smap);
    return left ? -EFAULT : 0;
}

int copy_to_guest(uint64_t va, const void *src, size_t bytes)
{
    size_t left;

    if (unlikely(!guest_range_ok(va, bytes))) {
        return -EFAULT;
    }
    stac_if(cpu_features.smap);
    left = copy_may_fault((void *)guest_va_nospec(va), src, bytes);
    clac_if(cpu_features.smap);
    return left ? -EFAULT : 0;
}

int clear_guest(uint64_t va, size_t bytes)
{
    size_t left;

    if (unlikely(!guest_range_ok(va, bytes))) {
        return -EFAULT;
    }
    stac_if(cpu_features.smap);
    left = zero_may_fault((void *)guest_va_nospec(va), bytes);
    clac_if(cpu_features.smap);
    return left ? -EFAULT : 0;
}
