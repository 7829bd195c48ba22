# SPDX-License-Identifier: MIT
"""Real NMIs, raised through QMP."""

import re
import time

from gdbstub import RIP, Debugger, symbols
from suite import Suite, check, figure, is_vigil, need_vigil, wait_until

LINUX = "NMI received for unknown reason"
NMI = "NMI on CPU 0: "
NEAR = 2000     # instructions
BLOCKED = 5000
VECTOR_RESCHEDULE = 0xf1        # hypervisor/cpu/lapic.h
VIGIL = 0xffff82d0              # where it lies, the upper half of an address


def inject_and_wait(vm):
    """Raise an NMI and wait until it is taken: two at once would merge."""
    before = vm.text.count(NMI)
    vm.inject_nmi()
    if is_vigil():
        vm.wait_count(NMI, before + 1)
    else:
        time.sleep(2)


class NmiDom0(Suite):
    """nmi=dom0: Linux is told, once for each."""

    weight = 25

    def setup(self):
        self.boot(options="nmi=dom0")

    def count(self):
        """How many NMIs Dom0's kernel has logged."""
        return int(self.vm.dom0_cmd(f"dmesg | grep -c '{LINUX}'")[1])

    def test_one_each(self):
        check(self.count() == 0, "NMIs before the first injection")
        for number in range(1, 6):
            self.vm.inject_nmi()
            wait_until(self.vm, f"[ $(dmesg | grep -c '{LINUX}') -ge "
                       f"{number} ]")
            check(self.count() == number,
                  f"{number} injected, {self.count()} logged")

    def test_while_busy(self):
        """While Dom0 computes in user space and in its kernel."""
        before = self.count()
        self.vm.dom0("(dd if=/dev/zero bs=4k count=60000 | md5sum) "
                     ">/dev/null 2>&1 &")
        for _ in range(10):
            inject_and_wait(self.vm)
        wait_until(self.vm, f"[ $(dmesg | grep -c '{LINUX}') -ge "
                   f"{before + 10} ]")
        check(self.count() == before + 10,
              f"10 injected, {self.count() - before} logged")

    def count_to_handler(self, handler):
        """Return the instructions from its door to Linux's own, from a guest or
        an idle CPU: what else the hypervisor was doing would come on top of that.
        Steps hold off the IPI that brings it back from a guest: go there."""
        where, before = symbols(), self.count()
        said = self.vm.text.count(NMI)
        ipi = where["entry_stub_base"] + 16 * VECTOR_RESCHEDULE

        def there(registers):
            return registers[RIP] == handler or registers[RIP] >> 32 != VIGIL

        with Debugger(self.vm) as debugger:
            self.vm.run_until(r"CPL=3|HLT=1")
            self.vm.inject_nmi()
            debugger.run_to(where["entry_nmi"])
            steps = debugger.count_steps(4 * NEAR, there)
            if debugger.registers()[RIP] != handler:
                debugger.run_to(ipi)
                steps += 1 + debugger.count_steps(4 * NEAR, there)
            check(debugger.registers()[RIP] == handler, "the guest went on first")
        # The next is not to come while this one's line goes out by a serial line
        # that is asked for each byte: a softirq, which Dom0's handler waits for.
        self.vm.wait_count(NMI, said + 1)
        wait_until(self.vm, f"[ $(dmesg | grep -c '{LINUX}') = {before + 1} ]")
        return steps

    def test_to_handler(self):
        """How far it is to the first instruction of Linux's handler."""
        need_vigil()
        text = self.vm.dom0("grep xen_asm_xenpv_exc_nmi /proc/kallsyms")
        handler = int(text.split()[0], 16)
        found = [self.count_to_handler(handler)]
        self.vm.dom0("(while :; do :; done) >/dev/null 2>&1 & "
                     "echo $! >/tmp/busy")
        found += [self.count_to_handler(handler) for _ in range(3)]
        self.vm.dom0("kill $(cat /tmp/busy)")
        print(f"# NMI to Linux's handler: {found} instructions", flush=True)
        figure("instructions from an NMI to Linux's handler", max(found), most=NEAR)

    def test_backtrace_blocks(self):
        """Whoever is asked where it is has NMIs blocked only to keep that."""
        need_vigil()
        where = symbols()
        self.vm.dom0("(sleep 2; vigil backtrace host >/tmp/where) "
                     ">/dev/null 2>&1 &")
        with Debugger(self.vm) as debugger:
            debugger.run_to(where["dump_cpus"], 30)
            debugger.run_to(where["entry_nmi"])
            steps = 1 + debugger.count_steps(
                4 * BLOCKED, lambda registers: registers[RIP] == where["nmi_iretq"])
        figure("instructions with NMIs blocked for a backtrace", steps, most=BLOCKED)
        wait_until(self.vm, "grep -q 'all-CPU dump: 1 of 1' /tmp/where")
        text = self.vm.dom0("cat /tmp/where")
        check("do_vigil_op+" in text and "late" not in text, text)

    def test_reason_is_cleared(self):
        """The reason Linux prints is that of an unknown NMI."""
        text = self.vm.dom0(f"dmesg | grep '{LINUX}'")
        reasons = set(re.findall(r"reason ([0-9a-f]+)", text))
        check(len(reasons) == 1, f"reasons {reasons}")

    def test_logged_by_hypervisor(self):
        need_vigil()
        text = self.vm.dom0("xl dmesg | grep -i nmi | tail -n 5")
        check(text.strip(), "the hypervisor's log does not mention an NMI")

    def test_counted(self):
        need_vigil()
        text = self.vm.dom0("vigil info")
        check(re.search(r"nmi", text, re.I), text)

    def test_dom0_survived(self):
        check(self.vm.dom0("echo fine").strip() == "fine", "no shell")


class NmiPolicy(Suite):
    """nmi=fatal and nmi=ignore, with a stub as Dom0."""

    weight = 15

    def test_fatal(self):
        vm = self.boot_stub("hello", "hold", options="nmi=fatal noreboot")
        self.stub_verdict(vm, "hello")
        vm.inject_nmi()
        vm.expect(r"Panic on CPU \d|FATAL TRAP", 20, fail=None)
        if is_vigil():
            vm.expect(r"Halted: ", 20, fail=None)
        check("NMI" in vm.text, "the panic does not name the NMI")
        vm.close()

    def test_ignore(self):
        vm = self.boot_stub("hello", "hold", options="nmi=ignore noreboot")
        self.stub_verdict(vm, "hello")
        for _ in range(3):
            inject_and_wait(vm)
        check(vm.running, "the machine ended")
        check("Panic" not in vm.text, "it panicked")
        vm.close()

    def test_another_cpu(self):
        """CPU 1 has the NMI line: told each with its reason, which is cleared."""
        need_vigil()
        vm = self.boot_stub("nmi", "wait=3", label="another", smp=2,
                            options="nmi=dom0 nmi_cpu=1 noreboot")
        vm.expect("nmi: ready", 60)
        for number in range(1, 4):
            vm.inject_nmi()
            vm.expect(f"nmi: count={number} reason=4", 20)
        vm.expect("nmi: one of our own: reason=0", 20)
        self.stub_verdict(vm, "nmi")
        seen = re.findall(r"NMI on CPU (\d): unknown source", vm.text)
        check(seen == ["1"] * 3, f"NMIs on {seen}")
        vm.close()

    def test_no_such_cpu(self):
        """Then the first one has it, and the log says so."""
        need_vigil()
        vm = self.boot_stub("hello", "hold", label="none",
                            options="nmi=ignore nmi_cpu=5")
        self.stub_verdict(vm, "hello")
        check("boot: nmi_cpu=5 is not online: CPU 0 has the NMI line" in vm.text,
              "no word of it")
        inject_and_wait(vm)
        vm.close()
