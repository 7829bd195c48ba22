# SPDX-License-Identifier: MIT
"""Debian's tools run a Linux guest with disks and networks: one boot, the whole
life, each program's transcript looked at."""

import re

from stock import LOG, Stock
from suite import check, wait_until

BLOCK_LIST = r"^(\d+) +(\d+) +(\d+) +(\d+) +-1 +-1 +(\S+) *$"


class StockTools(Stock):
    """Short cases, in the order of a guest's life."""

    weight = 120

    # --- create ------------------------------------------------------------

    def test_create_paused(self):
        """-p: built, its disks and network wait, and it does not run; its other
        vcpu is down until its kernel says so."""
        self.vm.dom0(f"rm -f {LOG}; xl create -p /guest/stock.cfg", 60)
        row = self.row("xl list")
        check(row[2:5] == ["144", "1", "--p---"] and float(row[5]) == 0, row)
        rows = [r[2:5] for r in self.rows("xl vcpu-list linux")]
        check(rows[1] == ["1", "-", "--p"], rows)

    def test_unpause(self):
        self.vm.dom0("xl unpause linux")
        self.up()

    def test_list(self):
        """Running and idle; the long form is JSON and names its devices."""
        row = self.row("xl list")
        check(row[2:4] == ["144", "2"] and float(row[5]) > 0, row)
        wait_until(self.vm, "xl list linux | grep -q -- -b----", 20)
        answer = self.vm.dom0_json("xl list -l linux")[0]["config"]
        check(answer["c_info"]["name"] == "linux", answer)
        check(answer["b_info"]["max_vcpus"] == 2, answer)
        check([d["vdev"] for d in answer["disks"]] == ["xvda", "xvdb"], answer)
        check(answer["nics"][0]["mac"] == "00:16:3e:00:00:01", answer)

    def test_vcpu_list(self):
        rows = self.rows("xl vcpu-list linux")
        check([r[2] for r in rows] == ["0", "1"], rows)
        for row in rows:
            check(row[4] in ("r--", "-b-", "---") and float(row[5]) > 0 and
                  row[6:] == ["all", "/", "all"], row)

    # --- disks -------------------------------------------------------------

    def test_disks(self):
        """A file and a loop device: what the guest writes is in them, what
        Dom0 wrote it reads."""
        for disk, image in (("xvda", "a"), ("xvdb", "b")):
            text = self.guest(f"cat /sys/block/{disk}/size")
            check(text == "32768", f"{disk} has {text} sectors")
            wrote = self.guest(
                f"dd if=/dev/urandom of=/dev/{disk} bs=64k count=64 2>/dev/null;"
                f" sync; head -c 4194304 /dev/{disk} | md5sum")
            text = self.vm.dom0(f"head -c 4194304 /disk/{image}.img | md5sum")
            check(text == wrote, f"{disk}: {wrote} written, {text} in the file")

    def test_block_list(self):
        """Vdev, backend, handle, state 4 (connected)."""
        text = self.vm.dom0("xl block-list linux")
        found = re.findall(BLOCK_LIST, text, re.M)
        check([f[0] for f in found] == ["51712", "51728"], text)
        check(all(f[1] == "0" and f[3] == "4" for f in found), text)

    def test_block_attach(self):
        """One more while it runs; read-only is read-only."""
        self.vm.dom0("dd if=/dev/urandom of=/disk/c.img bs=1M count=1 "
                     "conv=notrunc 2>/dev/null")
        self.vm.dom0("xl block-attach linux file:/disk/c.img,xvdc,r")
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

    # --- networks ----------------------------------------------------------

    def test_network(self):
        """On the bridge; not a ping is lost, and bytes arrive as they were."""
        text = self.vm.dom0("ls /sys/class/net/xenbr0/brif")
        check(text == f"vif{self.domid()}.0", text)
        self.guest("ip addr add 10.1.0.2/24 dev eth0; ip link set eth0 up; "
                   "ping -c 1 -W 20 10.1.0.1")
        text = self.vm.dom0("ping -q -c 20 -i 0.05 -s 1400 10.1.0.2")
        check("20 packets received, 0% packet loss" in text, text)

    def test_network_bytes(self):
        """16 MiB by TCP each way, with the same sum at both ends."""
        self.vm.dom0("mkdir -p /srv; dd if=/dev/urandom of=/srv/blob bs=1M "
                     "count=16 2>/dev/null; httpd -p 80 -h /srv")
        want = self.vm.dom0("md5sum </srv/blob")
        got = self.guest("wget -q -O - http://10.1.0.1/blob | md5sum", 120)
        check(got == want, f"to the guest: {got}, not {want}")
        want = self.guest("mkdir -p /srv; dd if=/dev/urandom of=/srv/blob bs=1M "
                          "count=16 2>/dev/null; httpd -p 80 -h /srv; "
                          "md5sum </srv/blob", 120)
        got = self.vm.dom0("wget -q -O - http://10.1.0.2/blob | md5sum", 120)
        check(got == want, f"from the guest: {got}, not {want}")
        self.guest("rm /srv/blob")

    def test_network_list(self):
        row = self.rows("xl network-list linux")
        check(len(row) == 1 and row[0][2] == "00:16:3e:00:00:01" and
              row[0][4] == "4", row)

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

    # --- names, time, processors, memory ------------------------------------

    def test_rename(self):
        self.vm.dom0("xl rename linux other")
        check(self.row("xl list", "other")[2] == "144", "not renamed")
        self.vm.dom0("! xl domid linux 2>/dev/null; xl rename other linux")
        self.row("xl list")

    def test_pause(self):
        """Paused it does nothing; unpaused it goes on."""
        self.vm.dom0("xl pause linux")
        row = self.row("xl list")
        check(row[4] == "--p---", row)
        again = self.row("usleep 500000; xl list")
        check(again[5] == row[5], f"paused, it used time: {row} {again}")
        self.vm.dom0("xl unpause linux")
        check(self.guest("echo on") == "on", "it does not go on")

    def test_vcpu_set(self):
        """Hotplug: one goes, and comes back."""
        self.vm.dom0("xl vcpu-set linux 1")
        wait_until(self.vm, "xl vcpu-list linux | grep -q -- ' 1 *- *--p'", 40)
        check(self.guest("cat /sys/devices/system/cpu/online") == "0",
              "the guest has not taken it down")
        check(self.row("xl list")[3] == "1", "xl list counts it")
        self.vm.dom0("xl vcpu-set linux 2")
        # Who is to switch it on is udev, which this guest has not got.
        self.guest("n=0; c=/sys/devices/system/cpu/cpu1/online; until [ $(cat $c"
                   ") = 1 ]; do echo 1 >$c; n=$((n+1)); [ $n -lt 50 ]; "
                   "usleep 100000; done 2>/dev/null")
        check(self.row("xl list")[3] == "2", "it has not come back")

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

    # --- the end -----------------------------------------------------------

    def test_destroy(self):
        self.vm.dom0("xl destroy linux", 60)
        self.gone()

    def test_log_is_clean(self):
        text = self.vm.dom0("dmesg | grep -E 'WARNING:|BUG:'; true")
        check(text.strip() == "", text)
