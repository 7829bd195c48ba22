/* SPDX-License-Identifier: MIT */
/*
 * storm/times.c - do the four run times add up, to the nanosecond?
 *
 * A vcpu's times begin when it is made, at a moment nobody has told us; but
 * what they add up to, taken off the moment they were brought up to date, must
 * be that moment at every look.
 */
#include "storm.h"

#define UPDATING (1UL << 63)

struct times times;
static struct {
    struct vcpu_runstate_info area;
} __attribute__((aligned(256))) areas[VCPUS_MAX];
static uint64_t made_ns[VCPUS_MAX];
static uint64_t own_seen[VCPUS_MAX][4], call_seen[VCPUS_MAX][4];

static void count(uint64_t *what)
{
    __atomic_fetch_add(what, 1, __ATOMIC_SEQ_CST);
}

static uint64_t sum(const struct vcpu_runstate_info *info)
{
    return info->time[0] + info->time[1] + info->time[2] + info->time[3];
}

static void check_growth(const struct vcpu_runstate_info *info,
                         uint64_t seen[4])
{
    for (unsigned int i = 0; i < 4; i++) {
        if (info->time[i] < seen[i]) {
            count(&times.shrunk);
        }
        seen[i] = info->time[i];
    }
}

/* A whole copy of an area, as Linux takes it. */
static struct vcpu_runstate_info snapshot(unsigned int id)
{
    const struct vcpu_runstate_info *from = &areas[id].area;
    struct vcpu_runstate_info copy;
    uint64_t entry;

    for (;;) {
        entry = READ_ONCE(from->state_entry_time);
        barrier();
        memcpy(&copy, from, sizeof(copy));
        barrier();
        if (entry & UPDATING) {
            count(&times.flags);
        } else if (READ_ONCE(from->state_entry_time) == entry) {
            return copy;
        }
    }
}

long times_register(unsigned int id)
{
    struct vcpu_register_runstate_memory_area where = {.addr.v =
                                                           &areas[id].area};
    long rc = hc_vcpu_op(VCPUOP_register_runstate_memory_area, id, &where);
    struct vcpu_runstate_info now = snapshot(id);

    WRITE_ONCE(made_ns[id], now.state_entry_time - sum(&now));
    return rc;
}

void times_check_own(unsigned int id)
{
    struct vcpu_runstate_info now = snapshot(id);

    if (now.state_entry_time - sum(&now) != made_ns[id]) {
        count(&times.torn);
    }
    if (now.state != RUNSTATE_running) {
        count(&times.not_own);
    }
    check_growth(&now, own_seen[id]);
    count(&times.looks);
}

void times_check(unsigned int by, unsigned int id)
{
    uint64_t made = READ_ONCE(made_ns[id]), before, after;
    struct vcpu_runstate_info now, area;

    if (!made) {
        return;
    }
    before = clock_read(by);
    (void)hc_vcpu_op(VCPUOP_get_runstate_info, id, &now);
    after = clock_read(by);
    if (made + sum(&now) < before || made + sum(&now) > after) {
        count(&times.outside);
    }
    check_growth(&now, call_seen[id]);
    area = snapshot(id);
    if (area.state_entry_time - sum(&area) != made) {
        count(&times.torn);
    }
    /* With one CPU nothing changes meanwhile.  Who woke up has been told nothing. */
    if (id != by && cpus == 1 && now.state == RUNSTATE_runnable &&
        now.time[RUNSTATE_blocked] == area.time[RUNSTATE_blocked] &&
        now.time[RUNSTATE_offline] == area.time[RUNSTATE_offline]) {
        count(area.state == RUNSTATE_runnable ? &times.waits : &times.unsaid);
    }
    count(&times.looks);
}
