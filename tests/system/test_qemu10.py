# SPDX-License-Identifier: MIT
"""QEMU 10: faults that 7.2 gets wrong are as on hardware, and there is x2APIC.

All that goes through the local APIC: interrupts from one processor to others,
timers, INIT and STARTUP, NMI."""

import re

from suite import (BUILD, check, create, need_vigil, shootdowns, skip,
                   stub_done, wait_until)
from test_boot import BootChecks
from test_power import left

MULTI = ("-accel", "tcg,thread=multi")


class BootQemu10(BootChecks):
    """Debian's kernel on four processors, and stubs on other numbers of them."""

    weight = 50
    counts = (1, 2, 8)

    def setup(self):
        need_vigil()
        program = BUILD / "cache/qemu10/bin/qemu"
        if not program.exists():
            skip("no QEMU 10: scripts/fetch-qemu10 has not been run")
        self.qemu = str(program)

    def online(self, vm, count, mode=", x2APIC"):
        """The log says how many there are, and which kind of APIC they have."""
        found = vm.expect(r"cpu: (\d+) of \d+ processors online(.*)", 60)
        check(found.group(1) == str(count) and found.group(2).strip() ==
              mode.strip(), found.group(0))

    def test_stubs(self):
        """Every processor starts, and deadlines are met."""
        for count in self.counts:
            vm = self.boot_stub("timer", label=f"timer-{count}", smp=count,
                                cpu="max", machine="q35", extra=MULTI,
                                qemu=self.qemu)
            self.online(vm, count)
            self.stub_verdict(vm, "timer")
            vm.close()

    def test_xapic_still(self):
        """The same processor without it: the other mode."""
        vm = self.boot_stub("timer", label="xapic", smp=2, cpu="max,-x2apic",
                            machine="q35", extra=MULTI, qemu=self.qemu)
        self.online(vm, 2, "")
        self.stub_verdict(vm, "timer")
        vm.close()

    def test_dom0(self):
        """In this mode too, with many threads, which QEMU 7.2 cannot (see
        docs/testing.md).  Not in setup(): the stubs fail sooner."""
        self.boot(smp=4, cpu="max", machine="q35", options="nmi=dom0",
                  extra=("-no-shutdown", *MULTI), qemu=self.qemu)
        check("cpu: 4 of 4 processors online, x2APIC" in self.vm.text,
              "the log does not name x2APIC")
        check(self.vm.dom0("nproc").strip() == "4", "Dom0 has not 4 processors")

    def test_control_domain(self):
        self.is_control_domain()

    def test_log_is_clean(self):
        self.log_is_clean()

    def test_guest(self):
        create(self.vm, "selftest")
        stub_done(self.vm, "selftest")

    def test_shootdowns(self):
        """Processors ask each other for flushes, and none waits long."""
        self.vm.dom0("for i in 1 2 3 4; do (for j in $(seq 4); do "
                     "cat /proc/self/maps | gzip -c | gunzip -c >/dev/null; "
                     "done) & done; wait", 180)
        done, asked, slow = shootdowns(self.vm)
        check(asked >= 1000, f"{done} shootdowns, {asked} interrupts")
        check(slow == 0, f"{slow} of {done} waited for a second")

    def test_timers(self):
        """A sleep on each processor ends, and not early."""
        self.vm.dom0("for c in 0 1 2 3; do xl vcpu-pin 0 $c $c || exit 1; done")
        text = self.vm.dom0(
            "for c in 1 2 4 8; do taskset $c sh -c 'a=$(cut -d. -f1 "
            "/proc/uptime); sleep 2; b=$(cut -d. -f1 /proc/uptime); "
            "echo slept $((b-a))' & done; wait; xl vcpu-pin 0 all all", 120)
        slept = [int(n) for n in re.findall(r"slept (\d+)", text)]
        check(len(slept) == 4 and min(slept) >= 1, text)

    def test_offline(self):
        """INIT and STARTUP by the one register there is."""
        vm = self.vm
        text = vm.dom0("xen-hptool cpu-offline 3; xl dmesg | tail -n 2")
        check("cpu: CPU 3 is offline" in text, text)
        vm.dom0("xen-hptool cpu-online 3", 60)
        check(re.search(r"^nr_cpus\s*: 4$", vm.dom0("xl info"), re.M),
              "the processor is not back")

    def test_nmi(self):
        """From outside, and one a processor sends itself."""
        before = self.vm.text.count("NMI on CPU 0: ")
        self.vm.inject_nmi()
        self.vm.wait_count("NMI on CPU 0: ", before + 1)
        seen = len(re.findall(r"NMI on CPU \d: ", self.vm.text))
        self.vm.dom0("xl debug-keys N")
        wait_until(self.vm, "[ $(dmesg | grep -c 'NMI received for unknown "
                   "reason') -ge 2 ]")
        now = len(re.findall(r"NMI on CPU \d: ", self.vm.text))
        check(now == seen + 1, f"{now - seen} NMIs where one was asked for")

    def test_poweroff(self):
        """The others are stopped first, by an NMI to all but the sender."""
        self.vm.send("poweroff -f")
        left(self.vm, 4)
        check("did not stop" not in self.vm.text, "a processor did not stop")


class X2apicEach(BootQemu10):
    """The same with each number of processors."""

    long = True
    weight = 80
    counts = range(1, 9)
