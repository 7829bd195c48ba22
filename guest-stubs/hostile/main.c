/* SPDX-License-Identifier: MIT */
/*
 * hostile - what a guest may ask for only to be refused, or left in peace.
 *
 * Claim: none of this ends the machine, and none of it reaches this domain as
 * a fault that it did not cause itself.
 * Plan:
 *   1. A multicall that goes to user mode by iret and then drops the user's
 *      page tables: the iret ends the list.
 *   2. A second vCPU that would start in user mode without page tables for
 *      it (needs two: dom0_max_vcpus=2, or vcpus = 2).
 *   3. Faults of the hypervisor while it switches to us, with interrupts off:
 *      a runstate area that is not mapped, a selector that is gone.
 *   4. An LDT with base 0 and no entries, sysenter's callback.
 */
#include "user.h"

const char stub_name[] = "hostile";

#define KERNEL_CS    (FLAT_KERNEL_CS & ~3UL)
#define OWN_SELECTOR 0x0bUL /* entry 1, RPL 3 */
#define OWN_SEGMENT  0x00cff3000000ffffUL
#define LONG_SLEEP   (3 * NS_PER_MS)

static uint64_t kernel_stack[512] __page_aligned;
static uint64_t gdt[512] __page_aligned;
static union {
    vcpu_runstate_info_t info;
    char page[PAGE_SIZE];
} runstate __page_aligned;
static struct vcpu_guest_context context __page_aligned;

static uint64_t back_vector, back_rip;

static bool from_user(struct trap_regs *regs)
{
    if ((regs->cs & 3) != 3) {
        return false;
    }
    back_vector = regs->vector;
    back_rip = regs->rip;
    user_leave(1);
}

/* multicall(rdi, rsi), its iret frame on the stack already. */
extern const char multicall_iret[];
__asm__(".pushsection .text\n"
        "multicall_iret:\n"
        "mov $13, %eax\n"
        "syscall\n"
        "ud2\n"
        ".popsection\n");

static bool build_user(void)
{
    static const unsigned char code[] = {0x0f, 0x05}; /* syscall */

    /* The list stays readable after the iret. */
    user_l4[511] = mm_pte(user_l4, 4);
    return user_build(code, sizeof(code), 1);
}

static void check_iret_in_multicall(void)
{
    static struct mmuext_op drop = {.cmd = MMUEXT_NEW_USER_BASEPTR};
    static struct multicall_entry list[] = {
        {.op = __HYPERVISOR_iret},
        {.op = __HYPERVISOR_mmuext_op,
         .args = {(unsigned long)&drop, 1, 0, DOMID_SELF}},
    };
    const uint64_t frame[9] = {
        0x1234, 0,        0, 0, USER_VA, FLAT_USER_CS, RFLAGS_IF | 2,
        USER_STACK, FLAT_USER_SS,
    };
    struct trap_regs regs = {
        .rip = (uint64_t)multicall_iret,
        .cs = KERNEL_CS,
        .rflags = 2,
        .rsp = (uint64_t)&kernel_stack[512 - ARRAY_SIZE(frame)],
        .ss = FLAT_KERNEL_SS,
        .rdi = (uint64_t)list,
        .rsi = ARRAY_SIZE(list),
    };

    memcpy(&kernel_stack[512 - ARRAY_SIZE(frame)], frame, sizeof(frame));
    list[1].result = 0x5555;
    user_enter(&regs);
    CHECK(back_vector == TRAP_SYSCALL && back_rip == USER_VA + 2,
          "iret in a multicall: back by %lu from %lx", back_vector, back_rip);
    CHECK(list[1].result == 0x5555, "the call after an iret was made: %ld",
          (long)list[1].result);
    regs = (struct trap_regs){.rip = USER_VA,
                              .cs = FLAT_USER_CS,
                              .rflags = 2 | RFLAGS_IF,
                              .rsp = USER_STACK,
                              .ss = FLAT_USER_SS};
    back_vector = 0;
    user_enter(&regs);
    CHECK(back_vector == TRAP_SYSCALL, "user mode afterwards: %lu",
          back_vector);
}

static void check_vcpu_without_tables(void)
{
    long rc;

    if (hc_vcpu_op(VCPUOP_is_up, 1, NULL) != 0) {
        return;
    }
    context.user_regs.rip = USER_VA;
    context.user_regs.cs = FLAT_USER_CS;
    context.user_regs.ss = FLAT_USER_SS;
    context.ctrlreg[3] = (unsigned long)mm_mfn((void *)start_info->pt_base)
                         << PAGE_SHIFT;
    rc = hc_vcpu_op(VCPUOP_initialise, 1, &context);
    CHECK(rc < 0, "a vCPU in user mode without tables: %ld", rc);
    if (rc == 0) {
        (void)hc_vcpu_op(VCPUOP_up, 1, NULL);
        time_sleep_ns(LONG_SLEEP);
    }
}

static void sleep_often(void)
{
    for (unsigned int i = 0; i < 8; i++) {
        time_sleep_ns(LONG_SLEEP);
    }
}

static void check_runstate_unmapped(void)
{
    struct vcpu_register_runstate_memory_area area = {
        .addr.p = (uint64_t)&runstate};

    CHECK(hc_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &area) == 0,
          "register the runstate area");
    CHECK(runstate.info.state == RUNSTATE_running, "runstate %d",
          runstate.info.state);
    CHECK(mm_protect(&runstate, 0) == 0, "unmap the runstate area");
    sleep_often();
    CHECK(mm_protect(&runstate, PTE_FLAGS_DATA) == 0, "map it again");
}

static void check_selector_gone(void)
{
    unsigned long frame = mm_mfn(gdt);
    bool was_there, is_there;

    gdt[1] = OWN_SEGMENT;
    if (!CHECK(mm_protect(gdt, PTE_FLAGS_RO) == 0, "make the GDT read-only") ||
        !CHECK(hypercall2(__HYPERVISOR_set_gdt, (unsigned long)&frame, 512) ==
                   0,
               "set_gdt")) {
        return;
    }
    __asm__ volatile("mov %0, %%fs\n\tmov %0, %%gs\n\tmov %0, %%es"
                     :
                     : "r"((uint32_t)OWN_SELECTOR));
    sleep_often();
    {
        uint32_t fs;

        __asm__ volatile("mov %%fs, %0" : "=r"(fs));
        was_there = (fs & 0xffff) == OWN_SELECTOR;
    }
    CHECK(was_there, "fs was lost in a switch");
    CHECK(hypercall2(__HYPERVISOR_set_gdt, (unsigned long)&frame, 0) == 0,
          "drop the GDT");
    sleep_often();
    {
        uint32_t fs;

        __asm__ volatile("mov %%fs, %0" : "=r"(fs));
        is_there = (fs & 0xffff) == OWN_SELECTOR;
    }
    CHECK(!is_there, "fs kept a selector that is gone");
    __asm__ volatile("mov %0, %%fs\n\tmov %0, %%gs\n\tmov %0, %%es"
                     :
                     : "r"(0));
}

static void check_small_things(void)
{
    struct mmuext_op ldt = {.cmd = MMUEXT_SET_LDT};
    long rc;

    CHECK(hc_mmuext_op(&ldt, 1, NULL) == 0, "an empty LDT");
    /* What is registered must also be called, or 32-bit programs fail. */
    rc = hc_callback_register(CALLBACKTYPE_sysenter, 0, multicall_iret);
    CHECK(rc == 0 || rc == -XEN_ENOSYS || rc == -XEN_EINVAL,
          "sysenter callback: %ld", rc);
}

/* The failsafe callback for a selector that is gone is fair, too. */
static bool on_failsafe(struct trap_regs *regs)
{
    (void)regs;
    return true;
}

void stub_main(void)
{
    trap_handle(TRAP_SYSCALL, from_user);
    trap_handle(TRAP_PF, from_user);
    trap_handle(TRAP_GP, from_user);
    trap_handle(TRAP_FAILSAFE, on_failsafe);
    check_small_things();
    check_runstate_unmapped();
    check_selector_gone();
    check_vcpu_without_tables();
    if (build_user()) {
        check_iret_in_multicall();
    }
    report(VERDICT_SUCCESS, "refused, and still here");
}
