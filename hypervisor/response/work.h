/* SPDX-License-Identifier: MIT */
/*
 * response/work.h - what NMI and #MC context deferred.
 */
#ifndef VIGIL_RESPONSE_WORK_H
#define VIGIL_RESPONSE_WORK_H

/**
 * response_init() - plug response/ into the sockets of lower floors
 *
 * Context: boot, once.
 */
void response_init(void);

/**
 * response_run() - drain this CPU's work bits, in a fixed order
 *
 * Context: exit path, main stack, interrupts on.
 */
void response_run(void);

#endif
