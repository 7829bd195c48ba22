/* SPDX-License-Identifier: MIT */
/*
 * pv/reservation.c - a PV domain's memory grows, shrinks and is exchanged.
 */
#include "pv/reservation.h"

#include "lib/bits.h"
#include "lib/errno.h"
#include "mm/m2p.h"
#include "mm/page_alloc.h"
#include "domain/account.h"
#include "pv/guest_access.h"
#include "pv/pagetype.h"

int reservation_increase(struct domain *d, pfn_t p, unsigned int order,
                         unsigned int bits, mfn_t *ret_mfn)
{
    if (order != 0) {
        bits |= PA_STOPS;
    }
    return account_alloc(d, p, order, bits, ret_mfn);
}

static int decrease_one(struct domain *d, mfn_t m)
{
    struct frame *f;
    int rc;

    if (!mfn_valid(m)) {
        return -EINVAL;
    }
    f = frame_of(m);
    if (!frame_get(f, d->domid)) {
        return -EINVAL;
    }
    rc = account_release(d, f);
    if (rc == 0 && pagetype_unpin(f) == 0) {
        pagetype_put_page(f); /* what the pin held */
    }
    account_put(f);
    return rc;
}

int reservation_decrease(struct domain *d, mfn_t first, unsigned int order)
{
    uint64_t i;

    for (i = 0; i < BIT(order); i++) {
        int rc = decrease_one(d, mfn_add(first, i));

        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

/* Frames taken out of their owner's hands, linked through frame.next. */
struct stolen {
    uint32_t head;
};

static void stolen_push(struct stolen *s, struct frame *f)
{
    f->next = s->head;
    s->head = (uint32_t)mfn_x(frame_mfn(f));
}

static struct frame *stolen_pop(struct stolen *s)
{
    struct frame *f;

    if (s->head == FRAME_NONE) {
        return NULL;
    }
    f = frame_of(mfn(s->head));
    s->head = f->next;
    f->next = FRAME_NONE;
    return f;
}

static void stolen_free(struct stolen *s)
{
    struct frame *f;

    while ((f = stolen_pop(s)) != NULL) {
        m2p_set(frame_mfn(f), pfn(M2P_INVALID));
        page_free(f, 0);
    }
}

/* The exchange failed: they are the domain's again, contents and all. */
static void stolen_return(struct stolen *s, struct domain *d)
{
    struct frame *f;

    while ((f = stolen_pop(s)) != NULL) {
        if (account_assign(d, f) != 0) {
            page_free(f, 0);
        }
    }
}

static int steal_extent(struct domain *d, mfn_t first, unsigned int order,
                        struct stolen *s)
{
    uint64_t i;

    for (i = 0; i < BIT(order); i++) {
        mfn_t m = mfn_add(first, i);
        int rc;

        if (!mfn_valid(m)) {
            return -EINVAL;
        }
        rc = account_steal(d, frame_of(m));
        if (rc != 0) {
            return rc;
        }
        stolen_push(s, frame_of(m));
    }
    return 0;
}

static int steal_piece(struct domain *d, const struct exchange *x, uint64_t n,
                       struct stolen *s)
{
    uint64_t count = BIT(exchange_order(x) - x->in_order);
    uint64_t i;

    for (i = 0; i < count; i++) {
        uint64_t m;
        int rc = copy_from_guest(&m, x->in_list + (n * count + i) * sizeof(m),
                                 sizeof(m));

        if (rc == 0) {
            rc = steal_extent(d, mfn(m), x->in_order, s);
        }
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

/* Writable, all of it?  Better known before anything has changed. */
static int probe_output(uint64_t va, uint64_t count)
{
    uint64_t i, p;

    for (i = 0; i < count; i++, va += sizeof(p)) {
        if (copy_from_guest(&p, va, sizeof(p)) != 0 ||
            copy_to_guest(va, &p, sizeof(p)) != 0) {
            return -EFAULT;
        }
    }
    return 0;
}

/* New frames are chained, one extent after the other, last one first. */
static int alloc_piece(const struct exchange *x, uint64_t count,
                       struct stolen *s)
{
    uint64_t i, j;

    for (i = 0; i < count; i++) {
        struct frame *f = page_alloc(x->out_order, PA_CLEAN, x->bits);

        if (f == NULL) {
            return -ENOMEM;
        }
        for (j = BIT(x->out_order); j > 0; j--) {
            stolen_push(s, &f[j - 1]);
        }
    }
    return 0;
}

static int assign_piece(struct domain *d, const struct exchange *x, uint64_t va,
                        uint64_t count, struct stolen *s)
{
    uint64_t i, j, p, m;
    int rc = 0;

    for (i = 0; i < count; i++, va += sizeof(p)) {
        m = s->head;
        if (copy_from_guest(&p, va, sizeof(p)) != 0) {
            p = M2P_INVALID;
            rc = -EFAULT;
        }
        for (j = 0; j < BIT(x->out_order); j++) {
            struct frame *f = stolen_pop(s);

            if (account_assign(d, f) != 0) {
                page_free(f, 0); /* dying: nobody will miss it */
                continue;
            }
            m2p_set(frame_mfn(f), pfn(p == M2P_INVALID ? p : p + j));
        }
        if (copy_to_guest(va, &m, sizeof(m)) != 0) {
            rc = -EFAULT;
        }
    }
    return rc;
}

int reservation_exchange(struct domain *d, const struct exchange *x, uint64_t n)
{
    uint64_t count = BIT(exchange_order(x) - x->out_order);
    uint64_t out_va = x->out_list + n * count * sizeof(uint64_t);
    struct stolen in = {FRAME_NONE}, out = {FRAME_NONE};
    int rc = probe_output(out_va, count);

    if (rc != 0) {
        return rc;
    }
    rc = alloc_piece(x, count, &out);
    if (rc == 0) {
        rc = steal_piece(d, x, n, &in);
    }
    if (rc != 0) {
        stolen_return(&in, d);
        stolen_free(&out);
        return rc;
    }
    rc = assign_piece(d, x, out_va, count, &out);
    stolen_free(&in);
    return rc;
}
