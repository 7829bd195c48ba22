# SPDX-License-Identifier: MIT
tests += dev/test_acpi dev/test_irq dev/test_uart16550 dev/test_rtc
acpi-machine := tests/unit/dev/acpi_machine.c $(unit-lib) $(unit-alarm) \
    $(unit-log)
test_acpi-srcs := $(addprefix hypervisor/dev/,acpi.c acpi_madt.c acpi_mcfg.c) \
    $(acpi-machine)
tests += dev/test_acpi_mcfg
test_acpi_mcfg-srcs := hypervisor/dev/acpi_mcfg.c $(acpi-machine)
test_irq-srcs := $(addprefix hypervisor/dev/,irq.c irq_vector.c irq_storm.c) \
    hypervisor/sync/spinlock.c $(unit-lib) $(unit-alarm) $(unit-log)
test_irq-cflags := -D_GNU_SOURCE
test_uart16550-srcs := hypervisor/dev/uart16550.c $(unit-lib) $(unit-alarm)
test_rtc-srcs := hypervisor/dev/rtc.c hypervisor/sync/spinlock.c $(unit-lib) \
    $(unit-alarm)
tests += dev/test_efi
test_efi-srcs := $(unit-lib) $(unit-alarm) $(unit-log)
test_efi-cflags := -include $(TOP)/tests/fake/host_names.h
test_rtc-cflags := -D_GNU_SOURCE
