/* SPDX-License-Identifier: MIT */
/*
 * grant.h - what the files of the stub `grant` share.
 */
#ifndef VIGIL_STUBS_GRANT_H
#define VIGIL_STUBS_GRANT_H

#include "stub.h"

#define REF 9 /* the first eight are reserved */

/* The table's first frame, and what is granted and mapped. */
extern union grant_frame {
    struct grant_entry_v1 v1[PAGE_SIZE / sizeof(struct grant_entry_v1)];
    union grant_entry_v2 v2[PAGE_SIZE / sizeof(union grant_entry_v2)];
    char page[PAGE_SIZE];
} table;
extern uint64_t shared_page[512], window[512], copy_page[512];

/**
 * map() - map a granted page at the window
 * @granter:    domid
 * @ref:        entry
 * @flags:      GNTMAP_* besides host_map
 * @ret_handle: of the mapping
 *
 * Context: any but handlers.
 * Return:  GNTST_*
 */
int map(domid_t granter, grant_ref_t ref, unsigned int flags,
        grant_handle_t *ret_handle);

/**
 * unmap() - take the window down
 * @handle: from map()
 *
 * Context: any but handlers.
 * Return:  GNTST_*
 */
int unmap(grant_handle_t handle);

/**
 * copy_from() - copy from an entry to our page for copies
 * @granter:    domid
 * @ref:        entry
 * @src_offset: bytes
 * @dst_offset: bytes
 * @len:        bytes
 *
 * Context: any but handlers.
 * Return:  GNTST_*
 */
int copy_from(domid_t granter, grant_ref_t ref, unsigned int src_offset,
              unsigned int dst_offset, unsigned int len);

/**
 * version_2() - the table in version 2; at the end it is in version 1 again
 * @self: our domid
 *
 * Context: any but handlers; nothing is mapped.
 * Return:  nothing
 */
void version_2(domid_t self);

/**
 * three_domains() - a copy from one by way of another; Dom0 only
 *
 * Context: any but handlers.
 * Return:  nothing
 */
void three_domains(void);

/**
 * maptrack() - as many mappings as there may be, and no more
 * @self:   our domid
 * @frames: our max_maptrack_frames
 *
 * Dom0: also while there is no memory left.  With `leave` on the command line
 * they are all there at the end.
 * Context: any but handlers; nothing is mapped, the table is in version 1.
 * Return:  nothing
 */
void maptrack(domid_t self, unsigned int frames);

#endif /* VIGIL_STUBS_GRANT_H */
