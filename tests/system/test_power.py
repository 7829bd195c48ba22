# SPDX-License-Identifier: MIT
"""Ways to leave the machine: off, and reset by each method there is."""

from suite import Suite, check, need_vigil


class Power(Suite):
    """The stub hello asks; the log names what is tried; QEMU says it happened.

    QEMU's pc has no ACPI reset register, its q35 has one.
    """

    weight = 20

    def reset(self, ways, option="", machine="pc", extra=()):
        """Reboot by the hypervisor; these ways must be tried, in this order."""
        need_vigil()
        vm = self.boot_stub("hello", "reboot", options=option, machine=machine,
                            extra=extra)
        self.stub_verdict(vm, "hello")
        code = vm.wait_exit(40)         # -no-reboot: a reset ends QEMU
        check(code == 0, f"QEMU ended with {code}")
        said = [line.split("reset by ")[1] for line in vm.text.split("\n")
                if "reset by " in line]
        check(said == list(ways), f"{option}: tried {said}")
        vm.close()

    def off(self, machine):
        """SHUTDOWN_poweroff: the hypervisor enters S5 by itself."""
        need_vigil()
        vm = self.boot_stub("hello", machine=machine)
        self.stub_verdict(vm, "hello")
        code = vm.wait_exit(40)
        check(code == 0, f"QEMU ended with {code}")
        check("machine powers off" in vm.text, "the log does not say so")
        check("power off did not work" not in vm.text, "S5 did not work")
        vm.close()

    def test_off_pc(self):
        self.off("pc")

    def test_off_q35(self):
        self.off("q35")

    def test_acpi(self):
        self.reset(["the ACPI reset register"], machine="q35")

    def test_port(self):
        """Without a register the next way is taken, and not announced."""
        self.reset(["port 0xcf9"])

    def test_pci(self):
        self.reset(["port 0xcf9"], "reboot=pci", machine="q35")

    def test_kbd(self):
        self.reset(["the keyboard controller"], "reboot=kbd")

    def test_no_keyboard(self):
        """There is no such controller: after a bounded wait, the next."""
        self.reset(["the keyboard controller", "port 0xcf9"], "reboot=kbd",
                   extra=["-machine", "i8042=off"])

    def test_triple(self):
        self.reset(["a triple fault"], "reboot=t")

    def test_no(self):
        """reboot=no halts and says so; the machine stays."""
        need_vigil()
        vm = self.boot_stub("hello", "reboot", options="reboot=no")
        self.stub_verdict(vm, "hello")
        vm.expect(r"Halted: the option reboot=no was given", 40)
        check(vm.process.poll() is None, "QEMU has ended")
        vm.close()
