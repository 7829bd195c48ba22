/* SPDX-License-Identifier: MIT */
/*
 * mm/iomap.c - device memory, uncached or write-combining.
 *
 * The window is large and mappings are for good, so handing out means moving
 * a pointer.
 */
#include "lib/bits.h"
#include "x86/layout.h"
#include "sync/spinlock.h"
#include "mm/hvmap.h"

/* PAT entry 3 is UC, after reset and in the Xen ABI's setting alike. */
#define UNCACHED        (PTE_PCD | PTE_PWT)
/* PAT entry 4 of the Xen ABI's setting. */
#define WRITE_COMBINING PTE_PAT

static SPINLOCK(iomap_lock, LOCK_RANK_IOMAP, IRQ_ANY);
static uint64_t next_va = FIXMAP_IOMAP_VA; /* iomap_lock */

static void *map_locked(maddr_t a, size_t bytes, uint64_t type)
{
    maddr_t start = ALIGN_DOWN(a, PAGE_SIZE);
    uint64_t size = ALIGN_UP(a + bytes, PAGE_SIZE) - start;
    uint64_t va = next_va;

    if (bytes == 0 || size > HV_IMAGE_VA - va) {
        return NULL;
    }
    for (uint64_t off = 0; off < size; off += PAGE_SIZE) {
        if (hvmap_map(va + off, maddr_to_mfn(start + off),
                      PTE_W | PTE_NX | type) != 0) {
            return NULL;
        }
    }
    next_va += size;
    return (void *)(va + (a - start));
}

static void *map_with(maddr_t a, size_t bytes, uint64_t type)
{
    void *va;

    spin_lock(&iomap_lock);
    va = map_locked(a, bytes, type);
    spin_unlock(&iomap_lock);
    return va;
}

void *iomap(maddr_t a, size_t bytes)
{
    return map_with(a, bytes, UNCACHED);
}

void *iomap_wc(maddr_t a, size_t bytes)
{
    return map_with(a, bytes, WRITE_COMBINING);
}
