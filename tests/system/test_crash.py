# SPDX-License-Identifier: MIT
"""Crashes of Dom0 and of the hypervisor: the next boot has the record.

One machine that resets again and again; each case is the story of one crash.
"""

import re

from suite import Suite, check, crash_records, need_vigil


class Crashes(Suite):
    """Warm resets inside one QEMU; no cases of its own."""

    def setup(self):
        need_vigil()
        self.boot(options="vigil_provoke=1", resets=True)

    def box(self, kind, words):
        """After the reset: find the one record and return its text."""
        found = crash_records(self.vm, kind, wait=True)
        check(len(found) == 1, f"records of kind {kind}: {found}")
        text = self.vm.dom0(f"vigil crash show {found[0]['id']}")
        check(re.search(words, text, re.I), f"no /{words}/ in {text[:600]}")
        return text

    def has_backtrace(self, text):
        """At least one symbolised frame, and the registers."""
        check(re.search(r"\w+\+0x[0-9a-f]+/0x[0-9a-f]+", text),
              f"no symbolised backtrace in: {text[:1200]}")
        check(re.search(r"\brip\b", text, re.I), "no registers")

    def provoke(self, kind, banner=r"Panic on CPU \d"):
        """Break the hypervisor and come back."""
        self.vm.send(f"vigil debug provoke {kind}")
        self.vm.expect(banner, 30, fail=None)
        self.vm.wait_dom0(120, fail=None)


class Crash(Crashes):
    """Who dies, and how deep in trouble."""

    weight = 120

    def test_dom0_panic(self):
        self.vm.send("echo c >/proc/sysrq-trigger")
        self.vm.expect(r"Kernel panic - not syncing", 30, fail=None)
        self.vm.wait_dom0(120, fail=None)
        self.box("dom0", r"crash|panic")

    def test_dom0_log_is_kept(self):
        """The record has the hypervisor's log of the boot that died."""
        records = self.vm.dom0("ls -d /var/lib/vigil/crash/*").split("\n")
        text = self.vm.dom0(f"cat {records[-1]}/hypervisor.txt")
        check(len(text) > 500, f"hypervisor.txt is '{text[:200]}'")

    def test_hypervisor_panic(self):
        self.provoke("panic")
        text = self.box("host", r"provoke|panic")
        self.has_backtrace(text)
        check(re.search(r"^on cpu 0, in hypervisor, ", text, re.M)
              and re.search(r"^cpu 0 died, in hypervisor, rip ", text, re.M),
              f"not what it was in the middle of: {text[:1200]}")

    def test_panic_inside_panic(self):
        self.provoke("nested")
        self.box("host", r"panic|provoke|nested")

    def test_stack_overflow(self):
        """A double fault on its own stack still leaves a record."""
        self.provoke("stack", r"Panic on CPU \d|[Dd]ouble fault")
        self.box("host", r"double fault|#DF|stack")

    def test_debug_key(self):
        """Stock xl's debug key C breaks the hypervisor, too."""
        self.vm.send("xl debug-keys C")
        self.vm.expect(r"Panic on CPU \d", 30, fail=None)
        self.vm.wait_dom0(120, fail=None)
        self.box("host", r"debug key C")

    def test_clean_reboot_is_no_crash(self):
        self.vm.send("reboot -f")
        self.vm.wait_dom0(150, fail=None)
        rc, text = self.vm.dom0_cmd("usleep 5000000; vigil crash list")
        check(not re.search(r"\b(host|dom0)\b", text), text)


class CrashKinds(Crashes):
    """What else a hypervisor dies of."""

    weight = 60
    long = True

    def test_unhandled_exception(self):
        self.provoke("exception")
        self.has_backtrace(self.box("host", r"exception|trap|#UD|opcode"))

    def test_page_fault(self):
        self.provoke("page-fault")
        self.has_backtrace(self.box("host", r"page fault|#PF"))
