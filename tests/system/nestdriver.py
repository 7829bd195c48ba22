# SPDX-License-Identifier: MIT
"""A driver of machine checks that does what the stub has drawn, for NestRandom.

The stub leaves a plan in its memory: whether an NMI is to be pending together with
each machine check, what is to come on the way out of the first, whether one more
on the way out of the second, and how far on that.  What was done for each seed is
kept.
"""

import re
import struct
from collections import defaultdict

from gdbstub import RIP, RSP, symbols
from mcdriver import (BANK, BUSY, GO_ON, LEAVING, MCG, MISC, OUTSIDE, STATUS,
                      Handler, McDriver, monitor, packet)

PLAN_AT = r"^sweep: plan at 0x([0-9a-f]+)\r?$"
# Bits of the plan: 1 and 2, an NMI with the first #MC and the second.
PLAN_OUT_MC = 4             # on the first's way out
PLAN_OUT_NMI = 8
PLAN_THIRD = 16             # a #MC on the way out of the second
PLAN_STEPS = 8              # from bit 8: instructions on the way out

NMI_STACKS = (0x7000, 0x9000)   # x86/layout.h
PAGE = 0x1000
FRAME = "<QQQQQ"                # rip, cs, flags, rsp, ss


class NestedHandler:
    """Handler, that also knows what an NMI in between has interrupted."""

    def __init__(self, handler: Handler):
        self._handler = handler
        block = symbols()["bsp_block"]
        self._stacks = [(block + page, block + page + PAGE) for page in NMI_STACKS]

    def where(self, driver, at):
        """at: (rip, rsp).  Return: OUTSIDE, BUSY or LEAVING; whether in an NMI."""
        in_nmi = False
        # Two stacks of NMIs, so it can be one in another, and no more.
        for _ in range(3):
            top = next((high for low, high in self._stacks if low < at[1] <= high),
                       None)
            answer = self._handler.place(*at)
            if top is None or answer != OUTSIDE:
                return answer, in_nmi
            in_nmi = True
            rip, cs, _, rsp, _ = struct.unpack(
                FRAME, driver.read(top - struct.calcsize(FRAME)))
            if cs & 3:
                break
            at = rip, rsp
        return OUTSIDE, in_nmi


class NestDriver(McDriver):
    """Raises what the plan says, where it is no reset."""

    def __init__(self, handler):
        """handler: of machine checks (Handler)"""
        super().__init__()
        self._nested = NestedHandler(handler)
        self._ended = [at for name, at in symbols().items()
                       if name in ("mc_ended_ret", "mc_ended_iret", "mc_ended_main")]
        self._plan_at = None
        self.nmis = defaultdict(int)    # that were raised here, by seed
        self.mcs = defaultdict(int)
        self.stops = defaultdict(int)   # of each seed

    def start(self, vm):
        self._vm_text = lambda: vm.text
        super().start(vm)

    def read(self, address, size=40):
        """While it stands: bytes of memory."""
        return bytes.fromhex(self._ask(f"m{address:x},{size:x}").decode())

    def _look(self):
        """While it stands.  Return: the plan's two words; (rip, rsp)."""
        if self._plan_at is None:
            found = re.search(PLAN_AT, self._vm_text(), re.M)
            self._plan_at = int(found.group(1), 16)
        # In one piece: that counts.
        _, plan, _, registers = self._ask_all(
            "Qqemu.PhyMemMode:1", f"m{self._plan_at:x},10", "Qqemu.PhyMemMode:0", "g")
        at = [int.from_bytes(bytes.fromhex(registers[16 * n:16 * n + 16].decode()),
                             "little") for n in (RIP, RSP)]
        return struct.unpack("<QQ", bytes.fromhex(plan.decode())), tuple(at)

    def _ask_all(self, *texts):
        """While it stands: send packets.  Return: their answers."""
        self._sock.sendall(b"+" + b"".join(map(packet, texts)))
        return [self._next() for _ in texts]

    def _run(self, maddr):
        self._check = [monitor(f"mce 0 {BANK} {STATUS:#x} {MCG:#x} "
                               f"{maddr + 64 * n:#x} {MISC:#x}") for n in range(64)]
        try:
            while (found := self._next()) is not None:
                if found.startswith(b"O") and found != b"OK":
                    self.refused = bytes.fromhex(found[1:].decode()).decode()
                if found.startswith(b"T"):
                    self._stopped()
        except OSError:
            pass    # the machine has ended

    def _stopped(self):
        """By a comparator of the stub's: do what the plan says, and let it go on."""
        (seed, plan), at = self._look()
        where, in_nmi = self._nested.where(self, at)
        if where == BUSY:
            self.left_out += 1
            self._raise(seed, False, False)
            return
        first = not self.mcs[seed]
        nmi = bool(plan & (1 if first else 2))
        # Each goes on from the one before.
        todo = [(True, nmi)]
        if first and plan & (PLAN_OUT_MC | PLAN_OUT_NMI):
            todo.append((plan & PLAN_OUT_MC, plan & PLAN_OUT_NMI))
        if plan & PLAN_THIRD and (plan & PLAN_OUT_MC if first else
                                  where == LEAVING and not in_nmi):
            todo.append((True, False))
        for check, nmi in todo[:-1]:
            self._raise_to_exit(seed, nmi, plan >> PLAN_STEPS)
        self._raise(seed, *todo[-1])

    def _raise(self, seed, check, nmi):
        """While it stands: have these pending, or none; it goes on."""
        what = b"+"
        if check:
            self.raised += 1
            self.mcs[seed] += 1
            what += self._check[self.raised % len(self._check)]
        if nmi:
            self.nmis[seed] += 1
            what += monitor("nmi")
        self._sock.sendall(what + GO_ON)

    def _raise_to_exit(self, seed, nmi, steps):
        """The same of a #MC; stop so far behind where its handler clears MCIP."""
        self._ask_all(*(f"Z0,{at:x},1" for at in self._ended))
        self._raise(seed, True, nmi)
        while True:
            found = self._next()
            if found is None:
                raise ConnectionError("the machine has ended")
            if not found.startswith(b"T"):
                continue
            if self._look()[1][0] in self._ended:
                break
            # A comparator of the stub's; MCIP is set.
            self.left_out += 1
            self._raise(seed, False, False)
        self._ask_all(*(f"z0,{at:x},1" for at in self._ended))
        for _ in range(steps):
            self._ask("s")
