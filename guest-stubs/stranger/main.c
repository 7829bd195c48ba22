/* SPDX-License-Identifier: MIT */
/*
 * stranger - what a guest may not do, and what it may when Dom0 has said so.
 *
 * Claim: a device, a port, an interrupt or a page reaches a guest by an act of
 * Dom0 and in no other way; what a guest tries nevertheless is refused in the
 * way the ABI says, and changes nothing.
 * Plan, as a guest:
 *   1. Every hypercall of the control domain, and every one about another
 *      domain, directly and in a multicall (calls.c, grants.c).
 *   2. Frames that are not its own, in every way to name a frame (frames.c).
 *   3. Ports without and with I/O privilege, MSRs (ports.c).
 *   4. What the command line says it was given: that it may use, and its
 *      neighbours not.
 *         ports=FIRST port_count=N   of a serial line, COM2 whole
 *         irq=N                      of the same
 *         frame=N                    of the HPET
 * As Dom0, with a second serial line: a guest that does what it is told
 * (puppet.c) gets ports, an interrupt and a frame, one by one, and loses them
 * (keeper.c).
 */
#include "stranger.h"

const char stub_name[] = "stranger";

struct given given;

void expect(const char *what, long rc, long want)
{
    CHECK(rc == want, "%s: %ld, not %ld", what, rc, want);
}

void stub_main(void)
{
    if (stub_is_dom0()) {
        keeper_main();
        report(VERDICT_SUCCESS, "given, used, taken away");
        return;
    }
    given.port = cmdline_number("ports", 0);
    given.ports = cmdline_number("port_count", 0);
    given.irq = cmdline_number("irq", 0);
    given.frame = cmdline_number("frame", 0);
    stranger_calls();
    stranger_grants();
    stranger_frames();
    stranger_ports();
    stranger_given();
    report(VERDICT_SUCCESS, "everything refused but what was given");
}
