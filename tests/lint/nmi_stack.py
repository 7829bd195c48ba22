#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The IST stacks are a page each, those of #DB and #DF half of one: prove it.

From the disassembly of the linked image: what each function pushes and
subtracts, whom it calls, and so the deepest way down from each door.  All
pushes of a function are added up, whatever branch they are on, so the figures
are bounds, a little above the truth.

Below the deepest point of a door's tree there must be room for failures, for
exceptions of ours (#PF, #GP) have no stack of their own:

    two failures       die() prepares the crash and leaves this stack; if it
                       fails itself, the second time it leaves at once
    or a single one    while another CPU owns the crash: one line for the log,
                       then the CPU parks

and, before that, for a machine check that moves its frame here (entry/ist.S).

    nmi_stack.py ELF [-v]
"""

import pathlib
import re
import subprocess
import sys

ROOM = {"NMI": 4096, "#MC": 4096, "#DB": 2048, "#DF": 2048}
REGS = 168  # struct cpu_regs: what hardware and SAVE_GPRS push
EXCEPTION = REGS + 16  # entry/vectors.S: from_hypervisor
DOORS = {"NMI": "nmi_entry", "#MC": "mce_entry", "#DB": "db_from_hypervisor",
         "#DF": "double_fault"}
MC_END = "ras_mce_end"  # called where the frame has moved to
ALARM = ("panic", "panic_regs", "assert_failed", "crash_dom0")

# Indirect calls that are understood: where, and what is called there.
INDIRECT = {"backtrace_walk": ["backtrace_stack_ok"]}
THUNK = "<__x86_indirect_thunk_"  # entry/thunk.S: an indirect branch, too
# (caller, callee) that cannot happen on these stacks, and why.
NEVER = {("trap_from_hypervisor", "irq_entry"): "interrupts are off"}
# Only if another CPU owns the crash.
OTHER_CPU = {("die", "log_nmi"): "the line of a CPU that fails too"}

HEAD = re.compile(r"^[0-9a-f]+ <(.+)>:$")
LINE = re.compile(r"^\s*([0-9a-f]+):\s+(\w+)\s*(.*?)\s*$")
TARGET = re.compile(r"^([0-9a-f]+) <([^+>]+)(\+0x[0-9a-f]+)?>")


class Function:
    """What one function does to the stack."""

    def __init__(self, name):
        self.name = name
        self.frame = 0
        self.calls = set()
        self.indirect = []
        self.left = False  # it has loaded another stack pointer

    def take(self, at, op, args):
        """Account for one instruction."""
        if op.startswith("push"):
            self.frame += 8
        elif op.startswith("sub") and args.endswith(",%rsp"):
            size = re.match(r"\$0x([0-9a-f]+),", args)
            if size is None:
                self.indirect.append(f"{at}: stack of variable size")
            else:
                self.frame += int(size.group(1), 16)
        elif op.startswith("and") and args.endswith(",%rsp"):
            self.frame += 15
        elif op.startswith("mov") and args.endswith(",%rsp") and (
                args != "%rbp,%rsp"):
            self.left = True
        elif op.startswith(("call", "jmp")) and (
                args.startswith("*") or THUNK in args):
            if not self.left and self.name not in INDIRECT:
                self.indirect.append(f"{at}: indirect {op}")
        elif op.startswith(("call", "j")):
            to = TARGET.match(args)
            if to and (to.group(3) is None) and to.group(2) != self.name:
                self.calls.add(to.group(2))


def functions(elf):
    """Read the image."""
    found, now = {}, None
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", elf],
                          capture_output=True, text=True, check=True).stdout
    for line in text.split("\n"):
        head = HEAD.match(line)
        if head:
            name = head.group(1)
            # Static functions that share a name: their frames add up.
            now = found.setdefault(name, Function(name))
            continue
        code = LINE.match(line)
        if code and now:
            now.take(*code.groups())
    for name, targets in INDIRECT.items():
        if name in found:
            found[name].calls.update(targets)
    return found


class Depths:
    """The deepest way down from a function, and the way."""

    def __init__(self, found, never):
        self.found = found
        self.never = never
        self.known = {}
        self.faults = []

    def below(self, name, way=()):
        """Bytes a call of this function takes, and through whom."""
        if name in self.known:
            return self.known[name]
        if name in way:
            self.faults.append(f"recursion: {' > '.join(way)} > {name}")
            return 0, ()
        function = self.found.get(name)
        if function is None:
            self.faults.append(f"{name}: not in the image")
            return 0, ()
        self.faults += [f"{name} ({what})" for what in function.indirect]
        deepest = (0, ())
        for callee in sorted(function.calls):
            # Failures are counted by failure().
            if (name, callee) in self.never or callee in ALARM:
                continue
            deepest = max(deepest, self.below(callee, way + (name,)))
        self.known[name] = (8 + function.frame + deepest[0],
                            (name,) + deepest[1])
        return self.known[name]

    def failure(self):
        """Bytes one failure takes until die() has left the stack."""
        def chain(start, *names):
            last = self.below(names[-1])
            frames = [8 + self.found[name].frame for name in names[:-1]]
            return start + sum(frames) + last[0], names[:-1] + last[1]

        return max(
            chain(EXCEPTION, "trap_from_hypervisor", "panic_regs", "die"),
            chain(0, "assert_failed", "panic", "die"))


def main():
    """Print a line for each stack that may overflow; all with -v."""
    elf = sys.argv[1]
    if not pathlib.Path(elf).exists():
        print(f"{elf} is not built")
        return 1
    found = functions(elf)
    owner = Depths(found, {**NEVER, **OTHER_CPU})
    other = Depths(found, NEVER)
    once, twice = other.failure(), owner.failure()
    worst, times = max((once[0], 1), (2 * twice[0], 2))
    moved = 16 + REGS + other.below(MC_END)[0]
    bad = False
    for stack, door in DOORS.items():
        tree = other.below(door)
        total = REGS + tree[0] + moved + worst
        bad = bad or total > ROOM[stack]
        if total > ROOM[stack] or "-v" in sys.argv:
            print(f"{stack} stack: {total} of {ROOM[stack]} bytes: {tree[0]} by "
                  f"{' > '.join(tree[1])}; {moved} by a #MC; {times} failure(s), {worst} by "
                  f"{' > '.join((once if times == 1 else twice)[1])}")
    for what in sorted(set(owner.faults + other.faults)):
        print(what)
        bad = True
    return bad


sys.exit(main())
