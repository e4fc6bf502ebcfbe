#!/usr/bin/env python3
"""A day's work with psycopg 3: the extended protocol, binary forms, prepared statements, pipelines, COPY, async, pool."""
import asyncio
import datetime
import decimal
import ipaddress
import threading
import uuid

import psycopg
import psycopg_pool
from harness import cancelled, check, equal, main, raises, test
from psycopg import errors
from psycopg.rows import class_row, dict_row


def connect(**options):
    """A session as the environment says."""
    return psycopg.connect("", **options)


def fresh(connection, definition, name="t3"):
    """Makes table `name` anew."""
    connection.execute(f"DROP TABLE IF EXISTS {name} CASCADE")
    connection.execute(f"CREATE TABLE {name} ({definition})")
    connection.commit()


@test
def rows_are_created_read_updated_and_deleted():
    with connect() as connection:
        fresh(connection, "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text, amount numeric(12,4)")
        cursor = connection.execute("INSERT INTO t3 (name, amount) VALUES (%s, %s) RETURNING id", ("a", decimal.Decimal("1.25")))
        equal(cursor.fetchone(), (1,))
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO t3 (name, amount) VALUES (%s, %s) RETURNING id", [("b", 2), ("c", None)], returning=True)
            equal(cursor.fetchone(), (2,))
            check(cursor.nextset())
            equal(cursor.fetchone(), (3,))
        cursor = connection.execute("UPDATE t3 SET amount = amount + %s WHERE id = ANY(%s)", (1, [1, 2]))
        equal(cursor.rowcount, 2)
        rows = connection.execute("SELECT id, name, amount FROM t3 ORDER BY id").fetchall()
        equal(rows, [(1, "a", decimal.Decimal("2.2500")), (2, "b", decimal.Decimal("3.0000")), (3, "c", None)])
        equal(connection.execute("DELETE FROM t3 WHERE id > %s", (1,)).statusmessage, "DELETE 2")


VALUES = [
    ("int2", 7), ("int4", -2147483648), ("int8", -(2**63)), ("bool", True), ("float4", 1.5), ("float8", -0.1),
    ("numeric", decimal.Decimal("-12345678901234567890.1234567890")), ("numeric", decimal.Decimal("0.00001000")), ("numeric", decimal.Decimal("10000")),
    ("text", "naïve 🐘"), ("varchar", "abc"), ("bytea", b"\x00\xff"), ("date", datetime.date(1, 1, 1)), ("date", datetime.date(9999, 12, 31)),
    ("time", datetime.time(1, 2, 3, 4)), ("timetz", datetime.time(1, 2, 3, 4, tzinfo=datetime.timezone(datetime.timedelta(hours=-5)))),
    ("timestamp", datetime.datetime(1970, 1, 1, 0, 0, 0, 1)), ("timestamptz", datetime.datetime(2024, 6, 1, 12, tzinfo=datetime.timezone.utc)),
    ("interval", datetime.timedelta(days=-3, microseconds=1)), ("uuid", uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")),
    ("int4[]", [1, None, 3]), ("text[]", []), ("text[]", [["a", "b"], ["c", None]]), ("numeric[]", [decimal.Decimal("1.50")]),
    ("timestamptz[]", [datetime.datetime(2024, 6, 1, 12, tzinfo=datetime.timezone.utc)]), ("uuid[]", [uuid.UUID(int=5)]), ("bool[]", [True, False]),
    ("float8[]", [1.0, -2.5]), ("bytea[]", [b"a", b"\0"]),
]


@test
def values_come_back_the_same_in_text_and_binary():
    with connect(options="-c timezone=UTC") as connection:
        for kind, value in VALUES:
            for placeholder in ("%s", "%b", "%t"):
                for binary in (False, True):
                    got = connection.execute(f"SELECT {placeholder}::{kind}", (value,), binary=binary).fetchone()[0]
                    try:
                        equal(got, value)
                    except AssertionError as error:
                        raise AssertionError(f"{kind} by {placeholder}, binary {binary}: {error}") from error


@test
def binary_and_text_results_agree():
    with connect() as connection:
        text = """SELECT 1::int2, 2::int4, 3::int8, 1.5::float4, 'NaN'::float8, '-Infinity'::float8, 'NaN'::numeric, 1e20::numeric, 0.000001::numeric,
            'x'::char(3), 'y'::name, 'c'::"char", now(), current_date, localtime, interval '1 mon 2 days 03:04:05', 26::oid,
            NULL::int, ARRAY[1,2], ARRAY['a',NULL], '\\x00ff'::bytea, true"""
        connection.execute("SET TIME ZONE 'UTC'")
        equal(connection.execute(text, binary=True).fetchone()[:17][10:12], ("y", "c"))
        for first, second in zip(connection.execute(text).fetchone(), connection.execute(text, binary=True).fetchone()):
            if first == first:  # NaN is not itself
                equal(second, first)


@test
def network_and_json_values_are_known_or_refused():
    with connect(autocommit=True) as connection:
        for kind, value in (("inet", ipaddress.ip_address("192.168.0.1")), ("jsonb", psycopg.types.json.Jsonb({"a": [1, None]}))):
            try:
                got = connection.execute(f"SELECT %s::{kind}", (value,)).fetchone()[0]
                equal(got, value.obj if kind == "jsonb" else value)
            except errors.UndefinedObject as error:
                check(f'type "{kind}" does not exist' in str(error))
            except errors.FeatureNotSupported:
                pass
        equal(connection.execute("SELECT 1").fetchone(), (1,))


@test
def statements_are_prepared_after_some_runs():
    with connect(prepare_threshold=2) as connection:
        fresh(connection, "id int PRIMARY KEY, name text")
        for i in range(20):
            connection.execute("INSERT INTO t3 VALUES (%s, %s)", (i, f"n{i}"))
        equal(connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()[0] > 0, True)
        for i in range(20):
            equal(connection.execute("SELECT name FROM t3 WHERE id = %s", (i,), prepare=True).fetchone(), (f"n{i}",))
        connection.execute("ALTER TABLE t3 ADD COLUMN extra int DEFAULT 5")
        equal(connection.execute("SELECT extra FROM t3 WHERE id = %s", (1,), prepare=True).fetchone(), (5,))


@test
def a_prepared_star_fails_when_its_columns_change():
    with connect(autocommit=True) as connection:
        fresh_auto(connection)
        for _ in range(3):
            connection.execute("SELECT * FROM t3", prepare=True)
        connection.execute("ALTER TABLE t3 ADD COLUMN b int")
        error = raises(errors.FeatureNotSupported, connection.execute, "SELECT * FROM t3", prepare=True)
        equal(error.diag.message_primary, "cached plan must not change result type")


def fresh_auto(connection):
    """Table t3 with one column, without a transaction."""
    connection.execute("DROP TABLE IF EXISTS t3 CASCADE")
    connection.execute("CREATE TABLE t3 (a int)")


@test
def transactions_nest():
    with connect() as connection:
        fresh(connection, "id int PRIMARY KEY")
        with connection.transaction():
            connection.execute("INSERT INTO t3 VALUES (1)")
            try:
                with connection.transaction():
                    connection.execute("INSERT INTO t3 VALUES (2)")
                    connection.execute("INSERT INTO t3 VALUES (1)")
            except errors.UniqueViolation as error:
                equal(error.diag.constraint_name, "t3_pkey")
            with connection.transaction():
                connection.execute("INSERT INTO t3 VALUES (3)")
        equal(connection.execute("SELECT array_agg(id ORDER BY id) FROM t3").fetchone(), ([1, 3],))


@test
def pipelines_answer_in_order():
    with connect() as connection:
        fresh(connection, "id int PRIMARY KEY, v int")
        with connection.pipeline():
            cursors = [connection.execute("INSERT INTO t3 VALUES (%s, %s) RETURNING id", (i, i * i)) for i in range(200)]
            equal([cursor.fetchone()[0] for cursor in cursors], list(range(200)))
        connection.commit()
        try:
            with connection.pipeline():
                connection.execute("INSERT INTO t3 VALUES (1000, 0)")
                connection.execute("INSERT INTO t3 VALUES (1, 0)")
                connection.execute("INSERT INTO t3 VALUES (1001, 0)")
            raise AssertionError("the pipeline did not fail")
        except errors.UniqueViolation:
            connection.rollback()
        equal(connection.execute("SELECT count(*) FROM t3").fetchone(), (200,))


@test
def copy_takes_and_gives_rows():
    with connect() as connection:
        fresh(connection, "id int, name text, at timestamptz")
        now = datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
        cursor = connection.cursor()
        with cursor.copy("COPY t3 (id, name, at) FROM STDIN") as copy:
            for i in range(3000):
                copy.write_row((i, f"tab\t{i}\\ \n", now))
        equal(cursor.rowcount, 3000)
        with cursor.copy("COPY t3 FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["int4", "text", "timestamptz"])
            for i in range(3000, 6000):
                copy.write_row((i, None, now))
        with cursor.copy("COPY (SELECT * FROM t3 ORDER BY id) TO STDOUT (FORMAT binary)") as copy:
            copy.set_types(["int4", "text", "timestamptz"])
            rows = list(copy.rows())
        equal(len(rows), 6000)
        equal(rows[1][:2], (1, "tab\t1\\ \n"))
        equal(rows[5999][:2], (5999, None))
        with cursor.copy("COPY (SELECT id FROM t3 ORDER BY id LIMIT 2) TO STDOUT") as copy:
            equal(b"".join(bytes(block) for block in copy), b"0\n1\n")


@test
def copy_that_fails_leaves_the_session_usable():
    with connect() as connection:
        fresh(connection, "id int")
        try:
            with connection.cursor().copy("COPY t3 FROM STDIN") as copy:
                copy.write_row((1,))
                raise ValueError("mine")
            raise AssertionError("the COPY did not fail")
        except (ValueError, errors.QueryCanceled) as error:
            check("mine" in str(error))
        connection.rollback()
        try:
            with connection.cursor().copy("COPY t3 FROM STDIN") as copy:
                copy.write("1\nx\n2\n")
            raise AssertionError("the COPY did not fail")
        except errors.InvalidTextRepresentation as error:
            equal(error.diag.context, 'COPY t3, line 2, column id: "x"')
        connection.rollback()
        equal(connection.execute("SELECT count(*) FROM t3").fetchone(), (0,))


@test
def server_cursors_fetch_piecewise():
    with connect() as connection:
        with connection.cursor("c", scrollable=True) as cursor:
            cursor.execute("SELECT i FROM generate_series(1, %s) AS i", (1000,), binary=True)
            equal(cursor.fetchmany(2), [(1,), (2,)])
            cursor.scroll(500, mode="absolute")
            equal(cursor.fetchone(), (501,))
            equal(sum(row[0] for row in cursor), sum(range(502, 1001)))
        equal(sum(row[0] for row in connection.cursor().stream("SELECT i FROM generate_series(1, 5000) AS i")), 12502500)


@test
def rows_become_dictionaries_and_objects():
    class Item:  # pylint: disable=too-few-public-methods
        """A row."""

        def __init__(self, number, name):
            self.number, self.name = number, name

    with connect(row_factory=dict_row) as connection:
        equal(connection.execute("SELECT 1 AS a, NULL AS b").fetchone(), {"a": 1, "b": None})
        item = connection.cursor(row_factory=class_row(Item)).execute("SELECT 5 AS number, 'x' AS name").fetchone()
        equal((item.number, item.name), (5, "x"))


@test
def parameters_that_cannot_be_typed_are_named():
    with connect(autocommit=True) as connection:
        raises(errors.IndeterminateDatatype, connection.execute, "SELECT %s IS NULL", (None,), code="42P18")
        raises(errors.UndefinedFunction, connection.execute, "SELECT %s + %s",
               (datetime.date.today(), datetime.date.today()))
        equal(connection.execute("SELECT %s::text", (None,)).fetchone(), (None,))
        raises(errors.InvalidTextRepresentation, connection.execute, "SELECT %s::int4", ("x",))
        raises(errors.SyntaxError, connection.execute, "SELECT 1; SELECT %s", (1,))


@test
def many_statements_run_without_parameters():
    with connect(autocommit=True) as connection:
        cursor = connection.execute("SELECT 1; SELECT 2, 3; SELECT WHERE false")
        equal(cursor.fetchall(), [(1,)])
        check(cursor.nextset())
        equal(cursor.fetchall(), [(2, 3)])
        check(cursor.nextset())
        equal(cursor.fetchall(), [])
        check(not cursor.nextset())


@test
def notices_and_diagnostics_arrive():
    with connect(autocommit=True) as connection:
        notices = []
        connection.add_notice_handler(lambda diagnostic: notices.append((diagnostic.severity, diagnostic.sqlstate, diagnostic.message_primary)))
        connection.execute("DROP TABLE IF EXISTS never_was")
        equal(notices, [("NOTICE", "00000", 'table "never_was" does not exist, skipping')])


@test
def queries_are_cancelled():
    with connect() as connection:
        raises(errors.QueryCanceled, cancelled, connect, connection, connection.execute, "SELECT pg_sleep(1000)")
        connection.rollback()
        equal(connection.execute("SELECT 1").fetchone(), (1,))


@test
def a_pool_serves_threads():
    with connect() as connection:
        fresh(connection, "v int")
        connection.execute("INSERT INTO t3 VALUES (0)")
    with psycopg_pool.ConnectionPool("", min_size=2, max_size=6) as pool:
        def work():
            for _ in range(25):
                with pool.connection() as mine:
                    mine.execute("UPDATE t3 SET v = v + 1")

        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    with connect() as connection:
        equal(connection.execute("SELECT v FROM t3").fetchone(), (150,))


@test
def coroutines_share_the_work():
    async def run():
        async with await psycopg.AsyncConnection.connect("", autocommit=True) as connection:
            await connection.execute("DROP TABLE IF EXISTS t3 CASCADE")
            await connection.execute("CREATE TABLE t3 (id int PRIMARY KEY, v int)")

        async def work(seed):
            async with await psycopg.AsyncConnection.connect("") as mine:
                async with mine.cursor() as cursor:
                    for i in range(20):
                        await cursor.execute("INSERT INTO t3 VALUES (%s, %s)", (seed * 100 + i, i))

        await asyncio.gather(*(work(seed) for seed in range(10)))
        async with await psycopg.AsyncConnection.connect("") as connection:
            cursor = await connection.execute("SELECT count(*), sum(v) FROM t3")
            equal(await cursor.fetchone(), (200, 1900))

    asyncio.run(run())


@test
def two_phase_commit_is_answered():
    with connect(autocommit=True) as connection:
        try:
            connection.execute("BEGIN; PREPARE TRANSACTION 'x'")
            connection.execute("ROLLBACK PREPARED 'x'")
        except (errors.FeatureNotSupported, errors.ObjectNotInPrerequisiteState):
            connection.execute("ROLLBACK")
        equal(connection.execute("SELECT 1").fetchone(), (1,))


main("psycopg3")
