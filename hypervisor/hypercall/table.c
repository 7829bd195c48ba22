/* SPDX-License-Identifier: MIT */
/*
 * hypercall/table.c - number to handler.
 */
#include "lib/assert.h"
#include "hypercall/call.h"

#include <vigil/vigil_op.h>

#define CALL(nr, fname, nargs)                                                 \
    [nr] = {.fn = do_##fname, .name = #fname, .args = (nargs)}
#define CALL_PRIV(nr, fname, nargs)                                            \
    [nr] = {.fn = do_##fname,                                                  \
            .name = #fname,                                                    \
            .args = (nargs),                                                   \
            .privileged_only = true}

/* clang-format off */
static const struct hypercall calls[HYPERCALL_MAX] = {
    CALL(__HYPERVISOR_set_trap_table, set_trap_table, 1),
    CALL(__HYPERVISOR_mmu_update, mmu_update, 4),
    CALL(__HYPERVISOR_set_gdt, set_gdt, 2),
    CALL(__HYPERVISOR_stack_switch, stack_switch, 2),
    CALL(__HYPERVISOR_fpu_taskswitch, fpu_taskswitch, 1),
    CALL_PRIV(__HYPERVISOR_platform_op, platform_op, 1),
    CALL(__HYPERVISOR_set_debugreg, set_debugreg, 2),
    CALL(__HYPERVISOR_get_debugreg, get_debugreg, 1),
    CALL(__HYPERVISOR_update_descriptor, update_descriptor, 2),
    CALL(__HYPERVISOR_memory_op, memory_op, 2),
    CALL(__HYPERVISOR_multicall, multicall, 2),
    CALL(__HYPERVISOR_update_va_mapping, update_va_mapping, 3),
    CALL(__HYPERVISOR_set_timer_op, set_timer_op, 1),
    CALL(__HYPERVISOR_xen_version, xen_version, 2),
    CALL(__HYPERVISOR_console_io, console_io, 3),
    CALL(__HYPERVISOR_grant_table_op, grant_table_op, 3),
    CALL(__HYPERVISOR_vm_assist, vm_assist, 2),
    CALL(__HYPERVISOR_update_va_mapping_otherdomain, update_va_mapping_otherdomain, 4),
    CALL(__HYPERVISOR_iret, iret, 0),
    CALL(__HYPERVISOR_vcpu_op, vcpu_op, 3),
    CALL(__HYPERVISOR_set_segment_base, set_segment_base, 2),
    CALL(__HYPERVISOR_mmuext_op, mmuext_op, 4),
    CALL(__HYPERVISOR_nmi_op, nmi_op, 2),
    CALL(__HYPERVISOR_sched_op, sched_op, 2),
    CALL(__HYPERVISOR_callback_op, callback_op, 2),
    CALL(__HYPERVISOR_event_channel_op, event_channel_op, 2),
    CALL(__HYPERVISOR_physdev_op, physdev_op, 2),
    CALL_PRIV(__HYPERVISOR_sysctl, sysctl, 1),
    CALL_PRIV(__HYPERVISOR_domctl, domctl, 1),
    CALL_PRIV(__HYPERVISOR_kexec_op, kexec_op, 2),
    CALL_PRIV(__HYPERVISOR_mca, mca, 1),
    CALL(VIGIL_HYPERCALL, vigil_op, 2),
};
/* clang-format on */

int64_t hypercall_dispatch(uint64_t nr, uint64_t a1, uint64_t a2, uint64_t a3,
                           uint64_t a4, uint64_t a5)
{
    const struct hypercall *c;

    /* The guest's stub loads eax: the upper half is not part of the number. */
    nr = (uint32_t)nr;
    if (unlikely(nr >= HYPERCALL_MAX)) {
        return -ENOSYS;
    }
    c = &calls[nr];
    if (unlikely(c->fn == NULL)) {
        return -ENOSYS;
    }
    if (unlikely(c->privileged_only) && !current->domain->is_privileged) {
        return -EPERM;
    }
    return c->fn(a1, a2, a3, a4, a5);
}
