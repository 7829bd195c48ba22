/* SPDX-License-Identifier: MIT */
/*
 * domain/grant_copy.c - copy between two frames, each one's own or granted.
 */
#include "domain/grant.h"

#include "lib/string.h"
#include "x86/string_asm.h"
#include "mm/directmap.h"
#include "domain/frame_use.h"

struct copy_end {
    struct domain *granter; /* NULL: the caller's own frame */
    grant_ref_t ref;
    mfn_t mfn;
    bool readonly;
};

static int16_t end_hold(struct domain *d, const struct gnttab_copy_ptr *p,
                        bool is_grant, bool readonly, struct copy_end *ret_end)
{
    struct copy_end e = {.granter = NULL, .readonly = readonly};
    int16_t status;

    if (!is_grant) {
        if (p->domid != DOMID_SELF && p->domid != d->domid) {
            return GNTST_permission_denied;
        }
        e.mfn = gfn_to_mfn_pv(gfn(p->u.gmfn));
        if (frame_use_hold(e.mfn, d->domid, !readonly) != 0) {
            return GNTST_bad_page;
        }
        *ret_end = e;
        return GNTST_okay;
    }
    e.ref = p->u.ref;
    e.granter = domain_get(p->domid == DOMID_SELF ? d->domid : p->domid);
    if (e.granter == NULL) {
        return GNTST_bad_domain;
    }
    status = grant_acquire(e.granter, d->domid, e.ref, readonly, &e.mfn);
    if (status != GNTST_okay) {
        domain_put(e.granter);
        return status;
    }
    *ret_end = e;
    return GNTST_okay;
}

static void end_release(const struct copy_end *e)
{
    if (e->granter == NULL) {
        frame_use_release(e->mfn, !e->readonly);
        return;
    }
    grant_release(e->granter, e->ref, e->readonly, e->mfn);
    domain_put(e->granter);
}

int16_t grant_copy(struct domain *d, const struct gnttab_copy *op)
{
    struct copy_end from, to;
    int16_t status;

    if (op->len > PAGE_SIZE || op->source.offset > PAGE_SIZE - op->len ||
        op->dest.offset > PAGE_SIZE - op->len) {
        return GNTST_bad_copy_arg;
    }
    status = end_hold(d, &op->source, (op->flags & GNTCOPY_source_gref) != 0,
                      true, &from);
    if (status != GNTST_okay) {
        return status;
    }
    status = end_hold(d, &op->dest, (op->flags & GNTCOPY_dest_gref) != 0, false,
                      &to);
    if (status == GNTST_okay) {
        uint8_t *dst = (uint8_t *)mfn_to_ptr(to.mfn) + op->dest.offset;
        const uint8_t *src =
            (const uint8_t *)mfn_to_ptr(from.mfn) + op->source.offset;

        if (mfn_eq(from.mfn, to.mfn)) {
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
