# SPDX-License-Identifier: MIT
"""Debian's xl and our vigil, one boot."""

import json
import re
import shlex

from suite import Suite, check, need_vigil, records, skip


# For printf: quotes, a backslash, a control sequence, UTF-8 and no UTF-8.
NAME = r"q\042\047b\134\033[2Jgr\303\266\377"


class Tools(Suite):
    """Commands that only look."""

    weight = 65

    def setup(self):
        self.boot(extra=("-device", "i6300esb"))

    def vigil(self, words):
        """Run our tool; it must succeed."""
        need_vigil()
        return self.vm.dom0(f"vigil {words}")

    def test_xl_list(self):
        text = self.vm.dom0("xl list")
        line = text.split("\n")[-1].split()
        check(line[:2] == ["Domain-0", "0"], f"xl list says '{text}'")
        check(600 <= int(line[2]) <= 640, f"Dom0 has {line[2]} MiB")

    def test_xl_list_long(self):
        answer = self.vm.dom0_json("xl list -l")
        check(answer[0]["domid"] == 0, f"{answer}")

    def test_xl_info(self):
        text = self.vm.dom0("xl info")
        info = dict(line.split(":", 1) for line in text.split("\n")
                    if ":" in line)
        info = {key.strip(): value.strip() for key, value in info.items()}
        check(info["xen_major"] == "4" and info["xen_minor"] == "17",
              f"version {info['xen_major']}.{info['xen_minor']}")
        check("xen-3.0-x86_64" in info["xen_caps"], info["xen_caps"])
        check(info["xen_pagesize"] == "4096", info["xen_pagesize"])
        check(info["nr_cpus"] == "1", f"{info['nr_cpus']} CPUs")
        check(1000 <= int(info["total_memory"]) <= 1024, info["total_memory"])
        check(int(info["free_memory"]) > 300, info["free_memory"])

    def test_xl_dmesg(self):
        text = self.vm.dom0("xl dmesg")
        check("(XEN)" in text or len(text) > 200, f"'{text[:200]}'")

    def test_watchdog(self):
        """It has proved its source, and is on unless told otherwise."""
        need_vigil()
        info = self.vm.dom0_json("vigil info --json")
        check(info["watchdog"].startswith("HPET"), info["watchdog"])
        check(info["watchdog_timeout_ms"] == 5000, f"{info}")
        check(info["watchdog_policy"] == "panic", info["watchdog_policy"])
        check(info["watchdog_nmis"] > 0, "no NMI of its own")
        check(info["watchdog_stalls"] == 0, f"{info['watchdog_stalls']} stalls")
        # The hardware's is ours, and fed: Dom0 has been booting for longer.
        check("i6300esb resets the machine after 15 s" in
              self.vm.dom0("xl dmesg"), "the hardware's watchdog is not used")
        devices = self.vm.dom0("cat /sys/bus/pci/devices/*/device")
        check("0x25ab" not in devices.split(), "Dom0 sees it")
        check("0x7000" in devices.split(), f"Dom0 sees no devices: {devices}")
        # They are not among those that others sent.
        for name in ("nmi_total", "nmi_firmware", "nmi_left_out"):
            check(info["vigil_counters"][name] == 0, f"{name}: {info}")

    def test_backtrace_host(self):
        """By our tool, and by the debug key of xl."""
        lines = self.vigil("backtrace host").split("\n")
        check(lines[0].startswith("CPU 0: at "), lines[0])
        check("do_vigil_op+" in "".join(lines), f"{lines}")
        check(lines[-1].startswith("all-CPU dump: 1 of 1 CPUs"), lines[-1])
        answer = self.vm.dom0_json("vigil backtrace host --json")
        check(answer["silent_cpus"] == [], f"{answer}")
        check(len(answer["lines"]) >= 3, f"{answer}")
        self.vm.dom0("xl debug-keys B")
        text = self.vm.dom0("xl dmesg | tail -n 30")
        check("do_sysctl+" in text, text)

    def test_xenstore(self):
        text = self.vm.dom0("xenstore-write /tool/probe yes && "
                            "xenstore-read /tool/probe")
        check(text.strip() == "yes", text)

    def test_xl_unknown_guest(self):
        rc, text = self.vm.dom0_cmd("xl domid no-such-guest")
        check(rc != 0, f"it says {text}")

    def test_vigil_info(self):
        text = self.vigil("info")
        check("igil" in text, text)

    def test_vigil_info_json(self):
        need_vigil()
        answer = self.vm.dom0_json("vigil info --json")
        check(answer["schema"].startswith("vigil.info/"), f"{answer}")

    def test_memory_kept(self):
        """What no domain can get of a 1 GiB machine stays under 24 MiB."""
        need_vigil()
        text = self.vm.dom0("xl info")
        info = dict(line.split(":", 1) for line in text.split("\n")
                    if ":" in line)
        total = {k.strip(): v.strip() for k, v in info.items()}
        counters = self.vm.dom0_json("vigil info --json")
        frames = find(counters, "hv_frames")
        if frames is None:
            kept = 1024 - 640 - int(total["free_memory"])
        else:
            kept = int(frames) * 4 / 1024
        check(kept < 24, f"Vigil keeps {kept} MiB")

    def test_vigil_list(self):
        text = self.vigil("list")
        check("Domain-0" in text, text)

    def test_vigil_list_json(self):
        need_vigil()
        answer = self.vm.dom0_json("vigil list --json")
        check(answer["schema"].startswith("vigil.list/"), f"{answer}")
        check(any(r.get("domid") == 0 for r in records(answer)), f"{answer}")

    def test_vigil_dmesg(self):
        text = self.vigil("dmesg")
        check(len(text) > 200, f"'{text}'")

    def test_vigil_dmesg_clear(self):
        """What -c printed is gone, and only that."""
        need_vigil()
        first = self.vm.dom0("vigil dmesg -c | wc -c")
        second = self.vm.dom0("vigil dmesg | wc -c")
        check(int(second) < int(first) // 4, f"{first} bytes, then {second}")

    def test_vigil_dmesg_json(self):
        need_vigil()
        answer = self.vm.dom0_json("vigil dmesg --json")
        check(answer["schema"].startswith("vigil.dmesg/"), f"{answer}"[:200])

    def json_records(self, words):
        """Return what `vigil dmesg --json` says of records, one dict each.

        Not those of guests: Dom0's console is one, and so is this very answer.
        """
        need_vigil()
        lines = self.vm.dom0(f"vigil dmesg --json {words} | "
                             """grep -v '"guest": true'""").split("\n")
        return [json.loads(line) for line in lines
                if line.startswith('{ "schema"')]

    def test_dmesg_records(self):
        """Where the hypervisor writes them: in order, with time and processor."""
        found = self.json_records("-r")
        check(all(r["schema"] == "vigil.record/1" for r in found), f"{found[:3]}")
        check("loaded by" in found[0]["text"], f"{found[0]}")
        seqs = [r["seq"] for r in found]
        check(seqs == sorted(set(seqs)), "not in order")
        times = [r["ns"] for r in found]
        check(0 < times[0] < times[-1] < 600e9, f"{times[0]} to {times[-1]} ns")
        check(all(r["cpu"] == 0 for r in found), "not who wrote it")
        # What the console has is there.
        said = {r["text"].strip() for r in found}
        lines = self.vm.dom0("xl debug-keys h; xl dmesg").split("\n")
        said |= {r["text"].strip() for r in self.json_records("-r")}
        missing = [line for line in lines if line[:6] == "(XEN) "
                   and line[6:].strip() not in said]
        check(len(lines) > 20 and not missing, f"not recorded: {missing[:5]}")
        text = self.vm.dom0("vigil dmesg -r | grep -c 'info guest: '")
        check(int(text) > 10, f"{text} lines of Dom0")

    def test_dmesg_level(self):
        self.vm.dom0("vigil backtrace host")    # these are notices
        found = self.json_records("-l notice")
        check(found and {r["level"] for r in found} <=
              {"panic", "error", "warning", "notice"}, f"{found}"[:400])
        rc, text = self.vm.dom0_cmd("vigil dmesg -l loud")
        check(rc == 2 and "give panic, error" in text, f"{rc}: {text}")

    def test_dmesg_follow(self):
        """It shows what comes, once, and ends when it is told to."""
        need_vigil()
        text = self.vm.dom0(
            "vigil dmesg -f >/tmp/f 2>&1 & p=$!; n=40; "
            "until grep -q ' [l]oaded by ' /tmp/f; do usleep 100000; done; "
            # Not in these words: they are a line of Dom0's, too.
            "xl debug-keys h; until [ $n = 0 ] || "
            "grep -q 'show one log level [l]ess' /tmp/f; do "
            "n=$((n-1)); usleep 250000; done; kill $p; wait $p; echo code $?; "
            "grep -v 'guest: ' /tmp/f", 60)
        check("code 143" in text, text[:300])
        check(len(re.findall(r" info: Vigil .* loaded by", text)) == 1,
              f"not shown once: {text[:400]}")
        check("show one log level less" in text, "nothing new")
        check("no longer waiting for records" in text, "no word at its end")

    def test_vigil_crash_list_empty(self):
        need_vigil()
        rc, text = self.vm.dom0_cmd("vigil crash list")
        check(rc in (0, 3), f"{rc}: {text}")

    def test_vigil_exit_codes(self):
        need_vigil()
        for words, wanted in (("no-such-verb", 2), ("list --no-such", 2),
                              ("destroy no-such-guest", 3),
                              ("crash show NOSUCHID", 3),
                              ("create /etc/xen/missing.cfg", 1)):
            rc, text = self.vm.dom0_cmd(f"vigil {words}")
            good = rc != 0 if wanted == 1 else rc == wanted
            check(good, f"vigil {words}: exit {rc}, wanted {wanted}: {text}")

    def test_json_of_nothing(self):
        """No result is a valid answer as well."""
        need_vigil()
        answer = self.vm.dom0_json("vigil --root /tmp/none crash list --json")
        check(answer["crashes"] == [], f"{answer}")
        rc, text = self.vm.dom0_cmd("vigil list --json no-such 2>/dev/null")
        check(rc == 3 and json.loads(text)["guests"] == [], f"{rc}: {text}")

    def test_odd_names(self):
        """A name with quotes, controls and UTF-8 harms no reader."""
        need_vigil()
        self.vm.dom0(f"xenstore-write /local/domain/0/name "
                     f"\"$(printf '{NAME}')\"")
        try:
            answer = self.vm.dom0_json("vigil list --json")
            check("\\x1b[2Jgr" in answer["guests"][0]["name"], f"{answer}")
            self.vm.dom0("! vigil list | grep -q \"$(printf '\\033')\"")
            self.vm.dom0_json("vigil info --json")
            # What is printed can be typed again.
            name = shlex.quote(answer["guests"][0]["name"])
            answer = self.vm.dom0_json(f"vigil list --json {name}")
            check(answer["guests"][0]["domid"] == 0, f"{answer}")
        finally:
            self.vm.dom0("xenstore-write /local/domain/0/name Domain-0")

    def test_copied_store(self):
        """Somebody else's store: read, and never raw on the terminal."""
        need_vigil()
        place = "/tmp/copy/var/lib/vigil/crash/x"
        meta = r'{"id":"01ARYZ6S41ZZZZZZZZZZZZZZZZ","kind":"\u001b[2J"}'
        registers = r'{"rip":null,"\u001b[2J":1,"stack":[null,"\u001b"]}'
        self.vm.dom0(f"mkdir -p {place} && echo '{meta}' >{place}/meta.json "
                     f"&& echo '{registers}' >{place}/registers.json")
        for words in ("crash list", "crash show -1", "crash show -1 --json"):
            text = self.vm.dom0(f"vigil --root /tmp/copy {words}")
            check("\x1b" not in text, f"vigil {words}: {text!r}")
        answer = self.vm.dom0_json("vigil --root /tmp/copy crash show -1 "
                                   "--json")
        check(answer["registers"]["rip"] is None, f"{answer}")
        self.vm.dom0("rm -r /tmp/copy")

    def test_without_xenstored(self):
        """No xenstored is a failure, not "no such guest"."""
        need_vigil()
        rc, text = self.vm.dom0_cmd("XENSTORED_RUNDIR=/none XENSTORED_PATH="
                                    "/none/socket vigil destroy hello")
        check(rc == 1, f"exit {rc}: {text}")

    def test_create_leaves_nothing(self):
        """A guest whose console never comes is not left behind, paused."""
        need_vigil()
        self.vm.dom0("kill -STOP $(pidof xenconsoled)")
        try:
            rc, text = self.vm.dom0_cmd(
                "vigil create -c /etc/xen/hello.cfg </dev/null")
        finally:
            self.vm.dom0("kill -CONT $(pidof xenconsoled)")
        check(rc == 7, f"exit {rc}: {text}")
        answer = self.vm.dom0_json("vigil list --json")
        check(len(answer["guests"]) == 1, f"{answer}")
        text = self.vm.dom0("ls /run/vigil/guests 2>/dev/null; "
                            "xenstore-ls /vm | "
                            "grep hello; true")
        check(not text.strip(), f"left: {text}")

    def test_one_of_two_creators(self):
        """Two at once: one guest of a name, whoever wins."""
        need_vigil()
        self.vm.dom0("for i in 1 2 3; do vigil create -p /etc/xen/hello.cfg "
                     "2>/dev/null & done; wait")
        answer = self.vm.dom0_json("vigil list --json")
        names = [guest["name"] for guest in answer["guests"]]
        self.vm.dom0("vigil list --json hello; for i in 1 2 3; do "
                     "vigil destroy hello 2>/dev/null; done; true")
        check(names.count("hello") == 1, f"{names}")

    def test_provoke_needs_permission(self):
        """Booted without vigil_provoke=1 nobody may break the hypervisor."""
        need_vigil()
        rc, text = self.vm.dom0_cmd("vigil debug provoke panic")
        check(rc == 5, f"exit {rc}: {text}")

    def test_mcelog_device(self):
        rc, _ = self.vm.dom0_cmd("test -c /dev/mcelog")
        if rc != 0 and self.vm.dom0_cmd("dmesg | grep -q mcelog")[0] != 0:
            skip("no /dev/mcelog in this kernel")
        check(rc == 0, "/dev/mcelog is missing")


def find(answer, key):
    """Look for a key anywhere in nested objects."""
    if isinstance(answer, dict):
        if key in answer:
            return answer[key]
        for value in answer.values():
            found = find(value, key)
            if found is not None:
                return found
    return None
