/* SPDX-License-Identifier: MIT */
/*
 * crash/dump.c - one number, one NMI for each, one bounded wait, and words.
 *
 * `turn` says which round is on: its number, and who has asked (CPU + 1; 0: none
 * is on), and whether the pictures that come now are late.  It changes by
 * compare-and-swap only: who has lost it does no harm.
 *
 *   free --cas--> on --cas--> closed --cas--> free
 *                  |            |
 *                  +-- too old -+--cas--> on, another's, the next number
 *
 * A picture has the number of its round, 0 while it is made.  Its one writer are
 * the NMIs of its CPU, of which one runs at a time; who reads looks at the number
 * before and after.
 */
#include "crash/dump.h"

#include "lib/bits.h"
#include "x86/atomic.h"
#include "x86/barrier.h"
#include "x86/irqflags.h"
#include "x86/percpu.h"
#include "log/printk.h"
#include "cpu/clock.h"
#include "cpu/lapic.h"
#include "cpu/smp.h"
#include "crash/notes.h"
#include "crash/picture.h"

/* Ends the wait where no clock runs; each look takes longer than a cycle. */
#define LOOKS_MAX  1000000000U
/* To put all into words, on a slow emulator; then who asked is one that hangs. */
#define GRACE_NS   2000000000ULL
#define NEVER      (~0ULL)
/* Last words: this many lines, then only where each CPU was. */
#define LINES_LAST 128U

#define TURN_CPU    0x7fULL
#define TURN_CLOSED 0x80ULL
#define TURN_ONE    0x100ULL
#define TURN_NUMBER (~(TURN_ONE - 1))

/* Legend: a atomic; o only the owner of the turn; n only NMIs of its own CPU */
static uint64_t turn;           /* a                                     */
static uint64_t until = NEVER;  /* a: the turn may be taken away then    */
static enum log_level lines_at; /* o: of the lines, set before asked     */

static struct shot {
    uint64_t asked; /* a: the turn for which an NMI is under way; 0: none    */
    uint64_t round; /* a, n: the number of the picture; 0: in the making     */
    struct picture picture; /* n                                             */
    uint64_t claimed; /* a: number that somebody has begun to put into words */
    uint64_t said;    /* a: number that is in the log                        */
} ALIGNED(64) shots[NR_CPUS];

/* ---- one CPU ------------------------------------------------------------- */

static NMI_SAFE void take(struct shot *s, const struct cpu_regs *regs,
                          uint64_t mine)
{
    atomic_store(&s->round, 0ULL);
    picture_take(&s->picture, regs, READ_ONCE(lines_at));
    /* MB(dump:A) the picture before its number, and that before a look at the
     * turn; pairs with dump:B */
    atomic_store(&s->round, mine & TURN_NUMBER);
}

/* Out of line: each NMI looks whether it was asked for, few were. */
static NOINLINE NMI_SAFE void answer(struct shot *s,
                                     const struct cpu_regs *regs)
{
    uint64_t mine = atomic_xchg(&s->asked, 0ULL);

    take(s, regs, mine);
    if (atomic_load(&turn) != mine) {
        (void)atomic_or(&this_cpu()->work, WORK_NMI);
    }
}

NMI_SAFE bool dump_if_asked(const struct cpu_regs *regs)
{
    struct shot *s = &shots[this_cpu_id()];

    if (likely(READ_ONCE(s->asked) == 0)) {
        return false;
    }
    answer(s, regs);
    return true;
}

/* ---- words --------------------------------------------------------------- */

/* Once for each picture, whoever comes first. */
static NMI_SAFE void write_words(struct shot *s, uint64_t number,
                                 const char *how)
{
    uint64_t before = atomic_load(&s->claimed);
    char text[PICTURE_LINE_BYTES];
    struct log_tag tag;

    if (before == number || !atomic_cas(&s->claimed, before, number)) {
        return;
    }
    for (unsigned int i = 0; picture_line(&s->picture, i, how, text); i++) {
        tag = s->picture.tag;
        smp_rmb();
        if (atomic_load(&s->round) != number) {
            return; /* a later one is being taken, and its lines will come */
        }
        log_seen(&tag, "%s", text);
    }
    atomic_store(&s->said, number);
}

bool dump_is_late(cpu_t cpu)
{
    const struct shot *s = &shots[cpu];
    uint64_t number = atomic_load(&s->round), now = atomic_load(&turn);

    if (number == 0 || atomic_load(&s->claimed) == number) {
        return false;
    }
    return number != (now & TURN_NUMBER) || (now & TURN_CLOSED) != 0 ||
           (now & TURN_CPU) == 0;
}

void dump_say_late(cpu_t cpu)
{
    uint64_t number = atomic_load(&shots[cpu].round);

    if (dump_is_late(cpu)) {
        write_words(&shots[cpu], number, "late: ");
    }
}

/* Dying: what nobody has put into words yet, or not to its end. */
static void last_pictures(void)
{
    unsigned int lines = 0;

    for (cpu_t cpu = 0; cpu < NR_CPUS; cpu++) {
        const struct shot *s = &shots[cpu];
        uint64_t number = atomic_load(&s->round);
        char text[PICTURE_LINE_BYTES];

        if (number == 0 || number == atomic_load(&s->said)) {
            continue;
        }
        for (unsigned int i = 0; i == 0 || lines < LINES_LAST; i++) {
            if (!picture_line(&s->picture, i, "asked before: ", text) ||
                atomic_load(&s->round) != number) {
                break;
            }
            crash_note("%s", text);
            lines++;
        }
    }
}
CRASH_NOTE(pictures, last_pictures);

/* ---- a round ------------------------------------------------------------- */

NMI_SAFE bool dump_is_on(void)
{
    return (atomic_load(&turn) & TURN_CPU) != 0;
}

/* Return: the turn, this CPU's now; 0: another has it */
static NMI_SAFE uint64_t begin(uint64_t now_ns, uint64_t limit_ns)
{
    uint64_t before = atomic_load(&turn);
    uint64_t mine = (before & TURN_NUMBER) + TURN_ONE + this_cpu_id() + 1;

    /* `until` is NEVER before a turn is free, and after it has been taken. */
    if ((before & TURN_CPU) != 0 && now_ns < atomic_load(&until)) {
        return 0;
    }
    if (!atomic_cas(&turn, before, mine)) {
        return 0;
    }
    atomic_store(&until, now_ns + limit_ns + GRACE_NS);
    return mine;
}

static NMI_SAFE void end(uint64_t mine)
{
    atomic_store(&until, NEVER);
    (void)atomic_cas(&turn, mine, mine & TURN_NUMBER);
}

static NMI_SAFE void ask(cpumask_t whom, uint64_t mine)
{
    while (whom != 0) {
        unsigned int cpu = bit_lowest(whom);

        whom &= whom - 1;
        /* Also where one is under way: INIT may have dropped it; two merge. */
        atomic_store(&shots[cpu].asked, mine);
        lapic_nmi(cpu_blocks[cpu]->apic_id);
    }
}

/* Return: those of @left whose picture has not come */
static NMI_SAFE cpumask_t say_those_there(cpumask_t left, uint64_t mine)
{
    for (cpumask_t todo = left; todo != 0; todo &= todo - 1) {
        struct shot *s = &shots[bit_lowest(todo)];

        if (atomic_load(&s->round) == (mine & TURN_NUMBER)) {
            write_words(s, mine & TURN_NUMBER, "");
            left &= ~(todo & -todo);
        }
    }
    return left;
}

/* Return: those that have not answered, DUMP_NOT_NOW if the turn is lost */
static NMI_SAFE cpumask_t wait(cpumask_t left, uint64_t mine, uint64_t end_ns)
{
    for (uint32_t i = 0; i < LOOKS_MAX; i++) {
        left = say_those_there(left, mine);
        if (left == 0 || clock_now_ns() > end_ns ||
            atomic_load(&turn) != mine) {
            break;
        }
        cpu_relax();
    }
    /* MB(dump:B) closed before the last look: a picture is seen here, or its CPU
     * sees that it is late; pairs with dump:A */
    if (!atomic_cas(&turn, mine, mine | TURN_CLOSED)) {
        return DUMP_NOT_NOW;
    }
    return say_those_there(left, mine);
}

static NMI_SAFE void name_silent(enum log_level level, cpumask_t silent)
{
    while (silent != 0) {
        unsigned int cpu = bit_lowest(silent);

        silent &= silent - 1;
        log_nmi(level, "CPU %u: does not answer, not even to an NMI", cpu);
    }
}

NMI_SAFE cpumask_t dump_cpus(enum log_level level, const struct cpu_regs *regs,
                             uint64_t limit_ns)
{
    cpumask_t me = CPUMASK_OF(this_cpu_id());
    cpumask_t all = smp_online() | me, silent;
    uint64_t start = clock_now_ns(), mine = begin(start, limit_ns);

    if (mine == 0) {
        return DUMP_NOT_NOW;
    }
    WRITE_ONCE(lines_at, level);
    ask(regs == NULL ? all : all & ~me, mine);
    if (regs != NULL) {
        take(&shots[this_cpu_id()], regs, mine);
    }
    silent = wait(all, mine, start + limit_ns);
    if (silent != DUMP_NOT_NOW) {
        name_silent(level, silent);
        log_nmi(level, "all-CPU dump: %u of %u CPUs, %lu us",
                bit_count(all & ~silent), bit_count(all),
                (clock_now_ns() - start) / 1000);
        end(mine | TURN_CLOSED);
    }
    return silent;
}
