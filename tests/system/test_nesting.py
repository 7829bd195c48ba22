# SPDX-License-Identifier: MIT
"""NMIs and machine checks inside each other: none lost, none twice.

What must hold is in docs/architecture.md, the RET rule: an IRET of whatever
interrupted the NMI handler would let the next NMI in on a stack in use.  The
tests put events at the places where that would show, and count exactly.
"""

import re

from gdbstub import RIP, Debugger, symbols
from suite import Failure, Suite, VMError, check, figure, need_vigil, wait_until

LINUX = "NMI received for unknown reason"
NMI = "NMI on CPU 0: "
MC = "machine check on CPU 0 in "

RECOVERABLE = 0xBD000000000000C0    # UC, signalled, action optional: scrub
MISC = 0x8C                         # a physical address, 4 KiB granular
RIPV_MCIP = 0x5
CORRECTED = 0x9C00000000000090      # a read, by the memory controller
MC_BANK = 9                         # vm.inject_mce()
BLOCKED = 5000
# Inside Dom0's 640 MiB of a 1 GiB machine, wherever they are placed.
DOM0_MADDR = 0x1E345000


class Nesting(Suite):
    """With nmi=dom0, and AMD's deferred errors, which Linux only logs."""

    weight = 60

    def setup(self):
        need_vigil()
        # No NMIs but those that the cases raise: two that merge are one.
        self.boot(options="nmi=dom0 nmi_ratelimit=0 watchdog=no", cpu="qemu64")
        self.vm.dom0("dmesg -n 1")

    # --- counting ----------------------------------------------------------

    def counters(self):
        """What the hypervisor and Dom0's kernel have counted."""
        info = self.vm.dom0_json("vigil info --json")
        found = {}

        def collect(part):
            for key, value in part.items():
                if isinstance(value, dict):
                    collect(value)
                elif isinstance(value, int):
                    found[key] = value

        collect(info)
        return {"nmi": found["nmi_total"], "told": found["nmi_reflected"],
                "mce": found["mce_total"], "vmce": found["vmce_delivered"],
                "lost": found["mce_lost"],
                "dmesg": int(self.vm.dom0_cmd(f"dmesg | grep -c '{LINUX}'")[1])}

    def grew(self, before, nmis, mces):
        """The counters grew by just what was injected."""
        wait_until(self.vm, f"[ $(dmesg | grep -c '{LINUX}') -ge "
                   f"{before['dmesg'] + nmis} ]")
        after = self.counters()
        got = {key: after[key] - before[key] for key in after}
        want = {"nmi": nmis, "told": nmis, "mce": mces, "vmce": mces,
                "lost": 0, "dmesg": nmis}
        check(got == want, f"injected: {want}, counted: {got}")
        check("Panic" not in self.vm.text, "it panicked")

    def seen(self):
        """How many of each the hypervisor has said on the serial line."""
        return self.vm.text.count(NMI), self.vm.text.count(MC)

    def wait_seen(self, nmis, mces, what):
        """The log tells when the next may come without merging."""
        try:
            self.vm.wait_count(NMI, nmis)
            self.vm.wait_count(MC, mces)
        except VMError as error:
            raise Failure(f"{what}: {error}") from None
        check(self.seen() == (nmis, mces),
              f"{what}: {nmis} NMIs and {mces} machine checks expected, "
              f"{self.seen()} seen")

    def settle(self):
        """Let Dom0's kernel handle what it has got: only so many may wait.

        When its shell runs, all virtual machine checks have been handled.
        """
        self.vm.dom0("true")

    def machine_check(self, number):
        """One more machine check in the same page of Dom0."""
        answer = self.vm.inject_mce(RECOVERABLE, misc=MISC, mcg=RIPV_MCIP,
                                    addr=DOM0_MADDR + number % 64 * 64)
        check(not answer.strip(), f"mce: {answer}")

    # --- cases -------------------------------------------------------------

    def test_both_pending(self):
        """#MC interrupts the NMI handler's first instruction, 20 times."""
        before = self.counters()
        nmis, mces = self.seen()
        for number in range(20):
            self.vm.qmp("stop")
            self.vm.inject_nmi()
            self.machine_check(number)
            self.vm.qmp("cont")
            nmis, mces = nmis + 1, mces + 1
            self.wait_seen(nmis, mces, f"round {number}")
            self.settle()
        self.grew(before, 20, 20)

    def inside(self, first, places):
        """Stop in a handler, make the others pending, and go on.

        first:  raises what the handler is for
        places: (symbol, NMIs, machine checks) to inject there
        """
        where = symbols()
        before = self.counters()
        nmis, mces = self.seen()
        total_nmis = total_mces = 0
        for number, (place, nmi, mce) in enumerate(places):
            check(place in where, f"no symbol {place}")
            with Debugger(self.vm) as debugger:
                first(number)
                debugger.run_to(where[place])
                if nmi:
                    self.vm.inject_nmi()
                if mce:
                    self.machine_check(number + 32)
            nmi += first == self.an_nmi
            mce += first != self.an_nmi
            total_nmis, total_mces = total_nmis + nmi, total_mces + mce
            self.wait_seen(nmis + total_nmis, mces + total_mces, place)
            self.settle()
        self.grew(before, total_nmis, total_mces)

    def an_nmi(self, _):
        """Raise the NMI that inside() starts with.

        Not in a user program of Dom0: it has a code segment of its own, and
        such a frame leaves by way of the main stack, not by nmi_iretq.
        """
        self.vm.run_until(r"CPL=0|^CS =e033", re.M)
        self.vm.inject_nmi()

    def test_inside_nmi(self):
        """A second NMI and a #MC pend at each step of the NMI handler.

        If the #MC left by IRET, the second NMI would overwrite the frame of
        the first; at the first two places the depth does not tell it yet.
        """
        self.inside(self.an_nmi, [
            (place, nmi, mce)
            for place in ("entry_nmi", "nmi_entry", "ras_nmi", "lapic_self_ipi",
                          "nmi_iretq")
            for nmi, mce in ((1, 1), (1, 0), (0, 1))])

    def count_blocked(self, number, banks):
        """Return the instructions of an NMI with a machine check in it."""
        where = symbols()
        with Debugger(self.vm) as debugger:
            self.an_nmi(number)
            debugger.run_to(where["entry_nmi"])
            steps = debugger.count_steps(
                BLOCKED, lambda now: now[RIP] == where["ras_nmi"])
            for bank in banks:
                answer = self.vm.inject_mce(CORRECTED, bank=bank, misc=MISC,
                                            addr=DOM0_MADDR)
                check(not answer.strip(), f"mce: {answer}")
            self.machine_check(number)
            # While it steps no machine check comes.
            debugger.run_to(where["entry_mc"])
            return steps + debugger.count_steps(
                4 * BLOCKED, lambda now: now[RIP] == where["nmi_iretq"])

    def test_blocked(self):
        """How long a machine check in an NMI's handler keeps the next one out."""
        before = self.counters()
        nmis, mces = self.seen()
        one = self.count_blocked(0, ())
        self.wait_seen(nmis + 1, mces + 1, "one bank")
        self.settle()
        each = self.count_blocked(1, range(MC_BANK))
        self.wait_seen(nmis + 2, mces + 2, "all banks")
        self.settle()
        self.grew(before, 2, 2)
        for bank in range(MC_BANK + 1):
            check(f"machine check: bank {bank} status" in self.vm.text,
                  f"bank {bank} is not told")
        figure("instructions with NMIs blocked by a machine check", one, most=BLOCKED)
        figure("the same, errors in ten banks", each, most=BLOCKED)

    def test_inside_mc(self):
        """An NMI at each step of the #MC handler."""
        self.inside(self.machine_check, [
            (place, 1, 0)
            for place in ("entry_mc", "mce_entry", "ras_mce", "bank_clear",
                          "bank_mcg_clear", "ras_mce_end")])

    def test_inside_mc_exit(self):
        """A second #MC once the first has cleared MCIP, on its way out.

        It must not be given the stack whose frame is still needed.
        """
        self.vm.dom0("(while :; do :; done) >/dev/null 2>&1 & echo $! >/run/busy")
        self.inside(self.machine_check_in_guest, [
            (place, nmi, 1) for place in ("mc_ended_main", "leave_to_guest")
            for nmi in (0, 1, 0)])
        self.vm.dom0("kill $(cat /run/busy)")

    def machine_check_in_guest(self, number):
        """Raise it where a guest runs, for that has its own way out."""
        self.vm.run_until(r"CPL=3")
        self.machine_check(number)

    def test_inside_response(self):
        """An NMI, alone or with a #MC, while the response to a #MC runs."""
        self.inside(self.machine_check, [
            (place, 1, mce)
            for place in ("response_run", "mce_response_run", "record_consume",
                          "poison_mark", "telemetry_publish")
            for mce in (0, 1)])

    def test_after_acknowledging(self):
        """Two #MCs and an NMI, once Dom0's handler has cleared MCIP.

        The handler has not returned yet: the first of them is pending then,
        and at the return the second still waits behind it.
        """
        where = symbols()
        before = self.counters()
        nmis, mces = self.seen()
        for number in range(3):
            with Debugger(self.vm) as debugger:
                self.machine_check(number)
                # Linux leaves a deferred error in its bank: its handler
                # writes to MCG_STATUS only.
                debugger.run_to(where["vmca_wrmsr"])
                self.machine_check(number + 16)
                debugger.run_to(where["response_run"])
                self.machine_check(number + 32)
                self.vm.inject_nmi()
            nmis, mces = nmis + 1, mces + 3
            self.wait_seen(nmis, mces, f"round {number}")
            self.settle()
        self.grew(before, 3, 9)

    def test_flood(self):
        """Nine before the first is answered: as many as can wait are told."""
        where = symbols()
        before = self.counters()
        nmis, mces = self.seen()
        with Debugger(self.vm) as debugger:
            self.machine_check(0)
            for number in range(1, 9):
                # That one is taken first: another reason may lead there, too.
                debugger.run_to(where["entry_mc"])
                debugger.run_to(where["response_run"])
                self.machine_check(number)
        self.wait_seen(nmis, mces + 9, "the flood")
        self.settle()
        told = self.counters()["vmce"] - before["vmce"]
        # One, and pv/pv.h, VMCA_WAITING.
        check(told == 1 + 4, f"{told} of 9 told")
        check("was killed" not in self.vm.text, "Dom0 was killed")

    def test_inside_syscall_gap(self):
        """At the hypervisor's door, where the guest's stack is in use."""
        where = symbols()
        before = self.counters()
        nmis, mces = self.seen()
        for number in range(3):
            with Debugger(self.vm) as debugger:
                debugger.run_to(where["syscall_gap_start"])
                self.vm.inject_nmi()
                self.machine_check(number)
            nmis, mces = nmis + 1, mces + 1
            self.wait_seen(nmis, mces, "the gap")
            self.settle()
        self.grew(before, 3, 3)

    def test_under_hypercalls(self):
        """NMIs as fast as they do not merge, while Dom0 is busy."""
        before = self.counters()
        nmis, mces = self.seen()
        self.vm.dom0("(dd if=/dev/zero bs=512 count=200000 | md5sum) "
                     ">/dev/null 2>&1 &")
        for number in range(60):
            self.vm.inject_nmi()
            nmis += 1
            self.wait_seen(nmis, mces, f"number {number}")
        self.grew(before, 60, 0)

    def test_dom0_survived(self):
        """Its kernel has nothing to complain of."""
        check(self.vm.dom0("echo fine").strip() == "fine", "no shell")
        bad = self.vm.dom0("dmesg | grep -E 'WARNING:|BUG:|Oops|Call Trace' "
                           "|| true")
        check(not bad.strip(), bad)
        check(not re.search(r"Panic on CPU", self.vm.text), "a panic")
