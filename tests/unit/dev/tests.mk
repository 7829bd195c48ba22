# SPDX-License-Identifier: MIT
tests += dev/test_acpi dev/test_irq dev/test_uart16550 dev/test_rtc
test_acpi-srcs := hypervisor/dev/acpi.c hypervisor/dev/acpi_madt.c $(unit-lib) \
    $(unit-alarm) $(unit-log)
test_irq-srcs := hypervisor/dev/irq.c hypervisor/sync/spinlock.c $(unit-lib) \
    $(unit-alarm) $(unit-log)
test_uart16550-srcs := hypervisor/dev/uart16550.c $(unit-lib) $(unit-alarm)
test_rtc-srcs := hypervisor/dev/rtc.c hypervisor/sync/spinlock.c $(unit-lib) \
    $(unit-alarm)
test_rtc-cflags := -D_GNU_SOURCE
