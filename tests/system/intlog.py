# SPDX-License-Identifier: MIT
"""QEMU's own account of the NMIs, #MCs and #DBs a machine took: `-d int`, as it comes.

    log = IntLog(BUILD / "test/Name.int")
    vm = ...boot(extra=[*log.options, ...])
    ...                                 # until QEMU has ended
    log.nmis()                          # [(cpl, rip), ...] in their order
    log.taken()                         # [(vector, cpl, rip), ...] NMIs and #MCs
    log.debugs()                        # [(cpl, rip), ...] of #DBs
    log.merges()                        # of NMIs by message, with `sent`

The log is a megabyte for each thousand, so it goes through a pipe and nothing
but the place of each is kept; with another pattern, what that one finds.

With `sent` QEMU says as well when a message comes in that is to be an NMI, between
what the processor took before and what it takes next.
"""

import os
import re
import threading

# One line for each exception and interrupt; 20 of registers follow.
TAKEN = re.compile(rb"v=(01|02|12) e=\w+ i=\d cpl=(\d) IP=\w+:([0-9a-f]+) ")

# The same with rsp; and with the page tables, which come 16 lines later.
WITH_RSP = re.compile(TAKEN.pattern + rb"pc=\w+ SP=\w+:([0-9a-f]+) ")
WITH_CR3 = re.compile(TAKEN.pattern + rb"(?s:.{1,3000}?)CR3=([0-9a-f]+) ")
# A line for each message; group 0 of the pattern's other half.
SENT = rb"^apic_deliver_irq dest \d+ dest_mode \d delivery_mode 4 "
ENTRY_MOST = 8192           # bytes of one, with its registers

DB = 1
NMI = 2
MC = 18
SENT_NMI = -1               # in the place of a vector


class IntLog:
    """The pipe and the thread that reads it."""

    def __init__(self, path, pattern=TAKEN, sent=False):
        """
        path:    of the pipe; it must not be in use
        pattern: finds vector and cpl, and then numbers in hexadecimal
        sent:    for merges()
        """
        self._path = path
        self._pattern = pattern
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        os.mkfifo(path)
        self.options = ["-d", "int", "-D", str(path)]
        if sent:
            self._pattern = re.compile(pattern.pattern + b"|" + SENT, re.M)
            self.options[1] += ",trace:apic_deliver_irq"
        self._taken = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        rest = b""
        with open(self._path, "rb", buffering=0) as pipe:
            while data := pipe.read(1 << 20):
                data = rest + data
                end = 0
                for found in self._pattern.finditer(data):
                    end = found.end()
                    if found[1] is None:
                        self._taken.append((SENT_NMI,))
                        continue
                    self._taken.append((int(found[1], 16), int(found[2]),
                                        *(int(n, 16) for n in found.groups()[2:])))
                # One may have come in part.
                rest = data[max(end, len(data) - ENTRY_MOST):]

    def nmis(self, seconds=60):
        """Wait until QEMU has ended.  Return: (cpl, rip) of each NMI."""
        return [(cpl, rip) for vector, cpl, rip in self.taken(seconds)
                if vector == NMI]

    def debugs(self, seconds=60):
        """Wait until QEMU has ended.  Return: (cpl, rip) behind each #DB."""
        return [(cpl, rip) for _, cpl, rip in self.taken(seconds, (DB,))]

    def merges(self, seconds=60):
        """Wait until QEMU has ended.  With one processor, and no NMI but by message.

        Return: of each that came in while another one waited, and so became one with
        that, how many the processor had taken before; in their order
        """
        found, count, waits = [], 0, False
        for vector, *_ in self.taken(seconds, (NMI, SENT_NMI)):
            if vector == NMI:
                count += 1
            elif waits:
                found.append(count)
            waits = vector == SENT_NMI
        return found

    def taken(self, seconds=60, vectors=(NMI, MC)):
        """Wait until QEMU has ended.  Return: (vector, cpl, rip, ...) of each."""
        self._thread.join(seconds)
        # replay.sh writes to a file of this name.
        self._path.unlink(missing_ok=True)
        return [event for event in self._taken if event[0] in vectors]
