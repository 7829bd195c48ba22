# SPDX-License-Identifier: MIT
"""A thousand guests of Dom0's tools come and go and leave nothing behind."""

from suite import Suite, check, need_vigil, wait_until

EXACT = ("domains", "vcpus", "ports", "timers", "grants_in_use",
         "grants_mapped", "domain_frames", "heap_objects")
# A page or two of small objects may be cut differently.
FRAMES = 8
DEATHS = 3      # of ten: one crashes, two are killed


class ChurnLong(Suite):
    """Five kinds of stubs in ten ways, ten alive at a time, made by `vigil`:
    held while they run, paused or not, powered off, restarting, crashed and
    killed (tests/system/scripts/churn-guests)."""

    weight = 1500
    long = True
    tens = 100

    def setup(self):
        need_vigil()
        self.boot(options="loglvl=warning guest_loglvl=warning", wall=7200)

    def come_and_go(self, first, end):
        """Tens of guests with these numbers."""
        self.vm.dom0(f"/scripts/churn-guests {first} {end}",
                     240 * (end - first))

    def info(self):
        """What the hypervisor holds, and how many guests died."""
        info = self.vm.dom0_json("vigil info --json")
        held = {name.removeprefix("held_"): int(value)
                for name, value in info["vigil_holdings"].items()}
        return held, int(info["vigil_counters"]["guest_deaths"])

    def test_first(self):
        """The libraries are read, the caches filled, and the table for numbers
        from 512 on, which stays, is made; then it is counted."""
        self.vm.dom0("vigil create --domid 600 /etc/xen/hello.cfg 'extra=\"\"'", 60)
        wait_until(self.vm, "[ $(vigil list | wc -l) = 2 ]", 60)
        self.come_and_go(0, 2)
        self.before, self.deaths = self.info()

    def test_thousand(self):
        """All of them run, and end as they should."""
        for first in range(2, 2 + self.tens, 5):
            self.come_and_go(first, first + 5)
        _, deaths = self.info()
        check(deaths - self.deaths == DEATHS * self.tens,
              f"{deaths - self.deaths} deaths, not {DEATHS * self.tens}")

    def test_all_is_back(self):
        """Memory, heap, timers, ports and grants are what they were."""
        for _ in range(60):
            now, _ = self.info()
            # Dom0 has a timer more while it works.
            wrong = [name for name in EXACT if now[name] != self.before[name]]
            if now["free_frames"] < self.before["free_frames"] - FRAMES:
                wrong.append("free_frames")
            if not wrong:
                return
        check(False, f"{wrong}: {self.before} before, {now} after")

    def test_dom0_is_well(self):
        text = self.vm.dom0("dmesg | grep -E 'WARNING:|BUG:|Oops|oom'; "
                            "ls -A /run/vigil/guests")
        check(text == "", text)
