/* SPDX-License-Identifier: MIT */
/*
 * The lives of guests in the feed: each step once, by number and UUID, also
 * over restarts of the collector, and never one guest's with another's.
 */
#include "tests/unit/unit.h"

#include "lib/feed.h"
#include "tests/unit/tools/played_guests.h"

#define SHUT(reason)                                                           \
    (XEN_DOMINF_shutdown | (uint32_t)(reason) << XEN_DOMINF_shutdownshift)

const char *shutdown_reason_name(int reason)
{
    return reason == SHUTDOWN_poweroff ? "poweroff" : "other";
}

static struct feed_reader reader = {.fd = -1};

static int begin(void **state)
{
    char *path;
    char *run;
    int rc;

    (void)state;
    if (played_store_new()) {
        return -1;
    }
    noted_start = CONSOLE_START_UNKNOWN;
    path = place(PLACE_EVENTS);
    run = place(PLACE_RUN);
    rc = outfile_make_dirs(run, 0755, &fault);
    /* There from the beginning, to be read as it grows. */
    {
        char *dir = place(PLACE_LOGS);

        rc |= outfile_make_dirs(dir, 0755, &fault);
        free(dir);
    }
    rc |= outfile_append(path, "", 0, &fault);
    rc |= feed_open(&reader, path);
    free(path);
    free(run);
    return rc;
}

static void forget_all(void)
{
    for (size_t i = 0; i < collector.known_count; i++) {
        free(collector.known[i].name);
    }
    free(collector.known);
    free(collector.memory);
    collector.known = NULL;
    collector.known_count = 0;
    collector.memory = NULL;
    collector.suspended_count = 0;
}

static int end(void **state)
{
    (void)state;
    feed_close(&reader);
    drop_list();
    forget_all();
    return played_store_remove();
}

/* What the collector does with its list; then the list is empty again. */
static void pass(void)
{
    known_update(&collector);
    life_tell_living(&collector);
    life_tell_gone(&collector);
    known_prune(&collector);
    remember_save(&collector);
    drop_list();
}

/* The next event: its kind, of which guest. */
static void expect(const char *kind, uint32_t domid, char tag)
{
    struct feed_event event;

    assert_int_equal(feed_next(&reader, &event), 1);
    assert_string_equal(event.event, kind);
    assert_int_equal(event.domid, domid);
    assert_int_equal(event.uuid[UUID_CHARS - 1], tag);
    feed_event_free(&event);
}

static void expect_nothing(void)
{
    struct feed_event event;

    assert_int_equal(feed_next(&reader, &event), 0);
    assert_int_equal(reader.damaged, 0);
}

static void test_one_life(void **state)
{
    (void)state;
    live(0, "Domain-0");
    live(5, "web1")->info.flags = XEN_DOMINF_paused;
    pass();
    expect("created", 5, '5');
    expect_nothing();
    live(5, "web1")->info.flags = XEN_DOMINF_running;
    pass();
    expect("started", 5, '5');
    live(5, "web1")->info.flags = XEN_DOMINF_paused;
    pass();
    expect("paused", 5, '5');
    live(5, "web1")->info.flags = XEN_DOMINF_blocked;
    pass();
    expect("resumed", 5, '5');
    live(5, "web1")->info.flags = SHUT(SHUTDOWN_poweroff);
    pass();
    expect("shutdown", 5, '5');
    live(5, "web1")->info.flags = SHUT(SHUTDOWN_poweroff);
    pass();
    expect_nothing();
    pass();
    expect("destroyed", 5, '5');
    pass();
    expect_nothing();
}

/* Never seen before it was over: told in order all the same. */
static void test_fast_life(void **state)
{
    struct guest *guest;

    (void)state;
    guest = live(5, "web1");
    guest->info.flags = SHUT(SHUTDOWN_poweroff) | XEN_DOMINF_paused;
    guest->info.cpu_time = 1;
    pass();
    expect("created", 5, '5');
    expect("started", 5, '5');
    expect("shutdown", 5, '5');
    pass();
    expect("destroyed", 5, '5');
    /* Crashed: that is told by its record. */
    live(6, "web2")->info.flags = SHUT(SHUTDOWN_crash);
    pass();
    expect("created", 6, '6');
    expect("started", 6, '6');
    expect_nothing();
}

/* One being built has no name yet; one that dies is no news. */
static void test_half_built(void **state)
{
    (void)state;
    live(5, "")->info.flags = XEN_DOMINF_paused;
    live(6, "gone")->info.flags = XEN_DOMINF_dying;
    pass();
    expect_nothing();
    live(5, "web1")->info.flags = XEN_DOMINF_paused;
    pass();
    expect("created", 5, '5');
    expect_nothing();
}

static void test_same_number_other_guest(void **state)
{
    (void)state;
    live_as(5, "web1", 1)->info.cpu_time = 9;
    pass();
    expect("created", 5, '1');
    expect("started", 5, '1');
    /* Between two looks one went and another came. */
    live_as(5, "web1", 2)->info.flags = XEN_DOMINF_paused;
    pass();
    expect("created", 5, '2');
    expect("destroyed", 5, '1');
    expect_nothing();
    /* The same guest again, too: only its time tells. */
    live_as(5, "web1", 2)->info.cpu_time = 9;
    pass();
    expect("started", 5, '2');
    live_as(5, "web1", 2)->info.cpu_time = 3;
    pass();
    expect("destroyed", 5, '2');
    expect("created", 5, '2');
    expect("started", 5, '2');
    expect_nothing();
}

static void test_saved_and_restored(void **state)
{
    (void)state;
    live_as(5, "web1", 1);
    pass();
    expect("created", 5, '1');
    expect("started", 5, '1');
    live_as(5, "web1", 1)->info.flags = SHUT(SHUTDOWN_suspend);
    pass();
    expect("shutdown", 5, '1');
    live_as(5, "web1", 1); /* only a checkpoint */
    pass();
    expect("resumed", 5, '1');
    live_as(5, "web1", 1)->info.flags = SHUT(SHUTDOWN_suspend);
    pass();
    expect("shutdown", 5, '1');
    pass();
    expect("destroyed", 5, '1');
    forget_all(); /* the collector is started anew */
    remember_load(&collector);
    live_as(9, "web1", 1)->info.flags = XEN_DOMINF_paused;
    pass();
    expect("restored", 9, '1');
    pass();
    expect("destroyed", 9, '1');
    live_as(10, "web1", 1)->info.flags = XEN_DOMINF_paused;
    pass();
    expect("created", 10, '1');
}

static void test_collector_starts_anew(void **state)
{
    (void)state;
    live(5, "web1")->info.flags = XEN_DOMINF_paused;
    live(6, "b\303\266\033\"d");
    pass();
    expect("created", 5, '5');
    expect("created", 6, '6');
    expect("started", 6, '6');
    forget_all();
    remember_load(&collector);
    assert_int_equal(collector.known_count, 2);
    assert_string_equal(collector.known[1].name, "b\303\266\033\"d");
    live(5, "web1")->info.flags = XEN_DOMINF_running;
    pass();
    expect("started", 5, '5'); /* what came before is not told again */
    expect("destroyed", 6, '6');
    expect_nothing();
    /* Of another boot: nothing of it is true any more. */
    forget_all();
    strcpy(collector.boot_id, "boot-next");
    remember_load(&collector);
    assert_int_equal(collector.known_count, 0);
}

static void test_hostile_memory(void **state)
{
    static const char *const texts[] = {
        "", "nonsense", "[]", "{\"boot_id\":\"boot-now\",\"guests\":7}",
        "{\"boot_id\":\"boot-now\",\"guests\":[7,{},{\"uuid\":5},null,"
        "{\"uuid\":\"x\"}],\"suspended\":[null,7,\"x\"]}",
    };
    char *path = xasprintf("%s" PLACE_RUN "/known.json", tree);

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        remove(path);
        assert_int_equal(
            outfile_append(path, texts[i], strlen(texts[i]), &fault), 0);
        remember_load(&collector);
        assert_int_equal(collector.known_count, 0);
        assert_int_equal(collector.suspended_count, 0);
    }
    free(path);
}

/* More guests are saved than are remembered: the oldest are forgotten. */
static void test_many_saved(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < SUSPENDED_MAX + 6; i++) {
        live(i + 1, "web")->info.flags = SHUT(SHUTDOWN_suspend);
    }
    pass();
    pass();
    assert_int_equal(collector.suspended_count, SUSPENDED_MAX);
    assert_string_equal(collector.suspended[0],
                        "00000000-0000-0000-0000-000000000007");
}

/* A guest that runs costs no question a pass; one that ended is asked about. */
static void test_page_is_asked_once(void **state)
{
    (void)state;
    pages_asked = 0;
    live(5, "web1");
    pass();
    assert_int_equal(pages_asked, 1);
    assert_int_equal(collector.known[0].console_mfn, 500);
    live(5, "web1");
    live(6, "web2")->info.cpu_time = 9;
    pass();
    live(5, "web1");
    live(6, "web2")->info.cpu_time = 9;
    pass();
    assert_int_equal(pages_asked, 2);
    /* Another run under the same number. */
    live(5, "web1")->info.flags = SHUT(SHUTDOWN_crash);
    live(6, "web2")->info.cpu_time = 3;
    pass();
    assert_int_equal(pages_asked, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_life, begin, end),
        cmocka_unit_test_setup_teardown(test_fast_life, begin, end),
        cmocka_unit_test_setup_teardown(test_half_built, begin, end),
        cmocka_unit_test_setup_teardown(test_same_number_other_guest, begin,
                                        end),
        cmocka_unit_test_setup_teardown(test_saved_and_restored, begin, end),
        cmocka_unit_test_setup_teardown(test_collector_starts_anew, begin, end),
        cmocka_unit_test_setup_teardown(test_hostile_memory, begin, end),
        cmocka_unit_test_setup_teardown(test_many_saved, begin, end),
        cmocka_unit_test_setup_teardown(test_page_is_asked_once, begin, end),
    };

    return UNIT_RUN(tests);
}
