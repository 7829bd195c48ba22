/* SPDX-License-Identifier: MIT */
/*
 * crash - a guest that says it has crashed.
 *
 * Claim: SCHEDOP_shutdown(crash) ends this domain alone, with its last words
 * and registers kept for the crash log.
 * Plan: say something on both consoles, put known values into registers, and
 * shut down with reason crash.  Coming back is a FAILURE.
 */
#include "stub.h"

const char stub_name[] = "crash";

void stub_main(void)
{
    struct sched_shutdown arg = {.reason = SHUTDOWN_crash};
    unsigned long op = __HYPERVISOR_sched_op;

    mm_describe(); /* who writes our core wants to know */
    print(
        "crash: about to report SHUTDOWN_crash; r12-r15 hold 0xc0ffee12-15\n");
    console_drain(NS_PER_SEC);
    __asm__ volatile("mov $0xc0ffee12, %%r12d\n\t"
                     "mov $0xc0ffee13, %%r13d\n\t"
                     "mov $0xc0ffee14, %%r14d\n\t"
                     "mov $0xc0ffee15, %%r15d\n\t"
                     "syscall"
                     : "+a"(op)
                     : "D"(SCHEDOP_shutdown), "S"(&arg)
                     : "rcx", "r11", "r12", "r13", "r14", "r15", "rdx", "r10",
                       "r8", "memory");
    report(VERDICT_FAILURE, "still running after SHUTDOWN_crash: %ld",
           (long)op);
}
