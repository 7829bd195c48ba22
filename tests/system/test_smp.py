# SPDX-License-Identifier: MIT
"""Several processors: they start, run Dom0, flush each other, come and go."""

import itertools
import re

from suite import (SHOOTDOWNS, Suite, check, need_vigil, shootdowns,
                   wait_until)
from test_boot import BootChecks

PCPUS = "/sys/devices/system/xen_cpu"
COLUMNS = (("BIOS", "UEFI"), ("pc", "q35"), ("qemu64", "EPYC", "max"),
           (1, 2, 4, 8), ("single", "multi"))

# Each value of each column meets each of every other one in some line; but
# UEFI's own processors wait busily, so QEMU runs those with one thread.
MATRIX = [
    # firmware, machine, processor, CPUs, threads of the emulator
    ("BIOS", "pc", "qemu64", 1, "single"),
    ("UEFI", "q35", "EPYC", 1, "single"),
    ("BIOS", "q35", "max", 1, "multi"),
    ("BIOS", "q35", "qemu64", 2, "multi"),
    ("BIOS", "q35", "EPYC", 2, "multi"),
    ("UEFI", "pc", "max", 2, "single"),
    ("BIOS", "pc", "qemu64", 4, "multi"),
    ("UEFI", "pc", "EPYC", 4, "single"),
    ("BIOS", "q35", "max", 4, "single"),
    ("UEFI", "q35", "qemu64", 8, "single"),
    ("BIOS", "pc", "EPYC", 8, "multi"),
    ("BIOS", "q35", "max", 8, "multi"),
]

# Numbers that are no powers of two.  Stubs only: see Several processors in
# docs/testing.md.
ODD = [("BIOS", machine, "max", count, threads) for count in (3, 5, 6, 7)
       for machine in ("pc", "q35") for threads in ("single", "multi")]
# Each number on each machine, and with each kind of threads.
ODD_SHORT = [line for line in ODD if (line[3] in (3, 6)) ==
             ((line[1] == "pc") == (line[4] == "single"))]


def missing(matrix):
    """Return the pairs of values that no line of a matrix has."""
    wanted = {((a, x), (b, y)) for a, b in
              itertools.combinations(range(len(COLUMNS)), 2)
              for x in COLUMNS[a] for y in COLUMNS[b]}
    wanted.discard(((0, "UEFI"), (4, "multi")))
    for line in matrix:
        wanted -= set(itertools.combinations(enumerate(line), 2))
    return wanted


def costs(text):
    """Yield what stub `flush` has printed of each count: how many vcpus ran,
    flushes, by which way, shootdowns, interrupts."""
    for found in re.finditer(
            r"from here (\d+) of \d+ vcpus run, (\d+) by (\w+)"
            rf"(?:.|\n)*?{SHOOTDOWNS}(?:.|\n)*?{SHOOTDOWNS}", text):
        yield (int(found[1]), int(found[2]), found[3],
               int(found[7]) - int(found[4]), int(found[8]) - int(found[5]))


class SmpBoot(Suite):
    """A stub as Dom0, on all processors, on each kind of machine."""

    weight = 60
    odd = ODD_SHORT

    def setup(self):
        need_vigil()
        check(not missing(MATRIX), f"the matrix lacks {missing(MATRIX)}")

    def one(self, firmware, machine, cpu, count, threads):
        more = {"cpu": cpu, "smp": count, "machine": machine, "wall": 600,
                "extra": ("-accel", f"tcg,thread={threads}")}
        label = f"{firmware}-{machine}-{cpu}-{count}-{threads}"
        # With one there is nothing to flush.
        stub, line = ("flush", "n=1 load=50") if count > 1 else ("hello", "")
        if firmware == "UEFI":
            vm = self.boot_iso(label, stub=stub, stub_line=line, uefi=True,
                               wait=False, **more)
        else:
            vm = self.boot_stub(stub, line, label=label, **more)
        try:
            vm.expect(rf"cpu: {count} of {count} processors online", 60)
            vm.expect(rf"Dom0: .* {count} vcpu", 30)
            self.stub_verdict(vm, stub, 180)
            check(("dev: EFI v" in vm.text) == (firmware == "UEFI"),
                  f"{label}: this is not the firmware that was asked for")
            self.checked_itself(vm.text, count)
            if count > 1:
                self.ran_on_all(vm.text, count)
        finally:
            vm.close()

    def checked_itself(self, text, count):
        """Each has tried its protections, and has the same ones."""
        said = dict(re.findall(r"cpu (\d+): self-check: (.*?)\s*$", text, re.M))
        check(set(said) == {str(cpu) for cpu in range(count)},
              f"of {count} processors these have checked themselves: {said}")
        check(len(set(said.values())) == 1 and
              said["0"].startswith("NX WP W^X "), f"they differ: {said}")

    def ran_on_all(self, text, count):
        """A flush has interrupted all others: a vcpu ran on each of them."""
        seen = [(way, done, asked) for run, _, way, done, asked in costs(text)
                if run == count]
        check(seen == [(way, 1, count - 1) for way in ("all", "multi", "mapping")],
              f"(way, shootdowns, interrupts) with {count} vcpus: {seen}")

    def test_matrix(self):
        """Every processor is online before Dom0 runs, and then runs a vcpu."""
        for line in MATRIX:
            self.one(*line)

    def test_odd(self):
        """3, 5, 6 and 7 of them, too."""
        check(len(ODD_SHORT) == 8, f"these: {ODD_SHORT}")
        for line in self.odd:
            self.one(*line)

    def test_maxcpus(self):
        """maxcpus= and dom0_max_vcpus= say how many."""
        vm = self.boot_stub("hello", options="maxcpus=2 dom0_max_vcpus=1",
                            label="maxcpus", smp=4)
        vm.expect(r"cpu: 2 of 4 processors online", 60)
        vm.expect(r"Dom0: .* 1 vcpu", 30)
        vm.expect(r"STUB hello: SUCCESS", 60)
        vm.close()


class SmpBootLong(SmpBoot):
    """Each number on each machine, with each kind of threads."""

    long = True
    odd = ODD
    test_matrix = test_maxcpus = None


class BootMatrix(BootChecks):
    """Debian's kernel as Dom0 on each line of the matrix."""

    long = True
    weight = 600

    def setup(self):
        need_vigil()

    def line(self, firmware, machine, cpu, count, _):
        """To the shell, with a clean log; all processors; and off."""
        boot = self.boot_iso if firmware == "UEFI" else self.boot
        vm = boot(f"{firmware}-{machine}-{cpu}-{count}", cpu=cpu, smp=count,
                  machine=machine, **({"uefi": True} if firmware == "UEFI"
                                      else {}))
        check(vm.dom0("nproc").strip() == str(count),
              f"Dom0 has not {count} processors")
        _, text = vm.dom0_cmd("ls -d /sys/firmware/efi")
        check(text.startswith("/sys") == (firmware == "UEFI"),
              f"{firmware}, but Dom0 says {text}")
        self.is_control_domain()
        self.log_is_clean()
        vm.send("poweroff -f")
        vm.wait_exit(60)
        vm.close()


def add_cases():
    """One case for each line, so that all are tried when one fails."""
    for line in MATRIX:
        def case(self, line=line):
            self.line(*line)
        name = "_".join(str(word) for word in line[:4]).lower()
        setattr(BootMatrix, f"test_{name}", case)


add_cases()


class IdleTimes(Suite):
    """The stub `idle`: what each processor had not to do."""

    weight = 6

    def one(self, count, threads):
        """With a thread of the emulator for each processor, or one for all."""
        need_vigil()
        vm = self.boot_stub("idle", label=threads, smp=count,
                            extra=("-accel", f"tcg,thread={threads}"))
        self.stub_verdict(vm, "idle", 120)
        vm.close()

    def test_threads(self):
        """On three threads."""
        self.one(3, "multi")

    def test_one_thread(self):
        """Four processors, one after the other."""
        self.one(4, "single")


class Race(Suite):
    """The stub `race`: grants, ports, page tables that others take away."""

    weight = 30

    def race(self, threads, count):
        """The emulator has a thread for each processor, or one for all."""
        need_vigil()
        vm = self.boot_stub("race", label=threads, smp=count, cpu="max",
                            wall=900, extra=("-accel", f"tcg,thread={threads}"))
        self.stub_verdict(vm, "race", 300)
        vm.close()

    def test_threads(self):
        """At the same moment; few of them, or they wait for the machine's own."""
        self.race("multi", 3)

    def test_one_thread(self):
        """One after the other, interrupted anywhere."""
        self.race("single", 4)


class Storm(Suite):
    """The stub `storm`: pins change 1,000 times a second, vcpus sleep and wake."""

    weight = 15
    seconds = 3
    slower = None   # than the clock, at most: a busy machine keeps no rate

    def one(self, line, threads):
        """Start it with a thread for each processor, or one for all."""
        need_vigil()
        return self.boot_stub("storm", line, label=f"{threads}-{line}", smp=4,
                              wall=900, extra=("-accel", f"tcg,thread={threads}"))

    def storm(self, threads):
        """No wake-up is lost, no time goes back, all run times add up."""
        vm = self.one(f"ms={self.seconds * 1000}", threads)
        text = self.stub_verdict(vm, "storm", 120 + 10 * self.seconds)
        found = re.search(r"(\d+) pins of each of 3 vcpus in (\d+) ms \(asked: "
                          r"\d+\), \d+ sleeps, 0 lost, at worst \d+ us late",
                          text)
        check(found, text)
        pins, took = int(found[1]), int(found[2])
        check(pins >= 1000 * self.seconds, text)
        check(took >= 1000 * self.seconds, f"less time than was asked for: {text}")
        check(self.slower is None or took <= 1000 * self.seconds * self.slower,
              f"it did not keep up with its pins: {text}")
        vm.close()

    def test_threads(self):
        """On four threads."""
        self.storm("multi")

    def test_one_thread(self):
        """On one, which goes from processor to processor."""
        self.storm("single")

    def test_one_processor(self):
        """Four vcpus on one, where time is counted: no wake-up is late."""
        need_vigil()
        vm = self.boot_stub("storm", f"ms={self.seconds * 1000} worst=20000",
                            options="dom0_max_vcpus=4", label="one", wall=900,
                            extra=("-icount", "shift=4,sleep=off"))
        self.stub_verdict(vm, "storm", 120 + 10 * self.seconds)
        vm.close()

    def test_one_tick(self):
        """A clock that is 1 ns late on one vcpu is found."""
        vm = self.one("ms=300 skew=1", "multi")
        vm.expect(r"storm: FAILURE: (time went back|\d+ times two vcpus' clocks "
                  r"differed)", 120, fail=r"Panic on CPU \d")
        vm.expect(r"STUB storm: FAILURE", 30, fail=r"Panic on CPU \d")
        vm.close()


class StormLong(Storm):
    """Half a minute of it."""

    long = True
    weight = 180
    seconds = 30
    slower = 1.1


class Shootdowns(Suite):
    """The stub `flush`: what a shootdown costs, and that it works under load."""

    weight = 14
    load = 1000
    slow = 10

    def flush(self, smp, line, threads):
        """Return what it printed, after its verdict."""
        need_vigil()
        vm = self.boot_stub("flush", line, label=f"{threads}-{smp}", smp=smp,
                            wall=1800, extra=("-accel", f"tcg,thread={threads}"))
        self.stub_verdict(vm, "flush", 1200)
        vm.close()
        return vm.text

    def test_cost(self):
        """As many interrupts as other vcpus run, on 8 processors and on 4."""
        seen = set()
        for smp in (8, 4):
            text = self.flush(smp, "n=50 load=50", "single")
            for run, times, way, done, asked in costs(text):
                what = (f"{times} flushes by {way}, {run} of {smp} vcpus "
                        f"run: {done} shootdowns, {asked} interrupts")
                check(asked == times * (run - 1), what)
                check(done == (times if run > 1 else 0), what)
                seen.add((smp, run, way))
        check(len(seen) == 3 * (4 + 3), f"not all were counted: {seen}")

    def loaded(self, threads):
        """All flush each other, and nobody sees a page that has gone."""
        text = self.flush(4, f"n=10 load={self.load}", threads)
        found = re.search(rf"flush: load: (\d+) flushes(?:.|\n)*?{SHOOTDOWNS}", text)
        check(found and int(found[1]) == self.load, "the load was not counted")
        check(int(found[2]) >= self.load, found[0])
        # An interrupt that is lost is waited for without end.  For a second: a
        # busy machine may not run one of the emulator's threads for so long.
        check(int(found[4]) <= self.slow, f"somebody waited for a second: {found[0]}")

    def test_load(self):
        """Four threads."""
        self.loaded("multi")

    def test_load_one_thread(self):
        """One thread."""
        self.loaded("single")


class ShootdownsLong(Shootdowns):
    """Ten thousand of them."""

    long = True
    weight = 300
    load = 10000
    slow = 0    # on an idle machine


class SmpDom0(Suite):
    """Debian's kernel on four processors, all of them its own."""

    weight = 60

    def setup(self):
        need_vigil()
        self.boot(smp="4,sockets=2,cores=1,threads=2", cpu="EPYC",
                  options="nmi_cpu=3")

    def test_cpus(self):
        """Linux and the tools see four."""
        vm = self.vm
        check(vm.dom0("nproc").strip() == "4", "Dom0 has not 4 processors")
        text = vm.dom0("xl info")
        check(re.search(r"^nr_cpus\s*: 4$", text, re.M), text)
        text = vm.dom0("xl vcpu-list 0")
        check(len(re.findall(r"^Domain-0\s", text, re.M)) == 4, text)

    def test_topology(self):
        """Who shares a core and a socket with whom."""
        vm = self.vm
        text = vm.dom0("xl info -n")
        for line in (r"cores_per_socket\s*: 1", r"threads_per_core\s*: 2",
                     r"\s*0:\s+0\s+0\s+0", r"\s*1:\s+0\s+0\s+0",
                     r"\s*2:\s+0\s+1\s+0", r"\s*3:\s+0\s+1\s+0"):
            check(re.search(rf"^{line}$", text, re.M), f"no /{line}/ in {text}")

    def test_shootdowns(self):
        """Pages are taken from threads on all processors, again and again."""
        vm = self.vm
        vm.dom0("for i in 1 2 3 4; do (for j in $(seq 40); do "
                "cat /proc/self/maps | gzip -c | gunzip -c >/dev/null; done) & "
                "done; wait", 180)
        done, asked, slow = shootdowns(vm)
        check(done >= 10000, f"{done} shootdowns, {asked} interrupts")
        check(slow == 0, f"{slow} of {done} waited for a second")

    def test_pins(self):
        """A vcpu that is moved all the time loses no wake-up."""
        vm = self.vm
        vm.dom0("(for i in $(seq 40); do sleep 0.01; done; echo ok >/tmp/slept)"
                " & for i in $(seq 12); do for c in 0 1 2 3; do "
                "xl vcpu-pin 0 all $c || exit 1; done; done; "
                "xl vcpu-pin 0 all all; wait; cat /tmp/slept", 180)
        check(vm.dom0("cat /tmp/slept").strip() == "ok", "a sleep did not end")

    def test_offline(self):
        """A processor leaves by xen-hptool and comes back, twice."""
        vm = self.vm
        for _ in range(2):
            text = vm.dom0("xen-hptool cpu-offline 3; xl dmesg | tail -n 2")
            check("cpu: CPU 3 is offline" in text, text)
            check(re.search(r"^nr_cpus\s*: 3$", vm.dom0("xl info"), re.M),
                  "xl info still counts it")
            # Dom0's kernel has been told, too.
            wait_until(vm, f"grep -q 0 {PCPUS}/xen_cpu3/online")
            vm.dom0("xen-hptool cpu-online 3", 60)
            check(re.search(r"^nr_cpus\s*: 4$", vm.dom0("xl info"), re.M),
                  "xl info does not count it again")
            wait_until(vm, f"grep -q 1 {PCPUS}/xen_cpu3/online")
        seen = vm.text.count("NMI on CPU 0: ")
        vm.inject_nmi()
        vm.wait_count("NMI on CPU 0: ", seen + 1)
        check("NMI on CPU 3: " not in vm.text, "CPU 3 has kept the NMI line")
        rc, text = vm.dom0_cmd("xen-hptool cpu-offline 0")
        check(rc != 0, f"the first processor went offline: {text}")

    def test_smt(self):
        """Second threads go and come; the first of each core stays, and one
        thread does not come back alone."""
        vm = self.vm
        for _ in range(2):
            text = vm.dom0("xen-hptool smt-disable", 60)
            check("Disabled SMT" in text, text)
            text = vm.dom0("xl info")
            check(re.search(r"^nr_cpus\s*: 2$", text, re.M) and
                  re.search(r"^threads_per_core\s*: 1$", text, re.M), text)
            for cpu, there in enumerate("1010"):
                if cpu:
                    wait_until(vm, f"grep -q {there} {PCPUS}/xen_cpu{cpu}/online")
            rc, text = vm.dom0_cmd("xen-hptool cpu-online 1")
            check(rc != 0 and "Operation not permitted" in text, text)
            text = vm.dom0("xen-hptool smt-enable", 60)
            check("Enabled SMT" in text, text)
            text = vm.dom0("xl info")
            check(re.search(r"^nr_cpus\s*: 4$", text, re.M) and
                  re.search(r"^threads_per_core\s*: 2$", text, re.M), text)
            wait_until(vm, f"grep -q 1 {PCPUS}/xen_cpu3/online")

    def test_comes_and_goes(self):
        """Processors leave while others ask for their flushes."""
        text = self.vm.dom0(
            "touch /tmp/busy; for i in 1 2 3; do (while [ -e /tmp/busy ]; do "
            "cat /proc/self/maps | gzip -c >/dev/null; done) & done; "
            "for i in $(seq 8); do for c in 3 2; do "
            "xen-hptool cpu-offline $c >/dev/null || echo stays $c; done; "
            "for c in 3 2; do xen-hptool cpu-online $c >/dev/null || "
            "echo gone $c; done; done; rm /tmp/busy; wait; xl info", 180)
        check("stays" not in text and "gone" not in text, text)
        check(re.search(r"^nr_cpus\s*: 4$", text, re.M), text)

    def test_sysfs(self):
        """Dom0's kernel shows processors, and takes one away."""
        vm = self.vm
        text = vm.dom0(f"ls {PCPUS}")
        check("xen_cpu3" in text, text)
        text = vm.dom0(f"echo 0 > {PCPUS}/xen_cpu2/online; xl dmesg | tail -n 2")
        check("cpu: CPU 2 is offline" in text, text)
        # It does not believe its own request: it asks when it is told.
        wait_until(vm, f"grep -q 0 {PCPUS}/xen_cpu2/online")
        vm.dom0(f"echo 1 > {PCPUS}/xen_cpu2/online", 60)
        wait_until(vm, f"grep -q 1 {PCPUS}/xen_cpu2/online")
        check(re.search(r"^nr_cpus\s*: 4$", vm.dom0("xl info"), re.M),
              "it did not come back")
