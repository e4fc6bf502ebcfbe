"""Memory that runs out, by call and by limit; descriptors that run out."""
import os
import resource
import threading
import time

from control import NO_MEMORY, FaultyServer, Journal
from suite import Failure, check, wait_for
from wire import Connection, Refused, WireError

# What one statement may ask for without end, and what else it may be refused with.
HUGE = [
    "SELECT array_agg(g) FROM generate_series(1, 1000000000) g",
    "SELECT string_agg(repeat('x', 1000), '') FROM generate_series(1, 10000000) g",
    "SELECT count(a) FROM (SELECT array_agg(g) AS a FROM generate_series(1, 100000000) g GROUP BY g % 3) x",
    "SELECT jsonb_agg(g) FROM generate_series(1, 1000000000) g",
    "WITH RECURSIVE r(a) AS (SELECT ARRAY[1] UNION ALL SELECT a || a FROM r) SELECT count(*) FROM r",
    "SELECT length(repeat(repeat('x', 1000000), 1000))",
    "SELECT array_fill(0, ARRAY[100000000])",
    "SELECT string_agg(g::text, ',' ORDER BY g DESC) FROM generate_series(1, 100000000) g",
]
SQLSTATES = {"53200", "54000", "53100", "53400"}
LIMIT = {"shared_buffers": "16MB", "memory_limit": "256MB", "temp_file_limit": "256MB"}


def a_statement_without_end_is_its_own_error(options):
    """53200 or a limit as PostgreSQL's for one; another session is served; memory is given back."""
    with FaultyServer(options.build, LIMIT) as server:
        greedy, other = Connection(server.port, timeout=300), server.connect()
        greedy.must("SELECT count(*) FROM pg_class")
        for statement in HUGE:
            try:
                greedy.must(statement)
                raise Failure(f"it ends: {statement}")
            except Refused as refusal:
                check(refusal.sqlstate in SQLSTATES, f"{statement}: {refusal}")
            check(other.rows("SELECT 1") == ["1"], "the other session")
            check(greedy.rows("SELECT 2") == ["2"], "the same session")
        server.stop_cleanly()


def a_statement_of_many_parts_is_answered_or_refused(options):
    """Deep and wide ones: as PostgreSQL, or its limits."""
    wide = ", ".join(f"c{i} int" for i in range(1700))
    statements = [
        ("SELECT 1 IN (" + ",".join(map(str, range(100000))) + ")", {"row t"}),
        ("SELECT count(*) FROM (VALUES " + ",".join(f"({i})" for i in range(100000)) + ") v", {"row 100000"}),
        ("SELECT length('" + "x" * 20_000_000 + "')", {"row 20000000"}),
        ("SELECT " + "(" * 20000 + "1" + ")" * 20000, {"54001"}),
        ("SELECT " + "CASE WHEN true THEN " * 20000 + "1" + " END" * 20000, {"54001"}),
        ("SELECT " + "ARRAY[" * 20000 + "1" + "]" * 20000, {"54001"}),
        ("SELECT '" + "[" * 100000 + "]" * 100000 + "'::jsonb", {"54001"}),
        ("SELECT " + "(SELECT " * 5000 + "1" + ")" * 5000, {"54001"}),
        ("SELECT 1" + " + 1" * 20000, {"54001", "row 20001"}),
        (f"CREATE TABLE wide ({wide})", {"54011"}),
        ("SELECT " + ",".join("1" for _ in range(1700)), {"54011"}),
        ("VALUES " + ",".join("(" + ",".join(["1"] * 1000) + ")" for _ in range(2000)), {"row", "53200"}),
    ]
    with FaultyServer(options.build, LIMIT) as server:
        connection = Connection(server.port, timeout=300)
        for statement, wanted in statements:
            lines = connection.query(statement)
            found = next((line for line in lines if line.startswith(("row", "error"))), "")
            found = found.split(" | C")[1][:5] if found.startswith("error") else found
            check(any(found.startswith(want) for want in wanted), f"{statement[:60]}: {found[:200]}")
        for depth in range(1, 3000):
            below = "SELECT 1 AS a" if depth == 1 else f"SELECT a FROM v{depth - 1}"
            if depth % 500 == 0:
                lines = connection.query(f"SELECT a FROM v{depth - 1}")
                if lines[0].startswith("error"):
                    check("54001" in lines[0], lines[0])
                    break
            lines = connection.query(f"CREATE VIEW v{depth} AS {below}")
            if lines[0].startswith("error"):
                check("54001" in lines[0], lines[0])
                break
            if depth >= (2000 if options.long else 600):
                break
        check(connection.rows("SELECT 1") == ["1"], "it goes on")
        server.stop_cleanly()


CATALOG_JOIN = "SELECT relname, count(*) FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid GROUP BY 1 ORDER BY 2 DESC, 1"
# A refused ROLLBACK leaves a transaction that takes nothing else.
SHORT = {"53200", "25P02"}


def newcomer(server):
    """Is let in, or refused for want of memory."""
    try:
        connection = server.connect()
        connection.rows(CATALOG_JOIN)
        connection.close()
    except Refused as refusal:
        check(refusal.sqlstate == "53200", f"{refusal}")
    except WireError as error:
        check("53200" in str(error), f"{error}")


def the_nth_allocation_fails(options):
    """And those that follow it: 53200 at most, for who asked; the server goes on."""
    with FaultyServer(options.build, {"shared_buffers": "8MB"}) as server:
        journal = Journal(server)
        journal.prepare()
        for n in range(2000 if options.long else 120):
            server.fail("memory", NO_MEMORY, after=n * 7 % 501, count=(1, 3, 20, 200)[n % 4])
            check(journal.step(), f"the server is gone after {n}")
            if n % 5 == 0:
                newcomer(server)
        server.heal()
        check("53200" in journal.sqlstates(), "nothing was refused")
        others = [str(refusal) for refusal in journal.refusals if not any(state in str(refusal) for state in SHORT)]
        check(not others, f"refused with {others[:3]}")
        journal.recovered()
        server.stop_and_verify()


def no_memory_at_all_is_survived(options):
    """Every allocation fails, for a while: nobody is served, nothing is lost, and then all are served again, be anybody left or not."""
    with FaultyServer(options.build, {"shared_buffers": "8MB"}) as server:
        journal = Journal(server)
        journal.prepare()
        for n in range(40 if options.long else 6):
            for _ in range(5):
                check(journal.step(), "the server is gone")
            server.fail("memory", NO_MEMORY, after=n * 37)
            for _ in range(20):
                check(journal.step(), f"the server is gone after {n}")
            newcomer(server)
            check(server.is_up(), f"the server is gone after {n}")
            if n % 2:
                journal.leave()
            server.heal()
            journal.undo()
            journal.recovered()
        check(journal.sqlstates() <= SHORT, f"{journal.sqlstates()}")
        server.stop_and_verify()


def descriptors_run_out_for_newcomers(options):
    """Connections beyond what the system allows are refused or wait; those that are there work, and files open."""
    held = []
    with FaultyServer(options.build, {"shared_buffers": "8MB", "max_connections": "200"}) as server:
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (80, 80))
        journal = Journal(server)
        journal.prepare()
        refused = 0
        for _ in range(120):
            try:
                held.append(Connection(server.port, timeout=60))
            except WireError as error:
                check("C53300" in str(error) and "sorry, too many clients already" in str(error), f"refused with {error}")
                refused += 1
                if refused > 5:
                    break
        check(refused > 0 and len(held) > 20, f"{len(held)} are in, {refused} refused")
        for _ in range(25):
            check(journal.step(), "the server is gone")
        journal.connection.must("SET work_mem = 64")
        journal.connection.must("SELECT count(*) FROM (SELECT content FROM body ORDER BY content OFFSET 5) x")
        check(not journal.refusals, f"{journal.refusals[:1]}")
        for connection in held:
            connection.close()
        wait_for(lambda: is_served(server), "nobody is served afterwards")
        journal.check(server.connect())
        server.stop_cleanly()


def is_served(server):
    """Does a new session get an answer?"""
    try:
        return server.connect().rows("SELECT 1") == ["1"]
    except (OSError, WireError):
        return False


def versions(connection, where=""):
    """Bytes that old row versions take."""
    return int(connection.rows(f"SELECT size FROM pg_shmem_allocations WHERE name = 'Row Versions{where}'")[0])


def write_until(server, deadline, refusals, rows=3000):
    """Small updates all over the table, each in a transaction of its own."""
    connection = server.connect()
    at = 0
    while time.monotonic() < deadline:
        at = (at + 17) % rows
        try:
            connection.must(f"UPDATE kept SET b = b + 1 WHERE a BETWEEN {at} AND {at + 9}")
        except Refused as refusal:
            refusals.append(str(refusal))


def old_versions_stay_below_their_limit(options):
    """
    An idle transaction's and a cursor's snapshots are given up with 72000; nobody else notices. Between two looks at
    the limit lie some dozens of commits, and each of the two readers takes two looks: so much comes on top.
    """
    seconds, limit, rows = 30 if options.long else 8, 4 << 20, 30000
    with FaultyServer(options.build, {**LIMIT, "version_memory_limit": "4MB", "version_disk_limit": 0}) as server:
        idle, with_cursor, watcher = (server.connect() for _ in range(3))
        watcher.must("CREATE TABLE kept AS SELECT g AS a, 0 AS b, repeat('x', 500) AS c FROM generate_series(1, %d) g" % rows)
        watcher.must("CREATE INDEX ON kept (a)")
        idle.must("BEGIN ISOLATION LEVEL REPEATABLE READ")
        check(idle.rows("SELECT sum(b) FROM kept") == ["0"], "the first look")
        with_cursor.must("BEGIN")
        with_cursor.must("DECLARE cu CURSOR FOR SELECT b FROM kept")
        with_cursor.must("FETCH 5 FROM cu")
        refusals = []
        deadline = time.monotonic() + seconds
        writers = [threading.Thread(target=write_until, args=(server, deadline, refusals, rows - 10)) for _ in range(2)]
        for writer in writers:
            writer.start()
        most = 0
        while time.monotonic() < deadline:
            most = max(most, versions(watcher))
            time.sleep(0.02)
            watcher.must("BEGIN ISOLATION LEVEL REPEATABLE READ")  # young ones are refused nothing
            check(watcher.rows("SELECT count(*) FROM kept WHERE a <= 3000") == ["3000"], "a young snapshot")
            watcher.must("COMMIT")
        for writer in writers:
            writer.join()
        check(not refusals, f"a writer: {refusals[:1]}")
        check(limit * 0.8 < most < limit * 2, f"versions took {most} bytes")
        for reader, query in ((idle, "SELECT sum(b) FROM kept"), (with_cursor, "FETCH 5 FROM cu")):
            try:
                reader.must(query)
                raise Failure(f"{query} is answered")
            except Refused as refusal:
                check(refusal.sqlstate == "72000" and "snapshot too old" in str(refusal), f"{refusal}")
            reader.must("ROLLBACK")
            check(reader.rows("SELECT count(*), sum(b) > 0 FROM kept WHERE a < 3000") == ["2999 | t"], "afterwards")
        server.stop_cleanly()


def spilled(server):
    """Bytes of the file that old versions lie in, as it is mapped."""
    lines = (line.split() for line in open(f"/proc/{server.process.pid}/maps", encoding="utf-8") if "/sengi_versions" in line)
    return sum(int(end, 16) - int(start, 16) for start, end in (fields[0].split("-") for fields in lines))


def old_versions_go_to_disk(options):
    """Beyond their memory; the old snapshot is answered as long as there is disk, and the disk is given back."""
    seconds, large = 20 if options.long else 6, 4 << 20
    settings = {**LIMIT, "version_memory_limit": "1MB", "version_disk_limit": "1GB"}
    with FaultyServer(options.build, settings) as server:
        holder, writer, watcher = (server.connect() for _ in range(3))
        watcher.must("CREATE TABLE kept AS SELECT g AS a, 0 AS b, repeat('x', 500) AS c FROM generate_series(1, 30000) g")
        watcher.must("CREATE INDEX ON kept (a)")
        look = "SELECT count(*), sum(a), sum(b), sum(length(c)) FROM kept"
        holder.must("BEGIN ISOLATION LEVEL REPEATABLE READ")
        first = holder.rows(look)
        writer.must("UPDATE kept SET b = 1, c = c || 'y' WHERE a <= 20000")
        writer.must("DELETE FROM kept WHERE a > 25000")
        refusals = []
        write_until(server, time.monotonic() + seconds, refusals)
        check(not refusals, f"the writer: {refusals[:1]}")
        check(versions(watcher) > large and spilled(server) > large, f"{versions(watcher)} bytes of versions, {spilled(server)} on disk")
        check(versions(watcher, " on Disk") > large, f"{versions(watcher, ' on Disk')} bytes on disk are told of")
        check(holder.rows(look) == first, "the old snapshot")
        check(holder.rows("SELECT sum(b) FROM kept WHERE a BETWEEN 100 AND 20100") == ["0"], "the old snapshot by the index")
        holder.must("COMMIT")
        wait_for(lambda: spilled(server) == 0, "the disk is not given back")
        check(versions(watcher, " on Disk") == 0, "disk that was given back is told of")
        check(not os.listdir(server.data / "tmp"), "a file is left")
        server.stop_and_verify()


def disk_for_old_versions_has_its_limit(options):
    """What does not fit into memory and disk is 72000 for the oldest snapshot."""
    settings = {**LIMIT, "version_memory_limit": "1MB", "version_disk_limit": "2MB"}
    with FaultyServer(options.build, settings) as server:
        holder, writer = server.connect(), server.connect()
        writer.must("CREATE TABLE kept AS SELECT g AS a, 0 AS b, repeat('x', 500) AS c FROM generate_series(1, 30000) g")
        holder.must("BEGIN ISOLATION LEVEL REPEATABLE READ")
        check(holder.rows("SELECT sum(b) FROM kept") == ["0"], "the first look")
        writer.must("UPDATE kept SET b = 1 WHERE a <= 1000")
        check(holder.rows("SELECT sum(b) FROM kept") == ["0"], "what there is disk for")
        writer.must("UPDATE kept SET b = 1 WHERE a > 1000")
        wait_for(lambda: refused_as_too_old(holder), "the old snapshot is answered all the same")
        holder.must("ROLLBACK")
        check(holder.rows("SELECT sum(b) FROM kept") == ["30000"], "afterwards")
        server.stop_cleanly()


def refused_as_too_old(connection):
    """Has the snapshot been given up?"""
    try:
        connection.rows("SELECT sum(b) FROM kept")
    except Refused as refusal:
        check(refusal.sqlstate == "72000", f"{refusal}")
        return True
    return False


TESTS = [a_statement_without_end_is_its_own_error, a_statement_of_many_parts_is_answered_or_refused, the_nth_allocation_fails,
         no_memory_at_all_is_survived, descriptors_run_out_for_newcomers, old_versions_stay_below_their_limit,
         old_versions_go_to_disk, disk_for_old_versions_has_its_limit]
