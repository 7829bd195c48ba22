/* SPDX-License-Identifier: MIT */
/*
 * Cores of guests that ended: written by a process of its own, for a limited
 * time, told once; nothing half written is left.
 */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <unistd.h>

#include "lib/lx.h"
#include "tests/unit/tools/played_store.h"

/* What libxl does, in the child. */
static enum {
    PLAY_WRITE,
    PLAY_FAIL,
    PLAY_HANG,
    PLAY_DIE
} play;
static int xen_is_there;
static char told[8][256];
static size_t told_count;

int xen_open(struct xen *xen, int verbose, struct fault *f)
{
    (void)verbose;
    memset(xen, 0, sizeof(*xen));
    return xen_is_there ? 0 : fault_set(f, EXIT_NOT_VIGIL, "no hypervisor");
}

int xen_need_store(struct xen *xen, struct fault *f)
{
    (void)xen;
    (void)f;
    return 0;
}

int lx_open(struct lx *lx, const struct xen *xen, int verbose, struct fault *f)
{
    (void)xen;
    (void)verbose;
    (void)f;
    memset(lx, 0, sizeof(*lx));
    return 0;
}

int lx_fault(struct lx *lx, struct fault *f, int rc, const char *fmt, ...)
{
    va_list args;

    (void)lx;
    va_start(args, fmt);
    vsnprintf(f->text, sizeof(f->text), fmt, args);
    va_end(args);
    snprintf(f->text + strlen(f->text), 40, ": error %d", rc);
    return -1;
}

int libxl_domain_core_dump(libxl_ctx *ctx, uint32_t domid, const char *path,
                           const libxl_asyncop_how *how)
{
    FILE *file = fopen(path, "w");

    (void)ctx;
    (void)how;
    if (!file || fprintf(file, "core of %u", domid) < 0 || fclose(file)) {
        return ERROR_FAIL;
    }
    switch (play) {
    case PLAY_WRITE:
        break;
    case PLAY_FAIL:
        return ERROR_NOMEM;
    case PLAY_HANG:
        pause();
        break;
    case PLAY_DIE:
        raise(SIGKILL);
        break;
    }
    return 0;
}

void life_tell(struct collector *asked, const struct known_guest *known,
               const char *kind, enum feed_severity severity, const char *what)
{
    (void)asked;
    (void)severity;
    assert_true(told_count < 8);
    snprintf(told[told_count++], sizeof(told[0]), "%s %s %s", kind, known->name,
             what);
}

const struct guest *guests_by_domid(const struct guest_list *list,
                                    uint32_t domid)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->guests[i].domid == domid) {
            return &list->guests[i];
        }
    }
    return NULL;
}

static struct known_guest guest(uint32_t domid, char *name)
{
    struct known_guest known = {.domid = domid, .name = name};

    snprintf(known.uuid, sizeof(known.uuid),
             "8c4ec2a0-16a0-4b8c-9f2e-0a5d7f1c%04x", domid);
    known.memory_kib = 4096;
    return known;
}

/* As passes do: wait for news, then look again. */
static void finish(struct known_guest *known)
{
    struct pollfd fds[CORES_MAX];

    while (!cores_take(&collector, known)) {
        size_t count = cores_poll(&collector, fds);

        assert_true(count > 0);
        assert_true(poll(fds, count, 20000) > 0);
    }
}

static size_t files(void)
{
    char *dir = place(PLACE_DUMPS);
    DIR *open = opendir(dir);
    size_t count = 0;

    free(dir);
    while (open && readdir(open)) {
        count++;
    }
    if (open) {
        closedir(open);
    }
    return count > 2 ? count - 2 : 0;
}

/* A child that was told to die does so. */
static void await_death(pid_t child)
{
    for (int i = 0; i < 2000 && kill(child, 0) == 0; i++) {
        usleep(10000);
    }
    assert_int_equal(kill(child, 0), -1);
}

static int begin(void **state)
{
    (void)state;
    signal(SIGCHLD, SIG_IGN);
    play = PLAY_WRITE;
    xen_is_there = 1;
    told_count = 0;
    if (played_store_new()) {
        return -1;
    }
    collector.core_seconds = CORE_SECONDS;
    return 0;
}

static int end(void **state)
{
    (void)state;
    cores_stop(&collector);
    return played_store_remove();
}

static void test_written(void **state)
{
    char name[] = "web1";
    struct known_guest known = guest(5, name);
    char *dir = place(PLACE_DUMPS);
    char *path = xasprintf("%s/web1", dir);
    struct stat info;
    char *text;
    size_t len;

    (void)state;
    assert_int_equal(cores_take(&collector, &known), 0);
    finish(&known);
    assert_int_equal(told_count, 1);
    assert_non_null(strstr(told[0], "core_written web1 left its core in "));
    assert_non_null(strstr(told[0], path));
    assert_int_equal(infile_read(AT_FDCWD, path, 100, &text, &len), 0);
    assert_string_equal(text, "core of 5");
    free(text);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(files(), 1);
    /* Not again, whatever keeps the guest from being destroyed. */
    assert_int_equal(cores_take(&collector, &known), 1);
    assert_int_equal(told_count, 1);
    assert_int_equal(cores_poll(&collector, NULL), 0);
    free(path);
    free(dir);
}

/* @word is told, and nothing is left. */
static void expect_failure(struct known_guest *known, const char *word)
{
    finish(known);
    assert_int_equal(told_count, 1);
    if (!strstr(told[0], word) || !strstr(told[0], "core_failed")) {
        fail_msg("'%s' without '%s'", told[0], word);
    }
    assert_int_equal(files(), 0);
}

static void test_libxl_fails(void **state)
{
    char name[] = "web1";
    struct known_guest known = guest(5, name);

    (void)state;
    play = PLAY_FAIL;
    expect_failure(&known, "leaves no core: libxl: error");
}

static void test_no_hypervisor(void **state)
{
    char name[] = "web1";
    struct known_guest known = guest(5, name);

    (void)state;
    xen_is_there = 0;
    expect_failure(&known, "no hypervisor");
}

static void test_child_dies(void **state)
{
    char name[] = "web1";
    struct known_guest known = guest(5, name);

    (void)state;
    play = PLAY_DIE;
    expect_failure(&known, "was killed");
}

/* A name that no file can have. */
static void test_no_such_path(void **state)
{
    char name[] = "..";
    struct known_guest known = guest(5, name);

    (void)state;
    expect_failure(&known, "core_failed .. leaves no core: ");
}

/* Said before anything is written. */
static void test_no_room(void **state)
{
    char name[] = "web1";
    struct known_guest known = guest(5, name);

    (void)state;
    known.memory_kib = 1ULL << 50;
    assert_int_equal(cores_take(&collector, &known), 1);
    expect_failure(&known, "has room for");
}

static void test_too_slow(void **state)
{
    char name[] = "web1";
    struct known_guest known = guest(5, name);
    pid_t child;

    (void)state;
    play = PLAY_HANG;
    collector.core_seconds = 0;
    assert_int_equal(cores_take(&collector, &known), 0);
    child = collector.cores[0].child;
    assert_int_equal(cores_take(&collector, &known), 1);
    assert_non_null(strstr(told[0], "not written within 0 s"));
    await_death(child);
    assert_int_equal(files(), 0);
}

/* Some at a time; the others' turn comes. */
static void test_turns(void **state)
{
    char name[] = "web";
    struct known_guest known[CORES_MAX + 1];
    struct pollfd fds[CORES_MAX];

    (void)state;
    play = PLAY_HANG;
    for (uint32_t i = 0; i <= CORES_MAX; i++) {
        known[i] = guest(i + 1, name);
        assert_int_equal(cores_take(&collector, &known[i]), 0);
    }
    assert_int_equal(cores_poll(&collector, fds), CORES_MAX);
    assert_int_equal(told_count, 0);
    play = PLAY_WRITE;
    cores_stop(&collector);
    assert_int_equal(cores_poll(&collector, fds), 0);
    finish(&known[CORES_MAX]);
    assert_non_null(strstr(told[0], "core_written"));
}

/* Destroyed by somebody else meanwhile: its frames are not held. */
static void test_gone(void **state)
{
    char name[] = "web1";
    struct known_guest known = guest(5, name);
    struct guest there = {.domid = 5};
    struct pollfd fds[CORES_MAX];
    pid_t child;

    (void)state;
    play = PLAY_HANG;
    collector.guests.guests = &there;
    collector.guests.count = 1;
    memcpy(there.uuid, known.uuid, sizeof(there.uuid));
    assert_int_equal(cores_take(&collector, &known), 0);
    child = collector.cores[0].child;
    cores_drop_gone(&collector);
    assert_int_equal(cores_poll(&collector, fds), 1);
    there.info.flags = XEN_DOMINF_dying;
    cores_drop_gone(&collector);
    assert_int_equal(cores_poll(&collector, fds), 0);
    await_death(child);
    collector.guests.guests = NULL;
    collector.guests.count = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_written, begin, end),
        cmocka_unit_test_setup_teardown(test_libxl_fails, begin, end),
        cmocka_unit_test_setup_teardown(test_no_hypervisor, begin, end),
        cmocka_unit_test_setup_teardown(test_child_dies, begin, end),
        cmocka_unit_test_setup_teardown(test_no_such_path, begin, end),
        cmocka_unit_test_setup_teardown(test_no_room, begin, end),
        cmocka_unit_test_setup_teardown(test_too_slow, begin, end),
        cmocka_unit_test_setup_teardown(test_turns, begin, end),
        cmocka_unit_test_setup_teardown(test_gone, begin, end),
    };

    return UNIT_RUN(tests);
}
