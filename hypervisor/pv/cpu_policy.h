/* SPDX-License-Identifier: MIT */
/*
 * pv/cpu_policy.h - the arithmetic of CPUID policies; pure.
 *
 * A policy holds leaves sorted by (leaf, subleaf), in the serialised form.
 * Where a leaf has no subleaves its subleaf is XEN_CPUID_NO_SUBLEAF.  Which
 * leaves may occur is bounded by what Xen 4.17's tools accept: basic leaves
 * to 0xd, extended ones to 0x80000021.
 *
 * Used by pv/guest_cpuid.c and its tests.
 */
#ifndef VIGIL_PV_CPU_POLICY_H
#define VIGIL_PV_CPU_POLICY_H

#include "lib/compiler.h"
#include "lib/xen_abi.h"
#include "x86/cpuid.h"
#include "pv/guest_cpuid.h"

#define POLICY_BASIC_MAX 0xdU
#define POLICY_EXT_FIRST 0x80000000U
#define POLICY_EXT_MAX   0x80000021U

/*
 * first_basic and first_ext: place of a leaf's first entry in leaf[], plus one;
 * 0: it has none.  They follow every change of the list.
 */
struct cpu_policy {
    unsigned int count;
    uint8_t first_basic[POLICY_BASIC_MAX + 1];
    uint8_t first_ext[POLICY_EXT_MAX - POLICY_EXT_FIRST + 1];
    uint64_t platform_info; /* MSR 0xce  */
    uint64_t arch_caps;     /* MSR 0x10a */
    xen_cpuid_leaf_t leaf[CPU_POLICY_LEAVES_MAX];
};

/**
 * policy_from_hardware() - ask the processor
 * @p: filled in; MSR values are left 0
 *
 * Context: boot.
 */
void policy_from_hardware(struct cpu_policy *p);

/**
 * policy_for_pv() - reduce a policy to what a PV guest may see
 * @p:         the machine's policy; reduced in place
 * @xcr0_mask: state components guests may use; 0: no XSAVE
 * @is_amd:    AMD's rules for leaf 0x80000001
 *
 * Context: boot.
 */
void policy_for_pv(struct cpu_policy *p, uint64_t xcr0_mask, bool is_amd);

/**
 * policy_find() - a leaf of a policy
 * @p:       policy
 * @leaf:    number
 * @subleaf: number; ignored for leaves without subleaves
 *
 * Context: any.
 * Return:  the leaf, or NULL
 */
const xen_cpuid_leaf_t *policy_find(const struct cpu_policy *p, uint32_t leaf,
                                    uint32_t subleaf);

/* Leaf 0 or 0x80000000, whichever says how far @leaf's kind goes, or NULL. */
static inline const xen_cpuid_leaf_t *policy_first(const struct cpu_policy *p,
                                                   uint32_t leaf)
{
    unsigned int place = leaf >> 31 ? p->first_ext[0] : p->first_basic[0];

    return place != 0 ? &p->leaf[place - 1] : NULL;
}

/**
 * policy_feature_word() - one word of the feature set
 * @p:    policy
 * @word: 0 .. CPU_FEATURESET_WORDS - 1
 *
 * Context: any.
 * Return:  the word; 0 where the leaf is missing
 */
uint32_t policy_feature_word(const struct cpu_policy *p, unsigned int word);

/**
 * policy_merge() - put a toolstack's leaf over a policy
 * @p:   a domain's policy
 * @max: what it may not exceed
 * @in:  the leaf
 *
 * Feature words are and'ed with @max, the maxima of leaves clamped to it.
 * The hypervisor's own leaves are accepted and ignored.
 * Context: any.
 * Return:  0, -ERANGE no such leaf in any policy, -ENOMEM too many
 */
int policy_merge(struct cpu_policy *p, const struct cpu_policy *max,
                 const xen_cpuid_leaf_t *in) MUST_CHECK;

/**
 * policy_xstate_bytes() - size of an XSAVE area
 * @p:         policy with leaf 0xd
 * @xcr0:      enabled components
 * @compacted: as XSAVEC lays it out
 *
 * Source: SDM 1, 13.4.3.
 * Context: any.
 * Return:  bytes
 */
uint32_t policy_xstate_bytes(const struct cpu_policy *p, uint64_t xcr0,
                             bool compacted);

/* Bits of feature words by name, as 32 * word + bit. */
#define FEATURE_HTT        (0 * 32 + 28)
#define FEATURE_XSAVE      (1 * 32 + 26)
#define FEATURE_OSXSAVE    (1 * 32 + 27)
#define FEATURE_HYPERVISOR (1 * 32 + 31)
#define FEATURE_ITSC       (7 * 32 + 8)
#define FEATURE_FSGSBASE   (5 * 32 + 0)
#define FEATURE_ARCH_CAPS  (9 * 32 + 29)
#define FEATURE_IBPB       (8 * 32 + 12)
#define FEATURE_RDTSCP     (2 * 32 + 27)

#endif
