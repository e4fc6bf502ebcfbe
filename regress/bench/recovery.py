#!/usr/bin/env python3
"""Recovery of much log: how fast what was acknowledged is there again, with a second crash in the middle of it.

A load of small transactions and of large ones (INSERT, UPDATE and DELETE of many rows of 400 bytes) goes on without a
checkpoint until the log has --megabytes; then the server is killed. It is started, killed again while it recovers, and
started once more: told are the log, the time until the first answer, and whether what is there is what was there.
PostgreSQL does the same load until its own log has as much.
"""
import re
import subprocess
import time

import results
import servers
import table

SCALE = 20
ROWS = 300000  # of one large statement
SETUP = ["CREATE TABLE wide (id int PRIMARY KEY, n int, body text)", "CHECKPOINT"]
LARGE = [
    f"INSERT INTO wide SELECT g, 0, repeat('sengi', 80) FROM generate_series(1, {ROWS}) g",
    "UPDATE wide SET n = n + 1",
    "UPDATE wide SET n = n + 2, body = reverse(body) WHERE id % 2 = 0",
    "DELETE FROM wide WHERE id % 3 = 0",
    f"INSERT INTO wide SELECT g, 7, repeat('wide', 100) FROM generate_series(3, {ROWS}, 3) g",
    "UPDATE wide SET n = -n",
    "DELETE FROM wide",
]
STATE = ["SELECT count(*), sum(id), sum(n), sum(hashtext(body)) FROM wide", "SELECT sum(abalance), count(*) FROM pgbench_accounts",
         "SELECT sum(tbalance) FROM pgbench_tellers", "SELECT sum(bbalance) FROM pgbench_branches", "SELECT sum(delta), count(*) FROM pgbench_history"]


def say(server, what, figure):
    print(f"{server.name:10} {what:52} {figure:>24}", flush=True)


def log_position(server):
    return int(server.sql("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"))


def state(server):
    return [server.sql(text) for text in STATE]


def fill(server, options):
    """Bytes of log that were written."""
    first = log_position(server)
    while True:
        for text in LARGE:
            server.sql(text)
            if log_position(server) - first >= options.megabytes * 10**6:
                return log_position(server) - first
        subprocess.run(["pgbench", "-n", "-c", "8", "-j", "2", "-T", "3", "-M", "prepared"], env=server.environment, check=True, capture_output=True)


def redos(server):
    """How long each took that it says is done, in seconds."""
    log = (server.directory / "log").read_text(encoding="utf-8")
    return [float(seconds) for seconds in re.findall(r"redo done.*elapsed: ([\d.]+) s", log)]


def crash_in_recovery(server, seconds):
    """Started, and killed after so long."""
    before = redos(server)
    server.launch()
    time.sleep(seconds)
    if server.process.poll() is not None:
        raise SystemExit(f"{server.name} ended by itself; see {server.directory}/log")
    server.crash()
    if redos(server) != before:
        raise SystemExit(f"{server.name}: recovered within {seconds:.1f} s: --second_ms is too long")


def recover(server, size):
    start = time.monotonic()
    server.start(patience=3600)
    server.sql("SELECT 1")
    took = time.monotonic() - start
    say(server, "recovery, s until the first answer; MB/s", f"{took:.1f}; {size / took / 1e6:.0f}")
    redo = redos(server)[-1]
    say(server, "of that redo, s; MB/s", f"{redo:.1f}; {size / max(redo, 0.01) / 1e6:.0f}")
    results.note("recovery", server.name, rate=size / took / 1e6)


def run(server, options):
    server.start()
    subprocess.run(["pgbench", "-i", "-q", "-s", str(SCALE)], env=server.environment, check=True, capture_output=True)
    for text in SETUP:
        server.sql(text)
    start = time.monotonic()
    size = fill(server, options)
    wanted = state(server)
    say(server, "log since the checkpoint, MB; written in, s", f"{size / 1e6:.0f}; {time.monotonic() - start:.0f}")
    server.crash()
    crash_in_recovery(server, options.second_ms / 1000)
    say(server, "killed again in recovery after, s", f"{options.second_ms / 1000:.1f}")
    recover(server, size)
    if state(server) != wanted:
        raise SystemExit(f"{server.name}: {state(server)} is there, not {wanted}")
    say(server, "what is there is what was there", "yes")
    if server.name == "sengi":
        server.stop()
        subprocess.run([server.binary, "verify", server.directory / "data"], check=True, stdout=subprocess.DEVNULL)
        say(server, "every page, tree and index is sound (sengi verify)", "yes")


def main():
    options = table.arguments(__doc__, megabytes=10000, second_ms=5000)
    settings = ["checkpoint_timeout=1d", "max_wal_size=100GB"]
    makes = {"sengi": lambda: servers.Sengi(options.build, options=settings), "postgresql": lambda: servers.PostgreSQL(options=settings)}
    servers.each(makes, [options.only] if options.only else list(makes), lambda server: run(server, options))


if __name__ == "__main__":
    main()
