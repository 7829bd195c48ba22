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
 * As Dom0, with nmi=dom0, under -icount shift=0 with -global hpet.msi=on.  A
 * step that failed is repeated with the path's name, `from=` and `to=`, and
 * `pass=`.
 *
 * `storm`: instead of all that two NMIs each 10 us (`period=` in ticks of 10 ns),
 * while we count to 25 million (`loops=`): each is counted, few are told, and
 * nearly all of the processor is ours.  Needs a hypervisor with a limit.
 */
#include "ops.h"
#include "paths.h"

#include <vigil/vigil_op.h>

const char stub_name[] = "sweep";

#define STACK_WORDS  512
#define STACK_BEGIN  480 /* the operation's first word is below */
#define SLACK        8U  /* before and after the operation, instructions */
#define FIRST_STEP   37U
#define WAIT_LOOPS   100000U
#define FAILURES_MAX 8U
#define QUIET_NS     32000U /* until the NMI's line is in the log, and more */
#define TOLD_WITHIN  2000   /* instructions, beside a long operation's own */

#define FLAGS_ALWAYS 0x202UL
#define FLAGS_ALU    0x8d5UL /* OF SF ZF AF PF CF */
#define FLAGS_DF     0x400UL
#define FLAGS_NT     0x4000UL
#define FLAGS_AC     0x40000UL

/* Each pass begins with others. */
static const uint64_t flags_of[] = {
    FLAGS_ALWAYS | FLAGS_ALU,
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

struct tally {
    unsigned int shots, lost, doubled, damaged;
    /* Instructions from an NMI to our handler: the most of those that were
     * told in time, how many were not, and the most of all. */
    int32_t told, worst;
    unsigned int late;
    int32_t limit;
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

/* Wait for those that come after the end, but not for ever. */
static void await(uint64_t nmis)
{
    unsigned int left;

    for (left = WAIT_LOOPS; left && shot_nmis < nmis; left--) {
        barrier();
    }
    for (left = 32; left; left--) {
        barrier(); /* one too many, perhaps */
    }
    /* Two instructions each; to sleep would take more of QEMU's time. */
    for (left = nmis ? QUIET_NS / 2 : 0; left; left--) {
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

/* One NMI after @step instructions; what came of it goes to @t. */
static void step_once(const struct path *p, unsigned int pass,
                      unsigned int step, struct tally *t)
{
    unsigned int wanted = p->has_first ? 2 : 1;
    struct vigil_op_counters before = counted;
    uint64_t taken = shot_nmis;
    const char *what;
    int32_t took;

    fill(p, pass);
    if (p->has_first) {
        shot_fire(first_of(p, pass), step);
    } else {
        shot_fire(step, SHOT_NONE);
    }
    await(taken + wanted);
    /* What another vcpu does meanwhile counts, too: then nothing is known. */
    took = (int32_t)(shot_nmi_tsc - shot.due);
    if (wanted == 1) {
        t->late += took > t->limit;
        t->worst = took > t->worst ? took : t->worst;
        t->told = took <= t->limit && took > t->told ? took : t->told;
    }
    what = damage(p, pass);
    taken = shot_nmis - taken;
    if (!count()) {
        return;
    }
    t->shots++;
    if (what) {
        t->damaged++;
        failed(p, pass, step, what);
        show_damage();
    }
    if (taken != wanted || counted.nmi_total - before.nmi_total != wanted ||
        counted.nmi_reflected - before.nmi_reflected != wanted) {
        t->lost += taken < wanted;
        t->doubled += taken > wanted;
        failed(p, pass, step, "count");
        print("sweep: taken %lu, counted %lu, told %lu\n", taken,
              counted.nmi_total - before.nmi_total,
              counted.nmi_reflected - before.nmi_reflected);
    }
}

static void all_variants(const struct path *p, unsigned int pass,
                         unsigned int step, struct tally *t)
{
    path_variant = 0;
    do {
        step_once(p, pass, step, t);
    } while (++path_variant < p->variants);
}

/* Without the NMI that is swept.  Return: instructions. */
static uint32_t reference(const struct path *p, unsigned int pass)
{
    uint64_t taken = shot_nmis;
    uint32_t length = 0;
    const char *what;
    unsigned int i;

    path_variant = 0;
    /* The first one may find things to do that are done only once. */
    for (i = 0; i < 3; i++) {
        uint32_t took;

        fill(p, pass);
        took = shot_fire(p->has_first ? first_of(p, pass) : SHOT_NONE,
                         SHOT_NONE);
        await(taken + (p->has_first ? i + 1 : 0));
        length = took > length ? took : length;
    }
    good_regs = shot.out;
    memcpy(good_frame, path_frame(), sizeof(good_frame));
    what = damage(p, pass);
    (void)count();
    CHECK(!what, "%s, without an NMI: %s", p->name, what ? what : "");
    return length;
}

static void sweep(const struct path *p)
{
    unsigned int pass = (unsigned int)cmdline_number("pass", 0);
    unsigned int last = pass + (unsigned int)cmdline_number("passes", 1);
    unsigned int from = (unsigned int)cmdline_number("from", p->from);
    unsigned int to = (unsigned int)cmdline_number("to", ~0U);
    unsigned int by = (unsigned int)cmdline_number("by", 1);
    struct tally t = {0};
    uint64_t nmis = shot_nmis;
    uint32_t length = 0;

    failures = 0;
    print("sweep: begin %s\n", p->name);
    if (!p->begin || p->begin()) {
        for (; pass < last && failures < FAILURES_MAX; pass++) {
            unsigned int step, end;

            length = reference(p, pass);
            t.limit = TOLD_WITHIN + (int32_t)(length < 800 ? 0 : length);
            if (p->needs_two) {
                t.limit = INT32_MAX;
            }
            end = to < length + SLACK ? to : length + SLACK;
            for (step = from; step <= end && failures < FAILURES_MAX;
                 step += by) {
                /* Two at once are one: the processor knows no number. */
                if (!p->has_first || step != first_of(p, pass)) {
                    all_variants(p, pass, step, &t);
                }
            }
        }
    }
    print("sweep: end %s length=%u shots=%u nmis=%lu lost=%u doubled=%u "
          "damaged=%u told=%d late=%u worst=%d\n",
          p->name, length, t.shots, shot_nmis - nmis, t.lost, t.doubled,
          t.damaged, t.told, t.late, t.worst);
}

/* Told, counted, and what is left of the processor, while too many come. */
static void storm(void)
{
    const uint64_t loops = cmdline_number("loops", 25000000);
    const unsigned int period = (unsigned int)cmdline_number("period", 1000);
    struct vigil_op_counters before = counted;
    uint64_t told = shot_nmis, began, took, nmis, left = loops;

    shot_storm_begin(period);
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
    await(told + 1);
    CHECK(shot_nmis == told + 1, "after the storm: %lu of 1 told",
          shot_nmis - told);
    report(VERDICT_SUCCESS, "%lu NMIs", nmis + 1);
}

static bool begin(void)
{
    const char *missing = shot_init();

    if (missing) {
        report(VERDICT_SKIP, "%s", missing);
        return false;
    }
    return CHECK(trap_register_at(TRAP_NMI, 0, shot_nmi_entry) == 0,
                 "no gate for NMIs") &&
           paths_init() && count() &&
           CHECK(counted.nmi_total == 0, "%lu NMIs before the first",
                 counted.nmi_total);
}

void stub_main(void)
{
    bool all = true;
    unsigned int i;

    if (!begin()) {
        return;
    }
    if (cmdline_has("storm")) {
        storm();
        return;
    }
    for (i = 0; i < path_count; i++) {
        all = all && !cmdline_has(paths[i].name);
    }
    for (i = 0; i < path_count; i++) {
        if ((all && !paths[i].needs_two) || cmdline_has(paths[i].name)) {
            sweep(&paths[i]);
        }
    }
    CHECK(shot_nmis != 0, "no NMI came");
    report(VERDICT_SUCCESS, "%lu NMIs", shot_nmis);
}
