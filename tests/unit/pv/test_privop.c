/* SPDX-License-Identifier: MIT */
/*
 * pv/privop with guest_msr, ctrlreg, debugreg and vmca behind it: from
 * instruction bytes in guest memory to changed registers, and who may.
 */
#include "tests/unit/pv/privop_machine.h"

#include "cpu/clock.h"
#include "cpu/features.h"
#include "pv/ctrlreg.h"

static void first_instruction(void **state)
{
    (void)state;
    /* wrmsr to MSR_GS_BASE with no trap table at all. */
    traps[EXC_GP].address = 0;
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
    vcpu.vcpu_id = 1;
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

static void spec_ctrl(void **state)
{
    uint64_t value;

    (void)state;
    spec_choice = (struct spec_choice){.spec_ctrl = 1, .guest_bits = 7};
    fake_msr_set(MSR_SPEC_CTRL, 1);
    assert_false(msr_writes(MSR_SPEC_CTRL, 0)); /* CPUID has none of it */
    feature_too = XEN_X86_FEATURE_IBRS;         /* AMD's */
    assert_true(msr_writes(MSR_SPEC_CTRL, 2));
    assert_int_equal(fake_msr_get(MSR_SPEC_CTRL), 3); /* ours stays */
    assert_true(msr_reads(MSR_SPEC_CTRL, &value));
    assert_int_equal(value, 2); /* and is not seen */
    assert_false(msr_writes(MSR_SPEC_CTRL, 4)); /* no SSBD in its CPUID */
    assert_false(msr_writes(MSR_SPEC_CTRL, 1UL << 10));
    assert_int_equal(fake_msr_get(MSR_SPEC_CTRL), 3);
    assert_true(msr_writes(MSR_SPEC_CTRL, 0));
    assert_int_equal(fake_msr_get(MSR_SPEC_CTRL), 1);
    assert_false(msr_writes(MSR_PRED_CMD, 1));
    feature_too = XEN_X86_FEATURE_IBRSB; /* Intel's: IBPB comes with it */
    fake_msr_set(MSR_PRED_CMD, 0);
    assert_true(msr_writes(MSR_PRED_CMD, 1));
    assert_int_equal(fake_msr_get(MSR_PRED_CMD), 1);
    feature_too = 0;
}

static void unknown_msr(void **state)
{
    uint64_t value = 1;

    (void)state;
    fake_msr_set(0x1234, 0x5678);
    assert_false(msr_reads(0x1234, &value));
    /* Before a handler for #GP exists it reads 0, if it exists at all. */
    traps[EXC_GP].address = 0;
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
    /* A long check gives way: the instruction stays and is executed again. */
    regs->rax = 0x5000;
    this_cpu()->softirq = 1;
    memcpy(code, "\x0f\x22\xd8", 3);
    regs->rip = CODE;
    assert_true(pv_emulate_gp(&vcpu, regs));
    assert_int_equal(regs->rip, CODE);
    assert_int_equal(mfn_x(pv.guest_table), 0x888);
    this_cpu()->softirq = 0;
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

/* Emulated: both modes fault, and are answered; the kernel sees no TSD. */
static void tsc_emulated(void **state)
{
    (void)state;
    fake_tsc_step = 0;
    clock_init(2500000, 0);
    vtsc_start(&dom.vtsc, 2000000, 0x500000000UL);
    pv_cr4_update(&vcpu);
    pv_cr4_load(&vcpu);
    assert_true(fake_cr[4] & CR4_TSD);
    assert_true(RUN("\x0f\x20\xe0"));
    assert_int_equal(regs->rax & CR4_TSD, 0);
    regs->rax = CR4_DE;
    assert_true(RUN("\x0f\x22\xe0"));
    assert_true(fake_cr[4] & CR4_TSD);

    fake_tsc += 2500 * 1000; /* a millisecond */
    assert_true(RUN("\x0f\x31"));
    assert_in_range(regs->rdx << 32 | regs->rax, 0xa00000000 + 1999996,
                    0xa00000000 + 2000004);
    regs->rcx = 0x10;
    assert_true(RUN("\x0f\x32")); /* MSR 10h */
    assert_in_range(regs->rdx << 32 | regs->rax, 0xa00000000 + 1999998,
                    0xa00000000 + 2000006);
    pv.guest_kernel = false;
    pv.tsc_aux = 7;
    fake_tsc += 2500 * 1000;
    assert_true(RUN("\x0f\x01\xf9"));
    assert_in_range(regs->rdx << 32 | regs->rax, 0xa00000000 + 3999996,
                    0xa00000000 + 4000004);
    assert_int_equal(regs->rcx, 7);
    /* The kernel's own TSD still holds for its user mode. */
    pv.cr4 = CR4_TSD;
    assert_false(RUN("\x0f\x31"));

    vtsc_stop(&dom.vtsc);
    pv.cr4 = 0;
    pv_cr4_update(&vcpu);
    pv_cr4_load(&vcpu);
    assert_false(fake_cr[4] & CR4_TSD);
}

static void cpuid_forms(void **state)
{
    (void)state;
    regs->rax = 0x40000000;
    regs->rcx = 1;
    memcpy(code, "\x0f\x0bxen\x0f\xa2", 7);
    assert_true(pv_emulate_ud(&vcpu, regs));
    assert_int_equal(regs->rip, CODE + 7);
    assert_int_equal(regs->rax, 0x40000001);
    assert_int_equal(regs->rbx, 3);
    /* A plain ud2 is the guest's own. */
    regs->rip = CODE;
    memcpy(code, "\x0f\x0bxen\x0f\xa3", 7);
    assert_false(pv_emulate_ud(&vcpu, regs));
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

/* All that an instruction may change, and how it ended. */
struct aftermath {
    bool done;
    int trap;
    struct cpu_regs regs;
    struct pv_vcpu pv;
    uint64_t cr[16], dr[8], pci, cr2;
    uint32_t out;
    uint16_t port;
    unsigned int outs;
};

static struct aftermath try(const uint8_t *insn, size_t len, uint64_t seed,
                            uint32_t msr)
{
    struct aftermath a;

    (void)privop_set_up(NULL);
    fake_msr_set(MSR_EFER, EFER_SCE | EFER_LME | EFER_LMA | EFER_NX);
    fake_msr_set(MSR_FS_BASE, 0x1000);
    fake_msr_set(MSR_KERNEL_GS_BASE, 0x2000);
    pv.ts_set = (seed & 1) != 0;
    pv.iopl = (seed >> 1 & 1) != 0;
    pv.dr[1] = 0x3333;
    pv.dr7_emul = (seed >> 2 & 1) != 0 ? 0x3 : 0;
    pv.cr4 = (seed >> 2 & 1) != 0 ? CR4_DE : 0;
    info.arch.cr2 = 0x4444;
    for (unsigned int i = 0; i < 16; i++) {
        *regs_gpr(regs, i) = seed;
    }
    regs->rcx = msr;
    memcpy(code, insn, len);
    memset(&a, 0, sizeof(a));
    a.done = pv_emulate_gp(&vcpu, regs);
    a.trap = trap;
    a.regs = *regs;
    a.pv = pv;
    memcpy(a.cr, fake_cr, sizeof(a.cr));
    memcpy(a.dr, fake_dr, sizeof(a.dr));
    a.pci = pci_value;
    a.cr2 = info.arch.cr2;
    a.out = last_out;
    a.port = last_port;
    a.outs = outs;
    return a;
}

/*
 * A segment prefix changes nothing but the way: with it, an instruction goes
 * through the decoder.
 */
static void same_by_either_way(const uint8_t *insn, size_t len, uint64_t seed,
                               uint32_t msr)
{
    uint8_t prefixed[INSN_BYTES_MAX] = {0x3e};
    struct aftermath usual = try(insn, len, seed, msr), general;

    memcpy(prefixed + 1, insn, len);
    general = try(prefixed, len + 1, seed, msr);
    if (general.regs.rip != CODE) {
        general.regs.rip--;
    }
    assert_memory_equal(&usual, &general, sizeof(usual));
}

static void usual_forms(void **state)
{
    static const uint64_t seeds[] = {
        0,        1,      2,          3,          6,     7,
        0x888000, 0x5002, CR0_PE | CR0_PG | CR0_WP, 0xcf8, 0x3fa,
        CR0_PE | CR0_PG | CR0_WP | CR0_TS,          0x8000000000000000UL,
    };
    static const uint32_t msrs[] = {MSR_EFER, MSR_FS_BASE, MSR_KERNEL_GS_BASE,
                                    MSR_PAT, MSR_MCG_CAP, 0x12345};
    uint8_t insn[3] = {0};

    (void)state;
    for (size_t s = 0; s < ARRAY_SIZE(seeds); s++) {
        for (size_t m = 0; m < ARRAY_SIZE(msrs); m++) {
            insn[0] = 0x0f;
            insn[1] = 0x30;
            same_by_either_way(insn, 2, seeds[s], msrs[m]);
            insn[1] = 0x32;
            same_by_either_way(insn, 2, seeds[s], msrs[m]);
        }
        /* Every first byte, then every second one behind 0x0f. */
        for (unsigned int b = 0; b < 256; b++) {
            insn[0] = (uint8_t)b;
            insn[1] = 0x61;
            same_by_either_way(insn, 3, seeds[s], MSR_PAT);
            insn[0] = 0x0f;
            insn[1] = (uint8_t)b;
            same_by_either_way(insn, 3, seeds[s], MSR_PAT);
        }
        /* Every operand of the control and debug register moves. */
        for (unsigned int b = 0; b < 4 * 256; b++) {
            insn[0] = 0x0f;
            insn[1] = (uint8_t)(0x20 + b / 256);
            insn[2] = (uint8_t)b;
            same_by_either_way(insn, 3, seeds[s], MSR_PAT);
        }
        /* Every port in the instruction. */
        for (unsigned int b = 0; b < 4 * 256; b++) {
            insn[0] = (uint8_t)(0xe4 + b / 256);
            insn[1] = (uint8_t)b;
            same_by_either_way(insn, 2, seeds[s], MSR_PAT);
        }
    }
}

static void unreadable_code(void **state)
{
    (void)state;
    regs->rip = fake_bad_start = 0x1000;
    fake_bad_end = 0x2000;
    assert_false(pv_emulate_gp(&vcpu, regs));
    assert_false(pv_emulate_ud(&vcpu, regs));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(first_instruction, privop_set_up),
        cmocka_unit_test_setup(msr_contract, privop_set_up),
        cmocka_unit_test_setup(spec_ctrl, privop_set_up),
        cmocka_unit_test_setup(unknown_msr, privop_set_up),
        cmocka_unit_test_setup(user_mode_may_not, privop_set_up),
        cmocka_unit_test_setup(control_registers, privop_set_up),
        cmocka_unit_test_setup(xsetbv_rules, privop_set_up),
        cmocka_unit_test_setup(tsc, privop_set_up),
        cmocka_unit_test_setup(tsc_emulated, privop_set_up),
        cmocka_unit_test_setup(cpuid_forms, privop_set_up),
        cmocka_unit_test_setup(single_step, privop_set_up),
        cmocka_unit_test_setup(usual_forms, privop_set_up),
        cmocka_unit_test_setup(unreadable_code, privop_set_up),
    };

    return UNIT_RUN(tests);
}
