/* SPDX-License-Identifier: MIT */
/*
 * crash/symbols.c - binary search in the table made at build time.
 *
 * Code lies in two parts of the image: the text, and what only boot needs.
 * Names of the latter stay when that is gone: a return address into it may
 * still stand on the stack.
 */
#include "crash/symbols.h"

#include "lib/format.h"
#include "x86/image.h"

struct part {
    uint64_t start, end; /* offsets from the start of the image */
};

static NMI_SAFE bool find_part(uint64_t offset, struct part *ret_part)
{
    const struct part parts[] = {
        {0, image_text_end() - image_start()},
        {image_init_start() - image_start(),
         image_init_text_end() - image_start()},
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(parts); i++) {
        if (offset >= parts[i].start && offset < parts[i].end) {
            *ret_part = parts[i];
            return true;
        }
    }
    return false;
}

NMI_SAFE const char *symbol_lookup(uint64_t addr, uint64_t *ret_offset,
                                   uint64_t *ret_size)
{
    uint64_t offset = addr - image_start();
    uint32_t lo = 0, hi = symbol_count;
    struct part part;
    uint64_t next;

    if (!find_part(offset, &part) || symbol_count == 0) {
        return NULL;
    }
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
    if (symbol_table[lo].offset < part.start) {
        return NULL;
    }
    next = part.end;
    if (hi < symbol_count && symbol_table[hi].offset < next) {
        next = symbol_table[hi].offset;
    }
    *ret_offset = offset - symbol_table[lo].offset;
    *ret_size = next - symbol_table[lo].offset;
    return symbol_names + symbol_table[lo].name;
}

/* Looked up @back bytes before the address. */
static NMI_SAFE size_t format(char *buf, size_t size, uint64_t addr,
                              unsigned int back)
{
    uint64_t offset, length;
    const char *name = symbol_lookup(addr - back, &offset, &length);

    if (name == NULL) {
        return scnprintf(buf, size, "%016lx", addr);
    }
    return scnprintf(buf, size, "%s+0x%lx/0x%lx", name, offset + back, length);
}

NMI_SAFE size_t symbol_format(char *buf, size_t size, uint64_t addr)
{
    return format(buf, size, addr, 0);
}

NMI_SAFE size_t symbol_format_return(char *buf, size_t size, uint64_t addr)
{
    return format(buf, size, addr, 1);
}
