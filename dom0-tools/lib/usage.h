/* SPDX-License-Identifier: MIT */
/*
 * lib/usage.h - what the guests use: processor time, memory, network, disks.
 *
 * A sample holds counters; two samples give rates.  Samples are paired by
 * number and UUID: the counters of another guest that has the number by now
 * begin anew.
 */
#ifndef VIGIL_TOOLS_USAGE_H
#define VIGIL_TOOLS_USAGE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/guests.h"

/* Counters of the back ends of one guest, as Dom0's kernel has them. */
struct usage_io {
    uint32_t nets, disks;        /* how many devices             */
    uint64_t rx_bytes, tx_bytes; /* as the guest sees them       */
    uint64_t rx_packets, tx_packets;
    uint64_t rd_requests, wr_requests;
    uint64_t rd_bytes, wr_bytes;
};

struct usage_guest {
    const struct guest *guest; /* in the sample's list               */
    struct usage_io io;
    uint64_t instance; /* 0: this hypervisor does not tell, nor of   */
    uint64_t wait_ns;  /* time its vcpus waited for a processor      */
};

struct usage_sample {
    uint64_t time_ns; /* CLOCK_MONOTONIC                       */
    struct guest_list list;
    struct usage_guest *guests; /* one for each of the list        */
};

/**
 * usage_read() - take a sample
 * @xen:        open
 * @ret_sample: filled in on success; release with usage_free()
 * @fault:      says why on failure
 *
 * Context: any.
 * Return:  0, or -1
 */
int usage_read(struct xen *xen, struct usage_sample *ret_sample,
               struct fault *fault);

/**
 * usage_free() - release a sample
 * @sample: as filled in, or zeroed
 *
 * Context: any.
 */
void usage_free(struct usage_sample *sample);

/**
 * usage_io_read() - the counters of one guest's back ends
 * @sys:    directory, "/sys"
 * @domid:  guest
 * @ret_io: filled in; zeroes where there is no device
 *
 * Context: any.
 */
void usage_io_read(const char *sys, uint32_t domid, struct usage_io *ret_io);

/**
 * usage_before() - the same guest in an earlier sample
 * @before: earlier sample
 * @now:    guest
 *
 * Context: any; pure.
 * Return:  guest inside @before; NULL if it was not there, or was another run
 */
const struct usage_guest *usage_before(const struct usage_sample *before,
                                       const struct guest *now);

/**
 * usage_wait_percent() - time of waiting for a processor as such a share
 * @before: earlier sample
 * @now:    later sample
 * @at:     guest of @now
 *
 * Context: any; pure.
 * Return:  percent of one processor; 0 for a guest that is new; -1 where the
 *          hypervisor does not tell
 */
double usage_wait_percent(const struct usage_sample *before,
                          const struct usage_sample *now,
                          const struct usage_guest *at);

/**
 * usage_percent() - processor time as a share of the time that went by
 * @before: earlier sample
 * @now:    later sample
 * @guest:  guest of @now
 *
 * Context: any; pure.
 * Return:  percent of one processor; 0 for a guest that is new
 */
double usage_percent(const struct usage_sample *before,
                     const struct usage_sample *now,
                     const struct guest *guest);

#endif
