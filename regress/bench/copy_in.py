#!/usr/bin/env python3
"""Loading: COPY into an empty table, into a table of the same transaction, an index over it; SQLite's import beside."""
import shutil
import subprocess
import tempfile
import time

import table

COLUMNS = "aid int, bid int, abalance int, filler char(84)"


def psql(server, *commands):
    arguments = [text for command in commands for text in ("-c", command)]
    subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", *arguments], env=server.environment, check=True, capture_output=True)


def sqlite_import(path):
    """SQLite's own shell, one transaction, durable at its end."""
    with tempfile.TemporaryDirectory() as directory:
        script = f"CREATE TABLE a ({COLUMNS});\n.mode tabs\n.import {path} a\n"
        start = time.monotonic()
        subprocess.run(["sqlite3", f"{directory}/db"], input=script, text=True, check=True)
        return time.monotonic() - start


def main():
    options = table.arguments("COPY and CREATE INDEX beside PostgreSQL 15", rows=1000000)
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as file:
        for i in range(options.rows):
            file.write(f"{i + 1}\t{i // 100000 + 1}\t0\t{' ' * 84}\n")
        file.flush()
        path = file.name
        chosen = table.start(options)
        try:
            table.compare(chosen, options.rounds, [
                ("COPY into an empty table", lambda server: psql(server, "DROP TABLE IF EXISTS a", f"CREATE TABLE a ({COLUMNS})",
                                                                 f"\\copy a FROM '{path}'")),
                ("COPY into a table of its transaction", lambda server: psql(server, "DROP TABLE IF EXISTS a", "BEGIN", f"CREATE TABLE a ({COLUMNS})",
                                                                             f"\\copy a FROM '{path}'", "COMMIT")),
                ("CREATE INDEX", lambda server: psql(server, "DROP INDEX IF EXISTS ai", "CREATE INDEX ai ON a (bid)")),
                ("PRIMARY KEY", lambda server: psql(server, "ALTER TABLE a DROP CONSTRAINT IF EXISTS ap", "ALTER TABLE a ADD CONSTRAINT ap PRIMARY KEY (aid)")),
            ])
        finally:
            for server in chosen:
                server.remove()
        if shutil.which("sqlite3"):
            print(f"{'sqlite3 .import':44} {'sqlite':10} {sqlite_import(path) * 1000:9.1f}")


if __name__ == "__main__":
    main()
