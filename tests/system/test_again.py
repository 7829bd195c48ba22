# SPDX-License-Identifier: MIT
"""One number, one name, one guest after the other: nothing mixes."""

import re
from itertools import groupby

from suite import Suite, check, crash_records, need_vigil, wait_until

NUMBER = 200
FIRST = "aaaaaaaa-0000-4000-8000-000000000001"
SECOND = "bbbbbbbb-0000-4000-8000-000000000002"
THIRD = "cccccccc-0000-4000-8000-000000000003"


class SameNumber(Suite):
    """Guests that share domid and name, and differ by UUID alone."""

    weight = 30

    def setup(self):
        need_vigil()
        self.boot()

    def make(self, stub, uuid, more="", wait="LIBXL_DOMID_REUSE_TIMEOUT=0",
             name="twin"):
        """Create one of them.  Return: exit status and what was said.

        wait: libxl keeps a number back for a minute after its guest's end
        """
        return self.vm.dom0_cmd(
            f"{wait} vigil create --domid {NUMBER} /etc/xen/{stub}.cfg "
            f"'name=\"{name}\"' 'uuid=\"{uuid}\"' {more}", 90)

    def kinds(self, uuid):
        """Return the kinds of events of one guest."""
        text = self.vm.dom0(f"vigil events {uuid}")
        return [line.split()[3] for line in text.split("\n")]

    def gone(self, uuid):
        """Wait until one of them is gone, and told to be."""
        wait_until(self.vm, f"vigil events {uuid} | grep -q destroyed", 60)
        self.vm.dom0("sleep 2")     # a second is the least that libxl keeps

    def test_two_crashes(self):
        """The first is killed, the second crashes: two records."""
        for stub, uuid, more in (("killed", FIRST, "'extra=\"ud2\"'"),
                                 ("crash", SECOND, "")):
            rc, text = self.make(stub, uuid, more)
            check(rc == 0, f"create {stub}: {rc}: {text}")
            self.gone(uuid)
        found = {r["guest"]["uuid"]: r for r in crash_records(self.vm, "guest")}
        check(set(found) == {FIRST, SECOND}, f"{list(found)}")
        for uuid, by, own, other in (
                (FIRST, "hypervisor", "killed: ", "about to report"),
                (SECOND, "guest", "about to report", "killed: ")):
            record = found[uuid]
            check(record["guest"]["domid"] == NUMBER and
                  record["guest"]["name"] == "twin" and
                  record["reason"]["by"] == by, f"{record}")
            text = self.vm.dom0("cat /var/lib/vigil/crash/*-"
                                f"{record['id']}/console.txt")
            check(own in text and other not in text, f"of {uuid}: {text}")
            check("earlier guests" not in text, text)
        check(self.kinds(FIRST)[-2:] == ["killed", "destroyed"],
              f"{self.kinds(FIRST)}")
        check(self.kinds(SECOND)[-2:] == ["crashed", "destroyed"],
              f"{self.kinds(SECOND)}")

    def test_recent_number(self):
        """libxl's care: a number just used is refused in words."""
        rc, text = self.make("hello", THIRD, wait="")
        check(rc != 0 and "recent" in text, f"{rc}: {text}")

    def test_third(self):
        """It has its own console, time, memory, record of nothing."""
        rc, text = self.make("hello", THIRD, "'extra=\"hold\"'")
        check(rc == 0, f"{rc}: {text}")
        wait_until(self.vm, "vigil console twin --replay 64 2>&1 | "
                   "grep -q STUB", 60)
        text = self.vm.dom0("vigil console twin --replay 64")
        check("STUB hello: SUCCESS" in text and "about to report" not in text,
              text)
        guest = self.vm.dom0_json("vigil top -i 1 -d 0.5 --json")["guests"][-1]
        check(guest["domid"] == NUMBER and guest["uuid"] == THIRD and
              guest["state"] in ("blocked", "running") and
              guest["memory_kib"] <= 16384, f"{guest}")
        check("killed" not in self.kinds(THIRD) and
              "destroyed" not in self.kinds(THIRD), f"{self.kinds(THIRD)}")

    def test_number_in_use(self):
        """A clear refusal, and the one who has it is not touched."""
        rc, text = self.make("crash", FIRST, name="other")
        check(rc == 8 and str(NUMBER) in text, f"{rc}: {text}")
        guest = self.vm.dom0_json("vigil list --json twin")["guests"][0]
        check(guest["uuid"] == THIRD, f"{guest}")

    def test_log_says_who(self):
        """Lines of one number are told apart by where they stand."""
        text = self.vm.dom0("vigil destroy twin; vigil dmesg")
        said = re.findall(
            rf"domain: d{NUMBER} (is gone|is [0-9a-f-]{{36}} now)", text)
        said = [line for line, _ in groupby(said)]
        # By turns: what was refused as too recent may have been made, too.
        check(len(said) % 2 and set(said[0::2]) == {"is gone"}, f"{said}")
        check([line for line, _ in groupby(said[1::2])] ==
              [f"is {SECOND} now", f"is {THIRD} now"], f"{said}")
