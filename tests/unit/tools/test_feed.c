/* SPDX-License-Identifier: MIT */
/*
 * The feed of events: what was written is read, line by line, while others
 * append; hostile and broken lines cost themselves and nothing else.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/feed.h"
#include "lib/place.h"
#include "lib/table.h"
#include "tests/unit/tools/tree.h"

static struct fault fault;
static char *path;

static int begin(void **state)
{
    (void)state;
    if (tree_new()) {
        return -1;
    }
    place_set_root(tree);
    path = place(PLACE_EVENTS);
    return 0;
}

static int end(void **state)
{
    (void)state;
    free(path);
    return tree_remove();
}

static void write_event(const char *kind, uint32_t domid, const char *uuid)
{
    struct json_object *event =
        feed_event_new(kind, FEED_INFO, "a sentence", "h7", "boot-now");
    struct json_object *guest = json_object_new_object();

    json_add_text(guest, "name", "web1");
    json_add_text(guest, "uuid", uuid);
    json_add_number(guest, "domid", domid);
    feed_event_attribute(event, "vigil.guest", guest);
    feed_event_attribute(event, "vigil.nothing", NULL);
    assert_int_equal(feed_append(event, &fault), 0);
    json_object_put(event);
}

/* As it is: not even a newline where one is missing. */
static void append(const char *text)
{
    FILE *file = fopen(path, "a");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

static void test_write_and_read(void **state)
{
    struct feed_reader reader;
    struct feed_event event;

    (void)state;
    write_event("created", 5, "u1");
    assert_int_equal(feed_open(&reader, path), 0);
    assert_int_equal(feed_next(&reader, &event), 1);
    assert_string_equal(event.event, "created");
    assert_string_equal(event.name, "web1");
    assert_string_equal(event.uuid, "u1");
    assert_string_equal(event.body, "a sentence");
    assert_int_equal(event.domid, 5);
    assert_true(event.time_ns > 1700000000000000000ULL);
    assert_true(json_object_object_get_ex(event.json, "resource", NULL));
    feed_event_free(&event);
    assert_int_equal(feed_next(&reader, &event), 0);
    write_event("destroyed", 5, "u1"); /* while we read */
    assert_int_equal(feed_next(&reader, &event), 1);
    assert_string_equal(event.event, "destroyed");
    feed_event_free(&event);
    assert_int_equal(feed_next(&reader, &event), 0);
    assert_int_equal(reader.damaged, 0);
    feed_close(&reader);
    feed_close(&reader);
}

/* Half a line is not an event before its other half came. */
static void test_broken_lines(void **state)
{
    struct feed_reader reader;
    struct feed_event event;
    char *large = xmalloc(FEED_LINE_MAX * 2 + 2);

    (void)state;
    write_event("created", 5, "u1");
    append("no JSON\n[1,2]\nnull\n\n{}\n{\"timestamp\":7}\n");
    append("{\"timestamp\":\"2026-08-04T08:15:23Z\",\"attributes\":[],"
           "\"body\":null}\n");
    append("{\"timestamp\":\"2026-08-04T08:15:23Z\",\"attributes\":"
           "{\"vigil.guest\":{\"domid\":\"x\",\"name\":{}}}}\n");
    memset(large, 'x', FEED_LINE_MAX * 2);
    large[FEED_LINE_MAX * 2] = '\n';
    append(large);
    free(large);
    append("{\"timestamp\":\"2026-08-04T08:15:23Z\",\"bo");
    assert_int_equal(feed_open(&reader, path), 0);
    assert_int_equal(feed_next(&reader, &event), 1);
    feed_event_free(&event);
    for (int i = 0; i < 2; i++) { /* strange ones, but events */
        assert_int_equal(feed_next(&reader, &event), 1);
        assert_string_equal(event.name, "");
        assert_string_equal(event.event, "");
        assert_int_equal(event.domid, -1);
        feed_event_free(&event);
    }
    assert_int_equal(feed_next(&reader, &event), 0);
    assert_int_equal(reader.damaged, 7);
    append("dy\":\"whole\"}\n");
    assert_int_equal(feed_next(&reader, &event), 1);
    assert_string_equal(event.body, "whole");
    feed_event_free(&event);
    feed_close(&reader);
}

static void test_files_that_are_none(void **state)
{
    struct feed_reader reader;

    (void)state;
    assert_int_equal(feed_open(&reader, path), -1);
    assert_int_equal(errno, ENOENT);
    feed_close(&reader);
    assert_int_equal(feed_open(&reader, tree), -1);
    feed_close(&reader);
    write_event("created", 5, "u1");
    {
        char *link = xasprintf("%s/link", tree);

        assert_int_equal(symlink(path, link), 0);
        assert_int_equal(feed_open(&reader, link), -1);
        free(link);
    }
    feed_close(&reader);
}

/* It steps aside when it is large, and the one before is forgotten. */
static void test_rotation(void **state)
{
    char *older = xasprintf("%s.1", path);
    struct feed_reader reader;
    struct feed_event event;
    struct stat about;

    (void)state;
    write_event("first", 1, "u1");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(truncate(path, FEED_BYTES_MAX), 0);
        write_event(i ? "third" : "second", 1, "u1");
        assert_int_equal(stat(older, &about), 0);
        assert_int_equal(about.st_size, FEED_BYTES_MAX);
    }
    assert_int_equal(feed_open(&reader, path), 0);
    assert_int_equal(feed_next(&reader, &event), 1);
    assert_string_equal(event.event, "third");
    feed_event_free(&event);
    assert_int_equal(feed_next(&reader, &event), 0);
    feed_close(&reader);
    free(older);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_write_and_read, begin, end),
        cmocka_unit_test_setup_teardown(test_broken_lines, begin, end),
        cmocka_unit_test_setup_teardown(test_files_that_are_none, begin, end),
        cmocka_unit_test_setup_teardown(test_rotation, begin, end),
    };

    return UNIT_RUN(tests);
}
