/* SPDX-License-Identifier: MIT */
/*
 * ras/watchdog.c - hearts, who looks at them, and what a stopped one leads to.
 *
 *   beating --4 looks, not moved--> stopped --it moves--> beating
 *                                     | panics, if that is wanted
 *
 * Where it is not, nobody writes in an NMI what another can write outside of one:
 * the first in the ring whose heart beats.  When none does the NMI writes (known
 * limit 41).
 */
#include "ras/watchdog.h"

#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "x86/atomic.h"
#include "x86/irqflags.h"
#include "x86/percpu.h"
#include "log/printk.h"
#include "log/sink.h"
#include "cpu/clock.h"
#include "cpu/smp.h"
#include "cpu/timer.h"
#include "crash/dump.h"
#include "crash/panic.h"
#include "crash/stop.h"
#include "dev/i6300esb.h"
#include "dev/nmi_timer.h"

#define NS_PER_S          1000000000ULL
#define TIMEOUT_S         5U
#define TIMEOUT_S_MAX     3600U
#define LOOKS             4U /* in a time-out */
#define FIRST_NMI_NS      1000000ULL
#define PROVE_NS          20000000ULL
#define PROVE_LOOKS       5U /* waits of PROVE_NS, then the next source */
/* Of the hardware's, in time-outs: the others have had their chance. */
#define HARDWARE_TIMEOUTS 3U
#define OTHERS_NS         (2 * DUMP_LIMIT_NS)

enum watchdog_policy {
    WATCHDOG_OFF,
    WATCHDOG_REPORTS,
    WATCHDOG_PANICS
};

/* What one that looks remembers of a heart. */
struct look {
    uint64_t seen;
    unsigned int still; /* looks since it moved last */
};

/* Legend: p its own CPU; n NMIs, of CPU 0 or of its own; w whoever is its
 * neighbour */
struct heart {
    struct timer timer;  /* p */
    /* p, CPU 0 when the boot ends; read by all: */
    bool is_watched;
    uint64_t beat_ns;    /* the last beat, or since when it is watched */
    struct look by_nmi;  /* n */
    uint64_t next_look_ns; /* n, of the CPU that looks */
    bool has_joined;       /* p: it gets NMIs of its own */
    struct look by_cpu;  /* w */
    struct look by_hw;   /* timers of CPU 0 */
    uint64_t told;       /* a: beats + 1 where the log said it; 0: it beats */
} ALIGNED(64);

static struct heart hearts[NR_CPUS];
static bool boot_has_ended; /* by CPU 0, once */

static enum watchdog_policy policy = WATCHDOG_PANICS; /* c */
static unsigned int timeout_s = TIMEOUT_S;            /* c */
static uint64_t look_ns;                              /* c */

static bool hardware_wanted = true; /* c */
static bool has_hardware;           /* c */
static bool hardware_is_on;         /* by CPU 0, when the boot ends */

/* Timers of CPU 0; read by all: */
static enum nmi_timer source = NMI_TIMER_NONE;
static bool is_proved;
static unsigned int prove_looks;               /* timers of CPU 0 */
static uint64_t nmis_before;                   /* timers of CPU 0 */
static struct timer prove_timer;

static uint64_t nmi_count;    /* n of CPU 0; read by all */
static uint32_t culprit;      /* a: CPU + 1 that shall panic */
static uint64_t stall_count;  /* a */

int watchdog_option(const char *value)
{
    bool on = true;
    int rc = 0;

    if (strcmp(value, "report") == 0) {
        policy = WATCHDOG_REPORTS;
        return 0;
    }
    if (*value != '\0' && strcmp(value, "force") != 0) {
        rc = parse_bool(value, &on);
    }
    if (rc == 0) {
        policy = on ? WATCHDOG_PANICS : WATCHDOG_OFF;
    }
    return rc;
}

int watchdog_timeout_option(const char *value)
{
    return parse_uint(value, TIMEOUT_S_MAX, &timeout_s);
}

int watchdog_hardware_option(const char *value)
{
    return parse_bool(value, &hardware_wanted);
}

/* ---- a heart has stopped ------------------------------------------------- */

static NMI_SAFE uint64_t hangs_ms(cpu_t cpu)
{
    return (clock_now_ns() - READ_ONCE(hearts[cpu].beat_ns)) / 1000000;
}

/*
 * The one at fault: @cpu may only wait for another that hangs, and that for
 * another.  One that was still for half a time-out at least has not just been
 * asked while it was busy.  A circle has no end: then it is the first.
 */
static NMI_SAFE cpu_t who_hangs(cpu_t cpu)
{
    cpumask_t seen = CPUMASK_OF(cpu);
    cpu_t end = cpu;

    for (;;) {
        uint32_t next = READ_ONCE(cpu_blocks[end]->waits_for);

        if (next == 0 || (seen & CPUMASK_OF(next - 1)) != 0) {
            return next == 0 ? end : cpu;
        }
        if (!READ_ONCE(hearts[next - 1].is_watched) ||
            hangs_ms(next - 1) < timeout_s * 500) {
            return end;
        }
        end = next - 1;
        seen |= CPUMASK_OF(end);
    }
}

/*
 * The heart of @first does not beat.  @regs: of this NMI, or NULL.
 * Return: this CPU has to panic, because of *@ret_cpu.
 */
static NMI_SAFE bool stopped(cpu_t first, const struct cpu_regs *regs,
                             cpu_t *ret_cpu)
{
    cpu_t cpu = who_hangs(first);
    uint64_t beats = READ_ONCE(cpu_blocks[cpu]->heartbeat);
    struct heart *h = &hearts[cpu];
    cpumask_t silent;

    *ret_cpu = cpu;
    /* Somebody has begun a panic for it, and did not come to its end. */
    if (atomic_load(&h->told) == beats + 1) {
        return policy == WATCHDOG_PANICS;
    }
    if (cpu != first) {
        log_nmi(LOG_ERROR, "watchdog: CPU %u waits for CPU %u", first, cpu);
    }
    log_nmi(LOG_ERROR, "watchdog: CPU %u hangs, for %lu ms now; noticed by CPU "
            "%u", cpu, hangs_ms(cpu), this_cpu_id());
    atomic_store(&culprit, policy == WATCHDOG_PANICS && cpu != this_cpu_id()
                               ? cpu + 1
                               : 0);
    silent = dump_cpus(LOG_ERROR, regs, DUMP_LIMIT_NS);
    if (silent == DUMP_NOT_NOW) {
        atomic_store(&culprit, 0U);
        return false; /* the next look comes back to it */
    }
    atomic_store(&h->told, beats + 1);
    (void)atomic_add(&stall_count, 1);
    return policy == WATCHDOG_PANICS &&
           (cpu == this_cpu_id() || (silent & CPUMASK_OF(cpu)) != 0);
}

NMI_SAFE void watchdog_asked(const struct cpu_regs *regs)
{
    uint64_t end;

    if (atomic_load(&culprit) != this_cpu_id() + 1) {
        return;
    }
    /* Stop the others not before the lines are written, and shown: the panic
     * would say one that is torn twice. */
    end = clock_now_ns() + OTHERS_NS;
    while ((dump_is_on() || !log_is_shown()) && clock_now_ns() < end) {
        cpu_relax();
    }
    if (!crash_in_progress()) {
        panic_regs(regs, "watchdog: this CPU, %u, hangs", this_cpu_id());
    }
}

/* @l is of @h, of @cpu.  Return: it has stood still for so many looks, or more. */
static NMI_SAFE bool look_at_heart(cpu_t cpu, const struct heart *h,
                                   struct look *l, unsigned int limit)
{
    uint64_t now = READ_ONCE(cpu_blocks[cpu]->heartbeat);

    if (likely(now != l->seen) || !READ_ONCE(h->is_watched)) {
        *l = (struct look){now, 0};
        return false;
    }
    l->still++;
    return l->still >= limit;
}

/* ---- NMIs ----------------------------------------------------------- */

/* Does a heart beat, so that a timer of that CPU can say who hangs? */
static NMI_SAFE bool somebody_beats(void)
{
    for (cpumask_t left = smp_online(); left != 0; left &= left - 1) {
        cpu_t cpu = bit_lowest(left);

        if (READ_ONCE(hearts[cpu].is_watched) &&
            hangs_ms(cpu) < timeout_s * 1000) {
            return true;
        }
    }
    return false;
}

/* Those of @still have stopped. */
static NOINLINE NMI_SAFE void some_stopped(cpumask_t still,
                                           const struct cpu_regs *regs)
{
    cpu_t cpu;

    if (policy == WATCHDOG_REPORTS && somebody_beats()) {
        return; /* words take long, and NMIs are blocked here */
    }
    for (; still != 0; still &= still - 1) {
        if (stopped(bit_lowest(still), regs, &cpu)) {
            panic_regs(regs, "watchdog: CPU %u hangs, for %lu ms now", cpu,
                       hangs_ms(cpu));
        }
        if (policy == WATCHDOG_PANICS) {
            return; /* others wait for it, maybe; if not, at the next look */
        }
    }
}

static NMI_SAFE void look(const struct cpu_regs *regs)
{
    cpumask_t left = smp_online(), still = 0;

    if (READ_ONCE(source) == NMI_TIMER_PMU) {
        left = CPUMASK_OF(this_cpu_id()); /* each has NMIs of its own */
    }
    for (; left != 0; left &= left - 1) {
        cpu_t cpu = bit_lowest(left);
        struct heart *h = &hearts[cpu];

        if (look_at_heart(cpu, h, &h->by_nmi, LOOKS)) {
            still |= CPUMASK_OF(cpu);
        }
    }
    if (unlikely(still != 0)) {
        some_stopped(still, regs);
    }
}

static NOINLINE NMI_SAFE void nmi_is_due(const struct cpu_regs *regs)
{
    cpu_t me = this_cpu_id();
    struct heart *h = &hearts[me];
    uint64_t now;

    if (me == 0) {
        nmi_count++;
    }
    now = clock_now_ns();
    if (now >= h->next_look_ns && !crash_in_progress() && !crash_stop_began()) {
        /* A source that is faster, or late, makes no look come early. */
        h->next_look_ns = now + look_ns / 4 * 3;
        look(regs);
    }
}

NMI_SAFE bool watchdog_nmi(const struct cpu_regs *regs)
{
    enum nmi_timer_answer answer = nmi_timer_take();

    if (answer == NMI_TIMER_NOT_MINE) {
        return false;
    }
    if (answer == NMI_TIMER_DUE) {
        nmi_is_due(regs);
    }
    return true;
}

/* ---- each CPU ------------------------------------------------------------------ */

/* The one after @cpu, in a ring. */
static cpu_t next_of(cpu_t cpu)
{
    cpumask_t all = smp_online() | CPUMASK_OF(this_cpu_id());
    cpumask_t later = all & ~MASK_BITS(cpu + 1);

    return later != 0 ? bit_lowest(later) : bit_lowest(all);
}

/* Behind one that hangs comes the next: nobody else looks at that any more. */
static void look_at_neighbours(void)
{
    cpu_t me = this_cpu_id(), cpu = next_of(me), hanging;

    /* One later than by NMI: that has the better record. */
    while (cpu != me &&
           look_at_heart(cpu, &hearts[cpu], &hearts[cpu].by_cpu, LOOKS + 1)) {
        if (stopped(cpu, NULL, &hanging)) {
            panic("watchdog: CPU %u hangs, for %lu ms now, and does not answer "
                  "an NMI", hanging, hangs_ms(hanging));
        }
        if (policy == WATCHDOG_PANICS) {
            return; /* the next one waits for it, maybe */
        }
        cpu = next_of(cpu);
    }
}

/* The source was proved, and is silent: somebody has changed it. */
static void look_at_source(void)
{
    static unsigned int silent;
    uint64_t now = READ_ONCE(nmi_count);

    if (!is_proved || source == NMI_TIMER_PMU) {
        return; /* that one is silent when the CPU sleeps */
    }
    if (now != nmis_before) {
        silent = 0;
    } else if (++silent == 2 * LOOKS) {
        pr_warn("watchdog: its NMIs do not come any more (%s): CPUs watch each "
                "other", nmi_timer_name(source));
        is_proved = false;
    }
    nmis_before = now;
}

/* It is fed only while all hearts beat. */
static void feed_hardware(void)
{
    cpumask_t left = smp_online();
    bool all_beat = true;

    while (left != 0) {
        cpu_t cpu = bit_lowest(left);
        struct look *l = &hearts[cpu].by_hw;
        uint64_t now = READ_ONCE(cpu_blocks[cpu]->heartbeat);

        left &= left - 1;
        if (now != l->seen || !READ_ONCE(hearts[cpu].is_watched)) {
            l->seen = now;
            l->still = 0;
        } else if (++l->still >= LOOKS) {
            all_beat = false;
        }
    }
    if (all_beat) {
        esb_feed();
    }
}

static void heart_beats(void *arg)
{
    cpu_t cpu = this_cpu_id();
    struct heart *h = &hearts[cpu];
    uint64_t now = clock_now_ns();

    (void)arg;
    if (atomic_xchg(&h->told, 0) != 0) {
        pr_warn("watchdog: CPU %u goes on, after %lu ms", cpu, hangs_ms(cpu));
    }
    this_cpu()->heartbeat++;
    WRITE_ONCE(h->beat_ns, now);
    h->is_watched = true;
    timer_set(&h->timer, now + look_ns);
    if (cpu != 0 && READ_ONCE(is_proved) && !h->has_joined) {
        h->has_joined = true;
        nmi_timer_join();
    }
    if (cpu == 0) {
        look_at_source();
        if (hardware_is_on) {
            feed_hardware();
        }
    }
    look_at_neighbours();
}

void watchdog_cpu_init(void)
{
    struct heart *h = &hearts[this_cpu_id()];
    struct look now = {this_cpu()->heartbeat, 0};

    if (policy == WATCHDOG_OFF) {
        return;
    }
    *h = (struct heart){.is_watched = READ_ONCE(boot_has_ended),
                        .beat_ns = clock_now_ns(),
                        .by_nmi = now,
                        .by_cpu = now,
                        .by_hw = now};
    timer_init(&h->timer, heart_beats, NULL);
    timer_set(&h->timer, clock_now_ns() + look_ns);
}

void watchdog_boot_ends(void)
{
    cpumask_t left = smp_online();

    if (policy == WATCHDOG_OFF) {
        return;
    }
    WRITE_ONCE(boot_has_ended, true);
    if (has_hardware) {
        esb_start(1000ULL * timeout_s * HARDWARE_TIMEOUTS);
        hardware_is_on = true;
    }
    while (left != 0) {
        struct heart *h = &hearts[bit_lowest(left)];

        WRITE_ONCE(h->beat_ns, clock_now_ns());
        WRITE_ONCE(h->is_watched, true);
        left &= left - 1;
    }
}

void watchdog_cpu_down(void)
{
    struct heart *h = &hearts[this_cpu_id()];

    if (policy != WATCHDOG_OFF) {
        h->is_watched = false;
        timer_stop(&h->timer);
        if (h->has_joined) {
            nmi_timer_leave();
        }
    }
}

/* ---- the source ------------------------------------------------------------------ */

/* The one after @source; the first, if that is none. */
static void try_next(void)
{
    enum nmi_timer next = source == NMI_TIMER_NONE ? 0 : source + 1;

    while (next < NMI_TIMER_NONE &&
           nmi_timer_start(next, FIRST_NMI_NS, look_ns) != 0) {
        next++;
    }
    source = next;
    is_proved = false;
    nmis_before = READ_ONCE(nmi_count);
    prove_looks = 0;
    if (next == NMI_TIMER_NONE) {
        (void)!nmi_timer_start(NMI_TIMER_NONE, 0, 0);
        pr_warn("watchdog: no source of NMIs: CPUs watch each other, time-out "
                "%u s", timeout_s);
        return;
    }
    timer_set(&prove_timer, clock_now_ns() + PROVE_NS);
}

static void prove(void *arg)
{
    (void)arg;
    if (READ_ONCE(nmi_count) != nmis_before) {
        is_proved = true;
        pr_info("watchdog: NMIs from the %s, time-out %u s%s",
                nmi_timer_name(source), timeout_s,
                policy == WATCHDOG_REPORTS ? ", only reports" : "");
    } else if (++prove_looks < PROVE_LOOKS) {
        timer_set(&prove_timer, clock_now_ns() + PROVE_NS);
    } else {
        pr_info("watchdog: no NMI from the %s", nmi_timer_name(source));
        try_next();
    }
}

void watchdog_init(void)
{
    if (timeout_s == 0) {
        policy = WATCHDOG_OFF;
    }
    if (policy == WATCHDOG_OFF) {
        pr_info("watchdog: off");
        return;
    }
    look_ns = timeout_s * NS_PER_S / LOOKS;
    source = NMI_TIMER_NONE;
    timer_init(&prove_timer, prove, NULL);
    has_hardware =
        policy == WATCHDOG_PANICS && hardware_wanted && esb_find();
    if (has_hardware) {
        pr_info("watchdog: i6300esb resets the machine after %u s",
                timeout_s * HARDWARE_TIMEOUTS);
    }
    watchdog_cpu_init();
    try_next();
}

void watchdog_get_state(struct watchdog_state *ret_state)
{
    *ret_state = (struct watchdog_state){
        .source = nmi_timer_name(source),
        .timeout_ms = policy == WATCHDOG_OFF ? 0 : timeout_s * 1000,
        .is_proved = is_proved,
        .is_fatal = policy == WATCHDOG_PANICS,
        .nmis = READ_ONCE(nmi_count),
        .stalls = atomic_load(&stall_count),
    };
}
