# SPDX-License-Identifier: MIT
"""Which boots a run needs, and running several at a time.

The stub's areas are booted one by one: a hypervisor that dies in one of them
still has figures for the others.
"""

import concurrent.futures
import os
import sys
import threading
import time

from benchlib import machines

# In the order of guest-stubs/bench/main.c.
AREAS = ("calls", "bounces", "emulate", "paging", "events", "grants",
         "domains")
USER = "user"
BOOT = "boot"  # what bench-user says of the boot, and the wall clock
# Memory and numbers of domains: beside the operations, not among them.
AMOUNT = "amounts"
AMOUNTS = ("hypervisor_bytes_per_domain", "domains_alive")

# The longest first, so that the last boot is a short one.
ORDER = (USER, "paging", "domains")


class Job:
    """One boot for one column of the table."""

    def __init__(self, column, image, area, *, options="", words="", smp=1):
        self.column, self.image, self.area = column, image, area
        self.options, self.words, self.smp = options, words, smp

    def run(self):
        """Boot; return the figures."""
        label = f"{self.column}-{self.area}"
        if self.area == USER:
            return machines.user(self.image, self.words, self.options, label,
                                 self.smp)
        return machines.stub(self.image, f"area={self.area} {self.words}",
                             self.options, label)


class Results:
    """All figures of a run, and what went wrong."""

    def __init__(self):
        self.areas = {}     # operation: area
        self.figures = {}   # column: {operation: numbers or None}
        self.errors = []
        self.wall = {}      # column: [(wall, processor)] seconds

    def add(self, job, found):
        """Keep the figures of one boot."""
        column = self.figures.setdefault(job.column, {})
        for name, numbers in found.items():
            self.areas.setdefault(
                name, BOOT if name == "boot_to_init" else
                AMOUNT if name in AMOUNTS else job.area)
            column[name] = numbers

    def figure(self, column, name):
        """Return the figure that is compared; None when there is none.

        The minimum of the stub's operations; of programs' the median, as
        those have the kernel's housekeeping in them.
        """
        numbers = self.figures.get(column, {}).get(name)
        if not numbers:
            return None
        return numbers[1 if self.areas[name] in (USER, BOOT) else 0]

    def names(self):
        """Return the operations, area by area, in the order measured."""
        order = list(AREAS) + [AMOUNT, USER, BOOT]
        return sorted(self.areas, key=lambda n: order.index(self.areas[n]))


def say(text):
    """Print a line of progress, apart from the table."""
    print(text, file=sys.stderr, flush=True)


def run(jobs, results, workers=None):
    """Run the jobs, several at a time; keep figures and errors."""
    jobs = sorted(jobs, key=lambda job: ORDER.index(job.area)
                  if job.area in ORDER else len(ORDER))
    lock, done = threading.Lock(), [0]

    def one(job):
        start, error = time.monotonic(), None
        try:
            found = job.run()
        except machines.Stopped:
            return
        except machines.Broken as trouble:
            found, error = trouble.found, trouble
        with lock:
            done[0] += 1
            results.add(job, found)
            say(f"bench: [{done[0]}/{len(jobs)}] {job.column:10} "
                f"{job.area:8} {len(found):3} figures, "
                f"{time.monotonic() - start:.0f} s")
            if error:
                text = f"{job.column}, {job.area}: {error}"
                results.errors.append(text)
                say(f"bench: ERROR: {text}")

    pool = concurrent.futures.ThreadPoolExecutor(workers or os.cpu_count())
    try:
        for future in [pool.submit(one, job) for job in jobs]:
            future.result()
    except BaseException:
        machines.stop_all()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def boots(images, rounds, results, smp=1):
    """Boot by the wall clock, alone and in turns."""
    try:
        for number in range(rounds):
            for column, image in images.items():
                try:
                    wall, used = machines.boot(image, column, smp)
                except machines.Broken as trouble:
                    text = f"{column}, boot by the wall clock: {trouble}"
                    results.errors.append(text)
                    say(f"bench: ERROR: {text}")
                    continue
                results.wall.setdefault(column, []).append((wall, used))
                say(f"bench: boot {number + 1}/{rounds} {column:10} "
                    f"{wall:6.2f} s wall, {used:6.2f} s processor")
    except BaseException:
        machines.stop_all()
        raise
