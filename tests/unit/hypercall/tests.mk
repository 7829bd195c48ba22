# SPDX-License-Identifier: MIT
tests += hypercall/test_console_io hypercall/test_xen_version
test_console_io-srcs := hypervisor/hypercall/console_io.c hypervisor/sync/spinlock.c $(unit-lib) \
    $(unit-alarm)
test_xen_version-srcs := hypervisor/hypercall/xen_version.c $(unit-lib) \
    $(unit-alarm)
test_xen_version-cflags := -DVIGIL_VERSION_MAJOR=$(VERSION_MAJOR) \
    -DVIGIL_VERSION_MINOR=$(VERSION_MINOR) \
    -DVIGIL_EXTRAVERSION='"$(EXTRAVERSION)"'
tests += hypercall/test_memory_op
test_memory_op-srcs = $(addprefix hypervisor/hypercall/,memory_op.c \
    memory_exchange.c memory_map.c) hypervisor/pv/reservation.c \
    hypervisor/domain/account.c hypervisor/lib/rangeset.c $(mm-srcs) \
    tests/fake/fake_m2p.c tests/unit/hypercall/grant_v1.c
tests += hypercall/test_hypfs_op
test_hypfs_op-srcs := hypervisor/hypercall/hypfs_op.c $(unit-log) \
    $(unit-lib) $(unit-alarm)
test_hypfs_op-cflags := $(test_xen_version-cflags)
tests += hypercall/test_sched_op
test_sched_op-srcs := hypervisor/hypercall/sched_op.c $(unit-lib) \
    $(unit-alarm)
tests += hypercall/test_cpu_hotplug
test_cpu_hotplug-srcs := hypervisor/hypercall/cpu_hotplug.c \
    hypervisor/cpu/topology.c $(unit-lib) $(unit-alarm) $(unit-log)
