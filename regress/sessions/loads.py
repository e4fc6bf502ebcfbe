"""Large transactions beside small ones: while much is applied the others read and write on, and see all of it or nothing.

Every snapshot must find the big table as one of the large transactions has left it, each child with its parent, and the same rows by the
key as by a scan. What small transactions have added to rows must all be there in the end, and what each has committed it must see.
"""
import random
import threading
import time

import moving
import wire

ROWS = 3000
FIRST_LOADED = 100001
MAY_HEAR = {"C40001", "C40P01", "C23503", "C23505"}

SETUP = [
    "create schema loads", "set search_path = loads",
    "create table big (id int primary key, v int, w int, t text)", f"insert into big select g, 0, 0, 'row' from generate_series(1, {ROWS}) g",
    "create table keyed (id int primary key, k int unique)", f"insert into keyed select g, g from generate_series(1, {ROWS}) g",
    "create table child (id int, big_id int references big)", "create index on child (big_id)",
    "create table small (id int primary key, n int)", "insert into small select g, 0 from generate_series(1, 8) g",
]
LOADED = f"select g, 0, 0, 'loaded' from generate_series({FIRST_LOADED}, {FIRST_LOADED + ROWS - 1}) g on conflict do nothing"
SNAPSHOT = "set transaction isolation level repeatable read"  # what comes while READ COMMITTED waits stays: isolation/update.spec
LARGE = [
    ["update big set v = v + 1"], ["update big set v = v + 1"],
    [f"insert into big {LOADED}"], ["delete from child", f"delete from big where id >= {FIRST_LOADED}"],
    ["update keyed set k = k + 10000"], ["update keyed set k = -k"], ["update keyed set id = id + 10000"], [SNAPSHOT, "delete from keyed", f"insert into keyed select g, g from generate_series(1, {ROWS}) g"],
]
# What each snapshot must find, by a scan and by the key.
TRUTHS = {
    "all of an update or nothing": (f"select min(v) = max(v), count(*) from big where id <= {ROWS}", f"t | {ROWS}"),
    "no child without its parent": ("select count(*) from child left join big on big.id = big_id where big.id is null", "0"),
    "each row once by its key": ("select count(*), count(distinct id), count(distinct k) from keyed", f"{ROWS} | {ROWS} | {ROWS}"),
    "each key's row": ("select count(*) from (select k from keyed where k > -1000000000 order by k) x", f"{ROWS}"),
}
ACCESS = ["set enable_seqscan = on; set enable_indexscan = on", "set enable_seqscan = off; set enable_bitmapscan = off"]
MOST_LATE = 60  # seconds


class Loads:
    """Threads on one server; `faults` are what went wrong."""

    def __init__(self, connect, seed, seconds):
        self.connect, self.seed = connect, seed
        self.ends_at = time.monotonic() + seconds
        self.faults, self.added, self.large, self.looks = [], 0, 0, 0

    def fault(self, what):
        if len(self.faults) < 4:
            self.faults.append(what)

    def say(self, session, text):
        """The answer; None when it was refused as may be."""
        lines = session.query(text)
        for line in lines:
            if line.startswith("error "):
                if line.removeprefix("error ").split(" | ")[1] not in MAY_HEAR:
                    self.fault(f"{text}: {line}")
                return None
        return [line[4:] for line in lines if line.startswith("row ")]

    def load(self, session, chance):
        done = self.say(session, "begin") is not None
        for text in chance.choice(LARGE):
            done = done and self.say(session, text) is not None
        ends = session.query("commit" if chance.random() < 0.8 else "rollback")
        self.large += "tag COMMIT" in ends

    def write(self, session, chance):
        number = chance.randint(1, 8)
        told = self.say(session, f"update small set n = n + 1 where id = {number} returning n")
        seen = self.say(session, f"select n from small where id = {number}")
        if told and seen and int(seen[0]) < int(told[0]):
            self.fault(f"committed {told}, then saw {seen}")
        if chance.random() < 0.5 and self.say(session, f"update big set w = w + 1 where id = {chance.randint(1, ROWS)}") is not None:
            self.added += 1
        other = FIRST_LOADED + chance.randrange(ROWS)
        self.say(session, chance.choice([f"insert into child values (1, {other})", f"insert into child values (1, {chance.randint(1, ROWS)})",
                                         f"insert into big values ({other}, 0, 0, 'own')", f"insert into big values ({other}, 0, 0, 'own') on conflict (id) do update set t = 'met'",
                                         f"select * from big where id = {other} for share", "delete from child where id = 1"]))

    def look(self, session, chance):
        name, (query, wanted) = chance.choice(list(TRUTHS.items()))
        isolation = chance.choice(["read committed", "repeatable read"])
        self.say(session, chance.choice(ACCESS))
        self.say(session, f"begin isolation level {isolation}")
        for _ in range(3):
            seen = self.say(session, query)
            if seen != [wanted]:
                self.fault(f"{name} ({isolation}): {query}: {seen}")
        sums = "select sum(v), sum(w), count(*), sum(id) from big"
        if isolation == "repeatable read":
            before = self.say(session, sums)
            time.sleep(chance.random() / 20)
            after = self.say(session, chance.choice([sums, "select sum(v), sum(w), count(*), sum(id) from (select * from big order by id) x"]))
            if before != after:
                self.fault(f"a snapshot has changed: {before}, {after}")
        self.say(session, "commit")
        self.looks += 1

    def goes_on(self):
        """Until the time is over and, on a slow machine, each thing has been done once."""
        late = time.monotonic() - self.ends_at
        return not self.faults and (late < 0 or (late < MOST_LATE and min(self.large, self.looks, self.added) == 0))

    def play(self, number, act):
        chance = random.Random(f"{self.seed} {number}")
        session = self.connect()
        session.query("set search_path = loads; set statement_timeout = '25s'; set deadlock_timeout = '20ms'")
        while self.goes_on():
            act(session, chance)
        session.close()

    def guarded(self, number, act):
        try:
            self.play(number, act)
        except (OSError, wire.WireError, IndexError) as error:
            self.fault(f"session {number}: {error!r}")

    def run(self):
        acts = [self.load, self.load, self.write, self.look, self.look, self.look]
        threads = [threading.Thread(target=self.guarded, args=pair) for pair in enumerate(acts)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def run(connect, seed, seconds):
    """Prints ok or not ok for the whole."""
    first = connect()
    if not moving.set_up(first, "loads", SETUP):
        return
    loads = Loads(connect, seed, seconds)
    loads.run()
    added = first.query("select sum(w) from loads.big")[1]
    if not loads.faults and added != f"row {loads.added}":
        loads.fault(f"{loads.added} additions were committed, the sum is {added}")
    if not loads.faults and min(loads.large, loads.looks, loads.added) == 0:
        loads.fault("something was never tried")
    first.query("set client_min_messages = error; drop schema loads cascade")
    first.close()
    said = f"{loads.large} large transactions, {loads.looks} looks"
    print(f"not ok sessions/loads: seed {seed}: {'; '.join(loads.faults)}" if loads.faults else f"ok sessions/loads ({said})")
