# SPDX-License-Identifier: MIT
"""Five PCI devices for Dom0: their drivers, what QEMU gives them, the script
that uses them all at once and checks every byte, and the other end of the
network."""

import hashlib
import http.server
import pathlib
import stat
import subprocess
import sys
import threading

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "scripts"))

from kmodules import load_order  # noqa: E402 (needs the path above)
from newc import Archive  # noqa: E402

MODULES = "virtio-pci virtio-blk virtio-net e1000 ahci sd-mod nvme".split()
DISK_MIB = 64
DISKS = {"virtio-blk": "vda", "ahci": "sda", "nvme": "nvme0n1"}
NETS = {"virtio-net": ("52:54:00:00:00:02", 2), "e1000": ("52:54:00:00:00:03", 3)}

# Bytes without a pattern, but none is 0: busybox wget takes them for text.
BLOB = "".join(hashlib.sha256(b"%d" % i).hexdigest()
               for i in range(8192)).encode()

# disk NAME: write, forget what is cached, read back, compare; another place
# each time.  net NAME N: download and upload by TCP, then a flood of pings of
# which none may be lost.  Each says how often it went round.  They go on for a
# time, or until there is a file /run/enough.
SCRIPT = r"""#!/bin/sh
end=$1 port=$2 sum=$3 blob=/scripts/blob
more() { [ $(cut -d. -f1 /proc/uptime) -lt $end ] && [ ! -e /run/enough ]; }
fail() { echo "IO-FAIL $*"; exit 1; }
disk() {
    n=0
    while [ $n = 0 ] || more; do
        at=$((n % 60))
        { echo $1 $n; cat $blob $blob; } | head -c 1048576 >/run/$1
        want=$(md5sum </run/$1)
        dd if=/run/$1 of=/dev/$1 bs=64k seek=$((at * 16)) conv=fsync \
            2>/run/$1.err || fail "$1 write: $(cat /run/$1.err)"
        echo 1 >/proc/sys/vm/drop_caches
        got=$(dd if=/dev/$1 bs=64k skip=$((at * 16)) count=16 2>/dev/null |
            md5sum)
        [ "$got" = "$want" ] || fail "$1 reads back other bytes at $at MiB"
        n=$((n + 1))
    done
    echo "IO-DONE $1 $n"
}
net() {
    n=0
    if=$(grep -l "$3" /sys/class/net/*/address | cut -d/ -f5)
    [ -n "$if" ] || fail "$1: no interface"
    ip addr add 10.0.$2.15/24 dev $if
    ip link set $if up
    while [ $n = 0 ] || more; do
        got=$(wget -q -O - http://10.0.$2.2:$port/blob | md5sum | cut -d' ' -f1)
        [ "$got" = "$sum" ] || fail "$1 receives other bytes: $got"
        got=$(wget -q -O - --post-file=$blob http://10.0.$2.2:$port/up 2>&1)
        [ "$got" = "$sum" ] || fail "$1 sends other bytes: $got"
        # The end of that connection is not to be taken for an answer.
        rx=/sys/class/net/$if/statistics/rx_packets
        before=
        while [ "$before" != "$(cat $rx)" ]; do
            before=$(cat $rx)
            usleep 500000
        done
        got=$(ping -q -c 50 -i 0.01 -W 10 10.0.$2.2)
        case "$got" in
        *" 0% packet loss"*) ;;
        *)
            # busybox waits a second for the last ones.  Late is not lost: an
            # interrupt that never comes leaves them where they are.
            late=0
            while [ $(($(cat $rx) - before)) -lt 50 ]; do
                [ $late -lt 200 ] || fail "$1 loses packets: $got"
                usleep 100000
                late=$((late + 1))
            done
            echo "IO-LATE $1, $late tenths: $got"
            ;;
        esac
        n=$((n + 1))
    done
    echo "IO-DONE $1 $n"
}
end=$((end + $(cut -d. -f1 /proc/uptime)))
@JOBS@
wait
echo "IO-END"
"""

LOADER = """#!/bin/sh
while read -r module; do
    insmod /lib/devices/$module.ko || exit 1
done </etc/modules-devices
"""


def dom0_initramfs(build, out):
    """Write Dom0's initramfs with the drivers and the scripts to @out."""
    subprocess.run([TOP / "scripts/fetch-drivers"], check=True)
    release = (build / "cache/kernel").read_text().strip()
    archive = Archive()
    order = load_order(build / "cache/root", release, MODULES)
    for name, path in order:
        archive.add_file(f"lib/devices/{name}.ko", path, 0o644)
    archive.add("etc/modules-devices", stat.S_IFREG | 0o644,
                "".join(f"{name}\n" for name, _ in order).encode())
    jobs = [f"disk {disk} &" for disk in DISKS.values()]
    jobs += [f"net {name} {n} {mac} &" for name, (mac, n) in NETS.items()]
    archive.add("scripts/blob", stat.S_IFREG | 0o644, BLOB)
    archive.add("scripts/devices-load", stat.S_IFREG | 0o755, LOADER.encode())
    archive.add("scripts/devices-io", stat.S_IFREG | 0o755,
                SCRIPT.replace("@JOBS@", "\n".join(jobs)).encode())
    first = (build / "dom0/initramfs.img").read_bytes()
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(first + b"\0" * (-len(first) % 4) + archive.encode())


def qemu_devices(folder):
    """Make the disks in @folder; return QEMU's arguments for all devices."""
    args = []
    folder.mkdir(parents=True, exist_ok=True)
    for name in DISKS:
        path = folder / f"{name}.img"
        with open(path, "wb") as image:
            image.truncate(DISK_MIB << 20)
        args += ["-drive", f"file={path},if=none,id={name},format=raw"]
    args += ["-device", "virtio-blk-pci,drive=virtio-blk",
             "-device", "ahci,id=hba", "-device", "ide-hd,bus=hba.0,drive=ahci",
             "-device", "nvme,serial=1,drive=nvme"]
    for name, (mac, n) in NETS.items():
        model = "virtio-net-pci" if name == "virtio-net" else name
        args += ["-netdev", f"user,id=net{n},net=10.0.{n}.0/24",
                 "-device", f"{model},netdev=net{n},mac={mac}"]
    return args


class Server:
    """The other end: gives out a fixed blob, says the sum of what it gets."""

    def __init__(self):
        self.sum = hashlib.md5(BLOB).hexdigest()

        class Handler(http.server.BaseHTTPRequestHandler):
            """One request."""

            def answer(self, body):
                """Send a whole answer."""
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):  # noqa: N802 (the library's name)
                """The blob."""
                self.answer(BLOB)

            def do_POST(self):  # noqa: N802
                """What came, as its checksum."""
                length = int(self.headers.get("Content-Length", 0))
                data = self.rfile.read(length)
                self.answer(hashlib.md5(data).hexdigest().encode())

            def log_message(self, *_):
                """Nothing: the test says what is wrong."""

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.http.server_address[1]
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self):
        """End it."""
        self.http.shutdown()
        self.http.server_close()
