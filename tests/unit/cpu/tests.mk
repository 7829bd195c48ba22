# SPDX-License-Identifier: MIT
tests += cpu/test_pmu
test_pmu-srcs := hypervisor/cpu/pmu.c $(unit-lib) $(unit-alarm)
tests += cpu/test_spec_ctrl cpu/test_spec_options cpu/test_alternative cpu/test_topology
test_spec_ctrl-srcs := hypervisor/cpu/spec_ctrl.c \
    hypervisor/cpu/spec_options.c $(unit-lib) $(unit-alarm) \
    $(unit-log)
test_spec_options-srcs := $(test_spec_ctrl-srcs)
test_alternative-srcs := hypervisor/cpu/alternative.c $(unit-lib) $(unit-alarm)
test_topology-srcs := hypervisor/cpu/topology.c tests/fake/fake_hw.c \
    $(unit-lib) $(unit-alarm)
tests += cpu/test_tsc_sync
test_tsc_sync-srcs := hypervisor/cpu/tsc_sync.c $(unit-lib) $(unit-alarm) $(unit-log)
# Its CPUs run one after the other: who comes first waits in vain, which costs a
# machine under a hypervisor minutes when it is busy.
test_tsc_sync-cflags := -DMEET_LOOKS=10U
