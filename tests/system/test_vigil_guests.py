# SPDX-License-Identifier: MIT
"""The life of guests by `vigil` alone: made by libxl, saved, changed, ended.
What xl makes of a configuration is what vigil makes of it."""

import io
import json
import stat
import sys
import tarfile

import xlcfg
from suite import (BUILD, DOM0_OPTIONS, TOP, Suite, check, need_vigil,
                   require)

sys.path.insert(0, str(TOP / "scripts"))

from newc import Archive  # noqa: E402 (needs the path above)


class VigilGuests(Suite):
    """One Dom0 with two processors."""

    weight = 60

    def setup(self):
        need_vigil()
        first = BUILD / "dom0/initramfs.img"
        require(first)
        archive = Archive()
        for at, lines in enumerate(xlcfg.CASES.values()):
            archive.add(f"oracle/{at}.cfg", stat.S_IFREG | 0o644,
                        xlcfg.text(lines).encode())
        image = BUILD / f"test/{type(self).__name__}.img"
        image.parent.mkdir(parents=True, exist_ok=True)
        data = first.read_bytes()
        # A second archive behind the first, as the kernel allows.
        image.write_bytes(data + b"\0" * (-len(data) % 4) + archive.encode())
        self.boot(modules=[(BUILD / "dom0/vmlinuz", DOM0_OPTIONS), (image, "")],
                  smp=2)

    def vigil(self, words, wanted=0, seconds=60):
        """Run it.  Return: what it said."""
        rc, text = self.vm.dom0_cmd(f"vigil {words}", seconds)
        check(rc == wanted, f"vigil {words}: exit {rc}, not {wanted}: {text}")
        return text

    def test_oracle(self):
        """`vigil create -N --json` and `xl create -N` agree, field by field."""
        self.vm.dom0(
            "cd /oracle; for f in *.cfg; do n=${f%.cfg}; xl -N create -q $f "
            ">$n.xl 2>$n.xle || echo >$n.xl; vigil create -N --json $f "
            ">$n.vigil 2>$n.vigile || echo >$n.vigil; done", 300)
        data = self.vm.dom0_bytes("tar -C /oracle -cz .")
        with tarfile.open(fileobj=io.BytesIO(data)) as answers:
            said = {item.name[2:]: answers.extractfile(item).read().decode()
                    for item in answers if item.isfile()}
        wrong = []
        for at, name in enumerate(xlcfg.CASES):
            theirs, ours = said[f"{at}.xl"], said[f"{at}.vigil"]
            if not theirs.strip() or not ours.strip():
                wrong.append(f"{name}: xl {said[f'{at}.xle'] or 'ok'}, vigil "
                             f"{said[f'{at}.vigile'] or 'ok'}")
                continue
            wrong += [f"{name}: {line}" for line in differences(
                json.loads(theirs), json.loads(ours)["config"])]
        check(not wrong, "\n".join(wrong))


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
