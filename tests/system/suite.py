# SPDX-License-Identifier: MIT
"""What a test file uses: Suite, skip(), check(), and ways to boot.

A suite is one machine (or a few short ones) that serves several cases: setup()
boots it, each test_* method is a case, in the order written.  A case fails by
raising; check() raises with a sentence.  When setup() fails, or the machine
dies, the cases that needed it fail and say so.
"""

import json
import os
import pathlib
import re
import subprocess
import threading
import time

from vm import BUILD, TOP, VM, VMError

ISO_LOCK = threading.Lock()
# QEMU puts the file's name before each line, as GRUB's `placeholder` is.
XEN_OPTIONS = ("console=com1 com1=115200,8n1 loglvl=all "
               "guest_loglvl=all dom0_mem=640M,max:640M")
DOM0_OPTIONS = "root=/dev/ram0 ro console=hvc0 earlyprintk=xen"

# Dom0's kernel as Debian ships it, which Vigil unpacks for as long as it then
# takes to boot; and unpacked by mk-initramfs.  The same bytes run.
PACKED = BUILD / "dom0/vmlinuz"
KERNEL = BUILD / "dom0/vmlinux"

# STUB <name>: <VERDICT> <text>, with the prefixes of a guest's console.
VERDICT = r"^(?:\(XEN\) )?(?:\(d\d+\) )?STUB ([\w-]+): (SUCCESS|SKIP|ERROR|FAILURE)(.*)$"

# In the log: what Dom0's kernel or tools have asked for in vain.
REFUSAL = r"d0v\d+ ((?:domctl|sysctl|memory_op) \d+)(?: of d\d+)? is not offered"


# What figure() has noted, of all suites.
FIGURES = []


class Skip(Exception):
    """This case cannot be run here; counted against skips.allow."""


class Failure(Exception):
    """A claim about Vigil does not hold."""


def skip(reason):
    """Leave this case with a reason."""
    raise Skip(reason)


def check(condition, sentence):
    """Raise Failure with the sentence unless the condition holds."""
    if not condition:
        raise Failure(sentence)


def figure(what, value, *, most=None, least=None):
    """Note a figure for the table at the end; check its limit."""
    limit = most if least is None else least
    FIGURES.append((what, value, "at most" if least is None else "at least", limit))
    check(value <= limit if least is None else value >= limit,
          f"{what}: {value}, the limit is {limit}")


def hypervisor():
    """Return the image under test."""
    return pathlib.Path(os.environ.get("VIGIL_TEST_HYPERVISOR",
                                       BUILD / "xen-4.17-vigil-amd64"))


def is_vigil():
    """Is Vigil under test, or Debian's Xen (to develop the tests with)?"""
    return "vigil" in hypervisor().name


def require(*paths):
    """Fail with a plain sentence when something has not been built."""
    for path in paths:
        if not pathlib.Path(path).exists():
            raise Failure(f"{path} is not built")


class Suite:
    """One group of cases; see the head of this file."""

    weight = 1      # rough seconds, so that the long ones start first
    long = False    # True: minutes; `make test-long` runs it, `make test` not
    kernel = KERNEL  # of boot(); images of GRUB have the packed one
    refused = ()    # what a case asks for in vain, as in REFUSAL: "domctl 10"
    vm = None

    def __init__(self):
        self.vms = []

    def setup(self):
        """Boot what the cases need."""

    def teardown(self):
        """End every machine that boot() made."""
        for vm in self.vms:
            vm.close()

    def refusals(self):
        """Return what a Debian as Dom0 has asked for and is not offered, but
        for what a case meant to ask.  Stubs ask for everything."""
        found = set()
        for vm in self.vms:
            if is_vigil() and "Linux version" in vm.text:
                found |= set(re.findall(REFUSAL, vm.text))
        return sorted(found - set(self.refused))

    def start(self, label, **options):
        """Start a machine; its logs go to build/test/<Suite>-<label>."""
        name = type(self).__name__ + (f"-{label}" if label else "")
        vm = VM(name, **options)
        self.vms.append(vm)
        self.vm = vm
        return vm

    def boot(self, label="", *, options="", dom0="", wait=True, modules=None,
             **more):
        """Start the hypervisor with Dom0 through QEMU's -kernel."""
        if modules is None:
            modules = [(self.kernel, f"{DOM0_OPTIONS} {dom0}".strip()),
                       (BUILD / "dom0/initramfs.img", "")]
        require(hypervisor(), *(path for path, _ in modules))
        vm = self.start(label, hypervisor=hypervisor(), modules=modules,
                        options=f"{XEN_OPTIONS} {options}".strip(), **more)
        if wait:
            vm.wait_dom0()
        return vm

    def boot_iso(self, label="", *, options="", dom0="", wait=True, stub=None,
                 stub_line="", **more):
        """Start a machine from a GRUB image made for it.

        stub: a stub guest in the place of Dom0, with a command line
        """
        iso = BUILD / "test" / f"{type(self).__name__}{label}.iso"
        iso.parent.mkdir(parents=True, exist_ok=True)
        gz = hypervisor().with_name(hypervisor().name + ".gz")
        require(gz if is_vigil() else hypervisor(), PACKED,
                BUILD / "dom0/initramfs.img")
        with ISO_LOCK:
            command = [TOP / "scripts/mk-iso", "-o", iso, "-X", options,
                       "-D", dom0, "-H", gz if is_vigil() else hypervisor()]
            if stub:
                command += ["-k", BUILD / "guest-stubs" / stub, "-i", "",
                            "-d", stub_line]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        vm = self.start(label, cdrom=iso, **more)
        if wait:
            vm.wait_dom0()
        return vm

    def boot_stub(self, name, line="", *, options="", label=None, **more):
        """Start a stub guest in the place of Dom0; label: its log's name."""
        stub = BUILD / "guest-stubs" / name
        require(stub)
        return self.boot(label or name, modules=[(stub, line)], options=options,
                         wait=False, **more)

    def stub_verdict(self, vm, name, timeout=60, fail=None):
        """Wait for a stub's verdict.  Silence raises: it is an error."""
        pattern = VERDICT if fail is None else VERDICT + "|" + fail
        found = vm.expect(pattern, timeout, fail=r"Panic on CPU \d",
                          what=f"the verdict of stub {name}")
        check(found.group(1) == name, f"'{found.group(0)}' is not of {name}")
        if found.group(2) == "SKIP":
            skip(f"{name}:{found.group(3)}")
        check(found.group(2) == "SUCCESS", found.group(0))
        return found.group(3).strip()


def tool():
    """Return the guest tool to try: ours, or xl on Debian's Xen."""
    return "vigil" if is_vigil() else "xl"


def need_vigil():
    """Leave a case that only Vigil can pass."""
    if not is_vigil():
        skip("this is Debian's Xen, not Vigil")


def create(vm, name, extra=None):
    """Create a stub guest; extra replaces its command line."""
    more = f" 'extra=\"{extra}\"'" if extra is not None else ""
    return vm.dom0(f"rm -f /var/log/xen/console/guest-{name}.log; "
                   f"{tool()} create /etc/xen/{name}.cfg{more}", 60)


def destroy(vm, name):
    """End a guest if it is still there, and forget its console."""
    vm.dom0_cmd(f"{tool()} destroy {name} 2>/dev/null; "
                f"rm -f /var/log/xen/console/guest-{name}.log")


def stub_done(vm, name, seconds=40):
    """Wait for a guest stub's verdict on its console and check it."""
    text = wait_console(vm, name, "STUB ", seconds)
    found = re.search(r"STUB ([\w-]+): (\w+)(.*)", text)
    check(found and found.group(2) == "SUCCESS",
          f"guest {name}: {found.group(0) if found else text[-300:]}")
    return text


# A line of debug key q: done, interrupts, waits of more than a second.
SHOOTDOWNS = (r"TLB: (\d+) shootdowns, (\d+) interrupts, "
              r"\d+ CPUs spared, (\d+) slow")


def shootdowns(vm):
    """Return the numbers of SHOOTDOWNS since the start, asked for by Dom0."""
    text = vm.dom0("xl debug-keys q; xl dmesg | tail -n 3")
    found = re.search(SHOOTDOWNS, text)
    check(found, text)
    return tuple(int(n) for n in found.groups())


def records(answer):
    """Find the list of records in a --json answer, whatever its wrapping."""
    if isinstance(answer, list):
        return answer
    for value in answer.values():
        if isinstance(value, list):
            return value
    return []


def log_records(vm, words=""):
    """Return the records of the hypervisor's log, one dict each.

    Not the lines of Dom0's console, of which this is one.
    words: more for the command line of `vigil dmesg`
    """
    lines = vm.dom0_bytes(f"vigil dmesg -r --json {words} | "
                          "grep -v '\"guest\": true, \"on_console\": false'")
    return [json.loads(line) for line in lines.decode().splitlines()]


def no_errors(vm):
    """No guest makes the hypervisor speak of an error: that is for its own.

    What the guests did is there, so the log goes back as far as it must.
    """
    found = log_records(vm, "-l warning")
    check([r for r in found if " died: " in r["text"]],
          f"no death in the log: {found[-5:]}")
    bad = [r["text"] for r in found if r["level"] in ("error", "panic")]
    check(not bad, f"at level error because of a guest: {bad}")


def crash_records(vm, kind=None, wait=False):
    """Return the crash records of this boot's store, one dict each.

    wait: first wait for one of that kind; vigild fetches what the boot before
          left while the shell is up already
    """
    if wait:
        wait_until(vm, f"vigil crash list | grep -qw {kind}", 40)
    found = records(vm.dom0_json("vigil crash list --json"))
    return [r for r in found if kind is None or r.get("kind") == kind]


def guest_console(vm, name):
    """Return what a guest has printed, from xenconsoled's log."""
    return vm.dom0(f"cat /var/log/xen/console/guest-{name}.log", 30)


def wait_console(vm, name, pattern, seconds=30):
    """Wait until a guest has printed something.  Return: its whole text.

    Only whole lines are looked at, as by VM.expect().
    """
    log = f"/var/log/xen/console/guest-{name}.log"
    deadline = vm.deadline(seconds)
    while True:
        # A line that has not ended yet swallows the word behind it.
        _, text = vm.dom0_cmd(
            f"n=20; until grep -qsE '{pattern}' {log}; do n=$((n-1)); "
            f"[ $n -gt 0 ] || break; usleep 500000; done; cat {log}; "
            "echo; echo end")
        text = "\n".join(text.split("\n")[:-2])
        if re.search(pattern, text):
            return text
        check(time.monotonic() < deadline,
              f"guest {name} did not print /{pattern}/: '{text[-300:]}'")


def wait_until(vm, command, seconds=20):
    """Wait until a shell command succeeds in Dom0."""
    deadline = vm.deadline(seconds)
    while True:
        rc, text = vm.dom0_cmd(
            f"n=20; until {command}; do n=$((n-1)); "
            "[ $n -gt 0 ] || exit 1; usleep 500000; done")
        if rc == 0:
            return
        check(time.monotonic() < deadline,
              f"'{command}' did not come true: {text[-300:]}")


__all__ = ["BUILD", "DOM0_OPTIONS", "Failure", "PACKED", "Skip", "Suite", "TOP",
           "VERDICT", "VM", "VMError", "XEN_OPTIONS", "check", "crash_records",
           "create", "destroy", "guest_console", "hypervisor", "is_vigil",
           "log_records", "need_vigil", "no_errors", "records", "require", "skip", "stub_done", "tool",
           "wait_console", "wait_until"]
