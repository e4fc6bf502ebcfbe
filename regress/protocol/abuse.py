"""Clients that break the protocol, by accident or on purpose. After each the server answers another, and memory stays bounded."""
import os
import pathlib
import random
import resource
import socket
import struct
import time

from conversation import B, C, COPY_DONE, D, E, H, P, Q, S, Talk, data, message, session_options, startup, text

SEED = 20260101
LOGGED_IN = b"Z\0\0\0\5I"
KEPT_FOR_FILES = 32  # descriptors: the last ones are not for clients


class Abuse:
    """Abuses one server, which must not mind."""

    def __init__(self, server, rounds):
        self.server = server
        self.rounds = rounds
        self.random = random.Random(SEED)

    def raw(self, timeout=10):
        """A connection that has said nothing."""
        return socket.create_connection(("127.0.0.1", self.server.port), timeout=timeout)

    def drain(self, raw, seconds=5, last=None):
        """Whatever comes until the server closes, falls silent, or has said what is awaited."""
        raw.settimeout(seconds)
        received = b""
        try:
            while len(received) < 1 << 20:
                chunk = raw.recv(65536)
                if not chunk:
                    break
                received += chunk
                if last and received.endswith(last):
                    break
        except (TimeoutError, ConnectionError):
            pass
        raw.close()
        return received

    def answers(self):
        """Does the server serve?"""
        talk = Talk(self.server.port)
        talk.send(Q("SELECT 41 + 1"))
        lines = talk.until_ready()
        talk.close()
        if lines[1:3] != ["row 42", "tag SELECT 1"]:
            raise AssertionError(f"wanted an answer, got {lines}")

    def noise(self, size):
        """Random bytes."""
        return bytes(self.random.randrange(256) for _ in range(size))

    # -- Before the login ---------------------------------------------------------------------

    def random_bytes_instead_of_a_startup_end_the_connection(self):
        for _ in range(self.rounds):
            raw = self.raw()
            raw.sendall(self.noise(self.random.randrange(1, 200)))
            raw.shutdown(socket.SHUT_WR)
            self.drain(raw)

    def startup_lengths_are_bounded(self):
        for length in (0, 1, 3, 4, 7, 10001, 0x7fffffff, 0x80000000, 0xffffffff):
            raw = self.raw()
            raw.sendall(struct.pack("!I", length) + b"\0\3\0\0" + b"x" * 100)
            received = self.drain(raw)
            if received and not received.startswith(b"E"):
                raise AssertionError(f"length {length}: {received[:60]!r}")

    def startup_packets_may_be_wrong(self):
        packets = [
            startup([], 196608), startup([("user", "")], 196608), startup([("user", "postgres")], 0x00020000), startup([("user", "postgres")], 0x00040000),
            startup(session_options())[:-1] + b"x", struct.pack("!iI", 8, 196608), struct.pack("!iI", 9, 196608) + b"\0", startup([("user", "x" * 5000)]),
            startup([("user", "postgres"), ("database", "d" * 5000)]), startup([("user", "postgres"), ("options", "-c")]), startup([("user", "postgres"), ("options", "-c x")]),
            startup([("user", "postgres"), ("options", "nonsense")]), startup([("user", "postgres"), ("no_such_setting", "1")]), startup([("user", "postgres"), ("replication", "true")]),
            startup([("user", "post\xffgres")]), startup([("user", "postgres"), ("work_mem", "minus")]), startup([("user", "postgres"), ("client_encoding", "nothing")]),
            struct.pack("!iI", 8, 80877103) * 3, struct.pack("!iI", 8, 80877104) * 3, struct.pack("!iIi", 12, 80877102, 5), struct.pack("!iIii", 16, 80877102, 1, 2),
            struct.pack("!iI", 8, 80877103) + startup(session_options()),
        ]
        for packet in packets:
            raw = self.raw()
            raw.sendall(packet)
            raw.shutdown(socket.SHUT_WR)
            self.drain(raw)

    def startup_packets_may_come_byte_by_byte(self):
        raw = self.raw()
        for byte in startup(session_options()):
            raw.sendall(bytes([byte]))
        talk = Talk.__new__(Talk)
        talk.socket, talk.received = raw, b""
        if talk.until_ready()[-1] != "ready I":
            raise AssertionError("no login")
        for byte in Q("SELECT 1"):
            raw.sendall(bytes([byte]))
        if talk.until_ready()[1] != "row 1":
            raise AssertionError("no row")
        raw.close()

    def newer_protocols_are_negotiated_down(self):
        talk = Talk(self.server.port, startup(session_options() + [("_pq_.feature", "on")], 196609))
        lines = talk.until_ready()
        talk.close()
        if not lines[0].startswith("negotiate 00030000") or lines[-1] != "ready I":
            raise AssertionError(str(lines[:3]))

    def encryption_requests_are_answered_once(self):
        for code in (80877103, 80877104):
            raw = self.raw()
            raw.sendall(struct.pack("!iI", 8, code))
            if raw.recv(1) != b"N":
                raise AssertionError("no N")
            raw.sendall(startup(session_options()))
            if not raw.recv(1) == b"R":
                raise AssertionError("no login after N")
            raw.close()

    def half_open_connections_do_not_hold_the_server(self):
        held = [self.raw() for _ in range(100)]
        for raw in held[:50]:
            raw.sendall(b"\0\0\0")
        self.answers()
        for raw in held:
            raw.close()

    def connections_come_and_go_fast(self):
        for i in range(self.rounds * 4):
            raw = self.raw()
            if i % 3 == 1:
                raw.sendall(startup(session_options()))
            if i % 3 == 2:
                raw.sendall(startup(session_options())[:7])
            raw.close()

    def resets_are_survived(self):
        for i in range(self.rounds):
            talk = Talk(self.server.port)
            talk.send(Q("SELECT repeat('x', 1000) FROM generate_series(1, 20000)"))
            if i % 2:
                talk.socket.recv(100)
            talk.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            talk.close()

    # -- After it -----------------------------------------------------------------------------

    def random_messages_are_refused(self):
        for _ in range(self.rounds):
            talk = Talk(self.server.port)
            kind = self.random.choice("QPBDECSHXdcfpFZ")
            talk.send(message(kind, self.noise(self.random.randrange(0, 300))), S)
            self.drain(talk.socket, 0.2)

    def unknown_types_end_the_session(self):
        for byte in (0, 1, 10, 0x7f, 0x80, 0xff):
            talk = Talk(self.server.port)
            talk.send(bytes([byte]) + struct.pack("!i", 4))
            lines = talk.until_ready()
            if lines[-1] != "closed" or "C08P01" not in lines[0]:
                raise AssertionError(f"{byte}: {lines}")

    def lengths_are_bounded(self):
        for kind, length in (("Q", 0), ("Q", 3), ("Q", 0xffffffff), ("Q", 0x7fffffff), ("S", 20000), ("p", 5), ("E", 0x40000000), ("X", 3)):
            talk = Talk(self.server.port)
            talk.send(kind.encode() + struct.pack("!I", length) + b"x" * 16)
            self.drain(talk.socket, 0.3)

    def a_giant_length_allocates_nothing(self):
        before = self.server.resident_bytes()
        talks = [Talk(self.server.port) for _ in range(20)]
        for talk in talks:
            talk.send(b"Q" + struct.pack("!I", 0x3fffffff) + b"x" * 1000)
        time.sleep(0.5)
        grown = self.server.resident_bytes() - before
        for talk in talks:
            talk.close()
        if grown > 200 << 20:
            raise AssertionError(f"{grown >> 20} MiB for promises")

    def mutated_conversations_are_survived(self):
        good = (Q("CREATE TEMP TABLE t (a int); INSERT INTO t VALUES (1)") + P("s", "SELECT a, $1::text FROM t WHERE a = $2") + D("S", "s") +
                B("p", "s", ["x", "1"], [0], [1]) + D("P", "p") + E("p", 1) + C("P", "p") + S + Q("COPY t FROM STDIN") + data("2\n3\n") + COPY_DONE + H + S)
        for _ in range(self.rounds * 2):
            bytes_ = bytearray(good)
            for _ in range(self.random.randrange(1, 6)):
                place = self.random.randrange(len(bytes_))
                what = self.random.randrange(3)
                if what == 0:
                    bytes_[place] = self.random.randrange(256)
                elif what == 1:
                    del bytes_[place:place + self.random.randrange(1, 9)]
                else:
                    bytes_[place:place] = self.noise(self.random.randrange(1, 9))
            talk = Talk(self.server.port)
            talk.send(bytes(bytes_))
            try:
                talk.socket.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            self.drain(talk.socket, 2)

    def mutated_queries_are_survived(self):
        words = ("SELECT INSERT UPDATE DELETE FROM WHERE GROUP BY ORDER LIMIT VALUES NULL 1 'x' $1 ( ) , ; :: int text numeric [ ] * + - / = < > AND OR NOT IN EXISTS CASE WHEN END "
                 "JOIN ON USING LEFT CROSS UNION ALL WITH RECURSIVE AS count sum generate_series pg_class oid relname ARRAY ROW INTERVAL 1e400 -- /* */ E'\\x' U&'\\0041' $$ $a$ "
                 "CREATE TABLE DROP ALTER INDEX VIEW COPY STDIN TO DECLARE CURSOR FETCH BEGIN COMMIT SAVEPOINT PREPARE EXECUTE EXPLAIN ANALYZE OVER PARTITION").split()
        talk = Talk(self.server.port)
        for _ in range(self.rounds * 10):
            query = " ".join(self.random.choice(words) for _ in range(self.random.randrange(1, 25))).replace("COPY", "copy_")
            talk.send(Q(query))
            if talk.until_ready()[-1] == "closed":
                raise AssertionError(f"closed at {query}")
        talk.close()

    def messages_in_the_wrong_order_are_errors(self):
        talk = Talk(self.server.port)
        for turn in (E("none") + S, B("", "none") + S, D("P", "none") + S, data("x") + COPY_DONE + S, S + S, H + H + S, C("P", "x") * 5 + S,
                     P("", "SELECT 1") + E("") + S, B("a", "") + S):
            talk.send(turn)
            for _ in range(turn.count(S)):
                if not talk.until_ready()[-1].startswith("ready"):
                    raise AssertionError("not ready")
        talk.send(message("p", text("late password")))
        talk.send(Q("SELECT 1"))
        self.drain(talk.socket, 0.3)

    def copy_is_left_in_the_middle(self):
        for end in (b"", data("1\tx"), COPY_DONE, Q("SELECT 1"), P("", "SELECT 1"), message("X")):
            talk = Talk(self.server.port)
            talk.send(Q("CREATE TEMP TABLE t (a int, b text)"))
            talk.until_ready()
            talk.send(Q("COPY t FROM STDIN") + data("1\tx\n") + end)
            try:
                talk.socket.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            self.drain(talk.socket, 2)

    def nested_copies_are_refused(self):
        talk = Talk(self.server.port)
        talk.send(Q("CREATE TEMP TABLE t (a int)"))
        talk.until_ready()
        talk.send(Q("COPY t FROM STDIN") + Q("COPY t FROM STDIN") + COPY_DONE)
        self.drain(talk.socket, 1)

    def deep_nesting_is_refused(self):
        talk = Talk(self.server.port)
        for query in ("SELECT " + "(" * 100000 + "1" + ")" * 100000, "SELECT " + "-" * 5 + "\n" + "NOT " * 50000 + "true", "SELECT " + "1 + " * 50000 + "1",
                      "SELECT " + "ARRAY[" * 20000 + "1" + "]" * 20000, "SELECT * FROM " + "(SELECT * FROM " * 5000 + "pg_class" + ") AS a" * 5000,
                      "SELECT CASE " + "WHEN true THEN CASE " * 5000 + "WHEN true THEN 1 END" + " END" * 5000):
            talk.send(Q(query))
            lines = talk.until_ready()
            if lines[-1] == "closed":
                raise AssertionError(f"closed at {query[:40]}")
        talk.close()

    def thousands_of_statements_and_portals_fit(self):
        talk = Talk(self.server.port)
        talk.send(Q("BEGIN"))
        talk.until_ready()
        count = self.rounds * 50
        for start in range(0, count, 500):
            talk.send(b"".join(P(f"s{i}", f"SELECT {i}") + B(f"p{i}", f"s{i}") for i in range(start, start + 500)) + S)
            if talk.until_ready()[-1] != "ready T":
                raise AssertionError("not ready")
        talk.send(E(f"p{count - 1}") + S)
        if f"row {count - 1}" not in talk.until_ready():
            raise AssertionError("no row")
        talk.send(Q("ROLLBACK") + Q("DEALLOCATE ALL"))
        talk.until_ready()
        talk.until_ready()
        talk.close()

    def peak_bytes(self):
        """The most memory that the process has ever held."""
        status = pathlib.Path(f"/proc/{self.server.process.pid}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))

    def the_most_parameters_cost_memory_in_proportion(self):
        count = 65535
        talk = Talk(self.server.port, timeout=120)
        before = self.peak_bytes()
        talk.send(P("", "SELECT 7 IN (" + ", ".join(f"${i + 1}" for i in range(count)) + ")") + B("", "", [b"7"] * count) + E() + S)
        lines = talk.until_ready()
        grown = self.peak_bytes() - before
        talk.close()
        if "row t" not in lines:
            raise AssertionError(f"no row: {lines}")
        if grown > 1 << 30:
            raise AssertionError(f"grew by {grown >> 20} MiB")

    def slow_readers_do_not_stop_others(self):
        lazy = []
        for _ in range(5):
            talk = Talk(self.server.port)
            talk.send(Q("SELECT repeat('x', 1000) FROM generate_series(1, 200000)"))
            lazy.append(talk)
        time.sleep(0.5)
        self.answers()
        for talk in lazy:
            talk.close()

    def who_vanishes_is_rolled_back(self):
        """In a transaction, in a query, in a COPY, in a wait for a lock; gone with a reset, and with a goodbye's first byte."""
        watcher = Talk(self.server.port)
        watcher.send(Q("CREATE TABLE vanishing (a int PRIMARY KEY, b int); INSERT INTO vanishing SELECT g, 0 FROM generate_series(1, 10) g"))
        watcher.until_ready()
        last_acts = (b"", Q("SELECT count(*) FROM generate_series(1, 100000000000)"), Q("SELECT pg_sleep(100)"), Q("COPY vanishing FROM STDIN") + data("11\t1\n"),
                     Q("SELECT repeat('x', 1000) FROM generate_series(1, 100000000)"), Q("INSERT INTO vanishing SELECT g, 0 FROM generate_series(100, 100000000) g"))
        for act in last_acts:
            for ending in ("reset", "close"):
                talk = Talk(self.server.port)
                talk.send(Q("BEGIN; UPDATE vanishing SET b = b + 1 WHERE a = 1"))
                talk.until_ready()
                talk.send(act)
                time.sleep(0.2)
                if ending == "reset":
                    talk.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                talk.close()
                watcher.send(Q("SET lock_timeout = '20s'; UPDATE vanishing SET b = b + 10 WHERE a = 1"))
                lines = watcher.until_ready()
                if "tag UPDATE 1" not in lines:
                    raise AssertionError(f"{ending} after {act[:60]}: {lines}")
        watcher.send(Q("SELECT count(*), sum(b) FROM vanishing"))
        lines = watcher.until_ready()
        if lines[1] != f"row 10 | {len(last_acts) * 20}":
            raise AssertionError(str(lines))
        watcher.send(Q("DROP TABLE vanishing"))
        watcher.until_ready()
        watcher.close()

    def who_does_not_read_costs_its_own_buffers(self):
        talks = [Talk(self.server.port) for _ in range(20)]
        time.sleep(0.2)
        before = self.server.resident_bytes()
        for talk in talks:
            talk.send(Q("SELECT repeat('x', 1000) FROM generate_series(1, 1000000)"))
        time.sleep(1)
        grown = self.server.resident_bytes() - before
        self.answers()
        for talk in talks:
            talk.close()
        # A batch of rows and a socket's worth each, several times that under sanitizers; unread it is 1 GiB each.
        if grown > 300 << 20:
            raise AssertionError(f"{grown >> 20} MiB for 20 lazy readers")

    def nothing_is_left_of_those_who_went(self):
        """Thousands of connections of every fate: as many descriptors as before, and no more sessions."""
        watcher = Talk(self.server.port)
        before = self.server.descriptors()
        for i in range(self.rounds * 20):
            raw = self.raw()
            if i % 4 == 1:
                raw.sendall(startup(session_options()) + Q("SELECT 1"))
            elif i % 4 == 2:
                raw.sendall(self.noise(20))
            elif i % 4 == 3:
                raw.sendall(struct.pack("!iI", 8, 80877103))
            if i % 3:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raw.close()
        deadline = time.monotonic() + 60
        lines = self.others(watcher)
        while (self.server.descriptors() > before or lines[1] != "row 0") and time.monotonic() < deadline:
            time.sleep(0.1)
            lines = self.others(watcher)
        watcher.close()
        if self.server.descriptors() > before or lines[1] != "row 0":
            raise AssertionError(f"{before} descriptors became {self.server.descriptors()}; {lines}")

    def others(self, watcher):
        """How many sessions there are beside this one."""
        watcher.send(Q("SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"))
        return watcher.until_ready()

    def wrong_cancels_cancel_nothing(self):
        talk = Talk(self.server.port)
        talk.send(Q("SELECT pg_backend_pid()"))
        pid = int(talk.until_ready()[1].split()[1])
        talk.send(Q("SELECT pg_sleep(1)"))
        for secret in (0, -1, 12345):
            raw = self.raw()
            raw.sendall(struct.pack("!iIii", 16, 80877102, pid, secret))
            self.drain(raw)
        if "tag SELECT 1" not in talk.until_ready():
            raise AssertionError("cancelled by a stranger")
        talk.close()

    def without_descriptors_clients_are_told(self):
        """All but a few of the connections are refused with 53300; those that were taken are served."""
        pid = self.server.process.pid
        limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        used = max(int(name) for name in os.listdir(f"/proc/{pid}/fd"))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 6 + KEPT_FOR_FILES, limits[1]))
        try:
            raws = [self.raw() for _ in range(60)]
            for raw in raws:
                try:
                    raw.sendall(startup(session_options()))
                except ConnectionError:
                    pass  # refused already
            answers = [self.drain(raw, 30, LOGGED_IN) for raw in raws]
        finally:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
        refused = sum(b"C53300" in answer for answer in answers)
        served = sum(answer.endswith(LOGGED_IN) for answer in answers)
        if served == 0 or refused < 40 or served + refused != len(answers):
            raise AssertionError(f"served {served}, refused {refused} of {len(answers)}")

    def memory_is_given_back(self):
        """Many sessions that each hold much for a while."""
        for i in range(3):
            talks = [Talk(self.server.port) for _ in range(30)]
            for talk in talks:
                talk.send(Q("SELECT length(repeat('x', 1000000)), length('" + "y" * 500000 + "')"))
            for talk in talks:
                talk.until_ready()
                talk.close()
            if i == 0:
                time.sleep(0.3)
                before = self.server.resident_bytes()
        time.sleep(0.3)
        grown = self.server.resident_bytes() - before
        if grown > 300 << 20:
            raise AssertionError(f"grew by {grown >> 20} MiB")


def run(server, rounds):
    """Every abuse is a result; a server that died is started again."""
    abuse = Abuse(server, rounds)
    names = [name for name, value in vars(Abuse).items() if callable(value) and not name.startswith("_") and name not in ("raw", "drain", "answers", "noise", "others", "peak_bytes")]
    for name in names:
        try:
            getattr(abuse, name)()
            abuse.answers()
            print(f"ok abuse/{name}", flush=True)
        except (AssertionError, OSError, EOFError, IndexError) as error:
            print(f"not ok abuse/{name}: {type(error).__name__}: {error}".replace("\n", " "), flush=True)
        if not server.is_up():
            print(f"not ok abuse/{name}/the-server-stays-up: {server.log_tail(30)}".replace("\n", " | "), flush=True)
            server.start()
