/* SPDX-License-Identifier: MIT */
/*
 * response/mce_response.h - for each committed record: what happened, who is
 * hurt, what we do.
 *
 *   owner of the memory      nobody consumed it     the guest consumed it
 *   free                     out of service         out of service
 *   a domain                 virtual #MC to it      virtual #MC to it; to the
 *                                                   consumer too if another
 *   shared with a domain     that domain is killed  that domain is killed
 *   the hypervisor           marked, "degraded"     panic
 *   not RAM                  logged                 the consumer is killed
 *
 * A domain that has no handler, or has not finished with its last one, is
 * killed, alone.
 */
#ifndef VIGIL_RESPONSE_MCE_RESPONSE_H
#define VIGIL_RESPONSE_MCE_RESPONSE_H

/**
 * mce_response_run() - deal with every record, oldest first
 *
 * Context: exit path, main stack, interrupts on.
 */
void mce_response_run(void);

#endif
