# SPDX-License-Identifier: MIT
"""The tools that watch: events, wait, top, console --replay; guests that have
one number and one name after the other.  One boot."""

import json
import os
import re
import shutil
import subprocess
from itertools import groupby

from suite import (BUILD, TOP, Suite, check, crash_records, destroy,
                   need_vigil, require, skip, stub_done, wait_until)

NUMBER = 200
FIRST = "aaaaaaaa-0000-4000-8000-000000000001"
SECOND = "bbbbbbbb-0000-4000-8000-000000000002"
THIRD = "cccccccc-0000-4000-8000-000000000003"


class Watch(Suite):
    """One Dom0; each guest's life is followed from outside."""

    weight = 110

    def setup(self):
        need_vigil()
        self.boot()

    def events(self, words=""):
        """Return what the feed says, one dict for each event."""
        text = self.vm.dom0_bytes(f"vigil events --json {words}").decode()
        return [json.loads(line) for line in text.splitlines()]

    def kinds(self, words=""):
        """Return the kinds of events, in order."""
        return [e["attributes"]["vigil.event"] for e in self.events(words)]

    def guest(self, name):
        """Return what `vigil list` says of one guest."""
        return self.vm.dom0_json(f"vigil list --json {name}")["guests"][0]

    def exits(self, words, wanted):
        """Run our tool; it must end with this status.  Return: its output."""
        rc, text = self.vm.dom0_cmd(f"vigil {words}")
        check(rc == wanted, f"vigil {words}: exit {rc}, wanted {wanted}: "
              f"{text}")
        return text

    def test_wait_answers_at_once(self):
        """What cannot come true is said, not waited for."""
        self.exits("wait nobody", 2)
        self.exits("wait nobody --for tea", 2)
        self.exits("wait nobody --for crashed", 3)
        self.exits("wait nobody --for shutdown", 3)
        self.exits("wait nobody --for gone", 0)
        self.exits("wait nobody --for running --timeout 1", 7)
        self.exits("wait Domain-0 --for running", 0)

    def test_life_of_a_guest(self):
        """Paused, running, ended, gone: waited for by name, told in order."""
        self.vm.dom0("vigil create -p /etc/xen/hello.cfg 'extra=\"\"'")
        uuid = self.guest("hello")["uuid"]
        # Those who wait are woken: they began before it happened.
        text = self.vm.dom0(
            "(vigil wait hello --for shutdown; echo $? >/tmp/s) & "
            "(vigil wait hello --for gone --json >/tmp/g; echo $? >>/tmp/g) & "
            "(vigil wait hello --for crashed 2>/tmp/c; echo $? >>/tmp/c) & "
            "sleep 1; vigil unpause hello; wait; cat /tmp/s", 90)
        check(text == "0", text)
        text = self.vm.dom0("cat /tmp/g")
        check(json.loads(text.split("\n")[0])["uuid"] == uuid and
              text.endswith("0"), text)
        text = self.vm.dom0("cat /tmp/c")
        check(text.endswith("8") and "will not be crashed" in text, text)
        wait_until(self.vm, f"vigil events {uuid} | grep -q destroyed")
        kinds = self.kinds(uuid)
        check(kinds[0] == "created" and kinds[-1] == "destroyed", f"{kinds}")
        check("started" in kinds, f"{kinds}")
        for event in self.events(uuid):
            check(event["attributes"]["vigil.guest"]["uuid"] == uuid,
                  f"{event}")

    def test_pause_is_told(self):
        self.vm.dom0("rm -f /var/log/xen/console/guest-hello.log; "
                     "vigil create -p /etc/xen/hello.cfg 'extra=\"hold\"'", 60)
        text = self.exits("wait hello --for running --timeout 1", 7)
        check("is paused after 1 s" in text, text)
        text = self.vm.dom0(
            "(vigil wait hello --for running --json >/tmp/r; echo $? >>/tmp/r)"
            " & sleep 1; vigil unpause hello; wait; cat /tmp/r", 60)
        check(json.loads(text.split("\n")[0])["state"] in
              ("running", "blocked") and text.endswith("0"), text)
        stub_done(self.vm, "hello")
        uuid = self.guest("hello")["uuid"]
        self.vm.dom0("vigil pause hello")
        wait_until(self.vm, f"vigil events {uuid} | grep -q paused")
        self.vm.dom0("vigil unpause hello")
        wait_until(self.vm, f"vigil events {uuid} | grep -q resumed")
        check(self.kinds(uuid) == ["created", "started", "paused", "resumed"],
              f"{self.kinds(uuid)}")

    def test_replay(self):
        """The last words of hello's console: of its log, then of its page."""
        text = self.vm.dom0("vigil console hello --replay 64")
        check(text.count("STUB hello: SUCCESS") == 1, text[-300:])
        check("hello: xen-3.0" in text, f"not from the beginning: {text[:200]}")
        size = self.vm.dom0("vigil console hello --replay 1 | wc -c")
        check(size.strip() == "1024", f"1 KiB is {size} bytes")
        self.vm.dom0("rm /var/log/xen/console/guest-hello.log")
        text = self.vm.dom0("vigil console hello --replay 64")
        check("STUB hello: SUCCESS" in text, f"not from the page: {text}")
        check(len(text) <= 2 * 1024, f"a page of {len(text)} bytes")
        for words in ("0", "x", "999999"):
            self.exits(f"console hello --replay {words}", 2)

    def test_top(self):
        """Tables; rates of what works and of what does not."""
        self.vm.dom0("(while :; do :; done) >/dev/null 2>&1 & "
                     "echo $! >/tmp/busy")
        answer = self.vm.dom0_json("vigil top -i 1 -d 2 --json")
        text = self.vm.dom0("vigil top -b -i 2 -d 0.5; kill $(cat /tmp/busy)")
        check(answer["schema"] == "vigil.top/1", f"{answer}")
        by_name = {g["name"]: g for g in answer["guests"]}
        check(by_name["Domain-0"]["cpu_percent"] > 50, f"{answer}")
        check(by_name["hello"]["cpu_percent"] < 20, f"{answer}")
        check(by_name["hello"]["memory_kib"] == 16384, f"{answer}")
        check(1.5 < answer["seconds"] < 60, f"{answer}")
        # Dom0 ran for itself: it did not wait; hello slept, and did not.
        check(0 <= by_name["Domain-0"]["wait_percent"] < 50 and
              0 <= by_name["hello"]["wait_percent"] < 50 and
              by_name["hello"]["instance"] > by_name["Domain-0"]["instance"],
              f"{answer}")
        check(len(re.findall(r"^NAME +ID +STATE ", text, re.M)) == 2 and
              len(re.findall(r"^hello +\d+ +\w+ ", text, re.M)) == 2, text)
        for words in ("-i 0", "-i x", "-d 0", "-d x", "-d nan"):
            self.exits(f"top -b {words}", 2)

    def test_top_on_a_terminal(self):
        """A screen, drawn again, until q; the terminal is as it was."""
        before = self.vm.dom0("stty -a")
        self.vm.send("vigil top -d 1; echo left $?")
        for _ in range(2):
            self.vm.expect(r"q: leave", 30, prompt=True)
        self.vm.send("q")
        self.vm.expect(r"left 0", 30)
        check(self.vm.dom0("stty -a") == before, "the terminal has changed")
        destroy(self.vm, "hello")

    def make(self, stub, uuid, more="", wait="LIBXL_DOMID_REUSE_TIMEOUT=0",
             name="twin"):
        """Create one of three guests that differ by UUID alone.

        Return: exit status and what was said
        wait: libxl keeps a number back for a minute after its guest's end
        """
        return self.vm.dom0_cmd(
            f"{wait} vigil create --domid {NUMBER} /etc/xen/{stub}.cfg "
            f"'name=\"{name}\"' 'uuid=\"{uuid}\"' {more}", 90)

    def gone(self, uuid):
        """Wait until one of them is gone, and told to be."""
        wait_until(self.vm, f"vigil events {uuid} | grep -q destroyed", 60)
        self.vm.dom0("sleep 2")     # a second is the least that libxl keeps

    def test_same_number_two_deaths(self):
        """The first is killed, the second crashes: nothing mixes."""
        for stub, uuid, more, why in (
                ("killed", FIRST, "'extra=\"ud2\"'", "killed: "),
                ("crash", SECOND, "", "reported its own crash")):
            rc, text = self.make(stub, uuid, f"{more} -p")
            check(rc == 0, f"create {stub}: {rc}: {text}")
            text = self.vm.dom0(
                "vigil wait twin --for crashed --json >/tmp/w & sleep 1; "
                "vigil unpause twin; wait $!; cat /tmp/w", 90)
            answer = json.loads(text)
            check(answer["uuid"] == uuid and answer["reason"].startswith(why),
                  f"{answer}")
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
        for uuid, kind in ((FIRST, "killed"), (SECOND, "crashed")):
            kinds = self.kinds(uuid)
            check(kinds == ["created", "started", kind, "destroyed"],
                  f"{kinds}")
            event = self.events(uuid)[2]
            check(event["attributes"]["vigil.id"] == found[uuid]["id"] and
                  event["severity_text"] == "FATAL", f"{event}")

    def test_same_number_too_soon(self):
        """libxl's care: a number just used is refused in words."""
        rc, text = self.make("hello", THIRD, wait="")
        check(rc != 0 and "recent" in text, f"{rc}: {text}")
        self.vm.dom0("sleep 2")     # the attempt itself was a recent use

    def test_same_number_third(self):
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

    def test_same_number_in_use(self):
        """A clear refusal, and the one who has it is not touched."""
        rc, text = self.make("crash", FIRST, name="other")
        check(rc == 8 and str(NUMBER) in text, f"{rc}: {text}")
        guest = self.vm.dom0_json("vigil list --json twin")["guests"][0]
        check(guest["uuid"] == THIRD, f"{guest}")

    def test_same_number_in_the_log(self):
        """Lines of one number are told apart by where they stand."""
        text = self.vm.dom0("vigil destroy twin; vigil dmesg")
        said = re.findall(
            rf"domain: d{NUMBER} (is gone|is [0-9a-f-]{{36}} now)", text)
        said = [line for line, _ in groupby(said)]
        # By turns: what was refused as too recent may have been made, too.
        check(len(said) % 2 and set(said[0::2]) == {"is gone"}, f"{said}")
        check([line for line, _ in groupby(said[1::2])] ==
              [f"is {SECOND} now", f"is {THIRD} now"], f"{said}")

    def test_follow(self):
        """-f shows what comes, also from a file that was just made anew."""
        self.vm.dom0("vigil events -f --json --timeout 30 >/tmp/f "
                     "2>/dev/null & echo $! >/tmp/pid; sleep 1; "
                     "cd /var/log/vigil && mv events.ndjson events.ndjson.1")
        self.vm.dom0("vigil create -p /etc/xen/hello.cfg", 60)
        uuid = self.guest("hello")["uuid"]
        self.vm.dom0("vigil destroy hello")
        wait_until(self.vm, "grep -q destroyed /tmp/f", 30)
        self.vm.dom0("kill $(cat /tmp/pid); wait; true")
        text = self.vm.dom0_bytes("cat /tmp/f").decode()
        found = [json.loads(line) for line in text.splitlines()]
        check([e["attributes"]["vigil.event"] for e in found] ==
              ["created", "destroyed"], f"{found}")
        check(found[0]["attributes"]["vigil.guest"]["uuid"] == uuid,
              f"{found[0]}")
        check(len(self.kinds()) > 2, "the older file is not read")
        self.exits("events -f --timeout 1", 7)

    def test_selection(self):
        """--since, --until, -n; people's tables and times."""
        check(self.kinds("--since 2001-01-01 --until 2001-01-02") == [],
              "events of 2001")
        everything = self.kinds("--since 3h")
        check(len(everything) > 10, f"{everything}")
        check(self.kinds("-n 3") == everything[-3:], "-n 3")
        text = self.vm.dom0("vigil events -n 1")
        check(re.search(r"^\w{3} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d  \S+ ", text),
              text)
        for words in ("--since yesterday", "--until x", "-n x"):
            self.exits(f"events {words}", 2)

    def test_events_of_strangers(self):
        """A copied feed with anything in it does not reach the terminal."""
        line = (r'{"timestamp":"2026-08-04T08:15:23Z","body":"\u001b[2J",'
                r'"attributes":{"vigil.event":"\u001b[2J"}}')
        self.vm.dom0("mkdir -p /tmp/e/var/log/vigil && printf '%s\\n' "
                     f"'{line}' nonsense >/tmp/e/var/log/vigil/events.ndjson")
        for words in ("", "--json"):
            text = self.vm.dom0(f"vigil events --root /tmp/e {words}")
            check("\x1b" not in text and "2J" in text, f"{text!r}")
            check("1 lines of the feed are no events" in text, f"{text!r}")

    def test_collector_starts_anew(self):
        """Killed and started: nothing is told twice, nothing is missed."""
        self.vm.dom0("vigil create -p /etc/xen/hello.cfg", 60)
        uuid = self.guest("hello")["uuid"]
        wait_until(self.vm, f"vigil events {uuid} | grep -q created")
        self.vm.dom0("kill -9 $(pidof vigild); vigil destroy hello")
        text = self.exits("events -f --timeout 1", 7)
        check("vigild does not run" in text, text)
        self.vm.dom0("vigild", 60)
        wait_until(self.vm, f"vigil events {uuid} | grep -q destroyed")
        check(self.kinds(uuid) == ["created", "destroyed"],
              f"{self.kinds(uuid)}")


class ManPages(Suite):
    """No machine: a page for each command, made from the table of commands."""

    weight = 3

    def setup(self):
        """Make them."""
        programs = [BUILD / "dom0-tools" / name for name in ("vigil", "vigild")]
        require(*programs)
        self.vigil = programs[0]
        folder = BUILD / "test/man"
        shutil.rmtree(folder, ignore_errors=True)
        text = self.made(TOP / "scripts/deb/mkman.py", *programs, folder)
        self.files = text.split()
        self.pages = {path.name: path.read_text()
                      for path in folder.iterdir()}

    def made(self, *words):
        """Run a program of this machine.  Return: what it printed."""
        done = subprocess.run(words, capture_output=True, text=True,
                              check=False, env={**os.environ, "LC_ALL": "C",
                                                "SOURCE_DATE_EPOCH": "0"})
        check(done.returncode == 0,
              f"{words} ended with {done.returncode}: {done.stderr[-800:]}")
        return done.stdout

    def commands(self):
        """Return the names of all commands, as lists of words."""
        listed = self.made(self.vigil, "help")
        return [line.split() for line in re.findall(
            r"^  ([a-z][a-z-]*(?: [a-z]+)?)(?= |$)", listed, re.M)]

    def test_each_command_has_one(self):
        """Synopsis, every option, every exit code, an example."""
        check(len(self.files) == len(self.pages), f"{self.files}")
        for words in self.commands():
            name = f"vigil-{'-'.join(words)}.1"
            if name not in self.pages:      # the second word was a choice
                words, name = words[:1], f"vigil-{words[0]}.1"
            check(name in self.pages, f"no {name}")
            page = self.pages[name]
            plain = page.replace("\\-", "-").replace("\\fB", "").replace(
                "\\fR", "").replace("\\fI", "")
            said = self.made(self.vigil, *words, "--help")
            for option in re.findall(r"(?<![\w-])--?\w[\w-]*", said):
                check(option in plain, f"{name}: no {option}")
            for code in (0, 1, 2, 3, 10, 125, 130):
                check(f".B {code}\n" in page, f"{name}: no exit code {code}")
            check(".SH EXAMPLES" in page, f"{name}: no example")
            check("1970-01-01" in page, f"{name}: not of the date asked for")
            link = name[:-2].replace("-", "\\-")
            check(f".BR {link} (1)" in self.pages["vigil.1"],
                  f"vigil(1) does not name {name}")

    def test_examples_are_true(self):
        """Each option that an example uses exists."""
        for name, page in self.pages.items():
            _, _, examples = page.partition(".SH EXAMPLES")
            for line in re.findall(r"^\\fB(vigil .*)$", examples, re.M):
                line = line.replace("\\-", "-").replace("\\(aq", "'")
                line = re.split(r"[|;>]", line)[0].split()[1:]
                while line and line[0].startswith("--root"):
                    line = line[2:]
                command = name[len("vigil-"):-2].replace("-", " ").split()
                if line[:len(command)] != command:
                    command = line[:1]
                said = self.made(self.vigil, *command, "--help")
                for option in line:
                    if re.fullmatch(r"-\w|--\w[\w-]*", option):
                        check(re.search(rf"(?<![\w-]){option}\b", said),
                              f"{name}: '{' '.join(line)}': no {option}")

    def test_roff_has_no_complaint(self):
        """groff with all its warnings, mandoc's lint if it is there."""
        if not shutil.which("groff"):
            skip("no groff")
        for name, page in self.pages.items():
            done = subprocess.run(["groff", "-ww", "-man", "-Tascii", "-z"],
                                  input=page, capture_output=True, text=True,
                                  check=False)
            check(done.returncode == 0 and not done.stderr,
                  f"{name}: {done.stderr[:400]}")
            if shutil.which("mandoc"):
                done = subprocess.run(["mandoc", "-Tlint", "-Wwarning"],
                                      input=page, capture_output=True,
                                      text=True, check=False)
                check(done.returncode < 3, f"{name}: {done.stdout[:400]}")

    def test_help(self):
        """`help COMMAND` is its --help; what is none is said."""
        check(self.made(self.vigil, "help", "crash", "list") ==
              self.made(self.vigil, "crash", "list", "--help"), "they differ")
        for words in (["nonsense"], ["--man", "crash"], ["list", "list"]):
            done = subprocess.run([self.vigil, "help", *words], check=False,
                                  capture_output=True)
            check(done.returncode == 2, f"help {words}: {done.returncode}")
