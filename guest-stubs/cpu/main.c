/* SPDX-License-Identifier: MIT */
/*
 * cpu - the processor a guest sees, and the registers that are its own.
 *
 * Claim: vector registers, MXCSR, FCW, the bases user mode writes and
 * breakpoints survive switches, and none shows another's; UMIP holds; as Dom0,
 * extended state and policy of a domain are read and written with the sizes
 * libxc asks for, and bad ones are refused.
 * Plan:
 *   1. Registers of a new vCPU are zero; patterns in them survive sleeping.
 *      `rounds=N` sleeps more often, for a test with several domains.
 *   2. Dom0: the domctls, on a domain that never runs.
 *   3. `view`: print all of CPUID and the MSRs, for a test to compare.
 */
#include "cpu.h"

const char stub_name[] = "cpu";

void stub_main(void)
{
    state_check(cmdline_number("rounds", 20));
    if (stub_is_dom0()) {
        domctl_check();
    }
    if (cmdline_has("view")) {
        view_print();
    }
    report(VERDICT_SUCCESS, "its registers are its own");
    if (cmdline_has("hold")) {
        report_last_line();
        for (;;) {
            time_sleep_ns(NS_PER_SEC);
        }
    }
}
