/* SPDX-License-Identifier: MIT */
/*
 * sweep - an NMI between any two instructions does no harm.
 *
 * Claim: whatever the processor is doing for us, an NMI then is counted once
 * by the hypervisor, told to us once, and changes nothing else: the operation
 * ends with the registers, the stack and the result it has without.
 * Plan, for each path of paths.c:
 *   1. The operation without an NMI of ours: how it ends, how long it takes.
 *   2. Again, with an NMI at its first instruction, at its second, and so on
 *      to the end of what it takes; each is compared with 1.
 *   3. Once more with other flags, `passes` times.
 * With `mc` on the command line a machine check takes the place of that NMI, with
 * `mc-first` of the first one of paths that have two; with both, the first must
 * have cleared MCIP before the second comes, else that is left out by the driver,
 * see mc.h.  `third`: there it may add one.  `with-nmi`: with each swept machine
 * check the driver makes an NMI pending.
 * `untold`: with nmi=ignore, which leaves our kernel alone: it may be one that
 * could not take an NMI.
 * `watched`: the watchdog is on, and each shot also meets an NMI of its, see
 * watched.h.
 * `panic`: one NMI `from=` instructions after the hypercall that ends it all; with
 * `every=` that many ticks of 10 ns from one to the next, all through it, all one
 * later for each of `from=`.  With `mc`, a machine check.
 * As Dom0, with nmi=dom0, under -icount shift=0 with -global hpet.msi=on.  A
 * step that failed is repeated with the path's name, `from=` and `to=`, and
 * `pass=`.
 *
 * `sent`: instead of all that virtual NMIs, see sent.h.
 * `random`: instead of all that two events at random, see random.c.
 *
 * `storm`: instead of all that two NMIs each 10 us (`period=` in ticks of 10 ns),
 * while we count to 25 million (`loops=`): each is counted, few are told, and
 * nearly all of the processor is ours.  Needs a hypervisor with a limit.
 */
#include "mc.h"
#include "ops.h"
#include "panic.h"
#include "paths.h"
#include "random.h"
#include "sent.h"
#include "sweep.h"
#include "watched.h"

#include <vigil/vigil_op.h>

const char stub_name[] = "sweep";

#define STACK_WORDS  512
#define STACK_BEGIN  480 /* the operation's first word is below */
#define SLACK        8U  /* before and after the operation, instructions */
#define FIRST_STEP   37U
#define WAIT_LOOPS   100000U
#define FAILURES_MAX 8U
#define QUIET_NS     32000U /* until the NMI's line is in the log, and more */
#define STORM_AHEAD  1000U  /* ticks to its first */
#define TOLD_WITHIN  2000   /* instructions, beside a long operation's own */
#define AGAIN_MAX    8      /* that a step is done because one is missing */

#define FLAGS_ALWAYS 0x202UL
#define FLAGS_ALU    0x8d5UL /* OF SF ZF AF PF CF */
#define FLAGS_DF     0x400UL
#define FLAGS_NT     0x4000UL
#define FLAGS_AC     0x40000UL

/* Each pass begins with others. */
static const uint64_t flags_of[] = {
    FLAGS_ALWAYS | FLAGS_ALU | FLAGS_NT,
    FLAGS_ALWAYS | FLAGS_DF | FLAGS_AC,
    FLAGS_ALWAYS | FLAGS_ALU | FLAGS_DF,
    FLAGS_ALWAYS | FLAGS_AC,
};

static uint64_t stack[STACK_WORDS] __page_aligned;

/* The operation as it is without an NMI of ours. */
static struct shot_regs good_regs;
static uint64_t good_frame[5];

/* By the hypervisor, when it was last asked. */
static struct vigil_op_counters counted;

/* What the command line asks for. */
static bool sweeps_mc, first_is_mc, with_nmi, has_third, untold, watched;

struct number {
    uint64_t nmis, mcs;
};

struct tally {
    unsigned int shots, lost, doubled, damaged;
    /* Instructions from an NMI to our handler: the most of those that were
     * told in time, how many were not, and the most of all. */
    int32_t told, worst;
    unsigned int late;
    int32_t limit;
    uint32_t length; /* of the operation, instructions */
};
static unsigned int failures; /* of this path */

static uint64_t word(unsigned int i, unsigned int pass)
{
    return 0x9e3779b97f4a7c15UL * (i + 1) + pass;
}

static void fill_regs(unsigned int pass)
{
    uint64_t *reg = (uint64_t *)&shot.in;
    unsigned int i;

    for (i = 0; i < sizeof(shot.in) / sizeof(*reg); i++) {
        reg[i] = word(1000 + i, pass);
    }
    /* Below it handlers work, and leave what they like. */
    for (i = STACK_BEGIN; i < STACK_WORDS; i++) {
        stack[i] = word(i, pass);
    }
    shot.in.rflags = flags_of[pass % ARRAY_SIZE(flags_of)];
    shot.in.rsp = (uint64_t)&stack[STACK_BEGIN];
}

static void fill(const struct path *p, unsigned int pass)
{
    fill_regs(pass);
    shot.op = p->op;
    p->prepare(&shot.in);
}

static bool count(void)
{
    long rc = hypercall2(VIGIL_HYPERCALL, VIGIL_OP_counters,
                         (unsigned long)&counted);

    return rc == 0 || CHECK(false, "counters: %ld", rc);
}

static struct number taken_so_far(void)
{
    return (struct number){.nmis = untold ? counted.nmi_total : shot_nmis,
                           .mcs = mc_taken};
}

/* Machine checks that the driver may leave out, or add: how many. */
static unsigned int uncertain(const struct path *p)
{
    if (!p->has_first || !first_is_mc || !sweeps_mc) {
        return 0;
    }
    return has_third ? 2 : 1;
}

/* How many come of a shot of @p; @swept: with the one that is swept. */
static struct number wanted_of(const struct path *p, bool swept)
{
    struct number n = {0};

    if (p->has_first) {
        *(first_is_mc ? &n.mcs : &n.nmis) += 1;
    }
    if (swept) {
        n.mcs += sweeps_mc && uncertain(p) == 2;
        *(sweeps_mc ? &n.mcs : &n.nmis) += 1;
        n.nmis += sweeps_mc && with_nmi;
    }
    return n;
}

/* Under -icount QEMU lets another processor run when this one says PAUSE. */
static void look_again(const struct path *p)
{
    barrier();
    if (p->has_others) {
        __asm__ volatile("pause");
    }
}

/* Wait for those that come after the end, but not for ever. */
static void await(const struct path *p, struct number before,
                  struct number wanted)
{
    uint64_t nmis = before.nmis + wanted.nmis;
    uint64_t mcs = before.mcs + wanted.mcs;
    unsigned int left;

    for (left = uncertain(p) ? WAIT_LOOPS / 100 : WAIT_LOOPS;
         left && ((shot_nmis < nmis && !untold) || mc_taken < mcs); left--) {
        look_again(p);
    }
    for (left = 32; left; left--) {
        look_again(p); /* one too many, perhaps */
    }
    /* Two instructions each; to sleep would take more of QEMU's time. */
    for (left = wanted.nmis ? QUIET_NS / 2 : 0; left; left--) {
        barrier();
    }
}

static const char *damage(const struct path *p, unsigned int pass)
{
    unsigned int i;

    if (p->is_preempted) {
        shot.out.rdi = good_regs.rdi;
        shot.out.rsi = good_regs.rsi;
    }
    if (memcmp(&shot.out, &good_regs, sizeof(good_regs))) {
        return "registers";
    }
    if (memcmp(path_frame(), good_frame, sizeof(good_frame))) {
        return "the frame of its trap";
    }
    for (i = STACK_BEGIN; i < STACK_WORDS; i++) {
        if (stack[i] != word(i, pass)) {
            return "stack";
        }
    }
    return p->check ? p->check() : NULL;
}

static void show_damage(void)
{
    const uint64_t *now = (const uint64_t *)&shot.out;
    const uint64_t *good = (const uint64_t *)&good_regs;
    unsigned int i;

    for (i = 0; i < sizeof(good_regs) / sizeof(*good); i++) {
        if (now[i] != good[i]) {
            print("sweep: word %u of the registers: %lx, not %lx\n", i, now[i],
                  good[i]);
        }
    }
    for (i = 0; i < ARRAY_SIZE(good_frame); i++) {
        if (path_frame()[i] != good_frame[i]) {
            print("sweep: word %u of the frame: %lx, not %lx\n", i,
                  path_frame()[i], good_frame[i]);
        }
    }
}

static void failed(const struct path *p, unsigned int pass, unsigned int step,
                   const char *what)
{
    failures++;
    report(VERDICT_FAILURE, "%s pass=%u step %u: %s, NMI at %lx", p->name, pass,
           step, what, shot_nmi_rip);
}

/* Where the other NMI comes, of a path that has two. */
static unsigned int first_of(const struct path *p, unsigned int pass)
{
    return p->first + (p->firsts ? pass * FIRST_STEP % p->firsts : 0);
}

static bool mcs_agree(const struct path *p, uint64_t got, uint64_t wanted,
                      const struct vigil_op_counters *before)
{
    uint64_t seen = counted.mce_total - before->mce_total;
    uint64_t told = counted.vmce_delivered - before->vmce_delivered;
    uint64_t records = seen ? mc_collect() : 0;

    if (got <= wanted && got + uncertain(p) >= wanted &&
        seen == got && told == got && records == got &&
        counted.mce_lost == before->mce_lost) {
        return true;
    }
    print("sweep: machine checks: taken %lu, not %lu, counted %lu, told %lu, "
          "records %ld, lost %lu\n",
          got, wanted, seen, told, records, counted.mce_lost);
    return false;
}

/* Of the last shot @missing of ours miss: say so, for who knows if they merged. */
static void say_merged(const struct path *p, unsigned int pass,
                       unsigned int step, uint64_t nmis_before,
                       uint64_t missing)
{
    uint32_t due[2] = {shot.due};
    int32_t apart;

    if (p->has_first) {
        due[1] = shot.due + step - first_of(p, pass);
    }
    apart = watched_met(due, p->has_first ? 2 : 1, missing);
    if (missing != 0) {
        print("sweep: merged %s pass=%u step=%u missing=%lu nmis=%lu to %lu, "
              "apart=%d\n",
              p->name, pass, step, missing, nmis_before,
              counted.nmi_total + watched_nmis(), apart);
    }
}

/*
 * One NMI after @step instructions; what came of it goes to @t.  Return: one of
 * ours is missing, but may have merged.
 */
static bool step_once(const struct path *p, unsigned int pass,
                      unsigned int step, unsigned int again, struct tally *t)
{
    uint64_t nmis_before = counted.nmi_total + watched_nmis(), missing = 0;
    struct number wanted = wanted_of(p, true), taken = taken_so_far();
    struct vigil_op_counters before = counted;
    const char *what;
    int32_t took;

    if (watched) {
        watched_meet(
            watched_step(pass, step, again,
                         t->length + (uint32_t)(TOLD_WITHIN + WATCHED_MORE)));
    }
    fill(p, pass);
    if (p->has_first) {
        shot_fire(first_of(p, pass), step);
    } else {
        shot_fire(step, SHOT_NONE);
    }
    await(p, taken, wanted);
    /* What another vcpu does meanwhile counts, too: then nothing is known. */
    took = (int32_t)(shot_nmi_tsc - shot.due);
    if (wanted.nmis == 1 && wanted.mcs == 0) {
        t->late += took > t->limit;
        t->worst = took > t->worst ? took : t->worst;
        t->told = took <= t->limit && took > t->told ? took : t->told;
    }
    what = damage(p, pass);
    if (!count()) {
        return false;
    }
    taken.nmis = taken_so_far().nmis - taken.nmis;
    taken.mcs = mc_taken - taken.mcs;
    if (watched) {
        missing = taken.nmis < wanted.nmis ? wanted.nmis - taken.nmis : 0;
        wanted.nmis -= missing;
        say_merged(p, pass, step, nmis_before, missing);
    }
    t->shots++;
    if (what) {
        t->damaged++;
        failed(p, pass, step, what);
        show_damage();
    }
    if (taken.nmis != wanted.nmis ||
        counted.nmi_total - before.nmi_total != wanted.nmis ||
        counted.nmi_reflected - before.nmi_reflected !=
            (untold ? 0 : wanted.nmis)) {
        t->lost += taken.nmis < wanted.nmis;
        t->doubled += taken.nmis > wanted.nmis;
        failed(p, pass, step, "count");
        print("sweep: taken %lu, counted %lu, told %lu\n", taken.nmis,
              counted.nmi_total - before.nmi_total,
              counted.nmi_reflected - before.nmi_reflected);
    }
    if (!mcs_agree(p, taken.mcs, wanted.mcs, &before)) {
        t->lost += taken.mcs + uncertain(p) < wanted.mcs;
        t->doubled += taken.mcs > wanted.mcs;
        failed(p, pass, step, "machine checks");
    }
    return missing != 0;
}

/* The same, until none is missing. */
static void step_whole(const struct path *p, unsigned int pass,
                       unsigned int step, struct tally *t)
{
    unsigned int again = 0;

    while (step_once(p, pass, step, again, t)) {
        if (++again == AGAIN_MAX) {
            failed(p, pass, step, "each time one is missing");
            return;
        }
    }
}

/* Without the NMI that is swept.  Return: instructions. */
static uint32_t reference(const struct path *p, unsigned int pass)
{
    struct number wanted = wanted_of(p, false);
    uint32_t length = 0;
    const char *what;
    unsigned int i;

    /* The first one may find things to do that are done only once. */
    for (i = 0; i < 3; i++) {
        struct number before = taken_so_far();
        uint32_t took;

        fill(p, pass);
        took = shot_fire(p->has_first ? first_of(p, pass) : SHOT_NONE,
                         SHOT_NONE);
        await(p, before, wanted);
        length = took > length ? took : length;
    }
    good_regs = shot.out;
    memcpy(good_frame, path_frame(), sizeof(good_frame));
    what = damage(p, pass);
    (void)count();
    (void)mc_collect();
    CHECK(!what, "%s, without an NMI: %s", p->name, what ? what : "");
    return length;
}

/* Every step of one pass, each for the variants from path_variant to @last. */
static void one_pass(const struct path *p, unsigned int pass, unsigned int last,
                     struct tally *t)
{
    unsigned int by = (unsigned int)cmdline_number("by", 1);
    unsigned int step = (unsigned int)cmdline_number("from", p->from);
    unsigned int end = (unsigned int)cmdline_number("to", ~0U);
    unsigned int first = path_variant;

    t->length = reference(p, pass);
    t->limit = p->is_asked_for
                   ? INT32_MAX
                   : TOLD_WITHIN + (int32_t)(t->length < 800 ? 0 : t->length) +
                         (watched ? WATCHED_MORE : 0);
    end = end < t->length + SLACK ? end : t->length + SLACK;
    for (; step <= end && failures < FAILURES_MAX; step += by) {
        /* Two at once are one: the processor knows no number. */
        if (p->has_first && step == first_of(p, pass)) {
            continue;
        }
        for (path_variant = first; path_variant <= last; path_variant++) {
            step_whole(p, pass, step, t);
        }
        path_variant = first;
    }
}

static void sweep(const struct path *p)
{
    unsigned int pass = (unsigned int)cmdline_number("pass", 0);
    unsigned int last = pass + (unsigned int)cmdline_number("passes", 1);
    unsigned int variants = p->variants ? p->variants : 1;
    struct number before = taken_so_far();
    enum shot_kind swept = sweeps_mc ? SHOT_MC : SHOT_NMI;
    struct tally t = {0};

    shot_kinds(!p->has_first ? swept : first_is_mc ? SHOT_MC : SHOT_NMI, swept);
    failures = 0;
    print("sweep: begin %s\n", p->name);
    if (!p->begin || p->begin()) {
        for (; pass < last && failures < FAILURES_MAX; pass++) {
            path_variant = 0;
            while (p->variants_differ && path_variant < variants - 1) {
                one_pass(p, pass, path_variant, &t);
                path_variant++;
            }
            one_pass(p, pass, variants - 1, &t);
        }
    }
    if (p->end) {
        p->end();
    }
    if (watched) {
        watched_say(p->name);
    }
    print("sweep: end %s length=%u shots=%u nmis=%lu lost=%u doubled=%u "
          "damaged=%u told=%d late=%u worst=%d mcs=%lu\n",
          p->name, t.length, t.shots, taken_so_far().nmis - before.nmis, t.lost,
          t.doubled, t.damaged, t.told, t.late, t.worst,
          mc_taken - before.mcs);
}

/* Told, counted, and what is left of the processor, while too many come. */
static void storm(void)
{
    const uint64_t loops = cmdline_number("loops", 25000000);
    const unsigned int period = (unsigned int)cmdline_number("period", 1000);
    struct vigil_op_counters before = counted;
    uint64_t told = shot_nmis, began, took, nmis, left = loops;

    shot_storm_begin(period, STORM_AHEAD);
    began = time_now_ns(); /* an instruction is a nanosecond */
    __asm__ volatile("1: dec %0\n\t"
                     "jnz 1b"
                     : "+r"(left)
                     :
                     : "cc");
    took = time_now_ns() - began;
    shot_storm_end();
    told = shot_nmis - told;
    if (!count()) {
        return;
    }
    nmis = counted.nmi_total - before.nmi_total;
    print("sweep: storm counted=%lu told=%lu share=%lu ns=%lu\n", nmis, told,
          2 * loops * 1000 / took, took);
    CHECK(nmis >= took / (10 * period), "%lu NMIs in %lu ns", nmis, took);
    CHECK(counted.nmi_reflected - before.nmi_reflected == told,
          "%lu taken, told %lu", told,
          counted.nmi_reflected - before.nmi_reflected);
    CHECK(told < nmis / 2, "all were told");
    /* It is over a second after the last, or two: then each counts again. */
    time_sleep_ns(3 * NS_PER_SEC);
    told = shot_nmis;
    shot.op = op_wait;
    fill_regs(0);
    shot_fire(8, SHOT_NONE);
    time_sleep_ns(NS_PER_MS);
    CHECK(shot_nmis == told + 1, "after the storm: %lu of 1 told",
          shot_nmis - told);
    report(VERDICT_SUCCESS, "%lu NMIs", nmis + 1);
}

static bool begin(void)
{
    const char *missing = shot_init();

    sweeps_mc = cmdline_has("mc");
    first_is_mc = cmdline_has("mc-first");
    with_nmi = cmdline_has("with-nmi");
    untold = cmdline_has("untold");
    has_third = cmdline_has("third");
    if (cmdline_has("random")) {
        random_announce();
    }
    if (!missing && (sweeps_mc || first_is_mc || cmdline_has("random"))) {
        missing = mc_init();
    }
    if (missing) {
        report(VERDICT_SKIP, "%s", missing);
        return false;
    }
    watched = cmdline_has("watched");
    return CHECK(trap_register_at(TRAP_NMI, 0, shot_nmi_entry) == 0,
                 "no gate for NMIs") &&
           paths_init() && (!watched || watched_begin()) && count() &&
           CHECK(counted.nmi_total == 0, "%lu NMIs before the first",
                 counted.nmi_total);
}

/* ---- for random.c ---------------------------------------------------------- */

void sweep_fill(const struct path *p, unsigned int pass)
{
    fill(p, pass);
}

uint32_t sweep_reference(const struct path *p, unsigned int pass)
{
    return reference(p, pass);
}

const char *sweep_damage(const struct path *p, unsigned int pass)
{
    const char *what = damage(p, pass);

    if (what) {
        show_damage();
    }
    return what;
}

const struct vigil_op_counters *sweep_count(void)
{
    return count() ? &counted : NULL;
}

void stub_main(void)
{
    bool all = true;
    unsigned int i;

    if (cmdline_has("sent")) {
        sent_sweep();
        return;
    }
    if (!begin()) {
        return;
    }
    if (cmdline_has("storm")) {
        storm();
        return;
    }
    if (cmdline_has("random")) {
        random_run();
        return;
    }
    if (cmdline_has("panic")) {
        panic_once((unsigned int)cmdline_number("from", 0),
                   (unsigned int)cmdline_number("every", 0), sweeps_mc);
        return;
    }
    for (i = 0; i < path_count; i++) {
        all = all && !cmdline_has(paths[i].name);
    }
    for (i = 0; i < path_count; i++) {
        if ((all && !paths[i].is_asked_for) || cmdline_has(paths[i].name)) {
            sweep(&paths[i]);
        }
    }
    CHECK(taken_so_far().nmis + mc_taken != 0, "nothing came");
    report(VERDICT_SUCCESS, "%lu NMIs, %lu machine checks",
           taken_so_far().nmis, mc_taken);
}
