# SPDX-License-Identifier: MIT
"""Hundreds of guests at once: what one costs, and what it costs the others."""

import re

from suite import Suite, check
from test_churn import COUNTED

MEMORY = "dom0_mem=512M,max:512M"
ALIVE = 200
# Of Debian's Xen 4.17 for a guest of one vcpu: docs/performance.md, Domains.
XEN_BYTES = 74014
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
