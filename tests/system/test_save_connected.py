# SPDX-License-Identifier: MIT
"""A guest is saved and restored in the middle of a TCP connection with Dom0:
the connection goes on, no byte is lost or doubled."""

import re

from stock import CONFIG, LOG, Stock
from suite import check, wait_until
from test_save_restore import Saved

PORT = 7000
# The guest counts, a number a line; Dom0's end sends each line back.  The console
# echoes what is typed: what is looked for must not be in it.
TALK = (f"(n=0; while :; do n=$((n+1)); echo $n; usleep 100000; done | "
        f"nc 10.1.0.1 {PORT} >/echo; echo GUEST-HUNG''-UP >/dev/hvc0) & true")


class SaveConnected(Saved, Stock):
    """Debian's kernel with a disk and a network, that counts, watches its clocks
    and talks; saved and restored by Debian's xl on two processors."""

    weight = 1500
    long = True
    machine = {"smp": 2, "wall": 7200}
    # Not much more than the rounds need: each is saved and restored whole, and
    # Linux has about 2 MiB less after each.
    config = CONFIG.replace(
        'vigil.devices"', 'vigil.devices vigil.clock"').replace(
        "memory = 144\nmaxmem = 160\n", "memory = 256\n").replace(
        ', "phy:/dev/loop7,xvdb,w"', "")

    def setup(self):
        Stock.setup(self)

    def heard(self):
        """How many of its lines have come back, in order and whole."""
        # The last line may not be all there yet.
        text = self.guest("head -n $(wc -l </echo) /echo | awk '$1 != NR { print "
                          "\"wrong\", NR, $0; exit } END { print NR }'")
        check(re.fullmatch(r"\d+", text), f"what came back: {text}")
        return int(text)

    def connection(self):
        """The guest's port, by Dom0's table of connections."""
        text = self.vm.dom0("netstat -tn")
        found = re.findall(rf"10\.1\.0\.1:{PORT} +\S*10\.1\.0\.2:(\d+) "
                           r"+ESTABLISHED", text)
        check(len(found) == 1, f"not one connection: {text}")
        return found[0]

    def goes_on(self):
        """Ten more lines come back, on the same connection."""
        before = self.heard()
        self.guest(f"n=0; until [ $(wc -l </echo) -ge {before + 10} ]; do "
                   "n=$((n+1)); [ $n -lt 600 ] || break; usleep 100000; done")
        now = self.heard()
        check(now >= before + 10, f"{before} lines came back, {now} later")
        check(self.connection() == self.port, "another connection")

    def round(self):
        """Saved, restored: its memory, its clocks, its connection."""
        self.cycle()
        self.goes_on()

    def test_starts(self):
        self.create()
        wait_until(self.vm, f"grep -q GUEST-KEEPS {LOG}", 120)
        self.facts = self.ask()
        self.vm.dom0(f"nc -l -p {PORT} -e cat >/dev/null 2>&1 &")
        self.guest("ip addr add 10.1.0.2/24 dev eth0; ip link set eth0 up; "
                   f"ping -c 1 -W 20 10.1.0.1; {TALK}")
        self.guest("n=0; until [ -s /echo ]; do n=$((n+1)); [ $n -lt 200 ] || "
                   "break; usleep 100000; done")
        self.port = self.connection()
        self.goes_on()

    def test_once(self):
        self.round()

    def test_stays(self):
        """`save -c`: it stands for a while and goes on."""
        self.save("-c")
        self.went_on()
        self.goes_on()

    def test_fifty_times(self):
        for _ in range(50):
            self.round()
            # What was said is read again in each round, if it is kept.
            text = self.vm.dom0(f"grep -E 'GUEST-HUNG-UP|GUEST-BACKWARDS' {LOG};"
                                f" : >{LOG}")
            check(text == "", text[-1000:])

    def test_disk(self):
        """Its disk came along each time."""
        self.disk_works("xvda", "a")
        self.disks_are("51712")

    def test_end(self):
        self.vm.dom0("xl destroy linux", 60)
        self.gone()
