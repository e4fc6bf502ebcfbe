#!/usr/bin/env python3
"""Loading: COPY into an empty table, into a table of the same transaction, an index over it; SQLite's and DuckDB's import beside."""
import subprocess
import tempfile

import peers
import table

COLUMNS = "aid int, bid int, abalance int, filler char(84)"


def psql(server, *commands):
    arguments = [text for command in commands for text in ("-c", command)]
    subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", *arguments], env=server.environment, check=True, capture_output=True)


def peer_times(path):
    peers.sqlite_import("COPY into an empty table", COLUMNS, path)
    with tempfile.TemporaryDirectory() as directory:
        peers.duckdb([f"CREATE TABLE a ({COLUMNS})"], [("COPY into an empty table", f"COPY a FROM '{path}' (DELIMITER '\\t', HEADER false)"),
                                                       ("PRIMARY KEY", "ALTER TABLE a ADD PRIMARY KEY (aid)"),
                                                       ("CREATE INDEX", "CREATE INDEX ai ON a (bid)"),
                                                       ("CHECKPOINT", "CHECKPOINT")], f"{directory}/db")


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
                ("COPY into a table with a key", lambda server: psql(server, "DROP TABLE IF EXISTS k", f"CREATE TABLE k ({COLUMNS}, PRIMARY KEY (aid))",
                                                                     f"\\copy k FROM '{path}'")),
                ("CREATE INDEX", lambda server: psql(server, "DROP INDEX IF EXISTS ai", "CREATE INDEX ai ON a (bid)")),
                ("PRIMARY KEY", lambda server: psql(server, "ALTER TABLE a DROP CONSTRAINT IF EXISTS ap", "ALTER TABLE a ADD CONSTRAINT ap PRIMARY KEY (aid)")),
            ])
        finally:
            for server in chosen:
                server.remove()
        peer_times(path)


if __name__ == "__main__":
    main()
