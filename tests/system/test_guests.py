# SPDX-License-Identifier: MIT
"""Guests made from xl.cfg files, and stubs in the place of Dom0."""

import json
import re

from holdings import all_is_back, info
from suite import (Suite, check, crash_records, create, destroy, is_vigil,
                   log_records, need_vigil, no_errors, stub_done, tool, wait_console, wait_until)

# Word on the command line of `killed`, and what the record must speak of.
KILLED = {"ud2": r"handler|exception|trap", "badstack": r"stack|bounce",
          "badiret": r"iret", "nouser": r"user|page table",
          "badselector": r"failsafe|selector|handler",
          "noevent": r"callback|event"}


# Of the machine, for `stranger`: nobody else uses it.
SECOND_LINE = ("-serial", "null")
# What the tools give of it, and of the HPET; and the same in the stub's words.
GIVEN = ("ioports = [ \"2f8-2ff\" ]", "irqs = [ 3 ]", "iomem = [ \"fed00,1\" ]")
GIVEN_WORDS = "ports=0x2f8 port_count=8 irq=3 frame=0xfed00"

# Stubs that try as a guest, too, what they try as Dom0.
AS_GUEST = ("hostile", "hypercalls", "mmu", "grant", "evtchn", "iret", "timer")

# Frames of records a guest may have: so many that they are missed if they stay.
MAPTRACK = 64


class Guests(Suite):
    """One Dom0, one guest after the other."""

    weight = 80

    def setup(self):
        self.boot(extra=SECOND_LINE)

    def test_hello(self):
        """Runs, is listed, speaks on its console, stays."""
        create(self.vm, "hello")
        stub_done(self.vm, "hello")
        text = self.vm.dom0(f"{tool()} list")
        check(re.search(r"^hello\s+\d+\s+16\s+1\s", text, re.M), text)
        text = self.vm.dom0("xl list")
        check(re.search(r"^hello\s+\d+\s+16\s+1\s", text, re.M),
              f"xl does not see it: {text}")

    def test_pause(self):
        self.vm.dom0(f"{tool()} pause hello")
        text = self.vm.dom0("xl list hello")
        check(re.search(r"\s..p...\s+[\d.]+$", text), text)
        self.vm.dom0(f"{tool()} unpause hello")
        text = self.vm.dom0("xl list hello")
        check(re.search(r"\s..-...\s+[\d.]+$", text), text)

    def test_second_of_a_name(self):
        rc, text = self.vm.dom0_cmd(f"{tool()} create /etc/xen/hello.cfg")
        check(rc != 0, f"two guests called hello: {text}")

    def test_destroy(self):
        before = self.free_memory()
        self.vm.dom0(f"{tool()} destroy hello")
        rc, text = self.vm.dom0_cmd("xl list hello")
        check(rc != 0, f"hello is still there: {text}")
        # Its memory comes back, as soon as Dom0 has let go of it.
        want = before + 14
        for _ in range(100):
            if self.free_memory() >= want:
                break
        else:
            check(False, f"free memory {self.free_memory()} MiB < {want}")
        destroy(self.vm, "hello")

    def free_memory(self):
        """Free memory of the machine in MiB, by stock xl."""
        return int(self.vm.dom0("xl info free_memory"))

    def test_selftest(self):
        create(self.vm, "selftest")
        stub_done(self.vm, "selftest")
        destroy(self.vm, "selftest")

    def test_poweroff_is_reaped(self):
        """A guest that powers off is gone, and that is no crash."""
        create(self.vm, "hello", "")
        wait_until(self.vm, "! xl list hello >/dev/null 2>&1", 30)
        if is_vigil():
            check(not [r for r in crash_records(self.vm, "guest")
                       if "hello" in str(r)], "a power-off was filed as crash")
        destroy(self.vm, "hello")

    def test_crash(self):
        """A guest's own crash is recorded with its last words."""
        create(self.vm, "crash")
        self.recorded("crash", r"crash", "about to report SHUTDOWN_crash",
                      "c0ffee13")

    def recorded(self, name, words, console=None, register=None):
        """Wait for the guest's crash record and look into it."""
        if not is_vigil():
            destroy(self.vm, name)
            return
        wait_until(self.vm, f"vigil crash list | grep -q {name}", 30)
        records = [r for r in crash_records(self.vm, "guest")
                   if name in str(r)]
        check(len(records) == 1, f"{len(records)} records of {name}")
        ident = records[0]["id"]
        text = self.vm.dom0(f"vigil crash show {ident}")
        check(re.search(words, text, re.I), f"no /{words}/ in: {text[:400]}")
        check(re.search(r"\brip\b", text, re.I), f"no registers: {text[:400]}")
        if console:
            check(console in text, f"no console tail: {text[-400:]}")
        if register:
            check(register in text, f"no register {register}: {text[:900]}")
        destroy(self.vm, name)
        self.vm.dom0("rm -rf /var/lib/vigil/crash/*")

    def test_killed(self):
        """Each way to be killed: alone, with its own reason."""
        need_vigil()
        create(self.vm, "hello")
        stub_done(self.vm, "hello")
        wrong = []
        for word, words in KILLED.items():
            try:
                create(self.vm, "killed", word)
                self.recorded("killed", words)
            except Exception as error:  # one report for all of them
                wrong.append(f"{word}: {error}")
                destroy(self.vm, "killed")
                self.vm.dom0("rm -rf /var/lib/vigil/crash/*")
        check(not wrong, "\n".join(wrong))
        text = self.vm.dom0("xl list")
        check("hello" in text, f"another guest went too: {text}")
        destroy(self.vm, "hello")

    def test_hostile(self):
        """A guest that tries everything; it may be killed, and nobody else."""
        need_vigil()
        create(self.vm, "hostile")
        stub_done(self.vm, "hostile", 120)
        destroy(self.vm, "hostile")

    def test_no_error_by_a_guest(self):
        """All they did, and not one record says that we are at fault."""
        need_vigil()
        create(self.vm, "killed", "ud2")
        wait_until(self.vm, "vigil dmesg -r -l warning | grep -q ' died: '")
        no_errors(self.vm)
        destroy(self.vm, "killed")

    def test_trigger_nmi(self):
        """`trigger nmi` by both tools is counted exactly."""
        create(self.vm, "nmi", "wait=4")
        wait_console(self.vm, "nmi", "nmi: ready", 40)
        for count, who in enumerate(("xl", tool(), "xl", tool()), 1):
            self.vm.dom0(f"{who} trigger nmi nmi")
            wait_console(self.vm, "nmi", f"nmi: count={count} ", 20)
        stub_done(self.vm, "nmi")
        destroy(self.vm, "nmi")

    def stranger(self, given=(), words=""):
        """The stub `stranger` as a guest of stock xl, with what is given."""
        lines = "\\n".join(given + (f'extra = \"{words}\"', ""))
        self.vm.dom0(f"rm -f /var/log/xen/console/guest-stranger.log; "
                     f"(cat /etc/xen/stranger.cfg; printf '{lines}') "
                     ">/tmp/stranger.cfg; xl create /tmp/stranger.cfg", 60)
        stub_done(self.vm, "stranger")
        destroy(self.vm, "stranger")

    def test_stranger_given(self):
        """Ports, an interrupt and device memory by xl: these, nothing else."""
        need_vigil()
        self.stranger(GIVEN, GIVEN_WORDS)

    def test_stranger(self):
        """All that only the control domain may do is refused to a guest; what
        another was given, too."""
        need_vigil()
        self.stranger()

    def test_as_guest(self):
        """What stubs try as Dom0 elsewhere, tried by guests, all at once."""
        self.vm.dom0("".join(
            f"rm -f /var/log/xen/console/guest-{name}.log; "
            f"{tool()} create /etc/xen/{name}.cfg || exit 1; "
            for name in AS_GUEST), 120)
        for name in AS_GUEST:
            stub_done(self.vm, name)
        for name in AS_GUEST:
            destroy(self.vm, name)

    def test_vtsc(self):
        """A guest whose TSC is emulated; no RDTSCP here."""
        create(self.vm, "vtsc")
        stub_done(self.vm, "vtsc", 60)
        destroy(self.vm, "vtsc")

    def maptrack(self):
        """A guest maps as many grants as it may and leaves them."""
        self.vm.dom0("rm -f /var/log/xen/console/guest-grant.log; vigil create "
                     f"/etc/xen/grant.cfg max_maptrack_frames={MAPTRACK} "
                     f"'extra=\"maptrack={MAPTRACK} leave\"'", 60)
        text = stub_done(self.vm, "grant", 60)
        found = re.search(r"grant: (\d+) mappings at most, (\d+) are left", text)
        check(found and found.group(1) == found.group(2), text[-300:])
        wait_until(self.vm, "! xl domid grant", 30)
        return found.group(1)

    def test_maptrack(self):
        """All of a guest's mappings end with it, with the pages of their
        records, and are told once."""
        need_vigil()
        self.maptrack()     # what is kept for the next ones is there then
        self.vm.dom0("xl dmesg -c >/dev/null")
        before, _ = info(self.vm)
        count = self.maptrack()
        all_is_back(self.vm, before)
        text = self.vm.dom0("xl dmesg | grep ' grants mapped; released'")
        check(len(text.splitlines()) == 1 and f"died with {count} " in text, text)

    def test_dom0_survived(self):
        check(self.vm.dom0("echo fine").strip() == "fine", "no shell")
        bad = self.vm.dom0("dmesg | grep -E 'WARNING:|BUG:|Oops' || true")
        check(not bad.strip(), bad)


class Flood(Suite):
    """A guest that fills the log costs nobody else a line."""

    weight = 20

    def setup(self):
        need_vigil()
        self.boot(options="guest_loglvl=none/all")

    def test_flood(self):
        self.vm.dom0("vigil create -p /etc/xen/hello.cfg", 60)
        quiet = int(self.vm.dom0("xl domid hello"))
        create(self.vm, "nmi", "flood=6")
        self.vm.dom0("vigil unpause hello")
        noisy = int(self.vm.dom0("xl domid nmi"))
        text = wait_console(self.vm, "nmi", r"STUB \w+: ", 60)
        rounds = int(re.search(r"SUCCESS (\d+) rounds", text).group(1))
        destroy(self.vm, "nmi")
        destroy(self.vm, "hello")
        for domid in noisy, quiet:
            wait_until(self.vm, "vigil dmesg -r -l info | "
                       f"grep -q 'domain: d{domid} is gon[e]'")
        found = log_records(self.vm)
        texts = [r["text"] for r in found]
        # Ours, from the first to the last; those of the other; and its own.
        check(found[0]["seq"] == 1, f"the log begins with {found[0]}")
        spoke = [i for i, t in enumerate(texts) if t.startswith(f"(d{quiet}) ")]
        check(len(spoke) >= 10, f"d{quiet} has {len(spoke)} lines")
        lines = [i for i, t in enumerate(texts) if t == f"(d{noisy}) flood"
                 or t.startswith(f"d{noisy}v0 pv: no NMI handler")]
        told = re.findall(r"^d(\d+) too many lines: (\d+) left out$",
                          "\n".join(texts), re.M)
        left = [int(n) for domid, n in told if int(domid) == noisy]
        check(spoke[0] < max(lines), "not during the flood")
        print(f"# {rounds} rounds: {len(lines)} lines, {sum(left)} left out, "
              f"said {len(left)} times", flush=True)
        check(10 <= len(lines) <= 60, f"{len(lines)} lines of the flood")
        # And three or so of its other words.
        check(0 <= sum(left) + len(lines) - 2 * rounds <= 5,
              f"{sum(left)} and {len(lines)} of {2 * rounds}")
        info = self.vm.dom0_json("vigil info --json")["vigil_counters"]
        check(info["log_left_out"] == sum(int(n) for _, n in told),
              f"{told}, {info['log_left_out']}")


class KilledCollector(Suite):
    """vigild is killed at any moment: each death is on disk, and once."""

    weight = 40

    def setup(self):
        need_vigil()
        self.boot()

    def test_each_death_once(self):
        kill = "kill -9 $(pidof vigild) 2>/dev/null"
        self.vm.dom0(
            f"for i in 1 2 3 4 5 6; do vigil create /etc/xen/crash.cfg && "
            f"usleep $((i * 60000)); {kill}; vigild & usleep $((i * 40000)); "
            f"{kill}; wait; vigild; n=600; "
            f"while vigil list crash >/dev/null 2>&1 && [ $n -gt 0 ]; "
            f"do n=$((n-1)); usleep 200000; done; done 2>/dev/null", 900)
        counters = self.vm.dom0_json("vigil info --json")["vigil_counters"]
        deaths = int(counters["guest_deaths"])
        check(deaths == 6, f"{deaths} deaths")
        answer = self.vm.dom0_json("vigil crash list --json")
        found = sorted(r["death_seq"] for r in answer["crashes"])
        check(found == list(range(1, deaths + 1)),
              f"deaths 1 to {deaths}, recorded: {found}")
        check(answer["damaged"] == 0, f"{answer['damaged']} damaged")

    def test_nothing_is_left(self):
        text = self.vm.dom0("ls -A /var/lib/vigil/crash /run/vigil/guests")
        check(".partial" not in text and ".json" not in text, text)
        answer = self.vm.dom0_json("vigil list --json")
        check(len(answer["guests"]) == 1, f"{answer}")

    def test_events_are_lines(self):
        """Each line of the feed is JSON; a kill costs at most the line."""
        text = self.vm.dom0_bytes("cat /var/log/vigil/events.ndjson")
        found = [json.loads(line)["attributes"]["vigil.event"]
                 for line in text.decode().splitlines()]
        check(found.count("crashed") <= 6, f"{found}")


class Churn(Suite):
    """Guests come and go, and leave nothing behind."""

    weight = 60
    count = 20

    def setup(self):
        self.boot()

    def free_frames(self):
        """Free frames of the machine, exactly (debug key m)."""
        text = self.vm.dom0("dmesg -c >/dev/null; xl debug-keys m; xl dmesg")
        found = re.findall(r"memory: \d+ frames, (\d+) free", text)
        check(found, f"no line of debug key m: {text[-300:]}")
        return int(found[-1])

    def cycle(self, count, more=""):
        """Create and destroy a guest that holds one of everything."""
        config = "/etc/xen/leftovers.cfg"
        log = "/var/log/xen/console/guest-leftovers.log"
        self.vm.dom0(
            f"i=0; while [ $i -lt {count} ]; do i=$((i+1)); rm -f {log}; "
            f"{tool()} create {config} {more} >/dev/null || exit 1; "
            f"n=2000; until grep -q STUB {log} 2>/dev/null; do n=$((n-1)); "
            f"[ $n -gt 0 ] || exit 2; usleep 50000; done; "
            f"grep -q 'STUB leftovers: SUCCESS' {log} || exit 3; "
            f"{tool()} destroy leftovers || exit 4; done", 60 + 30 * count)

    def gone(self):
        wait_until(self.vm, "! xl list leftovers >/dev/null 2>&1", 20)

    def test_large(self):
        """A guest so large that its destruction is interrupted."""
        self.cycle(2, "memory=200")
        self.gone()

    def test_many(self):
        """So many guests later the machine has as many free frames."""
        need_vigil()
        self.cycle(2)
        self.gone()
        before = self.free_frames()
        self.cycle(self.count)
        self.gone()
        for _ in range(100):
            after = self.free_frames()
            # A page or two of small objects may be cut differently.
            if after >= before - 8:
                return
        check(False, f"{before} free frames before, {after} after {self.count} "
                     "guests")


class Stubs(Suite):
    """Stubs booted as Dom0: a machine of seconds each."""

    weight = 30

    def as_dom0(self, name, line="", options=""):
        """Boot one and check its verdict, then that the machine ends."""
        vm = self.boot_stub(name, line, options=options)
        try:
            self.stub_verdict(vm, name)
            # Dom0's power-off ends QEMU; with no ACPI data it can only halt.
            if vm.running:
                vm.expect_end(r"halt|power", 15)
        finally:
            vm.close()

    def test_hello(self):
        self.as_dom0("hello")

    def test_selftest(self):
        self.as_dom0("selftest")

    def test_nmi(self):
        self.as_dom0("nmi")

    def test_mce_banks(self):
        self.as_dom0("mce", "wait=0")

    def test_maptrack(self):
        """All the mappings Dom0 may have; before that, with no memory left."""
        self.as_dom0("grant", "maptrack=1024")

    def test_hostile(self):
        """Its second vCPU is one of the things it tries."""
        self.as_dom0("hostile", options="dom0_max_vcpus=2")

    def pci(self, line, machine):
        """The stub that drives edu: line, message, storm, guarded registers."""
        vm = self.boot_stub("pci", line, label=f"pci-{machine}",
                            machine=machine, options="irq_ratelimit=64",
                            extra=["-device", "edu,addr=4", "-device",
                                   "virtio-rng-pci,addr=5"])
        try:
            self.stub_verdict(vm, "pci", 90)
            if is_vigil():
                said = re.findall(r"irq \d+ \(level.*held back", vm.text)
                check(len(said) == 1, f"one storm of a line, reports: {said}")
        finally:
            vm.close()

    def test_pci(self):
        self.pci("", "pc")

    def test_pci_q35(self):
        """Configuration space in memory; lines behind the first 16."""
        self.pci("gsi=20 ecam=0xb0000000", "q35")

    def test_stranger(self):
        """Dom0 gives a guest things of its own, and takes them away."""
        need_vigil()
        vm = self.boot_stub("stranger", extra=SECOND_LINE)
        try:
            self.stub_verdict(vm, "stranger")
        finally:
            vm.close()

    def test_bench(self):
        """Each operation twice; the figures are another matter."""
        self.as_dom0("bench", "n=2")


def more_stubs():
    """Every other stub that was built gets a case of its own."""
    from suite import BUILD
    known = {"hello", "selftest", "nmi", "mce", "crash", "killed",
             "hostile", "bench", "pci", "fair", "storm",
             "flush", "race", "suspend", "churn", "sweep", "stranger",
             "hang", "idle"}
    folder = BUILD / "guest-stubs"
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.is_file() and not path.suffix and path.name not in known:
            def case(self, name=path.name):
                self.as_dom0(name)
            setattr(Stubs, f"test_{path.name.replace('-', '_')}", case)


more_stubs()
