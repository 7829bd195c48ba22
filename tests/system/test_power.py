# SPDX-License-Identifier: MIT
"""Ways to leave the machine: off, and reset by each method there is."""

import re

from gdbstub import Debugger, symbols
from suite import Suite, check, need_vigil

BDA_RESET_FLAG = 0x472


def left(vm, count):
    """Wait until the machine has reset or is off; @vm was started with
    -no-shutdown, so its processors stand as they were.  Check that all others
    had stopped for good, with interrupts off."""
    vm.wait_event("SHUTDOWN", 60)
    text = vm.hmp("info registers -a").replace("\r", "")
    cpus = re.findall(r"^CPU#\d+\n.*?RFL=(\w+).*?HLT=(\d)", text, re.M | re.S)
    check(len(cpus) == count, f"{len(cpus)} processors: {text}")
    still = [int(flags, 16) & 0x200 == 0 and halted == "1"
             for flags, halted in cpus]
    # The one that left is not one of them, unless it waits for its end.
    check(still.count(False) <= 1, f"processors run on: {cpus}")


class Power(Suite):
    """The stub hello asks; the log names what is tried; QEMU says it happened.

    QEMU's pc has no ACPI reset register, its q35 has one.
    """

    weight = 20

    def reset(self, ways, option="", machine="pc", extra=(), smp=1):
        """Reboot by the hypervisor; these ways must be tried, in this order."""
        need_vigil()
        vm = self.boot_stub("hello", "reboot", options=option, machine=machine,
                            extra=extra, smp=smp)
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
        self.reset(["the ACPI reset register"], machine="q35", smp=4)

    def test_port(self):
        """Without a register the next way is taken, and not announced."""
        self.reset(["port 0xcf9"], smp=4)

    def test_pci(self):
        self.reset(["port 0xcf9"], "reboot=pci", machine="q35", smp=2)

    def test_kbd(self):
        self.reset(["the keyboard controller"], "reboot=kbd", smp=4)

    def test_no_keyboard(self):
        """There is no such controller: after a bounded wait, the next."""
        self.reset(["the keyboard controller", "port 0xcf9"], "reboot=kbd",
                   extra=["-machine", "i8042=off"])

    def test_triple(self):
        self.reset(["a triple fault"], "reboot=t", smp=4)

    def test_no(self):
        """reboot=no halts and says so; the machine stays."""
        need_vigil()
        vm = self.boot_stub("hello", "reboot", options="reboot=no")
        self.stub_verdict(vm, "hello")
        vm.expect(r"Halted: the option reboot=no was given", 40)
        check(vm.process.poll() is None, "QEMU has ended")
        vm.close()

    def flag(self, option):
        """Return what the BIOS would find in its word after a reset."""
        need_vigil()
        vm = self.boot_stub("hello", "reboot", options=option, smp=2,
                            extra=("-no-shutdown", ))
        with Debugger(vm) as debugger:
            debugger.run_to(symbols()["machine_restart"], 60)
            debugger.write(BDA_RESET_FLAG, b"\xff\xff")
        left(vm, 2)
        text = vm.hmp(f"xp /1hx {BDA_RESET_FLAG}")
        vm.close()
        return int(text.split(":")[1], 16)

    def test_warm(self):
        """The BIOS is told to leave out its test of the memory."""
        found = self.flag("reboot=warm")
        check(found == 0x1234, f"the word is {found:#x}")

    def test_cold(self):
        found = self.flag("reboot=warm,cold")
        check(found == 0, f"the word is {found:#x}")


class PowerDom0(Suite):
    """Debian's kernel on four busy processors leaves, by each way."""

    weight = 240
    long = True

    def leave(self, command, said, options="", machine="pc"):
        """Run a command in Dom0 that ends it; the log must say how."""
        need_vigil()
        vm = self.boot(command.split()[0] + options.replace("=", "-"),
                       options=options, machine=machine, smp=4, cpu="EPYC",
                       extra=("-no-shutdown", ))
        vm.dom0("for i in 1 2 3 4; do (while :; do cat /proc/self/maps | gzip "
                "; done) >/dev/null 2>&1 & done")
        vm.send(command)
        left(vm, 4)
        check(said in vm.text, f"the log does not say '{said}'")
        check("did not stop" not in vm.text, "a processor did not stop")
        vm.close()

    def test_off(self):
        self.leave("poweroff -f", "control domain switches the machine off")

    def test_off_q35(self):
        self.leave("poweroff -f", "control domain switches the machine off",
                   machine="q35")

    def test_halt(self):
        """SHUTDOWN_halt of a control domain ends the machine's work."""
        vm = self.boot("halt", smp=4, cpu="EPYC")
        vm.send("halt -f")
        vm.expect(r"machine (halted|powers off)", 60)
        vm.close()

    def test_default(self):
        self.leave("reboot -f", "reset by port 0xcf9")

    def test_acpi(self):
        self.leave("reboot -f", "reset by the ACPI reset register",
                   machine="q35")

    def test_kbd(self):
        self.leave("reboot -f", "reset by the keyboard controller",
                   "reboot=kbd")

    def test_triple(self):
        self.leave("reboot -f", "reset by a triple fault", "reboot=triple")

    def test_warm(self):
        self.leave("reboot -f", "reset by port 0xcf9", "reboot=warm,pci",
                   machine="q35")
