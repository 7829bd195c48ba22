# SPDX-License-Identifier: MIT
"""QEMU's own account of the NMIs a machine took: `-d int`, read as it comes.

    log = IntLog(BUILD / "test/Name.int")
    vm = ...boot(extra=[*log.options, ...])
    ...                                 # until QEMU has ended
    log.nmis()                          # [(cpl, rip), ...] in their order

The log is a megabyte for each thousand, so it goes through a pipe and nothing
but the place of each NMI is kept.
"""

import os
import re
import threading

# One line for each exception and interrupt; 20 of registers follow.
TAKEN = re.compile(rb"v=02 e=\w+ i=\d cpl=(\d) IP=\w+:([0-9a-f]+) ")


class IntLog:
    """The pipe and the thread that reads it."""

    def __init__(self, path):
        """path: of the pipe; it must not be in use."""
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        os.mkfifo(path)
        self.options = ["-d", "int", "-D", str(path)]
        self._nmis = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        rest = b""
        with open(self._path, "rb", buffering=0) as pipe:
            while data := pipe.read(1 << 20):
                data = rest + data
                end = data.rfind(b"\n") + 1
                rest = data[end:]
                self._nmis += [(int(found[1]), int(found[2], 16))
                               for found in TAKEN.finditer(data, 0, end)]

    def nmis(self, seconds=60):
        """Wait until QEMU has ended.  Return: (cpl, rip) of each NMI."""
        self._thread.join(seconds)
        # replay.sh writes to a file of this name.
        self._path.unlink(missing_ok=True)
        return self._nmis
