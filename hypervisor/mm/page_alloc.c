/* SPDX-License-Identifier: MIT */
/*
 * mm/page_alloc.c - buddy allocator of machine frames.
 *
 * Free blocks are kept by zone, order and cleanliness.  A zone holds the
 * blocks whose addresses need the same number of bits, so a request with an
 * address limit looks at the zones up to it and never searches a list; others
 * start at the top and leave low memory for devices.  A block cannot span two
 * zones: it is aligned to its size, and frame 0 is never free.
 *
 * Dirt is noted frame by frame (FRAME_F_DIRTY), and the head of a block has
 * its order, and in aux how many of its frames are dirty.  Clean and dirty
 * buddies merge up to MIXED_ORDER; above, only those that are clean, or dirty
 * throughout: to cut a mixed block is to count, with the lock held.
 */
#include "mm/page_alloc.h"

#include "lib/assert.h"
#include "lib/bits.h"
#include "lib/string.h"
#include "mm/boot_alloc.h"
#include "mm/directmap.h"
#include "mm/frame_state.h"
#include "mm/memmap.h"
#include "mm/page_count.h"
#include "mm/scrub.h"

#define ORDERS            (MAX_ORDER + 1)
#define ZONES             41 /* zone z: 2^(z-1) <= frame number < 2^z */
#define RECORDS_PER_SCRUB 4096
#define MIXED_ORDER       9
#ifdef VIGIL_DEBUG
#define LOOKS_AT_CLEAN    true /* INV-MM-2 */
#else
#define LOOKS_AT_CLEAN    false
#endif

SPINLOCK(heap_lock, LOCK_RANK_HEAP, IRQ_ANY);
page_counter *page_count_fn; /* c */

struct zone {
    uint32_t head[2][ORDERS]; /* [is dirty][order]: first block or FRAME_NONE */
    uint32_t filled[2];       /* bit per order whose list is not empty        */
};

static struct zone zones[ZONES];           /* H */
static uint64_t zones_filled;              /* H: bit per zone with any block */
static struct page_alloc_stats totals;     /* H */
static uint64_t scrub_at, scrub_offset;    /* H: where scrubbing stopped */

static uint64_t frame_number(const struct frame *f)
{
    return mfn_x(frame_mfn(f));
}

static unsigned int zone_of(uint64_t fn)
{
    return bit_highest(fn) + 1;
}

static bool is_block(const struct frame *f)
{
    return f->state == FRAME_FREE && (f->flags & FRAME_F_HEAD) != 0;
}

static void block_insert(uint64_t fn, unsigned int order, uint64_t dirty)
{
    struct frame *f = &frame_table[fn];
    struct zone *z = &zones[zone_of(fn)];
    uint32_t *head = &z->head[dirty != 0][order];

    f->flags |= FRAME_F_HEAD;
    f->order = order;
    f->aux = (uint32_t)dirty;
    f->prev = FRAME_NONE;
    f->next = *head;
    if (*head != FRAME_NONE) {
        frame_table[*head].prev = (uint32_t)fn;
    }
    *head = (uint32_t)fn;
    z->filled[dirty != 0] |= 1u << order;
    zones_filled |= BIT(zone_of(fn));
}

static void block_remove(struct frame *f)
{
    unsigned int zone = zone_of(frame_number(f));
    struct zone *z = &zones[zone];
    bool dirty = f->aux != 0;

    if (f->prev == FRAME_NONE) {
        z->head[dirty][f->order] = f->next;
        if (f->next == FRAME_NONE) {
            z->filled[dirty] &= ~(1u << f->order);
            if ((z->filled[false] | z->filled[true]) == 0) {
                zones_filled &= ~BIT(zone);
            }
        }
    } else {
        frame_table[f->prev].next = f->next;
    }
    if (f->next != FRAME_NONE) {
        frame_table[f->next].prev = f->prev;
    }
    f->next = f->prev = FRAME_NONE;
    f->flags &= (uint8_t)~FRAME_F_HEAD;
}

/* May two blocks of an order, with so many dirty frames each, be joined? */
static bool may_join(unsigned int order, uint64_t a, uint64_t b)
{
    return order < MIXED_ORDER || (a == b && (a == 0 || a == BIT(order)));
}

/* Put a block of FREE frames on a list, joined with its free buddies. */
static void block_free(uint64_t fn, unsigned int order, uint64_t dirty)
{
    while (order < MAX_ORDER) {
        uint64_t buddy = fn ^ BIT(order);
        struct frame *b = &frame_table[buddy];

        if (buddy + BIT(order) > max_frame || !is_block(b) ||
            b->order != order || !may_join(order, dirty, b->aux)) {
            break;
        }
        block_remove(b);
        dirty += b->aux;
        fn &= ~BIT(order);
        order++;
    }
    block_insert(fn, order, dirty);
}

/*
 * Dirty frames in the half [fn, fn + 2^order) of a block that has @dirty of
 * them.  Counting is only needed for a mixed block.
 */
static uint64_t half_dirty(uint64_t fn, unsigned int order, uint64_t dirty)
{
    if (dirty == 0) {
        return 0;
    }
    if (dirty == BIT(order + 1)) {
        return BIT(order);
    }
    return scrub_count_dirty(fn, order);
}

/*
 * Cut a block that is on no list down to the piece of order @want that holds
 * @fn; the rest goes to the lists.  Returns the dirty frames of the piece.
 */
static uint64_t block_split(uint64_t block, unsigned int order, uint64_t dirty,
                            uint64_t fn, unsigned int want)
{
    while (order > want) {
        uint64_t upper, upper_dirty;

        order--;
        upper = block + BIT(order);
        upper_dirty = half_dirty(upper, order, dirty);
        if (fn >= upper) {
            block_insert(block, order, dirty - upper_dirty);
            block = upper;
            dirty = upper_dirty;
        } else {
            block_insert(upper, order, upper_dirty);
            dirty -= upper_dirty;
        }
    }
    return dirty;
}

/* The best block of at least @order below the limit, or NULL. */
static struct frame *block_find(unsigned int order, bool want_clean,
                                unsigned int bits)
{
    uint32_t enough = (uint32_t)~MASK_BITS(order);
    uint64_t left = zones_filled;

    if (bits != PA_ANY_BITS) {
        if (bits <= PAGE_SHIFT) {
            return NULL;
        }
        if (bits - PAGE_SHIFT < ZONES) {
            left &= MASK_BITS(bits - PAGE_SHIFT + 1);
        }
    }
    while (left != 0) {
        unsigned int i = bit_highest(left);
        const struct zone *z = &zones[i];
        bool dirty = !want_clean;

        if ((z->filled[dirty] & enough) == 0) {
            dirty = !dirty;
        }
        if ((z->filled[dirty] & enough) != 0) {
            unsigned int found = bit_lowest(z->filled[dirty] & enough);

            return &frame_table[z->head[dirty][found]];
        }
        left &= ~BIT(i);
    }
    return NULL;
}

/*
 * A FREE frame becomes its owner's; it keeps FRAME_F_DIRTY until its contents
 * are looked after.
 */
static void frame_hand_out(struct frame *f, uint64_t head, uint64_t links)
{
    uint64_t old = *frame_head(f);

    if (unlikely((old & ~FRAME_HEAD(0, 0, 0, FRAME_F_DIRTY)) !=
                 FRAME_HEAD(0, DOMID_INVALID, FRAME_FREE, 0))) {
        frame_move(f, FRAME_FREE, FRAME_INUSE); /* panics if it is not free */
    }
    *frame_head(f) = head | (old & FRAME_HEAD(0, 0, 0, FRAME_F_DIRTY));
    frame_set_links(f, links);
    frame_forget_use(f);
}

/*
 * Take a block off the lists and make its frames INUSE.  In a chain each
 * frame's links are its neighbours.  Returns NULL or the first frame.
 */
static struct frame *block_take(unsigned int order, bool clean,
                                unsigned int bits, uint64_t head, bool chain,
                                uint64_t *ret_dirty)
{
    uint64_t fn, links = FRAME_LINKS(FRAME_NONE, FRAME_NONE);
    struct frame *f;

    if (order > MAX_ORDER) {
        return NULL;
    }
    spin_lock(&heap_lock);
    f = block_find(order, clean, bits);
    if (f == NULL) {
        spin_unlock(&heap_lock);
        return NULL;
    }
    fn = frame_number(f);
    block_remove(f);
    *ret_dirty = block_split(fn, f->order, f->aux, fn, order);
    totals.free_frames -= BIT(order);
    totals.dirty_frames -= *ret_dirty;
    page_count(fn, BIT(order), false);
    for (uint64_t i = 0; i < BIT(order); i++) {
        if (chain) {
            links = FRAME_LINKS(fn + i + 1, fn + i - 1);
        }
        frame_hand_out(&f[i], head, links);
    }
    spin_unlock(&heap_lock);
    if (chain) {
        f->prev = FRAME_NONE;
        f[BIT(order) - 1].next = FRAME_NONE;
    }
    return f;
}

struct frame *page_alloc(unsigned int order, unsigned int flags,
                         unsigned int bits)
{
    bool clean = (flags & PA_CLEAN) != 0;
    uint64_t dirty;
    struct frame *f =
        block_take(order, clean, bits, FRAME_HEAD(1, DOMID_XEN, FRAME_INUSE, 0),
                   false, &dirty);

    /* Ours alone now: scrub outside the lock. */
    if (f != NULL && (dirty != 0 || LOOKS_AT_CLEAN)) {
        scrub_block(f, order, clean);
    }
    return f;
}

/* frame_take_back() where something is special. */
static bool frame_retire(struct frame *f)
{
    BUG_ON(f->count > 1);
    BUG_ON(f->state != FRAME_INUSE && f->state != FRAME_OFFLINING);
    f->count = 0;
    f->owner = DOMID_INVALID;
    f->flags = (uint8_t)((f->flags & FRAME_F_BROKEN) | FRAME_F_DIRTY);
    if (f->state == FRAME_INUSE && (f->flags & FRAME_F_BROKEN) != 0) {
        frame_move(f, FRAME_INUSE, FRAME_OFFLINING);
    }
    if (f->state == FRAME_OFFLINING) {
        frame_move(f, FRAME_OFFLINING, FRAME_OFFLINED);
        return false;
    }
    frame_move(f, FRAME_INUSE, FRAME_FREE);
    return true;
}

/* Back from use; true if it is FREE now, false if it left service. */
static bool frame_take_back(struct frame *f)
{
    bool is_free = true;

    /* INUSE, not BROKEN, count 0 or 1: nearly always. */
    if (likely((*frame_head(f) & FRAME_HEAD(~1U, 0, 0xff, FRAME_F_BROKEN)) ==
               FRAME_HEAD(0, 0, FRAME_INUSE, 0))) {
        *frame_head(f) =
            FRAME_HEAD(0, DOMID_INVALID, FRAME_FREE, FRAME_F_DIRTY);
    } else {
        is_free = frame_retire(f);
    }
    frame_set_links(f, FRAME_LINKS(FRAME_NONE, FRAME_NONE));
    frame_forget_use(f);
    return is_free;
}

/* With @keeps those that are clean and not used yet are clean still. */
static ALWAYS_INLINE void give_back(struct frame *f, unsigned int order,
                                    bool keeps)
{
    uint64_t fn = frame_number(f), kept = 0, clean = 0;

    spin_lock(&heap_lock);
    for (uint64_t i = 0; i < BIT(order); i++) {
        bool is_clean = keeps && (f[i].flags & FRAME_F_DIRTY) == 0;
        bool is_free = frame_take_back(&f[i]);

        kept += is_free;
        if (is_clean && is_free) {
            f[i].flags &= (uint8_t)~FRAME_F_DIRTY;
            clean++;
        }
    }
    totals.free_frames += kept;
    totals.dirty_frames += kept - clean;
    if (kept == BIT(order)) {
        page_count(fn, kept, true);
        block_free(fn, order, kept - clean);
    } else {
        for (uint64_t i = 0; i < BIT(order); i++) {
            if (f[i].state == FRAME_FREE) {
                page_count(fn + i, 1, true);
                block_free(fn + i, 0, (f[i].flags & FRAME_F_DIRTY) != 0);
            }
        }
    }
    spin_unlock(&heap_lock);
}

void page_free(struct frame *f, unsigned int order)
{
    give_back(f, order, false);
}

/* A block with dirty frames, in a chain; part clean a large one could not be put
 * together again. */
static NOINLINE struct frame *clean_or_stop(struct frame *f, unsigned int order)
{
    if (order > MIXED_ORDER) {
        scrub_block(f, order, true);
    } else if (!scrub_block_or_stop(f, order)) {
        give_back(f, order, true);
        return PAGE_ALLOC_STOPPED;
    }
    return f;
}

struct frame *page_alloc_chain(unsigned int order, unsigned int bits)
{
    uint64_t dirty;
    struct frame *f =
        block_take(order, true, bits & ~PA_STOPS,
                   FRAME_HEAD(1, DOMID_XEN, FRAME_INUSE, 0), true, &dirty);

    if (f != NULL && (dirty != 0 || LOOKS_AT_CLEAN)) { /* INV-MM-5 */
        if (unlikely((bits & PA_STOPS) != 0)) {
            return clean_or_stop(f, order);
        }
        scrub_block(f, order, true);
    }
    return f;
}

/* Hand RESERVED frames [fn, end) to the lists. */
static void range_add(uint64_t fn, uint64_t end)
{
    spin_lock(&heap_lock);
    for (uint64_t i = fn; i < end; i++) {
        frame_move(&frame_table[i], FRAME_RESERVED, FRAME_FREE);
        frame_table[i].flags |= FRAME_F_DIRTY;
    }
    totals.free_frames += end - fn;
    totals.dirty_frames += end - fn;
    page_count(fn, end - fn, true);
    while (fn < end) {
        unsigned int order = order_of_piece(fn, end - fn);

        block_free(fn, order, BIT(order));
        fn += BIT(order);
    }
    spin_unlock(&heap_lock);
}

void page_alloc_add(mfn_t start, uint64_t count)
{
    uint64_t from = mfn_x(start), end = MIN(from + count, max_frame);

    for (uint64_t fn = from; fn < end; fn++) {
        enum memmap_type type = memmap_type_at(fn << PAGE_SHIFT);

        if (frame_table[fn].state != FRAME_RESERVED ||
            (frame_table[fn].flags & FRAME_F_BROKEN) != 0 ||
            (type != MEMMAP_RAM && type != MEMMAP_KEPT)) {
            if (from < fn) {
                range_add(from, fn);
            }
            from = fn + 1;
        }
    }
    if (from < end) {
        range_add(from, end);
    }
}

INIT_TEXT void page_alloc_init(void)
{
    maddr_t start, end;

    for (unsigned int i = 0; i < ZONES; i++) {
        memset(zones[i].head, 0xff, sizeof(zones[i].head)); /* FRAME_NONE */
    }
    totals.total_frames = memmap_ram_frames();
    for (unsigned int i = 0; boot_alloc_take_rest(i, &start, &end); i++) {
        range_add(start >> PAGE_SHIFT, end >> PAGE_SHIFT);
    }
}

void page_alloc_isolate(struct frame *f)
{
    uint64_t fn = frame_number(f);

    for (unsigned int order = 0; order <= MAX_ORDER; order++) {
        uint64_t block = fn & ~MASK_BITS(order);
        struct frame *b = &frame_table[block];

        if (is_block(b) && fn - block < BIT(b->order)) {
            block_remove(b);
            totals.dirty_frames -= block_split(block, b->order, b->aux, fn, 0);
            totals.free_frames--;
            page_count(fn, 1, false);
            f->next = f->prev = FRAME_NONE;
            return;
        }
    }
    panic("free frame %#lx is on no list", fn);
}

void page_alloc_return_locked(struct frame *f)
{
    frame_move(f, FRAME_OFFLINED, FRAME_FREE);
    f->flags |= FRAME_F_DIRTY;
    totals.free_frames++;
    totals.dirty_frames++;
    page_count(frame_number(f), 1, true);
    block_free(frame_number(f), 0, 1);
}

/* A block with dirty frames: where we stopped, or any; NULL if none. */
static struct frame *dirty_block(void)
{
    struct frame *f = &frame_table[scrub_at];

    if (scrub_at != 0 && is_block(f) && f->aux != 0) {
        if (scrub_offset >= BIT(f->order)) {
            scrub_offset = 0;
        }
        return f;
    }
    for (unsigned int i = ZONES - 1; i > 0; i--) {
        if (zones[i].filled[true] != 0) {
            unsigned int order = bit_lowest(zones[i].filled[true]);

            scrub_at = zones[i].head[true][order];
            scrub_offset = 0;
            return &frame_table[scrub_at];
        }
    }
    return NULL;
}

/* Only a block that may be mixed is cleaned frame by frame. */
static void cut_to_mixed(struct frame *f)
{
    uint64_t fn = frame_number(f), dirty;

    if (f->order > MIXED_ORDER) {
        block_remove(f);
        dirty = block_split(fn, f->order, f->aux, fn, MIXED_ORDER);
        block_insert(fn, MIXED_ORDER, dirty);
        scrub_offset = 0;
    }
}

bool page_alloc_scrub_some(unsigned int frames)
{
    unsigned int looked = 0;
    struct frame *f;
    uint64_t cleaned = 0;
    bool more;

    spin_lock(&heap_lock);
    f = totals.dirty_frames != 0 ? dirty_block() : NULL;
    if (f != NULL) {
        cut_to_mixed(f);
    }
    while (f != NULL && cleaned < frames && cleaned < f->aux &&
           scrub_offset < BIT(f->order) && looked++ < RECORDS_PER_SCRUB) {
        struct frame *g = &f[scrub_offset++];

        if ((g->flags & FRAME_F_DIRTY) != 0) {
            scrub_page(frame_mfn(g));
            g->flags &= (uint8_t)~FRAME_F_DIRTY;
            cleaned++;
        }
    }
    if (cleaned != 0) {
        block_remove(f);
        block_free(frame_number(f), f->order, f->aux - cleaned);
        totals.dirty_frames -= cleaned;
    }
    more = totals.dirty_frames != 0;
    spin_unlock(&heap_lock);
    return more;
}

bool page_alloc_is_up(void)
{
    return totals.total_frames != 0;
}

void page_alloc_stats(struct page_alloc_stats *ret_stats)
{
    spin_lock(&heap_lock);
    *ret_stats = totals;
    spin_unlock(&heap_lock);
}
