# SPDX-License-Identifier: MIT
"""Debian's kernel is saved and restored by Debian's xl: its memory, its clocks,
its processes and its console go on."""

import re

from linux_guest import dom0_initramfs
from suite import (BUILD, DOM0_OPTIONS, Suite, check, stub_done, wait_console,
                   wait_until)

IMAGE = "/tmp/linux.img"
STUB = "/tmp/stub.img"
# Read by Python and by grep.
FACTS = ("GUEST-FACTS %d mono=([0-9]+) up=([0-9.]+) wall=([0-9]+) "
         "turns=([0-9]+) sum=([0-9a-f]{32}) cpus=([0-9]+)")
ROUNDED = 2         # seconds: two clocks read by whole seconds, twice


class Facts:
    """What the guest says of itself; between when and when, by Dom0's clock."""

    def __init__(self, found, asked, answered):
        self.asked, self.answered = asked, answered
        self.mono, self.wall, self.turns = (int(found[n]) for n in (1, 3, 4))
        self.up = float(found[2])
        self.sum = found[5]
        self.cpus = int(found[6])


class Saved(Suite):
    """A guest that counts and watches its clocks; no cases of its own."""

    machine = {"cpu": "EPYC"}
    asked = 0
    facts = None    # the last ones

    def setup(self):
        image = BUILD / f"test/{type(self).__name__}.img"
        dom0_initramfs(BUILD, image)
        self.boot(modules=[(self.kernel, DOM0_OPTIONS), (image, "")],
                  **self.machine)

    def start_guest(self):
        """Create it and wait until it has its data."""
        self.free = self.free_memory()
        self.vm.dom0("xl create /guest/linux.cfg memory=128 "
                     "'extra=\"console=hvc0 quiet vigil.clock\"'", 60)
        wait_console(self.vm, "linux", "GUEST-KEEPS", 120)
        self.facts = self.ask()
        check(self.facts.cpus == 2, "it has not got two processors")

    def free_memory(self):
        """MiB that the hypervisor could give."""
        return int(self.vm.dom0("xl info free_memory"))

    def memory_is_back(self):
        """Wait until nothing of a guest is left."""
        # The tally of a heap's pools may move a MiB's edge.
        wait_until(self.vm, f"[ $(xl info free_memory) -ge {self.free - 1} ]", 60)

    def ask(self):
        """Type on its console; return what it answers."""
        self.asked += 1
        before = self.vm.dom0(
            f"date +%s; echo 'run facts {self.asked}' >$(xenstore-read "
            "/local/domain/$(xl domid linux)/console/tty)")
        text = wait_console(self.vm, "linux", FACTS % self.asked, 60)
        check("GUEST-BACKWARDS" not in text, text[-2000:])
        return Facts(re.search(FACTS % self.asked, text), int(before),
                     int(self.vm.dom0("date +%s")))

    def went_on(self):
        """It is the guest that it was."""
        old, new = self.facts, self.ask()
        check(new.sum == old.sum, f"its data was {old.sum}, is {new.sum}")
        check(new.turns > old.turns, f"it stands at turn {new.turns}")
        check(new.mono > old.mono,
              f"CLOCK_MONOTONIC: {old.mono} before, {new.mono} after")
        check(new.up > old.up, f"CLOCK_BOOTTIME: {old.up} before, {new.up} after")
        check(new.cpus == 2, f"it has {new.cpus} processors")
        # What it was ahead of Dom0's clock, or behind, it still is.
        check(new.wall - new.answered <= old.wall - old.asked + ROUNDED and
              old.wall - old.answered <= new.wall - new.asked + ROUNDED,
              f"its time was {old.wall} at {old.asked} to {old.answered}, is "
              f"{new.wall} at {new.asked} to {new.answered}")
        self.facts = new

    def save(self, option=""):
        """Debian's xl saves it."""
        self.vm.dom0(f"xl save {option} linux {IMAGE}", 120)

    def restore(self):
        """And restores it.  Return: its new number."""
        self.vm.dom0(f"xl restore {IMAGE}", 120)
        return int(self.vm.dom0("xl domid linux"))

    def cycle(self):
        """One save and one restore: another domain, the same guest."""
        domid = int(self.vm.dom0("xl domid linux"))
        self.save()
        wait_until(self.vm, "! xl domid linux 2>/dev/null", 60)
        check(self.restore() != domid, "the domain is still the old one")
        self.went_on()

    def start_stub(self, rounds, more=""):
        """Create the stub that suspends when its channel is notified."""
        self.free = self.free_memory()
        self.vm.dom0("rm -f /var/log/xen/console/guest-suspend.log; xl create "
                     f"/etc/xen/suspend.cfg 'extra=\"rounds={rounds}\"' {more}",
                     60)

    def save_stub(self, number, option=""):
        """Save the stub in its round of that number."""
        text = wait_console(self.vm, "suspend",
                            f"suspend: round={number} port=[0-9]+", 40)
        port = re.findall(r"port=(\d+)", text)[-1]
        self.vm.dom0("xenstore-write /local/domain/$(xl domid suspend)/device/"
                     f"suspend/event-channel {port}")
        self.vm.dom0(f"xl save {option} suspend {STUB}", 60)

    def bad_image(self, how):
        """Make one by a shell command; restore it; end what comes of it."""
        rc, text = self.vm.dom0_cmd(f"{how}; xl restore /tmp/bad.img", 60)
        self.vm.dom0_cmd("xl destroy suspend")
        self.memory_is_back()
        return rc, text

    def changed_image(self, back):
        """64 bytes of ones, so many bytes before the stub's image ends."""
        size = int(self.vm.dom0(f"wc -c <{STUB}"))
        self.bad_image(
            "head -c 64 /dev/zero | tr '\\0' '\\377' >/tmp/ones; "
            f"cp {STUB} /tmp/bad.img; dd if=/tmp/ones of=/tmp/bad.img bs=1 "
            f"seek={size - back} conv=notrunc 2>/dev/null")


class SaveRestore(Saved):
    """The short one."""

    weight = 90

    def test_image_of_stub(self):
        """Its registers, tables and memory are as they were, its clock too."""
        self.start_stub(4)
        for number in (1, 2, 3, 4):
            self.save_stub(number, "-c" if number == 2 else "")
            if number != 2:
                self.vm.dom0(f"xl restore {STUB}", 60)
        text = stub_done(self.vm, "suspend")
        check(text.count("was restored") == 3 and
              text.count("was cancelled") == 1, text[-2000:])
        self.memory_is_back()

    def test_vtsc(self):
        """An emulated TSC, on a processor that has RDTSCP."""
        self.vm.dom0("xl create /etc/xen/vtsc.cfg", 60)
        stub_done(self.vm, "vtsc", 60)
        self.vm.dom0_cmd("xl destroy vtsc")

    def test_vtsc_saved(self):
        """Where the TSC is emulated it goes on, and at the rate it had."""
        self.start_stub(2, "'tsc_mode=\"always_emulate\"'")
        for number in (1, 2):
            self.save_stub(number, "-c" if number == 2 else "")
            if number != 2:
                self.vm.dom0(f"xl restore {STUB}", 60)
        text = stub_done(self.vm, "suspend")
        check(text.count("an emulated TSC went on") == 2, text[-2000:])
        self.memory_is_back()

    def test_image_cut(self):
        """Half an image makes no domain, and costs no memory."""
        rc, text = self.bad_image(
            f"dd if={STUB} of=/tmp/bad.img bs=1M count=8 2>/dev/null")
        check(rc != 0, f"xl took it: {text[-500:]}")

    def test_image_changed(self):
        """It makes a domain or an error, and costs no memory."""
        for back in (1300, 5300, 8 << 20):
            self.changed_image(back)

    def test_starts(self):
        self.vm.dom0(f"rm -f {STUB} /tmp/bad.img")
        self.start_guest()

    def test_save_goes_on(self):
        """`save -c`: the image is taken, the domain stays the same."""
        domid = self.vm.dom0("xl domid linux")
        self.save("-c")
        check(self.vm.dom0("xl domid linux") == domid, "another domain")
        self.went_on()

    def test_restored(self):
        """Once here; SaveRestoreLong does it again and again."""
        self.cycle()

    def test_console(self):
        """What Dom0 types on its console, it hears."""
        self.vm.dom0("echo restored >$(xenstore-read /local/domain/"
                     "$(xl domid linux)/console/tty)")
        wait_console(self.vm, "linux", "GUEST-HEARD restored", 60)

    def test_memory_comes_back(self):
        self.vm.dom0("xl destroy linux", 60)
        self.memory_is_back()

    def test_log_is_clean(self):
        text = self.vm.dom0("dmesg | grep -E 'WARNING:|BUG:' | "
                            "grep -v 'Speculative Return Stack' ; true")
        check(text.strip() == "", text)


class SaveRestoreLong(Saved):
    """Fifty times in a row, and many images that were changed; on two
    processors, without XSAVE."""

    weight = 1500
    long = True
    machine = {"smp": 2, "wall": 7200}

    def test_changed_images(self):
        """In any part of what describes a vcpu and the shared page."""
        self.start_stub(2)
        self.save_stub(1)
        for back in range(100, 12000, 150):
            self.changed_image(back)

    def test_starts(self):
        self.start_guest()

    def test_restored_fifty_times(self):
        for _ in range(50):
            self.cycle()
