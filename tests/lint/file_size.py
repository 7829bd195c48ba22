#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""No source file is longer than 600 lines, data tables exempt by name."""

import pathlib
import sys

LIMIT = 600
FOLDERS = "hypervisor include dom0-tools guest-stubs tests scripts".split()
# path: why it is data and not code
EXEMPT = {}


def sources(top):
    """Yield every source file."""
    for folder in FOLDERS:
        for path in sorted((top / folder).rglob("*")):
            if not path.is_file() or "__pycache__" in path.parts:
                continue
            if path.suffix in (".c", ".h", ".S", ".py", ".sh", ".mk") or (
                    not path.suffix and path.stat().st_mode & 0o111):
                yield path


def main():
    """Print a line for each file too long."""
    top, bad = pathlib.Path(sys.argv[1]), 0
    for path in sources(top):
        name = path.relative_to(top).as_posix()
        count = path.read_bytes().count(b"\n")
        if count > LIMIT and name not in EXEMPT:
            print(f"{name}: {count} lines, the limit is {LIMIT}: split it")
            bad += 1
    for name in EXEMPT:
        if not (top / name).exists():
            print(f"file_size.py: {name} is exempt but does not exist")
            bad += 1
    return bad != 0


sys.exit(main())
