#!/usr/bin/env python3
"""Many connections at once append to few lists and read them; a checker that knows no SQL looks for what isolation forbids.

usage: run.py --build DIR [--long] [--seed N] [--seconds N] [--clients N] [--port N] [--keep FILE]

First the checker shows that it finds each anomaly in a history that has it. Then three rounds: READ COMMITTED,
REPEATABLE READ, and both mixed. --port: a server that runs already (PostgreSQL, to see that the checker is not too strict).
"""
import contextlib
import pathlib
import pickle
import random
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent / "tools")]
import suite
import wire
from checker import READ_COMMITTED, REPEATABLE_READ, Operation, Transaction, check
from samples import SAMPLES
from sengi_server import Server

KEYS = 6
SETUP = ["DROP TABLE IF EXISTS lists", "CREATE TABLE lists (k int PRIMARY KEY, items text NOT NULL, touched int)"]
EXPECTED_ERRORS = ("C40001", "C40P01", "C55P03")


class Refused(Exception):
    """The server answered with an error."""


class Client(threading.Thread):
    """One connection that makes transactions until the time is up."""

    def __init__(self, number, port, levels, seed, end):
        super().__init__()
        self.number, self.levels, self.end = number, levels, end
        self.random = random.Random(seed)
        self.connection = wire.Connection(port, timeout=60)
        self.history, self.failure = [], None
        self.next_value = number * 1_000_000

    def run(self):
        try:
            self.connection.query("SET lock_timeout = '5s'")
            while time.monotonic() < self.end:
                self.transaction()
        except (OSError, wire.WireError, ValueError) as error:
            self.failure = repr(error)
        finally:
            self.connection.close()

    def ask(self, text):
        """The rows of a statement; an error is Refused."""
        lines = self.connection.query(text)
        for line in lines:
            if line.startswith("error"):
                if not any(f" {code} " in line for code in EXPECTED_ERRORS):
                    raise ValueError(f"{text}: {line}")
                raise Refused(line)
        return [line[4:] for line in lines if line.startswith("row ")]

    def transaction(self):
        level = self.random.choice(self.levels)
        transaction = Transaction(len(self.history) * 1000 + self.number, level, "aborted", begun_at=time.monotonic())
        self.history.append(transaction)
        self.ask(f"BEGIN ISOLATION LEVEL {level}")
        try:
            self.operations(transaction)
        except Refused:
            self.ask("ROLLBACK")
            return
        transaction.commit_sent_at = time.monotonic()
        if self.random.random() < 0.1:
            self.ask("ROLLBACK")
            return
        transaction.status = "unknown"
        self.ask("COMMIT")
        transaction.status, transaction.committed_at = "committed", time.monotonic()

    def operations(self, transaction):
        savepoint = None
        for _ in range(self.random.randint(1, 6)):
            roll = self.random.random()
            if roll < 0.08 and savepoint is None:
                self.ask("SAVEPOINT s")
                savepoint = len(transaction.operations)
            elif roll < 0.14 and savepoint is not None:
                self.ask("ROLLBACK TO s")
                for operation in transaction.operations[savepoint:]:
                    operation.is_undone = True
            elif roll < 0.55:
                self.read(transaction)
            else:
                self.append(transaction)

    def read(self, transaction):
        key = self.random.randrange(KEYS)
        tail = self.random.choice(["", "", "", " FOR KEY SHARE", " FOR SHARE", " FOR UPDATE"])
        if self.random.random() < 0.25:
            # All lists in one statement, which has one snapshot.
            rows = dict(row.split(" | ") for row in self.ask("SELECT k, items FROM lists"))
            at = time.monotonic()
            for key in range(KEYS):
                transaction.operations.append(Operation("read", key, numbers(rows.get(str(key), "")), at))
            return
        rows = self.ask(f"SELECT items FROM lists WHERE k = {key}{tail}")
        transaction.operations.append(Operation("read", key, numbers(rows[0]) if rows else [], time.monotonic()))

    def append(self, transaction):
        key, value = self.random.randrange(KEYS), self.next_value
        self.next_value += 1
        operation = Operation("append", key, value)
        # It counts as taken back until the statement has been answered.
        operation.is_undone = True
        transaction.operations.append(operation)
        rows = self.ask(self.random.choice([
            f"INSERT INTO lists VALUES ({key}, '{value}') ON CONFLICT (k) DO UPDATE SET items = lists.items || ',{value}' RETURNING 1",
            f"UPDATE lists SET items = items || ',{value}' WHERE k = {key} RETURNING 1"]))
        operation.is_undone = not rows
        operation.at = time.monotonic()


def numbers(text):
    return [int(part) for part in text.split(",") if part]


def play(port, levels, seed, seconds, clients):
    """A round: the history, the lists in the end, what went wrong with the connections."""
    admin = wire.Connection(port)
    for statement in SETUP:
        admin.query(statement)
    end = time.monotonic() + seconds
    players = [Client(number, port, levels, seed + number, end) for number in range(clients)]
    for player in players:
        player.start()
    for player in players:
        player.join(seconds + 120)
    final = dict.fromkeys(range(KEYS), [])
    for line in admin.query("SELECT k, items FROM lists"):
        if line.startswith("row "):
            key, items = line[4:].split(" | ")
            final[int(key)] = numbers(items)
    left = [line for line in admin.query("SELECT locktype, mode FROM pg_locks WHERE pid <> pg_backend_pid()") if line.startswith("row ")]
    admin.close()
    failures = [player.failure for player in players if player.failure] + [f"{player.name} hangs" for player in players if player.is_alive()]
    return [t for player in players for t in player.history], final, failures + left


def check_checker():
    for name, wanted, history, final in SAMPLES:
        found = [anomaly.name for anomaly in check(history, final)]
        if (wanted in found) if wanted else not found:
            print(f"ok notices {name}" if wanted else f"ok passes {name}")
        else:
            print(f"not ok checker: {name}: wanted {wanted}, found {found}")


def play_rounds(port, options):
    seconds = options.seconds or (60.0 if options.long else 2.5)
    for name, levels in [("read committed", [READ_COMMITTED]), ("repeatable read", [REPEATABLE_READ]), ("mixed", [READ_COMMITTED, REPEATABLE_READ])]:
        # Lists grow with time: a longer run is many short ones.
        parts = max(1, round(seconds / 5))
        count, found = 0, []
        for part in range(parts):
            history, final, failures = play(port, levels, options.seed + part * 100, seconds / parts, options.clients)
            found += [f"connections: {failure}" for failure in failures] + [f"{a.name}: {a.text}" for a in check(history, final)]
            count += sum(t.status == "committed" for t in history)
            if found and options.keep:
                options.keep.write_bytes(pickle.dumps((history, final)))
            if found:
                break
        if not found and count < 20:
            found = [f"only {count} transactions committed"]
        print(f"not ok {name} (seed {options.seed}): {len(found)} found: {'; '.join(found[:3])}" if found else f"ok {name}", flush=True)
        print(f"   {name}: {count} transactions committed", file=sys.stderr)


def main():
    parser = suite.parser()
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--seconds", type=float, help="each round's length")
    parser.add_argument("--clients", type=int, default=12)
    parser.add_argument("--port", type=int)
    parser.add_argument("--keep", type=pathlib.Path, help="where to pickle a history that fails")
    options = parser.parse_args()
    check_checker()
    with contextlib.ExitStack() as stack:
        server = None if options.port else stack.enter_context(Server(options.build))
        play_rounds(options.port or server.port, options)
        if server:
            status = server.stop()
            print("ok stops-cleanly" if status == 0 else f"not ok stops-cleanly: status {status}\n{server.log_tail()}")


if __name__ == "__main__":
    main()
