/* SPDX-License-Identifier: MIT */
/*
 * vigil/commands.c - the table of commands, and what handlers share.
 *
 * Parsing, help and the list of commands all come from this table.
 */
#include "vigil/commands.h"

#include <stdlib.h>
#include <unistd.h>

#include "lib/place.h"

#define OPT_JSON                                                               \
    {                                                                          \
        0, "json", NULL, "machine-readable, one line"                          \
    }
#define OPT_ROOT                                                               \
    {                                                                          \
        0, "root", "DIR", "read below DIR, e.g. a copied store"                \
    }
#define OPT_TIMEOUT(help)                                                      \
    {                                                                          \
        0, "timeout", "SECONDS", help                                          \
    }
#define OPT_END                                                                \
    {                                                                          \
        0, NULL, NULL, NULL                                                    \
    }

static const struct option_spec json_options[] = {OPT_JSON, OPT_END};

static const struct option_spec dmesg_options[] = {
    {0, "json", NULL, "machine-readable, one line; of records one each"},
    {'c', "clear", NULL, "empty the ring afterwards"},
    {'r', "records", NULL, "all that is recorded, with time and processor"},
    {'l', "level", "LEVEL", "records as severe as that, or more"},
    {'f', "follow", NULL, "go on with records as they come"},
    OPT_END,
};

#define OPT_PROGRESS                                                           \
    {                                                                          \
        0, "progress", "HOW", "auto, bar, plain or none"                       \
    }
#define OPT_DOMID                                                              \
    {                                                                          \
        0, "domid", "N", "be domain N, or fail"                                \
    }

static const struct option_spec create_options[] = {
    {'c', "console", NULL, "connect to the console before it starts"},
    {'p', "paused", NULL, "leave the guest paused"},
    {'n', "dry-run", NULL, "only say what would be made"},
    {'N', NULL, NULL, "the same"},
    {0, "json", NULL, "with -N: the whole configuration, one line"},
    OPT_DOMID,
    {0, "strict", NULL, "refuse keys that Vigil does not offer"},
    OPT_PROGRESS,
    OPT_TIMEOUT("with -c: leave the console after so long"),
    OPT_END,
};

static const struct option_spec save_options[] = {
    {'c', "checkpoint", NULL, "let the guest run on"},
    {'p', "paused", NULL, "leave the guest paused"},
    OPT_PROGRESS,
    OPT_END,
};

static const struct option_spec restore_options[] = {
    {'c', "console", NULL, "connect to the console before it goes on"},
    {'p', "paused", NULL, "leave the guest paused"},
    OPT_DOMID,
    OPT_PROGRESS,
    OPT_TIMEOUT("with -c: leave the console after so long"),
    OPT_END,
};

static const struct option_spec shutdown_options[] = {
    {'w', "wait", NULL, "wait until the guest is gone"},
    {'F', "force", NULL, "end it if it does not answer in time"},
    OPT_TIMEOUT("how long it may take (default 60)"),
    OPT_PROGRESS,
    OPT_END,
};

static const struct option_spec destroy_options[] = {OPT_PROGRESS, OPT_END};

static const struct option_spec top_options[] = {
    {'b', "batch", NULL, "print tables, draw no screen"},
    {'i', "iterations", "N", "so many looks (default: no end)"},
    {'d', "delay", "SECONDS", "between two looks, 0.1 to 3600 (default 3)"},
    OPT_JSON,
    OPT_END,
};

static const struct option_spec force_options[] = {
    {'F', "force", NULL, "take it, whatever the guest does with it"},
    OPT_END,
};

static const struct option_spec console_options[] = {
    {0, "replay", "KIB", "print the last KIB of its output, then leave"},
    OPT_TIMEOUT("leave after so long (default: never)"),
    OPT_END,
};

static const struct option_spec events_options[] = {
    OPT_JSON,
    OPT_ROOT,
    {'f', "follow", NULL, "go on as long as new ones come"},
    {'S', "since", "TIME", "not before: 10m, 2h, \"2026-08-04 10:15\""},
    {'U', "until", "TIME", "not after"},
    {'n', NULL, "N", "only the newest N"},
    OPT_TIMEOUT("with -f: leave after so long"),
    OPT_END,
};

static const struct option_spec wait_options[] = {
    {0, "for", "STATE", "running, crashed, shutdown (has ended) or gone"},
    OPT_JSON,
    OPT_TIMEOUT("give up after so long (default: never)"),
    OPT_END,
};

static const struct option_spec backtrace_options[] = {
    OPT_JSON,
    {0, "symbols", "FILE", "System.map of the guest's kernel"},
    OPT_END,
};

static const struct option_spec crash_list_options[] = {
    OPT_JSON,
    OPT_ROOT,
    {'n', NULL, "N", "only the newest N"},
    OPT_END,
};

static const struct option_spec crash_show_options[] = {
    OPT_JSON,
    OPT_ROOT,
    {'1', NULL, NULL, "the newest crash"},
    {0, "all", NULL, "whole logs, not only their ends"},
    OPT_END,
};

/* clang-format off */
const struct command commands[] = {
    {NULL, "info", "[--json]",
     "The machine and its hypervisor: version, memory, counters.",
     run_info, json_options, 0, 0},
    {NULL, "list", "[--json] [GUEST...]",
     "The guests: name, number, memory, vcpus, state, time.",
     run_list, json_options, 0, -1},
    {NULL, "top", "[-b] [-i N] [-d SECONDS] [--json]",
     "What the guests use: processor, memory, network, disks; q leaves.",
     run_top, top_options, 0, 0},
    {NULL, "dmesg", "[--json] [-c | -r [-l LEVEL] [-f]]",
     "The hypervisor's messages.",
     run_dmesg, dmesg_options, 0, 0},
    {NULL, "create", "FILE [key=value...] [-c] [-p] [-N] [--domid N]",
     "Start a guest from an xl.cfg file, or from JSON of libxl.",
     run_create, create_options, 1, -1},
    {NULL, "destroy", "GUEST...",
     "End guests at once.",
     run_destroy, destroy_options, 1, -1},
    {NULL, "pause", "GUEST...",
     "Stop guests from running.",
     run_pause, NULL, 1, -1},
    {NULL, "unpause", "GUEST...",
     "Let paused guests run again.",
     run_unpause, NULL, 1, -1},
    {NULL, "shutdown", "GUEST [-w] [-F] [--timeout SECONDS]",
     "Ask a guest to power off.",
     run_shutdown, shutdown_options, 1, 1},
    {NULL, "reboot", "GUEST [-w] [-F] [--timeout SECONDS]",
     "Ask a guest to start anew.",
     run_reboot, shutdown_options, 1, 1},
    {NULL, "save", "GUEST FILE [-c] [-p]",
     "Write a guest to a file and end it; xl can restore it too.",
     run_save, save_options, 2, 2},
    {NULL, "restore", "FILE [-p] [-c] [--domid N]",
     "Let a saved guest go on, also one that xl has saved.",
     run_restore, restore_options, 1, 1},
    {NULL, "rename", "GUEST NAME",
     "Give a guest another name.",
     run_rename, NULL, 2, 2},
    {NULL, "mem-set", "GUEST SIZE",
     "Ask a guest to keep so much memory (MiB, or with k, m, g behind).",
     run_mem_set, NULL, 2, 2},
    {NULL, "mem-max", "GUEST SIZE",
     "Limit the memory a guest can get.",
     run_mem_max, NULL, 2, 2},
    {NULL, "vcpu-set", "GUEST COUNT",
     "Ask a guest to use so many vcpus.",
     run_vcpu_set, NULL, 2, 2},
    {NULL, "block-attach", "GUEST DISK...",
     "Give a guest a disk, as xl-disk-configuration(5) spells it.",
     run_block_attach, NULL, 2, -1},
    {NULL, "block-detach", "GUEST VDEV [-F]",
     "Take a disk from a guest.",
     run_block_detach, force_options, 2, 2},
    {NULL, "block-list", "[--json] [GUEST...]",
     "The disks of guests.",
     run_block_list, json_options, 0, -1},
    {NULL, "network-attach", "GUEST [key=value...]",
     "Give a guest a network, as xl-network-configuration(5) spells it.",
     run_network_attach, NULL, 1, -1},
    {NULL, "network-detach", "GUEST NUMBER|MAC [-F]",
     "Take a network from a guest.",
     run_network_detach, force_options, 2, 2},
    {NULL, "network-list", "[--json] [GUEST...]",
     "The networks of guests.",
     run_network_list, json_options, 0, -1},
    {NULL, "console", "GUEST [--replay KIB] [--timeout SECONDS]",
     "Connect to a guest's console; ^] leaves. Its bytes reach the terminal "
     "raw.",
     run_console, console_options, 1, 1},
    {NULL, "events", "[GUEST...] [-f] [--since TIME] [--json]",
     "What happened to guests: created, started, shut down, killed, gone.",
     run_events, events_options, 0, -1},
    {NULL, "wait", "GUEST --for STATE [--timeout SECONDS]",
     "Wait until a guest runs, has crashed, has ended, or is gone.",
     run_wait, wait_options, 1, 1},
    {NULL, "trigger", "GUEST nmi [VCPU]",
     "Send an NMI to a vcpu of a guest.",
     run_trigger, NULL, 2, 3},
    {NULL, "backtrace", "host|GUEST [--symbols FILE] [--json]",
     "Where every processor, or every vcpu of a guest, is, with its stack.",
     run_backtrace, backtrace_options, 1, 1},
    {"crash", "list", "[--json] [-n N]",
     "The recorded crashes of guests and of the host.",
     run_crash_list, crash_list_options, 0, 0},
    {"crash", "show", "ID | -1 [--json]",
     "All evidence of one crash; any unique beginning of the ID will do.",
     run_crash_show, crash_show_options, 0, 1},
    {"debug", "provoke", "panic|exception|nested|page-fault|stack|firmware|hang|dead",
     "Make the hypervisor fail, to prove that it leaves a record.",
     run_debug_provoke, NULL, 1, 1},
    {NULL, NULL, NULL, NULL, NULL, NULL, 0, 0},
};
/* clang-format on */

void command_root(const struct invocation *call)
{
    const char *root = opts_given(call, 0, "root");

    if (root) {
        place_set_root(root);
    }
}

int command_open(const struct invocation *call, struct xen *xen, int store,
                 struct fault *fault)
{
    struct fault ignored;

    if (xen_open(xen, call->verbose, fault)) {
        return -1;
    }
    if (xen_need_store(xen, store ? fault : &ignored) && store) {
        xen_close(xen);
        return -1;
    }
    return 0;
}

int command_guest(const struct invocation *call, struct xen *xen,
                  struct guest_list *list, const struct guest **ret_guest,
                  struct fault *fault)
{
    if (command_open(call, xen, 1, fault)) {
        return -1;
    }
    if (guests_read(xen, list, fault)) {
        xen_close(xen);
        return -1;
    }
    *ret_guest = guests_find(list, call->operands[0], fault);
    if (!*ret_guest) {
        guests_free(list);
        xen_close(xen);
        return -1;
    }
    return 0;
}

int command_lx(const struct invocation *call, struct xen *xen, struct lx *lx,
               struct fault *fault)
{
    if (command_open(call, xen, 1, fault)) {
        return -1;
    }
    if (lx_open(lx, xen, call->verbose, fault)) {
        xen_close(xen);
        return -1;
    }
    return 0;
}

int command_progress(const struct invocation *call,
                     enum progress_mode *ret_mode, struct fault *fault)
{
    const char *how = opts_given(call, 0, "progress");

    if (progress_mode_parse(how, isatty(STDERR_FILENO), ret_mode)) {
        return fault_set(fault, EXIT_USAGE,
                         "--progress %s: give auto, bar, plain or none", how);
    }
    return 0;
}

int with_libxl(const struct invocation *call, libxl_action *action)
{
    struct fault fault;
    int code = EXIT_DONE;
    struct xen xen;
    struct lx lx;

    if (command_lx(call, &xen, &lx, &fault)) {
        return say_fault(&fault);
    }
    if (action(call, &xen, &lx, &fault)) {
        code = say_fault(&fault);
    }
    lx_close(&lx);
    xen_close(&xen);
    return code;
}

int for_one_guest(const struct invocation *call, guest_change *change)
{
    const struct guest *guest;
    struct guest_list list;
    struct fault fault;
    int code = EXIT_DONE;
    struct xen xen;
    struct lx lx;

    if (command_guest(call, &xen, &list, &guest, &fault)) {
        return say_fault(&fault);
    }
    if (lx_open(&lx, &xen, call->verbose, &fault)) {
        code = say_fault(&fault);
    } else {
        if (change(call, &xen, &lx, guest, &fault)) {
            code = say_fault(&fault);
        }
        lx_close(&lx);
    }
    guests_free(&list);
    xen_close(&xen);
    return code;
}
