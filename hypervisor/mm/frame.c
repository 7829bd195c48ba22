/* SPDX-License-Identifier: MIT */
/*
 * mm/frame.c - the frame table and reference counts.
 *
 * The table is virtually contiguous.  Where a whole 2 MiB piece of it (256
 * MiB of addresses) describes no RAM, one shared read-only piece stands in:
 * those records are RESERVED for ever, and nobody writes to a RESERVED frame.
 */
#include "mm/frame.h"

#include "lib/assert.h"
#include "lib/bits.h"
#include "x86/atomic.h"
#include "mm/boot_alloc.h"
#include "mm/directmap.h"
#include "mm/frame_state.h"
#include "mm/hvmap.h"
#include "mm/memmap.h"

uint64_t max_frame;

#define PIECE_BYTES  (1UL << L2_SHIFT)
#define PIECE_FRAMES (PIECE_BYTES / sizeof(struct frame))

union frame_head {
    struct {
        uint32_t count;
        domid_t owner;
        uint8_t state;
        uint8_t flags;
    };
    uint64_t word;
};

static bool get_if(struct frame *f, bool any_owner, domid_t owner)
{
    union frame_head old, new;

    do {
        old.word = atomic_load(frame_head(f));
        if (old.count == 0 || old.count == ~0u ||
            (old.state != FRAME_INUSE && old.state != FRAME_OFFLINING) ||
            (!any_owner && old.owner != owner)) {
            return false;
        }
        new = old;
        new.count++;
    } while (!atomic_cas(frame_head(f), old.word, new.word));
    return true;
}

bool frame_get_slow(struct frame *f, domid_t owner)
{
    return get_if(f, false, owner);
}

bool frame_get_held(struct frame *f)
{
    return get_if(f, true, 0);
}

bool frame_take_last(struct frame *f, domid_t owner, uint8_t flags,
                     uint32_t count)
{
    union frame_head old, new;

    do {
        old.word = atomic_load(frame_head(f));
        if (old.count != 1 || old.owner != owner ||
            (old.flags & flags) != flags ||
            (old.state != FRAME_INUSE && old.state != FRAME_OFFLINING)) {
            return false;
        }
        new = old;
        new.count = count;
        new.owner = DOMID_INVALID;
        new.flags &= (uint8_t)~flags;
    } while (!atomic_cas(frame_head(f), old.word, new.word));
    return true;
}

static INIT_TEXT void records_init(struct frame *f, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        f[i] = (struct frame){
            .next = FRAME_NONE,
            .prev = FRAME_NONE,
            .owner = DOMID_INVALID,
            .state = FRAME_RESERVED,
        };
    }
}

/* Is there RAM among frames [start, end)? */
static INIT_TEXT bool has_ram(uint64_t start, uint64_t end)
{
    struct memmap_region r;

    for (unsigned int i = 0; memmap_region(i, &r); i++) {
        if ((r.type == MEMMAP_RAM || r.type == MEMMAP_KEPT) &&
            r.start < end << PAGE_SHIFT && start << PAGE_SHIFT < r.end) {
            return true;
        }
    }
    return false;
}

static INIT_TEXT void map_or_panic(int rc)
{
    if (rc != 0) {
        panic("not enough memory to map the frame table");
    }
}

INIT_TEXT void frame_table_init(uint64_t frames)
{
    maddr_t hole = 0, a;
    uint64_t va = FRAMETABLE_VA;
    uint64_t done = 0;

    for (; frames - done >= PIECE_FRAMES;
         done += PIECE_FRAMES, va += PIECE_BYTES) {
        bool ram = has_ram(done, done + PIECE_FRAMES);

        if (ram || hole == 0) {
            a = boot_alloc_pages(PT_ENTRIES, PT_ENTRIES);
            records_init(maddr_to_ptr(a), PIECE_FRAMES);
            hole = ram ? hole : a;
        } else {
            a = hole;
        }
        map_or_panic(
            hvmap_map_2m(va, maddr_to_mfn(a), PTE_NX | (ram ? PTE_W : 0)));
    }
    if (done < frames) {
        uint64_t bytes =
            ALIGN_UP((frames - done) * sizeof(struct frame), PAGE_SIZE);

        a = boot_alloc_pages(bytes >> PAGE_SHIFT, 1);
        records_init(maddr_to_ptr(a), bytes / sizeof(struct frame));
        for (uint64_t off = 0; off < bytes; off += PAGE_SIZE) {
            map_or_panic(
                hvmap_map(va + off, maddr_to_mfn(a + off), PTE_W | PTE_NX));
        }
    }
    max_frame = frames;
}
