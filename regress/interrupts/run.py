#!/usr/bin/env python3
"""Whatever a session waits for or does, who interrupts it is heeded at once, and nothing of it stays behind.

usage: run.py --build DIR [--long] [--limit MS] [--show] [--only NAME,NAME] | --record PORT [--only NAME,NAME] | --port PORT

Each statement of the tables below is interrupted in each way that can meet it: a cancel request, pg_cancel_backend,
pg_terminate_backend, statement_timeout, lock_timeout where it waits for a lock, and a client that goes away. Before it, its
transaction has locked a row; afterwards another session must get that row, and pg_locks must know nothing of the
session. What the client is told must be what expected.txt has, which --record writes from a PostgreSQL 15.
Until the answer comes the server may use --limit of processor time, which a busy machine does not lengthen, and five times as much
by the clock; without load it comes within 100 ms, as `tools/dev bench cancel` shows. --long cancels at several moments.
"""
import os
import pathlib
import socket
import struct
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "tools"))
import suite
import wire
from oracle import may_record
from sengi_server import Server

DATABASE = "interrupts_play"
LIMIT_MS = 2000
CLOCK_FACTOR = 5
MOMENTS = [0.15, 0, 0.05, 0.5]  # seconds after a statement has begun to work; the first alone but in the long run
LONG = "generate_series(1, 100000000)"

SETUP = [
    "CREATE TABLE mark (id int PRIMARY KEY)",
    "INSERT INTO mark VALUES (1)",
    "CREATE TABLE t (id int PRIMARY KEY, v int, u int UNIQUE)",
    "INSERT INTO t SELECT i, i, i FROM generate_series(1, 10) i",
    "CREATE TABLE c (id int PRIMARY KEY, tid int REFERENCES t ON DELETE CASCADE)",
    "INSERT INTO c VALUES (1, 3)",
    "CREATE INDEX t_v ON t (v)",
    "CREATE SEQUENCE s",
    "CREATE VIEW w AS SELECT id FROM t",
    "CREATE TABLE big (id int, v int, x text)",
    "INSERT INTO big SELECT i, i % 1000, md5(i::text) FROM generate_series(1, 300000) i",
    "CREATE TABLE sink (id bigint, x text)",
    "CREATE TABLE wide (x text)",
    "INSERT INTO wide SELECT repeat('a', 700) || i % 50 FROM generate_series(1, 3000) i",
    "ANALYZE wide",
]

# name, what the holder does inside a transaction, what then waits for it
WAITS = [
    ("row update", "UPDATE t SET v = 0 WHERE id = 1", "UPDATE t SET v = 1 WHERE id = 1"),
    ("row delete", "SELECT id FROM t WHERE id = 1 FOR SHARE", "DELETE FROM t WHERE id = 1"),
    ("row for update", "UPDATE t SET v = 0 WHERE id = 1", "SELECT id FROM t WHERE id = 1 FOR UPDATE"),
    ("row for key share", "DELETE FROM t WHERE id = 1", "SELECT id FROM t WHERE id = 1 FOR KEY SHARE"),
    ("rows of a join", "UPDATE t SET v = 0 WHERE id = 3", "SELECT 1 FROM t JOIN c ON c.tid = t.id FOR UPDATE OF t"),
    ("upsert", "UPDATE t SET v = 0 WHERE id = 1", "INSERT INTO t VALUES (1, 1, 1) ON CONFLICT (id) DO UPDATE SET v = 5"),
    ("key inserted", "INSERT INTO t VALUES (100, 0, 100)", "INSERT INTO t VALUES (100, 1, 101)"),
    ("second key inserted", "INSERT INTO t VALUES (100, 0, 100)", "INSERT INTO t VALUES (101, 1, 100)"),
    ("key deleted", "DELETE FROM t WHERE id = 5", "INSERT INTO t VALUES (5, 1, 200)"),
    ("key moved", "UPDATE t SET id = 50 WHERE id = 6", "UPDATE t SET id = 50 WHERE id = 7"),
    ("upsert on a key inserted", "INSERT INTO t VALUES (100, 0, 100)", "INSERT INTO t VALUES (100, 1, 101) ON CONFLICT DO NOTHING"),
    ("parent's row", "DELETE FROM t WHERE id = 1", "INSERT INTO c VALUES (7, 1)"),
    ("child's row", "UPDATE c SET id = 2 WHERE id = 1", "DELETE FROM t WHERE id = 3"),
    ("parent with a new child", "INSERT INTO c VALUES (8, 2)", "DELETE FROM t WHERE id = 2"),
    ("copy in of a key", "INSERT INTO t VALUES (100, 0, 100)", "COPY t FROM STDIN"),
    ("table read", "LOCK TABLE t", "SELECT count(*) FROM t"),
    ("view read", "LOCK TABLE t", "SELECT count(*) FROM w"),
    ("table written", "LOCK TABLE t IN SHARE MODE", "INSERT INTO t VALUES (300, 1, 300)"),
    ("lock table", "SELECT count(*) FROM t", "LOCK TABLE t"),
    ("lock table in share mode", "UPDATE t SET v = 0 WHERE id = 1", "LOCK TABLE t IN SHARE MODE"),
    ("alter table", "SELECT count(*) FROM t", "ALTER TABLE t ADD COLUMN z int"),
    ("drop table", "SELECT count(*) FROM t", "DROP TABLE t CASCADE"),
    ("truncate", "SELECT count(*) FROM c", "TRUNCATE c"),
    ("create index", "UPDATE t SET v = 0 WHERE id = 1", "CREATE INDEX ON t (v)"),
    ("drop index", "SELECT count(*) FROM t WHERE u = 1", "DROP INDEX t_v"),
    ("add a foreign key", "UPDATE t SET v = 0 WHERE id = 1", "ALTER TABLE sink ADD FOREIGN KEY (id) REFERENCES t"),
    ("rename", "SELECT count(*) FROM t", "ALTER TABLE t RENAME TO tt"),
    ("reindex", "UPDATE t SET v = 0 WHERE id = 1", "REINDEX TABLE t"),
    ("advisory", "SELECT pg_advisory_xact_lock(1)", "SELECT pg_advisory_lock(1)"),
    ("advisory shared", "SELECT pg_advisory_xact_lock(1, 2)", "SELECT pg_advisory_xact_lock_shared(1, 2)"),
    ("sequence altered", "ALTER SEQUENCE s INCREMENT BY 2", "SELECT nextval('s')"),
    ("alter sequence", "ALTER SEQUENCE s INCREMENT BY 2", "ALTER SEQUENCE s INCREMENT BY 3"),
    ("catalog row", "CREATE TABLE made (id int)", "CREATE TABLE made (id int)"),
    ("comment", "COMMENT ON TABLE sink IS 'one'", "COMMENT ON TABLE sink IS 'two'"),
]

# name, statement that runs for very long
WORK = [
    ("sleep", "SELECT pg_sleep(100)"),
    ("series", f"SELECT count(*) FROM {LONG}"),
    ("sort", f"SELECT count(*) FROM (SELECT g FROM {LONG} g ORDER BY md5(g::text)) x"),
    ("sort of few values", f"SELECT count(*) FROM (SELECT g FROM {LONG} g ORDER BY g % 3, g % 7) x"),
    ("hash build", f"SELECT count(*) FROM {LONG} a JOIN {LONG} b ON a = b"),
    ("hash probe of one key", "SELECT count(*) FROM big a JOIN big b ON a.v = b.v JOIN big c ON b.v = c.v"),
    ("nested loops", "SELECT count(*) FROM big a JOIN big b ON a.id < b.v JOIN big c ON c.v <> b.id"),
    ("loops that find nothing", "SELECT count(*) FROM big a JOIN big b ON a.id + b.id = -1 AND a.v < b.v"),
    ("groups", f"SELECT count(*) FROM (SELECT md5(g::text) FROM {LONG} g GROUP BY 1) x"),
    ("distinct", f"SELECT count(DISTINCT md5(g::text)) FROM {LONG} g"),
    ("window", f"SELECT count(*) FROM (SELECT sum(g) OVER (ORDER BY g ROWS BETWEEN 100 PRECEDING AND CURRENT ROW) FROM {LONG} g) x"),
    ("window of one frame", "SELECT max(y) FROM (SELECT max(x) OVER (ORDER BY id ROWS BETWEEN 50000 PRECEDING AND 1 PRECEDING) y FROM big) z"),
    ("array", f"SELECT array_agg(md5(g::text)) FROM {LONG} g"),
    ("union", f"SELECT count(*) FROM (SELECT g FROM {LONG} g UNION SELECT g + 1 FROM {LONG} g) x"),
    ("recursion", "WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r"),
    ("subqueries", "SELECT count(*) FROM big a WHERE (SELECT count(*) FROM big b WHERE b.v = a.v + 1 AND b.id > a.id) = -1"),
    ("regular expression", f"SELECT count(*) FROM {LONG} g WHERE repeat('abc' || g, 50) ~ '(x|y)+z$'"),
    ("like", f"SELECT count(*) FROM {LONG} g WHERE repeat('ab' || g % 2, 2000) LIKE '%a%b%a%c'"),
    ("large numbers", "SELECT max(length((factorial(20000) * g)::text)) FROM generate_series(1, 10000) g"),
    ("numbers", f"SELECT sum(exp((g % 100)::numeric)) FROM {LONG} g"),
    ("insert", f"INSERT INTO sink SELECT g, 'x' FROM {LONG} g"),
    ("update", "UPDATE big SET x = (SELECT max(b.x) FROM big b WHERE b.id <> big.id)"),
    ("delete", "DELETE FROM big USING big b, big d WHERE big.id + b.id + d.id = -1"),
    ("create table as", f"CREATE TABLE made AS SELECT g, md5(g::text) FROM {LONG} g"),
    ("create index of a long expression", "CREATE INDEX ON big ((length(regexp_replace(repeat(x, 200), '[0-9]', 'z', 'g'))))"),
    ("check of a constraint", "ALTER TABLE big ADD CHECK (length(regexp_replace(repeat(x, 200), '[0-9]', 'z', 'g')) > 0)"),
    ("alter type", "ALTER TABLE big ALTER COLUMN x TYPE int USING length(regexp_replace(repeat(x, 200), '[0-9]', 'z', 'g'))"),
    ("copy out", f"COPY (SELECT md5(g::text) FROM {LONG} g WHERE g < 0) TO STDOUT"),
    ("grouping sets", f"SELECT count(*) FROM (SELECT g % 100000, g % 7, count(*) FROM {LONG} g GROUP BY CUBE (1, 2)) x"),
    ("intersect", f"SELECT count(*) FROM (SELECT g FROM {LONG} g INTERSECT SELECT g + 1 FROM {LONG} g) x"),
    ("percentile", f"SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY md5(g::text)) FROM {LONG} g"),
    ("json", f"SELECT jsonb_agg(g) FROM {LONG} g"),
    ("text", f"SELECT string_agg('', md5(g::text)) FROM {LONG} g"),
    ("recursion of distinct rows", f"WITH RECURSIVE r (n) AS (SELECT g FROM generate_series(1, 1000000) g UNION SELECT n + 1000000 FROM r) SELECT max(n) FROM r"),
    ("not in", "SELECT count(*) FROM big a, big b WHERE a.v NOT IN (SELECT g FROM generate_series(2000, 10000) g) AND b.x < a.x"),
    ("one regular expression", "SELECT count(*) FROM regexp_matches(repeat('ab', 30000000), '(a)(b)', 'g')"),
    ("upsert of nothing", f"INSERT INTO t SELECT g % 10 + 1, g, NULL FROM {LONG} g ON CONFLICT DO NOTHING"),
    ("rows for update", "SELECT count(*) FROM (SELECT b.id FROM big b JOIN big c ON b.v = c.v FOR UPDATE OF b) x"),
    # The planner asks the operator about each of the fifty common values, which takes for ever; an estimate's error is no error.
    ("plan", r"EXPLAIN SELECT 1 FROM wide WHERE x ~ '^(a+)(a+)\1\2[0-9]?$'"),
    ("explain analyze", f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT count(*) FROM {LONG} a"),
]


# name, statement, whose client then does nothing for a while. Of COPY FROM STDIN the data ends afterwards.
TALK = [
    ("rows that nobody reads", f"SELECT repeat('x', 8000) FROM {LONG}"),
    ("copy out that nobody reads", f"COPY (SELECT repeat('x', 8000) FROM {LONG}) TO STDOUT"),
    ("copy in of nothing", "COPY sink FROM STDIN"),
    ("idle in a transaction", "SELECT 1"),
    ("idle in a failed transaction", "SELECT 1 / 0"),
]
IDLE = "idle in a "


def error_text(fields):
    """Without the position: where the wait is for a table that the statement names, PostgreSQL points at the name, being in the
    middle of its analysis. And without the context, which the specifications of isolation tell."""
    return "error " + wire.fields_text(fields, wire.Connection.fields.replace("W", "").replace("P", ""))


class Session(wire.Connection):
    """Knows its key for cancel requests, and sends without waiting for the answer."""

    def __init__(self, port):
        super().__init__(port, database=DATABASE, timeout=60)
        self.process = struct.unpack("!i", self.key[:4])[0]

    def send(self, text):
        super().send(text)
        if text == "COPY t FROM STDIN":
            assert self.message()[0] == "G"
            data = b"100\t1\t101\n"
            self.socket.sendall(b"d" + struct.pack("!i", len(data) + 4) + data + b"c\0\0\0\4")

    def ask(self, text):
        """The one value that the query gives."""
        for line in self.query(text):
            if line.startswith("row "):
                return line[4:]
        return None


class Ways:
    """How a statement is interrupted; each returns when what it asks for has been said."""

    def __init__(self, control):
        self.control = control

    def request(self, victim):
        victim.cancel()

    def cancel(self, victim):
        self.control.must(f"SELECT pg_cancel_backend({victim.process})")

    def terminate(self, victim):
        self.control.must(f"SELECT pg_terminate_backend({victim.process})")

    def vanish(self, victim):
        victim.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        victim.socket.close()


TIMEOUTS = {
    "statement timeout": "statement_timeout",
    "lock timeout": "lock_timeout",
    "idle timeout": "idle_in_transaction_session_timeout",
}
TIMEOUT_MS = 150


class Play:
    """Runs the tables against one server."""

    def __init__(self, port, options):
        self.port = port
        self.options = options
        self.control = Session(port)
        self.ways = Ways(self.control)
        self.answers = []  # name, what was said
        self.faults = []  # name, what was wrong
        self.slowest = (0, "")
        self.server = None  # whose processor time is known

    def until(self, what, condition):
        deadline = time.monotonic() + 60
        while not condition():
            if time.monotonic() > deadline:
                raise wire.WireError(f"{what} did not come")
            time.sleep(0.002)

    def works(self, victim):
        return self.control.ask(f"SELECT state = 'active' FROM pg_stat_activity WHERE pid = {victim.process}") == "t"

    def waits(self, victim):
        return self.control.ask(f"SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = {victim.process}") == "t"

    def prepare(self, way):
        victim = Session(self.port)
        victim.must("BEGIN")
        victim.must("SELECT id FROM mark FOR UPDATE")
        if way in TIMEOUTS:
            victim.must(f"SET {TIMEOUTS[way]} = {TIMEOUT_MS}")
        return victim

    def end_of(self, victim, way, text):
        """What the client is told, and the rest of its session."""
        lines = []
        try:
            if text.startswith("COPY sink"):
                assert victim.message()[0] == "G"
                time.sleep(2 * TIMEOUT_MS / 1000)
                for part in (b"d\0\0\0\x081\tx\n", b"c\0\0\0\4"):
                    victim.socket.sendall(part)
                    time.sleep(0.1)
            while (message := victim.message())[0] != "Z":
                if message[0] in "EC":
                    lines.append(error_text(message[1]) if message[0] == "E" else "tag " + message[1][:-1].decode())
        except (wire.WireError, ConnectionError):
            is_blocked = "repeat('x'" in text  # by what the client doesn't read: whether more can be said is chance
            return [*([] if is_blocked else lines), "closed"]
        if way == "terminate":
            return lines + ["went on"]
        lines += [line for line in victim.query("ROLLBACK") if not line.startswith("notice")]
        return lines

    def nothing_left(self, victim, checker):
        """Its row is free for others, and no lock is its own."""
        began = time.monotonic()
        checker.must("BEGIN; SELECT id FROM mark FOR UPDATE; ROLLBACK")
        self.until("the end of its locks", lambda: self.control.ask(f"SELECT count(*) FROM pg_locks WHERE pid = {victim.process}") == "0")
        return time.monotonic() - began

    def used(self):
        """Seconds of the processor that the server has had."""
        if not self.server:
            return 0
        fields = pathlib.Path(f"/proc/{self.server.process.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def interrupt(self, name, way, text, waiting, moment=MOMENTS[0]):
        full_name = f"{name}, {way}"
        victim = self.prepare(way)
        checker = Session(self.port)
        checker.must("SET lock_timeout = '10s'")
        victim.send(text)
        if name.startswith(IDLE):
            while victim.message()[0] != "Z":
                pass
        began = time.monotonic()
        if way in TIMEOUTS:
            began += TIMEOUT_MS / 1000
        elif waiting:
            self.until(f"{full_name}: a wait", lambda: self.waits(victim))
        elif not name.startswith(IDLE):
            self.until(f"{full_name}: work", lambda: self.works(victim))
            time.sleep(moment)
        used = self.used()
        if way not in TIMEOUTS:
            began = time.monotonic()
            getattr(self.ways, way)(victim)
        lines = ["gone"] if way == "vanish" else self.end_of(victim, way, text)
        took = time.monotonic() - began
        took = max(took, self.nothing_left(victim, checker)) if way == "vanish" else took
        if way != "vanish":
            self.nothing_left(victim, checker)
        victim.close()
        checker.close()
        self.answers.append((full_name, " / ".join(lines)))
        self.slowest = max(self.slowest, (took, full_name))
        if self.options.show:
            print(f"{took * 1000:8.1f} ms  {full_name}: {lines}", flush=True)
        used = (0 if way in TIMEOUTS else self.used() - used) * 1000
        if used > self.options.limit or took * 1000 > CLOCK_FACTOR * self.options.limit:
            self.faults.append((full_name, f"took {took * 1000:.0f} ms, of them {used:.0f} ms of the processor"))

    def one(self, name, way, text, holding=None):
        try:
            if holding is None:
                for moment in MOMENTS if self.options.long and way == "request" else MOMENTS[:1]:
                    self.interrupt(name, way, text, False, moment)
                return
            holder = Session(self.port)
            holder.must("BEGIN")
            holder.must(holding)
            self.interrupt(name, way, text, True)
            holder.must("ROLLBACK")
            holder.close()
        except (wire.Refused, wire.WireError, OSError) as error:
            self.faults.append((f"{name}, {way}", str(error)))

    def chosen(self, table):
        return [row for row in table if not self.options.only or row[0] in self.options.only.split(",")]

    def ways_for(self, number, ways):
        """All of them when there is time, else one after the other in turn."""
        return ways if self.options.long or self.options.only else [ways[number % len(ways)]]

    def run(self, with_vanishing):
        ways = ["request", "terminate", "statement timeout", "cancel"] + ["vanish"] * with_vanishing
        for number, (name, holding, text) in enumerate(self.chosen(WAITS)):
            for way in self.ways_for(number, ways + ["lock timeout"]):
                self.one(name, way, text, holding)
        for number, (name, text) in enumerate(self.chosen(WORK)):
            for way in self.ways_for(number, ways):
                self.one(name, way, text)
        for name, text in self.chosen(TALK):
            for way in (["terminate", "idle timeout"] if name.startswith(IDLE) else ways[:3]) + ["vanish"] * with_vanishing:
                self.one(name, way, text)


def play(port, options, with_vanishing, server=None):
    control = wire.Connection(port, timeout=120)
    control.query(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    control.query(f"CREATE DATABASE {DATABASE}")
    first = Session(port)
    for text in SETUP:
        first.must(text)
    first.close()
    one = Play(port, options)
    one.server = server
    one.run(with_vanishing)
    one.control.close()
    control.query(f"DROP DATABASE {DATABASE} WITH (FORCE)")
    control.close()
    return one


def recorded():
    return dict(line.split(" => ", 1) for line in (HERE / "expected.txt").read_text(encoding="utf-8").splitlines())


def record(options):
    """All anew, or what --only names beside what is there."""
    may_record(options.record)
    options.limit, options.long = 60000, True
    known = recorded() if options.only else {}
    one = play(options.record, options, False)
    if one.faults:
        raise SystemExit(f"not recorded: {one.faults}")
    text = "".join(f"{name} => {lines}\n" for name, lines in {**known, **dict(one.answers)}.items())
    (HERE / "expected.txt").write_text(text, encoding="utf-8")


def compare(port, options, server=None):
    wanted = recorded()
    one = play(port, options, True, server)
    faults = dict(one.faults)
    for name, lines in one.answers:
        if name not in faults and lines != wanted.get(name, "gone"):
            faults[name] = f"wanted {wanted.get(name)}, got {lines}"
        if name not in faults:
            print(f"ok {name}")
    for name, what in faults.items():
        print(f"not ok {name}: {what}")
    print(f"# slowest answer: {one.slowest[0] * 1000:.0f} ms, {one.slowest[1]}")


def main():
    parser = suite.parser()
    parser.add_argument("--record", type=int, metavar="PORT")
    parser.add_argument("--port", type=int, help="of a server that runs")
    parser.add_argument("--limit", type=int, default=LIMIT_MS, metavar="MS")
    parser.add_argument("--only", help="statements, with commas between")
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    if options.record:
        record(options)
    elif options.port:
        compare(options.port, options)
    else:
        with Server(options.build) as server:
            compare(server.port, options, server)
            status = server.stop()
            print("ok stops-cleanly" if status == 0 else f"not ok stops-cleanly: status {status}: {server.log_tail()}")


if __name__ == "__main__":
    main()
