/* SPDX-License-Identifier: MIT */
/*
 * cpu/state.c - registers that user mode uses freely, and that must be this
 * vCPU's own: SSE, AVX, x87, fs and gs bases, breakpoints.
 */
#include "breakpoint.h"
#include "cpu.h"

#define CR4_FSGSBASE (1UL << 16)
#define CR4_OSXSAVE  (1UL << 18)

#define L1_ECX_XSAVE   (1U << 26)
#define L1_ECX_AVX     (1U << 28)
#define L7_EBX_FSGS    (1U << 0)
#define L7_ECX_UMIP    (1U << 2)
#define XCR0_AVX_STATE 7U

#define VECTORS 16

/* As stored by hand, so that the layout of an XSAVE area is not trusted. */
static uint64_t wanted[VECTORS][4] __page_aligned;
static uint64_t got[VECTORS][4] __page_aligned;
static bool has_avx;

static uint64_t read_cr4(void)
{
    uint64_t v;

    __asm__ volatile("mov %%cr4, %0" : "=r"(v));
    return v;
}

static void write_cr4(uint64_t v)
{
    __asm__ volatile("mov %0, %%cr4" : : "r"(v) : "memory");
}

#define EACH_VECTOR(one)                                                       \
    one(0) one(1) one(2) one(3) one(4) one(5) one(6) one(7) one(8) one(9)      \
        one(10) one(11) one(12) one(13) one(14) one(15)

#define LOAD_XMM(n)  "movdqu 32*" #n "(%0), %%xmm" #n "\n\t"
#define STORE_XMM(n) "movdqu %%xmm" #n ", 32*" #n "(%0)\n\t"
#define LOAD_YMM(n)  "vmovdqu 32*" #n "(%0), %%ymm" #n "\n\t"
#define STORE_YMM(n) "vmovdqu %%ymm" #n ", 32*" #n "(%0)\n\t"

static void vectors_load(void)
{
    if (has_avx) {
        __asm__ volatile(EACH_VECTOR(LOAD_YMM) : : "r"(wanted) : "memory");
    } else {
        __asm__ volatile(EACH_VECTOR(LOAD_XMM) : : "r"(wanted) : "memory");
    }
}

static void vectors_store(void)
{
    memset(got, 0, sizeof(got));
    if (has_avx) {
        __asm__ volatile(EACH_VECTOR(STORE_YMM) : : "r"(got) : "memory");
    } else {
        __asm__ volatile(EACH_VECTOR(STORE_XMM) : : "r"(got) : "memory");
    }
}

/* Numbers nobody else has: from our time and a counter. */
static void make_pattern(uint64_t seed)
{
    for (unsigned int i = 0; i < VECTORS; i++) {
        for (unsigned int j = 0; j < 4; j++) {
            seed = seed * 6364136223846793005UL + 1442695040888963407UL;
            wanted[i][j] = j < 2 || has_avx ? seed : 0;
        }
    }
}

/*
 * Nothing has used a vector here: whatever is in them is another's.  Then the
 * upper halves, as soon as they can be seen.
 */
static void check_fresh(void)
{
    memset(wanted, 0, sizeof(wanted));
    vectors_store();
    CHECK(memcmp(got, wanted, sizeof(got)) == 0,
          "xmm0 to 15 are not zero in a new vCPU");
}

static void avx_on(void)
{
    struct cpuid l1 = cpuid_forced(1, 0);

    if (!(l1.c & L1_ECX_XSAVE) || !(l1.c & L1_ECX_AVX)) {
        return;
    }
    write_cr4(read_cr4() | CR4_OSXSAVE);
    trap_seen.count = 0;
    __asm__ volatile("1: xsetbv\n2:\n\t" EXTABLE("1b", "2b")
                     :
                     : "c"(0), "a"(XCR0_AVX_STATE), "d"(0)
                     : "memory");
    if (!CHECK(trap_seen.count == 0, "xsetbv of 7 faults")) {
        return;
    }
    has_avx = true;
    vectors_store();
    CHECK(memcmp(got, wanted, sizeof(got)) == 0,
          "ymm0 to 15 are not zero in a new vCPU");
}

static void check_vectors(unsigned long rounds)
{
    uint32_t mxcsr = 0x1f80, mxcsr_now;
    uint16_t fcw = 0x37f, fcw_now;
    unsigned long i;

    for (i = 0; i < rounds; i++) {
        make_pattern(time_now_ns() + i);
        mxcsr = i & 1 ? 0x1f80 : 0x9fc0;
        fcw = i & 1 ? 0x37f : 0x27f;
        __asm__ volatile("ldmxcsr %0; fldcw %1" : : "m"(mxcsr), "m"(fcw));
        vectors_load();
        if (i & 1) {
            hc_sched_op(SCHEDOP_yield, NULL);
        } else {
            time_sleep_ns(NS_PER_MS);
        }
        vectors_store();
        __asm__ volatile("stmxcsr %0; fnstcw %1"
                         : "=m"(mxcsr_now), "=m"(fcw_now));
        if (!CHECK(memcmp(got, wanted, sizeof(got)) == 0,
                   "round %lu: a vector register has changed", i) ||
            !CHECK(mxcsr_now == mxcsr && fcw_now == fcw,
                   "round %lu: MXCSR %x, FCW %x", i, mxcsr_now, fcw_now)) {
            return;
        }
    }
    print("cpu: %s kept over %lu switches\n", has_avx ? "AVX" : "SSE", rounds);
}

/* A kernel asks for FSGSBASE; its bases are then written behind our back. */
static void check_bases(void)
{
    uint64_t fs = 0x00007fedcba98760, gs = 0x0000123456789ab0, fs_now, gs_now;

    if (!(cpuid_forced(7, 0).b & L7_EBX_FSGS)) {
        trap_seen.count = 0;
        __asm__ volatile("1: rdfsbase %0\n2:\n\t" EXTABLE("1b", "2b")
                         : "=r"(fs_now));
        CHECK(trap_seen.count == 1 && trap_seen.vector == TRAP_UD,
              "rdfsbase works and is not shown");
        return;
    }
    write_cr4(read_cr4() & ~CR4_FSGSBASE);
    trap_seen.count = 0;
    __asm__ volatile("1: rdfsbase %0\n2:\n\t" EXTABLE("1b", "2b")
                     : "=r"(fs_now));
    CHECK(trap_seen.count == 1 && trap_seen.vector == TRAP_UD,
          "rdfsbase works though CR4 has it off");
    write_cr4(read_cr4() | CR4_FSGSBASE);
    CHECK(read_cr4() & CR4_FSGSBASE, "CR4.FSGSBASE does not stay on");
    __asm__ volatile("wrfsbase %0; wrgsbase %1" : : "r"(fs), "r"(gs));
    time_sleep_ns(NS_PER_MS);
    hc_sched_op(SCHEDOP_yield, NULL);
    __asm__ volatile("rdfsbase %0; rdgsbase %1" : "=r"(fs_now), "=r"(gs_now));
    CHECK(fs_now == fs && gs_now == gs, "bases are %lx and %lx after a switch",
          fs_now, gs_now);
    print("cpu: FSGSBASE kept\n");
}

static void check_breakpoint(void)
{
    uint64_t dr6;

    trap_handle(TRAP_DB, breakpoint_taken);
    breakpoint_set_dr(6, 0xffff0ff0);
    breakpoint_set_dr(0, (unsigned long)breakpoint_target);
    breakpoint_set_dr(7, BREAKPOINT_ON);
    time_sleep_ns(NS_PER_MS);
    breakpoint_target();
    CHECK(breakpoints == 1, "%u breakpoints after a switch", breakpoints);
    __asm__ volatile("mov %%dr6, %0" : "=r"(dr6));
    CHECK(dr6 & 1, "DR6 is %lx", dr6);
    breakpoint_set_dr(7, BREAKPOINT_OFF);
    breakpoint_target();
    CHECK(breakpoints == 1, "a breakpoint that is off was hit");
    trap_handle(TRAP_DB, NULL);
}

/* User mode's view of tables: hidden by UMIP where the processor has it. */
static void check_umip(void)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) table = {0};
    bool umip = cpuid_native(7, 0).c & L7_ECX_UMIP;

    trap_seen.count = 0;
    __asm__ volatile("1: sidt %0\n2:\n\t" EXTABLE("1b", "2b") : "=m"(table));
    CHECK((trap_seen.count == 1) == umip, "SIDT %s, though there is %s UMIP",
          trap_seen.count ? "faults" : "works", umip ? "an" : "no");
    print("cpu: UMIP %s\n", umip ? "works" : "is not there");
}

void state_check(unsigned long rounds)
{
    check_fresh();
    avx_on();
    check_vectors(rounds);
    check_bases();
    check_breakpoint();
    check_umip();
}
