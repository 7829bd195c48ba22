# SPDX-License-Identifier: MIT
"""A debugger reads the log of a machine that stands (scripts/vigil-gdb.py), and
counts what writing a record takes."""

import re
import subprocess

from gdbstub import RCX, Debugger, symbols
from suite import TOP, Suite, check, figure, hypervisor, need_vigil


class GdbScript(Suite):
    """A stub stays in the machine; gdb looks at it through QEMU."""

    weight = 5

    def setup(self):
        need_vigil()
        self.machine = self.boot_stub("hello", "hold", smp=2, memory="256M",
                                      options="dom0_mem=64M,max:64M")
        self.stub_verdict(self.machine, "hello")

    def gdb(self, *commands):
        """Return what gdb says to these, with the machine stopped."""
        path = f"{self.machine.sockets_dir}/gdb"
        self.machine.hmp(f"gdbserver unix:{path},server=on,wait=off")
        image = hypervisor()
        words = ["gdb", "-nx", "-batch", "-x", TOP / "scripts/vigil-gdb.py",
                 "-ex", f"target remote {path}"]
        for command in commands:
            words += ["-ex", command]
        done = subprocess.run(
            [*words, "-ex", "detach",
             image.with_name(image.name + "-syms")],
            capture_output=True, text=True, timeout=60, check=False)
        self.machine.hmp("gdbserver none")
        return done.stdout + done.stderr

    def test_log(self):
        """What the serial line has had is there, with time and processor."""
        text = self.gdb("vigil-log")
        said = set(re.findall(r"^\[ +\d+\.\d{6}\] cpu\d \w+(?:/\w+)?(?: guest)?: "
                              r"(.*?)\s*$", text, re.M))
        lines = [line[6:].strip() for line in self.machine.text.split("\n")
                 if line.startswith("(XEN) ")]
        missing = [line for line in lines if line and line not in said]
        check(len(lines) > 10 and not missing, f"not there: {missing}\n{text}")
        end = re.search(r"^-- (\d+) cells, (\d+) torn, (\d+) missing", text, re.M)
        check(end and int(end[1]) >= len(lines) and (end[2], end[3]) == ("0", "0"),
              text)
        check(" cpu1 " in text, "no line of the other processor")

    def test_level(self):
        text = self.gdb("vigil-log warning", "vigil-log loud")
        check(not re.search(r" (notice|info|debug)(/\w+)?(| guest): ", text), text)
        check("no level loud; give panic, error, " in text, text)

    def test_cpus(self):
        text = self.gdb("vigil-cpus")
        check(re.search(r"^cpu0: not interrupted; (domain 0 vcpu \d|idle); \d+ "
                        r"interrupts, \d+ NMIs", text, re.M), text)
        check(re.search(r"^cpu1: ", text, re.M), text)

    def test_goes_on(self):
        """The machine was looked at, and no more."""
        before = self.machine.qmp("query-status")
        check(before["status"] == "running", f"{before}")
        self.machine.inject_nmi()
        self.machine.expect(r"NMI on CPU 0", 20)


class LogCost(Suite):
    """A record of a hundred bytes is written in 600 instructions."""

    weight = 4
    most = 600
    lines = 5

    def test_record(self):
        need_vigil()
        vm = self.boot_stub("logger", "forever")
        vm.expect(r"^logger: begins", 30)
        enter, counts = symbols()["log_ring_write"], []
        with Debugger(vm) as debugger:
            for _ in range(1000):
                debugger.run_to(enter)
                length = debugger.registers()[RCX]      # its argument
                if 100 <= length < 120:
                    counts.append((debugger.count_steps(10 * self.most), length))
                    if len(counts) == self.lines:
                        break
                debugger.step()
        vm.close()
        print(f"# instructions of records (and their bytes): {counts}", flush=True)
        check(len(counts) == self.lines, f"lines of that length: {counts}")
        figure("instructions of a record of 100 bytes", max(counts)[0],
               most=self.most)
