#!/usr/bin/env python3
"""Every scenario of *.spec must go as it went on PostgreSQL 15 (expected/*.txt): tools/isolation.py.

usage: run.py --build DIR [--long] [--show] [NAME…]      expected/ is written by `tools/dev record isolation`

With --long random histories go beside a PostgreSQL 15 of Debian's package as well: random_histories.py.
"""
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent / "tools")]
import isolation
import oracle as throw_away
import random_histories
import suite
from sengi_server import Server

LONG_HISTORIES = 3000


def compare(port, path, show):
    expected = isolation.read_expected(HERE / "expected" / f"{path.stem}.txt")
    for name, lines in isolation.run_spec(port, path):
        test = f"{path.stem}/{name.replace(':', '')}"
        wanted = expected.get(name, ["nothing is recorded"])
        if lines == wanted:
            print(f"ok {test}", flush=True)
            continue
        at = next((i for i, pair in enumerate(zip(wanted, lines)) if pair[0] != pair[1]), min(len(wanted), len(lines)))
        print(f"not ok {test}: step line {at + 1}: wanted {wanted[at:at + 1]}, got {lines[at:at + 1]}", flush=True)
        if show:
            print("\n".join(["-- wanted", *wanted, "-- got", *lines]))


def compare_random(port):
    if not throw_away.is_installed():
        print("skip random-histories: PostgreSQL 15 is not installed")
        return
    seed = int(time.time()) % 1000000 * 1000
    with throw_away.Oracle() as oracle_port:
        random_histories.compare(random_histories.Pair([oracle_port, port], "postgres"), seed, LONG_HISTORIES, [], False)


def main():
    parser = suite.parser()
    parser.add_argument("--show", action="store_true", help="print both sides of what differs")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    with Server(options.build) as server:
        for path in sorted(HERE.glob("*.spec")):
            if not options.names or path.stem in options.names:
                compare(server.port, path, options.show)
        if options.long:
            compare_random(server.port)
        status = server.stop()
        print("ok stops-cleanly" if status == 0 else f"not ok stops-cleanly: status {status}\n{server.log_tail()}")


main()
