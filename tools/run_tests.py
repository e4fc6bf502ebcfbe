#!/usr/bin/env python3
"""Runs the tests of a build directory and ends with `N passed, N failed, N skipped`.

usage: run_tests.py --build DIR [--long | --quick] [--only TEXT] [--tsan DIR]

With --tsan the programs that regress/unit/tsan.txt lists run from that build as well.

A suite is a unit-test program, or a script regress/<kind>/run.py which prints lines
`ok NAME`, `not ok NAME: why` or `skip NAME: why`.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
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


class Tally:
    """Counts results and prints failures as they come."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def ok(self):
        self.passed += 1

    def fail(self, name, why):
        self.failed += 1
        print(f"FAILED {name}: {why}", flush=True)

    def skip(self, name, why):
        self.skipped += 1
        print(f"skipped {name}: {why}", flush=True)


def run_unit(build, tally, only, long):
    """Every cmocka program that the build knows; each of its tests counts."""
    listing = subprocess.run(["meson", "introspect", "--tests", str(build)], check=True, capture_output=True, text=True)
    for test in sorted(json.loads(listing.stdout), key=lambda entry: entry["name"]):
        name = test["name"]
        if only and only not in f"unit/{name}":
            continue
        start = time.time()
        environment = dict(os.environ, **SANITIZER_ENVIRONMENT, **test.get("env", {}), **(LONG_ENVIRONMENT if long else {}), CMOCKA_MESSAGE_OUTPUT="stdout")
        seconds = LONG_SECONDS if long else 1200
        try:
            result = subprocess.run(test["cmd"], cwd=TOP, env=environment, timeout=seconds, capture_output=True, text=True, errors="replace")
        except subprocess.TimeoutExpired:
            tally.fail(f"unit/{name}", f"ran for more than {seconds} s")
            continue
        passed = result.stdout.count("[       OK ]")
        failed = [line.split("]", 1)[1].strip() for line in result.stdout.splitlines() if line.startswith("[  FAILED  ]")]
        tally.passed += passed
        if result.returncode != 0 or passed == 0:
            tail = "\n".join((result.stdout + result.stderr).splitlines()[-40:])
            tally.fail(f"unit/{name}", f"exit {result.returncode}: {'; '.join(failed)}\n{tail}")
        print(f"unit/{name}: {passed} passed ({time.time() - start:.1f} s)", flush=True)


def run_threads(build, tally, only):
    """The engine's unit tests in a build with ThreadSanitizer: a race is a failure."""
    environment = dict(os.environ, TSAN_OPTIONS="exitcode=66:second_deadlock_stack=1", CMOCKA_MESSAGE_OUTPUT="stdout")
    for line in (TOP / "regress/unit/tsan.txt").read_text().split():
        name = f"tsan/{line}"
        if only and only not in name:
            continue
        start = time.time()
        try:
            result = subprocess.run([build / "regress/unit" / line], cwd=TOP, env=environment, timeout=600, capture_output=True,
                                    text=True, errors="replace")
        except subprocess.TimeoutExpired:
            tally.fail(name, "ran for more than 600 s")
            continue
        passed = result.stdout.count("[       OK ]")
        tally.passed += passed
        if result.returncode != 0 or passed == 0:
            tail = "\n".join((result.stdout + result.stderr).splitlines()[-60:])
            tally.fail(name, f"exit {result.returncode}\n{tail}")
        print(f"{name}: {passed} passed ({time.time() - start:.1f} s)", flush=True)


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
                print(line, flush=True)
    if process.returncode != 0 or seen == 0:
        tally.fail(name, f"the suite ended with status {process.returncode} after {seen} results")
    print(f"{name}: {seen} results ({time.time() - start:.1f} s)", flush=True)


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

    run_unit(build, tally, options.only, options.long)
    if options.tsan:
        run_threads(options.tsan.resolve(), tally, options.only)
    arguments = ["--long"] if options.long else ["--quick"] if options.quick else []
    for script in sorted((TOP / "regress").glob("*/run.py")):
        if not options.only or options.only.split("/")[0] == script.parent.name:
            run_script(script, build, arguments, tally)
    print(f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped")
    sys.exit(1 if tally.failed else 0)


main()
