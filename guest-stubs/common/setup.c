/* SPDX-License-Identifier: MIT */
/*
 * setup.c - from the entry point to stub_main() and from there to the end.
 *
 * Order matters: the console of a domU needs its ring mapped, so memory comes
 * first; traps come before anything that may fault; the shared page is needed
 * by cr2, time and events.
 */
#include "stub.h"

struct start_info *start_info;

/* Only its address counts: another machine frame is mapped over it. */
union shared_info_area shared_info_area __page_aligned;

bool stub_is_dom0(void)
{
    return (start_info->flags & SIF_INITDOMAIN) != 0;
}

void stub_shutdown(unsigned int reason)
{
    struct sched_shutdown arg = {.reason = reason};

    console_drain(NS_PER_SEC);
    for (;;) {
        hc_sched_op(SCHEDOP_shutdown, &arg);
    }
}

void stub_start(struct start_info *si)
{
    long rc;

    start_info = si;
    rc = mm_map(&shared_info_area, si->shared_info, PTE_FLAGS_DATA);
    console_init();
    traps_init();
    if (rc) {
        report(VERDICT_FAILURE, "shared_info at %lx not mapped: %ld",
               si->shared_info, rc);
    } else {
        evtchn_init();
        stub_main();
    }
    report_last_line();
    stub_shutdown(SHUTDOWN_poweroff);
}
