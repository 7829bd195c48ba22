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
#include "x86/tlb.h"
#include "mm/directmap.h"
#include "domain/account.h"
#include "domain/domain.h"
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

/* No walk is under way any more.  The caller holds a reference. */
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
 * Take the entries not taken yet; then the table is valid, count + 1.
 *
 * The count goes up before the walk: an entry that leads back to the table
 * itself (to map it writable, or as another level) must find it in use.
 */
static int walk_up(struct frame *f, unsigned int level,
                   bool (*should_stop)(void))
{
    uint64_t x;
    int rc;

    do {
        x = READ_ONCE(f->type);
    } while (!atomic_cas(&f->type, x, x + 1));
    rc = pt_validate(f, level, should_stop);
    if (rc == 0) {
        word_change(f, 0, TYPE_VALID);
        partial_end(f);
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
    } while (!atomic_cas(&f->type, x, x - 1));
    return rc;
}

/* From count 0 with no walk under way: @x is the word as it is. */
static int first_use(struct frame *f, uint64_t x, enum pagetype type,
                     bool (*should_stop)(void))
{
    enum pagetype last = (enum pagetype)((x & TYPE_MASK) >> TYPE_SHIFT);
    int rc;

    /*
     * A stale translation could still write to the frame as it was mapped,
     * or walk it as the table it was.
     */
    if (last != type && last != PAGETYPE_NONE) {
        tlb_sync();
    }
    if (type == PAGETYPE_WRITABLE) {
        return atomic_cas(&f->type, x, type_bits(type) | TYPE_VALID | 1)
                   ? 0
                   : -EAGAIN;
    }
    /* Pages the hypervisor writes to by itself can be nothing else. */
    if (f->flags & FRAME_F_HV_SHARED) {
        return -EINVAL;
    }
    if (!atomic_cas(&f->type, x, type_bits(type))) {
        return -EAGAIN;
    }
    f->aux = 0;
    if (type == PAGETYPE_SEGDESC) {
        rc = descriptor_fix_page(mfn_to_ptr(frame_mfn(f)));
        if (rc == 0) {
            word_change(f, 0, TYPE_VALID | 1);
        }
        return rc;
    }
    return walk_up(f, pagetype_level(type), should_stop);
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
        if (!(x & TYPE_PARTIAL)) {
            if (count_of(x) != 0) {
                return -EBUSY;
            }
            rc = first_use(f, x, type, should_stop);
            if (rc != -EAGAIN) {
                return rc;
            }
            continue;
        }
        if ((x & TYPE_MASK) == want) {
            return walk_up(f, pagetype_level(type), should_stop);
        }
        if (count_of(x) != 0) {
            return -EBUSY;
        }
        rc = pagetype_abandon(f, should_stop);
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
        if (x & TYPE_VALID) {
            if (!atomic_cas(&f->type, x, x & ~TYPE_VALID)) {
                continue;
            }
            f->aux = PT_ENTRIES;
        }
        rc = walk_down(f, level, should_stop);
        if (rc) {
            return rc;
        }
        word_change(f, TYPE_COUNT_MASK, 0);
        return 0;
    }
}

int pagetype_abandon(struct frame *f, bool (*should_stop)(void))
{
    uint64_t x = READ_ONCE(f->type);
    unsigned int level =
        pagetype_level((enum pagetype)((x & TYPE_MASK) >> TYPE_SHIFT));

    /* With a count, the walk is its holder's to finish. */
    if (!(x & TYPE_PARTIAL) || count_of(x) != 0) {
        return 0;
    }
    return walk_down(f, level, should_stop);
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
                 bool (*should_stop)(void))
{
    struct frame *f;
    int rc = pagetype_get_page(m, owner, type, should_stop, &f);

    if (rc) {
        return rc;
    }
    if (READ_ONCE(f->type) & TYPE_PINNED) {
        /* Not the last count: the pin has one of its own. */
        pagetype_put_page(f);
        return -EINVAL;
    }
    word_change(f, 0, TYPE_PINNED);
    return 0;
}

int pagetype_unpin(struct frame *f)
{
    if (!(READ_ONCE(f->type) & TYPE_PINNED)) {
        return -EINVAL;
    }
    word_change(f, TYPE_PINNED, 0);
    return 0;
}

bool pagetype_steal_check(const struct frame *f, uint32_t held)
{
    uint64_t x = READ_ONCE(f->type);

    return READ_ONCE(f->count) == 1 + held &&
           (f->flags & FRAME_F_ALLOCATED) != 0 &&
           (x & (TYPE_COUNT_MASK | TYPE_PINNED | TYPE_PARTIAL)) == 0;
}
