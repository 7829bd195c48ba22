# SPDX-License-Identifier: MIT
hypercall-objs += table.o continuation.o multicall.o sched_op.o vcpu_op.o \
                  timer_op.o traps_op.o descriptor_op.o vm_assist.o
hypercall-objs += mmu_op.o
hypercall-objs += debugreg.o fpu_op.o console_io.o xen_version.o kexec_op.o
CFLAGS_hypercall_xen_version := -DVIGIL_VERSION_MAJOR=$(VERSION_MAJOR) \
                                -DVIGIL_VERSION_MINOR=$(VERSION_MINOR) \
                                -DVIGIL_EXTRAVERSION='"$(EXTRAVERSION)"'
CFLAGS_hypercall_hypfs_op := $(CFLAGS_hypercall_xen_version)
hypercall-objs += hypfs_op.o evtchn_op.o
hypercall-objs += platform_op.o efi_op.o vigil_op.o provoke.o
hypercall-objs += grant_op.o
hypercall-objs += memory_op.o memory_exchange.o memory_map.o
hypercall-objs += physdev_op.o
hypercall-objs += domctl.o domctl_life.o domctl_vcpu.o domctl_setup.o xenctl_bitmap.o
hypercall-objs += cpu_hotplug.o
hypercall-objs += sysctl.o sysctl_host.o sysctl_policy.o sysctl_page.o debug_keys.o \
                  debug_keys_machine.o
hypercall-objs += mca_op.o nmi_op.o
