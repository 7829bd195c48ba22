/* SPDX-License-Identifier: MIT */
/* vigil/guest_create.c - vigil create, and what restore shares with it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <libxl_utils.h>

#include "lib/build.h"
#include "lib/destroy.h"
#include "lib/guestnote.h"
#include "lib/outfile.h"
#include "lib/place.h"
#include "lib/table.h"
#include "lib/ticker.h"
#include "vigil/commands.h"

/* Names are how people speak of guests: two with one name help nobody. */
static int check_is_new(struct xen *xen, const libxl_domain_config *config,
                        struct fault *fault)
{
    char uuid[UUID_CHARS + 1];
    struct guest_list list;
    int ret = 0;

    if (guests_read(xen, &list, fault)) {
        return -1;
    }
    guestcfg_uuid(config, uuid);
    for (size_t i = 0; i < list.count && ret == 0; i++) {
        const struct guest *other = &list.guests[i];

        if (strcmp(other->name, config->c_info.name) == 0) {
            ret = fault_set(fault, EXIT_REFUSED,
                            "name = %s is taken by domain %u (%s); give name "
                            "= another, or end that one with `vigil destroy "
                            "%u`",
                            config->c_info.name, other->domid,
                            guest_state_word(other), other->domid);
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

int create_turn(struct fault *fault)
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

static int build(const struct invocation *call, struct xen *xen, struct lx *lx,
                 libxl_domain_config *config, int image, uint32_t *ret_domid,
                 struct fault *fault)
{
    uint64_t kib = config->b_info.target_memkb;
    char uuid[UUID_CHARS + 1];
    struct ticker ticker;
    enum progress_mode mode;
    char *what;
    int ret;

    if (command_progress(call, &mode, fault)) {
        return -1;
    }
    guestcfg_uuid(config, uuid);
    what = xasprintf("%s %s", image < 0 ? "create" : "restore",
                     config->c_info.name);
    ticker_begin(&ticker, mode, what, uuid,
                 kib == LIBXL_MEMKB_DEFAULT ? 0 : kib / 4, TICKER_GROWS);
    ret = guest_build(xen, lx, config, image, &command_stop, ret_domid, fault);
    ticker_end(&ticker);
    free(what);
    return ret;
}

int guest_start(const struct invocation *call, struct xen *xen, struct lx *lx,
                libxl_domain_config *config, int image, struct fault *fault)
{
    int paused = opts_given(call, 'p', NULL) != NULL;
    int console = opts_given(call, 'c', NULL) != NULL;
    char uuid[UUID_CHARS + 1];
    struct fault second;
    uint32_t domid;
    int turn = create_turn(fault);
    int ret;

    if (turn < 0) {
        return -1;
    }
    if (check_is_new(xen, config, fault) ||
        build(call, xen, lx, config, image, &domid, fault)) {
        close(turn);
        return -1;
    }
    ret = guestnote_write(lx->ctx, config, domid, fault);
    close(turn);
    if (ret == 0) {
        say("guest %s is domain %u", config->c_info.name, domid);
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
        say("guest %s was not started and is removed", config->c_info.name);
    }
    guestcfg_uuid(config, uuid);
    guestnote_remove(uuid);
    if (guest_destroy(xen, domid, uuid, &second)) {
        say("warning: %s", second.text);
    }
    return -1;
}

static void print_summary(const libxl_domain_config *config)
{
    const libxl_domain_build_info *build = &config->b_info;

    printf("guest %s would be made:\n", config->c_info.name);
    if (build->target_memkb != LIBXL_MEMKB_DEFAULT) {
        printf("  memory %llu of %llu MiB\n",
               (unsigned long long)build->target_memkb / 1024,
               (unsigned long long)build->max_memkb / 1024);
    }
    printf("  vcpus %d of %d\n",
           build->max_vcpus ? libxl_bitmap_count_set(&build->avail_vcpus) : 1,
           build->max_vcpus ? build->max_vcpus : 1);
    printf("  starts from %s\n",
           build->bootloader ? build->bootloader : build->kernel);
    for (int i = 0; i < config->num_disks; i++) {
        printf("  disk %s: %s\n", config->disks[i].vdev,
               config->disks[i].pdev_path ? config->disks[i].pdev_path : "-");
    }
    for (int i = 0; i < config->num_nics; i++) {
        printf("  network %d: %s\n", i,
               config->nics[i].bridge ? config->nics[i].bridge
                                      : "no bridge named");
    }
}

/* Say what would be made, and make nothing. */
static int show(struct lx *lx, libxl_domain_config *config, int json,
                struct fault *fault)
{
    struct json_object *top;
    char *text;

    if (!json) {
        print_summary(config);
        return 0;
    }
    text = libxl_domain_config_to_json(lx->ctx, config);
    if (!text) {
        return fault_set(fault, EXIT_FAILED,
                         "libxl cannot write down the configuration");
    }
    top = json_object_new_object();
    json_add_text(top, "schema", "vigil.config/1");
    json_object_object_add(top, "config", json_tokener_parse(text));
    free(text);
    json_print(top);
    return 0;
}

static int create(const struct invocation *call, struct xen *xen, struct lx *lx,
                  struct fault *fault)
{
    int dry = opts_given(call, 'n', NULL) || opts_given(call, 'N', NULL);
    int json = opts_given(call, 0, "json") != NULL;
    libxl_domain_config config;
    libxl_domid domid;
    int ret;

    if (json && !dry) {
        return fault_set(fault, EXIT_USAGE, "--json goes with -N only");
    }
    if (guestcfg_domid_parse(opts_given(call, 0, "domid"), &domid, fault) ||
        guestcfg_load(lx->ctx, call->operands[0], call->operands + 1,
                      call->operand_count - 1,
                      opts_given(call, 0, "strict") != NULL, &config, fault)) {
        return -1;
    }
    config.c_info.domid = domid;
    ret = dry ? show(lx, &config, json, fault)
              : guest_start(call, xen, lx, &config, -1, fault);
    libxl_domain_config_dispose(&config);
    return ret;
}

int run_create(const struct invocation *call)
{
    enum progress_mode mode;
    struct fault fault;
    long seconds;

    /* Before anything is made. */
    if (opts_seconds(call, "timeout", 0, &seconds, &fault) ||
        command_progress(call, &mode, &fault)) {
        return say_fault(&fault);
    }
    return with_libxl(call, create);
}
