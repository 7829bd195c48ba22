/* SPDX-License-Identifier: MIT */
/*
 * domain/grant_impl.h - what the grant*.c files share; for them only.
 */
#ifndef VIGIL_DOMAIN_GRANT_IMPL_H
#define VIGIL_DOMAIN_GRANT_IMPL_H

#include "x86/nospec.h"
#include "sync/spinlock.h"
#include "domain/grant.h"

/* Our side of an entry; all zero while nobody uses it. */
struct grant_use {
    uint16_t readers, writers; /* G */
    domid_t user;              /* G: valid while in use */
    bool is_part;              /* G: in use as less than a frame; not mapped */
    uint64_t mfn;              /* G: valid while in use, unless is_part */
};

/* One foreign grant that a domain maps; found by its handle. */
struct grant_record {
    struct domain *granter; /* a reference is held; NULL: record is free */
    uint64_t mfn;
    grant_ref_t ref; /* free: handle of the next free record             */
    uint32_t flags;  /* GNTMAP_*_map, _readonly; RECORD_BUSY             */
};

/* An operation has it in hand: nobody else may find it. */
#define RECORD_BUSY 0x80000000U
#define RECORD_NONE 0xffffffffU

#define RECORDS_PER_PAGE (PAGE_SIZE / sizeof(struct grant_record))

/* Uses are kept in pages, whatever the version. */
#define USES_PER_PAGE     (PAGE_SIZE / sizeof(struct grant_use))
#define V2_PER_FRAME      (PAGE_SIZE / sizeof(grant_entry_v2_t))
#define STATUS_PER_FRAME  (PAGE_SIZE / sizeof(grant_status_t))
#define FRAMES_PER_STATUS (STATUS_PER_FRAME / V2_PER_FRAME)

/* Between two versions: nothing can be pinned, the table does not grow. */
#define VERSION_NONE 0

/* Legend:  c  constant after creation   G  the table's lock */
struct grant_table {
    struct spinlock lock;     /* LOCK_RANK_GRANT                       */
    unsigned int version;     /* G: 1, 2, VERSION_NONE                 */
    unsigned int entries;     /* G: valid references                   */
    void **shared;            /* G: entries, the guest's also          */
    struct grant_use **use;   /* G: pages of USES_PER_PAGE, each NULL until
                                 one of its entries is used; these two
                                 come with the first frame             */
    unsigned int pinned;      /* G: entries in use                     */
    unsigned int nr_frames;   /* G: of shared; only grows              */
    unsigned int max_frames;  /* c                                     */
    unsigned int max_version; /* c                                     */
    unsigned int nr_status;   /* G: of status                          */
    grant_status_t **status;  /* G: version 2; the guest's also        */

    unsigned int record_pages;     /* G: grows until the domain dies     */
    unsigned int max_record_pages; /* c                                  */
    struct grant_record **record;  /* G: NULL until one is needed        */
    grant_handle_t free_record;    /* G: list, RECORD_NONE: empty        */
    unsigned int destroy_next;     /* progress of the destruction        */
    unsigned int destroy_released; /* found mapped by it, not yet said   */
};

/* An entry, wherever its parts are. */
struct grant_place {
    struct grant_use *use;
    union {
        grant_entry_v1_t *v1;
        grant_entry_v2_t *v2;
    };
    grant_status_t *status; /* version 2 */
};

static inline unsigned int grant_entries_a_frame(unsigned int version)
{
    return (unsigned int)(version == 1 ? GRANT_ENTRIES_PER_FRAME
                                       : V2_PER_FRAME);
}

static inline unsigned int grant_status_frames(unsigned int frames)
{
    return (unsigned int)((frames + FRAMES_PER_STATUS - 1) / FRAMES_PER_STATUS);
}

static inline bool grant_use_is_idle(const struct grant_use *use)
{
    return (use->readers | use->writers) == 0;
}

/* The marks an entry with these uses has: GTF_reading, GTF_writing. */
static inline uint16_t grant_use_marks(const struct grant_use *use)
{
    return (uint16_t)((grant_use_is_idle(use) ? 0 : GTF_reading) |
                      (use->writers != 0 ? GTF_writing : 0));
}

/**
 * grant_find() - an entry of a table of either version
 * @d:         granter
 * @ref:       any number
 * @ret_place: where it is
 *
 * Context: the table's lock held.
 * Return:  true; false: none such, no memory, or between two versions
 */
bool grant_find(struct domain *d, grant_ref_t ref,
                struct grant_place *ret_place);

/**
 * grant_grow_locked() - grant_table_grow()
 * @d:         domain
 * @nr_frames: frames wanted
 *
 * Context: the table's lock held.
 * Return:  as grant_table_grow()
 */
int grant_grow_locked(struct domain *d, unsigned int nr_frames);

/**
 * grant_status_grow() - have status frames for that many frames of entries
 * @d:         domain
 * @nr_frames: frames of entries
 *
 * Context: the table's lock held, or between two versions.
 * Return:  0; -ENOMEM
 */
int grant_status_grow(struct domain *d, unsigned int nr_frames);

#endif
