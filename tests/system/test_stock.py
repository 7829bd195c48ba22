# SPDX-License-Identifier: MIT
"""Debian's tools run a Linux guest with disks and networks: one boot, the whole
life, each program's transcript looked at."""

import pathlib
import re
import stat

from stock import CONFIG, Stock
from suite import check, wait_until
from terminal import Terminal

# What ncurses knows of Dom0's terminal; of the package ncurses-base, which every
# Debian has.
TERMINFO = "lib/terminfo/v/vt100"
# No row of xentop's is longer.
ROWS, COLUMNS = 24, 190


class StockTools(Stock):
    """Short cases, in the order of a guest's life.  What takes long, because
    Debian's hotplug scripts do, is in StockLife."""

    weight = 100
    config = CONFIG.replace(', "phy:/dev/loop7,xvdb,w"', "")

    def add_files(self, archive):
        super().add_files(archive)
        archive.add(TERMINFO, stat.S_IFREG | 0o644,
                    pathlib.Path("/", TERMINFO).read_bytes())

    # --- create ------------------------------------------------------------

    def test_create(self):
        self.create()

    def test_list(self):
        """Running and idle; the long form is JSON and names its devices."""
        row = self.row("xl list")
        check(row[2:4] == ["144", "2"] and float(row[5]) > 0, row)
        wait_until(self.vm, "xl list linux | grep -q -- -b----", 20)
        answer = self.vm.dom0_json("xl list -l linux")[0]["config"]
        check(answer["c_info"]["name"] == "linux", answer)
        check(answer["b_info"]["max_vcpus"] == 2, answer)
        check([d["vdev"] for d in answer["disks"]] == ["xvda"], answer)
        check(answer["nics"][0]["mac"] == "00:16:3e:00:00:01", answer)

    def test_vcpu_list(self):
        rows = self.rows("xl vcpu-list linux")
        check([r[2] for r in rows] == ["0", "1"], rows)
        for row in rows:
            check(row[4] in ("r--", "-b-", "---") and float(row[5]) > 0 and
                  row[6:] == ["all", "/", "all"], row)

    # --- disks -------------------------------------------------------------

    def test_disks(self):
        """What the guest writes is in the file."""
        self.disk_works("xvda", "a")

    def test_block_list(self):
        """Vdev, backend, handle, state 4 (connected)."""
        self.disks_are("51712")

    # --- networks ----------------------------------------------------------

    def test_network(self):
        """On the bridge; not a ping is lost, and bytes arrive as they were."""
        text = self.vm.dom0("ls /sys/class/net/xenbr0/brif")
        check(text == f"vif{self.domid()}.0", text)
        self.guest("ip addr add 10.1.0.2/24 dev eth0; ip link set eth0 up; "
                   "ping -c 1 -W 20 10.1.0.1")
        text = self.vm.dom0("ping -q -c 20 -i 0.05 -s 1400 10.1.0.2")
        check("20 packets received, 0% packet loss" in text, text)

    def test_network_bytes(self):
        """A kernel by TCP each way, with the same sum at both ends."""
        want = self.vm.dom0("httpd -p 80 -h /guest; md5sum </guest/vmlinuz")
        got = self.guest("wget -q -O /vmlinuz http://10.1.0.1/vmlinuz; "
                         "md5sum </vmlinuz; httpd -p 80 -h /", 120)
        check(got == want, f"to the guest: {got}, not {want}")
        got = self.vm.dom0("wget -q -O - http://10.1.0.2/vmlinuz | md5sum", 120)
        check(got == want, f"from the guest: {got}, not {want}")

    def test_address(self):
        """From a DHCP server in Dom0; both ends say which, and it is used."""
        self.vm.dom0("udhcpd /etc/udhcpd.conf")
        text = self.guest(
            "ip addr flush dev eth0; ip link set eth0 up; "
            "printf '#!/bin/sh\\n[ $1 != bound ] || ip addr add $ip/$mask dev "
            "$interface\\n' >/bound; chmod 755 /bound; "
            "udhcpc -i eth0 -n -q -t 20 -T 2 -s /bound; ip -4 -o addr show eth0",
            120)
        found = re.findall(r" inet (\S+)/(\d+) ", text)
        check(len(found) == 1 and found[0][1] == "24" and
              re.fullmatch(r"10\.1\.0\.10\d", found[0][0]), text)
        address = found[0][0]
        found = self.leases()
        check(found == {"00:16:3e:00:00:01": address}, f"{address}, {found}")
        text = self.vm.dom0("kill $(cat /run/udhcpd.pid); "
                            f"ping -q -c 5 -i 0.1 {address}")
        check(" 0% packet loss" in text, text)

    def test_network_list(self):
        row = self.rows("xl network-list linux")
        check(len(row) == 1 and row[0][2] == "00:16:3e:00:00:01" and
              row[0][4] == "4", row)

    # --- names, time, processors, memory ------------------------------------

    def test_rename(self):
        self.vm.dom0("xl rename linux other")
        check(self.row("xl list", "other")[2] == "144", "not renamed")
        self.vm.dom0("! xl domid linux 2>/dev/null; xl rename other linux")
        self.row("xl list")

    def test_pause(self):
        """Paused it does nothing; unpaused it goes on."""
        self.vm.dom0("xl pause linux")
        row = self.row("xl list")
        # Whether it sleeps as well depends on when its next timer fires.
        check(row[4] in ("--p---", "-bp---"), row)
        again = self.row("usleep 500000; xl list")
        check(again[5] == row[5], f"paused, it used time: {row} {again}")
        self.vm.dom0("xl unpause linux")
        check(self.guest("echo on") == "on", "it does not go on")

    def test_vcpu_set(self):
        """Hotplug: one goes, and comes back."""
        self.vm.dom0("xl vcpu-set linux 1")
        wait_until(self.vm, "xl vcpu-list linux | grep -q -- ' 1 *- *--p'", 40)
        check(self.guest("cat /sys/devices/system/cpu/online") == "0",
              "the guest has not taken it down")
        check(self.row("xl list")[3] == "1", "xl list counts it")
        self.vm.dom0("xl vcpu-set --ignore-host linux 2")
        # Who is to switch it on is udev, which this guest has not got.
        self.guest("n=0; c=/sys/devices/system/cpu/cpu1/online; until [ $(cat $c"
                   ") = 1 ]; do echo 1 >$c; n=$((n+1)); [ $n -lt 50 ]; "
                   "usleep 100000; done 2>/dev/null")
        check(self.row("xl list")[3] == "2", "it has not come back")

    def guest_kib(self):
        """What its kernel has, by its balloon."""
        return int(self.guest("cat /sys/devices/system/xen_memory/"
                              "xen_memory0/info/current_kb"))

    def test_mem_set(self):
        """The balloon takes memory, and gives it back."""
        full = self.guest_kib()
        free = int(self.vm.dom0("xl info free_memory"))
        self.vm.dom0("xl mem-set linux 112m")
        wait_until(self.vm, "[ $(xl list linux | awk 'END {print $3}') -le 112 ]",
                   60)
        kib = self.guest_kib()
        check(kib <= full - 31 * 1024, f"{full} KiB before, now {kib}")
        now = int(self.vm.dom0("xl info free_memory"))
        check(now >= free + 30, f"{free} MiB free before, {now} now")
        self.vm.dom0("xl mem-set linux 144m")
        wait_until(self.vm, "[ $(xl list linux | awk 'END {print $3}') -ge 143 ]",
                   60)
        kib = self.guest_kib()
        check(kib >= full - 2048, f"{full} KiB at first, now {kib}")

    def test_console(self):
        """xl console: what is typed it hears, what it says is seen."""
        self.vm.send("xl console linux")
        self.on_console(72)

    def test_trigger(self):
        """An NMI: its kernel says that it does not know why."""
        self.vm.dom0("xl trigger linux nmi 0")
        self.guest("n=0; until dmesg | grep -q 'NMI received for unknown'; do "
                   "n=$((n+1)); [ $n -lt 100 ]; usleep 100000; done")

    def test_sysrq(self):
        self.vm.dom0("xl sysrq linux h")
        self.guest("n=0; until dmesg | grep -q 'sysrq: HELP'; do n=$((n+1)); "
                   "[ $n -lt 100 ]; usleep 100000; done")

    # --- the machine ---------------------------------------------------------

    def test_info(self):
        """-n: processors and nodes."""
        text = self.vm.dom0("xl info -n")
        check(re.search(r"^nr_cpus +: 1$", text, re.M), text)
        check(re.search(r"^cpu_topology +:\ncpu: +core +socket +node\n"
                        r" *0: +0 +0 +0$", text, re.M), text)
        check(re.search(r"^numa_info +:\nnode: +memsize +memfree +distances\n"
                        r" *0: +\d+ +\d+ +10$", text, re.M), text)

    def test_uptime(self):
        text = self.vm.dom0("xl uptime")
        check(re.search(r"^Domain-0 +0 +0:0\d:\d\d$", text, re.M), text)
        check(re.search(r"^linux +\d+ +0:0\d:\d\d$", text, re.M), text)

    def test_top(self):
        """xentop: domains, vcpus, networks and disks with what went through."""
        text = self.vm.dom0("xentop -b -f -v -n -x -i 2 -d 1", 60)
        last = text[text.rindex("NAME"):]
        line = re.search(r"^ +linux [-rb]{6} .*$", last, re.M)
        check(line, text)
        words = line.group(0).split()
        check(int(words[2]) > 0, f"no CPU time: {line.group(0)}")
        check(re.search(r"VCPUs\(sec\):\s+0:\s+\d+s\s+1:\s+\d+s", last), last)
        net = re.search(r"Net0 RX: +(\d+)bytes +(\d+)pkts", last)
        check(net and int(net.group(1)) > 8000000, last)
        disk = re.search(r"VBD BlkBack 51712 .*RD: +(\d+) +WR: +(\d+)", last)
        check(disk and int(disk.group(2)) > 0, last)

    def test_xl_top(self):
        """xl top: xentop's screen on a terminal, until q is typed."""
        self.vm.dom0(f"stty rows {ROWS} cols {COLUMNS}")
        log = self.vm.dir / "serial.log"
        start = log.stat().st_size
        self.vm.send("xl top")
        # The last line of its screen; a letter is marked, a byte ends that.
        self.vm.expect("Q\x0f?uit", 60, prompt=True)
        drawn = log.read_bytes()[start:].decode("latin-1")
        self.vm.send("q", end="")
        self.vm.expect("dom0# ", 60, prompt=True)
        self.vm.dom0("stty rows 24 cols 80")
        # Without what stood there before it.
        drawn = drawn[drawn.index("\x1b["):]
        lines = Terminal(ROWS, COLUMNS).feed(drawn).lines()
        screen = "\n".join(lines)
        check(re.match(r"xentop - \d\d:\d\d:\d\d +Xen 4\.17", lines[0]) and
              re.match(r"2 domains: \d running, \d blocked, 0 paused, 0 crashed",
                       lines[1]) and
              re.match(r"Mem: \d+k total, \d+k used, \d+k free +CPUs: 1 @",
                       lines[2]), screen)
        check(re.match(r" +NAME +STATE +CPU\(sec\) +CPU\(%\) +MEM\(k\)",
                       lines[3]), screen)
        found = {words[0]: words for words in
                 (line.split() for line in lines[4:-1]) if words}
        check(set(found) == {"Domain-0", "linux"}, screen)
        check(int(found["linux"][2]) > 0 and
              147000 < int(found["linux"][4]) < 148000, screen)

    def test_xenstore_ls(self):
        text = self.vm.dom0("xenstore-ls -f /local/domain/$(xl domid linux)")
        check('/name = "linux"' in text and '/device/vbd/51712/state = "4"'
              in text and '/control/shutdown = ""' in text, text)

    def test_lsevtchn(self):
        """The guest's channels: store, console, disks, network, VIRQs."""
        text = self.vm.dom0("lsevtchn $(xl domid linux)")
        found = re.findall(r"^ *\d+: VCPU (\d+): Interdomain \(Connected\) - "
                           r"Remote Domain 0, Port \d+$", text, re.M)
        check(len(found) >= 4, text)
        check("Virtual IRQ" in text, text)

    def test_hypfs(self):
        """Facts are read, a setting is changed; what is neither is refused."""
        text = self.vm.dom0("xenhypfs tree")
        check("buildinfo/" in text and "loglvl" in text, text)
        text = self.vm.dom0("xenhypfs ls /buildinfo/version")
        check(text.split("\n") == ["<string> r- extra", "<uint>   r- major",
                                   "<uint>   r- minor"], text)
        text = self.vm.dom0("xenhypfs ls /params")
        check("<string> rw loglvl" in text, text)
        text = self.vm.dom0("xenhypfs cat /buildinfo/version/major; xenhypfs cat "
                            "/params/guest_loglvl")
        check(text.split("\n") == ["4", "debug"], text)
        self.vm.dom0("xenhypfs write /params/guest_loglvl none/warning")
        text = self.vm.dom0("xenhypfs cat /params/guest_loglvl; xenhypfs write "
                            "/params/guest_loglvl all")
        check(text == "none/warning", text)
        self.vm.dom0("xenhypfs write /params/sched_ratelimit_us 1000")
        check("1000us" in self.vm.dom0("xl sched-credit2 -s"), "no such limit")
        self.vm.dom0("xenhypfs write /params/sched_ratelimit_us 500")
        for words in ("cat /none", "write /buildinfo/version/major 5",
                      "write /params/loglvl nonsense"):
            rc, text = self.vm.dom0_cmd(f"xenhypfs {words}")
            check(rc != 0, f"{words}: {text}")

    def test_dmesg(self):
        """All of it; -c takes it away."""
        text = self.vm.dom0("xl debug-keys h; xl dmesg")
        check("key 'q': domains and vcpus" in text, text[-2000:])
        first = int(self.vm.dom0("xl dmesg -c | wc -c"))
        second = int(self.vm.dom0("xl dmesg | wc -c"))
        check(second < first // 4, f"{first} bytes, then {second}")

    def test_debug_keys(self):
        """Every report has something true of this machine in it."""
        domid = self.domid()
        wanted = {
            "0": r"d0v0: rip", "a": r"CPU 0: [1-9]\d* timers",
            "d": rf"d{domid}v1: rip", "e": rf"event channels of d{domid} ",
            "g": rf"grant table of d{domid}: version 1",
            "i": r"irq \d+: vector", "m": r"memory: \d+ frames",
            "n": r"NMIs: \d+, of these SERR 0 IOCHK 0 unknown 0",
            "q": rf"d{domid}: state \d .*pages 368\d\d of",
            "r": r"CPU \d: d0v\d runs, \d+ wait",
            "s": rf"d{domid}: TSC mode 0", "t": r"TSC of \d{5,} kHz",
            "u": r"node 0: 1 processors, \d+ frames",
            "z": r"IO-APIC at fec00000: version .* 24 pins", "M": ""}
        text = self.vm.dom0("xl dmesg -c >/dev/null; xl debug-keys "
                            f"{''.join(wanted)}; xl dmesg", 120)
        for key, pattern in wanted.items():
            found = re.search(rf"^\(XEN\) debug key '{key}': .*\n?"
                              r"((?:\(XEN\) (?!debug key).*\n?)*)", text, re.M)
            check(found, f"key {key} says nothing: {text[:1000]}")
            check(re.search(pattern, found.group(1)),
                  f"key {key}, no /{pattern}/: {found.group(1)[:1000]}")

    def test_log_keys(self):
        """w repeats the ring on the console only; - and + change levels."""
        seen = self.vm.text.count("debug key 't': clocks")
        self.vm.dom0("xl dmesg -c >/dev/null; xl debug-keys t; xl debug-keys w")
        self.vm.wait_count("debug key 't': clocks", seen + 2, 20)
        text = self.vm.dom0("xl dmesg | grep -c 'key .t.: clocks'; xl debug-keys "
                            "-- -; xenhypfs cat /params/loglvl; xl debug-keys +; "
                            "xenhypfs cat /params/loglvl")
        check(text.split("\n") == ["1", "info", "debug"], text)

    # --- the end -----------------------------------------------------------

    def test_shutdown(self):
        self.vm.dom0("xl shutdown -w linux", 120)
        self.gone()

    def test_log_is_clean(self):
        text = self.vm.dom0("dmesg | grep -E 'WARNING:|BUG:'; true")
        check(text.strip() == "", text)
