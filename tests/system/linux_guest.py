# SPDX-License-Identifier: MIT
"""An unmodified Debian kernel as a guest: its initramfs, its xl.cfg, and the
archive that puts both into Dom0's file system."""

import gzip
import pathlib
import stat
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "scripts"))

from newc import Archive  # noqa: E402 (needs the path above)

# What the guest does is chosen by words on its kernel's command line, and by
# lines on its console: `run COMMAND` runs it.  vigil.clock: it keeps 16 MiB of
# random bytes and a process that counts and watches the clocks; `run facts N`
# tells of all that.
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

POWEROFF = """#!/bin/sh
exec /bin/busybox poweroff -f
"""

CONFIG = """name = "linux"
type = "pv"
kernel = "/guest/vmlinuz"
ramdisk = "/guest/initrd"
extra = "console=hvc0 quiet"
memory = 192
vcpus = 2
on_crash = "destroy"
"""


def guest_initrd(busybox):
    """Return the guest's own initramfs."""
    archive = Archive()
    for name in ("proc", "sys", "dev", "sbin"):
        archive.add(name, stat.S_IFDIR | 0o755)
    archive.add("dev/console", stat.S_IFCHR | 0o600, rdev=(5, 1))
    archive.add_file("bin/busybox", busybox, 0o755)
    archive.add_link("bin/sh", "busybox")
    archive.add("init", stat.S_IFREG | 0o755, INIT.encode())
    archive.add("sbin/poweroff", stat.S_IFREG | 0o755, POWEROFF.encode())
    return gzip.compress(archive.encode(), 1, mtime=0)


def dom0_initramfs(build, out):
    """Write Dom0's initramfs with /guest in it to @out: a second archive
    behind the first, as the kernel allows."""
    archive = Archive()
    archive.add("guest/initrd", stat.S_IFREG | 0o644,
                guest_initrd(build / "cache/root/bin/busybox"))
    archive.add_file("guest/vmlinuz", build / "dom0/vmlinuz")
    archive.add("guest/linux.cfg", stat.S_IFREG | 0o644, CONFIG.encode())
    first = (build / "dom0/initramfs.img").read_bytes()
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(first + b"\0" * (-len(first) % 4) + archive.encode())
