# SPDX-License-Identifier: MIT
"""The black box as a machine has it in memory (include/public/vigil/blackbox.h).

    box = left(vm, 128 << 20)
    box.reason, box.cpus(), box.text(BACKTRACE), box.records()
"""

import struct

MIB = 1 << 20
ZONE = MIB
HEADER = struct.Struct("<8sIIQQQIIIIIIQQQ64s256s")
SECTION = struct.Struct("<IIQQ")
SECTIONS = 16
CELL = struct.Struct("<QQQIHHBB")       # include/public/vigil/log.h
CELL_BYTES = 256
TEXT_AT = 40
CPU = struct.Struct("<IIIIQQQ")
REGS_RIP = 16                           # of the 64-bit words

RUNNING, WRITING, SEALED, TAKEN = 1, 2, 3, 4
QUIET = 3                               # the stage from which on it prints
LOG, REGS, BACKTRACE, NOTES, MCE, CPUS, CONTEXTS = range(1, 8)
DIED, STOPPED, SILENT, INIT = 1, 2, 3, 4


class Box:
    """One zone."""

    def __init__(self, data, place):
        """
        data:  its bytes
        place: where it lies in the machine's memory
        """
        self._data = data
        self.place = place
        (_, _, _, _, self.boot, self.generation, self.state, self.kind, self.stage,
         self.depth, self.cpu, _, self.tsc, self.tsc_khz, _, _, reason,
         ) = HEADER.unpack_from(data)
        self.reason = reason.split(b"\0")[0].decode()

    def sections(self):
        """Yield (type, sum, bytes) of each section."""
        for number in range(SECTIONS):
            kind, said, at, size = SECTION.unpack_from(
                self._data, HEADER.size + number * SECTION.size)
            if kind:
                yield kind, said, self._data[at:at + size]

    def section(self, kind):
        """Return the bytes of a section."""
        return next((data for found, _, data in self.sections() if found == kind),
                    b"")

    def text(self, kind):
        """Return a section that is text."""
        return self.section(kind).decode("utf-8", "replace")

    def cpus(self):
        """Return {number: (state, context, rip)}."""
        return {cpu: (state, context, rip) for cpu, state, context, _, rip, _, _
                in CPU.iter_unpack(self.section(CPUS))}

    def rip(self):
        """Return where it failed."""
        return struct.unpack_from("<Q", self.section(REGS), 8 * REGS_RIP)[0]

    def cells(self):
        """Return [(number, bytes up to the text's end)] of this boot's log."""
        found = []
        log = self.section(LOG)
        for at in range(0, len(log), CELL_BYTES):
            number, _, of, _, _, used, *_ = CELL.unpack_from(log, at)
            if number and of == self.boot and used <= CELL_BYTES - TEXT_AT:
                found.append((number, log[at:at + TEXT_AT + used]))
        return sorted(found)

    def records(self):
        """Return [(TSC, text)] of the log, the oldest first."""
        return [(CELL.unpack_from(cell)[1], cell[TEXT_AT:].decode("utf-8", "replace"))
                for _, cell in self.cells()]


def boxes(vm, size, base=0):
    """Return all in a part of the machine's memory, that of the newest boot last."""
    path = vm.dir / "memory"
    vm.hmp(f'pmemsave {base:#x} {size:#x} "{path}"')
    data = path.read_bytes()
    path.unlink()
    assert len(data) == size, f"{len(data)} bytes of memory"
    found = [Box(data[at:at + ZONE], base + at) for at in range(0, size, ZONE)
             if data[at:at + 8] == b"VIGILBOX"]
    return sorted(found, key=lambda box: box.generation)


def left(vm, size):
    """Return the newest that says why its boot ended.

    The next boot says what it has found before it lays out its own.
    """
    return [box for box in boxes(vm, size) if box.kind][-1]
