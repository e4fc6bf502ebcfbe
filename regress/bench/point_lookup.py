#!/usr/bin/env python3
"""Point reads and durable single-row inserts by one client; SQLite in process beside, and what the disk itself syncs.

"disk" overwrites blocks of a file that is there already, and syncs each. "canned" does so, too, before each of its canned
answers: no server with one client can commit more often.
"""
import os
import random
import sqlite3
import tempfile
import time

import results
import servers
import table
import wire_client


def prepare(server, rows):
    client = wire_client.Client(server)
    client.query("CREATE TABLE p (id int PRIMARY KEY, v text)")
    client.query(f"INSERT INTO p SELECT i, 'value ' || i FROM generate_series(1, {rows}) i")
    client.query("CREATE TABLE q (id int PRIMARY KEY, v text)")
    server.client, server.next_id = client, 0


def read(server, rows, count):
    for _ in range(count):
        server.client.query(f"SELECT v FROM p WHERE id = {random.randint(1, rows)}")


class Disk:
    """Blocks one behind another, as a log is written, each synced."""

    name = "disk"
    BLOCK, BLOCKS = 8192, 2048

    def __init__(self):
        self.file, self.at = tempfile.TemporaryFile(dir=tempfile.gettempdir()), 0
        self.file.write(bytes(self.BLOCK * self.BLOCKS))
        self.file.flush()
        os.fsync(self.file.fileno())

    def seconds(self):
        return time.process_time()

    def sync(self, count):
        block = os.urandom(self.BLOCK)
        for _ in range(count):
            os.pwrite(self.file.fileno(), block, self.at % self.BLOCKS * self.BLOCK)
            os.fdatasync(self.file.fileno())
            self.at += 1


def insert(server, count):
    if isinstance(server, Disk):
        server.sync(count)
        return
    for _ in range(count):
        server.next_id += 1
        server.client.query(f"INSERT INTO q VALUES ({server.next_id}, 'value')")


def sqlite_times(rows, reads, inserts):
    with tempfile.TemporaryDirectory() as directory:
        database = sqlite3.connect(f"{directory}/db", isolation_level=None)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("CREATE TABLE p (id INTEGER PRIMARY KEY, v TEXT)")
        database.execute("BEGIN")
        database.executemany("INSERT INTO p VALUES (?, ?)", ((i + 1, f"value {i + 1}") for i in range(rows)))
        database.execute("COMMIT")
        start = time.monotonic()
        for _ in range(reads):
            database.execute("SELECT v FROM p WHERE id = ?", (random.randint(1, rows),)).fetchall()
        middle = time.monotonic()
        for i in range(inserts):
            database.execute("INSERT INTO p VALUES (?, 'value')", (rows + i + 1,))
        end = time.monotonic()
        results.note(f"{reads} point reads", "sqlite", rate=1 / (middle - start), wall=(middle - start) * 1000)
        results.note(f"{inserts} durable inserts", "sqlite", rate=1 / (end - middle), wall=(end - middle) * 1000)
        print(f"{f'{reads} point reads':44} {'sqlite':10} {(middle - start) * 1000:9.1f}")
        print(f"{f'{inserts} durable inserts':44} {'sqlite':10} {(end - middle) * 1000:9.1f}")


def main():
    options = table.arguments("point reads and single-row inserts beside PostgreSQL 15 and SQLite", rows=100000, reads=20000, inserts=1000)
    chosen = table.start(options)
    canned = servers.Canned(options.build, synced=True)
    canned.start()
    canned.client, canned.next_id = wire_client.Client(canned), 0
    try:
        for server in chosen:
            prepare(server, options.rows)
        table.compare(chosen, options.rounds, [
            (f"{options.reads} point reads", lambda server: read(server, options.rows, options.reads)),
        ])
        table.compare([*chosen, canned, Disk()], options.rounds, [
            (f"{options.inserts} durable inserts", lambda server: insert(server, options.inserts)),
        ])
    finally:
        for server in [*chosen, canned]:
            server.remove()
    sqlite_times(options.rows, options.reads, options.inserts)


if __name__ == "__main__":
    main()
