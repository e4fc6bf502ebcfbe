"""Runs regress/isolation/*.spec: several sessions, one step after the other, some of them waiting.

A spec has a `setup` part and scenarios. Lines of a part belong together until the next heading:

    == setup                    statements, one a line, run by one session before each scenario
    == lost update              a scenario; its steps follow
    a: BEGIN                    session a sends this and is waited for until it has answered or blocks
    b!: UPDATE t SET n = 1      … until it has answered, even if it blocks first (deadlocks, timeouts)
    # a comment

A session that blocks (pg_blocking_pids says so) is named `a waits`; what it answers in the end stands
under the step that let it go. A `;` inside of a step separates statements that are sent one by one.
"""
import re
import select
import time

import wire

PATIENCE = 30.0


class Session:
    """A connection of its own that may be busy."""

    def __init__(self, name, port, database):
        self.name = name
        self.connection = wire.Connection(port, database=database, timeout=PATIENCE)
        self.pid = self.connection.query("SELECT pg_backend_pid()")[1].split()[1]
        self.is_busy = False

    def send(self, text):
        """Sends a query without waiting for its answer."""
        body = text.encode() + b"\0"
        self.connection.socket.sendall(b"Q" + (len(body) + 4).to_bytes(4, "big") + body)
        self.is_busy = True

    def has_answered(self, seconds):
        """Has something come within this time? The rest then follows at once."""
        return bool(self.connection.received or select.select([self.connection.socket], [], [], seconds)[0])

    def take(self):
        """The answer."""
        self.is_busy = False
        return self.connection.answer()


class Scenario:
    """One run of a list of steps."""

    def __init__(self, port, admin, database="postgres"):
        self.port, self.admin, self.database = port, admin, database
        self.sessions, self.lines = {}, []

    def session(self, name):
        if name not in self.sessions:
            self.sessions[name] = Session(name, self.port, self.database)
        return self.sessions[name]

    def is_blocked(self, session):
        answer = self.admin.query(f"SELECT cardinality(pg_blocking_pids({session.pid})) > 0")
        if answer[1] not in ("row t", "row f"):
            raise SystemExit(f"pg_blocking_pids: {answer}")
        return answer[1] == "row t"

    def settle(self, session, insists):
        """Waits until the session has answered (True) or is blocked."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if session.has_answered(0.004):
                return True
            if not insists and self.is_blocked(session) and not session.has_answered(0):
                return False
        raise wire.WireError(f"session {session.name} neither answers nor waits for a lock")

    def note(self, session, answer):
        for line in answer:
            for other in self.sessions.values():
                line = re.sub(rf"[Pp]rocess {other.pid}\b", f"process {other.name}", line)
            line = re.sub(r"transaction \d+", "transaction N", line)
            line = re.sub(r"tuple \(\d+,\d+\)", "tuple N", line)
            line = re.sub(r"relation \d+ of database \d+", "relation N of database N", line)
            line = re.sub(r"advisory lock \[\d+,", "advisory lock [N,", line)
            self.lines.append(f"  {session.name} {line}")

    def step(self, name, insists, text):
        session = self.session(name)
        if session.is_busy:
            raise wire.WireError(f"session {name} is given a step while it waits")
        session.send(text)
        if self.settle(session, insists):
            self.note(session, session.take())
        else:
            self.lines.append(f"  {name} waits")
        self.let_go()

    def let_go(self):
        """Sessions that waited and do so no longer give their answers, which may let go of others."""
        moved = True
        while moved:
            moved = False
            for name in sorted(self.sessions):
                other = self.sessions[name]
                if other.is_busy and self.settle(other, False):
                    self.note(other, other.take())
                    moved = True

    def close(self):
        for session in self.sessions.values():
            session.connection.close()


def read_spec(path):
    """(setup statements, {scenario: [(session, insists, text)]})"""
    setup, scenarios, steps = [], {}, None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("== "):
            steps = None if line[3:] == "setup" else scenarios.setdefault(line[3:], [])
        elif steps is None:
            setup.append(line)
        else:
            match = re.match(r"(\w+)(!?): (.*)$", line)
            if not match:
                raise SystemExit(f"{path.name}:{number}: not a step")
            steps += [(match[1], bool(match[2]), part.strip()) for part in match[3].split(";")]
    return setup, scenarios


def run_scenario(port, admin, setup, steps):
    """The lines that the scenario prints."""
    for statement in ["DROP SCHEMA IF EXISTS public CASCADE", "CREATE SCHEMA public", *setup]:
        for line in admin.query(statement):
            if line.startswith("error"):
                return [f"setup: {statement}: {line}"]
    scenario = Scenario(port, admin)
    try:
        for name, insists, text in steps:
            scenario.lines.append(f"{name}: {text}")
            scenario.step(name, insists, text)
    except (OSError, wire.WireError) as error:
        scenario.lines.append(f"  lost: {error}")
    finally:
        scenario.close()
    return scenario.lines


def run_spec(port, path):
    """Each scenario's name and lines."""
    setup, scenarios = read_spec(path)
    admin = wire.Connection(port)
    admin.query("SET client_min_messages = error")
    for name, steps in scenarios.items():
        yield name, run_scenario(port, admin, setup, steps)
    admin.close()


def read_expected(path):
    """{scenario: lines}"""
    scenarios, lines = {}, None
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            lines = scenarios.setdefault(line[3:], [])
        else:
            lines.append(line)
    return scenarios


def record(port, folder, names):
    """Writes folder/expected from the server at that port."""
    (folder / "expected").mkdir(exist_ok=True)
    for path in sorted(folder.glob("*.spec")):
        if names and path.stem not in names:
            continue
        with open(folder / "expected" / f"{path.stem}.txt", "w", encoding="utf-8") as out:
            for name, lines in run_spec(port, path):
                out.write(f"== {name}\n" + "".join(line + "\n" for line in lines))
