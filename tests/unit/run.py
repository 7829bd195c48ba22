#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Run cmocka test programs and add up what they say.

    run.py PROGRAM...

A program that crashes, hangs, or reports no test at all counts as one
failure.  Output of good programs is kept to one line each.  The last line is
    unit: N passed, N failed, N skipped
"""
import os
import re
import subprocess
import sys

LIMIT_S = 120
RESULT = re.compile(r"^(ok|not ok) \d+ - (\S+)(.*)$", re.M)


def run(program):
    """Return (passed, failed, skipped, text)."""
    env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP",
               ASAN_OPTIONS="detect_leaks=1:abort_on_error=0")
    try:
        done = subprocess.run([program], env=env, timeout=LIMIT_S,
                              stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.STDOUT, errors="replace")
        text, code = done.stdout, done.returncode
    except subprocess.TimeoutExpired as late:
        text = (late.stdout or b"").decode(errors="replace")
        text, code = text + f"\nno end within {LIMIT_S} s\n", 1
    except OSError as error:
        text, code = f"{error}\n", 1
    passed = failed = skipped = 0
    for verdict, _, rest in RESULT.findall(text):
        if "# SKIP" in rest:
            skipped += 1
        elif verdict == "ok":
            passed += 1
        else:
            failed += 1
    if code != 0 and failed == 0 or passed + failed + skipped == 0:
        failed += 1
        text += f"\n{program}: exit code {code}\n"
    return passed, failed, skipped, text


def main():
    total = [0, 0, 0]
    for program in sys.argv[1:]:
        passed, failed, skipped, text = run(program)
        name = "/".join(program.split("/")[-2:])
        print(f"{'not ok' if failed else 'ok'} {name}: {passed} passed"
              + (f", {failed} failed" if failed else "")
              + (f", {skipped} skipped" if skipped else ""), flush=True)
        if failed:
            print(text, flush=True)
        total = [a + b for a, b in zip(total, (passed, failed, skipped))]
    print("unit: %d passed, %d failed, %d skipped" % tuple(total))
    sys.exit(total[1] != 0)


main()
