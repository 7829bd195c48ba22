/* SPDX-License-Identifier: MIT */
/*
 * pv/pte_decode against the processor: each instruction is run for real on a
 * word of memory, and decoded and applied; everything visible must agree.
 */
#include "tests/unit/unit.h"

#include <sys/mman.h>

#include "pv/pte_decode.h"

#define FLAGS_SEEN 0x8d5UL /* OF SF ZF AF PF CF */

static uint8_t *code; /* a page that can be written and executed */

/* Run @len bytes with the operand at rdi; rax rcx rdx as in @regs. */
static void run_native(const uint8_t *insn, unsigned int len,
                       struct cpu_regs *regs, uint64_t *mem)
{
    uint64_t rax = regs->rax, rcx = regs->rcx, rdx = regs->rdx;
    uint64_t rdi = (uint64_t)mem, flags = regs->rflags, r9 = regs->r9;

    memcpy(code, insn, len);
    code[len] = 0xc3;
    asm volatile("mov %[r9], %%r9\n"
                 "push %[flags]\n"
                 "popf\n"
                 "call *%[code]\n"
                 "pushf\n"
                 "pop %[flags]\n"
                 "mov %%r9, %[r9]\n"
                 "cld\n"
                 : "+a"(rax), "+c"(rcx), "+d"(rdx),
                   "+D"(rdi), [flags] "+&b"(flags), [r9] "+&S"(r9)
                 : [code] "r"(code)
                 : "r9", "memory", "cc");
    regs->rax = rax;
    regs->rcx = rcx;
    regs->rdx = rdx;
    regs->r9 = r9;
    regs->rflags = flags;
}

struct sample {
    uint8_t len;
    uint8_t b[15];
    bool undefined_flags; /* AF is undefined after and, or, xor */
    bool only_carry;
};

/* The operand is [rdi]. */
static const struct sample samples[] = {
    /* clang-format off */
    {3, {0x48, 0x89, 0x07}, 0, 0},                         /* mov rax,[rdi]   */
    {3, {0x4c, 0x89, 0x0f}, 0, 0},                         /* mov r9,[rdi]    */
    {2, {0x89, 0x0f}, 0, 0},                               /* mov ecx         */
    {3, {0x66, 0x89, 0x17}, 0, 0},                         /* mov dx          */
    {2, {0x88, 0x27}, 0, 0},                               /* mov ah          */
    {3, {0x44, 0x88, 0x0f}, 0, 0},                         /* mov r9b         */
    {7, {0x48, 0xc7, 0x07, 0x80, 0xff, 0xff, 0xff}, 0, 0}, /* mov imm32 sx    */
    {6, {0xc7, 0x07, 0x01, 0x02, 0x03, 0x84}, 0, 0},
    {5, {0x66, 0xc7, 0x07, 0x34, 0x82}, 0, 0},
    {3, {0xc6, 0x07, 0x91}, 0, 0},
    {4, {0x48, 0x89, 0x47, 0x00}, 0, 0},                   /* disp8           */
    {7, {0x48, 0x89, 0x87, 0, 0, 0, 0}, 0, 0},             /* disp32          */
    {4, {0x48, 0x89, 0x04, 0x27}, 0, 0},                   /* SIB             */
    {4, {0x48, 0x0f, 0xc3, 0x07}, 0, 0},                   /* movnti          */
    {3, {0x48, 0x87, 0x07}, 0, 0},                         /* xchg            */
    {2, {0x87, 0x0f}, 0, 0},
    {3, {0x66, 0x87, 0x17}, 0, 0},
    {2, {0x86, 0x2f}, 0, 0},                               /* xchg ch         */
    {4, {0xf0, 0x48, 0x01, 0x07}, 0, 0},                   /* lock add        */
    {4, {0xf0, 0x48, 0x29, 0x0f}, 0, 0},                   /* lock sub        */
    {4, {0xf0, 0x48, 0x21, 0x0f}, 1, 0},                   /* lock and        */
    {4, {0xf0, 0x48, 0x09, 0x17}, 1, 0},                   /* lock or         */
    {4, {0xf0, 0x48, 0x31, 0x07}, 1, 0},                   /* lock xor        */
    {3, {0xf0, 0x00, 0x07}, 0, 0},                         /* lock add al     */
    {4, {0xf0, 0x80, 0x27, 0xfd}, 1, 0},                   /* lock andb       */
    {5, {0xf0, 0x48, 0x83, 0x27, 0xfd}, 1, 0},             /* lock and imm8   */
    {5, {0xf0, 0x48, 0x83, 0x07, 0x81}, 0, 0},             /* lock add imm8   */
    {5, {0xf0, 0x48, 0x83, 0x2f, 0x7f}, 0, 0},             /* lock sub imm8   */
    {8, {0xf0, 0x48, 0x81, 0x0f, 0, 0, 0, 0x80}, 1, 0},    /* lock or imm32   */
    {6, {0x66, 0xf0, 0x81, 0x37, 0x55, 0xaa}, 1, 0},
    {3, {0x48, 0xf7, 0x17}, 0, 0},                         /* not             */
    {6, {0xf0, 0x48, 0x0f, 0xba, 0x37, 0x05}, 0, 1},       /* lock btr $5     */
    {6, {0xf0, 0x48, 0x0f, 0xba, 0x2f, 0x3f}, 0, 1},       /* lock bts $63    */
    {5, {0xf0, 0x0f, 0xba, 0x3f, 0x1f}, 0, 1},             /* lock btc $31    */
    {5, {0xf0, 0x48, 0x0f, 0xb1, 0x17}, 0, 0},             /* lock cmpxchg    */
    {4, {0xf0, 0x0f, 0xb1, 0x17}, 0, 0},
    {4, {0xf0, 0x0f, 0xb0, 0x17}, 0, 0},
    {5, {0xf0, 0x48, 0x0f, 0xc1, 0x0f}, 0, 0},             /* lock xadd       */
    {4, {0xf0, 0x0f, 0xc0, 0x2f}, 0, 0},                   /* xadd ch         */
    {2, {0x48, 0xab}, 0, 0},                               /* stosq           */
    {1, {0xaa}, 0, 0},                                     /* stosb           */
    /* clang-format on */
};

static uint64_t rnd(void)
{
    static uint64_t x = 88172645463325252UL;
    uint64_t v;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    v = x;
    /* Values near each other and near the edges make flags interesting. */
    switch (v >> 60) {
    case 0:
        return 0;
    case 1:
        return ~0UL;
    case 2:
        return 0x8000000080008080UL;
    case 3:
        return v & 0xff;
    default:
        return v;
    }
}

static void one(const struct sample *s, unsigned int round)
{
    uint64_t mem = rnd(), native_mem = mem, model_mem, low;
    struct cpu_regs native = {0}, model;
    struct pte_insn insn;
    unsigned int bits;
    uint64_t seen = FLAGS_SEEN;

    native.rax = round & 1 ? mem : rnd();
    native.rcx = rnd();
    native.rdx = rnd();
    native.r9 = rnd();
    native.rflags = 0x202 | (rnd() & FLAGS_SEEN);
    native.rip = 0x1000;
    model = native;
    run_native(s->b, s->len, &native, &native_mem);

    assert_true(pte_insn_decode(s->b, s->len, &insn));
    assert_int_equal(insn.len, s->len);
    bits = 8U * insn.width;
    low = bits == 64 ? mem : mem & ((1UL << bits) - 1);
    if (pte_insn_apply(&insn, &model, low, &model_mem)) {
        mem = bits == 64 ? model_mem : (mem & ~((1UL << bits) - 1)) | model_mem;
    }
    if (s->undefined_flags) {
        seen &= ~0x10UL;
    }
    if (s->only_carry) {
        seen = 1;
    }
    assert_int_equal(mem, native_mem);
    assert_int_equal(model.rax, native.rax);
    assert_int_equal(model.rcx, native.rcx);
    assert_int_equal(model.rdx, native.rdx);
    assert_int_equal(model.r9, native.r9);
    assert_int_equal(model.rflags & seen, native.rflags & seen);
    assert_int_equal(model.rip, 0x1000 + insn.len);
}

static void like_the_processor(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        for (unsigned int round = 0; round < 300; round++) {
            one(&samples[i], round);
        }
    }
}

static void refused(void **state)
{
    static const struct sample bad[] = {
        /* clang-format off */
        {0, {0}, 0, 0},
        {2, {0x48, 0x89}, 0, 0},             /* cut short                */
        {6, {0x48, 0xc7, 0x07, 1, 2, 3}, 0, 0},
        {3, {0x48, 0x89, 0xc7}, 0, 0},       /* to a register            */
        {3, {0x48, 0x8b, 0x07}, 0, 0},       /* a load                   */
        {3, {0x48, 0xf7, 0x1f}, 0, 0},       /* neg                      */
        {3, {0x48, 0x11, 0x07}, 0, 0},       /* adc                      */
        {2, {0x48, 0xa5}, 0, 0},             /* movs                     */
        {5, {0x48, 0x0f, 0xba, 0x27, 5}, 0, 0}, /* bt                    */
        {4, {0x66, 0x0f, 0xc3, 0x07}, 0, 0},
        {15, {0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
              0x66, 0x66, 0x66, 0x66, 0x66}, 0, 0},
        /* clang-format on */
    };
    struct pte_insn insn;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(pte_insn_decode(bad[i].b, bad[i].len, &insn));
    }
}

static void rep_stos(void **state)
{
    static const uint8_t b[] = {0xf3, 0x48, 0xab};
    struct cpu_regs regs = {.rax = 7, .rcx = 2, .rdi = 0x1000, .rip = 0x500};
    struct pte_insn insn;
    uint64_t mem;

    (void)state;
    assert_true(pte_insn_decode(b, sizeof(b), &insn));
    assert_true(pte_insn_apply(&insn, &regs, 0, &mem));
    assert_int_equal(mem, 7);
    assert_int_equal(regs.rip, 0x500);
    assert_int_equal(regs.rdi, 0x1008);
    assert_true(pte_insn_apply(&insn, &regs, 0, &mem));
    assert_int_equal(regs.rip, 0x503);
    assert_int_equal(regs.rcx, 0);
    regs.rip = 0x500;
    assert_false(pte_insn_apply(&insn, &regs, 0, &mem));
    assert_int_equal(regs.rip, 0x503);
}

/* Any bytes at all: no crash, and never longer than what was given. */
static void random_bytes(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 200000; i++) {
        uint64_t r[2] = {rnd(), rnd()};
        unsigned int len = (unsigned int)(rnd() % 16);
        uint8_t b[16];
        struct pte_insn insn;

        memcpy(b, r, sizeof(b));
        if (pte_insn_decode(b, len, &insn)) {
            struct cpu_regs regs = {0};
            uint64_t mem;

            assert_in_range(insn.len, 1, len);
            (void)!pte_insn_apply(&insn, &regs, r[0], &mem);
        }
    }
}

/* Registers that tell what they are. */
static void name_registers(struct cpu_regs *regs)
{
    static const size_t at[16] = {
        offsetof(struct cpu_regs, rax), offsetof(struct cpu_regs, rcx),
        offsetof(struct cpu_regs, rdx), offsetof(struct cpu_regs, rbx),
        offsetof(struct cpu_regs, rsp), offsetof(struct cpu_regs, rbp),
        offsetof(struct cpu_regs, rsi), offsetof(struct cpu_regs, rdi),
        offsetof(struct cpu_regs, r8),  offsetof(struct cpu_regs, r9),
        offsetof(struct cpu_regs, r10), offsetof(struct cpu_regs, r11),
        offsetof(struct cpu_regs, r12), offsetof(struct cpu_regs, r13),
        offsetof(struct cpu_regs, r14), offsetof(struct cpu_regs, r15)};

    memset(regs, 0, sizeof(*regs));
    for (unsigned int i = 0; i < 16; i++) {
        uint64_t value = 100 + i;

        memcpy((char *)regs + at[i], &value, sizeof(value));
    }
}

/* One word at rip: the short cuts see what the decoder sees, or nothing. */
static unsigned int short_cuts(const uint8_t b[8], struct cpu_regs *regs)
{
    uint64_t word, src, mem;
    unsigned int len;
    struct pte_insn insn, usual;

    memcpy(&word, b, sizeof(word));
    memset(&insn, 0, sizeof(insn));
    if (pte_usual_store(word, regs, &src, &len)) {
        struct cpu_regs after = *regs;

        assert_true(pte_insn_decode(b, 8, &insn));
        assert_int_equal(insn.op, PTE_OP_MOV);
        assert_int_equal(insn.width, 8);
        assert_int_equal(insn.len, len);
        assert_true(pte_insn_apply(&insn, &after, 0, &mem));
        assert_int_equal(mem, src);
        return 1;
    }
    if (pte_insn_usual(word, &usual)) {
        assert_true(pte_insn_decode(b, 8, &insn));
        assert_int_equal(insn.op, usual.op);
        assert_int_equal(insn.len, usual.len);
        assert_int_equal(insn.width, usual.width);
        assert_int_equal(insn.from_imm, usual.from_imm);
        assert_int_equal(insn.imm, usual.imm);
        assert_int_equal(insn.high_byte, usual.high_byte);
        assert_int_equal(insn.rep, usual.rep);
        assert_int_equal(insn.reg, usual.reg);
        return usual.op == PTE_OP_XCHG ? 2 : 4;
    }
    return 0;
}

/* Every ModRM and SIB after some prefixes and opcodes. */
static void usual_ones(void **state)
{
    static const uint8_t start[][3] = {
        {1, 0x89},       {1, 0x87},       {2, 0x48, 0x89}, {2, 0x49, 0x89},
        {2, 0x4c, 0x89}, {2, 0x4f, 0x89}, {2, 0x40, 0x89}, {2, 0x48, 0x8b},
        {2, 0x48, 0x88}, {2, 0x48, 0x87}, {2, 0x4d, 0x87}, {2, 0x66, 0x87},
        {2, 0xf0, 0x80}, {2, 0xf0, 0x81}, {2, 0x48, 0x80}, {1, 0x80},
    };
    struct cpu_regs regs;
    unsigned int seen = 0;

    (void)state;
    name_registers(&regs);
    for (unsigned int i = 0; i < ARRAY_SIZE(start); i++) {
        for (unsigned int n = 0; n < 1U << 16; n++) {
            uint8_t b[8] = {0, 0, 0, 0, 0x11, 0xfd, 0x82, 0x7f};
            uint8_t lock[8] = {0xf0, 0x41, 0x80, (uint8_t)n, (uint8_t)(n >> 8),
                               0xfd, 0x33, 0xfe};

            memcpy(b, &start[i][1], start[i][0]);
            b[start[i][0]] = (uint8_t)n;
            b[start[i][0] + 1] = (uint8_t)(n >> 8);
            seen |= short_cuts(b, &regs);
            seen |= short_cuts(lock, &regs);
        }
    }
    assert_int_equal(seen, 7);
}

/* What cannot be done leaves no trace. */
static void undone(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(samples); i++) {
        struct cpu_regs before, regs;
        struct pte_insn insn;
        struct pte_undo undo;
        uint64_t mem;

        memset(&before, 0x5a, sizeof(before));
        before.rflags = RFLAGS_FIXED;
        regs = before;
        assert_true(pte_insn_decode(samples[i].b, samples[i].len, &insn));
        pte_insn_save(&insn, &regs, &undo);
        (void)!pte_insn_apply(&insn, &regs, 0x1234, &mem);
        pte_insn_undo(&insn, &regs, &undo);
        assert_memory_equal(&regs, &before, sizeof(regs));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(like_the_processor),
        cmocka_unit_test(refused),
        cmocka_unit_test(rep_stos),
        cmocka_unit_test(usual_ones),
        cmocka_unit_test(undone),
        cmocka_unit_test(random_bytes),
    };

    code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED) {
        printf("no executable memory here\n");
        return 77;
    }
    return UNIT_RUN(tests);
}
