# SPDX-License-Identifier: MIT
"""From power-on to Dom0's shell, and out again."""

import re

from suite import (PACKED, Suite, check, create, destroy, is_vigil, need_vigil,
                   wait_until)

# What a healthy Dom0 kernel never logs.  ("WARNING: See ..." is Linux's advice
# about a processor's known weaknesses, the same on bare metal.)
TROUBLE = (r"WARNING: CPU|BUG:|kernel BUG|Oops|general protection|Call Trace|"
           r"unhandled|soft lockup|rcu.*stall|invalid opcode")


class BootChecks(Suite):
    """What must hold after every boot; not itself a suite of cases."""

    def is_control_domain(self):
        """Linux's own word for it."""
        text = self.vm.dom0("cat /proc/xen/capabilities")
        check("control_d" in text.split(), f"capabilities are '{text}'")

    def log_is_clean(self):
        """No WARN or BUG in Dom0's log."""
        text = self.vm.dom0("dmesg", 60)
        bad = [line for line in text.split("\n") if re.search(TROUBLE, line)]
        check(not bad, "Dom0's log: " + " | ".join(bad[:5]))
        check("DOM0-FAIL" not in self.vm.text, "a step of Dom0's init failed")


class BootIso(BootChecks):
    """GRUB's lines as Debian writes them; power off."""

    weight = 40

    def setup(self):
        self.vm = self.boot_iso()

    def test_reaches_dom0(self):
        """setup() came this far."""

    def test_options_reach_dom0(self):
        text = self.vm.dom0("cat /proc/cmdline")
        check("console=hvc0" in text, f"Dom0's command line is '{text}'")
        check("placeholder" not in text.split()[1:],
              f"Dom0's command line is '{text}'")

    def test_control_domain(self):
        self.is_control_domain()

    def test_log_is_clean(self):
        self.log_is_clean()

    def test_console_input(self):
        """Every byte typed arrives once and in order."""
        word = "".join(chr(ord("a") + i % 26) for i in range(300))
        text = self.vm.dom0(f"echo {word} | md5sum; echo {word}")
        check(word in text, "300 letters typed came back differently")

    def test_version(self):
        text = self.vm.dom0("cat /sys/hypervisor/version/major "
                            "/sys/hypervisor/version/minor "
                            "/sys/hypervisor/version/extra")
        check(text.split()[:2] == ["4", "17"], f"version is {text.split()}")
        need_vigil()
        check("vigil" in text, f"version is {text.split()}")

    def test_memory(self):
        """Dom0 has what dom0_mem= gave it."""
        text = self.vm.dom0("head -n 1 /proc/meminfo")
        size = int(text.split()[1])
        check(480 * 1024 < size <= 640 * 1024, f"MemTotal is {size} KiB")

    def test_poweroff(self):
        """Dom0's AML says which sleep type is S5, Vigil writes it."""
        self.vm.send("poweroff -f")
        code = self.vm.wait_exit(40)
        check(code == 0, f"QEMU ended with {code}")
        if is_vigil():
            check("control domain switches the machine off" in self.vm.text,
                  "Dom0 did not ask for S5")


class BootEpyc(BootChecks):
    """SMEP, SMAP and UMIP as an EPYC has them; reboot."""

    weight = 35
    kernel = PACKED

    def setup(self):
        if type(self) is BootEpyc:
            need_vigil()    # Debian's Xen cannot, under QEMU's TCG
        self.boot(cpu="EPYC", resets=True)

    def test_control_domain(self):
        self.is_control_domain()

    def test_log_is_clean(self):
        self.log_is_clean()

    def test_user_programs(self):
        """Many system calls and page faults of user space."""
        text = self.vm.dom0("for i in 1 2 3 4 5 6 7 8 9 10; do "
                            "dd if=/dev/zero bs=64k count=64 2>/dev/null | "
                            "md5sum; done | sort -u | wc -l", 120)
        check(text.strip() == "1", f"ten equal sums gave {text} values")

    def test_reboot(self):
        self.vm.send("reboot -f")
        self.vm.wait_event("RESET", 40)
        self.vm.expect(r"^\(XEN\) |Xen version|Vigil", 40, fail=None)


class BootMax(BootChecks):
    """Everything QEMU's TCG can emulate; two nodes, one without a processor."""

    weight = 40
    kernel = PACKED
    nodes = ("-object", "memory-backend-ram,id=near,size=640M",
             "-object", "memory-backend-ram,id=far,size=384M",
             "-numa", "node,nodeid=0,cpus=0,memdev=near",
             "-numa", "node,nodeid=1,memdev=far",
             "-numa", "dist,src=0,dst=1,val=21")

    def setup(self):
        need_vigil()
        self.boot(cpu="max", extra=self.nodes)

    def test_control_domain(self):
        self.is_control_domain()

    def test_log_is_clean(self):
        self.log_is_clean()

    def numa_info(self):
        """Return xl's words: MiB of each node, free MiB of each, of all."""
        text = self.vm.dom0("xl info -n")
        check(re.search(r"^nr_nodes\s*: 2$", text, re.M), text)
        check(re.search(r"^ *0: +0 +0 +0$", text, re.M),
              f"CPU 0 is not on node 0: {text}")
        nodes = re.findall(r"^ *(\d): +(\d+) +(\d+) +(\d+),(\d+)$", text, re.M)
        check([node[0] for node in nodes] == ["0", "1"], text)
        check([node[3:] for node in nodes] == [("10", "21"), ("21", "10")],
              text)
        free = int(re.search(r"^free_memory\s*: (\d+)", text, re.M).group(1))
        return ([int(node[1]) for node in nodes],
                [int(node[2]) for node in nodes], free)

    def test_numa(self):
        """Each node's memory, free memory and distance are the machine's."""
        size, free, total_free = self.numa_info()
        check(636 <= size[0] <= 640 and 380 <= size[1] <= 384,
              f"the nodes have {size} MiB")
        check(abs(sum(free) - total_free) <= 2, f"{free} free by node, "
              f"{total_free} MiB in all")
        create(self.vm, "hello", "hold")
        _, less, total_less = self.numa_info()
        check(sum(less) + 4 < sum(free), f"{free} free before a guest came, "
              f"{less} with it")
        check(abs(sum(less) - total_less) <= 2, f"{less} free by node, "
              f"{total_less} MiB in all")
        destroy(self.vm, "hello")
        wait_until(self.vm, "[ $(xl list | wc -l) = 2 ]")
        _, again, _ = self.numa_info()
        check(abs(sum(again) - sum(free)) <= 2, f"{free} free before a guest "
              f"came, {again} when it has gone")

    def test_poweroff(self):
        self.vm.send("poweroff -f")
        self.vm.wait_exit(40)


class Speculation(Suite):
    """The code that boot changes by spec-ctrl= serves guests either way."""

    weight = 20

    def with_option(self, option, said, unsaid=()):
        """Exceptions, hypercalls, NMIs with one choice; the log names it."""
        need_vigil()
        for stub in ("selftest", "nmi"):
            vm = self.boot_stub(stub, options=option)
            try:
                line = vm.expect(r"cpu: speculation: .*", 20).group(0)
                self.stub_verdict(vm, stub)
            finally:
                vm.close()
            for word in said:
                check(word in line, f"{option}: {word} missing: {line}")
            for word in unsaid:
                check(word not in line, f"{option}: {word} in: {line}")

    def test_default(self):
        self.with_option("", ("retpoline", "RSB stuffing"))

    def test_none(self):
        self.with_option("spec-ctrl=no", ("branches jmp",), ("RSB",))

    def test_lfence_without_rsb(self):
        self.with_option("spec-ctrl=no-rsb,bti-thunk=lfence",
                         ("branches lfence",), ("RSB",))

    def test_one_on_again(self):
        self.with_option("spec-ctrl=no,rsb", ("branches jmp", "RSB stuffing"))


class Options(Suite):
    """Options keep Xen's names; an unknown one is named in the log."""

    weight = 10

    def setup(self):
        self.vm = self.boot_stub("hello", options="no-such-option=17 "
                                 "dom0_mem=64M loglvl=all noreboot")
        self.named = self.vm.expect(r"unknown option.*", 20).group(0)

    def test_stub_as_dom0(self):
        self.stub_verdict(self.vm, "hello")

    def test_unknown_option_is_named(self):
        need_vigil()
        check("no-such-option" in self.named, f"the log says {self.named}")
