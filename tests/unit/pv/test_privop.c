/* SPDX-License-Identifier: MIT */
/*
 * pv/privop with guest_msr, ctrlreg, debugreg and vmca behind it: from
 * instruction bytes in guest memory to changed registers, and who may.
 */
#include "tests/unit/pv/privop_machine.h"

#include "cpu/features.h"

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

static void unreadable_code(void **state)
{
    (void)state;
    regs->rip = 0x1000;
    assert_false(pv_emulate_gp(&vcpu, regs));
    assert_false(pv_emulate_ud(&vcpu, regs));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(first_instruction, privop_set_up),
        cmocka_unit_test_setup(msr_contract, privop_set_up),
        cmocka_unit_test_setup(unknown_msr, privop_set_up),
        cmocka_unit_test_setup(user_mode_may_not, privop_set_up),
        cmocka_unit_test_setup(control_registers, privop_set_up),
        cmocka_unit_test_setup(xsetbv_rules, privop_set_up),
        cmocka_unit_test_setup(tsc, privop_set_up),
        cmocka_unit_test_setup(cpuid_forms, privop_set_up),
        cmocka_unit_test_setup(single_step, privop_set_up),
        cmocka_unit_test_setup(unreadable_code, privop_set_up),
    };

    return UNIT_RUN(tests);
}
