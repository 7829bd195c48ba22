# SPDX-License-Identifier: MIT
"""Boot one machine and return what it measured.

With -icount shift=0 the TSC counts instructions, from power-on, and figures
repeat to the digit; load on this machine does not change them.
"""

import os
import pathlib
import re
import sys
import threading

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests/system"))

from vm import BUILD, FATAL, VM, VMError  # noqa: E402 (needs the path above)
from suite import DOM0_OPTIONS, XEN_OPTIONS  # noqa: E402

IMAGES = {"xen": BUILD / "cache/xen-4.17-debian",
          "vigil": BUILD / "xen-4.17-vigil-amd64",
          "release": BUILD / "release/xen-4.17-vigil-amd64"}
STUB = BUILD / "guest-stubs/bench"
KERNEL = BUILD / "dom0/vmlinuz"
INITRAMFS = BUILD / "dom0/initramfs.img"

# No SMAP and SMEP: QEMU 7.2's iretq.  No ERMS: TCG counts each iteration of a
# REP as one instruction, and the hypervisors would differ in the string width.
CPU = "max,-smap,-smep,-erms"
ICOUNT = ("-icount", "shift=0,sleep=off", "-seed", "1",
          "-rtc", "base=2024-01-01T00:00:00,clock=vm")
CONSOLE = "console=com1 com1=115200,8n1"
STUB_OPTIONS = f"{CONSOLE} dom0_mem=128M,max:128M"
# Native Linux gets as much memory as Dom0.
USER_OPTIONS = f"{CONSOLE} dom0_mem=640M,max:640M"
USER_KERNEL = "root=/dev/ram0 ro quiet rdinit=/usr/bin/bench-user"
WALL = 3600     # seconds: Debian's Xen pins large trees for minutes
SILENCE = 1200  # seconds: the longest operation, 1,000 times
LINE = re.compile(r"BENCH(?: \S+ \d+ \d+ \d+ \d+|-ABSENT \S+ -?\d+)$", re.M)
BAD_STUB = FATAL + r"|STUB bench: (?:ERROR|FAILURE|SKIP)|\[\d+\] .*crashed"

_live = set()
_lock = threading.Lock()
_stopping = threading.Event()


class Stopped(Exception):
    """The run was interrupted."""


class Broken(Exception):
    """A machine ended early; .found has what it measured until then."""

    def __init__(self, text, found):
        super().__init__(text)
        self.found = found


def stop_all():
    """End every machine, and start no other."""
    _stopping.set()
    with _lock:
        for vm in _live:
            vm.process.kill()


class Machine(VM):
    """A VM that stop_all() finds."""

    def __enter__(self):
        with _lock:
            _live.add(self)
        if _stopping.is_set():
            self.close()
            raise Stopped()
        return self

    def close(self):
        """Forget it, then end it."""
        with _lock:
            _live.discard(self)
        super().close()


def _stopped():
    """Are we stopping?  Ctrl-C reaches QEMU, too, and maybe before us."""
    return _stopping.wait(0.5)


def parse(text):
    """Return {operation: (min, median, max, iterations)}; absent ones None."""
    found = {}
    for line in re.findall(LINE, text):
        word, name, *numbers = line.split()
        found[name] = tuple(map(int, numbers)) if word == "BENCH" else None
    return found


def _measure(vm, pattern, bad):
    """Wait for the end of the measuring; return the figures."""
    try:
        vm.expect(pattern, WALL, bad)
    except VMError as error:
        if _stopped():
            raise Stopped() from None
        found = parse(vm.text)
        last = next(reversed(found), "its start")
        lines = [line for line in vm.tail(4).split("\n") if line.strip()]
        raise Broken(f"{error}, after {last}; the serial line ends with "
                     f"'{' / '.join(lines)}'; whole log: "
                     f"{vm.dir / 'serial.log'}", found) from None
    return parse(vm.text)


def stub(image, words="", options="", label="stub"):
    """Run guest-stubs/bench.  Raises Broken when it does not end well."""
    with Machine(f"bench-{label}", hypervisor=IMAGES.get(image, image),
                 modules=[(STUB, words)], options=f"{STUB_OPTIONS} {options}",
                 cpu=CPU, extra=ICOUNT, wall=WALL, silence=SILENCE) as vm:
        return _measure(vm, r"STUB bench: SUCCESS", BAD_STUB)


def user(image, words="", options="", label="user", smp=1):
    """Run bench-user as init of Dom0, or of native Linux (image None)."""
    # What stands behind "--" is init's.
    line = f"{USER_KERNEL} console={{}} -- {words}".strip()
    if image is None:
        machine = {"hypervisor": KERNEL, "modules": [(INITRAMFS, "")],
                   "options": f"mem=640M {line.format('ttyS0,115200')}"}
    else:
        machine = {"hypervisor": IMAGES.get(image, image),
                   "modules": [(KERNEL, line.format("hvc0")), (INITRAMFS, "")],
                   "options": f"{USER_OPTIONS} {options}"}
    with Machine(f"bench-{label}", cpu=CPU, extra=ICOUNT, wall=WALL, smp=smp,
                 silence=SILENCE, **machine) as vm:
        return _measure(vm, r"BENCH-USER done", FATAL + r"|BENCH-USER failed")


def _processor_ms(vm):
    """What QEMU has used of a processor, in milliseconds."""
    stat = pathlib.Path(f"/proc/{vm.process.pid}/stat").read_text()
    ticks = sum(int(word) for word in stat.rsplit(")", 1)[1].split()[11:13])
    return ticks * 1000 // os.sysconf("SC_CLK_TCK")


def guests(image, label, words="", counted=True):
    """Let xl make and end guests in Dom0; return the figures.

    counted: in instructions; else nanoseconds of the wall clock, and what QEMU
             used of a processor for all of it, in milliseconds
    """
    line = f"{DOM0_OPTIONS} quiet vigil.script=bench-guests {words}".strip()
    bad = FATAL + r"|DOM0-FAIL"
    with Machine(f"bench-{label}", hypervisor=IMAGES.get(image, image),
                 modules=[(KERNEL, line), (INITRAMFS, "")],
                 options=USER_OPTIONS, cpu=CPU, wall=WALL, silence=SILENCE,
                 extra=ICOUNT if counted else ()) as vm:
        if counted:
            return _measure(vm, r"BENCH-USER done", bad)
        _measure(vm, r"^DOM0-READY", bad)
        before = _processor_ms(vm)
        found = _measure(vm, r"BENCH-USER done", bad)
        used = _processor_ms(vm) - before
        found["processor_ms_of_all"] = (used, used, used, 1)
        return found


def boot(image, label, smp=1):
    """Boot Dom0, or native Linux (image None), by the wall clock.

    Return: (wall, processor) seconds of QEMU from power-on to init's first
    line.
    """
    if image is None:
        machine = {"hypervisor": KERNEL, "modules": [(INITRAMFS, "")],
                   "options": "mem=640M " + DOM0_OPTIONS.replace(
                       "console=hvc0 earlyprintk=xen", "console=ttyS0,115200")}
    else:
        machine = {"hypervisor": image, "options": XEN_OPTIONS,
                   "modules": [(KERNEL, DOM0_OPTIONS), (INITRAMFS, "")]}
    with Machine(f"bench-boot-{label}", smp=smp, **machine) as vm:
        try:
            vm.expect(r"^DOM0-INIT", 150)
        except VMError as error:
            if _stopped():
                raise Stopped() from None
            raise Broken(f"{error}; whole log: {vm.dir / 'serial.log'}",
                         {}) from None
        # The moment the line arrived, not when we looked.
        return vm.last_byte - vm.start, _processor_ms(vm) / 1000
