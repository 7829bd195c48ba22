/* SPDX-License-Identifier: MIT */
/*
 * nmi - NMIs reach a PV guest by its trap table, counted exactly.
 *
 * Claim: each NMI sent is taken exactly once, though events are masked; none
 * interrupts the handler of another before its iret; one sent meanwhile stays
 * pending and comes after.
 * Plan:
 *   1. Register vector 2.  Send ourselves 5: the count is 1, 2, .. 5.
 *   2. Send 2 from inside the handler: not nested, and merged into 1.
 *   3. With `wait=N`: print `nmi: ready`, then wait until N more came from
 *      outside (sendtrigger), printing `nmi: count=K reason=R` at each.
 *   4. After that none is left over (a second of quiet).
 * With `flood=S` instead: for S seconds NMIs to ourselves, for which there is no
 * handler, and lines of text; each has the hypervisor log a line about us.
 */
#include "stub.h"

const char stub_name[] = "nmi";

/* All written by the handler, read by the waiting code. */
static volatile unsigned int count, depth, deepest, send_more;
static volatile long send_error;
static volatile unsigned long reason;

static long send_to_self(void)
{
    return hc_vcpu_op(VCPUOP_send_nmi, 0, NULL);
}

static bool on_nmi(struct trap_regs *regs)
{
    (void)regs;
    depth++;
    if (depth > deepest) {
        deepest = depth;
    }
    count++;
    reason = READ_ONCE(shared_info_page.arch.nmi_reason);
    while (send_more) {
        send_more--;
        send_error |= send_to_self();
    }
    depth--;
    return true;
}

static void check_self(void)
{
    unsigned int i;

    for (i = 1; i <= 5; i++) {
        long rc = send_to_self();

        CHECK(rc == 0, "send_nmi %u: %ld", i, rc);
        CHECK(count == i, "%u sent, %u taken", i, count);
    }
    CHECK(reason == 0, "reason %lx for an NMI of our own", reason);
    CHECK(hc_vcpu_op(VCPUOP_send_nmi, 4000, NULL) == -XEN_ENOENT,
          "send_nmi to no vCPU");
}

static void check_nested(void)
{
    unsigned int before = count;

    send_more = 2;
    CHECK(send_to_self() == 0, "send_nmi");
    CHECK(send_error == 0, "send_nmi inside the handler: %ld", send_error);
    CHECK(deepest == 1, "an NMI interrupted an NMI, depth %u", deepest);
    CHECK(count == before + 2, "1 + 2 merged came as %u", count - before);
}

static void wait_for_more(unsigned long more)
{
    unsigned int shown = 0, base = count;

    print("nmi: ready\n");
    while (shown < more) {
        while (shown < count - base) {
            shown++;
            print("nmi: count=%u reason=%lx\n", shown, reason);
        }
        if (shown < more) {
            time_sleep_ns(20 * NS_PER_MS);
        }
    }
    /* Whether the hypervisor clears the reason once taken is its own affair. */
    CHECK(send_to_self() == 0, "send_nmi");
    base++;
    print("nmi: one of our own: reason=%lx\n", reason);
    time_sleep_ns(NS_PER_SEC);
    CHECK(count - base == more, "%lu awaited, %u came", more, count - base);
    CHECK(deepest == 1, "an NMI interrupted an NMI, depth %u", deepest);
}

static void flood(unsigned long seconds)
{
    static const char text[] = "flood\n";
    uint64_t end = time_now_ns() + seconds * NS_PER_SEC;
    unsigned long rounds = 0;

    print("nmi: flooding\n");
    while (time_now_ns() < end) {
        CHECK(send_to_self() == 0, "send_nmi");
        console_debug_write(text, sizeof(text) - 1);
        rounds++;
    }
    report(VERDICT_SUCCESS, "%lu rounds of flood", rounds);
}

void stub_main(void)
{
    unsigned long more = cmdline_number("wait", 0);
    unsigned long seconds = cmdline_number("flood", 0);
    long rc;

    if (seconds) {
        flood(seconds);
        return;
    }
    trap_handle(TRAP_NMI, on_nmi);
    rc = trap_register(TRAP_NMI, 0);
    if (!CHECK(rc == 0, "vector 2 refused: %ld", rc)) {
        return;
    }
    check_self();
    check_nested();
    if (more) {
        wait_for_more(more);
    }
    report(VERDICT_SUCCESS, "%u NMIs taken, %lu from outside", count, more);
}
