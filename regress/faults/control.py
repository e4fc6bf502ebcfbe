"""Servers whose calls to the system fail on command, and the load that they must keep whole."""
import errno
import mmap
import pathlib
import struct
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "tools"))
import wire
from sengi_server import Server
from suite import Failure, check
from wire import Refused

KINDS = ("read", "write", "sync", "allocate", "open", "memory")  # the order of shim.c
FAULT = struct.Struct("QQQQQ")  # calls, from, until, failures, error
FOREVER = 1 << 63
STILL = 0  # the calls return when heal() has been called
FULL, BROKEN, READ_ONLY, NO_MEMORY = errno.ENOSPC, errno.EIO, errno.EROFS, errno.ENOMEM


class FaultyServer(Server):
    """sengi_faults over a fresh directory, or over one below `place`."""

    last_words = ""  # of the one that ended last

    def __init__(self, build, settings=None, place=None):
        super().__init__(build, settings)
        if place:
            self.remove_data()
            self.data = pathlib.Path(place) / "data"
            subprocess.run([self.binary, "init", str(self.data)], check=True, stdout=subprocess.DEVNULL)
        self.sound_binary = self.binary
        self.binary = str(pathlib.Path(build) / "regress/faults/sengi_faults")
        path = self.directory / "faults"
        path.write_bytes(b"\0" * FAULT.size * len(KINDS))
        self.environment = {"SENGI_FAULTS": str(path)}
        with open(path, "r+b") as file:
            self.control = mmap.mmap(file.fileno(), FAULT.size * len(KINDS))

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *error):
        self.end()

    def remove_data(self):
        """The directory that Server made."""
        subprocess.run(["rm", "-rf", str(self.data)], check=True)

    def calls(self, kind):
        """How often a kind of call has been made."""
        return FAULT.unpack_from(self.control, KINDS.index(kind) * FAULT.size)[0]

    def failures(self, kind):
        """How often it has failed since fail()."""
        return FAULT.unpack_from(self.control, KINDS.index(kind) * FAULT.size)[3]

    def fail(self, kind, error, after=0, count=FOREVER):
        """`count` calls fail, once `after` more have been made."""
        place = KINDS.index(kind) * FAULT.size
        start = self.calls(kind) + after
        struct.pack_into("QQQQ", self.control, place + 8, start, min(start + count, FOREVER), 0, error)

    def heal(self):
        """Nothing fails any more."""
        for place in range(len(KINDS)):
            struct.pack_into("QQ", self.control, place * FAULT.size + 8, 0, 0)

    def wait(self, seconds=120):
        """The exit status of a server that is to end by itself."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired as late:
            raise Failure("the server goes on") from late

    def connect(self):
        """A session."""
        return wire.Connection(self.port, timeout=60)

    def verify(self):
        """What sengi verify says of the directory of a server that has ended must be good."""
        result = subprocess.run([self.sound_binary, "verify", str(self.data)], capture_output=True, text=True, check=False)
        check(result.returncode == 0, f"verify: {result.stdout[-500:]}{result.stderr[-500:]}")

    def stop_cleanly(self):
        """It must end in order."""
        check(self.stop() == 0, "the server did not end cleanly")

    def stop_and_verify(self):
        """It must end in order and leave a good directory."""
        self.stop_cleanly()
        self.verify()

    def end(self):
        """Stopped and gone, whatever state it is in."""
        FaultyServer.last_words = self.log_tail(6)
        if self.is_up():
            self.process.kill()
            self.process.wait()
        self.remove_data()
        self.remove()


class Journal:
    """Numbered transactions of every kind, and what must be there of them."""

    SCHEMA = ("CREATE TABLE journal (n int PRIMARY KEY, size int NOT NULL)",
              "CREATE TABLE body (n int, part int, content text, PRIMARY KEY (n, part))", "CREATE INDEX body_part ON body (part, n)")

    def __init__(self, server):
        self.server = server
        self.next = 1
        self.acknowledged, self.doubtful = set(), set()
        self.refusals = []
        self.connection = None

    def prepare(self):
        """The tables."""
        self.connection = self.server.connect()
        for statement in self.SCHEMA:
            self.connection.must(statement)

    def write(self, n):
        """One transaction; what it writes follows from its number."""
        connection, kind = self.connection, n % 7
        if kind == 5:
            connection.must(f"CREATE TABLE extra_{n} AS SELECT g, repeat('e', 100) AS filler FROM generate_series(1, 500) g")
        connection.must("BEGIN")
        if kind == 3:
            connection.must(f"SAVEPOINT s; INSERT INTO body SELECT {n}, g, 'undone' FROM generate_series(1, 50) g; ROLLBACK TO s")
        size = 400 if kind == 6 else 8
        content = f"repeat(md5((g + {n})::text), {600 if kind == 4 else 6})"
        connection.must(f"INSERT INTO body SELECT {n}, g, {content} FROM generate_series(1, {size}) g")
        connection.must(f"INSERT INTO journal VALUES ({n}, {size})")
        if kind == 2:
            connection.must(f"UPDATE body SET content = content || 'x' WHERE n = {n}")

    def step(self):
        """Writes the next one. False: the server is gone."""
        n, self.next = self.next, self.next + 1
        try:
            if self.connection is None:
                self.connection = self.server.connect()
            self.write(n)
            self.doubtful.add(n)
            answer = self.connection.must("COMMIT")
            if "tag COMMIT" not in answer:
                raise Refused(f"error {answer} | C-----")
            self.acknowledged.add(n)
        except Refused as refusal:
            self.refusals.append(refusal)
            self.doubtful.discard(n)
            self.undo()
        except (OSError, wire.WireError) as error:
            self.connection = None
            if not self.server.is_up():
                return False
            self.refusals.append(error)
        self.doubtful -= self.acknowledged
        return True

    def leave(self):
        """Its session ends, and the server has had time to see that."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None
            time.sleep(0.5)

    def undo(self):
        """The transaction is over; a refused COMMIT has ended it as well."""
        if self.connection is None:
            return
        try:
            self.connection.query("ROLLBACK")
        except (OSError, wire.WireError):
            self.connection = None

    def sqlstates(self):
        """Of the refusals."""
        return {refusal.sqlstate if isinstance(refusal, Refused) else str(refusal) for refusal in self.refusals}

    def check(self, connection):
        """Acknowledged is there, nothing is there by halves, each index agrees with its table."""
        there = {int(row.split(" | ")[0]): int(row.split(" | ")[1]) for row in connection.rows("SELECT n, size FROM journal WHERE n + 0 > 0")}
        missing = self.acknowledged - set(there)
        check(not missing, f"acknowledged and missing: {sorted(missing)[:5]}")
        check(not set(there) - self.acknowledged - self.doubtful, f"not acknowledged and there: {sorted(set(there) - self.acknowledged - self.doubtful)[:5]}")
        for condition in ("n + 0 > 0", "n > 0", "part > 0"):
            counts = {int(row.split(" | ")[0]): int(row.split(" | ")[1]) for row in connection.rows(f"SELECT n, count(*) FROM body WHERE {condition} GROUP BY n")}
            check(counts == there, f"bodies by {condition} differ from the journal")
        self.acknowledged |= self.doubtful & set(there)
        self.doubtful.clear()
        wrong = connection.rows("SELECT count(*) FROM body WHERE left(content, 32) <> md5((part + n)::text)")
        check(wrong == ["0"], f"{wrong} contents are wrong")

    def recovered(self):
        """Starts the server if it has ended, and checks; then it must take writes again."""
        self.server.heal()
        try:
            self.connection = self.server.connect()
            self.check(self.connection)
        except (OSError, wire.WireError):
            self.server.wait()  # it is on its way out, and may still have let us in
            self.server.start()
            self.connection = self.server.connect()
            self.check(self.connection)
        before = len(self.acknowledged)
        check(self.step() and len(self.acknowledged) == before + 1, f"writes are still refused: {self.refusals[-1:]}")
