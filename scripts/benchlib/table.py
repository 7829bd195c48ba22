# SPDX-License-Identifier: MIT
"""Figures as text: ratios, geometric mean, growth, boot."""

import math
import re
import statistics

from benchlib.plan import AMOUNT, BOOT, USER

# Pairs of columns with the same mitigations on both sides: what a pair is
# called, the peer's column, ours.
PAIRS = (("default", "xen", "vigil"), ("spec-ctrl=no", "xen-no", "vigil-no"))
GROWTH = re.compile(r"(.*)_with_(\d+)(?:_(\w+))?$")


def ratio(ours, theirs):
    """Return ours / theirs; None when one is missing."""
    if ours is None or theirs is None:
        return None
    if theirs == 0:
        return 1.0 if ours == 0 else math.inf
    return ours / theirs


def ratios(results, theirs, ours, areas=None):
    """Return {operation: ratio} of those that both have."""
    found = {}
    for name in results.names():
        if areas is not None and results.areas[name] not in areas:
            continue
        value = ratio(results.figure(ours, name), results.figure(theirs, name))
        if value is not None:
            found[name] = value
    return found


def mean(values):
    """Return the geometric mean; None of nothing."""
    values = [max(value, 1e-6) for value in values if math.isfinite(value)]
    return statistics.geometric_mean(values) if values else None


def cell(value, width=11):
    """A figure, right-aligned; a dash for none."""
    return f"{'-' if value is None else value:>{width}}"


def cell_ratio(value, width=7):
    """A ratio with two or three decimals."""
    if value is None:
        return f"{'-':>{width}}"
    return f"{value:>{width}.{2 if value >= 0.1 else 3}f}"


def by_area(results):
    """Yield (area, its operations)."""
    area, names = None, []
    for name in results.names():
        if results.areas[name] != area:
            if names:
                yield area, names
            area, names = results.areas[name], []
        names.append(name)
    if names:
        yield area, names


def rows(results):
    """Yield the lines of the table."""
    yield (f"{'operation':42}{'native':>11}" + "".join(
        f" |{'Xen':>11}{'Vigil':>11}{'ratio':>7}" for _ in PAIRS))
    yield (f"{'':53}" + "".join(f" |{name:>29}" for name, _, _ in PAIRS))
    for area, names in by_area(results):
        yield f"--- {area}"
        for name in names:
            line = f"{name:42}" + cell(results.figure("native", name))
            for _, xen, vigil in PAIRS:
                theirs = results.figure(xen, name)
                ours = results.figure(vigil, name)
                line += (f" |{cell(theirs)}{cell(ours)}"
                         f"{cell_ratio(ratio(ours, theirs))}")
            yield line


def growth(results, columns):
    """Yield a line for each operation that is measured at several sizes."""
    families = {}
    for name in results.names():
        found = GROWTH.match(name)
        if found:
            family = found.group(1) + (f", {found.group(3)}"
                                       if found.group(3) else "")
            families.setdefault(family, []).append((int(found.group(2)), name))
    for family, members in families.items():
        members.sort()
        if len(members) < 2:
            continue
        yield f"  {family}, with {', '.join(str(n) for n, _ in members)}:"
        for column in columns:
            values = [results.figure(column, name) for _, name in members]
            if all(value is not None for value in values):
                yield (f"    {column:10}" + "".join(cell(v) for v in values)
                       + f"  x {ratio(max(values), max(min(values), 1)):.2f}")


def means(results):
    """Yield the sum of each pair, and what stands above 1.00 x."""
    for name, xen, vigil in PAIRS:
        found = ratios(results, xen, vigil)
        paths = {n: r for n, r in found.items()
                 if results.areas[n] not in (AMOUNT, USER, BOOT)}
        programs = {n: r for n, r in found.items()
                    if results.areas[n] == USER}
        for what, group in (("hot paths", paths), ("programs", programs)):
            value = mean(group.values())
            if value is None:
                continue
            yield (f"geometric mean, {what}, {name}: {value:.3f} x Debian's "
                   f"Xen over {len(group)} operations")
            above = sorted((r, n) for n, r in group.items() if r > 1.0)
            yield (f"  above 1.00 x: {len(above) or 'none'}"
                   + "".join(f"\n    {cell_ratio(r)}  {n}"
                             for r, n in reversed(above)))
        missing = [n for n in results.names()
                   if results.figures.get(xen, {}).get(n)
                   and vigil in results.figures
                   and not results.figures[vigil].get(n)]
        if missing:
            yield f"  on Xen only ({name}): {', '.join(missing)}"


def boot(results):
    """Yield the lines about the boot: instructions and wall clock."""
    base = results.figure("xen", "boot_to_init")
    for column in ("native", "xen", "vigil"):
        value = results.figure(column, "boot_to_init")
        if value is not None:
            yield (f"  {column:10}{value / 1e9:8.3f} G instructions"
                   + (f"  {value / base:.3f} x Xen" if base else ""))
    for at, what in enumerate(("wall", "processor")):
        for word, choose in (("median", statistics.median), ("best", min)):
            values = {column: choose([t[at] for t in times])
                      for column, times in results.wall.items()}
            if values:
                yield (f"  {word} {what}: " + ", ".join(
                    f"{c} {v:.2f} s" for c, v in values.items())
                    + (f"; Vigil / Xen {values['vigil'] / values['xen']:.2f}"
                       if {"vigil", "xen"} <= set(values) else ""))


def report(results):
    """Return the whole text of a comparison with Debian's Xen."""
    lines = ["Instructions (guest and hypervisor): minimum of hot paths, "
             "median of programs.", ""]
    lines += rows(results)
    lines += [""] + list(means(results))
    grown = list(growth(results, [c for _, x, v in PAIRS for c in (x, v)]))
    if grown:
        lines += ["", "growth:"] + grown
    booted = list(boot(results))
    if booted:
        lines += ["", "boot, power-on to Dom0's init:"] + booted
    return "\n".join(lines + problems(results))


def report_change(results, old, new):
    """Return the whole text of a comparison of two builds of Vigil."""
    lines = [f"{'operation':42}{old[:12]:>14}{new[:12]:>14}{'change':>10}"]
    changes = []
    for area, names in by_area(results):
        lines.append(f"--- {area}")
        for name in names:
            before = results.figure(old, name)
            after = results.figure(new, name)
            value = ratio(after, before)
            text = "-"
            if value is not None:
                changes.append(value)
                text = "same" if value == 1 else f"{(value - 1) * 100:+.1f} %"
            lines.append(f"{name:42}{cell(before, 14)}{cell(after, 14)}"
                         f"{text:>10}")
    value = mean(changes)
    if value is not None:
        lines += ["", f"geometric mean: {value:.3f} x over {len(changes)} "
                      f"operations; grown by more than 2 %: "
                      f"{sum(v > 1.02 for v in changes)}, shrunk: "
                      f"{sum(v < 0.98 for v in changes)}"]
    return "\n".join(lines + problems(results))


def problems(results):
    """Return the lines about what went wrong."""
    if not results.errors:
        return []
    return ["", f"NOT COMPLETE, {len(results.errors)} boot(s) broke off:"] + [
        f"  {error}" for error in results.errors]
