#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Small rules about text: no open ends, no paths of one machine, no tabs.

Also: a memory barrier's comment that names a partner ("pairs with LABEL")
finds it ("MB(LABEL)") somewhere.
"""

import pathlib
import re
import subprocess
import sys

FOLDERS = ("hypervisor include dom0-tools guest-stubs tests scripts docs "
           ".ci").split()
OPEN_END = re.compile(r"\b(?:TODO|FIXME|XXX)\b")
MACHINE = re.compile(r"(?<![\w./-])/(?:work|home)/\w")
LABEL = re.compile(r"\bMB\((\w+:\w+)\)")
PARTNER = re.compile(r"pairs with (\w+:\w+)")


def files(top):
    """Yield every text file of ours."""
    for path in sorted(top.iterdir()):
        if path.is_file() and not path.name.startswith(".git"):
            yield path
    for folder in FOLDERS:
        for path in sorted((top / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts and (
                    "data" not in path.parts):
                yield path


def main():
    """Print a line for each finding."""
    top = pathlib.Path(sys.argv[1])
    bad, labels, partners = [], set(), []
    for path in files(top):
        if path.resolve() == pathlib.Path(__file__).resolve():
            continue
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        name = path.relative_to(top)
        labels.update(LABEL.findall(text))
        partners += [(name, label) for label in PARTNER.findall(text)]
        for number, line in enumerate(text.split("\n"), 1):
            if OPEN_END.search(line):
                bad.append(f"{name}:{number}: open end: give it a number in "
                           "docs/known-limits.md")
            if MACHINE.search(line):
                bad.append(f"{name}:{number}: a path of one machine")
            if path.suffix in (".c", ".h", ".py") and "\t" in line:
                bad.append(f"{name}:{number}: tab")
            if line != line.rstrip() and path.suffix != ".md":
                bad.append(f"{name}:{number}: blanks at the end")
        if text and not text.endswith("\n"):
            bad.append(f"{name}: no end of line at its end")
    bad += [f"{name}: pairs with {label}, which does not exist"
            for name, label in partners if label not in labels]
    for script in sorted((top / "scripts").iterdir()):
        if script.is_file() and script.read_bytes().startswith(b"#!/bin/sh"):
            done = subprocess.run(["sh", "-n", script], capture_output=True,
                                  text=True, check=False)
            bad += done.stderr.split("\n")[:-1]
    print("\n".join(bad), end="\n" if bad else "")
    return bool(bad)


sys.exit(main())
