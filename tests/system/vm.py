# SPDX-License-Identifier: MIT
"""One QEMU machine with its serial line and its QMP monitor.

    with VM("name", hypervisor=..., modules=[(kernel, cmdline), (initrd, "")],
            options="console=com1 com1=115200,8n1") as vm:
        vm.expect("DOM0-READY")
        rc, text = vm.dom0_cmd("xl list")
        vm.hmp("nmi")

Every wait is bounded twice: by its own time limit, and by the progress limit,
the longest silence of the serial line that is believed.  A machine that trips
either has its registers dumped through QMP before it is killed.

A limit says when to stop hoping, not how long something takes: a machine that
shares its processor with others may stand for seconds anywhere, and a wait that
succeeds costs nothing.  So no limit is below LEAST, but for a machine that has
been given up.
"""

import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import socket
import subprocess
import tempfile
import threading
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", TOP / "build"))

OVMF = pathlib.Path("/usr/share/OVMF")     # Debian's package ovmf

# A slow machine multiplies every limit.
SCALE = float(os.environ.get("VIGIL_TEST_SCALE", "1"))

LEAST = 120         # seconds that anything may take on a busy machine
FILED_S = 0.02      # between two looks at a file
GIVEN_UP = 10       # seconds once a machine has let a limit go by

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\x00")
HALF_ESCAPE = re.compile(r"\x1b(\[[0-9;?]*)?$")
# Whole lines that others print into the middle of a command's output.
NOISE = re.compile(r"(?<!\|)(?:\((?:XEN|d\d+)\) |\[ *\d+\.\d{6}\] )[^\n]*\n")
# What ends every hope, unless a test waits for just that; but not in the output
# of a command, whose lines begin with a bar.
FATAL = (r"^(?!\|).*(?:Panic on CPU \d|Kernel panic - not syncing|"
         r"Vigil cannot start Dom0|Double fault)")


class VMError(Exception):
    """A machine did not do what was expected of it."""


class VM:
    """A running QEMU; see the head of this file."""

    def __init__(self, name, *, hypervisor=None, modules=(), options="",
                 cdrom=None, cpu="qemu64", memory="1G", smp=1, resets=False,
                 wall=1800, silence=LEAST, extra=(), qemu=None, machine="pc",
                 uefi=False, serial=True, filed=False):
        """
        name:       directory under build/test that gets the logs
        hypervisor: image for -kernel; None boots cdrom
        modules:    (path, command line) of each multiboot module
        options:    the hypervisor's command line
        resets:     a reset restarts the machine; otherwise it ends QEMU
        wall:       seconds the machine may live
        silence:    seconds without a byte on the serial line that are believed
        machine:    pc or q35
        serial:     False: the machine has no serial port; see screen.py
        filed:      the serial line goes to a file, so that the machine never waits
                    for who reads it: waiting for seconds, the hypervisor takes it
                    for broken, and lets the rest of a line go
        uefi:       OVMF is the firmware, with variables of its own
        """
        self.name = name
        self.dir = BUILD / "test" / name
        self.dir.mkdir(parents=True, exist_ok=True)
        self.wall = time.monotonic() + wall * SCALE
        self.silence = silence * SCALE
        self.given_up = False
        self.text = ""
        self.mark = 0
        self.events = []
        self._half = ""
        self._serial = 0
        self._ended = False
        self._changed = threading.Condition()
        self.last_byte = time.monotonic()
        self._sockets = tempfile.TemporaryDirectory(prefix="vigil-")
        self.argv = self._command(hypervisor, modules, options, cdrom, cpu,
                                  memory, smp, resets, extra, qemu)
        if not serial:
            self.argv[self.argv.index("chardev:serial0")] = "none"
        if "-accel" not in extra:
            # QEMU 7.2 itself crashes now and then when a PCI device's memory
            # moves while other threads of it run processors.
            self.argv += ["-accel", "tcg,thread=single"]
        self.argv += ["-machine", machine] + (self._firmware() if uefi else [])
        self._write_replay()
        self.log = open(self.dir / "serial.log", "wb")
        self._filed = open(self.dir / "serial.log", "rb") if filed else None
        self.process = subprocess.Popen(
            self.argv, stdin=subprocess.PIPE,
            stdout=self.log if filed else subprocess.PIPE,
            stderr=open(self.dir / "qemu.err", "wb"), cwd=TOP)
        self.start = time.monotonic()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._qmp = None
        self._qmp_buffer = b""
        self._qmp_count = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _command(self, hypervisor, modules, options, cdrom, cpu, memory, smp,
                 resets, extra, qemu):
        argv = [qemu or os.environ.get("QEMU", "qemu-system-x86_64"),
                "-cpu", cpu, "-m", memory,
                "-smp", str(smp), "-display", "none", "-nic", "none",
                "-chardev", "stdio,id=serial0,signal=off",
                "-serial", "chardev:serial0",
                "-qmp", f"unix:{self._sockets.name}/qmp,server=on,wait=off"]
        if not resets:
            argv.append("-no-reboot")
        if hypervisor:
            argv += ["-kernel", str(hypervisor), "-append", options]
            words = [f"{path} {line}".strip().replace(",", ",,")
                     for path, line in modules]
            if words:
                argv += ["-initrd", ",".join(words)]
        if cdrom:
            argv += ["-cdrom", str(cdrom)]
        return argv + list(extra)

    def _firmware(self):
        """Return the options for OVMF; each machine starts with fresh variables."""
        flash = "if=pflash,format=raw"
        store = self.dir / "efi-vars.fd"
        shutil.copyfile(OVMF / "OVMF_VARS_4M.fd", store)
        return ["-drive", f"{flash},readonly=on,file={OVMF}/OVMF_CODE_4M.fd",
                "-drive", f"{flash},file={store}"]

    def _write_replay(self):
        """Leave a script that runs this machine by hand."""
        argv = list(self.argv)
        cut = argv.index("-chardev")
        argv[cut:cut + 6] = ["-serial", "mon:stdio"]
        path = self.dir / "replay.sh"
        path.write_text("#!/bin/sh\ncd " + shlex.quote(str(TOP)) + " && exec "
                        + shlex.join(argv) + "\n")
        path.chmod(0o755)

    def _next(self):
        """Wait for bytes of the serial line.  Return: them; none at its end."""
        if not self._filed:
            data = os.read(self.process.stdout.fileno(), 65536)
            self.log.write(data)
            self.log.flush()
            return data
        while True:
            ended = not self.running    # asked before the last bytes are read
            data = self._filed.read(65536)
            if data or ended:
                return data
            time.sleep(FILED_S)

    def _read(self):
        """Thread: move the serial line's bytes into self.text."""
        while True:
            data = self._next()
            with self._changed:
                if data:
                    text = self._half + data.decode("utf-8", "replace")
                    half = HALF_ESCAPE.search(text)
                    self._half = half.group(0) if half else ""
                    if half:
                        text = text[:half.start()]
                    self.text += ESCAPES.sub("", text)
                    self.last_byte = time.monotonic()
                else:
                    self._ended = True
                self._changed.notify_all()
            if not data:
                return

    def deadline(self, seconds):
        """When to stop waiting for what normally takes less than seconds."""
        if self.given_up:
            seconds = GIVEN_UP
        else:
            seconds = max(seconds, LEAST)
        return time.monotonic() + seconds * SCALE

    # --- the serial line ---------------------------------------------------

    def expect(self, pattern, timeout=60, fail=FATAL, what=None, prompt=False):
        """Wait for a regular expression after the last match.

        Only whole lines are looked at: half of one may match, too, and then
        the match lacks what is still on its way.

        fail:   pattern that means it will not come any more; None for nothing
        prompt: the pattern stands on a line that does not end
        Return: the match.  Raises VMError when it does not come.
        """
        wanted = re.compile(pattern, re.M)
        bad = re.compile(fail, re.M) if fail else None

        def find(text):
            if not prompt and not self._ended:
                text = text[:text.rfind("\n") + 1]
            return wanted.search(text)

        return self._wait(find, bad, timeout, what or f"/{pattern}/")

    def _wait(self, find, bad, timeout, what, patient=False):
        # patient: the serial line may be silent as long as it likes
        begin = time.monotonic()
        deadline = self.deadline(timeout)
        trouble = None
        with self._changed:
            while True:
                text = self.text[self.mark:]
                found = find(text)
                wrong = bad.search(text) if bad else None
                # Both may arrive in one read: the earlier one counts.
                if found and not (wrong and wrong.start() < found.start()):
                    self.mark += found.end()
                    return found
                if wrong:
                    # Let the rest of the message arrive for the report.
                    self._changed.wait(1)
                    trouble = f"saw '{wrong.group(0)}'"
                    break
                if self._ended:
                    trouble = "the machine ended"
                    break
                now = time.monotonic()
                if now >= deadline:
                    trouble = f"not within {now - begin:.0f} s"
                    break
                if now >= self.wall:
                    trouble = "the machine's wall limit is over"
                    break
                if not patient and now - self.last_byte >= self.silence:
                    trouble = f"no serial byte for {self.silence:g} s"
                    break
                self._changed.wait(min(1.0, deadline - now))
        if not self._ended:
            self._dump_registers()
        self.given_up = not trouble.startswith("saw ")
        raise VMError(f"waiting for {what}: {trouble}")

    def forget(self):
        """What the serial line has said so far is in its log, and not kept."""
        with self._changed:
            self.text = ""
            self.mark = 0

    def wait_count(self, words, count, timeout=60):
        """Wait until the serial line has said some words that many times.

        All it ever said counts; what expect() looks at stays the same.
        """
        deadline = self.deadline(timeout)
        with self._changed:
            while (found := self.text.count(words)) < count:
                if self._ended or time.monotonic() >= deadline:
                    raise VMError(f"'{words}' came {found} times, not {count}")
                self._changed.wait(1.0)

    def send(self, line, end="\n"):
        """Type a line, slowly: the receiver has a small buffer."""
        data = (line + end).encode()
        try:
            for at in range(0, len(data), 16):
                self.process.stdin.write(data[at:at + 16])
                self.process.stdin.flush()
                time.sleep(0.008)
        except OSError as error:
            raise VMError(f"cannot type '{line}': {error}") from None

    def dom0_cmd(self, command, timeout=60, fail=FATAL):
        """Run a shell command in Dom0.  Return: (exit status, its output).

        Lines of the hypervisor and of Dom0's kernel that fall between are
        taken out, also from the middle of a line.
        """
        self._serial += 1
        begin, end = f"|@B{self._serial}@", rf"\|@E{self._serial} (\d+)@"
        # Quoted so that the shell's echo of this line is not what we look for.
        # The bar tells the command's own lines from noise that looks alike.
        line = (f"{{ echo '@''B{self._serial}@'; ( {command} ) 2>&1; r=$?; "
                f"echo; echo '@''E{self._serial}' $r@; }} | sed 's/^/|/'")
        if len(line) > 1000:
            raise ValueError(f"longer than the shell's input line: {command}")
        self.send(line)
        bad = re.compile(fail, re.M) if fail else None
        done = {}

        def find(text):
            # Look without the noise, but consume up to the raw position.
            clean = NOISE.sub("", text)
            start = clean.find(begin)
            if start < 0:
                return None
            found = re.search(end, clean)
            if not found:
                return None
            done["rc"] = int(found.group(1))
            body = clean[start + len(begin):found.start()]
            done["text"] = re.sub(r"^\|", "", body, flags=re.M).strip("\n")
            return re.compile(r"\Z").search(text)

        self._wait(find, bad, timeout, f"Dom0 to run '{command}'", True)
        return done["rc"], done["text"]

    def dom0(self, command, timeout=60):
        """Run a command that must succeed.  Return: its output."""
        rc, text = self.dom0_cmd(command, timeout)
        if rc != 0:
            raise VMError(f"'{command}' ended with {rc}: {text[-600:]}")
        return text

    def dom0_bytes(self, command, timeout=60):
        """Run a command that must succeed.  Return: its output as bytes.

        It travels as hex with its checksum; what came garbled is asked for
        again, without running the command again.
        """
        self.dom0(f"{command} >/run/bytes", timeout)
        for _ in range(4):
            text = self.dom0("hexdump -v -e '32/1 \"%02x\" \"\\n\"' /run/bytes;"
                             " echo; md5sum </run/bytes", timeout)
            lines = text.split("\n")
            try:
                data = bytes.fromhex("".join(
                    line for line in lines[:-1]
                    if re.fullmatch(r"(?:[0-9a-f]{2} *)+", line)))
            except ValueError:
                continue
            if lines[-1].startswith(hashlib.md5(data).hexdigest()):
                return data
        raise VMError(f"'{command}': its output came garbled four times: "
                      f"{text[:300]}")

    def dom0_json(self, command, timeout=60):
        """Run a command that must succeed and parse the JSON it prints."""
        data = self.dom0_bytes(command, timeout)
        try:
            return json.loads(data.decode())
        except ValueError as error:
            raise VMError(f"'{command}' does not print JSON: {error}: "
                          f"{data[:200]}") from None

    def wait_dom0(self, timeout=150, fail=FATAL):
        """Wait for Dom0's shell.  Return: seconds from power-on to its init.

        fail: None after a provoked crash, whose words may still be to come
        """
        self.expect(r"^DOM0-INIT", timeout, fail)
        took = time.monotonic() - self.start
        self.expect(r"^DOM0-READY", timeout)
        self.expect(r"dom0# ", 30, prompt=True)
        # Kernel chatter stays in dmesg; only emergencies reach the console.
        self.dom0("dmesg -n 2")
        return took

    def tail(self, lines=60):
        """Return the last lines of the serial line."""
        with self._changed:
            return "\n".join(self.text.rstrip("\n").split("\n")[-lines:])

    # --- the monitor -------------------------------------------------------

    def _qmp_read(self, deadline):
        while b"\n" not in self._qmp_buffer:
            self._qmp.settimeout(max(0.01, deadline - time.monotonic()))
            data = self._qmp.recv(65536)
            if not data:
                raise VMError("QEMU closed its monitor")
            self._qmp_buffer += data
        line, self._qmp_buffer = self._qmp_buffer.split(b"\n", 1)
        return json.loads(line)

    def _qmp_open(self):
        if self._qmp:
            return
        deadline = self.deadline(10)
        sock = socket.socket(socket.AF_UNIX)
        while True:
            try:
                sock.connect(f"{self._sockets.name}/qmp")
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise VMError("QEMU offers no monitor") from None
                time.sleep(0.05)
        self._qmp = sock
        self._qmp_read(deadline)
        self.qmp("qmp_capabilities")

    def qmp(self, command, **arguments):
        """Run a QMP command.  Return: what it returns."""
        self._qmp_open()
        self._qmp_count += 1
        request = {"execute": command, "id": self._qmp_count}
        if arguments:
            request["arguments"] = arguments
        try:
            self._qmp.sendall(json.dumps(request).encode() + b"\n")
            deadline = self.deadline(20)
            while True:
                answer = self._qmp_read(deadline)
                if "event" in answer:
                    self.events.append(answer["event"])
                elif answer.get("id") != self._qmp_count:
                    continue  # to one whose time was up
                elif "error" in answer:
                    raise VMError(f"{command}: {answer['error']['desc']}")
                else:
                    return answer.get("return")
        except OSError as error:
            raise VMError(f"{command}: {error}") from None

    def hmp(self, line):
        """Run a line of the human monitor.  Return: its text."""
        return self.qmp("human-monitor-command", **{"command-line": line})

    def run_until(self, pattern, flags=0):
        """It stands: let it go on to where its registers match."""
        deadline = self.deadline(60)
        while not re.search(pattern, self.hmp("info registers"), flags):
            if time.monotonic() >= deadline:
                raise VMError(f"never /{pattern}/")
            self.qmp("cont")
            time.sleep(0.02)
            self.qmp("stop")

    def inject_nmi(self):
        """Raise one NMI, as a button on the machine would."""
        self.qmp("inject-nmi")

    def inject_mce(self, status, addr=0, misc=0, bank=9, mcg=0, cpu=0,
                   broadcast=False):
        """Raise a machine check on one CPU through QEMU's `mce`."""
        flag = "-b " if broadcast else ""
        return self.hmp(f"mce {flag}{cpu} {bank} {status:#x} {mcg:#x} "
                        f"{addr:#x} {misc:#x}")

    def wait_event(self, name, timeout=60):
        """Wait for a QMP event such as RESET or SHUTDOWN."""
        self._qmp_open()
        deadline = self.deadline(timeout)
        while name not in self.events:
            try:
                answer = self._qmp_read(deadline)
            except (OSError, VMError):
                raise VMError(f"no event {name} came") from None
            if "event" in answer:
                self.events.append(answer["event"])
        self.events.remove(name)

    def wait_exit(self, timeout=60):
        """Wait until QEMU ends by itself.  Return: its exit status."""
        try:
            code = self.process.wait(self.deadline(timeout) -
                                     time.monotonic())
        except subprocess.TimeoutExpired:
            self._dump_registers()
            raise VMError("QEMU does not end") from None
        self._reader.join(5)
        return code

    def expect_end(self, pattern, timeout=30):
        """Wait until QEMU ends or says that the machine stands still."""
        words = re.compile(pattern, re.I)
        try:
            self._wait(words.search, None, timeout, f"the end, or /{pattern}/")
        except VMError:
            if not self._ended:
                raise

    @property
    def sockets_dir(self):
        """Where this machine's sockets may be made: a short path."""
        return self._sockets.name

    @property
    def running(self):
        """Is QEMU alive?"""
        return self.process.poll() is None

    def _dump_registers(self):
        """Keep the processor's state for whoever reads the failure."""
        try:
            text = self.hmp("info registers")
            (self.dir / "registers.txt").write_text(text.replace("\r", ""))
        except (VMError, OSError):
            pass

    def close(self):
        """Kill QEMU if it still runs and release everything."""
        if self.running:
            self.process.kill()
        self.process.wait()
        self._reader.join(5)
        if self._qmp:
            self._qmp.close()
        try:
            self.process.stdin.close()
        except OSError:
            pass    # what was typed last did not reach it
        (self._filed or self.process.stdout).close()
        self.log.close()
        self._sockets.cleanup()

    def report(self, lines=60):
        """Return what a person needs to see after a failure."""
        parts = [f"--- last {lines} serial lines of {self.name} ---",
                 self.tail(lines), "--- end ---"]
        errors = (self.dir / "qemu.err").read_text(errors="replace").strip()
        if errors:
            parts.append(f"qemu: {errors[-400:]}")
        registers = self.dir / "registers.txt"
        if registers.exists():
            found = re.search(r"RIP=\S+.*", registers.read_text())
            parts.append(f"registers: {registers} "
                         f"({found.group(0).strip() if found else ''})")
        parts.append(f"machine by hand: {self.dir / 'replay.sh'}")
        return "\n".join(parts)
