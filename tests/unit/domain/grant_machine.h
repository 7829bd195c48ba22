/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/domain/grant_machine.h - three domains with grant tables, for the
 * tests of domain/grant*.c.
 */
#ifndef VIGIL_TESTS_GRANT_MACHINE_H
#define VIGIL_TESTS_GRANT_MACHINE_H

#include "tests/unit/unit.h"

#include "mm/directmap.h"
#include "domain/grant.h"
#include "domain/grant_impl.h"
#include "fake_hw.h"

/* Frames 0-15 belong to a, 16-31 to b, 32-47 to c; then the hypervisor's. */
#define PAGES     256
#define FRAMES_OF 16
#define FIRST_HV  48

extern struct domain dom_a, dom_b, dom_c;
/* Holds of each frame. */
extern int readers[PAGES], writers[PAGES];
/* The hypervisor's pages in use, those of them that a domain may map, and how
   many more there are (all but for a test that takes them). */
extern unsigned int hv_pages, hv_shared, hv_left;
/* May domain_get() find it? */
extern bool a_is_known;
/* A guest maps this page of the hypervisor's; NULL: none. */
extern const void *used_page;
/* The type of this frame forbids writing; -1: of none. */
extern int table_frame;
/* Called with each frame that is held. */
extern void (*on_hold)(uint64_t n);

/* cmocka's functions.  a: 4 frames at most; b: a page of records. */
int grant_group_setup(void **state);
int grant_setup(void **state);
int grant_teardown(void **state);

/* Entries of a, and of any. */
grant_entry_v1_t *entry(grant_ref_t ref);
grant_entry_v2_t *entry2(struct domain *d, grant_ref_t ref);
grant_status_t *status2(struct domain *d, grant_ref_t ref);
/* a grants b a frame, in version 1. */
void grant(grant_ref_t ref, uint16_t flags, uint32_t frame);
/* Entries of version 2: a frame, a part of one, what @origin granted @d. */
void full2(struct domain *d, grant_ref_t ref, domid_t to, uint16_t flags,
           uint64_t frame);
void part2(struct domain *d, grant_ref_t ref, domid_t to, uint16_t flags,
           uint64_t frame, uint16_t start, uint16_t length);
void via2(struct domain *d, grant_ref_t ref, domid_t to, domid_t origin,
          grant_ref_t origin_ref);
void to_version_2(struct domain *d);
uint8_t *byte(unsigned int frame, unsigned int offset);

#endif
