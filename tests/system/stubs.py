# SPDX-License-Identifier: MIT
"""A Dom0 for guests that are stubs, and ways to call vigil there; what the
suites of guests by `vigil` alone share."""

import re
import stat
import sys

import xlcfg
import xlman
from stock import SETUP
from suite import (BUILD, DOM0_OPTIONS, TOP, Suite, check, need_vigil,
                   require, wait_console, wait_until)
from terminal import Terminal

sys.path.insert(0, str(TOP / "scripts"))

from newc import Archive  # noqa: E402 (needs the path above)

IMAGE = "/tmp/suspend.img"
MAC = "00:16:3e:00:00:0%d"
# As pygrub is called: ... --output=FIFO --output-format=simple0 DISK
BOOTLOADER = """#!/bin/sh
for word; do
    case $word in
    --output=*) out=${word#--output=} ;;
    --output-directory=*) dir=${word#--output-directory=} ;;
    esac
done
[ -e /tmp/slow ] && exec sleep 60
cp "$word" "$dir/kernel" || exit 1
printf 'kernel %s/kernel\\000args hold\\000\\000' "$dir" >"$out"
"""
# A network that takes its time to come, or to go.
SLOW_VIF = """#!/bin/sh
[ "$1" = online ] && [ -e /tmp/slow ] && exec sleep 60
[ "$1" = online ] && [ -e /tmp/slow-begin ] && sleep 3
[ "$1" = offline ] && [ -e /tmp/slow-end ] && sleep 3
exec /etc/xen/scripts/vif-bridge "$@"
"""


class Verbs:
    """Ways to call vigil and to ask about guests."""

    def vigil(self, words, wanted=0, seconds=60):
        """Run it; its exit code is the wanted one.  Return: what it said."""
        rc, text = self.vm.dom0_cmd(f"vigil {words}", seconds)
        check(rc == wanted, f"vigil {words}: exit {rc}, not {wanted}: {text}")
        return text

    def facts(self, name):
        """What `vigil list` says of a guest."""
        return self.vm.dom0_json(f"vigil list --json {name}")["guests"][0]

    def written(self, name):
        """What libxl has written down about a guest."""
        return self.vm.dom0_json(f"xl list -l {name}")[0]["config"]

    def node(self, name, path):
        """A value below a guest's directory in xenstore."""
        return self.vm.dom0("xenstore-read /local/domain/$(xl domid "
                            f"{name})/{path}").strip()

    def devices(self, kind, name):
        """The disks or networks of a guest, by the list for programs."""
        key = {"block": "disks", "network": "networks"}[kind]
        answer = self.vm.dom0_json(f"vigil {kind}-list --json {name}")
        check(answer["schema"] == f"vigil.{kind}-list/1", f"{answer}")
        return answer[key]

    def alone(self):
        """No guest is left."""
        answer = self.vm.dom0_json("vigil list --json")
        check(len(answer["guests"]) == 1, f"{answer}")


    def restarted(self, name, before):
        """Wait until another domain has the name, and its note is whole."""
        wait_until(self.vm, f"d=$(xl domid {name} 2>/dev/null) && "
                   f"[ $d != {before['domid']} ] && "
                   f"[ -e /run/vigil/guests/{before['uuid']}.json ]", 60)

    def replaced(self, name):
        """Have a guest end that is to be renamed and restarted.  Return: what
        is known of the one that stands and of the one that runs."""
        before = self.facts(name)
        self.vigil(f"reboot -F --timeout 0 {name}")
        self.restarted(name, before)
        old, new = self.facts(before["domid"]), self.facts(name)
        check(re.fullmatch(name + r"-\d{8}T\d{4}Z", old["name"]) and
              old["state"] == "shutdown" and old["uuid"] != before["uuid"] and
              new["uuid"] == before["uuid"], f"{before}, {old}, {new}")
        return old, new


class Stubs(Verbs, Suite):
    """A Dom0 for guests that are stubs; no cases of its own."""

    def setup(self):
        need_vigil()
        first = BUILD / "dom0/initramfs.img"
        debs = BUILD / "cache/debs"
        require(first, debs)
        archive = Archive()
        archive.add("scripts/stock-setup", stat.S_IFREG | 0o755, SETUP.encode())
        archive.add("scripts/bootloader", stat.S_IFREG | 0o755,
                    BOOTLOADER.encode())
        archive.add("scripts/slow-vif", stat.S_IFREG | 0o755, SLOW_VIF.encode())
        compared, self.refused, self.named = xlcfg.manual(
            xlman.items(xlman.page(debs)))
        self.compared = {**xlcfg.CASES, **compared}
        files = {f"oracle/{at}": lines
                 for at, lines in enumerate(self.compared.values())}
        files.update({f"manual/{at}": line
                      for at, (_, line) in enumerate(self.refused)})
        files["manual/named"] = "\n".join(line for *_, line in self.named)
        for name, lines in files.items():
            archive.add(f"{name}.cfg", stat.S_IFREG | 0o644,
                        xlcfg.text(lines).encode())
        image = BUILD / f"test/{type(self).__name__}.img"
        image.parent.mkdir(parents=True, exist_ok=True)
        data = first.read_bytes()
        # A second archive behind the first, as the kernel allows.
        image.write_bytes(data + b"\0" * (-len(data) % 4) + archive.encode())
        self.boot(modules=[(self.kernel, DOM0_OPTIONS), (image, "")],
                  smp=2)
        self.vm.dom0("/scripts/stock-setup")

    def drawn(self, words, bar, after):
        """Run vigil on the terminal: it draws that bar, and in its place is in
        the end what comes after."""
        log = self.vm.dir / "serial.log"
        start = log.stat().st_size
        self.vm.send(f"clear; vigil {words}; echo 'en''ded' $?")
        self.vm.expect("ended 0", 60, prompt=True)
        text = log.read_bytes()[start:].decode("latin-1")
        text = re.sub(r"\(XEN\) [^\n]*\n", "", text[text.index("\x1b["):])
        ends = [found.end() for found in re.finditer(r"MiB\x1b\[K", text)]
        seen = {line for end in ends
                for line in Terminal(24, 80).feed(text[:end]).lines()}
        check(bar in seen, f"vigil {words}: no '{bar}' among {seen}: {text!r}")
        lines = Terminal(24, 80).feed(text).lines()
        check(not any("MiB" in line for line in lines) and
              any(line.startswith(after) for line in lines), f"{lines}")

    def interrupted(self, words):
        """Have a script that vigil waits for take long, and type ^C.  Return:
        what it said."""
        rc, text = self.vm.dom0_cmd(
            f"touch /tmp/slow; vigil {words} & pid=$!; n=0; until pidof sleep "
            ">/dev/null || [ $n = 200 ]; do n=$((n+1)); usleep 100000; done; "
            "usleep 900000; rm /tmp/slow; kill -INT $pid; wait $pid")
        check(rc == 130, f"vigil {words}: {rc}: {text}")
        return text

    def nothing_half_made(self):
        """No guest, device, file, or program of a cancelled verb is left."""
        self.alone()
        text = self.vm.dom0(
            "losetup -a; ls /sys/class/net; ls -A /run/vigil/guests "
            "/var/lib/xen; xenstore-ls /libxl; xenstore-ls /local/domain/0/"
            "backend 2>/dev/null; pidof sleep; true")
        left = re.findall(r"^(?:/dev/loop\d.*a\.img|vif.*|userdata-d\.[1-9].*|"
                          r".*\.(?:json|cfg)| ?[1-9]\d* = .*|\d+)$", text, re.M)
        check(not left, f"{left}: {text}")

    def ready(self, number):
        """Let the stub be saved in its round of that number."""
        text = wait_console(self.vm, "suspend",
                            f"suspend: round={number} port=[0-9]+", 40)
        port = re.findall(r"port=(\d+)", text)[-1]
        self.vm.dom0("xenstore-write /local/domain/$(xl domid suspend)/device/"
                     f"suspend/event-channel {port}")
