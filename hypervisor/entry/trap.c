/* SPDX-License-Identifier: MIT */
/*
 * entry/trap.c - exceptions: the guest's own, ours with a fixup, or fatal.
 */
#include "entry/trap.h"

#include "cpu/extable.h"
#include "crash/panic.h"
#include "domain/vcpu.h"
#include "lib/xen_abi.h"
#include "log/printk.h"
#include "mm/pti.h"
#include "pv/bounce.h"
#include "pv/debugreg.h"
#include "pv/fpu.h"
#include "pv/guest_access.h"
#include "pv/iret_fixup.h"
#include "pv/privop.h"
#include "pv/mmio_emulate.h"
#include "pv/pte_emulate.h"
#include "pv/pv.h"
#include "x86/atomic.h"
#include "x86/cr.h"
#include "x86/exc.h"
#include "x86/irqflags.h"
#include "x86/percpu.h"

uint8_t entry_has_smap;

extern const uint8_t syscall_gap_start[], syscall_gap_end[], guest_iretq[];

NMI_SAFE bool trap_leaves_by_ret(const struct cpu_regs *regs)
{
    if (!CONFIG_NMI_RET_RULE || (regs->cs & 3) != 0 ||
        (regs->rflags & RFLAGS_IF) != 0) {
        return false;
    }
    /* A guest chooses rsp in the gap, perhaps inside our block. */
    if (regs->rip >= (uint64_t)syscall_gap_start &&
        regs->rip < (uint64_t)syscall_gap_end) {
        return false;
    }
    return cpu_block_of(regs->rsp - 1) == cpu_block_of(read_rsp());
}

#define OPCODE_INT_N 0xcd

/*
 * INT n: the processor refused it; the guest's own table decides.  The vector
 * is taken from the instruction: QEMU 7.2 reports n * 16 + 2 as error code.
 */
static void software_interrupt(struct vcpu *v, struct cpu_regs *regs)
{
    unsigned int ring = v->pv->guest_kernel ? 1 : 3;
    const struct trap_info *t;
    uint8_t insn[2];

    if (copy_from_guest(insn, regs->rip, sizeof(insn)) != 0 ||
        insn[0] != OPCODE_INT_N) {
        pv_bounce_trap(v, EXC_GP, regs->error_code);
        return;
    }
    t = &v->pv->traps[insn[1]];
    if (t->address == 0 || (t->flags & 3u) < ring) {
        pv_bounce_trap(v, EXC_GP, insn[1] * 8U + SELEC_IDT);
        return;
    }
    regs->rip += sizeof(insn);
    pv_bounce_trap(v, insn[1], 0);
}

static void take_gp(struct vcpu *v, struct cpu_regs *regs)
{
    irq_enable();
    if ((regs->error_code & SELEC_IDT) != 0 &&
        (regs->error_code & SELEC_EXT) == 0) {
        software_interrupt(v, regs);
        return;
    }
    if (regs->error_code == 0 && pv_emulate_gp(v, regs)) {
        return;
    }
    pv_bounce_trap(v, EXC_GP, regs->error_code);
}

static void take_pf(struct vcpu *v, struct cpu_regs *regs)
{
    uint64_t addr = read_cr2(); /* an interrupt may fault and change it */

    irq_enable();
    if (unlikely(pti_on) && pti_was_behind()) {
        return;
    }
    if ((regs->error_code & PFEC_USER) == 0 &&
        pv_finish_smap_iret(v, regs, addr, regs->error_code)) {
        return;
    }
    if ((regs->error_code & (PFEC_WRITE | PFEC_PRESENT)) ==
            (PFEC_WRITE | PFEC_PRESENT) &&
        (pv_pte_emulate(v, regs, addr, regs->error_code) ||
         pv_mmio_emulate(v, regs, addr, regs->error_code))) {
        return;
    }
    pv_bounce_page_fault(v, addr, regs->error_code);
}

static void take_db(struct vcpu *v, struct cpu_regs *regs)
{
    (void)regs;
    irq_enable();
    debugreg_take_db(v);
    pv_bounce_trap(v, EXC_DB, 0);
}

static void take_ud(struct vcpu *v, struct cpu_regs *regs)
{
    irq_enable();
    if (!pv_emulate_ud(v, regs)) {
        pv_bounce_trap(v, EXC_UD, 0);
    }
}

static void take_nm(struct vcpu *v, struct cpu_regs *regs)
{
    (void)regs;
    irq_enable();
    if (!pv_handle_nm(v)) {
        pv_bounce_trap(v, EXC_NM, 0);
    }
}

/* Nothing that concerns us. */
static void take_other(struct vcpu *v, struct cpu_regs *regs)
{
    irq_enable();
    pv_bounce_trap(v, regs->entry_vector, regs->error_code);
}

#define FOUR_OTHERS take_other, take_other, take_other, take_other

const trap_fn trap_handler[EXC_COUNT] = {
    [0] = take_other,     [EXC_DB] = take_db,
    [2] = FOUR_OTHERS,    [EXC_UD] = take_ud,
    [EXC_NM] = take_nm,   [8] = FOUR_OTHERS,
    [12] = take_other,    [EXC_GP] = take_gp,
    [EXC_PF] = take_pf,   [15] = take_other,
    [16] = FOUR_OTHERS,   [20] = FOUR_OTHERS,
    [24] = FOUR_OTHERS,   [28] = FOUR_OTHERS,
};

void trap_iret_failed(struct cpu_regs *regs)
{
    struct cpu_block *cb = this_cpu();
    uint32_t vector = cb->iret_fault_vector;
    uint32_t error_code = cb->iret_fault_error;

    (void)regs;
    irq_enable();
    /* The guest sees the fault at the place it wanted to return to. */
    pv_bounce_trap(current, vector, error_code);
}

static const char *const exception_name[EXC_COUNT] = {
    [EXC_DE] = "#DE divide error",      [EXC_DB] = "#DB debug",
    [EXC_NMI] = "NMI",                  [EXC_BP] = "#BP breakpoint",
    [EXC_OF] = "#OF overflow",          [EXC_BR] = "#BR bound range",
    [EXC_UD] = "#UD invalid opcode",    [EXC_NM] = "#NM device not available",
    [EXC_DF] = "#DF double fault",      [EXC_TS] = "#TS invalid TSS",
    [EXC_NP] = "#NP segment not present", [EXC_SS] = "#SS stack segment",
    [EXC_GP] = "#GP general protection", [EXC_PF] = "#PF page fault",
    [EXC_MF] = "#MF x87",               [EXC_AC] = "#AC alignment check",
    [EXC_MC] = "#MC machine check",     [EXC_XM] = "#XM SIMD",
};

bool trap_from_hypervisor(struct cpu_regs *regs)
{
    uint64_t fixup;
    const char *name;

    if (regs->entry_vector >= EXC_COUNT) {
        irq_entry_from_hypervisor(regs->entry_vector);
        return false; /* interrupts were on, so no NMI handler is below */
    }
    fixup = extable_find(regs->rip);
    if (fixup != 0) {
        /* An NMI's own fixups may come before the guest's is looked at. */
        if (regs->rip == (uint64_t)guest_iretq) {
            this_cpu()->iret_fault_vector = regs->entry_vector;
            this_cpu()->iret_fault_error = regs->error_code;
        }
        regs->rip = fixup;
        return trap_leaves_by_ret(regs);
    }
    name = exception_name[regs->entry_vector];
    if (regs->entry_vector == EXC_PF) {
        panic_regs(regs, "%s in the hypervisor: address 0x%lx, error code 0x%x",
                   name, (unsigned long)read_cr2(), regs->error_code);
    }
    panic_regs(regs, "%s in the hypervisor: error code 0x%x",
               name != NULL ? name : "reserved exception", regs->error_code);
}

int db_from_hypervisor(struct cpu_regs *regs)
{
    write_dr7(DR7_DEFAULT);
    write_dr6(DR6_DEFAULT);
    (void)atomic_or(&this_cpu()->work, WORK_DR7);
    /* SYSCALL with TF set single-steps nothing of ours: the mask clears TF. */
    regs->rflags &= ~RFLAGS_TF;
    return trap_leaves_by_ret(regs) ? 1 : 0;
}
