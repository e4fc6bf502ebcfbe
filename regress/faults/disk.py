"""Disks that are full, that fail, that cannot be written, that go away."""
import os
import resource
import subprocess
import tempfile
import time

from control import BROKEN, FULL, READ_ONLY, STILL, FaultyServer, Journal
from sengi_server import ServerFailure
from suite import Failure, Skip, check, wait_for
from wire import Refused, WireError

SMALL_POOL = {"shared_buffers": "8MB", "max_wal_size": "64MB"}
READ_AHEAD_MOST = 200  # more pages than a scan asks for before it needs one


class Mount:
    """A file system of its own in memory, where this machine lets us make one."""

    def __init__(self, megabytes):
        self.path = tempfile.mkdtemp(prefix="sengi-mount-")
        self.size = f"size={megabytes}m"

    def __enter__(self):
        result = subprocess.run(["mount", "-t", "tmpfs", "-o", self.size, "tmpfs", self.path], capture_output=True, text=True, check=False)
        if result.returncode:
            os.rmdir(self.path)
            raise Skip(f"no file system can be mounted here: {result.stderr.strip()}")
        return self

    def __exit__(self, *error):
        subprocess.run(["umount", "-l", self.path], check=True)
        os.rmdir(self.path)

    def free(self):
        """Bytes that are left."""
        status = os.statvfs(self.path)
        return status.f_bavail * status.f_bsize


def fill(connection, table):
    """Inserts until the disk is full; the rows that are there."""
    count = 0
    while count < 10_000_000:
        try:
            connection.must(f"INSERT INTO {table} SELECT g, repeat(md5(g::text), 8) FROM generate_series({count + 1}, {count + 10000}) g")
            count += 10000
        except Refused as refusal:
            check(refusal.sqlstate == "53100", f"not 53100: {refusal}")
            check("No space left on device" in str(refusal), f"{refusal}")
            return count
    raise Failure("the disk never fills")


def a_full_disk_is_one_writers_error(options):
    """Readers and small changes go on, what DROP gives back is used again, and a crash loses nothing."""
    with Mount(130) as mount, FaultyServer(options.build, SMALL_POOL, mount.path) as server:
        writer, reader = server.connect(), server.connect()
        writer.must("CREATE TABLE filler (a int PRIMARY KEY, b text)")
        writer.must("CREATE TABLE kept AS SELECT g AS a FROM generate_series(1, 1000) g")
        count = fill(writer, "filler")
        check(count > 50000, f"only {count} rows fit")
        check(mount.free() < 20 << 20, f"{mount.free()} bytes are left")
        for _ in range(3):
            check(reader.rows("SELECT count(*), sum(length(b)) FROM filler") == [f"{count} | {count * 256}"], "the reader sees something else")
        writer.must("SET work_mem = 64")
        try:
            writer.must("SELECT count(*) FROM (SELECT b FROM filler ORDER BY b OFFSET 10) x")
        except Refused as refusal:
            check(refusal.sqlstate == "53100" and "could not write to file" in str(refusal), f"a spill: {refusal}")
        for _ in range(20):  # also when what was kept back for a map has been spent
            writer.must("UPDATE kept SET a = a + 1")
            writer.must("CHECKPOINT")
        server.kill()
        server.start()
        writer, reader = server.connect(), server.connect()
        reader.must("SET work_mem = '64MB'")
        check(reader.rows("SELECT count(*), count(DISTINCT a) FROM filler WHERE b > ''") == [f"{count} | {count}"], "rows are lost")
        check(reader.rows("SELECT sum(a) FROM kept") == ["520500"], "an update is lost")
        writer.must("DELETE FROM filler WHERE a <= 10000")
        check(reader.rows("SELECT count(*) FROM filler") == [str(count - 10000)], "the deletion")
        writer.must("TRUNCATE filler")
        writer.must("CHECKPOINT")
        again = fill(writer, "filler")
        check(again > count * 0.8, f"{count} rows fitted, and after TRUNCATE {again}")
        server.stop_and_verify()


def a_file_that_may_not_grow_is_a_full_disk(options):
    """RLIMIT_FSIZE: 53100 for who needs more, and everything else goes on; with the limit gone, there is room again."""
    with FaultyServer(options.build, SMALL_POOL) as server:
        writer, reader = server.connect(), server.connect()
        writer.must("CREATE TABLE filler (a int PRIMARY KEY, b text)")
        writer.must("CREATE TABLE kept AS SELECT g AS a FROM generate_series(1, 1000) g")
        writer.must("CHECKPOINT")
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (64 << 20, resource.RLIM_INFINITY))
        count = 0
        while count < 1_000_000:
            try:
                writer.must(f"INSERT INTO filler SELECT g, repeat(md5(g::text), 8) FROM generate_series({count + 1}, {count + 10000}) g")
                count += 10000
            except Refused as refusal:
                check(refusal.sqlstate == "53100", f"{refusal}")
                break
        check(50000 < count < 1_000_000, f"{count} rows")
        for _ in range(20):
            writer.must("UPDATE kept SET a = a + 1")
            writer.must("CHECKPOINT")
        check(reader.rows("SELECT count(*), sum(length(b)) FROM filler") == [f"{count} | {count * 256}"], "the reader sees something else")
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        writer.must(f"INSERT INTO filler SELECT g, repeat(md5(g::text), 8) FROM generate_series({count + 1}, {count + 10000}) g")
        check(reader.rows("SELECT count(*) FROM filler") == [str(count + 10000)], "the room is not used")
        server.stop_and_verify()


def room_made_elsewhere_is_used_at_once(options):
    """Another's file fills the disk; when it goes, writes are taken again without a restart."""
    with Mount(130) as mount, FaultyServer(options.build, SMALL_POOL, mount.path) as server:
        journal = Journal(server)
        journal.prepare()
        for _ in range(20):
            check(journal.step(), "the server is gone")
        ballast = os.path.join(mount.path, "ballast")
        with open(ballast, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, mount.free() - (1 << 20))
        for _ in range(2000):
            check(journal.step(), "the server is gone")
            if len(journal.refusals) > 20:
                break
        check(journal.refusals and journal.sqlstates() == {"53100"}, f"{journal.sqlstates()}")
        journal.check(server.connect())
        os.unlink(ballast)
        journal.recovered()
        server.stop_and_verify()


def each_write_and_allocation_may_find_the_disk_full(options):
    """From the n-th call on, for a while: 53100 for who needs space, nothing lost, and no restart."""
    with FaultyServer(options.build, SMALL_POOL) as server:
        journal = Journal(server)
        journal.prepare()
        for n in range(400 if options.long else 40):
            for kinds in (("allocate",), ("write", "allocate")):
                for kind in kinds:
                    server.fail(kind, FULL, after=n % 17, count=1 + n % 5 * 3)
                for _ in range(5):
                    check(journal.step(), f"the server is gone after {n}")
                if n % 3 == 0:
                    try:
                        server.connect().must("CHECKPOINT")
                    except Refused as refusal:
                        check(refusal.sqlstate == "53100", f"CHECKPOINT: {refusal}")
                server.heal()
                wait_for(lambda: takes_writes(journal), f"writes are refused for ever after {n}: {journal.refusals[-1:]}")
        check(journal.sqlstates() <= {"53100"}, f"{journal.sqlstates()}")
        journal.check(server.connect())
        server.stop_and_verify()


def takes_writes(journal):
    """Is the next transaction acknowledged?"""
    before = len(journal.acknowledged)
    check(journal.step(), "the server is gone")
    return len(journal.acknowledged) > before


def one_call_fails(options, kind, error, rounds):
    """The n-th of them: what was acknowledged is there, whether the server has to end (it must when a sync fails) or goes on."""
    with FaultyServer(options.build, SMALL_POOL) as server:
        journal = Journal(server)
        journal.prepare()
        for n in range(rounds):
            server.fail(kind, error, after=n * 3 % 41, count=1)
            deadline = time.monotonic() + 30
            while not server.failures(kind) and time.monotonic() < deadline:
                if not journal.step():
                    break
                if n % 2:
                    checkpoint(server)
            check(server.failures(kind), f"round {n}: no {kind} came")
            if kind == "sync":
                check(server.wait() != 0, "an orderly end")
            journal.recovered()
        server.stop_and_verify()


def checkpoint(server):
    """Asked for; the server may end, or say what is wrong."""
    try:
        server.connect().query("CHECKPOINT")
    except (OSError, WireError):
        pass


def a_failed_fsync_stops_the_server(options):
    """What the system dropped cannot be known: stop, and recover from what is on the disk."""
    one_call_fails(options, "sync", BROKEN, 60 if options.long else 12)


def a_failed_write_loses_nothing(options):
    """Of the log: the server ends. Of a page: it is written again, or the session is told."""
    one_call_fails(options, "write", BROKEN, 120 if options.long else 20)


def a_failed_read_is_one_statements_error(options):
    """58030 for who reads the page; others read theirs, and it is read again the next time.

    A read ahead of the scan that fails is nobody's error, so one failure may pass unseen. A row of them, longer
    than what is read ahead, does not.
    """
    with FaultyServer(options.build, SMALL_POOL) as server:
        writer = server.connect()
        writer.must("CREATE TABLE wide AS SELECT g AS a, repeat(md5(g::text), 30) AS b FROM generate_series(1, 30000) g")
        writer.must("CHECKPOINT")
        wanted = writer.rows("SELECT count(*), sum(length(b)) FROM wide")
        refused = 0
        for n in range(100 if options.long else 25):
            server.fail("read", BROKEN, after=n * 7, count=1 if n % 2 else READ_AHEAD_MOST)
            try:
                check(writer.rows("SELECT count(*), sum(length(b)) FROM wide") == wanted, "a wrong answer")
            except Refused as refusal:
                check(refusal.sqlstate == "58030", f"{refusal}")
                refused += 1
            server.heal()
            check(writer.rows("SELECT count(*), sum(length(b)) FROM wide") == wanted, "a wrong answer afterwards")
        check(refused >= (n + 1) // 2, f"{refused} of {n + 1} times only")
        server.stop_cleanly()


def who_is_interrupted_while_a_page_is_read_gives_way_to_who_reads_it(options):
    """Both are of one worker: who spun there until the page came would wait for ever."""
    wanted = "SELECT length(b) FROM cold WHERE a = 5000"
    for word in ("cancel", "terminate"):
        with FaultyServer(options.build, {"worker_threads": "1"}) as server:
            server.connect().must("CREATE TABLE cold AS SELECT g AS a, repeat('x', 300) AS b FROM generate_series(1, 20000) g; ALTER TABLE cold ADD PRIMARY KEY (a)")
            server.stop_cleanly()
            server.start()
            reader, other, third = (server.connect() for _ in range(3))
            for connection in (reader, other):
                connection.must("EXPLAIN " + wanted)
            pid = other.rows("SELECT pg_backend_pid()")[0]
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'DataFileRead' AND query LIKE 'SELECT length%'"
            third.rows(waiting)
            server.fail("read", STILL)
            reader.send(wanted)
            wait_for(lambda: server.failures("read") > 0, "nothing is read")
            other.send(wanted)
            wait_for(lambda: third.rows(waiting) == ["2"], "they do not wait for one page")
            for connection in (reader, third):
                connection.socket.settimeout(60)
            check(third.rows(f"SELECT pg_{word}_backend({pid})") == ["t"], word)
            check(third.rows("SELECT 1") == ["1"], "the worker is taken up")
            server.heal()
            check("row 300" in reader.answer(), "the page does not come")
            try:
                said = str(other.answer())
                check("row 300" in said or word == "terminate" or "C57014" in said, said)
                check(word == "cancel" or "C57P01" in said + str(other.query("SELECT 1")), f"it goes on: {said}")
            except WireError:  # closed, with last words or without
                check(word == "terminate", "the connection is gone")
            server.stop_cleanly()


def a_directory_that_cannot_be_written_is_refused(options):
    """init, serve and verify say why."""
    with Mount(100) as mount, FaultyServer(options.build) as server:
        server.stop()
        data = os.path.join(mount.path, "data")
        subprocess.run(["cp", "-a", str(server.data), data], check=True)
        subprocess.run(["mount", "-o", "remount,ro", mount.path], check=True)
        for command in (["serve", data, "--port", str(server.port)], ["init", os.path.join(mount.path, "new")]):
            result = subprocess.run([server.sound_binary, *command], capture_output=True, text=True, timeout=30, check=False)
            check(result.returncode not in (0, -6, -11) and "Read-only file system" in result.stderr, f"{command[0]}: {result.returncode} {result.stderr[-300:]}")


def a_disk_that_turns_read_only_stops_writers_only_where_it_must(options):
    """EROFS on every write: readers are served or the server ends; nothing acknowledged is lost."""
    with FaultyServer(options.build, SMALL_POOL) as server:
        journal = Journal(server)
        journal.prepare()
        for _ in range(10):
            journal.step()
        for kind in ("write", "allocate", "open"):
            server.fail(kind, READ_ONLY)
        for _ in range(5):
            if not journal.step():
                break
        journal.recovered()
        server.stop()
        server.verify()


def a_directory_removed_underfoot_ends_in_a_message(options):
    """Files that are gone: no hang, and the next start says what is missing."""
    with FaultyServer(options.build, SMALL_POOL) as server:
        journal = Journal(server)
        journal.prepare()
        server.remove_data()
        for _ in range(30):
            if not journal.step():
                break
        checkpoint(server)
        if server.is_up():
            server.process.terminate()
        server.wait(60)
        try:
            server.start()
        except ServerFailure:
            pass
        last = server.log_tail(5)
        check(not server.is_up() and ("does not exist" in last or "No such file" in last), last)


def damage(server, marker):
    """Turns a bit over beside each occurrence of `marker` in the data file; how many there were."""
    count, path = 0, server.data / "pages"
    with open(path, "r+b") as file:
        content = file.read()
        at = content.find(marker)
        while at >= 0:
            file.seek(at + 1)
            file.write(bytes([content[at + 1] ^ 1]))
            count += 1
            at = content.find(marker, at + 16384)
    return count


def refused(connection, statement):
    """The SQLSTATE of a statement that must fail, and its message."""
    try:
        connection.must(statement)
    except Refused as refusal:
        return refusal.sqlstate, str(refusal)
    raise Failure(f"not refused: {statement}")


def a_damaged_index_is_named_and_built_anew(options):
    """Only who reads or changes it is told; REINDEX and DROP INDEX work, and nothing of it is left behind."""
    with FaultyServer(options.build, SMALL_POOL) as server:
        writer = server.connect()
        writer.must("CREATE TABLE marked AS SELECT g AS a, 'needle' || lpad(g::text, 8, '0') AS b FROM generate_series(1, 20000) g")
        writer.must("CREATE INDEX marked_upper ON marked (upper(b))")
        writer.must("CREATE INDEX marked_upper_too ON marked (upper(b), a)")
        server.stop_cleanly()
        check(damage(server, b"NEEDLE") > 20, "no index is in the file")
        verify = subprocess.run([server.sound_binary, "verify", str(server.data)], capture_output=True, text=True, check=False)
        check(verify.returncode != 0 and "checksum" in verify.stdout + verify.stderr, f"verify: {verify.stdout[-300:]}")
        server.start()
        writer = server.connect()
        check(writer.rows("SELECT count(*), max(b) FROM marked") == ["20000 | needle00020000"], "the table itself")
        writer.must("SET enable_seqscan = off")
        for statement in ("SELECT a FROM marked WHERE upper(b) = 'NEEDLE00010000'", "INSERT INTO marked VALUES (0, 'needle00010000x')",
                          "DELETE FROM marked WHERE a = 10000"):
            sqlstate, message = refused(writer, statement)
            check(sqlstate == "XX001" and "page" in message, f"{statement}: {message}")
        writer.must("SET enable_seqscan = on")
        writer.must("DROP INDEX marked_upper_too")
        writer.must("REINDEX INDEX marked_upper")
        writer.must("SET enable_seqscan = off")
        check(writer.rows("SELECT a FROM marked WHERE upper(b) = 'NEEDLE00010000'") == ["10000"], "by the new index")
        writer.must("INSERT INTO marked VALUES (0, 'needle00010000x')")
        writer.must("DELETE FROM marked WHERE a = 10000")
        server.kill()
        server.start()
        check(server.connect().rows("SELECT count(*) FROM marked WHERE upper(b) > ''") == ["20000"], "after a crash")
        server.stop_cleanly()
        server.start()  # gives back the pages that damage kept from being freed
        server.stop_and_verify()


def a_damaged_table_page_is_named_and_the_rest_is_read(options):
    """Who reads the page is told; rows of other pages are there by index, and the table can be dropped."""
    with FaultyServer(options.build, SMALL_POOL) as server:
        writer = server.connect()
        writer.must("CREATE TABLE marked AS SELECT g AS a, CASE WHEN g = 9000 THEN 'NEEDLE' ELSE md5(g::text) END AS b FROM generate_series(1, 20000) g")
        writer.must("CREATE INDEX marked_a ON marked (a)")
        server.stop_cleanly()
        check(damage(server, b"NEEDLE") == 1, "the row is not in one page of the file")
        server.start()
        writer = server.connect()
        sqlstate, message = refused(writer, "SELECT count(b) FROM marked")
        check(sqlstate == "XX001" and "invalid page" in message, message)
        writer.must("SET enable_seqscan = off")
        check(writer.rows("SELECT b = md5('5') FROM marked WHERE a = 5") == ["t"], "a row of a sound page")
        check(refused(writer, "SELECT b FROM marked WHERE a = 9000")[0] == "XX001", "the damaged row")
        check(writer.rows("SELECT 1") == ["1"], "the session")
        writer.must("DROP TABLE marked")
        server.kill()
        for _ in range(2):  # the second start gives back what damage kept from being freed
            server.start()
            server.stop_cleanly()
        server.verify()


TESTS = [a_damaged_index_is_named_and_built_anew, a_damaged_table_page_is_named_and_the_rest_is_read,
         a_full_disk_is_one_writers_error, a_file_that_may_not_grow_is_a_full_disk, room_made_elsewhere_is_used_at_once,
         each_write_and_allocation_may_find_the_disk_full,
         a_failed_fsync_stops_the_server, a_failed_write_loses_nothing, a_failed_read_is_one_statements_error,
         who_is_interrupted_while_a_page_is_read_gives_way_to_who_reads_it,
         a_directory_that_cannot_be_written_is_refused, a_disk_that_turns_read_only_stops_writers_only_where_it_must,
         a_directory_removed_underfoot_ends_in_a_message]
