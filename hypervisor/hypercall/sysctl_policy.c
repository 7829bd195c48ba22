/* SPDX-License-Identifier: MIT */
/*
 * hypercall/sysctl_policy.c - sysctl: processor features and policies.
 */
#include "mm/heap.h"
#include "pv/guest_cpuid.h"
#include "hypercall/sysctl.h"

/* A policy's number of XEN_SYSCTL_cpu_policy_*, for hardware guests? */
static bool is_for_hvm(enum cpu_policy_kind kind)
{
    return kind == CPU_POLICY_HVM_MAX || kind == CPU_POLICY_HVM_DEFAULT;
}

static int64_t featureset(struct xen_sysctl_cpu_featureset *f)
{
    static const uint8_t kinds[] = {
        [XEN_SYSCTL_cpu_featureset_raw] = CPU_POLICY_RAW,
        [XEN_SYSCTL_cpu_featureset_host] = CPU_POLICY_HOST,
        [XEN_SYSCTL_cpu_featureset_pv] = CPU_POLICY_PV_DEFAULT,
        [XEN_SYSCTL_cpu_featureset_hvm] = CPU_POLICY_HVM_DEFAULT,
        [XEN_SYSCTL_cpu_featureset_pv_max] = CPU_POLICY_PV_MAX,
        [XEN_SYSCTL_cpu_featureset_hvm_max] = CPU_POLICY_HVM_MAX,
    };
    uint32_t words[CPU_FEATURESET_WORDS];
    uint32_t room = f->nr_features;

    if (handle_is_null(f->features)) {
        f->nr_features = CPU_FEATURESET_WORDS;
        return 0;
    }
    if (f->index >= sizeof(kinds)) {
        return -EINVAL;
    }
    if (is_for_hvm(kinds[f->index])) {
        return -EOPNOTSUPP;
    }
    cpu_policy_featureset(kinds[f->index], NULL, words);
    f->nr_features = MIN(room, (uint32_t)CPU_FEATURESET_WORDS);
    if (copy_to_guest(handle_va(f->features), words,
                      f->nr_features * sizeof(words[0])) != 0) {
        return -EFAULT;
    }
    return room < CPU_FEATURESET_WORDS ? -ENOBUFS : 0;
}

/* Each list that is asked for; nr_* become what was stored. */
static int64_t policy_lists(enum cpu_policy_kind kind,
                            struct xen_sysctl_cpu_policy *p,
                            xen_cpuid_leaf_t *leaf)
{
    xen_msr_entry_t msr[CPU_POLICY_MSRS_MAX];
    unsigned int n;

    if (!handle_is_null(p->leaves)) {
        n = cpu_policy_leaves(kind, NULL, leaf, CPU_POLICY_LEAVES_MAX);
        if (n > p->nr_leaves) {
            return -ENOBUFS;
        }
        if (copy_to_guest(handle_va(p->leaves), leaf, n * sizeof(*leaf)) != 0) {
            return -EFAULT;
        }
        p->nr_leaves = n;
    }
    if (!handle_is_null(p->msrs)) {
        n = cpu_policy_msrs(kind, NULL, msr, CPU_POLICY_MSRS_MAX);
        if (n > p->nr_msrs) {
            return -ENOBUFS;
        }
        if (copy_to_guest(handle_va(p->msrs), msr, n * sizeof(msr[0])) != 0) {
            return -EFAULT;
        }
        p->nr_msrs = n;
    }
    return 0;
}

static int64_t policy(struct xen_sysctl_cpu_policy *p)
{
    xen_cpuid_leaf_t *leaf;
    int64_t rc;

    if (p->_rsvd != 0 || p->index > XEN_SYSCTL_cpu_policy_hvm_default) {
        return -EINVAL;
    }
    if (is_for_hvm((enum cpu_policy_kind)p->index)) {
        return -EOPNOTSUPP;
    }
    leaf = heap_alloc(CPU_POLICY_LEAVES_MAX * sizeof(*leaf));
    if (leaf == NULL) {
        return -ENOMEM;
    }
    rc = policy_lists((enum cpu_policy_kind)p->index, p, leaf);
    heap_free(leaf);
    if (handle_is_null(p->leaves)) {
        p->nr_leaves = CPU_POLICY_LEAVES_MAX;
    }
    if (handle_is_null(p->msrs)) {
        p->nr_msrs = CPU_POLICY_MSRS_MAX;
    }
    return rc;
}

int64_t sysctl_policy(struct xen_sysctl *op, bool *ret_back)
{
    *ret_back = true;
    switch (op->cmd) {
    case XEN_SYSCTL_get_cpu_levelling_caps:
        op->u.cpu_levelling_caps.caps = 0; /* nothing is masked in hardware */
        return 0;
    case XEN_SYSCTL_get_cpu_featureset:
        return featureset(&op->u.cpu_featureset);
    case XEN_SYSCTL_get_cpu_policy:
        return policy(&op->u.cpu_policy);
    default:
        *ret_back = false;
        return -ENOSYS;
    }
}
