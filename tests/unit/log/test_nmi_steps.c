/* SPDX-License-Identifier: MIT */
/*
 * log/ interrupted at every instruction.
 *
 * The processor's trap flag gives a signal after each instruction of the
 * code under test; at the n-th of them the signal handler does what an NMI
 * handler would: it writes to the log.  Then the same for a larger n, until
 * the code ends before n.  (INV-LOG-1, INV-LOG-2.)
 *
 * By default n grows by a prime number that keeps this to a few seconds; with
 * VIGIL_EVERY_STEP=1 in the environment it grows by one (minutes).
 */
#define _GNU_SOURCE
#include "tests/unit/unit.h"

#include <signal.h>
#include <ucontext.h>

#include "x86/percpu.h"
#include "log/printk.h"
#include "log/ring.h"
#include "log/sink.h"
#include "fake_hw.h"

#define TRAP_FLAG 0x100
#define CELLS     16

static long countdown; /* instructions until the interruption */
static void (*interruption)(void);

static void on_step(int sig, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;

    (void)sig;
    (void)info;
    if (--countdown == 0) {
        uc->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
        interruption();
    }
}

static void stepping_on(void)
{
    asm volatile("pushfq; orq %0, (%%rsp); popfq"
                 :
                 : "i"(TRAP_FLAG)
                 : "memory", "cc");
}

static void stepping_off(void)
{
    asm volatile("pushfq; andq %0, (%%rsp); popfq"
                 :
                 : "i"(~TRAP_FLAG)
                 : "memory", "cc");
}

/* Run @code, interrupted after @n instructions; false: it was shorter. */
static bool run(void (*code)(void), void (*nmi)(void), long n)
{
    interruption = nmi;
    countdown = n;
    stepping_on();
    code();
    stepping_off();
    return countdown <= 0;
}

/* How far apart the interruptions are. */
static long stride(long quick)
{
    return getenv("VIGIL_EVERY_STEP") ? 1 : quick;
}

static int setup(void **state)
{
    struct sigaction sa = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO};

    (void)state;
    fake_hw_reset();
    return sigaction(SIGTRAP, &sa, NULL);
}

/* ---- the ring ---- */

static struct vigil_log_cell cells[CELLS] __attribute__((aligned(64)));
static struct log_ring ring;
static const struct log_tag tag = {.level = LOG_INFO};
static char outer[300], inner[20];

static void write_outer(void)
{
    log_ring_write(&ring, &tag, outer, sizeof(outer));
}

static void write_inner(void)
{
    log_ring_write(&ring, &tag, inner, sizeof(inner));
}

/* A storm: more than the ring holds. */
static void write_lap(void)
{
    for (int i = 0; i < CELLS + 3; i++) {
        write_inner();
    }
}

/* Count whole cells of each writer; a mixture fails the test. */
static void tally(unsigned int *ret_outer, unsigned int *ret_inner,
                  unsigned int *ret_lost)
{
    struct vigil_log_cell cell;

    *ret_outer = *ret_inner = *ret_lost = 0;
    for (uint64_t seq = 1; seq < log_ring_next(&ring); seq++) {
        enum log_read got = log_ring_read(&ring, seq, &cell);
        char writer = cell.text[0];

        if (got != LOG_READ_OK) {
            (*ret_lost)++;
            continue;
        }
        for (unsigned int i = 0; i < cell.len; i++) {
            assert_int_equal(cell.text[i], writer);
        }
        *(writer == 'o' ? ret_outer : ret_inner) += 1;
    }
}

static void ring_writer_interrupted(void **state)
{
    unsigned int o, i, lost;
    long n = 0;
    bool more;

    (void)state;
    memset(outer, 'o', sizeof(outer));
    memset(inner, 'i', sizeof(inner));
    do {
        log_ring_init(&ring, cells, sizeof(cells), 1);
        more = run(write_outer, write_inner, n += stride(101));
        tally(&o, &i, &lost);
        assert_int_equal(o, 2);
        assert_int_equal(i, more ? 1 : 0);
        assert_int_equal(lost, 0);
    } while (more);
    assert_true(n > 500);
}

static void ring_writer_overtaken(void **state)
{
    unsigned int o, i, lost;
    long n = 0;
    bool more;

    (void)state;
    do {
        log_ring_init(&ring, cells, sizeof(cells), 1);
        more = run(write_outer, write_lap, n += stride(307));
        tally(&o, &i, &lost);
        if (more) {
            /* Every number is accounted for, none is believed twice. */
            assert_int_equal(o + i + lost, 2 + CELLS + 3);
            assert_true(o + i <= CELLS);
            assert_true(i >= CELLS - 2);
        }
    } while (more);
}

/* ---- printk and the sinks ---- */

static char shown[4096];
static size_t shown_len;

static void capture(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        shown[shown_len++] = text[i];
    }
}

static struct log_sink sink = {.name = "test", .write = capture};

static void print_outer(void)
{
    printk(LOG_INFO, "outer %d", 1);
}

static void print_inner(void)
{
    uint32_t before = this_cpu()->context;

    this_cpu()->context = before | CTX_NMI;
    log_nmi(LOG_INFO, "inner %s", "line");
    this_cpu()->context = before;
}

static unsigned int occurrences(const char *text)
{
    unsigned int count = 0;

    for (const char *at = shown; (at = strstr(at, text)) != NULL; at++) {
        count++;
    }
    return count;
}

static void printk_interrupted(void **state)
{
    long n = 0;
    bool more;

    (void)state;
    log_sink_register(&sink);
    do {
        shown_len = 0;
        this_cpu()->work = 0;
        more = run(print_outer, print_inner, n += stride(503));
        if (more) {
            /* The way out of the hypervisor. */
            assert_true(this_cpu()->work & WORK_LOG);
            log_drain();
        }
        shown[shown_len] = '\0';
        assert_int_equal(occurrences("(XEN) outer 1\n"), 1);
        assert_int_equal(occurrences("(XEN) inner line\n"), more ? 1 : 0);
        assert_int_equal(shown_len, 14 + (more ? 17 : 0));
    } while (more);
    assert_true(n > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(ring_writer_interrupted, setup),
        cmocka_unit_test_setup(ring_writer_overtaken, setup),
        cmocka_unit_test_setup(printk_interrupted, setup),
    };

    return UNIT_RUN(tests);
}
