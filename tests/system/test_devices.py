# SPDX-License-Identifier: MIT
"""Dom0 drives five PCI devices at once: every byte is checked, no interrupt is
lost.  One machine with lines only (level, shared), one with messages."""

import re

from devices import DISKS, NETS, Server, dom0_initramfs, qemu_devices
from suite import BUILD, DOM0_OPTIONS, Suite, check, is_vigil, wait_until

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
    quiet = False   # the machine below has time for this one: nothing is late
    smp = 1
    options = ""

    def setup(self):
        name = type(self).__name__
        image = BUILD / f"test/{name}.img"
        dom0_initramfs(BUILD, image)
        self.server = Server()
        self.boot(modules=[(self.kernel,
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
        self.check_late(text)
        after = interrupts(self.vm)
        for name, pattern in DRIVERS.items():
            grown = sum(count - before.get(line, 0)
                        for line, count in after.items()
                        if re.search(pattern, line))
            check(grown >= 10, f"{name} had {grown} interrupts: {after}")

    def check_late(self, text):
        """An answer that takes a second and a half is a fault where there is time.

        Less is this machine's: the answer was there when it was looked for.
        """
        late = re.findall(r"IO-LATE \S+, (\d+) tenths", text)
        check(not (self.quiet and any(int(n) >= 5 for n in late)),
              "; ".join(re.findall(r"IO-LATE .*", text)))

    def test_nothing_was_lost(self):
        text = self.vm.dom0(f"dmesg | grep -E '{TROUBLE}' || echo none")
        check(text == "none", text)
        if is_vigil():
            check("held back" not in self.vm.text, "a line was held back")


class DevicesPc(Devices):
    """Lines only: level-triggered, and more devices than lines."""

    weight = 33
    dom0_words = "pci=nomsi"
    kinds = (r"xen-pirq\s+-ioapic-level", )


class DevicesQ35(Devices):
    """MSI and MSI-X, beside the line of e1000."""

    weight = 32
    machine = "q35"
    kinds = (r"xen-pirq\s+-msi", r"xen-pirq\s+-ioapic-level")


class MovingLines(DevicesQ35):
    """Two processors: interrupts go where Dom0 wants them, and are not lost
    while they move."""

    smp = 2
    leaves = 1
    options = "dom0_max_vcpus=2"

    def lines(self, driver):
        """Return the numbers of the interrupts of a driver, as Dom0 has them."""
        text = self.vm.dom0("cat /proc/interrupts")
        return re.findall(rf"^\s*(\d+):.*xen-pirq.*{driver}", text, re.M)

    def test_io(self):
        """Affinity of every device line changes ten times in a second."""
        wanted = [line for name in ("nvme", "virtio", "ahci", "eth")
                  for line in self.lines(name)]
        check(len(wanted) > 4, f"lines of devices: {wanted}")
        self.vm.dom0(
            "touch /run/moving; (while [ -e /run/moving ]; do for cpu in 1 2; "
            f"do for i in {' '.join(wanted)}; do "
            "echo $cpu >/proc/irq/$i/smp_affinity; done; usleep 100000; done; "
            "done) >/dev/null 2>&1 &")
        try:
            super().test_io()
        finally:
            self.vm.dom0("rm /run/moving")

    def test_both_cpus_take_them(self):
        """Where the vcpu is that Dom0 chose for a line, Vigil sends it."""
        self.pin()
        line = self.lines("eth")[0]
        self.vm.dom0(f"echo 2 >/proc/irq/{line}/smp_affinity")
        before = self.counts(line)
        self.vm.dom0("ping -q -c 50 -i 0.01 -W 10 10.0.3.2", 60)
        after = self.counts(line)
        check(after[1] - before[1] > 10, f"{before} -> {after}")
        text = self.vm.dom0("xl debug-keys i; sleep 1; xl dmesg | "
                            f"grep 'pirq {line} of d0' | tail -n 1")
        check("to CPU 1" in text, text)

    def test_offline(self):
        """CPU 1 leaves while devices' interrupts go there, and all goes on."""
        lines = self.lines("eth")[:1] + self.lines("ahci")[:1]
        check(len(lines) == 2, f"a line and a message: {lines}")
        self.pin()
        for line in lines:
            self.vm.dom0(f"echo 2 >/proc/irq/{line}/smp_affinity")
        self.vm.dom0(f"sh /scripts/devices-io 3600 {self.server.port} "
                     f"{self.server.sum} >/run/io 2>&1 &")
        for _ in range(self.leaves):
            self.all_come(lines, 1)
            self.vm.dom0("xen-hptool cpu-offline 1", 60)
            left = [irq for irq, (_, cpu, _) in self.where().items() if cpu == 1]
            check(not left, f"irqs {left} are still sent to CPU 1")
            self.all_come(lines, 0)
            self.vm.dom0("xen-hptool cpu-online 1", 60)
            self.pin()
        self.all_come(lines, 1)
        check("IO-END" not in self.vm.dom0("cat /run/io"), "it ended too early")
        self.vm.dom0("touch /run/enough")
        wait_until(self.vm, "grep -q IO-END /run/io", 120)
        text = self.vm.dom0("cat /run/io; rm /run/enough")
        check("IO-FAIL" not in text and text.count("IO-DONE") ==
              len(DISKS) + len(NETS), text)
        self.check_late(text)
        self.test_nothing_was_lost()

    def pin(self):
        """Each vcpu of Dom0 to the processor with its number."""
        for vcpu in (0, 1):
            self.vm.dom0(f"xl vcpu-pin Domain-0 {vcpu} {vcpu}")

    def where(self):
        """Return {irq: (level or edge, CPU it is sent to, count)} by Vigil."""
        text = self.vm.dom0("xl dmesg -c >/dev/null; xl debug-keys iM; "
                            "xl dmesg")
        return {int(irq): (kind, int(cpu), int(count))
                for irq, cpu, kind, count in re.findall(
                    r"irq (\d+): vector 0x[1-9a-f]\w* to CPU (\d+), (\w+) .* "
                    r"(\d+) times, .* guest, pirq", text)}

    def all_come(self, lines, cpu):
        """Vcpu 1 gets all of these, and a line and a message go to that CPU."""
        before = self.where()
        for line in lines:
            self.vm.dom0(
                f"count() {{ awk '$1 == \"{line}:\" {{print $3}}' "
                "/proc/interrupts; }; was=$(count); i=0; while [ $(count) -lt "
                "$((was + 10)) ]; do usleep 100000; i=$((i+1)); "
                "[ $i -lt 400 ] || exit 1; done", 90)
        after = self.where()
        kinds = {kind for irq, (kind, to, count) in after.items()
                 if to == cpu and count >= before[irq][2] + 10}
        check(kinds == {"level", "edge"},
              f"not to CPU {cpu}: {before} -> {after}")

    def counts(self, line):
        """Return how often each vcpu of Dom0 got an interrupt."""
        text = self.vm.dom0(f"grep '^ *{line}:' /proc/interrupts")
        return [int(n) for n in text.split()[1:3]]


class DevicesSmp(MovingLines):
    """Ten seconds of it."""

    weight = 36
    seconds = 10


class DevicesLong(DevicesQ35):
    """Ten minutes with one processor."""

    long = True
    weight = 700
    seconds = 600
    quiet = True


class DevicesLongPc(DevicesPc):
    """Ten minutes with lines only, which devices share."""

    long = True
    weight = 700
    seconds = 600
    quiet = True

    def test_lines_are_shared(self):
        """Else it is not what it is for."""
        text = self.vm.dom0("grep xen-pirq.*ioapic-level /proc/interrupts")
        check(re.search(r"ioapic-level\s+\S+, ", text), text)


class DevicesLongSmp(MovingLines):
    """Ten minutes while the lines move, then processors come and go."""

    long = True
    weight = 800
    seconds = 600
    quiet = True
    leaves = 20


del Devices, MovingLines
