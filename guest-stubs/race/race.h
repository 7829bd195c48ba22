/* SPDX-License-Identifier: MIT */
/*
 * race.h - what the files of the stub `race` share.
 *
 * A race has a part for each of the other vcpus, which run it over and over
 * until they are told to stop, and one for the first, which does that.
 */
#ifndef VIGIL_STUBS_RACE_H
#define VIGIL_STUBS_RACE_H

#include "vcpus.h"

struct race {
    const char *name;
    /* On vcpu 0; false: it cannot be tried. */
    bool (*begin)(void);
    /* On each of the others, again and again; @seed is its own. */
    void (*turn)(unsigned int id, uint64_t *seed);
    /* On vcpu 0, again and again, meanwhile. */
    void (*step)(uint64_t *seed);
    /* On vcpu 0: has enough happened? */
    bool (*enough)(void);
    /* On vcpu 0, when all others have stopped. */
    void (*end)(void);
};

extern const struct race race_grants, race_ports, race_tables;
extern unsigned int vcpus;

static inline void count(uint64_t *what)
{
    __atomic_fetch_add(what, 1, __ATOMIC_SEQ_CST);
}

#endif /* VIGIL_STUBS_RACE_H */
