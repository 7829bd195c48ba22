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
    uint64_t mfn;              /* G: valid while in use */
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

/* Legend:  c  constant after creation   G  the table's lock */
struct grant_table {
    struct spinlock lock;      /* LOCK_RANK_GRANT            */
    unsigned int nr_frames;    /* G: only grows              */
    unsigned int max_frames;   /* c                          */
    grant_entry_v1_t **shared; /* c; pages G                 */
    struct grant_use **use;    /* c; arrays G: one per frame, NULL until one
                                  of its entries is used */

    unsigned int record_pages;     /* G: only grows          */
    unsigned int max_record_pages; /* c                      */
    struct grant_record **record;  /* G: NULL until one is needed */
    grant_handle_t free_record;    /* G: list, RECORD_NONE: empty   */
    unsigned int destroy_next;     /* progress of the destruction   */
};

#endif
