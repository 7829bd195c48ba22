/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/pv/mmu_machine.h - a machine of a few frames for page-type tests:
 * frame table, direct map, one domain with one vcpu and another domain, what
 * the code under test calls, and a model that recounts every reference.
 */
#ifndef VIGIL_TESTS_MMU_MACHINE_H
#define VIGIL_TESTS_MMU_MACHINE_H

#include "tests/unit/unit.h"

#include "domain/vcpu.h"
#include "pv/pv.h"

#define FRAMES      80
#define FIRST_L4    8
#define FIRST_L3    12
#define FIRST_L2    20
#define FIRST_L1    32
#define FIRST_DATA  48
#define FIRST_OTHER 64 /* frames of the other domain */
#define HELD_MAX    16

extern struct domain dom, other;
extern struct vcpu vcpu; /* of dom */
extern struct pv_vcpu pv_vcpu;
extern struct frame *held[HELD_MAX]; /* by pagetype_get_ref(), writable    */
extern unsigned int stop_chance;     /* of maybe_stop() being true, 16ths  */

/* Frames meant for level 0 (data) to 4. */
extern const uint32_t first_of[6], end_of[5];

/* Memory for the frame table and the direct map; once. */
void machine_init(void);
/* Everything as at the start. */
void machine_reset(unsigned int seed);
/* Every count is what the tables, pins, bases and holders say. */
void check_all(void);
/* End dom: nothing of it may be left. */
void teardown_and_check(void);
/* The page of frame @n. */
pte_t *table_at(unsigned int n);
/* mmuext_op @cmd on @frame. */
int ext(unsigned int cmd, uint32_t frame);
uint32_t rnd(uint32_t below);
bool maybe_stop(void);

#endif
