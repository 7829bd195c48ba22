# SPDX-License-Identifier: MIT
"""Machine checks to the instruction: whoever watches a machine that stops itself.

    driver = McDriver()
    vm = ...boot_stub("sweep", "mc ...", extra=[*driver.options, ...])
    driver.start(vm)                    # a thread, until QEMU has ended
    ...
    driver.raised, driver.left_out      # so many

QEMU alone can raise a machine check, by its monitor.  The stub has its HPET write
to the device pvpanic, which stops the machine before the next instruction; here
one is made pending, and the machine goes on.  Both commands go to QEMU's stub for
debuggers, in one piece: its monitor's own line takes three times as long.
"""

import re
import socket
import tempfile
import threading

# UC, signalled, action optional: found by the scrubber; RIPV, MCIP.
STATUS = 0xBD000000000000C0
MISC = 0x8C
MCG = 0x5
BANK = 9

ERRORS_AT = r"^sweep: errors at 0x([0-9a-f]+)\r?$"


def packet(text):
    """Return it as the remote protocol has it."""
    data = text.encode()
    return b"$" + data + b"#%02x" % (sum(data) & 0xff)


def monitor(line):
    """Return the packet that has a line of the monitor executed."""
    return packet("qRcmd," + line.encode().hex())


GO_ON = packet("c")

# Where a machine check would come, with respect to the handler of another:
OUTSIDE, BUSY, LEAVING = range(3)   # BUSY: MCIP is set, it would be a reset

# Instructions from where the second has cleared MCIP to where it has left.
THIRD_STEPS = 42


class Handler:
    """Tells where in the handler of a machine check the machine stands."""

    def __init__(self, busy, leaving, stacks):
        """
        busy:    addresses of code that runs only while MCIP is set, on any stack
        leaving: the same of code that runs after it, also on the stacks of #MC
        stacks:  (lowest, highest) rsp of each of those
        """
        self._busy = busy
        self._leaving = leaving
        self._stacks = stacks

    def where(self, driver):
        """Return OUTSIDE, BUSY or LEAVING."""
        rip, rsp = driver.registers()
        where = self.place(rip, rsp)
        if where == LEAVING:
            driver.seconds.add(rip)
        return where

    def place(self, rip, rsp):
        """Return the same of a place."""
        if rip in self._busy:
            return BUSY
        if rip in self._leaving:
            return LEAVING
        if any(low < rsp <= high for low, high in self._stacks):
            return BUSY
        return OUTSIDE


class McDriver:
    """The debugger's line, and the thread that answers it."""

    def __init__(self, nmi=False, inside=None, third=None, step=0):
        """
        nmi:    with each, an NMI is made pending, too
        inside: what is known of the #MC handler, for one that comes while another
                is being handled (Handler); None: that does not happen
        third:  where the second has cleared MCIP: one more, 0, 1, 2, ... up to
                THIRD_STEPS instructions after it
        step:   begin with that, where another machine has ended
        """
        self._dir = tempfile.TemporaryDirectory(prefix="vigil-")
        self._path = f"{self._dir.name}/gdb"
        self.options = ["-global", "hpet.timers=4", "-gdb", f"unix:{self._path},server=on,wait=off",
                        "-device", "pvpanic-pci", "-action", "panic=pause"]
        self._nmi = nmi
        self._inside = inside
        self._third = third
        self._thread = None
        self._sock = None
        self._buffer = b""
        self.raised = 0
        self.left_out = 0
        self.step = step
        self.seconds = set()    # where they were raised, on the first's way out
        self.thirds = set()     # and on the second's
        self.refused = None

    def start(self, vm):
        """Wait for the stub's page, and begin."""
        found = re.search(ERRORS_AT, vm.expect(ERRORS_AT, 60).group(0), re.M)
        self._sock = socket.socket(socket.AF_UNIX)
        self._sock.connect(self._path)
        # It stops as we come, and says so before it answers.
        self._sock.sendall(packet("?"))
        while self._next() not in (b"T05thread:01;", None):
            pass
        if "panicked" in self.hmp("info status"):
            # On a busy machine it has stopped for the first time before we came.
            self._buffer = packet("T05thread:01;") + self._buffer
        else:
            self._sock.sendall(b"+" + GO_ON)
        self._thread = threading.Thread(
            target=self._run, args=(int(found.group(1), 16),), daemon=True)
        self._thread.start()

    def _next(self):
        """Return the next packet; None: QEMU has ended."""
        while True:
            start = self._buffer.find(b"$")
            end = self._buffer.find(b"#", start)
            if 0 <= start < end <= len(self._buffer) - 3:
                found = self._buffer[start + 1:end]
                self._buffer = self._buffer[end + 3:]
                return found
            data = self._sock.recv(65536)
            if not data:
                return None
            self._buffer += data

    def hmp(self, line):
        """While it stands: run a line of the monitor.  Return: its text."""
        self._sock.sendall(b"+" + monitor(line))
        text = b""
        while (found := self._next()) not in (None, b"OK"):
            text += bytes.fromhex(found[1:].decode())
            self._sock.sendall(b"+")
        return text.decode()

    def _run(self, maddr):
        nmi = monitor("nmi") if self._nmi else b""
        check = [b"+" + monitor(f"mce 0 {BANK} {STATUS:#x} {MCG:#x} "
                                f"{maddr + 64 * n:#x} {MISC:#x}") + nmi + GO_ON
                 for n in range(64)]
        try:
            while (found := self._next()) is not None:
                # Said by the monitor: a machine check that was refused.
                if found.startswith(b"O") and found != b"OK":
                    self.refused = bytes.fromhex(found[1:].decode()).decode()
                if not found.startswith(b"T"):
                    continue
                where = self._inside.where(self) if self._inside else OUTSIDE
                if where == BUSY:
                    self.left_out += 1
                    self._sock.sendall(b"+" + GO_ON)
                    continue
                self.raised += 1
                if where == LEAVING and self._third:
                    self._raise_and_wait(check[self.raised % 64])
                    self.raised += 1
                self._sock.sendall(check[self.raised % 64])
        except OSError:
            pass    # the machine has ended

    def _ask(self, text):
        """While it stands: send a packet.  Return: its answer."""
        self._sock.sendall(b"+" + packet(text))
        return self._next()

    def _raise_and_wait(self, check):
        """Raise the second; stop where the third is to come."""
        self._ask(f"Z0,{self._third:x},1")
        self._sock.sendall(check)
        while (found := self._next()) is not None and found[:1] != b"T":
            pass
        self._ask(f"z0,{self._third:x},1")
        for _ in range(self.step % THIRD_STEPS):
            self._ask("s")
        self.step += 1
        self.thirds.add(self.registers()[0])

    def registers(self):
        """While it stands.  Return: rip, rsp."""
        text = self.hmp("info registers")
        return tuple(int(re.search(rf"{name} *=([0-9a-f]+)", text)[1], 16)
                     for name in ("RIP", "RSP"))

    def close(self):
        """After QEMU has ended."""
        if self._thread:
            self._thread.join(30)
        if self._sock:
            self._sock.close()
        self._dir.cleanup()
