/* SPDX-License-Identifier: MIT */
/*
 * pv/pagetype.c - types and type counts of frames (pagetype.h).
 *
 * The type word changes by compare-and-swap throughout, so that the counts
 * of frames shared between domains stay right whatever comes in between.
 */
#include "pv/pagetype.h"

#include "lib/assert.h"
#include "lib/errno.h"
#include "x86/atomic.h"
#include "x86/irqflags.h"
#include "mm/directmap.h"
#include "domain/account.h"
#include "domain/domain.h"
#include "domain/tlb_owed.h"
#include "pv/descriptor.h"
#include "pv/pt_validate.h"

static inline uint64_t type_bits(enum pagetype type)
{
    return (uint64_t)type << TYPE_SHIFT;
}

static inline uint32_t count_of(uint64_t x)
{
    return (uint32_t)(x & TYPE_COUNT_MASK);
}

/* Change some bits of the word, whatever the others do meanwhile. */
static void word_change(struct frame *f, uint64_t clear, uint64_t set)
{
    uint64_t x;

    do {
        x = READ_ONCE(f->type);
    } while (!atomic_cas(&f->type, x, (x & ~clear) | set));
}

/*
 * While another CPU is at work on the frame and its word is still @x, for which
 * waiting was right.  Once it is another, that work may be one that waits for
 * us: of a table we are about to check, with this very frame below it.
 *
 * Nobody waits in a circle: waited for is either the same type, one level below
 * what the waiter is at work on, or a walk undone, which waits for nothing.
 */
static int wait_for_other(const struct frame *f, uint64_t x,
                          bool (*should_stop)(void))
{
    while (READ_ONCE(f->type) == x) {
        if (should_stop && should_stop()) {
            return -ERESTART;
        }
        cpu_relax();
    }
    return 0;
}

/* ---- the frame is BUSY, by us, to the end of this part ---- */

/* An interrupted walk begins to hold the frame by itself. */
static bool partial_begin(struct frame *f)
{
    if (READ_ONCE(f->type) & TYPE_PARTIAL) {
        return true;
    }
    if (!frame_get_held(f)) {
        return false;
    }
    word_change(f, 0, TYPE_PARTIAL);
    return true;
}

/* No walk is left over any more.  The caller holds a reference. */
static void partial_end(struct frame *f)
{
    f->aux = 0;
    if (READ_ONCE(f->type) & TYPE_PARTIAL) {
        word_change(f, TYPE_PARTIAL, 0);
        account_put(f);
    }
}

/* Drop the entries taken so far; leaves type and count alone. */
static int walk_down(struct frame *f, unsigned int level,
                     bool (*should_stop)(void))
{
    int rc = pt_devalidate(f, level, should_stop);

    if (rc == -ERESTART) {
        if (partial_begin(f)) {
            return rc;
        }
        /* No reference to spare for an unfinished walk: finish it. */
        rc = pt_devalidate(f, level, NULL);
        BUG_ON(rc != 0);
    }
    partial_end(f);
    return 0;
}

/*
 * Take the entries not taken yet; then the table is valid.  Our count is in
 * already: an entry that leads back to the table itself (to map it writable, or
 * as another level) must find it in use.  It goes if this fails.  Others may
 * look at the frame when this is done.
 */
static int walk_up(struct frame *f, unsigned int level,
                   bool (*should_stop)(void))
{
    uint64_t x;
    int rc = pt_validate(f, level, should_stop);

    if (rc == 0) {
        partial_end(f);
        word_change(f, TYPE_BUSY, TYPE_VALID);
        return 0;
    }
    if (rc == -ERESTART && !partial_begin(f)) {
        rc = -EINVAL;
    }
    /*
     * Not fit: undo.  What is left when this is interrupted too stays PARTIAL
     * and is undone by whoever wants the frame next.
     */
    if (rc != -ERESTART && walk_down(f, level, should_stop) == -ERESTART) {
        ASSERT(READ_ONCE(f->type) & TYPE_PARTIAL);
    }
    do {
        x = READ_ONCE(f->type);
    } while (!atomic_cas(&f->type, x, (x - 1) & ~TYPE_BUSY));
    return rc;
}

/* As it was used last, or as a table, a processor may still know it. */
static void forget_last_use(const struct frame *f, enum pagetype last,
                            enum pagetype now)
{
    if (last != now && last != PAGETYPE_NONE) {
        tlb_pay(domain_peek(f->owner));
    }
}

/* ---- */

/*
 * From count 0 with no walk left over and nobody at work: @x is the word as it
 * is.  It is claimed before the flush: nobody maps it as it was in between.
 */
static int first_use(struct frame *f, uint64_t x, enum pagetype type,
                     bool (*should_stop)(void))
{
    enum pagetype last = (enum pagetype)((x & TYPE_MASK) >> TYPE_SHIFT);
    int rc = 0;

    if (type == PAGETYPE_WRITABLE) {
        if (last == type || last == PAGETYPE_NONE) {
            return atomic_cas(&f->type, x, type_bits(type) | TYPE_VALID | 1)
                       ? 0
                       : -EAGAIN;
        }
    } else if (f->flags & FRAME_F_HV_SHARED) {
        /* Pages the hypervisor writes to by itself can be nothing else. */
        return -EINVAL;
    }
    if (!atomic_cas(&f->type, x, type_bits(type) | TYPE_BUSY | 1)) {
        return -EAGAIN;
    }
    forget_last_use(f, last, type);
    if (pagetype_level(type) != 0) {
        f->aux = 0;
        return walk_up(f, pagetype_level(type), should_stop);
    }
    if (type == PAGETYPE_SEGDESC) {
        rc = descriptor_fix_page(mfn_to_ptr(frame_mfn(f)));
    }
    if (rc == 0) {
        word_change(f, TYPE_BUSY, TYPE_VALID);
    } else {
        word_change(f, TYPE_BUSY | TYPE_COUNT_MASK, 0);
    }
    return rc;
}

int pagetype_get_slow(struct frame *f, enum pagetype type,
                      bool (*should_stop)(void))
{
    uint64_t want = type_bits(type);

    for (;;) {
        uint64_t x = READ_ONCE(f->type);
        int rc;

        if (likely((x & (TYPE_MASK | TYPE_VALID)) == (want | TYPE_VALID))) {
            if (unlikely(count_of(x) == TYPE_COUNT_MASK)) {
                return -EINVAL;
            }
            if (atomic_cas(&f->type, x, x + 1)) {
                return 0;
            }
            continue;
        }
        if ((x & TYPE_MASK) != want && count_of(x) != 0) {
            return -EBUSY;
        }
        if (x & TYPE_BUSY) {
            rc = wait_for_other(f, x, should_stop);
        } else if (!(x & TYPE_PARTIAL)) {
            if (count_of(x) != 0) {
                return -EBUSY;
            }
            rc = first_use(f, x, type, should_stop);
            if (rc != -EAGAIN) {
                return rc;
            }
            continue;
        } else if ((x & TYPE_MASK) != want) {
            rc = pagetype_abandon(f, should_stop);
        } else {
            if (atomic_cas(&f->type, x, (x | TYPE_BUSY) + 1)) {
                return walk_up(f, pagetype_level(type), should_stop);
            }
            continue;
        }
        if (rc) {
            return rc;
        }
    }
}

int pagetype_put_slow(struct frame *f, bool (*should_stop)(void))
{
    for (;;) {
        uint64_t x = READ_ONCE(f->type);
        unsigned int level =
            pagetype_level((enum pagetype)((x & TYPE_MASK) >> TYPE_SHIFT));
        int rc;

        BUG_ON(count_of(x) == 0); /* INV-PV-2 */
        if (count_of(x) > 1) {
            if (atomic_cas(&f->type, x, x - 1)) {
                return 0;
            }
            continue;
        }
        /* The only count, and it is ours: nobody else is at work on it. */
        BUG_ON(x & TYPE_BUSY);
        if (level == 0 || !(x & (TYPE_VALID | TYPE_PARTIAL))) {
            /* The type stays as a note of what stale translations can do. */
            uint64_t keep = (x & TYPE_MASK) == type_bits(PAGETYPE_WRITABLE)
                                ? TYPE_VALID
                                : 0;

            if (atomic_cas(&f->type, x, ((x & ~TYPE_VALID) | keep) - 1)) {
                return 0;
            }
            continue;
        }
        if (!atomic_cas(&f->type, x, (x & ~TYPE_VALID) | TYPE_BUSY)) {
            continue;
        }
        if (x & TYPE_VALID) {
            f->aux = PT_ENTRIES;
        }
        rc = walk_down(f, level, should_stop);
        word_change(f, rc ? TYPE_BUSY : TYPE_BUSY | TYPE_COUNT_MASK, 0);
        return rc;
    }
}

int pagetype_abandon(struct frame *f, bool (*should_stop)(void))
{
    uint64_t x;
    unsigned int level;
    int rc;

    do {
        x = READ_ONCE(f->type);
        /* With a count, the walk is its holder's to finish. */
        if (!(x & TYPE_PARTIAL) || count_of(x) != 0) {
            return 0;
        }
        if (x & TYPE_BUSY) {
            rc = wait_for_other(f, x, should_stop);
            if (rc) {
                return rc;
            }
            continue;
        }
    } while ((x & TYPE_BUSY) || !atomic_cas(&f->type, x, x | TYPE_BUSY));
    level = pagetype_level((enum pagetype)((x & TYPE_MASK) >> TYPE_SHIFT));
    rc = walk_down(f, level, should_stop);
    word_change(f, TYPE_BUSY, 0);
    return rc;
}

int pagetype_get_page(mfn_t m, domid_t owner, enum pagetype type,
                      bool (*should_stop)(void), struct frame **ret_frame)
{
    struct frame *f;
    int rc;

    if (!mfn_valid(m)) {
        return -EINVAL;
    }
    f = frame_of(m);
    if (!frame_get(f, owner)) {
        return -EINVAL;
    }
    rc = pagetype_get(f, type, should_stop);
    if (rc) {
        account_put(f);
        return rc;
    }
    if (ret_frame) {
        *ret_frame = f;
    }
    return 0;
}

void pagetype_put_page(struct frame *f)
{
    pagetype_put_all(f);
    account_put(f);
}

int pagetype_get_ref(struct frame *f, domid_t owner, bool writable)
{
    int rc;

    if (!frame_get(f, owner)) {
        return -EINVAL;
    }
    if (!writable) {
        return 0;
    }
    rc = pagetype_get(f, PAGETYPE_WRITABLE, NULL);
    if (rc) {
        account_put(f);
    }
    return rc;
}

void pagetype_put_ref(struct frame *f, bool writable)
{
    if (writable) {
        pagetype_put_writable(f);
    }
    account_put(f);
}

int pagetype_pin(mfn_t m, domid_t owner, enum pagetype type,
                 bool (*should_stop)(void), struct frame **ret_frame)
{
    struct frame *f;
    uint64_t x;
    int rc = pagetype_get_page(m, owner, type, should_stop, &f);

    *ret_frame = NULL;
    if (rc) {
        return rc;
    }
    do {
        x = READ_ONCE(f->type);
        if (x & TYPE_PINNED) {
            *ret_frame = f;
            return -EINVAL;
        }
    } while (!atomic_cas(&f->type, x, x | TYPE_PINNED));
    return 0;
}

int pagetype_unpin(struct frame *f)
{
    uint64_t x;

    do {
        x = READ_ONCE(f->type);
        if (!(x & TYPE_PINNED)) {
            return -EINVAL;
        }
    } while (!atomic_cas(&f->type, x, x & ~TYPE_PINNED));
    return 0;
}

void pagetype_repin(struct frame *f)
{
    word_change(f, 0, TYPE_PINNED);
}

bool pagetype_steal_check(const struct frame *f, uint32_t held)
{
    uint64_t x = READ_ONCE(f->type);

    return READ_ONCE(f->count) == 1 + held &&
           (f->flags & FRAME_F_ALLOCATED) != 0 &&
           (x & (TYPE_COUNT_MASK | TYPE_PINNED | TYPE_PARTIAL | TYPE_BUSY)) ==
               0;
}
