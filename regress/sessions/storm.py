"""Eight sessions define, grant, write and read at once, and nothing may break.

Nobody may be told XX000, wait for ever or lose his connection. In the end no row of a system table may refer to what is not there,
each view must be readable, each table must have the same rows by each of its indexes, and what was granted and counted must add up.
"""
import random
import re
import threading
import time

import moving
import wire

SESSIONS = 8
TABLES = ["t0", "t1", "t2"]
# What a statement may be told: names that are gone or taken, dependents, locks not got in time, deadlocks, broken rules, a failed block.
MAY_HEAR = {"C42P01", "C42703", "C3F000", "C42704", "C42P07", "C42701", "C42710", "C42P06", "C2BP01", "C40P01", "C55P03", "C42809", "C23505", "C42501",
            "C42P16", "C55006", "C55000", "C25P02", "C25P01", "C23503", "C42P10", "C42830", "C42P17", "C3B001"}
# Of 40001 who defines for the tenth time; REPEATABLE READ may be told more.
SAID_ONLY = {"C40001": {"Mthe schema keeps changing while the command runs"},
             "C0A000": {"Mcannot alter type of a column used by a view or rule", "Mcached plan must not change result type"},
             "C42P16": {"Mcannot drop columns from view", "Mmultiple primary keys for table"}}

SETUP = [
    "create role storm_a", "create role storm_b", "create schema storm", "set search_path = storm",
    *[f"create table {table} (id int primary key, v int, w text)" for table in TABLES],
    *[f"insert into {table} select i, i, 'w' || i from generate_series(1, 40) i" for table in TABLES],
    "create sequence s0", "create view v0 as select id, v from t0", "create table kept (id int, n int)", "insert into kept values (1, 0)",
]

ACTIONS = [
    "grant select on {t} to storm_a", "grant select, insert on {t} to storm_b", "revoke select on {t} from storm_a", "revoke all on {t} from storm_b",
    "grant update (v) on {t} to storm_a", "revoke update (v) on {t} from storm_a", "grant usage on schema storm to storm_a, storm_b",
    "grant select on all tables in schema storm to storm_a", "alter table {t} add column x{d} int default {d}", "alter table {t} drop column x{d}",
    "alter table {t} drop column if exists x{d} cascade", "alter table {t} rename to {t}_away", "alter table {t}_away rename to {t}",
    "begin; drop table if exists {t} cascade; create table {t} (id int primary key, v int, w text); insert into {t} select i, i, 'w' || i from generate_series(1, 40) i; commit",
    "create table if not exists {t} (id int primary key, v int, w text)", "drop table if exists {t}_child",
    "create table if not exists {t}_child (id int primary key, parent int references {t})", "insert into {t}_child values ({n}, {n}) on conflict do nothing",
    "create or replace view v{d} as select id, v from {t}", "create view v{d} as select id, v from {t} where v > {n}", "drop view if exists v{d}",
    "drop view if exists v{d} cascade", "create or replace view vv as select id from v{d}", "create index i{d} on {t} (v)", "drop index if exists i{d}",
    "create unique index u{d} on {t} (w)", "drop index if exists u{d}", "comment on table {t} is 'storm {n}'", "comment on column {t}.v is 'v {n}'",
    "truncate {t} cascade", "analyze {t}", "alter table {t} owner to storm_b", "alter table {t} owner to current_user", "create schema if not exists away",
    "drop schema if exists away cascade", "alter table {t} set schema away", "alter table away.{t} set schema storm", "alter sequence s0 increment {d1}",
    "alter sequence s0 owned by {t}.v", "alter sequence s0 owned by none", "create sequence if not exists s0", "alter table {t} alter v set default nextval('s0')",
    "alter table {t} alter v drop default", "alter role storm_a createdb", "alter role storm_a nocreatedb", "alter role storm_b set work_mem = '{d1}MB'",
    "alter table {t} alter v type bigint", "alter table {t} alter v type int", "alter table {t} add constraint positive check (v >= 0)",
    "alter table {t} drop constraint if exists positive", "lock table {t} in share mode", "lock table {t}, v0 in row exclusive mode", "reindex table {t}",
    "create table copied{d} as select * from {t}", "drop table if exists copied{d}", "create table like{d} (like {t} including all)", "drop table if exists like{d}",
    "select count(*), sum(v) from {t}", "select * from v{d} where id = {n}", "select * from {t} where id = {n} for update", "select * from {t} where w = 'w{n}' for share",
    "insert into {t} (id, v, w) values ({n} + 40, {n}, 'x{n}') on conflict do nothing", "insert into {t} (id, v, w) values ({n}, {n}, 'w{n}') on conflict (id) do update set v = excluded.v",
    "update {t} set v = v + 1 where id = {n}", "update {t} set id = id + 100 where id = {n}", "delete from {t} where id = {n}", "update {t} set w = w || 'y' where v < {n}",
    "select relname from pg_class where relname like 't%'", "select has_table_privilege('storm_a', '{t}', 'select')", "select pg_get_viewdef('v{d}'::regclass)",
    "set role storm_a; select count(*) from {t}; reset role", "drop owned by storm_a", "reassign owned by storm_b to current_user",
]

# Each query finds nothing where all is well.
BROKEN = {
    "dependents on relations that are gone": "select * from pg_depend d where refclassid = 'pg_class'::regclass and not exists (select from pg_class where oid = refobjid)",
    "dependencies of relations that are gone": "select * from pg_depend d where classid = 'pg_class'::regclass and not exists (select from pg_class where oid = objid)",
    "dependents on columns that are gone": "select * from pg_depend d where refclassid = 'pg_class'::regclass and refobjsubid > 0 and not exists "
                                           "(select from pg_attribute where attrelid = refobjid and attnum = refobjsubid and not attisdropped)",
    "relations in schemas that are gone": "select * from pg_class c where not exists (select from pg_namespace n where n.oid = relnamespace)",
    "relations of owners that are gone": "select * from pg_class c where not exists (select from pg_authid a where a.oid = relowner)",
    "types of relations that are gone": "select * from pg_type t where typrelid <> 0 and not exists (select from pg_class c where c.oid = typrelid)",
    "columns of relations that are gone": "select * from pg_attribute where not exists (select from pg_class c where c.oid = attrelid)",
    "columns miscounted": "select relname from pg_class c where relnatts <> (select count(*) from pg_attribute where attrelid = c.oid and attnum > 0)",
    "indexes that are not known of": "select * from pg_index i join pg_class c on c.oid = indrelid where not relhasindex",
    "indexes of tables that are gone": "select * from pg_index i where not exists (select from pg_class c where c.oid = indrelid)",
    "constraints of tables that are gone": "select * from pg_constraint where conrelid <> 0 and not exists (select from pg_class c where c.oid = conrelid) or "
                                           "confrelid <> 0 and not exists (select from pg_class c where c.oid = confrelid)",
    "checks miscounted": "select relname from pg_class c where relchecks <> (select count(*) from pg_constraint where conrelid = c.oid and contype = 'c')",
    "rules of views that are gone": "select * from pg_rewrite where not exists (select from pg_class c where c.oid = ev_class)",
    "views without a rule": "select * from pg_class c where relkind = 'v' and oid >= 16384 and not exists (select from pg_rewrite where ev_class = c.oid)",
    "defaults of columns that are gone": "select * from pg_attrdef where not exists (select from pg_attribute where attrelid = adrelid and attnum = adnum and atthasdef)",
    "defaults that are gone": "select * from pg_attribute where atthasdef and not exists (select from pg_attrdef where attrelid = adrelid and attnum = adnum)",
    "privileges that nobody depends on": "select relname from pg_class c, aclexplode(relacl) a where grantee <> 0 and grantee >= 16384 and grantee <> relowner and not exists "
                                         "(select from pg_shdepend where objid = c.oid and refobjid = grantee and deptype = 'a')",
    "privileges depended on that are not there": "select * from pg_shdepend s where deptype = 'a' and objsubid = 0 and classid = 'pg_class'::regclass and dbid = "
                                                 "(select oid from pg_database where datname = current_database()) and not exists "
                                                 "(select from pg_class c, aclexplode(relacl) a where c.oid = objid and (grantee = refobjid or grantor = refobjid))",
    "comments on what is gone": "select * from pg_description where classoid = 'pg_class'::regclass and not exists (select from pg_class where oid = objoid)",
}


class Storm:
    """Threads on one server; `faults` are what went wrong."""

    def __init__(self, connect, seed, seconds):
        self.connect, self.seed = connect, seed
        self.ends_at = time.monotonic() + seconds
        self.faults, self.done, self.refused = [], 0, 0
        self.added = [0] * SESSIONS
        self.repeatable = set()  # sessions that may be in such a block

    def fault(self, what):
        if len(self.faults) < 4:
            self.faults.append(what)

    def say(self, session, text):
        """True when nothing was refused."""
        lines = [line for line in session.query(text) if line.startswith("error")]
        self.done += 1
        for line in lines:
            fields = line.removeprefix("error ").split(" | ")
            self.refused += 1
            if fields[1] == "C40001" and session in self.repeatable:
                continue
            if fields[1] not in MAY_HEAR and fields[2] not in SAID_ONLY.get(fields[1], ()):
                self.fault(f"{text}: {line}")
        return not lines

    def action(self, chance):
        digit = chance.randrange(3)
        return chance.choice(ACTIONS).format(t=chance.choice(TABLES), d=digit, d1=digit + 1, n=chance.randint(1, 40))

    def play(self, number):
        chance = random.Random(f"{self.seed} {number}")
        session = self.connect()
        session.query("set search_path = storm; set lock_timeout = '1s'; set statement_timeout = '25s'; set deadlock_timeout = '20ms'")
        while time.monotonic() < self.ends_at and not self.faults:
            if chance.random() < 0.5:
                self.say(session, self.action(chance))
                self.say(session, "reset role")
                continue
            begin = chance.choice(["begin", "begin", "begin isolation level repeatable read"])
            if "repeatable" in begin:
                self.repeatable.add(session)
            self.say(session, begin)
            is_kept = self.say(session, "update kept set n = n + 1 where id = 1") if chance.random() < 0.3 else None
            for _ in range(chance.randint(1, 4)):
                text = self.action(chance)
                if "commit" not in text:
                    self.say(session, text)
                if chance.random() < 0.2:
                    self.say(session, chance.choice(["savepoint s", "rollback to s"]))
            ends = session.query(chance.choice(["commit", "commit", "rollback"]))
            self.repeatable.discard(session)
            if "tag COMMIT" in ends and is_kept:
                self.added[number] += 1
            session.query("reset role")
        session.close()

    def guarded(self, number):
        try:
            self.play(number)
        except (OSError, wire.WireError, IndexError) as error:
            self.fault(f"session {number}: {error!r}")

    def run(self):
        threads = [threading.Thread(target=self.guarded, args=(i,)) for i in range(SESSIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def check(self, session):
        for what, query in BROKEN.items():
            lines = [line for line in session.query(query) if re.match("row|error", line)]
            if lines:
                self.fault(f"{what}: {lines[:3]}")
        session.query("set search_path = storm")
        views = "select c.oid::regclass from pg_class c join pg_namespace n on n.oid = relnamespace where relkind = 'v' and nspname in ('storm', 'away')"
        for line in session.query(views):
            if line.startswith("row "):
                self.expect(session, f"select count(*) from {line[4:]}", None)
        tables = "select c.oid::regclass from pg_class c join pg_namespace n on n.oid = relnamespace where relkind = 'r' and nspname in ('storm', 'away')"
        for line in session.query(tables):
            if line.startswith("row "):
                self.check_table(session, line[4:])
        rows = session.query("select n from storm.kept")
        if rows[1] != f"row {sum(self.added)}":
            self.fault(f"{sum(self.added)} additions were committed, kept has {rows[1]}")

    def expect(self, session, query, wanted):
        lines = session.query(query)
        if any(line.startswith("error") for line in lines) or wanted not in (None, lines[1]):
            self.fault(f"{query}: {lines}, wanted {wanted}")
        return lines[1] if len(lines) > 1 else ""

    def check_table(self, session, table):
        """By each of its indexes a table has the rows that a scan of it finds."""
        columns = session.query(f"select attname from pg_index i join pg_attribute a on a.attrelid = indrelid and attnum = indkey[0] where indrelid = '{table}'::regclass")
        for line in columns:
            if not line.startswith("row "):
                continue
            query = f"select count(*), min({line[4:]}::text), max({line[4:]}::text) from (select * from {table} {{}}) x"
            session.query("set enable_seqscan = on; set enable_indexscan = off; set enable_indexonlyscan = off; set enable_bitmapscan = off")
            by_scan = self.expect(session, query.format(""), None)
            session.query("set enable_seqscan = off; set enable_sort = off; set enable_indexscan = on; set enable_indexonlyscan = on")
            self.expect(session, query.format(f"order by {line[4:]}"), by_scan)
            session.query("reset all; set search_path = storm")


# What the first has done and not committed, what the second then does, and what must be true of both: PostgreSQL gives the second XX000.
TOGETHER = [
    ("grant select on t0 to storm_a", "grant insert on t0 to storm_a", "select has_table_privilege('storm_a', 't0', 'select') and has_table_privilege('storm_a', 't0', 'insert')"),
    ("grant select on t1 to storm_a", "alter table t1 add column z int", "select has_table_privilege('storm_a', 't1', 'select') and relnatts = 4 from pg_class where oid = 't1'::regclass"),
    ("alter table t1 drop column z", "grant insert on t1 to storm_a", "select has_table_privilege('storm_a', 't1', 'insert')"),
    ("grant select on t2 to storm_a", "create index on t2 (v)", "select has_table_privilege('storm_a', 't2', 'select') and relhasindex from pg_class where oid = 't2'::regclass"),
    ("create index on kept (n)", "grant select on kept to storm_a", "select has_table_privilege('storm_a', 'kept', 'select') and relhasindex from pg_class where oid = 'kept'::regclass"),
    ("grant update on t2 to storm_a", "truncate t2", "select has_table_privilege('storm_a', 't2', 'update') and not exists (select from t2)"),
    ("drop table t2; create table t2 (id int primary key, v int, w text)", "grant select on t2 to storm_b", "select has_table_privilege('storm_b', 't2', 'select')"),
    ("alter role storm_a createdb", "alter role storm_a createrole", "select rolcreatedb and rolcreaterole from pg_roles where rolname = 'storm_a'"),
    ("alter role storm_a nocreatedb", "drop owned by storm_a; drop role storm_a", "select not exists (select from pg_roles where rolname = 'storm_a')"),
    ("create role storm_a; grant select on t0 to storm_a", "analyze t0", "select reltuples = 40 from pg_class where oid = 't0'::regclass"),
]


def context_of(session, text):
    """The CONTEXT of the error that a query ends with."""
    context = None
    session.send("Q", text.encode() + b"\0")
    while True:
        kind, body = session.message()
        if kind == "E":
            context = next((field[1:].decode() for field in body.split(b"\0") if field[:1] == b"W"), None)
        elif kind == "Z":
            return context


def contexts(connect):
    """Who waits for a row in vain is told for which one."""
    first, second = connect(), connect()
    first.query("set search_path = storm; begin; update t0 set v = v where id = 3")
    second.query("set search_path = storm; set lock_timeout = '20ms'")
    tuple_id = second.query("select ctid from t0 where id = 3")[1].removeprefix("row ")
    faults = []
    for text, doing in [("update t0 set v = 1 where id = 3", "updating"), ("delete from t0 where id = 3", "deleting"), ("select from t0 where id = 3 for update", "locking"),
                        ("select from t0 where id = 3 for update nowait", None)]:
        told, wanted = context_of(second, text), doing and f'while {doing} tuple {tuple_id} in relation "t0"'
        if told != wanted:
            faults.append(f"{text}: wanted {wanted}, got {told}")
    first.query("rollback")
    first.close()
    second.close()
    print(f"not ok sessions/contexts: {'; '.join(faults)}" if faults else "ok sessions/contexts")


def together(connect):
    first, second = connect(), connect()
    faults = []
    for session in (first, second):
        session.query("set search_path = storm; set statement_timeout = '20s'")
    for before, after, truth in TOGETHER:
        answers = []
        thread = threading.Thread(target=lambda text: answers.extend(second.query(text)), args=(after,))
        lines = first.query("begin; " + before)
        thread.start()
        time.sleep(0.1)
        lines += first.query("commit")
        thread.join()
        faults += [f"{before}, {after}: {line}" for line in lines + answers if line.startswith("error")]
        told = first.query(truth)
        if told[1:2] != ["row t"]:
            faults.append(f"{before}, {after}: {truth}: {told}")
    first.close()
    second.close()
    print(f"not ok sessions/together: {'; '.join(faults)}" if faults else "ok sessions/together")


def run(connect, seed, seconds):
    """Prints ok or not ok for the whole."""
    first = connect()
    if not moving.set_up(first, "storm", SETUP):
        return
    contexts(connect)
    together(connect)
    storm = Storm(connect, seed, seconds)
    storm.run()
    first.query("set client_min_messages = error")
    if not storm.faults:
        storm.check(first)
    if not storm.faults and min(storm.refused, sum(storm.added)) == 0:
        storm.fault("something was never tried")
    first.query("reset all; drop schema if exists storm, away cascade")
    first.query("drop owned by storm_a, storm_b; drop role storm_a, storm_b")
    first.close()
    said = f"{storm.done} statements, {storm.refused} refused"
    print(f"not ok sessions/storm: seed {seed}: {'; '.join(storm.faults)}" if storm.faults else f"ok sessions/storm ({said})")
