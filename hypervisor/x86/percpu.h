/* SPDX-License-Identifier: MIT */
/*
 * x86/percpu.h - this CPU's block, found from the stack pointer.
 *
 *   +0x10000 - 0x400   struct cpu_block   (this_cpu())
 *   below it           struct cpu_regs of the interrupted guest (guest_regs())
 *   +0xb000            main stack, grows down to here
 *   +0x9000            NMI stack A, a page
 *   +0x7000            NMI stack B, a page
 *   +0x5000            #MC stack A, a page
 *   +0x3000            #MC stack B, a page
 *   +0x1800            #DF stack, half a page
 *   +0x1000            #DB stack, half a page
 *
 * The page below each of these pages is a guard: it is not mapped.  #DF may
 * run over #DB's stack, which is not used again once it is needed.
 *
 * INV-CPU-1: valid from the first C instruction on every stack.
 */
#ifndef VIGIL_X86_PERCPU_H
#define VIGIL_X86_PERCPU_H

#include <vigil/context.h>

#include "lib/compiler.h"
#include "lib/types.h"
#include "x86/layout.h"
#include "x86/regs.h"

#define NR_CPUS 64

/*
 * cpu_block.context: what this CPU is in the middle of (vigil/context.h,
 * docs/adr/0037).  Each entry adds its kind as a new level and takes it away
 * again; on each way out the word must be as it was.  0 where a guest runs.
 */
#define CTX_IRQ          VIGIL_CTX_IRQ
#define CTX_NMI          VIGIL_CTX_NMI
#define CTX_MC           VIGIL_CTX_MCE
#define CTX_CRASH        VIGIL_CTX_CRASH
#define CTX_OF_GUEST     VIGIL_CTX_OF_GUEST
/* Is it in one, at any level? */
#define CTX_IN(kind)     ((kind) * 0x01111111U)
#define CTX_IN_NMI_OR_MC CTX_IN((uint32_t)(CTX_NMI | CTX_MC))

/* Bits of cpu_block.work: deferred by NMI/#MC context, done on exit. */
#define WORK_NMI 0x1  /* response/nmi_reflect.c                       */
#define WORK_MCE 0x2  /* response/mce_response.c                      */
#define WORK_LOG 0x4  /* ring holds lines the sinks have not seen     */
#define WORK_DR7 0x8  /* hypervisor #DB cleared DR7: reload on exit   */
/* cpu_block.softirq in cpu_block.pending. */
#define PENDING_SOFTIRQ_SHIFT 16
/* Those of response/work.c; the other is entry/work_exit.c's. */
#define WORK_RESPONSE (WORK_NMI | WORK_MCE | WORK_LOG)

/*
 * cpu_block.call_base: where in hypercall_table[] the calls of the guest that
 * runs here begin; 0 while it is in user mode, or there is none.
 */
#define CALL_BASE_NONE 0
#define CALL_BASE_GUEST 64
#define CALL_BASE_CONTROL 128 /* of the control domain */

struct vcpu;
struct tss;
struct tlb_space;

struct cpu_block {
    uint32_t cpu_id;
    uint32_t iret_fault_vector; /* why the IRET to a guest failed        */
    /*
     * These three as one 64-bit word: is there anything to do before the guest
     * goes on, or anything that must not be left behind?
     */
    union {
        struct {
            uint16_t work;    /* WORK_*; atomic OR from NMI, cleared on exit */
            uint16_t softirq; /* a: pending ones, bit per cpu/softirq.h   */
        };
        uint32_t pending; /* both: there is no BTS for 16 bits           */
    };
    uint32_t context; /* CTX_*; only this CPU writes, in any context   */
    struct vcpu *current_vcpu; /* NULL while idle                      */
    struct tss *tss;
    uint64_t nmi_depth;  /* ras/nmi.c: idle, running, latched          */
    uint32_t nmi_latched;
    uint32_t call_base;  /* CALL_BASE_*; pv/switch.c                   */
    uint32_t apic_id;
    uint32_t iret_fault_error;
    uint64_t irq_count;
    uint64_t nmi_count;
    uint64_t next_deadline_ns; /* cpu/timer.c: LAPIC is armed for this */
    cpumask_t cpu_mask;  /* the bit of this CPU                          */
    uint64_t tlb_stale;  /* cpu/tlb.h: a flush is owed; others set it    */
    struct tlb_space *space; /* whose tables CR3 has; NULL: our own      */
    bool parking;        /* boot/smp.c: stop when idle                   */
    struct vcpu *last_vcpu;  /* pv/switch.c: current, or the one before  */
    uint64_t gdt_base;   /* pv/descriptor.c: GDT in use; 0: our own      */
    uint64_t pti_guest;  /* CR3 while an isolated guest runs; 0: never   */
    uint64_t pti_full;   /* the tables that belong to it (mm/pti.h)      */
    uint32_t spec_ctrl;  /* SPEC_CTRL now (cpu/spec_ctrl.h)              */
    /* These two outlive that the CPU stops and starts: others may wait.   */
    uint64_t tlb_asked;  /* a: flushes others have asked for             */
    uint64_t tlb_done;   /* up to which this CPU has answered            */
    uint64_t heartbeat;  /* moves while softirqs run (ras/watchdog.c); n */
    uint32_t waits_for;  /* CPU + 1 this one waits for, or 0; n reads    */
};

_Static_assert(sizeof(struct cpu_block) <= CPU_STRUCT_BYTES, "cpu_block");
_Static_assert(NR_CPUS <= 8 * sizeof(cpumask_t), "cpumask_t");

/* Every CPU that was ever started, by its number; NULL: never. */
extern struct cpu_block *cpu_blocks[NR_CPUS];

static inline uint64_t read_rsp(void)
{
    uint64_t v;

    asm("mov %%rsp, %0" : "=r"(v));
    return v;
}

/* Start address of the block that holds stack address @sp. */
static inline uint64_t cpu_block_of(uint64_t sp)
{
    return sp & ~(uint64_t)(CPU_BLOCK_BYTES - 1);
}

/* Is the byte at @offset of a block on a guard page? */
static inline bool cpu_block_is_guard(uint64_t offset)
{
    return (CPU_GUARD_PAGES >> (offset >> 12) & 1) != 0;
}

/* Are the 16 bytes at @offset of a block, any number, on its stacks? */
static inline bool cpu_block_has_stack(uint64_t offset)
{
    return offset <= CPU_BLOCK_BYTES - 16 && !cpu_block_is_guard(offset) &&
           !cpu_block_is_guard(offset + 15);
}

static inline struct cpu_block *this_cpu(void)
{
    return (struct cpu_block *)(cpu_block_of(read_rsp()) + CPU_BLOCK_BYTES -
                                CPU_STRUCT_BYTES);
}

static inline cpu_t this_cpu_id(void)
{
    return this_cpu()->cpu_id;
}

/* @word, and in it something of @kind that interrupted a guest, or did not. */
static ALWAYS_INLINE uint32_t context_within(uint32_t word, uint32_t kind,
                                             bool from_guest)
{
    unsigned int at = 0;

    while (at < VIGIL_CTX_BITS * VIGIL_CTX_LEVELS && (word >> at & 0xf) != 0) {
        at += VIGIL_CTX_BITS;
    }
    if (at == 0 && from_guest) {
        word |= CTX_OF_GUEST;
    }
    return at < VIGIL_CTX_BITS * VIGIL_CTX_LEVELS ? word | kind << at : word;
}

/* The frame of the guest this CPU left last (valid while it serves one). */
static inline struct cpu_regs *guest_regs(void)
{
    return (struct cpu_regs *)(void *)this_cpu() - 1;
}

#endif
