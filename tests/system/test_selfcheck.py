# SPDX-License-Identifier: MIT
"""What guards the hypervisor is tried at boot, and the check can fail."""

from suite import Suite, check, need_vigil

# Name for vigil_selfcheck=, and what the check must say of it.
BROKEN = {
    "nx": r"NX does not work: data was executed",
    "wp": r"write protection \(CR0\.WP\) does not work",
    "text": r"code was written$",
    "alias": r"code was written through the direct map",
    "map": r"the mapping of 0x[0-9a-f]+ is for guests to write",
    "smep": r"SMEP does not work",
    "smap": r"SMAP does not work",
    "umip": r"UMIP is off",
    "guard": r"the guard page of a stack is mapped",
}


class SelfCheck(Suite):
    """A stub as Dom0 under each processor; then each protection broken."""

    weight = 7

    def setup(self):
        need_vigil()

    def line(self, cpu):
        """The line of one boot, which must reach Dom0."""
        vm = self.boot_stub("hello", cpu=cpu)
        try:
            found = vm.expect(r"^\(XEN\) cpu 0: self-check: (.*)$", 30)
            vm.expect(r"STUB hello: SUCCESS", 30)
            return found.group(1).strip()
        finally:
            vm.close()

    def test_qemu64(self):
        """It has neither of three, and says so."""
        text = self.line("qemu64")
        check(text.startswith("NX WP W^X guards ok; "), text)
        for name in ("SMEP", "SMAP", "UMIP"):
            check(f"({name})" in text, f"{name} is not named: {text}")

    def test_epyc(self):
        text = self.line("EPYC")
        check(text.startswith("NX WP W^X SMEP SMAP guards ok; "), text)
        check(text.endswith("(UMIP)"), text)

    def test_max(self):
        text = self.line("max")
        check(text == "NX WP W^X SMEP SMAP UMIP guards ok", text)


def broken(name, words):
    """A case that breaks one protection and must be told."""
    def case(self):
        vm = self.boot_stub("hello", cpu="max",
                            options=f"vigil_selfcheck={name}")
        try:
            vm.expect(rf"{name} is broken now", 30)
            vm.expect(rf"self-check: {words}", 30, fail=None)
            vm.expect_end(r"halt|reset|restart", 30)
            check("Panic on CPU 0" in vm.text, "no panic")
            check("STUB" not in vm.text, "the machine went on")
        finally:
            vm.close()
    case.__doc__ = f"{name} is broken: the check says so, nothing starts."
    return case


for _name, _words in BROKEN.items():
    setattr(SelfCheck, f"test_broken_{_name}", broken(_name, _words))
