/* SPDX-License-Identifier: MIT */
/*
 * iret - to user mode and back, and what the iret hypercall restores.
 *
 * Claim: iret goes to user or kernel mode as the RPL of cs says, with the
 * user's page table and GS base; anything from user mode comes back on the
 * stack given by stack_switch with the user's registers; the IF of the frame
 * becomes the upcall mask, and unmasking that way delivers what is pending.
 * Plan:
 *   1. Kernel to kernel: IF 0 and 1 in the frame, with an event pending.
 *   2. A user page table of our own, pinned; user code that makes a syscall,
 *      executes ud2, int3, hlt, reads kernel memory, reads through gs.
 *   3. iret to a bad selector is reported to us, not fatal.
 */
#include "user.h"

const char stub_name[] = "iret";

#define IOPL_3 0x3000UL

/* What came back from user mode. */
static struct trap_regs seen;
static uint64_t seen_at, seen_cr2;

/* One routine every 16 bytes, copied to USER_VA. */
extern const char user_image[], user_image_end[];
__asm__(".pushsection .rodata\n"
        ".balign 16\n"
        "user_image:\n"
        "syscall\n" /* 0 */
        ".balign 16\n"
        "ud2\n" /* 1 */
        ".balign 16\n"
        "int3\n" /* 2 */
        ".balign 16\n"
        "hlt\n" /* 3 */
        ".balign 16\n"
        "mov (%rdi), %rax\n" /* 4 */
        ".balign 16\n"
        "mov %gs:8, %rax\n" /* 5 */
        "syscall\n"
        ".balign 16\n"
        "push %rdi\n" /* 6 */
        "pop %rax\n"
        "syscall\n"
        ".balign 16\n"
        "user_image_end:\n"
        ".popsection\n");

enum user_routine {
    USER_SYSCALL,
    USER_UD2,
    USER_INT3,
    USER_HLT,
    USER_READ,
    USER_READ_GS,
    USER_PUSH,
};

static bool from_user(struct trap_regs *regs)
{
    if ((regs->cs & 3) != 3) {
        return false;
    }
    seen = *regs;
    seen_at = (uint64_t)regs;
    seen_cr2 = vcpu_info0->arch.cr2;
    user_leave(1);
}

/* For kernel-to-kernel: the handler chooses the mask to return with. */
static uint64_t return_if;
static uint8_t mask_in_handler;

static bool on_ud(struct trap_regs *regs)
{
    if (from_user(regs)) {
        return true;
    }
    mask_in_handler = READ_ONCE(vcpu_info0->evtchn_upcall_mask);
    regs->rflags = (regs->rflags & ~RFLAGS_IF) | return_if;
    regs->rip += 2;
    return true;
}

static void check_kernel(void)
{
    struct evtchn_bind_ipi bind = {.vcpu = 0};
    struct evtchn_send send;

    CHECK(hc_evtchn_op(EVTCHNOP_bind_ipi, &bind) == 0, "bind_ipi");
    CHECK(evtchn_unmask(bind.port) == 0, "unmask");
    send.port = bind.port;

    events_enable();
    return_if = 0;
    __asm__ volatile("ud2" ::: "memory");
    CHECK(mask_in_handler == 1, "the gate did not mask events");
    CHECK(READ_ONCE(vcpu_info0->evtchn_upcall_mask) == 1,
          "IF 0 left the mask clear");
    CHECK(hc_evtchn_op(EVTCHNOP_send, &send) == 0, "send");
    CHECK(evtchn_count(bind.port) == 0, "an upcall in spite of the mask");
    return_if = RFLAGS_IF;
    __asm__ volatile("ud2" ::: "memory");
    CHECK(READ_ONCE(vcpu_info0->evtchn_upcall_mask) == 0,
          "IF 1 left the mask set");
    CHECK(evtchn_count(bind.port) == 1, "iret delivered %u events",
          evtchn_count(bind.port));
    events_disable();
}

static bool build_user(void)
{
    user_data[0][1] = 0x65756c6176737347UL;
    return user_build(user_image, (size_t)(user_image_end - user_image), 1);
}

static void run(const char *what, enum user_routine routine, uint64_t rdi,
                uint64_t vector, uint64_t rip_offset)
{
    struct trap_regs regs = {
        .rip = USER_VA + 16 * routine,
        .cs = FLAT_USER_CS,
        .rflags = 2 | RFLAGS_IF | IOPL_3,
        .rsp = USER_STACK,
        .ss = FLAT_USER_SS,
        .rdi = rdi,
        .rax = 0x1234,
        .rbx = 0xb0b0,
        .r15 = 0xf0f0,
    };

    memset(&seen, 0, sizeof(seen));
    user_enter(&regs);
    CHECK(seen.vector == vector, "%s: came back by %lu", what, seen.vector);
    CHECK(seen.rip == regs.rip + rip_offset, "%s: rip %lx", what, seen.rip);
    CHECK((seen.cs & 0xffff) == FLAT_USER_CS, "%s: cs %lx", what, seen.cs);
    CHECK((seen.cs >> 32 & 0xff) == 0, "%s: cs %lx says masked", what, seen.cs);
    CHECK((seen.ss & 0xffff) == FLAT_USER_SS, "%s: ss %lx", what, seen.ss);
    CHECK(seen.rsp == USER_STACK, "%s: rsp %lx", what, seen.rsp);
    CHECK((seen.rflags & (RFLAGS_IF | IOPL_3)) == RFLAGS_IF, "%s: rflags %lx",
          what, seen.rflags);
    CHECK(seen.rbx == 0xb0b0 && seen.r15 == 0xf0f0, "%s: rbx %lx r15 %lx", what,
          seen.rbx, seen.r15);
    CHECK(seen_at >= (uint64_t)user_trap_stack &&
              seen_at < (uint64_t)&user_trap_stack[512],
          "%s: the frame is at %lx, not on the kernel stack", what, seen_at);
    CHECK(READ_ONCE(vcpu_info0->evtchn_upcall_mask) == 1,
          "%s: events not masked", what);
}

static void check_user(void)
{
    run("syscall", USER_SYSCALL, 0, TRAP_SYSCALL, 2);
    CHECK(seen.rax == 0x1234, "syscall number %lx", seen.rax);
    run("ud2", USER_UD2, 0, TRAP_UD, 0);
    run("int3", USER_INT3, 0, TRAP_BP, 1);
    run("hlt", USER_HLT, 0, TRAP_GP, 0);
    run("kernel read", USER_READ, (uint64_t)user_data, TRAP_PF, 0);
    CHECK(seen.error == 4, "kernel read: error code %lx", seen.error);
    CHECK(seen_cr2 == (uint64_t)user_data, "kernel read: cr2 %lx", seen_cr2);
    run("hypervisor read", USER_READ, 0xffff830000001000UL, TRAP_PF, 0);
    run("stack", USER_PUSH, 0x5678, TRAP_SYSCALL, 4);
    CHECK(seen.rax == 0x5678, "push and pop gave %lx", seen.rax);
}

#define MSR_GS_BASE 0xc0000101U

static void check_gs(void)
{
    CHECK(hc_set_segment_base(SEGBASE_GS_KERNEL, 0x123456000UL) == 0,
          "kernel gs");
    CHECK(hc_set_segment_base(SEGBASE_GS_USER, USER_DATA_VA) == 0, "user gs");
    run("read through gs", USER_READ_GS, 0, TRAP_SYSCALL, 11);
    CHECK(seen.rax == user_data[0][1], "gs:8 is %lx in user mode", seen.rax);
    CHECK(rdmsr(MSR_GS_BASE) == 0x123456000UL, "back with gs base %lx",
          rdmsr(MSR_GS_BASE));
    CHECK(hc_set_segment_base(SEGBASE_GS_KERNEL, 0) == 0, "kernel gs 0");
}

/* Bad selector: Xen 4.17 says #GP(selector); a failsafe callback is fair. */
static volatile uint64_t bad_vector, bad_error;

static bool on_bad_selector(struct trap_regs *regs)
{
    if ((regs->cs & 0xfff8) != 0x1000) {
        return from_user(regs);
    }
    bad_vector = regs->vector;
    bad_error = regs->error;
    user_leave(1);
}

static void check_bad_selector(void)
{
    struct trap_regs regs = {
        .rip = USER_VA,
        .cs = 0x1000,
        .rflags = 2,
        .rsp = (uint64_t)&user_trap_stack[512],
        .ss = FLAT_KERNEL_SS,
    };

    trap_handle(TRAP_GP, on_bad_selector);
    trap_handle(TRAP_FAILSAFE, on_bad_selector);
    user_enter(&regs);
    CHECK((bad_vector == TRAP_GP && bad_error == 0x1000) ||
              bad_vector == TRAP_FAILSAFE,
          "a bad cs came back by %lu, error %lx", bad_vector, bad_error);
}

void stub_main(void)
{
    trap_handle(TRAP_UD, on_ud);
    trap_handle(TRAP_BP, from_user);
    trap_handle(TRAP_GP, from_user);
    trap_handle(TRAP_PF, from_user);
    trap_handle(TRAP_SYSCALL, from_user);
    check_kernel();
    if (build_user()) {
        check_user();
        check_gs();
        check_bad_selector();
    }
    report(VERDICT_SUCCESS, "user mode and back");
}
