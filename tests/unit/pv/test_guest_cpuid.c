/* SPDX-License-Identifier: MIT */
/*
 * pv/guest_cpuid: what depends on the vcpu, hypervisor leaves, a domain's own
 * policy.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "x86/cr.h"
#include "x86/msr.h"
#include "cpu/clock.h"
#include "cpu/features.h"
#include "mm/heap.h"
#include "mm/frame.h"
#include "pv/cpu_policy.h"
#include "pv/pv.h"
#include "fake_hw.h"

struct cpu_features cpu_features;
uint64_t max_frame;

static struct domain d;
static struct pv_domain pvd;
static struct pv_vcpu pv;
static struct vcpu v;
static bool no_memory;

void *heap_alloc(size_t bytes)
{
    return no_memory ? NULL : calloc(1, bytes);
}

void heap_free(void *p)
{
    free(p);
}

uint64_t clock_tsc_khz(void)
{
    return 2500000;
}

struct clock_scale clock_pv_scale(void)
{
    return (struct clock_scale){.mul_frac = 0x66666666, .shift = -1};
}

static int set_up(void **state)
{
    (void)state;
    fake_hw_reset();
    fake_cpuid_set(0, 0, 0xd, 0x68747541, 0x444d4163, 0x69746e65);
    fake_cpuid_set(1, 0, 0x800f12, 0x55020800, 0xffffffff, 0xffffffff);
    fake_cpuid_set(7, 0, 0, 1, 0, 0);
    fake_cpuid_set(0xb, 0, 1, 2, 0x100, 0x55);
    fake_cpuid_set(0xb, 1, 3, 8, 0x201, 0x55);
    fake_cpuid_set(0xd, 0, 7, 832, 832, 0);
    fake_cpuid_set(0xd, 1, 3, 0, 0, 0);
    fake_cpuid_set(0xd, 2, 256, 576, 0, 0);
    fake_cpuid_set(0x80000000, 0, 0x80000008, 0, 0, 0);
    fake_cpuid_set(0x80000001, 0, 0, 0, 0, 0xffffffff);
    fake_cpuid_set(0x80000007, 0, 0, 0, 0, 0x100);
    max_frame = (1UL << 30) >> PAGE_SHIFT;
    cpu_features = (struct cpu_features){.vendor = CPU_AMD,
                                         .xsave = true,
                                         .xcr0_mask = 7,
                                         .phys_bits = 40,
                                         .invariant_tsc = true};
    memset(&d, 0, sizeof(d));
    memset(&pvd, 0, sizeof(pvd));
    memset(&pv, 0, sizeof(pv));
    memset(&v, 0, sizeof(v));
    d.pv = &pvd;
    v.domain = &d;
    v.pv = &pv;
    v.vcpu_id = 3;
    pv.xcr0 = 1;
    no_memory = false;
    guest_cpuid_init();
    return 0;
}

static struct cpuid_regs ask(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_regs r;

    guest_cpuid(&v, leaf, subleaf, &r);
    return r;
}

static void vcpu_fields(void **state)
{
    (void)state;
    assert_int_equal(ask(1, 0).b, 0x06020800);
    assert_int_equal(ask(0xb, 0).d, 6);
    /* Topology by vcpus: their ids are two apart, all in one package. */
    d.max_vcpus = 5;
    assert_int_equal(ask(0xb, 0).a, 1);
    assert_int_equal(ask(0xb, 0).b, 1);
    assert_int_equal(ask(0xb, 0).c, 0x100);
    assert_int_equal(ask(0xb, 1).a, 4);
    assert_int_equal(ask(0xb, 1).b, 5);
    assert_int_equal(ask(0xb, 1).c, 0x201);
    assert_int_equal(ask(0xb, 1).d, 6);
    /* OSXSAVE: leaked to the kernel, mirrored to user mode. */
    assert_false(ask(1, 0).c & 1 << 27);
    pv.guest_kernel = true;
    assert_true(ask(1, 0).c & 1 << 27);
    pv.guest_kernel = false;
    pv.cr4 = CR4_OSXSAVE;
    assert_true(ask(1, 0).c & 1 << 27);
    /* the area's size follows XCR0 */
    assert_int_equal(ask(0xd, 0).b, 576);
    pv.xcr0 = 7;
    assert_int_equal(ask(0xd, 0).b, 832);
    assert_int_equal(ask(0xd, 0).c, 832);
    assert_int_equal(ask(0xd, 1).b, 832);
    /* the TSC is invariant for who stays on this machine */
    assert_int_equal(ask(0x80000007, 0).d, 0);
    d.is_privileged = true;
    assert_int_equal(ask(0x80000007, 0).d, 0x100);
}

static void hypervisor_leaves(void **state)
{
    struct cpuid_regs r = ask(0x40000000, 0);

    (void)state;
    assert_int_equal(r.a, 0x40000005);
    assert_memory_equal(&r.b, "XenV", 4);
    assert_memory_equal(&r.c, "MMXe", 4);
    assert_memory_equal(&r.d, "nVMM", 4);
    assert_int_equal(ask(0x40000001, 0).a, 4 << 16 | 17);
    r = ask(0x40000002, 0);
    assert_int_equal(r.a, 1);
    assert_int_equal(r.b, 0x40000000);
    assert_int_equal(r.c, 1);
    assert_int_equal(ask(0x40000003, 0).c, 2500000);
    assert_int_equal(ask(0x40000003, 1).d, 0xffffffff);
    assert_int_equal(ask(0x40000003, 2).a, 2500000);
    /* Emulated: a rate and a fraction of its own, on the same machine. */
    assert_int_equal(ask(0x40000003, 0).a & 1, 0);
    d.tsc_mode = 1;
    d.tsc_incarnation = 3;
    d.vtsc = (struct vtsc){.is_on = true,
                           .khz = 1000000,
                           .scale = {.mul_frac = 1U << 31, .shift = 1}};
    r = ask(0x40000003, 0);
    assert_int_equal(r.a & 1, 1);
    assert_int_equal(r.b, 1);
    assert_int_equal(r.c, 1000000);
    assert_int_equal(r.d, 3);
    assert_int_equal(ask(0x40000003, 1).c, 1U << 31);
    assert_int_equal(ask(0x40000003, 1).d, 1);
    assert_int_equal(ask(0x40000003, 2).a, 2500000);
    assert_int_equal(ask(0x40000004, 0).a, 0);
    assert_int_equal(ask(0x40000005, 0).b, 30); /* RAM, not the bus */
    max_frame++;
    assert_int_equal(ask(0x40000005, 0).b, 31);
    max_frame = (16UL << 40) >> PAGE_SHIFT; /* the most that version 1 can name */
    assert_int_equal(ask(0x40000005, 0).b, 44);
    assert_int_equal(ask(0x40000006, 0).a, 0);
}

static void beyond_the_end(void **state)
{
    static const uint32_t none[] = {
        0xe, 0x1f, 0x20000000, 0x40000100, 0x80000009, 0xc0000000, 0xffffffff};

    (void)state;
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        struct cpuid_regs r = ask(none[i], 0);

        assert_int_equal(r.a | r.b | r.c | r.d, 0);
    }
    assert_int_equal(ask(7, 99).b, 0);
}

static void own_policy(void **state)
{
    const xen_cpuid_leaf_t leaves[] = {
        {0, XEN_CPUID_NO_SUBLEAF, 1, 1, 2, 3},
        {1, XEN_CPUID_NO_SUBLEAF, 0x111, 0, 1, 1},
    };
    const xen_msr_entry_t msrs[] = {{.idx = MSR_PLATFORM_INFO, .val = ~0UL}};
    const xen_cpuid_leaf_t bad = {0x99, XEN_CPUID_NO_SUBLEAF, 0, 0, 0, 0};
    xen_msr_entry_t bad_msr = {.idx = 0x10, .val = 0};
    xen_msr_entry_t got[CPU_POLICY_MSRS_MAX];
    uint32_t bad_leaf, bad_sub, bad_index;

    (void)state;
    assert_int_equal(
        cpu_policy_set(&d, leaves, 2, msrs, 1, &bad_leaf, &bad_sub, &bad_index),
        0);
    assert_int_equal(bad_leaf, ~0U);
    assert_int_equal(ask(1, 0).a, 0x111);
    assert_int_equal(ask(1, 0).d, 1);
    /* the lowered maximum hides leaf 7 */
    assert_int_equal(ask(7, 0).b, 0);
    assert_true(guest_cpuid_has(&d, 0));
    assert_false(guest_cpuid_has(&d, 4));
    assert_int_equal(
        cpu_policy_msrs(CPU_POLICY_DOMAIN, &d, got, CPU_POLICY_MSRS_MAX), 2);
    assert_int_equal(got[0].val, 0);
    /* an error changes nothing and names the culprit */
    assert_int_equal(
        cpu_policy_set(&d, &bad, 1, NULL, 0, &bad_leaf, &bad_sub, &bad_index),
        -ERANGE);
    assert_int_equal(bad_leaf, 0x99);
    assert_int_equal(cpu_policy_set(&d, NULL, 0, &bad_msr, 1, &bad_leaf,
                                    &bad_sub, &bad_index),
                     -ERANGE);
    assert_int_equal(bad_index, 0x10);
    bad_msr.flags = 1;
    assert_int_equal(cpu_policy_set(&d, NULL, 0, &bad_msr, 1, &bad_leaf,
                                    &bad_sub, &bad_index),
                     -EINVAL);
    no_memory = true;
    assert_int_equal(
        cpu_policy_set(&d, leaves, 2, NULL, 0, &bad_leaf, &bad_sub, &bad_index),
        -ENOMEM);
    assert_int_equal(ask(1, 0).a, 0x111);
    cpu_policy_free(&d);
    assert_int_equal(ask(1, 0).a, 0x800f12);
}

/* A policy without XSAVE has no size of an area either. */
static void no_xsave(void **state)
{
    const xen_cpuid_leaf_t leaves[] = {
        {0xd, 0, 0, 0, 0, 0},
    };
    uint32_t bad[3];

    (void)state;
    assert_int_equal(cpu_policy_set(&d, leaves, 1, NULL, 0, &bad[0], &bad[1],
                                    &bad[2]), 0);
    assert_int_equal(ask(0xd, 0).b, 0);
    cpu_policy_free(&d);
}

static void serialised(void **state)
{
    xen_cpuid_leaf_t out[CPU_POLICY_LEAVES_MAX];
    uint32_t words[CPU_FEATURESET_WORDS], max[CPU_FEATURESET_WORDS];
    unsigned int n = cpu_policy_leaves(CPU_POLICY_HOST, NULL, NULL, 0);

    (void)state;
    assert_in_range(n, 10, CPU_POLICY_LEAVES_MAX);
    memset(out, 0, sizeof(out));
    assert_int_equal(cpu_policy_leaves(CPU_POLICY_HOST, NULL, out, 2), n);
    assert_int_equal(out[1].leaf, 1);
    assert_int_equal(out[2].a | out[2].leaf, 0);
    assert_int_equal(cpu_policy_leaves(CPU_POLICY_HVM_MAX, NULL, NULL, 0), 0);
    assert_int_equal(cpu_policy_msrs(CPU_POLICY_HVM_DEFAULT, NULL, NULL, 0), 0);
    cpu_policy_featureset(CPU_POLICY_HOST, NULL, words);
    cpu_policy_featureset(CPU_POLICY_PV_MAX, NULL, max);
    assert_int_equal(words[0], 0xffffffff);
    assert_int_equal(max[0] & ~words[0], 0);
    assert_int_equal(max[0], 0x1fc9c3f5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(vcpu_fields, set_up),
        cmocka_unit_test_setup(hypervisor_leaves, set_up),
        cmocka_unit_test_setup(beyond_the_end, set_up),
        cmocka_unit_test_setup(own_policy, set_up),
        cmocka_unit_test_setup(no_xsave, set_up),
        cmocka_unit_test_setup(serialised, set_up),
    };

    return UNIT_RUN(tests);
}
