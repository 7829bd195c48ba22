/* SPDX-License-Identifier: MIT */
/*
 * hostile.c - paths of a guest that would fool the hypervisor by its rsp, rip,
 * flags and debug registers.
 */
#include "breakpoint.h"
#include "hostile.h"
#include "ops.h"

#define FLAG_TF       0x100UL
#define FLAG_DF       0x400UL
#define FLAG_AC       0x40000UL
#define DR6_NONE      0xffff0ff0UL
#define WATCH_8_BYTES 0xb0401UL /* DR7: DR0, reads and writes */

/*
 * Stack pointers of a hostile guest: a word or two below the top of each stack of
 * the hypervisor's, `block=` (x86/layout.h), of another processor's, and nonsense.
 */
static uint64_t hostile_rsp(void)
{
    static const uint64_t tops[] = {
        0xa000, /* NMI */ 0x8000, /* NMI */ 0x6000, /* #MC */ 0x4000, /* #MC */
        0x2000, /* #DF */ 0x1800, /* #DB */ 0xfc00, /* main */
    };
    static const uint64_t others[] = {
        0xffff82c80001a000, 0xffff82c800000040, 0x8000000000000000, 0x8,
    };
    unsigned int i = path_variant;

    _Static_assert(ARRAY_SIZE(tops) + ARRAY_SIZE(others) == HOSTILE_RSPS, "");
    if (i >= ARRAY_SIZE(tops)) {
        return others[i - ARRAY_SIZE(tops)];
    }
    return cmdline_number("block", 0xffff82d080200000UL) + tops[i] - 0x40;
}

/* Where it is goes into the frame alone, so it may be anything. */
void hostile_user_rsp(struct shot_regs *in)
{
    path_user(in, USER_SYSCALL);
    in->rbp = hostile_rsp();
}

void hostile_kernel_rsp(struct shot_regs *in)
{
    path_version(in);
    in->r12 = hostile_rsp();
}

/* One instruction, or a SYSCALL, with TF set. */
bool hostile_begin_tf(void)
{
    return path_user_gates() && path_gate(TRAP_DB, user_done);
}

void hostile_tf(struct shot_regs *in)
{
    path_user(in, USER_NOPS);
    in->rdx |= FLAG_TF;
}

void hostile_tf_syscall(struct shot_regs *in)
{
    path_user(in, USER_SYSCALL);
    in->rdx |= FLAG_TF;
}

/*
 * A watchpoint on what a hypercall reads, and then writes: our own read, right behind
 * it, is still reported.  The hypervisor's accesses are one #DB there, by QEMU's log:
 * from the first on it has none set.
 */
static struct xen_feature_info watched __attribute__((aligned(64)));
_Static_assert(sizeof(watched) == 8, "as WATCH_8_BYTES");

bool hostile_begin_watch(void)
{
    breakpoint_set_dr(0, (unsigned long)&watched);
    return path_gate(TRAP_DB, count0);
}

void hostile_watch(struct shot_regs *in)
{
    breakpoint_set_dr(7, BREAKPOINT_OFF);
    watched.submap = 0;
    path_upcalls = 0;
    breakpoint_set_dr(6, DR6_NONE);
    breakpoint_set_dr(7, WATCH_8_BYTES);
    path_call(in, __HYPERVISOR_xen_version, XENVER_get_features,
              (unsigned long)&watched, 0);
    in->r12 = (unsigned long)&watched;
}

const char *hostile_check_watch(void)
{
    breakpoint_set_dr(7, BREAKPOINT_OFF);
    if (watched.submap == 0) {
        return "nothing written";
    }
    return path_upcalls == 1 ? NULL : "not one hit of a watchpoint";
}

/*
 * Where an NMI or #MC asks which code it interrupted: user mode says that it is
 * there, by the addresses `gap=`, `hlt=` and `iret=`, or nowhere.  It faults at
 * its first instruction; one with TF, AC and DF set.
 */
void hostile_user_rip(struct shot_regs *in)
{
    static const char *const keys[] = {"gap", "hlt", "iret"};
    unsigned int i = path_variant;

    _Static_assert(ARRAY_SIZE(keys) + 1 == HOSTILE_RIPS, "");
    path_user(in, i < ARRAY_SIZE(keys)
                      ? cmdline_number(keys[i], 0xffff82d080200000UL)
                      : 0x8000000000000000UL);
    if (i == 1) {
        in->rdx |= FLAG_TF | FLAG_AC | FLAG_DF;
    }
}

/* A breakpoint at its third instruction; in the hypervisor none can be set. */
bool hostile_begin_dr(void)
{
    long rc = hypercall2(__HYPERVISOR_set_debugreg, 1,
                         cmdline_number("gap", 0xffff82d080200000UL));

    breakpoint_set_dr(0, USER_NOPS + 2);
    return CHECK(rc != 0, "a breakpoint in the hypervisor was taken") &&
           path_user_gates() && path_gate(TRAP_DB, user_done);
}

/* Once alone, once with TF, which then comes first. */
void hostile_dr(struct shot_regs *in)
{
    breakpoint_set_dr(6, DR6_NONE);
    breakpoint_set_dr(7, BREAKPOINT_ON);
    path_user(in, USER_NOPS);
    if (path_variant == 1) {
        in->rdx |= FLAG_TF;
    }
}

const char *hostile_check_dr(void)
{
    unsigned long dr6 = (unsigned long)hypercall2(__HYPERVISOR_get_debugreg, 6, 0);

    breakpoint_set_dr(7, BREAKPOINT_OFF);
    return (dr6 & 0x4001) == (path_variant == 1 ? 0x4000UL : 1UL)
               ? NULL
               : "DR6";
}
