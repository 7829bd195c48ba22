# SPDX-License-Identifier: MIT
tests += boot/test_multiboot2
test_multiboot2-srcs := hypervisor/boot/multiboot2.c $(unit-lib) $(unit-alarm)
