/* SPDX-License-Identifier: MIT */
/*
 * response/work.c - what NMI and #MC context deferred.
 *
 * Order: poison before anything else, for a domain must not run on it; then
 * NMIs; then the log, which is slow.
 */
#include "response/work.h"

#include "x86/atomic.h"
#include "x86/percpu.h"
#include "log/sink.h"
#include "ras/nmi_note.h"
#include "response/mce_response.h"
#include "response/nmi_reflect.h"

void response_init(void)
{
    nmi_reflect_init();
}

void response_run(void)
{
    /* Cleared first: what comes meanwhile sets its bit again. */
    uint32_t work = atomic_and(&this_cpu()->work, (uint16_t)~WORK_RESPONSE);

    if ((work & WORK_MCE) != 0) {
        mce_response_run();
    }
    if ((work & WORK_NMI) != 0) {
        nmi_reflect_run();
        nmi_notes_soon();
    }
    if ((work & WORK_LOG) != 0) {
        log_drain();
    }
}
