/* SPDX-License-Identifier: MIT */
/*
 * pv/switch: what one domain taught the branch predictors is forgotten before
 * another runs, be it one with the same number; and only then.
 */
#include "tests/unit/unit.h"

#include "cpu/features.h"
#include "cpu/spec_ctrl.h"
#include "cpu/tenant.h"
#include "domain/vtimer.h"
#include "pv/ctrlreg.h"
#include "pv/debugreg.h"
#include "pv/descriptor.h"
#include "pv/fpu.h"
#include "pv/runstate.h"
#include "pv/switch.h"
#include "fake_hw.h"
#include "x86/msr_index.h"

struct cpu_features cpu_features;
struct cpu_block *cpu_blocks[NR_CPUS];

static struct domain dom[3];
static struct vcpu vcpu[3][2];
static struct pv_vcpu pv[3][2];
static unsigned int parted;  /* spec_switch() calls                        */
static uint32_t written;     /* SPEC_CTRL                                  */
static uint16_t tenant;
static bool ran_before_part; /* tables of another were loaded before it    */
static const struct domain *tables_of;

/* ---- what the code under test calls -------------------------------------- */

void spec_switch(void)
{
    parted++;
    tables_of = NULL;
}

void spec_load(uint32_t value)
{
    written = value;
    this_cpu()->spec_ctrl = value;
}

void tenant_set(uint16_t domid, uint16_t id)
{
    (void)id;
    tenant = domid;
}

void tlb_enter(struct tlb_space *s, uint64_t cr3)
{
    const struct domain *d = container_of(s, struct domain, tlb);

    ran_before_part = ran_before_part || (tables_of != NULL && tables_of != d);
    tables_of = d;
    this_cpu()->space = s;
    fake_cr[3] = cr3;
}

void vtimer_resume(struct vcpu *v)
{
    assert_true(v->is_running);
}

void pv_cr4_load(const struct vcpu *v)
{
    (void)v;
}

void pv_debugreg_load(struct vcpu *v)
{
    (void)v;
}

void pv_debugreg_save(struct vcpu *v)
{
    (void)v;
}

void pv_fpu_load(struct vcpu *v)
{
    (void)v;
}

void pv_fpu_save(struct vcpu *v)
{
    (void)v;
}

bool pv_gdt_stays(const struct vcpu *next)
{
    (void)next;
    return true;
}

void pv_load_descriptors(struct vcpu *v)
{
    (void)v;
}

void pv_runstate_publish(struct vcpu *v)
{
    (void)v;
}

void pv_runstate_publish_wait(struct vcpu *v)
{
    (void)v;
}

/* ---- the tests ------------------------------------------------------------ */

/* Domains 0 and 1, and one more that gets the number of 1. */
static int set_up(void **state)
{
    static uint64_t instances;

    (void)state;
    fake_hw_reset();
    fake_msr_set(MSR_FS_BASE, 0);
    fake_msr_set(MSR_GS_BASE, 0);
    fake_msr_set(MSR_KERNEL_GS_BASE, 0);
    memset(&cpu_features, 0, sizeof(cpu_features));
    memset(dom, 0, sizeof(dom));
    memset(vcpu, 0, sizeof(vcpu));
    memset(pv, 0, sizeof(pv));
    for (unsigned int i = 0; i < 3; i++) {
        dom[i].domid = i == 2 ? 1 : (domid_t)i;
        dom[i].instance = ++instances;
        for (unsigned int j = 0; j < 2; j++) {
            vcpu[i][j].domain = &dom[i];
            vcpu[i][j].vcpu_id = j;
            vcpu[i][j].pv = &pv[i][j];
            pv[i][j].guest_kernel = true;
        }
    }
    for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++) {
        cpu_blocks[cpu] = &fake_cpu_blocks[cpu];
    }
    pv_switch_to(&vcpu[0][0]);
    parted = 0;
    written = 0;
    tables_of = &dom[0];
    ran_before_part = false;
    return 0;
}

static void another_domain_is_parted_from(void **state)
{
    (void)state;
    pv_switch_to(&vcpu[1][0]);
    assert_int_equal(parted, 1);
    assert_false(ran_before_part);
    assert_int_equal(tenant, 1);
    pv_switch_to(&vcpu[0][0]);
    assert_int_equal(parted, 2);
}

static void the_same_domain_is_not(void **state)
{
    (void)state;
    pv_switch_to(&vcpu[0][1]);
    pv_switch_to(&vcpu[0][0]);
    pv_switch_to(NULL);
    pv_switch_to(&vcpu[0][1]);
    assert_int_equal(parted, 0);
}

/* It has died, its number has been given again: another tenant all the same. */
static void the_same_number_is_another(void **state)
{
    (void)state;
    pv_switch_to(&vcpu[1][0]);
    pv_switch_to(NULL);
    parted = 0;
    pv_switch_to(&vcpu[2][0]);
    assert_int_equal(dom[1].domid, dom[2].domid);
    assert_int_equal(parted, 1);
}

/* The predictors are the processor's: what ran elsewhere says nothing here. */
static void each_processor_has_its_own(void **state)
{
    (void)state;
    fake_cpu = 1;
    pv_switch_to(&vcpu[1][0]);
    parted = 0;
    fake_cpu = 0;
    pv_switch_to(&vcpu[0][1]);
    assert_int_equal(parted, 0);
    fake_cpu = 1;
    pv_switch_to(&vcpu[1][1]);
    assert_int_equal(parted, 0);
    pv_switch_to(&vcpu[0][0]);
    assert_int_equal(parted, 1);
    fake_cpu = 0;
}

/* Its own SPEC_CTRL comes with a vcpu, and is written only where it differs. */
static void spec_ctrl_comes_along(void **state)
{
    (void)state;
    pv[1][0].spec_ctrl = 4;
    pv_switch_to(&vcpu[1][0]);
    assert_int_equal(written, 4);
    written = 99;
    pv[1][1].spec_ctrl = 4;
    pv_switch_to(&vcpu[1][1]);
    assert_int_equal(written, 99);
    pv_switch_to(&vcpu[0][0]);
    assert_int_equal(written, 0);
}

/* Registers and selectors leave with one and come with the other. */
static void registers_are_exchanged(void **state)
{
    (void)state;
    guest_regs()->rip = 0x1000;
    fake_selector[2] = 0x53;
    fake_msr_set(MSR_GS_BASE, 0x7000);
    vcpu[1][0].regs.rip = 0x2000;
    pv[1][0].gs_base_kernel = 0x8000;
    pv_switch_to(&vcpu[1][0]);
    assert_int_equal(vcpu[0][0].regs.rip, 0x1000);
    assert_int_equal(pv[0][0].fs, 0x53);
    assert_int_equal(pv[0][0].gs_base_kernel, 0x7000);
    assert_int_equal(guest_regs()->rip, 0x2000);
    assert_int_equal(fake_selector[2], 0);
    assert_int_equal(fake_msr_get(MSR_GS_BASE), 0x8000);
    assert_false(vcpu[0][0].is_running);
    assert_true(vcpu[1][0].is_running);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(another_domain_is_parted_from, set_up),
        cmocka_unit_test_setup(the_same_domain_is_not, set_up),
        cmocka_unit_test_setup(the_same_number_is_another, set_up),
        cmocka_unit_test_setup(each_processor_has_its_own, set_up),
        cmocka_unit_test_setup(spec_ctrl_comes_along, set_up),
        cmocka_unit_test_setup(registers_are_exchanged, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
