#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Assembly has three rooms: inlines in x86/*.h, .S files in entry/ and boot/."""

import pathlib
import re
import sys

ASM = re.compile(r"\b(?:__asm__|__asm|asm)\b\s*(?:volatile\b|__volatile__\b|"
                 r"goto\b|inline\b)?\s*\(")
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
STRING = re.compile(r'"(?:\\.|[^"\\\n])*"')
# asm statements there carry numbers to the assembler, no instructions.
ALLOWED = {"entry/asm_offsets.c"}


def blank(match):
    """Replace text by as many line ends."""
    return "\n" * match.group(0).count("\n")


def check(root):
    """Yield a line for each finding under @root."""
    for path in sorted(root.rglob("*.[chS]")):
        name = path.relative_to(root).as_posix()
        if path.suffix == ".S":
            if not name.startswith(("entry/", "boot/")) and "/" in name:
                if not name.endswith(".lds.S"):
                    yield f"{path}: .S files live in entry/ and boot/"
            continue
        if name in ALLOWED or re.fullmatch(r"x86/[^/]+\.h", name):
            continue
        text = STRING.sub('""', COMMENT.sub(blank, path.read_text()))
        for match in ASM.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            yield f"{path}:{line}: assembly outside x86/*.h"


found = list(check(pathlib.Path(sys.argv[1])))
print("\n".join(found), end="\n" if found else "")
sys.exit(bool(found))
