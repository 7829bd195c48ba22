/* SPDX-License-Identifier: MIT */
/*
 * cpu/view.c - what this guest is shown, as lines for a test to read:
 *
 *     cpuid forced|native <leaf> <subleaf> <eax> <ebx> <ecx> <edx>
 *     msr <index> <value>|fault same|other|fault
 *
 * The last word of an MSR: what became of writing the value that was read.
 */
#include "cpu.h"

struct cpuid cpuid_forced(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid r = {.a = leaf, .c = subleaf};

    __asm__ volatile(".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e, 0x0f, 0xa2"
                     : "+a"(r.a), "=b"(r.b), "+c"(r.c), "=d"(r.d));
    return r;
}

struct cpuid cpuid_native(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid r = {.a = leaf, .c = subleaf};

    __asm__ volatile("cpuid" : "+a"(r.a), "=b"(r.b), "+c"(r.c), "=d"(r.d));
    return r;
}

static void leaf(uint32_t number, uint32_t subleaf)
{
    struct cpuid f = cpuid_forced(number, subleaf);
    struct cpuid n = cpuid_native(number, subleaf);

    print("cpuid forced %x %x %x %x %x %x\n", number, subleaf, f.a, f.b, f.c,
          f.d);
    print("cpuid native %x %x %x %x %x %x\n", number, subleaf, n.a, n.b, n.c,
          n.d);
}

static void leaves(void)
{
    static const uint32_t subleaves[0xe] = {
        [0x4] = 5, [0x7] = 2, [0xb] = 1, [0xd] = 9,
    };

    for (uint32_t i = 0; i < ARRAY_SIZE(subleaves); i++) {
        for (uint32_t sub = 0; sub <= subleaves[i]; sub++) {
            leaf(i, sub);
        }
    }
    leaf(0xe, 0);
    leaf(0x1f, 0);
    for (uint32_t i = 0x40000000; i <= 0x40000005; i++) {
        leaf(i, 0);
    }
    for (uint32_t i = 0x80000000; i <= 0x80000022; i++) {
        leaf(i, 0);
    }
}

static bool try_rdmsr(uint32_t index, uint64_t *ret_value)
{
    uint32_t lo = 0, hi = 0;

    trap_seen.count = 0;
    __asm__ volatile("1: rdmsr\n2:\n\t" EXTABLE("1b", "2b")
                     : "+a"(lo), "+d"(hi)
                     : "c"(index)
                     : "memory");
    *ret_value = (uint64_t)hi << 32 | lo;
    return trap_seen.count == 0;
}

static bool try_wrmsr(uint32_t index, uint64_t value)
{
    trap_seen.count = 0;
    __asm__ volatile("1: wrmsr\n2:\n\t" EXTABLE("1b", "2b")
                     :
                     : "c"(index), "a"((uint32_t)value),
                       "d"((uint32_t)(value >> 32))
                     : "memory");
    return trap_seen.count == 0;
}

static void msr(uint32_t index)
{
    uint64_t value = 0, again = 0;
    bool reads = try_rdmsr(index, &value);
    const char *write = "fault";

    if (try_wrmsr(index, value)) {
        write = try_rdmsr(index, &again) == reads && again == value ? "same"
                                                                    : "other";
    }
    if (reads) {
        print("msr %x %lx %s\n", index, value, write);
    } else {
        print("msr %x fault %s\n", index, write);
    }
}

void view_print(void)
{
    static const uint32_t ranges[][2] = {
        {0x10, 0x10},   {0x17, 0x17},   {0x1b, 0x1b},   {0x3a, 0x3b},
        {0x48, 0x49},   {0x8b, 0x8b},   {0xc1, 0xc2},   {0xce, 0xce},
        {0x10a, 0x10b}, {0x122, 0x122}, {0x140, 0x140}, {0x174, 0x176},
        {0x179, 0x17b}, {0x186, 0x187}, {0x198, 0x19c}, {0x1a0, 0x1a0},
        {0x1d9, 0x1d9}, {0x277, 0x277}, {0x280, 0x281}, {0x309, 0x309},
        {0x345, 0x345}, {0x38d, 0x38f}, {0x400, 0x403}, {0x6e0, 0x6e0},
        {0x800, 0x802}, {0xda0, 0xda0}, {0x12345, 0x12345},
        {0xc0000080, 0xc0000084}, {0xc0000100, 0xc0000103},
        {0xc0010000, 0xc0010001}, {0xc0010010, 0xc0010010},
        {0xc0010015, 0xc001001a}, {0xc001001d, 0xc001001d},
        {0xc0010061, 0xc0010061}, {0xc0010114, 0xc0010117},
        {0xc0010200, 0xc0010201}, {0xc0011029, 0xc0011029},
    };

    leaves();
    for (unsigned int i = 0; i < ARRAY_SIZE(ranges); i++) {
        for (uint32_t index = ranges[i][0]; index <= ranges[i][1]; index++) {
            msr(index);
        }
    }
    print("view: done\n");
}
