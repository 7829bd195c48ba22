/* SPDX-License-Identifier: MIT */
/* vigil/guest_create.c - vigil create. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "lib/build.h"
#include "lib/destroy.h"
#include "lib/guestnote.h"
#include "lib/outfile.h"
#include "lib/place.h"
#include "vigil/commands.h"

/* Names are how people speak of guests: two with one name help nobody. */
static int check_is_new(struct xen *xen, const struct guest_config *config,
                        struct fault *fault)
{
    char uuid[UUID_CHARS + 1];
    struct guest_list list;
    int ret = 0;

    if (guests_read(xen, &list, fault)) {
        return -1;
    }
    uuid_text(uuid, config->uuid);
    for (size_t i = 0; i < list.count && ret == 0; i++) {
        const struct guest *other = &list.guests[i];

        if (strcmp(other->name, config->name) == 0) {
            ret = fault_set(fault, EXIT_REFUSED,
                            "name = %s is taken by domain %u (%s); give name "
                            "= another, or end that one with `vigil destroy "
                            "%u`",
                            config->name, other->domid, guest_state_word(other),
                            other->domid);
        } else if (strcmp(other->uuid, uuid) == 0) {
            ret = fault_set(fault, EXIT_REFUSED,
                            "uuid = %s is taken by domain %u (%s); remove "
                            "the line to get a new one",
                            uuid, other->domid, other->name);
        }
    }
    guests_free(&list);
    return ret;
}

/*
 * One creator at a time: between the look at the names and the new name in
 * xenstore, another one could take it.  The lock lives as long as the file
 * is open; -1 after a fault.
 */
static int take_turn(struct fault *fault)
{
    char *dir = place(PLACE_RUN);
    char *path = xasprintf("%s/create.lock", dir);
    int fd = -1;

    if (outfile_make_dirs(dir, 0755, fault) == 0) {
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0) {
            fault_errno(fault, errno, "cannot open %s", path);
        }
    }
    while (fd >= 0 && flock(fd, LOCK_EX)) {
        if (errno == EINTR && !command_stop) {
            continue;
        }
        if (command_stop) {
            fault_set(fault, exit_code_of_signal(command_stop),
                      "interrupted while another `vigil create` was at work");
        } else {
            fault_errno(fault, errno, "cannot lock %s", path);
        }
        close(fd);
        fd = -1;
    }
    free(path);
    free(dir);
    return fd;
}

/* Did the guest begin to run?  From then on it is not ours to remove. */
static int has_started;

static int start(struct xen *xen, uint32_t domid, struct fault *fault)
{
    if (xc_domain_unpause(xen->xch, domid)) {
        return fault_errno(fault, errno, "domain %u cannot be started", domid);
    }
    has_started = 1;
    return 0;
}

static int connect_console(const struct invocation *call, struct xen *xen,
                           uint32_t domid, int paused, struct fault *fault)
{
    struct guest_list list;
    const struct guest *guest;
    long seconds;
    int ret = -1;

    if (opts_seconds(call, "timeout", 0, &seconds, fault) ||
        guests_read(xen, &list, fault)) {
        return -1;
    }
    guest = guests_by_domid(&list, domid);
    if (!guest) {
        fault_set(fault, EXIT_FAILED, "domain %u is gone already", domid);
    } else {
        ret = console_attach(xen, guest, seconds, paused ? NULL : start, fault);
    }
    guests_free(&list);
    return ret;
}

static int create(const struct invocation *call, struct xen *xen,
                  const struct guest_config *config, struct fault *fault)
{
    int paused = opts_given(call, 'p', NULL) != NULL;
    int console = opts_given(call, 'c', NULL) != NULL;
    char uuid[UUID_CHARS + 1];
    struct fault second;
    uint32_t domid;
    int turn = take_turn(fault);
    int ret;

    if (turn < 0) {
        return -1;
    }
    if (check_is_new(xen, config, fault) ||
        guest_build(xen, config, &command_stop, &domid, fault)) {
        close(turn);
        return -1;
    }
    ret = guestnote_write(config, domid, fault);
    close(turn);
    if (ret == 0) {
        say("guest %s is domain %u", config->name, domid);
        if (console) {
            if (connect_console(call, xen, domid, paused, fault) == 0) {
                return 0;
            }
            if (paused || has_started) {
                return -1; /* the session failed, the guest did not */
            }
        } else if (paused || start(xen, domid, fault) == 0) {
            return 0;
        }
        say("guest %s was not started and is removed", config->name);
    }
    uuid_text(uuid, config->uuid);
    guestnote_remove(uuid);
    if (guest_destroy(xen, domid, uuid, &second)) {
        say("warning: %s", second.text);
    }
    return -1;
}

int run_create(const struct invocation *call)
{
    struct guest_config config;
    struct fault fault;
    int code = EXIT_DONE;
    struct xen xen;
    long seconds;

    if (opts_seconds(call, "timeout", 0, &seconds, &fault) ||
        guestcfg_load(call->operands[0], call->operands + 1,
                      call->operand_count - 1,
                      opts_given(call, 0, "strict") != NULL, &config, &fault)) {
        return say_fault(&fault);
    }
    if (command_open(call, &xen, 1, &fault)) {
        guestcfg_free(&config);
        return say_fault(&fault);
    }
    if (create(call, &xen, &config, &fault)) {
        code = say_fault(&fault);
    }
    xen_close(&xen);
    guestcfg_free(&config);
    return code;
}
