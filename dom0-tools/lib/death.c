/* SPDX-License-Identifier: MIT */
/* lib/death.c - why a domain ended: codes of the hypervisor as words. */
#include "lib/death.h"

#include <vigil/vigil_op.h>

static const struct {
    const char *class;
    const char *sentence;
} deaths[VIGIL_DEATH_MAX] = {
    [VIGIL_DEATH_NONE] = {"unknown", "crashed or was killed"},
    [VIGIL_DEATH_GUEST_CRASH] = {"guest_crash", "reported its own crash"},
    [VIGIL_DEATH_NO_TRAP_HANDLER] = {"no_trap_handler",
                                     "raised an exception and has no handler "
                                     "for it"},
    [VIGIL_DEATH_BAD_STACK] = {"bad_stack",
                               "took an exception on a kernel stack that "
                               "cannot be written"},
    [VIGIL_DEATH_BAD_IRET] = {"bad_iret",
                              "gave an iret frame that cannot be read"},
    [VIGIL_DEATH_NO_USER_TABLE] = {"no_user_table",
                                   "went to user mode without a user page "
                                   "table"},
    [VIGIL_DEATH_NO_FAILSAFE] = {"no_failsafe",
                                 "loaded a bad selector and has no failsafe "
                                 "callback"},
    [VIGIL_DEATH_VMCE_UNHANDLED] = {"vmce_unhandled",
                                    "was hit by a memory error and has no "
                                    "machine-check handler"},
    [VIGIL_DEATH_VMCE_OVERRUN] = {"vmce_overrun",
                                  "was hit by a second memory error while "
                                  "handling the first"},
    [VIGIL_DEATH_BAD_PAGETABLE] = {"bad_pagetable",
                                   "has page tables that cannot be mended"},
    [VIGIL_DEATH_MEMORY_ERROR] = {"memory_error",
                                  "was hit by an error in memory that only "
                                  "the hypervisor can use"},
    [VIGIL_DEATH_GRANT_ABUSE] = {"grant_abuse",
                                 "took back a granted frame that was still "
                                 "mapped"},
    [VIGIL_DEATH_TRIPLE_FAULT] = {"triple_fault",
                                  "faulted while a fault was delivered"},
    [VIGIL_DEATH_BAD_CONTEXT] = {"bad_context",
                                 "has a vcpu state that cannot be loaded"},
    [VIGIL_DEATH_WATCHDOG] = {"watchdog", "let its watchdog expire"},
    [VIGIL_DEATH_ASYNC_HYPERCALL] = {"async_hypercall",
                                     "corrupted the state of a hypercall"},
    [VIGIL_DEATH_BAD_IDLE] = {"bad_idle", "took its last vcpu down"},
};

const char *death_class(uint32_t code)
{
    return code < VIGIL_DEATH_MAX ? deaths[code].class : "unknown";
}

const char *death_sentence(uint32_t code)
{
    return code < VIGIL_DEATH_MAX ? deaths[code].sentence
                                  : "ended for a reason newer than this tool";
}

int death_by_guest(uint32_t code)
{
    return code == VIGIL_DEATH_GUEST_CRASH || code == VIGIL_DEATH_WATCHDOG ||
           code == VIGIL_DEATH_NONE;
}
