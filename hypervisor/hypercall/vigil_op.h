/* SPDX-License-Identifier: MIT */
/*
 * hypercall/vigil_op.h - what boot/ decides about Vigil's own hypercall.
 */
#ifndef VIGIL_HYPERCALL_VIGIL_OP_H
#define VIGIL_HYPERCALL_VIGIL_OP_H

#include "lib/compiler.h"
#include "lib/types.h"

/**
 * vigil_op_allow_provoke() - the option vigil_provoke=
 * @allow: may the control domain make the hypervisor fail?
 *
 * Context: boot.
 */
void vigil_op_allow_provoke(bool allow);

/**
 * provoke_failure() - fail, to prove that a record is left
 * @kind: VIGIL_PROVOKE_*
 *
 * Also for the debug keys of xl.
 * Context: any but NMI/#MC.
 * Return:  -EINVAL no such kind; 0 it was no failure, or survived; else never
 */
int provoke_failure(uint32_t kind) MUST_CHECK;

#endif
