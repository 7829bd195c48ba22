/* SPDX-License-Identifier: MIT */
/*
 * domain/death.h - the log of domains that were killed or crashed.
 *
 * The last 64 records are kept, whatever becomes of the domain, so that the
 * collector finds the reason even when a toolstack has destroyed the guest.
 */
#ifndef VIGIL_DOMAIN_DEATH_H
#define VIGIL_DOMAIN_DEATH_H

#include <vigil/vigil_op.h>

#include "domain/domain.h"
#include "domain/vcpu.h"

/* Socket: pv/ adds what only it knows of a vcpu to the record. */
typedef void (*death_detail_fn)(struct vcpu *v, struct vigil_death *rec);

/**
 * death_plug() - set the writer of vcpu details
 * @fn: called for each record that has a vcpu
 *
 * Context: boot, once.
 */
void death_plug(death_detail_fn fn);

/**
 * death_record() - file one death
 * @d:    domain
 * @v:    vcpu at fault, or NULL
 * @code: VIGIL_DEATH_*
 * @text: one line
 *
 * Context: any but NMI/#MC.
 */
void death_record(struct domain *d, struct vcpu *v, uint32_t code,
                  const char *text);

/**
 * death_set_maddr() - the next record is about memory at this address
 * @maddr: machine address
 *
 * Called right before domain_crash(), and with 0 after it, for that does
 * nothing to a domain that is ending already.
 * Context: any but NMI/#MC.
 */
void death_set_maddr(uint64_t maddr);

/**
 * death_count() - records filed since boot
 *
 * Context: any.
 * Return:  count
 */
uint64_t death_count(void);

/**
 * death_name() - what a code means, in words
 * @code: VIGIL_DEATH_*, any value
 *
 * Context: any.
 * Return:  static string
 */
const char *death_name(uint32_t code);

#endif
