# SPDX-License-Identifier: MIT
"""CPUs that hang: noticed, named with what all CPUs did, and a record left.

A CPU is made to hang from outside: it is stopped at some instruction of the
hypervisor, and goes on in a loop, with interrupts off.
"""

import re

from gdbstub import Debugger, symbols
from suite import Suite, check, need_vigil

TIMEOUT = 2
IMAGE = 0xFFFF82D080000000      # where the hypervisor's physical 0 lies
NOTICED = r"watchdog: CPU (\d+) hangs, for (\d+) ms now; noticed by CPU (\d+)"
DUMPED = r"all-CPU dump: (\d+) of (\d+) CPUs, (\d+) us"
LEFT = r"previous boot left a black box: hypervisor panic: watchdog: "
LOOP = "machine_poweroff"       # nobody needs that meanwhile


class Watchdog(Suite):
    """The stub hello stays; a CPU of its machine hangs."""

    weight = 40

    def start_stub(self, label, smp, options="", wait=True, **more):
        """Start it, and wait until its watchdog has proved its source."""
        need_vigil()
        vm = self.boot_stub(
            "hello", "hold", label=label, smp=smp, resets=True,
            options=f"watchdog_timeout={TIMEOUT} {options}",
            extra=("-accel", "tcg,thread=multi"), **more)
        if wait:
            vm.expect(r"watchdog: NMIs from the (.*), time-out", 30)
        self.stub_verdict(vm, "hello")
        return vm

    def hang(self, debugger, cpu, place, seconds=30):
        """It hangs where that function begins, the others go on."""
        where = symbols()
        debugger.run_cpu_to(where[place], cpu, seconds)
        debugger.write(where[LOOP] - IMAGE, b"\xeb\xfe")
        debugger.hang(cpu, where[LOOP])

    def noticed(self, vm, cpu, of, answers):
        """It is named in time, the dump is whole; return who panicked."""
        vm.expect(NOTICED, 30, fail=None)
        line = re.search(NOTICED, vm.text)
        check(int(line.group(1)) == cpu, f"CPU {cpu} hangs: {line.group(0)}")
        check(int(line.group(2)) <= 2000 * TIMEOUT, line.group(0))
        vm.expect(DUMPED, 30, fail=None)
        dump = re.search(DUMPED, vm.text)
        check((int(dump.group(1)), int(dump.group(2))) == (answers, of),
              dump.group(0))
        check(int(dump.group(3)) <= 100000, f"too slow: {dump.group(0)}")
        vm.expect(r"Panic on CPU \d+", 30, fail=None)
        text = vm.text
        for number in range(of):
            said = re.search(rf"CPU {number}: (.*)", text[line.start():])
            check(said, f"CPU {number} has no line in the dump")
        vm.expect(LEFT, 60, fail=None)
        return int(re.search(r"Panic on CPU (\d+)", text).group(1))

    def test_other_cpu(self):
        """CPU 1 hangs: CPU 0's NMI finds it; the record is CPU 1's own."""
        vm = self.start_stub("other", 2)
        with Debugger(vm) as debugger:
            self.hang(debugger, 1, "heart_beats")
        check(self.noticed(vm, 1, 2, 2) == 1, "another CPU panicked")
        check(f"CPU 1: at {LOOP}+0" in vm.text, "not where it hangs")
        check(re.search(r"CPU 0: (at \w+\+|in d)", vm.text), "CPU 0 is where?")
        vm.close()

    def test_own_cpu(self):
        """CPU 0 hangs, the only one, with a lock held: its own NMI finds it."""
        vm = self.start_stub("own", 1)
        with Debugger(vm) as debugger:
            self.hang(debugger, 0, "lapic_timer_arm")
        check(self.noticed(vm, 0, 1, 1) == 0, "another CPU panicked")
        check("timer_set+" in vm.text or "timer_run+" in vm.text,
              "no backtrace through the timers")
        vm.close()

    def test_dead(self):
        """Of 8 CPUs number 5 hangs, and where its NMI comes once more."""
        vm = self.start_stub("dead", 8)
        with Debugger(vm) as debugger:
            self.hang(debugger, 5, "heart_beats")
            self.hang(debugger, 5, "dump_if_asked")
        check(self.noticed(vm, 5, 8, 7) != 5, "a dead CPU panicked")
        check("CPU 5: does not answer" in vm.text, "CPU 5 is not named")
        vm.close()
