# SPDX-License-Identifier: MIT
"""The ratios as an SVG picture: one bar for each operation, log scale.

Left of the line at 1.0 Vigil takes fewer instructions than Debian's Xen.
"""

import html
import math

from benchlib import table
from benchlib.plan import AMOUNT

ROW, HEAD, FOOT = 16, 64, 40
LABEL, PLOT, EDGE = 300, 560, 76
TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
BETTER, WORSE, INK, PALE = "#2f7d4f", "#b3412f", "#222", "#ddd"


def _text(x, y, words, anchor="start", size=11, weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" '
            f'font-weight="{weight}" text-anchor="{anchor}" fill="{INK}">'
            f'{html.escape(words)}</text>')


def _line(x1, y1, x2, y2, colour, width=1.0):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke="{colour}" stroke-width="{width}"/>')


def draw(results, versions):
    """Return the picture; the first pair that has figures is drawn."""
    for pair, xen, vigil in table.PAIRS:
        found = {n: r for n, r in table.ratios(results, xen, vigil).items()
                 if math.isfinite(r)}
        if found:
            break
    values = [max(value, 0.005) for value in found.values()] or [1.0]
    low = min([0.5] + [t for t in TICKS if t <= min(values)][-1:]
              + [min(values)])
    high = max(2.0, max(values))
    ticks = [t for t in TICKS if low <= t <= high]

    def place(value):
        share = math.log(value / low) / math.log(high / low)
        return LABEL + PLOT * min(max(share, 0.0), 1.0)

    body, y = [], HEAD
    for area, names in table.by_area(results):
        names = [name for name in names if name in found]
        if not names:
            continue
        group = table.mean([found[name] for name in names])
        y += ROW * 0.5
        body.append(_text(8, y + 12, area, weight="bold", size=12))
        body.append(_text(LABEL - 8, y + 12, f"mean {group:.2f}", "end"))
        y += ROW
        for name in sorted(names, key=found.get):
            value = max(found[name], 0.005)
            one, end = place(1.0), place(value)
            body.append(_text(LABEL - 8, y + 12, name, "end"))
            body.append(
                f'<rect x="{min(one, end):.1f}" y="{y + 3}" '
                f'width="{max(abs(end - one), 0.5):.1f}" height="{ROW - 5}" '
                f'fill="{WORSE if value > 1 else BETTER}"/>')
            body.append(_text(LABEL + PLOT + 8, y + 12,
                              table.cell_ratio(found[name]).strip()))
            y += ROW
    bottom = y + 8
    grid = [_line(place(t), HEAD, place(t), bottom,
                  INK if t == 1 else PALE, 1.5 if t == 1 else 1.0)
            for t in ticks]
    scale = [_text(place(t), at, f"{t:g}", "middle")
             for t in ticks for at in (HEAD - 6, bottom + 14)]
    total = table.mean([value for name, value in found.items()
                        if results.areas[name] != AMOUNT])
    title = ("Vigil / Debian's Xen, instructions per operation"
             + (f"; geometric mean {total:.2f}" if total else ""))
    detail = (f"mitigations: {pair}; Vigil {versions['commit']}, Xen "
              f"{versions['xen']}, {versions['qemu']}")
    width, height = LABEL + PLOT + EDGE, bottom + FOOT
    return "\n".join(
        [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" '
         f'height="{height:.0f}" viewBox="0 0 {width} {height:.0f}" '
         'font-family="sans-serif">',
         f'<rect width="{width}" height="{height:.0f}" fill="#fff"/>',
         _text(8, 20, title, size=15, weight="bold"), _text(8, 38, detail)]
        + grid + scale + body + ["</svg>", ""])
