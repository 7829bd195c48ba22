/* SPDX-License-Identifier: MIT */
/*
 * cpu/features.c - read CPUID once; set the control registers by it.
 */
#include "cpu/features.h"

#include "lib/assert.h"
#include "lib/string.h"
#include "x86/cr.h"
#include "x86/msr.h"
#include "x86/xsave.h"

struct cpu_features cpu_features;
uint64_t hv_cr4;

#define HAVE(word, bit) (((word) >> (bit)) & 1)

static void need(bool have, const char *what)
{
    if (!have) {
        panic("this processor lacks %s, which Vigil needs", what);
    }
}

static void read_family(struct cpu_features *f, uint32_t sig)
{
    f->stepping = sig & 0xf;
    f->model = (sig >> 4) & 0xf;
    f->family = (sig >> 8) & 0xf;
    if (f->family == 6 || f->family == 15) {
        f->model |= (sig >> 12) & 0xf0;
    }
    if (f->family == 15) {
        f->family += (sig >> 20) & 0xff;
    }
}

static void read_xsave(struct cpu_features *f)
{
    struct cpuid_regs r;

    f->xsave = HAVE(f->l1_ecx, 26);
    if (!f->xsave) {
        f->xcr0_mask = 3;
        f->xsave_bytes = 512;
        return;
    }
    r = cpuid_count(0xd, 0);
    /* x87, SSE, AVX, AVX-512 as a whole; nothing with supervisor parts. */
    f->xcr0_mask = r.a & 0x7;
    if ((r.a & 0xe0) == 0xe0) {
        f->xcr0_mask |= 0xe0;
    }
    f->xsaveopt = cpuid_count(0xd, 1).a & 1;
    f->xsave_bytes = r.c; /* largest: covers every component */
    f->d1_eax = cpuid_count(0xd, 1).a;
}

void features_init(void)
{
    struct cpu_features *f = &cpu_features;
    struct cpuid_regs r = cpuid(0);

    f->max_leaf = r.a;
    memcpy(f->vendor_id, &r.b, 4);
    memcpy(f->vendor_id + 4, &r.d, 4);
    memcpy(f->vendor_id + 8, &r.c, 4);
    f->vendor = strcmp(f->vendor_id, "GenuineIntel") == 0   ? CPU_INTEL
                : strcmp(f->vendor_id, "AuthenticAMD") == 0 ? CPU_AMD
                                                            : CPU_OTHER;
    r = cpuid(1);
    read_family(f, r.a);
    f->l1_edx = r.d;
    f->l1_ecx = r.c;
    if (f->max_leaf >= 7) {
        r = cpuid_count(7, 0);
        f->l7_ebx = r.b;
        f->l7_ecx = r.c;
        f->l7_edx = r.d;
    }
    f->max_ext_leaf = cpuid(0x80000000).a;
    r = cpuid(0x80000001);
    f->e1_edx = r.d;
    f->e1_ecx = r.c;
    if (f->max_ext_leaf >= 0x80000007) {
        f->e7_edx = cpuid(0x80000007).d;
    }
    f->phys_bits = 36;
    if (f->max_ext_leaf >= 0x80000008) {
        r = cpuid(0x80000008);
        f->phys_bits = r.a & 0xff;
        f->e8_ebx = r.b;
    }
    need(HAVE(f->e1_edx, 11), "SYSCALL");
    need(HAVE(f->e1_edx, 20), "NX");
    need(HAVE(f->l1_edx, 24), "FXSAVE");
    need(HAVE(f->l1_edx, 9), "a local APIC");
    need(HAVE(f->l1_edx, 5), "MSRs");
    need(HAVE(f->l1_edx, 4), "a time stamp counter");
    f->nx = true;
    f->pge = HAVE(f->l1_edx, 13);
    f->mce = HAVE(f->l1_edx, 7);
    f->mca = HAVE(f->l1_edx, 14);
    f->x2apic = HAVE(f->l1_ecx, 21);
    f->fsgsbase = HAVE(f->l7_ebx, 0);
    f->tsc_adjust = HAVE(f->l7_ebx, 1);
    f->smep = HAVE(f->l7_ebx, 7);
    f->smap = HAVE(f->l7_ebx, 20);
    f->umip = HAVE(f->l7_ecx, 2);
    f->page1gb = HAVE(f->e1_edx, 26);
    f->rdtscp = HAVE(f->e1_edx, 27);
    f->invariant_tsc = HAVE(f->e7_edx, 8);
    read_xsave(f);
}

const char *features_differ(void)
{
    const struct cpu_features *f = &cpu_features;
    uint32_t max_leaf = cpuid(0).a;
    struct cpuid_regs r = cpuid(1);

    /* OSXSAVE says what CR4 says. */
    if ((f->l1_edx & ~r.d) != 0 || (f->l1_ecx & ~r.c & ~(1U << 27)) != 0) {
        return "features of CPUID leaf 1";
    }
    r = max_leaf >= 7 ? cpuid_count(7, 0) : (struct cpuid_regs){0, 0, 0, 0};
    if ((f->l7_ebx & ~r.b) != 0 || (f->l7_ecx & ~r.c & ~(1U << 4)) != 0 ||
        (f->l7_edx & ~r.d) != 0) {
        return "features of CPUID leaf 7";
    }
    r = cpuid(0x80000001);
    if ((f->e1_edx & ~r.d) != 0 || (f->e1_ecx & ~r.c) != 0) {
        return "features of CPUID leaf 0x80000001";
    }
    if (f->xsave && (f->xcr0_mask & ~(uint64_t)cpuid_count(0xd, 0).a) != 0) {
        return "XSAVE components";
    }
    return NULL;
}

void features_cpu_init(void)
{
    const struct cpu_features *f = &cpu_features;
    uint64_t cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_DE;

    cr4 |= f->mce ? CR4_MCE : 0;
    cr4 |= f->pge ? CR4_PGE : 0;
    cr4 |= f->smep ? CR4_SMEP : 0;
    cr4 |= f->smap ? CR4_SMAP : 0;
    cr4 |= f->umip ? CR4_UMIP : 0;
    cr4 |= f->fsgsbase ? CR4_FSGSBASE : 0;
    cr4 |= f->xsave ? CR4_OSXSAVE : 0;
    hv_cr4 = cr4;
    write_cr0(CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_PG);
    write_cr4(cr4);
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE | EFER_NX);
    wrmsr(MSR_PAT, PAT_XEN);
    if (f->xsave) {
        xsetbv(0, f->xcr0_mask);
    }
}
