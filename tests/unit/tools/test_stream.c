/* SPDX-License-Identifier: MIT */
/* A file that is written piece by piece appears whole, or not at all. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#include "lib/outfile.h"

static char dir[] = "/tmp/test_stream.XXXXXX";
static struct fault fault;
static int fail_at; /* this call of fsync or renameat fails; 0: none */

static int play_fsync(int fd)
{
    if (fail_at && --fail_at == 0) {
        errno = EDQUOT;
        return -1;
    }
    return fsync(fd);
}

static int play_renameat(int from_dir, const char *from, int to_dir,
                         const char *to)
{
    if (fail_at && --fail_at == 0) {
        errno = EROFS;
        return -1;
    }
    return renameat(from_dir, from, to_dir, to);
}

static const struct file_ops played = {
    .write = write,
    .fsync = play_fsync,
    .renameat = play_renameat,
};

static char *path_of(const char *name)
{
    return xasprintf("%s/%s", dir, name);
}

static unsigned int count_files(void)
{
    DIR *all = opendir(dir);
    unsigned int count = 0;

    assert_non_null(all);
    for (struct dirent *item; (item = readdir(all));) {
        count += strcmp(item->d_name, ".") && strcmp(item->d_name, "..");
    }
    closedir(all);
    return count;
}

static void expect_text(const char *name, const char *wanted)
{
    char *path = path_of(name);
    char *text = NULL;
    size_t len;

    assert_int_equal(infile_read(AT_FDCWD, path, 100, &text, &len), 0);
    assert_string_equal(text, wanted);
    free(text);
    free(path);
}

/* Begin file "f" and write @text to it. */
static void begin(struct outfile_stream *stream, const char *text)
{
    char *path = path_of("f");

    assert_int_equal(outfile_begin(path, stream, &fault), 0);
    assert_int_equal(outfile_write(&played, stream->fd, text, strlen(text)), 0);
    free(path);
}

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    assert_int_equal(outfile_remove_tree(AT_FDCWD, dir), 0);
    return 0;
}

static void test_whole(void **state)
{
    struct outfile_stream stream;
    struct stat about;
    char *path = path_of("f");

    (void)state;
    begin(&stream, "one");
    assert_int_equal(access(path, F_OK), -1); /* not before it is whole */
    assert_int_equal(outfile_commit(&played, &stream, &fault), 0);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    expect_text("f", "one");
    begin(&stream, "two");
    expect_text("f", "one");
    assert_int_equal(outfile_commit(&played, &stream, &fault), 0);
    expect_text("f", "two");
    assert_int_equal(count_files(), 1);
    free(path);
}

static void test_abandoned(void **state)
{
    struct outfile_stream stream;

    (void)state;
    begin(&stream, "three");
    assert_int_equal(count_files(), 2);
    outfile_abandon(&stream);
    assert_int_equal(count_files(), 1);
    expect_text("f", "two");
}

/* Sync of the file, rename: each may fail, and the older file stays. */
static void test_failures(void **state)
{
    struct outfile_stream stream;

    (void)state;
    for (int at = 1; at <= 2; at++) {
        begin(&stream, "four");
        fail_at = at;
        assert_int_equal(outfile_commit(&played, &stream, &fault), -1);
        assert_int_equal(fail_at, 0);
        assert_int_equal(fault.code, EXIT_STORAGE);
        assert_int_equal(count_files(), 1);
        expect_text("f", "two");
    }
}

static void test_places(void **state)
{
    struct outfile_stream stream;
    char *path = path_of("link");

    (void)state;
    assert_int_equal(symlink("f", path), 0);
    assert_int_equal(outfile_begin(path, &stream, &fault), -1);
    assert_int_equal(fault.code, EXIT_REFUSED);
    assert_int_equal(unlink(path), 0);
    free(path);
    assert_int_equal(outfile_begin("/dev/null", &stream, &fault), -1);
    assert_int_equal(fault.code, EXIT_REFUSED);
    assert_int_equal(outfile_begin("/nowhere/at/all", &stream, &fault), -1);
    assert_int_equal(fault.code, EXIT_NOT_FOUND);
    assert_int_equal(outfile_begin("/tmp/", &stream, &fault), -1);
    assert_int_equal(fault.code, EXIT_USAGE);
    assert_int_equal(outfile_begin(dir, &stream, &fault), -1);
    assert_int_equal(fault.code, EXIT_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_abandoned),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_places),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
