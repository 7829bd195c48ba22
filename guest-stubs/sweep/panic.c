/* SPDX-License-Identifier: MIT */
/*
 * panic.c - the hypervisor's own end, with NMIs.
 */
#include "panic.h"
#include "ops.h"
#include "shot.h"

#include <vigil/vigil_op.h>

#define FLAGS       0x202UL
#define AHEAD       15U /* ticks to the first: on the way into the hypervisor */
#define STACK_WORDS 512

static uint64_t stack[STACK_WORDS] __page_aligned;

/* So many instructions, 9 at most, and always as many besides. */
static void pass_time(unsigned int count)
{
    uint64_t at;

    __asm__ volatile("lea 1f(%%rip), %0\n\t"
                     "sub %1, %0\n\t"
                     "jmp *%0\n\t"
                     ".skip 9, 0x90\n"
                     "1:"
                     : "=&r"(at)
                     : "r"((uint64_t)count));
}

void panic_once(unsigned int step, unsigned int every, bool with_mc)
{
    static struct vigil_op_provoke provoke = {.kind = VIGIL_PROVOKE_PANIC};

    memset(&shot.in, 0, sizeof(shot.in));
    shot.in.rflags = FLAGS;
    shot.in.rsp = (uint64_t)&stack[STACK_WORDS];
    shot.in.rax = VIGIL_HYPERCALL;
    shot.in.rdi = VIGIL_OP_provoke;
    shot.in.rsi = (uint64_t)&provoke;
    shot.op = op_call;
    shot_kinds(with_mc ? SHOT_MC : SHOT_NMI, SHOT_NMI);
    print("sweep: panic, NMI after %u\n", step);
    time_sleep_ns(100 * NS_PER_MS);
    if (every != 0) {
        shot_storm_begin(every, AHEAD + step / 10);
        pass_time(9 - step % 10);
        hypercall2(VIGIL_HYPERCALL, VIGIL_OP_provoke, (unsigned long)&provoke);
    } else {
        shot_fire(step, SHOT_NONE);
    }
    report(VERDICT_FAILURE, "it goes on after a panic");
}
