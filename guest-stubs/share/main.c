/* SPDX-License-Identifier: MIT */
/*
 * share - the times a vCPU is told to have run, waited and slept add up.
 *
 * Claim: the four times of its runstate, by call and in the registered area,
 * come to the time that has passed; a vCPU that never sleeps is never blocked,
 * so that all it does not run is waiting, which a guest shows as steal.
 * Plan: work=US and sleep=US make it work and sleep in turns; without them it
 * is a hog.  After seconds=N (1) the times are compared and the verdict given.
 * `stay`: it goes on like that for ever, for others to see what share it gets.
 */
#include "stub.h"

const char stub_name[] = "share";

#define NS_PER_US 1000UL
static struct vcpu_runstate_info area;
static uint64_t work_ns, sleep_ns, turns;

static void work(uint64_t ns)
{
    uint64_t end = time_now_ns() + ns;

    while (time_now_ns() < end) {
        __asm__ volatile("pause");
    }
}

static void turn(void)
{
    if (sleep_ns == 0) {
        work(10 * NS_PER_MS);
    } else {
        work(work_ns);
        time_sleep_ns(sleep_ns);
    }
    turns++;
}

static uint64_t sum(const struct vcpu_runstate_info *info)
{
    return info->time[RUNSTATE_running] + info->time[RUNSTATE_runnable] +
           info->time[RUNSTATE_blocked] + info->time[RUNSTATE_offline];
}

static void measure(uint64_t ns)
{
    struct vcpu_register_runstate_memory_area where = {.addr.v = &area};
    struct vcpu_runstate_info before, after;
    uint64_t asked, start, stop, end, blocked, waited, passed;
    long rc;

    rc = hc_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &where);
    CHECK(rc == 0, "register_runstate_memory_area: %ld", rc);
    /* Each call has looked at the clock between two looks of ours. */
    asked = time_now_ns();
    rc = hc_vcpu_op(VCPUOP_get_runstate_info, 0, &before);
    start = time_now_ns();
    CHECK(rc == 0, "get_runstate_info: %ld", rc);
    while (time_now_ns() - start < ns) {
        turn();
    }
    stop = time_now_ns();
    hc_vcpu_op(VCPUOP_get_runstate_info, 0, &after);
    end = time_now_ns();
    passed = end - start;
    CHECK(after.state == RUNSTATE_running && area.state == RUNSTATE_running,
          "who asks is in state %d, its area says %d", after.state, area.state);
    CHECK(sum(&after) - sum(&before) <= end - asked &&
              sum(&after) - sum(&before) >= stop - start,
          "run times add up to %lu us of %lu us",
          (sum(&after) - sum(&before)) / NS_PER_US, passed / NS_PER_US);
    CHECK(area.state_entry_time <= end && sum(&area) <= sum(&after),
          "the area is ahead of time");
    blocked = after.time[RUNSTATE_blocked] - before.time[RUNSTATE_blocked];
    waited = after.time[RUNSTATE_runnable] - before.time[RUNSTATE_runnable];
    CHECK(sleep_ns != 0 || blocked == 0, "a hog was blocked for %lu us",
          blocked / NS_PER_US);
    CHECK(area.time[RUNSTATE_blocked] <= after.time[RUNSTATE_blocked] &&
              area.time[RUNSTATE_runnable] == after.time[RUNSTATE_runnable],
          "the area says %lu us of waiting, the call %lu us",
          area.time[RUNSTATE_runnable] / NS_PER_US,
          after.time[RUNSTATE_runnable] / NS_PER_US);
    report(VERDICT_SUCCESS, "%lu turns, waited %lu us of %lu us", turns,
           waited / NS_PER_US, passed / NS_PER_US);
}

void stub_main(void)
{
    work_ns = cmdline_number("work", 0) * NS_PER_US;
    sleep_ns = cmdline_number("sleep", 0) * NS_PER_US;
    hc_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
    measure(cmdline_number("seconds", 1) * NS_PER_SEC);
    if (cmdline_has("stay")) {
        report_last_line();
        for (;;) {
            turn();
        }
    }
}
