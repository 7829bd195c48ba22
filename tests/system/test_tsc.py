# SPDX-License-Identifier: MIT
"""Debian's kernel as a guest whose TSC is emulated: it boots, its clocks are
right, it is saved and restored."""

import re

from suite import check, need_vigil, tool, wait_console
from test_save_restore import Saved

EMULATED = "'tsc_mode=\"always_emulate\"'"
SECONDS = 30
# Of two readings of each clock; a busy machine may stand for a second.
APART = 3


class EmulatedTscLong(Saved):
    """One guest, by our tool and by Debian's xl, on two processors."""

    weight = 240
    long = True
    machine = {"cpu": "EPYC", "smp": 2}

    def setup(self):
        need_vigil()
        super().setup()

    def start_emulated(self, who):
        """As start_guest()."""
        self.free = self.free_memory()
        self.vm.dom0("rm -f /var/log/xen/console/guest-linux.log; "
                     f"{who} create /guest/linux.cfg memory=128 {EMULATED} "
                     "'extra=\"console=hvc0 quiet vigil.clock\"'", 60)
        wait_console(self.vm, "linux", "GUEST-KEEPS", 120)
        self.facts = self.ask()

    def right(self):
        """Half a minute of its clocks is half a minute of Dom0's."""
        old = self.facts
        self.vm.dom0(f"sleep {SECONDS}", SECONDS + 30)
        self.went_on()
        new = self.facts
        least, most = new.asked - old.answered, new.answered - old.asked
        for name, ran in (("CLOCK_MONOTONIC", (new.mono - old.mono) / 1e9),
                          ("its uptime", new.up - old.up),
                          ("its time of day", new.wall - old.wall)):
            check(least - APART <= ran <= most + APART,
                  f"{name} ran {ran} s in {least} to {most} s")

    def rate(self):
        """What its kernel takes the TSC's rate for, and the machine's: MHz."""
        self.vm.dom0("echo 'run dmesg | grep \"tsc: Detected\"; echo GUEST-RATE'"
                     " >$(xenstore-read /local/domain/$(xl domid linux)/console"
                     "/tty)")
        text = wait_console(self.vm, "linux", "GUEST-RATE$", 60)
        guest = re.findall(r"tsc: Detected ([\d.]+) MHz processor", text)
        check(guest, text[-2000:])
        host = re.search(r"TSC (\d+) kHz", self.vm.text)
        return float(guest[-1]), int(host.group(1)) / 1000

    def key_says(self, words):
        """Debug key s has these words of the guest."""
        domid = int(self.vm.dom0("xl domid linux"))
        text = self.vm.dom0("xl debug-keys s; xl dmesg | tail -n 8")
        check(f"d{domid}: TSC mode 1, emulated, {words}" in text, text)

    def test_by_vigil(self):
        self.start_emulated(tool())
        self.key_says("incarnation 1,")

    def test_rate(self):
        guest, host = self.rate()
        check(abs(guest - host) < 0.01, f"{guest} MHz, the machine {host} MHz")

    def test_clocks(self):
        self.right()

    def test_saved(self):
        """Another domain: the counter goes on, and so do its clocks."""
        self.cycle()
        self.key_says("incarnation 2,")
        self.right()

    def test_by_xl(self):
        self.vm.dom0("xl destroy linux", 60)
        self.memory_is_back()
        self.start_emulated("xl")
        self.right()

    def test_log_is_clean(self):
        self.vm.dom0("xl destroy linux", 60)
        self.memory_is_back()
        text = self.vm.dom0("dmesg | grep -E 'WARNING:|BUG:' | "
                            "grep -v 'Speculative Return Stack' ; true")
        check(text.strip() == "", text)
