"""Libraries in process, as a yardstick: SQLite, and DuckDB where node and its package @duckdb/node-api are installed.

One thread each; a run each. `npm install --prefix DIR @duckdb/node-api` and NODE_PATH=DIR/node_modules make DuckDB known.
"""
import json
import os
import pathlib
import resource
import shutil
import sqlite3
import subprocess
import tempfile
import time

import results

DUCKDB = pathlib.Path(__file__).resolve().parent / "duckdb.js"


def show(name, peer, wall, cpu):
    results.note(name, peer, rate=1000 / max(wall, 1e-3), wall=wall, cpu=cpu)
    print(f"{name[:44]:44} {peer:10} {wall:9.1f} {cpu:9.1f}", flush=True)


def processor_seconds(who=resource.RUSAGE_SELF):
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def duckdb(preparation, named, path=":memory:"):
    """Runs `preparation`, then measures named = [(name, statement)]."""
    node = shutil.which("node")
    if not node or subprocess.run([node, DUCKDB, "--check"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode:
        print("DuckDB is not installed (node and its package @duckdb/node-api)")
        return
    statements = preparation + [statement for _, statement in named]
    done = subprocess.run([node, DUCKDB, path], input=json.dumps(statements), text=True, capture_output=True, check=False)
    if done.returncode:
        print(f"duckdb: {done.stderr.strip()}")
        return
    for (name, _), line in zip(named, done.stdout.splitlines()[len(preparation):]):
        show(name, "duckdb", *map(float, line.split()))


def sqlite(preparation, named):
    """preparation: a function of the connection."""
    with tempfile.TemporaryDirectory() as directory:
        database = sqlite3.connect(f"{directory}/db")
        preparation(database)
        database.commit()
        for name, statement in named:
            start, used = time.monotonic(), processor_seconds()
            database.execute(statement).fetchall()
            database.commit()
            show(name, "sqlite", (time.monotonic() - start) * 1000, (processor_seconds() - used) * 1000)


def sqlite_import(name, columns, path):
    """SQLite's own shell, one transaction, durable at its end."""
    if not shutil.which("sqlite3"):
        print("sqlite3 is not installed")
        return
    with tempfile.TemporaryDirectory() as directory:
        script = f"CREATE TABLE a ({columns});\n.mode tabs\n.import {path} a\n"
        start, used = time.monotonic(), processor_seconds(resource.RUSAGE_CHILDREN)
        subprocess.run(["sqlite3", os.path.join(directory, "db")], input=script, text=True, check=True)
        show(name, "sqlite", (time.monotonic() - start) * 1000, (processor_seconds(resource.RUSAGE_CHILDREN) - used) * 1000)
