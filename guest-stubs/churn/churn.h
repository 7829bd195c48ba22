/* SPDX-License-Identifier: MIT */
/*
 * churn/churn.h - what the files of the stub `churn` share.
 */
#ifndef VIGIL_STUBS_CHURN_H
#define VIGIL_STUBS_CHURN_H

#include "visitor.h"

/* One visit: what is asked for. */
struct visit {
    uint32_t take; /* TAKE_*                                       */
    enum visitor_end end;
    unsigned int vcpus;
    unsigned int vcpus_down; /* more, that never run                */
    bool large;     /* 2 MiB more                                   */
    bool elsewhere; /* not on the processor that destroys it        */
    bool held;      /* Dom0 lets go of it when it has been destroyed */
};

/**
 * visit_begin() - once, before the first visit
 *
 * Context: Dom0.
 * Return:  false: reported
 */
bool visit_begin(void);

/**
 * visit_open() - the first half of a visit: it has come and taken
 * @v: what is asked for, with TAKE_FIFO and TAKE_MANY; it is wide (tiny.h)
 *
 * Context: after visit_begin().
 * Return:  the guest, to be destroyed; NULL: reported
 */
struct tiny *visit_open(const struct visit *v);

/**
 * visit_let_go() - Dom0 maps no page of the guest of visit_open() any more
 *
 * Context: after it, once; before or after the guest is destroyed.
 * Return:  nothing; reports
 */
void visit_let_go(void);

/**
 * visit_close() - the guest of visit_open() has been destroyed and let go
 *
 * Context: after it, once.
 * Return:  false: reported; something may be left
 */
bool visit_close(void);

/**
 * visit() - one life of a guest, to the end
 * @v: what is asked for
 *
 * Context: after visit_begin().
 * Return:  false: reported; something may be left
 */
bool visit(const struct visit *v);

/**
 * steps() - how long Dom0's events wait while a large guest is destroyed
 * @mib: memory of the guest, all of it mapped by page tables that are pinned
 *
 * Prints what it found.
 * Context: Dom0; events masked.
 * Return:  nothing; reports
 */
void steps(unsigned int mib);

#endif /* VIGIL_STUBS_CHURN_H */
