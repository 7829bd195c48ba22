# SPDX-License-Identifier: MIT
"""Archives as the kernel unpacks them: cpio's newc format, made without root."""

import pathlib
import stat


class Archive:
    """A newc archive kept in memory, entries sorted by name at the end."""

    def __init__(self):
        self.entries = {}

    def add(self, path, mode, data=b"", rdev=(0, 0)):
        """Add one entry and the directories above it."""
        path = str(path).strip("/")
        parent = pathlib.PurePosixPath(path).parent
        if str(parent) != "." and str(parent) not in self.entries:
            self.add(parent, stat.S_IFDIR | 0o755)
        self.entries[path] = (mode, data, rdev)

    def add_file(self, path, source, mode=None):
        """Add a regular file; its mode is the source's execute bit."""
        source = pathlib.Path(source)
        if mode is None:
            mode = 0o755 if source.stat().st_mode & 0o111 else 0o644
        self.add(path, stat.S_IFREG | mode, source.read_bytes())

    def add_link(self, path, target):
        """Add a symbolic link."""
        self.add(path, stat.S_IFLNK | 0o777, target.encode())

    def encode(self):
        """Return the archive's bytes."""
        out = bytearray()
        names = sorted(self.entries)
        for number, name in enumerate(names + ["TRAILER!!!"], 1):
            mode, data, rdev = self.entries.get(name, (0, b"", (0, 0)))
            encoded = name.encode() + b"\0"
            fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, rdev[0],
                      rdev[1], len(encoded), 0)
            out += b"070701" + b"".join(b"%08X" % f for f in fields)
            out += encoded
            out += b"\0" * (-len(out) % 4)
            out += data
            out += b"\0" * (-len(out) % 4)
        out += b"\0" * (-len(out) % 512)
        return bytes(out)
