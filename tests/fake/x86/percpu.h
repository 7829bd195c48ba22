/* SPDX-License-Identifier: MIT */
/*
 * tests/fake/x86/percpu.h - this CPU's block is an element of an array.
 */
#ifndef VIGIL_FAKE_X86_PERCPU_H
#define VIGIL_FAKE_X86_PERCPU_H

/* The structure is the real one; only the way to find it is not. */
#define read_rsp    real_read_rsp
#define this_cpu    real_this_cpu
#define this_cpu_id real_this_cpu_id
#define guest_regs  real_guest_regs
#include "../../../hypervisor/x86/percpu.h"
#undef read_rsp
#undef this_cpu
#undef this_cpu_id
#undef guest_regs

#include "fake_hw.h"

extern struct cpu_block fake_cpu_blocks[NR_CPUS];
extern struct cpu_regs fake_guest_regs[NR_CPUS];

static inline uint64_t read_rsp(void)
{
    return fake_rsp != 0 ? fake_rsp : real_read_rsp();
}

static inline struct cpu_block *this_cpu(void)
{
    return &fake_cpu_blocks[fake_cpu];
}

static inline cpu_t this_cpu_id(void)
{
    return this_cpu()->cpu_id;
}

static inline struct cpu_regs *guest_regs(void)
{
    return &fake_guest_regs[fake_cpu];
}

#endif
