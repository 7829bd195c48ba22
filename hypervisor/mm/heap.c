/* SPDX-License-Identifier: MIT */
/*
 * mm/heap.c - small objects of the hypervisor.
 *
 * Objects up to LARGEST bytes come from slabs: one page, a header, then slots
 * of one size.  Bigger ones are whole pages; their order is kept in the frame
 * record.  A slab object is never page aligned (the header is there), a big
 * one always is: that is how heap_free() tells them apart.
 *
 * Debug builds put a canary right after the object and fill free slots with a
 * pattern, both checked, so an overrun or a use after free names its slab.
 */
#include "mm/heap.h"

#include "lib/assert.h"
#include "lib/bits.h"
#include "lib/list.h"
#include "lib/string.h"
#include "x86/atomic.h"
#include "sync/spinlock.h"
#include "mm/directmap.h"
#include "mm/page_alloc.h"

#define SLAB_MAGIC    0x42414c53u /* "SLAB" */
#define FREE_PATTERN  0x6b
#define CANARY        0xa5c3e1f00f1e3c5aUL
#define BIG_MAX_ORDER 10

#ifdef VIGIL_DEBUG
#define TAIL_BYTES 16u /* size asked for, canary */
#else
#define TAIL_BYTES 0u
#endif

static const uint16_t slot_bytes[] = {16,  32,  48,  64,  96,   128,  192,
                                      256, 384, 512, 768, 1008, 1344, 2016};
#define CLASSES ARRAY_SIZE(slot_bytes)
#define LARGEST (slot_bytes[CLASSES - 1] - TAIL_BYTES)

struct slab {
    uint32_t magic;
    uint16_t class;
    uint16_t used;    /* slots handed out                       */
    struct list link; /* in partial[class] while a slot is free */
    void *free;       /* first free slot; each points at the next */
};

#define HEADER_BYTES ALIGN_UP(sizeof(struct slab), 16)
STATIC_ASSERT(HEADER_BYTES + 2 * 2016 <= PAGE_SIZE, "two largest slots fit");

static SPINLOCK(pool_lock, LOCK_RANK_POOL, IRQ_ANY);
static struct list partial[CLASSES];     /* P; next NULL until first used */
static uint64_t in_use[CLASSES];         /* P: slots handed out           */
static uint64_t slab_frames;             /* P                             */
static uint64_t big_objects, big_frames; /* a                         */

static unsigned int class_of(size_t bytes)
{
    unsigned int class = 0;

    while (slot_bytes[class] < bytes) {
        class ++;
    }
    return class;
}

static unsigned int slots_in(unsigned int class)
{
    return (unsigned int)((PAGE_SIZE - HEADER_BYTES) / slot_bytes[class]);
}

static struct list *partial_list(unsigned int class)
{
    if (partial[class].next == NULL) {
        list_init(&partial[class]);
    }
    return &partial[class];
}

#ifdef VIGIL_DEBUG
static void slot_fill_free(void *slot, unsigned int class)
{
    memset((uint8_t *)slot + sizeof(void *), FREE_PATTERN,
           slot_bytes[class] - sizeof(void *));
}

static void slot_check_free(const void *slot, unsigned int class)
{
    const uint8_t *byte = slot;

    for (size_t i = sizeof(void *); i < slot_bytes[class]; i++) {
        if (byte[i] != FREE_PATTERN) {
            panic("heap: free object %p of %u bytes was written at +%zu", slot,
                  slot_bytes[class], i);
        }
    }
}

static void slot_set_canary(void *slot, unsigned int class, size_t bytes)
{
    uint64_t size = bytes, canary = CANARY;
    uint8_t *end = (uint8_t *)slot + slot_bytes[class];

    /* The size is at the end of the slot, the canary right behind the object,
     * which need not be aligned. */
    memcpy(end - sizeof(size), &size, sizeof(size));
    memcpy((uint8_t *)slot + bytes, &canary, sizeof(canary));
}

static void slot_check_canary(const void *slot, unsigned int class)
{
    const uint8_t *end = (const uint8_t *)slot + slot_bytes[class];
    uint64_t size, canary = CANARY;

    memcpy(&size, end - sizeof(size), sizeof(size));
    if (size > slot_bytes[class] - TAIL_BYTES ||
        memcmp((const uint8_t *)slot + size, &canary, sizeof(canary)) != 0) {
        panic("heap: object %p of %lu bytes was overrun", slot, size);
    }
}
#else
static void slot_fill_free(void *slot, unsigned int class)
{
    (void)slot;
    (void)class;
}

static void slot_check_free(const void *slot, unsigned int class)
{
    (void)slot;
    (void)class;
}

static void slot_set_canary(void *slot, unsigned int class, size_t bytes)
{
    (void)slot;
    (void)class;
    (void)bytes;
}

static void slot_check_canary(const void *slot, unsigned int class)
{
    (void)slot;
    (void)class;
}
#endif

static void slab_init(struct slab *s, unsigned int class)
{
    uint8_t *slot = (uint8_t *)s + HEADER_BYTES;

    s->magic = SLAB_MAGIC;
    s->class = (uint16_t) class;
    s->used = 0;
    s->free = NULL;
    for (unsigned int i = 0; i < slots_in(class); i++) {
        slot_fill_free(slot, class);
        memcpy(slot, &s->free, sizeof(s->free));
        s->free = slot;
        slot += slot_bytes[class];
    }
}

static void *big_alloc(size_t bytes)
{
    unsigned int order = order_of_count(DIV_ROUND_UP(bytes, PAGE_SIZE));
    struct frame *f;

    if (order > BIG_MAX_ORDER) {
        return NULL;
    }
    f = page_alloc(order, PA_CLEAN, PA_ANY_BITS);
    if (f == NULL) {
        return NULL;
    }
    f->order = order;
    (void)atomic_add(&big_objects, 1UL);
    (void)atomic_add(&big_frames, 1UL << order);
    return mfn_to_ptr(frame_mfn(f));
}

void *heap_alloc(size_t bytes)
{
    unsigned int class;
    struct slab *s;
    void *slot;

    if (bytes > LARGEST) {
        return big_alloc(bytes);
    }
    class = class_of(bytes + TAIL_BYTES);
    spin_lock(&pool_lock);
    if (list_empty(partial_list(class))) {
        /* The page allocator's lock ranks lower: not while holding ours. */
        spin_unlock(&pool_lock);
        s = hv_page_alloc();
        if (s == NULL) {
            return NULL;
        }
        slab_init(s, class);
        spin_lock(&pool_lock);
        list_add(partial_list(class), &s->link);
        slab_frames++;
    }
    s = list_first(&partial[class], struct slab, link);
    slot = s->free;
    memcpy(&s->free, slot, sizeof(s->free));
    s->used++;
    in_use[class]++;
    if (s->free == NULL) {
        list_del(&s->link);
    }
    spin_unlock(&pool_lock);

    slot_check_free(slot, class);
    memset(slot, 0, slot_bytes[class]);
    slot_set_canary(slot, class, bytes);
    return slot;
}

void heap_free(void *p)
{
    struct slab *s = (struct slab *)(void *)((uint64_t)p & PAGE_MASK);
    unsigned int class;
    bool is_empty;

    if (p == NULL) {
        return;
    }
    if (IS_ALIGNED((uint64_t)p, PAGE_SIZE)) {
        struct frame *f = frame_of(ptr_to_mfn(p));

        (void)atomic_sub(&big_objects, 1UL);
        (void)atomic_sub(&big_frames, 1UL << f->order);
        page_free(f, f->order);
        return;
    }
    BUG_ON(s->magic != SLAB_MAGIC || s->class >= CLASSES);
    class = s->class;
    BUG_ON(((uint64_t)p - (uint64_t)s - HEADER_BYTES) % slot_bytes[class] != 0);
    slot_check_canary(p, class);
    slot_fill_free(p, class);

    spin_lock(&pool_lock);
    if (s->free == NULL) {
        list_add(partial_list(class), &s->link);
    }
    memcpy(p, &s->free, sizeof(s->free));
    s->free = p;
    s->used--;
    in_use[class]--;
    /* Keep one empty slab per class; a second one goes back. */
    is_empty = s->used == 0 && partial[class].next != partial[class].prev;
    if (is_empty) {
        list_del(&s->link);
        s->magic = 0;
        slab_frames--;
    }
    spin_unlock(&pool_lock);
    if (is_empty) {
        hv_page_free(s);
    }
}

void heap_get_stats(struct heap_stats *ret_stats)
{
    struct heap_stats s = {0};

    spin_lock(&pool_lock);
    for (unsigned int i = 0; i < CLASSES; i++) {
        s.objects += in_use[i];
        s.bytes += in_use[i] * slot_bytes[i];
    }
    s.frames = slab_frames;
    spin_unlock(&pool_lock);
    s.objects += READ_ONCE(big_objects);
    s.bytes += READ_ONCE(big_frames) * PAGE_SIZE;
    s.frames += READ_ONCE(big_frames);
    *ret_stats = s;
}
