/* SPDX-License-Identifier: MIT */
/*
 * cpu/spec_ctrl.c - what keeps guests from speculation, chosen at boot.
 *
 * Sources: Intel, "Speculative Execution Side Channel Mitigations" and
 * "Retpoline"; SDM 4 table 2-2 (ARCH_CAPABILITIES, SPEC_CTRL, PRED_CMD); AMD,
 * "Software Techniques for Managing Speculation", "Branch Type Confusion" and
 * "SRSO" bulletins; APM 3, CPUID leaves 0x80000008 and 0x80000021.
 */
#include "cpu/spec_ctrl.h"

#include "x86/barrier.h"
#include "x86/cpuid.h"
#include "x86/msr.h"
#include "x86/percpu.h"
#include "log/printk.h"
#include "cpu/alternative.h"

#define SPEC_CTRL_BHI_DIS_S (1U << 10)

#define ARCH_CAPS_RDCL_NO    (1UL << 0)
#define ARCH_CAPS_IBRS_ALL   (1UL << 1)
#define ARCH_CAPS_RSBA       (1UL << 2)
#define ARCH_CAPS_MDS_NO     (1UL << 5)
#define ARCH_CAPS_TSX_CTRL   (1UL << 7)
#define ARCH_CAPS_TAA_NO     (1UL << 8)
#define ARCH_CAPS_RRSBA      (1UL << 19)
#define ARCH_CAPS_BHI_NO     (1UL << 20)
#define ARCH_CAPS_GDS_CTRL   (1UL << 25)
#define ARCH_CAPS_RFDS_CLEAR (1UL << 28)
#define ARCH_CAPS_ITS_NO     (1UL << 62)

/* MCU_OPT_CTRL: what microcode does against it is off; it stays so. */
#define MCU_OPT_RNGDS_OFF 0x01U
#define MCU_OPT_GDS_OFF   0x10U
#define MCU_OPT_GDS_LOCK  0x20U

/* TSX_CTRL: transactions abort at once, and CPUID does not show them. */
#define TSX_CTRL_OFF 3UL

/* One of no name, against Zenbleed. */
#define DE_CFG_ZENBLEED (1U << 9)

struct spec_choice spec_choice;

static bool any_of(uint32_t model, const uint8_t *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i] == model) {
            return true;
        }
    }
    return false;
}

static bool is_intel_p6(const struct spec_cpu *c)
{
    return c->vendor == CPU_INTEL && c->family == 6;
}

/* Broadwell predicts RETs as retpolines need it from these revisions on. */
static bool broadwell_is_safe(const struct spec_cpu *c)
{
    switch (c->model) {
    case 0x3d:
        return c->microcode >= 0x2a;
    case 0x47:
        return c->microcode >= 0x1d;
    case 0x4f:
        return c->microcode >= 0xb000021;
    default: /* 0x56 */
        return (c->stepping == 2 && c->microcode >= 0x15) ||
               (c->stepping == 3 && c->microcode >= 0x7000012) ||
               (c->stepping == 4 && c->microcode >= 0xf000011) ||
               (c->stepping == 5 && c->microcode >= 0xe000009);
    }
}

/*
 * Does a RET always follow the return stack?  From Skylake on an empty one
 * makes the processor ask the predictor a guest has taught.
 */
static bool retpoline_is_safe(const struct spec_cpu *c)
{
    static const uint8_t safe[] = {
        /* Penryn to Haswell */
        0x17,
        0x1d,
        0x1e,
        0x1f,
        0x1a,
        0x2e,
        0x25,
        0x2c,
        0x2f,
        0x2a,
        0x2d,
        0x3a,
        0x3e,
        0x3c,
        0x3f,
        0x45,
        0x46,
        /* Atom up to Goldmont, Knights */
        0x1c,
        0x26,
        0x27,
        0x35,
        0x36,
        0x37,
        0x4d,
        0x4c,
        0x4a,
        0x57,
        0x5a,
        0x5c,
        0x5f,
        0x85,
    };
    static const uint8_t broadwell[] = {0x3d, 0x47, 0x4f, 0x56};

    if (c->vendor == CPU_AMD) {
        return true;
    }
    if (!is_intel_p6(c) || (c->arch_caps & (ARCH_CAPS_RSBA | ARCH_CAPS_RRSBA |
                                            ARCH_CAPS_IBRS_ALL)) != 0) {
        return false;
    }
    if (any_of(c->model, broadwell, ARRAY_SIZE(broadwell))) {
        return broadwell_is_safe(c);
    }
    return any_of(c->model, safe, ARRAY_SIZE(safe));
}

/* Silvermont and Airmont keep 32 bits of a return address: aliases of ours. */
static bool rsb_is_full_width(const struct spec_cpu *c)
{
    static const uint8_t narrow[] = {0x37, 0x4a, 0x4c, 0x4d, 0x5a,
                                     0x5d, 0x65, 0x6e, 0x75};

    return !is_intel_p6(c) || !any_of(c->model, narrow, ARRAY_SIZE(narrow));
}

/* Zen to Zen 4: a RET may be mispredicted by what a guest did (BTC, SRSO). */
static bool returns_are_unsafe(const struct spec_cpu *c)
{
    return c->vendor == CPU_AMD &&
           (((c->family == 0x17 || c->family == 0x18) && !c->btc_no) ||
            (c->family >= 0x17 && c->family <= 0x19 && !c->srso_no));
}

/* May branches be mispredicted by the history of a guest's (BHI)? */
static bool history_is_unsafe(const struct spec_cpu *c)
{
    return is_intel_p6(c) && (c->arch_caps & ARCH_CAPS_BHI_NO) == 0 &&
           (c->emulated || (c->arch_caps & ARCH_CAPS_IBRS_ALL) != 0);
}

/*
 * Are branches in the lower half of a cache line mispredicted by a guest's (ITS)?
 * Of a processor below a hypervisor nobody knows.
 */
static bool lower_halves_are_unsafe(const struct spec_cpu *c)
{
    static const struct {
        uint8_t model, stepping; /* from which on */
    } affected[] = {{0x55, 6}, {0x8e, 12}, {0x9e, 13}, {0x6a, 0},
                    {0x6c, 0}, {0x7e, 0},  {0x8c, 0},  {0x8d, 0},
                    {0xa5, 0}, {0xa6, 0},  {0xa7, 0}};

    if (!is_intel_p6(c) || (c->arch_caps & ARCH_CAPS_ITS_NO) != 0 ||
        (c->arch_caps & ARCH_CAPS_IBRS_ALL) == 0) {
        return false;
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(affected); i++) {
        if (c->model == affected[i].model &&
            c->stepping >= affected[i].stepping) {
            return true;
        }
    }
    return c->emulated;
}

/* Do loads go on with what they must not read (Meltdown)? */
static bool loads_are_unsafe(const struct spec_cpu *c)
{
    return c->vendor == CPU_INTEL && (c->arch_caps & ARCH_CAPS_RDCL_NO) == 0;
}

/* Do loads through not-present entries read what those name (L1TF)? */
static bool entries_are_unsafe(const struct spec_cpu *c)
{
    static const uint8_t atoms[] = {0x1c, 0x26, 0x27, 0x35, 0x36, 0x37, 0x4d,
                                    0x4c, 0x4a, 0x5a, 0x5c, 0x5f, 0x7a};

    return is_intel_p6(c) && (c->arch_caps & ARCH_CAPS_RDCL_NO) == 0 &&
           !any_of(c->model, atoms, ARRAY_SIZE(atoms));
}

/* The first-level cache may know wider addresses than CPUID says. */
static uint8_t l1d_bits_of(const struct spec_cpu *c)
{
    static const uint8_t nehalem[] = {0x1f, 0x1e, 0x1a, 0x2e, 0x25, 0x2c, 0x2f};
    static const uint8_t later[] = {0x2a, 0x2d, 0x3a, 0x3e, 0x3c, 0x3f, 0x45,
                                    0x46, 0x3d, 0x47, 0x4f, 0x56, 0x4e, 0x55,
                                    0x5e, 0x66, 0x67, 0x8e, 0x9e};

    if (any_of(c->model, nehalem, ARRAY_SIZE(nehalem))) {
        return 44;
    }
    return any_of(c->model, later, ARRAY_SIZE(later)) ? 46 : 0;
}

/*
 * Do transactions read what is left in buffers (TAA)?  Where those are flushed
 * anyway (MDS) that is done with.
 */
static bool transactions_are_unsafe(const struct spec_cpu *c)
{
    return c->rtm &&
           (c->arch_caps & (ARCH_CAPS_MDS_NO | ARCH_CAPS_TAA_NO)) ==
               ARCH_CAPS_MDS_NO;
}

/* Zen 3 and 4: loads may take what is left in buffers (TSA). */
static bool stores_are_unsafe(const struct spec_cpu *c)
{
    return c->vendor == CPU_AMD && c->family == 0x19 && !c->tsa_no;
}

/* Is there anything that VERW keeps from guests? */
static bool buffers_are_unsafe(const struct spec_cpu *c, bool tsx_off)
{
    if (c->vendor == CPU_AMD) {
        return stores_are_unsafe(c);
    }
    return (c->arch_caps & ARCH_CAPS_MDS_NO) == 0 ||
           (c->arch_caps & ARCH_CAPS_RFDS_CLEAR) != 0 ||
           (transactions_are_unsafe(c) && !tsx_off);
}

static bool is_zen(const struct spec_cpu *c)
{
    return c->vendor == CPU_AMD && (c->family == 0x17 || c->family == 0x18);
}

/* Zen 2, which has STIBP, whose microcode does not clear registers' upper
 * halves right (Zenbleed).  Of a model nobody knows only the bit will do. */
static bool registers_are_unsafe(const struct spec_cpu *c)
{
    static const struct {
        uint8_t first, last;
        uint32_t good; /* microcode */
    } zen2[] = {{0x30, 0x3f, 0x0830107a},
                {0x60, 0x67, 0x0860010b},
                {0x68, 0x6f, 0x08608105},
                {0x70, 0x7f, 0x08701032},
                {0xa0, 0xaf, 0x08a00008}};

    if (!is_zen(c) || !c->has_stibp || c->emulated) {
        return false;
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(zen2); i++) {
        if (c->model >= zen2[i].first && c->model <= zen2[i].last) {
            return c->microcode < zen2[i].good;
        }
    }
    return true;
}

/* Before Zen it always waits (family 0x0f, 0x11), or a bit says so. */
static uint32_t de_cfg_of(const struct spec_cpu *c)
{
    uint32_t bits = 0;

    if (c->vendor == CPU_AMD && c->family >= 0x10 && c->family != 0x11 &&
        !c->lfence_waits) {
        bits |= DE_CFG_LFENCE_SERIALISE;
    }
    return bits | (registers_are_unsafe(c) ? DE_CFG_ZENBLEED : 0);
}

static bool choose(int option, bool ours)
{
    return option < 0 ? ours : option != 0;
}

struct spec_choice spec_choose(const struct spec_cpu *cpu,
                               const struct spec_options *options)
{
    struct spec_choice ch = {
        .has_spec_ctrl = cpu->has_ibrs || cpu->has_stibp || cpu->has_ssbd,
        .guest_bits = (cpu->has_ibrs ? SPEC_CTRL_IBRS : 0) |
                      (cpu->has_stibp ? SPEC_CTRL_STIBP : 0) |
                      (cpu->has_ssbd ? SPEC_CTRL_SSBD : 0),
        .has_tsx_ctrl = (cpu->arch_caps & ARCH_CAPS_TSX_CTRL) != 0,
        .de_cfg = de_cfg_of(cpu),
    };
    bool safe = retpoline_is_safe(cpu);
    /* Where a retpoline holds it costs less than IBRS; else IBRS, if any. */
    bool ibrs =
        cpu->has_ibrs && choose(options->ibrs, options->thunk < 0 && !safe);

    if (options->thunk >= 0) {
        ch.thunk = (enum spec_thunk)options->thunk;
    } else if (ibrs) {
        ch.thunk = SPEC_THUNK_JMP;
    } else {
        ch.thunk = SPEC_THUNK_RETPOLINE;
    }
    if (ibrs) {
        ch.spec_ctrl |= SPEC_CTRL_IBRS;
        /* The enhanced kind holds until it is cleared, which no guest can. */
        ch.ibrs_entry = (cpu->arch_caps & ARCH_CAPS_IBRS_ALL) == 0;
    }
    if (cpu->has_stibp && choose(options->stibp, true)) {
        ch.spec_ctrl |= SPEC_CTRL_STIBP;
    }
    if (cpu->has_ssbd && choose(options->ssbd, false)) {
        ch.spec_ctrl |= SPEC_CTRL_SSBD;
    }
    ch.ibpb_switch = cpu->has_ibpb && choose(options->ibpb, true);
    ch.ibpb_entry =
        cpu->has_ibpb && choose(options->ibpb_entry, returns_are_unsafe(cpu));
    /* With SMEP no RET goes to where a guest's CALLs were. */
    ch.rsb = choose(options->rsb, !cpu->smep || !rsb_is_full_width(cpu));
    ch.tsx_off = ch.has_tsx_ctrl &&
                 !choose(options->tsx, !transactions_are_unsafe(cpu));
    /* The instruction is there always; whether it flushes is not known. */
    ch.verw = choose(options->md_clear,
                     (cpu->md_clear || cpu->verw_clear) &&
                         buffers_are_unsafe(cpu, ch.tsx_off));
    ch.div_leave = choose(options->div_scrub, is_zen(cpu) && !cpu->has_stibp);
    if (choose(options->bhi, history_is_unsafe(cpu))) {
        ch.spec_ctrl |= cpu->has_bhi_dis ? SPEC_CTRL_BHI_DIS_S : 0;
        ch.bhb_entry = !cpu->has_bhi_dis;
    }
    ch.its = choose(options->its, lower_halves_are_unsafe(cpu));
    if (cpu->srbds_ctrl && choose(options->srb_lock, true)) {
        ch.microcode_on |= MCU_OPT_RNGDS_OFF;
    }
    if ((cpu->arch_caps & ARCH_CAPS_GDS_CTRL) != 0 &&
        choose(options->gds_mit, true)) {
        ch.microcode_on |= MCU_OPT_GDS_OFF;
    }
    ch.pti_dom0 = choose(options->pti_dom0, loads_are_unsafe(cpu));
    ch.pti_domu = choose(options->pti_domu, loads_are_unsafe(cpu));
    ch.l1tf_dom0 = choose(options->l1tf_dom0, false);
    ch.l1tf_domu = choose(options->l1tf_domu, entries_are_unsafe(cpu));
    ch.l1d_bits = MAX(cpu->phys_bits, l1d_bits_of(cpu));
    return ch;
}

uint32_t spec_alternatives(const struct spec_choice *choice)
{
    uint32_t alt = 0;

    switch (choice->thunk) {
    case SPEC_THUNK_RETPOLINE:
        break;
    case SPEC_THUNK_LFENCE:
        alt |= 1U << ALT_THUNK_LFENCE;
        break;
    case SPEC_THUNK_JMP:
        alt |= 1U << ALT_THUNK_JMP | (choice->its ? 0 : 1U << ALT_CALL);
        break;
    }
    alt |= choice->rsb ? 1U << ALT_ENTER_RSB : 0;
    alt |= choice->ibrs_entry ? 1U << ALT_ENTER_IBRS : 0;
    alt |= choice->ibpb_entry ? 1U << ALT_ENTER_IBPB : 0;
    alt |= choice->bhb_entry ? 1U << ALT_ENTER_BHB : 0;
    alt |= choice->verw ? 1U << ALT_LEAVE | 1U << ALT_LEAVE_VERW : 0;
    alt |= choice->div_leave ? 1U << ALT_LEAVE | 1U << ALT_LEAVE_DIV : 0;
    if (choice->pti_dom0 || choice->pti_domu) {
        alt |= 1U << ALT_PTI | 1U << ALT_LEAVE;
    }
    if ((alt & (1U << ALT_PTI | 1U << ALT_ENTER_IBRS | 1U << ALT_ENTER_IBPB |
                1U << ALT_ENTER_BHB)) != 0) {
        alt |= 1U << ALT_ENTER | 1U << ALT_ENTER_MORE;
    }
    if (choice->rsb) {
        alt |= 1U << ALT_ENTER;
    }
    return alt;
}

#define HAVE(word, bit) (((word) >> (bit)) & 1)

static INIT_TEXT void read_cpu(struct spec_cpu *c)
{
    const struct cpu_features *f = &cpu_features;
    struct cpuid_regs e21 = {0};
    uint64_t value;

    if (f->max_ext_leaf >= 0x80000021) {
        e21 = cpuid(0x80000021);
    }

    *c = (struct spec_cpu){
        .vendor = f->vendor,
        .family = f->family,
        .model = f->model,
        .stepping = f->stepping,
        .smep = f->smep,
        .has_ibrs = HAVE(f->l7_edx, 26) || HAVE(f->e8_ebx, 14),
        .has_ibpb = HAVE(f->l7_edx, 26) || HAVE(f->e8_ebx, 12),
        .has_stibp = HAVE(f->l7_edx, 27) || HAVE(f->e8_ebx, 15),
        .md_clear = HAVE(f->l7_edx, 10),
        .has_bhi_dis = f->max_leaf >= 7 && cpuid_count(7, 0).a >= 2 &&
                       HAVE(cpuid_count(7, 2).d, 4),
        .srbds_ctrl = HAVE(f->l7_edx, 9),
        .emulated = HAVE(cpuid(1).c, 31),
        .phys_bits = (uint8_t)f->phys_bits,
        .btc_no = HAVE(f->e8_ebx, 29),
        .has_ssbd = HAVE(f->l7_edx, 31) || HAVE(f->e8_ebx, 24),
        .rtm = f->max_leaf >= 7 && HAVE(cpuid_count(7, 0).b, 11),
        .srso_no = HAVE(e21.a, 29),
        .verw_clear = HAVE(e21.a, 5),
        .lfence_waits = HAVE(e21.a, 2),
        .tsa_no = HAVE(e21.c, 1) && HAVE(e21.c, 2),
    };
    if (HAVE(f->l7_edx, 29) && rdmsr_safe(MSR_ARCH_CAPABILITIES, &value) == 0) {
        c->arch_caps = value;
    }
    /* Write 0, ask CPUID, read the upper half (SDM 3A 9.11.7.1). */
    if (f->vendor == CPU_INTEL && wrmsr_safe(MSR_UCODE_REV, 0) == 0) {
        (void)cpuid(1);
        if (rdmsr_safe(MSR_UCODE_REV, &value) == 0) {
            c->microcode = (uint32_t)(value >> 32);
        }
    } else if (f->vendor == CPU_AMD && rdmsr_safe(MSR_UCODE_REV, &value) == 0) {
        c->microcode = (uint32_t)value;
    }
}

void spec_cpu_init(void)
{
    uint64_t de_cfg;

    /* Also when it is 0: firmware may have left something else. */
    this_cpu()->spec_ctrl = spec_choice.spec_ctrl;
    if (spec_choice.has_spec_ctrl) {
        wrmsr(MSR_SPEC_CTRL, spec_choice.spec_ctrl);
    }
    if (spec_choice.has_tsx_ctrl) {
        wrmsr(MSR_TSX_CTRL, spec_choice.tsx_off ? TSX_CTRL_OFF : 0);
    }
    /* A hypervisor below may have neither the register nor the fault. */
    if (spec_choice.de_cfg != 0 &&
        rdmsr_safe(MSR_AMD_DE_CFG, &de_cfg) == 0 &&
        (de_cfg & spec_choice.de_cfg) != spec_choice.de_cfg) {
        (void)wrmsr_safe(MSR_AMD_DE_CFG, de_cfg | spec_choice.de_cfg);
    }
    if (spec_choice.microcode_on != 0) {
        uint64_t v = rdmsr(MSR_MCU_OPT_CTRL);
        uint64_t off = v & spec_choice.microcode_on;

        if ((v & MCU_OPT_GDS_LOCK) != 0) {
            off &= ~(uint64_t)MCU_OPT_GDS_OFF;
        }
        wrmsr(MSR_MCU_OPT_CTRL, v & ~off);
    }
}

static const char *yes(bool is)
{
    return is ? "yes" : "no";
}

INIT_TEXT void spec_init(void)
{
    static const char *const thunks[] = {
        [SPEC_THUNK_RETPOLINE] = "retpoline",
        [SPEC_THUNK_LFENCE] = "lfence",
        [SPEC_THUNK_JMP] = "jmp",
    };
    struct spec_choice *ch = &spec_choice;
    struct spec_cpu cpu;

    read_cpu(&cpu);
    *ch = spec_choose(&cpu, &spec_asked_for);
    alternative_apply(spec_alternatives(ch), !ch->its);
    spec_cpu_init();
    pr_info("cpu: page tables isolated: Dom0 %s, others %s; not-present "
            "entries checked (L1TF): Dom0 %s, others %s",
            yes(ch->pti_dom0), yes(ch->pti_domu), yes(ch->l1tf_dom0),
            yes(ch->l1tf_domu));
    pr_info("cpu: speculation: indirect branches %s%s%s%s%s%s%s%s%s%s%s%s%s%s",
            thunks[ch->thunk], ch->rsb ? ", RSB stuffing" : "",
            ch->spec_ctrl & SPEC_CTRL_IBRS ? ", IBRS" : "",
            ch->ibrs_entry ? " on entry" : "",
            ch->spec_ctrl & SPEC_CTRL_STIBP ? ", STIBP" : "",
            ch->ibpb_switch ? ", IBPB between domains" : "",
            ch->ibpb_entry ? ", IBPB on entry" : "",
            ch->spec_ctrl & SPEC_CTRL_BHI_DIS_S ? ", BHI_DIS_S" : "",
            ch->bhb_entry ? ", branch history cleared" : "",
            ch->its ? ", upper halves (ITS)" : "",
            ch->verw ? ", VERW on return and before a halt" : "",
            ch->div_leave ? ", a division on return" : "",
            ch->tsx_off ? ", no transactions (TSX)" : "",
            ch->spec_ctrl & SPEC_CTRL_SSBD ? ", SSBD" : "");
}

void spec_load(uint32_t value)
{
    struct cpu_block *cb = this_cpu();

    /* In this order: a door between the two writes what is to be. */
    WRITE_ONCE(cb->spec_ctrl, value);
    barrier();
    wrmsr(MSR_SPEC_CTRL, value);
}

void spec_idle(void)
{
    if (spec_choice.verw) {
        flush_buffers();
    }
}

void spec_switch(void)
{
    if (spec_choice.ibpb_switch) {
        wrmsr(MSR_PRED_CMD, PRED_CMD_IBPB);
    }
}
