#!/usr/bin/env python3
"""YCSB A to F: rows of 1 KB read, updated, inserted and scanned by popularity (zipfian), beside PostgreSQL 15."""
import argparse
import statistics
import subprocess
import time

import results
import servers

WORKLOADS = {
    "A": "half reads, half updates", "B": "95% reads, 5% updates", "C": "reads", "D": "reads of the latest, 5% inserts",
    "E": "scans of up to 100 rows, 5% inserts", "F": "half reads, half read-modify-write",
}


def client(build):
    binary, source = servers.pathlib.Path(build) / "ycsb", servers.TOP / "regress/bench/ycsb.c"
    if not binary.exists() or binary.stat().st_mtime < source.stat().st_mtime:
        subprocess.run(["cc", "-O2", "-pthread", "-I/usr/include/postgresql", "-o", binary, source, "-lpq", "-lm"], check=True)
    return binary


def one_run(binary, server, workload, rows, options, seed):
    before = server.seconds()
    command = [binary, "run", workload, str(rows), str(options.clients), "2", str(options.seconds), str(seed)]
    result = subprocess.run(command, env=server.environment, capture_output=True, text=True)
    if result.returncode != 0:
        raise SystemExit(f"{server.name}: workload {workload}: {result.stderr[-2000:]}")
    time.sleep(0.3)  # PostgreSQL's backends are counted once they have been waited for
    words = result.stdout.split()
    numbers = dict(zip(words[::2], map(int, words[1::2])))
    if numbers["errors"]:
        raise SystemExit(f"{server.name}: workload {workload}: {numbers['errors']} errors: {result.stderr[-2000:]}")
    return {"rate": numbers["operations"] / options.seconds, "cpu": (server.seconds() - before) / max(numbers["operations"], 1) * 1e6,
            "p50": numbers["p50"], "p95": numbers["p95"], "p99": numbers["p99"], "rows": numbers["rows"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default=str(servers.TOP / "build/release"))
    parser.add_argument("--workloads", default="ABCDEF")
    parser.add_argument("--rows", type=int, default=1000000)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", help="one of the servers")
    options = parser.parse_args()
    binary = client(options.build)
    chosen = [make() for name, make in (("sengi", lambda: servers.Sengi(options.build)), ("postgresql", servers.PostgreSQL))
              if options.only in (None, name)]
    try:
        rows = {}
        for server in chosen:
            server.start()
            while subprocess.run(["pg_isready", "-q"], env=server.environment, check=False).returncode != 0:
                time.sleep(0.05)
            subprocess.run([binary, "load", str(options.rows)], env=server.environment, check=True)
            rows[server.name] = options.rows
        print(f"{'workload':38} {'server':10} {'per second':>10} {'CPU us':>8} {'p50 us':>8} {'p95 us':>8} {'p99 us':>8}   to postgresql")
        for workload in options.workloads:
            runs_of = {server.name: [] for server in chosen}
            for turn in range(options.rounds):
                for server in chosen if turn % 2 == 0 else reversed(chosen):
                    run = one_run(binary, server, workload, rows[server.name], options, turn + 1)
                    rows[server.name] = run["rows"]
                    runs_of[server.name].append(run)
            medians = {name: {key: statistics.median(run[key] for run in runs) for key in runs[0]} for name, runs in runs_of.items()}
            peer = medians.get("postgresql")
            for name, row in medians.items():
                results.note(f"{workload}: {WORKLOADS[workload]}", name, rate=row["rate"], cpu=row["cpu"])
                ratio = f"{row['rate'] / peer['rate']:.2f} x the rate, {row['cpu'] / max(peer['cpu'], 1e-9):.2f} x CPU" if peer and name != "postgresql" else ""
                print(f"{workload}: {WORKLOADS[workload]:35} {name:10} {row['rate']:10.0f} {row['cpu']:8.1f} {row['p50']:8.0f} {row['p95']:8.0f} "
                      f"{row['p99']:8.0f}   {ratio}", flush=True)
    finally:
        for server in chosen:
            server.remove()


if __name__ == "__main__":
    main()
