/* SPDX-License-Identifier: MIT */
/*
 * ras/bank.c - the machine-check registers.
 */
#include "ras/bank.h"

#include "lib/types.h"
#include "x86/cpuid.h"
#include "x86/msr.h"
#include "cpu/features.h"
#include "ras/inject.h"
#include "ras/mca_regs.h"
#include "ras/severity.h"

#define CPUID_RAS           0x80000007U
#define CPUID_RAS_OVERFLOW  (1U << 0)
#define CPUID_RAS_SUCCOR    (1U << 1)
#define CPUID_ON_HYPERVISOR (1U << 31)

static uint64_t cap;       /* c */
static unsigned int count; /* c */
static unsigned int kind = MCE_KIND_PLAIN; /* c */

NMI_SAFE unsigned int bank_count(void)
{
    return count;
}

NMI_SAFE uint64_t bank_mcg_cap(void)
{
    return cap;
}

NMI_SAFE unsigned int bank_kind(void)
{
    return kind;
}

static NMI_SAFE unsigned int kind_of_processor(void)
{
    const uint32_t both = CPUID_RAS_OVERFLOW | CPUID_RAS_SUCCOR;

    if ((cap & MCG_CAP_SER_P) != 0) {
        return MCE_KIND_SER;
    }
    if (cpu_features.vendor == CPU_AMD &&
        cpu_features.max_ext_leaf >= CPUID_RAS &&
        (cpuid(CPUID_RAS).b & both) == both) {
        return MCE_KIND_SUCCOR;
    }
    return MCE_KIND_PLAIN;
}

NMI_SAFE void bank_probe(void)
{
    if (count != 0 || !cpu_features.mce || !cpu_features.mca) {
        return;
    }
    cap = rdmsr(MSR_MCG_CAP);
    count = (unsigned int)(cap & MCG_CAP_COUNT);
    if (count > MCA_BANKS_MAX) {
        count = MCA_BANKS_MAX;
    }
    kind = kind_of_processor();
}

/* What to write to a bank's CTL; false: leave it alone. */
static bool bank_wanted(unsigned int bank, uint64_t *ret_ctl)
{
    bool emulated = (cpu_features.l1_ecx & CPUID_ON_HYPERVISOR) != 0;

    *ret_ctl = ~0UL;
    if (emulated) {
        return true;
    }
    /* SDM 3B 16.3.2.1: before model 0x1a, bank 0 is the platform's. */
    if (bank == 0 && cpu_features.vendor == CPU_INTEL &&
        cpu_features.family == 6 && cpu_features.model < 0x1a) {
        return false;
    }
    /* AMD family 0fh: GART walks report errors that are none. */
    if (bank == 4 && cpu_features.vendor == CPU_AMD &&
        cpu_features.family == 15) {
        *ret_ctl &= ~(1UL << 10);
    }
    return true;
}

void bank_cpu_init(void)
{
    uint64_t ctl;

    for (unsigned int i = 0; i < count; i++) {
        if (bank_wanted(i, &ctl)) {
            wrmsr(MSR_MCx_CTL(i), ctl);
        }
    }
    if ((cap & MCG_CAP_CTL_P) != 0) {
        wrmsr(MSR_MCG_CTL, ~0UL);
    }
}

static NMI_SAFE uint64_t read_register(uint32_t msr)
{
    uint64_t v;

    return inject_read(msr, &v) ? v : rdmsr(msr);
}

NMI_SAFE uint64_t bank_status(unsigned int bank)
{
    return read_register(MSR_MCx_STATUS(bank));
}

NMI_SAFE bool bank_read(unsigned int bank, struct mca_bank_regs *ret_regs)
{
    uint64_t status = bank_status(bank);

    if ((status & MCI_VAL) == 0) {
        return false;
    }
    ret_regs->bank = bank;
    ret_regs->status = status;
    ret_regs->addr = 0;
    ret_regs->misc = 0;
    /* Reading an invalid one may fault (SDM 3B 16.3.2.3, 16.3.2.4). */
    if ((status & MCI_ADDRV) != 0) {
        ret_regs->addr = read_register(MSR_MCx_ADDR(bank));
    }
    if ((status & MCI_MISCV) != 0) {
        ret_regs->misc = read_register(MSR_MCx_MISC(bank));
    }
    return true;
}

NMI_SAFE void bank_clear(unsigned int bank)
{
    if (!inject_forget_bank(bank)) {
        wrmsr(MSR_MCx_STATUS(bank), 0);
    }
}

NMI_SAFE uint64_t bank_mcg_status(void)
{
    return count != 0 ? read_register(MSR_MCG_STATUS) : 0;
}

NMI_SAFE void bank_mcg_clear(void)
{
    if (count == 0) {
        return;
    }
    inject_forget_mcg();
    /* Also when it was played: a real one may have come in between, and
     * with its MCIP left set the next would be a shutdown. */
    wrmsr(MSR_MCG_STATUS, 0);
}
