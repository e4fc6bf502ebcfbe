#!/usr/bin/env python3
"""Random small histories of two to four sessions, step by step on Sengi and on PostgreSQL 15, must go alike.

usage: random_histories.py --build DIR [--seed N] [--count N] [--port N] [--oracle N] [--database NAME] [--kinds NAME,…] [--keep-going]

Results, errors, who waits and who is let go by what, and the rows in the end are compared. What differs is made as short as
it can be and printed as a scenario for *.spec. The oracle is a throw-away cluster of Debian's package, or the server at --oracle.
Before each history the tables are made anew; a statement that waits with lock_timeout set is waited for.
"""
import argparse
import contextlib
import pathlib
import random
import re
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "tools"))
import isolation
import oracle as throw_away
import wire
from sengi_server import Server

SETUP = [
    "CREATE TABLE p (id int PRIMARY KEY, v int, u int UNIQUE {unique})",
    "CREATE TABLE c (id int PRIMARY KEY, pid int DEFAULT 2 REFERENCES p {action}, v int)",
    "CREATE TABLE s (id int PRIMARY KEY, up int REFERENCES s {action})",
    "INSERT INTO p VALUES (1, 10, 100), (2, 20, 200), (3, 30, 300)",
    "INSERT INTO c VALUES (1, 1, 11), (2, 3, 12)",
    "INSERT INTO s VALUES (1, NULL), (2, 1), (3, 2)",
]
ACTIONS = ["", "", "ON DELETE CASCADE", "ON DELETE SET NULL", "ON UPDATE CASCADE ON DELETE CASCADE", "DEFERRABLE INITIALLY DEFERRED",
           "ON DELETE SET DEFAULT ON UPDATE SET NULL", "ON DELETE RESTRICT ON UPDATE RESTRICT", "ON UPDATE SET DEFAULT DEFERRABLE"]
UNIQUE = ["", "", "", "DEFERRABLE", "DEFERRABLE INITIALLY DEFERRED"]
DEADLOCK_SECONDS = 0.01
SETTLE_SECONDS = 0.035


class Maker:
    """One history: the tables' setup and a list of (session, insists, text)."""

    def __init__(self, seed, kinds):
        self.random = random.Random(seed)
        self.kinds = kinds
        action = self.random.choice(ACTIONS)
        unique = self.random.choice(UNIQUE)
        self.setup = [text.format(action=action, unique=unique) for text in SETUP]
        self.sessions = "abcd"[:self.random.choice([2, 2, 3, 4])]
        self.rows = self.random.choice([1, 2, 3])

    def pick(self, *choices):
        return self.random.choice(choices)

    def parent(self):
        return self.random.randint(1, self.rows) if self.random.random() < 0.93 else self.pick(7, 11)

    def returning(self, columns):
        return f" RETURNING {columns}" if self.random.random() < 0.4 else ""

    def select(self):
        return self.pick(f"SELECT id, v, u FROM p WHERE id = {self.parent()}", "SELECT id, v, u FROM p ORDER BY id",
                         "SELECT count(*), sum(v) FROM p", "SELECT id, pid, v FROM c ORDER BY id", "SELECT id FROM p WHERE v > 15 ORDER BY id",
                         f"SELECT id, u FROM p WHERE u = {self.parent() * 100}")

    def lock(self):
        tail = " FOR " + self.pick("UPDATE", "NO KEY UPDATE", "SHARE", "KEY SHARE") + self.pick("", "", "", " NOWAIT", " SKIP LOCKED")
        return self.pick(f"SELECT id, v, u FROM p WHERE id = {self.parent()}", f"SELECT id, v, u FROM p WHERE id = {self.parent()}",
                         f"SELECT id, v FROM p WHERE id <= {self.rows} ORDER BY id", f"SELECT id, v FROM p WHERE v >= {10 * self.rows} ORDER BY id LIMIT 1",
                         f"SELECT id, pid FROM c WHERE id = {self.pick(1, 2)}", "SELECT id, v FROM p ORDER BY id LIMIT 1",
                         "SELECT p.id, p.v, c.id, c.v FROM p JOIN c ON c.pid = p.id WHERE p.id = 1 ORDER BY c.id") + \
            tail

    def update(self):
        which = self.pick(f"id = {self.parent()}", f"id = {self.parent()}", f"id = {self.parent()} AND v < {self.pick(12, 25, 50)}", f"u = {self.parent() * 100}")
        return self.pick(f"UPDATE p SET v = v + {self.pick(1, 2, 5)} WHERE {which}", f"UPDATE p SET v = v + {self.pick(1, 2, 5)} WHERE {which}",
                         f"UPDATE p SET v = 0 WHERE {which}", f"UPDATE c SET v = v + 1 WHERE id = {self.pick(1, 2)}") + self.returning("id, v")

    def key_update(self):
        return self.pick(f"UPDATE p SET u = u + {self.pick(0, 1, 100)} WHERE id = {self.parent()}", f"UPDATE p SET u = {self.pick(100, 200, 500)} WHERE id = {self.parent()}",
                         f"UPDATE p SET id = {self.pick(1, 2, 3, 11)} WHERE id = {self.parent()}", f"UPDATE p SET id = id WHERE id = {self.parent()}") + self.returning("id, v, u")

    def delete(self):
        return self.pick(f"DELETE FROM p WHERE id = {self.parent()}", f"DELETE FROM p WHERE id = {self.parent()}",
                         f"DELETE FROM p WHERE u = {self.parent() * 100} AND v < {self.pick(12, 25, 50)}") + self.returning("id, v")

    def insert(self):
        key = self.pick(1, 2, 3, 4, 4, 7)
        return self.pick(f"INSERT INTO p VALUES ({key}, {key * 10 + 5}, {self.pick(key * 100, 400, 900)})", f"INSERT INTO p VALUES ({key}, {key * 10 + 5}, NULL)") + \
            self.returning("id, v")

    def upsert(self):
        key, unique = self.pick(1, 1, 2, 3, 4, 4, 7), self.pick("NULL", "NULL", 100, 200, 400)
        return f"INSERT INTO p VALUES ({key}, {self.pick(1, 2)}, {unique}) ON CONFLICT " + \
            self.pick("DO NOTHING", "(id) DO NOTHING", "(u) DO NOTHING", "(id) DO UPDATE SET v = p.v + excluded.v", "(id) DO UPDATE SET v = p.v + excluded.v",
                      "(id) DO UPDATE SET v = excluded.v WHERE p.v < 15", "(u) DO UPDATE SET v = p.v + 100", "(id) DO UPDATE SET u = 700") + self.returning("id, v")

    def child(self):
        return self.pick(f"INSERT INTO c VALUES ({self.pick(3, 3, 4)}, {self.parent()}, 5)", f"INSERT INTO c VALUES ({self.pick(3, 4)}, {self.parent()}, 5)",
                         f"UPDATE c SET pid = {self.parent()} WHERE id = {self.pick(1, 2)}", f"DELETE FROM c WHERE id = {self.pick(1, 2)}",
                         f"UPDATE c SET id = id + 10 WHERE id = {self.pick(1, 2)}")

    def joined(self):
        return self.pick(f"UPDATE p SET v = p.v + c.v FROM c WHERE c.pid = p.id AND c.id = {self.pick(1, 2)}",
                         f"DELETE FROM c USING p WHERE c.pid = p.id AND p.id = {self.parent()}",
                         f"WITH w AS (UPDATE p SET v = v + 1 WHERE id = {self.parent()} RETURNING id, v) SELECT * FROM w",
                         f"UPDATE p SET v = (SELECT count(*) FROM c) WHERE id = {self.parent()} RETURNING v")

    def several(self):
        """Rows in an order that both servers take: each history has at most one such statement, its tables untouched before."""
        return self.pick("UPDATE p SET v = v + 1", "DELETE FROM c", f"UPDATE p SET v = v * 2 WHERE v >= {self.pick(10, 20)}", "UPDATE c SET v = 1 WHERE pid IS NOT NULL")

    def tree(self):
        """A table that refers to itself."""
        return self.pick(f"INSERT INTO s VALUES ({self.pick(4, 5)}, {self.pick(1, 2, 3, 4, 'NULL')})", f"DELETE FROM s WHERE id = {self.pick(1, 2, 3, 4)}",
                         f"UPDATE s SET up = {self.pick(1, 2, 3, 4, 'NULL')} WHERE id = {self.pick(2, 3, 4)}", f"UPDATE s SET id = id + 10 WHERE id = {self.pick(1, 2, 3)}",
                         "SELECT * FROM s ORDER BY id", f"SELECT * FROM s WHERE id = {self.pick(1, 2, 3)} FOR {self.pick('UPDATE', 'NO KEY UPDATE', 'SHARE', 'KEY SHARE')}")

    def advisory(self):
        key = self.pick(1, 1, 2)
        return self.pick(f"SELECT pg_advisory_xact_lock({key})", f"SELECT pg_advisory_xact_lock_shared({key})", f"SELECT pg_try_advisory_xact_lock({key})", f"SELECT pg_advisory_lock({key})",
                         f"SELECT pg_advisory_unlock({key})", f"SELECT pg_try_advisory_lock_shared({key})", f"SELECT pg_advisory_unlock_shared({key})",
                         f"SELECT pg_advisory_xact_lock({key}) FROM p WHERE id = {self.parent()} FOR UPDATE")

    def cursor(self):
        return self.pick("DECLARE cu CURSOR FOR SELECT id, v FROM p ORDER BY id", "DECLARE cu CURSOR FOR SELECT id, v FROM p ORDER BY id FOR UPDATE",
                         "DECLARE cu SCROLL CURSOR FOR SELECT id, v FROM p ORDER BY id", "DECLARE cu CURSOR FOR SELECT id, pid FROM c ORDER BY id FOR SHARE",
                         "DECLARE cu CURSOR WITH HOLD FOR SELECT id, v FROM p ORDER BY id",
                         "FETCH 1 FROM cu", "FETCH 1 FROM cu", "FETCH ALL FROM cu", "FETCH PRIOR FROM cu", "MOVE 1 IN cu", "CLOSE cu",
                         "UPDATE p SET v = v + 1 WHERE CURRENT OF cu", "DELETE FROM p WHERE CURRENT OF cu")

    def define(self):
        mode = self.pick("ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE")
        return self.pick(f"LOCK TABLE {self.pick('p', 'c')} IN {mode} MODE{self.pick('', '', ' NOWAIT')}", f"LOCK TABLE {self.pick('p', 'c')} IN {mode} MODE",
                         "TRUNCATE c", "TRUNCATE p CASCADE", "ALTER TABLE p ADD COLUMN x int DEFAULT 7", "ALTER TABLE p DROP COLUMN x", "UPDATE p SET x = 1 WHERE id = 1",
                         "CREATE INDEX px ON p (v)", "DROP INDEX px", "ALTER TABLE c ADD CONSTRAINT cc CHECK (v > 0)", "ALTER TABLE c DROP CONSTRAINT cc", "ALTER TABLE c DROP CONSTRAINT c_pid_fkey",
                         "ALTER TABLE c ADD CONSTRAINT c_pid_fkey FOREIGN KEY (pid) REFERENCES p", "ALTER TABLE p ALTER v SET NOT NULL", "ALTER TABLE p ALTER v SET DEFAULT 5",
                         "CREATE TABLE n (id int PRIMARY KEY REFERENCES p)", "INSERT INTO n VALUES (1)", "DROP TABLE n", "SELECT * FROM n", "CREATE VIEW w AS SELECT id, v FROM p",
                         "UPDATE w SET v = v + 1 WHERE id = 1", "SELECT * FROM w ORDER BY id", "DROP VIEW w", "ALTER TABLE p RENAME v TO z", "ALTER TABLE p RENAME z TO v", "COMMENT ON TABLE p IS 'x'",
                         "CREATE UNIQUE INDEX pu ON p (v)", "ALTER TABLE p ALTER v TYPE bigint", "ANALYZE p", "GRANT SELECT ON p TO public", "SELECT id FROM ONLY p ORDER BY id FOR UPDATE",
                         "DROP TABLE c", "CREATE TABLE k AS SELECT id, v FROM p ORDER BY id", "DROP TABLE k", "REINDEX TABLE c", "VACUUM p")

    WEIGHTS = {"tree": 2, "advisory": 1, "cursor": 2, "define": 1, "select": 3, "lock": 6, "update": 6, "key_update": 3, "delete": 3, "insert": 2, "upsert": 4, "child": 3, "joined": 2}

    def begin(self):
        return self.pick("BEGIN", "BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ", "BEGIN ISOLATION LEVEL REPEATABLE READ")

    def statement(self):
        names = [name for name in self.WEIGHTS if not self.kinds or name in self.kinds]
        return getattr(self, self.random.choices(names, [self.WEIGHTS[name] for name in names])[0])()

    def step(self, state):
        """The next text of a session: state is 0 outside, 1 inside a transaction, 2 with a savepoint."""
        roll = self.random.random()
        if state == 0:
            return (self.begin(), 1) if roll < 0.75 else (self.statement(), 0)
        if roll < 0.14:
            return (self.pick("COMMIT", "COMMIT", "ROLLBACK"), 0)
        if roll < 0.20:
            return ("SAVEPOINT s", 2)
        if state == 2 and roll < 0.34:
            return (self.pick("ROLLBACK TO s", "ROLLBACK TO s", "RELEASE s"), state)
        if roll < 0.36:
            return ("SET LOCAL lock_timeout = 30", state)
        return (self.statement(), state)

    def steps(self):
        states = dict.fromkeys(self.sessions, 0)
        steps = []
        if self.random.random() < 0.15:
            steps.append((self.sessions[0], False, "BEGIN"))
            steps.append((self.sessions[0], False, self.several()))
            states[self.sessions[0]] = 1
        for _ in range(self.random.randint(6, 18)):
            name = self.random.choice(self.sessions)
            text, states[name] = self.step(states[name])
            steps.append((name, False, text))
        return steps


def comparable(lines):
    """Rows that come before an error differ by who sends them singly."""
    if any("error " in line for line in lines):
        lines = [line for line in lines if not re.match("  . (row|columns) ", line)]
    return lines


class Runner(isolation.Scenario):
    """One server: its sessions live on from one history to the next."""

    def __init__(self, port, database):
        super().__init__(port, wire.Connection(port, database=database), database)
        self.admin.query("SET client_min_messages = error")
        self.limited = set()

    def session(self, name):
        is_new = name not in self.sessions
        session = super().session(name)
        if is_new:
            session.connection.query(f"SET deadlock_timeout = '{round(DEADLOCK_SECONDS * 1000)}ms'")
        return session

    def note(self, session, answer):
        before = len(self.lines)
        super().note(session, answer)
        self.lines[before:] = comparable(self.lines[before:])

    def settle(self, session, insists):
        if super().settle(session, insists):
            return True
        return session.has_answered(SETTLE_SECONDS)

    def run(self, setup, steps):
        """The lines that the history gives, and the steps that were really made."""
        self.lines, self.limited, made = [], set(), []
        for statement in ["DROP TABLE IF EXISTS c, p, s, n, k CASCADE", *setup]:
            for line in self.admin.query(statement):
                if line.startswith("error"):
                    raise SystemExit(f"setup: {statement}: {line}")
        for name in sorted({step[0] for step in steps}):
            self.session(name)
        for name, insists, text in steps:
            if self.session(name).is_busy:
                continue
            if text.startswith("SET LOCAL lock_timeout"):
                self.limited.add(name)
            elif re.match("COMMIT|ROLLBACK$|ROLLBACK TO", text):
                self.limited.discard(name)
            made.append((name, insists or name in self.limited, text))
            self.lines.append(f"{name}: {text}")
            self.step(*made[-1])
        self.finish()
        return self.lines, made

    def finish(self):
        """Ends every transaction, first those that wait for none; then the rows."""
        for _ in range(4):
            for name in sorted(self.sessions):
                session = self.sessions[name]
                if not session.is_busy:
                    for text in ["ROLLBACK", "SELECT pg_advisory_unlock_all()", "CLOSE ALL"]:
                        session.send(text)
                        session.take()
            self.let_go()
        if any(session.is_busy for session in self.sessions.values()):
            raise wire.WireError("a session waits although nobody is in a transaction")
        for query in ["SELECT * FROM p ORDER BY id, v", "SELECT * FROM c ORDER BY id", "SELECT * FROM s ORDER BY id"]:
            self.lines += ["end: " + line for line in self.admin.query(query)]
        left = self.admin.query("SELECT locktype, mode FROM pg_locks WHERE pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid())")
        self.lines += ["left: " + line for line in left if line.startswith("row")]

    def close(self):
        super().close()
        self.admin.close()


class Pair:
    """Both servers, made anew when one is lost."""

    def __init__(self, ports, database):
        self.ports, self.database = ports, database
        self.runners = [None, None]

    def run(self, setup, steps):
        """[(lines, made)] of PostgreSQL and Sengi."""
        results = []
        for i, port in enumerate(self.ports):
            try:
                self.runners[i] = self.runners[i] or Runner(port, self.database)
                results.append(self.runners[i].run(setup, steps))
            except (OSError, wire.WireError) as error:
                results.append(([*(self.runners[i].lines if self.runners[i] else []), f"lost: {error}"], steps))
                if self.runners[i]:
                    for session in self.runners[i].sessions.values():
                        session.connection.socket.close()
                    self.runners[i].admin.socket.close()
                self.runners[i] = None
                time.sleep(0.3)
        return results

    def differ(self, setup, steps):
        wanted, got = self.run(setup, steps)
        return wanted[0] != got[0]

    def shorten(self, setup, steps):
        """Leaves out what the difference does not need."""
        size = len(steps) // 2
        while size >= 1:
            at = 0
            while at < len(steps):
                less = steps[:at] + steps[at + size:]
                if less and self.differ(setup, less):
                    steps = less
                else:
                    at += size
            size //= 2
        return steps


def report(pair, seed, setup, steps):
    steps = pair.shorten(setup, steps)
    (wanted, made), (got, _) = pair.run(setup, steps)
    at = next((i for i, both in enumerate(zip(wanted, got)) if both[0] != both[1]), min(len(wanted), len(got)))
    print(f"not ok history {seed}: wanted {wanted[at:at + 1]}, got {got[at:at + 1]}")
    print("\n".join(["-- setup", *setup[:2], "-- steps", *(f"{name}{'!' if insists else ''}: {text}" for name, insists, text in made),
                     "-- wanted", *(line for line in wanted[:at + 4] if not line.startswith("end: ")), "-- got", *got[at:at + 4], ""]), flush=True)


def compare(pair, seed, count, kinds, keep_going):
    """True when all went alike."""
    failures = 0
    for number in range(seed, seed + count):
        maker = Maker(number, kinds)
        steps = maker.steps()
        if pair.differ(maker.setup, steps) and pair.differ(maker.setup, steps):
            failures += 1
            report(pair, number, maker.setup, steps)
            if failures >= 10 and not keep_going:
                break
    if not failures:
        print(f"ok histories {seed} to {seed + count - 1}")
    return failures == 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1000000 * 1000)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--port", type=int, help="a server that runs already")
    parser.add_argument("--oracle", type=int, help="a PostgreSQL that runs already")
    parser.add_argument("--database", default="postgres", help="one that both have")
    parser.add_argument("--kinds", default="")
    parser.add_argument("--keep-going", action="store_true")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        ports = [options.oracle or stack.enter_context(throw_away.Oracle()),
                 options.port or stack.enter_context(Server(options.build)).port]
        is_fine = compare(Pair(ports, options.database), options.seed, options.count, [k for k in options.kinds.split(",") if k], options.keep_going)
    sys.exit(0 if is_fine else 1)


if __name__ == "__main__":
    main()
