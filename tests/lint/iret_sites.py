#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""IRET is executed at the places that are known, and at no other.

An IRET unblocks NMIs, whoever executes it.  Which of the ways out may, and when,
is decided before each of these labels (the RET rule, docs/nmi.md); one more
somewhere, in assembly, in what boot patches in, or by a library, would be a way
around it.

    iret_sites.py ELF
"""

import re
import subprocess
import sys

KNOWN = {
    "guest_iretq": "to a guest",
    "hypervisor_iretq": "an exception or interrupt in the hypervisor's code",
    "nmi_iretq": "the end of an NMI",
    "mc_iretq": "of a machine check that interrupted no NMI",
    "db_iretq": "of a #DB in the hypervisor's code, as above",
}
# What the processor may execute, without the tables between.
PARTS = (("__text_start", "__text_end"), ("__init_start", "__init_text_end"),
         ("__alt_sites_end", "__alt_returns_start"))


def run(*command):
    """Return what a command prints."""
    return subprocess.run(command, capture_output=True, text=True,
                          check=True).stdout


def check(elf):
    """Yield a line for each finding."""
    where = {name: int(at, 16) for at, name in re.findall(
        r"^([0-9a-f]+) \w (\S+)$", run("nm", elf), re.M)}
    names = {where[name]: name for name in KNOWN if name in where}
    yield from (f"{elf}: no label {name}" for name in KNOWN
                if name not in where)
    found = set()
    for begin, end in PARTS:
        if begin not in where or end not in where:
            yield f"{elf}: no {begin} or {end}"
            continue
        text = run("objdump", "-d", "--no-show-raw-insn",
                   f"--start-address={where[begin]}",
                   f"--stop-address={where[end]}", elf)
        inside = "?"
        for line in text.split("\n"):
            head = re.match(r"[0-9a-f]+ <(.+)>:", line)
            if head:
                inside = head.group(1)
            site = re.match(r"\s*([0-9a-f]+):\s+(?:\w+ )*iret[qlw]?\b", line)
            if site and int(site.group(1), 16) not in names:
                yield f"{inside} ({site.group(1)}): an IRET nobody knows of"
            elif site:
                found.add(int(site.group(1), 16))
    yield from (f"{name}: no IRET there" for at, name in names.items()
                if at not in found)


bad = list(check(sys.argv[1]))
print("\n".join(bad), end="\n" if bad else "")
sys.exit(bool(bad))
