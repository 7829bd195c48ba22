/* SPDX-License-Identifier: MIT */
/*
 * pv/saved_msr: what a saved vcpu has is what the restored one has, and no list
 * of a hostile image does harm.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "x86/exc.h"
#include "x86/msr_index.h"
#include "cpu/features.h"
#include "pv/guest_msr.h"
#include "pv/saved_msr.h"
#include "pv/vmca.h"

struct cpu_features cpu_features;
static struct pv_vcpu pv, pv2;
static struct vcpu v, v2;
static struct trap_info traps[PV_TRAPS];
static xen_domctl_vcpu_msr_t msrs[SAVED_MSRS_MAX + 1];
static unsigned int count;
static uint64_t tsc_aux;

void vcpu_kick(struct vcpu *who)
{
    (void)who;
}

bool guest_rdmsr(struct vcpu *who, uint32_t index, uint64_t *ret_value)
{
    (void)who;
    *ret_value = tsc_aux;
    return index == MSR_TSC_AUX; /* this processor has no SPEC_CTRL */
}

bool guest_wrmsr(struct vcpu *who, uint32_t index, uint64_t value)
{
    (void)who;
    tsc_aux = value;
    return index == MSR_TSC_AUX && value >> 32 == 0;
}

static int set_up(void **state)
{
    (void)state;
    memset(&pv, 0, sizeof(pv));
    memset(&pv2, 0, sizeof(pv2));
    memset(&v, 0, sizeof(v));
    memset(&v2, 0, sizeof(v2));
    memset(msrs, 0xff, sizeof(msrs));
    v.pv = &pv;
    v2.pv = &pv2;
    pv.traps = pv2.traps = traps;
    traps[EXC_MC].address = 1;
    cpu_features.vendor = CPU_INTEL;
    tsc_aux = 0;
    return 0;
}

static void save(void)
{
    count = saved_msrs_get(&v, msrs);
    assert_in_range(count, 0, SAVED_MSRS_MAX);
    for (unsigned int i = 0; i < count; i++) {
        assert_int_equal(msrs[i].reserved, 0);
        assert_int_not_equal(msrs[i].value, 0);
    }
    assert_int_equal(msrs[count].index, 0xffffffff);
}

static void restore(void)
{
    assert_int_equal(saved_msrs_set(&v2, msrs, count), 0);
    assert_int_equal(v2.nmi_pending, v.nmi_pending);
    assert_int_equal(v2.mce_pending, v.mce_pending);
    assert_int_equal(v2.async_mask, v.async_mask);
    assert_int_equal(v2.async_depth, v.async_depth);
    assert_memory_equal(v2.async_saved, v.async_saved, sizeof(v.async_saved));
    assert_memory_equal(pv2.async_frame, pv.async_frame,
                        sizeof(pv.async_frame));
    assert_int_equal(pv2.vmca.mcg_status, pv.vmca.mcg_status);
    assert_memory_equal(pv2.vmca.bank, pv.vmca.bank, sizeof(pv.vmca.bank));
    assert_int_equal(pv2.vmca.waiting_count, pv.vmca.waiting_count);
    for (unsigned int i = 0; i < pv.vmca.waiting_count; i++) {
        const struct vmca_error *is = &pv2.vmca.waiting[i];
        const struct vmca_error *was = &pv.vmca.waiting[i];

        assert_int_equal(is->bank, was->bank);
        assert_int_equal(is->mcg_status, was->mcg_status);
        assert_int_equal(is->status, was->status);
        assert_int_equal(is->addr, was->addr);
        assert_int_equal(is->misc, was->misc);
    }
}

/* An image of a vcpu with nothing of this is as it was before. */
static void nothing(void **state)
{
    (void)state;
    save();
    assert_int_equal(count, 0);
    restore();
    tsc_aux = 7;
    save();
    assert_int_equal(count, 1);
    assert_int_equal(msrs[0].index, MSR_TSC_AUX);
    restore();
}

static void an_nmi_waits(void **state)
{
    (void)state;
    v.nmi_pending = true;
    save();
    assert_int_equal(count, 1);
    assert_int_equal(msrs[0].index, VIGIL_MSR_ASYNC);
    restore();
    /* And one that was sent to the new domain already is not lost. */
    v.nmi_pending = false;
    v.async_mask = VCPU_ASYNC_NMI;
    v.async_depth = 1;
    save();
    assert_int_equal(saved_msrs_set(&v2, msrs, count), 0);
    assert_true(v2.nmi_pending);
}

/* An NMI, and a #MC in its handler; another NMI waits. */
static void in_two_handlers(void **state)
{
    (void)state;
    v.nmi_pending = true;
    v.async_depth = 2;
    v.async_saved[1] = VCPU_ASYNC_NMI;
    v.async_mask = VCPU_ASYNC_NMI | VCPU_ASYNC_MCE;
    pv.async_frame[0] = 0xffff888000001fd8;
    pv.async_frame[1] = 0xffff888000001f38;
    save();
    assert_int_equal(count, 3);
    restore();
}

/* All there is room for: SAVED_MSRS_MAX is enough, and needed. */
static void full(void **state)
{
    struct vmca_error e = {
        .bank = 1,
        .mcg_status = VMCA_MCG_RIPV,
        .status = 0xbd000000000000c0UL,
        .addr = 0x12345000,
        .misc = 0x8c,
    };

    (void)state;
    assert_int_equal(vmca_inject(&v, &e), 0);
    v.mce_pending = false;
    v.async_depth = 2;
    v.async_saved[0] = VCPU_ASYNC_MCE; /* not all of it can be at once */
    v.async_saved[1] = VCPU_ASYNC_MCE;
    v.async_mask = VCPU_ASYNC_MCE;
    pv.async_frame[0] = 1;
    pv.async_frame[1] = 2;
    pv.vmca.bank[0] = pv.vmca.bank[1];
    for (unsigned int i = 0; i < VMCA_WAITING; i++) {
        e.bank = i % 2;
        e.addr += 0x1000;
        assert_int_equal(vmca_raise(&v, &e), 0);
    }
    tsc_aux = 3;
    save();
    assert_int_equal(count, SAVED_MSRS_MAX - 1); /* no SPEC_CTRL here */
    restore();
    assert_int_equal(pv2.vmca.waiting_count, VMCA_WAITING);
    assert_int_equal(pv2.vmca.waiting[3].addr, 0x12345000 + 4 * 0x1000);
}

static int set(uint32_t index, uint64_t value)
{
    const xen_domctl_vcpu_msr_t one = {.index = index, .value = value};

    return saved_msrs_set(&v2, &one, 1);
}

static void hostile(void **state)
{
    xen_domctl_vcpu_msr_t two[2] = {
        {.index = VIGIL_MSR_WAITING, .value = 1},
        {.index = VIGIL_MSR_WAITING + 7, .value = 1},
    };

    (void)state;
    assert_int_equal(set(0x10, 1), -EINVAL);
    assert_int_equal(set(MSR_SPEC_CTRL, 1), -EINVAL);
    assert_int_equal(set(MSR_TSC_AUX, 1UL << 32), -EINVAL);
    assert_int_equal(set(MSR_MCG_CAP, 1), -EINVAL);
    assert_int_equal(set(MSR_MCx_CTL(0), 1), -EINVAL);
    assert_int_equal(set(MSR_MCx_STATUS(VMCA_BANKS), 1), -EINVAL);
    assert_int_equal(set(VIGIL_MSR_ASYNC_FRAME1 + 1, 1), -EINVAL);
    assert_int_equal(set(VIGIL_MSR_WAITING - 1, 1), -EINVAL);
    assert_int_equal(set(VIGIL_MSR_WAITING_LAST + 1, 1), -EINVAL);
    /* Masked for ever; three deep; bits without a meaning. */
    assert_int_equal(set(VIGIL_MSR_ASYNC, 0x10), -EINVAL);
    assert_int_equal(set(VIGIL_MSR_ASYNC, 0x310), -EINVAL);
    assert_int_equal(set(VIGIL_MSR_ASYNC, 0x4), -EINVAL);
    assert_int_equal(set(VIGIL_MSR_ASYNC, 1UL << 32), -EINVAL);
    /* No such bank; not in order; no such word; none that it belongs to. */
    assert_int_equal(set(VIGIL_MSR_WAITING, VMCA_BANKS + 1), -EINVAL);
    assert_int_equal(set(VIGIL_MSR_WAITING, 0), -EINVAL);
    assert_int_equal(set(VIGIL_MSR_WAITING + 8, 1), -EINVAL);
    assert_int_equal(set(VIGIL_MSR_WAITING + 1, 1), -EINVAL);
    assert_int_equal(saved_msrs_set(&v2, two, 2), -EINVAL);
    two[1].index = VIGIL_MSR_WAITING; /* the same again */
    assert_int_equal(saved_msrs_set(&v2, two, 2), -EINVAL);
    two[0] = (xen_domctl_vcpu_msr_t){
        .index = MSR_TSC_AUX, .reserved = 1, .value = 1};
    assert_int_equal(saved_msrs_set(&v2, two, 1), -EINVAL);
    /* Only what a guest could have written itself. */
    assert_int_equal(set(MSR_MCG_STATUS, ~0UL), 0);
    assert_int_equal(pv2.vmca.mcg_status, 0xf);
    assert_false(v2.nmi_pending);
    assert_int_equal(v2.async_mask, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing, set_up),
        cmocka_unit_test_setup(an_nmi_waits, set_up),
        cmocka_unit_test_setup(in_two_handlers, set_up),
        cmocka_unit_test_setup(full, set_up),
        cmocka_unit_test_setup(hostile, set_up),
    };

    return UNIT_RUN(tests);
}
