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
 * alternative_apply() - alternative_patch() on the image's own table
 * @chosen: as there
 *
 * Panics where that refuses: then the image is wrong.
 * Context: as there.
 */
void alternative_apply(uint32_t chosen);

#endif
