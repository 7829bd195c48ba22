/* SPDX-License-Identifier: MIT */
/*
 * paths.h - what is interrupted: one short operation for each way through the
 * hypervisor.
 */
#ifndef VIGIL_STUBS_SWEEP_PATHS_H
#define VIGIL_STUBS_SWEEP_PATHS_H

#include "shot.h"

struct path {
    const char *name;
    /* An NMI of its own comes so many instructions after the beginning. */
    bool has_first;
    unsigned int first, firsts; /* .. and later with each pass, so many */
    unsigned int from;          /* where the sweep begins               */
    bool is_preempted; /* a hypercall: rdi and rsi tell how far it has got */
    unsigned int variants; /* of each step; 0: one */
    bool variants_differ;  /* also without an event: each is compared with itself */
    bool has_others;       /* processors, that must run before it is looked at */
    bool is_asked_for;     /* needs another machine: only by its name */
    /* Once, before the shots; false: it cannot be. */
    bool (*begin)(void);
    /* Once, after them. */
    void (*end)(void);
    /* Before each shot: what it needs in registers. */
    void (*prepare)(struct shot_regs *in);
    /* After each: NULL, or what is wrong. */
    const char *(*check)(void);
    const void *op;
};

/* Of the shot that is being prepared: 0 to variants - 1. */
extern unsigned int path_variant;

extern const struct path paths[];
extern const unsigned int path_count;

/**
 * paths_init() - page tables, ports, a guest to switch to
 *
 * Context: once.
 * Return:  false: a failure was reported
 */
bool paths_init(void);

/**
 * path_begin_idle() - wait until the hypervisor halts when there is nothing to do
 *
 * Before that it cleans memory.
 *
 * Context: once, before the shots.
 * Return:  false: a failure was reported
 */
bool path_begin_idle(void);

/**
 * path_frame() - what the last shot's way into the kernel left on its stack
 *
 * Context: after a shot.
 * Return:  rip, cs, rflags, rsp, ss
 */
const uint64_t *path_frame(void);

#endif /* VIGIL_STUBS_SWEEP_PATHS_H */
