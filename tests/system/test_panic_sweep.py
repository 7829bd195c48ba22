# SPDX-License-Identifier: MIT
"""An NMI inside panic(): one panic, one black box, and an end, wherever it comes.

The stub `sweep` provokes a panic, with an NMI so many instructions later.  Each
point is a machine of its own, which resets once: the next boot must find the box.
"""

import re

from gdbstub import symbols
from intlog import IntLog
from suite import BUILD, Suite, check, need_vigil
from test_churn import COUNTED

PANIC = "provoked by the control domain"
BOX = rf"boot: the previous boot left a black box: (.*): .*{PANIC}"


class PanicSweep(Suite):
    """Points all over panic(), by a stride that shares no factor with its loops."""

    long = True
    weight = 900
    points = 400
    stride = 1013

    def setup(self):
        need_vigil()

    def once(self, step):
        """One machine.  Return: (cpl, rip) of where the NMI came, or None."""
        log = IntLog(BUILD / f"test/{type(self).__name__}.int")
        vm = self.boot_stub("sweep", f"panic from={step}", label="one",
                            memory="128M", resets=True,
                            options="vigil_provoke=1 watchdog=no dom0_mem=64M,max:64M "
                            "dom0_max_vcpus=1",
                            extra=(*COUNTED, "-global", "hpet.msi=on",
                                   *log.options))
        what = f"NMI {step} instructions after the hypercall"
        vm.expect(r"^sweep: panic, NMI after", 60, fail=None)
        found = vm.expect(BOX, 60, fail=None, what=f"the black box, {what}")
        text = vm.text[:vm.text.find("the previous boot left")]
        vm.close()
        self.vms.remove(vm)
        check(found.group(1) != "unfinished", f"{what}: {found.group(0)}")
        panics = len(re.findall(r"Panic on CPU \d", text))
        check(panics == 1, f"{what}: {panics} panics")
        nmis = log.nmis()
        check(len(nmis) <= 1, f"{what}: {len(nmis)} NMIs")
        return nmis[0] if nmis else None

    def test_panic(self):
        """From the hypercall to where the processor resets."""
        places = set()
        last = 0
        for number in range(self.points):
            place = self.once(number * self.stride)
            if place is None:
                last = number * self.stride
                break
            places.add(place)
        ours = {rip for cpl, rip in places if cpl == 0}
        print(f"# {len(places)} places, {len(ours)} of the hypervisor's; the end "
              f"after {last or 'more'} instructions", flush=True)
        check(len(ours) >= 100, f"only {len(ours)} places")
        check(any(abs(rip - symbols()["panic"]) < 4096 for rip in ours),
              "none near panic()")
