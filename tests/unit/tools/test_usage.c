/* SPDX-License-Identifier: MIT */
/*
 * What guests use: counters of sysfs are the right guest's, and rates are never
 * taken between two guests that had one number.
 */
#include "tests/unit/unit.h"

#include <sys/stat.h>

#include "lib/outfile.h"
#include "lib/usage.h"
#include "tests/unit/tools/tree.h"

static struct fault fault;

int guests_read(struct xen *xen, struct guest_list *ret_list, struct fault *why)
{
    (void)xen;
    (void)ret_list;
    (void)why;
    return -1;
}

void guests_free(struct guest_list *list)
{
    free(list->guests);
}

int vigil_call(struct xen *xen, unsigned int op, void *arg, size_t bytes)
{
    (void)xen;
    (void)op;
    (void)arg;
    (void)bytes;
    return -1;
}

static int begin(void **state)
{
    (void)state;
    return tree_new();
}

static int end(void **state)
{
    (void)state;
    return tree_remove();
}

static void counter(const char *device, const char *name, const char *value)
{
    char *dir = xasprintf("%s/%s/statistics", tree, device);
    char *path = xasprintf("%s/%s", dir, name);

    assert_int_equal(outfile_make_dirs(dir, 0755, &fault), 0);
    assert_int_equal(outfile_append(path, value, strlen(value), &fault), 0);
    free(path);
    free(dir);
}

static void test_counters(void **state)
{
    struct usage_io io;

    (void)state;
    usage_io_read(tree, 1, &io); /* nothing there at all */
    assert_int_equal(io.nets + io.disks, 0);
    counter("class/net/vif1.0", "rx_bytes", "100\n");
    counter("class/net/vif1.0", "tx_bytes", "7\n");
    counter("class/net/vif1.1", "rx_bytes", "23\n");
    counter("class/net/vif1.1", "tx_packets", "nonsense\n");
    counter("class/net/vif12.0", "rx_bytes", "5000\n");
    counter("class/net/eth0", "rx_bytes", "9999\n");
    counter("bus/xen-backend/devices/vbd-1-51712", "rd_sect", "4\n");
    counter("bus/xen-backend/devices/vbd-1-51712", "wr_req", "3\n");
    counter("bus/xen-backend/devices/vbd-1-51728", "rd_sect", "1\n");
    counter("bus/xen-backend/devices/vbd-12-51712", "rd_sect", "800\n");
    usage_io_read(tree, 1, &io);
    assert_int_equal(io.nets, 2);
    assert_int_equal(io.tx_bytes, 123); /* the bridge received it */
    assert_int_equal(io.rx_bytes, 7);
    assert_int_equal(io.rx_packets, 0);
    assert_int_equal(io.disks, 2);
    assert_int_equal(io.rd_bytes, 5 * 512);
    assert_int_equal(io.wr_requests, 3);
}

static struct guest guests[2][2];
static struct usage_guest rows[2][2];

static struct usage_sample sample(size_t i, uint64_t time_ns)
{
    struct usage_sample s = {.time_ns = time_ns,
                             .list = {guests[i], 2},
                             .guests = rows[i]};

    for (size_t n = 0; n < 2; n++) {
        memset(&guests[i][n], 0, sizeof(guests[i][n]));
        guests[i][n].domid = (uint32_t)n;
        strcpy(guests[i][n].uuid, n ? "one" : "zero");
        rows[i][n].guest = &guests[i][n];
    }
    return s;
}

static void test_rates(void **state)
{
    struct usage_sample before = sample(0, 5000000000ULL);
    struct usage_sample now = sample(1, 7000000000ULL);
    struct usage_guest first = rows[0][0];

    (void)state;
    guests[0][1].info.cpu_time = 1000000000ULL;
    guests[1][1].info.cpu_time = 4000000000ULL;
    assert_true(usage_percent(&before, &now, &guests[1][1]) > 149.9);
    assert_true(usage_percent(&before, &now, &guests[1][1]) < 150.1);
    assert_true(usage_percent(&before, &now, &guests[1][0]) < 0.1);
    /* Sorted otherwise than the list is. */
    rows[0][0] = rows[0][1];
    rows[0][1] = first;
    assert_ptr_equal(usage_before(&before, &guests[1][1]), &rows[0][0]);
    /* Another guest of the number; the same one, started anew. */
    strcpy(guests[1][1].uuid, "two");
    assert_null(usage_before(&before, &guests[1][1]));
    assert_true(usage_percent(&before, &now, &guests[1][1]) < 0.1);
    strcpy(guests[1][1].uuid, "one");
    guests[1][1].info.cpu_time = 5;
    assert_null(usage_before(&before, &guests[1][1]));
    /* Time of waiting: told by Vigil only, and of one instance. */
    assert_true(usage_wait_percent(&before, &now, &rows[1][0]) < 0);
    rows[0][1].instance = rows[1][0].instance = 7; /* zero, in both */
    rows[1][0].wait_ns = 1000000000ULL;
    assert_true(usage_wait_percent(&before, &now, &rows[1][0]) > 49.9);
    assert_true(usage_wait_percent(&before, &now, &rows[1][0]) < 50.1);
    rows[1][0].instance = 8;
    assert_true(usage_wait_percent(&before, &now, &rows[1][0]) < 0.1);
    /* No time went by: no rate. */
    now.time_ns = before.time_ns;
    assert_true(usage_percent(&before, &now, &guests[1][0]) < 0.1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_counters, begin, end),
        cmocka_unit_test(test_rates),
    };

    return UNIT_RUN(tests);
}
