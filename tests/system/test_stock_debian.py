# SPDX-License-Identifier: MIT
"""A whole Debian on a disk of its own as a guest: PV GRUB, its kernel and its
initramfs, systemd, a login."""

import pathlib
import re
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
# A name that only Dom0 knows.
FILE = "/images/guest.img"
# Power-on to the prompt: systemd in an emulator.
BOOT = 900


class StockDebian(Stock):
    """It lives on its disk, and finds there what it left."""

    weight = 600
    long = True
    config = CONFIG
    drivers = DRIVERS
    drive = DISK        # Dom0's /dev/vda
    # What its only disk is in xenstore: type, params, and the node that Debian's
    # script made, if any.
    backend = ("phy", "/dev/vda", "")
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
        order = load_order(ROOT, release, self.drivers)
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
        name = str(self.drive).replace(",", ",,")
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

    def backend_is(self, *wanted):
        """Its disk has that type, params and node, and is connected."""
        text = self.vm.dom0(
            "cd=/local/domain/0/backend/vbd/$(xl domid linux)/51712; for key in "
            "type params node state; do xenstore-read $cd/$key 2>/dev/null || "
            "echo; done")
        check(text.split("\n") == [*wanted, "4"], f"{text}, not {wanted}")

    def test_backend(self):
        self.backend_is(*self.backend)

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

    def has_lease(self):
        """It has the address that Dom0 says it gave it."""
        text = self.guest("n=0; until ip -4 -o addr show enX0 | grep inet; do "
                          "n=$((n+1)); [ $n -lt 300 ]; sleep 0.2; done", 120)
        found = re.search(r" inet (10\.1\.0\.10\d)/24 .* dynamic ", text)
        check(found, text)
        leases = self.leases()
        check(leases == {"00:16:3e:00:00:01": found.group(1)},
              f"{found.group(1)}, {leases}")
        text = self.vm.dom0(f"ping -q -c 10 -i 0.1 {found.group(1)}")
        check(" 0% packet loss" in text, text)

    def test_network(self):
        """Its driver is loaded by udev, which renames it; its address is from
        Dom0, by DHCP; not a ping is lost."""
        self.vm.dom0("udhcpd /etc/udhcpd.conf")
        self.guest("printf '[Match]\\nName=enX0\\n[Network]\\nDHCP=ipv4\\n' "
                   ">/etc/systemd/network/dhcp.network; "
                   "systemctl enable -q --now systemd-networkd", 120)
        self.has_lease()

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

    def test_address(self):
        """It has one again, without a word."""
        self.has_lease()

    def test_shutdown(self):
        self.vm.dom0("xl shutdown -w linux", 600)
        wait_until(self.vm, "! xl domid linux 2>/dev/null", 60)
        text = self.vm.dom0("dmesg | grep -E 'WARNING:|BUG:|I/O error'; true")
        check(text == "", text)


class StockDebianFile(StockDebian):
    """Its disk is a file in a file system of Dom0's; then the same file behind a
    loop device made by hand."""

    config = CONFIG.replace("phy:/dev/vda,xvda,w", f"{FILE},raw,xvda,w")
    # ext4 asks for its checksum by a name that only modprobe understands.
    drivers = DRIVERS + ("crc32c_generic", "ext4")
    drive = BUILD / "test/StockDebianFile-disk.img"
    backend = ("phy", FILE, "/dev/loop0")
    # As on the other disk.
    test_network = test_address = None

    def setup(self):
        subprocess.run([TOP / "scripts/mk-guest-disk"], check=True,
                       stdout=subprocess.DEVNULL)
        tree = self.drive.with_suffix("")
        tree.mkdir(parents=True, exist_ok=True)
        name = tree / pathlib.PurePath(FILE).name
        name.unlink(missing_ok=True)
        name.hardlink_to(DISK)
        self.drive.unlink(missing_ok=True)
        subprocess.run(["mke2fs", "-q", "-t", "ext4", "-m", "0", "-d", tree,
                        self.drive, "2G"], check=True,
                       stdout=subprocess.DEVNULL)
        name.unlink()
        super().setup()
        self.vm.dom0("mkdir -p /images; mount -t ext4 /dev/vda /images")
        check(FILE in self.vm.dom0("ls /images/*"), "no image")

    def teardown(self):
        super().teardown()
        self.drive.unlink(missing_ok=True)

    def test_backend(self):
        """Debian's script has bound it to a loop device."""
        super().test_backend()
        text = self.vm.dom0("losetup -a")
        check(re.search(rf"^/dev/loop0: .*{FILE}", text, re.M), text)

    def kept(self):
        """Dom0 finds in the image what the guest wrote; it is in use no more."""
        text = self.vm.dom0(
            "losetup -a | grep -v /disk/; mkdir -p /mnt && "
            f"mount -t ext4 -o loop,ro {FILE} /mnt && md5sum </mnt/root/kept; "
            "umount /mnt")
        check(text == self.sum, f"{text}, not {self.sum}")

    def test_reboot(self):
        """From the same file as phy:, by a loop device; it finds what it left."""
        self.vm.dom0("xl shutdown -w linux", 600)
        self.gone()
        self.kept()
        self.vm.dom0(f"losetup /dev/loop6 {FILE}; rm {LOG}; xl create "
                     "/guest/stock.cfg 'disk=[\"phy:/dev/loop6,xvda,w\"]'", 120)
        self.login()
        self.backend_is("phy", "/dev/loop6", "")
        check(self.guest("md5sum </root/kept") == self.sum, "another file")
        self.sum = self.guest("dd if=/dev/urandom of=/root/kept bs=64k count=32 "
                              "2>/dev/null; sync; md5sum </root/kept", 120)

    def test_shutdown(self):
        """And Dom0 finds the last of it."""
        super().test_shutdown()
        self.vm.dom0("losetup -d /dev/loop6")
        self.kept()
