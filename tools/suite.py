"""What suites of regress share: arguments, tests that are functions, answers beside recorded ones, servers under observation."""
import argparse
import contextlib
import json
import pathlib
import time

import oracle
import wire
from sengi_server import Server

TOP = pathlib.Path(__file__).resolve().parent.parent


def parser():
    """The arguments that every suite takes; more may be added."""
    made = argparse.ArgumentParser()
    made.add_argument("--build", type=lambda text: pathlib.Path(text).resolve(), help="the build directory under test")
    made.add_argument("--long", action="store_true")
    made.add_argument("--quick", action="store_true")
    return made


def is_sanitized(options):
    """Is the build slowed down by sanitizers?"""
    chosen = json.loads((options.build / "meson-info/intro-buildoptions.json").read_text(encoding="utf-8"))
    return any(option["name"] == "b_sanitize" and option["value"] not in ("none", []) for option in chosen)


# ---------------------------------------------------------------------- tests that are functions


class Failure(Exception):
    """A promise that does not hold."""


class Skip(Exception):
    """This machine cannot do it."""


def check(condition, why):
    """Fails the test unless the condition holds."""
    if not condition:
        raise Failure(why)


def wait_for(probe, why, seconds=60):
    """Until it is so; `why` may be a function, asked in the end. What the probe gave."""
    deadline = time.monotonic() + seconds
    while not (found := probe()):
        check(time.monotonic() < deadline, why() if callable(why) else why)
        time.sleep(0.02)
    return found


def run(tests, last_words=lambda: ""):
    """Gives the options to each that --only names, prints a line for each, and goes on after one that fails."""
    arguments = parser()
    arguments.add_argument("--only", default="", help="tests with this in their names")
    options = arguments.parse_args()
    for function in tests:
        if options.only not in function.__name__:
            continue
        start = time.monotonic()
        try:
            function(options)
            print(f"ok {function.__name__} ({time.monotonic() - start:.1f} s)", flush=True)
        except Skip as skip:
            print(f"skip {function.__name__}: {skip}", flush=True)
        except Exception as error:  # a suite goes on with its next test
            what = f"{type(error).__name__}: {error} {last_words()}"
            print(f"not ok {function.__name__}: {' '.join(what.split())[:2500]}", flush=True)


# ---------------------------------------------------------------------- recorded answers


class Judge:
    """Tells which answers agree with what was recorded; the suite's pending.txt names those known not to, one a line.

    --show WHAT prints differences, --update-pending writes the list anew; neither gives results.
    """

    def __init__(self, name, folder, options):
        self.name, self.path, self.options = name, folder / "pending.txt", options
        self.pending = set(self.path.read_text(encoding="utf-8").splitlines())
        self.differing = []

    def judge(self, test, agrees, why, difference):
        """One answer; `why` and `difference` are functions that give the text for its line and for --show."""
        if not agrees:
            self.differing.append(test)
        if self.options.show and not agrees:
            print(difference())
        if self.options.show or self.options.update_pending:
            return
        shown = f"{self.name}/{test.replace(':', ';')}"
        if agrees and test in self.pending:
            print(f"{test} agrees now; take it off {self.path.relative_to(TOP)}")
        if agrees:
            print(f"ok {shown}")
        elif test in self.pending:
            print(f"skip {shown}: pending")
        else:
            print(f"not ok {shown}: {why()}")

    def end(self, server):
        """The server must end in order; the list is written if that was asked for."""
        status = server.stop()
        if self.options.update_pending:
            self.path.write_text("".join(test + "\n" for test in self.differing), encoding="utf-8")
            print(f"{len(self.differing)} pending")
        elif not self.options.show:
            print(f"ok {self.name}/stops-cleanly" if status == 0 else f"not ok {self.name}/stops-cleanly: status {status}\n{server.log_tail()}")


# ---------------------------------------------------------------------- servers


def pgbench(port, *arguments):
    """The command."""
    return [str(oracle.BINARIES / "pgbench"), "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", *map(str, arguments), "postgres"]


def answer(connection, sql):
    """The rows of a query, or else all that was said, as one text."""
    lines = connection.query(sql)
    rows = [line[4:] for line in lines if line.startswith("row ")]
    return "\n".join(rows) if rows else "; ".join(lines)


class Observed:
    """A server, a session on it, and what it logs."""

    def __init__(self, options, **settings):
        self.server = Server(options.build, settings=settings)
        self.connection = None

    def __enter__(self):
        try:
            self.server.start()
            self.connection = wire.Connection(self.server.port)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.connection:
            self.connection.close()
        self.server.stop()
        self.server.remove()

    def log(self):
        """All of the log so far: a line is in the file before who caused it is answered."""
        return (self.server.directory / "log").read_text(encoding="utf-8", errors="replace")

    def said(self, *statements, connection=None):
        """What the log has of these statements."""
        before = len(self.log())
        for statement in statements:
            (connection or self.connection).query(statement)
        return self.log()[before:]

    def load(self, text=None, hba=None):
        """Writes sengi.conf or hba.conf anew and has them read; the lines that the log gains."""
        before = len(self.log())
        if text is not None:
            (self.server.data / "sengi.conf").write_text(text, encoding="utf-8")
        if hba is not None:
            self.server.write_hba(hba)
        self.server.reload(self.connection)
        return self.log()[before:]

    def show(self, name):
        """A setting, as this session has it."""
        return answer(self.connection, f"SHOW {name}")


def is_beside_due(options, is_asked, name):
    """A comparison with PostgreSQL takes long and needs one: it runs with --long, or when its own arguments ask for it."""
    if not options.long and not is_asked and not options.ports:
        print(f"skip {name}: runs with --long")
        return False
    if not options.ports and not oracle.is_installed():
        print(f"skip {name}: no PostgreSQL 15 to compare with")
        return False
    return True


@contextlib.contextmanager
def beside(options):
    """The ports of a Sengi and of a PostgreSQL 15: those of --ports, or of two that end with the block."""
    if options.ports:
        yield tuple(map(int, options.ports.split(",")))
        return
    with Server(options.build) as server, oracle.Oracle() as port:
        yield server.port, port
