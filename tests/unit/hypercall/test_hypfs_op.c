/* SPDX-License-Identifier: MIT */
/*
 * hypercall/hypfs_op: the tree, its settings, and every error.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/xen_abi.h"
#include "log/printk.h"
#include "mm/heap.h"
#include "domain/sched.h"
#include "hypercall/call.h"
#include "hypercall/xen_version.h"
#include "fake_hw.h"

static struct domain d;
static struct vcpu v;
static uint64_t bad_va; /* no guest memory there */
static bool no_memory;
static char loglvl[32], guest_loglvl[32];
static uint32_t ratelimit;

int copy_from_guest(void *dst, uint64_t va, size_t bytes)
{
    if (va == bad_va) {
        return -EFAULT;
    }
    memcpy(dst, (const void *)va, bytes);
    return 0;
}

int copy_to_guest(uint64_t va, const void *src, size_t bytes)
{
    if (va == bad_va) {
        return -EFAULT;
    }
    memcpy((void *)va, src, bytes);
    return 0;
}

void *heap_alloc(size_t bytes)
{
    return no_memory ? NULL : calloc(1, bytes);
}

void heap_free(void *p)
{
    free(p);
}

int log_set_levels(bool about_guests, const char *value)
{
    if (strcmp(value, "nonsense") == 0) {
        return -EINVAL;
    }
    strcpy(about_guests ? guest_loglvl : loglvl, value);
    return 0;
}

void log_get_levels(bool about_guests, char *buf, size_t size)
{
    (void)size;
    strcpy(buf, about_guests ? guest_loglvl : loglvl);
}

uint32_t sched_ratelimit_us(void)
{
    return ratelimit;
}

int sched_set_ratelimit(uint32_t us)
{
    if (us > 500000) {
        return -EINVAL;
    }
    ratelimit = us;
    return 0;
}

void xen_version_fact(enum xen_version_fact fact, char *buf, size_t size)
{
    snprintf(buf, size, "fact %d", (int)fact);
}

static struct {
    struct xen_hypfs_direntry e;
    char content[1024];
} got;

static int64_t read_path(const char *path, size_t room)
{
    memset(&got, 0xee, sizeof(got));
    return do_hypfs_op(XEN_HYPFS_OP_read, (uint64_t)path, strlen(path) + 1,
                       (uint64_t)&got, room);
}

static int64_t write_path(const char *path, const void *content, size_t bytes)
{
    return do_hypfs_op(XEN_HYPFS_OP_write_contents, (uint64_t)path,
                       strlen(path) + 1, (uint64_t)content, bytes);
}

static int set_up(void **state)
{
    (void)state;
    fake_hw_reset();
    memset(&d, 0, sizeof(d));
    memset(&v, 0, sizeof(v));
    v.domain = &d;
    this_cpu()->current_vcpu = &v;
    bad_va = 0;
    no_memory = false;
    strcpy(loglvl, "info");
    strcpy(guest_loglvl, "none/warning");
    ratelimit = 500;
    return 0;
}

static void version(void **state)
{
    (void)state;
    assert_int_equal(do_hypfs_op(XEN_HYPFS_OP_get_version, 0, 0, 0, 0),
                     XEN_HYPFS_VERSION);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(do_hypfs_op(XEN_HYPFS_OP_get_version, i == 0, i == 1,
                                     i == 2, i == 3),
                         -EINVAL);
    }
    assert_int_equal(do_hypfs_op(3, 0, 0, 0, 0), -EOPNOTSUPP);
}

/* Walk the tree from the root: every directory's entries can be read, say what
 * the list says of them, and @ret_leaves counts the others. */
static void walk(const char *path, unsigned int *ret_leaves)
{
    char list[1024], child[256];
    size_t at = 0;

    assert_int_equal(read_path(path, sizeof(got)), 0);
    assert_int_equal(got.e.type, XEN_HYPFS_TYPE_DIR);
    assert_true(got.e.content_len != 0);
    memcpy(list, got.content, got.e.content_len);
    for (;;) {
        struct xen_hypfs_dirlistentry l;
        const char *name;

        memcpy(&l, list + at, sizeof(l));
        name = list + at + offsetof(struct xen_hypfs_dirlistentry, name);
        snprintf(child, sizeof(child), "%s/%.100s",
                 strcmp(path, "/") == 0 ? "" : path, name);
        if (l.e.type == XEN_HYPFS_TYPE_DIR) {
            walk(child, ret_leaves);
        } else {
            assert_int_equal(read_path(child, sizeof(got)), 0);
            assert_memory_equal(&got.e, &l.e, sizeof(l.e));
            (*ret_leaves)++;
        }
        if (l.off_next == 0) {
            return;
        }
        assert_int_equal(l.off_next % 4, 0);
        at += l.off_next;
    }
}

static void whole_tree(void **state)
{
    unsigned int leaves = 0;

    (void)state;
    walk("/", &leaves);
    assert_int_equal(leaves, 10);
}

static void facts(void **state)
{
    uint32_t number;

    (void)state;
    assert_int_equal(read_path("/buildinfo/version/minor", sizeof(got)), 0);
    assert_int_equal(got.e.type, XEN_HYPFS_TYPE_UINT);
    assert_int_equal(got.e.content_len, sizeof(number));
    memcpy(&number, got.content, sizeof(number));
    assert_int_equal(number, VIGIL_VERSION_MINOR);
    assert_int_equal(read_path("/buildinfo/changeset", sizeof(got)), 0);
    assert_int_equal(got.e.type, XEN_HYPFS_TYPE_STRING);
    assert_int_equal(got.e.content_len, strlen(got.content) + 1);
    assert_string_equal(got.content, "fact 1");
    assert_int_equal(got.e.max_write_len, 0);
    assert_int_equal(write_path("/buildinfo/changeset", "x", 2), -EACCES);
    assert_int_equal(write_path("/buildinfo/version/minor", &number, 4),
                     -EACCES);
    assert_int_equal(write_path("/buildinfo", "x", 2), -EACCES);
    assert_int_equal(write_path("/", "x", 2), -EACCES);
}

static void settings(void **state)
{
    uint32_t number = 1000;
    char content[40] = "debug";

    (void)state;
    assert_int_equal(read_path("/params/guest_loglvl", sizeof(got)), 0);
    assert_string_equal(got.content, "none/warning");
    assert_int_equal(got.e.max_write_len, 32);
    assert_int_equal(write_path("/params/guest_loglvl", "all", 4), 0);
    assert_string_equal(guest_loglvl, "all");
    assert_string_equal(loglvl, "info");
    assert_int_equal(write_path("/params/loglvl", content, 6), 0);
    assert_string_equal(loglvl, "debug");
    assert_int_equal(write_path("/params/loglvl", "nonsense", 9), -EINVAL);
    /* Without its NUL, with one in the middle, none at all, too long. */
    assert_int_equal(write_path("/params/loglvl", content, 5), -EINVAL);
    assert_int_equal(write_path("/params/loglvl", content, 7), -EINVAL);
    assert_int_equal(write_path("/params/loglvl", content, 0), -EINVAL);
    assert_int_equal(write_path("/params/loglvl", content, 33), -ENOSPC);
    assert_int_equal(write_path("/params/sched_ratelimit_us", &number, 4), 0);
    assert_int_equal(ratelimit, 1000);
    assert_int_equal(write_path("/params/sched_ratelimit_us", &number, 2),
                     -EDOM);
    number = 500001;
    assert_int_equal(write_path("/params/sched_ratelimit_us", &number, 4),
                     -EINVAL);
    assert_int_equal(write_path("/params/sched_ratelimit_us", &number, 5),
                     -ENOSPC);
    bad_va = (uint64_t)&number;
    assert_int_equal(write_path("/params/sched_ratelimit_us", &number, 4),
                     -EFAULT);
    bad_va = (uint64_t)content;
    assert_int_equal(write_path("/params/loglvl", content, 6), -EFAULT);
    assert_int_equal(ratelimit, 1000);
}

static void paths(void **state)
{
    static const char *const none[] = {"/nobody", "/params/", "/buildinfo/v",
                                       "//", "/params/loglvl/x"};
    static char longest[XEN_HYPFS_MAX_PATHLEN + 1];

    (void)state;
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        assert_int_equal(read_path(none[i], sizeof(got)), -ENOENT);
        assert_int_equal(write_path(none[i], "x", 2), -ENOENT);
    }
    assert_int_equal(read_path("params", sizeof(got)), -EINVAL);
    assert_int_equal(read_path("", sizeof(got)), -EINVAL);
    /* The length does not end it, or another NUL does before. */
    assert_int_equal(do_hypfs_op(XEN_HYPFS_OP_read, (uint64_t)"/params", 7,
                                 (uint64_t)&got, sizeof(got)),
                     -EINVAL);
    assert_int_equal(do_hypfs_op(XEN_HYPFS_OP_read, (uint64_t)"/\0arams", 8,
                                 (uint64_t)&got, sizeof(got)),
                     -EINVAL);
    memset(longest, 'x', sizeof(longest) - 1);
    longest[0] = '/';
    assert_int_equal(read_path(longest, sizeof(got)), -EINVAL);
    longest[XEN_HYPFS_MAX_PATHLEN - 1] = '\0';
    assert_int_equal(read_path(longest, sizeof(got)), -ENOENT);
    bad_va = (uint64_t)longest;
    assert_int_equal(read_path(longest, sizeof(got)), -EFAULT);
    no_memory = true;
    assert_int_equal(read_path("/params", sizeof(got)), -ENOMEM);
}

static void room(void **state)
{
    size_t header = sizeof(got.e);

    (void)state;
    assert_int_equal(read_path("/params/loglvl", header - 1), -EINVAL);
    /* What it takes is said, nothing more. */
    assert_int_equal(read_path("/params/loglvl", header + 4), -ENOBUFS);
    assert_int_equal(got.e.content_len, 5);
    assert_int_equal((unsigned char)got.content[0], 0xee);
    assert_int_equal(read_path("/params/loglvl", header + 5), 0);
    assert_string_equal(got.content, "info");
    assert_int_equal((unsigned char)got.content[5], 0xee);
    bad_va = (uint64_t)&got;
    assert_int_equal(read_path("/params/loglvl", sizeof(got)), -EFAULT);
    bad_va = (uint64_t)got.content;
    assert_int_equal(read_path("/params/loglvl", sizeof(got)), -EFAULT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(version, set_up),
        cmocka_unit_test_setup(whole_tree, set_up),
        cmocka_unit_test_setup(facts, set_up),
        cmocka_unit_test_setup(settings, set_up),
        cmocka_unit_test_setup(paths, set_up),
        cmocka_unit_test_setup(room, set_up),
    };

    return UNIT_RUN(tests);
}
