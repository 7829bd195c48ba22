/* SPDX-License-Identifier: MIT */
/*
 * How far a guest's memory is, as a terminal gets it: the bar is drawn on a
 * pseudo-terminal, and is gone at the end.
 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <pty.h>
#include <semaphore.h>
#include <unistd.h>

#include "lib/fault.h"
#include "lib/ticker.h"

#define UUID "8c4ec2a0-16a0-4b8c-9f2e-0a5d7f1c2e11"

static int xen; /* its address is the handle */
static int opens;
static uint64_t looks[4]; /* pages at each look; the last for all others */
static size_t looked;
static sem_t seen; /* posted when all looks were shown */

xc_interface *xc_interface_open(xentoollog_logger *log,
                                xentoollog_logger *other, unsigned int flags)
{
    (void)log;
    (void)other;
    (void)flags;
    return opens ? (xc_interface *)&xen : NULL;
}

int xc_interface_close(xc_interface *xch)
{
    assert_ptr_equal(xch, &xen);
    return 0;
}

/* Two domains; the second is the one, when it has pages. */
int xc_domain_getinfolist(xc_interface *xch, uint32_t first, unsigned int max,
                          xc_domaininfo_t *info)
{
    size_t at = looked < 3 ? looked : 3;

    assert_ptr_equal(xch, &xen);
    assert_int_equal(first, 1);
    assert_true(max >= 2);
    if (looked++ == 3) {
        sem_post(&seen); /* what was seen before is on the terminal */
    }
    memset(info, 0, 2 * sizeof(*info));
    info[0].domain = 4;
    info[0].tot_pages = 77;
    info[1].domain = 5;
    info[1].tot_pages = looks[at];
    uuid_parse(UUID, info[1].handle);
    return looks[at] ? 2 : 1;
}

/* Show it on a new terminal.  Return: what the terminal got, to be freed. */
static char *show(enum progress_mode mode, uint64_t pages, enum ticker_way way)
{
    char *text = xmalloc(4096);
    int before = dup(STDERR_FILENO);
    struct ticker ticker;
    size_t len = 0;
    ssize_t got;
    int master;
    int slave;

    assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
    assert_int_equal(fcntl(master, F_SETFL, O_NONBLOCK), 0);
    fflush(stderr);
    dup2(slave, STDERR_FILENO);
    looked = 0;
    sem_init(&seen, 0, 0);
    ticker_begin(&ticker, mode, "make web1", UUID, pages, way);
    if (opens && pages && mode != PROGRESS_NONE) {
        sem_wait(&seen);
    }
    ticker_end(&ticker);
    fflush(stderr);
    dup2(before, STDERR_FILENO);
    while ((got = read(master, text + len, 4095 - len)) > 0) {
        len += (size_t)got;
    }
    text[len] = '\0';
    close(before);
    close(slave);
    close(master);
    return text;
}

static int begin(void **state)
{
    (void)state;
    opens = 1;
    looks[0] = 0;
    looks[1] = 1024;
    looks[2] = 2048;
    looks[3] = 5000; /* more than it was to have */
    return 0;
}

static void expect(char *text, const char *word)
{
    if (!strstr(text, word)) {
        fail_msg("'%s' without '%s'", text, word);
    }
}

static void test_grows(void **state)
{
    char *text = show(PROGRESS_BAR, 4096, TICKER_GROWS);
    size_t len = strlen(text);

    (void)state;
    expect(text, "\rmake web1 [....................]   0% 0/16 MiB\033[K"
                 "\rmake web1 [#####...............]  25% 4/16 MiB\033[K"
                 "\rmake web1 [##########..........]  50% 8/16 MiB\033[K");
    assert_true(len > 4);
    assert_string_equal(text + len - 4, "\r\033[K"); /* the bar is gone */
    free(text);
}

static void test_shrinks(void **state)
{
    char *text;

    (void)state;
    looks[0] = 5000; /* more than were counted before */
    looks[1] = 2048;
    looks[3] = 0;
    looks[2] = 0; /* there is no such domain */
    text = show(PROGRESS_PLAIN, 4096, TICKER_SHRINKS);
    assert_string_equal(text, "make web1:  50% 8/16 MiB\r\n"
                              "make web1: 100% 16/16 MiB\r\n");
    free(text);
}

static void test_nothing(void **state)
{
    char *text;

    (void)state;
    text = show(PROGRESS_BAR, 0, TICKER_GROWS); /* not known how many */
    assert_string_equal(text, "");
    free(text);
    text = show(PROGRESS_NONE, 4096, TICKER_GROWS);
    assert_string_equal(text, "");
    free(text);
    assert_int_equal(looked, 0);
    opens = 0;
    text = show(PROGRESS_BAR, 4096, TICKER_GROWS);
    assert_string_equal(text, "");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_grows, begin),
        cmocka_unit_test_setup(test_shrinks, begin),
        cmocka_unit_test_setup(test_nothing, begin),
    };

    return UNIT_RUN(tests);
}
