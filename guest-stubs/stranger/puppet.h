/* SPDX-License-Identifier: MIT */
/*
 * puppet.h - a guest that does one thing at a time, as Dom0 tells it.
 */
#ifndef VIGIL_STUBS_PUPPET_H
#define VIGIL_STUBS_PUPPET_H

#include "stranger.h"

/* Beside the numbers of hypercalls; @a1 is the port or address, @a2 the value. */
#define PUPPET_IN8    0x1000UL
#define PUPPET_IN16   0x1001UL
#define PUPPET_OUT8   0x1002UL
#define PUPPET_OUT16  0x1003UL
#define PUPPET_READ32 0x1004UL

/* What a fault says in the place of a result. */
#define PUPPET_FAULT (-4096L)

/* Its first page that nothing is mapped at. */
#define PUPPET_WINDOW 0xffffffff80010000UL

/**
 * puppet_make() - make it and let it run
 *
 * Context: once, in Dom0.
 * Return:  false: it could not be made, which has been reported
 */
bool puppet_make(void);

/**
 * puppet_do() - have it do something
 * @nr: number of a hypercall, or PUPPET_*
 * @a1: the first argument
 * @a2: the second
 * @a3: the third
 * @a4: the fourth
 *
 * Context: in Dom0, upcalls masked.
 * Return:  what it got
 */
long puppet_do(unsigned long nr, unsigned long a1, unsigned long a2,
               unsigned long a3, unsigned long a4);

/**
 * puppet_op() - have it make a hypercall with a struct
 * @nr:   number of the hypercall
 * @cmd:  its first argument
 * @arg:  struct; what the hypervisor changes in it comes back
 * @size: of it
 *
 * Context: in Dom0, upcalls masked.
 * Return:  what it got
 */
long puppet_op(unsigned long nr, unsigned long cmd, void *arg, size_t size);

/**
 * puppet_seen() - events that it has taken, and forget them
 *
 * Context: in Dom0.
 * Return:  a bit for each of its first 64 ports
 */
uint64_t puppet_seen(void);

/**
 * puppet_domid() - which domain it is
 *
 * Context: in Dom0, once made.
 * Return:  its number
 */
domid_t puppet_domid(void);

/**
 * puppet_end() - destroy it
 *
 * Context: in Dom0.
 * Return:  nothing
 */
void puppet_end(void);

#endif /* VIGIL_STUBS_PUPPET_H */
