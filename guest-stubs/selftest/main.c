/* SPDX-License-Identifier: MIT */
/*
 * selftest - exceptions reach the guest's handlers as the CPU made them.
 *
 * Claim: #UD, #BP, #GP, #PF, #DE and #NM of a guest kernel are delivered once
 * each with the right rip, error code and cr2, every register survives the
 * trip, and the iret hypercall returns to the place the handler chose.
 * Plan: provoke each one at a labelled instruction, mended by the exception
 * table, and compare what trap_dispatch() saw.
 */
#include "stub.h"

const char stub_name[] = "selftest";

#define ERROR_P     1UL /* the page was present  */
#define ERROR_WRITE 2UL
#define ERROR_USER  4UL
#define ERROR_FETCH 16UL

static char data_page[PAGE_SIZE] __page_aligned;

/*
 * Run one instruction that traps; the label before it goes to *at_, for the
 * comparison with the rip the handler saw.
 */
#define PROBE(at_, insn, ...)                                                  \
    do {                                                                       \
        trap_seen.count = 0;                                                   \
        __asm__ volatile("lea 1f(%%rip), %[at]\n\t"                            \
                         "1: " insn "\n"                                       \
                         "2:\n\t" EXTABLE("1b", "2b")                          \
                         : [at] "=&r"(at_)                                     \
                         : __VA_ARGS__                                         \
                         : "memory", "cc");                                    \
    } while (0)

static void expect(const char *what, unsigned long vector, unsigned long error,
                   uint64_t at)
{
    CHECK(trap_seen.count == 1, "%s: %u traps", what, trap_seen.count);
    CHECK(trap_seen.vector == vector, "%s: vector %lu", what, trap_seen.vector);
    CHECK(trap_seen.error == error, "%s: error code %lx, expected %lx", what,
          trap_seen.error, error);
    CHECK(trap_seen.rip == at, "%s: rip %lx, expected %lx", what, trap_seen.rip,
          at);
    CHECK((trap_seen.cs & 3) == 0, "%s: cs %lx is not the kernel's", what,
          trap_seen.cs);
    CHECK((trap_seen.cs >> 32 & 0xff) == 1,
          "%s: cs %lx hides that events "
          "were masked",
          what, trap_seen.cs);
    CHECK(!(trap_seen.rflags & RFLAGS_IF),
          "%s: rflags %lx has IF, though "
          "events were masked",
          what, trap_seen.rflags);
}

static bool on_breakpoint(struct trap_regs *regs)
{
    trap_seen.count++;
    trap_seen.vector = regs->vector;
    trap_seen.error = regs->error;
    trap_seen.rip = regs->rip;
    trap_seen.cs = regs->cs;
    trap_seen.rflags = regs->rflags;
    return true;
}

static void check_ud_and_gp(void)
{
    uint64_t at;

    PROBE(at, "ud2", "i"(0));
    expect("ud2", TRAP_UD, 0, at);
    PROBE(at, "hlt", "i"(0));
    expect("hlt", TRAP_GP, 0, at);
    /*
     * Vector 0x81 has no gate: #GP with the IDT bit, the vector above it.
     * QEMU before 8 puts the vector one bit too high (n * 16 + 2).
     */
    PROBE(at, "int $0x81", "i"(0));
    expect("int 0x81", TRAP_GP,
           trap_seen.error == 0x81 * 16 + 2 ? 0x81 * 16 + 2 : 0x81 * 8 + 2, at);
    PROBE(at, "mov %w[sel], %%fs", [sel] "r"(0x1000));
    expect("bad selector", TRAP_GP, 0x1000, at);
    /* Not canonical; any base but rbp and rsp gives #GP, not #SS. */
    PROBE(at, "movb $0, (%[va])", [va] "r"(0x8000000000000000UL));
    expect("not canonical", TRAP_GP, 0, at);
    PROBE(at, "wrmsr", "c"(0x12345), "a"(0), "d"(0));
    expect("wrmsr of no MSR", TRAP_GP, 0, at);
}

static void check_bp(void)
{
    uint64_t at;

    /* A trap, not a fault: rip is after the one-byte instruction. */
    trap_handle(TRAP_BP, on_breakpoint);
    PROBE(at, "int3", "i"(0));
    expect("int3", TRAP_BP, 0, at + 1);
    /* The long form too goes by the gate's DPL, which is 3. */
    PROBE(at, ".byte 0xcd, 0x03", "i"(0));
    expect("int $3", TRAP_BP, 0, at + 2);
    trap_handle(TRAP_BP, NULL);
}

static void check_pf_at(const char *what, uint64_t va, uint64_t error)
{
    CHECK(trap_seen.cr2 == va, "%s: cr2 %lx, expected %lx", what, trap_seen.cr2,
          va);
    CHECK(!(error & ERROR_USER), "%s: kernel faults have no user bit", what);
}

static void check_pf(void)
{
    char *page = data_page;
    uint64_t at, va = (uint64_t)page + 0x123;

    /* Nothing there at all, below the kernel. */
    PROBE(at, "movb (%[va]), %%al", [va] "r"(0x700000123UL), "a"(0));
    expect("read of nothing", TRAP_PF, 0, at);
    check_pf_at("read of nothing", 0x700000123UL, trap_seen.error);

    CHECK(!mm_protect(page, 0), "unmap");
    PROBE(at, "movb $1, (%[va])", [va] "r"(va));
    expect("write to an unmapped page", TRAP_PF, ERROR_WRITE, at);
    check_pf_at("write to an unmapped page", va, trap_seen.error);

    CHECK(!mm_protect(page, PTE_FLAGS_RO), "map read-only");
    PROBE(at, "movb $1, (%[va])", [va] "r"(va));
    expect("write to a read-only page", TRAP_PF, ERROR_P | ERROR_WRITE, at);
    check_pf_at("write to a read-only page", va, trap_seen.error);
    trap_seen.count = 0;
    CHECK(page[0x123] == 0, "the write went through");

    CHECK(!mm_protect(page, PTE_FLAGS_DATA), "map writable");
    trap_seen.count = 0;
    WRITE_ONCE(page[0x123], 7);
    CHECK(trap_seen.count == 0 && page[0x123] == 7, "still not writable");

    /* The machine-to-physical table is ours to read, not to write. */
    va = MACH2PHYS_VIRT_START;
    PROBE(at, "movb $1, (%[va])", [va] "r"(va));
    expect("write to the M2P", TRAP_PF, ERROR_P | ERROR_WRITE, at);
    check_pf_at("write to the M2P", va, trap_seen.error);
    /* And the hypervisor itself is neither. */
    va = 0xffff830000000000UL;
    PROBE(at, "movb (%[va]), %%al", [va] "r"(va), "a"(0));
    CHECK(trap_seen.count == 1 && trap_seen.vector == TRAP_PF,
          "hypervisor memory: %u traps, vector %lu", trap_seen.count,
          trap_seen.vector);
}

static void check_de_and_nm(void)
{
    uint64_t at;
    unsigned int low = 1, high = 0;

    trap_seen.count = 0;
    __asm__ volatile("lea 1f(%%rip), %[at]\n\t"
                     "1: divl %[zero]\n"
                     "2:\n\t" EXTABLE("1b", "2b")
                     : [at] "=&r"(at), "+a"(low), "+d"(high)
                     : [zero] "r"(0)
                     : "cc");
    expect("division by zero", TRAP_DE, 0, at);

    CHECK(!hypercall2(__HYPERVISOR_fpu_taskswitch, 1, 0), "set TS");
    PROBE(at, "fnop", "i"(0));
    expect("fnop with TS", TRAP_NM, 0, at);
    CHECK(!hypercall2(__HYPERVISOR_fpu_taskswitch, 0, 0), "clear TS");
    PROBE(at, "fnop", "i"(0));
    CHECK(!trap_seen.count, "fnop without TS traps");
}

/* All registers but rsp through a #UD: in = out. */
static void check_registers(void)
{
    uint64_t bad = 1;

    trap_seen.count = 0;
    __asm__ volatile(
        "push %%rbp\n\t"
        "mov $0x0101, %%eax\n\tmov $0x0202, %%ebx\n\t"
        "mov $0x0303, %%ecx\n\tmov $0x0404, %%edx\n\t"
        "mov $0x0505, %%esi\n\tmov $0x0606, %%edi\n\t"
        "mov $0x0707, %%ebp\n\tmov $0x0808, %%r8d\n\t"
        "mov $0x0909, %%r9d\n\tmov $0x1010, %%r10d\n\t"
        "mov $0x1111, %%r11d\n\tmov $0x1212, %%r12d\n\t"
        "mov $0x1313, %%r13d\n\tmov $0x1414, %%r14d\n\t"
        "mov $0x1515, %%r15d\n\t"
        "1: ud2\n"
        "2:\n\t" EXTABLE("1b",
                         "2b") "xor $0x0101, %%rax\n\txor $0x0202, %%rbx\n\t"
                               "xor $0x0303, %%rcx\n\txor $0x0404, %%rdx\n\t"
                               "xor $0x0505, %%rsi\n\txor $0x0606, %%rdi\n\t"
                               "xor $0x0707, %%rbp\n\txor $0x0808, %%r8\n\t"
                               "xor $0x0909, %%r9\n\txor $0x1010, %%r10\n\t"
                               "xor $0x1111, %%r11\n\txor $0x1212, %%r12\n\t"
                               "xor $0x1313, %%r13\n\txor $0x1414, %%r14\n\t"
                               "xor $0x1515, %%r15\n\t"
                               "or %%rbx, %%rax\n\tor %%rcx, %%rax\n\t"
                               "or %%rdx, %%rax\n\tor %%rsi, %%rax\n\t"
                               "or %%rdi, %%rax\n\tor %%rbp, %%rax\n\t"
                               "or %%r8, %%rax\n\tor %%r9, %%rax\n\t"
                               "or %%r10, %%rax\n\tor %%r11, %%rax\n\t"
                               "or %%r12, %%rax\n\tor %%r13, %%rax\n\t"
                               "or %%r14, %%rax\n\tor %%r15, %%rax\n\t"
                               "pop %%rbp"
        : "=&a"(bad)
        :
        : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",
          "r13", "r14", "r15", "cc", "memory");
    CHECK(trap_seen.count == 1 && !bad, "registers changed in bits %lx", bad);
}

void stub_main(void)
{
    check_ud_and_gp();
    check_bp();
    check_pf();
    check_de_and_nm();
    check_registers();
    report(VERDICT_SUCCESS, "exceptions are delivered and returned from");
}
