/* SPDX-License-Identifier: MIT */
/*
 * lib/xen_abi.h - the Xen public interface, as Debian's libxen-dev has it.
 *
 * The one place hypervisor code includes it through, so that the interface
 * version and the tools view are the same everywhere.  XEN_GUEST_HANDLE(t)
 * is a struct with one pointer member .p: a guest virtual address, never to
 * be dereferenced; give it to pv/guest_access.h.
 */
#ifndef VIGIL_LIB_XEN_ABI_H
#define VIGIL_LIB_XEN_ABI_H

#include "lib/types.h"

#define __XEN_TOOLS__ 1
#define __XEN_INTERFACE_VERSION__ 0x00041100

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wundef"
#pragma GCC diagnostic ignored "-Wredundant-decls"
#include <xen/xen.h>

#include <xen/arch-x86/cpufeatureset.h>
#include <xen/arch-x86/cpuid.h>
#include <xen/arch-x86/xen-mca.h>
#include <xen/callback.h>
#include <xen/domctl.h>
#include <xen/elfnote.h>
#include <xen/event_channel.h>
#include <xen/features.h>
#include <xen/grant_table.h>
#include <xen/hypfs.h>
#include <xen/io/console.h>
#include <xen/kexec.h>
#include <xen/memory.h>
#include <xen/nmi.h>
#include <xen/physdev.h>
#include <xen/platform.h>
#include <xen/sched.h>
#include <xen/sysctl.h>
#include <xen/vcpu.h>
#include <xen/version.h>
#pragma GCC diagnostic pop

#endif
