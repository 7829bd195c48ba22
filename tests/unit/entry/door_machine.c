/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/entry/door_machine.c - see door_machine.h.
 *
 * entry/trap.c is the real one, of which only the exit rules are linked.
 */
#include "tests/unit/entry/door_machine.h"

#include "cpu/lapic.h"
#include "crash/blackbox.h"
#include "crash/panic.h"
#include "ras/mce.h"
#include "ras/nmi.h"
#include "entry/idle.h"
#include "entry/trap.h"
#include "fake_hw.h"
#include "fire_alarm.h"

#define RIP                0xffff82d080201000UL
#define ADDRESS_OF_HANDLER 0xdead000UL

/* Only its addresses are looked at. */
static unsigned char block[CPU_BLOCK_BYTES]
    __attribute__((aligned(CPU_BLOCK_BYTES)));
static struct tss tss;
static unsigned int came_by; /* IST_* */
static uint32_t kept[NR_CPUS];
uint32_t *blackbox_contexts = kept;

const uint8_t idle_hlt[2] = {0xf4, 0xc3};

/* Two symbols of one piece of code. */
asm(".pushsection .rodata\n"
    ".globl syscall_gap_start, syscall_gap_end\n"
    "syscall_gap_start: .fill 16\n"
    "syscall_gap_end: .byte 0\n"
    ".popsection");

struct cpu_regs in_hv, in_guest;
void (*in_handler)(struct cpu_regs *regs);
void (*in_self_ipi)(void);
unsigned int handled, self_ipis;
uint32_t handler_word;

uint64_t stack_at(uint64_t stack)
{
    return (uintptr_t)block + stack + PAGE_SIZE;
}

int set_up(void **state)
{
    (void)state;
    fake_hw_reset();
    memset(&tss, 0, sizeof(tss));
    for (unsigned int i = 0; i < 7; i++) {
        tss.ist[i] = 0x1000 + i;
    }
    tss.ist[IST_NMI - 1] = stack_at(CPU_STACK_NMI_A);
    tss.ist[IST_MC - 1] = stack_at(CPU_STACK_MC_A);
    this_cpu()->tss = &tss;
    memset(kept, 0, sizeof(kept));
    in_hv = (struct cpu_regs){
        .rip = RIP,
        .cs = 0xe008,
        .rflags = RFLAGS_FIXED,
        .rsp = (uintptr_t)block + CPU_STACK_MAIN + 0x2000,
    };
    in_guest = (struct cpu_regs){
        .rip = 0x401000,
        .cs = SEL_GUEST_CS64,
        .ss = SEL_GUEST_DS,
        .rflags = RFLAGS_FIXED | RFLAGS_IF,
        .rsp = 0x7fff0000,
    };
    in_handler = NULL;
    in_self_ipi = NULL;
    handled = self_ipis = 0;
    handler_word = 0;
    fire_alarm_armed = false;
    return 0;
}

uint64_t next_stack(unsigned int ist)
{
    return tss.ist[ist - 1];
}

int comes(unsigned int ist, int (*entry)(struct cpu_regs *regs),
          struct cpu_regs *regs)
{
    uint64_t before = fake_rsp;
    int way;

    came_by = ist;
    fake_rsp = next_stack(ist) - sizeof(struct cpu_regs) - 0x80;
    way = entry(regs);
    fake_rsp = before;
    return way;
}

/* A handler may fault, and a second exception may come inside it. */
static void handle(struct cpu_regs *regs)
{
    handled++;
    handler_word = this_cpu()->context;
    fake_cr[2] = ADDRESS_OF_HANDLER;
    if (in_handler != NULL) {
        in_handler(regs);
    }
}

void ras_nmi(struct cpu_regs *regs)
{
    handle(regs);
}

void ras_mce(struct cpu_regs *regs)
{
    handle(regs);
}

void lapic_self_ipi(uint8_t vector)
{
    assert_int_equal(vector, VECTOR_RESCHEDULE);
    self_ipis++;
    if (in_self_ipi != NULL) {
        in_self_ipi();
    }
}

void panic_regs(const struct cpu_regs *regs, const char *fmt, ...)
{
    const char *where;
    va_list args;

    assert_ptr_equal(regs, &in_hv);
    va_start(args, fmt);
    where = va_arg(args, const char *); /* of context_wrong() */
    va_end(args);
    panic("%s", where);
}

void cr2_is_kept(void **state)
{
    (void)state;
    fake_cr[2] = 0x1234567;
    (void)comes_here(&in_hv);
    assert_int_equal(handled, 1);
    assert_int_equal(fake_cr[2], 0x1234567);
    (void)comes_here(&in_guest);
    assert_int_equal(handled, 2);
    assert_int_equal(fake_cr[2], 0x1234567);
}

void halt_is_skipped(void **state)
{
    (void)state;
    in_hv.rip = (uintptr_t)idle_hlt;
    in_hv.rflags |= RFLAGS_IF;
    (void)comes_here(&in_hv);
    assert_int_equal(in_hv.rip, (uintptr_t)idle_hlt + 1);
    (void)comes_here(&in_hv); /* that is no HLT */
    assert_int_equal(in_hv.rip, (uintptr_t)idle_hlt + 1);
    /* A guest may have anything at that address. */
    in_guest.rip = (uintptr_t)idle_hlt;
    (void)comes_here(&in_guest);
    assert_int_equal(in_guest.rip, (uintptr_t)idle_hlt);
}

void word_is_left_as_found(void **state)
{
    uint32_t irq = CTX_IRQ | CTX_OF_GUEST;

    (void)state;
    (void)comes_here(&in_guest);
    assert_int_not_equal(handler_word & CTX_OF_GUEST, 0);
    assert_int_not_equal(handler_word & CTX_IN_NMI_OR_MC, 0);
    assert_int_equal(this_cpu()->context, 0);
    (void)comes_here(&in_hv);
    assert_int_equal(handler_word & CTX_OF_GUEST, 0);
    assert_int_equal(this_cpu()->context, 0);
    this_cpu()->context = irq;
    (void)comes_here(&in_hv);
    assert_int_not_equal(handler_word, irq);
    assert_int_equal(handler_word & 0xf, CTX_IRQ);
    assert_int_equal(this_cpu()->context, irq);
    assert_int_equal(kept[0], 0);
}

static void spoil_the_word(struct cpu_regs *regs)
{
    (void)regs;
    this_cpu()->context = 0;
}

void word_that_is_wrong(void **state)
{
    (void)state;
    in_handler = spoil_the_word;
    EXPECT_PANIC((void)comes_here(&in_hv));
    assert_non_null(strstr(fire_alarm_text, "at the end of a"));
}

void others_keep_their_stacks(void **state)
{
    uint64_t before[7];

    (void)state;
    memcpy(before, tss.ist, sizeof(before));
    for (unsigned int i = 0; i < 4; i++) {
        (void)comes_here(i % 2 == 0 ? &in_hv : &in_guest);
        for (unsigned int n = 0; n < 7; n++) {
            assert_true(n == came_by - 1 || tss.ist[n] == before[n]);
        }
    }
}
