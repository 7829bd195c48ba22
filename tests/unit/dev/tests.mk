# SPDX-License-Identifier: MIT
tests += dev/test_acpi dev/test_irq dev/test_uart16550 dev/test_rtc
acpi-machine := tests/unit/dev/acpi_machine.c $(unit-lib) $(unit-alarm) \
    $(unit-log)
acpi-srcs := $(addprefix hypervisor/dev/,acpi.c acpi_madt.c acpi_mcfg.c \
    acpi_fadt.c acpi_power.c acpi_hpet.c acpi_hest.c acpi_erst.c acpi_bert.c \
    numa.c) $(acpi-machine)
test_acpi-srcs := $(acpi-srcs)
tests += dev/test_acpi_mcfg dev/test_acpi_tables dev/test_acpi_firmware \
    dev/test_acpi_bert
test_acpi_bert-srcs := $(acpi-srcs)
test_acpi_mcfg-srcs := hypervisor/dev/acpi_mcfg.c $(acpi-machine)
# Tables that iasl makes of the sources in acpi/.
acpi-fixtures := $(patsubst $(TOP)/tests/unit/dev/acpi/%.asl,\
    $(OUT)/acpi/%.aml,$(wildcard $(TOP)/tests/unit/dev/acpi/*.asl))
$(OUT)/acpi/%.aml: $(TOP)/tests/unit/dev/acpi/%.asl
	@echo "  IASL    $(@:$(BUILD)/%=%)"
	$(Q)mkdir -p $(@D)
	$(Q)iasl -p $(@:.aml=) $< >$(@:.aml=.log) 2>&1 || \
		{ cat $(@:.aml=.log); exit 1; }
$(OUT)/dev/test_acpi_tables $(OUT)/dev/test_acpi_firmware: | $(acpi-fixtures)
test_acpi_tables-srcs := $(acpi-srcs)
test_acpi_firmware-srcs := $(acpi-srcs)
acpi-fixture-dir := -DACPI_FIXTURES='"$(OUT)/acpi"'
test_acpi-cflags := $(acpi-fixture-dir)
test_acpi_mcfg-cflags := $(acpi-fixture-dir)
test_acpi_bert-cflags := $(acpi-fixture-dir)
test_acpi_tables-cflags := $(acpi-fixture-dir)
test_acpi_firmware-cflags := $(acpi-fixture-dir)
irq-srcs := $(addprefix hypervisor/dev/,irq.c irq_vector.c irq_storm.c) \
    hypervisor/sync/spinlock.c tests/unit/dev/irq_machine.c $(unit-lib) \
    $(unit-alarm) $(unit-log)
tests += dev/test_irq_storm
test_irq-srcs := $(irq-srcs)
test_irq-cflags := -D_GNU_SOURCE
test_irq_storm-srcs := $(irq-srcs)
test_irq_storm-cflags := -D_GNU_SOURCE
tests += dev/test_ioapic dev/test_msi
test_ioapic-srcs := hypervisor/dev/ioapic.c hypervisor/sync/spinlock.c \
    $(unit-lib) $(unit-alarm) $(unit-log)
test_ioapic-cflags := -D_GNU_SOURCE
test_msi-srcs := $(addprefix hypervisor/dev/,msi.c pci_cfg.c irq.c \
    irq_vector.c irq_storm.c) hypervisor/sync/spinlock.c $(unit-lib) \
    $(unit-alarm) $(unit-log)
test_msi-cflags := -D_GNU_SOURCE
tests += dev/test_pci_guard
test_pci_guard-srcs := $(addprefix hypervisor/dev/,pci_guard.c pci_cfg.c \
    msix_table.c) hypervisor/sync/spinlock.c $(unit-lib) $(unit-alarm) \
    $(unit-log)
test_pci_guard-cflags := -D_GNU_SOURCE
test_uart16550-srcs := hypervisor/dev/uart16550.c $(unit-lib) $(unit-alarm)
test_rtc-srcs := hypervisor/dev/rtc.c hypervisor/sync/spinlock.c $(unit-lib) \
    $(unit-alarm)
tests += dev/test_efi dev/test_fbcon
test_fbcon-srcs := hypervisor/dev/font.c $(unit-lib) $(unit-alarm)
test_fbcon-cflags := -include $(TOP)/tests/fake/host_names.h
test_efi-srcs := $(unit-lib) $(unit-alarm) $(unit-log)
test_efi-cflags := -include $(TOP)/tests/fake/host_names.h
test_rtc-cflags := -D_GNU_SOURCE
tests += dev/test_platform_timer dev/test_hpet
test_platform_timer-srcs := hypervisor/dev/platform_timer.c $(unit-lib) \
    $(unit-alarm) $(unit-log)
test_hpet-srcs := $(addprefix hypervisor/dev/,hpet.c pmtimer.c) $(acpi-machine)
test_hpet-cflags := $(acpi-fixture-dir)
tests += dev/test_numa_memory
test_numa_memory-srcs := hypervisor/dev/numa_memory.c \
    $(addprefix hypervisor/mm/,memmap.c boot_alloc.c frame.c frame_state.c \
    page_alloc.c page_exact.c scrub.c offline.c) hypervisor/lib/string.c \
    hypervisor/sync/spinlock.c tests/fake/fake_hw.c tests/fake/fake_machine.c \
    $(unit-alarm) $(unit-log)
tests += dev/test_pci_node
test_pci_node-srcs := hypervisor/dev/pci_node.c hypervisor/sync/spinlock.c \
    $(unit-lib) $(unit-alarm) $(unit-log)
tests += dev/test_nmi_timer
test_nmi_timer-srcs := hypervisor/dev/nmi_timer.c $(unit-lib) $(unit-alarm)
tests += dev/test_i6300esb
test_i6300esb-srcs := hypervisor/dev/i6300esb.c $(unit-lib) $(unit-alarm) \
    $(unit-log)
tests += dev/test_pit
test_pit-srcs := hypervisor/dev/pit.c $(unit-lib) $(unit-alarm)
