# SPDX-License-Identifier: MIT
"""Stop a machine at one instruction, through QEMU's stub for debuggers.

    with Debugger(vm) as debugger:
        debugger.run_to(address)        # vm runs until it gets there
        vm.hmp("mce ...")               # it stands: what comes is pending
    # it runs again

Breakpoints live in QEMU and change no memory; write() does.  Only step() does single
steps: they mask interrupts, NMIs and machine checks.  For machines with one
processor: of several the stub now and then does not stop all, or loses a register.
"""

import re
import socket
import subprocess
import time

from suite import hypervisor
from vm import VMError

RCX, RSP, RIP, RFLAGS = 2, 7, 16, 17    # gdb's numbers of registers
STOPS = 5       # of a machine that is to stop at one address


def symbols(image=None):
    """Return where the functions and labels of a hypervisor are."""
    image = image or hypervisor()
    text = subprocess.run(["nm", image.with_name(image.name + "-syms")],
                          check=True, capture_output=True, text=True).stdout
    return {words[2]: int(words[0], 16)
            for words in map(str.split, text.splitlines()) if len(words) == 3}


class Debugger:
    """The few packets of GDB's remote protocol that are needed."""

    def __init__(self, vm):
        path = f"{vm.sockets_dir}/gdb"
        vm.hmp(f"gdbserver unix:{path},server=on,wait=off")
        self._sock = socket.socket(socket.AF_UNIX)
        self._sock.connect(path)
        self._buffer = b""
        self._vm = vm
        # Its answer means that the machine stands.
        self._send("?")
        self._packet(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self._send("D")
            self._sock.close()
            if self._vm.running:
                self._vm.hmp("gdbserver none")
                self._vm.qmp("cont")
        except (OSError, VMError):
            pass    # the case has failed already, for a better reason

    def _send(self, text):
        data = text.encode()
        self._sock.sendall(b"$" + data + b"#%02x" % (sum(data) & 0xff))

    def _packet(self, seconds):
        deadline = self._vm.deadline(seconds)
        while True:
            start = self._buffer.find(b"$")
            end = self._buffer.find(b"#", start)
            if 0 <= start < end <= len(self._buffer) - 3:
                packet = self._buffer[start + 1:end]
                self._buffer = self._buffer[end + 3:]
                self._sock.sendall(b"+")
                return packet.decode()
            self._sock.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                data = self._sock.recv(4096)
            except TimeoutError:
                raise VMError("the debugger's stop did not come") from None
            if not data:
                raise VMError("QEMU closed the debugger's line")
            self._buffer += data

    def _do(self, text):
        """Send a command that QEMU must accept."""
        self._send(text)
        while True:
            answer = self._packet(10)
            # It may still have told us that the machine has stopped.
            if not answer.startswith("T"):
                break
        if answer != "OK":
            raise VMError(f"debugger: {text}: '{answer}'")

    def run_to(self, address, seconds=10):
        """Let the machine run until it is about to execute address."""
        self._do(f"Z0,{address:x},1")
        # On a busy host QEMU may stop for another reason of its own first.
        for _ in range(STOPS):
            try:
                self._send("c")
                stop = self._packet(seconds)
            except VMError:
                raise VMError(f"{address:#x} was not executed") from None
            if not stop.startswith("T05"):
                raise VMError(f"stopped with '{stop}'")
            if self.registers()[RIP] == address:
                break
        else:
            raise VMError(f"{STOPS} stops, none at {address:#x}")
        self._do(f"z0,{address:x},1")

    def registers(self):
        """Return the general registers and RIP, by gdb's numbers."""
        self._send("g")
        data = bytes.fromhex(self._packet(10)[:16 * (RIP + 1)])
        return [int.from_bytes(data[at:at + 8], "little")
                for at in range(0, len(data), 8)]

    def step(self):
        """Execute one instruction: where run_to() is already, it stays."""
        self._send("s")
        stop = self._packet(10)
        if not stop.startswith("T05"):
            raise VMError(f"stopped with '{stop}'")

    def count_steps(self, limit, to=None):
        """Return the instructions from here until to(registers) is true, or to
        the return of the function whose first this is."""
        rsp = self.registers()[RSP]
        for count in range(1, limit + 1):
            self.step()
            now = self.registers()
            if to(now) if to is not None else now[RSP] > rsp:
                return count
        raise VMError(f"not there within {limit} instructions")

    def set_registers(self, cpu, values):
        """Change registers of a processor: {gdb's number: (value, bytes)}."""
        # QEMU writes single registers for those who have asked for their list.
        self._send("qXfer:features:read:target.xml:0,10")
        self._packet(10)
        self._do(f"Hg{cpu + 1:x}")
        for number, (value, size) in values.items():
            self._do(f"P{number:x}={value.to_bytes(size, 'little').hex()}")

    def hang(self, cpu, loop):
        """From now on this processor executes what stands at loop, for ever.

        It stands in the hypervisor; interrupts are off there.
        """
        self.set_registers(cpu, {RIP: (loop, 8), RFLAGS: (2, 4)})

    def write(self, address, data):
        """Write bytes to the machine's memory, at a physical address."""
        self._do("Qqemu.PhyMemMode:1")
        self._do(f"M{address:x},{len(data):x}:{data.hex()}")
        self._do("Qqemu.PhyMemMode:0")
