/* SPDX-License-Identifier: MIT */
/* vigil/guest_change.c - vigil mem-set, mem-max, vcpu-set, rename. */
#include <libxl_utils.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/amount.h"
#include "lib/build.h"
#include "lib/guestnote.h"
#include "vigil/commands.h"

/* The second operand as memory: what the guest keeps, or its limit. */
static int set_memory(const struct invocation *call, struct lx *lx,
                      const struct guest *guest, int limit,
                      struct fault *fault)
{
    struct lx_op op;
    uint64_t kib;
    int rc;

    if (amount_parse_kib(call->operands[1], &kib)) {
        return fault_set(fault, EXIT_USAGE,
                         "%s is no amount of memory; give MiB, or a number "
                         "with k, m or g behind it",
                         call->operands[1]);
    }
    lx_begin(lx, &op);
    rc = limit ? libxl_domain_setmaxmem(lx->ctx, guest->domid, kib)
               : libxl_set_memory_target(lx->ctx, guest->domid, (int64_t)kib,
                                         0, 1);
    if (rc == 0) {
        return 0;
    }
    return lx_fault(lx, fault, rc,
                    limit ? "the limit of guest %s cannot be %llu MiB"
                          : "guest %s cannot be asked to keep %llu MiB",
                    guest->name, (unsigned long long)kib / 1024);
}

static int mem_set(const struct invocation *call, struct xen *xen,
                   struct lx *lx, const struct guest *guest,
                   struct fault *fault)
{
    (void)xen;
    return set_memory(call, lx, guest, 0, fault);
}

static int mem_max(const struct invocation *call, struct xen *xen,
                   struct lx *lx, const struct guest *guest,
                   struct fault *fault)
{
    (void)xen;
    return set_memory(call, lx, guest, 1, fault);
}

static int vcpu_set(const struct invocation *call, struct xen *xen,
                    struct lx *lx, const struct guest *guest,
                    struct fault *fault)
{
    const char *word = call->operands[1];
    unsigned int most = guest->info.max_vcpu_id + 1;
    libxl_bitmap vcpus;
    struct lx_op op;
    char *end;
    unsigned long count = strtoul(word, &end, 10);
    int rc;

    (void)xen;
    if (end == word || *end || count < 1 || count > most) {
        return fault_set(fault, EXIT_USAGE,
                         "guest %s has %u vcpus (maxvcpus), %s cannot be in "
                         "use; give 1 to %u",
                         guest->name, most, word, most);
    }
    lx_begin(lx, &op);
    libxl_bitmap_init(&vcpus);
    rc = libxl_cpu_bitmap_alloc(lx->ctx, &vcpus, (int)count);
    for (int i = 0; rc == 0 && i < (int)count; i++) {
        libxl_bitmap_set(&vcpus, i);
    }
    if (rc == 0) {
        rc = lx_wait(
            lx, &op,
            libxl_set_vcpuonline(lx->ctx, guest->domid, &vcpus, &op.how),
            &command_stop);
    }
    libxl_bitmap_dispose(&vcpus);
    return rc ? lx_fault(lx, fault, rc,
                         "guest %s cannot be asked to use %lu vcpus",
                         guest->name, count)
              : 0;
}

/* The collector speaks of guests by the names in its notes. */
static void refresh_note(struct lx *lx, const struct guest *guest)
{
    libxl_domain_config config;
    struct fault fault;
    size_t len;
    char *note = guestnote_config(guest->uuid, &len);

    if (!note) {
        return; /* not vigil's guest */
    }
    free(note);
    if (guest_config(lx, guest->domid, &config, &fault)) {
        say("warning: %s", fault.text);
        return;
    }
    if (guestnote_write(lx->ctx, &config, guest->domid, &fault)) {
        say("warning: %s", fault.text);
    }
    libxl_domain_config_dispose(&config);
}

static int rename_guest(const struct invocation *call, struct xen *xen,
                        struct lx *lx, const struct guest *guest,
                        struct fault *fault)
{
    const char *name = call->operands[1];
    struct guest_list list;
    const struct guest *other = NULL;
    struct lx_op op;
    int turn;
    int rc;

    if (guest->domid == 0) {
        return fault_set(fault, EXIT_REFUSED, "Domain-0 keeps its name");
    }
    if (guestcfg_check_name(name, fault)) {
        return -1;
    }
    if (name[0] == '\0') {
        return fault_set(fault, EXIT_USAGE, "a name is not empty");
    }
    turn = create_turn(fault);
    if (turn < 0) {
        return -1;
    }
    rc = guests_read(xen, &list, fault);
    for (size_t i = 0; rc == 0 && i < list.count; i++) {
        if (strcmp(list.guests[i].name, name) == 0) {
            other = &list.guests[i];
        }
    }
    if (other) {
        rc = fault_set(fault, EXIT_REFUSED, "name %s is taken by domain %u",
                       name, other->domid);
    } else if (rc == 0) {
        lx_begin(lx, &op);
        rc = libxl_domain_rename(lx->ctx, guest->domid, guest->name, name);
        if (rc) {
            lx_fault(lx, fault, rc, "guest %s cannot be renamed", guest->name);
        } else {
            refresh_note(lx, guest);
        }
    }
    guests_free(&list);
    close(turn);
    return rc ? -1 : 0;
}

int run_mem_set(const struct invocation *call)
{
    return for_one_guest(call, mem_set);
}

int run_mem_max(const struct invocation *call)
{
    return for_one_guest(call, mem_max);
}

int run_vcpu_set(const struct invocation *call)
{
    return for_one_guest(call, vcpu_set);
}

int run_rename(const struct invocation *call)
{
    return for_one_guest(call, rename_guest);
}
