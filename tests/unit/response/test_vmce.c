/* SPDX-License-Identifier: MIT */
/*
 * response/vmce: what a guest finds in its banks, for both vendors, and to
 * which vcpus it is told.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "x86/exc.h"
#include "cpu/features.h"
#include "mm/m2p.h"
#include "ras/mca_regs.h"
#include "ras/mce.h"
#include "pv/pv.h"
#include "response/vmce.h"

struct cpu_features cpu_features;
struct ras_counters ras_counters;

static struct domain d;
static struct vcpu vcpus[3];
static struct pv_vcpu pvs[3];

void vcpu_kick(struct vcpu *v)
{
    (void)v;
}

static struct trap_info traps[3][PV_TRAPS];

static int set_up(void **state)
{
    (void)state;
    memset(&d, 0, sizeof(d));
    memset(vcpus, 0, sizeof(vcpus));
    memset(pvs, 0, sizeof(pvs));
    memset(&ras_counters, 0, sizeof(ras_counters));
    d.max_vcpus = 4; /* one more than exist */
    for (unsigned int i = 0; i < 3; i++) {
        vcpus[i].domain = &d;
        vcpus[i].vcpu_id = i;
        vcpus[i].pv = &pvs[i];
        vcpus[i].is_initialised = true;
        pvs[i].traps = traps[i];
        traps[i][EXC_MC].address = 0xffffffff81000000;
        d.vcpu[i] = &vcpus[i];
    }
    cpu_features.vendor = CPU_INTEL;
    return 0;
}

/* QEMU's example, at a byte of a page; model-specific bits set. */
static const struct vigil_mce_bank scrub = {
    .bank = 9, .status = 0xfd00000012340000 | 0xc3, .addr = 0x1e345678,
    .misc = 0x8c};
static const struct vigil_mce_bank load = {
    .bank = 1, .status = 0xbd80000000000134, .addr = 0x1e345678, .misc = 0x86};

static struct vmca_error translated(const struct vigil_mce_bank *b,
                                    bool required, uint64_t pfn, bool intel)
{
    const struct vmce e = {.source = b, .required = required, .pfn = pfn};
    struct vmca_error out;

    vmce_translate(&e, intel, &out);
    return out;
}

static void intel_optional(void **state)
{
    struct vmca_error e = translated(&scrub, false, 0x133b9, true);

    (void)state;
    assert_int_equal(e.status, 0xbd000000000000c3);
    assert_int_equal(e.addr, 0x133b9678); /* its page, the same byte */
    assert_int_equal(e.misc, 0x8c);
    assert_int_equal(e.mcg_status, VMCA_MCG_RIPV);
    assert_int_equal(e.bank, 1);
}

static void intel_required(void **state)
{
    struct vmca_error e = translated(&load, true, 0x133b9, true);

    (void)state;
    assert_int_equal(e.status, 0xbd80000000000134);
    assert_int_equal(e.misc, 0x86);
    assert_int_equal(e.mcg_status, VMCA_MCG_RIPV | VMCA_MCG_EIPV);
}

static void amd_optional_is_deferred(void **state)
{
    struct vmca_error e = translated(&scrub, false, 7, false);

    (void)state;
    assert_int_equal(e.status & MCI_UC, 0);
    assert_int_equal(e.status & MCI_DEFERRED, MCI_DEFERRED);
    assert_int_equal(e.status & (MCI_S | MCI_AR), 0);
    assert_int_equal(e.addr, 0x7678);
}

static void amd_required_is_uncorrected(void **state)
{
    struct vmca_error e = translated(&load, true, 7, false);

    (void)state;
    assert_int_equal(e.status & (MCI_UC | MCI_DEFERRED), MCI_UC);
    /* Bit 55 says "the task's context is lost" there: it is not. */
    assert_int_equal(e.status & MCI_TCC, 0);
}

static void never_shown(void **state)
{
    struct vigil_mce_bank all = scrub;

    (void)state;
    all.status = ~0UL;
    all.misc = ~0UL;
    for (int i = 0; i < 4; i++) {
        struct vmca_error e = translated(&all, i & 1, 5, i & 2);

        assert_int_equal(e.status & (MCI_OVER | MCI_PCC | MCI_MODEL_CODE), 0);
        assert_int_equal(e.misc, MCI_MISC_PHYSICAL_PAGE);
    }
}

static void no_address(void **state)
{
    struct vmca_error e = translated(&load, true, M2P_INVALID, true);

    (void)state;
    assert_int_equal(e.status & (MCI_ADDRV | MCI_MISCV), 0);
    assert_int_equal(e.addr, 0);
    assert_int_equal(e.misc, 0);
}

static void no_misc_means_a_page(void **state)
{
    struct vigil_mce_bank b = scrub;

    (void)state;
    b.status &= ~MCI_MISCV;
    assert_int_equal(translated(&b, false, 5, true).misc, 0x8c);
}

static const struct vmce an_error = {.source = &scrub, .pfn = 5};

static void intel_tells_all(void **state)
{
    (void)state;
    vcpus[2].hold = VCPU_HOLD_DOWN;
    assert_int_equal(vmce_deliver(&d, -1, &an_error), 0);
    assert_true(vcpus[0].mce_pending);
    assert_true(vcpus[1].mce_pending);
    assert_false(vcpus[2].mce_pending);
    assert_true(pvs[0].vmca.bank[1].status & MCI_VAL);
    assert_false(pvs[1].vmca.bank[1].status & MCI_VAL);
    assert_int_equal(pvs[1].vmca.mcg_status, MCG_RIPV | MCG_MCIP);
    assert_int_equal(ras_counters.vmce_delivered, 1);
}

static void amd_tells_one(void **state)
{
    (void)state;
    cpu_features.vendor = CPU_AMD;
    assert_int_equal(vmce_deliver(&d, 2, &an_error), 0);
    assert_false(vcpus[0].mce_pending);
    assert_true(vcpus[2].mce_pending);
}

static void first_that_is_up(void **state)
{
    (void)state;
    cpu_features.vendor = CPU_AMD;
    vcpus[0].is_initialised = false;
    assert_int_equal(vmce_deliver(&d, 3, &an_error), 0);
    assert_true(vcpus[1].mce_pending);
    set_up(NULL);
    for (unsigned int i = 0; i < 3; i++) {
        vcpus[i].hold = VCPU_HOLD_DOWN;
    }
    assert_int_equal(vmce_deliver(&d, -1, &an_error), -ENOENT);
    assert_int_equal(ras_counters.vmce_delivered, 0);
}

static void refused(void **state)
{
    (void)state;
    traps[0][EXC_MC].address = 0;
    assert_int_equal(vmce_deliver(&d, 0, &an_error), -ENOENT);
    set_up(NULL);
    /* It has returned from its handler and not acknowledged. */
    assert_int_equal(vmce_deliver(&d, 0, &an_error), 0);
    vcpus[0].mce_pending = false;
    assert_int_equal(vmce_deliver(&d, 0, &an_error), -EBUSY);
}

static void in_its_handler(void **state)
{
    struct vmce used = {.source = &load, .required = true, .pfn = 5};

    (void)state;
    assert_int_equal(vmce_deliver(&d, 0, &an_error), 0);
    vcpus[0].mce_pending = false;
    vcpus[0].async_mask = VCPU_ASYNC_MCE;
    assert_int_equal(vmce_deliver(&d, 0, &an_error), 0);
    assert_int_equal(pvs[0].vmca.waiting_count, 1);
    assert_int_equal(pvs[1].vmca.waiting_count, 1);
    /* The handler's own use of bad memory cannot wait. */
    assert_int_equal(vmce_deliver(&d, 0, &used), -EBUSY);
}

/* AMD's kernels leave a deferred error where it is for a while. */
static void the_other_bank(void **state)
{
    (void)state;
    cpu_features.vendor = CPU_AMD;
    for (unsigned int i = 0; i < 3; i++) {
        assert_int_equal(vmce_deliver(&d, 0, &an_error), 0);
        vcpus[0].mce_pending = false;
        pvs[0].vmca.mcg_status = 0;
        assert_true(pvs[0].vmca.bank[1].status & MCI_VAL);
        assert_int_equal((pvs[0].vmca.bank[0].status & MCI_VAL) != 0, i >= 1);
    }
    assert_true(pvs[0].vmca.bank[1].status & MCI_OVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(intel_optional, set_up),
        cmocka_unit_test_setup(intel_required, set_up),
        cmocka_unit_test_setup(amd_optional_is_deferred, set_up),
        cmocka_unit_test_setup(amd_required_is_uncorrected, set_up),
        cmocka_unit_test_setup(never_shown, set_up),
        cmocka_unit_test_setup(no_address, set_up),
        cmocka_unit_test_setup(no_misc_means_a_page, set_up),
        cmocka_unit_test_setup(intel_tells_all, set_up),
        cmocka_unit_test_setup(amd_tells_one, set_up),
        cmocka_unit_test_setup(first_that_is_up, set_up),
        cmocka_unit_test_setup(refused, set_up),
        cmocka_unit_test_setup(in_its_handler, set_up),
        cmocka_unit_test_setup(the_other_bank, set_up),
    };

    return UNIT_RUN(tests);
}
