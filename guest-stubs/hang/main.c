/* SPDX-License-Identifier: MIT */
/*
 * hang - a processor that stands, for who looks on from outside.
 *
 * Claim: none of its own.  Plan: as Dom0, with vigil_provoke=1: vcpu `cpu=N` asks
 * for the failure `kind=K` of <vigil/vigil_op.h>, 7 (hang) or 8 (dead), which is
 * the end of the processor that it is on; the first sleeps.  Coming back from it
 * is a FAILURE.
 * `panic`: with one processor gone, the first asks for a panic.  `swap`: the two
 * change places.
 */
#include "vcpus.h"

#include <vigil/vigil_op.h>

const char stub_name[] = "hang";

#define GONE_NS (100 * NS_PER_MS) /* from asking for it, and more */

static struct vigil_op_provoke provoke;
static struct vigil_op_provoke panics = {.kind = VIGIL_PROVOKE_PANIC};
static long answer;
static uint32_t asks, came_back;

static void ask_for(struct vigil_op_provoke *what)
{
    WRITE_ONCE(asks, asks + 1);
    answer = hypercall2(VIGIL_HYPERCALL, VIGIL_OP_provoke, (unsigned long)what);
    WRITE_ONCE(came_back, 1);
}

static void panic_then(void)
{
    while (READ_ONCE(asks) == 0) {
        barrier();
    }
    time_sleep_ns(GONE_NS);
    print("hang: and a panic\n");
    ask_for(&panics);
}

static void ask(unsigned int id)
{
    (void)id;
    if (cmdline_has("swap")) {
        panic_then();
    } else {
        ask_for(&provoke);
    }
}

void stub_main(void)
{
    unsigned int cpu = (unsigned int)cmdline_number("cpu", 1);

    provoke.kind = (uint32_t)cmdline_number("kind", VIGIL_PROVOKE_HANG);
    if (cpu == 0 || cpu >= vcpus_there()) {
        report(VERDICT_SKIP, "no vcpu %u to ask with", cpu);
        return;
    }
    print("hang: vcpu %u asks for %u\n", cpu, provoke.kind);
    if (!CHECK(vcpu_start(cpu, ask) == 0, "vcpu %u does not start", cpu)) {
        report(VERDICT_ERROR, "nobody to ask");
        return;
    }
    if (cmdline_has("swap")) {
        ask_for(&provoke);
    } else if (cmdline_has("panic")) {
        panic_then();
    }
    while (READ_ONCE(came_back) == 0) {
        time_sleep_ns(NS_PER_MS);
    }
    report(VERDICT_FAILURE, "it goes on, and is told %ld", answer);
}
