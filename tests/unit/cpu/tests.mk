# SPDX-License-Identifier: MIT
tests += cpu/test_spec_ctrl cpu/test_alternative cpu/test_topology
test_spec_ctrl-srcs := hypervisor/cpu/spec_ctrl.c $(unit-lib) $(unit-alarm) \
    $(unit-log)
test_alternative-srcs := hypervisor/cpu/alternative.c $(unit-lib) $(unit-alarm)
test_topology-srcs := hypervisor/cpu/topology.c tests/fake/fake_hw.c \
    $(unit-lib) $(unit-alarm)
