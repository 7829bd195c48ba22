# SPDX-License-Identifier: MIT
"""A machine check is in the black box before anybody has written a word of it.

The machine is reset at chosen places between the machine check and who takes its
record up, and the next boot has to tell of it.  The stub in the place of Dom0
collects nothing.
"""

import re

import boxview
from gdbstub import Debugger, symbols
from suite import Suite, check, need_vigil

SIZE = 128 << 20
RECOVERABLE = 0xBD000000000000C0    # UC, signalled, action optional: scrub
MADDR = 0x1234040                   # somewhere in memory
TOLD = "machine check on CPU 0 in "
LEFT = re.compile(rf"boot: not collected then: machine check \d+, CPU 0, MCG_STATUS "
                  rf"0x5, rip 0x\w+, 1 banks: bank 9 status {RECOVERABLE:#x} addr "
                  r"(0x\w+)")
NOTHING = "previous boot left a black box: unfinished"


class McBox(Suite):
    """One machine, reset again and again."""

    weight = 10

    def setup(self):
        need_vigil()
        self.where = symbols()
        self.boot_stub("hello", "hold", label="machine", resets=True, memory="128M",
                       options="watchdog=no dom0_mem=48M,max:48M")

    def reset_at(self, place, number):
        """A machine check; when it is at that place the machine is reset.
        Return: the addresses that the next boot tells of.

        A bank that was not cleared is a record of the next boot, of another kind.
        """
        vm = self.vm
        self.stub_verdict(vm, "hello")
        vm.forget()
        with Debugger(vm) as debugger:
            answer = vm.inject_mce(RECOVERABLE, misc=0x8C, mcg=5,
                                   addr=MADDR + number)
            check(not answer.strip(), f"mce: {answer}")
            debugger.run_to(self.where["entry_mc"], 60)
            if place:
                debugger.run_to(self.where[place], 60)
                check(TOLD not in vm.text, "it was told before its record was")
                vm.hmp("system_reset")
        if not place:
            vm.expect(re.escape(TOLD), 60, fail=None)
            vm.hmp("system_reset")
        vm.expect(NOTHING, 60, fail=None)
        vm.expect(r"boot: Dom0 starts", 60, fail=None)
        return [int(addr, 16) for addr in LEFT.findall(vm.text)]

    def test_before_its_words(self):
        """It has been recorded, and the handler has gone no further."""
        found = self.reset_at("bank_clear", 0)
        check(found == [MADDR], f"{found}")

    def test_before_the_response(self):
        """Its handler has ended, on the way to who would act."""
        found = self.reset_at("mce_response_run", 1)
        check(found == [MADDR + 1], f"{found}")

    def test_not_collected(self):
        """All has been told and done, but Dom0 has not asked for it."""
        found = self.reset_at(None, 2)
        check(found == [MADDR + 2], f"{found}")

    def test_while_it_is_written(self):
        """Half a record is none, and harms nobody."""
        found = self.reset_at("record_add_bank", 3)
        check(not found and "not collected" not in self.vm.text, f"{found}")
        check("mangled" not in self.vm.text, "the box is mangled")

    def test_as_qemu_sees_it(self):
        """Once more, with the box read from outside: nothing but the record."""
        vm = self.vm
        self.stub_verdict(vm, "hello")
        with Debugger(vm) as debugger:
            vm.inject_mce(RECOVERABLE, misc=0x8C, mcg=5, addr=MADDR)
            debugger.run_to(self.where["bank_clear"], 60)
            box = boxview.boxes(vm, SIZE)[-1]
        records = box.section(boxview.MCE)
        check(records and len(records) % 512 == 0, f"{len(records)} bytes")
        check(box.state == boxview.RUNNING, f"state {box.state}")
        check(RECOVERABLE.to_bytes(8, "little") + MADDR.to_bytes(8, "little")
              in records, "status and address are not there")
