/* SPDX-License-Identifier: MIT */
/*
 * vigil/commands.h - the commands, one handler each.
 *
 * Every handler prints its own messages and returns the exit code.
 */
#ifndef VIGIL_TOOLS_COMMANDS_H
#define VIGIL_TOOLS_COMMANDS_H

#include <signal.h>

#include "lib/guests.h"
#include "lib/lx.h"
#include "lib/opts.h"
#include "lib/xen.h"

/* Set by SIGINT and SIGTERM to the number of the signal. */
extern volatile sig_atomic_t command_stop;

/* Ended by an entry without a name. */
extern const struct command commands[];

/**
 * command_root() - let the paths on disk follow --root
 * @call: parsed command line
 *
 * Context: handlers that take --root.
 */
void command_root(const struct invocation *call);

/**
 * command_open() - connect to hypervisor and xenstore
 * @call:  parsed command line
 * @xen:   filled in; release with xen_close()
 * @store: 1: xenstore is needed; 0: names are nice to have
 * @fault: says why on failure
 *
 * Context: handlers.
 * Return:  0, or -1
 */
int command_open(const struct invocation *call, struct xen *xen, int store,
                 struct fault *fault);

/**
 * command_progress() - how the user wants to see how far a long verb is
 * @call:     its option --progress
 * @ret_mode: set on success only
 * @fault:    says what is wrong with the option
 *
 * Context: before anything is done.
 * Return:  0, or -1
 */
int command_progress(const struct invocation *call,
                     enum progress_mode *ret_mode, struct fault *fault);

/**
 * command_guest() - connect, and find the guest of the first operand
 * @call:      parsed command line
 * @xen:       filled in; release with xen_close()
 * @list:      filled in; release with guests_free()
 * @ret_guest: guest inside @list
 * @fault:     says why on failure; then nothing needs releasing
 *
 * Context: handlers.
 * Return:  0, or -1
 */
int command_guest(const struct invocation *call, struct xen *xen,
                  struct guest_list *list, const struct guest **ret_guest,
                  struct fault *fault);

/**
 * records_wanted() - does vigil dmesg ask for the log's records?
 * @call: parsed command line
 *
 * Context: handler of dmesg.
 * Return:  1, or 0: for the console's text
 */
int records_wanted(const struct invocation *call);

/**
 * show_records() - vigil dmesg with -r, -l or -f
 * @call: parsed command line
 *
 * Context: handler of dmesg.
 * Return:  exit code
 */
int show_records(const struct invocation *call);

/**
 * console_attach() - connect the terminal with a guest's console
 * @xen:     connected to xenstore
 * @guest:   guest
 * @seconds: leave after so long; 0: never
 * @ready:   called once the terminal is open, or NULL
 * @fault:   says why on failure
 *
 * Context: handlers of console and create -c.
 * Return:  0 when the user or the guest left; -1 otherwise
 */
int console_attach(struct xen *xen, const struct guest *guest, long seconds,
                   int (*ready)(struct xen *xen, uint32_t domid,
                                struct fault *fault),
                   struct fault *fault);

/**
 * command_lx() - connect to hypervisor, xenstore and libxl
 * @call:  parsed command line
 * @xen:   filled in; release with xen_close()
 * @lx:    filled in; release with lx_close(), first
 * @fault: says why on failure; then nothing needs releasing
 *
 * Context: handlers.
 * Return:  0, or -1
 */
int command_lx(const struct invocation *call, struct xen *xen, struct lx *lx,
               struct fault *fault);

/* What a verb does that needs libxl; 0, or -1 after a fault. */
typedef int libxl_action(const struct invocation *call, struct xen *xen,
                         struct lx *lx, struct fault *fault);

/**
 * with_libxl() - connect as command_lx() does, and do something
 * @call:   parsed command line
 * @action: what to do
 *
 * Context: handlers.
 * Return:  exit code
 */
int with_libxl(const struct invocation *call, libxl_action *action);

/* What a verb does with its guest; 0, or -1 after a fault. */
typedef int guest_change(const struct invocation *call, struct xen *xen,
                         struct lx *lx, const struct guest *guest,
                         struct fault *fault);

/**
 * for_one_guest() - apply a verb to the guest of the first operand
 * @call:   parsed command line
 * @change: what to do
 *
 * Context: handlers.
 * Return:  exit code
 */
int for_one_guest(const struct invocation *call, guest_change *change);

/**
 * create_turn() - one creator at a time
 * @fault: says why on failure
 *
 * Between the look at the names and the new name in xenstore, another one
 * could take it.  The turn lasts as long as the descriptor is open.
 *
 * Context: handlers that give a guest its name.
 * Return:  descriptor, or -1
 */
int create_turn(struct fault *fault);

/**
 * guest_start() - make a guest, leave a note for the collector, let it run
 * @call:   parsed command line, with -p, -c and --timeout
 * @xen:    connected
 * @lx:     open
 * @config: its configuration
 * @image:  see guest_build()
 * @fault:  says why on failure; then nothing is left of the guest, unless it
 *          runs and only its console failed
 *
 * Context: handlers of create and restore.
 * Return:  0, or -1
 */
int guest_start(const struct invocation *call, struct xen *xen, struct lx *lx,
                libxl_domain_config *config, int image, struct fault *fault);

/*
 * The handlers: command line in, exit code out.  Their contracts are the
 * lines of the table in commands.c.
 */

/**
 * run_info() - vigil info
 * @call: parsed command line
 *
 * Context: main().
 * Return:  exit code
 */
int run_info(const struct invocation *call);

/**
 * run_dmesg() - vigil dmesg
 * @call: parsed command line
 *
 * Context: main().
 * Return:  exit code
 */
int run_dmesg(const struct invocation *call);

/**
 * run_list() - vigil list
 * @call: parsed command line
 *
 * Context: main().
 * Return:  exit code
 */
int run_list(const struct invocation *call);

/**
 * run_top() - vigil top
 * @call: parsed command line
 *
 * Context: main().
 * Return:  exit code
 */
int run_top(const struct invocation *call);

/**
 * run_create() - vigil create
 * @call: parsed command line
 *
 * Context: main().
 * Return:  exit code
 */
int run_create(const struct invocation *call);

/**
 * run_destroy() - vigil destroy
 * @call: parsed command line
 *
 * Context: main().
 * Return:  exit code
 */
int run_destroy(const struct invocation *call);

/**
 * run_pause() - vigil pause
 * @call: parsed command line
 *
 * Context: main().
 * Return:  exit code
 */
int run_pause(const struct invocation *call);

/**
 * run_unpause() - vigil unpause
 * @call: parsed command line
 *
 * Context: main().
 * Return:  exit code
 */
int run_unpause(const struct invocation *call);

/**
 * run_shutdown() - vigil shutdown
 * @call: parsed command line
 *
 * Context: main().
 * Return:  exit code
 */
int run_shutdown(const struct invocation *call);

/**
 * run_save() - vigil save
 * @call: parsed command line
 *
 * Context: main().
 * Return:  exit code
 */
int run_save(const struct invocation *call);

/**
 * run_restore() - vigil restore
 * @call: parsed command line
 *
 * Context: main().
 * Return:  exit code
 */
int run_restore(const struct invocation *call);

/**
 * run_reboot() - vigil reboot
 * @call: parsed command line
 *
 * Context: main().
 * Return:  exit code
 */
int run_reboot(const struct invocation *call);

/**
 * run_rename() - vigil rename
 * @call: parsed command line
 *
 * Context: main().
 * Return:  exit code
 */
int run_rename(const struct invocation *call);

/**
 * run_mem_set() - vigil mem-set
 * @call: parsed command line
 *
 * Context: main().
 * Return:  exit code
 */
int run_mem_set(const struct invocation *call);

/**
 * run_mem_max() - vigil mem-max
 * @call: parsed command line
 *
 * Context: main().
 * Return:  exit code
 */
int run_mem_max(const struct invocation *call);

/**
 * run_vcpu_set() - vigil vcpu-set
 * @call: parsed command line
 *
 * Context: main().
 * Return:  exit code
 */
int run_vcpu_set(const struct invocation *call);

/**
 * run_block_attach() - vigil block-attach
 * @call: parsed command line
 *
 * Context: main().
 * Return:  exit code
 */
int run_block_attach(const struct invocation *call);

/**
 * run_block_detach() - vigil block-detach
 * @call: parsed command line
 *
 * Context: main().
 * Return:  exit code
 */
int run_block_detach(const struct invocation *call);

/**
 * run_block_list() - vigil block-list
 * @call: parsed command line
 *
 * Context: main().
 * Return:  exit code
 */
int run_block_list(const struct invocation *call);

/**
 * run_network_attach() - vigil network-attach
 * @call: parsed command line
 *
 * Context: main().
 * Return:  exit code
 */
int run_network_attach(const struct invocation *call);

/**
 * run_network_detach() - vigil network-detach
 * @call: parsed command line
 *
 * Context: main().
 * Return:  exit code
 */
int run_network_detach(const struct invocation *call);

/**
 * run_network_list() - vigil network-list
 * @call: parsed command line
 *
 * Context: main().
 * Return:  exit code
 */
int run_network_list(const struct invocation *call);

/**
 * run_console() - vigil console
 * @call: parsed command line
 *
 * Context: main().
 * Return:  exit code
 */
int run_console(const struct invocation *call);

/**
 * run_events() - vigil events
 * @call: parsed command line
 *
 * Context: main().
 * Return:  exit code
 */
int run_events(const struct invocation *call);

/**
 * run_wait() - vigil wait
 * @call: parsed command line
 *
 * Context: main().
 * Return:  exit code
 */
int run_wait(const struct invocation *call);

/**
 * run_trigger() - vigil trigger
 * @call: parsed command line
 *
 * Context: main().
 * Return:  exit code
 */
int run_trigger(const struct invocation *call);

/**
 * run_backtrace() - vigil backtrace
 * @call: parsed command line
 *
 * Context: main().
 * Return:  exit code
 */
int run_backtrace(const struct invocation *call);

/**
 * backtrace_guest() - vigil backtrace GUEST
 * @call: parsed command line
 *
 * Context: run_backtrace().
 * Return:  exit code
 */
int backtrace_guest(const struct invocation *call);

/**
 * run_crash_list() - vigil crash list
 * @call: parsed command line
 *
 * Context: main().
 * Return:  exit code
 */
int run_crash_list(const struct invocation *call);

/**
 * run_crash_show() - vigil crash show
 * @call: parsed command line
 *
 * Context: main().
 * Return:  exit code
 */
int run_crash_show(const struct invocation *call);

/**
 * run_debug_provoke() - vigil debug provoke
 * @call: parsed command line
 *
 * Context: main().
 * Return:  exit code
 */
int run_debug_provoke(const struct invocation *call);

#endif
