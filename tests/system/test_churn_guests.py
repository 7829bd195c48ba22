# SPDX-License-Identifier: MIT
"""A thousand guests of Dom0's tools come and go and leave nothing behind."""

import stat

from holdings import all_is_back, dom0_is_back, info, of_dom0
from linux_guest import dom0_initramfs
from stock import SETUP
from suite import BUILD, DOM0_OPTIONS, Suite, check, need_vigil, wait_until

DEATHS = 3      # of ten: one crashes, two are killed
# Beside the stubs; its name, disk and network are given with it.
CONFIG = """type = "pv"
kernel = "/guest/vmlinux"
ramdisk = "/guest/initrd"
extra = "console=hvc0 quiet vigil.devices"
memory = 128
on_crash = "destroy"
"""


def add_files(archive):
    """What churn-guests needs for them in Dom0's file system."""
    archive.add("guest/churn.cfg", stat.S_IFREG | 0o644, CONFIG.encode())
    archive.add("scripts/stock-setup", stat.S_IFREG | 0o755, SETUP.encode())


class ChurnLong(Suite):
    """Five kinds of stubs in ten ways, ten alive at a time, made by `vigil`:
    held while they run, paused or not, powered off, restarting, crashed and
    killed; beside each fifth ten a Linux guest that uses its disk and its
    network (tests/system/scripts/churn-guests)."""

    weight = 1500
    long = True
    tens = 100

    def setup(self):
        need_vigil()
        image = BUILD / "test/ChurnLong.img"
        dom0_initramfs(BUILD, image, add_files)
        self.boot(options="loglvl=warning guest_loglvl=warning", memory="1536M",
                  modules=[(self.kernel, DOM0_OPTIONS), (image, "")], wall=7200)
        self.vm.dom0("/scripts/stock-setup")

    def come_and_go(self, first, end):
        """Tens of guests with these numbers."""
        self.vm.dom0(f"/scripts/churn-guests {first} {end}",
                     240 * (end - first))

    def test_first(self):
        """The libraries are read, the caches filled, and the tables for numbers
        from 512 and 1024 on, which stay, are made; then it is counted."""
        for number in 600, 1100:
            self.vm.dom0(f"vigil create --domid {number} /etc/xen/hello.cfg "
                         "'extra=\"\"'", 60)
            wait_until(self.vm, "[ $(vigil list | wc -l) = 2 ]", 60)
        self.come_and_go(0, 2)
        self.before, self.deaths = info(self.vm)
        self.dom0 = of_dom0(self.vm)

    def test_thousand(self):
        """All of them run, and end as they should."""
        tens = range(2, 2 + self.tens)
        for first in tens[::5]:
            self.come_and_go(first, first + 5)
        _, deaths = info(self.vm)
        crashed = len([ten for ten in tens if ten % 15 == 10])
        wanted = DEATHS * self.tens + crashed
        check(deaths - self.deaths == wanted,
              f"{deaths - self.deaths} deaths, not {wanted}")

    def test_all_is_back(self):
        """Memory, heap, timers, ports and grants are what they were; so are
        Dom0's loop devices and networks, and what stands in xenstore."""
        all_is_back(self.vm, self.before)
        dom0_is_back(self.vm, self.dom0)

    def test_dom0_is_well(self):
        text = self.vm.dom0("dmesg | grep -E 'WARNING:|BUG:|Oops|oom'; "
                            "ls -A /run/vigil/guests")
        check(text == "", text)
