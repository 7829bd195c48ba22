# SPDX-License-Identifier: MIT
"""Read a machine's screen back: by Vigil's own glyphs, or from VGA text.

A character counts only if every pixel of its place is as dev/fbcon.c draws it;
anything else reads as '\\x00'.
"""

import re
import time

from suite import TOP, VMError

WIDTH, HEIGHT, LEFT = 8, 18, 1      # a character's place, dev/fbcon.c


def glyphs():
    """Return {pixels of a place, line by line: character}."""
    source = (TOP / "hypervisor/dev/font.c").read_text()
    found = {}
    rows = re.findall(r"^    \{((?:0x..(?:, )?){8})\}", source, re.M)
    for i, text in enumerate(rows):
        lines = []
        for byte in re.findall(r"0x(..)", text):
            dots = f"{int(byte, 16):05b}"
            lines += ["0" * LEFT + dots + "0" * (WIDTH - LEFT - 5)] * 2
        lines += ["0" * WIDTH] * (HEIGHT - len(lines))
        found["".join(lines)] = chr(ord(" ") + i)
    if len(found) != 95:
        raise VMError(f"dev/font.c has {len(found)} different glyphs")
    return found


def picture(vm):
    """Return (width, height, bytes of red green blue) of the screen."""
    path = vm.dir / "screen.ppm"
    vm.qmp("screendump", filename=str(path))
    kind, width, height, depth, data = re.match(
        rb"(P6)\s(\d+) (\d+)\s(\d+)\s(.*)", path.read_bytes(), re.S).groups()
    if (kind, depth) != (b"P6", b"255"):
        raise VMError("QEMU's picture is not a plain one")
    return int(width), int(height), data


def read_pixels(vm):
    """Return the lines of text on a frame buffer."""
    known = glyphs()
    width, height, data = picture(vm)
    # White is a one, black a zero, anything else (a mouse, colours) is neither.
    bits = {b"\xff\xff\xff": "1", b"\x00\x00\x00": "0"}
    text = []
    for top in range(0, height - HEIGHT + 1, HEIGHT):
        lines = []
        for y in range(top, top + HEIGHT):
            line = data[y * width * 3:(y + 1) * width * 3]
            lines.append("".join(bits.get(line[x:x + 3], "?")
                                 for x in range(0, width * 3, 3)))
        text.append("".join(
            known.get("".join(line[x:x + WIDTH] for line in lines), "\0")
            for x in range(0, width - WIDTH + 1, WIDTH)).rstrip())
    return text


def read_text(vm):
    """Return the lines of an 80 by 25 VGA text screen."""
    path = vm.dir / "screen.bin"
    vm.qmp("pmemsave", val=0xb8000, size=80 * 25 * 2, filename=str(path))
    text = path.read_bytes()[::2].decode("cp437")
    return [text[i:i + 80].rstrip() for i in range(0, 80 * 25, 80)]


def wait_screen(vm, pattern, reader, seconds=60):
    """Wait until a line of the screen matches.  Return: all lines."""
    deadline = vm.deadline(seconds)
    while True:
        lines = reader(vm)
        if any(re.search(pattern, line) for line in lines):
            return lines
        if time.monotonic() > deadline or not vm.running:
            raise VMError(f"no /{pattern}/ on the screen: " +
                          " | ".join(line for line in lines if line)[-1500:])
        time.sleep(1)


__all__ = ["glyphs", "picture", "read_pixels", "read_text", "wait_screen"]
