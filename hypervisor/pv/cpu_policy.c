/* SPDX-License-Identifier: MIT */
/*
 * pv/cpu_policy.c - the arithmetic of CPUID policies; pure but for asking the
 * processor.
 *
 * What a PV guest may see is an allow-list, pv/cpu_view.def: a bit, leaf or MSR
 * nobody thought about stays hidden.
 */
#include "pv/cpu_policy.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "x86/nospec.h"
#include "cpu/fpu.h"

#define NO_SUB XEN_CPUID_NO_SUBLEAF

enum reg {
    REG_A,
    REG_B,
    REG_C,
    REG_D
};

struct word_place {
    uint32_t leaf, subleaf;
    enum reg reg;
};

enum view { VIEW_HIDDEN, VIEW_SHOWN, VIEW_XSAVE, VIEW_AVX, VIEW_AVX512, VIEW_OWN };

#define ANY ~0U

static const struct feature_view {
    uint16_t feature; /* 32 * word + bit */
    uint8_t view;
} features[] = {
#define FEATURE(name, view, reason) {XEN_X86_FEATURE_##name, VIEW_##view},
#include "pv/cpu_view.def"
};

static const struct leaf_view {
    uint32_t first, last, subleaf;
    uint32_t a, b, c, d; /* bits that stay */
} leaves[] = {
#define LEAF(first, last, subleaf, a, b, c, d, reason)                         \
    {first, last, subleaf, a, b, c, d},
#include "pv/cpu_view.def"
};

/* clang-format off */
static const struct word_place words[CPU_FEATURESET_WORDS] = {
    [0]  = {0x00000001, NO_SUB, REG_D},
    [1]  = {0x00000001, NO_SUB, REG_C},
    [2]  = {0x80000001, NO_SUB, REG_D},
    [3]  = {0x80000001, NO_SUB, REG_C},
    [4]  = {0x0000000d, 1,      REG_A},
    [5]  = {0x00000007, 0,      REG_B},
    [6]  = {0x00000007, 0,      REG_C},
    [7]  = {0x80000007, NO_SUB, REG_D},
    [8]  = {0x80000008, NO_SUB, REG_B},
    [9]  = {0x00000007, 0,      REG_D},
    [10] = {0x00000007, 1,      REG_A},
    [11] = {0x80000021, NO_SUB, REG_A},
    [12] = {0x00000007, 1,      REG_B},
    [13] = {0x00000007, 2,      REG_D},
    [14] = {0x00000007, 1,      REG_C},
    [15] = {0x00000007, 1,      REG_D},
    /* 16 and 17 are the two halves of MSR_ARCH_CAPABILITIES */
    [18] = {0x80000021, NO_SUB, REG_C},
};
/* clang-format on */

#define WORD_ARCH_CAPS_LOW  16
#define WORD_ARCH_CAPS_HIGH 17

/* Leaf 1 EDX bits that AMD repeats in leaf 0x80000001 EDX (APM 3, E.4). */
#define AMD_COMMON_EDX 0x0183f3ffU

/* Leaf 0x80000007 EBX (APM 2, 9.3): our virtual banks keep both promises. */
#define E7_EBX_MCA_OVERFLOW_RECOVERY 0x1U
#define E7_EBX_SUCCOR                0x2U

#define XCR0_PV                                                                \
    (XCR0_X87 | XCR0_SSE | XCR0_YMM | XCR0_OPMASK | XCR0_ZMM_HI256 |           \
     XCR0_HI16_ZMM)

#define MAX_SUB_CACHE    5U
#define MAX_SUB_FEATURES 2U
#define MAX_SUB_TOPOLOGY 1U
#define MAX_SUB_XSTATE   62U

static bool has_subleaves(uint32_t leaf)
{
    return leaf == 0x4 || leaf == 0x7 || leaf == 0xb || leaf == 0xd;
}

/* May this (leaf, subleaf) occur in a policy at all? */
static bool place_exists(uint32_t leaf, uint32_t subleaf)
{
    switch (leaf) {
    case 0x4:
        return subleaf <= MAX_SUB_CACHE;
    case 0x7:
        return subleaf <= MAX_SUB_FEATURES;
    case 0xb:
        return subleaf <= MAX_SUB_TOPOLOGY;
    case 0xd:
        return subleaf <= MAX_SUB_XSTATE;
    default:
        return subleaf == NO_SUB &&
               (leaf <= POLICY_BASIC_MAX ||
                (leaf >= POLICY_EXT_FIRST && leaf <= POLICY_EXT_MAX));
    }
}

static uint32_t *leaf_reg(xen_cpuid_leaf_t *l, enum reg reg)
{
    switch (reg) {
    case REG_A:
        return &l->a;
    case REG_B:
        return &l->b;
    case REG_C:
        return &l->c;
    case REG_D:
        break;
    }
    return &l->d;
}

static bool is_extended(uint32_t leaf)
{
    return leaf - POLICY_EXT_FIRST <= POLICY_EXT_MAX - POLICY_EXT_FIRST;
}

/* The hypervisor's own leaves, which nobody asks for often, or none. */
static NOINLINE const xen_cpuid_leaf_t *find_other(const struct cpu_policy *p,
                                                   uint32_t leaf)
{
    for (unsigned int i = 0; i < p->count; i++) {
        if (p->leaf[i].leaf == leaf) {
            return &p->leaf[i];
        }
    }
    return NULL;
}

const xen_cpuid_leaf_t *policy_find(const struct cpu_policy *p, uint32_t leaf,
                                    uint32_t subleaf)
{
    unsigned int i;

    if (leaf <= POLICY_BASIC_MAX) {
        i = p->first_basic[index_nospec(leaf, POLICY_BASIC_MAX + 1)];
    } else if (is_extended(leaf)) {
        i = p->first_ext[index_nospec(leaf - POLICY_EXT_FIRST,
                                      ARRAY_SIZE(p->first_ext))];
    } else {
        return find_other(p, leaf);
    }
    if (i == 0) {
        return NULL;
    }
    if (!has_subleaves(leaf)) {
        return &p->leaf[i - 1];
    }
    for (i--; i < p->count && p->leaf[i].leaf == leaf; i++) {
        if (p->leaf[i].subleaf == subleaf) {
            return &p->leaf[i];
        }
    }
    return NULL;
}

static xen_cpuid_leaf_t *find(struct cpu_policy *p, uint32_t leaf,
                              uint32_t subleaf)
{
    const xen_cpuid_leaf_t *l = policy_find(p, leaf, subleaf);

    return l != NULL ? &p->leaf[l - p->leaf] : NULL;
}

uint32_t policy_feature_word(const struct cpu_policy *p, unsigned int word)
{
    const xen_cpuid_leaf_t *l;
    xen_cpuid_leaf_t copy;

    if (word == WORD_ARCH_CAPS_LOW) {
        return (uint32_t)p->arch_caps;
    }
    if (word == WORD_ARCH_CAPS_HIGH) {
        return (uint32_t)(p->arch_caps >> 32);
    }
    l = policy_find(p, words[word].leaf, words[word].subleaf);
    if (l == NULL) {
        return 0;
    }
    copy = *l;
    return *leaf_reg(&copy, words[word].reg);
}

/* The entries from @from on have moved: note the first one of each leaf. */
static void note_places(struct cpu_policy *p, unsigned int from)
{
    for (unsigned int i = from; i < p->count; i++) {
        uint32_t leaf = p->leaf[i].leaf;

        if (i != 0 && p->leaf[i - 1].leaf == leaf) {
            continue;
        }
        if (leaf <= POLICY_BASIC_MAX) {
            p->first_basic[leaf] = (uint8_t)(i + 1);
        } else if (is_extended(leaf)) {
            p->first_ext[leaf - POLICY_EXT_FIRST] = (uint8_t)(i + 1);
        }
    }
}

/* Insert in order; the list is short and built once. */
static bool insert(struct cpu_policy *p, const xen_cpuid_leaf_t *l)
{
    unsigned int at = 0;

    if (p->count == CPU_POLICY_LEAVES_MAX) {
        return false;
    }
    while (at < p->count &&
           (p->leaf[at].leaf < l->leaf || (p->leaf[at].leaf == l->leaf &&
                                           p->leaf[at].subleaf < l->subleaf))) {
        at++;
    }
    memmove(&p->leaf[at + 1], &p->leaf[at],
            (p->count - at) * sizeof(p->leaf[0]));
    p->leaf[at] = *l;
    p->count++;
    note_places(p, at);
    return true;
}

static void add_hardware(struct cpu_policy *p, uint32_t leaf, uint32_t subleaf)
{
    struct cpuid_regs r = cpuid_count(leaf, subleaf == NO_SUB ? 0 : subleaf);
    xen_cpuid_leaf_t l = {.leaf = leaf,
                          .subleaf = subleaf,
                          .a = r.a,
                          .b = r.b,
                          .c = r.c,
                          .d = r.d};

    (void)insert(p, &l);
}

/*
 * Every subleaf the toolstack's library knows is listed, empty ones too: it
 * sizes the list it hands back by the one it was given.
 */
static void add_basic(struct cpu_policy *p, uint32_t leaf)
{
    uint32_t last;

    switch (leaf) {
    case 0x4:
        for (uint32_t i = 0; i <= MAX_SUB_CACHE; i++) {
            add_hardware(p, leaf, i);
        }
        break;
    case 0x7:
        last = MIN(cpuid_count(leaf, 0).a, MAX_SUB_FEATURES);
        for (uint32_t i = 0; i <= last; i++) {
            add_hardware(p, leaf, i);
        }
        break;
    case 0xb:
        for (uint32_t i = 0; i <= MAX_SUB_TOPOLOGY; i++) {
            add_hardware(p, leaf, i);
        }
        break;
    case 0xd:
        for (uint32_t i = 0; i <= MAX_SUB_XSTATE; i++) {
            add_hardware(p, leaf, i);
        }
        break;
    default:
        add_hardware(p, leaf, NO_SUB);
        break;
    }
}

/* Limits of the hypervisor leaves; those are answered by guest_cpuid.c. */
static const xen_cpuid_leaf_t hv_limits[] = {
    {.leaf = 0x40000000, .subleaf = NO_SUB},
    {.leaf = 0x40000100, .subleaf = NO_SUB},
};

void policy_from_hardware(struct cpu_policy *p)
{
    uint32_t basic = MIN(cpuid(0).a, POLICY_BASIC_MAX);
    uint32_t ext = MIN(cpuid(POLICY_EXT_FIRST).a, POLICY_EXT_MAX);

    memset(p, 0, sizeof(*p));
    for (uint32_t leaf = 0; leaf <= basic; leaf++) {
        add_basic(p, leaf);
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(hv_limits); i++) {
        (void)insert(p, &hv_limits[i]);
    }
    for (uint32_t leaf = POLICY_EXT_FIRST; leaf <= ext; leaf++) {
        add_hardware(p, leaf, NO_SUB);
    }
}

static void clear_leaf(xen_cpuid_leaf_t *l)
{
    l->a = l->b = l->c = l->d = 0;
}

/* May guests with these state components have it, if the processor does? */
static bool view_allows(enum view view, uint64_t xcr0_mask)
{
    switch (view) {
    case VIEW_SHOWN:
        return true;
    case VIEW_XSAVE:
        return xcr0_mask != 0;
    case VIEW_AVX:
        return (xcr0_mask & XCR0_YMM) != 0;
    case VIEW_AVX512:
        return (xcr0_mask & XCR0_HI16_ZMM) != 0;
    case VIEW_HIDDEN:
    case VIEW_OWN:
        break;
    }
    return false;
}

static uint32_t allowed_word(unsigned int word, uint64_t xcr0_mask)
{
    uint32_t allowed = 0;

    for (unsigned int i = 0; i < ARRAY_SIZE(features); i++) {
        if (features[i].feature / 32U == word &&
            view_allows(features[i].view, xcr0_mask)) {
            allowed |= 1U << (features[i].feature % 32U);
        }
    }
    return allowed;
}

static const struct leaf_view *view_of_leaf(const xen_cpuid_leaf_t *l)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(leaves); i++) {
        const struct leaf_view *v = &leaves[i];

        if (l->leaf >= v->first && l->leaf <= v->last &&
            (v->subleaf == ANY || v->subleaf == l->subleaf)) {
            return v;
        }
    }
    return NULL;
}

/* Clear what is not for guests; the feature words come later. */
static void reduce_leaf(xen_cpuid_leaf_t *l, bool is_amd)
{
    const struct leaf_view *v = view_of_leaf(l);

    if (v == NULL) {
        clear_leaf(l);
        return;
    }
    l->a &= v->a;
    l->b &= v->b;
    l->c &= v->c;
    l->d &= v->d;
    switch (l->leaf) {
    case 0x0:
        l->a = MIN(l->a, POLICY_BASIC_MAX);
        break;
    case 0x7:
        if (l->subleaf == 0) {
            l->a = MIN(l->a, MAX_SUB_FEATURES);
        }
        break;
    case POLICY_EXT_FIRST:
        l->a = MIN(l->a, POLICY_EXT_MAX);
        break;
    case 0x80000007:
        l->b = is_amd ? E7_EBX_MCA_OVERFLOW_RECOVERY | E7_EBX_SUCCOR : 0;
        break;
    case 0x80000008:
        l->c = is_amd ? l->c : 0;
        break;
    default:
        break;
    }
}

static void reduce_xstate(struct cpu_policy *p, uint64_t xcr0_mask)
{
    xen_cpuid_leaf_t *l;

    for (unsigned int i = 0; i < p->count; i++) {
        l = &p->leaf[i];
        if (l->leaf != 0xd) {
            continue;
        }
        if (l->subleaf == 0) {
            l->a &= (uint32_t)xcr0_mask;
            l->d &= (uint32_t)(xcr0_mask >> 32);
        } else if (l->subleaf == 1) {
            l->b = l->c = l->d = 0;
        } else if ((xcr0_mask >> l->subleaf & 1) == 0) {
            clear_leaf(l);
        }
    }
    l = find(p, 0xd, 0);
    if (l != NULL && xcr0_mask != 0) {
        l->c = policy_xstate_bytes(p, xcr0_mask, false);
        l->b = l->c;
    }
}

static void clear_xstate(struct cpu_policy *p)
{
    for (unsigned int i = 0; i < p->count; i++) {
        if (p->leaf[i].leaf == 0xd) {
            clear_leaf(&p->leaf[i]);
        }
    }
}

static void set_feature(struct cpu_policy *p, unsigned int feature, bool on)
{
    const struct word_place *w = &words[feature / 32];
    xen_cpuid_leaf_t *l = find(p, w->leaf, w->subleaf);
    uint32_t bit = 1U << (feature % 32);

    if (l != NULL) {
        uint32_t *reg = leaf_reg(l, w->reg);

        *reg = on ? *reg | bit : *reg & ~bit;
    }
}

static void copy_amd_common(struct cpu_policy *p, bool is_amd)
{
    xen_cpuid_leaf_t *e1 = find(p, 0x80000001, NO_SUB);
    const xen_cpuid_leaf_t *l1 = find(p, 0x1, NO_SUB);

    if (is_amd && e1 != NULL && l1 != NULL) {
        e1->d |= l1->d & AMD_COMMON_EDX;
    }
}

void policy_for_pv(struct cpu_policy *p, uint64_t xcr0_mask, bool is_amd)
{
    xcr0_mask &= XCR0_PV;
    for (unsigned int i = 0; i < p->count; i++) {
        reduce_leaf(&p->leaf[i], is_amd);
    }
    for (unsigned int w = 0; w < CPU_FEATURESET_WORDS; w++) {
        xen_cpuid_leaf_t *l;

        if (w == WORD_ARCH_CAPS_LOW || w == WORD_ARCH_CAPS_HIGH) {
            continue;
        }
        l = find(p, words[w].leaf, words[w].subleaf);
        if (l != NULL) {
            *leaf_reg(l, words[w].reg) &= allowed_word(w, xcr0_mask);
        }
    }
    if (xcr0_mask == 0) {
        clear_xstate(p);
    }
    reduce_xstate(p, xcr0_mask);
    set_feature(p, FEATURE_HYPERVISOR, true);
    copy_amd_common(p, is_amd);
    p->arch_caps &=
        (uint64_t)allowed_word(WORD_ARCH_CAPS_HIGH, xcr0_mask) << 32 |
        allowed_word(WORD_ARCH_CAPS_LOW, xcr0_mask);
    p->platform_info = 0;
}

/* Which word of the feature set lies in this register of this leaf? */
static void clamp_features(xen_cpuid_leaf_t *l, const struct cpu_policy *max)
{
    for (unsigned int w = 0; w < CPU_FEATURESET_WORDS; w++) {
        if (w != WORD_ARCH_CAPS_LOW && w != WORD_ARCH_CAPS_HIGH &&
            words[w].leaf == l->leaf && words[w].subleaf == l->subleaf) {
            *leaf_reg(l, words[w].reg) &= policy_feature_word(max, w);
        }
    }
}

static void clamp_others(xen_cpuid_leaf_t *l, const struct cpu_policy *max)
{
    const xen_cpuid_leaf_t *m = policy_find(max, l->leaf, l->subleaf);

    switch (l->leaf) {
    case 0x0:
    case POLICY_EXT_FIRST:
        l->a = m != NULL ? MIN(l->a, m->a) : 0;
        break;
    case 0x7:
        if (l->subleaf == 0) {
            l->a = m != NULL ? MIN(l->a, m->a) : 0;
        }
        break;
    case 0xd:
        /* Component sizes and offsets are the processor's, never a choice. */
        if (m == NULL) {
            clear_leaf(l);
        } else if (l->subleaf == 0) {
            l->a &= m->a;
            l->d &= m->d;
            l->b = l->a != 0 ? m->b : 0;
            l->c = l->a != 0 ? m->c : 0;
        } else if (l->subleaf == 1) {
            l->b = l->c = l->d = 0;
        } else {
            *l = *m;
        }
        break;
    case 0x80000007:
        l->b &= m != NULL ? m->b : 0;
        break;
    default:
        break;
    }
}

int policy_merge(struct cpu_policy *p, const struct cpu_policy *max,
                 const xen_cpuid_leaf_t *in)
{
    xen_cpuid_leaf_t l = *in;
    xen_cpuid_leaf_t *old;

    if (l.leaf >= XEN_CPUID_FIRST_LEAF &&
        l.leaf < XEN_CPUID_FIRST_LEAF + 0x200) {
        return 0;
    }
    if (!place_exists(l.leaf, l.subleaf)) {
        return -ERANGE;
    }
    clamp_features(&l, max);
    clamp_others(&l, max);
    if (l.leaf == 0x1) {
        l.b &= 0x00ffffff;
    }
    old = find(p, l.leaf, l.subleaf);
    if (old != NULL) {
        *old = l;
    } else if (!insert(p, &l)) {
        return -ENOMEM;
    }
    if (l.leaf == 0x1) {
        set_feature(p, FEATURE_HYPERVISOR, true);
        set_feature(p, FEATURE_OSXSAVE, false);
    }
    return 0;
}

uint32_t policy_xstate_bytes(const struct cpu_policy *p, uint64_t xcr0,
                             bool compacted)
{
    uint32_t bytes = FPU_MIN_BYTES;

    for (uint32_t i = 2; i <= MAX_SUB_XSTATE; i++) {
        const xen_cpuid_leaf_t *l;

        if ((xcr0 >> i & 1) == 0) {
            continue;
        }
        l = policy_find(p, 0xd, i);
        if (l == NULL) {
            continue;
        }
        if (compacted) {
            /* ECX bit 1: begins at a multiple of 64. */
            if (l->c & 2) {
                bytes = (bytes + 63) & ~63U;
            }
            bytes += l->a;
        } else {
            bytes = MAX(bytes, l->a + l->b);
        }
    }
    return bytes;
}
