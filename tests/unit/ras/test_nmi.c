/* SPDX-License-Identifier: MIT */
/*
 * ras/nmi: who sent it, what the policy makes of it, and that none is lost on
 * its way to Dom0.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "tests/unit/ras/ras_fakes.h"
#include "fake_hw.h"
#include "fake_printk.h"
#include "fire_alarm.h"
#include "x86/percpu.h"
#include "cpu/tenant.h"
#include "ras/mce.h"
#include "ras/nmi.h"

struct ras_counters ras_counters;

static uint8_t port61;
static unsigned int port61_writes;
static uint32_t port61_last;
static struct cpu_regs regs = {.rip = 0xffffffff81001234, .cs = 0xe033};

static uint32_t port_in(uint16_t port, unsigned int bytes)
{
    assert_int_equal(port, 0x61);
    assert_int_equal(bytes, 1);
    return port61;
}

static void port_out(uint16_t port, unsigned int bytes, uint32_t v)
{
    assert_int_equal(port, 0x61);
    assert_int_equal(bytes, 1);
    port61_writes++;
    port61_last = v;
}

static int set_up(void **state)
{
    (void)state;
    fake_hw_reset();
    fake_in_hook = port_in;
    fake_out_hook = port_out;
    memset(&ras_counters, 0, sizeof(ras_counters));
    memset(this_cpu(), 0, sizeof(*this_cpu()));
    port61 = 0x20;
    port61_writes = 0;
    fake_now_ns += 10000000000;
    fake_stop_requested = false;
    fake_dying = false;
    fake_printk_count = 0;
    tenant_set(0, 0);
    assert_int_equal(nmi_set_policy("dom0"), 0);
    while (nmi_next_for_dom0() != 0) {
    }
    return 0;
}

static void causes(void **state)
{
    (void)state;
    assert_int_equal(nmi_causes_of(0x00), NMI_CAUSE_UNKNOWN);
    assert_int_equal(nmi_causes_of(0x3f), NMI_CAUSE_UNKNOWN);
    assert_int_equal(nmi_causes_of(0x80), NMI_CAUSE_SERR);
    assert_int_equal(nmi_causes_of(0x6f), NMI_CAUSE_IOCHK);
    assert_int_equal(nmi_causes_of(0xc0), NMI_CAUSE_SERR | NMI_CAUSE_IOCHK);
    assert_int_equal(nmi_causes_of(0xff), NMI_CAUSE_UNKNOWN);
}

static void policies(void **state)
{
    (void)state;
    assert_int_equal(nmi_set_policy("panic"), -EINVAL);
    assert_int_equal(nmi_set_policy(""), -EINVAL);
    assert_int_equal(nmi_set_policy("ignore"), 0);
    ras_nmi(&regs);
    assert_false(nmi_waits_for_dom0());
    assert_int_equal(this_cpu()->work & WORK_NMI, 0);
    assert_int_equal(fake_printk_count, 1);
    assert_non_null(strstr(fake_printk_last, "ignored"));
    assert_int_equal(nmi_set_policy("fatal"), 0);
    EXPECT_PANIC(ras_nmi(&regs));
    assert_non_null(strstr(fire_alarm_text, "NMI"));
    assert_non_null(strstr(fake_printk_last, "fatal")); /* logged before */
    assert_int_equal(ras_counters.nmi_total, 2);
    assert_int_equal(ras_counters.nmi_unknown, 2);
}

static void each_is_counted(void **state)
{
    unsigned int unknown = 0, serr = 0, both = 0, c;

    (void)state;
    for (unsigned int i = 0; i < 5; i++) {
        ras_nmi(&regs);
    }
    port61 = 0x80;
    ras_nmi(&regs);
    port61 = 0xc0;
    ras_nmi(&regs);
    assert_int_equal(this_cpu()->work & WORK_NMI, WORK_NMI);
    assert_true(nmi_waits_for_dom0());
    while ((c = nmi_next_for_dom0()) != 0) {
        unknown += c == NMI_CAUSE_UNKNOWN;
        serr += c == NMI_CAUSE_SERR;
        both += c == (NMI_CAUSE_SERR | NMI_CAUSE_IOCHK);
    }
    assert_int_equal(unknown, 5);
    assert_int_equal(serr, 1);
    assert_int_equal(both, 1);
    assert_false(nmi_waits_for_dom0());
    assert_int_equal(ras_counters.nmi_total, 7);
    assert_int_equal(ras_counters.nmi_serr, 2);
    assert_int_equal(ras_counters.nmi_iochk, 1);
}

/* The line is acknowledged; one that does not stop is switched off. */
static void lines_are_settled(void **state)
{
    (void)state;
    ras_nmi(&regs);
    assert_int_equal(port61_writes, 0);
    port61 = 0x80;
    for (unsigned int i = 0; i < 8; i++) {
        ras_nmi(&regs);
    }
    assert_int_equal(port61_writes, 16); /* off and on again */
    assert_int_equal(port61_last & 0x04, 0);
    ras_nmi(&regs);
    assert_int_equal(port61_writes, 17);
    assert_int_equal(port61_last & 0x04, 0x04);
    assert_non_null(strstr(fake_printk_last, "disabled"));
}

static void other_cpus_do_not_ask_the_port(void **state)
{
    (void)state;
    fake_in_hook = NULL;
    this_cpu()->cpu_id = 1;
    ras_nmi(&regs);
    this_cpu()->cpu_id = 0;
    assert_int_equal(nmi_next_for_dom0(), NMI_CAUSE_UNKNOWN);
}

/* One more panic would cost the record of the first one a stage. */
static void not_fatal_while_dying(void **state)
{
    (void)state;
    fake_dying = true;
    assert_int_equal(nmi_set_policy("fatal"), 0);
    ras_nmi(&regs);
    assert_int_equal(ras_counters.nmi_total, 1);
}

/* A dying CPU's request comes before anything else. */
static void stop_comes_first(void **state)
{
    (void)state;
    fake_in_hook = NULL;
    fake_stop_requested = true;
    EXPECT_PANIC(ras_nmi(&regs));
    assert_int_equal(fake_parked, 1);
    assert_int_equal(ras_counters.nmi_total, 0);
    assert_int_equal(fake_printk_count, 0);
}

static void says_whom_it_interrupted(void **state)
{
    (void)state;
    tenant_set(7, 2);
    ras_nmi(&regs);
    assert_non_null(strstr(fake_printk_last, "in guest d7v2"));
    regs.cs = 0xe008;
    ras_nmi(&regs);
    assert_non_null(strstr(fake_printk_last, "in hypervisor for d7v2"));
    tenant_set(TENANT_NONE, 0);
    ras_nmi(&regs);
    assert_non_null(strstr(fake_printk_last, "in hypervisor, idle"));
    regs.cs = 0xe033;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(causes, set_up),
        cmocka_unit_test_setup(policies, set_up),
        cmocka_unit_test_setup(each_is_counted, set_up),
        cmocka_unit_test_setup(lines_are_settled, set_up),
        cmocka_unit_test_setup(other_cpus_do_not_ask_the_port, set_up),
        cmocka_unit_test_setup(not_fatal_while_dying, set_up),
        cmocka_unit_test_setup(stop_comes_first, set_up),
        cmocka_unit_test_setup(says_whom_it_interrupted, set_up),
    };

    return UNIT_RUN(tests);
}
