# SPDX-License-Identifier: MIT
"""The log under load: four processors, all contexts, nothing torn or missing."""

import re
import time

from suite import Suite, check, figure, need_vigil

SAID = re.compile(r"^logger: load records=(\d+) torn=(\d+) lost=(\d+) nmis=(\d+) "
                  r"of=(\d+) mcs=(\d+) of=(\d+) others=(\d+)", re.M)
CONTEXTS = re.compile(r"^logger: load contexts normal=(\d+) irq=(\d+) nmi=(\d+) "
                      r"mc=(\d+)", re.M)
# A memory error that the scrubber found, in a frame of nobody's.
MCE = {"status": 0xBD000000000000C0, "misc": 0x8C, "mcg": 5, "addr": 0x6123000}
NMIS = 50                   # from one machine check to the next
APART = 0.001               # seconds, from one to the next; it takes as long again


class LogLoad(Suite):
    """The stub has its processors write, and reads all of it (logger/load.c)."""

    weight = 15
    records = 20000         # of each processor
    cpus = 4
    nmis, mcs = 100, 3      # at least
    limit = 120

    def test_load(self):
        need_vigil()
        vm = self.boot_stub(
            "logger", f"load records={self.records}", smp=self.cpus,
            memory="256M", wall=self.limit + 60, silence=self.limit,
            options="vigil_provoke=1 dom0_vcpus_pin nmi=ignore nmi_ratelimit=0 "
                    "watchdog=no loglvl=none guest_loglvl=none dom0_mem=64M,max:64M",
            # It stands at the end, for who still has an NMI to send.
            extra=("-accel", "tcg,thread=multi", "-no-shutdown"))
        vm.expect(r"^logger: load of 4 vcpus", 60)
        deadline, raised = vm.deadline(self.limit), 0
        while not SAID.search(vm.text) and time.monotonic() < deadline:
            vm.inject_mce(cpu=raised % self.cpus, **MCE)
            raised += 1
            for _ in range(NMIS):
                vm.inject_nmi()
                time.sleep(APART)
        self.stub_verdict(vm, "logger", 30)
        vm.close()
        records, torn, lost, nmis, sent, mcs, raised_too, others = map(
            int, SAID.search(vm.text).groups())
        contexts = list(map(int, CONTEXTS.search(vm.text).groups()))
        print(f"# {records} records of {self.cpus} CPUs; {nmis} lines of {sent} NMIs, "
              f"{mcs} of {raised_too} #MCs, {others} others; normal, irq, nmi, mc: "
              f"{contexts}", flush=True)
        figure(f"records of {self.cpus} CPUs, read", records,
               least=self.cpus * self.records)
        figure("records torn or not accounted for",
               torn + lost + abs(nmis - sent) + abs(mcs - raised_too), most=0)
        check(nmis >= self.nmis and mcs >= self.mcs, f"{nmis} NMIs, {mcs} #MCs")
        # Two lines of each #MC; an NMI in one is of that context.
        check(sum(contexts[2:]) >= nmis + 2 * mcs, f"{contexts}")


class LogLoadLong(LogLoad):
    """A million of each."""

    long = True
    weight = 200
    records = 1000000
    nmis, mcs = 5000, 100
    limit = 900
