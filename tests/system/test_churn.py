# SPDX-License-Identifier: MIT
"""Domains come and go and leave nothing behind; their end is taken in steps."""

import re

from suite import Suite, check

# QEMU with a nanosecond an instruction; as scripts/benchlib/machines.py.
COUNTED = ("-icount", "shift=0,sleep=off", "-rtc",
           "base=2020-01-01T00:00:00,clock=vm")
QUIET = "loglvl=warning guest_loglvl=none dom0_max_vcpus=1"


class ChurnStub(Suite):
    """The stub `churn`: 100 guests that hold one of everything."""

    weight = 6
    lives = 100
    limit = 300

    def churn(self, label, line, **more):
        """Run it; return what it said."""
        vm = self.boot_stub("churn", line, label=label, options=QUIET,
                            wall=self.limit + 300, **more)
        self.stub_verdict(vm, "churn", self.limit)
        vm.close()
        return vm.text

    def test_lives(self):
        """Memory, objects, timers, ports and grants are as many as before."""
        text = self.churn("lives", f"n={self.lives}", smp=2, extra=(
            "-accel", "tcg,thread=multi"))
        found = re.search(r"churn: (\d+) guests in \d+ ms; (\d+) while they ran "
                          r"elsewhere, (\d+) while Dom0", text)
        check(found and int(found.group(1)) == self.lives,
              f"not {self.lives} guests: {text[-800:]}")
        check(int(found.group(2)) >= self.lives // 40 and
              int(found.group(3)) >= self.lives // 4,
              f"too few at hard moments: {found.group(0)}")
        ends = re.findall(r"^\(?.*churn: (\d+) (?:blocked|polling|running|in "
                          r"hypercalls|powered off|crashed|killed|suspended|"
                          r"paused|never run)\r?$", text, re.M)
        check(len(ends) == 10 and
              all(int(n) == self.lives // 10 for n in ends), f"ends: {ends}")

    def test_steps(self):
        """No event waits long while 256 MiB with their tables are destroyed."""
        self.churn("steps", "steps=256 bound=60000", memory="1G",
                   cpu="max,-smap,-smep,-erms", extra=COUNTED)


class ChurnStubLong(ChurnStub):
    """1,000 guests."""

    long = True
    weight = 240
    lives = 1000
    limit = 1500
