# SPDX-License-Identifier: MIT
"""Guests with disks and networks, at length: a gigabyte each way, disks written
full, one to eight processors, the cloud kernel, PV GRUB, oxenstored."""

import re
import stat
import subprocess
import sys

from linux_guest import guest_initrd
from stock import CONFIG, LOG, Stock
from suite import BUILD, TOP, check, wait_console, wait_until

sys.path.insert(0, str(TOP / "scripts"))

from closure import add_closure  # noqa: E402 (needs the path above)

ROOT = BUILD / "cache/root"
GUESTS = BUILD / "cache/guests"
XEN_BIN = "usr/lib/xen-4.17/bin"

# Sixteen MiB of chance 64 times over, no two alike; the sum of what comes in.
# Each has the connection for its input and output: nothing is copied between.
GIVE = """#!/bin/sh
n=0
while [ $n -lt 64 ]; do
    echo $n
    cat /srv/blob
    n=$((n + 1))
done
"""
TAKE = """#!/bin/sh
md5sum >/srv/sum.new
mv /srv/sum.new /srv/sum
"""
TAKEN = "n=0; until [ -s /srv/sum ] || [ $n = 600 ]; do n=$((n+1)); " \
    "usleep 200000; done; cat /srv/sum"
LISTEN = "rm -f /srv/sum; nc -l -p 9000 -e /srv/take >/dev/null 2>&1 & true"
# The other end may not listen yet.
SEND = "n=0; until nc %s 9000 -e /srv/give; do n=$((n+1)); [ $n -lt 50 ] || " \
    "break; usleep 200000; done"
GRUB = """set timeout=0
menuentry "Debian in a guest" {
    linux /boot/vmlinuz console=hvc0 quiet vigil.devices grub=yes
    initrd /boot/initrd
}
"""


def fetch():
    """Unpack other kernels, PV GRUB and ip."""
    subprocess.run([TOP / "scripts/fetch-guests"], check=True)


class StockLife(Stock):
    """The rest of a guest's life under xl, on two processors."""

    weight = 300
    long = True
    machine = {"smp": 2}

    # --- create ------------------------------------------------------------

    def test_create_paused(self):
        """-p: built, its disks and network wait, and it does not run; its other
        vcpu is down until its kernel says so."""
        self.vm.dom0(f"rm -f {LOG}; xl create -p /guest/stock.cfg", 60)
        row = self.row("xl list")
        check(row[2:5] == ["144", "1", "--p---"] and float(row[5]) == 0, row)
        rows = [r[2:5] for r in self.rows("xl vcpu-list linux")]
        check(rows[1] == ["1", "-", "--p"], rows)

    def test_destroy(self):
        """Of one that never ran."""
        self.vm.dom0("xl destroy linux", 60)
        self.gone()

    def test_create_console(self):
        """-c: the console is there from the first line on, both ways."""
        self.vm.dom0(f"rm -f {LOG}")
        self.vm.send("xl create -c /guest/stock.cfg")
        self.vm.expect("GUEST-FORKED 200", 300)
        self.on_console(42)
        self.up()

    # --- devices -----------------------------------------------------------

    def test_disks(self):
        """A file, and a loop device as phy:."""
        self.disk_works("xvda", "a")
        self.disk_works("xvdb", "b")
        self.disks_are("51712", "51728")

    def test_block_attach(self):
        """One more while it runs; read-only is read-only."""
        self.vm.dom0("dd if=/guest/vmlinuz of=/disk/c.img bs=1M count=1 "
                     "conv=notrunc 2>/dev/null; "
                     "xl block-attach linux file:/disk/c.img,xvdc,r", 60)
        self.guest("n=0; until [ -b /dev/xvdc ]; do n=$((n+1)); [ $n -lt 200 ];"
                   " usleep 100000; done")
        want = self.vm.dom0("head -c 1048576 /disk/c.img | md5sum")
        text = self.guest("head -c 1048576 /dev/xvdc | md5sum; "
                          "cat /sys/block/xvdc/ro")
        check(text.split("\n") == [want, "1"], f"{text}, not {want}")
        status, _ = self.guest_cmd("dd if=/dev/zero of=/dev/xvdc count=1")
        check(status != 0, "a read-only disk was written")

    def test_block_detach(self):
        self.vm.dom0("xl block-detach linux xvdc", 60)
        self.guest("! [ -e /sys/block/xvdc ]")
        text = self.vm.dom0("xl block-list linux; losetup -a")
        check("51744" not in text and "c.img" not in text, text)

    def test_network_attach(self):
        self.vm.dom0("xl network-attach linux bridge=xenbr0 "
                     "mac=00:16:3e:00:00:02")
        self.guest("n=0; until [ -d /sys/class/net/eth1 ]; do n=$((n+1)); "
                   "[ $n -lt 200 ]; usleep 100000; done")
        text = self.guest("cat /sys/class/net/eth1/address")
        check(text == "00:16:3e:00:00:02", text)
        check(len(self.rows("xl network-list linux")) == 2, "not two networks")

    def test_network_detach(self):
        self.vm.dom0("xl network-detach linux 1", 60)
        self.guest("! [ -e /sys/class/net/eth1 ]")
        check(len(self.rows("xl network-list linux")) == 1, "not one network")

    # --- processors and memory ---------------------------------------------

    def test_vcpu_pin(self):
        """Hard and soft affinity, by vcpu and for all; obeyed."""
        self.vm.dom0("xl vcpu-pin linux 0 1 0")
        rows = self.rows("xl vcpu-list linux")
        check(rows[0][6:] == ["1", "/", "0"] and
              rows[1][6:] == ["all", "/", "all"], rows)
        self.guest("n=0; while [ $n -lt 100 ]; do n=$((n+1)); true; done")
        check(self.rows("xl vcpu-list linux")[0][3] == "1", "not on CPU 1")
        self.vm.dom0("xl vcpu-pin linux all 0")
        self.guest("n=0; while [ $n -lt 100 ]; do n=$((n+1)); true; done")
        rows = self.rows("xl vcpu-list linux")
        check([r[3] for r in rows] == ["0", "0"], rows)
        self.vm.dom0("xl vcpu-pin linux all all all")
        rc, text = self.vm.dom0_cmd("xl vcpu-pin linux 0 7")
        check(rc != 0, f"CPU 7 was taken: {text}")

    def test_mem_max(self):
        """A limit below which it stays, and one above what it had at first."""
        self.vm.dom0("xl mem-max linux 152")
        path = "/local/domain/$(xl domid linux)/memory/static-max"
        text = self.vm.dom0(f"xenstore-read {path}")
        check(text == str(152 * 1024), text)
        rc, text = self.vm.dom0_cmd("xl mem-set linux 160")
        check(rc != 0, f"more than its maximum: {text}")
        self.vm.dom0("xl mem-set linux 152")
        wait_until(self.vm, "[ $(xl list linux | awk 'END {print $3}') -ge 151 ]",
                   60)
        self.vm.dom0("xl mem-set linux 144; xl mem-max linux 160")
        wait_until(self.vm, "[ $(xl list linux | awk 'END {print $3}') -le 144 ]",
                   60)

    def test_hptool(self):
        """A processor leaves and comes back; pages are asked for."""
        self.vm.dom0("xen-hptool cpu-offline 1", 60)
        check("nr_cpus                : 1" in self.vm.dom0("xl info"),
              "it is still there")
        self.vm.dom0("xen-hptool cpu-online 1", 60)
        check("nr_cpus                : 2" in self.vm.dom0("xl info"),
              "it has not come back")
        text = self.vm.dom0("xen-hptool mem-status 0x1000")
        # The second number is the state; 0 is no trouble at all.
        check(text.split("\n") == ["Querying MEMORY mfn 1000 status",
                                   "Memory Status 0: [ PAGE_ONLINED ]"], text)
        # A page of the hypervisor's own.
        rc, text = self.vm.dom0_cmd("xen-hptool mem-offline 0x200")
        check("offline failed" in text, text)

    # --- the end -----------------------------------------------------------

    def test_reboot(self):
        """Another domain, the same guest, with its disks and network."""
        self.reboot()
        text = self.guest("cat /sys/block/xvda/size; ls /sys/class/net")
        check(text.split()[0] == "32768" and "eth0" in text, text)

    def test_destroy_running(self):
        self.vm.dom0("xl destroy linux", 60)
        self.gone()

    def test_page_leaves(self):
        """A free page leaves service, is seen to be out, and comes back."""
        text = self.vm.dom0(
            "for m in 3f000 30000 28000 20000; do xen-hptool mem-offline 0x$m | "
            "grep -q 'is .PG_OFFLINE_OFFLINED.$' || continue; xen-hptool "
            "mem-status 0x$m; xen-hptool mem-online 0x$m; xen-hptool mem-status "
            "0x$m; break; done")
        check(re.search(r"PAGE_OFFLINED.*onlined successfully.*PAGE_ONLINED",
                        text, re.S), text)


class StockOxenstored(Stock):
    """Debian's own choice of a store: it introduces, watches and forgets."""

    weight = 60
    long = True

    def add_files(self, archive):
        super().add_files(archive)
        for name in (f"{XEN_BIN}/oxenstored", "etc/xen/oxenstored.conf"):
            archive.add_file(name, ROOT / name)
        archive.add_link("usr/sbin/oxenstored",
                         "../lib/xen-common/bin/xen-utils-wrapper")

    def test_store(self):
        # By their names: the file with its number is called as the other one.
        text = self.vm.dom0("pidof oxenstored | wc -w; pidof xenstored | wc -w")
        check(text.split() == ["1", "0"], text)
        text = self.vm.dom0("xenstore-write /tool/probe yes && xenstore-ls /tool")
        check('probe = "yes"' in text, text)

    def test_guest(self):
        """Its console, disks and network all go by the store."""
        self.create()
        self.guest("ip addr add 10.1.0.2/24 dev eth0; ip link set eth0 up; "
                   "ping -c 3 -W 20 10.1.0.1; dd if=/dev/xvda of=/dev/null "
                   "bs=1M count=4")

    def test_reboot(self):
        self.reboot()

    def test_shutdown(self):
        self.vm.dom0("xl shutdown -w linux", 120)
        self.gone()

    def test_crash(self):
        """A guest that dies by itself is noticed, too."""
        self.create("'extra=\"console=hvc0 quiet vigil.crash\"'")
        wait_until(self.vm, "! xl domid linux 2>/dev/null", 60)


class StockLong(Stock):
    """Much of everything."""

    weight = 900
    long = True
    machine = {"smp": 2, "memory": "2G", "wall": 7200,
               "options": "dom0_mem=1200M,max:1200M"}

    def add_files(self, archive):
        super().add_files(archive)
        fetch()
        self.kernels = (GUESTS / "kernels").read_text().split()
        for release in self.kernels:
            archive.add(f"guest/initrd-{release}", stat.S_IFREG | 0o644,
                        guest_initrd(ROOT, release, GUESTS / "root"))
            archive.add_file(f"guest/vmlinuz-{release}",
                             GUESTS / f"root/boot/vmlinuz-{release}")
        # For vif-route, which wants more of ip than busybox has, and looks in /sbin
        # first.
        archive.add_file("sbin/ip", GUESTS / "root/bin/ip")
        add_closure(archive, [ROOT, GUESTS / "root"], [GUESTS / "root/bin/ip"])
        for name, text in (("srv/give", GIVE), ("srv/take", TAKE)):
            archive.add(name, stat.S_IFREG | 0o755, text.encode())

    # --- bytes -------------------------------------------------------------

    def scripts_in_guest(self):
        """Its network works: what makes the gigabyte and what sums it."""
        self.guest("ping -c 1 -W 20 10.1.0.1; mkdir /srv; for name in blob give "
                   "take; do wget -q -O /srv/$name http://10.1.0.1/$name; done; "
                   "chmod 755 /srv/give /srv/take", 300)

    def gigabyte(self, giver, taker, address):
        """One end sends a GiB to the address, where the other sums it.

        giver, taker: self.guest and self.vm.dom0, or the other way round
        """
        taker(LISTEN)
        giver(SEND % address, 3000)
        got = taker(TAKEN, 200)
        check(got == self.sum, f"{got} arrived, {self.sum} was sent")

    def test_starts(self):
        self.vm.dom0("dd if=/dev/urandom of=/srv/blob bs=1M count=16 2>/dev/null;"
                     "httpd -p 80 -h /srv; truncate -s 128M /disk/d.img "
                     "/disk/e.img; losetup /dev/loop6 /disk/e.img")
        self.sum = self.vm.dom0("/srv/give | md5sum", 1200)
        self.create("'disk=[\"file:/disk/d.img,xvda,w\","
                    "\"phy:/dev/loop6,xvdb,w\"]' vcpus=2")
        self.guest("ip addr add 10.1.0.2/24 dev eth0; ip link set eth0 up")
        self.scripts_in_guest()

    def test_gigabyte_to_guest(self):
        self.gigabyte(self.vm.dom0, self.guest, "10.1.0.2")

    def test_gigabyte_from_guest(self):
        """The same bytes, made in the guest."""
        self.gigabyte(self.guest, self.vm.dom0, "10.1.0.1")

    def test_disks(self):
        """Written full, forgotten, read back; Dom0 finds the same."""
        for disk, image in (("xvda", "d"), ("xvdb", "e")):
            wrote = self.guest(
                "n=0; while [ $n -lt 8 ]; do echo $n; cat /srv/blob; n=$((n+1));"
                f" done | head -c 134217728 | dd of=/dev/{disk} bs=64k "
                f"conv=fsync 2>/dev/null; echo 3 >/proc/sys/vm/drop_caches; "
                f"md5sum </dev/{disk}", 900)
            text = self.vm.dom0(f"md5sum </disk/{image}.img", 200)
            check(text == wrote, f"{disk}: {wrote} read, {text} in the file")
            text = self.vm.dom0(
                "n=0; while [ $n -lt 8 ]; do echo $n; cat /srv/blob; n=$((n+1));"
                " done | head -c 134217728 | md5sum", 200)
            check(text == wrote, f"{disk}: {wrote} read, {text} written")

    def test_both_ends(self):
        self.vm.dom0("xl shutdown -w linux", 120)
        self.gone()
        # Not before: Debian's script takes a file that is gone for no file, and
        # leaves the loop device.
        self.vm.dom0("rm /disk/d.img; losetup -d /dev/loop6; rm /disk/e.img")

    def test_dump_core(self):
        """An ELF file with registers, page numbers and all of the guest's
        memory; and the guest goes on."""
        self.create()
        self.guest("echo in$((1+1))memory >/text")
        self.vm.dom0("xl dump-core linux /disk/core", 1200)
        text = self.vm.dom0(
            "cd /disk; hexdump -n 20 -e '20/1 \"%02x\"' core; echo; "
            "stat -c %s core; tr -cs ' -~' '\\n' <core | grep -oE "
            "'in2memory|Linux version 6.1|note.Xen|xen_prstatus|xen_p2m|"
            "xen_pages|xen_shared_info' | sort | uniq -c; rm core", 900)
        lines = text.split("\n")
        # 64-bit, little end first, a core file for x86-64.
        check(lines[0].startswith("7f454c46020101") and
              lines[0][32:40] == "04003e00", lines)
        check(144 << 20 <= int(lines[1]) < 148 << 20, lines)
        check(len(lines) == 2 + 7, f"not all is in it: {lines}")
        check(self.guest("echo on") == "on", "it does not go on")
        self.vm.dom0("xl destroy linux", 60)
        self.gone()

    # --- other guests ------------------------------------------------------

    def test_processors(self):
        """One to eight, on two; each of them works."""
        for count in range(1, 9):
            self.create(f"vcpus={count}")
            text = self.guest("grep -c ^processor /proc/cpuinfo; n=0; while [ $n "
                              f"-lt {count} ]; do taskset -p $(printf %x "
                              "$((1<<n))) $$ >/dev/null; cut -d' ' -f39 "
                              "/proc/self/stat; n=$((n+1)); done", 60)
            check(text.split() == [str(count)] + [str(n) for n in range(count)],
                  text)
            check(len(self.rows("xl vcpu-list linux")) == count, text)
            self.vm.dom0("xl destroy linux", 60)
            self.gone()

    def other_kernel(self, pattern):
        """Another kernel of Debian's, with its disks and its network."""
        release = next(r for r in self.kernels if re.search(pattern, r))
        self.create(f"'kernel=\"/guest/vmlinuz-{release}\"' "
                    f"'ramdisk=\"/guest/initrd-{release}\"'")
        check(self.guest("uname -r") == release, "another kernel")
        self.guest("ip addr add 10.1.0.2/24 dev eth0; ip link set eth0 up; "
                   "ping -c 3 -W 20 10.1.0.1; dd if=/dev/xvda of=/dev/null "
                   "bs=1M count=16; dd if=/dev/zero of=/dev/xvdb bs=1M count=16")
        self.vm.dom0("xl shutdown -w linux", 120)
        self.gone()

    def test_cloud_kernel(self):
        """linux-image-cloud-amd64."""
        self.other_kernel("-cloud-amd64$")

    def test_new_kernel(self):
        """linux-image-6.12-amd64, of Debian 12's security archive."""
        self.other_kernel(r"^6\.12\.")

    def test_routed(self):
        """vif-route: no bridge, a route to the guest's address."""
        self.create("'vif=[\"script=vif-route,ip=10.2.0.2,gatewaydev=xenbr0\"]'")
        vif = f"vif{self.domid()}.0"
        text = self.vm.dom0("ip route; ls /sys/class/net/xenbr0/brif")
        check(re.search(rf"^10\.2\.0\.2 dev {vif} ", text, re.M), text)
        self.guest("ip addr add 10.2.0.2/32 dev eth0; ip link set eth0 up; "
                   "ip route add 10.1.0.1 dev eth0")
        self.scripts_in_guest()

    def test_routed_to_guest(self):
        """The same gigabyte, by the route."""
        self.gigabyte(self.vm.dom0, self.guest, "10.2.0.2")

    def test_routed_from_guest(self):
        self.gigabyte(self.guest, self.vm.dom0, "10.1.0.1")

    def test_routed_end(self):
        """It has gone by the interface that has the route; that goes with it."""
        text = self.vm.dom0(
            f"cat /sys/class/net/vif{self.domid()}.0/statistics/?x_bytes")
        check(all(int(n) > 1 << 30 for n in text.split()), text)
        self.vm.dom0("xl shutdown -w linux", 120)
        self.gone()
        text = self.vm.dom0("ip route")
        check("10.2.0.2" not in text, text)


class StockGrub(Stock):
    """PV GRUB of Debian's grub-xen-host finds a kernel on the guest's disk."""

    weight = 120
    long = True
    config = CONFIG.replace('kernel = "/guest/vmlinux"\n',
                            'kernel = "/guest/grub-x86_64-xen.bin"\n').replace(
        'ramdisk = "/guest/initrd"\n', "").replace(
        "file:/disk/a.img,xvda,w", "file:/guest/boot.iso,xvda,r")

    def add_files(self, archive):
        super().add_files(archive)
        fetch()
        archive.add_file("guest/grub-x86_64-xen.bin",
                         GUESTS / "root/usr/lib/grub-xen/grub-x86_64-xen.bin")
        tree = BUILD / "test/StockGrub-disk"
        (tree / "boot/grub").mkdir(parents=True, exist_ok=True)
        (tree / "boot/grub/grub.cfg").write_text(GRUB)
        release = (BUILD / "cache/kernel").read_text().strip()
        (tree / "boot/initrd").write_bytes(guest_initrd(ROOT, release))
        (tree / "boot/vmlinuz").write_bytes(
            (BUILD / "dom0/vmlinuz").read_bytes())
        image = BUILD / "test/StockGrub.iso"
        subprocess.run(["xorriso", "-as", "mkisofs", "-quiet", "-R", "-o",
                        image, tree], check=True, capture_output=True)
        archive.add_file("guest/boot.iso", image)

    def test_boots(self):
        """GRUB's words, then the kernel's, by GRUB's command line."""
        self.create()
        text = wait_console(self.vm, "linux", "GUEST-FORKED", 60)
        check("GRUB" in text or "Booting" in text, text)
        check("grub=yes" in self.guest("cat /proc/cmdline"),
              "another command line")
        self.guest("ip addr add 10.1.0.2/24 dev eth0; ip link set eth0 up; "
                   "ping -c 3 -W 20 10.1.0.1")

    def test_reboot(self):
        """By way of GRUB again."""
        self.reboot()

    def test_shutdown(self):
        self.vm.dom0("xl shutdown -w linux", 120)
        wait_until(self.vm, "! xl domid linux 2>/dev/null", 60)
