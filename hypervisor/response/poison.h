/* SPDX-License-Identifier: MIT */
/*
 * response/poison.h - a frame of bad memory: take it out of use, find out
 * whom it hurts.
 */
#ifndef VIGIL_RESPONSE_POISON_H
#define VIGIL_RESPONSE_POISON_H

#include "lib/compiler.h"
#include "lib/frames.h"
#include "lib/xen_abi.h"

enum poison_victim {
    POISON_NOT_RAM,    /* no memory Vigil manages                         */
    POISON_NOBODY,     /* was free: out of service from now on            */
    POISON_DOMAIN,     /* a domain's memory: leaves service after it      */
    POISON_SHARED,     /* a page the hypervisor shares with a domain      */
    POISON_HYPERVISOR, /* the hypervisor's own                            */
};

struct poison {
    enum poison_victim victim;
    mfn_t mfn;
    domid_t owner; /* POISON_DOMAIN, POISON_SHARED                       */
    uint64_t pfn;  /* the owner's number for it, M2P_INVALID: none       */
};

/**
 * poison_mark() - mark the frame of an address broken, for ever
 * @maddr:      machine address, as the hardware reported it; any value
 * @ret_poison: what it is part of
 *
 * Marking again is fine.
 * Context: any but NMI/#MC. Takes the heap lock (rank 40).
 */
void poison_mark(uint64_t maddr, struct poison *ret_poison);

#endif
