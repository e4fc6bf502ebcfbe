"""A session looks at its worker's plans, waits for its search path's names, and meanwhile the schema moves and others use the plans.

The server is sengi_held (held.c), whose look-ups of a search path stop where the test says, and has one worker. Who looked must hear
what is true now: freed memory that is read ends the server, an old plan that is taken gives the old answer.
"""
import collections
import os
import tempfile

import held
import suite
from sengi_server import Server

SETUP = ["create table looked_t (id int primary key, v int)", "create role looked_role"]
RESET = [
    "drop table looked_t", "create table looked_t (id int primary key, v int)",
    "insert into looked_t select i, i * 10 from generate_series(1, 100) i",
]
STATEMENT = "select v from looked_t where id = 5"
MOVES = {
    "another role": ["alter role looked_role createdb", "alter role looked_role nocreatedb"],
    "another type": ["alter table looked_t alter v type text using 'new ' || v"],
}


class Scene:
    """Who looks, who moves the schema, and another who uses the plans of their worker."""

    def __init__(self, connect, hold):
        self.connect, self.hold = connect, hold
        self.mover, self.other = connect(), connect()
        self.stops, self.wrong = collections.Counter(), []
        for text in SETUP:
            self.mover.must(text)

    def use_plans(self, times):
        for _ in range(times):
            self.other.query(STATEMENT)

    def moved(self):
        lines = self.mover.until_ready()
        suite.check(not any(line.startswith("error") for line in lines), f"the schema is not moved: {lines}")

    def waits(self, session):
        pid = int.from_bytes(session.key[:4], "big")
        return self.other.rows(f"select wait_event_type from pg_stat_activity where pid = {pid}")[0] == "Lock"

    # Each gives a session and how it asks; what it finds is as its name says.

    def finds_a_plan(self):
        self.use_plans(3)
        session = self.connect()
        return session, lambda: session.send("Q", STATEMENT.encode() + b"\0")

    def makes_a_plan(self):
        self.use_plans(1)
        session = self.connect()
        return session, lambda: session.send("Q", STATEMENT.encode() + b"\0")

    def has_a_plan(self):
        """And its search path has another text."""
        session = self.connect()
        session.parse("p", STATEMENT)
        session.run("p")
        session.run("p")
        session.must("set search_path = public")
        return session, lambda: session.send_run("p")

    def has_old_plans(self):
        """Its own temporary tables have made them untrue."""
        session = self.connect()
        session.must("create temp table a (id int)")
        for _ in range(3):
            session.query(STATEMENT)
        session.must("create temp table b (id int)")
        return session, lambda: session.send("Q", STATEMENT.encode() + b"\0")

    def at(self, stop, prepare, move, is_used):
        """False: there is no such stop."""
        for text in RESET:
            self.mover.must(text)
        session, ask = prepare()
        self.hold.arm(stop)
        ask()
        suite.wait_for(lambda: self.hold.is_held() or held.has_answered(session), "who looks is neither held nor answered")
        was_held = self.hold.is_held()
        if not was_held:
            self.hold.release()
            session.until_ready()
            session.close()
            return False
        before = self.other.query(STATEMENT) if is_used else None
        for text in move:
            self.mover.send("Q", text.encode() + b"\0")
            suite.wait_for(lambda: held.has_answered(self.mover) or self.waits(self.mover), "who moves the schema neither answers nor waits")
            if has_moved := held.has_answered(self.mover):
                self.moved()
            else:
                break
        if is_used and has_moved:
            self.use_plans(3)
        self.hold.release()
        got = session.until_ready()
        if not has_moved:
            self.moved()
        else:
            ask()
            after = session.until_ready()
            if got != after:
                self.wrong.append(f"{prepare.__name__}, {move[0]}, stop {stop}: {got}, not {after}; before {before}")
        self.stops[prepare.__name__] += has_moved
        session.close()
        return True

    def close(self):
        for session in (self.mover, self.other):
            session.close()


def run(options, session_class):
    directory = tempfile.mkdtemp(prefix="sengi-looked-at-")
    hold = held.Hold(directory)
    server = Server(options.build, {"worker_threads": 1})
    server.binary = str(options.build / "regress/sessions/sengi_held")
    server.environment = {"SENGI_HOLD_PATH": str(hold.path)}
    with server:
        scene = Scene(lambda: session_class(server.port, database="postgres"), hold)
        ways = (scene.finds_a_plan, scene.makes_a_plan, scene.has_a_plan, scene.has_old_plans)
        for prepare in ways:
            for move in MOVES.values():
                for is_used in (False, True):
                    stop = 1
                    while scene.at(stop, prepare, move, is_used):
                        stop += 1
        scene.close()
    os.rmdir(directory)
    suite.check(len(+scene.stops) == len(ways), f"not everybody was held in a look-up: {scene.stops}")
    print("ok sessions/looked-at" if not scene.wrong else f"not ok sessions/looked-at: {len(scene.wrong)} answers are wrong; {scene.wrong[0]}")
