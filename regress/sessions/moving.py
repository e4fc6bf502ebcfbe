"""Sessions with prepared statements while others create, drop, alter and rename what those name.

Whatever the schema is at the moment, a row that is given must be right: each table says in its rows what it is. The errors must be
those that PostgreSQL gives for what is not there now, or no longer as it was. Nothing else may be said, and nobody may go away.
"""
import random
import threading
import time

import wire

# What may be missing at the moment, or another now: table, column, schema, function, parameter's or result's type, right.
READERS_HEAR = {"C42P01", "C42703", "C3F000", "C0A000", "C42501", "C26000", "C40P01"}
MOVERS_HEAR = READERS_HEAR | {"C42P07", "C42701", "C42710", "C55P03", "C42809", "C42P06", "C2BP01", "C42704", "C42P16"}
SAID_ONLY = {"C0A000": {"Mcached plan must not change result type", "Mcannot alter type of a column used by a view or rule"}}
# Two movers met at one catalog row.
MET = {f'Mduplicate key value violates unique constraint "pg_{index}_index"'
       for index in ("type_typname_nsp", "class_relname_nsp")}

SETUP = [
    "create schema one", "create schema two", "create schema three",
    *[f"create table {schema}.who (name text, id int)" for schema in ("one", "two", "three")],
    *[f"insert into {schema}.who values ('{schema}', 1)" for schema in ("one", "two", "three")],
    "create table k (id int primary key, v int)",
    "insert into k select i, i * 10 from generate_series(1, 50) i",
    "create view kv as select id, v from k",
    "create role mover_reader",
    "grant usage on schema one, two, three, public to mover_reader",
    "grant select on k to mover_reader",
]
AGAIN = "drop table {0} cascade; create table {0} (id int primary key, v int); insert into {0} select i, i * 10 from generate_series(1, 50) i; grant select on {0} to mover_reader"

MOVES = [
    "alter table k rename to k2", "alter table k2 rename to k", "alter table k add column z int default 7", "alter table k drop column z",
    "alter table k alter column v type bigint", "alter table k alter column v type int", "create index k_v on k (v)", "drop index k_v",
    "begin; " + AGAIN.format("k") + "; commit", "begin; " + AGAIN.format("k") + "; rollback", "begin; truncate k; rollback",
    "alter table k rename column v to w", "alter table k rename column w to v", "alter table k alter column v set not null",
    "begin; alter table k drop constraint k_pkey; alter table k add primary key (id); commit",
    "create table if not exists k (id int primary key, v int)", "insert into k select i, i * 10 from generate_series(1, 50) i on conflict do nothing",
    *[f"alter table {schema}.who rename to whose" for schema in ("one", "two")], *[f"alter table {schema}.whose rename to who" for schema in ("one", "two")],
    "alter schema one rename to uno", "alter schema uno rename to one",
    "begin; drop table one.who; create table one.who (id int, name text); insert into one.who values (1, 'one'); grant select on one.who to mover_reader; commit",
    "begin; drop table two.who; create table two.who (name text, id int); insert into two.who values ('two', 1); commit",
    "analyze k", "comment on table k is 'moved'",
]
READS = [
    ("select id, v from k where id = $1", "k"), ("select * from k where id = $1", "k*"), ("select v from k where v = $1 * 10", "v"),
    ("select id, v from kv where id = $1", "k"), ("update k set v = v where id = $1 returning id, v", "k"),
    ("select a.id, b.v from k a join k b using (id) where a.id = $1", "k"), ("select count(*) from k where v <> id * 10 and $1 > 0", "none"),
    ("select name from who where id = 1 and $1 > 0", "who"), ("select max(name) from who where $1 > 0", "who"),
]


class Moving:
    """Threads on one server; `faults` are what went wrong."""

    def __init__(self, connect, seed, seconds):
        self.connect = connect
        self.seed = seed
        self.ends_at = time.monotonic() + seconds
        self.faults = []
        self.counts = {"rows": 0, "errors": 0, "moves": 0}

    def fault(self, what):
        if len(self.faults) < 5:
            self.faults.append(what)

    def check_error(self, text, line, allowed):
        fields = line.removeprefix("error ").split(" | ")
        self.counts["errors"] += 1
        if fields[2] in MET and allowed is MOVERS_HEAR:
            return
        if fields[1] not in allowed or fields[2] not in SAID_ONLY.get(fields[1], fields[2:3]):
            self.fault(f"{text}: {line}")

    def check_row(self, kind, number, values, path, text):
        right = {
            "k": lambda: values[:2] == [str(number), str(number * 10)],
            "k*": lambda: values[:2] == [str(number), str(number * 10)] and values[2:] in ([], ["7"]),
            "v": lambda: values == [str(number * 10)],
            "none": lambda: values == ["0"],
            "who": lambda: values == ["\\N"] or values[0] in path,
        }[kind]()
        self.counts["rows"] += 1
        if not right:
            self.fault(f"{text} of {number} with {path}: {values}")

    def read_once(self, session, chance, prepared, path):
        number = chance.randint(1, 50)
        text, kind = chance.choice(READS)
        lines = session.run(prepared[text], (number,))
        for line in lines:
            if line.startswith("error"):
                self.check_error(text, line, READERS_HEAR)
                if "C26000" in line or "C0A000" in line or chance.random() < 0.3:
                    self.prepare(session, prepared, text)
            elif line.startswith("row"):
                self.check_row(kind, number, line[4:].split(" | "), path, text)

    def prepare(self, session, prepared, text):
        """Under a new name: what the old one stood for may be gone."""
        name = f"p{len(prepared)}_{READS.index(next(read for read in READS if read[0] == text))}_{session.renewals}"
        session.renewals += 1
        prepared[text] = name
        for line in session.parse(name, text):
            if line.startswith("error"):
                self.check_error(text, line, READERS_HEAR)

    def read(self, number):
        chance = random.Random(f"{self.seed} {number}")
        session = self.connect()
        session.renewals = 0
        prepared, path = {}, ["one", "two"]
        session.query("set search_path = one, two, public")
        if number % 3 == 0:
            session.query("set role mover_reader")
        for text, _ in READS:
            self.prepare(session, prepared, text)
        while time.monotonic() < self.ends_at and not self.faults:
            if chance.random() < 0.02:
                path = chance.sample(["one", "two", "three"], 2)
                session.query(f"set search_path = {', '.join(path)}, public")
            self.read_once(session, chance, prepared, path)
        session.close()

    def move(self, number):
        chance = random.Random(f"{self.seed} mover {number}")
        session = self.connect()
        session.query("set search_path = public; set lock_timeout = '2s'")
        while time.monotonic() < self.ends_at and not self.faults:
            text = chance.choice(MOVES)
            self.counts["moves"] += 1
            for line in session.query(text):
                if line.startswith("error"):
                    self.check_error(text, line, MOVERS_HEAR)
            session.query("rollback")
        session.close()

    def guarded(self, function, number):
        try:
            function(number)
        except (OSError, wire.WireError, IndexError) as error:
            self.fault(f"{function.__name__} {number}: {error!r}")

    def run(self, readers, movers):
        threads = [threading.Thread(target=self.guarded, args=(self.read, i)) for i in range(readers)]
        threads += [threading.Thread(target=self.guarded, args=(self.move, i)) for i in range(movers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def set_up(connection, name, statements):
    """False, and said: a statement fails."""
    for text in statements:
        lines = connection.query(text)
        if any(line.startswith("error") for line in lines):
            print(f"not ok sessions/{name}: {text}: {lines}")
            return False
    return True


def run(connect, seed, seconds):
    """Prints ok or not ok for the whole."""
    first = connect()
    if not set_up(first, "moving", SETUP):
        return
    moving = Moving(connect, seed, seconds)
    moving.run(8, 4)
    first.close()
    if not moving.faults and min(moving.counts.values()) == 0:
        moving.fault("something was never tried")
    said = ", ".join(f"{count} {name}" for name, count in moving.counts.items())
    print(f"not ok sessions/moving: seed {seed}: {'; '.join(moving.faults)}" if moving.faults else f"ok sessions/moving ({said})")
