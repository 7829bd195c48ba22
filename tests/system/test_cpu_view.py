# SPDX-License-Identifier: MIT
"""The processor a guest sees: CPUID by each way, MSRs, registers of its own."""

import collections
import re

from cpu_view import OSXSAVE, View, area_bytes, expected, usable_xcr0
from suite import (Suite, check, create, destroy, need_vigil, stub_done,
                   wait_console)

XEN_CPUID = "/usr/lib/xen-4.17/bin/xen-cpuid"
ITSC = 8
ZERO = [0, 0, 0, 0]     # leaves that xen-cpuid leaves out
# MSRs of which the row says OWN: what is read, and what writing it back does.
OWN_READ = {0x1b: "fee00900", 0x277: "50100070406", 0xc0000080: "d01",
            0x179: None, 0x10: None}
OWN_WRITE = {0xc0000080: "same", 0xc0000100: "same", 0xc0000101: "same",
             0xc0000102: "same", 0x17a: "same", 0x400: "same", 0x401: "same"}


def parse(text):
    """The lines of the stub's `view`: forced, native, MSRs."""
    cpuid = {"forced": {}, "native": {}}
    for m in re.finditer(r"cpuid (forced|native) (\w+) (\w+) (\w+) (\w+) "
                         r"(\w+) (\w+)\s*$", text, re.M):
        at = int(m[2], 16), int(m[3], 16)
        cpuid[m[1]][at] = [int(m[i], 16) for i in range(4, 8)]
    msrs = {int(m[1], 16): (m[2], m[3]) for m in re.finditer(
        r"msr (\w+) (\w+) (same|other|fault)\s*$", text, re.M)}
    return cpuid["forced"], cpuid["native"], msrs


def seen(view, raw, leaf, sub, vcpus, dom0):
    """What vcpu 0 of a domain sees of a leaf by the forced way."""
    tops = [raw[0, 0][0], raw[0x80000000, 0][0]]
    top = min(tops[leaf >> 31], 0x80000021 if leaf >> 31 else 0xd)
    if leaf > top:
        return [0, 0, 0, 0]
    regs = expected(view, raw, leaf, sub)
    xcr0 = usable_xcr0(raw)
    if leaf == 1 and xcr0:
        regs[2] |= 1 << OSXSAVE
    elif leaf == 0xb:
        order = max(2 * vcpus - 1, 1).bit_length()
        some = regs[2] & 0xff00
        regs = [(order if sub else 1) if some else 0,
                (vcpus if sub else 1) if some else 0, regs[2] | sub, 0]
    elif (leaf, sub) == (0xd, 0) and xcr0:
        regs[1] = area_bytes(raw, 7)    # what the stub has in XCR0
    elif (leaf, sub) == (0xd, 1) and xcr0 and regs[0] & 2:
        regs[1] = 576 + raw[0xd, 2][0]
    elif leaf == 0x80000007 and dom0:
        regs[3] |= raw[leaf, sub][3] & 1 << ITSC
    return regs


def differences(view, raw, got, vcpus=1, dom0=True):
    """Leaves that are not as the table says."""
    wrong = []
    for leaf, sub in sorted(got):
        if leaf >> 8 == 0x400000:
            continue
        want = seen(view, raw, leaf, sub, vcpus, dom0)
        if got[leaf, sub] != want:
            wrong.append(f"{leaf:x}.{sub:x}: " + " ".join(
                f"{g:x}/{w:x}" for g, w in zip(got[leaf, sub], want)))
    return wrong


class CpuView(Suite):
    """A stub as Dom0 prints all it is shown, under each processor."""

    weight = 4

    def setup(self):
        need_vigil()
        self.view = View()
        self.rows = set()

    def machine(self, cpu, vendor):
        """Boot, compare CPUID and MSRs with the table."""
        vm = self.boot_stub("cpu", "view", cpu=cpu)
        try:
            vm.expect(r"^view: done", 60)
            forced, native, msrs = parse(vm.text)
            self.stub_verdict(vm, "cpu")
        finally:
            vm.close()
        check(len(forced) > 60 and forced.keys() == native.keys(),
              f"{len(forced)} and {len(native)} leaves")
        wrong = differences(self.view, native, forced)
        check(not wrong, "seen/wanted: " + "; ".join(wrong))
        check(forced[0x40000000, 0][1:] == [0x566e6558, 0x65584d4d, 0x4d4d566e],
              "no XenVMMXenVMM")
        wrong = self.wrong_msrs(msrs, vendor)
        check(not wrong, "; ".join(wrong))

    def wrong_msrs(self, msrs, vendor):
        """MSRs that are not as the table says."""
        wrong = []
        for index, (read, write) in msrs.items():
            row, may_read, may_write = self.view.msr(index, vendor)
            self.rows.add(row)
            want = {"FAULT": "fault", "ZERO": "0"}.get(
                may_read, OWN_READ.get(index))
            if want is not None and read != want:
                wrong.append(f"rdmsr {index:x}: {read}, not {want}")
            want = {"FAULT": "fault", "OWN": OWN_WRITE.get(index)}.get(
                may_write, "same")
            if want is not None and write != want:
                wrong.append(f"wrmsr {index:x}: {write}, not {want}")
        return wrong

    def test_qemu64(self):
        self.machine("qemu64", "AMD")

    def test_epyc(self):
        self.machine("EPYC", "AMD")

    def test_max(self):
        self.machine("max", "AMD")

    def test_intel(self):
        """The rows that are for Intel's."""
        self.machine("Skylake-Server,vendor=GenuineIntel", "INTEL")

    def test_every_row_was_tried(self):
        left = [f"{first:x}" for first, *_ in self.view.msrs
                if first not in self.rows]
        check(not left, f"no machine tried the MSRs {', '.join(left)}")

    def test_every_feature_has_a_row(self):
        """Those of a newer libxen-dev have none yet: they are not shown."""
        known = 232
        have = len(self.view.features)
        check(have >= known, f"{have} rows for features")


class CpuPolicy(Suite):
    """Stock tools' view of the policies; two guests with AVX beside Dom0."""

    weight = 22
    refused = ("sysctl 29",)    # xen-cpuid asks for a policy of HVM guests, too

    def setup(self):
        need_vigil()
        self.boot(cpu="max")
        self.view = View()

    def policies(self, which):
        """What xen-cpuid prints: {name: {(leaf, subleaf): registers}}."""
        text = self.vm.dom0(f"{XEN_CPUID} {which}")
        found = {}
        for line in text.split("\n"):
            head = re.match(r"(.*) policy: \d+ leaves, (\d+) MSRs", line)
            if head:
                now = found.setdefault(head[1].strip(),
                                       collections.defaultdict(ZERO.copy))
            leaf = re.match(r"\s+(\w{8}):(\w{8}) -> (\w{8}):(\w{8}):(\w{8}):"
                            r"(\w{8})", line)
            if leaf:
                sub = int(leaf[2], 16)
                now[int(leaf[1], 16), 0 if sub == 0xffffffff else sub] = [
                    int(leaf[i], 16) for i in range(3, 7)]
        return found

    def test_policies(self):
        """Raw is the processor's, PV what the table makes of it."""
        found = self.policies("-p")
        self.raw = next(p for name, p in found.items() if "Raw" in name)
        check(len(self.raw) > 20, f"{len(self.raw)} leaves: {found.keys()}")
        for name in ("PV Max", "PV Default"):
            policy = found[name]
            wrong = [f"{leaf:x}.{sub:x}: {policy[leaf, sub]} {want}"
                     for leaf, sub in sorted(set(policy) | set(self.raw))
                     if leaf >> 8 != 0x400000
                     for want in [expected(self.view, self.raw, leaf, sub)]
                     if policy[leaf, sub] != want]
            check(not wrong, f"{name}: " + "; ".join(wrong))

    def test_guests_with_avx(self):
        """Three domains use the vectors; each keeps its own, none sees more."""
        create(self.vm, "cpu", "rounds=400 hold")
        self.vm.dom0("sed 's/name = .*/name = \"second\"/' /etc/xen/cpu.cfg "
                     ">/tmp/second.cfg")
        self.vm.dom0("xl create /tmp/second.cfg 'extra=\"rounds=400 hold\"'",
                     60)
        # Dom0's C library copies and compares with AVX2.
        self.vm.dom0("for i in 1 2 3 4 5 6; do dd if=/dev/zero bs=64k "
                     "count=32 2>/dev/null | md5sum; done | sort -u", 120)
        for name in ("cpu", "second"):
            wait_console(self.vm, name, "AVX kept over 400 switches", 60)
            wait_console(self.vm, name, "STUB cpu: SUCCESS", 60)

    def test_policy_of_a_guest(self):
        """What xl gave the guest is what its policy reads."""
        domid = self.vm.dom0("xl domid second").strip()
        found = self.policies(f"-p {domid}")
        check(len(found) == 1, f"{found.keys()}")
        policy = next(iter(found.values()))
        check(policy[1, 0][2] >> 28 & 1, "no AVX")
        for (leaf, sub), regs in policy.items():
            if leaf in (1, 7, 0x80000001):
                want = expected(self.view, self.raw, leaf, sub)
                more = [g & ~w for g, w in zip(regs[2:], want[2:])]
                check(not any(more), f"{leaf:x}: more than there is: {more}")
        destroy(self.vm, "cpu")
        destroy(self.vm, "second")
