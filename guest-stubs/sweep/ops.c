/* SPDX-License-Identifier: MIT */
/*
 * ops.c - the operations that are interrupted, and the handlers they need.
 */
#include "ops.h"

volatile uint64_t path_upcalls;

/* Frame at entry: rcx r11 [error code] rip cs rflags rsp ss. */
__asm__(".text\n"
        ".globl skip0, skip2, code_skip2, upcall\n"
        ".globl op_call, op_int3, op_ud2, op_pf, op_iret, op_rdmsr\n"
        ".globl op_idle, op_spin, op_switch, op_user, op_wait, op_long_wait\n"
        ".globl count0, op_rsp, op_watch, op_end\n"
        ".globl user_done, user_done_code\n"
        ".balign 16\n"
        "skip0:\n"
        "pop %rcx\n"
        "pop %r11\n"
        TRAP_IRET("0")
        ".balign 16\n"
        "skip2:\n"
        "pop %rcx\n"
        "pop %r11\n"
        "addq $2, (%rsp)\n"
        TRAP_IRET("0")
        ".balign 16\n"
        "code_skip2:\n"
        "pop %rcx\n"
        "pop %r11\n"
        "add $8, %rsp\n"
        "addq $2, (%rsp)\n"
        TRAP_IRET("0")
        ".balign 16\n"
        "count0:\n"
        "incq path_upcalls(%rip)\n"
        "pop %rcx\n"
        "pop %r11\n"
        TRAP_IRET("0")
        ".balign 16\n"
        "upcall:\n"
        "incq path_upcalls(%rip)\n"
        "movb $0, shared_info_area(%rip)\n" /* evtchn_upcall_pending */
        "pop %rcx\n"
        "pop %r11\n"
        TRAP_IRET("0")
        ".balign 16\n"
        "op_call:\n"
        "syscall\n"
        "jmp shot_done\n"
        /* Its stack pointer is r12; there is no stack. */
        "op_rsp:\n"
        "mov %rsp, %rbx\n"
        "mov %r12, %rsp\n"
        "syscall\n"
        "mov %rbx, %rsp\n"
        "jmp shot_done\n"
        /* The hypervisor uses what r12 points to, then we read it. */
        "op_watch:\n"
        "syscall\n"
        "mov (%r12), %r12\n"
        "jmp shot_done\n"
        "op_int3:\n"
        "int3\n"
        "jmp shot_done\n"
        "op_ud2:\n"
        "ud2\n"
        "jmp shot_done\n"
        "op_pf:\n"
        "mov (%rcx), %eax\n"
        "jmp shot_done\n"
        "op_rdmsr:\n"
        "rdmsr\n"
        "jmp shot_done\n"
        /* rdi, rsi: of the first call; rdx: whose upcall; sleeps until it. */
        "op_idle:\n"
        "syscall\n"
        "1: movb $1, shared_info_area+1(%rip)\n" /* evtchn_upcall_mask */
        "cmpq $0, path_upcalls(%rip)\n"
        "jne 2f\n"
        "mov $29, %eax\n" /* __HYPERVISOR_sched_op */
        "mov $1, %edi\n"  /* SCHEDOP_block */
        "xor %esi, %esi\n"
        "syscall\n"
        "jmp 1b\n"
        "2:\n"
        "op_end:\n"
        "xor %edi, %edi\n"
        "xor %esi, %esi\n"
        "xor %ecx, %ecx\n"
        "xor %r11d, %r11d\n"
        "xor %eax, %eax\n"
        "jmp shot_done\n"
        /* The same, awake. */
        "op_spin:\n"
        "syscall\n"
        "1: cmpq $0, path_upcalls(%rip)\n"
        "je 1b\n"
        "jmp op_end\n"
        /* The same until a port is pending, its number in r12. */
        "op_switch:\n"
        "syscall\n"
        "1: lock btr %r12, shared_info_area+2048(%rip)\n"
        "jc op_end\n"
        "mov $29, %eax\n"
        "mov $3, %edi\n" /* SCHEDOP_poll */
        "mov %r13, %rsi\n"
        "syscall\n"
        "jmp 1b\n"
        /* To user mode: r12 is cs there, rbx rip, rdx rflags, rbp rsp. */
        "op_user:\n"
        "push $0xe02b\n" /* FLAT_USER_SS */
        "push %rbp\n"
        "push %rdx\n"
        "push %r12\n"
        "push %rbx\n"
        TRAP_IRET("0x100") /* VGCF_in_syscall: rcx and r11 are free */
        /* And from there, on the stack of the kernel, which is left. */
        ".balign 16\n"
        "user_done_code:\n"
        "pop %rcx\n"
        "pop %r11\n"
        "mov (%rsp), %r9\n"
        "mov shot+128(%rip), %rsp\n"
        "jmp shot_done\n"
        ".balign 16\n"
        "user_done:\n"
        "pop %rcx\n"
        "pop %r11\n"
        "mov shot+128(%rip), %rsp\n"
        "jmp shot_done\n"
        /* The frame of the iret hypercall, for the instruction after it. */
        ".balign 16\n"
        "op_iret:\n"
        "mov %rsp, %rbx\n"
        "push $0xe02b\n"
        "push %rbx\n"
        "pushf\n"
        "push $0xe030\n"
        "lea 1f(%rip), %rbx\n"
        "push %rbx\n"
        "push $0\n"
        "push %rcx\n"
        "push %r11\n"
        "push %rax\n"
        "mov $23, %eax\n"
        "syscall\n"
        "1: jmp shot_done\n"
        /* Nothing at all, but there is another NMI. */
        "op_long_wait:\n"
        "mov $9600, %ecx\n"
        "1: dec %ecx\n"
        "jnz 1b\n"
        "op_wait:\n"
        ".skip 64, 0x90\n"
        "jmp shot_done\n");
_Static_assert(FLAT_KERNEL_SS == 0xe02b && FLAT_KERNEL_CS == 0xe033 &&
                   FLAT_USER_SS == 0xe02b && __HYPERVISOR_sched_op == 29 &&
                   SCHEDOP_poll == 3 && SCHEDOP_block == 1,
               "numbers in the assembly");
_Static_assert(offsetof(struct shot, in.rsp) == 128, "shot+128");
_Static_assert(offsetof(struct shared_info, evtchn_pending) == 2048 &&
                   offsetof(struct vcpu_info, evtchn_upcall_mask) == 1,
               "offsets in the shared page");
