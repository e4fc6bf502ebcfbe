#!/usr/bin/env python3
"""Space comes back: rounds of loads, drops, truncations, rollbacks and crashes leave no page lost, and a
queue's indexes stay as small as the queue, or VACUUM makes them so after a crash.

The data file may grow in the first rounds only, the log's directory stays within max_wal_size, and
`sengi verify` finds every page in a tree or free.

usage: run.py --build DIR [--long | --quick]
"""
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "tools"))
import suite
import wire
from sengi_server import Server

ROWS = 20000
SETTLED = 4       # rounds after which the data file has the size it needs
MAX_WAL_MB = 96
QUEUE_MOST = 200000  # bytes of an index of the queue, in the end
PATIENCE = 60        # seconds until then

ROUND = [
    "CREATE TABLE a(id int PRIMARY KEY, name text, body text)",
    f"INSERT INTO a SELECT i, 'name ' || i, repeat(md5(i::text), 3) FROM generate_series(1, {ROWS}) i",
    "CREATE INDEX a_name ON a(name)",
    "INSERT INTO a VALUES (0, 'large', repeat(md5('x'), 20000))",
    "BEGIN; UPDATE a SET body = body || 'y', name = name || 'z'; CREATE TABLE never AS SELECT * FROM a; ROLLBACK",
    "UPDATE a SET name = name || '!' WHERE id % 3 = 0",
    "DELETE FROM a WHERE id % 4 = 0",
    "CREATE TABLE b AS SELECT * FROM a",
    "TRUNCATE a",
    f"INSERT INTO a SELECT i, 'again', '' FROM generate_series(1, {ROWS // 4}) i",
    "ALTER TABLE b ALTER COLUMN id TYPE bigint",
]
END = ["DROP TABLE a", "DROP TABLE b", "CHECKPOINT"]


def megabytes(path):
    """What the files take, with those of a directory."""
    total = 0
    for file in list(path.iterdir()) if path.is_dir() else [path]:
        try:
            total += file.stat().st_blocks * 512
        except FileNotFoundError:
            pass  # the log's files come and go
    return total / 1e6


def crash(server):
    server.kill()
    server.start()


def play(server, rounds, failures):
    sizes = []
    for number in range(rounds):
        wire.run_all(server.port, ROUND)
        if number % 3 == 1:
            crash(server)
        wire.run_all(server.port, END)
        if number % 5 == 4:
            crash(server)
        sizes.append(megabytes(server.data / "pages"))
        log = megabytes(server.data / "wal")
        if log > MAX_WAL_MB * 1.05:
            failures.append(f"round {number}: the log takes {log:.0f} MB")
    allowed = max(sizes[:SETTLED]) * 1.25
    if max(sizes[SETTLED:]) > allowed:
        failures.append(f"the data file grows: {[round(size) for size in sizes]}")
    return sizes


QUEUE = "SELECT max(pg_relation_size(indexrelid)) FROM pg_index WHERE indrelid = 'queue'::regclass"
QUEUE_ROWS, QUEUE_ROUNDS = 10000, 8  # of which an index takes some 400 kB each


def play_queue(server, failures):
    """Rows come at one end and go at the other. What the indexes had of them goes without a command."""
    wire.run_all(server.port, ["CREATE TABLE queue (id int PRIMARY KEY, at timestamptz, job text)", "CREATE INDEX ON queue (at, job)"])
    session = wire.Connection(server.port)
    for number in range(QUEUE_ROUNDS):
        first = number * QUEUE_ROWS
        session.must(f"INSERT INTO queue SELECT g, now() + g * interval '1 s', 'job ' || g FROM generate_series({first + 1}, {first + QUEUE_ROWS}) g")
        for piece in range(0, QUEUE_ROWS, 500):
            session.must(f"DELETE FROM queue WHERE id > {first + piece} AND id <= {first + piece + 500}")
    deadline = time.monotonic() + PATIENCE
    while int(session.rows(QUEUE)[0]) > QUEUE_MOST and time.monotonic() < deadline:
        time.sleep(0.1)
    size = int(session.rows(QUEUE)[0])
    session.must("DROP TABLE queue")
    session.close()
    if size > QUEUE_MOST:
        failures.append(f"an index of an empty queue takes {size} bytes")


def play_vacuum(server, failures, command):
    """Entries that a snapshot kept until the crash are known to nobody afterwards; VACUUM looks for them."""
    wire.run_all(server.port, ["CREATE TABLE queue (id int PRIMARY KEY, job text)", "CREATE INDEX ON queue (job)",
                               f"INSERT INTO queue SELECT g, 'job ' || g FROM generate_series(1, {2 * QUEUE_ROWS}) g"])
    holder = wire.Connection(server.port)
    holder.must("BEGIN ISOLATION LEVEL REPEATABLE READ")
    holder.must("SELECT count(*) FROM queue")
    wire.run_all(server.port, ["DELETE FROM queue WHERE id > 10", "CHECKPOINT"])
    crash(server)
    session = wire.Connection(server.port)
    left = int(session.rows(QUEUE)[0])
    if left <= QUEUE_MOST:
        failures.append(f"{command} has nothing to do: {left} bytes are left by the crash")
    session.must(command)
    size = int(session.rows(QUEUE)[0])
    if size > QUEUE_MOST:
        failures.append(f"after {command} an index of ten rows takes {size} bytes")
    if session.rows("SELECT count(*), sum(id), min(job) FROM queue WHERE job > ''") != ["10 | 55 | job 1"]:
        failures.append(f"after {command} the index lacks something")
    session.must("DROP TABLE queue")
    session.close()


def main():
    options = suite.parser().parse_args()
    failures = []
    with Server(options.build, {"shared_buffers": "16MB", "max_wal_size": f"{MAX_WAL_MB}MB", "min_wal_size": "32MB"}) as server:
        play_queue(server, failures)
        play_vacuum(server, failures, "VACUUM queue")
        play_vacuum(server, failures, "VACUUM")
        sizes = play(server, 50 if options.long else 6 if options.quick else 10, failures)
        server.stop()
        result = subprocess.run([server.binary, "verify", str(server.data)], capture_output=True, text=True)
        if result.returncode != 0:
            failures.append("verify: " + result.stdout[-600:].replace("\n", " / "))
    if failures:
        print("not ok space_comes_back: " + "; ".join(failures))
        sys.exit(1)
    print("ok space_comes_back")
    print(f"space: {len(sizes)} rounds, data file {sizes[0]:.0f} MB after the first, {sizes[-1]:.0f} MB after the last")


main()
