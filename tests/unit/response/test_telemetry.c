/* SPDX-License-Identifier: MIT */
/*
 * response/telemetry: the form HYPERVISOR_mca gives records out in, read as
 * Linux's driver reads it.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "lib/xen_abi.h"
#include "domain/virq.h"
#include "response/telemetry.h"

static unsigned int virqs;
static struct mce_record *held;
static struct vigil_mce_record offered;
static int fetch_rc;

void virq_raise_global(unsigned int virq)
{
    assert_int_equal(virq, VIRQ_MCA);
    virqs++;
}

void record_hold(struct mce_record *r)
{
    held = r;
}

int record_fetch(bool urgent, struct vigil_mce_record *ret_data)
{
    assert_true(urgent);
    *ret_data = offered;
    return fetch_rc;
}

int record_acknowledge(bool urgent, uint64_t seq)
{
    assert_false(urgent);
    return seq == 77 ? 0 : -ENOENT;
}

static struct vigil_mce_record sample(unsigned int banks)
{
    struct vigil_mce_record d = {
        .seq = 41, .tsc = 0x1234, .mcg_status = 5, .where = VIGIL_MCE_IN_GUEST,
        .domid = 3, .vcpu = 1, .apic_id = 6, .banks = banks};

    for (unsigned int i = 0; i < banks; i++) {
        d.bank[i] = (struct vigil_mce_bank){
            .status = 0xbd000000000000c0, .addr = 0x1e345000 + 4096 * i,
            .misc = 0x8c, .bank = (uint16_t)i, .owner = 3,
            .grade = VIGIL_MCE_LATER, .action = VIGIL_MCE_DID_VMCE};
    }
    return d;
}

/* As drivers/xen/mcelog.c walks it: until an entry of size 0. */
static unsigned int walk(const struct mc_info *info, unsigned int *ret_banks)
{
    const char *at = (const char *)info->mi_data;
    const char *end = at + sizeof(info->mi_data);
    unsigned int entries = 0;

    *ret_banks = 0;
    while (at + sizeof(struct mcinfo_common) <= end) {
        const struct mcinfo_common *c = (const void *)at;

        if (c->size == 0) {
            break;
        }
        entries++;
        *ret_banks += c->type == MC_TYPE_BANK;
        at += c->size;
    }
    assert_true(at <= end);
    return entries;
}

static void global_first(void **state)
{
    struct vigil_mce_record d = sample(1);
    const struct mcinfo_global *g;
    const struct mcinfo_bank *b;
    const struct mcinfo_recovery *r;
    struct mc_info info;
    unsigned int banks;

    (void)state;
    telemetry_build(&d, &info);
    assert_int_equal(info.mi_nentries, 3);
    g = (const void *)info.mi_data;
    assert_int_equal(g->common.type, MC_TYPE_GLOBAL);
    assert_int_equal(g->common.size, sizeof(*g));
    assert_int_equal(g->mc_apicid, 6);
    assert_int_equal(g->mc_domid, 3);
    assert_int_equal(g->mc_vcpuid, 1);
    assert_int_equal(g->mc_gstatus, 5);
    assert_int_equal(g->mc_flags, MC_FLAG_MCE | MC_FLAG_UNCORRECTABLE |
                                      MC_FLAG_RECOVERABLE);
    b = (const void *)(g + 1);
    assert_int_equal(b->common.type, MC_TYPE_BANK);
    assert_int_equal(b->mc_status, d.bank[0].status);
    assert_int_equal(b->mc_addr, d.bank[0].addr);
    assert_int_equal(b->mc_misc, 0x8c);
    assert_int_equal(b->mc_domid, 3);
    assert_int_equal(b->mc_tsc, 0x1234);
    r = (const void *)(b + 1);
    assert_int_equal(r->common.type, MC_TYPE_RECOVERY);
    assert_int_equal(r->action_flags, REC_ACTION_RECOVERED);
    assert_int_equal(r->action_info.page_retire.mfn, 0x1e345);
    assert_int_equal(walk(&info, &banks), 3);
    assert_int_equal(banks, 1);
}

static void flags(void **state)
{
    struct vigil_mce_record d = sample(1);
    const struct mcinfo_global *g;
    struct mc_info info;

    (void)state;
    g = (const void *)info.mi_data;
    d.where = VIGIL_MCE_POLLED;
    d.bank[0].status = 0x9c00000000000090;
    telemetry_build(&d, &info);
    assert_int_equal(g->mc_flags, MC_FLAG_POLLED | MC_FLAG_CORRECTABLE);
    d.where = VIGIL_MCE_LEFT_OVER;
    d.domid = VIGIL_MCE_NO_DOMAIN;
    d.bank[0].status = 0xbe00000000800400;
    d.bank[0].grade = VIGIL_MCE_FATAL;
    telemetry_build(&d, &info);
    assert_int_equal(g->mc_flags, MC_FLAG_RESET | MC_FLAG_UNCORRECTABLE);
    assert_int_equal(g->mc_vcpuid, XEN_MC_VCPUID_INVALID);
}

static void any_number_of_banks_fits(void **state)
{
    (void)state;
    for (unsigned int n = 0; n <= VIGIL_MCE_BANKS; n++) {
        struct vigil_mce_record d = sample(n);
        struct mc_info info;
        unsigned int banks;

        memset(&info, 0xaa, sizeof(info));
        telemetry_build(&d, &info);
        assert_int_equal(walk(&info, &banks), info.mi_nentries);
        /* The driver wants a bank, even when none was valid. */
        assert_int_equal(banks, n == 0 ? 1 : n);
    }
}

static void publish_and_fetch(void **state)
{
    struct mce_record r;
    struct mc_info info;
    uint64_t cookie = 0;

    (void)state;
    telemetry_publish(&r);
    assert_ptr_equal(held, &r);
    assert_int_equal(virqs, 1);
    fetch_rc = -ENOENT;
    assert_int_equal(telemetry_fetch(true, &info, &cookie), -ENOENT);
    fetch_rc = 0;
    offered = sample(2);
    assert_int_equal(telemetry_fetch(true, &info, &cookie), 0);
    assert_int_equal(cookie, 41);
    assert_int_equal(telemetry_acknowledge(false, 77), 0);
    assert_int_equal(telemetry_acknowledge(false, 78), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(global_first),
        cmocka_unit_test(flags),
        cmocka_unit_test(any_number_of_banks_fits),
        cmocka_unit_test(publish_and_fetch),
    };

    return UNIT_RUN(tests);
}
