# SPDX-License-Identifier: MIT
"""What the log held when the machine was reset is there afterwards.

A stub logs without end.  At a random time the machine is stopped, and QEMU writes
its memory to a file; then it is reset, in one of several ways, and written once
more when the next boot has found what was left.  Every line that was whole before
must be the same.
"""

import ctypes
import random
import time

from boxview import CELL, MIB, ZONE, boxes
from suite import Suite, check, figure, need_vigil

SUM_AT = 24                         # include/public/vigil/log.h
ERROR = 1
FOUND = r"previous boot left a black box: (.*)"
# A memory error in a frame of nobody's: two lines, one of them an error.
MCE = {"status": 0xBD000000000000C0, "misc": 0x8C, "mcg": 5}
FREE = 0x6123000                    # far from what a machine of 128 MiB uses


XXH = ctypes.CDLL("libxxhash.so.0").XXH64   # with libxxhash-dev (scripts/deps)
XXH.restype = ctypes.c_uint64
XXH.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64)


def sum_of(cell):
    """Return what include/public/vigil/log_sum.h says of a cell."""
    data = cell[:SUM_AT] + bytes(4) + cell[SUM_AT + 4:]
    return XXH(data, len(data), 0) & 0xffffffff


def cells_of(box):
    """Return {number: bytes} of the lines that are whole."""
    return {number: cell for number, cell in box.cells()
            if CELL.unpack_from(cell)[3] == sum_of(cell)}


def level(cell):
    """Return how severe it is: 0 is a panic."""
    return CELL.unpack_from(cell)[6]


class BlackBox(Suite):
    """Some resets at random times, in four ways, of one machine."""

    weight = 20
    rounds = 8
    seed = 6
    size = 128 * MIB
    ways = ("system_reset", "o /1 0xcf9 6", "o /1 0x64 0xfe", "triple")

    def setup(self):
        need_vigil()
        self.place = None   # of the two zones

    def start_machine(self):
        """The stub that logs, on one processor that has memory to spare."""
        return self.boot_stub(
            "logger", "forever", resets=True, memory="128M", wall=4000,
            silence=300, options="dom0_mem=48M,max:48M",
            extra=("-icount", "shift=0,sleep=off"))

    def zones(self, vm):
        """Return the boxes that lie there now, that of the newest boot last."""
        if self.place is None:
            found = boxes(vm, self.size)
            check(found, "no black box in memory")
            # The first boot takes the first.
            self.place = min(box.place for box in found)
        return boxes(vm, 2 * ZONE, self.place)

    def reset(self, vm, way):
        """The machine stands: when it goes on it is another boot's."""
        if way == "triple":
            # The second finds the first not handled: the processor gives up.
            for _ in range(2):
                vm.inject_mce(MCE["status"], addr=FREE, misc=MCE["misc"],
                              mcg=MCE["mcg"])
        else:
            vm.hmp(way)

    def one_round(self, vm, way, pause, errors):
        """Return lines (whole before, of these severe, and what was lost)."""
        time.sleep(pause / 2)
        for number in range(errors):
            vm.inject_mce(MCE["status"], addr=FREE + 4096 * number,
                          misc=MCE["misc"], mcg=MCE["mcg"])
            time.sleep(0.02)
        time.sleep(pause / 2)
        vm.qmp("stop")
        newest = self.zones(vm)[-1]
        before = cells_of(newest)
        self.reset(vm, way)
        vm.qmp("cont")
        vm.expect(FOUND, 60, fail=r"Panic on CPU")
        vm.qmp("stop")
        after = self.zones(vm)
        vm.qmp("cont")
        same = [box for box in after if box.boot == newest.boot]
        check(same, f"{way}: the box is gone")
        after = cells_of(same[-1])
        lost = [n for n, cell in before.items() if after.get(n) != cell]
        severe = [n for n, cell in before.items() if level(cell) <= ERROR]
        check(len(before) >= 10, f"{way}: only {len(before)} lines")
        return (len(before), len(severe), len(lost),
                len(set(lost) & set(severe)))

    def run_rounds(self, vm):
        """All rounds; return the sums."""
        chance = random.Random(self.seed)
        sums = [0, 0, 0, 0]
        for number in range(self.rounds):
            vm.expect("logger: begins", 60)
            vm.forget()
            way = self.ways[number % len(self.ways)]
            got = self.one_round(vm, way, chance.uniform(0, 0.6),
                                 chance.randrange(3))
            sums = [a + b for a, b in zip(sums, got)]
        return sums

    def test_resets(self):
        vm = self.start_machine()
        lines, severe, lost, severe_lost = self.run_rounds(vm)
        print(f"# {self.rounds} resets: {lines} lines, {lost} lost; {severe} "
              f"errors, {severe_lost} lost")
        check(severe > 0, "no line of an error: nothing was tried")
        what = type(self).__name__
        figure(f"{what}: resets", self.rounds, least=self.rounds)
        figure(f"{what}: lines of errors lost, of {severe}", severe_lost, most=0)
        figure(f"{what}: lines lost, of {lines}", lost, most=lines // 10000)
        vm.close()


class BlackBoxLong(BlackBox):
    """A thousand of them."""

    weight = 1500
    long = True
    rounds = 1000


class BlackBoxUefi(BlackBox):
    """The same with OVMF, whose resets take long; the watchdog sends NMIs."""

    weight = 30
    rounds = 3
    size = 256 * MIB
    ways = ("system_reset", "o /1 0xcf9 6", "triple")

    def start_machine(self):
        return self.boot_iso(stub="logger", stub_line="forever", uefi=True,
                             wait=False, machine="q35", resets=True,
                             memory="256M", wall=3000,
                             options="dom0_mem=48M,max:48M")


class BlackBoxUefiLong(BlackBoxUefi):
    """Two hundred of them; each takes seconds, most of them the firmware's."""

    weight = 1200
    long = True
    rounds = 200
