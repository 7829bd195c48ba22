/* SPDX-License-Identifier: MIT */
/*
 * vcpus.h - the other vcpus of a stub; for those that link common/vcpus.o.
 *
 * Each has a stack of its own, by which it knows who it is.  All share the
 * page tables, the trap handlers (whose table is the first vcpu's) and the
 * shared page.  print() and report() are for vcpu 0 alone.
 */
#ifndef VIGIL_STUBS_VCPUS_H
#define VIGIL_STUBS_VCPUS_H

#include "stub.h"

#define VCPUS_MAX 8

/* Its part of the shared page. */
#define vcpu_info_of(id) (&shared_info_page.vcpu_info[id])

/**
 * vcpu_self() - which vcpu is this?
 *
 * Context: any.
 * Return:  its number
 */
unsigned int vcpu_self(void);

/**
 * vcpus_there() - how many vcpus does the domain have?
 *
 * Context: any.
 * Return:  VCPUS_MAX at most
 */
unsigned int vcpus_there(void);

/**
 * vcpu_start() - let another vcpu run a function
 * @id: 1 to vcpus_there() - 1, not started before
 * @fn: called on it with its number, events masked; it goes down at the end
 *
 * It has handlers for all vectors, NMIs too.
 *
 * Context: vcpu 0.
 * Return:  what the hypervisor said
 */
long vcpu_start(unsigned int id, void (*fn)(unsigned int id));

/**
 * vcpu_tsc() - the time stamp counter, in order with the loads around it
 *
 * Context: any.
 * Return:  cycles
 */
static inline uint64_t vcpu_tsc(void)
{
    uint32_t low, high;

    __asm__ volatile("lfence; rdtsc; lfence"
                     : "=a"(low), "=d"(high)::"memory");
    return ((uint64_t)high << 32) | low;
}

#endif /* VIGIL_STUBS_VCPUS_H */
