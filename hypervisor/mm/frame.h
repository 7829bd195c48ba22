/* SPDX-License-Identifier: MIT */
/*
 * mm/frame.h - one record for each machine frame.
 *
 * Who uses it: mm/ for the state and the lists; domain/account.c for the
 * owner; pv/pagetype.c for the type word.  32 bytes, found by frame number.
 *
 *  RESERVED -> FREE --alloc--> INUSE --last put--> FREE (dirty)
 *                |               |
 *             OFFLINED <------ OFFLINING        (mm/frame_state.c is the table)
 *
 * INV-MM-3: count is zero exactly when RESERVED, FREE or OFFLINED.
 *
 * Several CPUs at once: count, owner, state and flags are one word.  While the
 * count is not 0 anybody may change the count by compare-and-swap, so the
 * others change their part by locked operations only (frame_move(),
 * frame_flags_set(), frame_take_last()).  A count of 0 never rises again but
 * by the heap, which owns such a frame and writes the word as a whole.
 */
#ifndef VIGIL_MM_FRAME_H
#define VIGIL_MM_FRAME_H

#include "lib/assert.h"
#include "lib/compiler.h"
#include "lib/frames.h"
#include "lib/xen_abi.h"
#include "x86/atomic.h"
#include "x86/layout.h"
#include "x86/nospec.h"

enum frame_state {
    FRAME_RESERVED, /* not RAM, firmware's, or the hypervisor image     */
    FRAME_FREE,     /* on a free list                                   */
    FRAME_INUSE,    /* count > 0                                        */
    FRAME_OFFLINING,
    FRAME_OFFLINED,
};

/* frame.flags */
#define FRAME_F_DIRTY     0x01 /* FREE only: contents are not known zero    */
#define FRAME_F_BROKEN    0x02 /* hardware says bad; never cleared          */
#define FRAME_F_ALLOCATED 0x04 /* owner's own reference is still held       */
#define FRAME_F_HV_SHARED                                                      \
    0x08                    /* hypervisor page a domain may map (shared
                                  info, grant table): not in its tally      */
#define FRAME_F_LISTED 0x10 /* on its owner's page list                  */
#define FRAME_F_HEAD   0x20 /* FREE only: first frame of a buddy block   */

#define FRAME_NONE 0xffffffffu /* no frame, in next/prev */

/*
 * Legend:  a  atomic         H  heap lock          D  lock of the owner
 *          B  whoever set TYPE_BUSY in type, or owns a frame that is FREE
 */
struct frame {
    uint32_t next, prev; /* frame numbers: free list (H), owner's list (D) */
    uint32_t count;      /* a: references                                  */
    domid_t owner;       /* a: DOMID_INVALID when nobody's                 */
    uint8_t state;       /* a, H to change: frame_move() only              */
    uint8_t flags;       /* a; LISTED and ALLOCATED D, the others H        */
    uint64_t type;       /* a: pv/pagetype.c                               */
    uint32_t order;      /* H: FREE head: order of the block               */
    uint32_t aux;        /* B: pv/pagetype.c: progress of a preempted walk */
};

_Static_assert(sizeof(struct frame) == 32 &&
                   __builtin_offsetof(struct frame, count) == 8 &&
                   __builtin_offsetof(struct frame, owner) == 12 &&
                   __builtin_offsetof(struct frame, state) == 14 &&
                   __builtin_offsetof(struct frame, flags) == 15 &&
                   __builtin_offsetof(struct frame, order) == 24,
               "struct frame");

/*
 * count, owner, state and flags as one word, for those who check or set all
 * of them at once.  The whole record is four such words.
 */
#define FRAME_HEAD(count, owner, state, flags)                                 \
    ((uint64_t)(count) | (uint64_t)(owner) << 32 | (uint64_t)(state) << 48 |   \
     (uint64_t)(flags) << 56)

typedef uint64_t __attribute__((may_alias)) frame_word_t;

static inline frame_word_t *frame_head(struct frame *f)
{
    return (frame_word_t *)(void *)&f->count;
}

/* Bits of flags: others may change other bits at the same moment. */
static inline void frame_flags_set(struct frame *f, uint8_t bits)
{
    (void)atomic_or(&f->flags, bits);
}

static inline void frame_flags_clear(struct frame *f, uint8_t bits)
{
    (void)atomic_and(&f->flags, (uint8_t)~bits);
}

/* Both list links as one word. */
#define FRAME_LINKS(next, prev)                                                \
    ((uint64_t)(uint32_t)(next) | (uint64_t)(uint32_t)(prev) << 32)

static inline void frame_set_links(struct frame *f, uint64_t links)
{
    *(frame_word_t *)(void *)&f->next = links;
}

/* Nothing of the last use: type, order and aux. */
static inline void frame_forget_use(struct frame *f)
{
    f->type = 0;
    *(frame_word_t *)(void *)&f->order = 0;
}

#define frame_table ((struct frame *)FRAMETABLE_VA)

extern uint64_t max_frame; /* frames described by the table               */

/* A frame number the table describes (RAM or a hole below the top of RAM). */
static inline bool mfn_valid(mfn_t m)
{
    return mfn_x(m) < max_frame;
}

/* The record of @m, which must be mfn_valid(). */
static inline struct frame *frame_of(mfn_t m)
{
    return &frame_table[index_nospec(mfn_x(m), max_frame)];
}

static inline mfn_t frame_mfn(const struct frame *f)
{
    return mfn((uint64_t)(f - frame_table));
}

/*
 * INUSE, of this owner, the count neither 0 nor near its end: then all 0.  A
 * count of 0, which is about to be freed, becomes a huge one here.
 */
static inline uint64_t frame_head_differs(uint64_t head, domid_t owner)
{
    return ((head - 1) ^ FRAME_HEAD(0, owner, FRAME_INUSE, 0)) &
           FRAME_HEAD(1U << 31, 0xffff, 0xff, 0);
}

/**
 * frame_get_slow() - frame_get() for the rare cases
 * @f:     frame record
 * @owner: domid that must own it
 *
 * Context: any but NMI/#MC.
 * Return:  as frame_get()
 */
bool frame_get_slow(struct frame *f, domid_t owner) MUST_CHECK;

/* frame_get() for the usual case only: false says nothing. */
static inline MUST_CHECK bool frame_get_usual(struct frame *f, domid_t owner)
{
    uint64_t head = READ_ONCE(*frame_head(f));

    return likely(frame_head_differs(head, owner) == 0) &&
           likely(atomic_cas(frame_head(f), head, head + 1));
}

/**
 * frame_get() - take a reference if the frame belongs to @owner
 * @f:     frame record
 * @owner: domid that must own it
 *
 * Context: any but NMI/#MC.
 * Return:  true with one more reference; false: not INUSE/OFFLINING, another
 *          owner, or the count would overflow
 */
static inline MUST_CHECK bool frame_get(struct frame *f, domid_t owner)
{
    return frame_get_usual(f, owner) || frame_get_slow(f, owner);
}

/**
 * frame_get_held() - take one more reference on a frame already referenced
 * @f: frame record; the caller holds a reference
 *
 * Context: any but NMI/#MC.
 * Return:  true; false when the count would overflow (nothing taken)
 */
bool frame_get_held(struct frame *f) MUST_CHECK;

/**
 * frame_put() - drop a reference
 * @f: frame record
 *
 * Most code wants account_put() (domain/account.h), which also settles the
 * owner's tally and frees the frame.
 *
 * Context: any but NMI/#MC.
 * Return:  true when that was the last reference; the caller must free it
 */
static inline MUST_CHECK bool frame_put(struct frame *f)
{
    bool low, last = atomic_count_down(&f->count, &low);

    BUG_ON(low); /* would hand a frame out twice */
    return last;
}

/**
 * frame_take_last() - the only reference becomes the caller's, the owner none
 * @f:     frame record
 * @owner: domid that must own it
 * @flags: FRAME_F_* it must have; they go
 * @count: what the count becomes: 1 or 0
 *
 * At one moment: nobody gets a reference in between, nor later.
 *
 * Context: any but NMI/#MC.
 * Return:  true; false: another owner, other references, not those flags
 */
bool frame_take_last(struct frame *f, domid_t owner, uint8_t flags,
                     uint32_t count) MUST_CHECK;

/**
 * frame_table_init() - create the table for frames 0 .. @frames - 1
 * @frames: number of frames to describe; backing memory from boot_alloc
 *
 * Every frame starts RESERVED with no owner.
 * Context: boot, once.
 */
void frame_table_init(uint64_t frames);

#endif
