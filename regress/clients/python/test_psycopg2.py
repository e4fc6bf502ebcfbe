#!/usr/bin/env python3
"""A day's work with psycopg2: CRUD, transactions, types, errors, COPY, cursors, pool, threads."""
import datetime
import decimal
import io
import select
import threading
import uuid

import psycopg2
import psycopg2.errors
import psycopg2.extensions
import psycopg2.extras
import psycopg2.pool
import psycopg2.sql
from harness import cancelled, check, equal, main, raises, test

psycopg2.extras.register_uuid()


def connect(**options):
    """A session as the environment says."""
    return psycopg2.connect("", **options)


def fresh(connection, definition, name="t"):
    """Makes table `name` anew."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {name} CASCADE; CREATE TABLE {name} ({definition})")
    connection.commit()


def one(connection, text, arguments=None):
    """The only row of a query."""
    with connection.cursor() as cursor:
        cursor.execute(text, arguments)
        rows = cursor.fetchall()
    check(len(rows) == 1, f"{len(rows)} rows")
    return rows[0]


@test
def rows_are_created_read_updated_and_deleted():
    connection = connect()
    fresh(connection, "id serial PRIMARY KEY, name text NOT NULL, price numeric(10,2), made timestamptz DEFAULT now()")
    with connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO t (name, price) VALUES (%s, %s) RETURNING id, made", ("spoon", decimal.Decimal("1.50")))
        number, made = cursor.fetchone()
        equal(number, 1)
        check(made.tzinfo is not None)
        cursor.executemany("INSERT INTO t (name, price) VALUES (%s, %s)", [("fork", 2), ("knife", None)])
        equal(cursor.rowcount, 2)
        cursor.execute("SELECT id, name, price FROM t ORDER BY id")
        equal(cursor.fetchall(), [(1, "spoon", decimal.Decimal("1.50")), (2, "fork", decimal.Decimal("2.00")), (3, "knife", None)])
        equal([c.name for c in cursor.description], ["id", "name", "price"])
        equal([c.type_code for c in cursor.description], [23, 25, 1700])
        equal((cursor.description[2].precision, cursor.description[2].scale), (10, 2))
        cursor.execute("UPDATE t SET price = price * 2 WHERE price IS NOT NULL")
        equal(cursor.rowcount, 2)
        equal(cursor.statusmessage, "UPDATE 2")
        cursor.execute("DELETE FROM t WHERE name = %s", ("fork",))
        equal(cursor.rowcount, 1)
    equal(one(connection, "SELECT sum(price), count(*) FROM t"), (decimal.Decimal("3.00"), 2))
    connection.close()


@test
def transactions_commit_and_roll_back():
    connection, other = connect(), connect()
    fresh(connection, "id int PRIMARY KEY, v int")
    equal(connection.get_transaction_status(), psycopg2.extensions.TRANSACTION_STATUS_IDLE)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO t VALUES (1, 1)")
        equal(connection.get_transaction_status(), psycopg2.extensions.TRANSACTION_STATUS_INTRANS)
        equal(one(other, "SELECT count(*) FROM t"), (0,))
        connection.rollback()
        cursor.execute("INSERT INTO t VALUES (1, 1)")
        connection.commit()
    other.rollback()
    equal(one(other, "SELECT count(*) FROM t"), (1,))
    other.rollback()
    with raises_context(psycopg2.errors.UniqueViolation), connection, connection.cursor() as cursor:
        cursor.execute("UPDATE t SET v = 2")
        cursor.execute("INSERT INTO t VALUES (1, 1)")
    equal(one(connection, "SELECT v FROM t"), (1,))
    connection.close()
    other.close()


class raises_context:
    """A with statement that must end with this exception."""

    def __init__(self, kind):
        self.kind = kind

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        check(kind is not None and issubclass(kind, self.kind), f"wanted {self.kind.__name__}, got {error!r}")
        return True


@test
def savepoints_undo_a_part():
    connection = connect()
    fresh(connection, "id int PRIMARY KEY")
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO t VALUES (1)")
        cursor.execute("SAVEPOINT a")
        cursor.execute("INSERT INTO t VALUES (2)")
        raises(psycopg2.errors.UniqueViolation, cursor.execute, "INSERT INTO t VALUES (1)")
        raises(psycopg2.errors.InFailedSqlTransaction, cursor.execute, "SELECT 1")
        cursor.execute("ROLLBACK TO SAVEPOINT a")
        cursor.execute("INSERT INTO t VALUES (3)")
        cursor.execute("RELEASE SAVEPOINT a")
        connection.commit()
        cursor.execute("SELECT array_agg(id ORDER BY id) FROM t")
        equal(cursor.fetchone(), ([1, 3],))
    connection.close()


@test
def python_values_come_back_the_same():
    connection = connect()
    zone = datetime.timezone(datetime.timedelta(hours=2))
    values = [
        ("int2", 7), ("int4", -2147483648), ("int8", 2**62), ("bool", True), ("bool", False), ("float8", 1.5), ("float8", 1e300),
        ("numeric", decimal.Decimal("12345678901234567890.123456789")), ("text", "Grüße, 'quoted' \\ \"double\" \n 漢字 🐘"),
        ("varchar", "abc"), ("bytea", b"\x00\x01\xff\\'"), ("date", datetime.date(2024, 2, 29)), ("time", datetime.time(23, 59, 59, 999999)),
        ("timestamp", datetime.datetime(2024, 2, 29, 12, 30, 1, 5)), ("timestamptz", datetime.datetime(2024, 2, 29, 12, 30, tzinfo=zone)),
        ("interval", datetime.timedelta(days=3, seconds=5, microseconds=7)), ("uuid", uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")),
        ("int4[]", [1, 2, 3]), ("int4[]", []), ("text[]", ["a", None, 'b "c"', "d,e"]), ("int4[]", [[1, 2], [3, 4]]),
        ("numeric[]", [decimal.Decimal("1.5")]), ("date[]", [datetime.date(2000, 1, 1)]), ("text", None),
    ]
    for kind, value in values:
        got = one(connection, f"SELECT CAST(%s AS {kind})", (value,))[0]
        if isinstance(got, memoryview):
            got = bytes(got)
        equal(got, value)
    connection.close()


@test
def values_survive_a_table():
    connection = connect()
    fresh(connection, "i int, n numeric(20,5), t text, b bytea, d date, ts timestamptz, f float8, u uuid, a text[]")
    row = (5, decimal.Decimal("12.34500"), "text", b"\0bytes", datetime.date(1999, 12, 31),
           datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc), 0.1, uuid.uuid4(), ["x", "y"])
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO t VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)", row)
        cursor.execute("INSERT INTO t DEFAULT VALUES")
        cursor.execute("SELECT * FROM t WHERE i IS NOT NULL")
        got = list(cursor.fetchone())
        got[3] = bytes(got[3])
        equal(tuple(got), row)
        cursor.execute("SELECT * FROM t WHERE i IS NULL")
        equal(cursor.fetchone(), (None,) * 9)
    connection.close()


@test
def errors_have_their_class_and_fields():
    connection = connect(application_name="errors")
    connection.autocommit = True
    fresh_auto(connection)
    cursor = connection.cursor()
    cases = [
        ("SELECT * FROM nowhere", psycopg2.errors.UndefinedTable, "42P01"),
        ("SELECT nothing FROM t", psycopg2.errors.UndefinedColumn, "42703"),
        ("SELEC 1", psycopg2.errors.SyntaxError, "42601"),
        ("SELECT 1/0", psycopg2.errors.DivisionByZero, "22012"),
        ("SELECT 'x'::int", psycopg2.errors.InvalidTextRepresentation, "22P02"),
        ("SELECT 2147483647 + 1", psycopg2.errors.NumericValueOutOfRange, "22003"),
        ("SELECT nofunction(1)", psycopg2.errors.UndefinedFunction, "42883"),
        ("INSERT INTO t VALUES (1, NULL, 1)", psycopg2.errors.NotNullViolation, "23502"),
        ("INSERT INTO t VALUES (1, 'x', -1)", psycopg2.errors.CheckViolation, "23514"),
        ("CREATE TABLE t (a int)", psycopg2.errors.DuplicateTable, "42P07"),
        ("INSERT INTO t VALUES (1, 'abcdefghijk', 1)", psycopg2.errors.StringDataRightTruncation, "22001"),
        ("SELECT '2024-02-30'::date", psycopg2.errors.DatetimeFieldOverflow, "22008"),
        ("SET nothing_such = 1", psycopg2.errors.UndefinedObject, "42704"),
        ("INSERT INTO child VALUES (99)", psycopg2.errors.ForeignKeyViolation, "23503"),
    ]
    for text, kind, code in cases:
        raises(kind, cursor.execute, text, code=code)
    cursor.execute("INSERT INTO t VALUES (1, 'x', 1)")
    error = raises(psycopg2.errors.UniqueViolation, cursor.execute, "INSERT INTO t VALUES (1, 'y', 1)")
    equal(error.diag.constraint_name, "t_pkey")
    equal(error.diag.table_name, "t")
    equal(error.diag.schema_name, "public")
    equal(error.diag.message_primary, 'duplicate key value violates unique constraint "t_pkey"')
    equal(error.diag.message_detail, "Key (id)=(1) already exists.")
    equal(error.diag.severity, "ERROR")
    error = raises(psycopg2.errors.UndefinedColumn, cursor.execute, "SELECT nam FROM t")
    equal(error.diag.statement_position, "8")
    equal(error.diag.message_hint, 'Perhaps you meant to reference the column "t.name".')
    connection.close()


def fresh_auto(connection):
    """Tables with one constraint of each kind."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS child; DROP TABLE IF EXISTS t CASCADE")
        cursor.execute("CREATE TABLE t (id int PRIMARY KEY, name varchar(10) NOT NULL, v int CHECK (v > 0))")
        cursor.execute("CREATE TABLE child (id int REFERENCES t)")


@test
def notices_reach_the_client():
    connection = connect()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS never_was")
    check(any('table "never_was" does not exist, skipping' in notice for notice in connection.notices), str(connection.notices))
    connection.close()


@test
def copy_goes_both_ways():
    connection = connect()
    fresh(connection, "id int, name text, v numeric")
    with connection.cursor() as cursor:
        lines = "".join(f"{i}\tname {i}\t{i}.5\n" for i in range(5000)) + "5000\t\\N\t\\N\n"
        cursor.copy_from(io.StringIO(lines), "t")
        equal(cursor.rowcount, 5001)
        out = io.StringIO()
        cursor.copy_to(out, "t")
        equal(out.getvalue(), lines)
        out = io.StringIO()
        cursor.copy_expert("COPY (SELECT id, name FROM t WHERE id >= 4999 ORDER BY id) TO STDOUT WITH (FORMAT csv, HEADER)", out)
        equal(out.getvalue(), "id,name\n4999,name 4999\n5000,\n")
        connection.commit()
        error = raises(psycopg2.errors.InvalidTextRepresentation, cursor.copy_from, io.StringIO("1\ta\t1\nx\tb\t2\n"), "t")
        equal(error.diag.context, 'COPY t, line 2, column id: "x"')
        connection.rollback()
        out = io.BytesIO()
        cursor.copy_expert("COPY t TO STDOUT (FORMAT binary)", out)
        cursor.execute("TRUNCATE t")
        out.seek(0)
        cursor.copy_expert("COPY t FROM STDIN (FORMAT binary)", out)
        equal(one(connection, "SELECT count(*), count(name), sum(v) FROM t"), (5001, 5000, decimal.Decimal("12500000.0")))
    connection.close()


@test
def copy_source_that_fails_leaves_the_session_usable():
    connection = connect()
    fresh(connection, "id int")

    class Broken(io.StringIO):
        """Fails at the second read."""

        def read(self, *_):
            if getattr(self, "asked", False):
                raise ValueError("broken source")
            self.asked = True
            return "1\n2\n"

        readline = read

    with connection.cursor() as cursor:
        raises(psycopg2.errors.QueryCanceled, cursor.copy_expert, "COPY t FROM STDIN", Broken(), 4)
        connection.rollback()
        equal(one(connection, "SELECT count(*) FROM t"), (0,))
    connection.close()


@test
def named_cursors_fetch_piecewise():
    connection = connect()
    with connection.cursor("numbers") as cursor:
        cursor.itersize = 100
        cursor.execute("SELECT i, i * i FROM generate_series(1, 1005) AS i")
        equal(cursor.fetchone(), (1, 1))
        equal(cursor.fetchmany(3), [(2, 4), (3, 9), (4, 16)])
        equal(sum(row[0] for row in cursor), sum(range(5, 1006)))
    connection.commit()
    with connection.cursor("scrolling", scrollable=True) as cursor:
        cursor.execute("SELECT i FROM generate_series(1, 100) AS i")
        cursor.scroll(49)
        equal(cursor.fetchone(), (50,))
        cursor.scroll(-10)
        equal(cursor.fetchone(), (41,))
        cursor.scroll(99, mode="absolute")
        equal(cursor.fetchall(), [(100,)])
    connection.commit()
    with connection.cursor("held", withhold=True) as cursor:
        cursor.execute("SELECT i FROM generate_series(1, 10) AS i")
        connection.commit()
        equal(len(cursor.fetchall()), 10)
    connection.close()


@test
def prepared_statements_are_kept():
    connection = connect()
    fresh(connection, "id int PRIMARY KEY, name text")
    with connection.cursor() as cursor:
        cursor.execute("PREPARE put (int, text) AS INSERT INTO t VALUES ($1, $2)")
        psycopg2.extras.execute_batch(cursor, "EXECUTE put (%s, %s)", [(i, f"n{i}") for i in range(500)])
        cursor.execute("PREPARE get AS SELECT name FROM t WHERE id = $1")
        cursor.execute("EXECUTE get (77)")
        equal(cursor.fetchone(), ("n77",))
        cursor.execute("SELECT name, statement, parameter_types::text FROM pg_prepared_statements ORDER BY name")
        equal(cursor.fetchall()[0], ("get", "PREPARE get AS SELECT name FROM t WHERE id = $1", "{integer}"))
        cursor.execute("DEALLOCATE ALL")
        raises(psycopg2.errors.InvalidSqlStatementName, cursor.execute, "EXECUTE get (1)")
    connection.close()


@test
def execute_values_inserts_many_rows_at_once():
    connection = connect()
    fresh(connection, "id serial, a int, b text")
    with connection.cursor() as cursor:
        ids = psycopg2.extras.execute_values(cursor, "INSERT INTO t (a, b) VALUES %s RETURNING id", [(i, str(i)) for i in range(1000)],
                                             page_size=100, fetch=True)
        equal([row[0] for row in ids], list(range(1, 1001)))
        cursor.execute("SELECT count(*), sum(a) FROM t WHERE b = a::text")
        equal(cursor.fetchone(), (1000, 499500))
    connection.close()


@test
def row_factories_name_columns():
    connection = connect()
    with connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
        cursor.execute("SELECT 1 AS a, 'x' AS b")
        equal(dict(cursor.fetchone()), {"a": 1, "b": "x"})
    with connection.cursor(cursor_factory=psycopg2.extras.NamedTupleCursor) as cursor:
        cursor.execute("SELECT 1 AS a, 'x' AS b")
        equal(cursor.fetchone().b, "x")
    connection.close()


@test
def composed_sql_quotes_identifiers():
    connection = connect()
    fresh(connection, '"select" int, "Mixed Case" text', '"odd ""name"""')
    query = psycopg2.sql.SQL("INSERT INTO {} ({}) VALUES ({}, {})").format(
        psycopg2.sql.Identifier('odd "name"'), psycopg2.sql.SQL(", ").join(map(psycopg2.sql.Identifier, ["select", "Mixed Case"])),
        psycopg2.sql.Literal(1), psycopg2.sql.Placeholder())
    with connection.cursor() as cursor:
        cursor.execute(query, ("it's",))
        cursor.execute('SELECT * FROM "odd ""name"""')
        equal(cursor.fetchall(), [(1, "it's")])
        cursor.execute('DROP TABLE "odd ""name"""')
    connection.commit()
    connection.close()


@test
def isolation_levels_and_modes_are_set():
    connection, other = connect(), connect()
    fresh(connection, "v int")
    connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
    equal(one(connection, "SHOW transaction_isolation"), ("repeatable read",))
    equal(one(connection, "SHOW transaction_read_only"), ("on",))
    with connection.cursor() as cursor:
        raises(psycopg2.errors.ReadOnlySqlTransaction, cursor.execute, "INSERT INTO t VALUES (1)")
    connection.rollback()
    equal(one(connection, "SELECT count(*) FROM t"), (0,))
    with other, other.cursor() as cursor:
        cursor.execute("INSERT INTO t VALUES (1)")
    equal(one(connection, "SELECT count(*) FROM t"), (0,))
    connection.rollback()
    equal(one(connection, "SELECT count(*) FROM t"), (1,))
    connection.rollback()
    connection.set_session(isolation_level="READ COMMITTED", readonly=False, autocommit=True)
    equal(one(connection, "SHOW transaction_isolation"), ("read committed",))
    connection.close()
    other.close()


@test
def lost_updates_fail_in_repeatable_read():
    connection, other = connect(), connect()
    fresh(connection, "id int PRIMARY KEY, v int")
    with connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO t VALUES (1, 0)")
    connection.set_session(isolation_level="REPEATABLE READ")
    equal(one(connection, "SELECT v FROM t"), (0,))
    with other, other.cursor() as cursor:
        cursor.execute("UPDATE t SET v = 5")
    with connection.cursor() as cursor:
        raises(psycopg2.errors.SerializationFailure, cursor.execute, "UPDATE t SET v = v + 1")
    connection.rollback()
    connection.close()
    other.close()


@test
def threads_add_up():
    connection = connect()
    fresh(connection, "id int PRIMARY KEY, v int")
    with connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO t SELECT i, 0 FROM generate_series(1, 5) AS i")
    pool = psycopg2.pool.ThreadedConnectionPool(1, 8, "")
    errors = []

    def work(seed):
        try:
            for i in range(30):
                mine = pool.getconn()
                with mine, mine.cursor() as cursor:
                    cursor.execute("UPDATE t SET v = v + 1 WHERE id = %s", ((seed + i) % 5 + 1,))
                pool.putconn(mine)
        except Exception as error:  # pylint: disable=broad-except
            errors.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(errors, [])
    equal(one(connection, "SELECT sum(v) FROM t"), (240,))
    pool.closeall()
    connection.close()


@test
def deadlocks_end_with_one_victim():
    connection = connect()
    fresh(connection, "id int PRIMARY KEY, v int")
    with connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO t VALUES (1, 0), (2, 0)")
    barrier, outcomes = threading.Barrier(2), []

    def work(first, second):
        mine = connect()
        try:
            with mine, mine.cursor() as cursor:
                cursor.execute("UPDATE t SET v = v + 1 WHERE id = %s", (first,))
                barrier.wait()
                cursor.execute("UPDATE t SET v = v + 1 WHERE id = %s", (second,))
            outcomes.append("done")
        except psycopg2.errors.DeadlockDetected:
            outcomes.append("deadlock")
        mine.close()

    threads = [threading.Thread(target=work, args=pair) for pair in ((1, 2), (2, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(sorted(outcomes), ["deadlock", "done"])
    equal(one(connection, "SELECT array_agg(v ORDER BY id) FROM t"), ([1, 1],))
    connection.close()


@test
def locks_time_out():
    connection, other = connect(), connect()
    fresh(connection, "id int PRIMARY KEY")
    with connection.cursor() as cursor, other.cursor() as blocked:
        cursor.execute("INSERT INTO t VALUES (1)")
        connection.commit()
        cursor.execute("UPDATE t SET id = 2")
        blocked.execute("SET lock_timeout = '100ms'")
        raises(psycopg2.errors.LockNotAvailable, blocked.execute, "UPDATE t SET id = 3")
        other.rollback()
        blocked.execute("SET statement_timeout = '100ms'")
        raises(psycopg2.errors.QueryCanceled, blocked.execute, "UPDATE t SET id = 3", code="57014")
    connection.close()
    other.close()


@test
def queries_are_cancelled():
    connection = connect()
    with connection.cursor() as cursor:
        raises(psycopg2.errors.QueryCanceled, cancelled, connect, connection, cursor.execute, "SELECT pg_sleep(1000)", code="57014")
    connection.rollback()
    equal(one(connection, "SELECT 1"), (1,))
    connection.close()


@test
def asynchronous_connections_poll():
    connection = psycopg2.connect("", async_=1)

    def wait():
        while True:
            state = connection.poll()
            if state == psycopg2.extensions.POLL_OK:
                return
            if state == psycopg2.extensions.POLL_READ:
                select.select([connection.fileno()], [], [])
            else:
                select.select([], [connection.fileno()], [])

    wait()
    cursor = connection.cursor()
    cursor.execute("SELECT count(*) FROM generate_series(1, 10000)")
    wait()
    equal(cursor.fetchone(), (10000,))
    connection.close()


@test
def the_session_tells_its_parameters():
    connection = connect(application_name="day's work", options="-c statement_timeout=7s -c search_path=public")
    equal(connection.server_version // 10000, 15)
    equal(connection.encoding, "UTF8")
    equal(connection.get_parameter_status("integer_datetimes"), "on")
    equal(connection.get_parameter_status("standard_conforming_strings"), "on")
    equal(connection.get_parameter_status("application_name"), "day's work")
    equal(one(connection, "SHOW statement_timeout"), ("7s",))
    equal(one(connection, "SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()")[0], "day's work")
    connection.set_client_encoding("UTF8")
    equal(one(connection, "SELECT 'é'"), ("é",))
    connection.close()


@test
def large_values_go_both_ways():
    connection = connect()
    fresh(connection, "b bytea, t text")
    data, text = bytes(range(256)) * 8192, "äöü" * 500000
    with connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO t VALUES (%s, %s)", (data, text))
    got = one(connection, "SELECT b, t, length(b), length(t) FROM t")
    check(bytes(got[0]) == data and got[1] == text)
    equal(got[2:], (len(data), len(text)))
    connection.close()


main("psycopg2")
