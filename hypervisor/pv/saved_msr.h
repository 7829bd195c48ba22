/* SPDX-License-Identifier: MIT */
/*
 * pv/saved_msr.h - what a saved vcpu has beside its registers, as MSRs.
 *
 * libxc carries the list of XEN_DOMCTL_get_vcpu_msrs from one host to the next
 * without a look at it.  Three kinds are in it, each left out while it is 0:
 *
 *   SPEC_CTRL, TSC_AUX         as the guest wrote them
 *   MCG_STATUS, MCi_STATUS..   the machine-check banks it sees
 *   VIGIL_MSR_*                what has no register: virtual NMI and #MC that
 *                              wait, the handlers it is in, errors in line
 *
 * The numbers of the third kind are of the range that processors leave to
 * software (SDM 4, chapter 2).  ABI: docs/abi.md; docs/adr/0034.
 */
#ifndef VIGIL_PV_SAVED_MSR_H
#define VIGIL_PV_SAVED_MSR_H

#include "lib/compiler.h"
#include "lib/xen_abi.h"
#include "domain/vcpu.h"
#include "pv/pv.h"

/*
 * VIGIL_MSR_ASYNC: which of them wait, and which handlers it is in.
 *
 *   0  a virtual NMI waits       1  a virtual #MC waits
 *   4  5   VCPU_ASYNC_* now      8  9   handlers it is in: 0, 1 or 2
 *   12 13  VCPU_ASYNC_* before the outer one   16 17  before the inner one
 */
#define VIGIL_MSR_ASYNC        0x400000f0U
#define VIGIL_MSR_ASYNC_FRAME0 0x400000f1U /* where their frames lie: rip */
#define VIGIL_MSR_ASYNC_FRAME1 0x400000f2U
/* Errors that wait for the #MC handler to end, eight numbers for each. */
#define VIGIL_MSR_WAITING      0x400000c0U
#define VIGIL_MSR_WAITING_LAST (VIGIL_MSR_WAITING + 8 * VMCA_WAITING - 1)

/* SPEC_CTRL, TSC_AUX; MCG_STATUS, banks; NMI and #MC; errors in line. */
#define SAVED_MSRS_MAX (2 + 1 + 3 * VMCA_BANKS + 3 + 5 * VMCA_WAITING)

/**
 * saved_msrs_get() - MSRs to migrate (XEN_DOMCTL_get_vcpu_msrs)
 * @v:   vcpu that does not run
 * @out: room for SAVED_MSRS_MAX entries
 *
 * Context: any but NMI/#MC.
 * Return:  entries stored; those with value 0 are left out
 */
unsigned int saved_msrs_get(struct vcpu *v, xen_domctl_vcpu_msr_t *out);

/**
 * saved_msrs_set() - MSRs of a migrated guest (XEN_DOMCTL_set_vcpu_msrs)
 * @v:     vcpu that does not run
 * @msrs:  entries, copied from the caller; anything
 * @count: how many
 *
 * Context: any but NMI/#MC.
 * Return:  0; -EINVAL an index or value that cannot be set; those before it
 *          have been
 */
int saved_msrs_set(struct vcpu *v, const xen_domctl_vcpu_msr_t *msrs,
                   unsigned int count) MUST_CHECK;

#endif
