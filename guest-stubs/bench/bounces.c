/* SPDX-License-Identifier: MIT */
/*
 * bench/bounces.c - exceptions, system calls and NMIs bounced to the guest.
 *
 * The handlers are as thin as a handler can be: what is left is the way down
 * and the iret hypercall back.  Each instruction that faults is two bytes
 * long, so that a handler skips it by adding 2 to the frame's rip.
 */
#include "bench.h"
#include "user.h"

#define HOLE_VA      0xffff830000000000UL

/* When the last timed handler began. */
uint64_t bench_handler_tsc;

extern const char fast_skip0[], fast_skip2[], fast_code_skip2[];
extern const char timed_skip0[], timed_code_skip2[];
extern const char fast_syscall[], timed_syscall[];

/* Frame at entry: rcx r11 [error code] rip cs rflags rsp ss. */
__asm__(".text\n"
        ".macro TAKE_TIME\n"
        "push %rax\n"
        "push %rdx\n"
        "rdtsc\n"
        "shl $32, %rdx\n"
        "or %rdx, %rax\n"
        "mov %rax, bench_handler_tsc(%rip)\n"
        "pop %rdx\n"
        "pop %rax\n"
        ".endm\n"
        ".balign 16\n"
        "fast_skip0:\n"
        "pop %rcx\n"
        "pop %r11\n"
        TRAP_IRET("0")
        ".balign 16\n"
        "fast_skip2:\n"
        "pop %rcx\n"
        "pop %r11\n"
        "addq $2, (%rsp)\n"
        TRAP_IRET("0")
        ".balign 16\n"
        "fast_code_skip2:\n"
        "pop %rcx\n"
        "pop %r11\n"
        "add $8, %rsp\n"
        "addq $2, (%rsp)\n"
        TRAP_IRET("0")
        ".balign 16\n"
        "timed_skip0:\n"
        "TAKE_TIME\n"
        "pop %rcx\n"
        "pop %r11\n"
        TRAP_IRET("0")
        ".balign 16\n"
        "timed_code_skip2:\n"
        "TAKE_TIME\n"
        "pop %rcx\n"
        "pop %r11\n"
        "add $8, %rsp\n"
        "addq $2, (%rsp)\n"
        TRAP_IRET("0")
        ".balign 16\n"
        "fast_syscall:\n"
        "pop %rcx\n"
        "pop %r11\n"
        TRAP_IRET("0x100") /* VGCF_in_syscall */
        ".balign 16\n"
        "timed_syscall:\n" /* user rbx: when it began; r12: the answer */
        "rdtsc\n"
        "shl $32, %rdx\n"
        "or %rdx, %rax\n"
        "sub %rbx, %rax\n"
        "mov %rax, %r12\n"
        "pop %rcx\n"
        "pop %r11\n"
        TRAP_IRET("0x100"));

static void fast_gate(unsigned int vector, const char *entry)
{
    long rc = trap_register_at(vector, 3, entry);

    if (rc) {
        report(VERDICT_FAILURE, "gate for vector %u: %ld", vector, rc);
    }
}

/* The trap itself, and when its handler began. */
#define BENCH_LATENCY(name, op)                                                \
    do {                                                                       \
        if (bench_begin(name)) {                                               \
            unsigned int left_ = bench_count(BENCH_MANY);                      \
                                                                               \
            while (left_--) {                                                  \
                uint64_t t0_ = bench_tsc();                                    \
                                                                               \
                op;                                                            \
                bench_sample(READ_ONCE(bench_handler_tsc) - t0_);              \
            }                                                                  \
            bench_end();                                                       \
        }                                                                      \
    } while (0)

#define INSN(text, ...) __asm__ volatile(text : : __VA_ARGS__ : "memory")

static uint64_t read_only_page[512] __page_aligned;

static void kernel_traps(void)
{
    fast_gate(TRAP_BP, fast_skip0);
    BENCH("int3_bounce", BENCH_MANY, , INSN("int3"));
    fast_gate(TRAP_BP, timed_skip0);
    BENCH("int3_to_handler_leg", BENCH_MANY, , INSN("int3"));
    BENCH_LATENCY("int3_entry_latency", INSN("int3"));
    fast_gate(TRAP_UD, fast_skip2);
    BENCH("ud2_bounce", BENCH_MANY, , INSN("ud2"));
    fast_gate(TRAP_PF, fast_code_skip2);
    BENCH("pf_bounce_notpresent", BENCH_MANY, ,
          INSN("mov (%0), %%eax", "b"(0x1000UL), "a"(0)));
    BENCH("pf_bounce_xen_va", BENCH_MANY, ,
          INSN("mov (%0), %%eax", "b"(HOLE_VA), "a"(0)));
    if (mm_protect(read_only_page, PTE_FLAGS_RO) == 0) {
        BENCH("pf_bounce_write_ro", BENCH_MANY, ,
              INSN("mov %%eax, (%0)", "b"(read_only_page), "a"(0)));
    }
    fast_gate(TRAP_PF, timed_code_skip2);
    BENCH_LATENCY("pf_entry_latency",
                  INSN("mov (%0), %%eax", "b"(0x1000UL), "a"(0)));
    fast_gate(TRAP_DE, fast_skip2);
    BENCH("de_bounce", BENCH_MANY, ,
          __asm__ volatile("div %%cl" : : "a"(1), "c"(0) : "memory"));
    fast_gate(TRAP_GP, fast_code_skip2);
    BENCH("gp_bounce_bad_selector", BENCH_MANY, ,
          INSN("mov %%eax, %%fs", "a"(0x1000)));
    BENCH("int_nn_unset_gp_bounce", BENCH_MANY, , INSN("int $0x90"));
}

static void nmis(void)
{
    fast_gate(TRAP_NMI, fast_skip0);
    BENCH("nmi_self_send_roundtrip", BENCH_MANY, ,
          hc_vcpu_op(VCPUOP_send_nmi, 0, NULL));
    fast_gate(TRAP_NMI, timed_skip0);
    BENCH_LATENCY("nmi_self_send_to_handler",
                  hc_vcpu_op(VCPUOP_send_nmi, 0, NULL));
}

/* ---- user mode ---------------------------------------------------------- */

/*
 * Loops, copied to USER_VA.  rdi: where the samples go, rsi: how many;
 * HLT, which faults, ends each.  rcx: an address that is not mapped.
 */
extern const char user_image[], user_image_end[];
extern const char user_syscall[], user_latency[], user_int3[], user_ud2[],
    user_read[];
__asm__(".pushsection .rodata\n"
        ".macro USER_LOOP name, result, insn:vararg\n"
        ".balign 16\n"
        "\\name:\n"
        "rdtsc\n"
        "shl $32, %rdx\n"
        "lea (%rax, %rdx), %rbx\n"
        "\\insn\n"
        ".ifc \\result,rax\n"
        "rdtsc\n"
        "shl $32, %rdx\n"
        "or %rdx, %rax\n"
        "sub %rbx, %rax\n"
        ".endif\n"
        "mov %\\result, (%rdi)\n"
        "add $8, %rdi\n"
        "dec %rsi\n"
        "jnz \\name\n"
        "hlt\n"
        ".endm\n"
        "user_image:\n"
        "USER_LOOP user_syscall, rax, syscall\n"
        "USER_LOOP user_latency, r12, syscall\n"
        "USER_LOOP user_int3, rax, int3\n"
        "USER_LOOP user_ud2, rax, ud2\n"
        "USER_LOOP user_read, rax, mov (%rcx), %eax\n"
        "user_image_end:\n"
        ".popsection\n");

static bool leave_user(struct trap_regs *regs)
{
    if ((regs->cs & 3) != 3) {
        return false;
    }
    user_leave(1);
}

static bool build_user(void)
{
    return user_build(user_image, (size_t)(user_image_end - user_image),
                      USER_DATA_MAX);
}

static void user_loop(const char *name, const char *loop)
{
    unsigned int count = bench_count(BENCH_MANY), i;
    struct trap_regs regs = {
        .rip = USER_VA + (uint64_t)(loop - user_image),
        .cs = FLAT_USER_CS,
        .rflags = 2 | RFLAGS_IF,
        .rsp = USER_STACK,
        .ss = FLAT_USER_SS,
        .rdi = USER_DATA_VA,
        .rsi = count,
        .rcx = 0x1000,
    };

    if (!bench_begin(name)) {
        return;
    }
    user_enter(&regs);
    for (i = 0; i < count; i++) {
        bench_sample(user_data[i / 512][i % 512]);
    }
    bench_end();
}

static void syscall_entry(const char *entry)
{
    long rc = hc_callback_register(CALLBACKTYPE_syscall, CALLBACKF_mask_events,
                                   entry);

    if (rc) {
        report(VERDICT_FAILURE, "syscall callback: %ld", rc);
    }
}

static void user_traps(void)
{
    fast_gate(TRAP_BP, fast_skip0);
    fast_gate(TRAP_UD, fast_skip2);
    fast_gate(TRAP_PF, fast_code_skip2);
    fast_gate(TRAP_GP, (const char *)trap_entry_points[TRAP_GP]);
    trap_handle(TRAP_GP, leave_user);
    syscall_entry(fast_syscall);
    user_loop("user_syscall_bounce", user_syscall);
    syscall_entry(timed_syscall);
    user_loop("user_syscall_entry_latency", user_latency);
    user_loop("user_int3_bounce", user_int3);
    user_loop("user_ud2_bounce", user_ud2);
    user_loop("user_pf_bounce", user_read);
}

static void run(void)
{
    kernel_traps();
    nmis();
    if (build_user()) {
        user_traps();
    }
    traps_init(); /* for those who come after */
    trap_handle(TRAP_GP, NULL);
}

const struct bench_area bench_bounces = {"bounces", run};
