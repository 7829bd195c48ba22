# SPDX-License-Identifier: MIT
tests += boot/test_multiboot2
test_multiboot2-srcs := hypervisor/boot/multiboot2.c $(unit-lib) $(unit-alarm)
# Not test_harvest: that is crash/harvest.c's, and a name is a program's.
tests += boot/test_harvest_boxes
test_harvest_boxes-srcs := hypervisor/boot/harvest.c hypervisor/mm/memmap.c \
    $(addprefix hypervisor/crash/,harvest.c blackbox.c context.c) \
    tests/fake/fake_machine.c $(unit-lib) $(unit-alarm) $(unit-log) \
    tests/unit/child.c
