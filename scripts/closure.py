# SPDX-License-Identifier: MIT
"""Programs of unpacked Debian packages, with the libraries they need."""

import pathlib
import re
import subprocess

LIBDIR = "lib/x86_64-linux-gnu"
SEARCH = ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "lib64",
          "usr/lib", "lib")


def needed(path):
    """Return (interpreter or None, needed libraries) of an ELF file."""
    done = subprocess.run(["readelf", "-ldW", str(path)], check=True,
                          capture_output=True, text=True)
    interp = re.search(r"program interpreter: (\S+)\]", done.stdout)
    libs = re.findall(r"\(NEEDED\).*\[(.+)\]", done.stdout)
    return (interp.group(1) if interp else None), libs


def add_closure(archive, roots, programs):
    """Add the libraries that the ELF files in @programs need.

    roots: where packages are unpacked; the first that has a library counts.
    Raise KeyError with (program, library) that none has.
    """
    todo, seen = list(programs), set()
    while todo:
        path = todo.pop()
        with open(path, "rb") as elf:
            if elf.read(4) != b"\x7fELF":
                continue
        interp, libs = needed(path)
        if interp:
            libs = libs + [pathlib.Path(interp).name]
        for lib in libs:
            if lib in seen:
                continue
            seen.add(lib)
            found = [root / d / lib for root in roots for d in SEARCH
                     if (root / d / lib).exists()]
            if not found:
                raise KeyError(path.name, lib)
            archive.add_file(f"{LIBDIR}/{lib}", found[0].resolve(), 0o755)
            todo.append(found[0].resolve())
    if "ld-linux-x86-64.so.2" in seen:
        archive.add_link("lib64/ld-linux-x86-64.so.2",
                         f"../{LIBDIR}/ld-linux-x86-64.so.2")
