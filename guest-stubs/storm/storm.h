/* SPDX-License-Identifier: MIT */
/*
 * storm.h - the vcpus of the stub `storm`, their clocks and run times.
 */
#ifndef VIGIL_STUBS_STORM_H
#define VIGIL_STUBS_STORM_H

#include "vcpus.h"

/* How a worker sleeps, and what wakes it. */
enum sleep {
    SLEEP_TIMER,    /* blocked: its one-shot timer                    */
    SLEEP_PERIODIC, /* blocked: two ticks of its periodic timer       */
    SLEEP_POLL,     /* SCHEDOP_poll with a time                       */
    SLEEP_BELL,     /* blocked: another one's event                   */
    SLEEP_PORT,     /* SCHEDOP_poll of a masked port: another's event */
    SLEEP_NMI,      /* blocked: another one's VCPUOP_send_nmi         */
    SLEEP_DOWN,     /* VCPUOP_down: vcpu 0's VCPUOP_up                */
    SLEEPS,
};

/* One to each cache line or more: w: the worker's, o: others'. */
struct worker {
    enum sleep how;         /* w: now */
    uint64_t due_ns;        /* w: when it should be awake; ~0: it is awake */
    uint64_t turns;         /* w */
    uint64_t count[SLEEPS]; /* w */
    uint64_t worst_ns;      /* w: the longest from its wake-up to its waking */
    enum sleep worst_how;   /* w */
    uint64_t early;         /* w: woken before it was time */
    uint64_t random;        /* w */
    uint32_t fired;         /* w: by its handlers */
    uint32_t nmis;          /* w: by its handler */
    uint32_t wants_up;      /* w to set, vcpu 0 to clear */
    uint64_t rung_ns;       /* o: when it was woken */
    uint32_t rung;          /* o */
    evtchn_port_t timer_port, ask_port, bell_port, poll_port;
    uint64_t mine;          /* ports of it, those above, by bit */
    /* Who wants to be woken by this one, and how: o to set, w to clear. */
    uint32_t asks[VCPUS_MAX];
} __attribute__((aligned(256)));

extern struct worker workers[VCPUS_MAX];
extern unsigned int vcpus, cpus;

/* ---- clocks.c ------------------------------------------------------------ */

/* What the clocks have been found to do wrong; counted by all vcpus. */
struct clocks {
    uint64_t readings;
    uint64_t backwards, worst_back_ns; /* before what another had read */
    uint64_t differ;                   /* two vcpus' formulas, of one TSC */
    uint64_t least_step_ns;            /* between two vcpus: how sharp it is */
};
extern struct clocks clocks;

/**
 * clocks_init() - what the command line says of clocks
 *
 * `skew=NS` takes so many off the time of vcpu 1: for the test of the test.
 *
 * Context: vcpu 0, before the others run.
 * Return:  nothing
 */
void clocks_init(void);

/**
 * clock_read() - this vcpu's time, compared with what all have read before
 * @id: this vcpu
 *
 * Context: any, events on or off.
 * Return:  ns
 */
uint64_t clock_read(unsigned int id);

/**
 * clocks_compare() - are all vcpus' times the same, to the ns, at one moment?
 * @id: this vcpu
 *
 * By the published formulas, of one reading of the time stamp counter.
 *
 * Context: any.
 * Return:  nothing
 */
void clocks_compare(unsigned int id);

/* ---- times.c ------------------------------------------------------------- */

/* What has been found wrong with the run times; counted by all vcpus. */
struct times {
    uint64_t looks;
    uint64_t torn;     /* the area's four do not add up, to the ns    */
    uint64_t outside;  /* the call's four add up to no moment of it   */
    uint64_t shrunk;   /* one of them has become less                 */
    uint64_t not_own;  /* who looks at itself is not running          */
    uint64_t flags;    /* the area was being written, seen by another */
    uint64_t waits;    /* who had lost its CPU was seen to wait       */
    uint64_t unsaid;   /* ... and was not                             */
};
extern struct times times;

/**
 * times_register() - have this vcpu's run times published
 * @id: this vcpu
 *
 * Context: once.
 * Return:  what the hypervisor said
 */
long times_register(unsigned int id);

/**
 * times_check_own() - this vcpu's published run times, against themselves
 * @id: this vcpu
 *
 * Context: registered.
 * Return:  nothing
 */
void times_check_own(unsigned int id);

/**
 * times_check() - any vcpu's run times, by the call and against the clock
 * @by: this vcpu
 * @id: whose
 *
 * Context: vcpu 0 alone.
 * Return:  nothing
 */
void times_check(unsigned int by, unsigned int id);

#endif /* VIGIL_STUBS_STORM_H */
