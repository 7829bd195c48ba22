/* SPDX-License-Identifier: MIT */
/*
 * random.c - nestings drawn at random, each from a seed that repeats it.
 *
 * A seed says which path, with which flags, which two events (NMI or #MC, each),
 * when the first comes and how long after it the second; and what the driver adds
 * (tests/system/nestdriver.py): an NMI that is pending together with a machine
 * check, and more on the way out of one.  What of it came, and inside of what, is
 * in QEMU's log (tests/system/test_nest_random.py); here each must be counted once,
 * be told once, and change nothing.
 *
 *     random seed=S seeds=N
 */
#include "random.h"
#include "mc.h"
#include "sweep.h"

#define FAILURES_MAX 8U
#define EDGE         200U /* instructions at the beginning and end of a path */
#define FAR          12000U /* from the first event to the second, at most      */
#define ABOUT        300U /* around the end of a handler                      */
#define DOOR         100U
#define AFTER_ALL    60000U /* from the second on: all has been told by then    */
#define PROBE_FIRST  24U
#define IN_A_CALL    80U /* instructions, of a hypercall: in the hypervisor  */
#define APART        20U /* two stops of the machine: it goes on between them */
#define NMI_FIRST    300U /* QEMU takes a #MC so late, that came with an NMI   */
#define MERGES       4U   /* two NMIs so close may be one                     */

/* What the driver is to add; it reads this whenever the machine stops. */
#define PLAN_NMI_WITH(n)                                                       \
    (1UL << (n))                    /* pending with the first #MC, the second */
#define PLAN_OUT_MC      (1UL << 2) /* on the first's way out                  */
#define PLAN_OUT_NMI     (1UL << 3)
#define PLAN_THIRD       (1UL << 4) /* a #MC on the way out of the second      */
#define PLAN_STEPS_SHIFT 8 /* instructions of those ways out; not 0   */
#define PLAN_STEPS       42U
static struct {
    volatile uint64_t seed, what;
} plan __attribute__((aligned(16)));

struct nest {
    const struct path *path;
    unsigned int pass, first, gap;
    enum shot_kind kinds[2];
};

struct sums {
    uint64_t nmis, mcs;
};

/* Instructions from an event to where its handler leaves, as far as is known. */
static unsigned int ends_after[2];
static unsigned int failures;

void random_announce(void)
{
    print("sweep: plan at 0x%lx\n", mm_maddr(&plan));
}

static bool is_drawn(const struct path *p)
{
    return !p->has_first && !p->is_asked_for;
}

static const struct path *path_named(const char *name)
{
    unsigned int i, len = (unsigned int)strlen(name);

    for (i = 0; i < path_count; i++) {
        if (strlen(paths[i].name) == len &&
            memcmp(paths[i].name, name, len) == 0) {
            return &paths[i];
        }
    }
    return &paths[0];
}

/* Some have more of what nests than others. */
static const struct path *draw_path(uint64_t *row)
{
    const struct path *p;

    switch (draw(row, 16)) {
    case 0:
    case 1:
    case 2:
        return path_named("watch");
    case 3:
        return path_named("user-segment");
    default:
        do {
            p = &paths[draw(row, path_count)];
        } while (!is_drawn(p));
        return p;
    }
}

static unsigned int draw_first(uint64_t *row, unsigned int length)
{
    unsigned int edge = length < EDGE ? length : EDGE;

    switch (draw(row, 3)) {
    case 0:
        return (unsigned int)draw(row, edge);
    case 1:
        return length - (unsigned int)draw(row, edge);
    default:
        return (unsigned int)draw(row, length);
    }
}

/* In the first's handler, in its door, on its way out, or anywhere in between. */
static unsigned int draw_gap(uint64_t *row, enum shot_kind first)
{
    unsigned int end = ends_after[first];

    switch (draw(row, 8)) {
    case 0:
    case 1:
        return (unsigned int)draw(row, FAR);
    case 2:
    case 3:
        return (unsigned int)draw(row, end);
    case 4:
        return (unsigned int)draw(row, DOOR);
    default:
        return end - ABOUT + (unsigned int)draw(row, 2 * ABOUT);
    }
}

static void draw_nest(unsigned int seed, struct nest *n)
{
    uint64_t row = seed;
    unsigned int i, variants;

    /* Rows of neighbours are alike at first. */
    for (i = 0; i < 8; i++) {
        (void)draw(&row, 2);
    }
    n->path = draw_path(&row);
    n->pass = (unsigned int)draw(&row, 1000);
    variants = n->path->variants ? n->path->variants : 1;
    path_variant = (unsigned int)draw(&row, variants);
    for (i = 0; i < 2; i++) {
        n->kinds[i] = draw(&row, 2) ? SHOT_MC : SHOT_NMI;
    }
    plan.what = 0;
    for (i = 0; i < 2; i++) {
        plan.what |= draw(&row, 3) == 0 ? PLAN_NMI_WITH(i) : 0;
    }
    if (draw(&row, 3) == 0) {
        plan.what |= (1 + draw(&row, 3)) * PLAN_OUT_MC;
    }
    plan.what |= draw(&row, 2) ? PLAN_THIRD : 0;
    plan.what |= (1 + draw(&row, PLAN_STEPS)) << PLAN_STEPS_SHIFT;
    n->gap = draw_gap(&row, n->kinds[0]);
    if (n->kinds[0] == SHOT_MC && n->kinds[1] == SHOT_MC) {
        /* The first must have been taken; else there would be a reset. */
        n->gap += plan.what & PLAN_NMI_WITH(0) ? NMI_FIRST : APART;
    }
    if (!n->path->begin || n->path->begin()) {
        n->first = draw_first(&row, sweep_reference(n->path, n->pass));
    }
}

static uint32_t tsc(void)
{
    uint32_t low;

    __asm__ volatile("rdtsc" : "=a"(low)::"rdx");
    return low;
}

/* One operation with two events, until all is over.  Return: how many were told. */
static struct sums fire(const struct nest *n)
{
    struct sums before = {shot_nmis, mc_taken};

    shot_kinds(n->kinds[0], n->kinds[1]);
    sweep_fill(n->path, n->pass);
    shot_fire(n->first, n->gap == SHOT_NONE ? SHOT_NONE : n->first + n->gap);
    while ((int32_t)(tsc() - shot.due) <
           (int32_t)((n->gap == SHOT_NONE ? 0 : n->gap) + AFTER_ALL)) {
    }
    return (struct sums){shot_nmis - before.nmis, mc_taken - before.mcs};
}

/*
 * How long the handlers take.  Of a #MC's the driver tells: it leaves a second out
 * while MCIP is set.  Return: what came.
 */
static struct sums learn(void)
{
    struct nest n = {path_named("nmi-in-guest"),
                     0,
                     PROBE_FIRST,
                     SHOT_NONE,
                     {SHOT_NMI, SHOT_NMI}};
    unsigned int low = ABOUT, high = 4 * FAR;
    struct sums all = fire(&n), one;

    /* Half of the way to our handler is the hypervisor's NMI handler. */
    ends_after[SHOT_NMI] = (shot_nmi_tsc - shot.due) / 2;
    CHECK(all.nmis == 1, "one NMI was told %lu times", all.nmis);
    n = (struct nest){
        path_named("hypercall"), 0, IN_A_CALL, 0, {SHOT_MC, SHOT_MC}};
    while (high - low > 16) {
        n.gap = (low + high) / 2;
        one = fire(&n);
        all.nmis += one.nmis;
        all.mcs += one.mcs;
        *(one.mcs == 2 ? &high : &low) = n.gap;
    }
    ends_after[SHOT_MC] = high;
    (void)mc_collect();
    return all;
}

/* @got of what may be @least to @most, as the hypervisor has it, too. */
static bool agree(const char *what, uint64_t got, uint64_t least, uint64_t most,
                  uint64_t counted, uint64_t told)
{
    if (got >= least && got <= most && counted == got && told == got) {
        return true;
    }
    print("sweep: %s: taken %lu, not %lu to %lu, counted %lu, told %lu\n", what,
          got, least, most, counted, told);
    return false;
}

/* What may come of one seed. */
struct limits {
    uint64_t nmis_least, nmis_most, mcs_least, mcs_most;
};

/*
 * The driver leaves out what would be a reset.  NMIs that wait are one, by the
 * processor's rule.  It and QEMU's log have the exact numbers.
 */
static struct limits limits_of(const struct nest *n)
{
    unsigned int mcs = (n->kinds[0] == SHOT_MC) + (n->kinds[1] == SHOT_MC);
    unsigned int nmis = 2 - mcs, added = 0;

    if (mcs > 0) {
        added = ((plan.what & PLAN_NMI_WITH(0)) != 0) +
                ((plan.what & PLAN_OUT_NMI) != 0) +
                (mcs == 2 && (plan.what & PLAN_NMI_WITH(1)));
    }
    return (struct limits){
        .nmis_least = added || n->gap < MERGES ? nmis != 0 : nmis,
        .nmis_most = nmis + added,
        .mcs_least = mcs != 0,
        .mcs_most = mcs == 0 ? 0
                             : mcs + ((plan.what & PLAN_OUT_MC) != 0) +
                                   ((plan.what & PLAN_THIRD) != 0),
    };
}

/* @got of what may come, as the hypervisor and the records have it, too. */
static const char *disagreement(const struct limits *may,
                                const struct sums *got,
                                const struct vigil_op_counters *before,
                                const struct vigil_op_counters *now)
{
    uint64_t seen = now->mce_total - before->mce_total;
    uint64_t records = seen ? mc_collect() : 0;

    if (!agree("NMIs", got->nmis, may->nmis_least, may->nmis_most,
               now->nmi_total - before->nmi_total,
               now->nmi_reflected - before->nmi_reflected)) {
        return "NMIs";
    }
    if (!agree("machine checks", got->mcs, may->mcs_least, may->mcs_most, seen,
               now->vmce_delivered - before->vmce_delivered)) {
        return "machine checks";
    }
    if (records != got->mcs || now->mce_lost != before->mce_lost) {
        print("sweep: %lu machine checks, %ld records, lost %lu\n", got->mcs,
              records, now->mce_lost - before->mce_lost);
        return "records";
    }
    return NULL;
}

/* Return: what came of it. */
static struct sums one_seed(unsigned int seed)
{
    struct nest n = {.first = 0};
    struct vigil_op_counters before;
    const struct vigil_op_counters *now;
    const char *what, *wrong;
    struct sums got = {0, 0};
    struct limits may;

    plan.seed = seed;
    draw_nest(seed, &n);
    now = sweep_count();
    if (!now) {
        return got;
    }
    before = *now;
    got = fire(&n);
    what = sweep_damage(n.path, n.pass);
    now = sweep_count();
    may = limits_of(&n);
    wrong = now ? disagreement(&may, &got, &before, now) : "counters";
    print("sweep: seed %u %s %u+%u %c%c nmis=%lu mcs=%lu\n", seed, n.path->name,
          n.first, n.gap, n.kinds[0] == SHOT_MC ? 'M' : 'N',
          n.kinds[1] == SHOT_MC ? 'M' : 'N', got.nmis, got.mcs);
    what = what ? what : wrong;
    if (what) {
        failures++;
        report(VERDICT_FAILURE,
               "random seed=%u seeds=1: %s pass=%u variant=%u: %s", seed,
               n.path->name, n.pass, path_variant, what);
    }
    return got;
}

void random_run(void)
{
    unsigned int seed = (unsigned int)cmdline_number("seed", 1);
    unsigned int end = seed + (unsigned int)cmdline_number("seeds", 1);
    struct sums all, one;

    all = learn();
    print("sweep: learned NMI %u #MC %u nmis=%lu mcs=%lu\n",
          ends_after[SHOT_NMI], ends_after[SHOT_MC], all.nmis, all.mcs);
    for (; seed < end && failures < FAILURES_MAX; seed++) {
        one = one_seed(seed);
        all.nmis += one.nmis;
        all.mcs += one.mcs;
    }
    report(VERDICT_SUCCESS, "%lu NMIs, %lu machine checks", all.nmis, all.mcs);
}
