# SPDX-License-Identifier: MIT
"""Dom0 drives five PCI devices at once: every byte is checked, no interrupt is
lost.  One machine with lines only (level, shared), one with messages."""

import re

from devices import DISKS, NETS, Server, dom0_initramfs, qemu_devices
from suite import BUILD, DOM0_OPTIONS, Suite, check, is_vigil

# What Linux says when an interrupt did not come, or nobody wanted it.
TROUBLE = (r"lost interrupt|nobody cared|timeout|timed out|NETDEV WATCHDOG|"
           r"Tx Unit Hang|I/O error|hung|WARNING|BUG:|Call Trace|polled|"
           r"frozen|No irq handler")
DRIVERS = {"virtio-blk": r"virtio\d+", "virtio-net": r"virtio\d+",
           "ahci": "ahci", "nvme": r"nvme0q\d+", "e1000": "eth"}


def interrupts(vm):
    """Return {line's name: count} of /proc/interrupts, device lines only."""
    counts = {}
    for line in vm.dom0("cat /proc/interrupts").splitlines():
        found = re.match(r"\s*(\d+):((?:\s+\d+)+)\s+xen-pirq\s+(.*)", line)
        if found:
            counts[f"{found.group(1)} {found.group(3)}"] = sum(
                int(n) for n in found.group(2).split())
    return counts


class Devices(Suite):
    """The parts that both machines share."""

    machine = "pc"
    dom0_words = ""
    kinds = ()
    seconds = 15
    smp = 1
    options = ""

    def setup(self):
        name = type(self).__name__
        image = BUILD / f"test/{name}.img"
        dom0_initramfs(BUILD, image)
        self.server = Server()
        self.boot(modules=[(BUILD / "dom0/vmlinuz",
                            f"{DOM0_OPTIONS} {self.dom0_words}".strip()),
                           (image, "")],
                  machine=self.machine,
                  extra=qemu_devices(BUILD / "test" / name), smp=self.smp, options=self.options,
                  wall=1800 + 2 * self.seconds)

    def teardown(self):
        super().teardown()
        if hasattr(self, "server"):
            self.server.close()

    def test_drivers_load(self):
        self.vm.dom0("sh /scripts/devices-load", 120)
        for disk in DISKS.values():
            self.vm.dom0(f"i=0; while [ ! -b /dev/{disk} ] && [ $i -lt 300 ]; "
                         "do usleep 100000; i=$((i+1)); done; "
                         f"test -b /dev/{disk}", 90)
        text = self.vm.dom0("cat /proc/interrupts")
        for kind in self.kinds:
            check(re.search(kind, text), f"no {kind} in {text}")

    def test_io(self):
        """Every byte comes back; none waits for an interrupt in vain."""
        before = interrupts(self.vm)
        text = self.vm.dom0(f"sh /scripts/devices-io {self.seconds} "
                            f"{self.server.port} {self.server.sum}",
                            self.seconds + 240)
        check("IO-FAIL" not in text and "IO-END" in text, text)
        for name in list(DISKS.values()) + list(NETS):
            found = re.search(rf"IO-DONE {name} (\d+)", text)
            check(found and int(found.group(1)) > 0, f"{name}: {text}")
        after = interrupts(self.vm)
        for name, pattern in DRIVERS.items():
            grown = sum(count - before.get(line, 0)
                        for line, count in after.items()
                        if re.search(pattern, line))
            check(grown >= 10, f"{name} had {grown} interrupts: {after}")

    def test_nothing_was_lost(self):
        text = self.vm.dom0(f"dmesg | grep -E '{TROUBLE}' || echo none")
        check(text == "none", text)
        if is_vigil():
            check("held back" not in self.vm.text, "a line was held back")


class DevicesPc(Devices):
    """Lines only: level-triggered, and more devices than lines."""

    weight = 80
    dom0_words = "pci=nomsi"
    kinds = (r"xen-pirq\s+-ioapic-level", )


class DevicesQ35(Devices):
    """MSI and MSI-X, beside the line of e1000."""

    weight = 80
    machine = "q35"
    kinds = (r"xen-pirq\s+-msi", r"xen-pirq\s+-ioapic-level")


class DevicesLong(DevicesQ35):
    """Ten minutes of it."""

    long = True
    weight = 700
    seconds = 600


del Devices
