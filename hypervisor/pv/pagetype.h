/* SPDX-License-Identifier: MIT */
/*
 * pv/pagetype.h - how a guest uses a frame now: the PV safety argument.
 *
 * Every frame has one type at a time and counts the places that use it so.
 * INV-PV-1: a frame is never writable by a guest and a page table at once.
 * INV-PV-2: a type count never exceeds the reference count: whoever takes a
 * type holds a reference (frame_get()) first and keeps it until after
 * pagetype_put().
 *
 *   count 0 --get(WRITABLE)--------------------------> count 1, valid for good
 *   count 0 --get(L1..L4, SEGDESC): every entry taken-> count 1, valid
 *   count n --get(same type)-------------------------> count n + 1
 *   count n --get(another type)----------------------> -EBUSY
 *   count 1 --put: every entry dropped---------------> count 0
 *
 * While entries are taken or dropped, one CPU is at work: TYPE_BUSY, not VALID.
 *
 * A frame that was writable stays VALID as that with count 0: there is nothing
 * to check when it is mapped again.  As anything else VALID implies a count.
 *
 * Who holds what: a present entry of level n > 1 holds a reference and the
 * type L(n-1) of the table it points at; a present L1 entry holds a reference
 * of the frame and, if writable, the type WRITABLE, whoever installed it; a
 * pin and each base pointer hold a reference and a type.  Levels only ever
 * point downwards (no table may point at its own level), so the type counts
 * form no circle and dropping pins and bases drops everything.
 *
 * frame.type: count 0-31, type 32-34, flags 35-38.  While PARTIAL is set,
 * frame.aux says how many leading entries of the table are taken, the table
 * is not valid, and the state itself holds one reference.  It arises when a
 * walk is interrupted: after get the getter holds nothing and asks again;
 * after put the putter still holds everything and asks again.  Anyone's get
 * carries such a walk on, or undoes it if another type is wanted.
 *
 * Several CPUs (docs/adr/0022): the word changes by compare-and-swap only, and
 * there is no lock.  BUSY means that a CPU is at work on the frame: it takes or
 * drops entries, fixes descriptors, or has other CPUs forget how the frame was
 * mapped.  It alone writes frame.aux and, while a table is not VALID, the
 * table.  What others do meanwhile:
 *
 *   get, same type      wait, or stop if they may      (then all is decided)
 *   get, another type   -EBUSY; with count 0 (an interrupted walk is undone)
 *                       wait
 *   put                 never waits: with a count of another's there is not
 *                       the last one to drop, with none nobody else is BUSY
 *
 * So whoever works on a table waits only for tables of the level below it, or,
 * to map a frame, for somebody who drops or flushes and waits for nobody.
 * Nobody waits in a circle.  Waiting is done with interrupts on: what is waited
 * for may be a flush that this CPU is to acknowledge.  Never NMI/#MC.
 *
 * An entry of a VALID table changes by compare-and-swap, and whoever changes it
 * holds the table by a type count: what was replaced is dropped by who replaced
 * it (pv/mmu_update.c).
 */
#ifndef VIGIL_PV_PAGETYPE_H
#define VIGIL_PV_PAGETYPE_H

#include "lib/bits.h"
#include "mm/frame.h"

struct domain;

enum pagetype {
    PAGETYPE_NONE,
    PAGETYPE_L1,
    PAGETYPE_L2,
    PAGETYPE_L3,
    PAGETYPE_L4,
    PAGETYPE_SEGDESC,
    PAGETYPE_WRITABLE,
};

#define TYPE_COUNT_MASK 0xffffffffUL
#define TYPE_SHIFT      32
#define TYPE_MASK       (7UL << TYPE_SHIFT)
#define TYPE_VALID      (1UL << 35)
#define TYPE_PINNED     (1UL << 36)
#define TYPE_PARTIAL    (1UL << 37)
#define TYPE_BUSY       (1UL << 38)

/* The type a frame has; with count 0 the last one it had. */
static inline enum pagetype pagetype_of(const struct frame *f)
{
    return (enum pagetype)((READ_ONCE(f->type) & TYPE_MASK) >> TYPE_SHIFT);
}

static inline uint32_t pagetype_count(const struct frame *f)
{
    return (uint32_t)(READ_ONCE(f->type) & TYPE_COUNT_MASK);
}

static inline bool pagetype_is_pinned(const struct frame *f)
{
    return (READ_ONCE(f->type) & TYPE_PINNED) != 0;
}

/* A valid table of this level (or descriptor page) right now? */
static inline bool pagetype_is(const struct frame *f, enum pagetype type)
{
    return (READ_ONCE(f->type) & (TYPE_MASK | TYPE_VALID)) ==
           ((uint64_t)type << TYPE_SHIFT | TYPE_VALID);
}

/* Valid as @type, and the count nowhere near its end: then all 0. */
static inline uint64_t pagetype_differs(uint64_t word, enum pagetype type)
{
    const uint64_t want = (uint64_t)type << TYPE_SHIFT | TYPE_VALID;

    return (word ^ want) & (TYPE_MASK | TYPE_VALID | 1UL << 31);
}

/* Level 1..4 of a page-table type, 0 for the others. */
static inline unsigned int pagetype_level(enum pagetype type)
{
    return type >= PAGETYPE_L1 && type <= PAGETYPE_L4 ? (unsigned int)type : 0;
}

/**
 * pagetype_get_slow() - pagetype_get() where it is not one use more
 * @f:           frame
 * @type:        L1..L4, SEGDESC or WRITABLE
 * @should_stop: as pagetype_get()
 *
 * Context: any but NMI/#MC.
 * Return:  as pagetype_get()
 */
int pagetype_get_slow(struct frame *f, enum pagetype type,
                      bool (*should_stop)(void)) MUST_CHECK;

/* pagetype_get() of a frame that is valid as that; false says nothing. */
static inline MUST_CHECK bool pagetype_get_usual(struct frame *f,
                                                 enum pagetype type)
{
    uint64_t x = READ_ONCE(f->type);

    return likely(pagetype_differs(x, type) == 0) &&
           likely(atomic_cas(&f->type, x, x + 1));
}

/* The same, whatever others do at this moment: false: it is not valid. */
static inline MUST_CHECK bool pagetype_get_valid(struct frame *f,
                                                 enum pagetype type)
{
    uint64_t x;

    do {
        x = READ_ONCE(f->type);
        if (unlikely(pagetype_differs(x, type) != 0)) {
            return false;
        }
    } while (unlikely(!atomic_cas(&f->type, x, x + 1)));
    return true;
}

/**
 * pagetype_get() - use a frame as this type once more
 * @f:           frame; the caller holds a reference and keeps it
 * @type:        L1..L4, SEGDESC or WRITABLE
 * @should_stop: asked between tables of a long walk; NULL: never stop
 *
 * Context: any but NMI/#MC.
 * Return:  0; -EBUSY in use as another type; -EINVAL contents or frame not
 *          fit for the type; -EPERM an entry maps what the domain may not;
 *          -ERESTART stopped, nothing taken, call again
 */
static inline MUST_CHECK int pagetype_get(struct frame *f, enum pagetype type,
                                          bool (*should_stop)(void))
{
    return pagetype_get_usual(f, type)
               ? 0
               : pagetype_get_slow(f, type, should_stop);
}

/**
 * pagetype_put_slow() - pagetype_put() where the last use may go
 * @f:           frame
 * @should_stop: as pagetype_get()
 *
 * Context: any but NMI/#MC.
 * Return:  as pagetype_put()
 */
int pagetype_put_slow(struct frame *f, bool (*should_stop)(void)) MUST_CHECK;

/**
 * pagetype_put() - one use less
 * @f:           frame; the caller holds one count of its type
 * @should_stop: as pagetype_get()
 *
 * Context: any but NMI/#MC.
 * Return:  0; -ERESTART (only with @should_stop) stopped: the count is still
 *          the caller's, call again
 */
static inline MUST_CHECK int pagetype_put(struct frame *f,
                                          bool (*should_stop)(void))
{
    uint64_t x = READ_ONCE(f->type);

    return likely((uint32_t)x > 1) && likely(atomic_cas(&f->type, x, x - 1))
               ? 0
               : pagetype_put_slow(f, should_stop);
}

/**
 * pagetype_put_all() - pagetype_put() to the end
 * @f: frame; the caller holds one count of its type
 *
 * Context: any but NMI/#MC.
 */
static inline void pagetype_put_all(struct frame *f)
{
    int rc = pagetype_put(f, NULL);

    BUG_ON(rc != 0);
}

/**
 * pagetype_put_writable() - pagetype_put_all() of a frame held as WRITABLE
 * @f: frame; the caller holds one count of that type
 *
 * Context: any but NMI/#MC.
 */
static inline void pagetype_put_writable(struct frame *f)
{
    bool low;

    ASSERT(pagetype_of(f) == PAGETYPE_WRITABLE);
    /* The count is the low half of the word. */
    (void)atomic_count_down((uint32_t *)(void *)&f->type, &low);
    BUG_ON(low); /* INV-PV-2 */
}

/**
 * pagetype_get_page() - reference and type in one
 * @m:           frame number, any value
 * @owner:       domid that must own it
 * @type:        as pagetype_get()
 * @should_stop: as pagetype_get()
 * @ret_frame:   its record, set when 0 is returned; may be NULL
 *
 * Undo with pagetype_put_page().
 * Context: any but NMI/#MC.
 * Return:  as pagetype_get(); -EINVAL also: no such frame, not @owner's
 */
int pagetype_get_page(mfn_t m, domid_t owner, enum pagetype type,
                      bool (*should_stop)(void), struct frame **ret_frame)
    MUST_CHECK;

/**
 * pagetype_put_page() - drop type and reference, to the end
 * @f: frame from pagetype_get_page()
 *
 * Context: any but NMI/#MC.
 */
void pagetype_put_page(struct frame *f);

/**
 * pagetype_get_ref() - keep a frame of a domain, for reading or writing it
 * @f:        frame record
 * @owner:    domid that must own it
 * @writable: take the type WRITABLE too
 *
 * What a grant, an event-channel page or a vcpu_info page holds.
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL not @owner's; -EBUSY it is a page table or descriptors
 */
int pagetype_get_ref(struct frame *f, domid_t owner, bool writable) MUST_CHECK;

/**
 * pagetype_put_ref() - undo pagetype_get_ref()
 * @f:        frame record
 * @writable: as it was taken
 *
 * Context: any but NMI/#MC.
 */
void pagetype_put_ref(struct frame *f, bool writable);

/**
 * pagetype_pin() - keep a table valid until it is unpinned
 * @m:           frame number, any value
 * @owner:       domid that must own it
 * @type:        L1..L4
 * @should_stop: as pagetype_get()
 * @ret_frame:   NULL; or, pinned already, a frame of which the caller owes one
 *               pagetype_put() and one account_put(): mostly not the last ones
 *
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL pinned already, or as pagetype_get(); -EBUSY; -EPERM;
 *          -ERESTART
 */
int pagetype_pin(mfn_t m, domid_t owner, enum pagetype type,
                 bool (*should_stop)(void), struct frame **ret_frame)
    MUST_CHECK;

/**
 * pagetype_unpin() - take the pin off; the caller gets what it held
 * @f: frame the caller holds a reference on
 *
 * On success the caller owes one pagetype_put() and one account_put() more.
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL not pinned
 */
int pagetype_unpin(struct frame *f) MUST_CHECK;

/**
 * pagetype_repin() - the pin holds again what pagetype_unpin() gave
 * @f: frame that was unpinned; its put was interrupted
 *
 * Context: any but NMI/#MC.
 */
void pagetype_repin(struct frame *f);

/**
 * pagetype_abandon() - undo an interrupted walk nobody will finish
 * @f:           frame the caller holds a reference on
 * @should_stop: as pagetype_get()
 *
 * Context: any but NMI/#MC.
 * Return:  0 (also when there is none); -ERESTART call again
 */
int pagetype_abandon(struct frame *f, bool (*should_stop)(void)) MUST_CHECK;

/**
 * pagetype_steal_check() - may this frame leave its owner?
 * @f:    frame
 * @held: references the caller itself holds
 *
 * Context: any but NMI/#MC.
 * Return:  true: only the allocation and the caller hold it, no type in use
 */
bool pagetype_steal_check(const struct frame *f, uint32_t held);

#endif
