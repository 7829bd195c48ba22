/* SPDX-License-Identifier: MIT */
/*
 * suspend - saved and restored, a vCPU goes on where it was.
 *
 * Claim: after SHUTDOWN_suspend, in another domain (restored) or in the same
 * one (cancelled), all is as it was: memory, page tables, trap handlers, vector
 * registers, bases, breakpoints, callbacks.  The clock has not gone back, nor
 * has the TSC where it is emulated: it stood while we were an image.
 * Restored, it has a new shared page and no channel but those of start_info.
 * Inside the NMI handler, with an NMI that waits: it comes once, and after.
 * Plan: prints `suspend: round=N port=P`; Dom0 puts P into xenstore as
 * device/suspend/event-channel and saves us, which notifies P.  Then we suspend
 * and check.  `rounds=N` (1) of these, then the verdict.  From the second on
 * we suspend in our NMI handler.
 */
#include "breakpoint.h"

#include <xen/arch-x86/cpuid.h>

const char stub_name[] = "suspend";

#define VECTORS 16
#define WORDS   (1UL << 17) /* 1 MiB */

#define PTE_ADDRESS        0x000ffffffffff000UL
#define MSR_FS_BASE        0xc0000100
#define MSR_GS_BASE        0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102

static uint64_t vectors[VECTORS][2] __page_aligned;
static uint64_t got[VECTORS][2] __page_aligned;
static uint64_t memory[WORDS] __page_aligned;
static char read_only[PAGE_SIZE] __page_aligned;
static char gone[PAGE_SIZE] __page_aligned;
#define EACH_VECTOR(one)                                                       \
    one(0) one(1) one(2) one(3) one(4) one(5) one(6) one(7) one(8) one(9)      \
        one(10) one(11) one(12) one(13) one(14) one(15)
#define LOAD_XMM(n)  "movdqu 16*" #n "(%0), %%xmm" #n "\n\t"
#define STORE_XMM(n) "movdqu %%xmm" #n ", 16*" #n "(%0)\n\t"

static uint64_t next(uint64_t seed)
{
    return seed * 6364136223846793005UL + 1442695040888963407UL;
}

static void fill(uint64_t seed)
{
    uint64_t *words = &vectors[0][0];

    for (unsigned long i = 0; i < WORDS; i++) {
        memory[i] = seed = next(seed);
    }
    for (unsigned int i = 0; i < 2 * VECTORS; i++) {
        words[i] = seed = next(seed);
    }
}

static bool is_as_filled(uint64_t seed)
{
    for (unsigned long i = 0; i < WORDS; i++) {
        seed = next(seed);
        if (memory[i] != seed) {
            return false;
        }
    }
    return true;
}

static evtchn_port_t new_port(void)
{
    struct evtchn_alloc_unbound alloc = {.dom = DOMID_SELF, .remote_dom = 0};
    long rc = hc_evtchn_op(EVTCHNOP_alloc_unbound, &alloc);

    CHECK(rc == 0, "alloc_unbound: %ld", rc);
    return alloc.port;
}

/* Until who saves us has notified the port. */
static void wait_for(evtchn_port_t port)
{
    while (!evtchn_clear(port)) {
        struct sched_poll poll = {.nr_ports = 1,
                                  .timeout = time_now_ns() + NS_PER_SEC};

        set_xen_guest_handle(poll.ports, &port);
        hc_sched_op(SCHEDOP_poll, &poll);
    }
}

/*
 * The shared page is no page of ours: it must not be mapped meanwhile.  The
 * rings are, and start_info names them by our numbers.
 * Return: 0 in another domain, 1 in the same one
 */
static long suspend(void)
{
    struct sched_shutdown arg = {.reason = SHUTDOWN_suspend};
    unsigned long store = start_info->store_mfn;
    unsigned long console = start_info->console.domU.mfn;
    long rc;

    start_info->store_mfn = machine_to_phys_mapping[store];
    start_info->console.domU.mfn = machine_to_phys_mapping[console];
    mm_protect(&shared_info_area, PTE_FLAGS_DATA);
    __asm__ volatile(EACH_VECTOR(LOAD_XMM) : : "r"(vectors) : "memory");
    rc = hypercall3(__HYPERVISOR_sched_op, SCHEDOP_shutdown,
                    (unsigned long)&arg, mm_mfn(start_info));
    __asm__ volatile(EACH_VECTOR(STORE_XMM) : : "r"(got) : "memory");
    mm_map(&shared_info_area, start_info->shared_info, PTE_FLAGS_DATA);
    if (rc == 1) {
        start_info->store_mfn = store;
        start_info->console.domU.mfn = console;
    }
    return rc;
}

/* NMIs that came; suspend_in_nmi() is inside the first one's handler. */
static volatile unsigned int nmis, nmi_depth, nmi_deepest;
static volatile bool suspend_in_nmi;
static volatile long nmi_result;

static bool on_nmi(struct trap_regs *regs)
{
    (void)regs;
    nmis++;
    nmi_depth++;
    nmi_deepest = nmi_depth > nmi_deepest ? nmi_depth : nmi_deepest;
    if (suspend_in_nmi) {
        suspend_in_nmi = false;
        /* Two more, which are one, and wait until we have returned. */
        (void)hc_vcpu_op(VCPUOP_send_nmi, 0, NULL);
        (void)hc_vcpu_op(VCPUOP_send_nmi, 0, NULL);
        nmi_result = suspend();
    }
    nmi_depth--;
    return true;
}

/* No word before the console has come up. */
static long suspend_by_nmi(void)
{
    nmis = nmi_deepest = 0;
    suspend_in_nmi = true;
    (void)hc_vcpu_op(VCPUOP_send_nmi, 0, NULL);
    barrier();
    if (suspend_in_nmi) {
        suspend_in_nmi = false;
        return suspend();
    }
    return nmi_result;
}

/* What a kernel does anew in another domain. */
static void come_up(evtchn_port_t old_port)
{
    struct evtchn_status status = {.dom = DOMID_SELF, .port = old_port};

    console_init();
    CHECK(vcpu_info0->evtchn_upcall_mask, "events came up unmasked");
    evtchn_init();
    CHECK(old_port == start_info->console.domU.evtchn ||
              old_port == start_info->store_evtchn ||
              hc_evtchn_op(EVTCHNOP_status, &status) != 0 ||
              status.status == EVTCHNSTAT_closed,
          "the channel %u is still there", old_port);
}

static uint64_t flags_of(const void *va)
{
    return mm_pte(va, 1) & (PTE_P | PTE_RW);
}

/* A fault where one belongs: handlers and tables are the old ones. */
static void check_tables(void)
{
    trap_seen.count = 0;
    __asm__ volatile("1: movb $1, %0\n2:\n\t" EXTABLE("1b", "2b")
                     : "=m"(read_only[7]));
    CHECK(trap_seen.count == 1 && trap_seen.vector == TRAP_PF,
          "%u traps at a write to a read-only page", trap_seen.count);
    CHECK(flags_of(read_only) == PTE_P && flags_of(gone) == 0,
          "entries are %lx and %lx", mm_pte(read_only, 1), mm_pte(gone, 1));
    CHECK((mm_pte(memory, 1) & PTE_ADDRESS) == mm_maddr(memory),
          "the P2M list and the tables say %lx and %lx", mm_maddr(memory),
          mm_pte(memory, 1));
    CHECK(machine_to_phys_mapping[mm_mfn(memory)] == mm_pfn(memory),
          "the M2P table says %lx of page %lx",
          machine_to_phys_mapping[mm_mfn(memory)], mm_pfn(memory));
}

#define LEAF_TIME (XEN_CPUID_FIRST_LEAF + 3)

static struct xen_leaf {
    uint32_t a, b, c, d;
} time_leaf(void)
{
    struct xen_leaf r = {.a = LEAF_TIME, .c = 0};

    __asm__ volatile("ud2; .ascii \"xen\"; cpuid"
                     : "+a"(r.a), "=b"(r.b), "+c"(r.c), "=d"(r.d));
    return r;
}

static uint64_t rdtsc(void)
{
    uint32_t low, high;

    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}

/* An emulated TSC: its rate stays, and it has counted while the domain was. */
static void check_tsc(const struct xen_leaf *was, uint64_t tsc, uint64_t ns,
                      bool restored)
{
    struct xen_leaf is = time_leaf();
    uint64_t ticks = rdtsc() - tsc, most = ns * was->c / 1000000;

    if (!(was->a & 1)) {
        return;
    }
    CHECK((is.a & 1) && is.b == was->b && is.c == was->c &&
              is.d == was->d + restored,
          "mode %u, %u kHz, incarnation %u; was %u, %u, %u", is.b, is.c, is.d,
          was->b, was->c, was->d);
    CHECK(ticks != 0 && ticks <= most + most / 1000,
          "%lu ticks of the TSC at %u kHz in %lu ns", ticks, is.c, ns);
    print("suspend: an emulated TSC went on\n");
}

static evtchn_port_t one_round(unsigned long round, evtchn_port_t port)
{
    const uint64_t fs = 0x00007fedcba98760, user_gs = 0x0000123456789ab0;
    uint64_t seed = time_now_ns(), gs = rdmsr(MSR_GS_BASE), before, after;
    uint32_t mxcsr = 0x9fc0, mxcsr_now;
    uint16_t fcw = 0x27f, fcw_now;
    struct xen_leaf leaf = time_leaf();
    uint64_t tsc;
    long rc;

    fill(seed);
    wrmsr(MSR_FS_BASE, fs);
    wrmsr(MSR_KERNEL_GS_BASE, user_gs);
    __asm__ volatile("ldmxcsr %0; fldcw %1" : : "m"(mxcsr), "m"(fcw));
    breakpoint_set_dr(0, (unsigned long)breakpoint_target);
    breakpoint_set_dr(7, BREAKPOINT_ON);
    breakpoints = 0;
    before = time_now_ns();
    tsc = rdtsc();
    rc = round == 1 ? suspend() : suspend_by_nmi();
    after = time_now_ns();
    if (rc == 0) {
        come_up(port);
        mm_describe();
        port = new_port();
    }
    __asm__ volatile("stmxcsr %0; fnstcw %1" : "=m"(mxcsr_now), "=m"(fcw_now));
    breakpoint_target();
    breakpoint_set_dr(7, BREAKPOINT_OFF);
    CHECK(rc == 0 || rc == 1, "SHUTDOWN_suspend: %ld", rc);
    CHECK(round == 1 || (nmis == 2 && nmi_deepest == 1),
          "%u NMIs, not 2; %u at a time", nmis, nmi_deepest);
    CHECK(after > before && after - before < 3600 * NS_PER_SEC,
          "the clock was %lu, is %lu", before, after);
    check_tsc(&leaf, tsc, time_now_ns() - before, rc == 0);
    CHECK(memcmp(got, vectors, sizeof(got)) == 0, "xmm0 to 15 have changed");
    CHECK(mxcsr_now == mxcsr && fcw_now == fcw, "MXCSR %x, FCW %x", mxcsr_now,
          fcw_now);
    CHECK(breakpoints == 1, "%u breakpoints", breakpoints);
    CHECK(rdmsr(MSR_FS_BASE) == fs && rdmsr(MSR_GS_BASE) == gs &&
              rdmsr(MSR_KERNEL_GS_BASE) == user_gs,
          "bases are %lx, %lx, %lx", rdmsr(MSR_FS_BASE), rdmsr(MSR_GS_BASE),
          rdmsr(MSR_KERNEL_GS_BASE));
    CHECK(is_as_filled(seed), "memory has changed");
    check_tables();
    print("suspend: round=%lu was %s\n", round, rc ? "cancelled" : "restored");
    return port;
}

void stub_main(void)
{
    unsigned long rounds = cmdline_number("rounds", 1);
    evtchn_port_t port;
    long rc;

    if (stub_is_dom0()) {
        report(VERDICT_SKIP, "Dom0 is not saved");
        return;
    }
    trap_handle(TRAP_DB, breakpoint_taken);
    trap_handle(TRAP_NMI, on_nmi);
    rc = trap_register(TRAP_NMI, 0);
    CHECK(rc == 0, "vector 2 refused: %ld", rc);
    CHECK(mm_protect(read_only, PTE_FLAGS_RO) == 0 && mm_protect(gone, 0) == 0,
          "mm_protect");
    mm_describe();
    port = new_port();
    for (unsigned long i = 1; i <= rounds; i++) {
        print("suspend: round=%lu port=%u\n", i, port);
        wait_for(port);
        port = one_round(i, port);
    }
    report(VERDICT_SUCCESS, "went on %lu times", rounds);
}
