/* SPDX-License-Identifier: MIT */
/*
 * log/ring under load: four writers with a million records each, every one of
 * them interrupted, and interrupted in that, by handlers that write, too; two
 * readers, of which one is slower than the writers.
 *
 * A signal stands for the NMI, one that may interrupt its handler for the #MC.
 * What a record says follows from who wrote it and from its number, so that a
 * mixture of two shows, whatever its checksum says.  (INV-LOG-1, INV-LOG-2.)
 */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <signal.h>

#include "log/ring.h"
#include "fake_hw.h"

#define WRITERS 4
#define RECORDS 1000000UL /* of each writer, in all its contexts */
#define LONG    300       /* bytes: a record of two cells, one in 16 */
#define SHORT   100
#define NMI     SIGUSR1
#define MC      SIGUSR2

/* Who writes: a processor in a context. */
struct source {
    uint64_t written; /* own thread only; others read it after the join */
};

static const enum log_context contexts[] = {LOG_CTX_NORMAL, LOG_CTX_NMI,
                                            LOG_CTX_MC};
#define CONTEXTS ARRAY_SIZE(contexts)

static struct vigil_log_cell cells[4096] __attribute__((aligned(64)));
static struct log_ring ring;
static struct source sources[WRITERS][CONTEXTS];
static uint64_t drawn[WRITERS]; /* cells; atomic, handlers add to it */
static __thread unsigned int me;
static pthread_t writer[WRITERS];
static int at_work; /* writers; atomic */

/*
 * Cells that a writer of a lap before may have spoiled, a bit each: it was held
 * up until they were drawn.
 */
#define NUMBERS (WRITERS * RECORDS * 2)
static uint64_t spoiled[NUMBERS / 64 + 1]; /* atomic */
#define LOSSES_MAX 65536

static unsigned int text_len(uint64_t serial)
{
    return serial % 16 == 0 ? LONG : SHORT;
}

/* Each byte of a record tells of its source, its number and its place. */
static char text_byte(unsigned int cpu, unsigned int ctx, uint64_t serial,
                      unsigned int at)
{
    return (char)('0' + (cpu * 7 + ctx * 29 + serial * 11 + at) % 73);
}

static void write_record(unsigned int ctx)
{
    uint64_t serial = sources[me][ctx].written++;
    unsigned int len = text_len(serial);
    unsigned int n = (len + VIGIL_LOG_TEXT_BYTES - 1) / VIGIL_LOG_TEXT_BYTES;
    uint64_t first, next;
    struct log_tag tag = {.level = LOG_INFO,
                          .context = contexts[ctx],
                          .cpu = (uint16_t)me,
                          .tsc = serial};
    char text[LONG];

    for (unsigned int i = 0; i < len; i++) {
        text[i] = text_byte(me, ctx, serial, i);
    }
    first = log_ring_write(&ring, &tag, text, len);
    next = log_ring_next(&ring);
    for (unsigned int i = 0; i < n; i++) {
        for (uint64_t seq = first + i + ARRAY_SIZE(cells); seq < next;
             seq += ARRAY_SIZE(cells)) {
            __atomic_fetch_or(&spoiled[seq / 64], 1UL << seq % 64,
                              __ATOMIC_RELAXED);
        }
    }
    __atomic_fetch_add(&drawn[me], n, __ATOMIC_RELAXED);
}

static void interrupted(int sig)
{
    write_record(sig == NMI ? 1 : 2);
}

static void *write_all(void *arg)
{
    const struct source *mine = sources[(uintptr_t)arg];
    sigset_t both;

    me = (unsigned int)(uintptr_t)arg;
    sigemptyset(&both);
    sigaddset(&both, NMI);
    sigaddset(&both, MC);
    pthread_sigmask(SIG_UNBLOCK, &both, NULL);
    while (mine[0].written + *(const volatile uint64_t *)&mine[1].written +
               *(const volatile uint64_t *)&mine[2].written <
           RECORDS) {
        write_record(0);
    }
    pthread_sigmask(SIG_BLOCK, &both, NULL);
    __atomic_fetch_sub(&at_work, 1, __ATOMIC_RELEASE);
    return NULL;
}

/* Interrupts the writers, one after the other, as fast as it can. */
static void *interrupt_all(void *arg)
{
    (void)arg;
    for (unsigned int n = 0; __atomic_load_n(&at_work, __ATOMIC_ACQUIRE) > 0;
         n++) {
        pthread_kill(writer[n % WRITERS], n / WRITERS % 3 ? NMI : MC);
        if (n % 64 == 0) {
            sched_yield();
        }
    }
    return NULL;
}

/* What a reader has seen. */
struct seen {
    uint64_t good, lost;
    uint64_t unlapped[LOSSES_MAX]; /* lost, and not overtaken */
    unsigned int losses;           /* of these */
    uint64_t after[WRITERS][CONTEXTS]; /* number of the last record, plus 1 */
    const char *wrong; /* with the first such cell, or NULL */
    uint64_t at;
    bool slow;
};

/* One reader's look at a whole cell.  Return: what is wrong, or NULL. */
static const char *wrong(struct seen *seen, const struct vigil_log_cell *cell)
{
    unsigned int ctx = 0, from = 0;
    uint64_t *after;

    while (ctx < CONTEXTS && cell->context != contexts[ctx]) {
        ctx++;
    }
    if (ctx == CONTEXTS || cell->cpu >= WRITERS) {
        return "nobody writes from there";
    }
    if (text_len(cell->tsc) == LONG && !(cell->flags & VIGIL_LOG_F_MORE)) {
        from = VIGIL_LOG_TEXT_BYTES;
    }
    if (cell->len != MIN(text_len(cell->tsc) - from,
                         (unsigned int)VIGIL_LOG_TEXT_BYTES)) {
        return "not that long";
    }
    for (unsigned int i = 0; i < cell->len; i++) {
        if (cell->text[i] != text_byte(cell->cpu, ctx, cell->tsc, from + i)) {
            return "torn";
        }
    }
    /* One after the other, but for the second half of one. */
    after = &seen->after[cell->cpu][ctx];
    if (cell->tsc < *after && (from == 0 || cell->tsc + 1 != *after)) {
        return "once more, or too late";
    }
    *after = cell->tsc + 1;
    return NULL;
}

static void *read_all(void *arg)
{
    struct seen *seen = arg;
    struct vigil_log_cell cell;
    uint64_t seq = 1, next;

    while (seen->wrong == NULL) {
        bool over = __atomic_load_n(&at_work, __ATOMIC_ACQUIRE) == 0;

        switch (log_ring_read(&ring, seq, &cell)) {
        case LOG_READ_OK:
            seen->wrong = cell.seq != seq ? "another" : wrong(seen, &cell);
            seen->good++;
            seen->at = seq++;
            break;
        case LOG_READ_LOST:
            next = MAX(seq + 1, log_ring_oldest(&ring));
            /* Else somebody a lap on has its number, and may have begun. */
            if (log_ring_next(&ring) <= seq + ARRAY_SIZE(cells)) {
                if (seen->losses == LOSSES_MAX) {
                    seen->wrong = "too many lost that nobody has overtaken";
                    seen->at = seq;
                    break;
                }
                seen->unlapped[seen->losses++] = seq;
            }
            seen->lost += next - seq;
            seq = next;
            break;
        case LOG_READ_PENDING:
            /* With nobody at work all are finished. */
            if (over) {
                seen->wrong = "not finished";
                seen->at = seq;
            }
            sched_yield();
            break;
        case LOG_READ_EMPTY:
            if (over) {
                return NULL;
            }
            sched_yield();
            break;
        }
        if (seen->slow && seq % 256 == 0) {
            sched_yield();
        }
    }
    return NULL;
}

static void millions_of_records(void **state)
{
    static struct seen seen[2] = {{.slow = false}, {.slow = true}};
    struct sigaction act = {.sa_handler = interrupted, .sa_flags = SA_RESTART};
    pthread_t reader[2], other;
    uint64_t cells_drawn = 0, records = 0, inside = 0;
    sigset_t both;

    (void)state;
    /* The NMI's handler is not interrupted by another NMI, the #MC's by none. */
    sigemptyset(&act.sa_mask);
    assert_int_equal(sigaction(NMI, &act, NULL), 0);
    sigaddset(&act.sa_mask, NMI);
    assert_int_equal(sigaction(MC, &act, NULL), 0);
    sigemptyset(&both);
    sigaddset(&both, NMI);
    sigaddset(&both, MC);
    pthread_sigmask(SIG_BLOCK, &both, NULL);

    log_ring_init(&ring, cells, sizeof(cells), 7);
    at_work = WRITERS;
    for (uintptr_t i = 0; i < WRITERS; i++) {
        assert_int_equal(pthread_create(&writer[i], NULL, write_all, (void *)i),
                         0);
    }
    for (unsigned int i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&reader[i], NULL, read_all, &seen[i]),
                         0);
    }
    assert_int_equal(pthread_create(&other, NULL, interrupt_all, NULL), 0);
    pthread_join(other, NULL);
    for (unsigned int i = 0; i < WRITERS; i++) {
        pthread_join(writer[i], NULL);
        cells_drawn += drawn[i];
        records += sources[i][0].written;
        inside += sources[i][1].written + sources[i][2].written;
        assert_true(sources[i][1].written > 0 && sources[i][2].written > 0);
    }
    assert_true(records + inside >= WRITERS * RECORDS);
    assert_int_equal(log_ring_next(&ring), cells_drawn + 1);
    assert_true(cells_drawn < NUMBERS);
    for (unsigned int i = 0; i < 2; i++) {
        pthread_join(reader[i], NULL);
        if (seen[i].wrong != NULL) {
            fail_msg("reader %u, cell %lu: %s", i, (unsigned long)seen[i].at,
                     seen[i].wrong);
        }
        print_message("[          ] reader %u: %lu cells whole, %lu gone\n", i,
                      (unsigned long)seen[i].good, (unsigned long)seen[i].lost);
        assert_int_equal(seen[i].good + seen[i].lost, cells_drawn);
        /* Lost is what was overtaken, or spoiled by who was overtaken. */
        for (unsigned int n = 0; n < seen[i].losses; n++) {
            uint64_t seq = seen[i].unlapped[n];

            if (!(spoiled[seq / 64] >> seq % 64 & 1)) {
                fail_msg("reader %u lost cell %lu, of which nobody was a lap "
                         "away",
                         i, (unsigned long)seq);
            }
        }
        print_message("[          ] reader %u: %u of these spoiled\n", i,
                      seen[i].losses);
        /* More than the last lap of the ring, which waits for it. */
        assert_true(seen[i].good > ARRAY_SIZE(cells));
    }
    print_message("[          ] %lu records, %lu of them in handlers\n",
                  (unsigned long)(records + inside), (unsigned long)inside);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(millions_of_records),
    };

    return UNIT_RUN(tests);
}
