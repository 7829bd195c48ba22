# SPDX-License-Identifier: MIT
"""Machines whose firmware is UEFI (OVMF): GRUB, multiboot2, Dom0."""

import os
import re
import subprocess

from suite import BUILD, Suite, check, hypervisor, need_vigil, require, skip
from test_boot import BootChecks

# What `make` leaves for machines with UEFI, and the same file's other name.
EFI_ISO = BUILD / "vigil-efi.iso"
ISO = BUILD / "vigil.iso"


class Uefi(BootChecks):
    """q35: the firmware's memory map and tables reach Dom0; power off.

    It starts from the very image of `make`, unless another hypervisor is tried.
    """

    weight = 27

    def setup(self):
        need_vigil()
        self.made = hypervisor() == BUILD / "xen-4.17-vigil-amd64"
        if self.made:
            require(EFI_ISO)
            self.start("", cdrom=EFI_ISO, uefi=True, machine="q35")
            self.vm.wait_dom0()
        else:
            self.boot_iso(uefi=True, machine="q35")

    def test_image(self):
        """One file for both firmwares, with the hypervisor under test in it."""
        if not self.made:
            skip("another hypervisor")
        check(os.path.samefile(EFI_ISO, ISO), f"{EFI_ISO} is not {ISO}")
        packed = BUILD / "test/Uefi/packed.gz"
        packed.unlink(missing_ok=True)
        subprocess.run(["xorriso", "-osirrox", "on", "-indev", EFI_ISO,
                        "-extract", "/boot/xen-4.17-vigil-amd64.gz", packed],
                       check=True, capture_output=True)
        built = hypervisor().with_name(hypervisor().name + ".gz")
        check(packed.read_bytes() == built.read_bytes(),
              f"{EFI_ISO} is older than the hypervisor; run make")

    def test_hypervisor_read_efi(self):
        """The log names firmware, memory map and tables."""
        found = re.search(r"dev: EFI v(\d\.\d+) by (.*), (\d+) regions, "
                          r"(\d+) tables", self.vm.text)
        check(found, "Vigil's log does not name the firmware")
        check(found.group(1) == "2.70" and "EDK" in found.group(2),
              f"the log says {found.group(0)}")
        check(int(found.group(3)) > 20 and int(found.group(4)) > 3,
              f"the log says {found.group(0)}")

    def test_dom0_knows_efi(self):
        text = self.vm.dom0("dmesg | grep ' efi: '")
        check("EFI v2.7" in text and "EDK" in text and "ACPI 2.0=" in text,
              f"Dom0's kernel says of EFI: {text}")
        self.vm.dom0("test -d /sys/firmware/efi")

    def test_variables(self):
        """Dom0's kernel lists, writes and reads variables of the firmware."""
        folder = "/sys/firmware/efi/efivars"
        text = self.vm.dom0(f"ls {folder}")
        for name in ("BootOrder-", "Timeout-", "PlatformLang-"):
            check(name in text, f"no {name} among the variables: {text}")
        name = f"{folder}/Vigil-7669676c-1234-5678-0102-030405060708"
        self.vm.dom0(rf"printf '\007\000\000\000vigil' >{name}")
        # Mounted again, so that it comes from the firmware.
        text = self.vm.dom0(f"umount {folder} && mount -t efivarfs efivarfs "
                            f"{folder} && tail -c 5 {name}")
        check(text == "vigil", f"the variable reads as '{text}'")

    def test_acpi_by_the_tag(self):
        """There is no BIOS area: RSDP and all tables come from the loader."""
        text = self.vm.dom0("ls /sys/firmware/acpi/tables; dmesg | "
                            "grep 'ACPI: RSDP'")
        for table in ("APIC", "FACP", "DSDT", "MCFG"):
            check(table in text.split(), f"Dom0 has no {table}: {text}")
        where = int(re.search(r"RSDP (0x[0-9A-F]+)", text).group(1), 16)
        check(where >= 0x100000, f"the RSDP is at {where:#x}")

    def test_memory_map(self):
        """What the firmware keeps is reserved in Dom0's map."""
        text = self.vm.dom0("dmesg | grep 'Xen: \\[mem'")
        for word in ("usable", "reserved", "ACPI data", "ACPI NVS"):
            check(word in text, f"no '{word}' in Dom0's memory map: {text}")

    def test_control_domain(self):
        self.is_control_domain()

    def test_log_is_clean(self):
        self.log_is_clean()

    def test_poweroff(self):
        self.vm.send("poweroff -f")
        code = self.vm.wait_exit(40)
        check(code == 0, f"QEMU ended with {code}")
        check("control domain switches the machine off" in self.vm.text,
              "Dom0 did not ask for S5")


class UefiNoRs(Suite):
    """efi=no-rs: nothing of the firmware runs after it has handed over."""

    weight = 15

    def test_refused(self):
        """Its tables are shown, its services are not, and the log says why."""
        need_vigil()
        vm = self.boot_iso(uefi=True, machine="q35", smp=2, stub="efi",
                           stub_line="no-rs", options="efi=no-rs", wait=False)
        text = self.stub_verdict(vm, "efi")
        check(text == "nothing of the firmware is called", text)
        check("no runtime services, as efi=no-rs asks" in vm.text,
              "the log does not say so")
