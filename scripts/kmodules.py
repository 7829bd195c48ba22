# SPDX-License-Identifier: MIT
"""Kernel modules of an unpacked Debian kernel: which, and in what order."""

import pathlib
import stat
import struct


def module_info(path):
    """Return the .modinfo strings of a kernel module as a list of pairs."""
    data = path.read_bytes()
    shoff = struct.unpack_from("<Q", data, 40)[0]
    entsize, count, strndx = struct.unpack_from("<HHH", data, 58)

    def section(idx):
        name, _, _, _, off, size = struct.unpack_from(
            "<IIQQQQ", data, shoff + idx * entsize)
        return name, off, size

    _, names_off, _ = section(strndx)
    for idx in range(count):
        name, off, size = section(idx)
        if data[names_off + name:].startswith(b".modinfo\0"):
            text = data[off:off + size].decode("utf-8", "replace")
            return [tuple(s.split("=", 1)) for s in text.split("\0") if "=" in s]
    return []


def load_order(root, release, modules):
    """Return (name, path) of the modules and of all they depend on, each
    behind what it needs; raise KeyError with a name that does not exist."""
    base = root / "lib/modules" / release
    where = {p.stem.replace("-", "_"): p for p in (base / "kernel").rglob("*.ko")}
    built_in = {pathlib.PurePosixPath(line).stem.replace("-", "_")
                for line in (base / "modules.builtin").read_text().split()}
    order = {}

    def visit(name):
        name = name.replace("-", "_")
        if name in built_in or name in order:
            return
        for key, value in module_info(where[name]):
            if key == "depends" and value:
                for dependency in value.split(","):
                    visit(dependency)
        order[name] = where[name]

    for module in modules:
        visit(module)
    return list(order.items())


def add_on_demand(archive, root, release, modules):
    """Add the modules, and all they depend on, where modprobe finds them by
    name and by alias; the kernel calls it when somebody wants one."""
    base = f"lib/modules/{release}"
    order = load_order(root, release, modules)
    dep, alias = "", ""
    for name, path in order:
        archive.add_file(f"{base}/{name}.ko", path, 0o644)
        # Loaded from the right.
        needs = [n for n, _ in load_order(root, release, [name])][-2::-1]
        dep += f"{name}.ko:" + "".join(f" {n}.ko" for n in needs) + "\n"
        alias += "".join(f"alias {value} {name}\n"
                         for key, value in module_info(path) if key == "alias")
    archive.add(f"{base}/modules.dep", stat.S_IFREG | 0o644, dep.encode())
    archive.add(f"{base}/modules.alias", stat.S_IFREG | 0o644, alias.encode())
