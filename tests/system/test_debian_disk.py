# SPDX-License-Identifier: MIT
"""Debian 12 on a disk as Dom0: what a person does who lives in it.

The disk of `make dom0-disk` starts through its own GRUB.  What is written to it is
forgotten at the end, but is there after a reboot within the suite.
"""

import functools
import hashlib
import http.server
import os
import re
import subprocess
import threading

import debian
from suite import BUILD, TOP, Suite, check, require

VIGIL = "4.17-vigil-amd64"
IMAGE = f"/boot/xen-{VIGIL}.gz"
PACKAGES = ("vigil-hypervisor", "vigil-tools")
# Debian's own, with what makes it the default; scripts/fetch downloads them.
XEN_PACKAGES = ("xen-hypervisor-4.17-amd64", "xen-hypervisor-common")
XEN = "xen-4.17-amd64.gz"
# The title of the menu's entry, as docs/hardware.md has it.
ENTRY = ("Advanced options for Debian GNU/Linux (with Xen hypervisor)"
         f">Xen hypervisor, version {VIGIL}>0")


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        """Requests are no news."""


class DebianDisk(Suite):
    """One machine from power-on to power-off."""

    weight = 1200
    long = True
    cpus = 1

    def setup(self):
        """Make the disk and a newer package; boot, log in."""
        debian.make("dom0-disk")
        require(BUILD / "guest-stubs/hello")
        self.outside = BUILD / f"test/{type(self).__name__}-files"
        self.outside.mkdir(parents=True, exist_ok=True)
        (self.outside / "noise").write_bytes(os.urandom(1 << 20))
        (self.outside / "hello").write_bytes(
            (BUILD / "guest-stubs/hello").read_bytes())
        subprocess.run([TOP / "scripts/mk-deb", "-o", self.outside / "newer",
                        "-V", "4.17.0+29990101.000000"], check=True,
                       stdout=subprocess.DEVNULL)
        debs = list(self.outside.glob("newer/*.deb"))
        for name in XEN_PACKAGES:
            debs += (BUILD / "cache/debs").glob(f"{name}_*.deb")
        for deb in debs:
            (self.outside / f"{deb.name.split('_')[0]}.deb").write_bytes(
                deb.read_bytes())
        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0),
            functools.partial(Quiet, directory=self.outside))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        # The gateway of QEMU's network is this machine.
        self.url = f"http://10.0.2.2:{self.server.server_port}"
        self.start("", memory="2G", resets=True, wall=7200, silence=600,
                   smp=self.cpus, extra=debian.machine())
        self.seconds = debian.login(self.vm)

    def teardown(self):
        """End the machine, then what it talks to."""
        super().teardown()
        if hasattr(self, "server"):
            self.server.shutdown()

    def fetch(self, name, path):
        """Copy a file from this machine into Dom0, over its network."""
        self.vm.dom0("python3 -c 'import urllib.request as u; "
                     f"u.urlretrieve(\"{self.url}/{name}\", \"{path}\")'", 300)

    def install(self, *names):
        """Copy packages into Dom0 and have dpkg install them together.

        Checks that dpkg then holds them for whole, and leaves nothing half done.
        """
        for name in names:
            self.fetch(f"{name}.deb", f"/root/{name}.deb")
        self.vm.dom0("dpkg -i " + " ".join(f"/root/{name}.deb"
                                           for name in names), 600)
        self.installed(*names)

    def menu(self):
        """Return the disk's grub.cfg."""
        return self.vm.dom0("cat /boot/grub/grub.cfg")

    def installed(self, *names):
        """Check that dpkg holds these for whole, and leaves nothing half done."""
        for name in names:
            text = self.vm.dom0(f"dpkg-query -Wf '${{db:Status-Abbrev}}' {name}")
            check(text.strip() == "ii", f"{name}: {text}")
        text = self.vm.dom0("dpkg --audit")
        check(not text.strip(), text)

    def entries(self):
        """Return the lines of GRUB's menu that load Vigil."""
        return self.vm.dom0(f"grep -c 'multiboot2.*{IMAGE}' "
                            "/boot/grub/grub.cfg; true").strip()

    def test_grub_started_vigil(self):
        """Through the menu that Debian's own script wrote."""
        for words in (rf"Loading Xen {VIGIL} \.\.\.", r"Loading Linux 6\.1",
                      r"^\(XEN\) Vigil 4\.17\.0-vigil .*loaded by GRUB"):
            check(re.search(words, self.vm.text, re.M),
                  f"the serial line does not have /{words}/")

    def test_services(self):
        """systemd is content, and nothing failed."""
        debian.healthy(self.vm)

    def test_processors(self):
        """All of the machine's are Dom0's, and Linux and xl agree."""
        check(self.vm.dom0("nproc").strip() == str(self.cpus),
              "Dom0 has not all processors")
        text = self.vm.dom0("xl info")
        check(re.search(rf"^nr_cpus +: {self.cpus}$", text, re.M), text)

    def test_xl_and_vigil(self):
        """Debian's tools and ours, as installed."""
        text = self.vm.dom0("xl info")
        check(re.search(r"xen_version +: 4\.17\.0-vigil", text), text)
        for command in ("xl list", "vigil list"):
            text = self.vm.dom0(command)
            check(re.search(r"^Domain-0 ", text, re.M), f"{command}: {text}")
        self.vm.dom0("vigil info && vigil crash list && "
                     "test -s /usr/share/man/man1/vigil.1.gz")
        owner = self.vm.dom0("dpkg -S /usr/bin/vigil /usr/sbin/vigild "
                             f"{IMAGE}")
        check(owner.count("vigil-tools: ") == 2
              and "vigil-hypervisor: " in owner, owner)

    def test_network(self):
        """DHCP, a ping, and a file of 1 MiB that arrives as it left."""
        text = self.vm.dom0("ip -br -4 address")
        check(re.search(r"^e\S+ +UP +10\.0\.2\.", text, re.M), text)
        self.vm.dom0("ping -c 3 -W 10 10.0.2.2")
        self.fetch("noise", "/root/noise")
        wanted = hashlib.md5((self.outside / "noise").read_bytes()).hexdigest()
        # From the disk, not from memory.
        text = self.vm.dom0("sync; echo 3 >/proc/sys/vm/drop_caches; "
                            "md5sum /root/noise")
        check(text.startswith(wanted), f"{text} instead of {wanted}")

    def test_guest_from_disk(self):
        """xl starts a guest whose kernel is a file of the disk."""
        self.vm.dom0("mkdir -p /srv/guests")
        self.fetch("hello", "/srv/guests/hello")
        self.vm.dom0("printf '%s\\n' 'name=\"hello\"' 'type=\"pv\"' "
                     "'kernel=\"/srv/guests/hello\"' memory=16 vcpus=1 "
                     "'on_poweroff=\"destroy\"' >/srv/guests/hello.cfg")
        _, text = self.vm.dom0_cmd("timeout 200 script -qec "
                                   "'xl create -c /srv/guests/hello.cfg' "
                                   "/dev/null </dev/null", 240)
        check(re.search(r"STUB hello: SUCCESS", text), text)
        text = self.vm.dom0("xl list")
        check("hello" not in text, f"the guest is still there: {text}")

    def test_menu_repeats(self):
        """What the disk was made with is what update-grub makes here."""
        built = self.menu()
        self.vm.dom0("update-grub", 300)
        here = self.menu()
        check(f"multiboot2\t{IMAGE} placeholder" in here, "no entry for Vigil")
        first, second = debian.menu(built), debian.menu(here)
        if first != second:
            lines = set(first.split("\n")) ^ set(second.split("\n"))
            check(False, "the menus differ:\n" + "\n".join(sorted(lines)))

    def test_upgrade(self):
        """A newer version takes the place of this one, settings stay."""
        self.vm.dom0("echo '# mine' >>/etc/default/vigild")
        before = self.vm.dom0("systemctl show -P MainPID vigild").strip()
        self.install(*PACKAGES)
        for name in PACKAGES:
            text = self.vm.dom0(f"dpkg-query -Wf '${{Version}}' {name}")
            check(text.strip() == "4.17.0+29990101.000000", text)
        self.vm.dom0("grep -q '# mine' /etc/default/vigild")
        after = self.vm.dom0("systemctl show -P MainPID vigild").strip()
        check(after not in (before, "0"), f"vigild was not restarted: {before} "
                                          f"then {after}")
        check(self.vm.dom0("systemctl is-active vigild") == "active",
              "vigild is not active after the upgrade")
        text = self.vm.dom0("cat /run/reboot-required.pkgs")
        check("vigil-hypervisor" in text, f"no word of a reboot: {text}")
        check(self.entries() != "0", "the menu lost Vigil")

    def test_removal(self):
        """Removed: gone from the menu; purged: nothing of ours is left."""
        self.vm.dom0("dpkg --remove vigil-hypervisor vigil-tools", 600)
        check(self.entries() == "0", "the menu still has Vigil")
        text = self.vm.dom0("grep -E '^[[:space:]]*set default=' "
                            "/boot/grub/grub.cfg")
        check("vigil" not in text, f"GRUB would start what is gone: {text}")
        _, text = self.vm.dom0_cmd("systemctl is-active vigild")
        check(text.strip() != "active", "vigild still runs")
        self.vm.dom0("test -d /var/lib/vigil/crash")
        self.vm.dom0("dpkg --purge vigil-hypervisor vigil-tools", 300)
        _, text = self.vm.dom0_cmd(
            "ls -d /etc/default/vigild /etc/default/grub.d/zz-vigil.cfg "
            "/var/lib/vigil /var/log/vigil /usr/lib/vigil "
            "/etc/systemd/system/multi-user.target.wants/vigild.service "
            "2>/dev/null")
        check(not text, f"left behind: {text}")

    def test_debians_xen(self):
        """Debian's own Xen, alone: its settings make it the default."""
        self.install(*XEN_PACKAGES)
        lines = debian.default_loads(self.menu())
        check(lines and f"/boot/{XEN} " in lines[0],
              f"the default is not Debian's Xen: {lines}")

    def test_installed_again(self):
        """Like new, beside Debian's Xen, which is what GRUB starts as before."""
        before = debian.default_loads(self.menu())
        self.vm.dom0("sed -i s/VIGIL_GRUB_DEFAULT=yes/VIGIL_GRUB_DEFAULT=no/ "
                     "/etc/default/grub.d/dom0.cfg")
        self.install(*PACKAGES)
        self.installed(*XEN_PACKAGES)
        menu = self.menu()
        check(debian.hypervisors(menu) >= {XEN, f"xen-{VIGIL}.gz"},
              f"the menu has {debian.hypervisors(menu)}")
        after = debian.default_loads(menu)
        check(after == before, f"GRUB started {before}, now {after}")
        debian.healthy(self.vm)

    def test_reboot_once_into_vigil(self):
        """grub-reboot chooses it for one boot; the machine comes back."""
        before = self.vm.dom0("cat /proc/sys/kernel/random/boot_id")
        self.vm.dom0(f"grub-reboot '{ENTRY}'")
        mark = len(self.vm.text)
        self.vm.send("systemctl reboot")
        debian.login(self.vm)
        check(f"Loading Xen {VIGIL}" in self.vm.text[mark:],
              "GRUB did not start Vigil")
        check(before != self.vm.dom0("cat /proc/sys/kernel/random/boot_id"),
              "this is still the boot before")
        debian.healthy(self.vm)
        text = self.vm.dom0("grub-editenv list")
        check("vigil" not in text, f"the next boot is Vigil again: {text}")
        text = self.vm.dom0("vigil crash list")
        check("host" not in text, f"a reboot counts as a crash: {text}")

    def test_debians_xen_removed(self):
        """The menu has Vigil still; what GRUB starts by itself is plain Linux.

        The package with Debian's settings stays and asks for the newest Xen.
        """
        self.vm.dom0(f"dpkg --remove {XEN_PACKAGES[0]}", 600)
        menu = self.menu()
        check(debian.hypervisors(menu) == {f"xen-{VIGIL}.gz"},
              f"the menu has {debian.hypervisors(menu)}")
        lines = debian.default_loads(menu)
        check(lines[0].startswith("linux"), f"the default loads {lines}")
        self.installed(*PACKAGES)

    def test_power_off(self):
        """The ordinary way, and QEMU ends."""
        debian.power_off(self.vm)


class DebianDiskSmp(DebianDisk):
    """The same life on four processors; what packages do, DebianDisk shows."""

    weight = 600
    cpus = 4
    test_menu_repeats = test_upgrade = None
    test_removal = test_debians_xen = test_installed_again = None
    test_debians_xen_removed = None


class RunDebian(Suite):
    """scripts/run-debian without a terminal, on a machine with UEFI."""

    weight = 900
    long = True
    cpus = 1

    def setup(self):
        """From power-on to power-off."""
        debian.make("dom0-disk")
        done = subprocess.run([TOP / "scripts/run-debian", "--uefi",
                               "--smp", str(self.cpus)], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, check=False)
        self.text = done.stdout
        check(done.returncode == 0,
              f"run-debian ended with {done.returncode}:\n{self.text[-6000:]}")

    def test_healthy(self):
        """It says so itself; here: that it looked at what it should."""
        for words in (r"^power-on to the login prompt: \d+ s",
                      rf"^Domain-0 +0 +\d+ +{self.cpus} ",
                      r"^ *vigild\.service +loaded active running",
                      r"^ *xen\.service +loaded active", r"^Domain-0 "):
            check(re.search(words, self.text, re.M), self.text[-6000:])

    def test_uefi(self):
        """The firmware was UEFI, and Dom0 knows."""
        check(re.search("^/sys/firmware/efi$", self.text, re.M),
              self.text[-6000:])

    def test_other_devices(self):
        """Another disk and another card than in DebianDisk."""
        for driver in ("ahci", "e1000"):
            check(re.search(rf"Kernel driver in use: {driver}$", self.text,
                            re.M), self.text[-6000:])
        check(re.search(r"^e\S+ +UP +10\.0\.2\.", self.text, re.M),
              self.text[-6000:])


class RunDebianSmp(RunDebian):
    """On four processors."""

    cpus = 4
