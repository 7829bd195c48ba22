# SPDX-License-Identifier: MIT
"""What pv/cpu_view.def says, read anew: which CPUID and MSRs a guest is shown.

The hypervisor makes its masks from the same rows; this is another reading of
them, applied to what the processor itself says.
"""

import re

from vm import TOP

HEADER = "/usr/include/xen/arch-x86/cpufeatureset.h"
ANY = None
# Feature word: (leaf, subleaf, register).
PLACES = {0: (1, ANY, 3), 1: (1, ANY, 2), 2: (0x80000001, ANY, 3),
          3: (0x80000001, ANY, 2), 4: (0xd, 1, 0), 5: (7, 0, 1), 6: (7, 0, 2),
          7: (0x80000007, ANY, 3), 8: (0x80000008, ANY, 1), 9: (7, 0, 3),
          10: (7, 1, 0), 11: (0x80000021, ANY, 0), 12: (7, 1, 1),
          13: (7, 2, 3), 14: (7, 1, 2), 15: (7, 1, 3),
          18: (0x80000021, ANY, 2)}
AMD_COMMON = 0x0183f3ff
XSAVE, OSXSAVE, HYPERVISOR = 26, 27, 31
YMM, HI16_ZMM = 1 << 2, 1 << 7


def number(text):
    """A number of the table."""
    return 0xffffffff if text == "~0U" else int(text, 0)


class View:
    """The rows."""

    def __init__(self):
        text = (TOP / "hypervisor/pv/cpu_view.def").read_text()
        rows = [(m[1], [w.strip() for w in m[2].split(",")]) for m in
                re.finditer(r'^(FEATURE|LEAF|MSR)\((.*), "[^"]+"\)$', text,
                            re.M)]
        names = {m[1]: 32 * int(m[2]) + int(m[3]) for m in re.finditer(
            r"^XEN_CPUFEATURE\((\w+),\s*(\d+)\*32\+\s*(\d+)\)",
            open(HEADER, encoding="ascii").read(), re.M)}
        self.features = {names[w[0]]: w[1] for kind, w in rows
                         if kind == "FEATURE"}
        self.missing = sorted(set(names) - {w[0] for kind, w in rows
                                            if kind == "FEATURE"})
        self.leaves = [(int(w[0], 0), int(w[1], 0),
                        ANY if w[2] == "ANY" else int(w[2]),
                        [number(x) for x in w[3:7]])
                       for kind, w in rows if kind == "LEAF"]
        self.msrs = [(int(w[0], 0), int(w[1], 0), *w[2:5])
                     for kind, w in rows if kind == "MSR"]
        self.used = set()

    def word(self, word, xcr0):
        """Bits of a feature word that guests may have."""
        may = {"SHOWN": True, "XSAVE": xcr0 != 0, "AVX": bool(xcr0 & YMM),
               "AVX512": bool(xcr0 & HI16_ZMM), "HIDDEN": False, "OWN": False}
        return sum(1 << n % 32 for n, view in self.features.items()
                   if n // 32 == word and may[view])

    def masks(self, leaf, subleaf, xcr0):
        """What stays of a leaf's four registers."""
        for first, last, sub, masks in self.leaves:
            if first <= leaf <= last and sub in (ANY, subleaf):
                masks = list(masks)
                break
        else:
            return [0, 0, 0, 0]
        for word, (at, sub, reg) in PLACES.items():
            if at == leaf and sub in (ANY, subleaf):
                masks[reg] &= self.word(word, xcr0)
        return masks

    def msr(self, index, vendor):
        """(row, read, write) of an MSR; no row: FAULT, FAULT."""
        for first, last, of, read, write in self.msrs:
            if first <= index <= last:
                if of in ("ANY", vendor) or (of == "NOT_AMD"
                                             and vendor != "AMD"):
                    return first, read, write
                return first, "FAULT", "FAULT"
        return None, "FAULT", "FAULT"


def usable_xcr0(raw):
    """State components that guests may use, 0 without XSAVE."""
    if not raw[1, 0][2] >> XSAVE & 1:
        return 0
    low = raw[0xd, 0][0]
    return low & 7 | (0xe0 if low & 0xe0 == 0xe0 else 0)


def area_bytes(raw, xcr0):
    """Size of an XSAVE area in the standard form."""
    return max([576] + [raw[0xd, i][0] + raw[0xd, i][1]
                        for i in range(2, 10) if xcr0 >> i & 1])


def expected(view, raw, leaf, sub):
    """What a policy has for a leaf, from what the processor has."""
    amd = raw[0, 0][1] == 0x68747541
    xcr0 = usable_xcr0(raw)
    regs = [r & m for r, m in zip(raw[leaf, sub], view.masks(leaf, sub, xcr0))]
    if leaf == 0:
        regs[0] = min(regs[0], 0xd)
    elif leaf == 1:
        regs[2] |= 1 << HYPERVISOR
    elif (leaf, sub) == (7, 0):
        regs[0] = min(regs[0], 2)
    elif leaf == 0xd and not xcr0:
        regs = [0, 0, 0, 0]
    elif (leaf, sub) == (0xd, 0):
        size = area_bytes(raw, xcr0)
        regs = [regs[0] & xcr0, size, size, 0]
    elif (leaf, sub) == (0xd, 1):
        regs[1:] = [0, 0, 0]
    elif leaf == 0xd and not xcr0 >> sub & 1:
        regs = [0, 0, 0, 0]
    elif leaf == 0x80000000:
        regs[0] = min(regs[0], 0x80000021)
    elif leaf == 0x80000001 and amd:
        regs[3] |= expected(view, raw, 1, 0)[3] & AMD_COMMON
    elif leaf == 0x80000007:
        regs[1] = 3 if amd else 0
    elif leaf == 0x80000008 and not amd:
        regs[2] = 0
    return regs
