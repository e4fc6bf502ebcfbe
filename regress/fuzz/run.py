#!/usr/bin/env python3
"""Runs every fuzz target over its seeds, without libFuzzer: what was found once stays mended.

usage: run.py --build DIR [--long | --quick]

Targets are the files fuzz_NAME.c here, their inputs the files of seeds/NAME. `tools/dev fuzz NAME` looks for more.
"""
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "tools"))
import suite

TIMEOUT = 120
# No small input makes a decoder ask for more than this at once.
LIMITS = "max_allocation_size_mb=256"


def run(program, paths):
    """(exit status, what it said) of one run over some inputs."""
    options = ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), LIMITS]))
    try:
        result = subprocess.run([program, *paths], capture_output=True, text=True, errors="replace", timeout=TIMEOUT,
                                env=dict(os.environ, ASAN_OPTIONS=options))
    except subprocess.TimeoutExpired:
        return "a timeout", f"longer than {TIMEOUT} s"
    return result.returncode, result.stderr


def why(status, said):
    telling = [line.strip() for line in said.splitlines() if any(mark in line for mark in ("not so", "ERROR", "runtime error", "refuses", "became"))]
    return f"ended with {status}: {(telling or said.splitlines() or ['nothing said'])[0]}"


def replay(target, program):
    """All inputs in one process; one by one where that fails, to name the input."""
    paths = sorted(path for path in (HERE / "seeds" / target).iterdir())
    status, _ = run(program, paths)
    failed = 0
    for path in paths:
        if status != 0:
            one, said = run(program, [path])
            if one != 0:
                print(f"not ok {target}/{path.name}: {why(one, said)}", flush=True)
                failed += 1
                continue
        print(f"ok {target}/{path.name}", flush=True)
    if status != 0 and failed == 0:
        print(f"not ok {target}: all inputs together ended with {status}, each alone with 0", flush=True)


def main():
    options = suite.parser().parse_args()
    for source in sorted(HERE.glob("fuzz_*.c")):
        target = source.stem.removeprefix("fuzz_")
        program = options.build / "regress/fuzz" / source.stem
        if not program.exists():
            print(f"not ok {target}: {program} has not been built", flush=True)
        elif not (HERE / "seeds" / target).is_dir():
            print(f"not ok {target}: it has no seeds", flush=True)
        else:
            replay(target, program)
    sys.exit(0)


main()
