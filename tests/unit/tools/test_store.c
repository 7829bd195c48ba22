/* SPDX-License-Identifier: MIT */
/*
 * The crash store: an entry appears whole or not at all, whichever system
 * call fails and however often it is interrupted.
 */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/store.h"

#define SOME_NS 1785831323104511789ULL

static char root[64];
static struct fault fault;

/* Which call fails next, and how. */
static int calls;
static int fail_at;
static int fail_err;
static int short_writes;

static int fails(void)
{
    if (++calls == fail_at) {
        errno = fail_err;
        return 1;
    }
    return 0;
}

static ssize_t fake_write(int fd, const void *data, size_t bytes)
{
    if (fails()) {
        return -1;
    }
    return write(fd, data, short_writes && bytes > 3 ? 3 : bytes);
}

static int fake_fsync(int fd)
{
    return fails() ? -1 : fsync(fd);
}

static int fake_renameat(int from_dir, const char *from, int to_dir,
                         const char *to)
{
    return fails() ? -1 : renameat(from_dir, from, to_dir, to);
}

static const struct file_ops failing = {
    .write = fake_write,
    .fsync = fake_fsync,
    .renameat = fake_renameat,
};

static int new_root(void **state)
{
    (void)state;
    strcpy(root, "/tmp/vigil-store-XXXXXX");
    calls = 0;
    fail_at = 0;
    fail_err = 0;
    short_writes = 0;
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
    DIR *dir = opendir(root);
    struct dirent *item;

    (void)state;
    while (dir && (item = readdir(dir)) != NULL) {
        if (strcmp(item->d_name, ".") && strcmp(item->d_name, "..")) {
            outfile_remove_tree(dirfd(dir), item->d_name);
        }
    }
    closedir(dir);
    return rmdir(root);
}

/* Entries of the store, of any kind. */
static int count_names(void)
{
    DIR *dir = opendir(root);
    int count = 0;

    while (readdir(dir)) {
        count++;
    }
    closedir(dir);
    return count - 2;
}

static struct json_object *some_meta(const char *id, const char *boot_id)
{
    struct json_object *meta = json_object_new_object();
    struct json_object *host = json_object_new_object();
    struct json_object *guest = json_object_new_object();
    struct json_object *reason = json_object_new_object();

    json_object_object_add(meta, "id", json_object_new_string(id));
    json_object_object_add(meta, "kind", json_object_new_string("guest"));
    json_object_object_add(meta, "time",
                           json_object_new_string("2026-08-04T08:15:23Z"));
    json_object_object_add(host, "boot_id", json_object_new_string(boot_id));
    json_object_object_add(meta, "host", host);
    json_object_object_add(guest, "name", json_object_new_string("web1"));
    json_object_object_add(meta, "guest", guest);
    json_object_object_add(reason, "text", json_object_new_string("why"));
    json_object_object_add(meta, "reason", reason);
    json_object_object_add(meta, "occurrence", json_object_new_int(3));
    return meta;
}

/* Write one entry of three files; 0 if it was committed. */
static int write_entry(struct store *store, uint64_t time_ns)
{
    struct store_entry entry;
    struct json_object *meta;
    int ret;

    if (store_begin(store, &entry, time_ns, "guest", "web/1", &fault)) {
        return -1;
    }
    meta = some_meta(entry.id, "boot-a");
    if (store_json(&entry, STORE_BEGUN, meta, &fault) ||
        store_file(&entry, "reason.txt", "because\n", 8, &fault)) {
        store_abandon(&entry);
        ret = -1;
    } else {
        ret = store_commit(&entry, meta, &fault);
    }
    json_object_put(meta);
    return ret;
}

static void test_whole(void **state)
{
    struct crash_list list;
    struct store store;
    struct stat about;
    char path[256];

    (void)state;
    short_writes = 1;
    assert_int_equal(store_open(&store, root, &failing, &fault), 0);
    assert_int_equal(write_entry(&store, SOME_NS + 2000000), 0);
    assert_int_equal(write_entry(&store, SOME_NS), 0);
    assert_int_equal(store_read(root, &list, &fault), 0);
    assert_int_equal(list.count, 2);
    assert_int_equal(list.damaged, 0);
    assert_true(strcmp(list.crashes[0].id, list.crashes[1].id) < 0);
    assert_string_equal(list.crashes[0].where, "web1");
    assert_string_equal(list.crashes[0].what, "why");
    assert_int_equal(list.crashes[0].occurrence, 3);
    assert_int_equal(list.crashes[0].complete, 1);
    assert_int_equal(
        strncmp(list.crashes[0].name, "20260804T081523Z-guest-web_1-", 29), 0);
    snprintf(path, sizeof(path), "%s/%s/reason.txt", root,
             list.crashes[0].name);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_size, 8);
    assert_int_equal(about.st_mode & 0777, 0600);
    snprintf(path, sizeof(path), "%s/%s/" STORE_BEGUN, root,
             list.crashes[0].name);
    assert_int_equal(stat(path, &about), -1);
    crash_list_free(&list);
    store_close(&store);
}

static void test_each_call_fails(void **state)
{
    static const int errs[] = {ENOSPC, EIO, EDQUOT, EROFS, ESTALE};
    struct crash_list list;
    struct store store;
    size_t whole = 0;

    (void)state;
    assert_int_equal(store_open(&store, root, &failing, &fault), 0);
    for (size_t e = 0; e < sizeof(errs) / sizeof(errs[0]); e++) {
        int ret = -1;

        fail_err = errs[e];
        /* The first failure-free run ends the sweep. */
        for (fail_at = 1; ret; fail_at++) {
            calls = 0;
            ret = write_entry(&store, SOME_NS);
            if (ret) {
                assert_int_equal(fault.code, EXIT_STORAGE);
            } else {
                whole++;
            }
            assert_int_equal(store_read(root, &list, &fault), 0);
            assert_int_equal(list.count, whole);
            assert_int_equal(list.damaged, 0);
            assert_int_equal(count_names(), whole);
            crash_list_free(&list);
            assert_true(fail_at < 100);
        }
        /* begun 2, reason 2, meta 2, directory 1, rename 1; then it is in. */
        assert_int_equal(fail_at - 1, 9);
    }
    store_close(&store);
}

static void test_interrupted(void **state)
{
    struct store store;

    (void)state;
    assert_int_equal(store_open(&store, root, &failing, &fault), 0);
    fail_err = EINTR;
    fail_at = 1;
    assert_int_equal(write_entry(&store, SOME_NS), 0);
    assert_int_equal(count_names(), 1);
    store_close(&store);
}

static void make_leftover_of(struct store *store, const char *boot_id,
                             const char *file)
{
    struct store_entry entry;
    struct json_object *meta;

    assert_int_equal(store_begin(store, &entry, SOME_NS, "guest", "x", &fault),
                     0);
    meta = some_meta(entry.id, boot_id);
    assert_int_equal(store_json(&entry, file, meta, &fault), 0);
    assert_int_equal(store_file(&entry, "reason.txt", "y", 1, &fault), 0);
    json_object_put(meta);
    close(entry.dirfd); /* as if the program had been killed here */
    free(entry.partial);
    free(entry.name);
}

static void make_leftover(struct store *store, const char *boot_id)
{
    fail_at = 0;
    make_leftover_of(store, boot_id, STORE_BEGUN);
}

/* Remove the entries whose names begin so. */
static void remove_entries(const char *prefix)
{
    DIR *dir = opendir(root);
    struct dirent *item;

    while ((item = readdir(dir)) != NULL) {
        if (strncmp(item->d_name, prefix, strlen(prefix)) == 0) {
            outfile_remove_tree(dirfd(dir), item->d_name);
        }
    }
    closedir(dir);
}

static void test_salvage(void **state)
{
    struct crash_list list;
    struct store_entry entry;
    struct store store;

    (void)state;
    assert_int_equal(store_open(&store, root, NULL, &fault), 0);
    make_leftover(&store, "boot-a");
    make_leftover(&store, "boot-b");
    assert_int_equal(store_begin(&store, &entry, SOME_NS, "guest", "z", &fault),
                     0);
    close(entry.dirfd); /* killed before it wrote anything */
    free(entry.partial);
    free(entry.name);

    assert_int_equal(store_read(root, &list, &fault), 0);
    assert_int_equal(list.count, 0);
    crash_list_free(&list);

    assert_int_equal(store_salvage(&store, "boot-b", &fault), 1);
    assert_int_equal(store_read(root, &list, &fault), 0);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.crashes[0].complete, 0);
    assert_int_equal(count_names(), 1);
    crash_list_free(&list);
    assert_int_equal(store_salvage(&store, "boot-b", &fault), 0);
    store_close(&store);
}

/* Killed, or out of power, when only the rename was missing. */
static void test_salvage_whole(void **state)
{
    struct crash_list list;
    struct store store;

    (void)state;
    assert_int_equal(store_open(&store, root, NULL, &fault), 0);
    make_leftover_of(&store, "boot-a", STORE_META);
    make_leftover_of(&store, "boot-b", STORE_META);
    assert_int_equal(store_salvage(&store, "boot-b", &fault), 1);
    assert_int_equal(store_read(root, &list, &fault), 0);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.crashes[0].complete, 1);
    assert_int_equal(list.damaged, 0);
    assert_int_equal(count_names(), 1);
    crash_list_free(&list);
    store_close(&store);
}

/* A leftover is the only evidence: a full disk must not cost it. */
static void test_salvage_on_full_disk(void **state)
{
    struct crash_list list;
    struct store store;

    (void)state;
    assert_int_equal(store_open(&store, root, &failing, &fault), 0);
    make_leftover(&store, "boot-a");
    make_leftover(&store, "boot-a");
    fail_err = ENOSPC;
    /* meta.json 2, directory 1, rename 1 */
    for (int at = 1; at <= 4; at++) {
        calls = 0;
        fail_at = at;
        assert_int_equal(store_salvage(&store, "boot-b", &fault), -1);
        assert_int_equal(fault.code, EXIT_STORAGE);
        assert_int_equal(count_names(), 2);
        assert_int_equal(store_read(root, &list, &fault), 0);
        assert_true(list.count == 1); /* the other one came through */
        crash_list_free(&list);
        remove_entries("salvaged-");
        make_leftover(&store, "boot-a");
    }
    fail_at = 0;
    assert_int_equal(store_salvage(&store, "boot-b", &fault), 2);
    assert_int_equal(store_read(root, &list, &fault), 0);
    assert_int_equal(list.count, 2);
    assert_int_equal(list.crashes[0].complete, 0);
    crash_list_free(&list);
    store_close(&store);
}

static void test_append(void **state)
{
    struct rlimit before;
    struct rlimit small;
    char path[256];
    char *text;
    size_t len;

    (void)state;
    snprintf(path, sizeof(path), "%s/box", root);
    assert_int_equal(outfile_make_dirs(path, 0750, &fault), 0);
    snprintf(path, sizeof(path), "%s/box/log", root);
    assert_int_equal(outfile_append(path, "one\n", 4, &fault), 0);
    assert_int_equal(outfile_append(path, "tw", 2, &fault), 0);
    /* Half a line of a killed writer does not spoil the next one. */
    assert_int_equal(outfile_append(path, "three\n", 6, &fault), 0);
    /* A line that does not fit leaves nothing of itself. */
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 15;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(outfile_append(path, "four\n", 5, &fault), -1);
    assert_int_equal(fault.code, EXIT_STORAGE);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(outfile_append(path, "five\n", 5, &fault), 0);
    assert_int_equal(infile_read(AT_FDCWD, path, 100, &text, &len), 0);
    assert_string_equal(text, "one\ntw\nthree\nfive\n");
    free(text);
}

static void put_dir(const char *name, const char *meta)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", root, name);
    assert_int_equal(mkdir(path, 0750), 0);
    if (meta) {
        snprintf(path, sizeof(path), "%s/%s/" STORE_META, root, name);
        file = fopen(path, "w");
        fputs(meta, file);
        fclose(file);
    }
}

static void test_damaged_entries(void **state)
{
    struct crash_list list;

    (void)state;
    put_dir("a", NULL);
    put_dir("b", "");
    put_dir("c", "not json");
    put_dir("d", "[1, 2]");
    put_dir("e", "{\"id\": 5}");
    put_dir("f", "{\"id\": \"too short\"}");
    put_dir("g", "{\"id\": \"01ARYZ6S41ZZZZZZZZZZZZZZZZ\", \"guest\": 1, "
                 "\"reason\": [], \"kind\": {}}");
    /* A copied store can be anybody's: nothing of it may reach a terminal
     * or our own JSON as it is. */
    put_dir("h", "{\"id\": \"01ARYZ6S41\\u001b]0;owned\\u0007ZZZ\"}");
    put_dir("i", "{\"id\": \"01ARYZ6S41ZZZZZZZZZZZZZZZZ\", \"x\": \"\xff\"}");
    assert_int_equal(store_read(root, &list, &fault), 0);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.damaged, 8);
    assert_string_equal(list.crashes[0].where, "");
    assert_string_equal(list.crashes[0].kind, "");
    assert_int_equal(list.crashes[0].occurrence, 1);
    crash_list_free(&list);

    assert_int_equal(store_read("/tmp/there/is/no/store", &list, &fault), 0);
    assert_int_equal(list.count, 0);
}

static void test_find(void **state)
{
    struct crash_list list;

    (void)state;
    put_dir("a", "{\"id\": \"01ARYZ6S41ZZZZZZZZZZZZZZZZ\"}");
    put_dir("b", "{\"id\": \"01ARYZ6S42ZZZZZZZZZZZZZZZZ\"}");
    put_dir("c", "{\"id\": \"01BRYZ6S42ZZZZZZZZZZZZZZZZ\"}");
    assert_int_equal(store_read(root, &list, &fault), 0);
    assert_int_equal(crash_short_id(&list), 10);
    assert_non_null(crash_find(&list, "01b", &fault));
    assert_non_null(crash_find(&list, "01ARYZ6S41", &fault));
    assert_null(crash_find(&list, "01A", &fault));
    assert_int_equal(fault.code, EXIT_USAGE);
    assert_null(crash_find(&list, "02", &fault));
    assert_int_equal(fault.code, EXIT_NOT_FOUND);
    assert_null(crash_find(&list, "", &fault));
    assert_null(crash_find(&list, "01BRYZ6S42ZZZZZZZZZZZZZZZZZ", &fault));
    crash_list_free(&list);
}

static void test_files(void **state)
{
    char path[256];
    char *text;
    size_t len;
    int dirfd;

    (void)state;
    snprintf(path, sizeof(path), "%s/box", root);
    assert_int_equal(outfile_make_dirs(path, 0750, &fault), 0);
    assert_int_equal(outfile_make_dirs(path, 0750, &fault), 0);
    dirfd = open(path, O_RDONLY | O_DIRECTORY);
    assert_true(dirfd >= 0);
    assert_int_equal(
        outfile_create(&file_ops_system, dirfd, "f", "abcdef", 6, &fault), 0);
    assert_int_equal(
        outfile_create(&file_ops_system, dirfd, "f", "x", 1, &fault), -1);
    assert_int_equal(fault.code, EXIT_REFUSED);
    assert_int_equal(infile_read(dirfd, "f", 100, &text, &len), 0);
    assert_string_equal(text, "abcdef");
    free(text);
    assert_int_equal(infile_read(dirfd, "f", 2, &text, &len), 0);
    assert_string_equal(text, "ef");
    free(text);

    /* A failing replacement leaves the old file as it was. */
    for (fail_at = 1, fail_err = EIO; fail_at <= 3; fail_at++) {
        calls = 0;
        assert_int_equal(
            outfile_replace(&failing, dirfd, "f", "new", 3, &fault), -1);
        assert_int_equal(infile_read(dirfd, "f", 100, &text, &len), 0);
        assert_string_equal(text, "abcdef");
        free(text);
    }
    assert_int_equal(
        outfile_replace(&file_ops_system, dirfd, "f", "new", 3, &fault), 0);
    assert_int_equal(infile_read(dirfd, "f", 100, &text, &len), 0);
    assert_string_equal(text, "new");
    free(text);

    assert_int_equal(symlinkat("f", dirfd, "link"), 0);
    assert_int_equal(infile_read(dirfd, "link", 100, &text, &len), -1);
    assert_int_equal(infile_read(dirfd, "missing", 100, &text, &len), -1);
    assert_int_equal(errno, ENOENT);
    close(dirfd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_whole, new_root, remove_root),
        cmocka_unit_test_setup_teardown(test_each_call_fails, new_root,
                                        remove_root),
        cmocka_unit_test_setup_teardown(test_interrupted, new_root,
                                        remove_root),
        cmocka_unit_test_setup_teardown(test_salvage, new_root, remove_root),
        cmocka_unit_test_setup_teardown(test_salvage_whole, new_root,
                                        remove_root),
        cmocka_unit_test_setup_teardown(test_salvage_on_full_disk, new_root,
                                        remove_root),
        cmocka_unit_test_setup_teardown(test_append, new_root, remove_root),
        cmocka_unit_test_setup_teardown(test_damaged_entries, new_root,
                                        remove_root),
        cmocka_unit_test_setup_teardown(test_find, new_root, remove_root),
        cmocka_unit_test_setup_teardown(test_files, new_root, remove_root),
    };

    return UNIT_RUN(tests);
}
