#!/usr/bin/env python3
"""Loading: COPY into an empty table, into a table of the same transaction, an index over it; SQLite's and DuckDB's import beside.

The statements alone are measured, on a connection that stays: tables are made and dropped before, and no client starts.
"""
import tempfile

import peers
import table
import wire_client

COLUMNS = "aid int, bid int, abalance int, filler char(84)"


def peer_times(path):
    peers.sqlite_import("COPY into an empty table", COLUMNS, path)
    with tempfile.TemporaryDirectory() as directory:
        peers.duckdb([f"CREATE TABLE a ({COLUMNS})"], [("COPY into an empty table", f"COPY a FROM '{path}' (DELIMITER '\\t', HEADER false)"),
                                                       ("PRIMARY KEY", "ALTER TABLE a ADD PRIMARY KEY (aid)"),
                                                       ("CREATE INDEX", "CREATE INDEX ai ON a (bid)"),
                                                       ("CHECKPOINT", "CHECKPOINT")], f"{directory}/db")


def works(clients, frames):
    """COPY's rows come from a file of frames, which costs the client next to nothing."""
    def run(*statements):
        return lambda server: [clients[server.name].query(statement) for statement in statements]

    def load(name, *further):
        def work(server):
            clients[server.name].copy_in(f"COPY {name} FROM STDIN", frames)
            run(*further)(server)
        return work

    return [
        ("COPY into an empty table", load("a"), run("DROP TABLE IF EXISTS a", f"CREATE TABLE a ({COLUMNS})")),
        ("COPY into a table of its transaction", load("a", "COMMIT"), run("DROP TABLE IF EXISTS a", "BEGIN", f"CREATE TABLE a ({COLUMNS})")),
        ("COPY into a table with a key", load("k"), run("DROP TABLE IF EXISTS k", f"CREATE TABLE k ({COLUMNS}, PRIMARY KEY (aid))")),
        ("CREATE INDEX", run("CREATE INDEX ai ON a (bid)"), run("DROP INDEX IF EXISTS ai")),
        ("PRIMARY KEY", run("ALTER TABLE a ADD CONSTRAINT ap PRIMARY KEY (aid)"), run("ALTER TABLE a DROP CONSTRAINT IF EXISTS ap")),
    ]


def main():
    options = table.arguments("COPY and CREATE INDEX beside PostgreSQL 15", rows=1000000)
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as file, tempfile.NamedTemporaryFile() as frames:
        for i in range(options.rows):
            file.write(f"{i + 1}\t{i // 100000 + 1}\t0\t{' ' * 84}\n")
        file.flush()
        path = file.name
        with open(path, "rb") as data:
            wire_client.write_copy_frames(data, frames)
        chosen = table.start(options)
        try:
            clients = {server.name: wire_client.Client(server) for server in chosen}
            table.compare(chosen, options.rounds, works(clients, frames))
        finally:
            for server in chosen:
                server.remove()
        peer_times(path)


if __name__ == "__main__":
    main()
