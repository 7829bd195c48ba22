# SPDX-License-Identifier: MIT
"""Guests on tables without the hypervisor (xpti=), entries checked (pv-l1tf=)."""

import re

from suite import Suite, check, create, need_vigil, stub_done, wait_until
from test_nmi import LINUX, inject_and_wait

DIRECT_MAP = 0xffff830000000000
WORDS = "cpu: page tables isolated: Dom0 {}, others {}"


def seen_by_guest(vm, address):
    """Does a CPU translate the address while it runs a guest in user mode?"""
    for _ in range(200):
        vm.hmp("stop")
        try:
            registers = vm.hmp("info registers")
            if re.search(r"^CS =.* DPL=3 ", registers, re.M):
                text = vm.hmp(f"x /1gx {address:#x}")
                return "Cannot access" not in text
        finally:
            vm.hmp("cont")
    raise AssertionError("the CPU was never found in a guest")


class Isolation(Suite):
    """Debian's kernel as an isolated Dom0, and a guest beside it."""

    weight = 70

    def setup(self):
        need_vigil()
        self.boot(options="xpti pv-l1tf", cpu="max", smp=2)

    def test_said(self):
        text = self.vm.dom0("xl dmesg")
        check(WORDS.format("yes", "yes") in text, text)

    def test_our_memory_is_not_there(self):
        self.vm.dom0("for i in 1 2; do (while :; do :; done) >/dev/null 2>&1 & "
                     "echo $! >>/tmp/loops; done")
        try:
            check(not seen_by_guest(self.vm, DIRECT_MAP),
                  "the direct map is there while Dom0 runs")
        finally:
            self.vm.dom0("kill $(cat /tmp/loops)")

    def test_guest(self):
        create(self.vm, "selftest")
        stub_done(self.vm, "selftest")

    def test_nmi(self):
        """Linux is told, and goes on."""
        inject_and_wait(self.vm)
        wait_until(self.vm, f"dmesg | grep -q '{LINUX}'")

    def test_programs(self):
        """Many address spaces, on two processors."""
        self.vm.dom0("for i in 1 2 3 4; do (for j in $(seq 20); do "
                     "cat /proc/self/maps | gzip -c | gunzip -c >/dev/null; "
                     "done) & done; wait", 120)


class IsolationStubs(Suite):
    """What stubs as Dom0 try, isolated; and who is isolated by itself."""

    weight = 10

    def verdict(self, stub, line="", **more):
        need_vigil()
        vm = self.boot_stub(stub, line, label=stub, cpu=more.pop("cpu", "max"),
                            options=more.pop("options", "xpti"), **more)
        try:
            said = vm.expect(r"page tables isolated: .*", 60).group(0)
            self.stub_verdict(vm, stub, 120)
        finally:
            vm.close()
        return said

    def test_exceptions(self):
        self.verdict("selftest")

    def test_iret(self):
        self.verdict("iret")

    def test_hostile(self):
        self.verdict("hostile")

    def test_nmi(self):
        self.verdict("nmi")

    def test_tables(self):
        """An entry of an L4 that another vcpu made is found."""
        self.verdict("race", "tables", smp=3, wall=300,
                     extra=("-accel", "tcg,thread=multi"))

    def test_intel(self):
        """A processor that has not said that it is safe."""
        said = self.verdict("hello", cpu="Skylake-Client", options="")
        check("Dom0 yes, others yes; not-present entries checked (L1TF): Dom0 "
              "no, others yes" in said, said)

    def test_amd(self):
        said = self.verdict("hello", cpu="EPYC", options="")
        check("Dom0 no, others no" in said, said)

    def test_only_others(self):
        said = self.verdict("hello", options="xpti=no-dom0,domu")
        check("Dom0 no, others yes" in said, said)

    def test_absent_entry(self):
        """One that names memory is refused, in words."""
        need_vigil()
        vm = self.boot_stub("mmu", options="pv-l1tf=dom0", cpu="max")
        vm.expect(r"not-present entry 0x[0-9a-f]+ names memory.*refused", 60)
        vm.close()

    def test_history(self):
        """The branch history is cleared at every door; returns by the thunk."""
        need_vigil()
        vm = self.boot_stub("selftest", options="spec-ctrl=bhi,its,md-clear,div-scrub xpti",
                            cpu="max")
        vm.expect(r"branch history cleared, upper halves.*VERW.*a division", 60)
        self.stub_verdict(vm, "selftest")
        vm.close()
