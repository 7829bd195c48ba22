/* SPDX-License-Identifier: MIT */
/*
 * pv/vmca: injection and the MSR view, for both vendors.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "x86/exc.h"
#include "x86/msr_index.h"
#include "cpu/features.h"
#include "pv/pv.h"
#include "pv/vmca.h"

struct cpu_features cpu_features;
static unsigned int kicks;
static struct pv_vcpu pv;
static struct vcpu v;

void vcpu_kick(struct vcpu *who)
{
    assert_ptr_equal(who, &v);
    kicks++;
}

static const struct vmca_error srao = {
    .bank = 1,
    .mcg_status = VMCA_MCG_RIPV,
    .status = 0xbd000000000000c0UL,
    .addr = 0x12345000,
    .misc = 0x8c,
};

static struct trap_info traps[PV_TRAPS];

static int set_up(void **state)
{
    (void)state;
    memset(&pv, 0, sizeof(pv));
    memset(&v, 0, sizeof(v));
    v.pv = &pv;
    pv.traps = traps;
    traps[EXC_MC].address = 0xffffffff81000000UL;
    cpu_features.vendor = CPU_INTEL;
    kicks = 0;
    vmca_vcpu_init(&v);
    return 0;
}

static uint64_t read_msr(uint32_t index)
{
    uint64_t value = 0xdead;

    assert_int_equal(vmca_rdmsr(&v, index, &value), VMCA_DONE);
    return value;
}

static void inject_and_take(void **state)
{
    (void)state;
    assert_int_equal(vmca_inject(&v, &srao), 0);
    assert_true(v.mce_pending);
    assert_int_equal(kicks, 1);
    assert_int_equal(read_msr(MSR_MCG_STATUS), VMCA_MCG_RIPV | VMCA_MCG_MCIP);
    assert_int_equal(read_msr(MSR_MCx_STATUS(1)), srao.status);
    assert_int_equal(read_msr(MSR_MCx_ADDR(1)), srao.addr);
    assert_int_equal(read_msr(MSR_MCx_MISC(1)), srao.misc);
    assert_int_equal(read_msr(MSR_MCx_STATUS(0)), 0);
    /* Not delivered yet; then delivered, but not yet read. */
    assert_int_equal(vmca_inject(&v, &srao), -EBUSY);
    v.mce_pending = false;
    assert_int_equal(vmca_inject(&v, &srao), -EBUSY);
    assert_int_equal(kicks, 1);
    /* The handler clears bank and MCIP: the next one may come. */
    assert_int_equal(vmca_wrmsr(&v, MSR_MCx_STATUS(1), 0), VMCA_DONE);
    assert_int_equal(vmca_wrmsr(&v, MSR_MCG_STATUS, 0), VMCA_DONE);
    assert_int_equal(read_msr(MSR_MCx_STATUS(1)), 0);
    assert_int_equal(vmca_inject(&v, &srao), 0);
}

/* What the guest's handler does, and pv/ around it. */
static void handle(bool acknowledge)
{
    assert_true(v.mce_pending);
    v.mce_pending = false;
    v.async_mask = VCPU_ASYNC_MCE;
    if (acknowledge) {
        assert_int_equal(vmca_wrmsr(&v, MSR_MCx_STATUS(0), 0), VMCA_DONE);
        assert_int_equal(vmca_wrmsr(&v, MSR_MCx_STATUS(1), 0), VMCA_DONE);
        assert_int_equal(vmca_wrmsr(&v, MSR_MCG_STATUS, 0), VMCA_DONE);
    }
}

static int iret(void)
{
    v.async_mask = 0;
    return vmca_handler_done(&v);
}

static void waits_for_the_handler(void **state)
{
    struct vmca_error e = srao;

    (void)state;
    for (unsigned int i = 0; i < 1 + VMCA_WAITING; i++) {
        e.addr = i;
        assert_int_equal(vmca_raise(&v, &e), 0);
    }
    for (unsigned int i = 0; i < 1 + VMCA_WAITING; i++) {
        assert_int_equal(read_msr(MSR_MCx_ADDR(1)), i);
        assert_int_equal(read_msr(MSR_MCx_STATUS(1)), srao.status);
        handle(true);
        assert_int_equal(iret(), 0);
    }
    assert_false(v.mce_pending);
}

/* As with hardware: what finds no room shows as OVER, and nobody dies. */
static void too_many_wait(void **state)
{
    const struct vmca_error notice = {.mcg_status = VMCA_MCG_RIPV};
    struct vmca_error used = srao;

    (void)state;
    for (unsigned int i = 0; i < VMCA_WAITING; i++) {
        assert_int_equal(vmca_raise(&v, &srao), 0);
    }
    assert_int_equal(vmca_raise(&v, &notice), 0);
    assert_int_equal(vmca_raise(&v, &notice), -ENOSPC);
    assert_int_equal(vmca_raise(&v, &srao), -ENOSPC);
    used.mcg_status |= VMCA_MCG_EIPV;
    assert_int_equal(vmca_raise(&v, &used), -EBUSY);
    assert_int_equal(pv.vmca.waiting_count, VMCA_WAITING);
    for (unsigned int i = 0; i < VMCA_WAITING; i++) {
        /* The last that has data to go with it. */
        assert_int_equal(read_msr(MSR_MCx_STATUS(1)),
                         i == VMCA_WAITING - 1 ? srao.status | 1UL << 62
                                               : srao.status);
        handle(true);
        assert_int_equal(iret(), 0);
    }
    assert_int_equal(read_msr(MSR_MCx_STATUS(1)), 0);
}

/* Linux panics if one that it must act upon comes with OVER. */
static void required_gets_no_overflow(void **state)
{
    struct vmca_error used = srao;

    (void)state;
    used.mcg_status |= VMCA_MCG_EIPV;
    for (unsigned int i = 0; i < 1 + VMCA_WAITING; i++) {
        assert_int_equal(vmca_raise(&v, &used), 0);
    }
    assert_int_equal(vmca_raise(&v, &srao), -ENOSPC);
    for (unsigned int i = 0; i < VMCA_WAITING; i++) {
        assert_int_equal(pv.vmca.waiting[i].status, used.status);
    }
}

/* After its last write and before its return it is still being handled. */
static void between_write_and_return(void **state)
{
    struct vmca_error e = srao;

    (void)state;
    assert_int_equal(vmca_raise(&v, &srao), 0);
    handle(true);
    for (unsigned int i = 0; i < 2; i++) {
        e.addr = i;
        assert_int_equal(vmca_raise(&v, &e), 0);
    }
    assert_int_equal(pv.vmca.waiting_count, 1);
    for (unsigned int i = 0; i < 2; i++) {
        assert_int_equal(iret(), 0);
        assert_int_equal(read_msr(MSR_MCx_ADDR(1)), i);
        handle(true);
    }
    assert_int_equal(iret(), 0);
    assert_false(v.mce_pending);
}

/* In its handler, acknowledged already: still not in the middle of it. */
static void order_is_kept(void **state)
{
    (void)state;
    assert_int_equal(vmca_raise(&v, &srao), 0);
    v.mce_pending = false;
    v.async_mask = VCPU_ASYNC_MCE;
    assert_int_equal(vmca_raise(&v, &srao), 0);
    assert_int_equal(vmca_wrmsr(&v, MSR_MCx_STATUS(1), 0), VMCA_DONE);
    assert_int_equal(vmca_wrmsr(&v, MSR_MCG_STATUS, 0), VMCA_DONE);
    assert_int_equal(vmca_raise(&v, &srao), 0);
    assert_int_equal(pv.vmca.waiting_count, 2);
    assert_int_equal(iret(), 0);
    assert_true(v.mce_pending);
    assert_int_equal(pv.vmca.waiting_count, 1);
}

static void never_acknowledged(void **state)
{
    (void)state;
    assert_int_equal(vmca_raise(&v, &srao), 0);
    assert_int_equal(vmca_raise(&v, &srao), 0);
    handle(false);
    assert_int_equal(iret(), -EBUSY);
    set_up(NULL);
    assert_int_equal(vmca_raise(&v, &srao), 0);
    handle(false);
    assert_int_equal(iret(), 0);
    assert_int_equal(vmca_raise(&v, &srao), -EBUSY);
}

static void occupied_bank(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 3; i++) {
        assert_int_equal(vmca_inject(&v, &srao), 0);
        v.mce_pending = false;
        pv.vmca.mcg_status = 0;
    }
    assert_int_equal(read_msr(MSR_MCx_STATUS(0)), srao.status);
    assert_int_equal(read_msr(MSR_MCx_STATUS(1)), srao.status | 1UL << 62);
}

static void refused(void **state)
{
    struct vmca_error e = srao;

    (void)state;
    traps[EXC_MC].address = 0;
    assert_int_equal(vmca_inject(&v, &e), -ENOENT);
    set_up(NULL);
    e.bank = VMCA_BANKS;
    assert_int_equal(vmca_inject(&v, &e), -EINVAL);
    assert_int_equal(kicks, 0);
    assert_false(v.mce_pending);
}

static void notice_without_data(void **state)
{
    const struct vmca_error e = {.mcg_status = VMCA_MCG_RIPV};

    (void)state;
    assert_int_equal(vmca_inject(&v, &e), 0);
    assert_int_equal(read_msr(MSR_MCG_STATUS), VMCA_MCG_RIPV | VMCA_MCG_MCIP);
    assert_int_equal(read_msr(MSR_MCx_STATUS(0)), 0);
}

static void writes(void **state)
{
    (void)state;
    for (unsigned int b = 0; b < VMCA_BANKS; b++) {
        assert_int_equal(read_msr(MSR_MCx_CTL(b)), ~0UL);
        assert_int_equal(vmca_wrmsr(&v, MSR_MCx_CTL(b), 5), VMCA_DONE);
        assert_int_equal(read_msr(MSR_MCx_CTL(b)), ~0UL);
        assert_int_equal(vmca_wrmsr(&v, MSR_MCx_STATUS(b), 1), VMCA_FAULT);
        assert_int_equal(vmca_wrmsr(&v, MSR_MCx_ADDR(b), 1), VMCA_FAULT);
        assert_int_equal(vmca_wrmsr(&v, MSR_MCx_MISC(b), 1), VMCA_FAULT);
        assert_int_equal(vmca_wrmsr(&v, MSR_MCx_ADDR(b), 0), VMCA_DONE);
    }
    assert_int_equal(vmca_wrmsr(&v, MSR_MCG_CAP, 0), VMCA_DONE);
    assert_int_equal(vmca_wrmsr(&v, MSR_MCG_CTL, 0), VMCA_DONE);
    assert_int_equal(vmca_wrmsr(&v, MSR_MCG_STATUS, ~0UL), VMCA_DONE);
    assert_int_equal(read_msr(MSR_MCG_STATUS), 0xf);
    assert_int_equal(vmca_wrmsr(&v, MSR_MC0_CTL2, ~0UL), VMCA_DONE);
    assert_int_equal(read_msr(MSR_MC0_CTL2), 0x40007fff);
}

/* A #GP in a guest's #MC handler would kill it: banks beyond are empty. */
static void banks_beyond(void **state)
{
    uint64_t value;

    (void)state;
    for (unsigned int b = VMCA_BANKS; b < 32; b++) {
        assert_int_equal(read_msr(MSR_MCx_CTL(b)), 0);
        assert_int_equal(read_msr(MSR_MCx_STATUS(b)), 0);
        assert_int_equal(vmca_wrmsr(&v, MSR_MCx_STATUS(b), 1), VMCA_DONE);
    }
    assert_int_equal(vmca_rdmsr(&v, MSR_MCx_CTL(32), &value), VMCA_NOT_MINE);
    assert_int_equal(vmca_rdmsr(&v, 0x10, &value), VMCA_NOT_MINE);
    assert_int_equal(vmca_rdmsr(&v, MSR_MCG_EXT_CTL, &value), VMCA_FAULT);
    assert_int_equal(vmca_wrmsr(&v, MSR_MCG_EXT_CTL, 1), VMCA_FAULT);
}

static void vendors(void **state)
{
    uint64_t value;

    (void)state;
    assert_int_equal(read_msr(MSR_MCG_CAP), 0x1000c02);
    cpu_features.vendor = CPU_AMD;
    assert_int_equal(read_msr(MSR_MCG_CAP), 2);
    assert_int_equal(vmca_rdmsr(&v, MSR_MC0_CTL2, &value), VMCA_NOT_MINE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(inject_and_take, set_up),
        cmocka_unit_test_setup(refused, set_up),
        cmocka_unit_test_setup(waits_for_the_handler, set_up),
        cmocka_unit_test_setup(too_many_wait, set_up),
        cmocka_unit_test_setup(required_gets_no_overflow, set_up),
        cmocka_unit_test_setup(between_write_and_return, set_up),
        cmocka_unit_test_setup(order_is_kept, set_up),
        cmocka_unit_test_setup(never_acknowledged, set_up),
        cmocka_unit_test_setup(occupied_bank, set_up),
        cmocka_unit_test_setup(notice_without_data, set_up),
        cmocka_unit_test_setup(writes, set_up),
        cmocka_unit_test_setup(banks_beyond, set_up),
        cmocka_unit_test_setup(vendors, set_up),
    };

    return UNIT_RUN(tests);
}
