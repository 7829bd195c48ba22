# SPDX-License-Identifier: MIT
"""CPUs that hang: noticed, named with what all CPUs did, and a record left.

The only CPU of a machine is made to hang from outside: it is stopped at some
instruction of the hypervisor, and goes on in a loop, with interrupts off.  One of
several is asked to hang, by a hypercall: QEMU's stub for debuggers loses
its way now and then where there are several.
"""

import calendar
import re
import time

from gdbstub import Debugger, symbols
from suite import Suite, check, crash_records, figure, need_vigil

TIMEOUT = 2
TRIES = 6
HANG, DEAD = 7, 8               # VIGIL_PROVOKE_* (vigil/vigil_op.h)
IMAGE = 0xFFFF82D080000000      # where the hypervisor's physical 0 lies
NOTICED = r"watchdog: CPU (\d+) hangs, for (\d+) ms now; noticed by CPU (\d+)"
DUMPED = r"all-CPU dump: (\d+) of (\d+) CPUs, (\d+) us"
LEFT = r"previous boot left a black box: hypervisor panic: watchdog: "
BEGINNING = (2026, 1, 1, 0, 0, 0)
LOOP = "machine_poweroff"       # nobody needs that meanwhile


class Hangs(Suite):
    """The stub hello stays; a CPU of its machine hangs.  No cases of its own."""

    def start_stub(self, label, **more):
        """Start it, and wait until its watchdog has proved its source."""
        need_vigil()
        vm = self.boot_stub("hello", "hold", label=label, resets=True,
                            options=f"watchdog_timeout={TIMEOUT}", **more)
        vm.expect(r"watchdog: NMIs from the (.*), time-out", 30)
        self.stub_verdict(vm, "hello")
        return vm

    def hang(self, vm, place):
        """The only CPU hangs where that function begins."""
        where = symbols()
        # On a busy machine QEMU loses what it is told now and then: look, and
        # tell it again.
        for _ in range(TRIES):
            with Debugger(vm) as debugger:
                debugger.run_to(where[place], 30)
                debugger.write(where[LOOP] - IMAGE, b"\xeb\xfe")
                debugger.hang(0, where[LOOP])
            text = vm.hmp("info registers")
            if int(re.search(r"RIP=([0-9a-f]+)", text)[1], 16) == where[LOOP]:
                return
        check(False, f"it does not hang: {text}")

    def noticed(self, vm, cpu, of, answers, how=""):
        """It is named in time, the dump is whole; return who panicked.

        how: for the figures' names
        """
        vm.wait_count("all-CPU dump: ", 1)
        vm.expect(r"Panic on CPU \d+", 30, fail=None)
        line = re.search(NOTICED, vm.text)
        check(line, "the log does not say who hangs")
        check(int(line.group(1)) == cpu, f"CPU {cpu} hangs: {line.group(0)}")
        figure(f"ms until a CPU of {of} is named{how}", int(line.group(2)),
               most=2000 * TIMEOUT)
        dump = re.search(DUMPED, vm.text)
        check(dump, "no end of the dump")
        check((int(dump.group(1)), int(dump.group(2))) == (answers, of),
              dump.group(0))
        text = vm.text
        for number in range(of):
            said = re.search(rf"^\(XEN\) CPU {number}: (at|in|does) ", text, re.M)
            check(said, f"CPU {number} has no line in the dump")
        vm.expect(LEFT, 60, fail=None)
        return (int(re.search(r"Panic on CPU (\d+)", text).group(1)),
                int(dump.group(3)))


# Time stands while a debugger has stopped the machine, and so it does here.
COUNTED = ("-icount", "shift=3,sleep=off", "-rtc", "clock=vm")


class Watchdog(Hangs):
    """The only CPU hangs."""

    weight = 20

    def test_own_cpu(self):
        """CPU 0 hangs, the only one, with a lock held: its own NMI finds it."""
        vm = self.start_stub("own", extra=COUNTED)
        self.hang(vm, "lapic_timer_arm")
        who, took = self.noticed(vm, 0, 1, 1)
        check(who == 0, "another CPU panicked")
        figure("us of a dump of the only CPU", took, most=100000)
        # Who called it has not been saved yet where a function begins.
        check(re.search(r"CPU 0:    .*softirq_run\+", vm.text),
              "no backtrace through the timers")
        vm.close()

    def test_without_hpet(self):
        """The same where the 8254 is what sends NMIs."""
        vm = self.start_stub("pit", extra=(*COUNTED, "-no-hpet"))
        check("watchdog: NMIs from the 8254" in vm.text, "another source")
        self.hang(vm, "lapic_timer_arm")
        check(self.noticed(vm, 0, 1, 1, " by the 8254")[0] == 0,
              "another CPU panicked")
        vm.close()

    def test_hardware(self):
        """CPU 0 hangs in its NMI handler, the only one: hardware resets."""
        vm = self.start_stub("hardware", extra=(*COUNTED, "-device", "i6300esb"))
        check("i6300esb resets the machine after 6 s" in vm.text, "not armed")
        self.hang(vm, "watchdog_nmi")
        vm.expect(r"previous boot left a black box: unfinished", 60)
        vm.expect(r"boot: CPU 0 was in nmi in (\S+ in )*\w+ then", 30)
        vm.expect(r"it was this watchdog that reset the machine", 30)
        check("Panic on CPU" not in vm.text, "somebody panicked")
        vm.close()


class WatchdogSmp(Hangs):
    """One of several hangs: the stub `hang` asks for it."""

    weight = 20

    def provoke(self, label, smp, cpu, kind, options=""):
        """CPU @cpu, where the vcpu of that number is, hangs."""
        need_vigil()
        return self.boot_stub(
            "hang", f"cpu={cpu} kind={kind}", label=label, smp=smp, resets=True,
            options="vigil_provoke=1 dom0_vcpus_pin "
            f"watchdog_timeout={TIMEOUT} {options}",
            extra=("-accel", "tcg,thread=multi"))

    def test_other_cpu(self):
        """CPU 1 hangs: CPU 0's NMI finds it; the record is CPU 1's own."""
        vm = self.provoke("other", 2, 1, HANG)
        who, took = self.noticed(vm, 1, 2, 2)
        check(who == 1, "another CPU panicked")
        figure("us of a dump of 2 CPUs", took, most=100000)
        check("CPU 1: at hang+" in vm.text, "not where it hangs")
        check(re.search(r"CPU 1:    .*do_vigil_op\+", vm.text),
              "no backtrace to the hypercall")
        check(re.search(r"CPU 0: (at \w+\+|in d)", vm.text), "CPU 0 is where?")
        vm.close()

    def test_report(self):
        """Only reported: by a timer of CPU 0, nothing is written in an NMI."""
        vm = self.provoke("report", 2, 1, HANG, "watchdog=report")
        dump = vm.expect(DUMPED, 60, fail=None)
        line = re.search(NOTICED, vm.text)
        check(line and (line[1], line[3]) == ("1", "0"), f"{line}")
        figure("ms until a CPU is reported", int(line[2]), most=2000 * TIMEOUT)
        check("CPU 1: at hang+" in vm.text, "not where it hangs")
        # CPU 0 is where its timer was when its own NMI came.
        check(re.search(r"CPU 0:    .*heart_beats\+", vm.text), "by whom?")
        check(dump.groups()[:2] == ("2", "2"), "not all")
        check("Panic" not in vm.text and vm.running, "it is only to be reported")
        vm.close()

    def test_dead(self):
        """Of 8 CPUs number 5 hangs in an NMI, and takes no other."""
        times = []
        # Of that 80,000 are the wait for the dead one; the host may take the rest.
        while len(times) < TRIES and (not times or min(times) > 100000):
            vm = self.provoke("dead", 8, 5, DEAD)
            who, took = self.noticed(vm, 5, 8, 7)
            times.append(took)
            check(who != 5, "a dead CPU panicked")
            check("CPU 5: does not answer" in vm.text, "CPU 5 is not named")
            vm.close()
        figure("us of a dump of 8 CPUs, one dead", min(times), most=100000)


class WatchdogDom0(Hangs):
    """The same from Debian's Dom0, by `vigil debug provoke`."""

    weight = 25

    def test_record(self):
        """Who hangs is in the record that the next boot files."""
        need_vigil()
        vm = self.boot(smp=3, resets=True, options=(
            "vigil_provoke=1 dom0_max_vcpus=1-2 dom0_vcpus_pin "
            f"watchdog_timeout={TIMEOUT}"))
        # So many vcpus, each where its number says: who hangs is known.
        text = vm.dom0("xl vcpu-list 0")
        found = re.findall(r"^Domain-0 +0 +(\d) +(\S+) .* (\S+) / (\S+)\s*$",
                           text, re.M)
        check(found == [("0", "0", "0", "all"), ("1", "1", "1", "all")], text)
        vm.send("taskset -c 1 vigil debug provoke hang")
        # Linux on CPU 0 waits for the other in vain by then, and is not named.
        vm.expect(r"Panic on CPU 1", 60, fail=None)
        vm.wait_dom0(120, fail=None)
        found = crash_records(vm, "host", wait=True)
        check(len(found) == 1, f"records: {found}")
        text = vm.dom0(f"vigil crash show {found[0]['id']}")
        check("watchdog: this CPU, 1, hangs" in text, text[:600])
        log = vm.dom0("cat /var/lib/vigil/crash/*/hypervisor.txt")
        check(re.search(r"CPU 1: at hang\+.*\n.*CPU 1:    .*do_vigil_op\+", log),
              log[-1500:])
        vm.close()


class WatchdogLong(Suite):
    """A day goes by, and nobody hangs: four processors, idle and busy."""

    weight = 300
    long = True
    hours = 24

    def test_no_false_alarm(self):
        """With -icount idle time costs nothing, and each run is the same."""
        need_vigil()
        seconds = self.hours * 3600
        vm = self.boot_stub("hello", "hold", smp=4, memory="256M", wall=3000,
                            silence=3000, options="dom0_mem=64M,max:64M",
                            extra=("-icount", "shift=4,sleep=off", "-rtc",
                                   "base=2026-01-01,clock=vm"))
        vm.expect(r"watchdog: NMIs from the ", 60)
        self.stub_verdict(vm, "hello")
        deadline = vm.deadline(2400)
        while uptime(vm) < seconds:
            check(time.monotonic() < deadline,
                  f"only {uptime(vm):.0f} s have gone by")
            time.sleep(1)
        figure("hours without a false alarm", int(uptime(vm) / 3600),
               least=self.hours)
        figure("false alarms", vm.text.count("watchdog: CPU"), most=0)
        check("Panic" not in vm.text and "NMI on CPU" not in vm.text,
              "an NMI that nobody sent")
        vm.close()


def uptime(vm):
    """Return the seconds that have gone by for the machine, by its clock."""
    now = vm.qmp("qom-get", path="/machine", property="rtc-time")
    return calendar.timegm((now["tm_year"] + 1900, now["tm_mon"] + 1,
                            now["tm_mday"], now["tm_hour"], now["tm_min"],
                            now["tm_sec"])) - calendar.timegm(BEGINNING)
