#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make the manual pages of what the programs say about themselves.

    mkman.py VIGIL VIGILD DIR

DIR gets vigil.1, a page for each command that `vigil help` lists, and vigild.8.
Each file's name is printed.
"""

import os
import pathlib
import re
import subprocess
import sys
import time


def said(*words):
    """Return what a program prints."""
    return subprocess.run(words, capture_output=True, text=True,
                          check=True).stdout


def commands(program):
    """Yield the words that name each command."""
    for line in re.findall(r"^  ([a-z]\S*(?: .*)?)$", said(program, "help"),
                           re.M):
        words = line.split()
        # A second small word belongs to the name unless it is a choice.
        small = len(words) > 1 and re.fullmatch(r"[a-z]+", words[1])
        yield words[:2 if small else 1]


def collector_page(program):
    """Return the page of a program that has only options."""
    date = time.strftime("%Y-%m-%d", time.gmtime(
        int(os.environ["SOURCE_DATE_EPOCH"])))
    text = said(program, "--help").replace("\\", "\\e").replace("-", "\\-")
    text = re.sub(r"^([.'])", r"\\&\1", text, flags=re.M).rstrip("\n")
    return (f'.TH VIGILD 8 "{date}" Vigil\n.SH NAME\n'
            "vigild \\- files each crash of a guest, of Dom0 and of Vigil\n"
            f".SH DESCRIPTION\n.nf\n{text}\n.fi\n"
            ".SH FILES\n.TP\n/var/lib/vigil/crash\n"
            "a directory for each recorded crash\n"
            ".TP\n/var/log/vigil/events.ndjson\n"
            "the feed of events, which vigil\\-events (1) shows\n"
            ".SH SEE ALSO\n.BR vigil (1),\n.BR xl (1)\n.PP\n"
            "/usr/share/doc/vigil\\-hypervisor\n")


def main():
    """Write all pages."""
    vigil, vigild, folder = sys.argv[1:]
    pages = {"vigil.1": said(vigil, "help", "--man"),
             "vigild.8": collector_page(vigild)}
    for words in commands(vigil):
        pages[f"vigil-{'-'.join(words)}.1"] = said(vigil, "help", "--man",
                                                   *words)
    for name, text in pages.items():
        path = pathlib.Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        print(path)


main()
