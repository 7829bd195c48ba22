/* SPDX-License-Identifier: MIT */
/*
 * hypercall/fpu_op.c - HYPERVISOR_fpu_taskswitch(set): the guest's CR0.TS.
 *
 * Return:  0
 */
#include "pv/fpu.h"
#include "hypercall/call.h"

int64_t do_fpu_taskswitch(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                          uint64_t a5)
{
    (void)a2;
    (void)a3;
    (void)a4;
    (void)a5;
    pv_fpu_set_ts(current, (uint32_t)a1 != 0);
    return 0;
}
