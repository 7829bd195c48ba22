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

#include "lib/errno.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "x86/cpuid.h"
#include "x86/msr.h"
#include "log/printk.h"
#include "cpu/alternative.h"

#define SPEC_CTRL_IBRS      1U
#define SPEC_CTRL_STIBP     2U
#define SPEC_CTRL_BHI_DIS_S (1U << 10)
#define PRED_CMD_IBPB       1UL

#define ARCH_CAPS_RDCL_NO    (1UL << 0)
#define ARCH_CAPS_IBRS_ALL   (1UL << 1)
#define ARCH_CAPS_RSBA       (1UL << 2)
#define ARCH_CAPS_MDS_NO     (1UL << 5)
#define ARCH_CAPS_RRSBA      (1UL << 19)
#define ARCH_CAPS_BHI_NO     (1UL << 20)
#define ARCH_CAPS_GDS_CTRL   (1UL << 25)
#define ARCH_CAPS_RFDS_CLEAR (1UL << 28)
#define ARCH_CAPS_ITS_NO     (1UL << 62)

/* MCU_OPT_CTRL: what microcode does against it is off; it stays so. */
#define MCU_OPT_RNGDS_OFF 0x01U
#define MCU_OPT_GDS_OFF   0x10U
#define MCU_OPT_GDS_LOCK  0x20U

#define ITEM_BYTES 64

struct spec_choice spec_choice;
uint32_t spec_ctrl_value;
static struct spec_options asked_for = SPEC_OPTIONS_DEFAULT;

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

static bool choose(int option, bool ours)
{
    return option < 0 ? ours : option != 0;
}

struct spec_choice spec_choose(const struct spec_cpu *cpu,
                               const struct spec_options *options)
{
    struct spec_choice ch = {.has_spec_ctrl = cpu->has_ibrs || cpu->has_stibp};
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
    ch.ibpb_switch = cpu->has_ibpb && choose(options->ibpb, true);
    ch.ibpb_entry =
        cpu->has_ibpb && choose(options->ibpb_entry, returns_are_unsafe(cpu));
    /* With SMEP no RET goes to where a guest's CALLs were. */
    ch.rsb = choose(options->rsb, !cpu->smep || !rsb_is_full_width(cpu));
    ch.verw = cpu->md_clear &&
              choose(options->md_clear,
                     (cpu->arch_caps & ARCH_CAPS_MDS_NO) == 0 ||
                         (cpu->arch_caps & ARCH_CAPS_RFDS_CLEAR) != 0);
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

static int parse_thunk(const char *name, int *ret_thunk)
{
    static const char *const names[] = {
        [SPEC_THUNK_RETPOLINE] = "retpoline",
        [SPEC_THUNK_LFENCE] = "lfence",
        [SPEC_THUNK_JMP] = "jmp",
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
        if (strcmp(name, names[i]) == 0) {
            *ret_thunk = (int)i;
            return 0;
        }
    }
    return -EINVAL;
}

/* name, no-name, name=<boolean>; 0 and *@ret, or -EINVAL. */
static int parse_switch(const char *item, const char *name, int *ret)
{
    bool negated = strncmp(item, "no-", 3) == 0;
    const char *value = parse_key(negated ? item + 3 : item, name);
    bool on;

    if (value == NULL || (negated && *value != '\0') ||
        parse_bool(value, &on) != 0) {
        return -EINVAL;
    }
    *ret = on != negated;
    return 0;
}

static int parse_item(const char *item, struct spec_options *o)
{
    static const struct spec_options all_off = {.thunk = SPEC_THUNK_JMP};
    const struct {
        const char *name;
        int *option;
    } switches[] = {
        {"ibrs", &o->ibrs},
        {"stibp", &o->stibp},
        {"ibpb", &o->ibpb},
        {"rsb", &o->rsb},
        {"ibpb-entry", &o->ibpb_entry},
        {"md-clear", &o->md_clear},
        {"bhi", &o->bhi},
        {"srb-lock", &o->srb_lock},
        {"gds-mit", &o->gds_mit},
        {"its", &o->its},
    };
    const char *thunk = parse_key(item, "bti-thunk");
    bool on;

    if (thunk != NULL) {
        return parse_thunk(thunk, &o->thunk);
    }
    if (*item != '\0' && parse_bool(item, &on) == 0) {
        if (!on) {
            struct spec_options was = *o;

            *o = all_off;
            /* What xpti= and pv-l1tf= say holds, whichever comes first. */
            o->pti_dom0 = MAX(was.pti_dom0, 0);
            o->pti_domu = MAX(was.pti_domu, 0);
            o->l1tf_dom0 = MAX(was.l1tf_dom0, 0);
            o->l1tf_domu = MAX(was.l1tf_domu, 0);
        }
        return on ? -EINVAL : 0;
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(switches); i++) {
        if (parse_switch(item, switches[i].name, switches[i].option) == 0) {
            return 0;
        }
    }
    return -EINVAL;
}

int spec_parse(const char *value, struct spec_options *options)
{
    char item[ITEM_BYTES];

    while (parse_next(&value, ',', item, sizeof(item))) {
        int rc = parse_item(item, options);

        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

int spec_set_option(const char *value)
{
    return spec_parse(value, &asked_for);
}

/* For Dom0 and for others: a boolean, default, dom0=..., domu=... */
static int parse_whom_item(const char *item, int *dom0, int *domu)
{
    bool on;

    if (strcmp(item, "default") == 0) {
        *dom0 = *domu = -1;
    } else if (parse_bool(item, &on) == 0) {
        *dom0 = *domu = on;
    } else if (parse_switch(item, "dom0", dom0) != 0 &&
               parse_switch(item, "domu", domu) != 0) {
        return -EINVAL;
    }
    return 0;
}

static int parse_whom(const char *value, int *dom0, int *domu)
{
    char item[ITEM_BYTES];

    if (*value == '\0') {
        return parse_whom_item(value, dom0, domu); /* the option alone */
    }
    while (parse_next(&value, ',', item, sizeof(item))) {
        int rc = parse_whom_item(item, dom0, domu);

        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

int spec_parse_pti(const char *value, struct spec_options *options)
{
    return parse_whom(value, &options->pti_dom0, &options->pti_domu);
}

int spec_set_pti_option(const char *value)
{
    return spec_parse_pti(value, &asked_for);
}

int spec_set_l1tf_option(const char *value)
{
    return parse_whom(value, &asked_for.l1tf_dom0, &asked_for.l1tf_domu);
}

#define HAVE(word, bit) (((word) >> (bit)) & 1)

static INIT_TEXT void read_cpu(struct spec_cpu *c)
{
    const struct cpu_features *f = &cpu_features;
    uint32_t e21_eax = f->max_ext_leaf >= 0x80000021 ? cpuid(0x80000021).a : 0;
    uint64_t value;

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
        .srso_no = HAVE(e21_eax, 29),
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
    }
}

void spec_cpu_init(void)
{
    /* Also when it is 0: firmware may have left something else. */
    if (spec_choice.has_spec_ctrl) {
        wrmsr(MSR_SPEC_CTRL, spec_choice.spec_ctrl);
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
    *ch = spec_choose(&cpu, &asked_for);
    spec_ctrl_value = ch->spec_ctrl;
    alternative_apply(spec_alternatives(ch), !ch->its);
    spec_cpu_init();
    pr_info("cpu: page tables isolated: Dom0 %s, others %s; not-present "
            "entries checked (L1TF): Dom0 %s, others %s",
            yes(ch->pti_dom0), yes(ch->pti_domu), yes(ch->l1tf_dom0),
            yes(ch->l1tf_domu));
    pr_info("cpu: speculation: indirect branches %s%s%s%s%s%s%s%s%s%s%s",
            thunks[ch->thunk], ch->rsb ? ", RSB stuffing" : "",
            ch->spec_ctrl & SPEC_CTRL_IBRS ? ", IBRS" : "",
            ch->ibrs_entry ? " on entry" : "",
            ch->spec_ctrl & SPEC_CTRL_STIBP ? ", STIBP" : "",
            ch->ibpb_switch ? ", IBPB between domains" : "",
            ch->ibpb_entry ? ", IBPB on entry" : "",
            ch->spec_ctrl & SPEC_CTRL_BHI_DIS_S ? ", BHI_DIS_S" : "",
            ch->bhb_entry ? ", branch history cleared" : "",
            ch->its ? ", upper halves (ITS)" : "",
            ch->verw ? ", VERW on return" : "");
}

void spec_switch(void)
{
    if (spec_choice.ibpb_switch) {
        wrmsr(MSR_PRED_CMD, PRED_CMD_IBPB);
    }
}
