/* SPDX-License-Identifier: MIT */
/*
 * response/nmi_reflect: Dom0 takes each hardware NMI exactly once, with the
 * reason that belongs to it and to no other.
 */
#include "tests/unit/unit.h"

#include "lib/xen_abi.h"
#include "x86/exc.h"
#include "ras/mce.h"
#include "ras/nmi.h"
#include "pv/bounce.h"
#include "pv/pv.h"
#include "response/nmi_reflect.h"

struct ras_counters ras_counters;
struct domain *dom0;

static struct domain d;
static struct vcpu v, other;
static struct pv_vcpu pv;
static shared_info_t shared;
static const struct pv_nmi_hooks *hooks;
static unsigned int queue[16], queued, handed_out;
static unsigned int kicks;

void pv_plug_nmi_hooks(const struct pv_nmi_hooks *h)
{
    hooks = h;
}

void vcpu_kick(struct vcpu *who)
{
    assert_ptr_equal(who, &v);
    kicks++;
}

unsigned int nmi_next_for_dom0(void)
{
    return handed_out < queued ? queue[handed_out++] : 0;
}

bool nmi_waits_for_dom0(void)
{
    return handed_out < queued;
}

static struct trap_info traps[PV_TRAPS];

static int set_up(void **state)
{
    (void)state;
    memset(&d, 0, sizeof(d));
    memset(&v, 0, sizeof(v));
    memset(&pv, 0, sizeof(pv));
    memset(&shared, 0, sizeof(shared));
    memset(&ras_counters, 0, sizeof(ras_counters));
    dom0 = &d;
    d.vcpu[0] = &v;
    d.shared_info = &shared;
    v.domain = &d;
    v.pv = &pv;
    pv.traps = traps;
    other.domain = &d;
    other.pv = &pv;
    traps[EXC_NMI].address = 0xffffffff81000000;
    queued = handed_out = kicks = 0;
    nmi_reflect_init();
    return 0;
}

static void hardware(unsigned int causes)
{
    queue[queued++] = causes;
    nmi_reflect_run();
}

/* What pv/ does; the reason the handler sees. */
static unsigned long take(void)
{
    assert_true(v.nmi_pending);
    v.nmi_pending = false;
    hooks->taken(&v);
    return shared.arch.nmi_reason;
}

static void finish(void)
{
    hooks->done(&v);
}

static void one(void **state)
{
    (void)state;
    hardware(NMI_CAUSE_UNKNOWN);
    assert_int_equal(kicks, 1);
    assert_int_equal(shared.arch.nmi_reason, 0); /* not before it is taken */
    assert_int_equal(take(), XEN_NMIREASON_unknown);
    finish();
    assert_int_equal(shared.arch.nmi_reason, 0);
    assert_false(v.nmi_pending);
    assert_int_equal(ras_counters.nmi_reflected, 1);
}

/* They come faster than the handler runs. */
static void each_has_its_reason(void **state)
{
    (void)state;
    hardware(NMI_CAUSE_SERR);
    hardware(NMI_CAUSE_UNKNOWN);
    assert_int_equal(take(), XEN_NMIREASON_pci_serr);
    hardware(NMI_CAUSE_IOCHK | NMI_CAUSE_SERR);
    finish();
    assert_int_equal(take(), XEN_NMIREASON_unknown);
    finish();
    assert_int_equal(take(), XEN_NMIREASON_io_error | XEN_NMIREASON_pci_serr);
    finish();
    assert_false(v.nmi_pending);
    assert_int_equal(ras_counters.nmi_reflected, 3);
}

/* One that came while the handler runs is armed at once: pending then. */
static void during_the_handler(void **state)
{
    (void)state;
    hardware(NMI_CAUSE_UNKNOWN);
    (void)take();
    hardware(NMI_CAUSE_UNKNOWN);
    assert_true(v.nmi_pending);
    finish();
    (void)take();
    finish();
    assert_false(v.nmi_pending);
    assert_int_equal(ras_counters.nmi_reflected, 2);
}

static void sent_by_a_tool(void **state)
{
    (void)state;
    shared.arch.nmi_reason = 1UL << 40; /* not ours to touch */
    v.nmi_pending = true;
    assert_int_equal(take(), 1UL << 40);
    finish();
    assert_int_equal(shared.arch.nmi_reason, 1UL << 40);
    assert_int_equal(ras_counters.nmi_reflected, 0);
}

static void guest_writes_the_reason(void **state)
{
    (void)state;
    shared.arch.nmi_reason = XEN_NMIREASON_pci_serr;
    hardware(NMI_CAUSE_UNKNOWN);
    assert_int_equal(take(), XEN_NMIREASON_unknown);
    finish();
    assert_int_equal(shared.arch.nmi_reason, 0);
}

static void other_vcpus_are_not_concerned(void **state)
{
    (void)state;
    hardware(NMI_CAUSE_UNKNOWN);
    hooks->taken(&other);
    hooks->done(&other);
    assert_int_equal(ras_counters.nmi_reflected, 0);
    assert_int_equal(take(), XEN_NMIREASON_unknown);
    finish();
}

static void no_handler(void **state)
{
    (void)state;
    traps[EXC_NMI].address = 0;
    hardware(NMI_CAUSE_UNKNOWN);
    hardware(NMI_CAUSE_SERR);
    assert_false(v.nmi_pending);
    assert_false(nmi_waits_for_dom0());
    traps[EXC_NMI].address = 1;
    hardware(NMI_CAUSE_SERR);
    assert_int_equal(take(), XEN_NMIREASON_pci_serr);
    finish();
}

/* The handler goes away between the request and the frame. */
static void handler_goes_away(void **state)
{
    (void)state;
    hardware(NMI_CAUSE_UNKNOWN);
    traps[EXC_NMI].address = 0;
    v.nmi_pending = false; /* pv/ drops it and calls no hook */
    hardware(NMI_CAUSE_SERR);
    assert_false(nmi_waits_for_dom0());
    traps[EXC_NMI].address = 1;
    hardware(NMI_CAUSE_SERR);
    assert_int_equal(take(), XEN_NMIREASON_pci_serr);
    finish();
}

static void no_dom0_yet(void **state)
{
    (void)state;
    dom0 = NULL;
    hardware(NMI_CAUSE_UNKNOWN);
    assert_true(nmi_waits_for_dom0());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(one, set_up),
        cmocka_unit_test_setup(each_has_its_reason, set_up),
        cmocka_unit_test_setup(during_the_handler, set_up),
        cmocka_unit_test_setup(sent_by_a_tool, set_up),
        cmocka_unit_test_setup(guest_writes_the_reason, set_up),
        cmocka_unit_test_setup(other_vcpus_are_not_concerned, set_up),
        cmocka_unit_test_setup(no_handler, set_up),
        cmocka_unit_test_setup(handler_goes_away, set_up),
        cmocka_unit_test_setup(no_dom0_yet, set_up),
    };

    return UNIT_RUN(tests);
}
