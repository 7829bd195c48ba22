# SPDX-License-Identifier: MIT
"""Wrong modules end in one clear sentence, never in a triple fault."""

import re

from suite import BUILD, PACKED, Suite, check, need_vigil, require

SENTENCE = r"Vigil cannot start Dom0: (.+)\n"


class BadModules(Suite):
    """One short machine per mistake."""

    weight = 25
    kernel = PACKED

    def setup(self):
        need_vigil()
        self.initrd = BUILD / "dom0/initramfs.img"
        require(self.kernel, self.initrd)
        self.where = BUILD / "test/BadModules"
        self.where.mkdir(parents=True, exist_ok=True)

    def made(self, name, data):
        """Write a module file."""
        path = self.where / name
        path.write_bytes(data)
        return path

    def refuses(self, label, modules, words, options=""):
        """Boot it: one sentence that matches, then a halt or a reset."""
        vm = self.boot(label, modules=modules, options=options, wait=False)
        try:
            found = vm.expect(SENTENCE, 40, fail=r"DOM0-INIT|Linux version")
            check(re.search(words, found.group(1), re.I),
                  f"the sentence is '{found.group(1)}', not about /{words}/")
            count = len(re.findall(SENTENCE, vm.text))
            check(count <= 2, f"the sentence comes {count} times")
            # A triple fault would have ended QEMU before the sentence.
        finally:
            vm.close()

    def test_no_modules(self):
        self.refuses("none", [], r"no (kernel|module)")

    def test_not_a_kernel(self):
        junk = self.made("text", b"This is not a kernel.\n" * 400)
        self.refuses("text", [(junk, "console=hvc0")], r"bzImage|ELF|kernel")

    def test_empty_kernel(self):
        # QEMU refuses a file of no bytes; one byte is as bad.
        empty = self.made("empty", b"\0")
        self.refuses("empty", [(empty, "")], r"small|short|truncated|bzImage")

    def test_truncated_kernel(self):
        cut = self.made("cut", self.kernel.read_bytes()[:200_000])
        self.refuses("cut", [(cut, "")], r"truncated|short|beyond|xz|corrupt")

    def test_header_only(self):
        cut = self.made("header", self.kernel.read_bytes()[:600])
        self.refuses("header", [(cut, "")], r"truncated|short|beyond|small")

    def test_bad_xz(self):
        data = bytearray(self.kernel.read_bytes())
        middle = len(data) // 2
        for at in range(middle, middle + 4096):
            data[at] ^= 0x5a
        bad = self.made("badxz", bytes(data))
        self.refuses("badxz", [(bad, ""), (self.initrd, "")],
                     r"xz|compress|corrupt")

    def test_elf_without_notes(self):
        # Debian's Xen itself: a 32-bit ELF with no Xen notes.
        elf = BUILD / "cache/xen-4.17-debian"
        require(elf)
        self.refuses("nonotes", [(elf, "")], r"note|ELF|64-bit|class")

    def test_elf64_without_notes(self):
        header = (b"\x7fELF\x02\x01\x01" + b"\0" * 9 + b"\x02\0\x3e\0\x01\0\0\0"
                  + b"\0" * 8 + (64).to_bytes(8, "little") + b"\0" * 8
                  + b"\0\0\0\0" + b"\x40\0\x38\0\x01\0\x40\0\0\0\0\0")
        segment = (b"\x01\0\0\0\x05\0\0\0" + b"\0" * 8 + b"\0" * 16
                   + (4096).to_bytes(8, "little") * 2
                   + (4096).to_bytes(8, "little"))
        elf = self.made("elf64", (header + segment).ljust(8192, b"\x90"))
        self.refuses("elf64", [(elf, "")], r"note")

    def test_segment_beyond_file(self):
        data = bytearray((self.where / "elf64").read_bytes()
                         if (self.where / "elf64").exists() else b"")
        check(data, "the case before this one made no file")
        data[64 + 32:64 + 40] = (1 << 40).to_bytes(8, "little")
        elf = self.made("beyond", bytes(data))
        self.refuses("beyond", [(elf, "")],
                     r"truncated|beyond|outside|note|large|size|fit")

    def test_too_much_memory(self):
        self.refuses("memory", [(self.kernel, ""), (self.initrd, "")],
                     r"memory|MiB|dom0_mem", options="dom0_mem=64G")

    def test_too_little_memory(self):
        self.refuses("tiny", [(self.kernel, ""), (self.initrd, "")],
                     r"memory|MiB|dom0_mem|fit", options="dom0_mem=8M,max:8M")


class BadModulesGrub(Suite):
    """GRUB loads no kernel at all."""

    weight = 10

    def test_no_modules_from_grub(self):
        need_vigil()
        import subprocess
        from suite import ISO_LOCK, TOP
        iso = BUILD / "test/BadModulesGrub.iso"
        iso.parent.mkdir(parents=True, exist_ok=True)
        require(BUILD / "xen-4.17-vigil-amd64.gz")
        with ISO_LOCK:
            subprocess.run([TOP / "scripts/mk-iso", "-o", iso, "-k", "",
                            "-i", ""], check=True, stdout=subprocess.DEVNULL)
        vm = self.start("", cdrom=iso)
        found = vm.expect(SENTENCE, 40, fail=None)
        check(re.search(r"no (kernel|module)", found.group(1), re.I),
              found.group(0))
