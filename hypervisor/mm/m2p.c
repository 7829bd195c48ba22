/* SPDX-License-Identifier: MIT */
/*
 * mm/m2p.c - the machine-to-phys table guests read at M2P_VA.
 *
 * 2 MiB pieces, each for 1 GiB of machine addresses: tools map them by that
 * unit.  Pieces that describe no RAM share one that is all M2P_INVALID.
 */
#include "mm/m2p.h"

#include "lib/assert.h"
#include "lib/bits.h"
#include "x86/string_asm.h"
#include "mm/directmap.h"
#include "mm/hvmap.h"
#include "mm/memmap.h"
#include "mm/page_alloc.h"

#define PIECE_ORDER   9
#define PIECE_ENTRIES (1UL << 18)
#define PIECE_BYTES   (PIECE_ENTRIES * sizeof(uint64_t))

static uint64_t **pieces; /* c: through the direct map */
static unsigned int piece_count;

static INIT_TEXT bool piece_has_ram(unsigned int n)
{
    uint64_t size = PIECE_ENTRIES << PAGE_SHIFT;
    uint64_t start = n * size;
    struct memmap_region r;

    for (unsigned int i = 0; memmap_region(i, &r); i++) {
        if ((r.type == MEMMAP_RAM || r.type == MEMMAP_KEPT) &&
            r.start < start + size && start < r.end) {
            return true;
        }
    }
    return false;
}

static INIT_TEXT uint64_t *piece_new(void)
{
    struct frame *f = page_alloc(PIECE_ORDER, 0, PA_ANY_BITS);
    uint64_t *p;

    if (f == NULL) {
        panic("not enough memory for the machine-to-phys table");
    }
    for (unsigned int i = 0; i < BIT(PIECE_ORDER); i++) {
        f[i].flags |= FRAME_F_HV_SHARED;
    }
    p = mfn_to_ptr(frame_mfn(f));
    rep_stosq(p, M2P_INVALID, PIECE_ENTRIES);
    return p;
}

INIT_TEXT void m2p_init(void)
{
    unsigned int count = (unsigned int)DIV_ROUND_UP(max_frame, PIECE_ENTRIES);
    struct frame *f = page_alloc(
        order_of_count(DIV_ROUND_UP(count * sizeof(*pieces), PAGE_SIZE)),
        PA_CLEAN, PA_ANY_BITS);
    uint64_t *hole = NULL;

    if (f == NULL) {
        panic("not enough memory for the machine-to-phys table");
    }
    pieces = mfn_to_ptr(frame_mfn(f));
    for (unsigned int n = 0; n < count; n++) {
        bool ram = piece_has_ram(n);

        if (ram || hole == NULL) {
            pieces[n] = piece_new();
            hole = ram ? hole : pieces[n];
        } else {
            pieces[n] = hole;
        }
        if (hvmap_map_2m(M2P_VA + n * PIECE_BYTES, ptr_to_mfn(pieces[n]),
                         PTE_U | PTE_NX) != 0) {
            panic("not enough memory to map the machine-to-phys table");
        }
    }
    piece_count = count;
}

void m2p_set(mfn_t m, pfn_t p)
{
    WRITE_ONCE(pieces[mfn_x(m) / PIECE_ENTRIES][mfn_x(m) % PIECE_ENTRIES],
               pfn_x(p));
}

void m2p_set_run(mfn_t m, pfn_t p, uint64_t count)
{
    uint64_t step = pfn_x(p) != M2P_INVALID;
    uint64_t value = pfn_x(p);

    while (count > 0) {
        uint64_t at = mfn_x(m) % PIECE_ENTRIES;
        uint64_t here = MIN(count, PIECE_ENTRIES - at);
        uint64_t *entry = &pieces[mfn_x(m) / PIECE_ENTRIES][at];

        for (uint64_t i = 0; i < here; i++) {
            WRITE_ONCE(entry[i], value);
            value += step;
        }
        m = mfn_add(m, here);
        count -= here;
    }
}

pfn_t m2p_get(mfn_t m)
{
    return pfn(
        READ_ONCE(pieces[mfn_x(m) / PIECE_ENTRIES][mfn_x(m) % PIECE_ENTRIES]));
}

mfn_t m2p_table_frame(unsigned int n)
{
    return n < piece_count ? ptr_to_mfn(pieces[n]) : INVALID_MFN;
}

bool m2p_is_table_frame(mfn_t m)
{
    const struct frame *f;

    if (!mfn_valid(m)) {
        return false;
    }
    f = frame_of(m);
    return f->state == FRAME_INUSE && f->owner == DOMID_XEN &&
           (f->flags & FRAME_F_HV_SHARED) != 0;
}
