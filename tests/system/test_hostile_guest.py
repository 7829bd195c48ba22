# SPDX-License-Identifier: MIT
"""NMIs, told to Dom0, all over the time of a guest that does its worst.

The stub `sweep` as Dom0 makes the guest, sends it an event and sleeps; the guest
does one of many acts and answers, or dies of it.  Each NMI must be counted once and
told once to Dom0, which is unharmed; the guest is whole, or dead by its own act; and
each NMI is reported as in the guest, if QEMU's log says that it was.
"""

import re
from collections import Counter

from intlog import WITH_CR3, IntLog
from suite import BUILD, Suite, check, figure, need_vigil
from test_nmi_sweep import END, hostile_words, run_sweep

# Its lines are read, one for each NMI.
LINES = ("loglvl=warning guest_loglvl=none dom0_mem=64M,max:64M dom0_max_vcpus=1 "
         "nmi_ratelimit=0 watchdog=no")
TABLES = re.compile(r"^sweep: guest's tables at 0x([0-9a-f]+)\r?$", re.M)
BEGINS = "NMI on CPU 0: unknown source"
LINE = re.compile(r" \(port 0x61: 0x\w+\) in ([\w ,]+), rip 0x([0-9a-f]+): "
                  "goes to Dom0")
DIED = re.compile(r"domain: d1v0 died: (.*)")
# Why, in words, but for numbers.
REASONS = {
    "its stack cannot be written: frame for an exception at X cannot be written "
    "(rip X)",
    "its stack cannot be written: frame for an event at X cannot be written (rip X)",
    "exception without a handler: vector 3, error code X at rip X, none registered",
}


class HostileGuest(Suite):
    """Each seventeenth instruction."""

    weight = 25
    limit = 120
    stride = 17
    stretches = ((0, 6000),)
    at_least = 5000

    def setup(self):
        need_vigil()

    def test_visits(self):
        """Told once, Dom0 unharmed, the guest alive or dead by itself, all named."""
        self.places, total = Counter(), 0
        for first, last in self.stretches:
            total += self.visits(first, last)
        figure("NMIs while a hostile guest has the processor", total,
               least=self.at_least)
        figure(f"NMIs in a hostile guest (stride {self.stride})",
               self.places["guest d1v0"], least=self.at_least // 120)
        check(self.places["hypervisor for d1v0"] >= total / 10,
              "hardly one in the hypervisor for the guest")

    def visits(self, first, last):
        """Sweep these instructions of each act.  Return: how many NMIs."""
        name = f"{type(self).__name__}-{first}"
        log = IntLog(BUILD / f"test/{name}.int", WITH_CR3)
        vm, said, _ = run_sweep(
            self, log, f"visit by={self.stride} from={first} to={last} "
            f"{hostile_words()}", LINES, label=str(first), silence=60)
        taken = log.taken()
        _, _, shots, nmis, *bad, told, _, _, _ = END.search(vm.text).groups()
        print(f"# steps {first} to {last} of each act: {shots}, {nmis} NMIs, told "
              f"within {told}", flush=True)
        check(bad == ["0"] * 3, f"{bad} lost, doubled, damaged")
        check(said.startswith(f"{len(taken)} ") and len(taken) == int(nmis),
              f"QEMU delivered {len(taken)}, the stub took {said}")
        self.named(vm.text, taken)
        self.deaths(vm.text)
        return len(taken)

    def named(self, text, taken):
        """Each NMI's line says where it was, by QEMU's log."""
        guests = {int(at, 16) for at in TABLES.findall(text)}
        lines = [LINE.match(line) for line in text.split(BEGINS)[1:]]
        check(len(lines) == len(taken), f"{len(lines)} lines for {len(taken)} NMIs")
        check(None not in lines, f"{lines.count(None)} lines without their end")
        places, otherwise = Counter(), 0
        for line, (_, cpl, at, tables) in zip(lines, taken):
            who, rip = line.groups()
            right = "d1v0" if tables in guests else "d0v0"
            check(int(rip, 16) == at, f"NMI at {at:#x}, the line says 0x{rip}")
            if cpl == 3:
                check(who == f"guest {right}",
                      f"NMI at {at:#x} in {right}: the line says '{who}'")
            else:
                check(who.startswith("hypervisor"),
                      f"NMI in the hypervisor at {at:#x}: the line says '{who}'")
                otherwise += who != f"hypervisor for {right}"
            places[who] += 1
        print("\n".join(f"# {n:7} in {who}" for who, n in places.most_common()),
              flush=True)
        print(f"# {otherwise} of the hypervisor's with the other's page tables",
              flush=True)
        # While it switches it is for the one, and has the tables of the other.
        check(otherwise <= len(taken) / 20, f"{otherwise} of {len(taken)} in the "
              "hypervisor for one domain, with the page tables of the other")
        self.places += places

    def deaths(self, text):
        """All that died said why, in words; and each was followed by another."""
        died = Counter(re.sub("(0x[0-9a-f]+)", "X", why.strip())
                       for why in DIED.findall(text))
        print("\n".join(f"# {n:7} died: {why}" for why, n in died.most_common()),
              flush=True)
        made = len(TABLES.findall(text))
        check(sum(died.values()) == made - 1, f"{made} made, {died} died")
        check(set(died) == REASONS, f"reasons: {set(died) ^ REASONS}")


class HostileGuestLong(HostileGuest):
    """Each instruction."""

    long = True
    weight = 300
    limit = 580
    stride = 1
    # Each guest that dies is made again: so some minutes each.
    stretches = ((0, 2000), (2000, 4000), (4000, 6000))
    at_least = 100000
