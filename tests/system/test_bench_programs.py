# SPDX-License-Identifier: MIT
"""Programs in Dom0, and its boot, cost no more than under Debian's Xen."""

import json
import subprocess

from suite import BUILD, TOP, Suite, check, need_vigil

# What is asked for; the others of the table are looked at by people.
NAMES = ("boot_to_init", "fork_exit_wait", "vfork_exec", "fork_exec")
PAIRS = (("xen", "vigil"), ("xen-no", "vigil-no"))     # -no: spec-ctrl=no


class BenchPrograms(Suite):
    """In instructions, on one processor and on four."""

    long = True
    weight = 300

    def setup(self):
        need_vigil()

    def ratios(self, *options):
        """Run scripts/bench; none of them may be above 1."""
        done = subprocess.run(
            [TOP / "scripts/bench", "--no-wall", *options], check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        check(done.returncode == 0, done.stdout[-2000:])
        figures = json.loads((BUILD / "out/bench/figures.json").read_text())
        columns = figures["figures"]
        found = 0
        for theirs, ours in PAIRS:
            for name in NAMES:
                # Fields: minimum, median, ...
                xen, vigil = columns[theirs][name][1], columns[ours][name][1]
                print(f"# {' '.join(options)} {ours} {name}: {vigil:,} of {xen:,}, "
                      f"{vigil / xen:.3f}", flush=True)
                check(vigil <= xen, f"{name}: {vigil:,}, Xen {xen:,}")
                found += 1
        check(found == len(PAIRS) * len(NAMES), f"{found} pairs")

    def test_one(self):
        self.ratios("--only", "user")

    def test_four(self):
        self.ratios("--smp", "4")
