/* SPDX-License-Identifier: MIT */
/* vigil/guest_control.c - vigil destroy, pause, unpause, trigger. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/destroy.h"
#include "lib/guestnote.h"
#include "lib/ticker.h"
#include "vigil/commands.h"

typedef int guest_verb(struct xen *xen, const struct guest *guest,
                       struct fault *fault);

/* Apply a verb to each guest named; the worst outcome decides the code. */
static int for_each_operand(const struct invocation *call, guest_verb *verb)
{
    struct guest_list list;
    struct fault fault;
    int code = EXIT_DONE;
    int done = 0;
    struct xen xen;

    if (command_open(call, &xen, 1, &fault)) {
        return say_fault(&fault);
    }
    if (guests_read(&xen, &list, &fault)) {
        xen_close(&xen);
        return say_fault(&fault);
    }
    for (int i = 0; i < call->operand_count; i++) {
        const struct guest *guest;

        if (command_stop) {
            fault_set(&fault, exit_code_of_signal(command_stop),
                      "interrupted: nothing was done to %s", call->operands[i]);
            code = say_fault(&fault);
            break;
        }
        guest = guests_find(&list, call->operands[i], &fault);
        if (guest && verb(&xen, guest, &fault) == 0) {
            done++;
        } else {
            code = say_fault(&fault);
        }
    }
    guests_free(&list);
    xen_close(&xen);
    return code && done ? EXIT_PARTIAL : code;
}

static enum progress_mode destroy_progress;

static int destroy_one(struct xen *xen, const struct guest *guest,
                       struct fault *fault)
{
    char *what = xasprintf("destroy %s", guest->name);
    struct ticker ticker;
    int ret;

    ticker_begin(&ticker, destroy_progress, what, guest->uuid,
                 guest->info.tot_pages, TICKER_SHRINKS);
    ret = guest_destroy(xen, guest->domid, guest->uuid, fault);
    ticker_end(&ticker);
    free(what);
    if (ret) {
        return -1;
    }
    guestnote_remove(guest->uuid);
    return 0;
}

static int refuse_dom0(const struct guest *guest, const char *verb,
                       struct fault *fault)
{
    if (guest->domid != 0) {
        return 0;
    }
    return fault_set(fault, EXIT_REFUSED,
                     "Domain-0 is the control domain and cannot be %s", verb);
}

static int pause_one(struct xen *xen, const struct guest *guest,
                     struct fault *fault)
{
    if (refuse_dom0(guest, "paused", fault)) {
        return -1;
    }
    if (xc_domain_pause(xen->xch, guest->domid)) {
        return fault_errno(fault, errno, "guest %s cannot be paused",
                           guest->name);
    }
    return 0;
}

static int unpause_one(struct xen *xen, const struct guest *guest,
                       struct fault *fault)
{
    if (refuse_dom0(guest, "unpaused", fault)) {
        return -1;
    }
    if (!(guest->info.flags & XEN_DOMINF_paused)) {
        return fault_set(fault, EXIT_REFUSED,
                         "guest %s is not paused, it is %s", guest->name,
                         guest_state_word(guest));
    }
    if (xc_domain_unpause(xen->xch, guest->domid)) {
        return fault_errno(fault, errno, "guest %s cannot be unpaused",
                           guest->name);
    }
    return 0;
}

int run_destroy(const struct invocation *call)
{
    struct fault fault;

    if (command_progress(call, &destroy_progress, &fault)) {
        return say_fault(&fault);
    }
    return for_each_operand(call, destroy_one);
}

int run_pause(const struct invocation *call)
{
    return for_each_operand(call, pause_one);
}

int run_unpause(const struct invocation *call)
{
    return for_each_operand(call, unpause_one);
}

/* The vcpu operand; -1 after a fault. */
static long trigger_vcpu(const struct invocation *call,
                         const struct guest *guest, struct fault *fault)
{
    const char *word = call->operand_count > 2 ? call->operands[2] : "0";
    char *end;
    long vcpu = strtol(word, &end, 10);

    if (end == word || *end || vcpu < 0 ||
        (unsigned long)vcpu > guest->info.max_vcpu_id) {
        return fault_set(fault, EXIT_USAGE,
                         "guest %s has no vcpu %s; give 0 to %u", guest->name,
                         word, guest->info.max_vcpu_id);
    }
    return vcpu;
}

int run_trigger(const struct invocation *call)
{
    const struct guest *guest;
    struct guest_list list;
    struct fault fault;
    int code = EXIT_DONE;
    struct xen xen;
    long vcpu;

    if (strcmp(call->operands[1], "nmi")) {
        say("trigger %s is not offered for PV guests; give nmi",
            call->operands[1]);
        return EXIT_UNSUPPORTED;
    }
    if (command_guest(call, &xen, &list, &guest, &fault)) {
        return say_fault(&fault);
    }
    vcpu = trigger_vcpu(call, guest, &fault);
    if (vcpu < 0) {
        code = say_fault(&fault);
    } else if (xc_domain_send_trigger(xen.xch, guest->domid,
                                      XEN_DOMCTL_SENDTRIGGER_NMI,
                                      (uint32_t)vcpu)) {
        fault_errno(&fault, errno,
                    "no NMI can be sent to vcpu %ld of guest %s (%s)", vcpu,
                    guest->name, guest_state_word(guest));
        code = say_fault(&fault);
    }
    guests_free(&list);
    xen_close(&xen);
    return code;
}
