/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/pv/mmu_machine.h - a machine of a few frames for page-type tests:
 * frame table, direct map, one domain with vcpus and another domain, what
 * the code under test calls, and a model that recounts every reference.
 */
#ifndef VIGIL_TESTS_MMU_MACHINE_H
#define VIGIL_TESTS_MMU_MACHINE_H

#include "tests/unit/unit.h"

#include "mm/memmap.h"
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
#define MACHINE_VCPUS 4

extern struct domain dom, other;
extern struct vcpu vcpus[MACHINE_VCPUS]; /* of dom */
extern struct pv_vcpu pv_vcpus[MACHINE_VCPUS];
/* By pagetype_get_ref(), writable; each vcpu's are its own. */
extern struct frame *held[MACHINE_VCPUS][HELD_MAX];
extern uint64_t guarded_frame; /* pci_guard_at() says so; 0: none  */
extern uint64_t zone_frame, zone_frames; /* of the black box; 0: none */
extern enum memmap_type unlisted_type; /* what no frame describes */
extern uint64_t shown_frame;   /* may be mapped read-only; 0: none */
extern unsigned int stop_chance; /* of maybe_stop() being true, 16ths */

/* Whose thread this is: the first one's unless it says otherwise. */
extern __thread unsigned int me;
#define my_vcpu (&vcpus[me])
#define my_pv   (&pv_vcpus[me])

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
/* This thread's random numbers from here on. */
void rnd_seed(unsigned int seed);
bool maybe_stop(void);

#endif
