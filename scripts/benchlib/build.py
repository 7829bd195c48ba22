# SPDX-License-Identifier: MIT
"""Build what a run needs, also the hypervisor of another commit."""

import os
import pathlib
import re
import shutil
import subprocess

from benchlib.machines import BUILD, TOP


class BuildError(Exception):
    """A command that had to work did not."""


def call(*command, cwd=TOP):
    """Run a command quietly; return its output."""
    done = subprocess.run([str(word) for word in command], cwd=cwd,
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        text = (done.stdout + done.stderr).strip().split("\n")
        raise BuildError(f"'{' '.join(map(str, command))}' failed:\n"
                         + "\n".join(text[-20:]))
    return done.stdout.strip()


def make(folder, out, *words):
    """Run make in one part of the tree."""
    call("make", "-s", f"-j{os.cpu_count()}", "-C", folder, f"BUILD={out}",
         *words)


def release():
    """Build Vigil without assertions; return the image."""
    make(TOP / "hypervisor", BUILD / "release", "debug=n")
    return BUILD / "release/xen-4.17-vigil-amd64"


def stub():
    """Build guest-stubs/bench."""
    make(TOP / "guest-stubs", BUILD, "bench")


def dom0():
    """Get Debian's packages; build Dom0's initramfs with bench-user."""
    call(TOP / "scripts/fetch")
    make(TOP / "dom0-tools", BUILD)
    make(TOP / "guest-stubs", BUILD)
    call(TOP / "scripts/mk-initramfs", "--build", BUILD)


def of_commit(name):
    """Build Vigil of another commit; return (short hash, image).

    The tree is checked out beside the build and removed again; what was built
    of it stays, so that a second comparison is quick.
    """
    commit = call("git", "rev-parse", "--verify", "--short=12",
                  f"{name}^{{commit}}")
    out = BUILD / "bench-base" / commit
    tree = out / "tree"
    image = out / "release/xen-4.17-vigil-amd64"
    if image.exists():
        return commit, image
    remove_tree(tree)
    out.mkdir(parents=True, exist_ok=True)
    try:
        call("git", "worktree", "add", "--detach", "--force", tree, commit)
        make(tree / "hypervisor", out / "release", "debug=n")
    finally:
        remove_tree(tree)
    return commit, image


def remove_tree(tree):
    """Remove a worktree, and what git remembers of one that is gone."""
    shutil.rmtree(tree, ignore_errors=True)
    call("git", "worktree", "prune")


def compiler():
    """Return the compiler's name and version, as figures.json keeps it."""
    return call(os.environ.get("CC", "gcc"), "--version").split("\n")[0]


def package(prefix):
    """Return the version of one of the packages of scripts/fetch."""
    for path in sorted((BUILD / "cache/debs").glob(f"{prefix}_*.deb")):
        return path.name.split("_")[1].replace("%3a", ":")
    return "unknown"


def versions():
    """Return what the figures depend on."""
    kernel = BUILD / "cache/kernel"
    qemu = os.environ.get("QEMU", "qemu-system-x86_64")
    return {
        "commit": call("git", "describe", "--always", "--dirty",
                       "--abbrev=12", "--match="),
        "compiler": compiler(),
        "qemu": re.sub(r"\s*\n.*", "", call(qemu, "--version"), flags=re.S),
        "xen": package("xen-hypervisor-4.17-amd64"),
        "kernel": kernel.read_text().strip() if kernel.exists() else "unknown",
    }


def write(path, text):
    """Write a file in one step."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(text)
    part.rename(path)
