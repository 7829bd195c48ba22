#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Run the tests that boot machines.

    run.py [-k PATTERN] [-j JOBS] [--long] [--list] [--hypervisor IMAGE]
           [--qemu PROGRAM]

Suites with `long = True` are run with --long, and only they; never without.

One line per case: "ok name (seconds)", "not ok name", "skip name reason".  The
last line is "system: N passed, N failed, N skipped"; the exit status is 1 if
any failed.  A case may be skipped only for a reason that skips.allow knows.
"""

import argparse
import concurrent.futures
import fnmatch
import importlib
import os
import pathlib
import re
import sys
import threading
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import suite as suites  # noqa: E402 (needs the path above)

PRINT = threading.Lock()


class Results:
    """Counts and lines, from several threads."""

    def __init__(self, option=""):
        """option: what run.py needs to find these cases again."""
        self.option = option
        self.passed = self.failed = self.skipped = 0
        self.allowed = []
        for line in (HERE / "skips.allow").read_text().splitlines():
            line = line.split("#", 1)[0].strip()
            if line:
                name, _, reason = line.partition(" ")
                self.allowed.append((name, reason.strip()))

    def passed_case(self, name, seconds):
        """Count and print a case that passed."""
        with PRINT:
            self.passed += 1
            print(f"ok {name} ({seconds:.1f})", flush=True)

    def skipped_case(self, name, reason):
        """Count a skip; one that is not allowed is a failure."""
        for pattern, allowed in self.allowed:
            if fnmatch.fnmatch(name, pattern) and re.search(allowed, reason):
                with PRINT:
                    self.skipped += 1
                    print(f"skip {name} {reason}", flush=True)
                return
        self.failed_case(name, f"skipped, but skips.allow does not allow it: "
                               f"{reason}")

    def failed_case(self, name, why, report=""):
        """Count and print a failure with what is needed to look into it."""
        with PRINT:
            self.failed += 1
            print(f"not ok {name}")
            for line in why.rstrip().split("\n"):
                print(f"#   {line}")
            if report:
                for line in report.split("\n"):
                    print(f"#   {line}")
            print(f"#   repeat: tests/system/run.py{self.option} -k '{name}'",
                  flush=True)


def explain(error):
    """Turn an exception into a few lines."""
    if isinstance(error, (suites.Failure, suites.VMError)):
        return str(error)
    return "".join(traceback.format_exception(error)[-4:])


def cases_of(cls):
    """Return the names of a suite's cases in the order written.

    A suite that does without a case of the one it is made from sets it to None.
    """
    names = []
    for base in reversed(cls.__mro__):
        names += [n for n in vars(base) if n.startswith("test_")
                  and n not in names]
    return [n for n in names if getattr(cls, n) is not None]


def run_suite(cls, names, results):
    """Run the chosen cases of one suite on one object."""
    group = cls()
    title = cls.__name__
    start = time.monotonic()
    try:
        try:
            group.setup()
        except suites.Skip as reason:
            for name in names:
                results.skipped_case(f"{title}.{name}", str(reason))
            return
        except Exception as error:  # pylint: disable=broad-except
            report = group.vm.report() if group.vm else ""
            why = f"setup: {explain(error)}"
            for name in names:
                results.failed_case(f"{title}.{name}", why, report)
                why, report = "setup failed, see above", ""
            return
        reported = None
        for name in names:
            case = time.monotonic()
            try:
                getattr(group, name)()
                results.passed_case(f"{title}.{name}",
                                    time.monotonic() - case)
            except suites.Skip as reason:
                results.skipped_case(f"{title}.{name}", str(reason))
            except Exception as error:  # pylint: disable=broad-except
                report = ""
                state = (group.vm, len(group.vm.text)) if group.vm else None
                if state and state != reported:
                    report = group.vm.report()
                    reported = state
                results.failed_case(f"{title}.{name}", explain(error), report)
    finally:
        try:
            group.teardown()
        except Exception as error:  # pylint: disable=broad-except
            results.failed_case(f"{title}.teardown", explain(error))
        if group.refusals():
            results.failed_case(title, "Dom0 asked for what is "
                                f"not offered: {', '.join(group.refusals())}")
        with PRINT:
            print(f"# {title}: {time.monotonic() - start:.0f} s", flush=True)


def discover():
    """Return every suite of the test_*.py files."""
    found = []
    for path in sorted(HERE.glob("test_*.py")):
        module = importlib.import_module(path.stem)
        found += [cls for cls in vars(module).values()
                  if isinstance(cls, type) and issubclass(cls, suites.Suite)
                  and cls.__module__ == path.stem and cases_of(cls)]
    return found


def main():
    """Choose, run, count."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-k", default="", help="only names with this in them, "
                        "or matching this pattern")
    parser.add_argument("-j", type=int, default=2)
    parser.add_argument("--long", action="store_true",
                        help="the long suites, and no others")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--hypervisor")
    parser.add_argument("--qemu")
    args = parser.parse_args()
    if args.hypervisor:
        os.environ["VIGIL_TEST_HYPERVISOR"] = os.path.abspath(args.hypervisor)
    if args.qemu:
        os.environ["QEMU"] = args.qemu

    def chosen(name):
        return args.k in name or fnmatch.fnmatch(name, args.k)

    work = []
    for cls in discover():
        if cls.long != args.long:
            continue
        names = [n for n in cases_of(cls) if chosen(f"{cls.__name__}.{n}")]
        if names:
            work.append((cls, names))
    if args.list:
        for cls, names in work:
            for name in names:
                print(f"{cls.__name__}.{name}")
        return 0
    work.sort(key=lambda item: -item[0].weight)

    results = Results(" --long" if args.long else "")
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(args.j) as pool:
        for done in [pool.submit(run_suite, *item, results) for item in work]:
            done.result()
    if suites.FIGURES:
        width = max(len(what) for what, *_ in suites.FIGURES)
        print("\n".join(f"# {what:{width}} {value:>12,} {word} {limit:,}"
                        for what, value, word, limit in sorted(suites.FIGURES)))
    print(f"# {time.monotonic() - start:.0f} s")
    print(f"system: {results.passed} passed, {results.failed} failed, "
          f"{results.skipped} skipped", flush=True)
    return 1 if results.failed or not (results.passed or results.skipped) else 0


if __name__ == "__main__":
    sys.exit(main())
