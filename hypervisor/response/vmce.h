/* SPDX-License-Identifier: MIT */
/*
 * response/vmce.h - turn a machine check into the guest's own.
 *
 * The guest is told in the one form its kernel is sure to understand: a
 * memory error in its pseudo-physical address, action optional or required.
 * Model-specific bits and machine addresses are kept from it.
 *
 *   Intel  SRAO as a scrubber's find, SRAR as a data load or an instruction
 *          fetch (SDM 3B 16.6); every vcpu hears of it, as after a broadcast
 *   AMD    what waits is a deferred error, what was consumed is uncorrected
 *          and poison (APM 2 9.3); only one vcpu hears of it
 */
#ifndef VIGIL_RESPONSE_VMCE_H
#define VIGIL_RESPONSE_VMCE_H

#include <vigil/mce.h>

#include "lib/compiler.h"
#include "domain/domain.h"
#include "pv/vmca.h"

struct vmce {
    const struct vigil_mce_bank *source;
    bool required;  /* the vcpu has consumed it                          */
    uint64_t pfn;   /* guest's frame number; M2P_INVALID: address unknown */
};

/**
 * vmce_translate() - the registers a guest is to find
 * @e:         the error
 * @intel:     which processor the guest believes in
 * @ret_error: bank, addresses, status, MCG_STATUS
 *
 * Context: any; pure.
 */
void vmce_translate(const struct vmce *e, bool intel,
                    struct vmca_error *ret_error);

/**
 * vmce_deliver() - raise the virtual machine check
 * @d:    domain
 * @vcpu: the one that consumed it; -1: any
 * @e:    the error
 *
 * Context: any but NMI/#MC.
 * Return:  0        pending, or behind the one being handled
 *          -ENOENT  no handler for vector 18, or no vcpu that is up
 *          -ENOSPC  not required, and too many wait: it learns that it missed
 *                   some, not which
 *          -EBUSY   it has not acknowledged the one before, or has used the
 *                   memory in the middle of handling that
 */
int vmce_deliver(struct domain *d, int vcpu, const struct vmce *e) MUST_CHECK;

#endif
