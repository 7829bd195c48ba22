/* SPDX-License-Identifier: MIT */
/*
 * stranger.h - the parts of the stub, and what it has been given.
 *
 * Include before any other header: it asks Xen's headers for the tools' part.
 */
#ifndef VIGIL_STUBS_STRANGER_H
#define VIGIL_STUBS_STRANGER_H

#include "../bench/tiny.h"

/* Domains whose numbers are tried: one that is there, one that is not. */
#define SOMEBODY ((domid_t)0)
#define NOBODY   ((domid_t)7777)

#define HPET_FRAME 0xfed00UL

/* By the command line, in a guest; nothing otherwise. */
struct given {
    unsigned long port, ports; /* first, count */
    unsigned long irq;         /* 0: none      */
    unsigned long frame;       /* 0: none      */
};
extern struct given given;

/**
 * expect() - a call has to say just this
 * @what: the call
 * @rc:   what it said
 * @want: what it must say
 *
 * Context: any but handlers.
 * Return:  nothing
 */
void expect(const char *what, long rc, long want);

/**
 * stranger_calls() - hypercalls about others, and those of the control domain
 *
 * Context: in an ordinary guest.
 * Return:  nothing
 */
void stranger_calls(void);

/**
 * stranger_grants() - grant tables of others
 *
 * Context: in an ordinary guest.
 * Return:  nothing
 */
void stranger_grants(void);

/**
 * stranger_frames() - memory that is not ours, devices', the hypervisor's
 *
 * Context: in an ordinary guest.
 * Return:  nothing
 */
void stranger_frames(void);

/**
 * stranger_ports() - in, out, MSRs and other instructions
 *
 * Context: in an ordinary guest.
 * Return:  nothing
 */
void stranger_ports(void);

/**
 * stranger_given() - use what the command line says that we have been given
 *
 * Context: in an ordinary guest, last.
 * Return:  nothing
 */
void stranger_given(void);

/**
 * keeper_main() - as Dom0: give a guest things, one by one, and take them away
 *
 * Context: once.
 * Return:  nothing
 */
void keeper_main(void);

#endif /* VIGIL_STUBS_STRANGER_H */
