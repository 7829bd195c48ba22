/* SPDX-License-Identifier: MIT */
/*
 * ras/bank: what the processors are that QEMU has not, and what is left alone on
 * them; what of a bank is read.  The rest of its registers: test_mce.c.
 */
#include "tests/unit/unit.h"

#include "x86/msr_index.h"
#include "cpu/features.h"
#include "ras/bank.h"
#include "ras/inject.h"
#include "ras/mca_regs.h"
#include "ras/severity.h"
#include "fake_hw.h"

#define CPUID_ON_HYPERVISOR (1U << 31)

/* The banks can be found once; a processor that has none asks again. */
static void found(uint64_t mcg_cap)
{
    fake_msr_set(MSR_MCG_CAP, mcg_cap);
    bank_probe();
}

bool inject_read(uint32_t msr, uint64_t *ret_value)
{
    (void)msr;
    (void)ret_value;
    return false;
}

bool inject_forget_bank(unsigned int bank)
{
    (void)bank;
    return false;
}

void inject_forget_mcg(void)
{
}

static int reset(void **state)
{
    (void)state;
    fake_hw_reset();
    memset(&cpu_features, 0, sizeof(cpu_features));
    cpu_features.mce = cpu_features.mca = true;
    return 0;
}

static void none(void **state)
{
    (void)state;
    /* MCG_CAP is not there: reading it would end the test. */
    cpu_features.mce = false;
    bank_probe();
    cpu_features.mce = true;
    cpu_features.mca = false;
    bank_probe();
    assert_int_equal(bank_count(), 0);
    assert_int_equal(bank_mcg_status(), 0);
    bank_mcg_clear();
    bank_cpu_init();
}

static void kinds(void **state)
{
    static const struct {
        enum cpu_vendor vendor;
        uint32_t last_leaf, ras;
        uint64_t mcg_cap;
        int kind;
    } row[] = {
        {CPU_INTEL, 0x80000008, 0, 0, MCE_KIND_PLAIN},
        {CPU_INTEL, 0x80000008, 0, MCG_CAP_SER_P, MCE_KIND_SER},
        {CPU_AMD, 0x80000006, 3, 0, MCE_KIND_PLAIN},
        {CPU_AMD, 0x80000008, 3, 0, MCE_KIND_SUCCOR},
        {CPU_AMD, 0x80000008, 1, 0, MCE_KIND_PLAIN},
        {CPU_AMD, 0x80000008, 2, 0, MCE_KIND_PLAIN},
        {CPU_INTEL, 0x80000008, 3, 0, MCE_KIND_PLAIN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        cpu_features.vendor = row[i].vendor;
        cpu_features.max_ext_leaf = row[i].last_leaf;
        fake_cpuid_set(0x80000007, 0, 0, row[i].ras, 0, 0);
        found(row[i].mcg_cap);
        assert_int_equal(bank_kind(), row[i].kind);
        assert_int_equal(bank_count(), 0);
    }
}

/* Switch on; Return: what was written to this bank's CTL, 1 if nothing. */
static uint64_t ctl(unsigned int bank)
{
    for (unsigned int i = 0; i < bank_count(); i++) {
        fake_msr_set(MSR_MCx_CTL(i), 1);
    }
    fake_msr_set(MSR_MCG_CTL, 1);
    bank_cpu_init();
    return fake_msr_get(MSR_MCx_CTL(bank));
}

static void quirks(void **state)
{
    (void)state;
    found(MCG_CAP_CTL_P | 255);
    assert_int_equal(bank_count(), MCA_BANKS_MAX);

    /* Bank 0 of an Intel processor before model 0x1a is the platform's. */
    cpu_features.vendor = CPU_INTEL;
    cpu_features.family = 6;
    cpu_features.model = 0x17;
    assert_int_equal(ctl(0), 1);
    assert_int_equal(ctl(1), ~0UL);
    assert_int_equal(ctl(MCA_BANKS_MAX - 1), ~0UL);
    assert_int_equal(fake_msr_get(MSR_MCG_CTL), ~0UL);
    cpu_features.l1_ecx = CPUID_ON_HYPERVISOR;
    assert_int_equal(ctl(0), ~0UL);
    cpu_features.l1_ecx = 0;
    cpu_features.model = 0x1a;
    assert_int_equal(ctl(0), ~0UL);
    cpu_features.model = 0x17;
    cpu_features.family = 15;
    assert_int_equal(ctl(0), ~0UL);

    /* Bank 4 of AMD's family 0fh reports GART walks. */
    assert_int_equal(ctl(4), ~0UL);
    cpu_features.vendor = CPU_AMD;
    assert_int_equal(ctl(4), ~(1UL << 10));
    assert_int_equal(ctl(0), ~0UL);
    cpu_features.family = 16;
    assert_int_equal(ctl(4), ~0UL);
}

/* What is not valid may fault: reading it would end the test. */
static void only_what_is_valid(void **state)
{
    struct mca_bank_regs b;

    (void)state;
    for (unsigned int i = 0; i < 4; i++) {
        bool addr = (i & 1) != 0, misc = (i & 2) != 0;
        uint64_t status =
            MCI_VAL | (addr ? MCI_ADDRV : 0) | (misc ? MCI_MISCV : 0);

        fake_msr_set(MSR_MCx_STATUS(6), status);
        fake_msr_set(MSR_MCx_ADDR(6), 0xadd0);
        fake_msr_set(MSR_MCx_MISC(6), 0x8c);
        fake_msr_fault(MSR_MCx_ADDR(6), !addr, true);
        fake_msr_fault(MSR_MCx_MISC(6), !misc, true);
        b = (struct mca_bank_regs){.addr = 1, .misc = 1};
        assert_true(bank_read(6, &b));
        assert_int_equal(b.bank, 6);
        assert_int_equal(b.status, status);
        assert_int_equal(b.addr, addr ? 0xadd0 : 0);
        assert_int_equal(b.misc, misc ? 0x8c : 0);
    }
    fake_msr_set(MSR_MCx_STATUS(6), MCI_ADDRV | MCI_MISCV);
    b.bank = 99;
    assert_false(bank_read(6, &b));
    assert_int_equal(b.bank, 99);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(none, reset),
        cmocka_unit_test_setup(kinds, reset),
        cmocka_unit_test_setup(quirks, reset),
        cmocka_unit_test_setup(only_what_is_valid, reset),
    };

    return UNIT_RUN(tests);
}
