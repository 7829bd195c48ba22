/* SPDX-License-Identifier: MIT */
/*
 * cpu/alternative.h - code that boot changes once (x86/alternative.h).
 */
#ifndef VIGIL_CPU_ALTERNATIVE_H
#define VIGIL_CPU_ALTERNATIVE_H

#include "lib/compiler.h"
#include "x86/alternative.h"

/**
 * alternative_patch() - apply the chosen ones of a table of sites
 * @first:  first site
 * @last:   behind the last one
 * @chosen: bit n: the replacements numbered n apply
 *
 * Of several chosen ones for the same bytes the last in the table stays.
 * Context: boot, one CPU, text writable, no guest yet.
 * Return:  true; false: a replacement is longer than its site, and nothing
 *          was changed
 */
bool alternative_patch(const struct alt_site *first,
                       const struct alt_site *last, uint32_t chosen) MUST_CHECK;

/**
 * alternative_returns() - functions return by a RET of their own
 * @image: where offsets count from
 * @first: first offset of a jump to the return thunk
 * @last:  behind the last one
 *
 * Context: as alternative_patch().
 */
void alternative_returns(uint8_t *image, const uint32_t *first,
                         const uint32_t *last);

/**
 * alternative_apply() - both of them on the image's own tables
 * @chosen:        as for alternative_patch()
 * @plain_returns: false: functions go on returning by way of the thunk
 *
 * Panics where that refuses: then the image is wrong.
 * Context: as there.
 */
void alternative_apply(uint32_t chosen, bool plain_returns);

#endif
