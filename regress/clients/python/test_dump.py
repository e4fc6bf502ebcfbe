#!/usr/bin/env python3
"""pg_dump of a database of ours: restored into another of ours it dumps the same; and a dump of it as PostgreSQL reads it."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading

from harness import check, equal, main, test

HERE = pathlib.Path(__file__).resolve().parent
SCHEMA = HERE.parent / "dump/schema.sql"
# One of the oldest dump formats that drops nothing and is easy to compare.
PG_BIN = pathlib.Path("/usr/lib/postgresql/15/bin")
DIRECTORY = pathlib.Path(tempfile.mkdtemp(prefix="sengi-dump-"))


def run(*command, stdin=None):
    """Its output; the test fails with its errors where it fails."""
    result = subprocess.run(command, capture_output=True, text=True, input=stdin, check=False)
    if result.returncode != 0:
        raise AssertionError(f"{command[0]}: {result.stderr.strip()[:500]}")
    return result


def sql(database, *arguments):
    """psql, which stops at the first error."""
    return run("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database, *arguments).stdout


def dump(database, *options):
    """The dump without what names versions and times."""
    result = run("pg_dump", *options, database)
    equal(result.stderr, "")
    return [line for line in result.stdout.splitlines() if not line.startswith(("-- Dumped", "\\restrict", "\\unrestrict"))]


def fresh(database):
    """An empty database."""
    sql("postgres", "-c", f"DROP DATABASE IF EXISTS {database}")
    sql("postgres", "-c", f"CREATE DATABASE {database}")


@test
def a_dump_restored_dumps_the_same():
    fresh("dump_a")
    sql("dump_a", "-f", str(SCHEMA))
    first = dump("dump_a")
    path = DIRECTORY / "a.sql"
    path.write_text("\n".join(first) + "\n", encoding="utf-8")
    check(any(line.startswith("CREATE TABLE shop.customer") for line in first))
    fresh("dump_b")
    sql("dump_b", "-f", str(path))
    equal(dump("dump_b"), first)
    for query in ("SELECT * FROM shop.customer ORDER BY id", "SELECT * FROM shop.item ORDER BY code", "SELECT sum(amount), count(*) FROM shop.sale", "SELECT * FROM totals ORDER BY 1",
                  "SELECT * FROM shop.rich", "SELECT count(*), count(b), sum(a) FROM plain", "SELECT nextval('shop.counter'), nextval('backwards')"):
        equal(sql("dump_b", "-c", query), sql("dump_a", "-c", query))


@test
def it_is_what_postgresql_would_dump():
    """PostgreSQL's own dump of the same definitions, recorded beside them."""
    fresh("dump_a")
    sql("dump_a", "-f", str(SCHEMA))
    wanted = (HERE.parent / "dump/expected.txt").read_text(encoding="utf-8").splitlines()
    got = dump("dump_a")
    at = next((i for i, line in enumerate(wanted) if i >= len(got) or got[i] != line), None)
    check(at is None, f"line {at}: wanted {wanted[at] if at is not None else ''!r}, got {got[at] if at is not None and at < len(got) else 'the end'!r}")
    equal(len(got), len(wanted))


@test
def dumps_as_inserts_and_parts_are_restored():
    fresh("dump_a")
    sql("dump_a", "-f", str(SCHEMA))
    for number, options in enumerate((("--inserts",), ("--column-inserts", "--rows-per-insert=7"), ("--clean", "--if-exists"), ("--no-owner", "--no-privileges"))):
        path = DIRECTORY / f"part{number}.sql"
        path.write_text("\n".join(dump("dump_a", *options)) + "\n", encoding="utf-8")
        fresh("dump_b")
        sql("dump_b", "-f", str(path))
        equal(sql("dump_b", "-c", "SELECT count(*), sum(amount) FROM shop.sale"), "50|1275\n")
    schema, data = dump("dump_a", "--schema-only"), dump("dump_a", "--data-only")
    check(not any(line.startswith("COPY ") for line in schema))
    check(not any(line.startswith("CREATE ") for line in data))
    check(any(line.startswith("CREATE TABLE public.plain") for line in dump("dump_a", "--table=plain")))


@test
def archives_are_restored():
    fresh("dump_a")
    sql("dump_a", "-f", str(SCHEMA))
    for kind, name in (("custom", "archive"), ("directory", "folder"), ("tar", "tape")):
        run("pg_dump", f"--format={kind}", "-f", str(DIRECTORY / name), "dump_a")
        fresh("dump_b")
        run("pg_restore", "--exit-on-error", "-d", "dump_b", str(DIRECTORY / name))
        equal(sql("dump_b", "-c", "SELECT count(*), sum(amount) FROM shop.sale"), "50|1275\n")
    fresh("dump_b")
    run("pg_restore", "--exit-on-error", "--jobs=3", "-d", "dump_b", str(DIRECTORY / "folder"))
    equal(sql("dump_b", "-c", "SELECT count(*), sum(amount) FROM shop.sale"), "50|1275\n")


@test
def jobs_side_by_side_dump_one_moment():
    """Four tables that one transaction changes alike, again and again, are alike in each dump."""
    fresh("dump_a")
    tables = [f"part{i}" for i in range(4)]
    sql("dump_a", "-c", "".join(f"CREATE TABLE {table} AS SELECT 0 AS v FROM generate_series(1, 2000);" for table in tables))
    writer = subprocess.Popen(["psql", "-X", "-q", "-d", "dump_a", "-v", "ON_ERROR_STOP=1"], stdin=subprocess.PIPE, text=True)
    turn = "BEGIN;" + "".join(f"UPDATE {table} SET v = v + 1;" for table in tables) + "COMMIT;\n"
    feeder = threading.Thread(target=feed, args=(writer, turn))
    feeder.start()
    try:
        seen = set()
        for number in range(4):
            folder = DIRECTORY / f"moment{number}"
            run("pg_dump", "--format=directory", "--jobs=3", "-f", str(folder), "dump_a")
            fresh("dump_b")
            run("pg_restore", "--exit-on-error", "--jobs=2", "-d", "dump_b", str(folder))
            values = sql("dump_b", "-c", " UNION ".join(f"SELECT v FROM {table}" for table in tables)).split()
            equal(len(values), 1)
            seen.update(values)
        check(len(seen) > 1, "nobody wrote meanwhile")
    finally:
        writer.terminate()
        writer.wait()
        feeder.join()


def feed(writer, text):
    """Until it is gone."""
    try:
        while True:
            writer.stdin.write(text)
    except (BrokenPipeError, ValueError):
        pass


@test
def the_whole_cluster_is_dumped():
    result = run("pg_dumpall", "--globals-only")
    check(re.search(r"^CREATE ROLE postgres;$", result.stdout, re.M), result.stdout)
    check("pg_dumpall: error" not in result.stderr)


@test
def postgresql_takes_the_dump():
    """A PostgreSQL of its own, as its own user where we are root, takes our dump and dumps the same."""
    fresh("dump_a")
    sql("dump_a", "-f", str(SCHEMA))
    ours = dump("dump_a")
    with PostgreSQL() as server:
        path = DIRECTORY / "ours.sql"
        path.write_text("\n".join(ours) + "\n", encoding="utf-8")
        where = ("-h", str(server.directory), "-p", "5432", "-U", "postgres")
        run("psql", "-X", "-q", *where, "-v", "ON_ERROR_STOP=1", "-d", "postgres", "-f", str(path))
        theirs = [line for line in run("pg_dump", *where, "postgres").stdout.splitlines() if not line.startswith(("-- Dumped", "\\restrict", "\\unrestrict"))]
        equal(theirs, ours)


class PostgreSQL:
    """A cluster in a temporary directory, on a Unix socket only."""

    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="sengi-oracle-"))
        self.prefix = []
        if os.geteuid() == 0:
            shutil.chown(self.directory, "postgres", "postgres")
            self.prefix = ["runuser", "-u", "postgres", "--"]

    def pg(self, *command):
        """Runs a program of the server's."""
        run(*self.prefix, str(PG_BIN / command[0]), *command[1:])

    def __enter__(self):
        self.pg("initdb", "-D", str(self.directory / "data"), "-U", "postgres", "-A", "trust", "--locale=C.UTF-8", "-E", "UTF8", "-N")
        self.pg("pg_ctl", "-D", str(self.directory / "data"), "-w", "-l", str(self.directory / "log"), "-o", f"-p 5432 -k {self.directory} -c listen_addresses= -c fsync=off", "start")
        return self

    def __exit__(self, *_):
        self.pg("pg_ctl", "-D", str(self.directory / "data"), "-m", "immediate", "stop")
        run("rm", "-rf", str(self.directory))


main("dump")
