/* SPDX-License-Identifier: MIT */
/*
 * vtsc - a time stamp counter that is emulated (tsc_mode = "always_emulate").
 *
 * Claim: RDTSC, RDTSCP and MSR 10h are answered in the guest's kernel and its
 * user mode, by one counter that never stands, of the rate that CPUID tells;
 * the published parameters make of it the hypervisor's system time.  The
 * guest's CR4.TSD is its own.
 * Plan, as a guest:
 *   1. The three ways in the kernel, RDTSC and RDTSCP in user mode.
 *   2. System time by it lies between two times the hypervisor noted itself.
 *   3. TSD set: user mode faults, the kernel does not.
 * As Dom0: settscinfo and gettscinfo of domains that do not run, with rates and
 * ages of other machines, and what is refused.
 */
#include "../bench/tiny.h"

#include "pvclock.h"
#include "user.h"

#include <xen/arch-x86/cpuid.h>

const char stub_name[] = "vtsc";

#define TSC_DEFAULT 0U
#define TSC_ALWAYS  1U
#define TSC_NEVER   2U

#define IOPL_3      0x3000UL
#define MSR_TSC     0x10U
#define MSR_AUX     0xc0000103U
#define CR4_TSD     0x4UL
#define LEAF_TIME   (XEN_CPUID_FIRST_LEAF + 3)
#define LEAF_VTSC   1U
#define LEAF_RDTSCP 4U

static struct trap_regs seen; /* what came back from user mode */

struct leaf {
    uint32_t a, b, c, d;
};

/* Routines of user mode, 16 bytes apart, copied to USER_VA. */
enum user_routine {
    USER_RDTSC,
    USER_RDTSCP
};
extern const char user_image[], user_image_end[];
__asm__(".pushsection .rodata\n"
        ".balign 16\n"
        "user_image:\n"
        "rdtsc\n"
        "syscall\n"
        ".balign 16\n"
        "rdtscp\n"
        "mov %ecx, %ebx\n"
        "syscall\n"
        ".balign 16\n"
        "user_image_end:\n"
        ".popsection\n");

static uint64_t rdtsc(void)
{
    uint32_t low, high;

    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}

static uint64_t rdtscp(uint32_t *ret_aux)
{
    uint32_t low, high;

    __asm__ volatile("rdtscp"
                     : "=a"(low), "=d"(high), "=c"(*ret_aux)::"memory");
    return (uint64_t)high << 32 | low;
}

static struct leaf cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct leaf r = {.a = leaf, .c = subleaf};

    __asm__ volatile("ud2; .ascii \"xen\"; cpuid"
                     : "+a"(r.a), "=b"(r.b), "+c"(r.c), "=d"(r.d));
    return r;
}

static uint64_t read_cr4(void)
{
    uint64_t value;

    __asm__ volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}

static void write_cr4(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

/* ---- a guest ------------------------------------------------------------- */

static bool from_user(struct trap_regs *regs)
{
    if ((regs->cs & 3) != 3) {
        return false;
    }
    seen = *regs;
    user_leave(1);
}

static bool build_user(void)
{
    trap_handle(TRAP_SYSCALL, from_user);
    trap_handle(TRAP_GP, from_user);
    trap_handle(TRAP_UD, from_user);
    return user_build(user_image, (size_t)(user_image_end - user_image), 1);
}

/* What user mode reads; 0 when it came back by another vector. */
static uint64_t user_tsc(enum user_routine routine, uint64_t vector)
{
    struct trap_regs regs = {
        .rip = USER_VA + 16 * routine,
        .cs = FLAT_USER_CS,
        .rflags = 2 | RFLAGS_IF | IOPL_3,
        .rsp = USER_STACK,
        .ss = FLAT_USER_SS,
        .rax = ~0UL,
        .rdx = ~0UL,
    };

    memset(&seen, 0, sizeof(seen));
    user_enter(&regs);
    CHECK(seen.vector == vector, "routine %u came back by %lu at %lx", routine,
          seen.vector, seen.rip);
    return seen.vector == TRAP_SYSCALL ? seen.rdx << 32 | seen.rax : 0;
}

static void check_readings(bool has_rdtscp)
{
    uint64_t last = 0;
    uint32_t aux = 0;

    if (has_rdtscp) {
        wrmsr(MSR_AUX, 0x1234);
    }
    for (unsigned int i = 0; i < 1000; i++) {
        const uint64_t now[] = {
            rdtsc(),
            has_rdtscp ? rdtscp(&aux) : rdtsc(),
            rdmsr(MSR_TSC),
            user_tsc(USER_RDTSC, TRAP_SYSCALL),
            has_rdtscp ? user_tsc(USER_RDTSCP, TRAP_SYSCALL) : rdtsc(),
        };

        for (unsigned int way = 0; way < ARRAY_SIZE(now); way++) {
            if (!CHECK(now[way] > last, "way %u: %lu after %lu", way, now[way],
                       last)) {
                return;
            }
            last = now[way];
        }
    }
    CHECK(!has_rdtscp || (aux == 0x1234 && (uint32_t)seen.rbx == 0x1234),
          "TSC_AUX is %x in the kernel, %lx in user mode", aux, seen.rbx);
}

/* When the hypervisor says that we have been running from on. */
static uint64_t running_since(void)
{
    struct vcpu_runstate_info info;

    memset(&info, 0, sizeof(info));
    CHECK(hc_vcpu_op(VCPUOP_get_runstate_info, 0, &info) == 0, "runstate");
    return info.state_entry_time;
}

static void check_time(uint32_t khz)
{
    uint64_t early = time_now_ns(), early_tsc = rdtsc(), late, late_tsc, ticks,
             want, woken;

    for (unsigned int i = 0; i < 10; i++) {
        uint64_t before = time_now_ns(), due = before + 20 * NS_PER_MS, after;
        struct sched_poll poll = {.nr_ports = 0, .timeout = due};

        hc_sched_op(SCHEDOP_poll, &poll);
        woken = running_since();
        after = time_now_ns();
        if (!CHECK(woken >= due && woken <= after,
                   "asked at %lu to wake at %lu, woken at %lu, it is %lu",
                   before, due, woken, after)) {
            return;
        }
    }
    late = time_now_ns();
    late_tsc = rdtsc();
    /* A reading lies between two times by it, some time apart. */
    ticks = late_tsc - early_tsc;
    want = (late - early) * khz / 1000000;
    CHECK(ticks + want / 10 >= want && ticks <= want + want / 10,
          "%lu ticks in %lu ns at %u kHz", ticks, late - early, khz);
}

static void check_own_tsd(void)
{
    uint64_t was = read_cr4();

    CHECK((was & CR4_TSD) == 0, "CR4 reads %lx: TSD is not ours", was);
    write_cr4(was | CR4_TSD);
    CHECK((read_cr4() & CR4_TSD) != 0, "TSD does not stay");
    CHECK(rdtsc() != 0, "the kernel with TSD");
    (void)user_tsc(USER_RDTSC, TRAP_GP);
    write_cr4(was);
    CHECK(user_tsc(USER_RDTSC, TRAP_SYSCALL) != 0, "TSD cleared");
}

static void as_guest(void)
{
    struct leaf time = cpuid(LEAF_TIME, 0), scale = cpuid(LEAF_TIME, 1);
    const struct vcpu_time_info *info = &vcpu_info0->time;

    CHECK((time.a & LEAF_VTSC) && time.b == TSC_ALWAYS && time.c != 0 &&
              time.d != 0,
          "leaf 3 says %x, mode %u, %u kHz, incarnation %u", time.a, time.b,
          time.c, time.d);
    CHECK(scale.c == info->tsc_to_system_mul &&
              (int32_t)scale.d == info->tsc_shift,
          "leaf 3 has %x %d, the page %x %d", scale.c, (int32_t)scale.d,
          info->tsc_to_system_mul, info->tsc_shift);
    /* The machine's has counted since it was switched on. */
    CHECK(rdtsc() / time.c < time_now_ns() / 1000000,
          "it does not begin with the guest: %lu at %lu ns", rdtsc(),
          time_now_ns());
    if (build_user()) {
        check_readings((time.a & LEAF_RDTSCP) != 0);
        check_own_tsd();
    }
    check_time(time.c);
    report(VERDICT_SUCCESS, "emulated at %u kHz", time.c);
}

/* ---- Dom0 ---------------------------------------------------------------- */

static long set_info(domid_t domid, uint32_t mode, uint32_t khz,
                     uint64_t elapsed, uint32_t incarnation)
{
    struct xen_domctl op = {.u.tsc_info = {.tsc_mode = mode,
                                           .gtsc_khz = khz,
                                           .incarnation = incarnation,
                                           .elapsed_nsec = elapsed}};

    return tiny_domctl(domid, &op, XEN_DOMCTL_settscinfo);
}

static struct xen_domctl_tsc_info get_info(domid_t domid)
{
    struct xen_domctl op;
    long rc;

    memset(&op, 0, sizeof(op));
    rc = tiny_domctl(domid, &op, XEN_DOMCTL_gettscinfo);
    CHECK(rc == 0, "gettscinfo: %ld", rc);
    return op.u.tsc_info;
}

static void check_kept(domid_t d, uint32_t khz, uint64_t elapsed)
{
    struct xen_domctl_tsc_info t;
    uint64_t before = time_now_ns(), after;

    CHECK(set_info(d, TSC_ALWAYS, khz, elapsed, 7) == 0, "set %u kHz", khz);
    time_sleep_ns(NS_PER_MS);
    t = get_info(d);
    after = time_now_ns();
    CHECK(t.tsc_mode == TSC_ALWAYS && t.incarnation == 8 &&
              (khz == 0 ? t.gtsc_khz == cpuid(LEAF_TIME, 0).c
                        : t.gtsc_khz == khz),
          "%u kHz: mode %u, %u kHz, incarnation %u", khz, t.tsc_mode,
          t.gtsc_khz, t.incarnation);
    CHECK(t.elapsed_nsec >= elapsed + NS_PER_MS &&
              t.elapsed_nsec <= elapsed + (after - before),
          "after %lu ns, %lu became %lu", after - before, elapsed,
          t.elapsed_nsec);
}

static void as_dom0(void)
{
    struct tiny t = {.vcpus = 1};
    struct xen_domctl_tsc_info info;
    long rc;

    tiny_window_open();
    rc = tiny_build(&t, TINY_HOG);
    if (!CHECK(rc == 0, "a guest: %ld", rc)) {
        return;
    }
    check_kept(t.domid, 0, 0);
    check_kept(t.domid, 1000000, 5);
    check_kept(t.domid, 3999999, 40000UL * 86400 * NS_PER_SEC);
    CHECK(set_info(t.domid, 3, 0, 0, 0) == -XEN_EINVAL, "mode 3");
    CHECK(set_info(t.domid, ~0U, 0, 0, 0) == -XEN_EINVAL, "mode ~0");
    CHECK(set_info(0, TSC_ALWAYS, 0, 0, 0) == -XEN_EINVAL, "our own");
    CHECK(get_info(t.domid).gtsc_khz == 3999999, "changed by what was refused");

    CHECK(set_info(t.domid, TSC_NEVER, 12345, 9, 1) == 0, "never");
    info = get_info(t.domid);
    CHECK(info.tsc_mode == TSC_NEVER && info.elapsed_nsec == 0 &&
              info.gtsc_khz == 0 && info.incarnation == 2,
          "never: mode %u, %lu ns, %u kHz, incarnation %u", info.tsc_mode,
          info.elapsed_nsec, info.gtsc_khz, info.incarnation);

    /* It has read its clock: its way of counting stays. */
    CHECK(tiny_unpause(&t) == 0, "unpause");
    CHECK(set_info(t.domid, TSC_ALWAYS, 0, 0, 0) == -XEN_EEXIST,
          "always, of one that runs");
    CHECK(set_info(t.domid, TSC_DEFAULT, 0, 0, 0) == 0,
          "default, of one that runs");
    CHECK(tiny_destroy(&t) == 0, "destroy");
    report(VERDICT_SUCCESS, "rates and ages are kept");
}

void stub_main(void)
{
    if (stub_is_dom0()) {
        as_dom0();
    } else {
        as_guest();
    }
}
