# SPDX-License-Identifier: MIT
dev-objs := uart16550.o port61.o pit.o rtc.o i8259.o pci_cfg.o acpi.o \
            acpi_madt.o acpi_mcfg.o ioapic.o irq.o irq_vector.o irq_storm.o \
            msi.o msix_table.o pci_guard.o pci_node.o
dev-objs += efi.o efi_runtime.o fbcon.o font.o
dev-objs += acpi_fadt.o acpi_power.o acpi_hpet.o acpi_hest.o acpi_erst.o \
            acpi_bert.o numa.o numa_memory.o
dev-objs += hpet.o pmtimer.o platform_timer.o nmi_timer.o i6300esb.o
