"""Others read while a commit that changes the schema is applied, at each place of its apply, and while an earlier one still is.

Under READ COMMITTED nobody hears 40001 because of what others define, and nobody reads half of it: an answer is that of before or
that of after. The server is sengi_held (held.c), whose commits stop where the test says.
"""
import os
import pathlib
import select
import tempfile

import suite
from sengi_server import Server

ROWS = 3000
SETUP = [
    "create table o (id int primary key, n int)", "insert into o values (1, 0), (2, 0)",
    "create table held_t (id int not null, v int not null, w int)", f"insert into held_t select i, i from generate_series(1, {ROWS}) i", "analyze held_t",
    "create view held_v as select id, v from held_t", "create table copied (id int primary key, v int)",
]
RESET = [
    "drop index if exists held_i", "drop table if exists held_new", "alter table held_t alter column w type int", "truncate held_t",
    f"insert into held_t select i, i from generate_series(1, {ROWS}) i", "analyze held_t",
]
READS = {
    "select": "select id, v from held_t where v = 7",
    "the same": "select id, v from held_t where v = 7",
    "a view": "select count(*), sum(v) from held_v where v between 5 and 8",
    "a subplan": "select o.id, (select max(v) from held_t where v < 9 + o.id) from o where id = 1",
    "explain": "explain (analyze, costs off, timing off, summary off) select id from held_t where v = 7",
    "copy": "copy (select id, v from held_t where v = 7) to stdout",
    "a cursor": "begin; declare c cursor for select id from held_t where v < 9; fetch 3 from c; rollback",
    "create table as": "begin; create table held_as as select id, v from held_t where v < 9; select count(*) from held_as; rollback",
    "insert": "begin; insert into copied select id, v from held_t where v = 7 on conflict (id) do nothing returning id; rollback",
    "update": "begin; update o set n = held_t.v from held_t where held_t.v = 7 and o.id = 1 returning n; rollback",
    "lock": "begin; select id from held_t where v = 7 for update; rollback",
    "new table": "select count(*) from held_new where id > 0",
}
DEFINITIONS = [
    "create index held_i on held_t (v)", "create unique index held_i on held_t (v)", "alter table held_t alter column w type bigint",
    f"truncate held_t; insert into held_t select i, i from generate_series(1, {ROWS}) i", "create table held_new as select id from held_t",
    "create index held_i on held_t (v); reindex table held_t",
]
WAITS = {"TxnApply", "relation"}


class Hold:
    """The file by which a commit's apply is stopped (held.c)."""

    def __init__(self, directory):
        self.path = pathlib.Path(directory) / "hold"
        self.told = pathlib.Path(directory) / "hold.held"

    def arm(self, stop):
        new = self.path.with_suffix(".new")
        new.write_text(f"{stop}\n", encoding="ascii")
        new.rename(self.path)

    def is_held(self):
        return self.told.exists()

    def release(self):
        self.told.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)


def has_answered(session):
    return bool(session.received) or bool(select.select([session.socket], [], [], 0)[0])


class Scene:
    """One who defines, one who writes elsewhere, one who looks on, and a new session for each reader."""

    def __init__(self, connect, hold):
        self.connect, self.hold = connect, hold
        self.definer, self.writer, self.control, self.watcher = connect(), connect(), connect(), connect()
        self.readers, self.wrong = {}, []
        for text in SETUP:
            self.control.must(text)

    def ask(self, session, text):
        session.send("Q", text.encode() + b"\0")

    def waits(self, session):
        pid = int.from_bytes(session.key[:4], "big")
        return self.watcher.rows(f"select wait_event from pg_stat_activity where pid = {pid}")[0] in WAITS

    def settled(self, session, what):
        """It has answered or waits for others."""
        suite.wait_for(lambda: has_answered(session) or self.waits(session), f"{what} neither answers nor waits")

    def begin(self, definition):
        """The definition is made and not committed; what everybody knew of the tables is out of date."""
        for text in RESET:
            self.control.must(text)
        self.readers = {name: self.connect() for name in READS}
        self.definer.must("begin")
        self.definer.must(definition)
        self.control.must("create role held_role")
        self.control.must("drop role held_role")
        # Who keeps to a snapshot waits for nobody.
        self.watcher.must("begin isolation level repeatable read")
        self.watcher.rows("select wait_event from pg_stat_activity where pid = 0")

    def read(self):
        for name, text in READS.items():
            self.ask(self.readers[name], text)
            self.settled(self.readers[name], name)

    def finish(self, definition, place):
        """The answers, each held against those that are right."""
        self.hold.release()
        self.watcher.must("commit")
        got = {name: session.until_ready() for name, session in self.readers.items()}
        for line in self.definer.until_ready():
            if line.startswith("error"):
                self.wrong.append(f"{definition}, {place}: {line}")
        for name, session in self.readers.items():
            after = session.query(READS[name]) if name != "copy" else None
            if name == "explain":  # another plan afterwards
                ok = not any(line.startswith("error") for line in got[name])
            elif name == "copy":
                ok = got[name].count("d") == 1 and not any(line.startswith("error") for line in got[name])
            else:
                ok = [line for line in got[name] if line[:3] in ("row", "err")] == [line for line in after if line[:3] in ("row", "err")]
            if not ok and not (name == "new table" and any("C42P01" in line for line in got[name])):
                self.wrong.append(f"{definition}, {place}, {name}: {got[name]}, not {after}")
            session.close()

    def at(self, stop, definition):
        """Readers come while the definition's commit is held at this stop; False: it has no such stop."""
        self.begin(definition)
        self.hold.arm(stop)
        self.ask(self.definer, "commit")
        suite.wait_for(lambda: self.hold.is_held() or has_answered(self.definer), "the commit neither ends nor is held")
        was_held = self.hold.is_held()
        if was_held:
            self.read()
        else:
            for name, text in READS.items():
                self.ask(self.readers[name], text)
        self.finish(definition, f"stop {stop}")
        return was_held

    def behind(self, definition):
        """Readers come when the definition is committed, and a commit before it is still being applied."""
        self.begin(definition)
        self.hold.arm(1)
        self.ask(self.writer, "update o set n = n + 1 where id = 2")
        suite.wait_for(self.hold.is_held, "the writer is not held")
        self.ask(self.definer, "commit")
        self.settled(self.definer, "the commit")
        self.read()
        self.finish(definition, "behind another")
        self.writer.until_ready()

    def close(self):
        for session in (self.definer, self.writer, self.control, self.watcher):
            session.close()


def run(options, session_class):
    directory = tempfile.mkdtemp(prefix="sengi-held-")
    hold = Hold(directory)
    # One worker, whose sessions share its plans.
    server = Server(options.build, {"worker_threads": 1})
    server.binary = str(options.build / "regress/sessions/sengi_held")
    server.environment = {"SENGI_HOLD": str(hold.path)}
    with server:
        scene = Scene(lambda: session_class(server.port, database="postgres"), hold)
        for number, definition in enumerate(DEFINITIONS):
            stop = 1
            while scene.at(stop, definition):
                stop += 1 if options.long or number == 0 else 5
            scene.behind(definition)
        scene.close()
    os.rmdir(directory)
    print("ok sessions/held" if not scene.wrong else f"not ok sessions/held: {len(scene.wrong)} answers are wrong; {scene.wrong[0]}")
