/* SPDX-License-Identifier: MIT */
/*
 * crash/symbols.c - binary search in the table made at build time.
 */
#include "crash/symbols.h"

#include "lib/format.h"
#include "x86/image.h"

const char *symbol_lookup(uint64_t addr, uint64_t *ret_offset,
                          uint64_t *ret_size)
{
    uint64_t start = image_start();
    uint64_t end = image_text_end();
    uint32_t lo = 0, hi = symbol_count;
    uint64_t offset, next;

    if (addr < start || addr >= end || symbol_count == 0) {
        return NULL;
    }
    offset = addr - start;
    if (offset < symbol_table[0].offset) {
        return NULL;
    }
    /* Invariant: table[lo].offset <= offset < table[hi].offset. */
    while (hi - lo > 1) {
        uint32_t mid = lo + (hi - lo) / 2;

        if (symbol_table[mid].offset <= offset) {
            lo = mid;
        } else {
            hi = mid;
        }
    }
    next = hi < symbol_count ? symbol_table[hi].offset : end - start;
    *ret_offset = offset - symbol_table[lo].offset;
    *ret_size = next - symbol_table[lo].offset;
    return symbol_names + symbol_table[lo].name;
}

size_t symbol_format(char *buf, size_t size, uint64_t addr)
{
    uint64_t offset, length;
    const char *name = symbol_lookup(addr, &offset, &length);

    if (name == NULL) {
        return scnprintf(buf, size, "%016lx", (unsigned long)addr);
    }
    return scnprintf(buf, size, "%s+%#lx/%#lx", name, (unsigned long)offset,
                     (unsigned long)length);
}
