# SPDX-License-Identifier: MIT
"""A Linux guest with disks and networks, run by Debian's xl in Dom0; what the
suites of stock tools share."""

import re
import shlex
import stat
import time

from linux_guest import dom0_initramfs
from suite import (BUILD, DOM0_OPTIONS, Suite, check, wait_console, wait_until)

LOG = "/var/log/xen/console/guest-linux.log"
DISK_MIB = 16
# With several queues xl knows neither channel nor page: -1.
BLOCK_LIST = r"^(\d+) +(\d+) +(\d+) +(\d+) +-?\d+ +-?\d+ +(\S+) *$"

# xvda: the file as it is, xvdb: a loop device made by hand.
CONFIG = f"""name = "linux"
type = "pv"
kernel = "/guest/vmlinux"
ramdisk = "/guest/initrd"
extra = "console=hvc0 quiet vigil.devices"
memory = 144
maxmem = 160
vcpus = 2
on_crash = "destroy"
disk = ["file:/disk/a.img,xvda,w", "phy:/dev/loop7,xvdb,w"]
vif = ["bridge=xenbr0,mac=00:16:3e:00:00:01"]
"""

# Disks on memory, a bridge with Dom0's address on it.
SETUP = f"""#!/bin/sh
set -e
mkdir -p /disk
mount -t tmpfs tmpfs /disk
for name in a b c; do truncate -s {DISK_MIB}M /disk/$name.img; done
losetup -f >/dev/null
[ -b /dev/loop7 ] || mknod /dev/loop7 b 7 7
losetup /dev/loop7 /disk/b.img
brctl addbr xenbr0
ip addr add 10.1.0.1/24 dev xenbr0
ip link set xenbr0 up
"""

# Addresses for guests on the bridge, from Dom0.  The file is written when udhcpd
# gets a signal.
LEASES = "/run/udhcpd.leases"
UDHCPD = f"""interface xenbr0
start 10.1.0.100
end 10.1.0.109
lease_file {LEASES}
pidfile /run/udhcpd.pid
option subnet 255.255.255.0
option router 10.1.0.1
option lease 3600
"""

# NUMBER SECONDS COMMAND: typed on the guest's console; its output, with a = in
# front of each line, and its status.  The console echoes what is typed: what is
# looked for must not be in it.
GUEST_RUN = f"""#!/bin/sh
n=$1 end=$(($(cut -d. -f1 /proc/uptime) + $2))
tty=$(xenstore-read /local/domain/$(xl domid linux)/console/tty)
echo "run {{ $3; }} >/o 2>&1; r=\\$?; sed 's/^/<$n>/' /o; echo; \
echo \\"<e\\"\\"nd $n> \\$r\\"" >$tty
until grep -q "^<end $n> " {LOG}; do
    [ $(cut -d. -f1 /proc/uptime) -lt $end ] || break
    usleep 200000
done
tr -d '\\r' <{LOG} | sed -n -e "s/^<$n>/=/p" -e "/^<end $n> /p"
"""


class Stock(Suite):
    """Dom0 with disks and a bridge; no cases of its own."""

    asked = 0
    config = CONFIG
    machine = {}

    def add_files(self, archive):
        """Put more into Dom0's file system."""
        archive.add("guest/stock.cfg", stat.S_IFREG | 0o644,
                    self.config.encode())
        archive.add("scripts/stock-setup", stat.S_IFREG | 0o755, SETUP.encode())
        archive.add("etc/udhcpd.conf", stat.S_IFREG | 0o644, UDHCPD.encode())
        archive.add("scripts/guest-run", stat.S_IFREG | 0o755,
                    GUEST_RUN.encode())

    def setup(self):
        image = BUILD / f"test/{type(self).__name__}.img"
        dom0_initramfs(BUILD, image, self.add_files)
        self.boot(modules=[(self.kernel, DOM0_OPTIONS), (image, "")],
                  **self.machine)
        self.vm.dom0("/scripts/stock-setup")

    def create(self, words=""):
        """Start the guest and wait until it is up."""
        command = f"rm -f {LOG}; xl create /guest/stock.cfg {words}"
        rc, text = self.vm.dom0_cmd(command, 60)
        # libxl gives each of Debian's scripts 40 s, which is not much on a busy
        # machine where one runs for the first time.
        if rc != 0 and "because of timeout" in text:
            rc, text = self.vm.dom0_cmd(command, 60)
        check(rc == 0, f"'{command}' ended with {rc}: {text[-600:]}")
        self.up()

    def up(self, times=1):
        """It says for the so-manieth time that it is up, and nothing bad."""
        # One that restarts is shut down and built first.
        wait_until(self.vm, f"[ $(grep -c GUEST-FORKED {LOG}) = {times} ]",
                   300)
        text = wait_console(self.vm, "linux", "GUEST-FORKED", 60)
        check(re.search(r"GUEST-UP 6\.\d+\.\S+ cpus=\d type=xen", text), text)
        check("GUEST-TROUBLE" not in text, text)

    def reboot(self):
        """Another domain, and the guest is up for the second time."""
        old = self.domid()
        self.vm.dom0("xl reboot linux", 60)
        wait_until(self.vm, f"[ $(xl domid linux) -gt {old} ]", 90)
        self.up(2)

    def domid(self):
        """Its number now."""
        return int(self.vm.dom0("xl domid linux"))

    def on_console(self, number):
        """Dom0's terminal is the guest's console: use it, and leave it."""
        self.vm.send("hello")
        self.vm.expect("GUEST-HEARD hello", 60)
        # Its echo of this line is not what is looked for.
        self.vm.send(f"run echo con''sole $(({number}+0))")
        self.vm.expect(f"console {number}", 60)
        self.vm.send("\x1d", end="")     # xenconsole wants it alone
        self.vm.expect("dom0# ", 60, prompt=True)

    def guest_cmd(self, command, seconds=60):
        """Run a shell command in the guest.  Return: (exit status, output)."""
        self.asked += 1
        n = self.asked
        wait = int(self.vm.deadline(seconds) - time.monotonic())
        text = self.vm.dom0(f"/scripts/guest-run {n} {wait} "
                            f"{shlex.quote(command)}", wait + 60)
        found = re.search(rf"^<end {n}> (\d+)", text, re.M)
        check(found, f"guest: '{command}' does not end: {text[-300:]}")
        return int(found.group(1)), "\n".join(
            line[1:] for line in text.split("\n") if line.startswith("="))

    def guest(self, command, seconds=60):
        """Run a shell command in the guest that must succeed."""
        status, text = self.guest_cmd(command, seconds)
        check(status == 0, f"guest: '{command}' ended with {status}: {text}")
        return text

    def leases(self):
        """Return what the DHCP server of Dom0 has given: addresses by MAC.

        Dom0's busybox has no dumpleases: after the time of writing come records
        of 36 bytes, whose second word is the address, and then the MAC."""
        self.vm.dom0(f"rm -f {LEASES}; kill -USR1 $(cat /run/udhcpd.pid)")
        wait_until(self.vm, f"[ -s {LEASES} ]", 20)
        data = self.vm.dom0_bytes(f"cat {LEASES}")[8:]
        check(len(data) % 36 == 0, f"leases: {data.hex()}")
        return {data[at + 8:at + 14].hex(":"):
                ".".join(str(byte) for byte in data[at + 4:at + 8])
                for at in range(0, len(data), 36)}

    def disk_works(self, disk, image):
        """What the guest writes on a disk it reads, and Dom0 in the file."""
        wrote = self.guest(
            f"cat /sys/block/{disk}/size; dd if=/dev/urandom of=/dev/{disk} "
            "bs=64k count=16 seek=3 conv=fsync 2>/dev/null; dd bs=64k skip=3 "
            f"if=/dev/{disk} count=16 2>/dev/null | md5sum").split("\n")
        text = self.vm.dom0(f"dd if=/disk/{image}.img bs=64k skip=3 count=16 "
                            "2>/dev/null | md5sum")
        check(wrote == [str(DISK_MIB * 2048), text],
              f"{disk}: {wrote}, file {text}")

    def disks_are(self, *numbers):
        """xl block-list has just these, connected."""
        text = self.vm.dom0("xl block-list linux")
        found = re.findall(BLOCK_LIST, text, re.M)
        check([f[0] for f in found] == list(numbers), text)
        check(all(f[1] == "0" and f[3] == "4" for f in found), text)

    def rows(self, command):
        """Run a command that prints a table.  Return: its rows as words,
        without the heading."""
        return [line.split() for line in self.vm.dom0(command).split("\n")[1:]
                if line.strip()]

    def row(self, command, name="linux"):
        """The row of a table that is about the guest."""
        found = [row for row in self.rows(command) if row[0] == name]
        check(len(found) == 1, f"{command}: {len(found)} rows of {name}")
        return found[0]

    def gone(self):
        """Wait until nothing of it is left: domain, disks, networks."""
        wait_until(self.vm, "! xl domid linux 2>/dev/null", 60)
        wait_until(self.vm, "[ -z \"$(xenstore-list /local/domain/0/backend/vbd "
                   "/local/domain/0/backend/vif 2>/dev/null)\" ]", 20)
        text = self.vm.dom0("xl list | grep -c '(null)'; losetup -a; "
                            "ls /sys/class/net")
        check(text.split()[0] == "0", f"something keeps it alive: {text}")
        # Those of the other disks were made by hand.
        check(not re.search(r"/disk/[ad]\.img", text),
              f"a loop device is left: {text}")
        check("vif" not in text, f"an interface is left: {text}")
