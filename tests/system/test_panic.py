# SPDX-License-Identifier: MIT
"""The end of a crash: what is in the black box by when, and the reset in time."""

import re
import time

import boxview
from boxview import boxes, left
from gdbstub import Debugger, symbols
from suite import Suite, check, figure, need_vigil
from test_churn import COUNTED

NONE = 0xffffffff                   # SHOT_NONE: no NMI comes
DEAD = 8                            # VIGIL_PROVOKE_DEAD (vigil/vigil_op.h)
SIZE = 128 << 20
OPTIONS = "vigil_provoke=1 watchdog=no dom0_mem=48M,max:48M"
THREADS = ("-accel", "tcg,thread=multi")
PROVOKED = "provoked by the control domain"
LEFT = rf"previous boot left a black box: hypervisor panic: {PROVOKED}"
# Its own door for NMIs has no word for them.
IN_HYPERVISOR = 0


class PanicBox(Suite):
    """One processor, and each instruction is a nanosecond."""

    weight = 10

    def machine(self, label):
        """The stub that asks for a panic at once."""
        need_vigil()
        return self.boot_stub("sweep", f"panic from={NONE}", label=label, memory="128M",
                              resets=True, options=f"{OPTIONS} dom0_max_vcpus=1",
                              extra=(*COUNTED, "-global", "hpet.msi=on"))

    def test_instructions(self):
        """From the first store of a crash to the first line it prints."""
        vm = self.machine("count")
        vm.expect(LEFT, 60, fail=None)
        box = left(vm, SIZE)
        check(abs(box.tsc_khz - 1000000) < 10, f"{box.tsc_khz} kHz")
        first = next(tsc for tsc, text in box.records()
                     if tsc > box.tsc and text.startswith("***"))
        figure("instructions from a panic to the box being complete",
               first - box.tsc, most=20000)
        sealed = next(tsc for tsc, text in box.records() if "Resetting" in text)
        print(f"# {sealed - box.tsc} until it is sealed")
        vm.close()

    def test_reset_before_its_first_line(self):
        """A reset just before that: what matters is there all the same."""
        vm = self.machine("early")
        where = symbols()
        vm.expect(r"^sweep: panic, NMI after", 60, fail=None)
        with Debugger(vm) as debugger:
            debugger.run_to(where["backtrace_keep"], 60)
            line = debugger.count_steps(3000)
            debugger.run_to(where["log_emergency"], 60)
            box = boxes(vm, SIZE)[-1]
            vm.hmp("system_reset")
        figure("instructions of a line of its backtrace", line, most=1250)
        check((box.state, box.stage) == (boxview.WRITING, boxview.QUIET),
              f"state {box.state}, stage {box.stage}")
        check(box.reason == PROVOKED, f"reason '{box.reason}'")
        check(box.cpus() == {0: (boxview.DIED, 0, box.rip())}, f"{box.cpus()}")
        trace = box.text(boxview.BACKTRACE)
        check(re.match(rf" +\[<{box.rip():016x}>\] provoke_failure\+", trace),
              f"it failed elsewhere: {trace}")
        check(re.search(r"\] do_vigil_op\+.*\n.*\] \w+\+", trace),
              f"no backtrace: {trace}")
        check(PROVOKED not in vm.text, "it had printed something")
        vm.expect(LEFT, 60, fail=None)
        vm.close()


class PanicSmp(Suite):
    """One of several is dead when another panics."""

    weight = 15

    def machine(self, label, line, smp=4, options="", extra=THREADS):
        """Processor 2 is dead, or the first; another panics after that."""
        need_vigil()
        return self.boot_stub(
            "hang", f"panic kind={DEAD} {line}", label=label, smp=smp,
            memory="128M", resets=True,
            options=f"{OPTIONS} dom0_vcpus_pin {options}", extra=extra)

    def test_in_time(self):
        """The dead one gets INIT, and the reset comes within a second."""
        # By the machine's clock: its host may be busy.
        vm = self.machine("time", "cpu=2", extra=("-icount", "shift=6,sleep=off"))
        vm.expect(r"CPU 2 did not stop, in: hypervisor; it was sent INIT$",
                  60, fail=None)
        vm.expect(LEFT, 60, fail=None)
        box = left(vm, SIZE)
        states = {cpu: what[:2] for cpu, what in box.cpus().items()}
        check(states.pop(2) == (boxview.INIT, IN_HYPERVISOR), f"CPU 2: {box.cpus()}")
        check(states.pop(box.cpu)[0] == boxview.DIED, f"{box.cpus()}")
        check([what[0] for what in states.values()] == 2 * [boxview.STOPPED],
              f"the others: {box.cpus()}")
        last = max(tsc for tsc, text in box.records()
                   if text.startswith("Reset by "))
        figure("ms from a panic to the reset, one CPU dead",
               (last - box.tsc) // box.tsc_khz, most=1000)
        vm.close()

    def test_waits_for_startup(self):
        """It stands where INIT has put it, and nowhere else."""
        vm = self.machine("init", "cpu=2", options="noreboot")
        vm.expect(r"Halted: the option noreboot was given", 60, fail=None)
        # It says so before it stands.
        deadline = vm.deadline(10)
        while ((text := vm.hmp("info registers -a")).count("HLT=1") < 4
               and time.monotonic() < deadline):
            time.sleep(0.1)
        cpus = re.split(r"CPU#(\d+)", text)[1:]
        state = dict(zip(map(int, cpus[::2]), cpus[1::2]))
        check(len(state) == 4, text)
        for cpu, regs in state.items():
            in_reset = (re.search(r"[ER]IP=0*fff0 ", regs)
                        and re.search(r"CS =f000 ", regs))
            check(bool(in_reset) == (cpu == 2) and "HLT=1" in regs,
                  f"CPU {cpu}: {regs[:600]}")
        vm.hmp("system_reset")
        vm.expect(LEFT, 60, fail=None)
        vm.close()

    def test_first_is_dead(self):
        """INIT would have the first start the firmware: it is left alone."""
        vm = self.machine("first", "cpu=1 swap", smp=2)
        vm.expect(r"CPU 0 did not stop, in: hypervisor$", 60, fail=None)
        vm.expect(LEFT, 60, fail=None)
        box = left(vm, SIZE)
        check(box.cpus()[0][:2] == (boxview.SILENT, IN_HYPERVISOR), f"{box.cpus()}")
        check(box.cpus()[1][0] == boxview.DIED, f"{box.cpus()}")
        vm.close()
