# SPDX-License-Identifier: MIT
"""An NMI between any two instructions: counted once, told once, no harm done.

The stub `sweep` puts them there, to the instruction, and looks at what becomes
of the operation; QEMU's log tells where each was taken, and that none was lost
before the hypervisor saw it.  To repeat a step that failed: the command line
of the stub with the words of the failure (docs/nmi.md).
"""

import re
import subprocess

from gdbstub import symbols
from intlog import IntLog
from suite import BUILD, Suite, check, hypervisor, need_vigil
from test_churn import COUNTED

END = re.compile(r"^sweep: end (\S+) length=(\d+) shots=(\d+) nmis=(\d+) "
                 r"lost=(\d+) doubled=(\d+) damaged=(\d+) each=\d+\r?$", re.M)
QUIET = ("loglvl=error guest_loglvl=none dom0_max_vcpus=1 "
         "dom0_mem=64M,max:64M")

# Where the paths come into the hypervisor: symbol, bytes behind it.  16 bytes
# for each vector's door.
DOORS = [("syscall_stub_base", 0), ("guest_iretq_failed", 0),
         *[("entry_stub_base", 16 * vector)
           for vector in (3, 6, 13, 14, 0xf0, 0xf1)]]


def entry_instructions():
    """Return {address: text} of entry code that runs whatever the options are.

    From the doors along every branch, by the program as it is linked: there each
    piece that boot may switch on is jumped over.
    """
    where = symbols()
    image = hypervisor()
    text = subprocess.run(
        ["objdump", "-d", "--no-show-raw-insn",
         f"--start-address={where['__entry_text_start']:#x}",
         f"--stop-address={where['__entry_text_end']:#x}",
         image.with_name(image.name + "-syms")],
        check=True, capture_output=True, text=True).stdout
    lines = re.findall(r"^([0-9a-f]+):\t(\S+) *([0-9a-f]*)(.*)$", text, re.M)
    code = {int(at, 16): (op, target, f"{op} {target}{more}")
            for at, op, target, more in lines}
    order = sorted(code)
    after = dict(zip(order, order[1:]))
    found, todo = {}, [where[name] + more for name, more in DOORS]
    while todo:
        at = todo.pop()
        if at in found or at not in code:
            continue
        op, target, found[at] = code[at]
        if op.startswith("j") or op == "call":
            todo += [int(target, 16)] if target else []
        if op not in ("jmp", "ret", "iretq", "int3", "ud2"):
            todo.append(after.get(at))
    return found


class NmiSweep(Suite):
    """Each path through the hypervisor, every instruction."""

    weight = 20
    limit = 300
    line = ""
    at_least = 0
    places = frozenset()    # where the hypervisor was interrupted

    def setup(self):
        need_vigil()

    def sweep(self, label, line, options):
        """Run it.  Return: {path: (numbers said, [(cpl, rip), ...])}."""
        log = IntLog(BUILD / f"test/{type(self).__name__}-{label}.int")
        vm = self.boot_stub("sweep", line, label=label, memory="128M",
                            options=f"{QUIET} {options}", wall=self.limit + 300,
                            extra=(*COUNTED, "-global", "hpet.msi=on",
                                   *log.options))
        said = self.stub_verdict(vm, "sweep", self.limit)
        if vm.running:
            vm.expect_end(r"halt|power", 15)
        vm.close()
        nmis = log.nmis()
        found, at = {}, 0
        for name, *numbers in END.findall(vm.text):
            length, shots, count, *bad = map(int, numbers)
            check(not any(bad), f"{name}: {bad} lost, doubled, damaged")
            found[name] = (length, shots, nmis[at:at + count])
            at += count
        check(at == len(nmis), f"QEMU delivered {len(nmis)}, the stub took {at}")
        check(said.startswith(f"{at} "), f"{at} NMIs, but '{said}'")
        return found

    def test_paths(self):
        """Nothing lost, nothing twice, nothing damaged; a line for each path."""
        found = self.sweep("paths", self.line, "")
        print(f"# {'path':14} {'length':>7} {'NMIs':>7} {'places':>7} "
              f"{'ours':>6}")
        for name, (length, shots, nmis) in found.items():
            ours = {rip for cpl, rip in nmis if cpl == 0}
            print(f"# {name:14} {length:7} {shots:7} {len(set(nmis)):7} "
                  f"{len(ours):6}", flush=True)
        self.places = {rip for _, _, nmis in found.values()
                       for cpl, rip in nmis if cpl == 0}
        total = sum(shots for _, shots, _ in found.values())
        check(total >= self.at_least, f"{total} NMIs, not {self.at_least}")

    def test_entry_code(self):
        """Each instruction on the way in and out has been interrupted."""
        code = entry_instructions()
        page_fault = symbols()["entry_stub_base"] + 16 * 14
        code = {at: text for at, text in code.items()
                # QEMU does not count an instruction that makes a page fault:
                # an NMI due after it comes after the next one.
                if at != page_fault
                # Only where the processor has SMAP.
                and text.strip() != "clac"}
        missed = [f"{at:#x}: {text}" for at, text in sorted(code.items())
                  if at not in self.places]
        print(f"# entry code: {len(code)} instructions, "
              f"{len(code) - len(missed)} interrupted", flush=True)
        check(len(code) > 150, f"only {len(code)} instructions found")
        check(not missed, "not interrupted: " + "; ".join(missed[:40]))
