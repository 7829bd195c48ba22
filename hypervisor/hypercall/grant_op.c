/* SPDX-License-Identifier: MIT */
/*
 * hypercall/grant_op.c - grant_table_op (20).
 *
 * Lists are worked off one element at a time; each gets its own status and
 * the hypercall returns 0.  A long list is interrupted between elements and
 * resumed behind the last one done.
 * Errors of the whole call: -EFAULT list not readable, -EINVAL count must be
 * 1, -EPERM not you, -ESRCH no such domain, -ENOSYS unknown, -EOPNOTSUPP
 * known, not offered; of set_version: domain/grant.h.
 */
#include "hypercall/call.h"

#include "domain/grant.h"
#include "domain/tlb_owed.h"
#include "pv/grant_pte.h"

/* Above the number of the operation: what Xen's own continuations use. */
#define GNTTABOP_CONTINUATION_ARG_SHIFT 12

#define AVAIL_PTE_SHIFT 9
#define AVAIL_PTE_BITS  7U

/*
 * Mappings whose entries have gone.  The granter learns of it when no processor
 * knows them any more: one flush for several.
 */
#define UNMAPS_A_FLUSH 32

struct unmaps {
    unsigned int count;
    struct {
        grant_handle_t handle;
        uint32_t gone; /* GNTMAP_* */
    } of[UNMAPS_A_FLUSH];
};

/*
 * A list operation: what one element is and does.  Bytes from @out_at on are
 * copied back to the guest.
 */
struct list_op {
    void (*one)(void *op, struct unmaps *u);
    uint8_t size;
    uint8_t out_at, out_size;
};

union list_element {
    struct gnttab_map_grant_ref map;
    struct gnttab_unmap_grant_ref unmap;
    struct gnttab_unmap_and_replace replace;
    struct gnttab_copy copy;
    struct gnttab_swap_grant_ref swap;
};

static int subject_get(domid_t domid, struct domain **ret_domain)
{
    struct domain *d = hypercall_domain(domid);

    if (d == NULL) {
        return current->domain->is_privileged ? -ESRCH : -EPERM;
    }
    if (d != current->domain && !current->domain->is_privileged) {
        domain_put(d);
        return -EPERM;
    }
    *ret_domain = d;
    return 0;
}

/* What to report when the domain a struct names cannot be had. */
static int16_t subject_status(int rc)
{
    return rc == -EPERM ? GNTST_permission_denied : GNTST_bad_domain;
}

static domid_t resolve(domid_t domid)
{
    return domid == DOMID_SELF ? current->domain->domid : domid;
}

/* ---- map and unmap -------------------------------------------------------- */

static pte_t map_pte(mfn_t m, uint32_t flags)
{
    uint64_t pte = PTE_P | PTE_A | PTE_D | PTE_NX;

    if (!(flags & GNTMAP_readonly)) {
        pte |= PTE_W;
    }
    if (flags & GNTMAP_application_map) {
        pte |= PTE_U;
    }
    pte |= (uint64_t)((flags >> _GNTMAP_guest_avail0) & AVAIL_PTE_BITS)
           << AVAIL_PTE_SHIFT;
    return pte_make(m, pte);
}

static void map_one(void *element, struct unmaps *u UNUSED)
{
    struct gnttab_map_grant_ref *op = element;
    struct domain *d = current->domain;
    struct grant_map_state state;

    op->handle = ~0U;
    op->status =
        grant_map_begin(d, resolve(op->dom), op->ref, op->flags, &state);
    if (op->status != GNTST_okay) {
        return;
    }
    if ((op->flags & GNTMAP_host_map) &&
        grant_pte_install(
            current, op->host_addr, (op->flags & GNTMAP_contains_pte) != 0,
            state.granter->domid, map_pte(state.mfn, op->flags)) != 0) {
        grant_map_abort(d, &state);
        op->status = GNTST_general_error;
        return;
    }
    grant_map_commit(d, &state);
    op->handle = state.handle;
    op->dev_bus_addr = mfn_to_maddr(state.mfn);
}

static void unmaps_end(struct unmaps *u)
{
    struct domain *d = current->domain;

    if (u->count == 0) {
        return;
    }
    tlb_pay(d);
    for (unsigned int i = 0; i < u->count; i++) {
        grant_unmap_end(d, u->of[i].handle, u->of[i].gone);
    }
    u->count = 0;
}

/* @gone of a mapping, after grant_unmap_begin(), has been taken down. */
static void unmaps_add(struct unmaps *u, grant_handle_t handle, uint32_t gone)
{
    u->of[u->count].handle = handle;
    u->of[u->count].gone = gone;
    u->count++;
    if (u->count == UNMAPS_A_FLUSH) {
        unmaps_end(u);
    }
}

static int16_t unmap_begin(grant_handle_t handle, struct unmaps *u,
                           struct grant_map_state *ret_state)
{
    struct domain *d = current->domain;
    int16_t status = grant_unmap_begin(d, handle, ret_state);

    if (status == GNTST_bad_handle && u->count != 0) {
        /* Another part of it may be among those. */
        unmaps_end(u);
        status = grant_unmap_begin(d, handle, ret_state);
    }
    return status;
}

/*
 * Take down what @op names.  An entry that does not map the frame (any more)
 * is an error, and the grant stays in use: otherwise a mapper could have it
 * counted as returned and keep the mapping.
 */
static int16_t unmap_status(const struct gnttab_unmap_grant_ref *op,
                            struct unmaps *u)
{
    struct grant_map_state state;
    uint32_t gone = 0;
    int16_t status = unmap_begin(op->handle, u, &state);

    if (status != GNTST_okay) {
        return status;
    }
    if (op->dev_bus_addr != 0 && (state.flags & GNTMAP_device_map)) {
        if (op->dev_bus_addr >> PAGE_SHIFT == mfn_x(state.mfn)) {
            gone |= GNTMAP_device_map;
        } else {
            status = GNTST_bad_dev_addr;
        }
    }
    if (status == GNTST_okay && op->host_addr != 0 &&
        (state.flags & GNTMAP_host_map)) {
        if (grant_pte_remove(current, op->host_addr,
                             (state.flags & GNTMAP_contains_pte) != 0,
                             state.mfn) == 0) {
            gone |= GNTMAP_host_map;
        } else {
            gone = 0;
            status = GNTST_general_error;
        }
    }
    unmaps_add(u, op->handle, gone);
    return status;
}

static void unmap_one(void *element, struct unmaps *u)
{
    struct gnttab_unmap_grant_ref *op = element;

    op->status = unmap_status(op, u);
}

static void replace_one(void *element, struct unmaps *u)
{
    struct gnttab_unmap_and_replace *op = element;
    struct grant_map_state state;
    uint32_t gone = 0;
    int16_t status = unmap_begin(op->handle, u, &state);

    op->status = status;
    if (status != GNTST_okay) {
        return;
    }
    if (!(state.flags & GNTMAP_contains_pte) &&
        (state.flags & GNTMAP_host_map) &&
        grant_pte_replace(current, op->host_addr, state.mfn, op->new_addr) ==
            0) {
        gone = GNTMAP_host_map;
    } else {
        op->status = GNTST_general_error;
    }
    unmaps_add(u, op->handle, gone);
}

/* ---- lists ---------------------------------------------------------------- */

static void copy_one(void *element, struct unmaps *u UNUSED)
{
    struct gnttab_copy *op = element;

    op->status = grant_copy(current->domain, op);
}

static void swap_one(void *element, struct unmaps *u UNUSED)
{
    struct gnttab_swap_grant_ref *op = element;

    op->status = grant_swap(current->domain, op->ref_a, op->ref_b);
}

#define OUT(type, first, last)                                                 \
    .size = sizeof(struct type), .out_at = offsetof(struct type, first),       \
    .out_size = offsetof(struct type, last) - offsetof(struct type, first) +   \
                sizeof(((struct type *)NULL)->last)

static const struct list_op list_ops[] = {
    [GNTTABOP_map_grant_ref] = {map_one,
                                OUT(gnttab_map_grant_ref, dom, dev_bus_addr)},
    [GNTTABOP_unmap_grant_ref] = {unmap_one,
                                  OUT(gnttab_unmap_grant_ref, status, status)},
    [GNTTABOP_copy] = {copy_one, OUT(gnttab_copy, status, status)},
    [GNTTABOP_unmap_and_replace] = {replace_one, OUT(gnttab_unmap_and_replace,
                                                     status, status)},
    [GNTTABOP_swap_grant_ref] = {swap_one,
                                 OUT(gnttab_swap_grant_ref, status, status)},
};

/* Is this operation one on a list?  NULL: no. */
static const struct list_op *list_op_of(uint64_t cmd)
{
    return cmd < ARRAY_SIZE(list_ops) && list_ops[cmd].one != NULL
               ? &list_ops[cmd]
               : NULL;
}

/* Element by element; at least one is done each time. */
static int64_t work_list(const struct list_op *lo, uint64_t cmd, uint64_t list,
                         uint64_t count)
{
    union list_element op;
    struct unmaps u UNINITIALISED;
    uint64_t i, at = list;
    int64_t rc = 0;

    u.count = 0;
    for (i = 0; i < count; i++, at += lo->size) {
        if (i != 0 && hypercall_should_stop()) {
            rc = -ERESTART;
            break;
        }
        if (copy_from_guest(&op, at, lo->size) != 0) {
            rc = -EFAULT;
            break;
        }
        lo->one(&op, &u);
        if (copy_to_guest(at + lo->out_at, (const char *)&op + lo->out_at,
                          lo->out_size) != 0) {
            rc = -EFAULT;
            break;
        }
    }
    unmaps_end(&u);
    return rc != -ERESTART ? rc
                           : hypercall_restart(__HYPERVISOR_grant_table_op, 3,
                                               cmd, at, count - i, 0, 0);
}

/*
 * A list, too, but it has no statuses: the first error ends it.  How far the
 * search for a mapping has come is in the upper bits of the command.
 */
static int64_t op_cache_flush(uint64_t cmd, uint64_t list, uint64_t count)
{
    uint32_t cursor = (uint32_t)cmd >> GNTTABOP_CONTINUATION_ARG_SHIFT;
    struct gnttab_cache_flush op;
    uint64_t at = list;

    for (; count != 0; count--, at += sizeof(op)) {
        int rc = at != list && hypercall_should_stop() ? -ERESTART : 0;

        if (rc == 0 && copy_from_guest(&op, at, sizeof(op)) != 0) {
            return -EFAULT;
        }
        if (rc == 0) {
            rc = grant_cache_flush(current->domain, &op, &cursor,
                                   hypercall_should_stop);
        }
        if (rc == -ERESTART) {
            cmd = GNTTABOP_cache_flush | (uint64_t)cursor
                                             << GNTTABOP_CONTINUATION_ARG_SHIFT;
            return hypercall_restart(__HYPERVISOR_grant_table_op, 3, cmd, at,
                                     count, 0, 0);
        }
        if (rc != 0) {
            return rc;
        }
        cursor = 0;
    }
    return 0;
}

/* ---- the table itself ------------------------------------------------------ */

/* Frames of one kind, by number, to a guest's list. */
static int16_t frames_list(struct domain *d, uint32_t nr_frames,
                           int (*frame)(struct domain *d, unsigned int idx,
                                        mfn_t *ret_mfn),
                           uint64_t list)
{
    for (uint32_t i = 0; i < nr_frames; i++) {
        uint64_t number;
        mfn_t m;

        if (frame(d, i, &m) != 0) {
            return GNTST_general_error;
        }
        number = mfn_x(m);
        if (copy_to_guest(list + i * sizeof(number), &number, sizeof(number)) !=
            0) {
            return GNTST_bad_virt_addr;
        }
    }
    return GNTST_okay;
}

static int64_t op_setup_table(uint64_t arg)
{
    struct gnttab_setup_table op;
    struct domain *d;
    int rc;

    if (copy_from_guest(&op, arg, sizeof(op)) != 0) {
        return -EFAULT;
    }
    rc = subject_get(op.dom, &d);
    if (rc != 0) {
        op.status = subject_status(rc);
    } else {
        op.status = grant_table_grow(d, op.nr_frames) != 0
                        ? GNTST_general_error
                        : frames_list(d, op.nr_frames, grant_table_frame,
                                      handle_va(op.frame_list));
        domain_put(d);
    }
    return copy_to_guest(arg, &op, sizeof(op));
}

static int64_t op_status_frames(uint64_t arg)
{
    struct gnttab_get_status_frames op;
    unsigned int frames, max;
    struct domain *d;
    int rc;

    if (copy_from_guest(&op, arg, sizeof(op)) != 0) {
        return -EFAULT;
    }
    rc = subject_get(op.dom, &d);
    if (rc != 0) {
        op.status = subject_status(rc);
    } else {
        grant_status_size(d, &frames, &max);
        op.status = op.nr_frames > frames
                        ? GNTST_general_error
                        : frames_list(d, op.nr_frames, grant_status_frame,
                                      handle_va(op.frame_list));
        domain_put(d);
    }
    return copy_to_guest(arg, &op, sizeof(op));
}

static int64_t op_query_size(uint64_t arg)
{
    struct gnttab_query_size op;
    struct domain *d;
    int rc;

    if (copy_from_guest(&op, arg, sizeof(op)) != 0) {
        return -EFAULT;
    }
    rc = subject_get(op.dom, &d);
    op.status = rc != 0 ? subject_status(rc) : (int16_t)GNTST_okay;
    if (rc == 0) {
        grant_table_size(d, &op.nr_frames, &op.max_nr_frames);
        domain_put(d);
    }
    return copy_to_guest(arg, &op, sizeof(op));
}

static int64_t op_dump_table(uint64_t arg)
{
    struct gnttab_dump_table op;
    struct domain *d;
    int rc;

    if (!current->domain->is_privileged) {
        return -EPERM;
    }
    if (copy_from_guest(&op, arg, sizeof(op)) != 0) {
        return -EFAULT;
    }
    rc = subject_get(op.dom, &d);
    op.status = rc != 0 ? subject_status(rc) : (int16_t)GNTST_okay;
    if (rc == 0) {
        grant_dump(d);
        domain_put(d);
    }
    return copy_to_guest(arg, &op, sizeof(op));
}

/* Whatever comes of it, the guest learns what the version is. */
static int64_t op_set_version(uint64_t arg)
{
    struct gnttab_set_version op;
    int rc;

    if (copy_from_guest(&op, arg, sizeof(op)) != 0) {
        return -EFAULT;
    }
    rc = grant_set_version(current->domain, op.version);
    op.version = grant_version(current->domain);
    return copy_to_guest(arg, &op, sizeof(op)) != 0 ? -EFAULT : rc;
}

static int64_t op_get_version(uint64_t arg)
{
    struct gnttab_get_version op;
    struct domain *d;
    int rc;

    if (copy_from_guest(&op, arg, sizeof(op)) != 0) {
        return -EFAULT;
    }
    rc = subject_get(op.dom, &d);
    if (rc != 0) {
        return rc;
    }
    op.version = grant_version(d);
    domain_put(d);
    return copy_to_guest(arg, &op, sizeof(op));
}

int64_t do_grant_table_op(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                          uint64_t a5)
{
    uint64_t count = (uint32_t)a3;
    const struct list_op *lo;

    (void)a4;
    (void)a5;
    lo = list_op_of(a1);
    if (lo != NULL) {
        return work_list(lo, a1, a2, count);
    }
    switch (a1) {
    case GNTTABOP_setup_table:
        return count == 1 ? op_setup_table(a2) : -EINVAL;
    case GNTTABOP_query_size:
        return count == 1 ? op_query_size(a2) : -EINVAL;
    case GNTTABOP_get_status_frames:
        return count == 1 ? op_status_frames(a2) : -EINVAL;
    /* The others know no lists, and do not look (as Xen's). */
    case GNTTABOP_dump_table:
        return op_dump_table(a2);
    case GNTTABOP_set_version:
        return op_set_version(a2);
    case GNTTABOP_get_version:
        return op_get_version(a2);
    case GNTTABOP_transfer:
        return -EOPNOTSUPP;
    default:
        return a1 % (1U << GNTTABOP_CONTINUATION_ARG_SHIFT) ==
                       GNTTABOP_cache_flush
                   ? op_cache_flush(a1, a2, count)
                   : -ENOSYS;
    }
}
