/* SPDX-License-Identifier: MIT */
/*
 * domain/grant.h - sharing frames between domains (grant tables, version 1
 * and 2).
 *
 * The granter writes entries into frames both sides see.  A mapper names one
 * by number; for as long as it is in use the entry is pinned: its access and
 * frame are remembered on our side, GTF_reading and GTF_writing are set in
 * the entry (version 2: in its status word, in a frame of its own), and the
 * granter's domain structure stays findable.
 *
 *   free entry --acquire--> pinned, count of readers and writers
 *              <--release-- last one clears the bits
 *
 * Entries are guest-writable.  Version 1: flags and domid are read and changed
 * by one compare-and-swap, the frame number is read once.  Version 2: flags
 * and domid are read by one load, before the status bits are set and again
 * after; what the entry says besides is read once.
 *
 * A granter changes the version while nobody uses an entry, but the first
 * eight: grant_set_version().
 *
 * Page-table entries are not this floor's business: hypercall/grant_op.c
 * calls grant_map_begin(), installs, and grant_map_commit() or _abort().
 */
#ifndef VIGIL_DOMAIN_GRANT_H
#define VIGIL_DOMAIN_GRANT_H

#include "domain/domain.h"

#define GRANT_FRAMES_DEFAULT    64U
#define MAPTRACK_FRAMES_DEFAULT 1024U
#define GRANT_FRAMES_MAX        4096U
#define MAPTRACK_FRAMES_MAX     65536U
#define MAPTRACK_PER_FRAME      256U /* Xen's records; ours are larger */
#define GRANT_ENTRIES_PER_FRAME (PAGE_SIZE / sizeof(grant_entry_v1_t))

/**
 * grant_domain_init() - a grant table of one frame
 * @d:                   domain; @d->grants is set
 * @max_grant_frames:    limit of the table; negative: default
 * @max_maptrack_frames: limit of foreign grants it may map, in units of
 *                       MAPTRACK_PER_FRAME (rounded up to whole pages of our
 *                       records); negative: default
 * @max_version:         newest version it may choose, 1 or 2
 *
 * Context: any but NMI/#MC.
 * Return:  0; -ENOMEM; -EINVAL limit too large
 */
int grant_domain_init(struct domain *d, int32_t max_grant_frames,
                      int32_t max_maptrack_frames, unsigned int max_version)
    MUST_CHECK;

/**
 * grant_count() - what is in use of a table, and what the domain maps
 * @d:          domain
 * @ret_mapped: foreign grants that it maps
 *
 * Context: any but NMI/#MC.
 * Return:  entries of its own that somebody uses
 */
unsigned int grant_count(struct domain *d, unsigned int *ret_mapped);

/**
 * grant_domain_destroy() - give back all foreign grants a dying domain maps,
 *                          and free its records of them
 * @d:           domain, DYING; none of its vcpus runs
 * @should_stop: asked now and then; NULL: never stop
 *
 * Its page tables may still map the frames: an entry holds what it maps by
 * itself (pv/grant_pte.h).
 * Context: any but NMI/#MC.
 * Return:  0; -ERESTART call again
 */
int grant_domain_destroy(struct domain *d, bool (*should_stop)(void))
    MUST_CHECK;

/**
 * grant_domain_free() - free the table, with the domain itself
 * @d:      domain after grant_domain_destroy(), or one that never ran; nobody
 *          maps its grants any more
 * @budget: frames to free at most, each with our side of its entries; what of
 *          it is left is written back
 *
 * Context: any but NMI/#MC; nobody else knows @d.
 * Return:  true: all is free; false: call again with more
 */
bool grant_domain_free(struct domain *d, unsigned int *budget) MUST_CHECK;

/**
 * grant_table_frame() - the n-th frame of the table, growing it if needed
 * @d:       domain
 * @idx:     from 0
 * @ret_mfn: the frame, owned by @d, writable
 *
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL beyond the limit; -ENOMEM; -EBUSY another vcpu is
 *          changing the version
 */
int grant_table_frame(struct domain *d, unsigned int idx, mfn_t *ret_mfn)
    MUST_CHECK;

/**
 * grant_table_grow() - make the table at least that large
 * @d:         domain
 * @nr_frames: frames wanted
 *
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL beyond the limit; -ENOMEM; -EBUSY another vcpu is
 *          changing the version
 */
int grant_table_grow(struct domain *d, unsigned int nr_frames) MUST_CHECK;

/**
 * grant_table_size() - size and limit
 * @d:             domain
 * @ret_nr_frames: frames now
 * @ret_max:       limit
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void grant_table_size(struct domain *d, unsigned int *ret_nr_frames,
                      unsigned int *ret_max);

/**
 * grant_set_version() - choose the layout of the table
 * @d:       domain; the caller is one of its vcpus
 * @version: wanted, any number
 *
 * Entries from GNTTAB_NR_RESERVED_ENTRIES on are cleared; the first ones are
 * kept, whether in use or not.  Nothing changes on failure.
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL neither 1 nor 2; -ENOSYS 2 is not for this domain;
 *          -EBUSY an entry is in use, or a status frame mapped, or another
 *          vcpu is at it; -ERANGE one of the first entries does not fit in
 *          version 1; -ENOMEM
 */
int grant_set_version(struct domain *d, uint32_t version) MUST_CHECK;

/**
 * grant_version() - the layout of the table
 * @d: domain
 *
 * Context: any.
 * Return:  1 or 2; 0 while it changes
 */
uint32_t grant_version(const struct domain *d);

/**
 * grant_status_size() - how many status frames there are, and may be
 * @d:             domain
 * @ret_nr_frames: now; 0 in version 1
 * @ret_max:       limit; 0 in version 1
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void grant_status_size(struct domain *d, unsigned int *ret_nr_frames,
                       unsigned int *ret_max);

/**
 * grant_status_frame() - the n-th status frame, growing the table if needed
 * @d:       domain
 * @idx:     from 0
 * @ret_mfn: the frame, owned by @d, writable
 *
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL version 1, or beyond the limit; -ENOMEM
 */
int grant_status_frame(struct domain *d, unsigned int idx, mfn_t *ret_mfn)
    MUST_CHECK;

/**
 * grant_seed() - write an entry while building a domain
 * @d:      granter
 * @ref:    entry
 * @mapper: who may map it
 * @m:      frame of @d
 *
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL no such entry, or the table is not of version 1
 */
int grant_seed(struct domain *d, grant_ref_t ref, domid_t mapper, mfn_t m)
    MUST_CHECK;

/**
 * grant_swap() - exchange two entries that are not in use
 * @d: granter
 * @a: entry
 * @b: entry
 *
 * Context: any but NMI/#MC.
 * Return:  GNTST_okay; GNTST_bad_gntref; GNTST_eagain: one is pinned, or the
 *          version is changing
 */
int16_t grant_swap(struct domain *d, grant_ref_t a, grant_ref_t b) MUST_CHECK;

/* ---- one use of one entry ---------------------------------------------- */

/* How an entry is used. */
#define GRANT_READ  0U
#define GRANT_WRITE 1U /* also to write                            */
#define GRANT_PART  2U /* less than a frame will do (copies)       */
#define GRANT_VIA   4U /* and so will another domain's grant       */

/* What an entry grants. */
struct grant_part {
    mfn_t mfn;
    uint16_t start, length; /* bytes of it; may reach beyond its end   */
    bool is_via;            /* no frame, but another domain's grant:   */
    domid_t via;            /* who granted it to granter               */
    grant_ref_t ref;        /* as which entry                          */
};

/**
 * grant_acquire() - pin an entry and hold its frame
 * @granter:  domain that granted; kept by the caller
 * @user:     domid that uses it
 * @ref:      entry
 * @how:      GRANT_*
 * @ret_part: what it grants; without GRANT_PART a whole frame
 *
 * Context: any but NMI/#MC.
 * Return:  GNTST_okay; GNTST_bad_gntref no such entry; GNTST_bad_domain
 *          granter is dying; GNTST_bad_page frame is not the granter's;
 *          GNTST_general_error the entry does not grant @user this access, or
 *          the frame's type forbids writing; GNTST_eagain the table is
 *          changing its version; GNTST_no_space too many uses
 */
int16_t grant_acquire(struct domain *granter, domid_t user, grant_ref_t ref,
                      unsigned int how, struct grant_part *ret_part) MUST_CHECK;

/**
 * grant_release() - undo one grant_acquire()
 * @granter: as given then
 * @ref:     as given then
 * @how:     as given then
 * @m:       frame it returned; INVALID_MFN: another domain's grant
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void grant_release(struct domain *granter, grant_ref_t ref, unsigned int how,
                   mfn_t m);

/* ---- mapping ------------------------------------------------------------ */

/* A mapping, from begin to the end of the hypercall. */
struct grant_map_state {
    struct domain *granter; /* kept while the record exists */
    grant_handle_t handle;
    grant_ref_t ref;
    mfn_t mfn;
    uint32_t flags; /* GNTMAP_host_map, _device_map, _readonly,
                       _contains_pte */
};

/**
 * grant_map_begin() - acquire an entry and make a record of it
 * @mapper:    domain that maps
 * @granter:   domid that granted
 * @ref:       entry
 * @flags:     GNTMAP_*; host_map or device_map or both
 * @ret_state: what was acquired
 *
 * Context: any but NMI/#MC.
 * Return:  GNTST_okay or what to report to the guest
 */
int16_t grant_map_begin(struct domain *mapper, domid_t granter, grant_ref_t ref,
                        uint32_t flags, struct grant_map_state *ret_state)
    MUST_CHECK;

/**
 * grant_map_commit() - the mapping is installed
 * @mapper: domain that maps
 * @state:  from grant_map_begin()
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void grant_map_commit(struct domain *mapper,
                      const struct grant_map_state *state);

/**
 * grant_map_abort() - the mapping could not be installed: undo
 * @mapper: domain that maps
 * @state:  from grant_map_begin()
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void grant_map_abort(struct domain *mapper,
                     const struct grant_map_state *state);

/**
 * grant_unmap_begin() - find a mapping and reserve it for taking down
 * @mapper:    domain that maps
 * @handle:    any number
 * @ret_state: what the record says
 *
 * Context: any but NMI/#MC.
 * Return:  GNTST_okay; GNTST_bad_handle none such, or being taken down
 */
int16_t grant_unmap_begin(struct domain *mapper, grant_handle_t handle,
                          struct grant_map_state *ret_state) MUST_CHECK;

/**
 * grant_unmap_end() - parts of the mapping are gone, or none
 * @mapper: domain that maps
 * @handle: what grant_unmap_begin() was told
 * @gone:   GNTMAP_host_map and GNTMAP_device_map: what was taken down; 0: the
 *          mapping stays as it was
 *
 * The record goes with its last part, and the reference it had.
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void grant_unmap_end(struct domain *mapper, grant_handle_t handle,
                     uint32_t gone);

/* ---- copying ------------------------------------------------------------ */

/**
 * grant_copy() - copy bytes from one frame to another
 * @d:  domain that asks
 * @op: what to copy; status is not written
 *
 * Each end is either a grant, or a frame of @d itself.
 *
 * Context: any but NMI/#MC.
 * Return:  GNTST_*
 */
int16_t grant_copy(struct domain *d, const struct gnttab_copy *op) MUST_CHECK;

/**
 * grant_cache_flush() - write back what the cache has of a frame
 * @d:           domain that asks: the frame is its own, or it maps a grant of it
 * @op:          which bytes, and how
 * @cursor:      where to go on looking for the mapping; 0 at first
 * @should_stop: asked now and then
 *
 * Any user program of a guest can do the same with CLFLUSH.
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL bytes beyond the frame, unknown bits, no such frame, or
 *          not mapped; -EPERM nobody's frame; -EOPNOTSUPP by reference, or to
 *          drop without writing back (no processor does); -ERESTART call again
 *          with @cursor
 */
int grant_cache_flush(struct domain *d, const struct gnttab_cache_flush *op,
                      uint32_t *cursor, bool (*should_stop)(void)) MUST_CHECK;

/**
 * grant_dump() - print a domain's pinned entries (debug key g)
 * @d: domain
 *
 * Context: any but NMI/#MC.
 * Return:  nothing.
 */
void grant_dump(struct domain *d);

#endif
