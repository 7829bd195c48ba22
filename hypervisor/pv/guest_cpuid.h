/* SPDX-License-Identifier: MIT */
/*
 * pv/guest_cpuid.h - what processor the guest is shown.
 *
 * A policy is a list of CPUID leaves in the serialised form of
 * <xen/arch-x86/xen.h> plus a few MSR values.  RAW and HOST describe the
 * machine; PV_MAX and PV_DEFAULT what a PV guest may and does see.  A domain
 * has the default until XEN_DOMCTL_set_cpu_policy gives it its own, which can
 * only take away from PV_MAX.
 *
 * Fields that depend on the vcpu (APIC id, OSXSAVE, the hypervisor leaves at
 * 0x40000000) are filled in at the time of asking.
 */
#ifndef VIGIL_PV_GUEST_CPUID_H
#define VIGIL_PV_GUEST_CPUID_H

#include "lib/compiler.h"
#include "lib/xen_abi.h"
#include "x86/cpuid.h"
#include "domain/vcpu.h"

/* The first six have the numbers of XEN_SYSCTL_cpu_policy_*. */
enum cpu_policy_kind {
    CPU_POLICY_RAW,
    CPU_POLICY_HOST,
    CPU_POLICY_PV_MAX,
    CPU_POLICY_HVM_MAX, /* not offered: no leaf */
    CPU_POLICY_PV_DEFAULT,
    CPU_POLICY_HVM_DEFAULT, /* not offered: no leaf */
    CPU_POLICY_DOMAIN,
};

#define CPU_POLICY_LEAVES_MAX 192
#define CPU_POLICY_MSRS_MAX   2
#define CPU_FEATURESET_WORDS  19 /* <xen/arch-x86/cpufeatureset.h> */

/**
 * guest_cpuid_init() - build the machine's policies
 *
 * Context: boot, after features_init(), before the first domain.
 */
void guest_cpuid_init(void);

/**
 * guest_cpuid() - the CPUID instruction of a guest
 * @v:        vcpu that executes it
 * @leaf:     eax
 * @subleaf:  ecx
 * @ret_regs: the answer; zero for leaves that are not shown
 *
 * Context: any but NMI/#MC.
 */
void guest_cpuid(struct vcpu *v, uint32_t leaf, uint32_t subleaf,
                 struct cpuid_regs *ret_regs);

/**
 * guest_cpuid_has() - is a feature visible to this domain?
 * @d:       domain
 * @feature: 32 * word + bit, as in <xen/arch-x86/cpufeatureset.h>
 *
 * Context: any but NMI/#MC.
 * Return:  true when its policy shows the feature
 */
bool guest_cpuid_has(const struct domain *d, unsigned int feature);

/**
 * cpu_policy_leaves() - serialise the CPUID part of a policy
 * @kind: which policy
 * @d:    the domain, for CPU_POLICY_DOMAIN; else ignored, may be NULL
 * @out:  room for @max leaves, hypervisor memory; NULL only counts
 * @max:  number of leaves; CPU_POLICY_LEAVES_MAX is always enough
 *
 * Context: any but NMI/#MC.
 * Return:  leaves there are (may exceed @max; then only @max were stored)
 */
unsigned int cpu_policy_leaves(enum cpu_policy_kind kind,
                               const struct domain *d, xen_cpuid_leaf_t *out,
                               unsigned int max);

/**
 * cpu_policy_msrs() - serialise the MSR part of a policy
 * @kind: which policy
 * @d:    the domain, for CPU_POLICY_DOMAIN
 * @out:  room for @max entries, hypervisor memory; NULL only counts
 * @max:  number of entries; CPU_POLICY_MSRS_MAX is always enough
 *
 * Context: any but NMI/#MC.
 * Return:  entries there are
 */
unsigned int cpu_policy_msrs(enum cpu_policy_kind kind, const struct domain *d,
                             xen_msr_entry_t *out, unsigned int max);

/**
 * cpu_policy_featureset() - the feature words of a policy
 * @kind: which policy
 * @d:    the domain, for CPU_POLICY_DOMAIN
 * @out:  CPU_FEATURESET_WORDS words
 *
 * For XEN_SYSCTL_get_cpu_featureset and physinfo's hw_cap (its first eight).
 * Context: any but NMI/#MC.
 */
void cpu_policy_featureset(enum cpu_policy_kind kind, const struct domain *d,
                           uint32_t out[CPU_FEATURESET_WORDS]);

/**
 * cpu_policy_set() - change a domain's policy (XEN_DOMCTL_set_cpu_policy)
 * @d:             domain that has not run yet
 * @leaves:        leaves to merge over its present policy, copied from the
 *                 guest; values are clamped to PV_MAX
 * @nr_leaves:     how many
 * @msrs:          MSR values to merge
 * @nr_msrs:       how many
 * @ret_bad_leaf:  first leaf refused, ~0 if none
 * @ret_bad_sub:   its subleaf
 * @ret_bad_msr:   first MSR refused, ~0 if none
 *
 * Context: any but NMI/#MC.  The caller has paused @d.
 * Return:  0, -ERANGE unknown leaf or MSR, -EINVAL impossible value, -ENOMEM
 */
int cpu_policy_set(struct domain *d, const xen_cpuid_leaf_t *leaves,
                   unsigned int nr_leaves, const xen_msr_entry_t *msrs,
                   unsigned int nr_msrs, uint32_t *ret_bad_leaf,
                   uint32_t *ret_bad_sub, uint32_t *ret_bad_msr) MUST_CHECK;

/**
 * cpu_policy_free() - a domain is being destroyed
 * @d: domain
 *
 * Context: any but NMI/#MC.
 */
void cpu_policy_free(struct domain *d);

#endif
