/* SPDX-License-Identifier: MIT */
/*
 * pv/guest_msr.c - the MSRs a PV guest's kernel sees.
 *
 * pv/cpu_view.def has a row for each.  Here are those that are the vcpu's own
 * (bases, TSC_AUX) or have an answer the ABI promises (PAT, APIC_BASE); what a
 * row says all of is looked up.  Everything unknown is #GP, except that a guest
 * which has not registered a handler for #GP yet reads 0.
 */
#include "pv/guest_msr.h"

#include "lib/errno.h"
#include "lib/xen_abi.h"
#include "x86/exc.h"
#include "x86/msr.h"
#include "x86/page.h"
#include "cpu/features.h"
#include "cpu/spec_ctrl.h"
#include "pv/guest_cpuid.h"
#include "pv/pv.h"
#include "pv/vmca.h"

#define APIC_BASE_ADDRESS 0xfee00000UL
#define APIC_BASE_ENABLE  (1UL << 11)
#define APIC_BASE_BSP     (1UL << 8)

#define MISC_ENABLE_BTS_UNAVAIL  (1UL << 11)
#define MISC_ENABLE_PEBS_UNAVAIL (1UL << 12)
#define MISC_ENABLE_XTPR_DISABLE (1UL << 23)
#define MISC_ENABLE_PERF_AVAIL   (1UL << 7)
#define MISC_ENABLE_MONITOR      (1UL << 18)

#define MSR_K7_HWCR         0xc0010015
#define HWCR_CPUID_USER_DIS (1UL << 35)

enum msr_of { OF_ANY, OF_INTEL, OF_AMD, OF_NOT_AMD };
enum msr_read { READ_FAULT, READ_ZERO, READ_MACHINE, READ_DOM0, READ_OWN };
enum msr_write { WRITE_FAULT, WRITE_DROP, WRITE_ZERO, WRITE_DOM0, WRITE_OWN };

static const struct msr_view {
    uint32_t first, last;
    uint8_t of, read, write;
} msr_views[] = {
#define MSR(first, last, of, read, write, reason)                              \
    {first, last, OF_##of, READ_##read, WRITE_##write},
#include "pv/cpu_view.def"
};

static bool is_amd(void)
{
    return cpu_features.vendor == CPU_AMD;
}

static bool is_intel(void)
{
    return cpu_features.vendor == CPU_INTEL;
}

static bool vendor_has(enum msr_of of)
{
    switch (of) {
    case OF_ANY:
        return true;
    case OF_INTEL:
        return is_intel();
    case OF_AMD:
        return is_amd();
    case OF_NOT_AMD:
        return !is_amd();
    }
    return false;
}

/* The row of an MSR that this vendor's processors have, or NULL. */
static const struct msr_view *find_view(uint32_t index)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(msr_views); i++) {
        if (index >= msr_views[i].first && index <= msr_views[i].last) {
            return vendor_has(msr_views[i].of) ? &msr_views[i] : NULL;
        }
    }
    return NULL;
}

static uint64_t misc_enable_view(void)
{
    uint64_t value = 0;

    if (rdmsr_safe(MSR_MISC_ENABLE, &value) != 0) {
        value = 0;
    }
    /* No performance counters, no tracing stores, no mwait. */
    value &= ~(MISC_ENABLE_PERF_AVAIL | MISC_ENABLE_MONITOR);
    return value | MISC_ENABLE_BTS_UNAVAIL | MISC_ENABLE_PEBS_UNAVAIL |
           MISC_ENABLE_XTPR_DISABLE;
}

/* EFER as the guest knows it: no virtualisation bits. */
static uint64_t efer_view(void)
{
    return rdmsr(MSR_EFER) & (EFER_SCE | EFER_LME | EFER_LMA | EFER_NX);
}

static uint64_t policy_msr(const struct domain *d, uint32_t index)
{
    xen_msr_entry_t entries[CPU_POLICY_MSRS_MAX];
    unsigned int count =
        cpu_policy_msrs(CPU_POLICY_DOMAIN, d, entries, CPU_POLICY_MSRS_MAX);

    for (unsigned int i = 0; i < count && i < CPU_POLICY_MSRS_MAX; i++) {
        if (entries[i].idx == index) {
            return entries[i].val;
        }
    }
    return 0;
}

/* Has the guest no way yet to survive a #GP? */
static bool has_no_gp_handler(const struct vcpu *v)
{
    return v->pv->traps[EXC_GP].address == 0;
}

/* Bases: in the processor while @v is current. */
static uint64_t read_base(const struct vcpu *v, uint32_t index)
{
    const struct pv_vcpu *pv = v->pv;

    if (likely(v == current)) {
        return rdmsr(index);
    }
    switch (index) {
    case MSR_FS_BASE:
        return pv->fs_base;
    case MSR_GS_BASE:
        return pv->guest_kernel ? pv->gs_base_kernel : pv->gs_base_user;
    default:
        return pv->guest_kernel ? pv->gs_base_user : pv->gs_base_kernel;
    }
}

static bool write_base(struct vcpu *v, uint32_t index, uint64_t value)
{
    struct pv_vcpu *pv = v->pv;

    if (!va_is_canonical(value)) {
        return false;
    }
    if (likely(v == current)) {
        wrmsr(index, value);
    }
    if (index == MSR_FS_BASE) {
        pv->fs_base = value;
    } else if ((index == MSR_GS_BASE) == pv->guest_kernel) {
        pv->gs_base_kernel = value;
    } else {
        pv->gs_base_user = value;
    }
    return true;
}

/* Intel's CPUID bits and AMD's: either will do. */
static bool has_either(const struct domain *d, unsigned int intel,
                       unsigned int amd)
{
    return guest_cpuid_has(d, intel) || guest_cpuid_has(d, amd);
}

static bool has_spec_ctrl(const struct domain *d)
{
    return has_either(d, XEN_X86_FEATURE_IBRSB, XEN_X86_FEATURE_IBRS);
}

/* STIBP may be written by all: it does nothing where there is no sibling. */
static bool write_spec_ctrl(struct vcpu *v, uint64_t value)
{
    const struct domain *d = v->domain;
    uint64_t known = SPEC_CTRL_IBRS | SPEC_CTRL_STIBP;

    if (has_either(d, XEN_X86_FEATURE_SSBD, XEN_X86_FEATURE_AMD_SSBD)) {
        known |= SPEC_CTRL_SSBD;
    }
    if (!has_spec_ctrl(d) || (value & ~known) != 0) {
        return false;
    }
    v->pv->spec_ctrl_guest = value;
    v->pv->spec_ctrl = spec_guest_value(value);
    if (v == current) {
        spec_load(v->pv->spec_ctrl);
    }
    return true;
}

static bool read_own(struct vcpu *v, uint32_t index, uint64_t *ret_value)
{
    const struct domain *d = v->domain;

    switch (vmca_rdmsr(v, index, ret_value)) {
    case VMCA_DONE:
        return true;
    case VMCA_FAULT:
        return false;
    case VMCA_NOT_MINE:
        break;
    }
    switch (index) {
    case MSR_TSC_AUX:
        *ret_value = v->pv->tsc_aux;
        return cpu_features.rdtscp;
    case MSR_SPEC_CTRL:
        *ret_value = v->pv->spec_ctrl_guest;
        return has_spec_ctrl(d);
    case MSR_MISC_ENABLE:
        *ret_value = misc_enable_view();
        return true;
    case MSR_PLATFORM_INFO:
        *ret_value = policy_msr(d, index);
        return true;
    case MSR_ARCH_CAPABILITIES:
        *ret_value = policy_msr(d, index);
        return guest_cpuid_has(d, XEN_X86_FEATURE_ARCH_CAPS);
    case MSR_AMD_DE_CFG:
        *ret_value = DE_CFG_LFENCE_SERIALISE;
        return true;
    default:
        return false;
    }
}

static bool read_view(struct vcpu *v, uint32_t index, enum msr_read how,
                      uint64_t *ret_value)
{
    switch (how) {
    case READ_OWN:
        return read_own(v, index, ret_value);
    case READ_DOM0:
        if (v->domain->is_privileged) {
            return rdmsr_safe(index, ret_value) == 0;
        }
        *ret_value = 0;
        return true;
    case READ_MACHINE:
        return rdmsr_safe(index, ret_value) == 0;
    case READ_ZERO:
        *ret_value = 0;
        return true;
    case READ_FAULT:
        break;
    }
    return false;
}

/* What no kernel reads often. */
static NOINLINE bool read_rare(struct vcpu *v, uint32_t index,
                               uint64_t *ret_value)
{
    const struct msr_view *view = find_view(index);

    if (view != NULL && read_view(v, index, view->read, ret_value)) {
        return true;
    }
    /*
     * Early kernels read MSRs before they can take a fault.  The value is
     * never the machine's.
     */
    if (has_no_gp_handler(v) && rdmsr_safe(index, ret_value) == 0) {
        *ret_value = 0;
        return true;
    }
    return false;
}

/* Apart: what is called here costs the frequent ones a register. */
static NOINLINE bool read_tsc(struct vcpu *v, uint64_t *ret_value)
{
    *ret_value = vtsc_read(&v->domain->vtsc);
    return true;
}

bool guest_rdmsr(struct vcpu *v, uint32_t index, uint64_t *ret_value)
{
    switch (index) {
    case MSR_FS_BASE:
    case MSR_GS_BASE:
    case MSR_KERNEL_GS_BASE:
        *ret_value = read_base(v, index);
        return true;
    case MSR_EFER:
        *ret_value = efer_view();
        return true;
    case MSR_TSC:
        return read_tsc(v, ret_value);
    case MSR_APIC_BASE:
        *ret_value = APIC_BASE_ADDRESS | APIC_BASE_ENABLE |
                     (v->vcpu_id == 0 ? APIC_BASE_BSP : 0);
        return true;
    case MSR_PAT:
        *ret_value = PAT_XEN;
        return true;
    default:
        return read_rare(v, index, ret_value);
    }
}

static bool write_own(struct vcpu *v, uint32_t index, uint64_t value)
{
    switch (vmca_wrmsr(v, index, value)) {
    case VMCA_DONE:
        return true;
    case VMCA_FAULT:
        return false;
    case VMCA_NOT_MINE:
        break;
    }
    switch (index) {
    case MSR_TSC_AUX:
        if (!cpu_features.rdtscp || value != (uint32_t)value) {
            return false;
        }
        v->pv->tsc_aux = value;
        if (v == current) {
            wrmsr(MSR_TSC_AUX, value);
        }
        return true;
    case MSR_EFER:
        return value == efer_view();
    case MSR_MISC_ENABLE:
        /* A different value is dropped without a fault. */
        return is_intel();
    case MSR_UCODE_REV:
        /* Intel's way of asking for the revision: write 0, cpuid, read. */
        return is_intel() && value == 0;
    case MSR_SPEC_CTRL:
        return write_spec_ctrl(v, value);
    case MSR_PRED_CMD:
        if (!has_either(v->domain, XEN_X86_FEATURE_IBRSB,
                        XEN_X86_FEATURE_IBPB) ||
            (value & ~PRED_CMD_IBPB) != 0) {
            return false;
        }
        return value == 0 || wrmsr_safe(MSR_PRED_CMD, value) == 0;
    case MSR_K7_HWCR:
        /* The only bit a kernel may try that we would have to honour. */
        return (value & HWCR_CPUID_USER_DIS) == 0;
    default:
        return false;
    }
}

static NOINLINE bool write_rare(struct vcpu *v, uint32_t index, uint64_t value)
{
    const struct msr_view *view = find_view(index);

    if (view == NULL) {
        return false;
    }
    switch ((enum msr_write)view->write) {
    case WRITE_OWN:
        return write_own(v, index, value);
    case WRITE_DROP:
        return true;
    case WRITE_ZERO:
        return value == 0;
    case WRITE_DOM0:
        return v->domain->is_privileged;
    case WRITE_FAULT:
        break;
    }
    return false;
}

bool guest_wrmsr(struct vcpu *v, uint32_t index, uint64_t value)
{
    switch (index) {
    case MSR_FS_BASE:
    case MSR_GS_BASE:
    case MSR_KERNEL_GS_BASE:
        return write_base(v, index, value);
    default:
        return write_rare(v, index, value);
    }
}
