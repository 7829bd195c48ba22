#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every function declared in a header has a complete docstring.

    /**
     * frame_put() - purpose
     * @mfn: shape, unit, range, owner
     *
     * Context: ...
     * Return:  ...
     */

Checked: the name, each parameter by name, Context:, and Return: unless the
function returns nothing.  Also: each source file begins with a comment that
tells its purpose.
"""

import pathlib
import re
import sys

DOC = re.compile(r"/\*\*(.*?)\*/", re.S)
COMMENT = re.compile(r"/\*.*?\*/", re.S)
# Attributes spelled as macros: PRINTF_LIKE(1, 2), ALIGNED(8).
ATTRIBUTE = re.compile(r"\b(?:__attribute__\s*\(\(.*?\)\)|"
                       r"[A-Z][A-Z_]+\s*\([\d\s,]*\))", re.S)
# "@a1 .. @a5" explains all five.
RANGE = re.compile(r"@(\w*?)(\d+) *\.\.+ *@?\w*?(\d+)")
PROTOTYPE = re.compile(r"^(?!static\b|typedef\b|return\b|else\b|#)"
                       r"([A-Za-z_][\w\s*]*?)\b([a-z_]\w*)\s*"
                       r"\(([^;{}]*)\)\s*[A-Z_\s]*;", re.M)
# Words that look like a name at the end of a parameter and are types.
TYPES = set("void int char long short unsigned signed bool float double "
            "const".split())


def parameters(text):
    """Return the names of a prototype's parameters."""
    names, depth, part = [], 0, ""
    for char in text + ",":
        if char == "," and depth == 0:
            part = part.strip()
            pointer = re.search(r"\(\s*\*\s*(\w+)\s*\)", part)
            if pointer:
                names.append(pointer.group(1))
            elif part and part not in ("void", "..."):
                words = re.findall(r"\w+", re.sub(r"\[[^]]*\]", "", part))
                if len(words) > 1 and words[-1] not in TYPES:
                    names.append(words[-1])
            part = ""
            continue
        depth += (char == "(") - (char == ")")
        part += char
    return names


def check_header(path):
    """Yield a line for each finding in one header."""
    text = path.read_text()
    docs = {m.end(): m.group(1) for m in DOC.finditer(text)}
    # Same length, so that positions stay true; no comments, no macros.
    bare = COMMENT.sub(lambda m: re.sub(r"[^\n]", " ", m.group(0)), text)
    bare = re.sub(r"^[ \t]*#(?:[^\n\\]|\\\n|\\.)*",
                  lambda m: re.sub(r"[^\n]", " ", m.group(0)), bare, flags=re.M)
    bare = ATTRIBUTE.sub(lambda m: re.sub(r"[^\n]", " ", m.group(0)), bare)
    for found in PROTOTYPE.finditer(bare):
        name = found.group(2)
        line = bare.count("\n", 0, found.start()) + 1
        where = f"{path}:{line}: {name}()"
        before = [end for end in docs if end <= found.start()
                  and not bare[end:found.start()].strip()]
        if not before:
            yield f"{where}: no docstring"
            continue
        doc = docs[max(before)]
        if f"{name}() -" not in doc:
            yield f"{where}: the docstring above is not its own"
            continue
        for stem, first, last in RANGE.findall(doc):
            doc += "".join(f" @{stem}{n}" for n in range(int(first),
                                                         int(last) + 1))
        for parameter in parameters(found.group(3)):
            if not re.search(rf"@(?:\w+,\s*@)*{parameter}\b", doc):
                yield f"{where}: @{parameter} is not explained"
        nothing = re.fullmatch(r"(?:extern\s+)?(?:[A-Z_]+\s+)*void\s*"
                               r"(?:[A-Z_]+\s*)*", found.group(1).strip())
        for word in ("Context:",) if nothing else ("Context:", "Return:"):
            if word not in doc:
                yield f"{where}: no {word}"


def main():
    """Check the folders named on the command line."""
    bad = []
    for folder in sys.argv[1:]:
        root = pathlib.Path(folder)
        for path in sorted(root.rglob("*.h")):
            if "tests" not in path.parts:
                bad += check_header(path)
        for path in sorted(root.rglob("*.[chS]")):
            head = path.read_text()[:400]
            head = head.replace("/* SPDX-License-Identifier: MIT */", "")
            if not re.match(r"\s*(?:/\*|//)", head):
                bad.append(f"{path}: no comment at its head")
    print("\n".join(bad), end="\n" if bad else "")
    return bool(bad)


sys.exit(main())
