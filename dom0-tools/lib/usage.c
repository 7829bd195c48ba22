/* SPDX-License-Identifier: MIT */
/* lib/usage.c - what the guests use: processor time, memory, devices. */
#include "lib/usage.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <vigil/vigil_op.h>

#define SECTOR_BYTES 512

/* A counter of sysfs: its files have no size, so read until the end. */
static uint64_t counter(const char *dir, const char *device, const char *name)
{
    char *path = xasprintf("%s/%s/statistics/%s", dir, device, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint64_t value = 0;
    char text[32];
    ssize_t got;

    free(path);
    if (fd < 0) {
        return 0;
    }
    got = read(fd, text, sizeof(text) - 1);
    if (got > 0) {
        text[got] = '\0';
        value = strtoull(text, NULL, 10);
    }
    close(fd);
    return value;
}

/* What the bridge's end receives, the guest has sent. */
static void add_net(const char *dir, const char *device, struct usage_io *io)
{
    io->nets++;
    io->rx_bytes += counter(dir, device, "tx_bytes");
    io->tx_bytes += counter(dir, device, "rx_bytes");
    io->rx_packets += counter(dir, device, "tx_packets");
    io->tx_packets += counter(dir, device, "rx_packets");
}

static void add_disk(const char *dir, const char *device, struct usage_io *io)
{
    io->disks++;
    io->rd_requests += counter(dir, device, "rd_req");
    io->wr_requests += counter(dir, device, "wr_req");
    io->rd_bytes += counter(dir, device, "rd_sect") * SECTOR_BYTES;
    io->wr_bytes += counter(dir, device, "wr_sect") * SECTOR_BYTES;
}

/* Each device of a directory whose name begins so. */
static void for_each(const char *sys, const char *leaf, const char *prefix,
                     void (*add)(const char *dir, const char *device,
                                 struct usage_io *io),
                     struct usage_io *io)
{
    char *path = xasprintf("%s/%s", sys, leaf);
    DIR *dir = opendir(path);
    struct dirent *item;

    while (dir && (item = readdir(dir)) != NULL) {
        if (strncmp(item->d_name, prefix, strlen(prefix)) == 0) {
            add(path, item->d_name, io);
        }
    }
    if (dir) {
        closedir(dir);
    }
    free(path);
}

void usage_io_read(const char *sys, uint32_t domid, struct usage_io *ret_io)
{
    char prefix[32];

    memset(ret_io, 0, sizeof(*ret_io));
    snprintf(prefix, sizeof(prefix), "vif%u.", domid);
    for_each(sys, "class/net", prefix, add_net, ret_io);
    snprintf(prefix, sizeof(prefix), "vbd-%u-", domid);
    for_each(sys, "bus/xen-backend/devices", prefix, add_disk, ret_io);
}

/* What only Vigil tells of another domain.  A list may be out of date. */
static void read_times(struct xen *xen, struct usage_guest *at)
{
    struct vigil_op_domain_times times = {.domid = at->guest->domid};
    char uuid[UUID_CHARS + 1];

    if (vigil_call(xen, VIGIL_OP_domain_times, &times, sizeof(times))) {
        return;
    }
    uuid_text(uuid, times.uuid);
    if (strcmp(uuid, at->guest->uuid) == 0) {
        at->instance = times.instance;
        at->wait_ns = times.runnable_ns;
    }
}

int usage_read(struct xen *xen, struct usage_sample *ret_sample,
               struct fault *fault)
{
    struct usage_sample sample = {.time_ns = 0};
    struct timespec now;

    if (guests_read(xen, &sample.list, fault)) {
        return -1;
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
    sample.time_ns =
        (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
    sample.guests = xmalloc(sample.list.count * sizeof(struct usage_guest));
    for (size_t i = 0; i < sample.list.count; i++) {
        sample.guests[i].guest = &sample.list.guests[i];
        usage_io_read("/sys", sample.list.guests[i].domid,
                      &sample.guests[i].io);
        read_times(xen, &sample.guests[i]);
    }
    *ret_sample = sample;
    return 0;
}

void usage_free(struct usage_sample *sample)
{
    guests_free(&sample->list);
    free(sample->guests);
    memset(sample, 0, sizeof(*sample));
}

const struct usage_guest *usage_before(const struct usage_sample *before,
                                       const struct guest *now)
{
    for (size_t i = 0; i < before->list.count; i++) {
        /* The list is by number; this array may have been sorted. */
        const struct guest *then = before->guests[i].guest;

        if (then->domid == now->domid) {
            return strcmp(then->uuid, now->uuid) == 0 &&
                           then->info.cpu_time <= now->info.cpu_time
                       ? &before->guests[i]
                       : NULL;
        }
    }
    return NULL;
}

double usage_wait_percent(const struct usage_sample *before,
                          const struct usage_sample *now,
                          const struct usage_guest *at)
{
    const struct usage_guest *then = usage_before(before, at->guest);

    if (!at->instance) {
        return -1;
    }
    if (!then || then->instance != at->instance ||
        now->time_ns <= before->time_ns || at->wait_ns < then->wait_ns) {
        return 0;
    }
    return 100.0 * (double)(at->wait_ns - then->wait_ns) /
           (double)(now->time_ns - before->time_ns);
}

double usage_percent(const struct usage_sample *before,
                     const struct usage_sample *now,
                     const struct guest *guest)
{
    const struct usage_guest *then = usage_before(before, guest);
    uint64_t passed = now->time_ns - before->time_ns;

    if (!then || now->time_ns <= before->time_ns) {
        return 0;
    }
    return 100.0 *
           (double)(guest->info.cpu_time - then->guest->info.cpu_time) /
           (double)passed;
}
