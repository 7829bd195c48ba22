#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make two tables of an image, as assembly: its symbols (crash/symbols.h), and
its jumps to the return thunk (cpu/alternative.c).

    mksyms.py NM READELF vigil.0 > syms1.S     likewise vigil.1, syms2.S
    mksyms.py --empty > syms0.S        for the first link, before there is one

Kept are functions and other labels of the code, boot's included; of several
names for one address the most telling one wins.  Offsets count from
__image_start.  Boot's code lies behind this very table: that of vigil.0, which
has none, gives the size, that of vigil.1 the places.
"""
import re
import subprocess
import sys

LINE = re.compile(r"^([0-9a-f]+) (\w) (\S+)$")
BASE = "__image_start"
# First and last mark of each piece of code.
PARTS = ((BASE, "__text_end"), ("__init_start", "__init_text_end"))
# Section marks and the like: true addresses, useless names.
NOISE = re.compile(r"^(\.|\$|__(image|text|nmi_text|ex_table|crash_notes|init)_)")


def rank(kind, name):
    """Lower is better: global before local, plain before underscored."""
    return (kind not in "TW", name.startswith("_"), len(name), name)


def run(*command):
    """Return what a command prints."""
    return subprocess.run(command, capture_output=True, text=True,
                          check=True).stdout


def read(lines):
    """Return a sorted list of (offset, name), and where the image begins."""
    symbols = {}
    best = {}
    for line in lines:
        match = LINE.match(line)
        if match:
            address, kind, name = match.groups()
            symbols[name] = int(address, 16)
            if kind in "tTwW" and not NOISE.match(name):
                best.setdefault(int(address, 16), []).append((kind, name))
    for mark in sum(PARTS, ()):
        if mark not in symbols:
            sys.exit(f"mksyms: {mark} is not among the symbols")
    parts = [(symbols[first], symbols[last]) for first, last in PARTS]
    base = symbols[BASE]
    table = []
    for address in sorted(best):
        if any(first <= address < last for first, last in parts):
            name = min(best[address], key=lambda kn: rank(*kn))[1]
            table.append((address - base, name))
    return table, base


# A relocation: where, its type, and the name it is about.
JUMP = re.compile(r"^([0-9a-f]+) +[0-9a-f]+ +R_X86_64_(?:PLT|PC)32 +[0-9a-f]+ +"
                  r"__x86_return_thunk - 4$", re.M)


def jumps(relocations, base):
    """Return the offsets of the jumps, which begin a byte before the target."""
    return sorted(int(at, 16) - 1 - base for at in JUMP.findall(relocations))


def write(table, returns, out):
    """Write the assembly for the tables."""
    emit = out.write
    emit("/* Made by mksyms.py; do not edit. */\n")
    emit('    .section .symtab_hv, "a", @progbits\n')
    for name in ("symbol_count", "symbol_table", "symbol_names"):
        emit(f"    .globl {name}\n    .hidden {name}\n")
    emit(f"    .balign 8\nsymbol_count:\n    .long {len(table)}\n")
    emit("    .balign 8\nsymbol_table:\n")
    at = 0
    for offset, name in table:
        emit(f"    .long {offset:#x}, {at}\n")
        at += len(name) + 1
    emit("symbol_names:\n")
    for _, name in table:
        emit(f'    .asciz "{name}"\n')
    emit("    .byte 0\n")
    emit('    .section .alt_returns, "a", @progbits\n    .balign 4\n')
    for offset in returns:
        emit(f"    .long {offset:#x}\n")
    emit('    .section .note.GNU-stack, "", @progbits\n')


def main():
    if sys.argv[1:] == ["--empty"]:
        write([], [], sys.stdout)
    elif len(sys.argv) != 4:
        sys.exit(__doc__)
    else:
        names, readelf, image = sys.argv[1:]
        symbols, base = read(run(names, "-n", image).split("\n"))
        write(symbols, jumps(run(readelf, "-rW", image), base), sys.stdout)


main()
