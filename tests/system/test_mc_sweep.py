# SPDX-License-Identifier: MIT
"""A machine check between any two instructions, also of an NMI's handler.

As NmiSweep, with machine checks in their place: the stub `sweep` has the machine
stopped at the instruction, and the driver has QEMU raise one there, of a page of the
stub's that nobody uses.  Each must be seen once by the hypervisor, told once to the
stub's kernel, be fetched as one record by it as Dom0, and change nothing else.
"""

import os
import re
import subprocess
from collections import Counter

from intlog import MC, NMI, IntLog
from mcdriver import Handler, McDriver
from suite import BUILD, TOP, Suite, check, figure, hypervisor, need_vigil
from test_nmi_sweep import END, entry_instructions, hostile_words, run_sweep
from gdbstub import symbols

# Else it would say a line or two for each, and take so many NMIs for a storm.
QUIET = ("loglvl=none guest_loglvl=none dom0_mem=64M,max:64M dom0_max_vcpus=1 "
         "nmi_ratelimit=0 watchdog=no")

# Every path of the stub that has one event, but the one that is repeated for
# eight moments of a timer.
MC_STACKS = (0x3000, 0x5000)    # x86/layout.h
PATHS = ("hypercall unknown multicall iret int3 ud2 fault rdmsr table event yield "
         "write idle spin switch user-syscall user-int3 user-fault user-rsp user-tf "
         "user-tf-call watch bad-iret user-segment")
NMI_PATHS = "nmi-in-guest nmi-in-call nmi-by-main"


def disassembly(begin, end):
    """Return {address: text} of what lies between two addresses."""
    image = hypervisor()
    text = subprocess.run(
        ["objdump", "-d", "--no-show-raw-insn", f"--start-address={begin:#x}",
         f"--stop-address={end:#x}", image.with_name(image.name + "-syms")],
        check=True, capture_output=True, text=True).stdout
    return {int(at, 16): more for at, more in
            re.findall(r"^([0-9a-f]+):\t(.*)$", text, re.M)}


def handler():
    """Where MCIP is set in the #MC handler, and where not any more."""
    where = symbols()
    busy, leaving = set(), set()
    for name in ("bank_mcg_clear", "ras_mce_end", "inject_forget_mcg"):
        after = min(at for at in where.values() if at > where[name])
        code = disassembly(where[name], after)
        last = max((at for at, text in code.items() if text.startswith("wrmsr")),
                   default=after)
        busy |= {at for at in code if at <= last}
        leaving |= {at for at in code if at > last}
    for name in ("mc_ended_iret", "mc_ended_ret", "mc_ended_main"):
        busy.add(where[name] - 5)   # the call before it
        leaving.add(where[name])
    leaving |= disassembly(where["mc_ended_iret"], where["mc_by_ret"]).keys()
    leaving |= disassembly(where["leave_by_ret"], where["idle_halt"]).keys()
    stacks = [(where["bsp_block"] + page, where["bsp_block"] + page + 0x1000)
              for page in MC_STACKS]
    return Handler(busy, leaving, stacks)


def entry_text(image):
    """Return the instructions on the ways in and out of calls and interrupts, in
    their order, without the addresses in them."""
    doors = [("syscall_stub_base", 0), ("entry_stub_base", 16 * 0xf0),
             ("leave_to_guest", 0), ("guest_iretq_failed", 0)]
    return [re.sub(r"[0-9a-f]{6,}|<.*>|#.*", "", text).strip() for _, text in
            sorted(entry_instructions(doors, image).items())]


class McPaths:
    """What runs the stub on some machines; for suites."""

    limit = 600
    # Name, options for the hypervisor, processor, the stub's command line.
    machines = ()
    at_least = 0

    def setup(self):
        need_vigil()
        self.total = self.bad = 0
        self.seconds, self.thirds = set(), set()
        self.step = 0       # of the next third
        self.places = {}    # where the hypervisor was interrupted, by machine

    def sweep(self, label, options, cpu, line):
        """Run it.  Return: {path: (numbers said, [(vector, cpl, rip), ...])}."""
        log = IntLog(BUILD / f"test/{type(self).__name__}-{label}.int")
        words = line.split()
        driver = McDriver(
            nmi="with-nmi" in words,
            inside=handler() if {"mc", "mc-first"} <= set(words) else None,
            third=symbols()["mc_ended_ret"] if "third" in words else None,
            step=self.step)
        vm, said, took = run_sweep(self, log, f"{hostile_words()} {line}",
                                   f"{QUIET} {options}", label=label, cpu=cpu,
                                   driver=driver)
        taken = log.taken()
        found, at = {}, 0
        for name, *numbers in END.findall(vm.text):
            length, shots, nmis, *bad, _, mcs = map(int, numbers)
            self.bad += sum(bad)
            check(not any(bad), f"{name}: {bad} lost, doubled, damaged")
            events = taken[at:at + nmis + mcs]
            counted = [sum(e[0] == kind for e in events) for kind in (NMI, MC)]
            check(counted == [nmis, mcs], f"{name}: QEMU delivered {counted}, "
                  f"the stub took {nmis} NMIs, {mcs} machine checks")
            found[name] = (length, shots, nmis, mcs, events)
            at += nmis + mcs
        mcs = sum(e[0] == MC for e in taken)
        check(at == len(taken), f"QEMU delivered {len(taken)}, the stub took {at}")
        check(mcs == driver.raised, f"{driver.raised} raised, {mcs} delivered")
        check(said == f"{at - mcs} NMIs, {mcs} machine checks", said)
        if driver.left_out:
            self.seconds |= driver.seconds
            self.thirds |= driver.thirds
            self.step = driver.step
            print(f"# {label}: {driver.left_out} left out, MCIP was set; "
                  f"{len(driver.thirds)} places of a third", flush=True)
        print(f"# {label}: {mcs} in {took:.0f} s, {mcs / took:.0f} a second",
              flush=True)
        return found

    def test_paths(self):
        """Nothing lost, nothing twice, nothing damaged; a line for each path."""
        for label, *machine in self.machines:
            found = self.sweep(label, *machine)
            lines = [f"# {label:14} {'length':>7} {'steps':>7} {'NMIs':>7} "
                     f"{'#MCs':>7} {'places':>7} {'ours':>6}"]
            ours = set()
            for name, (length, shots, nmis, mcs, events) in found.items():
                swept = MC if "mc" in machine[-1].split() else NMI
                there = {e[1:] for e in events if e[0] == swept}
                here = {rip for cpl, rip in there if cpl == 0}
                lines.append(f"# {name:14} {length:7} {shots:7} {nmis:7} {mcs:7} "
                             f"{len(there):7} {len(here):6}")
                self.total += mcs
                ours |= here
            self.places[label] = ours
            print("\n".join(lines), flush=True)
        figure("machine checks injected", self.total, least=self.at_least)
        figure("machine checks lost, doubled, damaging", self.bad, most=0)


class McSweep(McPaths, Suite):
    """#MC at every instruction; with an NMI in progress, pending, coming."""

    weight = 60
    machines = (
        ("alone", "", "qemu64", f"mc {PATHS}"),
        # An NMI is being handled, and the next one waits behind it.
        ("in-nmi", "", "qemu64", "mc with-nmi from=25 nmi-in-guest nmi-in-call"),
        ("by-main", "", "qemu64", "mc with-nmi from=261 nmi-by-main"),
        # The other way round: NMIs at the instructions of the #MC's handler.
        ("then-nmi", "", "qemu64", f"mc-first by=23 {NMI_PATHS}"),
        # Another one on its way out, and one on the way out of that.  In pass 4 the
        # first comes on the way into a hypercall, and leaves by RET.
        ("then-mc", "", "qemu64",
         "mc mc-first pass=4 from=1200 to=2900 nmi-in-guest nmi-in-call"),
        ("again", "", "qemu64",
         "mc mc-first pass=4 from=1600 to=2900 nmi-in-call"),
        # Twice: the handler's length differs from step to step, and the way out is
        # met in half of those that it takes.  144 is like 4, with other numbers.
        ("third", "", "qemu64",
         "mc mc-first third pass=4 from=1700 to=2500 nmi-in-call"),
        ("third-more", "", "qemu64",
         "mc mc-first third pass=144 from=1700 to=2500 nmi-in-call"),
    )
    at_least = 30000

    def test_entry_code(self):
        """Each instruction on the way in and out has been interrupted by one."""
        where = symbols()
        doors = [where["entry_stub_base"] + 16 * vector
                 # As for NMIs: QEMU does not count the one before.  And the machine
                 # does not stop between an interrupt and its first instruction.
                 for vector in (14, 0xf0)]
        code = {at: text for at, text in entry_instructions().items()
                if at not in doors and text.strip() != "clac"}
        check(self.places.get("alone"), "nothing was interrupted")
        missed = [f"{at:#x}: {text}" for at, text in sorted(code.items())
                  if at not in self.places["alone"]]
        check(not missed, f"not interrupted: {'; '.join(missed[:40])}")

    def test_nmi_door(self):
        """And each of the NMI's own door, to its IRET.

        But the first: Nesting.test_inside_nmi puts one there.
        """
        where = symbols()
        code = {at: text for at, text in
                entry_instructions([("entry_nmi", 0)]).items()
                if where["entry_nmi"] < at <= where["nmi_iretq"]}
        places = self.places["in-nmi"]
        missed = [f"{at:#x}: {text}" for at, text in sorted(code.items())
                  if at not in places and text.strip() != "clac"]
        check(len(code) > 40, f"only {len(code)} instructions")
        check(not missed, f"not interrupted: {'; '.join(missed[:40])}")

    def test_way_out(self):
        """Each of the #MC's own way out, once MCIP is clear; then of the second's."""
        where = symbols()
        code = disassembly(where["leave_by_ret"], where["idle_halt"])
        # From POP on: before it, what boot may switch on is jumped over.
        pops = {at for at, text in code.items()
                if text.startswith(("pop", "jmp")) and at > min(
                    at for at, text in code.items() if text.startswith("pop"))}
        # How long the handler's lines for the log take differs a little, so a step
        # may miss one.
        for what, places, may_miss in (
                ("the first's", self.seconds, 5),
                ("the second's", self.thirds, 2)):
            there = len(pops & places)
            print(f"# on {what} way out: {there} of {len(pops)}", flush=True)
            check(there >= len(pops) - may_miss > 10, f"{what}: only {there}; has the "
                  "handler become longer or shorter than the steps swept?")


class McSweepLong(McSweep):
    """With other flags, other distances, other machines."""

    long = True
    weight = 1200
    limit = 3000
    machines = (
        ("alone", "", "qemu64", f"mc passes=5 timer {PATHS}"),
        ("in-nmi", "", "qemu64", "mc with-nmi from=25 nmi-in-guest nmi-in-call"),
        # The NMI in which it comes is 37 instructions later with each pass.
        ("in-nmi-more", "", "qemu64",
         "mc with-nmi pass=1 passes=2 from=100 nmi-in-guest nmi-in-call"),
        ("by-main", "", "qemu64", "mc with-nmi passes=3 from=261 nmi-by-main"),
        ("then-nmi", "", "qemu64", f"mc-first {NMI_PATHS}"),
        ("then-mc", "", "qemu64",
         "mc mc-first from=1000 to=4500 passes=5 nmi-in-guest nmi-in-call"),
        ("third", "", "qemu64",
         "mc mc-first third from=1500 to=4000 passes=5 nmi-in-guest nmi-in-call"),
        ("isolated", "xpti=yes", "qemu64", f"mc {PATHS}"),
        ("isolated-nmi", "xpti=yes", "qemu64", f"mc with-nmi from=261 {NMI_PATHS}"),
        ("max", "", "max", f"mc {PATHS}"),
        ("hostile", "", "qemu64", "mc user-rip user-dr"),
    )
    at_least = 200000


class McLate(McPaths, Suite):
    """What must hold without the RET rule, too (NmiDefences).

    Until the NMI handler has turned to the other stack, an IRET there would let the
    next one in on the stack in use: that takes some 150 instructions, most of them
    the door's own, which stuffs the return predictor.
    """

    long = True
    weight = 60
    machines = (
        ("alone", "", "qemu64", f"mc {PATHS}"),
        ("in-nmi", "", "qemu64", "mc with-nmi from=190 nmi-in-guest nmi-in-call"),
        ("by-main", "", "qemu64", "mc with-nmi from=420 nmi-by-main"),
    )
    at_least = 30000


class NmiDefences(Suite):
    """Each of the two that keep an NMI's frame whole, without the other."""

    long = True
    weight = 400
    limit = 3000

    def setup(self):
        need_vigil()

    def build(self, which, folder, *words):
        """Make it in a folder of its own.  Return: that."""
        out = BUILD / which
        subprocess.run(["make", "-s", "-C", TOP / folder, f"BUILD={out}", *words],
                       check=True, stdout=subprocess.DEVNULL)
        return out

    def without(self, which, suite):
        """Build the hypervisor without it; run a suite of this file with that."""
        self.build(which, "guest-stubs", "sweep")
        out = self.build(which, "hypervisor", f"{which}=n")
        done = subprocess.run(
            [TOP / "tests/system/run.py", "-j", "1", "-k", f"{suite}.test_paths",
             *(["--long"] if suite == "McLate" else [])],
            env={**os.environ, "BUILD": str(out)}, timeout=self.limit,
            capture_output=True, text=True, check=False)
        lines = [line for line in done.stdout.split("\n") if line[:1] == "#"]
        print("\n".join([f"# {which}=n", *lines]), flush=True)
        check(done.returncode == 0 and "1 passed" in done.stdout,
              done.stdout[-3000:])

    def test_ret_rule_alone(self):
        """Without the latch and its other stack."""
        self.without("CONFIG_NMI_LATCH", "McSweep")

    def test_latch_alone(self):
        """Without the RET rule."""
        self.without("CONFIG_NMI_RET_RULE", "McLate")

    def test_no_instruction(self):
        """Calls and interrupts take the same instructions with and without both."""
        bare = self.build("CONFIG_NMI_NEITHER", "hypervisor", "CONFIG_NMI_LATCH=n",
                          "CONFIG_NMI_RET_RULE=n") / hypervisor().name
        codes = [entry_text(image) for image in (hypervisor(), bare)]
        check(len(codes[0]) > 100, f"only {len(codes[0])} instructions found")
        more = list((Counter(codes[0]) - Counter(codes[1])).elements())
        print(f"# {len(codes[0])} instructions, {len(codes[1])} without; not there: "
              + "; ".join(more), flush=True)
        figure("instructions that NMIs add to calls and interrupts",
               max(len(more), len(codes[0]) - len(codes[1])), most=0)
