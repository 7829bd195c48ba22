# SPDX-License-Identifier: MIT
"""What the manual page xl.cfg(5) has: each key, and each value it shows.

The page is that of Debian's package, not a list of ours: a key that a new
version brings is in the list the day the package is fetched.
"""

import gzip
import io
import re
import subprocess
import tarfile

PACKAGE = "xen-utils-common_*.deb"
PAGE = "./usr/share/man/man5/xl.cfg.5.gz"
# roff as pod2man writes it: sizes and fonts go, characters have names.
PLAIN = ((r"\\s[-+]?\d", ""), (r"\\f(?:[BIR]|\(..)", ""), (r"\\[&|]", ""),
         (r"\\\*\(L\"|\\\*\(R\"|\\\*\(C['`]|``|''", '"'), (r"\\\*\(Aq", "'"),
         (r"\\-", "-"), (r'""', '"'))


def page(debs):
    """Return the text of the page, from a directory with Debian's packages."""
    deb = sorted(debs.glob(PACKAGE))[-1]
    tar = subprocess.run(["dpkg-deb", "--fsys-tarfile", deb], check=True,
                         stdout=subprocess.PIPE).stdout
    with tarfile.open(fileobj=io.BytesIO(tar)) as files:
        return gzip.decompress(files.extractfile(PAGE).read()).decode()


def plain(text):
    """Return a text without roff."""
    for pattern, into in PLAIN:
        text = re.sub(pattern, into, text)
    return text


class Item:
    """A key: its headings, the headings below them, the text between."""

    def __init__(self, key):
        self.key, self.forms, self.below, self.body = key, [], [], ""


def items(text):
    """Return the keys of the page: {key: Item}."""
    found, depth, item = {}, 0, None
    begin = text.index('.SH "OPTIONS"')
    for line in text[begin:text.index('.SH "SEE ALSO"')].split("\n"):
        head = re.match(r'(?:\.ie n )?\.IP "(.*)" \d+$', line)
        if line.startswith((".RS", ".RE")):
            depth += 1 if line.startswith(".RS") else -1
        elif head and depth == 0:
            heading = plain(head[1])
            key = re.match(r"[a-z0-9_]+(?==)", heading)
            if not key:
                raise ValueError(f"no key in the heading {heading!r}")
            item = found.setdefault(key[0], Item(key[0]))
            item.forms += [form.split("=", 1)[1]
                           for form in heading.split(" or ")]
        elif head and item:
            item.below.append(plain(head[1]).strip())
        elif item and not line.startswith("."):
            item.body += plain(line) + "\n"
    return found


def shown(item):
    """Return the values that the text below a key shows."""
    words = [word.strip('"') for below in item.below
             if "=" not in below and not below.startswith("[")
             for word in re.findall(r'"[^"]*"|[\w-]+', below)]
    return [word for word in words if word == word.lower()]


def values(item, samples):
    """Return the values a key is shown with, as xl.cfg spells them.

    samples has what stands for the words in capital letters: by the key, which
    goes before what the page shows, or by the word.
    """
    words = shown(item)
    pairs = [below.replace('"', "") for below in item.below
             if re.match(r'"?[a-z_-]+=', below)]
    out = list(samples.get(item.key, ()))
    for form in (part for form in item.forms
                 for part in re.split(r'\|(?=")', form)):
        literal = re.fullmatch(r'"([a-z][a-z0-9|]*)"', form)
        name = re.search(r"[A-Z]\w*", form)
        if literal:
            out += [f'"{word}"' for word in literal[1].split("|")]
        elif words and not form.startswith("[") and form not in samples:
            out += [f'"{word}"' for word in words]
        elif item.key in samples:
            continue
        elif form.strip('"') in samples:
            out += samples[form.strip('"')]
        elif form.startswith("["):
            inside = pairs or words or [name[0] if name else "1"]
            out += [f'["{word}"]' for word in inside]
        else:
            out += [f'"{name[0]}"']
    # And those in the text: vnuma = [ ["pnode=0", ...] ]
    for text in re.findall(rf'(?<![\w=]){item.key} ?= ?(\[[^\n]*\]|"[^"\n]*")',
                           item.body):
        out.append(re.sub(r", *\.\.\.", "", text))
    out += [below for below in item.below if below.startswith("[")]
    return list(dict.fromkeys(out))
