# SPDX-License-Identifier: MIT
"""NMIs inside panic(): one panic, one black box, and an end, wherever they come.

The stub `sweep` provokes a panic, with an NMI so many instructions later, or with
one every thousand, all through it.  Each machine is one panic.  QEMU stops it when
it asks for its reset, so that what it has counted and its box can be looked at in
its memory; of some the next boot must find the box, too.
"""

import re
import struct
import zlib

import boxview
from gdbstub import symbols
from intlog import MC, NMI, IntLog
from mcdriver import McDriver
from suite import BUILD, Failure, Suite, VMError, check, figure, need_vigil
from test_churn import COUNTED

PANIC = "provoked by the control domain"
BOX = rf"boot: the previous boot left a black box: (.*): .*{PANIC}"
IMAGE = 0xFFFF82D080000000      # where the hypervisor's physical 0 lies
SIZE = 128 << 20
MCE_TOTAL = 7 * 8               # bytes: where that is in struct ras_counters
MC_RIP = struct.Struct("<Q")    # in struct vigil_mce_record
MC_RIP_AT = 4 * 8
MC_RECORD = 512
NOTE = r"NMI on CPU 0: unknown source .*, rip 0x([0-9a-f]+): goes to Dom0"
TOLD = r"machine check on CPU 0 in .*, rip 0x([0-9a-f]+), MCG_STATUS"
OPTIONS = ("vigil_provoke=1 watchdog=no dom0_mem=64M,max:64M dom0_max_vcpus=1")
# Ticks of 10 instructions from two NMIs to the next: their handler takes 580, so
# panic() has some hundred, and there is a machine for nearly each of these.
EVERY = 75
FUNCTIONS = ("panic", "ladder", "die", "crash_stop_others", "blackbox_seal",
             "machine_leave", "machine_restart")


class Panics(Suite):
    """One machine, one panic.  No cases of its own."""

    def setup(self):
        need_vigil()
        self.where = symbols()

    def once(self, line, options="", finds=False, driver=None):
        """One machine, to its end.

        finds:  the next boot must find the box as well
        driver: of machine checks
        Return: ([(vector, cpl, rip)], the text up to the reset), in their order
        """
        log = IntLog(BUILD / f"test/{type(self).__name__}.int")
        vm = self.boot_stub("sweep", f"panic {line}", label="one", memory="128M",
                            options=f"{OPTIONS} {options}",
                            extra=(*COUNTED, "-global", "hpet.msi=on",
                                   "-no-shutdown", *log.options,
                                   *(driver.options if driver else ())))
        vm.qmp("query-status")      # events come from here on
        if driver:
            driver.start(vm)
        self.end(vm, line)
        counted = self.counters(vm)
        self.box = boxview.boxes(vm, SIZE)[-1]
        self.whole(self.box, line)
        if finds:
            vm.qmp("set-action", reboot="reset")
            vm.hmp("system_reset")
            vm.qmp("cont")
            found = vm.expect(BOX, 60, fail=None, what=f"the black box, {line}")
            check(found.group(1) != "unfinished", f"{line}: {found.group(0)}")
        text = vm.text
        vm.close()
        self.vms.remove(vm)
        if driver:
            driver.close()
        taken = log.taken()
        kinds = [vector for vector, *_ in taken]
        check((kinds.count(NMI), kinds.count(MC)) == counted,
              f"{line}: {len(taken)} NMIs or machine checks taken, {counted} counted")
        panics = len(re.findall(r"Panic on CPU \d", text))
        check(panics == 1 and "while dying" not in text, f"{line}: {panics} panics")
        return taken, text

    def end(self, vm, line):
        """Wait until it asks for its reset."""
        try:
            vm.wait_event("SHUTDOWN")
        except VMError as error:
            raise Failure(f"{line}: the panic does not end: {error}") from None

    def counters(self, vm):
        """Return how many NMIs and machine checks the hypervisor has counted."""
        at = self.where["ras_counters"] - IMAGE
        return tuple(int(vm.hmp(f"xp /1gx {at + more:#x}").split(":")[1], 16)
                     for more in (0, MCE_TOTAL))

    def whole(self, box, line):
        """It is sealed, its sums agree, and it says what it must."""
        check(box.state == boxview.SEALED and box.depth == 0,
              f"{line}: state {box.state}, depth {box.depth}")
        check(box.reason == PANIC, f"{line}: reason '{box.reason}'")
        for kind, said, data in box.sections():
            check(kind in (boxview.LOG, boxview.CONTEXTS) or said == zlib.crc32(data),
                  f"{line}: the sum of section {kind} is wrong")
        check("do_vigil_op+" in box.text(boxview.BACKTRACE), f"{line}: no backtrace")
        check(box.cpus()[0][0] == boxview.DIED, f"{line}: {box.cpus()}")

    def span(self, name):
        """Return the addresses of a function, as a range."""
        begin = self.where[name]
        return range(begin, min(at for at in self.where.values() if at > begin))

    def many(self, machines, every):
        """An NMI every so many ticks; each machine has them an instruction later."""
        nmis, places, moments = 0, set(), 0
        for number in range(machines):
            taken, _ = self.once(f"from={number * self.stride} every={every}",
                                 "nmi=ignore nmi_ratelimit=1", number % 10 == 0)
            ours = [rip for _, cpl, rip in taken if cpl == 0]
            places |= set(ours)
            # QEMU sends two each time, the second behind the first.
            moments += sum(a != b for a, b in zip(ours, ours[1:]))
            nmis += len(taken)
        print(f"# {machines} machines, {nmis} NMIs at {moments} moments, "
              f"{len(places)} instructions of the hypervisor", flush=True)
        return moments, places


class PanicStorm(Panics):
    """Some machines, with NMIs all through panic()."""

    weight = 15
    machines = 6
    stride = 17
    least = (5000, 1000)
    functions = ()  # each must have had one

    def test_storm(self):
        """From the hypercall to the reset."""
        moments, places = self.many(self.machines, EVERY)
        figure(f"moments of panic() with an NMI, {self.machines} machines", moments,
               least=self.least[0])
        figure("instructions of the hypervisor's among them", len(places),
               least=self.least[1])
        for name in self.functions:
            if name in self.where:
                check(places & set(self.span(name)), f"none in {name}()")


class PanicStormLong(PanicStorm):
    """So many that each instruction between two NMIs has its machine."""

    long = True
    weight = 300
    machines = 110
    stride = 1
    least = (100000, 2500)
    functions = FUNCTIONS


class PanicSweep(Panics):
    """One event in each machine, noted as any, by a stride that shares no factor
    with the loops of panic()."""

    long = True
    weight = 200
    points = 60
    stride = 3613
    checks = 20
    least = 50          # of 100, before the last words

    def said(self, pattern, text, line, place):
        """What came at a place has one line, in the text and in the box, or none.

        Return: has it one?
        """
        logged = "\n".join(record for _, record in self.box.records())
        found, kept = ([int(at, 16) for at in re.findall(pattern, words)]
                       for words in (text, logged))
        check(found == kept and found in ([], [place]),
              f"{line}: it came at {place:#x}, the serial line has "
              f"{[hex(at) for at in found]}, the box {[hex(at) for at in kept]}")
        return bool(found)

    def until(self, what, kept):
        """All are kept that come before the last words are said, and none behind.

        kept: [(step, is it kept?)], in their order
        """
        steps = [step for step, is_kept in kept if is_kept]
        last = max(steps, default=0)
        lost = [step for step, is_kept in kept if not is_kept and step < last]
        check(not lost, f"{what}: missing after {lost} instructions, there after {last}")
        figure(f"of 100 moments of panic(), before the last {what}",
               100 * len(steps) // len(kept), least=self.least)

    def test_nmi(self):
        """From the hypercall to where the processor resets."""
        places, kept = set(), []
        for number in range(self.points):
            step = number * self.stride
            taken, text = self.once(f"from={step}", finds=number % 10 == 0)
            check(len(taken) <= 1, f"{step}: {len(taken)} NMIs")
            if not taken:
                break
            _, cpl, place = taken[0]
            places |= {place} if cpl == 0 else set()
            kept.append((step, self.said(NOTE, text, f"from={step}", place)))
        print(f"# {len(places)} instructions of the hypervisor; the last NMI after "
              f"{step} instructions", flush=True)
        check(len(places) >= 30, f"only {len(places)} places")
        self.until("note of an NMI", kept)

    def test_machine_check(self):
        """One that could be recovered from, and is recorded."""
        places, kept = set(), []
        for number in range(self.checks):
            driver = McDriver()
            step = 1000 + number * self.stride * 3
            line = f"mc from={step}"
            taken, text = self.once(line, driver=driver)
            # The driver takes the end of the machine for one more stop.
            check(driver.raised - 1 == len(taken) <= 1 and driver.refused is None,
                  f"{line}: {driver.raised} raised, {len(taken)} taken")
            if not taken:
                break
            vector, _, place = taken[0]
            check(vector == MC, f"{line}: {taken}")
            check(self.said(TOLD, text, line, place), f"{line}: it is not told")
            records = self.box.section(boxview.MCE)
            check(len(records) <= MC_RECORD and
                  (not records or MC_RIP.unpack_from(records, MC_RIP_AT) == (place,)),
                  f"{line}: it came at {place:#x}, the box has {records[:64].hex()}")
            kept.append((step, bool(records)))
            places.add(place)
        print(f"# machine checks at {len(places)} instructions", flush=True)
        check(len(places) >= 8, f"only {len(places)} places")
        self.until("record of a machine check", kept)
