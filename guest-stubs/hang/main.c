/* SPDX-License-Identifier: MIT */
/*
 * hang - a processor that stands, for who looks on from outside.
 *
 * Claim: none of its own.  Plan: as Dom0, with vigil_provoke=1: vcpu `cpu=N` asks
 * for the failure `kind=K` of <vigil/vigil_op.h>, 7 (hang) or 8 (dead), which is
 * the end of the processor that it is on; the first sleeps.  Coming back from it
 * is a FAILURE.
 */
#include "vcpus.h"

#include <vigil/vigil_op.h>

const char stub_name[] = "hang";

static struct vigil_op_provoke provoke;
static long answer;
static uint32_t came_back;

static void ask(unsigned int id)
{
    (void)id;
    answer = hypercall2(VIGIL_HYPERCALL, VIGIL_OP_provoke,
                        (unsigned long)&provoke);
    WRITE_ONCE(came_back, 1);
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
    while (READ_ONCE(came_back) == 0) {
        time_sleep_ns(NS_PER_MS);
    }
    report(VERDICT_FAILURE, "it goes on, and is told %ld", answer);
}
