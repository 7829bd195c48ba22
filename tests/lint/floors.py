#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fail if a file includes a header from a floor above its own.

Also: own headers are included by full path, and from outside only the
compiler's own and Xen's public headers (through lib/xen_abi.h) and ours.
"""

import pathlib
import re
import sys

FLOORS = ("lib x86 sync log cpu crash mm dev ras domain pv "
          "response hypercall entry boot").split()
RANK = {name: i for i, name in enumerate(FLOORS)}
QUOTED = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
ANGLED = re.compile(r"^\s*#\s*include\s+<([^>]+)>", re.M)
OUTSIDE = {"stdint.h", "stddef.h", "stdbool.h", "stdarg.h", "limits.h"}
# Debian's liblzma decompresses Dom0's kernel.
ONLY = {"lzma.h": "boot pv lib"}
GENERATED = {"asm_offsets.h"}


def check(root):
    """Yield a line for each finding under @root."""
    for path in sorted(root.rglob("*.[chS]")):
        parts = path.relative_to(root).parts
        if len(parts) < 2 or parts[0] not in RANK:
            continue
        floor, text = parts[0], path.read_text()
        for name in QUOTED.findall(text):
            other = name.split("/")[0]
            if "/" not in name:
                if name not in GENERATED:
                    yield f"{path}: \"{name}\" is not a full path"
            elif other not in RANK:
                yield f"{path}: \"{name}\" is on no floor"
            elif RANK[other] > RANK[floor]:
                yield f"{path}: {floor} may not include {name}"
        for name in ANGLED.findall(text):
            if name in OUTSIDE or name.startswith("vigil/"):
                continue
            if name.startswith("xen/"):
                if parts not in (("lib", "xen_abi.h"), ("lib", "errno.h")):
                    yield f"{path}: <{name}>: include \"lib/xen_abi.h\""
            # errno.h is the host's in unit tests only.
            elif parts == ("lib", "errno.h") and name == "errno.h":
                continue
            elif floor not in ONLY.get(name, "").split():
                yield f"{path}: <{name}> is not ours to include"


found = list(check(pathlib.Path(sys.argv[1])))
print("\n".join(found), end="\n" if found else "")
sys.exit(bool(found))
