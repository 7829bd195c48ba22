/* SPDX-License-Identifier: MIT */
/*
 * entry/asm_offsets.c - structure offsets for .S files, taken from the
 * compiler's own output (hypervisor/Makefile turns "->" lines into #defines).
 */
#include "domain/vcpu.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "x86/percpu.h"
#include "x86/regs.h"

void asm_offsets(void);

#define OFFSET(name, value)                                                    \
    asm volatile("\n.ascii \"->" #name " %0\"" : : "i"(value))

void asm_offsets(void)
{
    OFFSET(REGS_SIZE, sizeof(struct cpu_regs));
    OFFSET(REGS_RAX, offsetof(struct cpu_regs, rax));
    OFFSET(REGS_RCX, offsetof(struct cpu_regs, rcx));
    OFFSET(REGS_RDX, offsetof(struct cpu_regs, rdx));
    OFFSET(REGS_SS, offsetof(struct cpu_regs, ss));
    OFFSET(REGS_VECTOR, offsetof(struct cpu_regs, entry_vector));
    OFFSET(REGS_FLAGS, offsetof(struct cpu_regs, entry_flags));
    OFFSET(REGS_RIP, offsetof(struct cpu_regs, rip));
    OFFSET(REGS_CS, offsetof(struct cpu_regs, cs));
    OFFSET(REGS_RFLAGS, offsetof(struct cpu_regs, rflags));
    OFFSET(REGS_RBP, offsetof(struct cpu_regs, rbp));
    OFFSET(REGS_RSP, offsetof(struct cpu_regs, rsp));
    OFFSET(CPU_DEFAULT_NR, NR_CPUS);
    OFFSET(ENTRY_ISOLATED, ENTRY_ISOLATED);
    OFFSET(CALL_BASE_GUEST, CALL_BASE_GUEST);
    OFFSET(ENOSYS, ENOSYS);

    OFFSET(BLOCK_PTI_GUEST, CPU_BLOCK_BYTES - CPU_STRUCT_BYTES +
                                offsetof(struct cpu_block, pti_guest));
    OFFSET(BLOCK_PTI_FULL, CPU_BLOCK_BYTES - CPU_STRUCT_BYTES +
                               offsetof(struct cpu_block, pti_full));
    OFFSET(BLOCK_SPEC_CTRL, CPU_BLOCK_BYTES - CPU_STRUCT_BYTES +
                                offsetof(struct cpu_block, spec_ctrl));

    /* A guest's frame lies right below the block (x86/percpu.h). */
    OFFSET(FRAME_CPU_WORK,
           sizeof(struct cpu_regs) + offsetof(struct cpu_block, work));
    OFFSET(FRAME_CPU_VCPU,
           sizeof(struct cpu_regs) + offsetof(struct cpu_block, current_vcpu));
    OFFSET(FRAME_CPU_CALL_BASE,
           sizeof(struct cpu_regs) + offsetof(struct cpu_block, call_base));
    OFFSET(VCPU_NMI_MCE_PENDING, offsetof(struct vcpu, nmi_pending));
    OFFSET(VCPU_INFO, offsetof(struct vcpu, vcpu_info));
    OFFSET(UPCALL_PENDING, offsetof(vcpu_info_t, evtchn_upcall_pending));
    OFFSET(UPCALL_MASK, offsetof(vcpu_info_t, evtchn_upcall_mask));
    /* vectors.S looks at three words at once. */
    STATIC_ASSERT(offsetof(struct cpu_block, softirq) ==
                  offsetof(struct cpu_block, work) + sizeof(uint16_t),
                  "FRAME_CPU_WORK is all");
    STATIC_ASSERT(offsetof(struct cpu_block, context) ==
                  offsetof(struct cpu_block, work) + sizeof(uint32_t),
                  "FRAME_CPU_WORK is all");
    STATIC_ASSERT(offsetof(struct cpu_block, work) % sizeof(uint64_t) == 0,
                  "FRAME_CPU_WORK");
    STATIC_ASSERT(offsetof(struct vcpu, mce_pending) ==
                  offsetof(struct vcpu, nmi_pending) + 1,
                  "VCPU_NMI_MCE_PENDING is both");
}
