#!/usr/bin/env python3
"""Instructions for each transaction are at most 5% above the lowest recorded (baseline.py), counted in the long run only; and creep is noticed."""
import argparse
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
sys.path.insert(0, str(HERE))
import baseline


def check_ratchet():
    """Counts that creep up by little at a time are noticed, whatever was recorded in between."""
    line, steps = baseline.Recorded(1000, 1000), 0
    while line.allows(line.last + 20) and steps < 100:
        line, steps = line.after(line.last + 20), steps + 1
    beyond = line.last + 20
    kept = baseline.parse(baseline.text_of("cc", {"a b": line.after(beyond, "it must"), "c": line}))[1]
    right = (steps == 2 and line.lowest == 1000 and line.after(beyond) is None and line.after(900).lowest == 900
             and (kept["a b"].lowest, kept["a b"].reason, kept["c"].last, kept["c"].lowest) == (beyond, "it must", line.last, 1000))
    print("ok bench/creep" if right else f"not ok bench/creep: {steps} steps to {line.last} with {line.lowest} as the lowest")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    check_ratchet()
    if not options.long:
        print("skip bench/baseline: counted in the long run only")
        return
    # The tests' own build is sanitized: what is counted is the release's.
    made = subprocess.run([TOP / "tools/dev", "build"], capture_output=True, text=True)
    if made.returncode != 0:
        print(f"not ok bench/build: {made.stderr[-300:]!r}")
        return
    rows, reason = baseline.results(TOP / "build/release")
    if reason:
        print(f"skip bench/baseline: {reason}")
    for name, count, recorded, ok in rows:
        print(f"ok bench/{name}" if ok else f"not ok bench/{name}: {count} instructions for a transaction, {recorded.lowest if recorded else 'none'} were recorded")


if __name__ == "__main__":
    main()
