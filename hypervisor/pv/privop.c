/* SPDX-License-Identifier: MIT */
/*
 * pv/privop.c - perform a privileged instruction for a guest, or refuse.
 *
 * Order: fetch (once), decode (pure), authorise, perform, and only then
 * advance rip.  What the guest's user mode may do: port I/O and cli/sti by
 * IOPL or I/O bitmap, rdtsc unless its kernel forbade it, cpuid.  All else
 * needs the guest's kernel mode.
 *
 * What a 64-bit kernel does often, it does without prefixes: usual() knows
 * those instructions by their first two bytes.  All else is fetched anew for
 * pv/privop_decode.c; a test holds the two against each other.
 */
#include "pv/privop.h"

#include "lib/errno.h"
#include "x86/barrier.h"
#include "x86/exc.h"
#include "x86/layout.h"
#include "x86/segment.h"
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
    UNUSUAL,    /* usual() does not know it                */
};

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

/* Its first eight bytes, when they are there; in 64-bit code. */
static bool fetch_word(const struct cpu_regs *regs, uint64_t *ret_bytes)
{
    uint64_t va = regs->rip;
    unsigned int bad = 0;

    if (unlikely(!guest_open(va, sizeof(*ret_bytes)))) {
        return false;
    }
    guest_load(*ret_bytes, va, bad);
    guest_close();
    return likely(bad == 0);
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

static enum outcome read_dr(struct vcpu *v, struct cpu_regs *regs,
                            unsigned int reg, unsigned int gpr)
{
    uint64_t value;
    int rc = debugreg_get(v, reg, &value);

    if (rc != 0) {
        return rc == -ENODEV ? BAD_OPCODE : REFUSED;
    }
    *regs_gpr(regs, gpr) = value;
    return DONE;
}

static enum outcome write_dr(struct vcpu *v, struct cpu_regs *regs,
                             unsigned int reg, unsigned int gpr)
{
    int rc = debugreg_set(v, reg, *regs_gpr(regs, gpr));

    return rc == 0 ? DONE : rc == -ENODEV ? BAD_OPCODE : REFUSED;
}

static enum outcome read_cr(struct vcpu *v, struct cpu_regs *regs,
                            unsigned int reg, unsigned int gpr)
{
    uint64_t value;

    if (!pv_cr_read(v, reg, &value)) {
        return REFUSED;
    }
    *regs_gpr(regs, gpr) = value;
    return DONE;
}

static enum outcome write_cr(struct vcpu *v, struct cpu_regs *regs,
                             unsigned int reg, unsigned int gpr)
{
    int rc = pv_cr_write(v, reg, *regs_gpr(regs, gpr));

    return rc == 0 ? DONE : rc == -ERESTART ? DONE_STAY : REFUSED;
}

static enum outcome do_rdmsr(struct vcpu *v, struct cpu_regs *regs)
{
    uint64_t value;

    if (!guest_rdmsr(v, (uint32_t)regs->rcx, &value)) {
        return REFUSED;
    }
    set_edx_eax(regs, value);
    return DONE;
}

static enum outcome do_wrmsr(struct vcpu *v, struct cpu_regs *regs)
{
    return guest_wrmsr(v, (uint32_t)regs->rcx, edx_eax(regs)) ? DONE : REFUSED;
}

/* Only who drives devices can have a reason. */
static enum outcome do_cache_flush(const struct vcpu *v)
{
    if (v->domain->is_privileged || v->domain->io_mem.count != 0) {
        cache_writeback_all();
    }
    return DONE;
}

static enum outcome do_rdtsc(struct vcpu *v, struct cpu_regs *regs,
                             const struct privop_insn *insn)
{
    /* The kernel set TSD: its user mode is meant to fault. */
    if ((v->pv->cr4 & CR4_TSD) != 0 && !v->pv->guest_kernel) {
        return REFUSED;
    }
    set_edx_eax(regs, vtsc_read(&v->domain->vtsc));
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
        return do_rdmsr(v, regs);
    case PRIVOP_WRMSR:
        return do_wrmsr(v, regs);
    case PRIVOP_XSETBV:
        return do_xsetbv(v, regs);
    case PRIVOP_CLTS:
        pv_fpu_set_ts(v, false);
        return DONE;
    case PRIVOP_CACHE_FLUSH:
        return do_cache_flush(v);
    case PRIVOP_READ_CR:
        return read_cr(v, regs, insn->sysreg, insn->gpr);
    case PRIVOP_WRITE_CR:
        return write_cr(v, regs, insn->sysreg, insn->gpr);
    case PRIVOP_READ_DR:
        return read_dr(v, regs, insn->sysreg, insn->gpr);
    case PRIVOP_WRITE_DR:
        return write_dr(v, regs, insn->sysreg, insn->gpr);
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

/* What an outcome means for the guest.  False: the exception is its own. */
static ALWAYS_INLINE bool settle(struct vcpu *v, struct cpu_regs *regs,
                                 enum outcome outcome, unsigned int len,
                                 bool long_mode, uint64_t dr6_bits)
{
    switch (outcome) {
    case DONE:
        retire(v, regs, len, long_mode, dr6_bits);
        return true;
    case DONE_STAY:
        return true;
    case BAD_OPCODE:
        pv_bounce_trap(v, EXC_UD, 0);
        return true;
    case REFUSED:
    case UNUSUAL:
        break;
    }
    return false;
}

static NOINLINE bool decode_and_perform(struct vcpu *v, struct cpu_regs *regs)
{
    uint8_t bytes[INSN_BYTES_MAX];
    struct privop_insn insn;
    uint64_t dr6_bits = 0;
    bool long_mode = privop_in_long_mode(regs);
    size_t count = fetch(regs, bytes);
    enum outcome outcome;

    if (!privop_decode(bytes, count, long_mode, &insn)) {
        return false;
    }
    outcome = perform(v, regs, &insn, &dr6_bits);
    return settle(v, regs, outcome, insn.len, long_mode, dr6_bits);
}

/* in and out between al or eax and a port, by a kernel whose IOPL covers it. */
static enum outcome usual_io(struct vcpu *v, struct cpu_regs *regs,
                             uint8_t opcode, uint16_t port)
{
    unsigned int bytes = opcode & 1 ? 4 : 1;

    if (v->pv->iopl == 0 || v->pv->dr7_emul != 0) {
        return UNUSUAL; /* its bitmap counts; a breakpoint may be hit */
    }
    if (opcode & 2) {
        guest_io_write(v->domain, port, bytes, (uint32_t)regs->rax);
    } else if (bytes == 4) {
        regs->rax = guest_io_read(v->domain, port, 4);
    } else {
        regs->rax =
            (regs->rax & ~0xffUL) | (guest_io_read(v->domain, port, 1) & 0xff);
    }
    return DONE;
}

/* First two bytes of an instruction, as they lie in memory. */
#define OPCODE2(first, second) ((second) << 8 | (first))

/*
 * A guest's 64-bit kernel executes what lies in @bytes, low byte first.  With
 * REFUSED or UNUSUAL nothing has been done.
 */
static enum outcome usual(struct vcpu *v, struct cpu_regs *regs, uint32_t bytes,
                          unsigned int *ret_len)
{
    unsigned int reg = bytes >> 19 & 7, gpr = bytes >> 16 & 7;

    *ret_len = 2;
    switch ((uint16_t)bytes) {
    case OPCODE2(0x0f, 0x30):
        return do_wrmsr(v, regs);
    case OPCODE2(0x0f, 0x32):
        return do_rdmsr(v, regs);
    case OPCODE2(0x0f, 0x06):
        pv_fpu_set_ts(v, false);
        return DONE;
    case OPCODE2(0x0f, 0x09):
        return do_cache_flush(v);
    case OPCODE2(0x0f, 0x20):
        *ret_len = 3;
        return read_cr(v, regs, reg, gpr);
    case OPCODE2(0x0f, 0x21):
        *ret_len = 3;
        return read_dr(v, regs, reg, gpr);
    case OPCODE2(0x0f, 0x22):
        *ret_len = 3;
        return write_cr(v, regs, reg, gpr);
    case OPCODE2(0x0f, 0x23):
        *ret_len = 3;
        return write_dr(v, regs, reg, gpr);
    default:
        break;
    }
    switch (bytes & 0xfc) {
    case 0xe4:
        return usual_io(v, regs, (uint8_t)bytes, bytes >> 8 & 0xff);
    case 0xec:
        *ret_len = 1;
        return usual_io(v, regs, (uint8_t)bytes, (uint16_t)regs->rdx);
    default:
        return UNUSUAL;
    }
}

bool pv_emulate_gp(struct vcpu *v, struct cpu_regs *regs)
{
    unsigned int len;
    uint64_t bytes;

    if (likely(regs->cs == SEL_GUEST_CS64) && v->pv->guest_kernel &&
        fetch_word(regs, &bytes)) {
        enum outcome outcome = usual(v, regs, (uint32_t)bytes, &len);

        if (likely(outcome != UNUSUAL)) {
            return settle(v, regs, outcome, len, true, 0);
        }
    }
    return decode_and_perform(v, regs);
}

/* Ud2, "xen", cpuid: as eight bytes, low byte first, the last any. */
#define FORCED_CPUID      0x00a20f6e65780b0fUL
#define FORCED_CPUID_MASK 0x00ffffffffffffffUL

static NOINLINE bool rare_ud(struct vcpu *v, struct cpu_regs *regs)
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

bool pv_emulate_ud(struct vcpu *v, struct cpu_regs *regs)
{
    uint64_t bytes;

    if (likely(regs->cs == SEL_GUEST_CS64) &&
        fetch_word(regs, &bytes)) {
        if ((bytes & FORCED_CPUID_MASK) == FORCED_CPUID) {
            do_cpuid(v, regs);
            retire(v, regs, FORCED_CPUID_BYTES, true, 0);
            return true;
        }
        if (likely(cpu_features.rdtscp)) {
            return false;
        }
    }
    return rare_ud(v, regs);
}
