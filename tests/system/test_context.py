# SPDX-License-Identifier: MIT
"""What a processor is in the middle of is kept, told in a panic, and asserted.

One machine that resets after each panic.  It is stopped inside an entry, and an
NMI comes there; or its context word is changed there, as an exception that does
not leave it as it found it would.
"""

import re

from gdbstub import Debugger, symbols
from suite import Suite, check, need_vigil
from vm import VMError

IMAGE = 0xFFFF82D080000000          # where the hypervisor's physical 0 lies
WORD = 0x10000 - 0x400 + 12         # in a processor's block (x86/percpu.h)
IRQ, NMI = 1, 2                     # include/public/vigil/context.h
TRIES = 3
LEFT = r"previous boot left a black box: hypervisor panic: (.*)"


class Contexts(Suite):
    """A stub in the place of Dom0; nmi=fatal.  No cases of its own."""

    weight = 10
    stays = None

    def setup(self):
        need_vigil()
        self.where = symbols()
        self.boot_stub("hello", self.stays, label="machine", resets=True,
                       options="nmi=fatal")

    def dies(self, places, reason, context, word=None):
        """It is at the last of these places after the others: an NMI comes, or
        its word is changed to that; what is said, and what the next boot has."""
        self.vm.forget()
        for _ in range(TRIES):
            with Debugger(self.vm) as debugger:
                for place in places:
                    debugger.run_to(self.where[place], 60)
                if word is None:
                    self.vm.inject_nmi()
                else:
                    debugger.write(self.where["bsp_block"] - IMAGE + WORD,
                                   word.to_bytes(4, "little"))
            # An NMI that comes with one of the watchdog's is one with it.
            try:
                self.vm.expect(r"Panic on CPU 0", 20, fail=None)
                break
            except VMError:
                if word is not None or not self.vm.running:
                    raise
        else:
            check(False, f"no panic of {TRIES} NMIs")
        found = self.vm.expect(LEFT, 60, fail=None)
        check(found.group(1).strip() == reason, found.group(0))
        said = re.findall(r"Context: (.*)", self.vm.text)
        check([text.strip() for text in said] == [context], f"context {said}")


class ContextOfGuest(Contexts):
    """The guest never sleeps."""

    stays = "busy"

    def test_nmi_in_irq_in_guest(self):
        self.stub_verdict(self.vm, "hello")
        self.dies(["irq_entry_from_guest", "lapic_eoi"],
                  "NMI: unknown source, and nmi=fatal", "nmi in irq in guest")

    def test_left_to_guest(self):
        """The way out that only looks whether anything is to be done sees it."""
        self.stub_verdict(self.vm, "hello")
        self.dies(["leave_to_guest"],
                  'context word on the way to a guest: "irq in hypervisor", '
                  'must be "hypervisor"', "irq in hypervisor", IRQ)


class Context(Contexts):
    """The guest sleeps."""

    stays = "hold"

    def test_left_by_nmi(self):
        """In an interrupt that something left with an NMI's level too many."""
        self.stub_verdict(self.vm, "hello")
        self.dies(["irq_entry_from_hypervisor", "lapic_eoi"],
                  'context word at the end of an interrupt: "nmi in irq in '
                  'hypervisor", must be "irq in hypervisor"',
                  "nmi in irq in hypervisor", NMI << 4 | IRQ)

    def test_lost_in_nmi(self):
        """In the watchdog's NMI, that something has taken the level away of."""
        self.stub_verdict(self.vm, "hello")
        self.dies(["ras_nmi"],
                  'context word at the end of an NMI: "hypervisor", must be '
                  '"nmi in hypervisor"', "hypervisor", 0)
