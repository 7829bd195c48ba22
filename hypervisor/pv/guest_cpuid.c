/* SPDX-License-Identifier: MIT */
/*
 * pv/guest_cpuid.c - what processor the guest is shown.
 */
#include "pv/guest_cpuid.h"

#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "x86/cr.h"
#include "x86/msr.h"
#include "cpu/clock.h"
#include "cpu/features.h"
#include "mm/frame.h"
#include "mm/heap.h"
#include "pv/cpu_policy.h"
#include "pv/pv.h"

/* A domain's own policy (XEN_DOMCTL_set_cpu_policy). */
struct xen_cpu_policy_store {
    struct cpu_policy policy;
};

/* Written once at boot. */
static struct cpu_policy host_policy;
static struct cpu_policy pv_policy;
static uint32_t host_words[CPU_FEATURESET_WORDS]; /* of host_policy */
static const struct cpu_policy no_policy;

#define APIC_IDS_A_VCPU 2U

#define XEN_LEAF_TSC_EMULATED 0x1U
#define XEN_LEAF_TSC_SAFE     0x2U
#define XEN_LEAF_TSC_RDTSCP   0x4U

void guest_cpuid_init(void)
{
    policy_from_hardware(&host_policy);
    if (policy_feature_word(&host_policy, FEATURE_ARCH_CAPS / 32) >>
                (FEATURE_ARCH_CAPS % 32) &
            1 &&
        rdmsr_safe(MSR_ARCH_CAPABILITIES, &host_policy.arch_caps) != 0) {
        host_policy.arch_caps = 0;
    }
    if (cpu_features.vendor == CPU_INTEL &&
        rdmsr_safe(MSR_PLATFORM_INFO, &host_policy.platform_info) != 0) {
        host_policy.platform_info = 0;
    }
    /* Of PLATFORM_INFO only "CPUID can fault" is part of a policy. */
    host_policy.platform_info &= 1UL << 31;
    for (unsigned int w = 0; w < CPU_FEATURESET_WORDS; w++) {
        host_words[w] = policy_feature_word(&host_policy, w);
    }
    pv_policy = host_policy;
    policy_for_pv(&pv_policy, cpu_features.xsave ? cpu_features.xcr0_mask : 0,
                  cpu_features.vendor == CPU_AMD);
}

static const struct cpu_policy *domain_policy(const struct domain *d)
{
    return d->pv != NULL && d->pv->policy != NULL ? &d->pv->policy->policy
                                                  : &pv_policy;
}

static const struct cpu_policy *policy_of(enum cpu_policy_kind kind,
                                          const struct domain *d)
{
    switch (kind) {
    case CPU_POLICY_RAW:
    case CPU_POLICY_HOST:
        return &host_policy;
    case CPU_POLICY_PV_MAX:
    case CPU_POLICY_PV_DEFAULT:
        return &pv_policy;
    case CPU_POLICY_DOMAIN:
        return domain_policy(d);
    case CPU_POLICY_HVM_MAX:
    case CPU_POLICY_HVM_DEFAULT:
        break;
    }
    return &no_policy;
}

bool guest_cpuid_has(const struct domain *d, unsigned int feature)
{
    return policy_feature_word(domain_policy(d), feature / 32) >>
               (feature % 32) &
           1;
}

static void tsc_leaf(const struct domain *d, uint32_t subleaf,
                     struct cpuid_regs *r)
{
    struct clock_scale scale;

    switch (subleaf) {
    case 0:
        r->a = (d->vtsc.is_on ? XEN_LEAF_TSC_EMULATED : 0) |
               (cpu_features.invariant_tsc ? XEN_LEAF_TSC_SAFE : 0) |
               (guest_cpuid_has(d, FEATURE_RDTSCP) ? XEN_LEAF_TSC_RDTSCP : 0);
        r->b = d->tsc_mode;
        r->c = d->vtsc.is_on ? d->vtsc.khz : (uint32_t)clock_tsc_khz();
        r->d = d->tsc_incarnation;
        break;
    case 1:
        scale = d->vtsc.is_on ? d->vtsc.scale : clock_pv_scale();
        r->c = scale.mul_frac;
        r->d = (uint32_t)(int32_t)scale.shift;
        break;
    case 2:
        r->a = (uint32_t)clock_tsc_khz();
        break;
    default:
        break;
    }
}

/* Source: <xen/arch-x86/cpuid.h>. */
static void xen_leaf(const struct domain *d, uint32_t index, uint32_t subleaf,
                     struct cpuid_regs *r)
{
    switch (index) {
    case 0:
        r->a = XEN_CPUID_FIRST_LEAF + XEN_CPUID_MAX_NUM_LEAVES;
        r->b = XEN_CPUID_SIGNATURE_EBX;
        r->c = XEN_CPUID_SIGNATURE_ECX;
        r->d = XEN_CPUID_SIGNATURE_EDX;
        break;
    case 1:
        r->a = VIGIL_VERSION_MAJOR << 16 | VIGIL_VERSION_MINOR;
        break;
    case 2:
        r->a = 1;
        r->b = 0x40000000; /* MSR of the hypercall page */
        r->c = XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD;
        break;
    case 3:
        tsc_leaf(d, subleaf, r);
        break;
    case 5:
        /*
         * Of what can be granted, not of the bus: for more than 44 bits
         * Linux takes grant tables of version 2, and twice the memory.
         */
        r->b = (bit_highest(max_frame - 1) + 1 + PAGE_SHIFT) &
               XEN_CPUID_MACHINE_ADDRESS_WIDTH_MASK;
        break;
    default:
        break;
    }
}

/*
 * OSXSAVE mirrors CR4.  A PV kernel asks through the forced prefix before it
 * has set the bit, and takes "not set" for "no XSAVE at all": its kernel mode
 * sees what the processor's CR4 has, its user mode what the kernel chose.
 */
static bool shows_osxsave(const struct vcpu *v, const struct cpuid_regs *leaf1)
{
    return (leaf1->c >> (FEATURE_XSAVE % 32) & 1) != 0 &&
           (v->pv->guest_kernel || (v->pv->cr4 & CR4_OSXSAVE) != 0);
}

static void fix_xstate(const struct vcpu *v, const struct cpu_policy *p,
                       uint32_t subleaf, struct cpuid_regs *r)
{
    if (subleaf == 0 && r->a != 0) {
        r->b = policy_xstate_bytes(p, v->pv->xcr0, false);
    } else if (subleaf == 1 && (r->a & 2) != 0) {
        r->b = policy_xstate_bytes(p, v->pv->xcr0, true);
    }
}

/*
 * Leaf 0xb by vcpus, whatever processor runs them: one thread a core, one
 * package.  APIC ids are twice the vcpu's number, as everywhere in the ABI.
 */
static void topology_leaf(const struct vcpu *v, uint32_t subleaf,
                          struct cpuid_regs *r)
{
    unsigned int max = v->domain->max_vcpus;

    r->c |= subleaf & 0xff;
    r->d = v->vcpu_id * APIC_IDS_A_VCPU;
    if ((r->c & 0xff00) != 0) {
        r->a = subleaf == 0 ? 1 : order_of_count(max * APIC_IDS_A_VCPU);
        r->b = subleaf == 0 ? 1 : max;
    }
}

/* The fields that are the vcpu's, not the policy's. */
static void fix_dynamic(const struct vcpu *v, const struct cpu_policy *p,
                        uint32_t leaf, uint32_t subleaf, struct cpuid_regs *r)
{
    switch (leaf) {
    case 0x1:
        r->b |= v->vcpu_id * APIC_IDS_A_VCPU << 24;
        if (shows_osxsave(v, r)) {
            r->c |= 1U << (FEATURE_OSXSAVE % 32);
        }
        break;
    case 0xb:
        topology_leaf(v, subleaf, r);
        break;
    case 0xd:
        fix_xstate(v, p, subleaf, r);
        break;
    case 0x80000007:
        /* The control domain never moves to a machine with another TSC. */
        if (v->domain->is_privileged && cpu_features.invariant_tsc) {
            r->d |= 1U << (FEATURE_ITSC % 32);
        }
        break;
    default:
        break;
    }
}

void guest_cpuid(struct vcpu *v, uint32_t leaf, uint32_t subleaf,
                 struct cpuid_regs *ret_regs)
{
    const struct cpu_policy *p = domain_policy(v->domain);
    const xen_cpuid_leaf_t *l, *first;

    *ret_regs = (struct cpuid_regs){0};
    if (leaf >= XEN_CPUID_FIRST_LEAF && leaf < XEN_CPUID_FIRST_LEAF + 0x100) {
        xen_leaf(v->domain, leaf - XEN_CPUID_FIRST_LEAF, subleaf, ret_regs);
        return;
    }
    /* The maximum a toolstack lowered hides what lies above it. */
    first = policy_first(p, leaf);
    if (first == NULL || leaf > MAX(first->a, first->leaf)) {
        return;
    }
    l = policy_find(p, leaf, subleaf);
    if (l == NULL) {
        return;
    }
    *ret_regs = (struct cpuid_regs){.a = l->a, .b = l->b, .c = l->c, .d = l->d};
    fix_dynamic(v, p, leaf, subleaf, ret_regs);
}

unsigned int cpu_policy_leaves(enum cpu_policy_kind kind,
                               const struct domain *d, xen_cpuid_leaf_t *out,
                               unsigned int max)
{
    const struct cpu_policy *p = policy_of(kind, d);

    if (out != NULL) {
        memcpy(out, p->leaf, MIN(p->count, max) * sizeof(*out));
    }
    return p->count;
}

unsigned int cpu_policy_msrs(enum cpu_policy_kind kind, const struct domain *d,
                             xen_msr_entry_t *out, unsigned int max)
{
    const struct cpu_policy *p = policy_of(kind, d);

    if (p == &no_policy) {
        return 0;
    }
    if (out != NULL && max > 0) {
        out[0] = (xen_msr_entry_t){.idx = MSR_PLATFORM_INFO,
                                   .val = p->platform_info};
    }
    if (out != NULL && max > 1) {
        out[1] = (xen_msr_entry_t){.idx = MSR_ARCH_CAPABILITIES,
                                   .val = p->arch_caps};
    }
    return CPU_POLICY_MSRS_MAX;
}

void cpu_policy_featureset(enum cpu_policy_kind kind, const struct domain *d,
                           uint32_t out[CPU_FEATURESET_WORDS])
{
    const struct cpu_policy *p = policy_of(kind, d);

    for (unsigned int w = 0; w < CPU_FEATURESET_WORDS; w++) {
        out[w] = p == &host_policy ? host_words[w] : policy_feature_word(p, w);
    }
}

static int set_msr(struct cpu_policy *p, const xen_msr_entry_t *e)
{
    if (e->flags != 0) {
        return -EINVAL;
    }
    switch (e->idx) {
    case MSR_PLATFORM_INFO:
        /* CPUID faulting is not offered. */
        p->platform_info = e->val & pv_policy.platform_info;
        return 0;
    case MSR_ARCH_CAPABILITIES:
        p->arch_caps = e->val & pv_policy.arch_caps;
        return 0;
    default:
        return -ERANGE;
    }
}

int cpu_policy_set(struct domain *d, const xen_cpuid_leaf_t *leaves,
                   unsigned int nr_leaves, const xen_msr_entry_t *msrs,
                   unsigned int nr_msrs, uint32_t *ret_bad_leaf,
                   uint32_t *ret_bad_sub, uint32_t *ret_bad_msr)
{
    struct xen_cpu_policy_store *new = heap_alloc(sizeof(*new));
    int rc = 0;

    *ret_bad_leaf = *ret_bad_sub = *ret_bad_msr = ~0U;
    if (new == NULL) {
        return -ENOMEM;
    }
    /* Work on a copy: no effect before all checks (INV-HC-1). */
    new->policy = *domain_policy(d);
    for (unsigned int i = 0; i < nr_leaves && rc == 0; i++) {
        rc = policy_merge(&new->policy, &pv_policy, &leaves[i]);
        if (rc != 0) {
            *ret_bad_leaf = leaves[i].leaf;
            *ret_bad_sub = leaves[i].subleaf;
        }
    }
    for (unsigned int i = 0; i < nr_msrs && rc == 0; i++) {
        rc = set_msr(&new->policy, &msrs[i]);
        if (rc != 0) {
            *ret_bad_msr = msrs[i].idx;
        }
    }
    if (rc != 0) {
        heap_free(new);
        return rc;
    }
    heap_free(d->pv->policy);
    d->pv->policy = new;
    return 0;
}

void cpu_policy_free(struct domain *d)
{
    if (d->pv != NULL) {
        heap_free(d->pv->policy);
        d->pv->policy = NULL;
    }
}
