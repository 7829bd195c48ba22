/* SPDX-License-Identifier: MIT */
/*
 * hypercall/xenctl_bitmap.c - struct xenctl_bitmap in and out.
 */
#include "hypercall/xenctl_bitmap.h"

#include "lib/bits.h"
#include "lib/string.h"

int xenctl_bitmap_in(const struct xenctl_bitmap *b, uint64_t *map,
                     unsigned int bits)
{
    uint32_t given = b->nr_bits;
    uint32_t used = MIN(given, bits);

    memset(map, 0, bits / 8);
    if (copy_from_guest(map, handle_va(b->bitmap), DIV_ROUND_UP(used, 8)) !=
        0) {
        return -EFAULT;
    }
    if (used % 64 != 0) {
        map[used / 64] &= MASK_BITS(used % 64);
    }
    return 0;
}

int xenctl_bitmap_out(const struct xenctl_bitmap *b, const uint64_t *map,
                      unsigned int bits)
{
    uint64_t room = DIV_ROUND_UP((uint64_t)b->nr_bits, 8);
    uint64_t used = MIN(room, bits / 8);
    uint64_t va = handle_va(b->bitmap);

    if (b->nr_bits > XENCTL_BITMAP_BITS_MAX) {
        return -EINVAL;
    }
    if (copy_to_guest(va, map, used) != 0 ||
        (room > used && clear_guest(va + used, room - used) != 0)) {
        return -EFAULT;
    }
    return 0;
}
