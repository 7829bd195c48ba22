# SPDX-License-Identifier: MIT
"""libvirt: virsh -c xen:///system with Debian's libvirtd and its Xen driver."""

import re
import subprocess

from suite import BUILD, DOM0_OPTIONS, TOP, Suite, check, wait_until

VIRSH = "virsh -q -c xen:///system"
LOG = "/var/log/libvirt/libvirtd.log"


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

    def test_dump(self):
        """A core of a guest that says where its pages are; it runs on."""
        self.vm.dom0("sed 's/^name.*/name = \"dumped\"/' /etc/xen/suspend.cfg "
                     ">/tmp/dumped.cfg")
        self.virsh("domxml-from-native xen-xl /tmp/dumped.cfg >/tmp/dumped.xml")
        self.virsh("create /tmp/dumped.xml")
        wait_until(self.vm, "grep -q 'suspend: round' "
                   "/var/log/xen/console/guest-dumped.log", 40)
        self.virsh("dump --live dumped /tmp/dumped.core")
        text = self.vm.dom0("head -c 4 /tmp/dumped.core | tail -c 3; echo; "
                            "stat -c %s /tmp/dumped.core; rm /tmp/dumped.core")
        name, size = text.split()
        check(name == "ELF" and int(size) >= 15 << 20, text)
        check("running" in self.virsh("domstate dumped"), "it has ended")
        self.virsh("destroy dumped")
        check("dumped" not in self.virsh("list --all"), "it is still there")

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
