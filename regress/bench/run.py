#!/usr/bin/env python3
"""Instructions for each transaction have not grown by more than 5% since they were recorded (baseline.py); in the long run only."""
import argparse
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
sys.path.insert(0, str(HERE))
import baseline


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build")
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
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
        print(f"ok bench/{name}" if ok else f"not ok bench/{name}: {count} instructions for a transaction, {recorded} were recorded")


if __name__ == "__main__":
    main()
