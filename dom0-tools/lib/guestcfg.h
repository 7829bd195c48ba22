/* SPDX-License-Identifier: MIT */
/*
 * lib/guestcfg.h - a guest's configuration, as libxl wants it.
 *
 * It comes from an xl.cfg file, by the table of keys in guestcfg.c, or from
 * the JSON that libxl keeps of each guest.
 */
#ifndef VIGIL_TOOLS_GUESTCFG_H
#define VIGIL_TOOLS_GUESTCFG_H

#include <stdint.h>

#include <libxl.h>

#include "lib/fault.h"
#include "lib/guestaction.h"
#include "lib/moment.h"

#define GUEST_MEMORY_MIB_MAX (16L * 1024 * 1024)
#define GUEST_VCPUS_MAX      128
#define GUEST_DOMID_MAX      0x7fefUL
#define GUEST_DOMID_ANY      0 /* in c_info.domid: the next free number */

/**
 * guestcfg_load() - read a configuration
 * @ctx:        context of libxl; NULL: only xl.cfg files are understood, and
 *              what depends on the machine is not known
 * @path:       an xl.cfg file, or JSON as libxl writes it
 * @overrides:  `key=value` words of the command line, appended to the file
 * @count:      number of @overrides
 * @strict:     1: a key that Vigil does not offer is an error, not a warning
 * @ret_config: filled in on success; release with libxl_domain_config_dispose()
 * @fault:      says why on failure
 *
 * Warnings go to standard error. A kernel or ramdisk is looked for as
 * given, beside the configuration file, and where Debian keeps Xen's own.
 *
 * Context: any.
 * Return:  0, or -1
 */
int guestcfg_load(libxl_ctx *ctx, const char *path, char *const *overrides,
                  int count, int strict, libxl_domain_config *ret_config,
                  struct fault *fault);

/**
 * guestcfg_from_json() - read what libxl has written about a guest
 * @ctx:        context of libxl
 * @what:       what to call it in messages
 * @json:       text
 * @ret_config: filled in on success; release with libxl_domain_config_dispose()
 * @fault:      says why on failure
 *
 * The number that the guest had is forgotten: it will get another.
 *
 * Context: any.
 * Return:  0, or -1
 */
int guestcfg_from_json(libxl_ctx *ctx, const char *what, const char *json,
                       libxl_domain_config *ret_config, struct fault *fault);

/**
 * guestcfg_check() - is this a guest that Vigil can run?
 * @what:   what to call the configuration in messages
 * @config: from anywhere
 * @fault:  says why not
 *
 * Context: any; pure.
 * Return:  0, or -1
 */
int guestcfg_check(const char *what, const libxl_domain_config *config,
                   struct fault *fault);

/**
 * guestcfg_check_name() - is this a name for a guest?
 * @name:  text
 * @fault: says why not
 *
 * Context: any; pure.
 * Return:  0, or -1
 */
int guestcfg_check_name(const char *name, struct fault *fault);

/**
 * guestcfg_action() - what becomes of a guest, as Vigil sees it
 * @action: as libxl sees it
 *
 * Context: any; pure.
 * Return:  action
 */
enum guest_action guestcfg_action(libxl_action_on_shutdown action);

/**
 * guestcfg_uuid() - the text of a guest's UUID
 * @config: configuration
 * @dst:    UUID_CHARS characters and a NUL
 *
 * Context: any; pure.
 */
void guestcfg_uuid(const libxl_domain_config *config, char dst[UUID_CHARS + 1]);

/**
 * guestcfg_domid_parse() - the value of --domid
 * @text:      number, or NULL
 * @ret_domid: GUEST_DOMID_ANY if @text is NULL; set on success only
 * @fault:     says why not
 *
 * Context: any; pure.
 * Return:  0, or -1
 */
int guestcfg_domid_parse(const char *text, libxl_domid *ret_domid,
                         struct fault *fault);

#endif
