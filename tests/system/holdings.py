# SPDX-License-Identifier: MIT
"""What the hypervisor holds, and Dom0 for its guests: when they are gone it must
be what it was."""

from suite import check

EXACT = ("domains", "vcpus", "ports", "timers", "grants_in_use",
         "grants_mapped", "domain_frames", "heap_objects")
# A page or two of small objects may be cut differently.
FRAMES = 8

# Loop devices, networks, xenstore's entries, the tools' files.
DOM0 = ("losetup -a; ls /sys/class/net /sys/bus/xen-backend/devices; "
        "for at in /local/domain /vm /libxl /local/domain/0/backend/vbd "
        "/local/domain/0/backend/vif /local/domain/0/backend/console; do "
        "echo $at:; xenstore-list $at 2>/dev/null; done; "
        "ls -A /run/vigil/guests /var/lib/xen 2>/dev/null; true")


def info(vm):
    """What the hypervisor holds, and how many guests died."""
    answer = vm.dom0_json("vigil info --json")
    held = {name.removeprefix("held_"): int(value)
            for name, value in answer["vigil_holdings"].items()}
    return held, int(answer["vigil_counters"]["guest_deaths"])


def of_dom0(vm):
    """What Dom0 has for guests, line by line."""
    return vm.dom0(DOM0, 60).splitlines()


def all_is_back(vm, before, kept=0):
    """Wait until the hypervisor holds no more than before.

    kept: objects more.  A domain's structure is used again, but never freed
          (hypervisor/domain/domain.c): there are as many as ever lived at once
    """
    before = dict(before, heap_objects=before["heap_objects"] + kept)
    for _ in range(60):
        now, _ = info(vm)
        # Dom0 has a timer more while it works.
        wrong = [name for name in EXACT if now[name] != before[name]]
        if now["free_frames"] < before["free_frames"] - FRAMES - kept:
            wrong.append("free_frames")
        if not wrong:
            return
    check(False, f"{wrong}: {before} before, {now} after")


def dom0_is_back(vm, before):
    """Wait until Dom0 has nothing of a guest any more."""
    for _ in range(20):
        now = of_dom0(vm)
        if now == before:
            return
    check(False, f"left in Dom0: {[l for l in now if l not in before]}, gone: "
          f"{[l for l in before if l not in now]}")
