#!/usr/bin/env python3
"""Several sessions share plans while schema, roles, paths and settings move: answered as PostgreSQL 15 answers.

Six sessions, so that every worker serves more than one. Each step's answer must be what expected.txt says, which
`run.py --record PORT` writes from a PostgreSQL 15.
"""
import pathlib
import re
import struct
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent / "tools")]
import busy
import ended
import held
import left
import loads
import looked_at
import moving
import storm
import suite
import waits
import wire
from oracle import may_record
from sengi_server import Server

SESSIONS = 6


class Session(wire.Connection):
    """Also the extended protocol; parameters and results are text."""

    def send(self, kind, body):
        self.socket.sendall(kind.encode() + struct.pack("!i", len(body) + 4) + body)

    def until_ready(self):
        lines = []
        while True:
            kind, body = self.message()
            if kind == "D":
                lines.append("row " + wire.row_text(body))
            elif kind == "T":
                lines.append("columns " + wire.columns_text(body))
            elif kind == "C":
                lines.append("tag " + body[:-1].decode())
            elif kind == "E":
                lines.append("error " + wire.fields_text(body))
            elif kind == "t":
                lines.append("parameters " + body.hex())
            elif kind == "Z":
                lines.append("ready " + body.decode())
                return lines
            elif kind not in "NS":
                lines.append(kind)

    def parse(self, name, sql, types=()):
        self.send("P", name.encode() + b"\0" + sql.encode() + b"\0" + struct.pack(f"!h{len(types)}I", len(types), *types))
        self.send("S", b"")
        return self.until_ready()

    def send_run(self, name, values=(), describe=True):
        """Without waiting for its answer."""
        body = b"\0" + name.encode() + b"\0" + struct.pack("!hh", 0, len(values))
        for value in values:
            data = None if value is None else str(value).encode()
            body += struct.pack("!i", -1) if data is None else struct.pack("!i", len(data)) + data
        self.send("B", body + struct.pack("!h", 0))
        if describe:
            self.send("D", b"P\0")
        self.send("E", b"\0" + struct.pack("!i", 0))
        self.send("S", b"")

    def run(self, name, values=(), describe=True):
        self.send_run(name, values, describe)
        return self.until_ready()

    def describe(self, name):
        self.send("D", b"S" + name.encode() + b"\0")
        self.send("S", b"")
        return self.until_ready()


class Play:
    """Runs steps and keeps what was answered."""

    def __init__(self, port, database):
        self.port, self.database, self.answers = port, database, []
        self.sessions = [self.connect() for _ in range(SESSIONS)]

    def connect(self):
        return Session(self.port, database=self.database)

    def renew(self, number):
        """Another session in its place, on whatever worker."""
        self.sessions[number].close()
        self.sessions[number] = self.connect()

    def note(self, session, what, lines):
        text = " / ".join(lines)
        self.answers.append((f"{session}: {what}", re.sub(r"pg_temp_\d+", "pg_temp_N", text)))

    def query(self, session, text):
        self.note(session, text, self.sessions[session].query(text))

    def parse(self, session, name, text, types=()):
        self.note(session, f"parse {name}: {text}", self.sessions[session].parse(name, text, types))

    def run(self, session, name, values=(), describe=True):
        self.note(session, f"run {name} {values}", self.sessions[session].run(name, values, describe))

    def describe(self, session, name):
        self.note(session, f"describe {name}", self.sessions[session].describe(name))

    def everywhere(self, function, *arguments):
        for session in range(SESSIONS):
            function(session, *arguments)

    def close(self):
        for session in self.sessions:
            session.close()


def tables_change(play):
    play.query(0, "create table k (id int primary key, v int, t text)")
    play.query(0, "insert into k select i, i * 10, 't' || i from generate_series(1, 100) i")
    play.everywhere(play.parse, "a", "select v, t from k where id = $1")
    play.everywhere(play.run, "a", (7,))
    play.everywhere(play.parse, "b", "update k set v = v + $1 where id = $2 returning v")
    play.everywhere(play.run, "b", (1, 3))
    for session in range(SESSIONS):
        play.query(session, f"select v from k where id = {session + 3}")
    play.query(1, "alter table k add column w int default 7")
    play.everywhere(play.run, "a", (7,))
    play.everywhere(play.run, "b", (1, 3))
    play.query(2, "alter table k alter column v type bigint")
    play.everywhere(play.run, "a", (7,))
    play.everywhere(play.run, "b", (1, 3))
    for session in range(SESSIONS):
        play.query(session, f"select v from k where id = {session + 3}")
    play.everywhere(play.parse, "c", "select v, t from k where id = $1")
    play.everywhere(play.run, "c", (5,))
    play.query(2, "drop table k")
    play.everywhere(play.run, "c", (5,))
    play.query(3, "create table k (id int primary key, v bigint, t text)")
    play.query(3, "insert into k values (5, 55, 'five')")
    play.everywhere(play.run, "c", (5,))
    play.everywhere(play.query, "select v from k where id = 5")


def changes_of_one(play):
    play.query(0, "begin")
    play.query(0, "alter table k add column z int default 1")
    play.run(0, "c", (5,))
    play.query(0, "select * from k where id = 5")
    play.query(0, "rollback")
    play.run(0, "c", (5,))
    play.query(0, "select * from k where id = 5")


def roles(play):
    play.query(0, "create role sessions_role")
    for session in (0, 1, 2):
        play.query(session, "set role sessions_role")
    play.everywhere(play.query, "select v from k where id = 5")
    play.query(3, "grant select on k to sessions_role")
    play.everywhere(play.query, "select v from k where id = 5")
    play.everywhere(play.run, "c", (5,))
    play.query(3, "revoke select on k from sessions_role")
    play.everywhere(play.query, "select v from k where id = 5")
    for session in (0, 1, 2):
        play.query(session, "reset role")
    play.everywhere(play.query, "select v from k where id = 5")


def paths(play):
    play.query(0, "create schema s2")
    play.query(0, "create table s2.k (id int primary key, v bigint, t text)")
    play.query(0, "insert into s2.k values (5, 66, 'six')")
    play.query(1, "set search_path = s2")
    play.query(2, "set search_path = s2, public")
    play.everywhere(play.run, "c", (5,))
    play.everywhere(play.query, "select v from k where id = 5")
    play.everywhere(play.parse, "d", "select v, t from k where id = $1")
    play.query(4, "create temp table k (id int primary key, v bigint, t text)")
    play.query(4, "insert into k values (5, 77, 'temporary')")
    play.everywhere(play.run, "d", (5,))
    play.everywhere(play.query, "select v from k where id = 5")


def temporary(play):
    """Temporary objects come, change and go: their own session's plans follow, the others' stay."""
    play.everywhere(play.query, "create temp table own (id int primary key, v int)")
    for session in range(SESSIONS):
        play.query(session, f"insert into own select i, i * {session + 1} from generate_series(1, 10) i")
    for _ in range(3):
        play.everywhere(play.query, "select v from own where id = 5")
    play.everywhere(play.parse, "own", "select v from own where id = $1")
    play.everywhere(play.run, "own", (5,))
    for turn in range(20):
        session = turn % SESSIONS
        play.query(session, f"alter table own add column c{turn} int default {turn}")
        play.query(session, "select * from own where id = 5")
        play.query(session, "select * from own where id = 6")
        play.everywhere(play.run, "own", (5,))
    play.query(0, "begin")
    play.query(0, "drop table own")
    play.query(0, "select v from own where id = 5")
    play.query(0, "rollback")
    play.everywhere(play.query, "select v from own where id = 5")
    play.query(1, "create index own_v on own (v)")
    play.query(1, "analyze own")
    play.query(1, "select id from own where v = 10")
    play.query(2, "drop table own")
    play.everywhere(play.query, "select v from own where id = 5")
    play.run(2, "own", (5,))
    play.query(2, "create table own (id int primary key, v int)")
    play.query(2, "insert into own values (5, 500)")
    play.everywhere(play.query, "select v from own where id = 5")
    play.query(3, "drop table own")
    play.query(3, "select v from own where id = 5")
    play.query(2, "create temp table own (id int primary key, v int)")
    play.everywhere(play.query, "select v from own where id = 5")
    play.renew(4)
    play.query(4, "select v from own where id = 5")
    play.query(4, "create temp table own as select 5 as id, 45 as v")
    play.query(4, "select v from own where id = 5")
    play.query(2, "drop table pg_temp.own")
    play.everywhere(play.query, "drop table if exists own")


def settings(play):
    play.everywhere(play.parse, "e", "select $1::date")
    play.query(5, "set datestyle = 'SQL, DMY'")
    play.everywhere(play.run, "e", ("02/03/2020",))
    play.everywhere(play.query, "select '02/03/2020'::date")
    play.query(5, "set intervalstyle = iso_8601")
    play.everywhere(play.parse, "f", "select id from k where '1 day'::interval::text = $1")
    play.everywhere(play.run, "f", ("P1D",))


def unnamed(play):
    for _ in range(3):
        play.everywhere(play.parse, "", "select v + $1 from k where id = $2", (20,))
        play.everywhere(play.run, "", (1, 5))
        play.everywhere(play.describe, "")
    for session in range(3):
        for types in ((23,), (25,), ()):
            play.parse(session, "", "select $1", types)
            play.run(session, "", (1,))
        play.parse(session, "", "select $1 + 1")
        play.run(session, "", (1,))
        play.run(session, "", ("x",))
        play.parse(session, "", "select * from nosuch where id = $1")
        play.parse(session, "", "selec")
        play.parse(session, "", "select 1; select 2")


def failed_blocks(play):
    for session in range(3):
        play.query(session, "begin")
        play.parse(session, "", "select v from k where id = $1")
        play.run(session, "", (5,))
        play.query(session, "select nosuch")
        play.parse(session, "", "select v from k where id = $1")
        play.query(session, "select v from k where id = 5")
        play.query(session, "rollback")


def writes(play):
    play.everywhere(play.parse, "g", "insert into k values ($1, 1, 'a') on conflict do nothing")
    for session in range(SESSIONS):
        play.run(session, "g", (session + 100,))
        play.run(session, "g", (session + 100,))
        play.run(session, "g", (None,))
    play.everywhere(play.parse, "h", "select count(*) from k where id > 99 and t = 'a'")
    play.everywhere(play.run, "h")
    play.everywhere(play.parse, "i", "delete from k where id = $1")
    for session in range(SESSIONS):
        play.run(session, "i", (session + 100,))
        play.run(session, "i", (session + 100,))


def sessions_end(play):
    """What a session has left behind in a shared plan must not be met by its successors."""
    play.query(0, "create table e (id int primary key, v int)")
    for turn in range(6):
        for session in range(SESSIONS):
            play.query(session, f"insert into public.e values ({turn * SESSIONS + session}, 0)")
            play.query(session, f"update public.e set v = v + {turn} where id = {session}")
            play.query(session, f"select v from public.e where id = {session}")
        play.renew(turn)
        play.renew((turn + 3) % SESSIONS)
    play.query(0, "select sum(v), count(*) from public.e")


def rolled_back(play):
    """Transactions with changes of their own leave nothing by which a later search path is taken for an earlier one."""
    for number in (1, 2):
        play.query(0, f"create schema back{number}")
        play.query(0, f"create table back{number}.b (v int)")
        play.query(0, f"insert into back{number}.b values ({number})")
    play.query(0, "set search_path = back1")
    play.parse(0, "back", "select v from b where 'now'::text = 'now'")
    play.run(0, "back")
    for _ in range(20):
        for path in ("back2", "back1", "back2, back1"):
            play.query(0, "begin")
            play.query(0, "create table own_back ()")
            play.query(0, "rollback")
            play.query(0, f"set search_path = {path}")
            play.run(0, "back")
    play.query(0, "reset search_path")
    play.query(0, "drop schema back1, back2 cascade")


def clean_up(play):
    for session in range(1, SESSIONS):
        play.renew(session)
    play.query(0, "drop table public.k, e")
    play.query(0, "drop schema s2 cascade")
    play.query(0, "drop role sessions_role")


def answers(port, database):
    play = Play(port, database)
    for part in (tables_change, changes_of_one, roles, paths, settings, unnamed, failed_blocks, writes, sessions_end, temporary, rolled_back, clean_up):
        part(play)
    play.close()
    return play.answers


def record(port):
    may_record(port)
    control = wire.Connection(port)
    control.query("drop database if exists sessions_play")
    control.query("create database sessions_play")
    lines = [f"{what} => {answer}" for what, answer in answers(port, "sessions_play")]
    control.query("drop database sessions_play")
    (HERE / "expected.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main():
    parser = suite.parser()
    parser.add_argument("--record", type=int, metavar="PORT")
    options = parser.parse_args()
    if options.record:
        record(options.record)
        return
    with Server(options.build) as server:
        compare(server, 60 if options.long else 6)
        status = server.stop()
        print("ok sessions/stops-cleanly" if status == 0 else f"not ok sessions/stops-cleanly: exit status {status}")
    held.run(options, Session)
    looked_at.run(options, Session)
    ended.run(options, Session)
    with_yields(options)


def with_yields(options):
    """What moves at random once more, where coroutines yield wherever they may (yields.c)."""
    server = Server(options.build)
    server.binary = str(options.build / "regress/sessions/sengi_yields")
    with server:
        move(server, 60 if options.long else 6)
        status = server.stop()
        print("ok sessions/yields-stop-cleanly" if status == 0 else f"not ok sessions/yields-stop-cleanly: exit status {status}: {server.log_tail()}")


def compare(server, seconds):
    """Every step's answer, and what moves at random."""
    wanted = (HERE / "expected.txt").read_text(encoding="utf-8").splitlines()
    try:
        got = [f"{what} => {answer}" for what, answer in answers(server.port, "postgres")]
    except (OSError, wire.WireError) as error:
        print(f"not ok sessions/connection: {error}: {server.log_tail()}")
        return
    for number, line in enumerate(wanted):
        name = f"sessions/{number + 1}"
        if number < len(got) and got[number] == line:
            print(f"ok {name}")
        else:
            print(f"not ok {name}: wanted {line}, got {got[number] if number < len(got) else None}")
    left.run(lambda database: Session(server.port, database=database))
    busy.run(lambda: Session(server.port, database="postgres"), seconds)
    move(server, seconds)


def move(server, seconds):
    """Sessions that change at random what others use."""
    def connect():
        return Session(server.port, database="postgres")

    moving.run(connect, int(time.time()), seconds)
    storm.run(connect, int(time.time()), 2 * seconds)
    loads.run(connect, int(time.time()), seconds)
    waits.run(connect, int(time.time()), seconds)


if __name__ == "__main__":
    main()
