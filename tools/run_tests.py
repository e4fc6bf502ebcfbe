#!/usr/bin/env python3
"""Runs the tests of a build directory and ends with `N passed, N failed, N skipped`.

usage: run_tests.py --build DIR [--long | --quick] [--only TEXT] [--tsan DIR]

With --tsan the programs that regress/unit/tsan.txt lists run from that build as well.

A suite is a unit-test program, or a script regress/<kind>/run.py which prints lines
`ok NAME`, `not ok NAME: why` or `skip NAME: why`. As many run side by side as there are processors; those that measure
how long something takes run by themselves in the end.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import threading
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
SANITIZER_ENVIRONMENT = {
    "ASAN_OPTIONS": "abort_on_error=0:detect_stack_use_after_return=0:detect_leaks=1:exitcode=99",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1:exitcode=99",
    "LSAN_OPTIONS": "report_objects=1",
}
# A million crash points (an hour and a half of two processors); every seventh byte of every file turned over; each place
# to be full at.
LONG_ENVIRONMENT = {"SENGI_CRASH_POINTS": "1000000", "SENGI_CRASH_SEEDS": "2000", "SENGI_ROT_EVERY": "7", "SENGI_FULL_EVERY": "1"}
LONG_SECONDS = 12 * 3600
ALONE = {"interrupts"}


class Tally:
    """Counts results and prints failures as they come. Any thread."""

    def __init__(self):
        self.lock = threading.Lock()
        self.passed = self.failed = self.skipped = 0

    def ok(self, count=1):
        with self.lock:
            self.passed += count

    def fail(self, name, why):
        with self.lock:
            self.failed += 1
            print(f"FAILED {name}: {why}", flush=True)

    def skip(self, name, why):
        with self.lock:
            self.skipped += 1
            print(f"skipped {name}: {why}", flush=True)

    def say(self, line):
        with self.lock:
            print(line, flush=True)


def run_program(name, command, environment, seconds, tally):
    """A cmocka program; each of its tests counts."""
    start = time.time()
    try:
        result = subprocess.run(command, cwd=TOP, env={**os.environ, **environment, "CMOCKA_MESSAGE_OUTPUT": "stdout"}, timeout=seconds, capture_output=True,
                                text=True, errors="replace", check=False)
    except subprocess.TimeoutExpired:
        tally.fail(name, f"ran for more than {seconds} s")
        return
    passed = result.stdout.count("[       OK ]")
    failed = [line.split("]", 1)[1].strip() for line in result.stdout.splitlines() if line.startswith("[  FAILED  ]")]
    tally.ok(passed)
    if result.returncode != 0 or passed == 0:
        tail = "\n".join((result.stdout + result.stderr).splitlines()[-60:])
        tally.fail(name, f"exit {result.returncode}: {'; '.join(failed)}\n{tail}")
    tally.say(f"{name}: {passed} passed ({time.time() - start:.1f} s)")


def unit_suites(build, tally, long):
    """Every cmocka program that the build knows: its name, and what runs it."""
    listing = subprocess.run(["meson", "introspect", "--tests", str(build)], check=True, capture_output=True, text=True)
    seconds = LONG_SECONDS if long else 1200
    for test in sorted(json.loads(listing.stdout), key=lambda entry: entry["name"]):
        name = f"unit/{test['name']}"
        environment = {**SANITIZER_ENVIRONMENT, **test.get("env", {}), **(LONG_ENVIRONMENT if long else {})}
        yield name, lambda name=name, test=test, environment=environment: run_program(name, test["cmd"], environment, seconds, tally)


def thread_suites(build, tally):
    """The engine's unit tests in a build with ThreadSanitizer: a race is a failure."""
    environment = {"TSAN_OPTIONS": "exitcode=66:second_deadlock_stack=1"}
    for line in (TOP / "regress/unit/tsan.txt").read_text(encoding="ascii").split():
        name = f"tsan/{line}"
        yield name, lambda name=name, line=line: run_program(name, [build / "regress/unit" / line], environment, 600, tally)


def script_suites(build, tally, arguments):
    for script in sorted((TOP / "regress").glob("*/run.py")):
        yield script.parent.name, lambda script=script: run_script(script, build, arguments, tally)


def run_script(script, build, arguments, tally):
    """A suite of its own: its lines are its results, its exit status says that it got to its end."""
    start = time.time()
    environment = dict(os.environ, **SANITIZER_ENVIRONMENT)
    command = [sys.executable, str(script), "--build", str(build), *arguments]
    name = script.parent.name
    seen = 0
    with subprocess.Popen(command, cwd=TOP, env=environment, stdout=subprocess.PIPE, text=True, errors="replace") as process:
        for line in process.stdout:
            line = line.rstrip("\n")
            if line.startswith("ok "):
                tally.ok()
                seen += 1
            elif line.startswith("not ok "):
                test, _, why = line[7:].partition(": ")
                tally.fail(f"{name}/{test}", why)
                seen += 1
            elif line.startswith("skip "):
                test, _, why = line[5:].partition(": ")
                tally.skip(f"{name}/{test}", why)
                seen += 1
            else:
                tally.say(line)
    if process.returncode != 0 or seen == 0:
        tally.fail(name, f"the suite ended with status {process.returncode} after {seen} results")
    tally.say(f"{name}: {seen} results ({time.time() - start:.1f} s)")


def run_lane(suites, number):
    """One after the other until none is left: programs, which compute, from the front, or scripts, which wait much, from the end."""
    while True:
        try:
            run = suites.popleft() if number % 2 == 0 else suites.pop()
        except IndexError:
            return
        run()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--tsan", type=pathlib.Path)
    options = parser.parse_args()
    tally = Tally()
    build = options.build.resolve()

    suites = [suite for suite in unit_suites(build, tally, options.long) if options.only in suite[0]]
    if options.tsan:
        suites += [suite for suite in thread_suites(options.tsan.resolve(), tally) if options.only in suite[0]]
    arguments = ["--long"] if options.long else ["--quick"] if options.quick else []
    suites += [suite for suite in script_suites(build, tally, arguments) if options.only.split("/")[0] in ("", suite[0])]
    together = collections.deque(run for name, run in suites if name not in ALONE)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for lane in [pool.submit(run_lane, together, number) for number in range(os.cpu_count())]:
            lane.result()
    for name, run in suites:
        if name in ALONE:
            run()
    print(f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped")
    sys.exit(1 if tally.failed else 0)


main()
