/* SPDX-License-Identifier: MIT */
/*
 * shot.c - the HPET's comparators, and the code whose instructions are counted.
 */
#include "mc.h"
#include "shot.h"

#define HPET_MADDR      0xfed00000UL /* of every PC; QEMU has no other */
#define HPET_CAPABILITIES 0x000
#define HPET_PERIOD     0x004
#define HPET_CONFIG     0x010
#define HPET_COUNTER    0x0f0
#define HPET_TIMER(n)   (0x100 + 0x20 * (n))
#define TIMER_CONFIG    0x00
#define TIMER_COMPARE   0x08
#define TIMER_MESSAGE   0x10
#define TIMER_INTERRUPT 0x0004U
#define TIMER_BY_MSG    0x4000U
#define TIMER_MSG_CAP   0x8000U
#define TIMER_PERIODIC  0x0008U
#define TIMER_SET_VALUE 0x0040U
#define MSG_TO_CPU(n)   (0xfee00000U | (uint32_t)(n) << 12) /* its APIC's number */
#define MSG_TO_CPU0     MSG_TO_CPU(0)
#define MSG_NMI         0x0400U
#define STOP_MACHINE    0x01U /* pvpanic: "panicked" */

#define PTE_UNCACHED 0x018UL
#define TEN_NS_IN_FS 10000000U

/* Ticks that a round of shots, until the next look, never takes. */
#define LATER  0xffffffffU
static unsigned int round_of = 32, room = 0x1000000U;

struct shot shot;
volatile uint64_t shot_nmis, shot_nmi_rip;
volatile uint32_t shot_nmi_tsc;

static uint32_t hpet[PAGE_SIZE / 4] __page_aligned; /* its registers lie over it */
static unsigned int until_look[2 * 2];
static bool is_on[2 * 2]; /* the shots', then those that mark time behind them */
static enum shot_kind kind[2];
static uint32_t nmi_address = MSG_TO_CPU0;

#define AT(member) (offsetof(struct shot, member))

/*
 * rdi: the registers of the HPET; rsi, rdx: a comparator and how far ahead; rcx:
 * where among the NOPs to go on; r8, r9, r11: the same of the other.  What is
 * not wanted is written to memory.
 *
 * A comparator fires so many ticks after it is written as its value is ahead
 * of the counter.  The counter is read ten instructions before the write, which
 * is one tick, whatever part of a tick has gone by: so it fires ten times the
 * difference after that reading.
 *
 * When the machine stops, QEMU lets time jump to what is due next.  So behind each
 * comparator another is due one tick later, which sends nothing: time jumps by
 * that tick.
 *
 * NOPs that are left out later come before it all (shot.before), so that the
 * operation always begins as long after the call.
 */
void shot_run(volatile void *regs, volatile void *at0, uint32_t ticks0,
              const void *nops0, volatile void *at1, uint32_t ticks1,
              const void *nops1);
extern const char shot_nops_end[], shot_nops0_end[], shot_nops1_end[];

__asm__(".text\n"
        ".balign 64\n"
        ".globl shot_done\n"
        "shot_run:\n"
        "mov 8(%rsp), %r11\n"
        "push %rbx\n"
        "push %rbp\n"
        "push %r12\n"
        "push %r13\n"
        "push %r14\n"
        "push %r15\n"
        "lea shot(%rip), %r10\n"
        "mov %rsp, SHOT_SAVED_RSP(%r10)\n"
        "mov SHOT_BEHIND(%r10), %rbx\n"
        "mov SHOT_BEHIND+8(%r10), %rbp\n"
        "jmp *SHOT_BEFORE(%r10)\n"
        ".skip 18, 0x90\n"
        "shot_nops_end:\n"
        "mov 0xf0(%rdi), %eax\n" /* HPET_COUNTER */
        "add %eax, %edx\n"
        ".skip 8, 0x90\n"
        "mov %edx, (%rsi)\n"
        "inc %edx\n"
        "mov %edx, (%rbx)\n"
        "jmp *%rcx\n"
        ".skip 9, 0x90\n"
        "shot_nops0_end:\n"
        "mov 0xf0(%rdi), %eax\n"
        "add %eax, %r9d\n"
        ".skip 8, 0x90\n"
        "mov %r9d, (%r8)\n"
        "inc %r9d\n"
        "mov %r9d, (%rbp)\n"
        "rdtsc\n"
        "mov %eax, SHOT_BEGAN(%r10)\n"
        "jmp *%r11\n"
        ".skip 9, 0x90\n"
        "shot_nops1_end:\n"
        "push SHOT_IN+120(%r10)\n"
        "popf\n"
        "mov SHOT_IN+128(%r10), %rsp\n"
        "mov SHOT_IN(%r10), %rax\n"
        "mov SHOT_IN+8(%r10), %rbx\n"
        "mov SHOT_IN+16(%r10), %rcx\n"
        "mov SHOT_IN+24(%r10), %rdx\n"
        "mov SHOT_IN+32(%r10), %rsi\n"
        "mov SHOT_IN+40(%r10), %rdi\n"
        "mov SHOT_IN+48(%r10), %rbp\n"
        "mov SHOT_IN+56(%r10), %r8\n"
        "mov SHOT_IN+64(%r10), %r9\n"
        "mov SHOT_IN+80(%r10), %r11\n"
        "mov SHOT_IN+88(%r10), %r12\n"
        "mov SHOT_IN+96(%r10), %r13\n"
        "mov SHOT_IN+104(%r10), %r14\n"
        "mov SHOT_IN+112(%r10), %r15\n"
        "mov SHOT_IN+72(%r10), %r10\n"
        "jmp *shot+SHOT_OP(%rip)\n"
        "shot_done:\n"
        "mov %r10, shot+SHOT_OUT+72(%rip)\n"
        "lea shot(%rip), %r10\n"
        "mov %rax, SHOT_OUT(%r10)\n"
        "mov %rbx, SHOT_OUT+8(%r10)\n"
        "mov %rcx, SHOT_OUT+16(%r10)\n"
        "mov %rdx, SHOT_OUT+24(%r10)\n"
        "mov %rsi, SHOT_OUT+32(%r10)\n"
        "mov %rdi, SHOT_OUT+40(%r10)\n"
        "mov %rbp, SHOT_OUT+48(%r10)\n"
        "mov %r8, SHOT_OUT+56(%r10)\n"
        "mov %r9, SHOT_OUT+64(%r10)\n"
        "mov %r11, SHOT_OUT+80(%r10)\n"
        "mov %r12, SHOT_OUT+88(%r10)\n"
        "mov %r13, SHOT_OUT+96(%r10)\n"
        "mov %r14, SHOT_OUT+104(%r10)\n"
        "mov %r15, SHOT_OUT+112(%r10)\n"
        "mov %rsp, SHOT_OUT+128(%r10)\n"
        "mov SHOT_SAVED_RSP(%r10), %rsp\n"
        "pushf\n"
        "pop SHOT_OUT+120(%r10)\n"
        "rdtsc\n"
        "mov %eax, SHOT_ENDED(%r10)\n"
        "push $0x2\n"
        "popf\n"
        "pop %r15\n"
        "pop %r14\n"
        "pop %r13\n"
        "pop %r12\n"
        "pop %rbp\n"
        "pop %rbx\n"
        "ret\n"
        /* Frame at entry: rcx r11 rip cs rflags rsp ss. */
        ".balign 16\n"
        ".globl shot_nmi_entry\n"
        "shot_nmi_entry:\n"
        "push %rax\n"
        "push %rdx\n"
        "rdtsc\n"
        "mov %eax, shot_nmi_tsc(%rip)\n"
        "pop %rdx\n"
        "pop %rax\n"
        "incq shot_nmis(%rip)\n"
        "mov 16(%rsp), %rcx\n"
        "mov %rcx, shot_nmi_rip(%rip)\n"
        "pop %rcx\n"
        "pop %r11\n"
        TRAP_IRET("0"));

__asm__(".set SHOT_IN, 0\n"
        ".set SHOT_OUT, 136\n"
        ".set SHOT_OP, 272\n"
        ".set SHOT_SAVED_RSP, 280\n"
        ".set SHOT_BEFORE, 288\n"
        ".set SHOT_BEGAN, 296\n"
        ".set SHOT_ENDED, 300\n"
        ".set SHOT_BEHIND, 312\n");
_Static_assert(AT(out) == 136 && AT(op) == 272 && AT(saved_rsp) == 280 &&
                   AT(before) == 288 && AT(began) == 296 && AT(ended) == 300 &&
                   AT(behind) == 312 &&
                   AT(in.rflags) == 120 && AT(in.rsp) == 128 &&
                   AT(in.r10) == 72,
               "what the assembly knows");

/*
 * Instructions, without the NOPs, from the one reading to the other, and from
 * that to where the registers are loaded.
 */
#define TO_SECOND 14U
#define TO_BEGIN  16U
#define AFTER_TSC 3U /* of those, from where the TSC is read */

static uint32_t reg_read(unsigned int reg)
{
    return READ_ONCE(hpet[reg / 4]);
}

static void reg_write(unsigned int reg, uint32_t value)
{
    WRITE_ONCE(hpet[reg / 4], value);
}

static void timer_off(unsigned int n)
{
    reg_write(HPET_TIMER(n) + TIMER_CONFIG, 0);
    until_look[n] = 0;
    is_on[n] = false;
}

/* The upper half of the comparator is that of the counter, for a while. */
static void timer_on(unsigned int n)
{
    if (until_look[n]) {
        until_look[n]--;
        return;
    }
    timer_off(n);
    while (reg_read(HPET_COUNTER) > LATER - room) {
    }
    reg_write(HPET_TIMER(n) + TIMER_COMPARE + 4, reg_read(HPET_COUNTER + 4));
    reg_write(HPET_TIMER(n) + TIMER_COMPARE, LATER);
    until_look[n] = round_of;
    is_on[n] = true;
    if (n >= 2) {
        return;
    }
    reg_write(HPET_TIMER(n) + TIMER_MESSAGE,
              kind[n] == SHOT_MC ? STOP_MACHINE : MSG_NMI);
    reg_write(HPET_TIMER(n) + TIMER_MESSAGE + 4,
              kind[n] == SHOT_MC ? mc_stop_maddr() : nmi_address);
    reg_write(HPET_TIMER(n) + TIMER_CONFIG, TIMER_BY_MSG | TIMER_INTERRUPT);
}

const char *shot_init(void)
{
    unsigned int n;

    if (mm_map(hpet, HPET_MADDR, PTE_FLAGS_DATA | PTE_UNCACHED)) {
        return "the HPET cannot be mapped";
    }
    if (reg_read(HPET_PERIOD) != TEN_NS_IN_FS) {
        return "no HPET with ticks of 10 ns";
    }
    if (!(reg_read(HPET_CONFIG) & 1)) {
        return "the HPET does not count";
    }
    for (n = 0; n < 2; n++) {
        if (!(reg_read(HPET_TIMER(n)) & TIMER_MSG_CAP)) {
            return "the HPET sends no messages (-global hpet.msi=on)";
        }
        timer_off(n);
    }
    return NULL;
}

void shot_kinds(enum shot_kind first, enum shot_kind second)
{
    unsigned int n;

    for (n = 0; n < 2 * 2; n++) {
        if (is_on[n]) {
            timer_off(n);
        }
    }
    kind[0] = first;
    kind[1] = second;
}

void shot_target(unsigned int cpu)
{
    unsigned int n;

    nmi_address = MSG_TO_CPU(cpu);
    for (n = 0; n < 2; n++) {
        if (is_on[n] && kind[n] == SHOT_NMI) {
            reg_write(HPET_TIMER(n) + TIMER_MESSAGE + 4, nmi_address);
        }
    }
}

/* The NOPs that make @count a multiple of ten. */
static unsigned int nops_for(unsigned int count)
{
    return 9 - (count + 9) % 10;
}

uint32_t shot_fire(unsigned int first, unsigned int second)
{
    static uint32_t nowhere;
    volatile void *at[2] = {&nowhere, &nowhere};
    const unsigned int after[2] = {first, second};
    unsigned int count[2], nops[2], n;

    count[1] = TO_BEGIN + (second != SHOT_NONE ? second : 0);
    nops[1] = nops_for(count[1]);
    count[1] += nops[1];
    count[0] =
        TO_SECOND + TO_BEGIN + nops[1] + (first != SHOT_NONE ? first : 0);
    nops[0] = nops_for(count[0]);
    count[0] += nops[0];
    for (n = 0; n < 2; n++) {
        shot.behind[n] = &nowhere;
        if (after[n] != SHOT_NONE && kind[n] == SHOT_MC) {
            timer_on(2 + n);
            shot.behind[n] = &hpet[(HPET_TIMER(2 + n) + TIMER_COMPARE) / 4];
        }
        if (after[n] != SHOT_NONE) {
            timer_on(n);
            at[n] = &hpet[(HPET_TIMER(n) + TIMER_COMPARE) / 4];
        } else if (is_on[n]) {
            timer_off(n);
        }
    }
    shot.before = shot_nops_end - (18 - nops[0] - nops[1]);
    shot_run(hpet, at[0], count[0] / 10, shot_nops0_end - nops[0], at[1],
             count[1] / 10, shot_nops1_end - nops[1]);
    shot.due = shot.began + AFTER_TSC + nops[1] + first;
    return shot.ended - shot.began;
}

static unsigned int other; /* a comparator */

bool shot_other_init(void)
{
    unsigned int n = reg_read(HPET_CAPABILITIES) >> 8 & 0x1f;
    uint32_t wanted = TIMER_BY_MSG | TIMER_INTERRUPT;

    /* Ours are the first two. */
    while (n >= 2 &&
           ((reg_read(HPET_TIMER(n) + TIMER_CONFIG) & wanted) != wanted ||
            reg_read(HPET_TIMER(n) + TIMER_MESSAGE) != MSG_NMI)) {
        n--;
    }
    other = n;
    round_of = 0;
    room = 0x10000;
    return n >= 2;
}

uint32_t shot_other_due(void)
{
    uint32_t due = reg_read(HPET_TIMER(other) + TIMER_COMPARE);
    uint32_t ticks = due - reg_read(HPET_COUNTER), low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    (void)high;
    return low + 10 * ticks;
}

void shot_storm_begin(unsigned int period, unsigned int ahead)
{
    timer_off(0);
    while (reg_read(HPET_COUNTER) > LATER - room) {
    }
    reg_write(HPET_TIMER(0) + TIMER_MESSAGE, MSG_NMI);
    reg_write(HPET_TIMER(0) + TIMER_MESSAGE + 4, MSG_TO_CPU0);
    reg_write(HPET_TIMER(0) + TIMER_COMPARE + 4, reg_read(HPET_COUNTER + 4));
    reg_write(HPET_TIMER(0) + TIMER_CONFIG,
              TIMER_BY_MSG | TIMER_PERIODIC | TIMER_SET_VALUE);
    /* With SET_VALUE to the comparator, without to the period. */
    reg_write(HPET_TIMER(0) + TIMER_COMPARE, reg_read(HPET_COUNTER) + ahead);
    reg_write(HPET_TIMER(0) + TIMER_COMPARE, period);
    reg_write(HPET_TIMER(0) + TIMER_CONFIG,
              TIMER_BY_MSG | TIMER_PERIODIC | TIMER_INTERRUPT);
    is_on[0] = true;
}

void shot_storm_end(void)
{
    timer_off(0);
}
