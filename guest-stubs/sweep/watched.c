/* SPDX-License-Identifier: MIT */
/*
 * watched.c - meeting the watchdog's NMIs, and telling them from ours.
 */
#include "watched.h"

#include <vigil/vigil_op.h>

#define PROVED_NS  (200 * NS_PER_MS) /* its first NMI has come by then */
#define MARGIN     20000U            /* instructions: to wake up in time */
#define LEAD_FIRST 3000U             /* to the first shot; then it is known */
#define LEAD_MOST  3000U             /* else something held it up */
#define NEAR       600 /* instructions: one comes while the other is handled */

static uint32_t lead = LEAD_FIRST; /* from the waiting's end to the shot */
static uint32_t waited_until, its_due;
static uint64_t its_nmis; /* when it was last asked */
static struct {
    uint64_t nmis;
    unsigned int inside, on_top, merged;
} since; /* the last line */

static uint32_t tsc(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    (void)high;
    return low;
}

static bool ask(struct vigil_op_watchdog *w)
{
    long rc = hypercall2(VIGIL_HYPERCALL, VIGIL_OP_watchdog, (unsigned long)w);

    return CHECK(rc == 0, "watchdog: %ld", rc);
}

bool watched_begin(void)
{
    struct vigil_op_watchdog w = {0};

    time_sleep_ns(PROVED_NS);
    if (!ask(&w) ||
        !CHECK(w.flags & VIGIL_WATCHDOG_PROVED, "no NMIs of the watchdog's") ||
        !CHECK(shot_other_init(), "the watchdog has no HPET comparator: %s",
               w.source)) {
        return false;
    }
    its_nmis = w.nmis;
    since.nmis = w.nmis;
    watched_say("begin");
    return true;
}

uint32_t watched_step(unsigned int pass, unsigned int step, unsigned int again,
                      uint32_t end)
{
    uint32_t any = (step + pass * 1009) * 7919;

    if (step & 1) {
        return step + any % WATCHED_MORE + again * WATCHED_MORE;
    }
    return (any + again * WATCHED_MORE) % end;
}

void watched_meet(uint32_t after)
{
    int32_t ahead = (int32_t)(lead + after), left;

    for (;;) {
        left = (int32_t)(shot_other_due() - tsc());
        if (left >= ahead) {
            if (left < ahead + 2 * (int32_t)MARGIN) {
                break;
            }
            left -= ahead + (int32_t)MARGIN;
        } else {
            left = left < 0 ? 0 : left;
            left += (int32_t)MARGIN; /* the one after it, then */
        }
        time_sleep_ns((uint32_t)left);
    }
    its_due = shot_other_due();
    /* Two instructions each; QEMU is slow at reading the TSC. */
    for (left = ((int32_t)(its_due - tsc()) - ahead) / 2; left > 0; left--) {
        barrier();
    }
    waited_until = tsc();
}

uint64_t watched_nmis(void)
{
    return its_nmis;
}

int32_t watched_met(const uint32_t *due, unsigned int dues, uint64_t missing)
{
    struct vigil_op_watchdog w = {0};
    int32_t nearest = INT32_MAX;
    uint64_t came;
    unsigned int i;

    /* Where a line of the log went out in between it is not to be expected again:
     * the next would come that much too late, after all has been counted. */
    if (shot.began - waited_until <= LEAD_MOST) {
        lead = shot.began - waited_until;
    }
    if (!ask(&w)) {
        return 0;
    }
    came = w.nmis - its_nmis;
    its_nmis = w.nmis;
    since.nmis += came;
    since.merged += (unsigned int)missing;
    CHECK(came == 1, "%lu NMIs of the watchdog's, not 1", came);
    for (i = 0; i < dues; i++) {
        int32_t apart = (int32_t)(its_due - due[i]);

        apart = apart < 0 ? -apart : apart;
        nearest = apart < nearest ? apart : nearest;
    }
    since.inside += its_due - shot.began <= shot.ended - shot.began;
    since.on_top += nearest <= NEAR;
    return nearest;
}

void watched_say(const char *name)
{
    print("sweep: watchdog %s nmis=%lu inside=%u ontop=%u merged=%u\n", name,
          since.nmis, since.inside, since.on_top, since.merged);
    memset(&since, 0, sizeof(since));
}
