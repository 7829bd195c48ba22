/* SPDX-License-Identifier: MIT */
/*
 * domain/grant_copy.c - copy between two frames, each one's own or granted.
 */
#include "domain/grant.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "x86/string_asm.h"
#include "mm/directmap.h"
#include "domain/frame_use.h"

/* One end of a copy.  Of a transitive grant, two entries are pinned. */
struct copy_end {
    struct domain *granter; /* NULL: the caller's own frame            */
    grant_ref_t ref;
    unsigned int how;       /* GRANT_READ or GRANT_WRITE               */
    struct domain *origin;  /* part.is_via: who owns the frame         */
    struct grant_part part; /* mfn: of the frame, whoever owns it      */
};

/*
 * The entry says: what another domain granted to this one, as that entry.
 * One step only, and not back to where it came from (Xen's rules).
 */
static NOINLINE int16_t via_hold(struct copy_end *e)
{
    struct domain *origin;
    struct grant_part part;
    int16_t status;

    if (e->part.via == e->granter->domid) {
        return GNTST_general_error;
    }
    origin = domain_get(e->part.via);
    if (origin == NULL) {
        return GNTST_general_error;
    }
    status = grant_acquire(origin, e->granter->domid, e->part.ref,
                           e->how | GRANT_PART, &part);
    if (status != GNTST_okay) {
        domain_put(origin);
        return status;
    }
    e->origin = origin;
    e->part.mfn = part.mfn;
    e->part.start = part.start;
    e->part.length = part.length;
    return GNTST_okay;
}

static NOINLINE void via_release(const struct copy_end *e)
{
    grant_release(e->origin, e->part.ref, e->how, e->part.mfn);
    domain_put(e->origin);
    grant_release(e->granter, e->ref, e->how, INVALID_MFN);
    domain_put(e->granter);
}

static void end_release(const struct copy_end *e)
{
    if (e->granter == NULL) {
        frame_use_release(e->part.mfn, e->how == GRANT_WRITE);
    } else if (unlikely(e->part.is_via)) {
        via_release(e);
    } else {
        grant_release(e->granter, e->ref, e->how, e->part.mfn);
        domain_put(e->granter);
    }
}

static int16_t own_hold(struct domain *d, const struct gnttab_copy_ptr *p,
                        unsigned int how, struct copy_end *ret_end)
{
    int rc;

    if (p->domid != DOMID_SELF) {
        return GNTST_permission_denied;
    }
    ret_end->granter = NULL;
    ret_end->how = how;
    ret_end->part.mfn = gfn_to_mfn_pv(gfn(p->u.gmfn));
    rc = frame_use_hold(ret_end->part.mfn, d->domid, how == GRANT_WRITE);
    return rc == 0        ? GNTST_okay
           : rc == -EBUSY ? GNTST_general_error
                          : GNTST_bad_page;
}

static int16_t end_hold(struct domain *d, const struct gnttab_copy_ptr *p,
                        bool is_grant, unsigned int how, uint16_t len,
                        struct copy_end *ret_end)
{
    struct copy_end *e = ret_end;
    int16_t status;

    if (!is_grant) {
        return own_hold(d, p, how, ret_end);
    }
    e->ref = p->u.ref;
    e->how = how;
    e->granter = domain_get(p->domid == DOMID_SELF ? d->domid : p->domid);
    if (e->granter == NULL) {
        return GNTST_bad_domain;
    }
    status = grant_acquire(e->granter, d->domid, e->ref,
                           how | GRANT_PART | GRANT_VIA, &e->part);
    if (status != GNTST_okay) {
        domain_put(e->granter);
        return status;
    }
    if (unlikely(e->part.is_via)) {
        status = via_hold(e);
        if (status != GNTST_okay) {
            grant_release(e->granter, e->ref, how, INVALID_MFN);
            domain_put(e->granter);
            return status;
        }
    }
    if (p->offset < e->part.start ||
        p->offset + len > e->part.start + e->part.length) {
        end_release(e);
        return GNTST_general_error;
    }
    return GNTST_okay;
}

int16_t grant_copy(struct domain *d, const struct gnttab_copy *op)
{
    struct copy_end from UNINITIALISED, to UNINITIALISED;
    int16_t status;

    if (op->len > PAGE_SIZE || op->source.offset > PAGE_SIZE - op->len ||
        op->dest.offset > PAGE_SIZE - op->len) {
        return GNTST_bad_copy_arg;
    }
    status = end_hold(d, &op->source, (op->flags & GNTCOPY_source_gref) != 0,
                      GRANT_READ, op->len, &from);
    if (status != GNTST_okay) {
        return status;
    }
    status = end_hold(d, &op->dest, (op->flags & GNTCOPY_dest_gref) != 0,
                      GRANT_WRITE, op->len, &to);
    if (status == GNTST_okay) {
        uint8_t *dst = (uint8_t *)mfn_to_ptr(to.part.mfn) + op->dest.offset;
        const uint8_t *src =
            (const uint8_t *)mfn_to_ptr(from.part.mfn) + op->source.offset;

        if (mfn_eq(from.part.mfn, to.part.mfn)) {
            memmove(dst, src, op->len); /* may overlap */
        } else {
            /* Words: a processor without ERMS moves bytes one at a time. */
            size_t words = op->len / sizeof(uint64_t) * sizeof(uint64_t);

            rep_movsq(dst, src, words / sizeof(uint64_t));
            rep_movsb(dst + words, src + words, op->len - words);
        }
        end_release(&to);
    }
    end_release(&from);
    return status;
}
