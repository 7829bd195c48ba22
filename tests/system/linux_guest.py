# SPDX-License-Identifier: MIT
"""An unmodified Debian kernel as a guest: its initramfs, its xl.cfg, and the
archive that puts both into Dom0's file system."""

import gzip
import pathlib
import stat
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "scripts"))

from kmodules import load_order  # noqa: E402 (needs the path above)
from newc import Archive  # noqa: E402

# What the guest does is chosen by words on its kernel's command line, and by
# lines on its console: `run COMMAND` runs it.  vigil.devices: it loads the
# drivers of virtual disks and networks.  vigil.clock: it keeps 16 MiB of random
# bytes and a process that counts and watches the clocks; `run facts N` tells of
# all that.
INIT = """#!/bin/sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
watch() {
    n=0 last=0 wall=0
    while :; do
        read -r up _ </proc/uptime
        up=${up%.*}${up#*.} now=$(date +%s) n=$((n + 1))
        [ "$up" -ge "$last" ] && [ "$now" -ge "$wall" ] ||
            echo "GUEST-BACKWARDS up $last $up, time $wall $now"
        last=$up wall=$now
        echo $n >/keep/turns.new
        mv /keep/turns.new /keep/turns
        usleep 20000
    done
}
facts() {
    set -- "$1" $(grep "^now at" /proc/timer_list) $(cat /proc/uptime)
    echo "GUEST-FACTS $1 mono=$4 up=$6 wall=$(date +%s) turns=$(cat /keep/turns) \
sum=$(md5sum </keep/data | cut -c -32) cpus=$(grep -c ^processor /proc/cpuinfo)"
}
if grep -q vigil.devices /proc/cmdline; then
    for module in /lib/modules/*.ko; do insmod $module; done
fi
echo "GUEST-UP $(uname -r) cpus=$(grep -c ^processor /proc/cpuinfo) \
type=$(cat /sys/hypervisor/type)"
dmesg | grep -E "WARNING:|BUG:|Call Trace" && echo GUEST-TROUBLE
n=0
while [ $n -lt 200 ]; do /bin/busybox true; n=$((n + 1)); done
echo "GUEST-FORKED $n"
if grep -q vigil.clock /proc/cmdline; then
    mkdir /keep
    mount -t tmpfs keep /keep
    dd if=/dev/urandom of=/keep/data bs=64k count=256 2>/dev/null
    watch &
    echo "GUEST-KEEPS"
fi
grep -q vigil.crash /proc/cmdline && echo c >/proc/sysrq-trigger
while read -r line; do
    case $line in
    run\ *) eval "${line#run }" ;;
    *) echo "GUEST-HEARD $line" ;;
    esac
done
while :; do sleep 1; done
"""

# The kernel calls poweroff and reboot when the toolstack asks for it.
END = """#!/bin/sh
exec /bin/busybox ${0##*/} -f
"""

CONFIG = """name = "linux"
type = "pv"
kernel = "/guest/vmlinux"
ramdisk = "/guest/initrd"
extra = "console=hvc0 quiet"
memory = 192
vcpus = 2
on_crash = "destroy"
"""


FRONT_ENDS = ("xen-blkfront", "xen-netfront")


def guest_initrd(root, release, kernel_root=None):
    """Return the guest's own initramfs.

    root:        the unpacked packages
    release:     of the kernel it is for
    kernel_root: where that kernel is unpacked, if elsewhere
    """
    archive = Archive()
    for name in ("proc", "sys", "dev", "sbin"):
        archive.add(name, stat.S_IFDIR | 0o755)
    archive.add("dev/console", stat.S_IFCHR | 0o600, rdev=(5, 1))
    archive.add_file("bin/busybox", root / "bin/busybox", 0o755)
    for name, path in load_order(kernel_root or root, release,
                                 FRONT_ENDS):
        archive.add_file(f"lib/modules/{name}.ko", path, 0o644)
    archive.add_link("bin/sh", "busybox")
    archive.add("init", stat.S_IFREG | 0o755, INIT.encode())
    for name in ("poweroff", "reboot"):
        archive.add(f"sbin/{name}", stat.S_IFREG | 0o755, END.encode())
    return gzip.compress(archive.encode(), 1, mtime=0)


def dom0_initramfs(build, out, more=None):
    """Write Dom0's initramfs with /guest in it to @out: a second archive
    behind the first, as the kernel allows.

    more: called with that archive, to add to it
    """
    archive = Archive()
    root = build / "cache/root"
    release = (build / "cache/kernel").read_text().strip()
    archive.add("guest/initrd", stat.S_IFREG | 0o644,
                guest_initrd(root, release))
    # Debian's file, and the same kernel unpacked: a third of the time to start.
    for name in ("vmlinuz", "vmlinux"):
        archive.add_file(f"guest/{name}", build / "dom0" / name)
    archive.add("guest/linux.cfg", stat.S_IFREG | 0o644, CONFIG.encode())
    if more:
        more(archive)
    first = (build / "dom0/initramfs.img").read_bytes()
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(first + b"\0" * (-len(first) % 4) + archive.encode())
