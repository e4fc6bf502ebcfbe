#!/usr/bin/env python3
"""kill -9 under load, again and again: every acknowledged commit must be there, none by half.

Clients write numbered transactions and remember which were acknowledged, another makes, loads (COPY), widens and
drops tables and databases, while pgbench runs its tpcb-like script beside them. The server is killed with SIGKILL at
a random moment (every second time again and again while it recovers), started, and asked:

- each client's numbers are 1..n without a hole, n is the last acknowledged or one more;
- what a transaction writes to two tables and an index is in both or in neither;
- transfers leave the sum of the accounts as it was; pgbench's four sums agree;
- what was rolled back, to a savepoint or wholly, is nowhere;
- the first answer comes within RECOVERY_SECONDS (a multiple with sanitizers); `sengi verify` finds nothing.

usage: run.py --build DIR [--long] [--rounds N] [--seed N]
"""
import pathlib
import random
import signal
import socket
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "tools"))
import suite
import wire
from sengi_server import Server

CLIENTS, ACCOUNTS = 6, 200
ROUNDS_OF_ONE = 100  # of one directory: what is looked at grows with each
RECOVERY_SECONDS = 5.0
WITH_SANITIZERS = 6  # times that

SCHEMA = """
CREATE TABLE account(id int PRIMARY KEY, balance bigint NOT NULL);
INSERT INTO account SELECT i, 1000 FROM generate_series(1, %d) i;
CREATE TABLE ledger(client int, n int, source int, target int, amount int, PRIMARY KEY(client, n));
CREATE INDEX ON ledger(amount);
CREATE TABLE mirror(client int, n int, part int, body text, PRIMARY KEY(n, client, part));
CREATE TABLE undone(client int, n int)
""" % ACCOUNTS


def number(connection, text):
    """The only value of the only row."""
    return int(connection.rows(text)[0])


class Client(threading.Thread):
    """Writes transactions until the server is gone. `acknowledged` is the last whose COMMIT was answered."""

    def __init__(self, port, client, first, seed):
        super().__init__(daemon=True)
        self.port, self.client, self.acknowledged = port, client, first
        self.random = random.Random(seed)
        self.refusals = []

    def run(self):
        try:
            connection = wire.Connection(self.port)
            while True:
                self.transaction(connection, self.acknowledged + 1)
        except (OSError, wire.WireError):
            pass

    def transaction(self, connection, n):
        """One transfer, its record, and a mirror of one to three hundred rows; some are undone first."""
        kind = self.random.random()
        try:
            if kind < 0.1:
                connection.must(f"BEGIN; INSERT INTO undone VALUES({self.client}, {n}); ROLLBACK")
            self.write(connection, n, kind)
            connection.must("COMMIT")
            self.acknowledged = n
        except wire.Refused as refusal:
            # Row locks are taken in the order of ids, so that no deadlock is expected either.
            self.refusals.append(str(refusal))
            connection.query("ROLLBACK")

    def write(self, connection, n, kind):
        low, high = sorted(self.random.sample(range(1, ACCOUNTS + 1), 2))
        amount = self.random.randint(-50, 50)
        parts = 300 if kind > 0.97 else self.random.randint(1, 3)
        size = 9000 if kind > 0.9 and parts < 4 else 20
        connection.must("BEGIN")
        connection.must(f"UPDATE account SET balance = balance - {amount} WHERE id = {low}")
        connection.must(f"UPDATE account SET balance = balance + {amount} WHERE id = {high}")
        connection.must(f"INSERT INTO ledger VALUES({self.client}, {n}, {low}, {high}, {amount})")
        if kind < 0.2:
            connection.must(f"SAVEPOINT s; INSERT INTO undone VALUES({self.client}, {n}); ROLLBACK TO s")
        connection.must(f"INSERT INTO mirror SELECT {self.client}, {n}, i, repeat(md5(i::text), {size // 32 + 1}) "
                        f"FROM generate_series(1, {parts}) i")
        if n > 50 and kind < 0.5:
            connection.must(f"DELETE FROM mirror WHERE client = {self.client} AND n = {n - 50} AND part > 1")


class Builder(threading.Thread):
    """Makes, loads, widens and drops tables and databases until the server is gone. `there` has what was acknowledged."""

    BIG = 20000  # rows of one transaction

    def __init__(self, port, there, seed):
        super().__init__(daemon=True)
        self.port, self.there = port, there
        self.random = random.Random(seed)
        self.doubt = None  # the name under way, what it was, what it becomes; None: does not exist
        self.refusals = []

    def run(self):
        try:
            connection = wire.Connection(self.port)
            while True:
                self.step(connection)
        except (OSError, wire.WireError):
            pass
        except wire.Refused as refusal:
            self.refusals.append(str(refusal))

    def change(self, connection, name, after, *statements):
        """One thing that is done wholly or not at all."""
        self.doubt = (name, self.there.get(name), after)
        for statement, data in statements:
            connection.must(statement, data)
        self.there.pop(name, None)
        if after is not None:
            self.there[name] = after
        self.doubt = None

    def step(self, connection):
        tables = sorted(name for name in self.there if name.startswith("built_"))
        databases = sorted(name for name in self.there if name.startswith("clone_"))
        kind, fresh = self.random.random(), f"{self.random.randrange(1 << 30):08x}"
        if len(tables) > 6 or tables and kind < 0.1:
            self.change(connection, tables[0], None, (f"DROP TABLE {tables[0]}", b""))
        elif kind < 0.3:
            name, count = f"built_{fresh}", self.random.choice([10, 1000, self.BIG])
            self.change(connection, name, count, (f"BEGIN; CREATE TABLE {name} AS SELECT g AS a, md5(g::text) AS b FROM generate_series(1, {count}) g; "
                                                  f"CREATE UNIQUE INDEX ON {name} (a); CREATE INDEX ON {name} (b); COMMIT", b""))
        elif kind < 0.4 or not tables:
            name = f"clone_{fresh}"
            if len(databases) > 2:
                self.change(connection, databases[0], None, (f"DROP DATABASE {databases[0]}", b""))
            else:
                self.change(connection, name, 0, (f"CREATE DATABASE {name}", b""))
        else:
            self.alter(connection, self.random.choice(tables), kind)

    def alter(self, connection, name, kind):
        """Rows by COPY, INSERT and DELETE; a column that comes; all of them within a savepoint once more."""
        count = self.there[name]
        if kind < 0.6:
            more = self.random.choice([1, 500, self.BIG])
            data = "".join(f"{count + i}\tcopied {i}\n" for i in range(1, more + 1)).encode()
            self.change(connection, name, count + more, (f"COPY {name} (a, b) FROM STDIN", data))
        elif kind < 0.7:
            self.change(connection, name, count, (f"ALTER TABLE {name} ADD COLUMN c{self.random.randrange(1 << 30)} int DEFAULT 7", b""))
        elif kind < 0.85:
            self.change(connection, name, count // 2, (f"BEGIN; DELETE FROM {name} WHERE a > {count // 2}; SAVEPOINT s; DELETE FROM {name}; ROLLBACK TO s; "
                                                       f"UPDATE {name} SET b = b || 'x' WHERE a % 7 = 0; COMMIT", b""))
        else:
            self.change(connection, name, count, (f"BEGIN; INSERT INTO {name} (a, b) SELECT {count} + g, 'undone' FROM generate_series(1, 3000) g; ROLLBACK", b""))

    def check(self, connection, expect):
        """What was acknowledged is there as it was, what was under way wholly or not at all, and nothing else."""
        names = connection.rows("SELECT relname FROM pg_class WHERE relname LIKE 'built\\_%' AND relkind = 'r'"
                                " UNION ALL SELECT datname FROM pg_database WHERE datname LIKE 'clone\\_%'")
        found = {}
        for name in names:
            found[name] = 0
            if name.startswith("built_"):
                found[name] = number(connection, f"SELECT count(*) FROM {name} WHERE length(b) > 0")
                by_index = number(connection, f"SELECT count(*) FROM {name} WHERE a > 0")
                expect(f"{name}: {found[name]} rows, {by_index} by the index", found[name] == by_index)
        if self.doubt:
            name, before, after = self.doubt
            expect(f"{name}: {found.get(name)}, not {before} or {after}", found.get(name) in (before, after))
            self.there.pop(name, None)
            if found.get(name) is not None:
                self.there[name] = found[name]
        expect(f"tables and databases: {sorted(set(found.items()) ^ set(self.there.items()))[:4]}", found == self.there)


class Trial:
    """A directory that lives through many rounds."""

    def __init__(self, options, seed):
        self.random = random.Random(seed)
        self.server = Server(options.build)
        self.patience = RECOVERY_SECONDS * (WITH_SANITIZERS if suite.is_sanitized(options) else 1)
        self.acknowledged = [0] * CLIENTS
        self.built = {}
        self.failures = []
        self.slowest = 0.0
        self.interrupted = self.bench_count = 0

    def prepare(self):
        self.server.start()
        connection = wire.Connection(self.server.port)
        for statement in SCHEMA.split(";"):
            connection.must(statement.strip())
        connection.close()
        subprocess.run(suite.pgbench(self.server.port, "-q", "-i", "-s", 2), check=True, capture_output=True)

    def expect(self, what, holds):
        if not holds:
            self.failures.append(what)

    def round(self, index):
        """Load, kill, recover, check."""
        clients = [Client(self.server.port, i, self.acknowledged[i], self.random.random()) for i in range(CLIENTS)]
        builder = Builder(self.server.port, self.built, self.random.random())
        for thread in clients + [builder]:
            thread.start()
        load = subprocess.Popen(suite.pgbench(self.server.port, "-n", "-c", 8, "-T", 60, "-M", self.random.choice(["simple", "extended", "prepared"])),
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(self.random.uniform(0.2, 2.0))
        if self.random.random() < 0.5:
            # A checkpoint on its way when the end comes.
            threading.Thread(target=self.checkpoint, daemon=True).start()
            time.sleep(self.random.uniform(0, 0.2))
        self.expect("the server ended by itself", self.server.is_up())
        self.server.kill()
        load.wait()
        for client in clients:
            client.join(timeout=60)
            self.expect(f"client {client.client} was refused: {client.refusals[:2]}", not client.refusals)
        builder.join(timeout=60)
        self.expect(f"the builder was refused: {builder.refusals}", not builder.refusals)
        if index % 2 == 1:
            for _ in range(3):
                self.interrupt_recovery()
        self.recover(clients, builder)

    def checkpoint(self):
        try:
            wire.Connection(self.server.port).query("CHECKPOINT")
        except (OSError, wire.WireError):
            pass

    def interrupt_recovery(self):
        """Started and killed again before it is ready, or just after; `interrupted` counts the former."""
        command = [self.server.binary, "serve", str(self.server.data), "--listen", "127.0.0.1", "--port", str(self.server.port),
                   "--socket", str(self.server.directory)]
        for setting in self.server.settings.items():
            command += ["-c", "=".join(setting)]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            time.sleep(self.random.uniform(0.005, 0.12))
            self.interrupted += not self.is_ready()
            process.send_signal(signal.SIGKILL)

    def is_ready(self):
        try:
            with socket.create_connection(("127.0.0.1", self.server.port), timeout=1):
                return True
        except OSError:
            return False

    def recover(self, clients, builder):
        # Every second time with memory that pages must leave, and checkpoints that come by themselves.
        self.server.settings = {} if self.server.settings else {"shared_buffers": "8MB", "max_wal_size": "32MB"}
        start = time.monotonic()
        self.server.start()
        connection = wire.Connection(self.server.port)
        connection.must("SELECT 1")
        took = time.monotonic() - start
        self.slowest = max(self.slowest, took)
        self.expect(f"the first answer took {took:.1f} s", took < self.patience)
        for client in clients:
            self.check_client(connection, client)
        builder.check(connection, self.expect)
        self.check_whole(connection)
        connection.close()

    def check_client(self, connection, client):
        i, acknowledged = client.client, client.acknowledged
        last = number(connection, f"SELECT coalesce(max(n), 0) FROM ledger WHERE client = {i}")
        count = number(connection, f"SELECT count(*) FROM ledger WHERE client = {i}")
        mirrored = number(connection, f"SELECT count(DISTINCT n) FROM mirror WHERE client = {i}")
        self.expect(f"client {i}: {acknowledged} acknowledged, {last} is the last there", acknowledged <= last <= acknowledged + 1)
        self.expect(f"client {i}: {count} of {last} records", count == last)
        self.expect(f"client {i}: {mirrored} of {last} mirrored", mirrored == last)
        self.acknowledged[i] = last

    def check_whole(self, connection):
        self.expect("the accounts' sum", number(connection, "SELECT sum(balance) FROM account") == 1000 * ACCOUNTS)
        self.expect("something undone is there", number(connection, "SELECT count(*) FROM undone") == 0)
        wrong = number(connection, """SELECT count(*) FROM account a
            LEFT JOIN (SELECT source, sum(amount) AS given FROM ledger GROUP BY source) s ON s.source = a.id
            LEFT JOIN (SELECT target, sum(amount) AS got FROM ledger GROUP BY target) t ON t.target = a.id
            WHERE balance <> 1000 - coalesce(given, 0) + coalesce(got, 0)""")
        self.expect(f"{wrong} accounts do not agree with the ledger", wrong == 0)
        sums = [number(connection, f"SELECT coalesce(sum({column}), 0) FROM {table}")
                for column, table in (("bbalance", "pgbench_branches"), ("tbalance", "pgbench_tellers"),
                                      ("abalance", "pgbench_accounts"), ("delta", "pgbench_history"))]
        self.expect(f"pgbench's sums {sums}", len(set(sums)) == 1)
        self.bench_count = number(connection, "SELECT count(*) FROM pgbench_history")
        by_table = number(connection, "SELECT count(*) FROM ledger WHERE amount + 0 >= 0")
        by_index = number(connection, "SELECT count(*) FROM ledger WHERE amount >= 0")
        self.expect(f"{by_table} rows, {by_index} by the index", by_table == by_index)

    def verify(self):
        """Offline, after a clean end."""
        self.expect("the server did not end cleanly", self.server.stop() == 0)
        result = subprocess.run([self.server.binary, "verify", str(self.server.data)], capture_output=True, text=True)
        self.expect(f"verify: {result.stdout[-600:]}{result.stderr[-600:]}", result.returncode == 0)


def give_up(name, trial):
    """Tells what was wrong, and leaves the directory."""
    print(f"not ok {name}: {'; '.join(trial.failures)}", flush=True)
    print(trial.server.log_tail(), flush=True)
    print(f"the directory is kept: {trial.server.directory}", flush=True)
    if trial.server.is_up():
        trial.server.kill()
    sys.exit(1)


def main():
    parser = suite.parser()
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    rounds = options.rounds or (1000 if options.long else 2 if options.quick else 25)
    seeds = random.Random(options.seed)
    done = {"transactions": 0, "interrupted": 0, "bench": 0, "slowest": 0.0}

    for first in range(0, rounds, ROUNDS_OF_ONE):
        trial = Trial(options, seeds.random())
        trial.prepare()
        for index in range(first, min(first + ROUNDS_OF_ONE, rounds)):
            trial.failures = []
            try:
                trial.round(index)
                if index % 5 == 4 or index + 1 in (rounds, first + ROUNDS_OF_ONE):
                    trial.verify()
                    trial.server.start()
            except (wire.Refused, OSError, wire.WireError) as error:
                trial.failures.append(f"{type(error).__name__}: {error}")
            if trial.failures:
                give_up(f"kill-{index + 1}: seed {options.seed}", trial)
            print(f"ok kill-{index + 1}", flush=True)
        trial.server.stop()
        trial.server.remove()
        done["transactions"] += sum(trial.acknowledged)
        done["interrupted"] += trial.interrupted
        done["bench"] += trial.bench_count
        done["slowest"] = max(done["slowest"], trial.slowest)
    print("ok pgbench-took-part" if done["bench"] > 0 else "not ok pgbench-took-part: none of its transactions was ever there")
    print(f"crash: {done['transactions']} transactions of {CLIENTS} clients and {done['bench']} of pgbench, "
          f"{done['interrupted']} recoveries cut short, slowest first answer after {done['slowest']:.2f} s")


main()
