#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make bash's completion of a program from what it says about its commands.

    mkcompletion.py PROGRAM >file

`PROGRAM help` lists the commands with their operands, `PROGRAM COMMAND --help`
the options: both come from the table in dom0-tools/vigil/commands.c.
"""

import os
import re
import subprocess
import sys

# How a kind of operand or value is completed; what is not here is not.
KINDS = {"GUEST": "_@_guests", "ID": "_@_crashes", "FILE": "compgen -f --",
         "DIR": "compgen -d --",
         "STATE": 'compgen -W "running crashed shutdown gone" --'}

HEAD = r"""# bash completion of @; made by mkcompletion.py
_@_column() {
    awk -v name="$1" 'NR == 1 { at = index($0, name) }
        NR > 1 { split(substr($0, at), word, " "); print word[1] }'
}
_@_guests() {
    compgen -W "$(@ list 2>/dev/null | _@_column Name)" -- "$1"
}
_@_crashes() {
    compgen -W "$(@ crash list 2>/dev/null | _@_column ID)" -- "$1"
}
_@() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local command= words= options= values= kind= asked= at=1
    COMPREPLY=()
    # Options of the program itself.
    while [ $at -lt $COMP_CWORD ]; do
        case ${COMP_WORDS[at]} in
        --root) at=$((at + 2)) ;;
        -*) at=$((at + 1)) ;;
        help) asked=1 at=$((at + 1)) ;;
        *) break ;;
        esac
    done
    if [ $at -lt $COMP_CWORD ]; then
        command=${COMP_WORDS[at]}
        at=$((at + 1))
        case $command in
        @GROUPS@)
            if [ $at -lt $COMP_CWORD ]; then
                command="$command ${COMP_WORDS[at]}"
                at=$((at + 1))
            fi
            ;;
        esac
    fi
    case $command in
"""

TAIL = r"""    esac
    # "help" takes the name of a command and nothing more.
    if [ -n "$asked" ]; then
        [ -z "$kind" ] || words=
        words=${words% help} kind= options=--man values=
    fi
    # What follows an option that takes a value: the list is "option kind ...".
    set -- $values
    while [ $# -gt 0 ]; do
        if [ "$prev" = "$1" ]; then
            kind=$2 words= options=
        fi
        shift 2
    done
    case $cur in
    -*) kind= words=$options ;;
    esac
    case $kind in
@ACTIONS@
    esac
    mapfile -t -O ${#COMPREPLY[*]} COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _@ @
"""


def said(*words):
    """Return what a program prints."""
    return subprocess.run(words, capture_output=True, text=True,
                          check=True).stdout


def commands(program):
    """Yield (words that name it, its operands) of each command."""
    listed = re.findall(r"^  ([a-z]\S*(?: .*)?)$", said(program, "help"), re.M)
    for line in listed:
        words = line.split()
        named = 1
        # A second small word belongs to the name unless it is a choice.
        if len(words) > 1 and re.fullmatch(r"[a-z]+", words[1]):
            named = 2
        yield words[:named], words[named:]


def options(text):
    """Return ([option ...], [(option, kind of its value) ...]) of a help."""
    every, values = [], []
    for line in re.findall(r"^  (?:-.*|    --.*)$", text, re.M):
        names = re.findall(r"(?<![\w-])(--?\w[\w-]*)", line.split("  ")[1]
                           if line[2] == "-" else line.strip().split("  ")[0])
        value = re.search(r"-[\w-]+ ([A-Z]+)(?: |$)", line)
        every += names
        if value:
            values += [(name, value.group(1)) for name in names]
    return every, values


def case(words, operands, text):
    """Return the shell's branch for one command."""
    every, values = options(text)
    kind, choices = "", ""
    for word in operands:
        name = word.strip("[].")
        if re.fullmatch(r"[a-z-]+(\|[a-z-]+)+", name):
            choices = name.replace("|", " ")
        elif re.fullmatch(r"[a-z]+", name):
            choices = name
        elif name in KINDS and not kind:
            kind = name
    lines = [f'    "{" ".join(words)}")', f"        kind={kind or 'none'}"]
    if choices:
        lines.append(f'        words="{choices}"')
    lines.append(f'        options="{" ".join(every + ["--help"])}"')
    if values:
        text = " ".join(f"{name} {what}" for name, what in values)
        lines.append(f'        values="{text}"')
    return "\n".join(lines + ["        ;;"])


def main():
    """Print the file."""
    program = sys.argv[1]
    name = os.path.basename(program)
    first, groups, cases = [], {}, []
    for words, operands in commands(program):
        if words[0] not in first:
            first.append(words[0])
        if len(words) == 2:
            groups.setdefault(words[0], []).append(words[1])
        cases.append(case(words, operands, said(program, *words, "--help")))
    for group, names in groups.items():
        cases.append(f'    {group})\n        words="{" ".join(names)}"\n'
                     "        ;;")
    cases.append(f'    "")\n        words="{" ".join(first + ["help"])}"\n'
                 '        options="-v --verbose --root --help"\n'
                 '        values="--root DIR"\n        ;;')
    actions = "\n".join(
        f"    {kind})" + (" compopt -o filenames 2>/dev/null;"
                          if kind in ("FILE", "DIR") else "")
        + f'\n        mapfile -t COMPREPLY < <({how} "$cur")\n        ;;'
        for kind, how in KINDS.items())
    text = (HEAD.replace("@GROUPS@", " | ".join(groups))
            + "\n".join(cases) + "\n" + TAIL.replace("@ACTIONS@", actions))
    print(text.replace("@", name), end="")


main()
