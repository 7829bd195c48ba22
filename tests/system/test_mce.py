# SPDX-License-Identifier: MIT
"""Machine checks, raised by QEMU's monitor."""

import re

from suite import (Suite, check, crash_records, create, destroy, need_vigil,
                   stub_done, wait_console, wait_until)

# SDM 3B 15.3.2.2, 15.9: valid, enabled, address and misc valid, then the code.
CORRECTED = 0x9C00004000000090          # count 1, memory controller read
RECOVERABLE = 0xBD000000000000C0        # UC, signalled, action optional: scrub
FATAL = 0xBE00000000800400              # UC, processor context corrupt
MISC = 0x8C                             # a physical address, 4 KiB granular
RIPV_MCIP = 0x5
MCIP = 0x4
# Inside Dom0's 640 MiB of a 1 GiB machine, wherever they are placed.
DOM0_MADDR = 0x1E345000


class Mce(Suite):
    """What a machine survives."""

    weight = 60
    cpu = "qemu64"      # AMD's vendor and register meanings

    def setup(self):
        need_vigil()
        self.boot(cpu=self.cpu)

    def machine_checks(self):
        """How many records the hypervisor has counted."""
        text = self.vm.dom0("xl dmesg | grep -ciE 'mce|machine check' || true")
        return int(text)

    def test_corrected_is_polled(self):
        before = self.machine_checks()
        self.vm.inject_mce(CORRECTED, addr=0x12345000, misc=MISC)
        wait_until(self.vm, "[ $(xl dmesg | grep -ciE 'mce|machine check') "
                   f"-gt {before} ]", 60)
        text = self.vm.dom0("xl dmesg | grep -iE 'mce|machine check|corrected'")
        check(re.search(r"corrected", text, re.I), text[-400:])
        check("12345000" in text, f"no address in: {text[-400:]}")

    def test_guest_takes_it(self):
        """Recoverable, in a guest's page: its virtual machine check."""
        create(self.vm, "mce", "wait=2")
        create(self.vm, "hello")
        stub_done(self.vm, "hello")
        text = wait_console(self.vm, "mce", "mce: ready", 40)
        maddr = int(re.search(r"maddr=0x([0-9a-f]+)", text).group(1), 16)
        self.vm.inject_mce(RECOVERABLE, addr=maddr, misc=MISC, mcg=RIPV_MCIP)
        wait_console(self.vm, "mce", "mce: #MC", 30)
        self.vm.inject_mce(RECOVERABLE, addr=maddr + 64, misc=MISC,
                           mcg=RIPV_MCIP)
        stub_done(self.vm, "mce")
        check("hello" in self.vm.dom0("xl list"), "another guest went too")
        destroy(self.vm, "mce")

    def test_guest_without_handler(self):
        """It is killed, alone, with its reason recorded."""
        create(self.vm, "mce", "nohandler")
        text = wait_console(self.vm, "mce", "mce: ready", 40)
        maddr = int(re.search(r"maddr=0x([0-9a-f]+)", text).group(1), 16)
        self.vm.inject_mce(RECOVERABLE, addr=maddr, misc=MISC, mcg=RIPV_MCIP)
        wait_until(self.vm, "vigil crash list | grep -q mce", 30)
        records = [r for r in crash_records(self.vm, "guest")
                   if "mce" in str(r)]
        check(len(records) == 1, f"{len(records)} records")
        text = self.vm.dom0(f"vigil crash show {records[0]['id']}")
        check(re.search(r"memory|machine check|#MC", text, re.I), text[:400])
        check(f"{maddr >> 12:x}" in text, f"no address in: {text[:600]}")
        check("hello" in self.vm.dom0("xl list"), "another guest went too")
        destroy(self.vm, "mce")
        destroy(self.vm, "hello")

    def test_dom0_takes_it(self):
        """Recoverable, in Dom0's memory: its Linux handles it.

        AMD's deferred errors Linux takes when it polls, every 5 minutes.
        """
        self.vm.dom0_cmd("echo 1 >/sys/devices/system/machinecheck/"
                         "machinecheck0/check_interval")
        self.vm.inject_mce(RECOVERABLE, addr=DOM0_MADDR, misc=MISC,
                           mcg=RIPV_MCIP)
        wait_until(self.vm, "dmesg | grep -qE 'Hardware Error|Machine check|"
                   "Memory failure'", 30)
        check(self.vm.dom0("echo fine").strip() == "fine", "no shell")

    def test_mcelog(self):
        """Linux's /dev/mcelog delivers the records of all of the above."""
        data = self.vm.dom0_bytes("dd if=/dev/mcelog bs=16384 count=1 "
                                  "2>/dev/null")
        for status in (RECOVERABLE, CORRECTED):
            check(status.to_bytes(8, "little") in data,
                  f"no record with status {status:#x} among {len(data)} bytes")

    def test_dom0_survived(self):
        check(self.vm.running, "the machine ended")
        bad = self.vm.dom0("dmesg | grep -E 'WARNING:|BUG:|Oops' || true")
        check(not bad.strip(), bad)


class MceIntel(Mce):
    """The same with Intel's vendor and register meanings."""

    weight = 50
    cpu = "Nehalem"


class MceFatal(Suite):
    """A fatal one panics with the decoded reason."""

    weight = 12

    def panics(self, label, **machine_check):
        """Inject with a stub as Dom0; return the text from the panic on."""
        vm = self.boot_stub("hello", "hold", options="noreboot")
        self.stub_verdict(vm, "hello")
        vm.inject_mce(**machine_check)
        vm.expect(r"Panic on CPU \d", 30, fail=None)
        vm.expect(r"machine check|#MC|MCE", 10, fail=None)
        vm.expect(r"Halted: ", 20, fail=None)
        text = vm.text[vm.text.index("STUB"):]
        vm.close()
        return text

    def test_context_corrupt(self):
        need_vigil()
        text = self.panics("pcc", status=FATAL, addr=0x1000, mcg=MCIP)
        check(re.search(r"corrupt|PCC", text, re.I), text[-600:])
        check(f"{FATAL:x}" in text, f"no status in: {text[-900:]}")

    def test_no_restart(self):
        need_vigil()
        self.panics("ripv", status=RECOVERABLE, addr=0x1000, misc=MISC,
                    mcg=MCIP)
