# SPDX-License-Identifier: MIT
"""The hypervisor's log, and what its processors are in the middle of, in gdb.

    gdb -x scripts/vigil-gdb.py build/xen-4.17-vigil-amd64-syms
    (gdb) target remote :1234       a machine that stands, e.g. QEMU's with -s
    (gdb) vigil-log                 every record of this boot
    (gdb) vigil-log warning         those as severe as that, or more
    (gdb) vigil-cpus                each processor's context word and vcpu

Memory is read and nothing else: it works on a machine that hangs, whoever holds
which lock.  A processor that runs a guest with page tables isolated (xpti) does not
show the hypervisor's memory: let it run, and stop it again.
"""

import ctypes
import struct

import gdb

LEVELS = ("panic", "error", "warning", "notice", "info", "debug")
CONTEXTS = ("normal", "irq", "nmi", "mc", "crash")
# include/public/vigil/log.h
CELL = struct.Struct("<QQQIHHBBB5x")
CELL_BYTES, TEXT_BYTES, SUM_AT = 256, 216, 24
FLAG_MORE, FLAG_GUEST = 1, 2
# include/public/vigil/blackbox.h, context.h
SECTION_LOG = 1
KINDS = {1: "irq in ", 2: "nmi in ", 4: "mce in ", 8: "crash in "}
OF_GUEST = 1 << 31

try:
    XXH = ctypes.CDLL("libxxhash.so.0").XXH64
    XXH.restype = ctypes.c_uint64
    XXH.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64)
except OSError:
    XXH = None      # then cells are believed as they are


def is_whole(cell, used, said):
    """Return whether a cell's sum is right (include/public/vigil/log_sum.h)."""
    data = cell[:SUM_AT] + bytes(4) + cell[SUM_AT + 4:CELL.size + used]
    return XXH is None or XXH(data, len(data), 0) & 0xffffffff == said


def read_ring():
    """Return (box, bytes of the ring)."""
    # "The one in blackbox.c": other files may have one of that name.
    box = gdb.parse_and_eval("'blackbox.c'::box")
    if not box:
        raise gdb.GdbError("vigil-log: there is no black box yet, or none at all")
    for at in range(16):
        section = box["section"][at]
        if int(section["type"]) == SECTION_LOG:
            start = int(box) + int(section["offset"])
            memory = gdb.selected_inferior().read_memory(
                start, int(section["bytes"]))
            return box, bytes(memory)
    raise gdb.GdbError("vigil-log: the black box has no log")


def cells_of(ring, boot_id):
    """Return ({number: (tsc, cpu, level, context, flags, text)}, torn)."""
    cells, torn = {}, 0
    for at in range(0, len(ring) - CELL_BYTES + 1, CELL_BYTES):
        cell = ring[at:at + CELL_BYTES]
        seq, tsc, boot, said, cpu, used, level, context, flags = \
            CELL.unpack_from(cell)
        if seq == 0 or boot != boot_id:
            continue
        if used > TEXT_BYTES or not is_whole(cell, used, said):
            torn += 1
            continue
        cells[seq] = (tsc, cpu, level, context, flags,
                      cell[CELL.size:CELL.size + used])
    return cells, torn


def name_of(names, number):
    """Return names[number], or a question mark."""
    return names[number] if number < len(names) else "?"


def printable(data):
    """Return bytes as text that does nothing to a terminal."""
    text = data.decode("utf-8", "backslashreplace").rstrip("\r\n")
    return "".join(c if c.isprintable() or c == "\t" else
                   c.encode("unicode_escape").decode() for c in text)


class VigilLog(gdb.Command):
    """vigil-log [LEVEL]: the hypervisor's records of this boot.

LEVEL is panic, error, warning, notice, info or debug (all of them)."""

    def __init__(self):
        super().__init__("vigil-log", gdb.COMMAND_STATUS)

    def complete(self, _text, word):
        return [name for name in LEVELS if name.startswith(word)]

    def invoke(self, argument, _from_tty):
        if argument and argument not in LEVELS:
            raise gdb.GdbError(f"vigil-log: no level {argument}; give "
                               + ", ".join(LEVELS))
        least = LEVELS.index(argument) if argument else len(LEVELS) - 1
        box, ring = read_ring()
        cells, torn = cells_of(ring, int(box["boot_id"]))
        self.show(cells, least, int(box["tsc_khz"]))
        lost = sum(b - a - 1 for a, b in zip(sorted(cells), sorted(cells)[1:]))
        print(f"-- {len(cells)} cells, {torn} torn, {lost} missing between the "
              "first and the last")

    @staticmethod
    def show(cells, least, tsc_khz):
        """Print the lines; one may go on in the next cell."""
        previous, more = None, False
        line = None
        for seq in sorted(cells):
            tsc, cpu, level, context, flags, text = cells[seq]
            if more and seq == previous + 1:
                line[1] += text
            else:
                VigilLog.end(line)
                when = (f"{tsc / tsc_khz / 1000:12.6f}" if tsc_khz
                        else f"tsc {tsc}")
                where = name_of(LEVELS, level)
                if context:
                    where += "/" + name_of(CONTEXTS, context)
                if flags & FLAG_GUEST:
                    where += " guest"
                line = ([f"[{when}] cpu{cpu} {where}: ", text]
                        if level <= least else ["", b""])
            previous, more = seq, bool(flags & FLAG_MORE)
        VigilLog.end(line)

    @staticmethod
    def end(line):
        """Print what has been put together."""
        if line and line[0]:
            print(line[0] + printable(line[1]))


def context_words(word):
    """Say a context word as vigil_context_words() does."""
    said = ""
    for level in range(6, -1, -1):
        kind = word >> 4 * level & 0xf
        if kind:
            said += KINDS.get(kind, "? in ")
    return said + ("guest" if word & OF_GUEST else "hypervisor")


class VigilCpus(gdb.Command):
    """vigil-cpus: what each processor is in the middle of, and whose vcpu it has."""

    def __init__(self):
        super().__init__("vigil-cpus", gdb.COMMAND_STATUS)

    def invoke(self, _argument, _from_tty):
        blocks = gdb.parse_and_eval("cpu_blocks")
        for cpu in range(blocks.type.range()[1] + 1):
            block = blocks[cpu]
            if not block:
                continue
            vcpu = block["current_vcpu"]
            word = int(block["context"])
            # 0: a guest may run, or the hypervisor works for one or is idle.
            said = context_words(word) if word else "not interrupted"
            whose = (f"domain {int(vcpu['domain']['domid'])} vcpu "
                     f"{int(vcpu['vcpu_id'])}" if vcpu else "idle")
            print(f"cpu{cpu}: {said}; {whose}; {int(block['irq_count'])} "
                  f"interrupts, {int(block['nmi_count'])} NMIs")


VigilLog()
VigilCpus()
