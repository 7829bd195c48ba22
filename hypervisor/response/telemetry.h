/* SPDX-License-Identifier: MIT */
/*
 * response/telemetry.h - machine-check records for the control domain, in the
 * form HYPERVISOR_mca gives them out.
 *
 * Two classes, as on this ABI: urgent (machine checks, uncorrected errors) and
 * not urgent (corrected ones).  The cookie of a record is its number.
 */
#ifndef VIGIL_RESPONSE_TELEMETRY_H
#define VIGIL_RESPONSE_TELEMETRY_H

#include "lib/compiler.h"
#include "lib/xen_abi.h"
#include "ras/record.h"

/**
 * telemetry_publish() - a record has been dealt with: offer it
 * @r: CONSUMING; becomes HELD
 *
 * Raises VIRQ_MCA.
 * Context: any but NMI/#MC.
 */
void telemetry_publish(struct mce_record *r);

/**
 * telemetry_fetch() - the oldest record nobody has acknowledged
 * @urgent:     class
 * @ret_info:   the record in the ABI's form, unused bytes zero
 * @ret_cookie: what to acknowledge it with, not 0
 *
 * Context: any but NMI/#MC.
 * Return:  0, -ENOENT none
 */
int telemetry_fetch(bool urgent, struct mc_info *ret_info,
                    uint64_t *ret_cookie) MUST_CHECK;

/**
 * telemetry_acknowledge() - the control domain has it
 * @urgent: class
 * @cookie: from telemetry_fetch()
 *
 * Context: any but NMI/#MC.
 * Return:  0; -ENOENT: overwritten meanwhile, or no such cookie
 */
int telemetry_acknowledge(bool urgent, uint64_t cookie) MUST_CHECK;

/**
 * telemetry_build() - translate a record
 * @d:        the record
 * @ret_info: the ABI's form
 *
 * A global entry comes first, then the banks, then what was done about them.
 * Context: any; pure.
 */
void telemetry_build(const struct vigil_mce_record *d,
                     struct mc_info *ret_info);

#endif
