/* SPDX-License-Identifier: MIT */
/*
 * hypercall/table.c - number to handler, one set for each kind of guest.
 *
 * entry/syscall.S and multicall.c call through it: cpu_block.call_base is the
 * index of the set of the guest that runs.
 */
#include "hypercall/call.h"
#include "lib/assert.h"
#include "x86/percpu.h"

#include <vigil/vigil_op.h>

STATIC_ASSERT(CALL_BASE_GUEST == HYPERCALL_MAX &&
                  CALL_BASE_CONTROL == 2 * HYPERCALL_MAX,
              "x86/percpu.h says where the sets lie");

static int64_t unknown(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                       uint64_t a5)
{
    (void)a1;
    (void)a2;
    (void)a3;
    (void)a4;
    (void)a5;
    return -ENOSYS;
}

static int64_t not_yours(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                         uint64_t a5)
{
    (void)a1;
    (void)a2;
    (void)a3;
    (void)a4;
    (void)a5;
    return -EPERM;
}

#define CALL(nr, fname)                                                        \
    [CALL_BASE_GUEST + (nr)] = do_##fname,                                     \
    [CALL_BASE_CONTROL + (nr)] = do_##fname
/* -EPERM for all but the control domain. */
#define CALL_PRIV(nr, fname)                                                   \
    [CALL_BASE_GUEST + (nr)] = not_yours,                                      \
    [CALL_BASE_CONTROL + (nr)] = do_##fname

/* Every number has an answer first; the known ones then get theirs. */
#ifdef __clang__
#pragma clang diagnostic ignored "-Winitializer-overrides"
#else
#pragma GCC diagnostic ignored "-Woverride-init"
#endif
/* clang-format off */
const hypercall_fn hypercall_table[3 * HYPERCALL_MAX] = {
    [0 ... 3 * HYPERCALL_MAX - 1] = unknown,
    CALL(__HYPERVISOR_set_trap_table, set_trap_table),
    CALL(__HYPERVISOR_mmu_update, mmu_update),
    CALL(__HYPERVISOR_set_gdt, set_gdt),
    CALL(__HYPERVISOR_stack_switch, stack_switch),
    CALL(__HYPERVISOR_fpu_taskswitch, fpu_taskswitch),
    CALL_PRIV(__HYPERVISOR_platform_op, platform_op),
    CALL(__HYPERVISOR_set_debugreg, set_debugreg),
    CALL(__HYPERVISOR_get_debugreg, get_debugreg),
    CALL(__HYPERVISOR_update_descriptor, update_descriptor),
    CALL(__HYPERVISOR_memory_op, memory_op),
    CALL(__HYPERVISOR_multicall, multicall),
    CALL(__HYPERVISOR_update_va_mapping, update_va_mapping),
    CALL(__HYPERVISOR_set_timer_op, set_timer_op),
    CALL(__HYPERVISOR_xen_version, xen_version),
    CALL(__HYPERVISOR_console_io, console_io),
    CALL(__HYPERVISOR_grant_table_op, grant_table_op),
    CALL(__HYPERVISOR_vm_assist, vm_assist),
    CALL(__HYPERVISOR_update_va_mapping_otherdomain, update_va_mapping_otherdomain),
    CALL(__HYPERVISOR_iret, iret),
    CALL(__HYPERVISOR_vcpu_op, vcpu_op),
    CALL(__HYPERVISOR_set_segment_base, set_segment_base),
    CALL(__HYPERVISOR_mmuext_op, mmuext_op),
    CALL(__HYPERVISOR_nmi_op, nmi_op),
    CALL(__HYPERVISOR_sched_op, sched_op),
    CALL(__HYPERVISOR_callback_op, callback_op),
    CALL(__HYPERVISOR_event_channel_op, event_channel_op),
    CALL(__HYPERVISOR_physdev_op, physdev_op),
    CALL_PRIV(__HYPERVISOR_sysctl, sysctl),
    CALL_PRIV(__HYPERVISOR_domctl, domctl),
    CALL_PRIV(__HYPERVISOR_kexec_op, kexec_op),
    CALL_PRIV(__HYPERVISOR_hypfs_op, hypfs_op),
    CALL_PRIV(__HYPERVISOR_mca, mca),
    CALL(VIGIL_HYPERCALL, vigil_op),
};
/* clang-format on */
