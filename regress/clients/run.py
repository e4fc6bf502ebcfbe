#!/usr/bin/env python3
"""Clients of every kind at work on one server: a libpq program, the drivers of other languages, pg_dump.

The drivers' scripts run with Debian's own python3, where the packages of tools/dev are; node-postgres is
installed from regress/clients/node/package-lock.json on first use. Tests listed in pending.txt wait for what they
need: they are run, and count as skipped where they fail.
"""
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "tools"))
import suite  # pylint: disable=wrong-import-position
from sengi_server import Server  # pylint: disable=wrong-import-position

PYTHON = "/usr/bin/python3"
SUITE_SECONDS = 600


def python_suite(name):
    """A script of regress/clients/python."""
    return lambda options, server: [PYTHON, str(HERE / "python" / name)]


def libpq_suite(options, server):
    """The C program that meson built."""
    return [str(options.build / "regress/clients/client_libpq")]


def node_suite(options, server):
    """node-postgres, installed beside the build."""
    place = options.build / "clients-node"
    place.mkdir(exist_ok=True)
    for name in ("package.json", "package-lock.json", "test_pg.js"):
        shutil.copy(HERE / "node" / name, place / name)
    marker, lock = place / "installed", (HERE / "node/package-lock.json").read_text(encoding="utf-8")
    if not marker.exists() or marker.read_text(encoding="utf-8") != lock:
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=place, check=True, stdout=sys.stderr)
        marker.write_text(lock, encoding="utf-8")
    return ["node", str(place / "test_pg.js")]


def jdbc_suite(options, server):
    """pgjdbc, from a single source file."""
    return ["java", "-XX:+UseSerialGC", "-cp", "/usr/share/java/postgresql.jar", str(HERE / "jdbc/Day.java"), f"jdbc:postgresql://127.0.0.1:{server.port}/postgres"]


SUITES = {
    "libpq": libpq_suite,
    "psycopg2": python_suite("test_psycopg2.py"),
    "psycopg3": python_suite("test_psycopg3.py"),
    "sqlalchemy": python_suite("test_sqlalchemy.py"),
    "pg": node_suite,
    "jdbc": jdbc_suite,
    "dump": python_suite("test_dump.py"),
    "authentication": python_suite("test_authentication.py"),
    "encodings": python_suite("test_encodings.py"),
}


def run_suite(name, options, server):
    """Passes the suite's lines on; says what went wrong where it did not end by itself."""
    environment = dict(os.environ, PGHOST="127.0.0.1", PGPORT=str(server.port), PGUSER="postgres", PGDATABASE="postgres",
                       SENGI_BUILD=str(options.build), PYTHONDONTWRITEBYTECODE="1")
    for variable in ("ASAN_OPTIONS", "LSAN_OPTIONS"):
        if name != "libpq" and variable in environment and name not in ("dump", "authentication"):
            del environment[variable]
    seen = 0
    try:
        command = SUITES[name](options, server)
        result = subprocess.run(command, env=environment, timeout=SUITE_SECONDS, capture_output=True, text=True, errors="replace", check=False)
    except (subprocess.SubprocessError, OSError) as error:
        print(f"not ok {name}/runs: {str(error)[:300]}".replace("\n", " "))
        return
    pending = set((HERE / "pending.txt").read_text(encoding="utf-8").split())
    for line in result.stdout.splitlines():
        seen += line.startswith(("ok ", "not ok ", "skip "))
        if line.startswith("not ok ") and line[7:].partition(":")[0] in pending:
            line = "skip " + line[7:].partition(":")[0] + ": pending"
        elif line.startswith("ok ") and line[3:] in pending:
            print(f"{line[3:]} passes now; take it off regress/clients/pending.txt")
        print(line, flush=True)
    if result.returncode not in (0, 1) or seen == 0:
        print(f"not ok {name}/ends: status {result.returncode}: {result.stderr.strip()[-600:]}".replace("\n", " | "))


def main():
    """Runs the suites on one server each, so that one that ends it does not take the others along."""
    parser = suite.parser()
    parser.add_argument("--only", default="", help="one suite: " + " ".join(SUITES))
    options = parser.parse_args()
    for name in SUITES:
        if options.only and options.only != name:
            continue
        server = Server(options.build)
        server.start()
        run_suite(name, options, server)
        status = server.stop()
        if status == 0:
            print(f"ok {name}/server-stops-cleanly")
        else:
            print(f"not ok {name}/server-stops-cleanly: status {status}: {server.log_tail(60)}".replace("\n", " | "))
        server.remove()


main()
