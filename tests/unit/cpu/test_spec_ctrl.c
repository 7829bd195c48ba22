/* SPDX-License-Identifier: MIT */
/*
 * cpu/spec_ctrl: what is chosen for which processor, and what spec-ctrl= says.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "x86/msr.h"
#include "x86/percpu.h"
#include "cpu/alternative.h"
#include "cpu/spec_ctrl.h"
#include "fake_hw.h"
#include "fake_printk.h"

#define IBRS  1
#define STIBP 2
#define SSBD  4

#define CAPS_RDCL_NO  (1UL << 0)
#define CAPS_IBRS_ALL (1UL << 1)
#define CAPS_RSBA     (1UL << 2)
#define CAPS_MDS_NO   (1UL << 5)
#define CAPS_TSX_CTRL (1UL << 7)
#define CAPS_TAA_NO   (1UL << 8)
#define CAPS_BHI_NO   (1UL << 20)
#define CAPS_RFDS     (1UL << 28)
#define CAPS_ITS_NO   (1UL << 62)
#define BHI_DIS_S     (1U << 10)

struct cpu_features cpu_features;
static uint32_t applied;

static bool returns_are_plain;

void alternative_apply(uint32_t chosen, bool plain_returns)
{
    applied = chosen;
    returns_are_plain = plain_returns;
}

static struct spec_options opt;

static int set_up(void **state)
{
    static const struct spec_options fresh = SPEC_OPTIONS_DEFAULT;

    (void)state;
    fake_hw_reset();
    opt = fresh;
    applied = ~0U;
    return 0;
}

static struct spec_cpu intel(uint32_t model)
{
    return (struct spec_cpu){.vendor = CPU_INTEL,
                             .family = 6,
                             .model = model,
                             .has_ibrs = true,
                             .has_ibpb = true,
                             .has_stibp = true,
                             .md_clear = true};
}

static void emulated_amd(void **state)
{
    /* QEMU's own processor: nothing is offered, there is no SMEP. */
    struct spec_cpu c = {.vendor = CPU_AMD, .family = 15, .model = 107};
    struct spec_choice ch = spec_choose(&c, &opt);

    (void)state;
    assert_int_equal(ch.thunk, SPEC_THUNK_RETPOLINE);
    assert_true(ch.rsb);
    assert_false(ch.ibrs_entry || ch.ibpb_entry || ch.ibpb_switch || ch.verw);
    assert_false(ch.has_spec_ctrl);
    assert_int_equal(spec_alternatives(&ch),
                     1U << ALT_ENTER | 1U << ALT_ENTER_RSB);
    c.smep = true;
    ch = spec_choose(&c, &opt);
    assert_false(ch.rsb);
    assert_int_equal(spec_alternatives(&ch), 0);
    /* A processor we know nothing of gets what needs no offer. */
    c = (struct spec_cpu){.vendor = CPU_OTHER};
    ch = spec_choose(&c, &opt);
    assert_int_equal(ch.thunk, SPEC_THUNK_RETPOLINE);
    assert_true(ch.rsb);
}

static void intel_generations(void **state)
{
    struct spec_cpu c = intel(0x3c); /* Haswell */
    struct spec_choice ch = spec_choose(&c, &opt);

    (void)state;
    assert_int_equal(ch.thunk, SPEC_THUNK_RETPOLINE);
    assert_int_equal(ch.spec_ctrl, STIBP);
    assert_true(ch.ibpb_switch);
    assert_true(ch.verw);
    assert_false(ch.ibpb_entry);
    c = intel(0x5e); /* Skylake: retpolines do not hold */
    c.smep = true;
    ch = spec_choose(&c, &opt);
    assert_int_equal(ch.thunk, SPEC_THUNK_JMP);
    assert_int_equal(ch.spec_ctrl, IBRS | STIBP);
    assert_true(ch.ibrs_entry);
    assert_int_equal(spec_alternatives(&ch),
                     1U << ALT_THUNK_JMP | 1U << ALT_CALL | 1U << ALT_ENTER |
                         1U << ALT_ENTER_MORE | 1U << ALT_ENTER_IBRS |
                         1U << ALT_LEAVE | 1U << ALT_LEAVE_VERW |
                         1U << ALT_PTI);
    /* Without the microcode a retpoline is better than nothing. */
    c.has_ibrs = c.has_ibpb = c.has_stibp = c.md_clear = false;
    ch = spec_choose(&c, &opt);
    assert_int_equal(ch.thunk, SPEC_THUNK_RETPOLINE);
    assert_int_equal(ch.spec_ctrl, 0);
    /* Enhanced IBRS is set once. */
    c = intel(0x6a);
    c.smep = true;
    c.arch_caps = CAPS_IBRS_ALL | CAPS_MDS_NO | CAPS_RDCL_NO | CAPS_BHI_NO |
                  CAPS_ITS_NO;
    ch = spec_choose(&c, &opt);
    assert_int_equal(ch.thunk, SPEC_THUNK_JMP);
    assert_int_equal(ch.spec_ctrl, IBRS | STIBP);
    assert_false(ch.ibrs_entry);
    assert_false(ch.verw);
    assert_int_equal(spec_alternatives(&ch), 1U << ALT_THUNK_JMP | 1U << ALT_CALL);
    /* A hypervisor below us says: you may move to a processor like that. */
    c = intel(0x3c);
    c.arch_caps = CAPS_RSBA;
    assert_int_equal(spec_choose(&c, &opt).thunk, SPEC_THUNK_JMP);
    /* An unknown one is not taken for safe. */
    c = intel(0xfe);
    assert_true(spec_choose(&c, &opt).spec_ctrl & IBRS);
    /* SMEP does not help where the RSB keeps half an address. */
    c = intel(0x37);
    c.smep = true;
    assert_true(spec_choose(&c, &opt).rsb);
}

static void broadwell(void **state)
{
    static const struct {
        uint32_t model, stepping, first_safe;
    } parts[] = {{0x3d, 4, 0x2a},      {0x47, 1, 0x1d},
                 {0x4f, 1, 0xb000021}, {0x56, 2, 0x15},
                 {0x56, 3, 0x7000012}, {0x56, 4, 0xf000011},
                 {0x56, 5, 0xe000009}};

    (void)state;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        struct spec_cpu c = intel(parts[i].model);

        c.stepping = parts[i].stepping;
        c.microcode = parts[i].first_safe;
        assert_int_equal(spec_choose(&c, &opt).thunk, SPEC_THUNK_RETPOLINE);
        c.microcode--;
        assert_int_equal(spec_choose(&c, &opt).thunk, SPEC_THUNK_JMP);
    }
}

static void zen(void **state)
{
    struct spec_cpu c = {.vendor = CPU_AMD,
                         .family = 0x17,
                         .model = 0x31,
                         .smep = true,
                         .has_ibpb = true,
                         .has_stibp = true};
    struct spec_choice ch = spec_choose(&c, &opt);

    (void)state;
    assert_int_equal(ch.thunk, SPEC_THUNK_RETPOLINE);
    assert_true(ch.ibpb_entry);
    assert_int_equal(spec_alternatives(&ch), 1U << ALT_ENTER |
                                                 1U << ALT_ENTER_MORE |
                                                 1U << ALT_ENTER_IBPB);
    c.btc_no = c.srso_no = true;
    assert_false(spec_choose(&c, &opt).ibpb_entry);
    c.family = 0x19;
    c.btc_no = true;
    c.srso_no = false;
    assert_true(spec_choose(&c, &opt).ibpb_entry);
    c.srso_no = true;
    assert_false(spec_choose(&c, &opt).ibpb_entry);
    c.family = 0x1a;
    c.srso_no = false;
    assert_false(spec_choose(&c, &opt).ibpb_entry);
}

static void loads_past_protection(void **state)
{
    struct spec_cpu c = intel(0x3c);
    struct spec_choice ch = spec_choose(&c, &opt);

    (void)state;
    assert_true(ch.pti_dom0 && ch.pti_domu);
    assert_true(ch.l1tf_domu && !ch.l1tf_dom0); /* Dom0 sees all anyway */
    assert_int_equal(ch.l1d_bits, 46);
    c.phys_bits = 52;
    assert_int_equal(spec_choose(&c, &opt).l1d_bits, 52);
    c.model = 0x1a;
    c.phys_bits = 40;
    assert_int_equal(spec_choose(&c, &opt).l1d_bits, 44);
    c.model = 0x5c; /* an Atom: reads past protection, not past presence */
    ch = spec_choose(&c, &opt);
    assert_true(ch.pti_domu && !ch.l1tf_domu);
    c = intel(0x55);
    c.arch_caps = CAPS_RDCL_NO;
    ch = spec_choose(&c, &opt);
    assert_false(ch.pti_dom0 || ch.pti_domu || ch.l1tf_domu);
    c = (struct spec_cpu){.vendor = CPU_AMD, .family = 0x19};
    ch = spec_choose(&c, &opt);
    assert_false(ch.pti_dom0 || ch.pti_domu || ch.l1tf_domu);
    assert_int_equal(spec_parse_pti("", &opt), 0); /* asked for */
    ch = spec_choose(&c, &opt);
    assert_true(ch.pti_dom0 && ch.pti_domu);
    assert_int_equal(spec_parse_pti("dom0=no", &opt), 0);
    ch = spec_choose(&c, &opt);
    assert_true(!ch.pti_dom0 && ch.pti_domu);
    /* One kind of guest is enough for the code. */
    assert_int_equal(spec_alternatives(&ch) &
                         (1U << ALT_PTI | 1U << ALT_LEAVE | 1U << ALT_ENTER |
                          1U << ALT_ENTER_MORE),
                     1U << ALT_PTI | 1U << ALT_LEAVE | 1U << ALT_ENTER |
                         1U << ALT_ENTER_MORE);
    assert_int_equal(spec_parse_pti("default", &opt), 0);
    assert_false(spec_choose(&c, &opt).pti_domu);
    assert_int_equal(spec_parse_pti("no-domu,dom0", &opt), 0);
    assert_int_equal(opt.pti_domu, 0);
    assert_int_equal(opt.pti_dom0, 1);
    assert_int_equal(spec_parse_pti("domx", &opt), -EINVAL);
    /* spec-ctrl=no is about what nobody asked for by name. */
    assert_int_equal(spec_parse("no", &opt), 0);
    assert_int_equal(opt.pti_dom0, 1);
    assert_int_equal(opt.l1tf_domu, 0);
}

static void branch_history(void **state)
{
    struct spec_cpu c = intel(0x6a);
    struct spec_choice ch;

    (void)state;
    c.arch_caps = CAPS_IBRS_ALL;
    ch = spec_choose(&c, &opt);
    assert_true(ch.bhb_entry);
    assert_false(ch.spec_ctrl & BHI_DIS_S);
    assert_true(spec_alternatives(&ch) & 1U << ALT_ENTER_BHB);
    c.has_bhi_dis = true; /* the processor does it */
    ch = spec_choose(&c, &opt);
    assert_false(ch.bhb_entry);
    assert_true(ch.spec_ctrl & BHI_DIS_S);
    c.arch_caps |= CAPS_BHI_NO;
    assert_false(spec_choose(&c, &opt).spec_ctrl & BHI_DIS_S);
    /* An older one is not known for it, unless it may be another in truth. */
    c = intel(0x3c);
    assert_false(spec_choose(&c, &opt).bhb_entry);
    c.emulated = true;
    assert_true(spec_choose(&c, &opt).bhb_entry);
    assert_int_equal(spec_parse("no-bhi", &opt), 0);
    assert_false(spec_choose(&c, &opt).bhb_entry);
}

static void microcode_stays_on(void **state)
{
    (void)state;
    cpu_features = (struct cpu_features){.vendor = CPU_INTEL,
                                         .family = 6,
                                         .model = 0x7e,
                                         .smep = true,
                                         .l7_edx = 1U << 29 | 1U << 9};
    fake_msr_set(MSR_ARCH_CAPABILITIES, 1UL << 25 | CAPS_RDCL_NO);
    fake_msr_set(MSR_UCODE_REV, 0);
    fake_msr_set(MSR_MCU_OPT_CTRL, 0x100 | 0x11); /* firmware: both off */
    spec_init();
    assert_int_equal(fake_msr_get(MSR_MCU_OPT_CTRL), 0x100);
    fake_msr_set(MSR_MCU_OPT_CTRL, 0x31); /* one is locked */
    spec_cpu_init();
    assert_int_equal(fake_msr_get(MSR_MCU_OPT_CTRL), 0x30);
    fake_msr_set(MSR_MCU_OPT_CTRL, 0x11);
    assert_int_equal(spec_set_option("no-gds-mit"), 0);
    spec_init();
    assert_int_equal(fake_msr_get(MSR_MCU_OPT_CTRL), 0x10);
}

static void lower_halves(void **state)
{
    static const struct {
        uint32_t model, stepping;
        bool affected;
    } parts[] = {{0x55, 5, false}, {0x55, 7, true},  {0x8e, 11, false},
                 {0x8e, 12, true}, {0x9e, 12, false}, {0x9e, 13, true},
                 {0x6a, 6, true},  {0xa7, 1, true},  {0x97, 2, false},
                 {0xcf, 1, false}};

    (void)state;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        struct spec_cpu c = intel(parts[i].model);
        struct spec_choice ch;

        c.stepping = parts[i].stepping;
        c.smep = true;
        assert_false(spec_choose(&c, &opt).its); /* no enhanced IBRS */
        c.arch_caps = CAPS_IBRS_ALL | CAPS_RDCL_NO | CAPS_MDS_NO | CAPS_BHI_NO;
        ch = spec_choose(&c, &opt);
        assert_int_equal(ch.its, parts[i].affected);
        /* Entry code goes through the thunk, too. */
        assert_int_equal(spec_alternatives(&ch),
                         1U << ALT_THUNK_JMP | (ch.its ? 0 : 1U << ALT_CALL));
        c.arch_caps |= CAPS_ITS_NO;
        assert_false(spec_choose(&c, &opt).its);
        c.arch_caps = CAPS_IBRS_ALL;
        c.emulated = true;
        assert_true(spec_choose(&c, &opt).its);
    }
}

static void stale_registers(void **state)
{
    struct spec_cpu c = intel(0xbe);

    (void)state;
    c.arch_caps = CAPS_MDS_NO;
    assert_false(spec_choose(&c, &opt).verw);
    c.arch_caps |= CAPS_RFDS;
    assert_true(spec_choose(&c, &opt).verw);
}

static void transactions(void **state)
{
    struct spec_cpu c = intel(0x55);
    struct spec_choice ch;

    (void)state;
    c.rtm = true;
    c.arch_caps = CAPS_TSX_CTRL;
    ch = spec_choose(&c, &opt); /* MDS: buffers are flushed anyway */
    assert_true(ch.verw && !ch.tsx_off);
    c.arch_caps |= CAPS_MDS_NO;
    ch = spec_choose(&c, &opt);
    assert_true(!ch.verw && ch.tsx_off);
    opt.tsx = 1; /* asked for: then they have to be */
    ch = spec_choose(&c, &opt);
    assert_true(ch.verw && !ch.tsx_off);
    opt.tsx = -1;
    c.arch_caps &= ~CAPS_TSX_CTRL;
    ch = spec_choose(&c, &opt);
    assert_true(ch.verw && !ch.tsx_off);
    c.arch_caps |= CAPS_TSX_CTRL | CAPS_TAA_NO;
    ch = spec_choose(&c, &opt);
    assert_true(!ch.verw && !ch.tsx_off);
    opt.tsx = 0;
    assert_true(spec_choose(&c, &opt).tsx_off);
    c.arch_caps = CAPS_MDS_NO;
    assert_false(spec_choose(&c, &opt).tsx_off); /* no such register */
    assert_int_equal(spec_set_tsx_option("perhaps"), -EINVAL);
}

static void transactions_by_cpuid(void **state)
{
    (void)state;
    cpu_features = (struct cpu_features){.vendor = CPU_INTEL,
                                         .family = 6,
                                         .model = 0x55,
                                         .max_leaf = 7,
                                         .smep = true,
                                         .l7_edx = 1U << 29};
    fake_cpuid_set(7, 0, 0, 1U << 11, 0, 0);
    fake_msr_set(MSR_ARCH_CAPABILITIES, CAPS_RDCL_NO | CAPS_MDS_NO |
                                            CAPS_TSX_CTRL);
    fake_msr_set(MSR_UCODE_REV, 0);
    fake_msr_set(MSR_TSX_CTRL, 0);
    spec_init();
    assert_int_equal(fake_msr_get(MSR_TSX_CTRL), 3);
    assert_non_null(strstr(fake_printk_last, "no transactions"));
    assert_int_equal(spec_set_tsx_option("yes"), 0);
    spec_init();
    assert_int_equal(fake_msr_get(MSR_TSX_CTRL), 0);
    spec_asked_for.tsx = -1;
}

static void zen_buffers_and_divider(void **state)
{
    struct spec_cpu c = {.vendor = CPU_AMD, .family = 0x19, .model = 0x61};
    struct spec_choice ch;

    (void)state;
    assert_false(spec_choose(&c, &opt).verw);
    c.verw_clear = true;
    ch = spec_choose(&c, &opt);
    assert_true(ch.verw && !ch.div_leave);
    c.tsa_no = true;
    assert_false(spec_choose(&c, &opt).verw);
    c.tsa_no = false;
    c.family = 0x1a;
    assert_false(spec_choose(&c, &opt).verw);
    c = (struct spec_cpu){.vendor = CPU_AMD, .family = 0x17, .model = 1};
    ch = spec_choose(&c, &opt);
    assert_true(ch.div_leave);
    assert_int_equal(spec_alternatives(&ch) & 1U << ALT_LEAVE_DIV,
                     1U << ALT_LEAVE_DIV);
    assert_true(spec_alternatives(&ch) & 1U << ALT_LEAVE);
    assert_int_equal(spec_parse("no-div-scrub", &opt), 0);
    assert_false(spec_choose(&c, &opt).div_leave);
}

static void zen2_registers(void **state)
{
    static const struct {
        uint32_t model, good;
    } parts[] = {{0x31, 0x0830107a}, {0x60, 0x0860010b}, {0x68, 0x08608105},
                 {0x71, 0x08701032}, {0xa0, 0x08a00008}};
    struct spec_cpu c = {.vendor = CPU_AMD, .family = 0x17, .has_stibp = true};

    (void)state;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        c.model = parts[i].model;
        c.microcode = parts[i].good;
        assert_int_equal(spec_choose(&c, &opt).de_cfg, 2);
        c.microcode--;
        assert_int_equal(spec_choose(&c, &opt).de_cfg, 0x202);
    }
    c.lfence_waits = true;
    assert_int_equal(spec_choose(&c, &opt).de_cfg, 0x200);
    c.emulated = true; /* whoever is below us sees to it */
    assert_int_equal(spec_choose(&c, &opt).de_cfg, 0);
    c = (struct spec_cpu){.vendor = CPU_AMD, .family = 0x11};
    assert_int_equal(spec_choose(&c, &opt).de_cfg, 0);
}

static void de_cfg_by_cpuid(void **state)
{
    (void)state;
    cpu_features = (struct cpu_features){.vendor = CPU_AMD, .family = 0x15};
    fake_msr_set(MSR_UCODE_REV, 0);
    fake_msr_fault(MSR_AMD_DE_CFG, true, true);
    spec_init(); /* no such register: nothing is lost */
    fake_hw_reset();
    fake_msr_set(MSR_UCODE_REV, 0);
    fake_msr_set(MSR_AMD_DE_CFG, 0x100);
    spec_init();
    assert_int_equal(fake_msr_get(MSR_AMD_DE_CFG), 0x102);
    assert_int_equal(fake_msr_writes(MSR_AMD_DE_CFG), 1);
    spec_cpu_init(); /* it is set: not once more */
    assert_int_equal(fake_msr_writes(MSR_AMD_DE_CFG), 1);
}

/* What a guest wants comes on top of ours, as far as the processor has it. */
static void for_guests(void **state)
{
    struct spec_cpu c = intel(0x5e);

    (void)state;
    c.has_ssbd = true;
    spec_choice = spec_choose(&c, &opt);
    assert_int_equal(spec_guest_value(0), IBRS | STIBP);
    assert_int_equal(spec_guest_value(SSBD), IBRS | STIBP | SSBD);
    c.has_stibp = false;
    spec_choice = spec_choose(&c, &opt);
    assert_int_equal(spec_guest_value(STIBP | SSBD), IBRS | SSBD);
    assert_int_equal(spec_parse("ssbd", &opt), 0);
    spec_choice = spec_choose(&c, &opt);
    assert_int_equal(spec_guest_value(0), IBRS | SSBD);
    fake_msr_set(MSR_SPEC_CTRL, 0);
    spec_load(IBRS | SSBD);
    assert_int_equal(fake_msr_get(MSR_SPEC_CTRL), IBRS | SSBD);
    assert_int_equal(this_cpu()->spec_ctrl, IBRS | SSBD);
}

static void before_a_halt(void **state)
{
    (void)state;
    spec_choice = (struct spec_choice){.verw = false};
    spec_idle();
    assert_int_equal(fake_flushed_buffers, 0);
    spec_choice.verw = true;
    spec_idle();
    assert_int_equal(fake_flushed_buffers, 1);
}

static void set_up_by_cpuid(void **state)
{
    (void)state;
    cpu_features = (struct cpu_features){.vendor = CPU_INTEL,
                                         .family = 6,
                                         .model = 0x5e,
                                         .smep = true,
                                         .l7_edx = 0x2c000400};
    fake_msr_set(MSR_ARCH_CAPABILITIES, 0);
    fake_msr_set(MSR_UCODE_REV, 0xcc00000000);
    fake_msr_set(MSR_SPEC_CTRL, 0x80);
    fake_msr_set(MSR_PRED_CMD, 0);
    spec_init();
    assert_int_equal(fake_msr_get(MSR_SPEC_CTRL), IBRS | STIBP);
    assert_int_equal(applied, 1U << ALT_THUNK_JMP | 1U << ALT_CALL | 1U << ALT_ENTER |
                                  1U << ALT_ENTER_MORE | 1U << ALT_ENTER_IBRS |
                                  1U << ALT_LEAVE | 1U << ALT_LEAVE_VERW |
                                  1U << ALT_PTI);
    assert_non_null(strstr(fake_printk_last,
                           "jmp, IBRS on entry, STIBP, IBPB between domains, "
                           "VERW on return and before a halt"));
    spec_switch();
    assert_int_equal(fake_msr_get(MSR_PRED_CMD), 1);
    /* Nothing offered, something asked for. */
    cpu_features = (struct cpu_features){.vendor = CPU_AMD, .family = 15};
    assert_int_equal(spec_set_option("no"), 0);
    fake_hw_reset();
    fake_msr_set(MSR_UCODE_REV, 0);
    spec_init();
    assert_int_equal(applied, 1U << ALT_THUNK_JMP | 1U << ALT_CALL);
    assert_int_equal(spec_choice.spec_ctrl, 0);
    assert_true(returns_are_plain);
    assert_int_equal(spec_set_option("its"), 0);
    spec_init();
    assert_false(returns_are_plain);
    spec_switch(); /* no MSR is there to be written */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(emulated_amd, set_up),
        cmocka_unit_test_setup(intel_generations, set_up),
        cmocka_unit_test_setup(broadwell, set_up),
        cmocka_unit_test_setup(zen, set_up),
        cmocka_unit_test_setup(loads_past_protection, set_up),
        cmocka_unit_test_setup(branch_history, set_up),
        cmocka_unit_test_setup(lower_halves, set_up),
        cmocka_unit_test_setup(stale_registers, set_up),
        cmocka_unit_test_setup(microcode_stays_on, set_up),
        cmocka_unit_test_setup(transactions, set_up),
        cmocka_unit_test_setup(transactions_by_cpuid, set_up),
        cmocka_unit_test_setup(zen_buffers_and_divider, set_up),
        cmocka_unit_test_setup(zen2_registers, set_up),
        cmocka_unit_test_setup(de_cfg_by_cpuid, set_up),
        cmocka_unit_test_setup(for_guests, set_up),
        cmocka_unit_test_setup(before_a_halt, set_up),
        cmocka_unit_test_setup(set_up_by_cpuid, set_up),
    };

    return UNIT_RUN(tests);
}
