/* SPDX-License-Identifier: MIT */
/* lib/guestcfg.h - a guest's configuration: xl.cfg as Vigil understands it. */
#ifndef VIGIL_TOOLS_GUESTCFG_H
#define VIGIL_TOOLS_GUESTCFG_H

#include <stdint.h>

#include "lib/fault.h"
#include "lib/guestaction.h"
#include "lib/moment.h"

#define GUEST_MEMORY_MIB_MIN 4
#define GUEST_MEMORY_MIB_MAX (16L * 1024 * 1024)
#define GUEST_VCPUS_MAX      128

struct guest_config {
    char *name;
    char *kernel;  /* path that exists                            */
    char *ramdisk; /* path that exists, or NULL                   */
    char *cmdline; /* of the guest's kernel, "" if none           */
    char *features;
    uint8_t uuid[16];
    long memory_mib;
    long maxmem_mib;
    long vcpus;
    long maxvcpus;
    long event_channels;
    long grant_frames;    /* -1: the hypervisor's default            */
    long maptrack_frames; /* -1: the hypervisor's default            */
    long grant_version;
    long tsc_mode;
    enum guest_action on_poweroff;
    enum guest_action on_reboot;
    enum guest_action on_crash;
    enum guest_action on_watchdog;
    char *text; /* the whole effective configuration              */
};

/**
 * guestcfg_load() - read a configuration file
 * @path:       file
 * @overrides:  `key=value` words of the command line, appended to the file
 * @count:      number of @overrides
 * @strict:     1: a key that Vigil does not offer is an error, not a warning
 * @ret_config: filled in on success; release with guestcfg_free()
 * @fault:      says why on failure
 *
 * Warnings go to standard error. A kernel or ramdisk is looked for as
 * given, beside the configuration file, and where Debian keeps Xen's own.
 *
 * Context: any.
 * Return:  0, or -1
 */
int guestcfg_load(const char *path, char *const *overrides, int count,
                  int strict, struct guest_config *ret_config,
                  struct fault *fault);

/**
 * guestcfg_free() - release what guestcfg_load() allocated
 * @config: as filled in
 *
 * Context: any.
 */
void guestcfg_free(struct guest_config *config);

#endif
