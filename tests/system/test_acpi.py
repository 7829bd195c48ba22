# SPDX-License-Identifier: MIT
"""Firmware tables that lie, and ones that do not."""

import struct
import subprocess
import time
import uuid

from gdbstub import Debugger
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


class FirmwareFirst(Suite):
    """An error that the firmware has written down, announced by an NMI."""

    weight = 8

    def announced(self, name, line, severity):
        """The stub as Dom0; a block from before, then one with its NMI."""
        need_vigil()
        record = BUILD / f"test/acpi/{name}.bin"
        options = tables("ghes")
        block = error_block(0x12345000)

        def with_severity(number):
            return block[:16] + struct.pack("<I", number) + block[20:]

        # A register with the address of the block, and the block.
        record.write_bytes(struct.pack("<Q", BERT_REGION + 64).ljust(64, b"\0")
                           + with_severity(2))
        vm = self.boot_stub("nmi", line, label=name, options="noreboot",
                            memory="1G,slots=1,maxmem=4G", extra=options + [
            "-object", "memory-backend-ram,id=kept,size=128M",
            "-device", f"pc-dimm,memdev=kept,addr={BERT_REGION:#x}",
            "-device", f"loader,file={record},addr={BERT_REGION:#x}"])
        vm.expect("nmi: ready", 60)
        for words in ("ras: 1 firmware error sources announce",
                      "source 6 reports a hardware error from before this "
                      "boot, corrected"):
            check(words in vm.text, f"the log does not say '{words}'")
        check(self.status(vm) == 0, "not acknowledged at boot")
        with Debugger(vm) as debugger:
            debugger.write(BERT_REGION + 64, with_severity(severity))
            vm.inject_nmi()
        return vm

    def status(self, vm):
        """Return the first word of the block."""
        return int(vm.hmp(f"xp /1wx {BERT_REGION + 64:#x}").split()[-1], 16)

    def test_recoverable(self):
        """Said once, Dom0 told; then acknowledged: the next NMI is unknown."""
        vm = self.announced("recoverable", "wait=2", 0)
        vm.expect("nmi: count=1 reason=0", 20)
        vm.wait_count("firmware error source 6: fatal: memory error at "
                      "0x12345000", 2)
        # A second for Dom0 to read it, and one more.
        deadline = vm.deadline(20)
        while self.status(vm) != 0:
            check(time.monotonic() < deadline, "not acknowledged")
            time.sleep(0.25)
        vm.inject_nmi()
        vm.expect("nmi: count=2 reason=4", 20)
        self.stub_verdict(vm, "nmi")
        check(vm.text.count("reports a hardware error, recoverable") == 1,
              "not said once")
        check("NMI on CPU 0: error source of the firmware" in vm.text,
              "the NMI's line does not name it")
        vm.close()

    def test_fatal(self):
        """The last words name it."""
        vm = self.announced("fatal", "wait=1", 1)
        vm.expect("NMI: the firmware reports a fatal hardware error", 20,
                  fail=None)
        vm.expect("firmware error source 6: fatal", 20, fail=None)
        vm.expect("memory error at 0x12345000", 20, fail=None)
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
