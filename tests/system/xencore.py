# SPDX-License-Identifier: MIT
"""A PV guest's core as xl and libvirt write it (Xen's docs/misc/
dump-core-format.txt): read, and understood as a debugger has to."""

import struct

from suite import check

MAGIC = 0xf00febed                  # of a PV guest; an HVM guest's differs
HEADER, XEN_VERSION, FORMAT_VERSION = 0x2000001, 0x2000002, 0x2000003
PAGE = 4096
# struct vcpu_guest_context of x86-64: its size, and where its registers are.
CONTEXT, USER_REGS, CR3 = 5168, 520, 4984 + 24
REGISTERS = ("r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi error "
             "rip cs rflags rsp").split()
PRESENT, LARGE = 0x1, 0x80
FRAME = 0x000ffffffffff000


class Core:
    """A core file in Dom0: its sections, the vcpus' registers, its memory."""

    def __init__(self, vm, path):
        self.vm, self.path = vm, path
        self.size = int(vm.dom0(f"stat -c %s {path}"))
        check(self.size >= 64, f"{path} has {self.size} bytes")
        head = self.read(0, 64)
        kind, machine = struct.unpack_from("<HH", head, 16)
        # 64-bit, little end first, a core file (4) for x86-64 (62).
        check(head[:7] == b"\x7fELF\2\1\1" and (kind, machine) == (4, 62),
              f"{path} is no core of x86-64: {head.hex()}")
        self._sections(*struct.unpack_from("<Q", head, 40),
                       *struct.unpack_from("<HHH", head, 58))
        self._notes()
        self.contexts = self._of_each(".xen_prstatus", self.vcpus, CONTEXT)
        pairs = b"".join(self._of_each(".xen_p2m", self.pages, 16))
        # By machine frame, as page tables name them: where the page is.
        self.where = {mfn: at for at, (_, mfn) in
                      enumerate(struct.iter_unpack("<QQ", pairs))}
        check(len(self.where) == self.pages, f"{path}: a frame is there twice")
        check(".xen_shared_info" in self.sections,
              f"{path}: {sorted(self.sections)}")
        offset, size, _ = self.sections[".xen_pages"]
        check(offset % PAGE == 0 and size == self.pages * PAGE and
              offset + size <= self.size,
              f"{path}: {self.pages} pages of {size} bytes at {offset} in "
              f"{self.size}")

    def read(self, offset, length):
        """Bytes of the file."""
        return self.vm.dom0_bytes(f"tail -c +{offset + 1} {self.path} | "
                                  f"head -c {length} | cat")

    def _sections(self, table, entry, count, names):
        """Fill sections: (offset, size, size of an entry) by name."""
        data = self.read(table, entry * count)
        rows = [struct.unpack_from("<IIQQQQIIQQ", data, at * entry)
                for at in range(count)]
        text = self.read(rows[names][4], rows[names][5])
        self.sections = {
            text[row[0]:text.index(b"\0", row[0])].decode():
            (row[4], row[5], row[9]) for row in rows}

    def _notes(self):
        """Take the numbers out of the notes."""
        data = self.read(*self.sections[".note.Xen"][:2])
        notes, at = {}, 0
        while at < len(data):
            name, size, kind = struct.unpack_from("<III", data, at)
            at += 12 + (name + 3) // 4 * 4
            notes[kind] = data[at:at + size]
            at += (size + 3) // 4 * 4
        check({HEADER, XEN_VERSION, FORMAT_VERSION} <= set(notes),
              f"{self.path}: notes {sorted(map(hex, notes))}")
        magic, self.vcpus, self.pages, page = struct.unpack_from(
            "<QQQQ", notes[HEADER])
        check((magic, page) == (MAGIC, PAGE), f"{self.path}: magic {magic:x}, "
              f"pages of {page}")
        version = struct.unpack_from("<QQ", notes[XEN_VERSION])
        check(version == (4, 17), f"{self.path}: written on Xen {version}")

    def _of_each(self, name, count, size):
        """The records of a section that has so many of that size."""
        offset, total, entry = self.sections[name]
        check(entry == size and total == count * size,
              f"{self.path}: {name} has {total} bytes, in {entry}; not {count} "
              f"times {size}")
        data = self.read(offset, total)
        return [data[at:at + size] for at in range(0, total, size)]

    def page(self, mfn):
        """The page that was in that machine frame."""
        check(mfn in self.where, f"{self.path} has no frame {mfn:x}")
        return self.read(self.sections[".xen_pages"][0] +
                         self.where[mfn] * PAGE, PAGE)

    def memory(self, address, length, vcpu=0):
        """Bytes that the vcpu had at a virtual address, all in one page, by
        its page tables."""
        entry, = struct.unpack_from("<Q", self.contexts[vcpu], CR3)
        for shift in (39, 30, 21, 12):
            table = self.page((entry & FRAME) // PAGE)
            entry, = struct.unpack_from("<Q", table,
                                        (address >> shift) % 512 * 8)
            check(entry & PRESENT and not (entry & LARGE and shift > 12),
                  f"{self.path}: {address:x} is not mapped: {entry:x}")
        at = address % PAGE
        return self.page((entry & FRAME) // PAGE)[at:at + length]

    def registers(self, vcpu=0):
        """The vcpu's registers by name."""
        return dict(zip(REGISTERS, struct.unpack_from(
            f"<{len(REGISTERS)}Q", self.contexts[vcpu], USER_REGS)))

    def in_hypercall(self, vcpu=0):
        """Was it in a hypercall, as one is that sleeps or has shut down?"""
        rip = self.registers(vcpu)["rip"]
        return self.memory(rip - 2, 2, vcpu) == b"\x0f\x05"


def entry_bytes(program, count=64):
    """Return (address, bytes) at the entry point of a 64-bit ELF file."""
    data = program.read_bytes()
    entry, table = struct.unpack_from("<QQ", data, 24)
    size, headers = struct.unpack_from("<HH", data, 54)
    for at in range(headers):
        kind, _, offset, address, _, length = struct.unpack_from(
            "<IIQQQQ", data, table + at * size)
        if kind == 1 and address <= entry < address + length:
            begin = offset + entry - address
            return entry, data[begin:begin + count]
    raise ValueError(f"{program}: its entry is in no segment")
