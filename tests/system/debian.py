# SPDX-License-Identifier: MIT
"""The Debian disk as a machine: how to start it, log in, ask how it is.

Used by the suite DebianDisk and by scripts/run-debian.
"""

import re
import subprocess
import threading
import time

from suite import BUILD, TOP, Failure, check
from vm import OVMF, VMError

DISK = BUILD / "dom0-disk.img"
LOGIN_SECONDS = 600     # power-on to the prompt, on a machine with other work
MAKING = threading.Lock()


def make(target):
    """Build a target of the Makefile; two suites may want the same."""
    with MAKING:
        done = subprocess.run(["make", "-s", target], cwd=TOP, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              check=False)
    if done.returncode:
        raise Failure(f"make {target} ended with {done.returncode}:\n"
                      f"{done.stdout[-2000:]}")


def machine(keep=False, pc2015=False):
    """Return QEMU's options for the disk, a network and what goes with them.

    keep:   the disk keeps what is written; otherwise it is forgotten with QEMU
    pc2015: UEFI, PCI Express, SATA and e1000 instead of BIOS, PCI and virtio
    """
    # QEMU reads a comma in a file's name when it is doubled.
    name = str(DISK).replace(",", ",,")
    bus, card = ("ide", "e1000") if pc2015 else ("virtio", "virtio-net-pci")
    options = ["-drive", f"file={name},format=raw,if={bus},"
               f"snapshot={'off' if keep else 'on'}",
               "-netdev", "user,id=net0", "-device", f"{card},netdev=net0",
               "-vga", "none", "-machine", "q35" if pc2015 else "pc"]
    if pc2015:
        flash = "if=pflash,format=raw"
        options += ["-drive", f"{flash},readonly=on,file={OVMF}/OVMF_CODE_4M.fd",
                    "-drive", f"{flash},snapshot=on,file={OVMF}/OVMF_VARS_4M.fd"]
    return options


def login(vm, fail=None):
    """Wait for the prompt on the serial line and log in as root.

    Return: seconds from power-on (or from the call) to the prompt
    """
    begin = time.monotonic()
    options = {"fail": fail} if fail else {}
    vm.expect(r"^dom0 login: ", LOGIN_SECONDS, prompt=True, **options)
    took = time.monotonic() - begin
    vm.send("root")
    # Bash's way to edit lines does not like to be typed at by a program.
    vm.expect(r"root@dom0:.*# ", 120, prompt=True)
    vm.send("exec sh")
    vm.dom0("dmesg -n 2; stty cols 1000; export TERM=dumb SYSTEMD_PAGER= "
            "SYSTEMD_COLORS=0")
    return took


def settled(vm, seconds=LOGIN_SECONDS):
    """Wait until systemd has started all it wants.  Return: its word."""
    deadline = vm.deadline(seconds)
    while True:
        _, state = vm.dom0_cmd("timeout 60 systemctl is-system-running --wait",
                               90)
        state = state.strip()
        if state not in ("starting", "initializing", "") or (
                time.monotonic() > deadline):
            return state


def healthy(vm):
    """Check that every service runs that should, and that none failed."""
    state = settled(vm)
    failed = vm.dom0("systemctl --failed --no-legend --plain").strip()
    check(not failed, f"failed units: {failed}")
    check(state == "running", f"systemd says the system is {state}")
    for unit in ("xen", "vigild"):
        _, text = vm.dom0_cmd(f"systemctl is-active {unit}")
        check(text.strip() == "active", f"{unit}.service is {text.strip()}")
    check("control_d" in vm.dom0("cat /proc/xen/capabilities"),
          "this is not Dom0")


def power_off(vm):
    """Shut the machine down the ordinary way."""
    vm.send("systemctl poweroff")
    vm.wait_exit(LOGIN_SECONDS)


def menu(text):
    """Return GRUB's menu without what only tells where the disk may be."""
    return "\n".join(line for line in text.split("\n")
                     if not re.search(r"--hint|feature_platform_search_hint"
                                      r"|set root='|^\s*(?:else|fi)$", line))


def default_loads(text):
    """Return what the default entry of a grub.cfg loads: its lines, in order.

    Found as GRUB finds it: the words between the `>` of `default` are numbers,
    titles or ids of entries.  Nothing like that there means the first entry.
    """
    top = []
    open_entries = [("", "", top, [])]
    for line in map(str.strip, text.split("\n")):
        found = re.match(r"(?:menuentry|submenu) '([^']*)'(?:.*menuentry_id_option"
                         r" '([^']*)')?.*\{$", line)
        if found:
            entry = (found.group(1), found.group(2), [], [])
            open_entries[-1][2].append(entry)
            open_entries.append(entry)
        elif line == "}" and len(open_entries) > 1:
            open_entries.pop()
        elif re.match(r"(?:multiboot2?|module2?|linux|initrd)\s", line):
            open_entries[-1][3].append(line)
    default = re.findall(r'^ *set default="([^$"]*)"', text, re.M)[-1]
    entries, lines = top, []
    for word in default.split(">"):
        named = [e for e in entries if word in e[:2]]
        number = int(word) if word.isdecimal() else 0
        _, _, entries, lines = named[0] if named else entries[number]
    return lines


def hypervisors(text):
    """Return the hypervisors that the entries of a grub.cfg load."""
    return set(re.findall(r"^\s*multiboot2?\s+/boot/(xen-\S+)", text, re.M))


__all__ = ["DISK", "LOGIN_SECONDS", "VMError", "default_loads", "healthy",
           "hypervisors", "login", "machine", "make", "menu", "power_off",
           "settled"]
