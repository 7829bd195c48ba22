/* SPDX-License-Identifier: MIT */
/*
 * cpu/spec_options: what spec-ctrl= says, item by item, and what comes of it.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "x86/percpu.h"
#include "cpu/alternative.h"
#include "cpu/spec_ctrl.h"

#define IBRS 1

struct cpu_features cpu_features;
static struct spec_options opt;

void alternative_apply(uint32_t chosen, bool plain_returns)
{
    (void)chosen;
    (void)plain_returns;
    abort();
}

static int set_up(void **state)
{
    static const struct spec_options fresh = SPEC_OPTIONS_DEFAULT;

    (void)state;
    opt = fresh;
    return 0;
}

/* With all that microcode has brought. */
static struct spec_cpu intel(uint32_t model)
{
    struct spec_cpu c = {.vendor = CPU_INTEL, .family = 6, .model = model};

    c.has_ibrs = c.has_ibpb = c.has_stibp = c.md_clear = true;
    return c;
}

static void everything_off(void **state)
{
    static const char *const words[] = {"no", "off", "false", "0", "disable"};

    (void)state;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        struct spec_cpu c = intel(0x5e);
        struct spec_choice ch;

        (void)set_up(state);
        assert_int_equal(spec_parse(words[i], &opt), 0);
        ch = spec_choose(&c, &opt);
        assert_int_equal(ch.spec_ctrl, 0);
        assert_int_equal(spec_alternatives(&ch), 1U << ALT_THUNK_JMP | 1U << ALT_CALL);
        assert_false(ch.ibpb_switch);
    }
    /* What comes after it is on again. */
    assert_int_equal(spec_parse("no,rsb,bti-thunk=lfence", &opt), 0);
    assert_int_equal(opt.rsb, 1);
    assert_int_equal(opt.thunk, SPEC_THUNK_LFENCE);
    assert_int_equal(opt.ibpb, 0);
}

static void single_items(void **state)
{
    struct spec_cpu c = intel(0x5e);
    struct spec_choice ch;

    (void)state;
    assert_int_equal(spec_parse("bti-thunk=retpoline,no-stibp,rsb=on,"
                                "ibpb=off,no-md-clear,ibpb-entry",
                                &opt),
                     0);
    ch = spec_choose(&c, &opt);
    assert_int_equal(ch.thunk, SPEC_THUNK_RETPOLINE);
    assert_int_equal(ch.spec_ctrl, 0); /* a chosen thunk stands alone */
    assert_true(ch.rsb);
    assert_false(ch.ibpb_switch);
    assert_true(ch.ibpb_entry);
    assert_false(ch.verw);
    (void)set_up(state);
    assert_int_equal(spec_parse("ibrs", &opt), 0);
    c = intel(0x3c);
    ch = spec_choose(&c, &opt);
    assert_int_equal(ch.thunk, SPEC_THUNK_JMP);
    assert_true(ch.spec_ctrl & IBRS);
    /* Nothing is used that is not there. */
    c.has_ibrs = c.has_ibpb = c.has_stibp = c.md_clear = false;
    assert_int_equal(spec_parse("ibpb,ibpb-entry,stibp,ssbd", &opt), 0);
    ch = spec_choose(&c, &opt);
    assert_int_equal(ch.spec_ctrl, 0);
    assert_int_equal(ch.thunk, SPEC_THUNK_RETPOLINE);
    assert_false(ch.ibpb_switch || ch.ibpb_entry || ch.verw);
}

static void refused(void **state)
{
    static const char *const bad[] = {
        "yes",      "bti-thunk", "bti-thunk=none", "rsb=maybe",
        "no-rsb=1", "ssb",       "rsb,,ibrs",      "no-",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        (void)set_up(state);
        assert_int_equal(spec_parse(bad[i], &opt), -EINVAL);
    }
    /* What stood before the mistake counts. */
    (void)set_up(state);
    assert_int_equal(spec_parse("rsb=0,nonsense,ibrs", &opt), -EINVAL);
    assert_int_equal(opt.rsb, 0);
    assert_int_equal(opt.ibrs, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(everything_off, set_up),
        cmocka_unit_test_setup(single_items, set_up),
        cmocka_unit_test_setup(refused, set_up),
    };

    return UNIT_RUN(tests);
}
