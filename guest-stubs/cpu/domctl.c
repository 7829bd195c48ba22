/* SPDX-License-Identifier: MIT */
/*
 * cpu/domctl.c - Dom0 reads and writes extended state and policy of a domain
 * that never runs, with sizes as libxc asks for them and with bad ones; gives
 * it the contexts a broken image would hold.
 */
#define __XEN_TOOLS__ 1
#include "cpu.h"

#include <xen/domctl.h>

#define HEADER_BYTES 16U /* xcr0, xcr0_accum */
#define LEGACY_BYTES 512U
#define AREA_MIN     576U

static uint64_t record[2048] __page_aligned;
static uint64_t second[2048] __page_aligned;
static xen_cpuid_leaf_t leaves[256];
static xen_msr_entry_t msrs[8];

static long domctl(domid_t domid, struct xen_domctl *op, uint32_t cmd)
{
    op->cmd = cmd;
    op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    op->domain = domid;
    return hypercall2(__HYPERVISOR_domctl, (unsigned long)op, 0);
}

static long get_state(domid_t d, uint64_t size, uint64_t mask, void *to,
                      struct xen_domctl_vcpuextstate *ret)
{
    struct xen_domctl op = {.u.vcpuextstate = {.vcpu = 0,
                                               .size = size,
                                               .xfeature_mask = mask}};
    long rc;

    set_xen_guest_handle(op.u.vcpuextstate.buffer, to);
    rc = domctl(d, &op, XEN_DOMCTL_getvcpuextstate);
    if (ret) {
        *ret = op.u.vcpuextstate;
    }
    return rc;
}

static long set_state(domid_t d, uint64_t size, void *from)
{
    struct xen_domctl op = {.u.vcpuextstate = {.vcpu = 0, .size = size}};

    set_xen_guest_handle(op.u.vcpuextstate.buffer, from);
    return domctl(d, &op, XEN_DOMCTL_setvcpuextstate);
}

/* The record with one word changed must be refused, and change nothing. */
static void refuse(domid_t d, uint64_t bytes, unsigned int word, uint64_t value,
                   const char *what)
{
    uint64_t was = record[word];
    long rc;

    record[word] = value;
    rc = set_state(d, bytes, record);
    CHECK(rc == -XEN_EINVAL, "%s: %ld", what, rc);
    record[word] = was;
}

static void check_state(domid_t d)
{
    const unsigned int bv = (HEADER_BYTES + LEGACY_BYTES) / 8;
    struct xen_domctl_vcpuextstate x;
    uint64_t bytes, mask;
    long rc = get_state(d, 0, 0, NULL, &x);

    if (!(cpuid_forced(1, 0).c & (1U << 26))) {
        CHECK(rc == 0 && x.size == 0 && x.xfeature_mask == 0,
              "without XSAVE: %ld, %lu bytes, %lx", rc, x.size,
              x.xfeature_mask);
        CHECK(set_state(d, HEADER_BYTES + AREA_MIN, record) != 0,
              "extended state is taken without XSAVE");
        return;
    }
    CHECK(rc == 0 && x.size >= HEADER_BYTES + AREA_MIN &&
              x.size <= sizeof(record) && (x.xfeature_mask & 3) == 3,
          "asked for the size: %ld, %lu bytes, %lx", rc, x.size,
          x.xfeature_mask);
    bytes = x.size;
    mask = x.xfeature_mask;
    CHECK(get_state(d, bytes, mask, NULL, &x) == 0 && x.size == bytes,
          "a null buffer does not ask for the size");
    CHECK(get_state(d, bytes, mask, record, NULL) == 0, "get");
    CHECK((record[0] & 1) && (record[0] & ~record[1]) == 0,
          "xcr0 %lx, ever %lx", record[0], record[1]);
    CHECK(get_state(d, bytes - 1, mask, record, NULL) == -XEN_EINVAL &&
              get_state(d, bytes + 1, mask, record, NULL) == -XEN_EINVAL &&
              get_state(d, bytes, mask | 1UL << 40, record, NULL) ==
                  -XEN_EINVAL,
          "get with a wrong size or mask");
    CHECK(get_state(d, bytes, mask, (void *)0xffff830000000000UL, NULL) ==
              -XEN_EFAULT,
          "get into the hypervisor");

    /* There and back: sixteen bytes of xmm3, and what is in ymm3 above. */
    record[(HEADER_BYTES + 160 + 48) / 8] = 0x1122334455667788;
    record[bv] |= 2;
    CHECK(set_state(d, bytes, record) == 0, "set");
    CHECK(get_state(d, bytes, mask, second, NULL) == 0 &&
              memcmp(record, second, bytes) == 0,
          "what was set is not what is got");

    CHECK(set_state(d, HEADER_BYTES, record) == 0, "set of a header alone");
    CHECK(set_state(d, 0, record) == -XEN_EINVAL &&
              set_state(d, HEADER_BYTES - 1, record) == -XEN_EINVAL &&
              set_state(d, HEADER_BYTES + AREA_MIN - 1, record) ==
                  -XEN_EINVAL &&
              set_state(d, bytes + 1, record) == -XEN_EINVAL &&
              set_state(d, ~0UL, record) == -XEN_EINVAL,
          "set with a wrong size");
    CHECK(set_state(d, bytes, (void *)0x700000000000UL) == -XEN_EFAULT,
          "set from nowhere");
    refuse(d, bytes, 0, 0, "xcr0 without x87");
    refuse(d, bytes, 0, 5, "xcr0 with AVX and no SSE");
    refuse(d, bytes, 0, 1UL << 63 | 1, "xcr0 with a bit nobody has");
    refuse(d, bytes, 1, 1, "xcr0_accum below what is used");
    refuse(d, bytes, bv, 1UL << 40, "XSTATE_BV beyond xcr0_accum");
    refuse(d, bytes, bv + 1, 1UL << 63, "XCOMP_BV");
    refuse(d, bytes, bv + 7, 1, "the header's last reserved word");
    CHECK(get_state(d, bytes, mask, second, NULL) == 0 &&
              memcmp(record, second, bytes) == 0,
          "what was refused has changed something");
}

static long policy(domid_t d, uint32_t cmd, uint32_t nr_leaves,
                   uint32_t nr_msrs, struct xen_domctl_cpu_policy *ret)
{
    struct xen_domctl op = {
        .u.cpu_policy = {.nr_leaves = nr_leaves, .nr_msrs = nr_msrs}};
    long rc;

    set_xen_guest_handle(op.u.cpu_policy.leaves, leaves);
    set_xen_guest_handle(op.u.cpu_policy.msrs, msrs);
    rc = domctl(d, &op, cmd);
    *ret = op.u.cpu_policy;
    return rc;
}

static xen_cpuid_leaf_t *find(uint32_t leaf, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (leaves[i].leaf == leaf) {
            return &leaves[i];
        }
    }
    return &leaves[ARRAY_SIZE(leaves) - 1];
}

/* A new domain is shown what we are; it can be shown less, never more. */
static void check_policy(domid_t d)
{
    struct xen_domctl_cpu_policy p;
    uint32_t count, max_d;
    long rc = policy(d, XEN_DOMCTL_get_cpu_policy, ARRAY_SIZE(leaves),
                     ARRAY_SIZE(msrs), &p);

    count = p.nr_leaves;
    if (!CHECK(rc == 0 && count > 20 && p.nr_msrs == 2,
               "get_cpu_policy: %ld, %u leaves, %u MSRs", rc, count,
               p.nr_msrs)) {
        return;
    }
    max_d = find(1, count)->d;
    CHECK(max_d == cpuid_forced(1, 0).d, "leaf 1 edx %x, ours is %x", max_d,
          cpuid_forced(1, 0).d);
    CHECK(policy(d, XEN_DOMCTL_get_cpu_policy, 3, 2, &p) == -XEN_ENOBUFS,
          "room for three leaves");
    find(1, count)->d = ~0U & ~(1U << 26);
    CHECK(policy(d, XEN_DOMCTL_set_cpu_policy, count, 0, &p) == 0,
          "set_cpu_policy");
    CHECK(policy(d, XEN_DOMCTL_get_cpu_policy, ARRAY_SIZE(leaves), 8, &p) ==
                  0 &&
              find(1, count)->d == (max_d & ~(1U << 26)),
          "asked for all but SSE2: edx %x", find(1, count)->d);
    leaves[0].leaf = 0x77;
    CHECK(policy(d, XEN_DOMCTL_set_cpu_policy, 1, 0, &p) == -XEN_ERANGE &&
              p.err_leaf == 0x77,
          "a leaf nobody knows: %x", p.err_leaf);
    CHECK(policy(d, XEN_DOMCTL_set_cpu_policy, ~0U, 0, &p) < 0,
          "4 billion leaves");
}

static long context(domid_t d, uint32_t cmd, struct vcpu_guest_context *ctx)
{
    struct xen_domctl op = {.u.vcpucontext.vcpu = 0};

    set_xen_guest_handle(op.u.vcpucontext.ctxt, ctx);
    return domctl(d, &op, cmd);
}

static long ext_context(domid_t d, uint32_t cmd,
                        struct xen_domctl_ext_vcpucontext *e)
{
    struct xen_domctl op = {.u.ext_vcpucontext = *e};
    long rc = domctl(d, &op, cmd);

    *e = op.u.ext_vcpucontext;
    return rc;
}

/* Tables that are none, of nobody, ours; nothing is left of any of it. */
static void check_context(domid_t d)
{
    static struct vcpu_guest_context ctx __page_aligned;
    static const uint64_t l4[] = {0, 1UL << 39, ~0UL >> 12, 0x100};
    long rc;

    CHECK(context(d, XEN_DOMCTL_getvcpucontext, &ctx) == -XEN_ENODATA,
          "a context of a vCPU that has none");
    CHECK(context(0, XEN_DOMCTL_getvcpucontext, &ctx) == -XEN_EINVAL &&
              context(0, XEN_DOMCTL_setvcpucontext, &ctx) == -XEN_EINVAL,
          "our own context");
    CHECK(context(d, XEN_DOMCTL_setvcpucontext,
                  (void *)0xffff830000000000UL) == -XEN_EFAULT,
          "a context from the hypervisor");
    for (unsigned int i = 0; i < ARRAY_SIZE(l4); i++) {
        memset(&ctx, 0, sizeof(ctx));
        ctx.flags = VGCF_in_kernel | VGCF_online;
        ctx.ctrlreg[3] = l4[i] << PAGE_SHIFT;
        rc = context(d, XEN_DOMCTL_setvcpucontext, &ctx);
        CHECK(rc == -XEN_EINVAL, "page table in frame %lx: %ld", l4[i], rc);
    }
    memset(&ctx, 0xff, sizeof(ctx));
    rc = context(d, XEN_DOMCTL_setvcpucontext, &ctx);
    CHECK(rc == -XEN_EINVAL, "a context of ones: %ld", rc);
    CHECK(context(d, XEN_DOMCTL_getvcpucontext, &ctx) == -XEN_ENODATA,
          "a refused context has left one");
}

static void check_ext(domid_t d)
{
    struct xen_domctl_ext_vcpucontext was = {.vcpu = 0}, e;

    CHECK(ext_context(d, XEN_DOMCTL_get_ext_vcpucontext, &was) == 0 &&
              was.size == sizeof(was) && (was.vmce.caps & 0xff) == 2,
          "get: %u bytes, machine checks %lx", was.size, was.vmce.caps);
    e = was;
    CHECK(ext_context(d, XEN_DOMCTL_set_ext_vcpucontext, &e) == 0, "back");
    e = was;
    e.size = 4;
    CHECK(ext_context(d, XEN_DOMCTL_set_ext_vcpucontext, &e) == -XEN_EINVAL,
          "four bytes");
    e = was;
    e.syscall32_callback_eip = 0xffff830000000000UL;
    CHECK(ext_context(d, XEN_DOMCTL_set_ext_vcpucontext, &e) == -XEN_EINVAL,
          "a handler in the hypervisor");
    e = was;
    e.vmce.caps |= 1UL << 40;
    CHECK(ext_context(d, XEN_DOMCTL_set_ext_vcpucontext, &e) == -XEN_EPERM,
          "an ability of machine checks that nobody has");
    e = was;
    e.vmce.mci_ctl2_bank0 = e.vmce.mci_ctl2_bank1 = ~0UL;
    CHECK(ext_context(d, XEN_DOMCTL_set_ext_vcpucontext, &e) == 0 &&
              ext_context(d, XEN_DOMCTL_get_ext_vcpucontext, &e) == 0 &&
              e.vmce.mci_ctl2_bank1 != ~0UL,
          "CTL2 of ones reads %lx", e.vmce.mci_ctl2_bank1);
    e.vcpu = 1;
    CHECK(ext_context(d, XEN_DOMCTL_get_ext_vcpucontext, &e) == -XEN_ESRCH,
          "a vCPU that is not there");
}

void domctl_check(void)
{
    struct xen_domctl op = {
        .u.createdomain =
            {
                .max_vcpus = 1,
                .max_evtchn_port = 1023,
                .max_grant_frames = 4,
                .max_maptrack_frames = 4,
                .grant_opts = XEN_DOMCTL_GRANT_version(1),
            },
    };
    struct xen_domctl one = {.u.max_vcpus.max = 1}, end = {.cmd = 0};
    domid_t d;

    if (!CHECK(domctl(0, &op, XEN_DOMCTL_createdomain) == 0, "create")) {
        return;
    }
    d = op.domain;
    if (CHECK(domctl(d, &one, XEN_DOMCTL_max_vcpus) == 0, "max_vcpus")) {
        check_state(d);
        check_policy(d);
        check_context(d);
        check_ext(d);
    }
    domctl(d, &end, XEN_DOMCTL_destroydomain);
}
