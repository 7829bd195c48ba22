/* SPDX-License-Identifier: MIT */
/*
 * hypercall/multicall.h - how a restarted call tells the batch it is in.
 */
#ifndef VIGIL_HYPERCALL_MULTICALL_H
#define VIGIL_HYPERCALL_MULTICALL_H

#include "lib/types.h"

/**
 * multicall_set_restart() - the entry now running is to run again
 * @nr:   number to call
 * @args: new arguments
 * @used: how many of them
 *
 * Context: hypercall inside a multicall.
 */
void multicall_set_restart(uint64_t nr, const uint64_t args[5],
                           unsigned int used);

#endif
