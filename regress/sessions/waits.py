"""Ten sessions lock rows, keys, tables and numbers at random, and every wait ends: granted, or as a deadlock.

Who waits for a lock for as long as PATIENCE is in a circle that nobody has seen, or was not woken. In the end each child has its parent,
the numbers add up, and no lock is left.
"""
import random
import threading
import time

import wire

SESSIONS, ROWS = 10, 6
PATIENCE = 15  # seconds; what waits takes milliseconds
MAY_HEAR = {"C40P01", "C23505", "C25P02"}
MODES = ["access share", "row share", "row exclusive", "share update exclusive", "share", "share row exclusive", "exclusive", "access exclusive"]
SETUP = ["create schema waits", "set search_path = waits", "create table parent (id int primary key, n int)", "create table child (id serial primary key, parent int references parent)",
         "create table keys (k int unique)", f"insert into parent select i, 0 from generate_series(1, {ROWS}) i"]


def action(chance):
    """A statement, and by how much it raises the sum of parent.n."""
    n = chance.randint(1, ROWS)
    return chance.choices([
        (f"select * from parent where id = {n} for {chance.choice(['update', 'no key update', 'share', 'key share'])}", 0),
        (f"update parent set n = n + 1 where id = {n}", 1),
        (f"insert into keys values ({n})", 0),
        (f"insert into keys values ({n}) on conflict do nothing", 0),
        (f"delete from keys where k = {n}", 0),
        (f"insert into child (parent) values ({n})", 0),
        (f"delete from child where parent = {n}", 0),
        (f"select pg_advisory_xact_lock{chance.choice(['', '_shared'])}({n})", 0),
        (f"lock table {chance.choice(['parent', 'child', 'keys'])} in {chance.choice(MODES)} mode", 0),
    ], [35, 15, 10, 7, 5, 10, 4, 7, 7])[0]


class Waits:
    def __init__(self, connect, seed, seconds):
        self.connect, self.seed = connect, seed
        self.ends_at = time.monotonic() + seconds
        self.faults, self.deadlocks = [], 0
        self.transactions, self.raised = [0] * SESSIONS, [0] * SESSIONS

    def transaction(self, session, chance):
        """By how much its commit has raised the sum."""
        raised = 0
        session.query("begin")
        for _ in range(chance.randint(1, 5)):
            text, by = action(chance)
            refused = [line for line in session.query(text) if line.startswith("error")]
            if refused:
                state = refused[0].split(" | ")[1]
                self.deadlocks += state == "C40P01"
                if state not in MAY_HEAR:
                    self.faults.append(f"{text}: {refused[0]}")
                break
            raised += by
        return raised if "tag COMMIT" in session.query(chance.choice(["commit", "commit", "rollback"])) else 0

    def play(self, number):
        chance = random.Random(f"{self.seed} {number}")
        try:
            session = self.connect()
            session.query(f"set search_path = waits; set lock_timeout = '{PATIENCE}s'")
            while time.monotonic() < self.ends_at and not self.faults:
                self.raised[number] += self.transaction(session, chance)
                self.transactions[number] += 1
            session.close()
        except (OSError, wire.WireError, IndexError) as error:
            self.faults.append(f"session {number}: {error!r}")

    def check(self, session):
        for query, wanted in (("select sum(n) from parent", str(sum(self.raised))),
                              ("select count(*) from child where not exists (select from parent where parent.id = child.parent)", "0"),
                              ("select count(*) from pg_locks where pid <> pg_backend_pid()", "0")):
            lines = session.query(query)
            if f"row {wanted}" not in lines:
                self.faults.append(f"{query}: {lines}")


def run(connect, seed, seconds):
    session = connect()
    for text in SETUP:
        session.query(text)
    waits = Waits(connect, seed, seconds)
    threads = [threading.Thread(target=waits.play, args=(i,)) for i in range(SESSIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    waits.check(session)
    session.query("drop schema waits cascade")
    session.close()
    if not waits.deadlocks:
        waits.faults.append("nobody has been in a deadlock")
    said = f"{sum(waits.transactions)} transactions, {waits.deadlocks} deadlocks"
    print(f"not ok sessions/waits: seed {seed}: {'; '.join(waits.faults[:3])}" if waits.faults else f"ok sessions/waits ({said})")
