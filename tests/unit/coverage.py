#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Which branches the unit tests take of what runs in NMI, #MC and panic.

And of what the next boot does with the box.

    tests/unit/coverage.py          a table, one line a file
    tests/unit/coverage.py -m WORD  and each line of files named so that has a
                                    branch which is never taken

Compiled without optimizing, each condition of an && or || is two branches; both
must be taken.  Lines that begin with ASSERT or BUG_ON are left out.  By gcov.

Fewer than LEAST_PERCENT of them all are a failure, and so is a file that is in no
unit test.
"""

import argparse
import collections
import gzip
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD", TOP / "build"))
FLOORS = ("log", "crash", "ras", "entry", "boot")
FILES = sorted([*TOP.glob("hypervisor/log/*.c"), *TOP.glob("hypervisor/crash/*.c"),
                *TOP.glob("hypervisor/ras/[!s]*.c"),
                TOP / "hypervisor/ras/severity.c", # its rules are a table
                TOP / "hypervisor/boot/harvest.c", # what all that has left
                TOP / "hypervisor/entry/context_word.c",
                TOP / "hypervisor/entry/nmi_entry.c",
                TOP / "hypervisor/entry/mce_entry.c"])
LEAST_PERCENT = 95
NEVER = re.compile(r"\s*(?:ASSERT|BUG_ON|BUG)\b")


def measure():
    """Return {file: {(line, number of branch): times taken}}."""
    out = BUILD / "unit-coverage"
    for old in out.rglob("*.gcda"):
        old.unlink()
    done = subprocess.run(["make", "-s", "-j2", "-C", TOP / "tests/unit", "COVERAGE=1",
                           f"BUILD={BUILD}", f"FLOORS={' '.join(FLOORS)}"],
                          capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stdout[-3000:] + done.stderr[-3000:])
    taken = collections.defaultdict(collections.Counter)
    data = [str(path) for path in sorted(out.rglob("*.gcda"))]
    for one in data:
        with tempfile.TemporaryDirectory() as room:
            subprocess.run(["gcov", "-b", "-j", one], cwd=room, check=True,
                           capture_output=True)
            for path in pathlib.Path(room).glob("*.gcov.json.gz"):
                for file in json.loads(gzip.open(path).read())["files"]:
                    for line in file["lines"]:
                        for i, branch in enumerate(line["branches"]):
                            taken[file["file"]][line["line_number"], i] += (
                                branch["count"])
    return taken


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("-m", metavar="WORD", help="show what is missed, where")
    options = parser.parse_args()
    taken = measure()
    total = [0, 0]
    wrong = []
    print("branches  taken      %  file")
    for path in FILES:
        name = path.relative_to(TOP).as_posix()
        text = path.read_text().splitlines()
        branches = {at: count for at, count in taken.get(str(path), {}).items()
                    if not NEVER.match(text[at[0] - 1])}
        if str(path) not in taken:
            print(f"       -      -      -  {name}")
            wrong.append(f"{name} is in no unit test")
            continue
        hit = sum(count != 0 for count in branches.values())
        total = [total[0] + len(branches), total[1] + hit]
        print(f"{len(branches):8} {hit:6} {100 * hit / max(len(branches), 1):6.1f}  "
              f"{name}")
        if options.m is not None and options.m in name:
            for number in sorted({at[0] for at, n in branches.items() if n == 0}):
                print(f"    {number:4}: {text[number - 1].strip()}")
    percent = 100 * total[1] / max(total[0], 1)
    print(f"{total[0]:8} {total[1]:6} {percent:6.1f}  all")
    if percent < LEAST_PERCENT:
        wrong.append(f"{percent:.2f} % of the branches are taken, {LEAST_PERCENT} % "
                     "must be")
    for what in wrong:
        print(f"not ok coverage: {what}")
    print(f"coverage: {int(not wrong)} passed, {len(wrong)} failed, 0 skipped")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
