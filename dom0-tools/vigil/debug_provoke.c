/* SPDX-License-Identifier: MIT */
/* vigil/debug_provoke.c - vigil debug provoke. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <vigil/vigil_op.h>

#include "vigil/commands.h"

static const struct {
    const char *name;
    uint32_t kind;
} kinds[] = {
    {"panic", VIGIL_PROVOKE_PANIC},   {"exception", VIGIL_PROVOKE_EXCEPTION},
    {"nested", VIGIL_PROVOKE_NESTED}, {"page-fault", VIGIL_PROVOKE_PAGE_FAULT},
    {"stack", VIGIL_PROVOKE_STACK},   {"firmware", VIGIL_PROVOKE_FIRMWARE},
    {"hang", VIGIL_PROVOKE_HANG},     {"dead", VIGIL_PROVOKE_DEAD},
};

static uint32_t kind_of(const char *name)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            return kinds[i].kind;
        }
    }
    return 0;
}

int run_debug_provoke(const struct invocation *call)
{
    struct vigil_op_provoke provoke = {.kind = kind_of(call->operands[0])};
    struct fault fault;
    struct xen xen;
    int ret;

    if (!provoke.kind) {
        say("cannot provoke %s; give panic, exception, nested, page-fault, "
            "stack, firmware, hang or dead",
            call->operands[0]);
        return EXIT_USAGE;
    }
    if (command_open(call, &xen, 0, &fault)) {
        return say_fault(&fault);
    }
    sync(); /* if it works, nothing runs after the next line */
    ret = vigil_call(&xen, VIGIL_OP_provoke, &provoke, sizeof(provoke));
    xen_close(&xen);
    if (ret == -ENOSYS) {
        vigil_missing(&fault, "debug provoke");
    } else if (ret == -EPERM) {
        fault_set(&fault, EXIT_PERMISSION,
                  "the hypervisor refuses to be provoked; boot it with "
                  "vigil_provoke=1 on its command line");
    } else if (ret == 0 && provoke.kind == VIGIL_PROVOKE_FIRMWARE) {
        return EXIT_DONE; /* survived, as it should be */
    } else if (ret) {
        fault_errno(&fault, -ret, "the hypervisor did not fail");
    } else {
        fault_set(&fault, EXIT_FAILED,
                  "the hypervisor accepted the request and did not fail");
    }
    return say_fault(&fault);
}
