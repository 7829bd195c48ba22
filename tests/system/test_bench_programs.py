# SPDX-License-Identifier: MIT
"""Programs in Dom0, its boot, and a guest's life by xl cost no more than under
Debian's Xen."""

import json
import statistics
import subprocess
import sys

from suite import BUILD, TOP, Suite, check, figure, need_vigil

sys.path.insert(0, str(TOP / "scripts"))
from benchlib import build, machines  # noqa: E402 (needs the path above)

# What is asked for; the others of the table are looked at by people.
PROGRAMS = ("boot_to_init", "fork_exit_wait", "vfork_exec", "fork_exec")
GUESTS = ("xl_create_to_first_line", "xl_create", "xl_destroy")
PAIRS = (("xen", "vigil"), ("xen-no", "vigil-no"))     # -no: spec-ctrl=no


class Ratios(Suite):
    """Figures of a script of scripts/; no cases of its own."""

    long = True

    def setup(self):
        need_vigil()

    def ratios(self, script, options, written, names, pairs):
        """Run the script, which leaves its figures in a file of
        build/out/bench/; no ratio of theirs may be above 1."""
        figures = BUILD / "out/bench" / written
        figures.unlink(missing_ok=True)
        done = subprocess.run(
            [TOP / "scripts" / script, "--no-wall", *options], check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        # 2: a ratio is above 1.
        check(done.returncode in (0, 2), done.stdout[-2000:])
        columns = json.loads(figures.read_text())["figures"]
        for theirs, ours in pairs:
            for name in names:
                # Fields: minimum, median, ...
                xen, vigil = columns[theirs][name][1], columns[ours][name][1]
                print(f"# {' '.join((script, *options))} {ours} {name}: {vigil:,} of {xen:,}, "
                      f"{vigil / xen:.3f}", flush=True)
                check(vigil <= xen, f"{name}: {vigil:,}, Xen {xen:,}")


class BenchPrograms(Ratios):
    """In instructions, on one processor and on four."""

    weight = 300

    def programs(self, *options):
        """Of scripts/bench, with and without protections."""
        self.ratios("bench", options, "figures.json", PROGRAMS, PAIRS)

    def test_one(self):
        self.programs("--only", "user")

    def test_four(self):
        self.programs("--smp", "4")


class BenchGuests(Ratios):
    """In instructions: Debian's xl makes a guest, to the guest's first line and
    to xl's end, and destroys it."""

    weight = 240

    def test_life(self):
        self.ratios("bench-guests", (), "guests.json", GUESTS,
                    (("xen", "release"),))


class NoFaultCost(Suite):
    """What is there for failures costs nearly nothing where there are none."""

    weight = 200
    long = True
    without = "watchdog=no nmi=ignore"
    most = 5        # thousandths
    # When its timer comes and where things lie makes a percent, now and then: the
    # median of boots that differ in when that is.
    timeouts = (5, 6, 7, 8)

    def fork_exec(self, image, label, options=""):
        """Return the instructions of a fork, an exec and a wait: the medians."""
        return [machines.user(image, options=f"{options} watchdog_timeout={t}",
                              label=f"{label}-{t}")["fork_exec"][1]
                for t in self.timeouts]

    def test_fork_exec(self):
        """Against a hypervisor without both defences and the watchdog."""
        need_vigil()
        bare = BUILD / "bare"
        build.make(TOP / "hypervisor", bare, "debug=n", "CONFIG_NMI_RET_RULE=n",
                   "CONFIG_NMI_LATCH=n")
        cost = self.fork_exec(build.release(), "whole")
        least = self.fork_exec(bare / "xen-4.17-vigil-amd64", "bare", self.without)
        print(f"# fork_exec: {cost} instructions, bare {least}", flush=True)
        more = statistics.median(cost) / statistics.median(least) - 1
        figure("fork_exec: thousandths more than without defences",
               round(1000 * more, 2), most=self.most)
