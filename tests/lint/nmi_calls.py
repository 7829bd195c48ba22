#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""NMI-safe code stays in its section (the fire alarm excepted).

First, from the disassembly: no call or jump leaves .text.nmi, and none is
indirect.  Second, from the sources, because inlined code escapes the first:
a file that defines NMI_SAFE functions may not include the spinlock header,
unless it is named below with its reason.

    nmi_calls.py ELF HYPERVISOR-FOLDER
"""

import pathlib
import re
import subprocess
import sys

ALLOWED = {"panic", "panic_regs", "assert_failed"}
# file: why it may have both
BOTH = {
    "log/printk.c": "the lock is of the console's line buffer, which only "
                    "log_console_write() uses; log_nmi() knows the ring alone",
}


def run(*command):
    """Return what a command prints."""
    return subprocess.run(command, capture_output=True, text=True,
                          check=True).stdout


def calls(elf):
    """Yield a line for each way out of the section."""
    symbols = {name: int(addr, 16) for addr, name in re.findall(
        r"^([0-9a-f]+) \w (\S+)$", run("nm", elf), re.M)}
    low = symbols.get("__nmi_text_start")
    high = symbols.get("__nmi_text_end")
    if low is None or high is None:
        yield f"{elf}: no __nmi_text_start/__nmi_text_end"
        return
    inside = "?"
    for line in run("objdump", "-d", "--no-show-raw-insn",
                    f"--start-address={low}", f"--stop-address={high}",
                    elf).split("\n"):
        head = re.match(r"[0-9a-f]+ <(.+)>:", line)
        if head:
            inside = head.group(1)
        found = re.match(r"\s*([0-9a-f]+):\s+(call|j\w+)\s+(\S+)"
                         r"(?: <([^>+]+))?", line)
        if not found:
            continue
        at, operation, target, name = found.groups()
        if target.startswith("*"):
            yield f"{inside} ({at}): indirect {operation}"
        elif not low <= int(target, 16) < high and name not in ALLOWED:
            yield f"{inside} ({at}): {operation} {name}"


def includes(root):
    """Yield a line for each file that mixes NMI-safe code and locks."""
    for path in sorted(root.rglob("*.c")):
        text = path.read_text()
        name = path.relative_to(root).as_posix()
        if (re.search(r"^(?:static )?NMI_SAFE\b|^\w[\w *]*\bNMI_SAFE\b", text,
                      re.M) and '"sync/spinlock.h"' in text
                and name not in BOTH):
            yield f"{path}: NMI-safe code beside sync/spinlock.h"


found = list(includes(pathlib.Path(sys.argv[2])))
if pathlib.Path(sys.argv[1]).exists():
    found += calls(sys.argv[1])
else:
    found.append(f"{sys.argv[1]} is not built")
print("\n".join(found), end="\n" if found else "")
sys.exit(bool(found))
