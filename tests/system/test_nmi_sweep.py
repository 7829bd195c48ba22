# SPDX-License-Identifier: MIT
"""An NMI between any two instructions: counted once, told once, no harm done.

The stub `sweep` puts them there, to the instruction, and looks at what becomes
of the operation; QEMU's log tells where each was taken, and that none was lost
before the hypervisor saw it.  To repeat a step that failed: the command line
of the stub with the words of the failure (docs/nmi.md).
"""

import re
import subprocess
import time
from collections import Counter

from gdbstub import symbols
from intlog import IntLog
from suite import BUILD, Suite, check, figure, hypervisor, need_vigil
from test_churn import COUNTED

END = re.compile(r"^sweep: end (\S+) length=(\d+) shots=(\d+) nmis=(\d+) "
                 r"lost=(\d+) doubled=(\d+) damaged=(\d+) told=(\d+) "
                 r"late=(\d+) worst=(\d+) mcs=(\d+)\r?$", re.M)
BLOCKED = 1000              # instructions of an NMI, at most
# With `watched`: at the begin, and behind each path.
WATCHDOG = re.compile(r"^sweep: watchdog (\S+) nmis=(\d+) inside=(\d+) "
                      r"ontop=(\d+) merged=(\d+)\r?$", re.M)
# A step that has fewer of its own than it sent; of all NMIs, which were in it.
MERGED = re.compile(r"^sweep: merged (\S+ pass=\d+ step=\d+) missing=(\d+) "
                    r"nmis=(\d+) to (\d+), apart=\d+\r?$", re.M)
AWAY = re.compile(r"^sweep: (\d+) told on CPU \d, away from home\r?$", re.M)
SENT = re.compile(r"^sweep: sent steps=(\d+) wrong=(\d+) length=(\d+) "
                  r"told=(\d+) there=(\d+)\r?$", re.M)
RUNS = 3                    # of an operation before each pass, without one
MOVING = 6000               # instructions to Dom0's handler, beside a move's own
# Some come 30,000 instructions after the one before: no storm, here.
QUIET = ("loglvl=error guest_loglvl=none dom0_mem=64M,max:64M "
         "nmi_ratelimit=0")
# The watchdog's own are not those that are counted; here four come each second.
NO_WATCHDOG = "watchdog=no"
FAST_WATCHDOG = "watchdog_timeout=1"

# Where the paths come into the hypervisor: symbol, bytes behind it.  16 bytes
# for each vector's door.  Not those behind an NMI alone (0xf1): how long its
# line for the log takes differs a little, and a step may miss one.
DOORS = [("syscall_stub_base", 0), ("guest_iretq_failed", 0),
         *[("entry_stub_base", 16 * vector)
           for vector in (3, 6, 13, 14, 0xf0)]]


def hostile_words():
    """Return what a hostile guest knows of the hypervisor, for the stub.

    Whose stacks it names: those of the processor it runs on.
    """
    where = symbols()
    names = {"block": "bsp_block", "gap": "syscall_gap_start", "hlt": "idle_hlt",
             "iret": "guest_iretq"}
    return " ".join(f"{key}={where[name]:#x}" for key, name in names.items())


def entry_instructions(doors=DOORS, image=None):
    """Return {address: text} of entry code that runs whatever the options are.

    From the doors along every branch, by the program as it is linked: there each
    piece that boot may switch on is jumped over.
    """
    image = image or hypervisor()
    where = symbols(image)
    text = subprocess.run(
        ["objdump", "-d", "--no-show-raw-insn",
         f"--start-address={where['__entry_text_start']:#x}",
         f"--stop-address={where['__entry_text_end']:#x}",
         image.with_name(image.name + "-syms")],
        check=True, capture_output=True, text=True).stdout
    lines = re.findall(r"^([0-9a-f]+):\t(\S+) *([0-9a-f]*)(.*)$", text, re.M)
    code = {int(at, 16): (op, target, f"{op} {target}{more}")
            for at, op, target, more in lines}
    order = sorted(code)
    after = dict(zip(order, order[1:]))
    found, todo = {}, [where[name] + more for name, more in doors]
    while todo:
        at = todo.pop()
        if at in found or at not in code:
            continue
        op, target, found[at] = code[at]
        if op.startswith("j") or op == "call":
            todo += [int(target, 16)] if target else []
        if op not in ("jmp", "ret", "iretq", "int3", "ud2"):
            todo.append(after.get(at))
    return found


def run_sweep(suite, log, line, options, *, label="sweep", cpu="qemu64", smp=1,
              limit=None, silence=None, driver=None):
    """Run the stub to its end, with a driver beside it if one is given.

    Return: the machine, what its verdict said, seconds.
    """
    limit = limit or suite.limit
    vm = suite.boot_stub("sweep", line, label=label, memory="128M", cpu=cpu, smp=smp,
                         options=options, wall=limit + 300, silence=silence or limit,
                         filed=True,
                         extra=(*COUNTED, "-global", "hpet.msi=on", *log.options,
                                *(driver.options if driver else ())))
    if driver:
        driver.start(vm)
    began = time.monotonic()
    said = suite.stub_verdict(vm, "sweep", limit)
    took = time.monotonic() - began
    if vm.running:
        vm.expect_end(r"halt|power", 15)
    vm.close()
    if driver:
        driver.close()
        check(not driver.refused, f"QEMU: {driver.refused}")
    return vm, said, took


class NmiSweep(Suite):
    """Each path through the hypervisor, every instruction."""

    weight = 140
    limit = 300
    passes = 3
    # Name, options for the hypervisor, which processor, how many, which paths;
    # `passes=` there comes before the suite's.
    machines = (("default", "", "qemu64", 1, ""),
                ("two", "dom0_vcpus_pin=1", "qemu64", 2, "ipi"),
                ("moving", "dom0_vcpus_pin=1", "qemu64", 2,
                 "passes=1 by=3 move move-there"),
                ("watched", "", "qemu64", 1, "passes=1 by=7 watched"),
                ("ignored", "nmi=ignore", "qemu64", 1, "untold kernel-rsp"))
    at_least = 200000
    sent_by = 7             # instructions between two of test_sent()
    met_at_least = 3000     # NMIs of the watchdog's, inside and on top of others

    def setup(self):
        need_vigil()
        self.places = {}    # where the hypervisor was interrupted, by machine
        self.total = self.bad = 0
        self.met = Counter()

    def sweep(self, label, options, cpu, cpus, paths):
        """Run it.  Return: {path: (numbers said, [(cpl, rip), ...])}."""
        watched = "watched" in paths.split()
        log = IntLog(BUILD / f"test/{type(self).__name__}-{label}.int", sent=watched)
        watchdog = FAST_WATCHDOG if watched else NO_WATCHDOG
        passes = self.passes_of(paths)
        vm, said, _ = run_sweep(
            self, log, f"{paths} passes={self.passes} {hostile_words()}",
            f"{QUIET} {watchdog} dom0_max_vcpus={cpus} {options}",
            label=label, cpu=cpu, smp=cpus)
        nmis = log.nmis()
        others = self.watchdogs(vm.text)
        before = others.pop("begin", 0)     # none of the stub's
        found, at = {}, 0
        for name, *numbers in END.findall(vm.text):
            length, shots, count, *bad, told, late, worst, _ = map(int, numbers)
            self.bad += sum(bad)
            check(not any(bad), f"{name}: {bad} lost, doubled, damaged")
            first = at + before
            before += others.get(name, 0)
            at += count
            found[name] = (length, shots, (told, late, worst),
                           nmis[first:at + before])
        if watched:
            self.merged(vm.text, log.merges())
        if "write" in found:
            self.written(vm.text, found["write"][1], passes)
        if "watch" in found:
            self.watched(log.debugs(), found["watch"][1], passes)
        # At the end the others are stopped, by an NMI for each.
        check(at + before + cpus - 1 == len(nmis),
              f"QEMU delivered {len(nmis)} to {cpus}, the stub took {at}, "
              f"the watchdog {before}")
        check(said.startswith(f"{at} "), f"{at} NMIs, but '{said}'")
        if "move" in found:
            figure("virtual NMIs told away from home",
                   sum(map(int, AWAY.findall(vm.text))), least=1000)
        return found

    def passes_of(self, paths):
        """Of a machine with these words on the stub's command line."""
        found = re.search(r"\bpasses=(\d+)", paths)
        return int(found[1]) if found else self.passes

    def watchdogs(self, text):
        """Note what became of the watchdog's NMIs.  Return: {path: so many}."""
        found = {}
        for name, *numbers in WATCHDOG.findall(text):
            nmis, inside, on_top, merged = map(int, numbers)
            found[name] = nmis
            self.met += Counter(nmis=nmis, inside=inside, on_top=on_top,
                                merged=merged)
            print(f"# {name:14} the watchdog's: {nmis}, in the operation {inside}, "
                  f"near another {on_top}, merged {merged}", flush=True)
        return found

    def merged(self, text, merges):
        """Each NMI that is missing in a step came in while another one waited.

        merges: of each of those, by QEMU's log, how many were taken before
        """
        explained = 0
        for step, *numbers in MERGED.findall(text):
            missing, first, last = map(int, numbers)
            here = sum(first <= at < last for at in merges)
            check(here == missing, f"{step}: {missing} missing, {here} merged")
            explained += here
        check(explained == len(merges),
              f"{len(merges)} merged, but in the steps {explained}")

    def written(self, text, shots, passes):
        """What the path `write` has the log writer write is there, and whole."""
        lines = [line.strip() for line in text.split("\n") if "~" in line]
        check(set(lines) == {"~" * 7}, f"torn: {set(lines)}")
        # A few more, to learn how long it takes.
        more = len(lines) - shots
        check(more == RUNS * passes, f"{more} lines more than {shots} steps")

    def watched(self, debugs, shots, passes):
        """The path `watch`: the hypervisor's accesses are one #DB in each call."""
        ours = [rip for cpl, rip in debugs if cpl == 0]
        check(len(set(ours)) == 1, f"#DBs at {[hex(rip) for rip in set(ours)]}")
        wanted = shots + RUNS * passes
        check(len(ours) == wanted, f"{len(ours)} #DBs of {wanted} calls")

    def test_paths(self):
        """Nothing lost, nothing twice, nothing damaged; a line for each path."""
        late = 0
        for label, *machine in self.machines:
            found = self.sweep(label, *machine)
            lines = [f"# {label:14} {'length':>7} {'steps':>7} {'NMIs':>7} "
                     f"{'places':>7} {'ours':>6} {'told':>6} {'late':>4} "
                     f"{'worst':>6}"]
            ours = set()
            for name, (length, shots, told, nmis) in found.items():
                here = {rip for cpl, rip in nmis if cpl == 0}
                lines.append(f"# {name:14} {length:7} {shots:7} {len(nmis):7} "
                             f"{len(set(nmis)):7} {len(here):6} {told[0]:6} "
                             f"{told[1]:4} {told[2]:6}")
                if name.startswith("move"):
                    figure(f"instructions until an NMI is told ({name})",
                           told[2], most=length + MOVING)
                late += told[1]
                self.total += len(nmis)
                ours |= here
            if re.fullmatch(r"(passes=\d+)?", machine[-1]):
                self.places[label] = ours
            print("\n".join(lines), flush=True)
            if not re.search(r"\b(by=|watched)", machine[-1]):
                self.blocked(label, found, self.passes_of(machine[-1]))
        # What the hypervisor does by the clock comes before, now and then.
        check(late <= self.total / 1000,
              f"{late} of {self.total} NMIs were told late")
        figure("NMIs injected", self.total, least=self.at_least)
        figure("NMIs lost, doubled, damaging", self.bad, most=0)
        if any("watched" in words for *_, words in self.machines):
            figure("NMIs of the watchdog's in an operation", self.met["inside"],
                   least=self.met_at_least)
            figure("NMIs of the watchdog's near another", self.met["on_top"],
                   least=self.met_at_least)
            # Those of the paths with two of our own, as a rule.
            figure("of 1,000 NMIs of the watchdog's, merged with another",
                   1000 * self.met["merged"] // self.met["nmis"], most=30)

    def blocked(self, label, found, passes):
        """While NMIs are blocked all steps of a pass end at one place: so many."""
        if "nmi-in-guest" not in found:
            return
        _, shots, _, nmis = found["nmi-in-guest"]
        # The first of each step comes there, too.
        steps = (max(Counter(nmis).values()) - shots) // passes
        figure(f"instructions with NMIs blocked ({label})", steps, most=BLOCKED)

    def test_sent(self):
        """One that a vcpu sends another, which moves, at each moment of that."""
        vm = self.boot_stub("sweep", f"sent by={self.sent_by}", label="sent",
                            memory="128M", cpu="qemu64", smp=2,
                            options=f"{QUIET} {NO_WATCHDOG} dom0_max_vcpus=2 "
                                    "dom0_vcpus_pin=1",
                            wall=self.limit + 300, silence=self.limit,
                            extra=COUNTED)
        self.stub_verdict(vm, "sweep", self.limit)
        vm.close()
        steps, wrong, length, told, there = map(int, SENT.search(vm.text).groups())
        print(f"# {steps} in {length} instructions, {told} taken, {there} of "
              "them on the other CPU", flush=True)
        check(told == steps and wrong == 0, f"{told} of {steps}, {wrong} wrong")
        figure("virtual NMIs sent to a vcpu that moves", steps, least=1000)
        figure("taken by it while on the other CPU", there, least=200)

    def test_entry_code(self):
        """Each instruction on the way in and out has been interrupted."""
        code = entry_instructions()
        page_fault = symbols()["entry_stub_base"] + 16 * 14
        code = {at: text for at, text in code.items()
                # QEMU does not count an instruction that makes a page fault:
                # an NMI due after it comes after the next one.
                if at != page_fault}
        check(len(code) > 150, f"only {len(code)} instructions found")
        figure("instructions of entry code", len(code), most=400)
        check(self.places, "nothing was interrupted")
        for label, places in self.places.items():
            missed = [f"{at:#x}: {text}" for at, text in sorted(code.items())
                      if at not in places
                      # Of these processors only `max` has SMAP.
                      and (text.strip() != "clac" or label == "max")]
            print(f"# {label}: {len(code.keys() & places)} of {len(code)} "
                  "instructions of entry code interrupted", flush=True)
            check(not missed, f"{label}: not interrupted: "
                  + "; ".join(missed[:40]))


class NmiStorm(Suite):
    """200,000 NMIs a second: all counted, few told, nearly all is Dom0's."""

    weight = 8

    def test_storm(self):
        need_vigil()
        log = IntLog(BUILD / "test/NmiStorm.int")
        vm, said, _ = run_sweep(
            self, log, "storm", "loglvl=warning guest_loglvl=none watchdog=no "
            "dom0_mem=64M,max:64M dom0_max_vcpus=1", limit=120)
        sent = len(log.nmis())
        counted, told, share, lasted_ns = map(int, re.search(
            r"storm counted=(\d+) told=(\d+) share=(\d+) ns=(\d+)",
            vm.text).groups())
        print(f"# {counted} NMIs in {lasted_ns // 1000} us, {told} told; of "
              f"1,000 instructions {share} were Dom0's", flush=True)
        # One more after the storm: that is told again.
        check(said == f"{sent} NMIs" and sent == counted + 1,
              f"QEMU delivered {sent}, counted {counted} and 1")
        check(counted * 10000 >= lasted_ns, f"{counted} in {lasted_ns} ns")
        figure("of 1,000 instructions in a storm, Dom0's", share, least=900)
        begins = re.findall(r"NMI storm on CPU 0: .*", vm.text)
        ends = re.findall(r"NMI storm on CPU 0 is over: unknown source: (\d+) "
                          r"only counted", vm.text)
        check(len(begins) == 1 and len(ends) == 1,
              f"begins: {begins}, ends: {ends}")
        check(int(ends[0]) + told == counted,
              f"{ends[0]} left out and {told} told, of {counted}")
        lines = len(re.findall("NMI on CPU 0: unknown source", vm.text))
        check(lines == told + 1, f"{lines} lines for {told} and 1")


class NmiSweepLong(NmiSweep):
    """With other flags, and the first of two NMIs elsewhere."""

    long = True
    weight = 2500
    limit = 3000
    passes = 38
    machines = (("default", "", "qemu64", 1, ""),
                ("open", "spec-ctrl=no", "qemu64", 1, ""),
                ("two", "dom0_vcpus_pin=1", "qemu64", 2, "ipi"),
                ("moving", "dom0_vcpus_pin=1", "qemu64", 2,
                 "passes=4 move move-there"),
                ("ignored", "nmi=ignore", "qemu64", 1, "untold kernel-rsp"))
    at_least = 5400000
    sent_by = 1


class NmiSweepOthers(NmiSweepLong):
    """The same on other machines, beside it: ten million together."""

    # Where page tables are isolated the ways in and out are twenty times as long.
    machines = (("isolated", "xpti=yes", "qemu64", 1, "passes=6"),
                ("max", "", "max", 1, ""),
                ("watched", "", "qemu64", 1, "passes=4 watched"))
    at_least = 4900000
    sent_by = 9
    met_at_least = 50000
