# SPDX-License-Identifier: MIT
"""Debian's kernel as a guest of two vcpus, by our tool and by Debian's xl."""

import re

from linux_guest import dom0_initramfs
from suite import (BUILD, DOM0_OPTIONS, Suite, check, crash_records, is_vigil,
                   need_vigil, tool, wait_console, wait_until)

CONFIG = "/guest/linux.cfg"


class LinuxGuest(Suite):
    """One Dom0, the same guest again and again."""

    weight = 80

    def setup(self):
        image = BUILD / "test/LinuxGuest.img"
        dom0_initramfs(BUILD, image)
        # The other suites have Dom0 choose, which takes version 1 of the grants.
        self.boot(modules=[(self.kernel,
                            DOM0_OPTIONS + " grant_table.version=2"),
                           (image, "")])

    def create(self, who, **more):
        """Start it and wait until its init has run."""
        words = "".join(f" '{key}=\"{value}\"'" for key, value in more.items())
        self.vm.dom0("rm -f /var/log/xen/console/guest-linux.log")
        self.vm.dom0(f"{who} create {CONFIG}{words}", 60)

    def up(self):
        """Its own words: kernel, vcpus, no complaint in its log."""
        text = wait_console(self.vm, "linux", "GUEST-FORKED", 60)
        check(re.search(r"GUEST-UP 6\.1\.\S+ cpus=2 type=xen", text), text)
        check("GUEST-FORKED 200" in text, text)
        check("GUEST-TROUBLE" not in text, text)

    def gone(self):
        """Nothing of it is left."""
        wait_until(self.vm, "! xl domid linux", 60)

    def test_boots(self):
        self.create(tool())
        self.up()
        text = self.vm.dom0("xl list linux")
        check(re.search(r"^linux\s+\d+\s+192\s+2\s", text, re.M), text)

    def versions(self, guest):
        """Dom0 has version 2 of the grants, the guest this one; console and
        store are in use in the guest's."""
        need_vigil()
        text = self.vm.dom0("dmesg | grep 'Grant tables'")
        check("Grant tables using version 2 layout" in text, text)
        domid = self.vm.dom0("xl domid linux").split()[0]
        text = self.vm.dom0("xl debug-keys g; xl dmesg | tail -n 40")
        own = re.search(rf"grant table of d{domid}: version (\d), .*\n"
                        r"(?:.*  ref [01]: .*\n)*", text)
        check(own and own.group(1) == str(guest), text)
        check(re.search(r"  ref [01]: .* d0, mfn \w+, readers 0, writers [1-9]",
                        own.group(0)), text)

    def test_grants(self):
        """A guest that chooses takes version 1, beside a Dom0 that has 2."""
        self.versions(1)

    def test_console(self):
        """What Dom0 types on its console, it hears."""
        need_vigil()
        # Its answer may take longer than the five seconds: again, then.
        wait_until(self.vm, "echo hello | vigil console linux --timeout 5 | "
                   "grep 'GUEST-HEARD hello'", 60)

    def test_backtrace(self):
        """Its two vcpus idle; names and addresses are those it says itself."""
        need_vigil()
        self.vm.dom0("echo 'run grep -wE \"do_idle|cpu_startup_entry\" "
                     "/proc/kallsyms' >$(xenstore-read "
                     "/local/domain/$(xl domid linux)/console/tty)")
        said = wait_console(self.vm, "linux", r"[0-9a-f]{16} t do_idle", 30)
        real = {name: int(address, 16) for address, name in
                re.findall(r"([0-9a-f]{16}) [tT] (\w+)", said)}
        answer = self.vm.dom0_json("vigil backtrace linux --json", 120)
        vcpus = answer["vcpus"]
        check(len(vcpus) == 2, f"{answer}")
        text = "\n".join(line for v in vcpus for line in
                         [v["rip"], *v["frames"]])
        check(re.search(r"^\[<\w+>\] xen_hypercall_\w+\+", text, re.M), text)
        found = re.findall(r"\[<(\w+)>\] \? (\w+)\+0x(\w+)", text)
        names = {name for _, name, _ in found}
        check({"do_idle", "cpu_startup_entry"} <= names, text)
        for at, name, offset in found:
            if name in real:
                check(int(at, 16) - int(offset, 16) == real[name],
                      f"{name} is at {real[name]:#x}, not as in {at}")
        # It goes on afterwards.
        check(" 192 " in self.vm.dom0("xl list linux"), "it is gone")
        plain = self.vm.dom0("vigil backtrace linux", 120)
        check(re.search(r"^vcpu 1: \w+, in (kernel|user) mode", plain, re.M),
              plain)

    def test_shutdown(self):
        """The guest's kernel powers itself off when asked."""
        self.vm.dom0(f"{tool()} shutdown -w linux", 180)
        self.gone()

    def test_xl_creates_it(self):
        """From Debian's own file; and it takes version 2 of the grants."""
        self.create("xl", kernel="/guest/vmlinuz",
                    extra="console=hvc0 quiet grant_table.version=2")
        self.up()
        if is_vigil():
            self.versions(2)

    def test_crash(self):
        """Its panic is recorded, with the last words of its console."""
        need_vigil()
        self.vm.dom0("echo 'run echo c >/proc/sysrq-trigger' >$(xenstore-read "
                     "/local/domain/$(xl domid linux)/console/tty)")
        found = crash_records(self.vm, "guest", wait=True)
        check(len(found) == 1, f"records {found}")
        # As bytes: the hypervisor may speak in the middle of a line of text.
        text = self.vm.dom0_bytes(f"vigil crash show {found[0]['id']}").decode()
        # The panic's first line may lie above the tail that is kept: the last
        # line must be in the record, the first one in the console's log.
        check("Kernel Offset: " in text, f"no last words in: {text[-600:]}")
        text = self.vm.dom0_bytes(
            "cat /var/log/xen/console/guest-linux.log").decode()
        check("Kernel panic - not syncing: sysrq" in text, text[-600:])
        self.gone()

    def test_memory_comes_back(self):
        """Some lives later the machine has as much free memory as before."""
        before = int(self.vm.dom0("xl info free_memory"))
        for _ in range(4):
            self.vm.dom0(f"{tool()} create /etc/xen/hello.cfg >/dev/null; "
                         f"{tool()} destroy hello", 60)
        for _ in range(100):
            now = int(self.vm.dom0("usleep 200000; xl info free_memory"))
            if now >= before - 1:
                return
        check(False, f"{before} MiB before, {now} MiB after")

    def test_log_is_clean(self):
        text = self.vm.dom0("dmesg | grep -E 'WARNING:|BUG:' ; true")
        check(text.strip() == "", text)
