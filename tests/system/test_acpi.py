# SPDX-License-Identifier: MIT
"""Firmware tables that lie, and ones that do not."""

import struct
import subprocess
import uuid

from suite import BUILD, TOP, Suite, check, need_vigil

SOURCES = TOP / "tests/unit/dev/acpi"
# Where acpi/bert.asl says; a memory module there is not in the BIOS's map.
BERT_REGION = 0x140000000
MEMORY_SECTION = uuid.UUID("a5bc1114-6f64-4ede-b863-3e83ed7c83b1")


def tables(*names):
    """Return QEMU's options for tables compiled from the unit tests' sources."""
    folder = BUILD / "test/acpi"
    folder.mkdir(parents=True, exist_ok=True)
    options = []
    for name in names:
        out = folder / name
        done = subprocess.run(["iasl", "-p", out, SOURCES / f"{name}.asl"],
                              capture_output=True, text=True)
        check(done.returncode == 0, f"iasl {name}: {done.stdout}")
        options += ["-acpitable", f"file={out}.aml"]
    return options


def error_block(address):
    """Return a status block: a fatal error of memory at an address."""
    memory = struct.pack("<QQQ", 2, 0, address).ljust(80, b"\0")
    data = (MEMORY_SECTION.bytes_le + struct.pack("<IHBBI", 1, 0x300, 0, 0,
                                                  len(memory))
            + bytes(72 - 28) + memory)
    return struct.pack("<IIIII", 1, 0, 0, len(data), 1) + data


class AcpiTables(Suite):
    """Boot goes on, whatever the firmware says, and the log says what it said."""

    weight = 12

    def test_broken(self):
        """Sound sums, mad contents: each is named, none stops the boot."""
        need_vigil()
        vm = self.boot_stub("hello", extra=tables(
            "srat-clash", "slit-near", "mcfg-liar", "hest-liar", "erst-hole",
            "bert-nowhere"))
        self.stub_verdict(vm, "hello")
        for words in ("SRAT: two nodes claim the same memory",
                      "MCFG: 4 windows make no sense",
                      "HEST: 4294967294 error sources make no sense",
                      "ERST: an action it cannot do without is missing",
                      "BERT names no error region"):
            check(words in vm.text, f"the log does not say '{words}'")
        vm.close()

    def test_previous_error(self):
        """What the firmware kept of the last boot's end is in the log."""
        need_vigil()
        block = BUILD / "test/acpi/block.bin"
        options = tables("bert", "hest", "erst")
        block.write_bytes(error_block(0x12345000))
        vm = self.boot_stub("hello", memory="1G,slots=1,maxmem=4G",
                            extra=options + [
            "-object", "memory-backend-ram,id=kept,size=128M",
            "-device", f"pc-dimm,memdev=kept,addr={BERT_REGION:#x}",
            "-device", f"loader,file={block},addr={BERT_REGION:#x}"])
        self.stub_verdict(vm, "hello")
        for words in ("previous boot ended with a hardware error, fatal",
                      "BERT: fatal: memory error at 0x12345000",
                      "generic by NMI 2, polled 1, others 1",
                      "error record store: 14 instructions"):
            check(words in vm.text, f"the log does not say '{words}'")
        vm.close()


class PlatformTimer(Suite):
    """The TSC is measured against the timer asked for, to 1 part in 1,000.

    One instruction is one nanosecond here, and the TSC counts those: 1 GHz.
    """

    weight = 12

    def measured(self, name, option="", extra=()):
        """Boot with an option; the log names the timer, and the right rate."""
        need_vigil()
        vm = self.boot_stub("hello", options=option,
                            extra=["-icount", "shift=0,sleep=off", *extra])
        found = vm.expect(r"platform timer: (.*), the TSC runs at (\d+) kHz",
                          40)
        self.stub_verdict(vm, "hello")
        text = vm.text
        vm.close()
        check(found.group(1) == name, f"the log says {found.group(0)}")
        khz = int(found.group(2))
        check(abs(khz - 1000000) <= 1000, f"{name}: the TSC has {khz} kHz")
        return text

    def test_hpet(self):
        self.measured("HPET")

    def test_without_hpet(self):
        text = self.measured("ACPI PM timer", "clocksource=hpet",
                             ["-no-hpet"])
        check("clocksource= names cannot be used" in text, "nothing is said "
              "of the HPET that is not there")

    def test_acpi(self):
        self.measured("ACPI PM timer", "clocksource=acpi")

    def test_pit(self):
        text = self.measured("8254", "clocksource=pit")
        check("option clocksource" not in text, "the option is not known")

    def test_bad_option(self):
        text = self.measured("HPET", "clocksource=sundial")
        check('option clocksource: value "sundial" not understood' in text,
              "a bad value is not named")
