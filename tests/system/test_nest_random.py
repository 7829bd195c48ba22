# SPDX-License-Identifier: MIT
"""Nestings of NMIs and machine checks drawn at random, each repeatable by its seed.

The stub `sweep` draws for each seed an operation, two events and what the driver
adds; QEMU's log says which of them came inside of which.  To repeat a seed that
failed: `random seed=S seeds=1` on the stub's command line.
"""

import re
from collections import Counter

from gdbstub import symbols
from intlog import MC, NMI, WITH_RSP, IntLog
from nestdriver import NestDriver
from suite import BUILD, Suite, check, figure, need_vigil
from test_mc_sweep import QUIET, disassembly, handler
from test_nmi_sweep import hostile_words, run_sweep

LEARNED = re.compile(r"^sweep: learned NMI (\d+) #MC (\d+) nmis=(\d+) mcs=(\d+)\r?$",
                     re.M)
SEED = re.compile(r"^sweep: seed (\d+) (\S+) (\d+)\+(\d+) ([NM])([NM]) nmis=(\d+) "
                  r"mcs=(\d+)\r?$", re.M)
NAMES = {NMI: "NMI", MC: "#MC"}
# x86/layout.h: where the stacks of each begin and end in a CPU's block.
STACKS = {"#DB": ((0x1000, 0x1800),), "#MC": ((0x3000, 0x4000), (0x5000, 0x6000)),
          "NMI": ((0x7000, 0x8000), (0x9000, 0xa000))}
BELOW = 1024    # bytes that a frame has been moved below what was interrupted

# Those that must have occurred, as a part of what nesting() says.
WANTED = ("NMI > #MC", "NMI > #MC, NMI waits", "#MC > NMI", "#MC out > NMI > #MC",
          "#MC out > #MC", "#DB > NMI > #MC")


class Nestings:
    """Says of the events of one seed, as they were taken, what was inside of what."""

    def __init__(self):
        where = symbols()
        self._block = where["bsp_block"]
        self._out = (disassembly(where["mc_ended_iret"], where["mc_by_ret"]).keys()
                     | disassembly(where["leave_by_ret"], where["idle_halt"]).keys()
                     | {where["mc_ended_ret"], where["mc_ended_main"]})

    def _stack(self, rsp):
        at = rsp - self._block
        return next((name for name, stacks in STACKS.items()
                     if any(low < at <= high for low, high in stacks)), None)

    def of(self, events):
        """events: [(vector, cpl, rip, rsp), ...].  Return: a text for each."""
        inside, texts = [], []
        for i, (vector, cpl, rip, rsp) in enumerate(events):
            behind = self._waited_behind(events[:i + 1])
            if behind is None:
                place = self._place(events[:i], inside, cpl, rip, rsp)
                inside.append(f"{place} > {NAMES[vector]}")
                texts.append(inside[-1])
            else:
                within = [text for text in inside[behind + 1:]
                          if text.startswith(f"{inside[behind]} > #MC")]
                inside.append(inside[behind])
                texts.append(f"{(within or inside)[-1]}, NMI waits")
        return texts

    def _place(self, events, inside, cpl, rip, rsp):
        """What was interrupted there, after these events."""
        if cpl == 3:
            return "guest"
        stack = self._stack(rsp)
        for (vector, _, _, outer), text in zip(reversed(events), reversed(inside)):
            if (vector == MC and rip in self._out and
                    (stack == "#MC" or outer - BELOW < rsp <= outer)):
                return f"{text} out"
            if NAMES[vector] == stack:
                return text
        return "hypervisor > #DB" if stack == "#DB" else "hypervisor"

    def _waited_behind(self, events):
        """Which NMI has let the last of these in, by its IRET; None: it is none."""
        vector, *place = events[-1]
        if vector != NMI:
            return None
        last = next((i for i in reversed(range(len(events) - 1))
                     if events[i][0] == NMI), None)
        return last if last is not None and [*events[last][1:]] == place else None


class NestRandom(Suite):
    """Two events and more in one operation, at random: each once, and no harm done."""

    weight = 20
    limit = 120
    # Name, options for the hypervisor, processor, first seed, seeds.
    machines = (("default", "", "qemu64", 1, 500),
                ("isolated", "xpti=yes", "qemu64", 501, 200),
                ("max", "", "max", 701, 200))
    at_least = 5

    def setup(self):
        need_vigil()
        self.found = Counter()

    def run_seeds(self, label, options, cpu, first, seeds):
        """Run them.  Return: {seed: [(vector, cpl, rip, rsp), ...]}."""
        log = IntLog(BUILD / f"test/{type(self).__name__}-{label}.int", WITH_RSP)
        driver = NestDriver(handler())
        vm, said, took = run_sweep(
            self, log, f"random seed={first} seeds={seeds} {hostile_words()}",
            f"{QUIET} {options}", label=label, cpu=cpu, silence=60, driver=driver)
        taken = log.taken()
        at = sum(map(int, LEARNED.search(vm.text).groups()[2:]))
        lines, events, merged = SEED.findall(vm.text), {}, 0
        check(len(lines) == seeds, f"{len(lines)} of {seeds} seeds")
        for seed, *_, one, other, nmis, mcs in lines:
            seed, nmis, mcs = int(seed), int(nmis), int(mcs)
            mine = events[seed] = taken[at:at + nmis + mcs]
            at += nmis + mcs
            counted = [sum(e[0] == kind for e in mine) for kind in (NMI, MC)]
            check(counted == [nmis, mcs], f"seed={seed}: QEMU delivered {counted}, "
                  f"the stub took {nmis} NMIs, {mcs} machine checks")
            check(mcs == driver.mcs[seed],
                  f"seed={seed}: {driver.mcs[seed]} #MCs raised, {mcs} taken")
            sent = (one + other).count("N") + driver.nmis[seed]
            # Those that wait at once are one.
            check(min(sent, 1) <= nmis <= sent,
                  f"seed={seed}: {sent} NMIs sent, {nmis} taken")
            merged += sent - nmis
        mcs = sum(e[0] == MC for e in taken)
        check(at == len(taken), f"QEMU delivered {len(taken)}, the stub took {at}")
        check(mcs == driver.raised, f"{driver.raised} raised, {mcs} delivered")
        check(said == f"{at - mcs} NMIs, {mcs} machine checks", said)
        print(f"# {label}: {seeds} seeds, {at - mcs} NMIs, {mcs} #MCs in {took:.0f} s; "
              f"{driver.left_out} #MCs left out, MCIP was set; {merged} NMIs waited "
              "together with another", flush=True)
        return events

    def test_seeds(self):
        """Nothing lost, nothing twice, nothing damaged; each kind has occurred."""
        nestings = Nestings()
        for machine in self.machines:
            for events in self.run_seeds(*machine).values():
                self.found.update(nestings.of(events))
        print("\n".join(f"# {count:7} {text}"
                        for text, count in self.found.most_common()), flush=True)
        for kind in WANTED:
            count = sum(n for text, n in self.found.items() if kind in text)
            figure(f"nestings {kind}", count, least=self.at_least)


class NestRandomLong(NestRandom):
    """10,000."""

    long = True
    weight = 300
    limit = 600
    machines = (("default", "", "qemu64", 10001, 5000),
                ("isolated", "xpti=yes", "qemu64", 15001, 3000),
                ("max", "", "max", 18001, 2000))
    at_least = 20
