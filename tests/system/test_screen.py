# SPDX-License-Identifier: MIT
"""The log on a screen: a frame buffer under UEFI, VGA text under BIOS."""

import re

from screen import read_pixels, read_text, wait_screen
from suite import Suite, check, need_vigil

# Dying, the screen keeps its first lines; an NMI's own line comes before.
PANIC = (r"^\(XEN\) \*{40}\n\(XEN\) Panic on CPU 0:\n"
         r"\(XEN\) NMI: unknown source, and nmi=fatal\n")
PINNED = 8


class ScreenUefi(Suite):
    """A machine without a serial port, UEFI on the old chipset: boot and panic
    are on the screen; a stub in the place of Dom0 speaks there, too.  It asks
    the firmware for clock and variables, and has it fault."""

    weight = 25

    def setup(self):
        need_vigil()
        self.vm = self.boot_iso(
            uefi=True, machine="pc", serial=False, stub="efi",
            stub_line="hold fault", wait=False,
            options="console=com1,vga vga=keep nmi=fatal noreboot")
        self.lines = wait_screen(self.vm, r"STUB efi: ", read_pixels)

    def test_boot(self):
        text = "\n".join(self.lines)
        for words in (r"^\(XEN\) Vigil .* loaded by GRUB", r"dev: EFI v2\.70",
                      r"^\(XEN\) boot: Dom0 starts$", r"^efi: \d+ checks$"):
            check(re.search(words, text, re.M), f"/{words}/ not on: {text}")
        check("\0" not in text, f"characters that are not ours: {text!r}")

    def test_runtime_services(self):
        """The stub's checks hold, and the fault is named."""
        text = "\n".join(self.lines)
        check("STUB efi: SUCCESS the firmware answers" in text, text)
        check("efi: a fault in firmware was survived" in text, text)
        check(re.search(r"faulted in the firmware at 0x8; there are no runtime "
                        r"services", text), text)

    def test_panic(self):
        self.vm.inject_nmi()
        lines = wait_screen(self.vm, "Halted: the option noreboot", read_pixels)
        check(re.search(PANIC, "\n".join(lines[:PINNED]), re.M),
              f"the screen begins with {lines[:PINNED]}")
        check(any("Call trace:" in line for line in lines),
              f"no call trace on: {lines}")
        check("\0" not in "".join(lines), f"something else shows: {lines!r}")


class ScreenText(Suite):
    """BIOS: the screen is Dom0's once it starts, and taken back to die."""

    weight = 10

    def setup(self):
        need_vigil()
        self.vm = self.boot_stub("hello", "hold", options="console=com1,vga "
                                 "nmi=fatal noreboot")
        self.stub_verdict(self.vm, "hello")

    def test_given_to_dom0(self):
        lines = [line for line in read_text(self.vm) if line]
        check(lines[-1] == "(XEN) boot: Dom0 starts",
              f"the last line is '{lines[-1]}'")
        check(any("Vigil" in line for line in lines), f"no boot on: {lines}")

    def test_panic_takes_it_back(self):
        self.vm.inject_nmi()
        lines = wait_screen(self.vm, "Halted: the option noreboot", read_text)
        check(re.search(PANIC, "\n".join(lines[:PINNED]), re.M),
              f"the screen begins with {lines[:PINNED]}")
