/* SPDX-License-Identifier: MIT */
/* lib/death.h - why a domain ended: codes of the hypervisor as words. */
#ifndef VIGIL_TOOLS_DEATH_H
#define VIGIL_TOOLS_DEATH_H

#include <stdint.h>

/**
 * death_class() - a death code as a stable word for programs
 * @code: VIGIL_DEATH_*, others are tolerated
 *
 * Context: any.
 * Return:  constant text such as "no_trap_handler"; "unknown" for others
 */
const char *death_class(uint32_t code);

/**
 * death_sentence() - a death code as a sentence for people
 * @code: VIGIL_DEATH_*, others are tolerated
 *
 * Context: any.
 * Return:  constant text, no full stop
 */
const char *death_sentence(uint32_t code);

/**
 * death_by_guest() - did the guest end itself?
 * @code: VIGIL_DEATH_*
 *
 * Context: any.
 * Return:  1 when it asked for its own end, 0 when the hypervisor killed it
 */
int death_by_guest(uint32_t code);

#endif
