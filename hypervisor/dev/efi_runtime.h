/* SPDX-License-Identifier: MIT */
/*
 * dev/efi_runtime.h - calling the firmware: clock and variables.
 *
 * Runtime services run at our privilege.  They get page tables of their own,
 * used for the call only: their regions where the firmware expects them
 * (machine addresses, for it is never told of others), and the hypervisor's
 * slots, since the stack, the buffers and the interrupt tables are there.
 * Interrupts stay off; NMIs and machine checks are taken as ever.  The guest's
 * FPU state is kept.
 *
 * An exception inside the firmware ends the call, and runtime services for
 * good, with a message.  A CPU whose firmware does not return hangs, for the
 * watchdog (ras/watchdog.h) as for everybody else.
 *
 * Who uses it: hypercall/efi_op.c.  One call at a time (its lock).
 */
#ifndef VIGIL_DEV_EFI_RUNTIME_H
#define VIGIL_DEV_EFI_RUNTIME_H

#include "lib/compiler.h"
#include "lib/types.h"

/* In the order of the firmware's table. */
enum efi_service {
    EFI_GET_TIME,
    EFI_SET_TIME,
    EFI_GET_WAKEUP_TIME,
    EFI_SET_WAKEUP_TIME,
    EFI_SET_VIRTUAL_ADDRESS_MAP,
    EFI_CONVERT_POINTER,
    EFI_GET_VARIABLE,
    EFI_GET_NEXT_VARIABLE_NAME,
    EFI_SET_VARIABLE,
    EFI_GET_NEXT_HIGH_MONOTONIC_COUNT,
    EFI_RESET_SYSTEM,
    EFI_UPDATE_CAPSULE,
    EFI_QUERY_CAPSULE_CAPABILITIES,
    EFI_QUERY_VARIABLE_INFO,
    EFI_SERVICES
};

#define EFI_ERROR_BIT        (1ULL << 63)
#define EFI_UNSUPPORTED      (EFI_ERROR_BIT | 3)
#define EFI_DEVICE_ERROR     (EFI_ERROR_BIT | 7)
#define EFI_OUT_OF_RESOURCES (EFI_ERROR_BIT | 9)

/**
 * efi_runtime_forbid() - the option efi=no-rs
 *
 * Context: boot, before efi_runtime_init().
 * Return:  nothing.
 */
void efi_runtime_forbid(void);

/**
 * efi_runtime_init() - page tables and the table of services
 *
 * What is wrong is logged; efi_runtime_revision() then answers 0.
 * Context: boot, after efi_init() and page_alloc_init().
 * Return:  nothing.
 */
void efi_runtime_init(void);

/**
 * efi_runtime_revision() - revision of the table of services
 *
 * Context: any, after efi_runtime_init().
 * Return:  it, or 0: no runtime services, not any more, or not wanted
 */
uint32_t efi_runtime_revision(void);

/**
 * efi_runtime_call() - call one service
 * @service: which
 * @args:    five arguments; pointers to hypervisor memory
 *
 * Context: any but NMI/#MC; milliseconds with interrupts off.
 * Return:  the firmware's status; EFI_UNSUPPORTED: there is no such service;
 *          EFI_DEVICE_ERROR also: it has faulted
 */
uint64_t efi_runtime_call(enum efi_service service, const uint64_t args[5]);

/**
 * efi_runtime_fail() - call the firmware where it has no code
 *
 * To prove that a fault in firmware is survived.  No runtime services after.
 * Context: as efi_runtime_call().
 * Return:  0; -EOPNOTSUPP: there are none
 */
int efi_runtime_fail(void) MUST_CHECK;

#endif
