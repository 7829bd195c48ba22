/* SPDX-License-Identifier: MIT */
/*
 * pv/runstate.c - struct vcpu_runstate_info in guest memory.
 */
#include "pv/runstate.h"

#include "pv/guest_access.h"
#include "pv/switch.h"

#define UPDATE_FLAG (1ULL << 63) /* XEN_RUNSTATE_UPDATE */

static void write_area(const struct vcpu *v, vcpu_runstate_info_t info)
{
    uint64_t entry_va = v->runstate_guest +
                        offsetof(vcpu_runstate_info_t, state_entry_time);
    bool flagged = (v->domain->vm_assist &
                    (1U << VMASST_TYPE_runstate_update_flag)) != 0;

    if (flagged) {
        uint64_t busy = info.state_entry_time | UPDATE_FLAG;

        if (copy_to_guest(entry_va, &busy, sizeof(busy)) != 0) {
            return;
        }
        info.state_entry_time |= UPDATE_FLAG;
    }
    if (copy_to_guest(v->runstate_guest, &info, sizeof(info)) != 0) {
        return;
    }
    if (flagged) {
        uint64_t done = info.state_entry_time & ~UPDATE_FLAG;

        /* A fault here leaves the flag set: the guest retries, we rewrite. */
        if (copy_to_guest(entry_va, &done, sizeof(done)) != 0) {
            return;
        }
    }
}

void pv_runstate_publish(struct vcpu *v)
{
    bool borrowed;

    if (v->runstate_guest == 0) {
        return;
    }
    /* Its address is one of the kernel's; user mode may map another there. */
    borrowed = pv_borrow_kernel_tables(v);
    write_area(v, v->runstate);
    pv_return_tables(v, borrowed);
}

void pv_runstate_publish_wait(struct vcpu *v)
{
    vcpu_runstate_info_t info;
    bool borrowed;

    /* Others may take it off its queue, or put it on one, by now. */
    vcpu_runstate_copy(v, &info);
    borrowed = pv_borrow_kernel_tables(v);
    write_area(v, info);
    pv_return_tables(v, borrowed);
}
