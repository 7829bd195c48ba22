/* SPDX-License-Identifier: MIT */
/*
 * pv/privop with privop_io, guest_msr, ctrlreg, debugreg and vmca behind it:
 * from instruction bytes in guest memory to changed registers, and who may.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "x86/cr.h"
#include "x86/exc.h"
#include "x86/msr.h"
#include "cpu/features.h"
#include "dev/pci_cfg.h"
#include "dev/rtc.h"
#include "dev/uart16550.h"
#include "pv/bounce.h"
#include "pv/fpu.h"
#include "pv/guest_access.h"
#include "pv/guest_cpuid.h"
#include "pv/mmuext.h"
#include "pv/privop.h"
#include "pv/privop_decode.h"
#include "pv/pv.h"
#include "fake_hw.h"

#define CODE   0xffffffff81000ff8UL /* eight bytes before the end of a page */
#define BUFFER 0xffffffff82000000UL
#define BITMAP 0xffffffff83000000UL

struct cpu_features cpu_features;
uint64_t hv_cr4;

static struct domain d;
static struct pv_domain pvd;
static struct pv_vcpu pv;
static struct vcpu v;
static struct cpu_regs *regs;
static vcpu_info_t info;

static uint8_t code[INSN_BYTES_MAX], buffer[4096], bitmap[16];
static bool next_page_missing, buffer_missing;
static int trap = -1;
static uint64_t fault_addr, pci_value;
static uint32_t pci_cf8;
static uint8_t cmos[128];
static uint16_t last_port;
static uint32_t last_out, in_value;
static unsigned int outs;

/* ---- what the code under test calls ---- */

static void *guest_memory(uint64_t va, size_t bytes)
{
    if (va >= CODE && va + bytes <= CODE + sizeof(code)) {
        return next_page_missing && va + bytes > CODE + 8 ? NULL
                                                          : code + (va - CODE);
    }
    if (va >= BUFFER && va + bytes <= BUFFER + sizeof(buffer)) {
        return buffer_missing ? NULL : buffer + (va - BUFFER);
    }
    if (va >= BITMAP && va + bytes <= BITMAP + sizeof(bitmap)) {
        return bitmap + (va - BITMAP);
    }
    return NULL;
}

int copy_from_guest(void *dst, uint64_t va, size_t bytes)
{
    const void *p = guest_memory(va, bytes);

    if (p == NULL) {
        return -EFAULT;
    }
    memcpy(dst, p, bytes);
    return 0;
}

int copy_to_guest(uint64_t va, const void *src, size_t bytes)
{
    void *p = guest_memory(va, bytes);

    if (p == NULL) {
        return -EFAULT;
    }
    memcpy(p, src, bytes);
    return 0;
}

void pv_bounce_trap(struct vcpu *who, unsigned int vector, uint32_t error_code)
{
    (void)error_code;
    assert_ptr_equal(who, &v);
    trap = (int)vector;
}

void pv_bounce_page_fault(struct vcpu *who, uint64_t addr, uint32_t error_code)
{
    (void)error_code;
    assert_ptr_equal(who, &v);
    trap = EXC_PF;
    fault_addr = addr;
}

void vcpu_kick(struct vcpu *who)
{
    (void)who;
    abort();
}

void guest_cpuid(struct vcpu *who, uint32_t leaf, uint32_t subleaf,
                 struct cpuid_regs *ret_regs)
{
    (void)who;
    *ret_regs = (struct cpuid_regs){leaf + 1, subleaf + 2, 3, 4};
}

bool guest_cpuid_has(const struct domain *who, unsigned int feature)
{
    (void)who;
    return feature == 5 * 32 || feature == 32 + 26;
}

unsigned int cpu_policy_msrs(enum cpu_policy_kind kind,
                             const struct domain *who, xen_msr_entry_t *out,
                             unsigned int max)
{
    (void)kind;
    (void)who;
    assert_int_equal(max, CPU_POLICY_MSRS_MAX);
    memset(out, 0, max * sizeof(*out));
    return max;
}

void pv_fpu_set_ts(struct vcpu *who, bool ts)
{
    who->pv->ts_set = ts;
}

int pv_fpu_set_xcr0(struct vcpu *who, uint64_t value)
{
    if (value & ~7UL) {
        return -EINVAL;
    }
    who->pv->xcr0 = value;
    return 0;
}

int pv_set_base(struct vcpu *who, mfn_t l4)
{
    if (mfn_x(l4) == 0x999) {
        return -EINVAL;
    }
    who->pv->guest_table = l4;
    return 0;
}

uint32_t pci_port_read(uint32_t cf8, unsigned int offset, unsigned int bytes)
{
    (void)bytes;
    pci_cf8 = cf8;
    return (uint32_t)(pci_value >> (8 * offset));
}

void pci_port_write(uint32_t cf8, unsigned int offset, unsigned int bytes,
                    uint32_t value)
{
    (void)bytes;
    pci_cf8 = cf8;
    pci_value = (uint64_t)value << (8 * offset);
}

uint8_t rtc_read(uint8_t index)
{
    return cmos[index];
}

void rtc_write(uint8_t index, uint8_t value)
{
    cmos[index] = value;
}

uint16_t uart_port_base(void)
{
    return 0x3f8;
}

static uint32_t port_in(uint16_t port, unsigned int bytes)
{
    (void)bytes;
    last_port = port;
    return in_value++;
}

static void port_out(uint16_t port, unsigned int bytes, uint32_t value)
{
    (void)bytes;
    last_port = port;
    last_out = value;
    outs++;
}

/* ---- set-up ---- */

static int set_up(void **state)
{
    (void)state;
    fake_hw_reset();
    fake_in_hook = port_in;
    fake_out_hook = port_out;
    memset(&d, 0, sizeof(d));
    memset(&pvd, 0, sizeof(pvd));
    memset(&pv, 0, sizeof(pv));
    memset(&v, 0, sizeof(v));
    memset(&info, 0, sizeof(info));
    memset(code, 0x90, sizeof(code));
    memset(bitmap, 0xff, sizeof(bitmap));
    d.pv = &pvd;
    d.is_privileged = true;
    rangeset_init(&d.io_ports, d.io_ports_space, RIGHTS_RANGES);
    rangeset_init(&d.io_mem, d.io_mem_space, RIGHTS_RANGES);
    assert_int_equal(rangeset_add(&d.io_ports, 0, 0xffff), 0);
    v.domain = &d;
    v.pv = &pv;
    v.vcpu_info = &info;
    pv.guest_kernel = true;
    pv.iopl = 1;
    pv.traps[EXC_GP].address = 0xffffffff81000000UL;
    this_cpu()->current_vcpu = &v;
    regs = guest_regs();
    *regs = (struct cpu_regs){
        .rip = CODE, .cs = SEL_GUEST_CS64, .rflags = RFLAGS_IF | RFLAGS_RF};
    cpu_features = (struct cpu_features){
        .vendor = CPU_INTEL, .rdtscp = true, .xsave = true};
    hv_cr4 = CR4_PAE | CR4_MCE | CR4_PGE | CR4_SMEP | CR4_OSFXSR;
    fake_cr[0] = CR0_PE | CR0_PG | CR0_WP;
    fake_cr[4] = hv_cr4;
    trap = -1;
    next_page_missing = buffer_missing = false;
    in_value = 0x55;
    outs = 0;
    return 0;
}

#define RUN(text) run(text, sizeof(text) - 1)

/* Execute; where it is emulated, rip must be right behind it. */
static bool run(const char *text, size_t len)
{
    regs->rip = CODE;
    memset(code, 0x90, sizeof(code));
    memcpy(code, text, len);
    if (!pv_emulate_gp(&v, regs)) {
        assert_int_equal(regs->rip, CODE);
        return false;
    }
    if (trap == -1) {
        assert_int_equal(regs->rip, CODE + len);
        assert_false(regs->rflags & RFLAGS_RF);
    }
    return true;
}

/* ---- tests ---- */

static void first_instruction(void **state)
{
    (void)state;
    /* wrmsr to MSR_GS_BASE with no trap table at all. */
    pv.traps[EXC_GP].address = 0;
    fake_msr_set(MSR_GS_BASE, 0);
    regs->rcx = MSR_GS_BASE;
    regs->rax = 0xfffffffff0001000UL;
    regs->rdx = 0xffffffffffff8880UL;
    next_page_missing = true;
    assert_true(RUN("\x0f\x30"));
    assert_int_equal(fake_msr_get(MSR_GS_BASE), 0xffff8880f0001000UL);
    assert_int_equal(pv.gs_base_kernel, 0xffff8880f0001000UL);
    assert_true(RUN("\x0f\x32"));
    assert_int_equal(regs->rax, 0xf0001000);
    assert_int_equal(regs->rdx, 0xffff8880);
    /* Not canonical: #GP, nothing written. */
    regs->rdx = 0x8000;
    assert_false(RUN("\x0f\x30"));
    assert_int_equal(pv.gs_base_kernel, 0xffff8880f0001000UL);
}

static bool msr_reads(uint32_t index, uint64_t *ret_value)
{
    regs->rcx = index;
    if (!RUN("\x0f\x32")) {
        return false;
    }
    *ret_value = regs->rdx << 32 | regs->rax;
    return true;
}

static bool msr_writes(uint32_t index, uint64_t value)
{
    regs->rcx = index;
    regs->rax = (uint32_t)value;
    regs->rdx = value >> 32;
    return RUN("\x0f\x30");
}

static void msr_contract(void **state)
{
    uint64_t value;

    (void)state;
    assert_true(msr_reads(MSR_PAT, &value));
    assert_int_equal(value, 0x050100070406UL);
    assert_false(msr_writes(MSR_PAT, value));
    assert_true(msr_reads(MSR_APIC_BASE, &value));
    assert_int_equal(value, 0xfee00900);
    v.vcpu_id = 1;
    assert_true(msr_reads(MSR_APIC_BASE, &value));
    assert_int_equal(value, 0xfee00800);
    fake_msr_set(MSR_EFER, EFER_SCE | EFER_LME | EFER_LMA | EFER_NX | 1 << 12);
    assert_true(msr_reads(MSR_EFER, &value));
    assert_int_equal(value, 0xd01);
    assert_true(msr_writes(MSR_EFER, 0xd01));
    assert_false(msr_writes(MSR_EFER, 0x501));
    fake_msr_set(MSR_MISC_ENABLE, 0x850089);
    assert_true(msr_reads(MSR_MISC_ENABLE, &value));
    assert_int_equal(value & 0x40080, 0);
    assert_true(msr_writes(MSR_MISC_ENABLE, 0));
    assert_int_equal(fake_msr_get(MSR_MISC_ENABLE), 0x850089);
    assert_true(msr_writes(MSR_UCODE_REV, 0));
    assert_false(msr_writes(MSR_UCODE_REV, 1));
    fake_msr_set(MSR_TSC_AUX, 0);
    assert_true(msr_writes(MSR_TSC_AUX, 7));
    assert_int_equal(fake_msr_get(MSR_TSC_AUX), 7);
    assert_false(msr_writes(MSR_TSC_AUX, 1UL << 32));
    assert_false(msr_writes(MSR_PRED_CMD, 1));
    assert_false(msr_reads(MSR_SPEC_CTRL, &value));
    assert_true(msr_reads(MSR_MCG_CAP, &value));
    assert_int_equal(value, 0x1000c02);
    assert_false(msr_writes(MSR_MCx_STATUS(0), 1));
}

static void unknown_msr(void **state)
{
    uint64_t value = 1;

    (void)state;
    fake_msr_set(0x1234, 0x5678);
    assert_false(msr_reads(0x1234, &value));
    /* Before a handler for #GP exists it reads 0, if it exists at all. */
    pv.traps[EXC_GP].address = 0;
    assert_true(msr_reads(0x1234, &value));
    assert_int_equal(value, 0);
    fake_msr_fault(0x4321, true, true);
    assert_false(msr_reads(0x4321, &value));
    assert_false(msr_writes(0x1234, 0));
}

static void user_mode_may_not(void **state)
{
    static const char *const kernel_only[] = {
        "\x0f\x32",     "\x0f\x30",     "\x0f\x06", "\x0f\x20\xc0",
        "\x0f\x22\xc0", "\x0f\x21\xc0", "\x0f\x09", "\x0f\x01\xd1",
        "\xfa",         "\xfb",         "\xec",     "\xee",
    };

    (void)state;
    pv.guest_kernel = false;
    regs->rcx = MSR_PAT;
    for (size_t i = 0; i < sizeof(kernel_only) / sizeof(kernel_only[0]); i++) {
        assert_false(run(kernel_only[i], strlen(kernel_only[i])));
    }
    assert_int_equal(outs, 0);
    /* IOPL 3 opens ports and cli to its user mode, nothing else. */
    pv.iopl = 3;
    assert_true(RUN("\xfa"));
    assert_true(RUN("\xee"));
    assert_false(RUN("\x0f\x06"));
}

static void control_registers(void **state)
{
    (void)state;
    pv.ts_set = true;
    assert_true(RUN("\x0f\x20\xc0"));
    assert_int_equal(regs->rax, fake_cr[0] | CR0_TS);
    assert_true(RUN("\x0f\x06"));
    assert_false(pv.ts_set);
    regs->rax = fake_cr[0] | CR0_TS;
    assert_true(RUN("\x0f\x22\xc0"));
    assert_true(pv.ts_set);
    regs->rax = fake_cr[0] & ~CR0_WP;
    assert_false(RUN("\x0f\x22\xc0"));
    info.arch.cr2 = 0x1234;
    assert_true(RUN("\x0f\x20\xd1")); /* mov %cr2, %rcx */
    assert_int_equal(regs->rcx, 0x1234);
    regs->rax = 0x888000;
    assert_true(RUN("\x0f\x22\xd8"));
    assert_true(RUN("\x0f\x20\xdb")); /* mov %cr3, %rbx */
    assert_int_equal(regs->rbx, 0x888000);
    regs->rax = 0x999000;
    assert_false(RUN("\x0f\x22\xd8"));
    assert_true(RUN("\x0f\x20\xe0"));
    assert_int_equal(regs->rax, CR4_PAE | CR4_MCE | CR4_OSFXSR);
    regs->rax = ~0UL; /* the rest is dropped without a fault */
    assert_true(RUN("\x0f\x22\xe0"));
    assert_int_equal(pv.cr4, CR4_TSD | CR4_DE | CR4_FSGSBASE | CR4_OSXSAVE);
    assert_true(fake_cr[4] & CR4_TSD);
    assert_true(fake_cr[4] & CR4_SMEP);
    assert_false(RUN("\x44\x0f\x20\xc0")); /* cr8 */
}

static void xsetbv_rules(void **state)
{
    (void)state;
    regs->rax = 7;
    assert_true(RUN("\x0f\x01\xd1"));
    assert_int_equal(trap, EXC_UD); /* CR4.OSXSAVE is clear */
    trap = -1;
    pv.cr4 = CR4_OSXSAVE;
    regs->rip = CODE;
    assert_true(RUN("\x0f\x01\xd1"));
    assert_int_equal(pv.xcr0, 7);
    regs->rax = 15;
    assert_false(RUN("\x0f\x01\xd1"));
    regs->rax = 7;
    regs->rcx = 1;
    assert_false(RUN("\x0f\x01\xd1"));
}

static void tsc(void **state)
{
    (void)state;
    fake_tsc = 0x123456789abcUL;
    assert_true(RUN("\x0f\x31"));
    assert_int_equal(regs->rax, 0x56789abc);
    assert_int_equal(regs->rdx, 0x1234);
    pv.tsc_aux = 5;
    assert_true(RUN("\x0f\x01\xf9"));
    assert_int_equal(regs->rcx, 5);
    pv.cr4 = CR4_TSD;
    assert_true(RUN("\x0f\x31"));
    pv.guest_kernel = false;
    assert_false(RUN("\x0f\x31"));
}

static void cpuid_forms(void **state)
{
    (void)state;
    regs->rax = 0x40000000;
    regs->rcx = 1;
    memcpy(code, "\x0f\x0bxen\x0f\xa2", 7);
    assert_true(pv_emulate_ud(&v, regs));
    assert_int_equal(regs->rip, CODE + 7);
    assert_int_equal(regs->rax, 0x40000001);
    assert_int_equal(regs->rbx, 3);
    /* A plain ud2 is the guest's own. */
    regs->rip = CODE;
    memcpy(code, "\x0f\x0bxen\x0f\xa3", 7);
    assert_false(pv_emulate_ud(&v, regs));
    assert_int_equal(regs->rip, CODE);
    assert_true(RUN("\x0f\xa2"));
}

static void single_step(void **state)
{
    (void)state;
    pv.dr6 = DR6_DEFAULT;
    regs->rflags |= RFLAGS_TF;
    assert_true(RUN("\xfa"));
    assert_int_equal(trap, EXC_DB);
    assert_int_equal(pv.dr6, DR6_DEFAULT | 1 << 14);
    assert_int_equal(regs->rip, CODE + 1);
}

static void port_values(void **state)
{
    (void)state;
    regs->rax = ~0UL;
    regs->rdx = 0x1f0;
    in_value = 0xa1b2c3d4;
    assert_true(RUN("\xec"));
    assert_int_equal(regs->rax, 0xffffffffffffffd4UL);
    in_value = 0xa1b2c3d4;
    assert_true(RUN("\x66\xed"));
    assert_int_equal(regs->rax, 0xffffffffffffc3d4UL);
    in_value = 0xa1b2c3d4;
    assert_true(RUN("\xed"));
    assert_int_equal(regs->rax, 0xa1b2c3d4UL);
    assert_int_equal(last_port, 0x1f0);
    assert_true(RUN("\xef"));
    assert_int_equal(last_out, 0xa1b2c3d4UL);
}

static uint64_t in_byte(uint16_t port)
{
    regs->rax = 0;
    regs->rdx = port;
    assert_true(RUN("\xec"));
    return regs->rax;
}

static void out_byte(uint16_t port, uint8_t value)
{
    regs->rax = value;
    regs->rdx = port;
    assert_true(RUN("\xee"));
}

static void mediated_ports(void **state)
{
    static const uint16_t ours[] = {0x20, 0x21, 0xa0,  0xa1,
                                    0x40, 0x41, 0x3f8, 0x3ff};

    (void)state;
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        assert_int_equal(in_byte(ours[i]), 0xff);
        out_byte(ours[i], 0);
    }
    assert_int_equal(outs, 0);
    /* CMOS: the NMI mask bit never reaches the chip. */
    cmos[0x0b] = 0x42;
    out_byte(0x70, 0x8b);
    assert_int_equal(in_byte(0x70), 0x0b);
    assert_int_equal(in_byte(0x71), 0x42);
    out_byte(0x71, 0x43);
    assert_int_equal(cmos[0x0b], 0x43);
    assert_int_equal(outs, 0);
    /* timer 2 only; speaker: gate and data only */
    out_byte(0x43, 0x34);
    assert_int_equal(outs, 0);
    out_byte(0x43, 0xb6);
    assert_int_equal(outs, 1);
    in_value = 0x2c;
    out_byte(0x61, 0xff);
    assert_int_equal(last_out, 0x0f);
    /* a wide access beside a mediated port is split, not let through */
    regs->rdx = 0x3f6;
    in_value = 0x11;
    assert_true(RUN("\xed"));
    assert_int_equal(regs->rax, 0xffff1211);
}

static void pci_ports(void **state)
{
    (void)state;
    regs->rdx = 0xcf8;
    regs->rax = 0x80001010;
    assert_true(RUN("\xef"));
    assert_int_equal(outs, 0);
    regs->rax = 0;
    assert_true(RUN("\xed"));
    assert_int_equal(regs->rax, 0x80001010);
    pci_value = 0x11223344;
    regs->rdx = 0xcfe;
    assert_true(RUN("\x66\xed"));
    assert_int_equal(regs->rax & 0xffff, 0x1122);
    assert_int_equal(pci_cf8, 0x80001010);
    d.is_privileged = false;
    regs->rdx = 0xcfc;
    assert_true(RUN("\xed"));
    assert_int_equal(regs->rax, 0xffffffff);
}

static void no_rights(void **state)
{
    (void)state;
    d.is_privileged = false;
    rangeset_clear(&d.io_ports);
    assert_int_equal(in_byte(0x60), 0xff);
    assert_int_equal(in_byte(0x71), 0xff);
    assert_int_equal(in_byte(0x61), 0xff);
    out_byte(0x60, 1);
    out_byte(0x42, 1);
    assert_int_equal(outs, 0);
}

static void io_bitmap(void **state)
{
    (void)state;
    pv.guest_kernel = false;
    pv.iobmp = BITMAP;
    pv.iobmp_limit = 128;
    bitmap[0x60 / 8] = 0xfe; /* port 0x60 open */
    regs->rdx = 0x60;
    assert_true(RUN("\xec"));
    assert_false(RUN("\x66\xed"));
    regs->rdx = 0x61;
    assert_false(RUN("\xec"));
    /* beyond the limit, and with the last byte of the bitmap */
    regs->rdx = 128;
    assert_false(RUN("\xec"));
    bitmap[15] = 0x7f;
    regs->rdx = 127;
    assert_true(RUN("\xec"));
    assert_false(RUN("\x66\xed"));
    pv.iobmp = 0xffffffff90000000UL;
    assert_false(RUN("\xec"));
}

static void string_input(void **state)
{
    (void)state;
    regs->rdx = 0x1f0;
    regs->rdi = BUFFER;
    regs->rcx = 4;
    in_value = 0x01020304;
    assert_true(RUN("\xf3\x6d"));
    assert_int_equal(regs->rcx, 0);
    assert_int_equal(regs->rdi, BUFFER + 16);
    assert_int_equal(buffer[0], 4);
    assert_int_equal(buffer[12], 7);
    regs->rcx = 0;
    assert_true(RUN("\xf3\x6d"));
    assert_int_equal(regs->rdi, BUFFER + 16);
    /* backwards */
    regs->rflags |= RFLAGS_DF;
    regs->rcx = 2;
    assert_true(RUN("\xf3\x6c"));
    assert_int_equal(regs->rdi, BUFFER + 14);
    regs->rflags &= ~RFLAGS_DF;
    /* a fault half-way leaves the count where it is */
    regs->rdi = BUFFER + sizeof(buffer) - 8;
    regs->rcx = 4;
    assert_true(RUN("\xf3\x6d"));
    assert_int_equal(trap, EXC_PF);
    assert_int_equal(fault_addr, BUFFER + sizeof(buffer));
    assert_int_equal(regs->rcx, 2);
    assert_int_equal(regs->rip, CODE);
}

static void string_is_bounded(void **state)
{
    unsigned int rounds = 0;

    (void)state;
    regs->rdx = 0x1f0;
    regs->rsi = BUFFER;
    regs->rcx = 3000;
    memcpy(code, "\xf3\x6e", 2);
    while (regs->rip == CODE) {
        assert_true(pv_emulate_gp(&v, regs));
        rounds++;
    }
    assert_int_equal(outs, 3000);
    assert_int_equal(rounds, 3);
    /* pending work ends a round at once */
    this_cpu()->softirq = 1;
    regs->rip = CODE;
    regs->rsi = BUFFER;
    regs->rcx = 3;
    assert_true(pv_emulate_gp(&v, regs));
    assert_int_equal(regs->rip, CODE);
    assert_int_equal(regs->rcx, 2);
}

static void io_breakpoint(void **state)
{
    (void)state;
    pv.cr4 = CR4_DE;
    pv.dr[1] = 0x80;
    pv.dr7 = 0x200400;
    pv.dr7_emul = 0x4;
    regs->rdx = 0x80;
    assert_true(RUN("\xee"));
    assert_int_equal(trap, EXC_DB);
    assert_int_equal(pv.dr6 & 0xf, 2);
    assert_int_equal(outs, 1);
}

static void unreadable_code(void **state)
{
    (void)state;
    regs->rip = 0x1000;
    assert_false(pv_emulate_gp(&v, regs));
    assert_false(pv_emulate_ud(&v, regs));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(first_instruction, set_up),
        cmocka_unit_test_setup(msr_contract, set_up),
        cmocka_unit_test_setup(unknown_msr, set_up),
        cmocka_unit_test_setup(user_mode_may_not, set_up),
        cmocka_unit_test_setup(control_registers, set_up),
        cmocka_unit_test_setup(xsetbv_rules, set_up),
        cmocka_unit_test_setup(tsc, set_up),
        cmocka_unit_test_setup(cpuid_forms, set_up),
        cmocka_unit_test_setup(single_step, set_up),
        cmocka_unit_test_setup(port_values, set_up),
        cmocka_unit_test_setup(mediated_ports, set_up),
        cmocka_unit_test_setup(pci_ports, set_up),
        cmocka_unit_test_setup(no_rights, set_up),
        cmocka_unit_test_setup(io_bitmap, set_up),
        cmocka_unit_test_setup(string_input, set_up),
        cmocka_unit_test_setup(string_is_bounded, set_up),
        cmocka_unit_test_setup(io_breakpoint, set_up),
        cmocka_unit_test_setup(unreadable_code, set_up),
    };

    return UNIT_RUN(tests);
}
