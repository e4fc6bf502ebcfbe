#!/usr/bin/env python3
"""What others notice of one transaction that inserts, updates, changes keys or deletes --rows rows, with a pool of 256 MiB.

Beside it small sessions each update, insert or read single rows, one of them rows of the large table. Told for the statement and
for its end (commit, and once more rolled back): seconds, the server's memory, what it maps of files beside (where old versions
are that are too many for memory), and the longest that each small one has waited. With --memory there are so many megabytes for
the server, the clients and the system's cache of their files. In the end the sums must be those of the transactions that were
committed; with --kill the server is killed within the last commit and started again, and has all of it or nothing. Status 1 when
a sum is wrong, or an onlooker is refused or not answered.
"""
import random
import struct
import sys
import threading
import time

import servers
import table

sys.path.insert(0, str(servers.TOP / "tools"))
import wire

POOL = "256MB"
PIECE = 1000000
SMALL = {
    "update": "UPDATE small SET n = n + 1 WHERE id = {n}",
    "insert": "INSERT INTO added VALUES ({n})",
    "read": "SELECT n FROM small WHERE id = {n}",
    "read there": "SELECT v FROM large WHERE id = {n}",
}
WORKS = {
    "update": "UPDATE large SET v = v + 1",
    "key update": "UPDATE large SET id = -id",
    "insert": "INSERT INTO large SELECT g, 0, '' FROM generate_series({first}, {last}) g",
    "delete": "DELETE FROM large",
}
SUMS = "SELECT count(*), coalesce(sum(v), 0), coalesce(sum(abs(id)), 0) FROM large"


class Onlookers:
    """Small sessions, and how long each kind has waited at most in each phase."""

    def __init__(self, server):
        self.server, self.phase, self.ends, self.worst, self.faults = server, "", False, {}, []
        self.threads = [threading.Thread(target=self.play, args=item) for item in SMALL.items()]
        for thread in self.threads:
            thread.start()

    def play(self, kind, query):
        """Until the end; that it has none, or no answer in time, is a fault as an error is."""
        try:
            self.work(kind, query)
        except (OSError, wire.WireError) as error:
            self.faults.append(f"{query}: {type(error).__name__} {error}")

    def work(self, kind, query):
        chance, session = random.Random(kind), wire.Connection(self.server.port, timeout=600)
        while not self.ends:
            phase, start = self.phase, time.monotonic()
            lines = session.query(query.format(n=chance.randint(1, 1000)))
            key = (kind, phase)
            self.worst[key] = max(self.worst.get(key, 0), time.monotonic() - start)
            if any(line.startswith("error") for line in lines):
                self.faults.append(f"{query}: {lines}")
            time.sleep(0.001)
        session.close()

    def stop(self):
        self.ends = True
        for thread in self.threads:
            thread.join()


def load(server, rows):
    server.sql("CREATE TABLE large (id bigint PRIMARY KEY, v int, filler char(84)); CREATE TABLE added (id int); "
               "CREATE TABLE small (id int PRIMARY KEY, n int); INSERT INTO small SELECT g, 0 FROM generate_series(1, 1000) g")
    for first in range(1, rows + 1, PIECE):
        server.sql(WORKS["insert"].format(first=first, last=min(first + PIECE - 1, rows)))
    server.sql("CHECKPOINT")


def tell(server, onlookers, name, phase, took):
    mapped = server.mapped_files()
    waits = " ".join(f"{onlookers.worst.get((kind, phase), 0) * 1000:10.0f}" for kind in SMALL)
    print(f"{server.name:10} {name:10} {phase:9} {took:8.2f} {(server.memory() - mapped) / 2**20:10.0f} {mapped / 2**20:10.0f} {waits}", flush=True)


def run_work(server, name, text, ends):
    onlookers, session = Onlookers(server), wire.Connection(server.port, timeout=3600)
    for phase, query in (("statement", f"BEGIN; {text}"), (ends, ends)):
        onlookers.phase, start = phase, time.monotonic()
        session.must(query)
        took = time.monotonic() - start
        onlookers.phase = "after"
        tell(server, onlookers, name, phase, took)
    onlookers.stop()
    session.close()
    for fault in onlookers.faults[:3]:
        print(f"{server.name:10} {name}: {fault}")
    return not onlookers.faults


def check(server, wanted, what):
    sums = wire.Connection(server.port, timeout=600).rows(SUMS)[0]
    print(f"{server.name:10} {what}: {'right' if sums in wanted else f'WRONG: {sums}, wanted {wanted}'}", flush=True)
    return sums in wanted


def kill(server, rows):
    """Right after a commit has been asked for; the commit is there or it isn't."""
    session = wire.Connection(server.port, timeout=3600)
    session.must(f"BEGIN; {WORKS['insert'].format(first=1, last=rows)}")
    session.socket.sendall(b"Q" + struct.pack("!i", len(b"COMMIT\0") + 4) + b"COMMIT\0")
    time.sleep(0.3)
    server.crash()
    server.start()
    return check(server, ("0 | 0 | 0", f"{rows} | 0 | {rows * (rows + 1) // 2}"), "killed within a commit")


def run(server, options, results):
    """Each piece of work; whether it went as it should is added to `results`."""
    rows = options.rows
    total = rows * (rows + 1) // 2
    server.start()
    load(server, rows)
    for name, after in (("update", (rows, rows, total)), ("key update", (rows, rows, total)), ("insert", (2 * rows, rows, rows * (2 * rows + 1))), ("delete", (0, 0, 0))):
        text = WORKS[name].format(first=rows + 1, last=2 * rows)
        for ends in ("ROLLBACK", "COMMIT"):
            results.append(run_work(server, name, text, ends))
        results.append(check(server, (" | ".join(map(str, after)),), name))
    if options.kill:
        results.append(kill(server, rows))
    server.stop()


def main():
    options = table.arguments(__doc__, rows=5000000, kill=0, memory=0)
    if options.memory:
        servers.limit_memory(options.memory)
    makes = {"sengi": lambda: servers.Sengi(options.build, POOL), "postgresql": lambda: servers.PostgreSQL(POOL)}
    print(f"{'server':10} {'work':10} {'phase':9} {'seconds':>8} {'memory MiB':>10} {'mapped MiB':>10} " + " ".join(f"{kind:>10}" for kind in SMALL) + "  (longest waits, ms)")
    results = []
    servers.each(makes, [options.only or "sengi"], lambda server: run(server, options, results))
    if not all(results):
        sys.exit("an onlooker was refused or had no answer, or sums are wrong")


main()
