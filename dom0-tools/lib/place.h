/* SPDX-License-Identifier: MIT */
/*
 * lib/place.h - where things are on disk.
 *
 * --root DIR (or VIGIL_ROOT) puts a prefix before each, to work on a store
 * copied from another machine and for the tests.
 */
#ifndef VIGIL_TOOLS_PLACE_H
#define VIGIL_TOOLS_PLACE_H

#define PLACE_CRASHES "/var/lib/vigil/crash"
#define PLACE_EVENTS  "/var/log/vigil/events.ndjson"
#define PLACE_LOGS    "/var/log/vigil"
#define PLACE_GUESTS  "/run/vigil/guests"
#define PLACE_RUN     "/run/vigil"
#define PLACE_CONSOLE "/var/log/xen/console"
#define PLACE_DUMPS   "/var/lib/xen/dump" /* as xl */
#define PLACE_XL_CONF "/etc/xen/xl.conf"

/**
 * place_set_root() - choose the prefix
 * @root: directory, kept by reference; NULL: VIGIL_ROOT, else none
 *
 * Context: start of the program, after its options.
 */
void place_set_root(const char *root);

/**
 * place() - a path below the prefix
 * @path: one of PLACE_*
 *
 * Context: any.
 * Return:  path, freed by the caller
 */
char *place(const char *path);

#endif
