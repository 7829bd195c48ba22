/* SPDX-License-Identifier: MIT */
/*
 * moves.c - a hard affinity that changes twice: to the other processor and back,
 * with an NMI to this one or to that one meanwhile.
 *
 * Which processor it is CPUID says, which a paravirtual guest of QEMU's runs
 * itself.
 *
 * Under -icount QEMU lets CPU 1 run when CPU 0 halts or says PAUSE, and CPU 0 when a
 * timer is due: so an NMI to CPU 0 is handled between any two instructions of CPU 1,
 * one to CPU 1 when CPU 0 has done its part.  That is why there are both homes.
 */
#define __XEN_TOOLS__ 1

#include "moves.h"
#include "ops.h"
#include "vcpus.h"

#include <xen/domctl.h>

static struct sched_pin_override to_other, to_own = {.pcpu = -1};
static unsigned int home; /* CPU where it begins and ends */
static unsigned long told_there;

/* rax: of the first call.  r14: both answers; r15, rbx: where it was. */
extern const char op_move_there[], op_move_back[];
__asm__(".text\n"
        ".globl op_move\n"
        ".balign 16\n"
        "op_move:\n"
        "syscall\n"
        "op_move_there:\n"
        "mov %rax, %r14\n"
        "mov $1, %eax\n"
        "cpuid\n"
        "shr $24, %ebx\n" /* the number of its local APIC */
        "mov %rbx, %r15\n"
        "mov $29, %eax\n" /* __HYPERVISOR_sched_op */
        "mov $7, %edi\n"  /* SCHEDOP_pin_override */
        "mov %r13, %rsi\n"
        "op_move_back:\n"
        "syscall\n"
        "or %rax, %r14\n"
        "mov $1, %eax\n"
        "cpuid\n"
        "shr $24, %ebx\n"
        "xor %edx, %edx\n"
        "jmp op_end\n");
_Static_assert(__HYPERVISOR_sched_op == 29 && SCHEDOP_pin_override == 7,
               "numbers in the assembly");

static bool live_on(unsigned int cpu)
{
    uint8_t cpus = (uint8_t)(1U << cpu);
    struct xen_domctl op = {
        .cmd = XEN_DOMCTL_setvcpuaffinity,
        .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
        .u.vcpuaffinity = {.flags = XEN_VCPUAFFINITY_HARD,
                           .cpumap_hard = {.nr_bits = 8}},
    };
    long rc;

    set_xen_guest_handle(op.u.vcpuaffinity.cpumap_hard.bitmap, &cpus);
    rc = hypercall2(__HYPERVISOR_domctl, (unsigned long)&op, 0);
    home = cpu;
    to_other.pcpu = (int32_t)(1 - cpu);
    told_there = 0;
    return CHECK(rc == 0, "affinity: %ld", rc);
}

bool moves_begin(void)
{
    return CHECK(vcpus_there() >= MOVES_CPUS, "no second vcpu") &&
           path_begin_idle() && live_on(0);
}

bool moves_begin_there(void)
{
    return moves_begin() && live_on(1);
}

void moves_prepare(struct shot_regs *in)
{
    shot_target(path_variant);
    in->rax = __HYPERVISOR_sched_op;
    in->rdi = SCHEDOP_pin_override;
    in->rsi = (unsigned long)&to_other;
    in->r13 = (unsigned long)&to_own;
}

const char *moves_check(void)
{
    if (shot_nmi_rip >= (unsigned long)op_move_there &&
        shot_nmi_rip <= (unsigned long)op_move_back) {
        told_there++;
    }
    shot_nmi_rip = 0;
    if (shot.out.r14 != 0) {
        return "affinity was refused";
    }
    return shot.out.r15 == 1 - home && shot.out.rbx == home
               ? NULL
               : "it has not moved";
}

void moves_end(void)
{
    shot_target(0);
    print("sweep: %lu told on CPU %u, away from home\n", told_there, 1 - home);
    live_on(0);
}
