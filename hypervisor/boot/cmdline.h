/* SPDX-License-Identifier: MIT */
/*
 * boot/cmdline.h - the hypervisor's options: Xen's names, Xen's meanings.
 */
#ifndef VIGIL_BOOT_CMDLINE_H
#define VIGIL_BOOT_CMDLINE_H

#include "lib/compiler.h"
#include "lib/types.h"

struct boot_options {
    bool has_dom0_mem;
    int64_t dom0_mem_bytes;  /* negative: all memory less that much  */
    int64_t dom0_min_bytes;  /* 0: none                              */
    int64_t dom0_max_bytes;  /* INT64_MAX: none                      */
    unsigned int dom0_min_vcpus; /* Dom0 has as many as there are CPUs, */
    unsigned int dom0_max_vcpus; /* within these; 0: no bound        */
    unsigned int maxcpus;        /* 0 and 1: the first only          */
    unsigned int nmi_cpu;        /* has the NMI line                 */
    bool dom0_vcpus_pin;         /* each of them to a CPU of its own */
    bool screen;       /* console=vga, or console= not given         */
    bool screen_kept;  /* vga=keep: Dom0 does not get the screen     */
    bool sync_console; /* writers wait for the serial line           */
    bool provoke; /* vigil_provoke=1: VIGIL_OP_provoke is allowed    */
};

extern struct boot_options boot_options;

/**
 * cmdline_parse() - apply the options
 * @text: as the loader gave it, file name and all
 *
 * Unknown options and bad values are named in the log.
 * Context: boot.
 */
void cmdline_parse(const char *text);

/**
 * cmdline_strip() - drop the file name a loader put in front
 * @text: command line of the hypervisor or of a module
 *
 * Context: boot, after loader_read().
 * Return:  pointer into @text
 */
const char *cmdline_strip(const char *text);

/**
 * cmdline_text() - the options as given, for XENVER_commandline
 *
 * Context: any.
 * Return:  NUL-terminated, static
 */
const char *cmdline_text(void);

#endif
