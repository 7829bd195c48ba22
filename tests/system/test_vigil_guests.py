# SPDX-License-Identifier: MIT
"""The life of guests by `vigil` alone: made by libxl, saved, changed, ended.
What xl makes of a configuration is what vigil makes of it."""

import io
import json
import re
import tarfile

from stock import Stock
from stubs import IMAGE, MAC, Stubs, Verbs
from suite import check, need_vigil, stub_done, wait_console, wait_until


class VigilGuests(Stubs):
    """In the order of a life."""

    weight = 90

    def test_oracle(self):
        """`vigil create -N --json` and `xl create -N` agree, field by field; on
        what the manual page shows, too."""
        self.vm.dom0(
            "cd /oracle; for f in *.cfg; do n=${f%.cfg}; xl -N create -q $f "
            ">$n.xl 2>$n.xle || echo >$n.xl; vigil create -N --json $f "
            ">$n.vigil 2>$n.vigile || echo >$n.vigil; done", 300)
        data = self.vm.dom0_bytes("tar -C /oracle -cz .")
        with tarfile.open(fileobj=io.BytesIO(data)) as answers:
            said = {item.name[2:]: answers.extractfile(item).read().decode()
                    for item in answers if item.isfile()}
        wrong = []
        for at, name in enumerate(self.compared):
            theirs, ours = said[f"{at}.xl"], said[f"{at}.vigil"]
            if not theirs.strip() or not ours.strip():
                wrong.append(f"{name}: xl {said[f'{at}.xle'] or 'ok'}, vigil "
                             f"{said[f'{at}.vigile'] or 'ok'}")
                continue
            wrong += [f"{name}: {line}" for line in differences(
                json.loads(theirs), json.loads(ours)["config"])]
        check(not wrong, "\n".join(wrong))

    def test_manual_page(self):
        """What xl.cfg(5) has and Vigil does not do is named, with its line."""
        text = self.vigil("create -N /manual/named.cfg")
        said = {int(line): (key, why.strip()) for line, key, why in re.findall(
            r"ignored: /manual/named.cfg:(\d+): (\w+) is not offered by Vigil: "
            r"(.*)", text)}
        wanted = {at: (key, why) for at, (key, why, _) in
                  enumerate(self.named, 1)}
        check(len(wanted) > 200 and said == wanted, "\n".join(
            f"{self.named[at - 1][2]}: {said.get(at)}" for at in wanted
            if said.get(at) != wanted[at]))
        for at, (_, line) in enumerate(self.refused):
            text = self.vigil(f"create -N /manual/{at}.cfg", 9)
            said = f"/manual/{at}.cfg:1: " + line.replace('"', "") + " is not"
            check(said in text, f"{line}: {text}")

    # --- what is said before anything is made ------------------------------

    def test_dry_run(self):
        """-N makes nothing; keys and values are named with their line."""
        text = self.vigil("create -N /etc/xen/hello.cfg vcpus=3")
        check("hello would be made" in text and "vcpus 3 of 3" in text, text)
        self.vm.dom0("printf 'name=\"x\"\\nkernel=\"/stubs/hello\"\\n"
                     "memry=64\\npci=[\"1:0.0\"]\\n' >/tmp/x.cfg")
        text = self.vigil("create -N /tmp/x.cfg")
        check("/tmp/x.cfg:3: memry is not a key of xl.cfg; did you mean memory?"
              in text and "/tmp/x.cfg:4: pci is not offered by Vigil: no device"
              in text, text)
        for words, wanted, said in (
                ("--strict /tmp/x.cfg", 9, "/tmp/x.cfg:3: memry"),
                ("/tmp/x.cfg type=pvh", 9, "runs PV guests"),
                ("/tmp/x.cfg kernel=/none", 3, "no such readable file"),
                ("/tmp/x.cfg memory=1", 2, "the command line: memory = 1"),
                ("/tmp/x.cfg disk=[\\'/a\\']", 2, "no vdev"),
                ("--domid 0 /tmp/x.cfg", 2, "--domid 0"),
                ("--json /tmp/x.cfg", 2, "-N only")):
            dry = "" if wanted == 2 and "json" in words else "-N "
            text = self.vigil(f"create {dry}{words}", wanted)
            check(said in text, text)
        self.alone()

    # --- a life -----------------------------------------------------------

    def test_create(self):
        """xl knows its configuration."""
        self.vigil("create /etc/xen/suspend.cfg 'extra=\"rounds=2\"' vcpus=1 "
                   "maxvcpus=2 maxmem=32 on_reboot=restart cpu_weight=300")
        wait_console(self.vm, "suspend", "suspend: round=1", 40)
        config = self.written("suspend")
        check(config["c_info"]["type"] == "pv" and
              config["b_info"]["max_memkb"] == 32 << 10, f"{config}")
        text = self.vm.dom0("xl sched-credit2 -d suspend")
        check(re.search(r"suspend +1 +300", text), text)

    def test_name_and_number_taken(self):
        text = self.vigil("create /etc/xen/suspend.cfg", 8)
        check("name = suspend is taken by domain 1" in text, text)
        text = self.vigil("create --domid 1 /etc/xen/hello.cfg", 8)
        check("cannot be domain 1: that number is taken" in text, text)

    def test_changes(self):
        """Memory, vcpus and name: told to the guest and kept by libxl."""
        self.vigil("mem-max suspend 24")
        check(self.facts("suspend")["max_memory_kib"] >= 24 << 10, "mem-max")
        self.vigil("mem-set suspend 12m")
        check(self.node("suspend", "memory/target") == str(12 << 10), "target")
        self.vigil("mem-set suspend lots", 2)
        self.vigil("vcpu-set suspend 2")
        check(self.node("suspend", "cpu/1/availability") == "online", "vcpu 1")
        text = self.vigil("vcpu-set suspend 3", 2)
        check("has 2 vcpus" in text, text)
        self.vigil("rename suspend a/b", 2)
        self.vigil("rename suspend Domain-0", 8)
        self.vigil("rename suspend web1")
        config = self.written("web1")
        check(config["b_info"]["target_memkb"] == 12 << 10 and
              config["c_info"]["name"] == "web1", f"{config}")

    def test_save(self):
        """-c: the domain stays; then it goes.  The file is whole, and ours."""
        self.vigil("rename web1 suspend")
        self.vigil("mem-set suspend 16")
        self.ready(1)
        text = self.vigil(f"save -c --progress plain suspend {IMAGE}")
        check("save suspend: 100%" in text, text)
        check(self.facts("suspend")["domid"] == 1, "another domain")
        self.ready(2)
        self.vigil(f"save suspend {IMAGE}")
        self.vigil("list suspend", 3)
        text = self.vm.dom0(f"stat -c %a {IMAGE}; ls -A /tmp; "
                            "ls -A /run/vigil/guests")
        check(text.startswith("600\n") and ".new" not in text and
              ".json" not in text, text)

    def test_domid(self):
        """A guest is made as the number asked for; restored as one that is taken
        it is refused in words, and nothing is left of it."""
        for words in ("create --domid %s /etc/xen/hello.cfg",
                      f"restore --domid %s {IMAGE}"):
            for number in ("0", "32752", "-1", "7x"):
                text = self.vigil(words % number, 2)
                check(f"--domid {number} is no number for a guest; give 1 to "
                      "32751" in text, text)
        self.vigil("create --domid 77 /etc/xen/hello.cfg")
        check(self.facts("hello")["domid"] == 77, "another number")
        text = self.vigil(f"restore --domid 77 {IMAGE}", 8)
        check("cannot be domain 77: that number is taken" in text, text)
        check(self.facts("hello")["domid"] == 77, "it has gone")
        self.vigil("list suspend", 3)
        self.vigil("destroy hello")
        self.nothing_half_made()

    def test_restore(self):
        """Paused, as the number asked for, which is not given again at once."""
        self.vigil(f"restore -p --domid 99 {IMAGE}")
        found = self.facts("suspend")
        check(found["domid"] == 99 and found["state"] == "paused", f"{found}")
        self.vigil(f"restore {IMAGE}", 8)                   # its name is taken
        self.vigil("save suspend /tmp/other.img", 8)        # it is paused
        self.vigil("destroy suspend")
        text = self.vigil("create --domid 99 /etc/xen/hello.cfg", 8)
        check("recently used" in text, text)

    def test_reboot(self):
        """vigild starts it again as it is now."""
        self.vigil("create /etc/xen/hello.cfg on_reboot=restart maxmem=32")
        before = self.facts("hello")
        self.vigil("mem-set hello 20")
        self.vigil("reboot -F --timeout 0 hello")
        self.restarted("hello", before)
        after = self.facts("hello")
        check(after["uuid"] == before["uuid"] and
              after["domid"] != before["domid"], f"{before}, {after}")
        check(self.written("hello")["b_info"]["target_memkb"] == 20 << 10,
              "its memory is what it was made with")
        self.vigil("destroy hello")

    def test_rename_restart(self):
        """Who ended stands under another name and UUID; who follows has both."""
        self.vigil("create /etc/xen/hello.cfg on_reboot=rename-restart")
        old, new = self.replaced("hello")
        check(self.written(old["name"])["c_info"]["uuid"] == old["uuid"],
              "libxl has lost its configuration")
        text = self.vigil(f"events --json {old['domid']}")
        kinds = [json.loads(line)["attributes"]["vigil.event"]
                 for line in text.splitlines()]
        check(kinds[-1] == "renamed" and kinds.count("created") == 1, text)
        # The note about the one that runs is not taken for that of the other.
        self.vigil(f"destroy {old['name']}")
        self.vm.dom0(f"[ -e /run/vigil/guests/{new['uuid']}.json ]")
        self.vigil("destroy hello")

    def test_core(self):
        """Written where xl writes it, before the guest is gone; on a full disk
        that is said, an older one is kept and the guest begins anew."""
        self.vm.dom0("mkdir -p /var/lib/xen/dump; cd /var/lib/xen/dump && "
                     "mount -t tmpfs -o size=64m tmpfs /var/lib/xen/dump")
        self.vigil("create /etc/xen/suspend.cfg on_reboot=coredump-restart")
        wait_console(self.vm, "suspend", "suspend: round=1", 40)
        before = self.facts("suspend")
        self.vigil("reboot -F --timeout 0 suspend")
        self.restarted("suspend", before)
        text = self.vm.dom0("cd /var/lib/xen/dump; ls -A; stat -c '%a %s' "
                            "suspend; head -c 4 suspend; md5sum suspend")
        found = re.match(r"suspend\n600 (\d+)\n\x7fELF", text)
        check(found and int(found[1]) >= before["memory_kib"] << 10, text)
        check("left its core in /var/lib/xen/dump/suspend" in
              self.vigil(f"events {before['domid']}"), "not told")
        self.vm.dom0("dd if=/dev/zero of=/var/lib/xen/dump/x bs=1M 2>/dev/null;"
                     " true")
        before = self.facts("suspend")
        self.vigil("reboot -F --timeout 0 suspend")
        self.restarted("suspend", before)
        check("leaves no core: " in self.vigil(f"events {before['domid']}"),
              "not told")
        again = self.vm.dom0("cd /var/lib/xen/dump; rm x; ls -A; stat -c '%a "
                             "%s' suspend; head -c 4 suspend; md5sum suspend")
        check(again == text, f"{text}, then {again}")
        self.vigil("destroy suspend")
        self.vm.dom0("umount /var/lib/xen/dump")

    # --- how far it is, and enough of it ----------------------------------

    def test_progress(self):
        """On a terminal: a bar that is whole at the end, and then is gone."""
        self.vigil("create /etc/xen/suspend.cfg 'extra=\"rounds=2\"' "
                   "\"vif=['bridge=xenbr0,script=/scripts/slow-vif']\"")
        self.ready(1)
        full = "[####################] 100% 16/16 MiB"
        self.drawn(f"save -c suspend {IMAGE}", f"save suspend {full}",
                   f"vigil: guest suspend is saved in {IMAGE}")
        self.ready(2)
        self.drawn(f"save suspend {IMAGE}", f"save suspend {full}",
                   f"vigil: guest suspend is saved in {IMAGE}")
        self.vm.dom0("touch /tmp/slow-begin")
        self.drawn(f"restore -p {IMAGE}", f"restore suspend {full}",
                   "vigil: guest suspend is domain")
        self.vm.dom0("mv /tmp/slow-begin /tmp/slow-end")
        self.drawn("destroy suspend",
                   "destroy suspend [....................]   0% 0/16 MiB", "")
        self.vm.dom0("rm /tmp/slow-end")

    def test_restore_interrupted(self):
        """Nothing is left of it, and the file is good."""
        text = self.interrupted(f"restore {IMAGE}")
        check("guest suspend: interrupted, nothing is left of it" in text, text)
        self.nothing_half_made()
        self.vigil(f"restore -p {IMAGE}")
        self.vigil("destroy suspend")

    def test_create_interrupted(self):
        """In its boot loader, and in a script of a device."""
        disk = "\"disk=['file:/disk/a.img,xvda,r']\""
        text = self.interrupted(
            "create --progress bar /etc/xen/hello.cfg kernel= extra= "
            f"bootloader=/scripts/bootloader {disk}")
        check("create hello [....................]   0% 0/16 MiB" in text and
              "guest hello: interrupted, nothing is left of it" in text, text)
        self.nothing_half_made()
        text = self.interrupted(
            "create /etc/xen/hello.cfg "
            f"\"vif=['bridge=xenbr0,script=/scripts/slow-vif']\" {disk}")
        check("guest hello: interrupted, nothing is left of it" in text, text)
        self.nothing_half_made()

    def test_shutdown_interrupted(self):
        """The guest is asked, and runs on."""
        self.vigil("create /etc/xen/hello.cfg")
        rc, text = self.vm.dom0_cmd(
            "vigil shutdown -w --progress bar hello & pid=$!; sleep 3; "
            "kill -INT $pid; wait $pid")
        check(rc == 130 and "it is still asked to power off" in text and
              re.search(r"shutdown hello \[\.+\]   [1-5]% [1-3]/60 s", text),
              f"{rc}: {text}")
        check(self.facts("hello")["state"] in ("running", "blocked"), "state")
        check(self.node("hello", "control/shutdown") == "poweroff", "not asked")
        text = self.vigil("shutdown --timeout 1 hello", 7)
        check("does not answer" in text, text)
        self.vigil("shutdown -w --progress quick hello", 2)
        self.vigil("destroy --progress none hello")

    def test_nothing_is_left(self):
        self.alone()
        text = self.vm.dom0("ls -A /run/vigil/guests /var/lib/xen; "
                            "xenstore-ls /libxl")
        # Domain-0 has a configuration, too.
        left = re.findall(r"^(?:userdata-d\.[1-9]|.*\.(?:json|cfg)$| ?[1-9]).*",
                          text, re.M)
        check(not left, f"{left}")


class VigilGuestsLong(Stubs):
    """What takes its time: each device starts shells, and who does not answer
    is waited for."""

    weight = 150
    long = True

    def test_create(self):
        """Its disk and network are there, and xl knows its configuration."""
        self.vigil("create /etc/xen/hello.cfg vcpus=1 maxvcpus=2 maxmem=32 "
                   "on_reboot=restart cpu_weight=300 "
                   "\"disk=['file:/disk/a.img,xvda,w']\" "
                   f"\"vif=['bridge=xenbr0,mac={MAC % 1}']\"")
        stub_done(self.vm, "hello")
        config = self.written("hello")
        check(config["c_info"]["type"] == "pv" and
              config["disks"][0]["pdev_path"] == "/disk/a.img" and
              config["nics"][0]["mac"] == MAC % 1, f"{config}")
        text = self.vm.dom0("losetup -a; ls /sys/class/net/xenbr0/brif; "
                            "xl sched-credit2 -d hello")
        check("/disk/a.img" in text and "vif1.0" in text and
              re.search(r"hello +1 +300", text), text)

    def test_blocks(self):
        disks = self.devices("block", "hello")
        check(len(disks) == 1 and disks[0]["vdev"] == "xvda" and
              disks[0]["target"] == "/disk/a.img" and
              disks[0]["access"] == "rw", f"{disks}")
        self.vigil("block-attach hello phy:/dev/loop7,xvdb,r")
        text = self.vigil("block-list hello")
        check(re.search(r"^hello +xvdb +51728 +\S+ +ro +phy +/dev/loop7$", text,
                        re.M), text)
        check("51728" in self.vm.dom0("xl block-list hello"), "xl: no xvdb")
        text = self.vigil("block-attach hello phy:/dev/loop7,xvdb,r", 8)
        check("xvdb" in text, text)
        text = self.vigil("block-attach hello phy:/dev/loop7", 2)
        check("no vdev" in text, text)
        self.vigil("block-detach hello xvdz", 3)
        # Its kernel knows of no disks, so it does not let go of one.
        text = self.vigil("block-detach hello xvdb", 7)
        check("does not let go of disk xvdb" in text, text)
        self.vigil("block-detach -F hello xvdb")
        check(len(self.devices("block", "hello")) == 1, "xvdb is still there")

    def test_networks(self):
        self.vigil(f"network-attach hello bridge=xenbr0 mac={MAC % 2} "
                   "rate=10Mb/s")
        found = self.devices("network", "hello")
        check([n["mac"] for n in found] == [MAC % 1, MAC % 2] and
              found[1]["bridge"] == "xenbr0", f"{found}")
        check(MAC % 2 in self.vm.dom0("xl network-list hello"), "xl: no second")
        self.vigil("network-attach hello colour=red", 9)
        self.vigil("network-detach hello 5", 3)
        self.vigil(f"network-detach -F hello {MAC % 2}")
        text = self.vigil("network-list hello")
        check(MAC % 2 not in text and MAC % 1 in text, text)

    def test_reboot(self):
        """vigild starts it again as it is now: its name, its devices."""
        before = self.facts("hello")
        self.vigil("network-attach hello bridge=xenbr0 "
                   f"mac={MAC % 3}")
        self.vigil("reboot -F --timeout 0 hello")
        # Its note is written when it is whole.
        wait_until(self.vm, "[ \"$(xl domid hello 2>/dev/null)\" = 2 ] && "
                   f"[ -e /run/vigil/guests/{before['uuid']}.json ]", 60)
        after = self.facts("hello")
        check(after["uuid"] == before["uuid"], "another guest")
        found = [n["mac"] for n in self.devices("network", "hello")]
        check(found == [MAC % 1, MAC % 3], f"its networks: {found}")
        check(len(self.devices("block", "hello")) == 1, "its disk is gone")

    def test_destroy(self):
        """Devices, entries, notes and libxl's files go with it."""
        self.vigil("destroy hello")
        text = self.vm.dom0(
            "losetup -a; ls /sys/class/net; ls -A /run/vigil/guests "
            "/var/lib/xen; xenstore-ls /libxl; xenstore-list "
            "/local/domain/0/backend/vbd 2>/dev/null; true")
        for word in ("a.img", "vif", ".json", ".cfg", "d.1.", "d.2.", "51712"):
            check(word not in text, f"{word} is left: {text}")

    def test_rename_restart(self):
        """The disk that it wrote to is its successor's."""
        self.vigil("create /etc/xen/hello.cfg on_reboot=rename-restart "
                   "\"disk=['file:/disk/a.img,xvda,w']\"")
        old, _ = self.replaced("hello")
        check(len(self.devices("block", "hello")) == 1 and
              not self.devices("block", old["name"]), "whose is the disk?")
        self.vigil(f"destroy {old['name']}")
        self.vigil("destroy hello")

    def test_saved_by_both(self):
        """xl restores what vigil saved and the other way round; the stub looks
        at itself each time."""
        self.vigil("create /etc/xen/suspend.cfg 'extra=\"rounds=4\"'")
        for number, saver, restorer in ((1, "xl", "vigil"), (2, "vigil", "xl"),
                                        (3, "vigil", "vigil")):
            self.ready(number)
            self.vm.dom0(f"{saver} save suspend {IMAGE}; "
                         f"{restorer} restore {IMAGE}", 120)
        self.ready(4)
        self.vigil(f"save -p suspend {IMAGE}")
        check(self.facts("suspend")["state"] == "paused", "not paused")
        self.vigil("unpause suspend")
        text = stub_done(self.vm, "suspend")
        check(text.count("was restored") == 3 and
              text.count("was cancelled") == 1, text[-2000:])
        # It has powered off; vigild does what its configuration says.
        wait_until(self.vm, "! xl domid suspend 2>/dev/null", 30)

    def test_images_refused(self):
        """Cut anywhere, or none at all: refused in words, nothing is left."""
        for words, wanted in ((f"head -c 40 {IMAGE}", 2), ("echo", 2),
                              (f"head -c 700 {IMAGE}", 2),
                              (f"head -c 9000000 {IMAGE}", 1)):
            self.vm.dom0(f"{words} >/tmp/bad.img")
            self.vigil("restore /tmp/bad.img", wanted, 120)
        self.vigil("restore /none.img", 3)
        self.alone()

    def test_save_interrupted(self):
        """The guest that does not answer runs on; an older file is kept."""
        self.vigil("create /etc/xen/suspend.cfg")
        wait_console(self.vm, "suspend", "suspend: round=1", 40)
        rc, text = self.vm.dom0_cmd(
            f"echo old >{IMAGE}; vigil save suspend {IMAGE} & pid=$!; sleep 5; "
            "kill -INT $pid; wait $pid")
        check(rc == 130 and "is not saved and runs on" in text, f"{rc}: {text}")
        text = self.vm.dom0(f"cat {IMAGE}; ls -A /tmp | grep new; true")
        check(text.strip() == "old", text)
        check(self.facts("suspend")["state"] in ("running", "blocked"), "state")
        self.vigil("save suspend /none/x.img", 3)
        self.vigil("save suspend /dev/null", 8)
        self.vigil("destroy suspend")

    def test_cannot_be_saved(self):
        """A kernel that tells nothing of its memory is not stopped for it."""
        self.vigil("create /etc/xen/hello.cfg")
        text = self.vigil("save hello /tmp/hello.img", 1)
        check("cannot be saved and runs on: Bad mfn" in text, text)
        self.vm.dom0("! ls /tmp/hello.img 2>/dev/null")
        check(self.facts("hello")["state"] in ("running", "blocked"), "state")
        self.vigil("destroy hello")

    def test_boot_loader(self):
        """A boot loader of one's own finds the kernel on the first disk."""
        self.vm.dom0("dd if=/stubs/hello of=/disk/a.img conv=notrunc "
                     "2>/dev/null")
        self.vigil("create /etc/xen/hello.cfg kernel= extra= "
                   "bootloader=/scripts/bootloader bootloader_args=-x "
                   "\"disk=['file:/disk/a.img,xvda,r']\"")
        stub_done(self.vm, "hello")
        self.vigil("destroy hello")


class VigilLinux(Verbs, Stock):
    """Debian's kernel sees and does what our verbs ask for."""

    weight = 200
    long = True

    def test_create(self):
        need_vigil()
        self.vigil("create /guest/stock.cfg on_reboot=restart")
        self.up()
        self.guest("ip addr add 10.1.0.2/24 dev eth0; ip link set eth0 up; "
                   "ping -c 1 -W 20 10.1.0.1")

    def test_disk(self):
        """One more, read, and it lets go."""
        self.vm.dom0("dd if=/dev/urandom of=/disk/c.img bs=1M count=1 "
                     "conv=notrunc 2>/dev/null")
        self.vigil("block-attach linux file:/disk/c.img,xvdc,r")
        self.guest("n=0; until [ -b /dev/xvdc ]; do n=$((n+1)); [ $n -lt 200 ]"
                   " || break; usleep 100000; done")
        want = self.vm.dom0("head -c 1048576 /disk/c.img | md5sum")
        check(self.guest("head -c 1048576 /dev/xvdc | md5sum") == want, "sum")
        states = {d["vdev"]: d["state"] for d in self.devices("block", "linux")}
        check(states == dict.fromkeys(("xvda", "xvdb", "xvdc"), "connected"),
              f"{states}")
        self.vigil("block-detach linux xvdc")
        self.guest("! [ -e /sys/block/xvdc ]")
        check("c.img" not in self.vm.dom0("losetup -a"), "a loop device is left")

    def test_network(self):
        self.vigil(f"network-attach linux bridge=xenbr0 mac={MAC % 2}")
        self.guest("n=0; until [ -e /sys/class/net/eth1 ]; do n=$((n+1)); "
                   "[ $n -lt 200 ] || break; usleep 100000; done")
        check(self.guest("cat /sys/class/net/eth1/address") == MAC % 2, "MAC")
        self.vigil("network-detach linux 1")
        self.guest("! [ -e /sys/class/net/eth1 ]")

    def test_memory(self):
        """It gives memory back and takes it again."""
        self.vigil("mem-set linux 120")
        wait_until(self.vm, "[ $(vigil list linux | awk 'END { print $3 }') "
                   "-le 120 ]", 60)
        self.vigil("mem-set linux 144m")
        wait_until(self.vm, "[ $(vigil list linux | awk 'END { print $3 }') "
                   "= 144 ]", 60)

    def test_vcpus(self):
        """One goes, and comes back."""
        self.vigil("vcpu-set linux 1")
        wait_until(self.vm, "xl vcpu-list linux | grep -q -- ' 1 *- *--p'", 40)
        self.vigil("vcpu-set linux 2")
        # Who is to switch it on is udev, which this guest has not got.
        self.guest("n=0; c=/sys/devices/system/cpu/cpu1/online; until [ $(cat $c"
                   ") = 1 ]; do echo 1 >$c; n=$((n+1)); [ $n -lt 50 ] || break; "
                   "usleep 100000; done 2>/dev/null")
        check(self.facts("linux")["vcpus"] == 2, "it has not come back")

    def test_save_and_restore(self):
        """Its memory and its address are what they were."""
        want = self.guest("dd if=/dev/urandom of=/keep-me bs=64k count=64 "
                          "2>/dev/null; md5sum </keep-me")
        domid = self.domid()
        self.vigil("save -c linux /tmp/linux.img", 0, 120)
        check(self.domid() == domid, "another domain")
        check(self.guest("md5sum </keep-me") == want, "its data")
        self.vigil("save linux /tmp/linux.img", 0, 120)
        self.vigil("restore linux.img", 3)
        self.vigil("restore --domid 500 /tmp/linux.img", 0, 120)
        check(self.domid() == 500, "its number")
        check(self.guest("md5sum </keep-me") == want, "its data")
        text = self.vm.dom0("rm /tmp/linux.img; ping -q -c 10 -i 0.1 10.1.0.2")
        check(" 0% packet loss" in text, text)
        wrote = self.guest("dd if=/dev/urandom of=/dev/xvda bs=64k count=16 "
                           "2>/dev/null; sync; head -c 1048576 /dev/xvda | "
                           "md5sum")
        text = self.vm.dom0("head -c 1048576 /disk/a.img | md5sum")
        check(text == wrote, f"{wrote} written, {text} in the file")

    def test_reboot(self):
        """vigild starts it anew, with what it had; then it powers off."""
        self.vigil("reboot -w linux", 0, 120)
        self.up(2)
        check(len(self.devices("block", "linux")) == 2, "its disks")
        self.vigil("shutdown -w linux", 0, 120)
        self.gone()


def differences(theirs, ours, path=""):
    """Say in lines where two parsed texts differ."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        lines = []
        for key in sorted(set(theirs) | set(ours)):
            lines += differences(theirs.get(key, "absent"),
                                 ours.get(key, "absent"), f"{path}.{key}")
        return lines
    if isinstance(theirs, list) and isinstance(ours, list) and \
            len(theirs) == len(ours):
        lines = []
        for at, (one, two) in enumerate(zip(theirs, ours)):
            lines += differences(one, two, f"{path}[{at}]")
        return lines
    return [] if theirs == ours else [f"{path}: xl {theirs}, vigil {ours}"]
