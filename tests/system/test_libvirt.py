# SPDX-License-Identifier: MIT
"""libvirt: virsh -c xen:///system with Debian's libvirtd and its Xen driver."""

import re
import subprocess

from suite import BUILD, DOM0_OPTIONS, TOP, Suite, check, wait_until
from xencore import Core, entry_bytes

VIRSH = "virsh -q -c xen:///system"
LOG = "/var/log/libvirt/libvirtd.log"
# Where libvirtd puts the core of a guest that crashes.
DUMPS = "/var/lib/libvirt/libxl/dump"
# Has a core written, and says in what states xl saw the guest meanwhile.
WATCHED_DUMP = f"""touch /tmp/look
while [ -e /tmp/look ]; do xl list dumped; done >/tmp/seen 2>/dev/null &
{VIRSH} dump %s dumped /tmp/dumped.core 2>&1 || exit 1
rm /tmp/look
wait
awk '$1 == \"dumped\" {{print $5}}' /tmp/seen"""


class Libvirt(Suite):
    """One Dom0 with libvirtd, one guest of its own."""

    long = True
    weight = 120

    def setup(self):
        subprocess.run([TOP / "scripts/fetch-libvirt"], check=True, cwd=TOP)
        subprocess.run([TOP / "scripts/mk-libvirt", "--build", BUILD],
                       check=True, stdout=subprocess.DEVNULL)
        self.boot(modules=[(self.kernel, DOM0_OPTIONS),
                           (BUILD / "dom0/initramfs-libvirt.img", "")],
                  memory="1536M")
        self.vm.dom0("LIBVIRT_LOG_OUTPUTS='2:file:" + LOG + "' libvirtd -d", 120)
        wait_until(self.vm, "[ -S /run/libvirt/libvirt-sock ]", 60)

    def virsh(self, words, seconds=120):
        """Return what virsh says."""
        rc, text = self.vm.dom0_cmd(f"{VIRSH} {words} 2>&1", seconds)
        if rc != 0:
            _, log = self.vm.dom0_cmd(f"tail -n 8 {LOG}")
            check(False, f"virsh {words}: {text[-400:]}\nlibvirtd: {log}")
        return text

    def test_host(self):
        """It connects, and knows the hypervisor and the machine."""
        text = self.virsh("version")
        check(re.search(r"Running hypervisor: Xen 4\.17\.0", text), text)
        text = self.virsh("nodeinfo")
        check(re.search(r"CPU model:\s+x86_64", text) and
              re.search(r"CPU\(s\):\s+1\b", text), text)
        text = self.virsh("capabilities")
        check("<machine>xenpv</machine>" in text and
              "<domain type='xen'" in text, text[:800])

    def test_list(self):
        """Dom0 is there, and runs."""
        text = self.virsh("list --all")
        check(re.search(r"^\s*0\s+Domain-0\s+running", text, re.M), text)
        text = self.virsh("dominfo Domain-0")
        check(re.search(r"Id:\s+0\n", text) and
              re.search(r"State:\s+running", text), text)

    def test_from_native(self):
        """A guest of xl's becomes one of libvirt's."""
        self.vm.dom0("sed 's/^name.*/name = \"native\"/' /etc/xen/hello.cfg "
                     ">/tmp/native.cfg")
        text = self.virsh("domxml-from-native xen-xl /tmp/native.cfg "
                          ">/tmp/native.xml; cat /tmp/native.xml")
        check("<name>native</name>" in text and
              "<kernel>/stubs/hello</kernel>" in text and
              "<cmdline>hold</cmdline>" in text, text)
        self.virsh("define /tmp/native.xml")
        text = self.virsh("list --all")
        check(re.search(r"-\s+native\s+shut off", text), text)

    def test_start(self):
        """It runs, xl sees it, and its console speaks."""
        self.vm.dom0(f"{VIRSH} event --all --loop --timeout 300 "
                     ">/tmp/events 2>&1 &")
        self.virsh("start native")
        text = self.virsh("dominfo native")
        check(re.search(r"State:\s+(running|idle|no state|blocked)", text) and
              re.search(r"Used memory:\s+16384 KiB", text), text)
        text = self.vm.dom0("xl list native")
        check(re.search(r"native\s+\d+\s+16\s+1\s", text), text)
        wait_until(self.vm, "grep -q 'STUB hello: SUCCESS' "
                   "/var/log/xen/console/guest-native.log", 40)

    def test_suspend(self):
        """Paused and running again."""
        self.virsh("suspend native")
        check("paused" in self.virsh("domstate native"), "it is not paused")
        self.virsh("resume native")
        check("paused" not in self.virsh("domstate native"), "it is paused")

    def core(self, path, stub):
        """Return the core of a guest that is this stub: all of its memory, and
        what its page tables say of it is true."""
        core = Core(self.vm, path)
        check(core.vcpus == 1 and 4000 <= core.pages <= 4096,
              f"{core.vcpus} vcpus, {core.pages} pages")
        address, want = entry_bytes(BUILD / "guest-stubs" / stub)
        check(core.memory(address, len(want)) == want,
              f"{path}: its program is not at {address:x}")
        check(core.in_hypercall(), f"{path}: {core.registers()}")
        self.vm.dom0(f"rm {path}")
        return core

    def from_native(self, stub, name, words=""):
        """Make /tmp/NAME.xml of a stub's configuration; words: for sed."""
        self.vm.dom0(f"sed 's/^name.*/name = \"{name}\"/; {words}' "
                     f"/etc/xen/{stub}.cfg >/tmp/{name}.cfg")
        self.virsh(f"domxml-from-native xen-xl /tmp/{name}.cfg >/tmp/{name}.xml")

    def dump(self, option):
        """Have a core written.  Return: the states it was in meanwhile."""
        text = self.vm.dom0(WATCHED_DUMP.replace("\n", "; ").replace("&;", "&")
                            % option, 120)
        states = re.findall(r"^[-rbpscd]{6}$", text, re.M)
        check(states, f"it was not seen: {text}")
        self.core("/tmp/dumped.core", "suspend")
        return states

    def test_dump(self):
        """It stands while its core is written, and runs on."""
        self.from_native("suspend", "dumped")
        self.virsh("create /tmp/dumped.xml")
        wait_until(self.vm, "grep -q 'suspend: round' "
                   "/var/log/xen/console/guest-dumped.log", 40)
        states = self.dump("")
        check(any("p" in state for state in states), f"never paused: {states}")
        check("running (unpaused)" in self.virsh("domstate --reason dumped") and
              "p" not in self.vm.dom0("xl list dumped | awk 'END {print $5}'"),
              "it does not go on")

    def test_dump_live(self):
        """It never stands."""
        states = self.dump("--live")
        check(not any("p" in state for state in states), f"paused: {states}")
        check("running" in self.virsh("domstate dumped"), "it has ended")

    def test_dump_crash(self):
        """It ends when its core is written, as one that crashed."""
        self.dump("--crash")
        check("dumped" not in self.virsh("list --all"), "it is still there")
        rc, _ = self.vm.dom0_cmd("xl list dumped")
        check(rc != 0, "xl still has it")
        wait_until(self.vm, "grep 'dumped' /tmp/events | grep -q 'Stopped "
                   "Crashed'", 30)

    def crash(self, action):
        """Define and start a guest that crashes at once."""
        self.from_native("crash", "crasher",
                         f"s/^on_crash.*/on_crash = \"{action}\"/")
        check(f"<on_crash>{action}</on_crash>" in
              self.vm.dom0("cat /tmp/crasher.xml"), "another action")
        self.virsh("define /tmp/crasher.xml")
        self.virsh("start crasher")

    def test_on_crash_destroy(self):
        """coredump-destroy: its core has its last registers; it is off."""
        self.crash("coredump-destroy")
        # libvirtd says that it is off before it begins to write.
        wait_until(self.vm, "! xl domid crasher 2>/dev/null", 60)
        text = self.virsh("domstate --reason crasher")
        check("shut off (crashed)" in text, text)
        names = self.vm.dom0(f"ls {DUMPS}").split()
        check(len(names) == 1 and names[0].startswith("crasher-"), f"{names}")
        found = self.core(f"{DUMPS}/{names[0]}", "crash").registers()
        check([found[f"r{n}"] for n in range(12, 16)] ==
              [0xc0ffee00 + n for n in (0x12, 0x13, 0x14, 0x15)], f"{found}")
        self.virsh("undefine crasher")

    def test_on_crash_restart(self):
        """coredump-restart: it begins anew, each time with a core; then it is
        told to end."""
        self.crash("coredump-restart")
        wait_until(self.vm, f"[ $(ls {DUMPS} | wc -l) -ge 3 ]", 90)
        self.virsh("destroy crasher")
        check("shut off" in self.virsh("domstate crasher"), "it is not off")
        names = self.vm.dom0(f"ls {DUMPS}").split()
        for name in names[:2]:
            self.core(f"{DUMPS}/{name}", "crash")
        self.vm.dom0(f"rm -f {DUMPS}/*")
        self.virsh("undefine crasher")

    def test_vcpuinfo(self):
        text = self.virsh("vcpuinfo native")
        check(re.search(r"VCPU:\s+0\n", text) and
              re.search(r"CPU Affinity:\s+y", text), text)

    def test_destroy(self):
        """Gone from both lists; the definition stays."""
        self.virsh("destroy native")
        rc, _ = self.vm.dom0_cmd("xl list native")
        check(rc != 0, "xl still has it")
        text = self.virsh("list --all")
        check(re.search(r"-\s+native\s+shut off", text), text)

    def test_events(self):
        """Each of these things was an event."""
        wait_until(self.vm, "grep -q Stopped /tmp/events", 30)
        text = self.vm.dom0("cat /tmp/events")
        for word in ("Started Booted", "Suspended Paused", "Resumed Unpaused",
                     "Stopped Destroyed"):
            check(re.search(f"'lifecycle' for domain '?native'?: {word}", text),
                  f"no '{word}' in: {text}")

    def test_powers_off(self):
        """A guest that ends by itself is an event, too."""
        self.vm.dom0("sed -i '/<cmdline>/d' /tmp/native.xml")
        self.virsh("define /tmp/native.xml")
        self.virsh("start native")
        wait_until(self.vm, f"{VIRSH} domstate native | grep -q 'shut off'", 60)
        self.virsh("undefine native")
        text = self.virsh("list --all")
        check("native" not in text, text)
