#!/usr/bin/env python3
"""Do checkpoints show? Latencies of tpcb-like transactions that end within checkpoints and between them.

Each server runs the load alone, with a checkpoint every 30 seconds (the least that checkpoint_timeout
allows) spread as checkpoint_completion_target says, and one more that is asked for and hurries. When they
were is taken from the servers' logs, latencies from pgbench's. A ratio of p99 up to 2 is the aim.
"""
import calendar
import collections
import pathlib
import re
import subprocess
import tempfile
import threading
import time

import servers
import table

PGBENCH = "pgbench"
LINE = re.compile(r"^(\d+-\d+-\d+ \d+:\d+:\d+)\.(\d+) UTC .*checkpoint (starting|complete)")
OPTIONS = ["checkpoint_timeout=30s", "log_checkpoints=on"]


def checkpoints(server):
    """Intervals (start, end) in seconds since 1970."""
    intervals, start = [], None
    for line in (server.directory / "log").read_text(errors="replace").splitlines():
        match = LINE.match(line)
        if not match:
            continue
        at = calendar.timegm(time.strptime(match[1], "%Y-%m-%d %H:%M:%S")) + int(match[2].ljust(3, "0")) / 1000
        if match[3] == "starting":
            start = at
        elif start is not None:
            intervals.append((start, at))
            start = None
    return intervals


def load(server, options, directory):
    """pgbench with a log of every transaction; a checkpoint is asked for in the middle."""
    threading.Timer(options.seconds / 2, lambda: server.sql("CHECKPOINT")).start()
    subprocess.run([PGBENCH, "-n", "-M", "prepared", "-c", str(options.clients), "-j", "2", "-T", str(options.seconds), "-l",
                    f"--log-prefix={directory}/log"], env=server.environment, check=True, capture_output=True)


def latencies(directory, intervals):
    """Milliseconds of the transactions that ended within a checkpoint, and of the others."""
    result = collections.defaultdict(list)
    for path in pathlib.Path(directory).glob("log.*"):
        for line in path.read_text().splitlines():
            fields = line.split()
            end = int(fields[4]) + int(fields[5]) / 1e6
            within = any(start <= end <= stop for start, stop in intervals)
            result[within].append(int(fields[2]) / 1000)
    return sorted(result[True]), sorted(result[False])


def percentile(values, part):
    return values[min(len(values) - 1, int(len(values) * part))] if values else float("nan")


def tell(server, what, values):
    print(f"{server.name:10} {what:22} {len(values):9} {percentile(values, 0.5):8.2f} {percentile(values, 0.95):8.2f} "
          f"{percentile(values, 0.99):8.2f} {values[-1] if values else float('nan'):9.2f}", flush=True)


def run(server, options):
    server.start()
    subprocess.run([PGBENCH, "-q", "-i", "-s", str(options.scale)], env=server.environment, check=True, capture_output=True)
    server.sql("CHECKPOINT")
    with tempfile.TemporaryDirectory() as directory:
        load(server, options, directory)
        server.stop()
        within, between = latencies(directory, checkpoints(server))
    tell(server, "within checkpoints", within)
    tell(server, "between them", between)
    if within and between:
        print(f"{server.name:10} p99 within : between  {percentile(within, 0.99) / percentile(between, 0.99):.2f}", flush=True)


def main():
    options = table.arguments(__doc__, seconds=100, clients=16, scale=20)
    makes = {"sengi": lambda: servers.Sengi(options.build, options=OPTIONS),
             "postgresql": lambda: servers.PostgreSQL(options=OPTIONS + ["log_timezone=UTC", "log_line_prefix=%m [%p] "])}
    print(f"{'server':10} {'transactions':22} {'count':>9} {'p50 ms':>8} {'p95 ms':>8} {'p99 ms':>8} {'most ms':>9}")
    servers.each(makes, [options.only] if options.only else list(makes), lambda server: run(server, options))


main()
