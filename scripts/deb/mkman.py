#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make a manual page of what a program says about itself.

    mkman.py PROGRAM SECTION PURPOSE >page

The options of each command that `PROGRAM help` lists follow its text.
"""

import os
import re
import subprocess
import sys
import time


def said(*words):
    """Return what a program prints, as roff shows it unchanged."""
    text = subprocess.run(words, capture_output=True, text=True,
                          check=True).stdout
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.M).rstrip("\n")


def main():
    """Print the page."""
    program, section, purpose = sys.argv[1:]
    name = os.path.basename(program)
    date = time.strftime("%Y-%m-%d", time.gmtime(
        int(os.environ["SOURCE_DATE_EPOCH"])))
    print(f'.TH {name.upper()} {section} "{date}" Vigil\n.SH NAME\n'
          f"{name} \\- {purpose}\n.SH DESCRIPTION")
    first = said(program, "--help" if name == "vigild" else "help")
    print(f".nf\n{first}\n.fi")
    # Two words at most, in small letters: "crash show ID | -1" is "crash show".
    for command in re.findall(r"^  ((?:[a-z]+)(?: [a-z]+)?)(?: |$)",
                              first if name == "vigil" else "", re.M):
        words = command.split()
        try:
            text = said(program, *words, "--help")
        except subprocess.CalledProcessError:
            text = said(program, words[0], "--help")    # the second is a value
        print(f".SH \"{command.upper()}\"\n.nf\n{text}\n.fi")
    other = "vigild (8)" if name == "vigil" else "vigil (1)"
    print(f".SH SEE ALSO\n.BR {other} ,\n.BR xl (1).\n.PP\n"
          "/usr/share/doc/vigil\\-hypervisor")


main()
