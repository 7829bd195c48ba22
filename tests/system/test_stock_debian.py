# SPDX-License-Identifier: MIT
"""A whole Debian on a disk of its own as a guest: PV GRUB, its kernel and its
initramfs, systemd, a login."""

import stat
import subprocess

from devices import LOADER
from kmodules import load_order
from stock import LOG, Stock
from suite import BUILD, TOP, check, wait_until
from test_stock_long import GUESTS, ROOT, fetch

DISK = BUILD / "cache/guest-disk.img"
# Dom0 sees the disk as a device of the machine's and passes it on.
DRIVERS = ("virtio-pci", "virtio-blk")
CONFIG = """name = "linux"
type = "pv"
kernel = "/guest/grub-x86_64-xen.bin"
memory = 256
vcpus = 2
on_crash = "destroy"
disk = ["phy:/dev/vda,xvda,w"]
vif = ["bridge=xenbr0,mac=00:16:3e:00:00:01"]
"""
# Power-on to the prompt: systemd in an emulator.
BOOT = 900


class StockDebian(Stock):
    """It lives on its disk, and finds there what it left."""

    weight = 600
    long = True
    config = CONFIG
    # GRUB waits for its disk by yielding: with one processor of QEMU's at a time
    # another of the machine's would have its turn only every 100 ms.
    machine = {"memory": "1280M", "wall": 3600}

    def add_files(self, archive):
        super().add_files(archive)
        fetch()
        subprocess.run([TOP / "scripts/fetch-drivers"], check=True)
        archive.add_file("guest/grub-x86_64-xen.bin",
                         GUESTS / "root/usr/lib/grub-xen/grub-x86_64-xen.bin")
        release = (BUILD / "cache/kernel").read_text().strip()
        order = load_order(ROOT, release, DRIVERS)
        for name, path in order:
            archive.add_file(f"lib/devices/{name}.ko", path, 0o644)
        archive.add("etc/modules-devices", stat.S_IFREG | 0o644,
                    "".join(f"{name}\n" for name, _ in order).encode())
        archive.add("scripts/devices-load", stat.S_IFREG | 0o755,
                    LOADER.encode())

    def setup(self):
        subprocess.run([TOP / "scripts/mk-guest-disk"], check=True,
                       stdout=subprocess.DEVNULL)
        # What is written is forgotten with this QEMU, not before.
        name = str(DISK).replace(",", ",,")
        self.machine = dict(self.machine, extra=(
            "-drive", f"file={name},format=raw,if=virtio,snapshot=on"))
        super().setup()
        self.vm.dom0("/scripts/devices-load")

    def type(self, line):
        """Type on the guest's console."""
        self.vm.dom0(f"echo \"{line}\" >$(xenstore-read /local/domain/"
                     "$(xl domid linux)/console/tty)")

    def login(self, times=1):
        """It asks for the so-manieth time who is there; root is."""
        wait_until(self.vm, f"[ $(grep -c 'guest login: ' {LOG}) -ge {times} ]",
                   BOOT)
        self.type("root")
        wait_until(self.vm, f"[ $(grep -c 'root@guest:' {LOG}) -ge {times} ]",
                   300)
        # A shell that edits no lines, and the word that guest() begins with;
        # then neither kernel nor systemd writes between the lines.
        self.type("exec sh")
        self.type("TERM=dumb; alias run=:\\;; dmesg -n 1")
        _, text = self.guest_cmd("systemctl is-system-running --wait; "
                                 "systemctl --failed --plain --no-legend", BOOT)
        check("running" in text.split("\n"), text)

    def test_login(self):
        """By GRUB from the disk to the prompt, and in."""
        self.vm.dom0(f"rm -f {LOG}; xl create /guest/stock.cfg", 120)
        self.login()
        check(self.guest("cat /etc/debian_version").startswith("12."),
              "not Debian 12")

    def test_root(self):
        """Its root is the disk; its kernel is content."""
        text = self.guest("cat /proc/cmdline; findmnt -n -o SOURCE,FSTYPE /; "
                          "systemd-detect-virt; nproc")
        lines = text.split("\n")
        check("root=/dev/xvda" in lines[0] and
              lines[1].split() == ["/dev/xvda", "ext4"] and
              lines[2:] == ["xen", "2"], text)
        text = self.guest("dmesg | grep -E 'WARNING:|BUG:|Call Trace|I/O error'; "
                          "true")
        check(text == "", text)

    def test_network(self):
        """Its driver is loaded by udev, which renames it; not a ping is lost."""
        self.guest("ip addr add 10.1.0.2/24 dev enX0; ip link set enX0 up; "
                   "ping -q -c 3 -W 20 10.1.0.1", 120)
        text = self.vm.dom0("ping -q -c 10 -i 0.1 10.1.0.2")
        check(" 0% packet loss" in text, text)

    def test_file(self):
        """What Debian's sums say of a package is true; a file is left there."""
        self.guest("cd / && grep -v -E ' usr/share/(doc|man|locale)/' "
                   "/var/lib/dpkg/info/coreutils.md5sums | md5sum --quiet -c", 300)
        self.sum = self.guest("dd if=/dev/urandom of=/root/kept bs=64k count=128 "
                              "2>/dev/null; sync; md5sum </root/kept", 120)

    def test_reboot(self):
        """systemd ends and starts; the file is what it was."""
        old = self.domid()
        self.vm.dom0("xl reboot linux", 60)
        wait_until(self.vm, f"[ $(xl domid linux) -gt {old} ]", 600)
        self.login(2)
        check(self.guest("md5sum </root/kept") == self.sum, "another file")

    def test_shutdown(self):
        self.vm.dom0("xl shutdown -w linux", 600)
        wait_until(self.vm, "! xl domid linux 2>/dev/null", 60)
        text = self.vm.dom0("dmesg | grep -E 'WARNING:|BUG:|I/O error'; true")
        check(text == "", text)
