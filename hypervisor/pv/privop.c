/* SPDX-License-Identifier: MIT */
/*
 * pv/privop.c - perform a privileged instruction for a guest, or refuse.
 *
 * Order: fetch (once), decode (pure), authorise, perform, and only then
 * advance rip.  What the guest's user mode may do: port I/O and cli/sti by
 * IOPL or I/O bitmap, rdtsc unless its kernel forbade it, cpuid.  All else
 * needs the guest's kernel mode.
 */
#include "pv/privop.h"

#include "lib/errno.h"
#include "x86/barrier.h"
#include "x86/exc.h"
#include "x86/layout.h"
#include "x86/segment.h"
#include "x86/tsc.h"
#include "cpu/features.h"
#include "pv/bounce.h"
#include "pv/ctrlreg.h"
#include "pv/debugreg.h"
#include "pv/fpu.h"
#include "pv/guest_access.h"
#include "pv/guest_cpuid.h"
#include "pv/guest_msr.h"
#include "pv/privop_decode.h"
#include "pv/privop_io.h"

#define DR6_BS (1UL << 14)

enum outcome {
    DONE,       /* advance rip                             */
    DONE_STAY,  /* rip is right as it is; something queued */
    REFUSED,    /* the guest gets its fault                */
    BAD_OPCODE, /* the guest gets #UD instead             */
};

uint64_t *privop_gpr(struct cpu_regs *regs, unsigned int index)
{
    switch (index & 15) {
    case 0:
        return &regs->rax;
    case 1:
        return &regs->rcx;
    case 2:
        return &regs->rdx;
    case 3:
        return &regs->rbx;
    case 4:
        return &regs->rsp;
    case 5:
        return &regs->rbp;
    case 6:
        return &regs->rsi;
    case 7:
        return &regs->rdi;
    case 8:
        return &regs->r8;
    case 9:
        return &regs->r9;
    case 10:
        return &regs->r10;
    case 11:
        return &regs->r11;
    case 12:
        return &regs->r12;
    case 13:
        return &regs->r13;
    case 14:
        return &regs->r14;
    default:
        return &regs->r15;
    }
}

static uint64_t edx_eax(const struct cpu_regs *regs)
{
    return regs->rdx << 32 | (uint32_t)regs->rax;
}

static void set_edx_eax(struct cpu_regs *regs, uint64_t value)
{
    regs->rax = (uint32_t)value;
    regs->rdx = value >> 32;
}

bool privop_in_long_mode(const struct cpu_regs *regs)
{
    uint32_t rights;

    if (regs->cs == SEL_GUEST_CS64) {
        return true;
    }
    return selector_rights(regs->cs, &rights) && (rights & SEL_RIGHTS_L) != 0;
}

/*
 * The instruction's bytes; fewer when the next page is not there.  They may
 * change while we look: all decisions are taken on this copy (INV-HC-2).
 */
static size_t fetch(const struct cpu_regs *regs, uint8_t *bytes)
{
    size_t in_page = PAGE_SIZE - (regs->rip & (PAGE_SIZE - 1));
    size_t first = in_page < INSN_BYTES_MAX ? in_page : INSN_BYTES_MAX;

    if (copy_from_guest(bytes, regs->rip, first) != 0) {
        return 0;
    }
    if (first < INSN_BYTES_MAX &&
        copy_from_guest(bytes + first, regs->rip + first,
                        INSN_BYTES_MAX - first) == 0) {
        return INSN_BYTES_MAX;
    }
    return first;
}

/*
 * The instruction is complete.  A trap flag set by the guest must see it like
 * any other; RF lasts for one instruction (SDM 3B 17.3.1).
 */
static void retire(struct vcpu *v, struct cpu_regs *regs, unsigned int len,
                   bool long_mode, uint64_t dr6_bits)
{
    regs->rip += len;
    if (!long_mode) {
        regs->rip = (uint32_t)regs->rip;
    }
    regs->rflags &= ~RFLAGS_RF;
    if (regs->rflags & RFLAGS_TF) {
        dr6_bits |= DR6_BS;
    }
    if (dr6_bits != 0) {
        v->pv->dr6 |= dr6_bits;
        pv_bounce_trap(v, EXC_DB, 0);
    }
}

static void do_cpuid(struct vcpu *v, struct cpu_regs *regs)
{
    struct cpuid_regs r;

    guest_cpuid(v, (uint32_t)regs->rax, (uint32_t)regs->rcx, &r);
    regs->rax = r.a;
    regs->rbx = r.b;
    regs->rcx = r.c;
    regs->rdx = r.d;
}

/* cli and sti: the guest's kernel counts as ring 1, its user mode as 3. */
static bool iopl_covers(const struct vcpu *v)
{
    return (v->pv->guest_kernel ? 1U : 3U) <= v->pv->iopl;
}

static enum outcome do_xsetbv(struct vcpu *v, struct cpu_regs *regs)
{
    if ((v->pv->cr4 & CR4_OSXSAVE) == 0) {
        return BAD_OPCODE;
    }
    if ((uint32_t)regs->rcx != 0 || pv_fpu_set_xcr0(v, edx_eax(regs)) != 0) {
        return REFUSED;
    }
    return DONE;
}

static enum outcome do_debugreg(struct vcpu *v, struct cpu_regs *regs,
                                const struct privop_insn *insn)
{
    uint64_t *gpr = privop_gpr(regs, insn->gpr);
    uint64_t value;
    int rc;

    if (insn->op == PRIVOP_WRITE_DR) {
        rc = debugreg_set(v, insn->sysreg, *gpr);
    } else {
        rc = debugreg_get(v, insn->sysreg, &value);
        if (rc == 0) {
            *gpr = value;
        }
    }
    if (rc == -ENODEV) {
        return BAD_OPCODE;
    }
    return rc == 0 ? DONE : REFUSED;
}

static enum outcome do_controlreg(struct vcpu *v, struct cpu_regs *regs,
                                  const struct privop_insn *insn)
{
    uint64_t *gpr = privop_gpr(regs, insn->gpr);
    uint64_t value;

    if (insn->op == PRIVOP_WRITE_CR) {
        int rc = pv_cr_write(v, insn->sysreg, *gpr);

        return rc == 0 ? DONE : rc == -ERESTART ? DONE_STAY : REFUSED;
    }
    if (!pv_cr_read(v, insn->sysreg, &value)) {
        return REFUSED;
    }
    *gpr = value;
    return DONE;
}

static enum outcome do_msr(struct vcpu *v, struct cpu_regs *regs,
                           const struct privop_insn *insn)
{
    uint64_t value;

    if (insn->op == PRIVOP_WRMSR) {
        return guest_wrmsr(v, (uint32_t)regs->rcx, edx_eax(regs)) ? DONE
                                                                  : REFUSED;
    }
    if (!guest_rdmsr(v, (uint32_t)regs->rcx, &value)) {
        return REFUSED;
    }
    set_edx_eax(regs, value);
    return DONE;
}

static enum outcome do_rdtsc(struct vcpu *v, struct cpu_regs *regs,
                             const struct privop_insn *insn)
{
    /* The kernel set TSD: its user mode is meant to fault. */
    if ((v->pv->cr4 & CR4_TSD) != 0 && !v->pv->guest_kernel) {
        return REFUSED;
    }
    set_edx_eax(regs, rdtsc());
    if (insn->op == PRIVOP_RDTSCP) {
        regs->rcx = (uint32_t)v->pv->tsc_aux;
    }
    return DONE;
}

/* What the guest's kernel alone may do. */
static enum outcome perform_kernel(struct vcpu *v, struct cpu_regs *regs,
                                   const struct privop_insn *insn)
{
    switch (insn->op) {
    case PRIVOP_RDMSR:
    case PRIVOP_WRMSR:
        return do_msr(v, regs, insn);
    case PRIVOP_XSETBV:
        return do_xsetbv(v, regs);
    case PRIVOP_CLTS:
        pv_fpu_set_ts(v, false);
        return DONE;
    case PRIVOP_CACHE_FLUSH:
        /* Only who drives devices can have a reason. */
        if (v->domain->is_privileged || v->domain->io_mem.count != 0) {
            cache_writeback_all();
        }
        return DONE;
    case PRIVOP_READ_CR:
    case PRIVOP_WRITE_CR:
        return do_controlreg(v, regs, insn);
    case PRIVOP_READ_DR:
    case PRIVOP_WRITE_DR:
        return do_debugreg(v, regs, insn);
    case PRIVOP_NONE:
    case PRIVOP_RDTSC:
    case PRIVOP_RDTSCP:
    case PRIVOP_CPUID:
    case PRIVOP_CLI:
    case PRIVOP_STI:
    case PRIVOP_IN:
    case PRIVOP_OUT:
    case PRIVOP_INS:
    case PRIVOP_OUTS:
        break;
    }
    return REFUSED;
}

static enum outcome perform_io(struct vcpu *v, struct cpu_regs *regs,
                               const struct privop_insn *insn,
                               uint64_t *ret_dr6_bits)
{
    uint16_t port = insn->port_in_insn ? insn->port : (uint16_t)regs->rdx;

    switch (privop_io(v, regs, insn)) {
    case PRIVOP_IO_DONE:
        *ret_dr6_bits = debugreg_io_hits(v, port, insn->io_bytes);
        return DONE;
    case PRIVOP_IO_AGAIN:
    case PRIVOP_IO_FAULT:
        return DONE_STAY;
    case PRIVOP_IO_REFUSED:
        break;
    }
    return REFUSED;
}

static enum outcome perform(struct vcpu *v, struct cpu_regs *regs,
                            const struct privop_insn *insn,
                            uint64_t *ret_dr6_bits)
{
    switch (insn->op) {
    case PRIVOP_IN:
    case PRIVOP_OUT:
    case PRIVOP_INS:
    case PRIVOP_OUTS:
        return perform_io(v, regs, insn, ret_dr6_bits);
    case PRIVOP_CLI:
    case PRIVOP_STI:
        /* Accepted and ignored: only the upcall mask counts. */
        return iopl_covers(v) ? DONE : REFUSED;
    case PRIVOP_RDTSC:
    case PRIVOP_RDTSCP:
        return do_rdtsc(v, regs, insn);
    case PRIVOP_CPUID:
        do_cpuid(v, regs);
        return DONE;
    case PRIVOP_NONE:
    case PRIVOP_RDMSR:
    case PRIVOP_WRMSR:
    case PRIVOP_XSETBV:
    case PRIVOP_CLTS:
    case PRIVOP_CACHE_FLUSH:
    case PRIVOP_READ_CR:
    case PRIVOP_WRITE_CR:
    case PRIVOP_READ_DR:
    case PRIVOP_WRITE_DR:
        break;
    }
    return v->pv->guest_kernel ? perform_kernel(v, regs, insn) : REFUSED;
}

bool pv_emulate_gp(struct vcpu *v, struct cpu_regs *regs)
{
    uint8_t bytes[INSN_BYTES_MAX];
    struct privop_insn insn;
    uint64_t dr6_bits = 0;
    bool long_mode = privop_in_long_mode(regs);
    size_t count = fetch(regs, bytes);

    if (!privop_decode(bytes, count, long_mode, &insn)) {
        return false;
    }
    switch (perform(v, regs, &insn, &dr6_bits)) {
    case DONE:
        retire(v, regs, insn.len, long_mode, dr6_bits);
        return true;
    case DONE_STAY:
        return true;
    case BAD_OPCODE:
        pv_bounce_trap(v, EXC_UD, 0);
        return true;
    case REFUSED:
        break;
    }
    return false;
}

bool pv_emulate_ud(struct vcpu *v, struct cpu_regs *regs)
{
    uint8_t bytes[INSN_BYTES_MAX];
    struct privop_insn insn;
    bool long_mode = privop_in_long_mode(regs);
    size_t count = fetch(regs, bytes);

    if (privop_is_forced_cpuid(bytes, count)) {
        do_cpuid(v, regs);
        retire(v, regs, FORCED_CPUID_BYTES, long_mode, 0);
        return true;
    }
    /*
     * A migrated guest may have been shown rdtscp by a processor that has it.
     */
    if (!cpu_features.rdtscp && privop_decode(bytes, count, long_mode, &insn) &&
        insn.op == PRIVOP_RDTSCP && do_rdtsc(v, regs, &insn) == DONE) {
        retire(v, regs, insn.len, long_mode, 0);
        return true;
    }
    return false;
}
