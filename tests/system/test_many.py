# SPDX-License-Identifier: MIT
"""Hundreds of guests at once: what one costs, and what it costs the others."""

import re

from holdings import all_is_back, dom0_is_back, info, of_dom0
from suite import Suite, check, need_vigil, wait_until
from test_churn import COUNTED

MEMORY = "dom0_mem=512M,max:512M"
ALIVE = 200
# Of Debian's Xen 4.17 for a guest of one vcpu: docs/performance.md, Domains.
XEN_BYTES = 74014
# The last 25 of Dom0's may take so much longer to make than the first: a busy
# machine is included, what grows with the square of their number is not.
SLOWER = 4
FLAT = ("domain_lookup_oldest", "evtchn_send_other", "wakeup_other",
        "evtchn_pingpong")


class ManyStub(Suite):
    """250 blocked guests made by a stub, in instructions."""

    weight = 3

    def setup(self):
        vm = self.boot_stub(
            "bench", "area=domains n=20 only=hypervisor_bytes,domains_alive,"
            + ",".join(FLAT), options=f"{MEMORY} loglvl=warning",
            cpu="max,-smap,-smep,-erms", extra=COUNTED)
        self.stub_verdict(vm, "bench", 300)
        self.figures = {name: int(least) for name, least in
                        re.findall(r"BENCH (\S+) (\d+) ", vm.text)}
        vm.close()

    def test_alive(self):
        alive = self.figures.get("domains_alive", 0)
        check(alive >= ALIVE, f"{alive} domains are alive")

    def test_memory(self):
        """What the hypervisor needs for an idle one."""
        each = self.figures.get("hypervisor_bytes_per_domain", 0)
        check(0 < each <= XEN_BYTES, f"{each} bytes a domain")

    def test_flat(self):
        """An event and a wake-up cost the same beside 1 and beside 250."""
        for name in FLAT:
            costs = {int(n): cost for key, cost in self.figures.items()
                     for n in re.findall(rf"^{name}_with_(\d+)$", key)}
            check(sorted(costs) == [1, 10, 100, 250], f"{name}: {costs}")
            check(max(costs.values()) <= 1.02 * min(costs.values()),
                  f"{name} grows with the number of domains: {costs}")


class ManyDom0(Suite):
    """200 guests made by `vigil` in Debian's Dom0 of 512 MiB, on a machine of
    1 GiB (tests/system/scripts/many-guests).  5 MiB are the least for libxl:
    each gives back what it does not use."""

    weight = 600
    long = True
    batch = 25

    def setup(self):
        need_vigil()
        self.boot(options=f"{MEMORY} loglvl=warning guest_loglvl=warning",
                  wall=7200)

    def script(self, words, seconds):
        """Run many-guests.  Return: the seconds it took in the machine."""
        text = self.vm.dom0("read -r a _ </proc/uptime; /scripts/many-guests "
                            f"{words} || exit 1; read -r b _ </proc/uptime; "
                            "echo $a $b", seconds)
        begin, end = map(float, text.split()[-2:])
        print(f"# many-guests {words}: {end - begin:.0f} s", flush=True)
        return end - begin

    def dom0_free(self):
        """Memory that Dom0 has for programs, in KiB."""
        return int(self.vm.dom0("sed -n 's/^MemAvailable: *//p' /proc/meminfo"
                                ).split()[0])

    def test_first(self):
        """One comes and goes: what is kept for the next ones is there."""
        self.script("create 1 1", 60)
        self.script("alive 1", 660)
        self.script("destroy 1 1", 60)
        wait_until(self.vm, "[ $(vigil list | wc -l) = 2 ]", 60)
        self.vm.dom0("rm -f /var/log/xen/console/guest-m*.log")
        self.before, _ = info(self.vm)
        self.dom0 = of_dom0(self.vm)
        self.free = self.dom0_free()

    def test_created(self):
        """All are there at once, the last as quick to make as the first."""
        took = [self.script(f"create {first} {first + self.batch - 1}",
                            60 * self.batch)
                for first in range(1, ALIVE, self.batch)]
        check(len(took) * self.batch == ALIVE, f"{len(took)} batches")
        check(took[-1] <= SLOWER * took[0], f"{self.batch} took {took} s")

    def test_listed(self):
        """By both tools, blocked or running."""
        names = {f"m{n}" for n in range(1, ALIVE + 1)}
        answer = self.vm.dom0_json("vigil list --json")["guests"]
        states = {guest["name"]: guest["state"] for guest in answer}
        check(names <= set(states), f"vigil misses {names - set(states)}")
        bad = {name: states[name] for name in names
               if states[name] not in ("blocked", "running")}
        check(not bad, f"{bad}")
        text = self.vm.dom0("xl list")
        listed = set(re.findall(r"^(m\d+) +\d+ +\d+ +1 +[r-][b-]---", text, re.M))
        check(listed == names, f"xl misses {names - listed}")

    def test_alive(self):
        """Each says something on its console, from now on."""
        text = self.vm.dom0("grep -c 'STUB hello: SUCCESS' "
                            "/var/log/xen/console/guest-m*.log | grep -c :1$")
        check(int(text) == ALIVE, f"{text} have a verdict")
        self.script(f"alive {ALIVE}", 660)

    def test_memory(self):
        """What an idle one costs beside its own pages."""
        now, _ = info(self.vm)
        frames = (self.before["free_frames"] - now["free_frames"] -
                  (now["domain_frames"] - self.before["domain_frames"]))
        each = frames * 4096 // ALIVE
        print(f"# of the hypervisor {each} bytes a guest, of Dom0 "
              f"{(self.free - self.dom0_free()) // ALIVE} KiB", flush=True)
        check(now["domains"] == self.before["domains"] + ALIVE, f"{now}")
        check(0 < each <= XEN_BYTES, f"{each} bytes a guest")

    def test_destroyed(self):
        """All by one command, and nothing is left."""
        self.script(f"destroy 1 {ALIVE}", 1800)
        wait_until(self.vm, "[ $(vigil list | wc -l) = 2 ]", 120)
        all_is_back(self.vm, self.before, kept=ALIVE - 1)
        dom0_is_back(self.vm, self.dom0)

    def test_dom0_is_well(self):
        text = self.vm.dom0("dmesg | grep -E 'WARNING:|BUG:|Oops|oom'; true")
        check(text == "", text)
