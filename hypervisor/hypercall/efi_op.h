/* SPDX-License-Identifier: MIT */
/*
 * hypercall/efi_op.h - the parts of platform_op that are about UEFI.
 *
 * A PV kernel cannot call the firmware: it has neither the machine's address
 * space nor its privilege.  It asks here.
 */
#ifndef VIGIL_HYPERCALL_EFI_OP_H
#define VIGIL_HYPERCALL_EFI_OP_H

#include "lib/compiler.h"
#include "lib/types.h"
#include "lib/xen_abi.h"

/**
 * efi_firmware_info() - XENPF_firmware_info of type XEN_FW_EFI_INFO
 * @index: XEN_FW_EFI_*
 * @info:  in and out, as public platform.h says
 *
 * Context: hypercall of the control domain.
 * Return:  0; -EOPNOTSUPP not started by UEFI; -ESRCH no such address in the
 *          map; -ENOENT, -ENODATA not there; -EFAULT; -EINVAL no such index
 */
int64_t efi_firmware_info(uint32_t index, union xenpf_efi_info *info)
    MUST_CHECK;

/**
 * efi_runtime_op() - XENPF_efi_runtime_call
 * @op: in and out, as public platform.h says; what the firmware answered is
 *      in its status
 *
 * Context: hypercall of the control domain.
 * Return:  0: the firmware was asked; -EOPNOTSUPP no runtime services, or not
 *          this one; -EINVAL malformed; -EFAULT; -ENOMEM too large
 */
int64_t efi_runtime_op(struct xenpf_efi_runtime_call *op) MUST_CHECK;

#endif
