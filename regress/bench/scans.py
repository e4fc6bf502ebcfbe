#!/usr/bin/env python3
"""Scans, aggregates, joins and sorts over pgbench_accounts; PostgreSQL without parallel query, SQLite and DuckDB in process beside."""
import subprocess

import peers
import table

QUERIES = [
    "SELECT count(*) FROM pgbench_accounts",
    "SELECT sum(abalance) FROM pgbench_accounts",
    "SELECT max(aid), min(bid) FROM pgbench_accounts WHERE abalance BETWEEN -5 AND 5",
    "SELECT bid, count(*), sum(abalance) FROM pgbench_accounts GROUP BY bid",
    "SELECT aid % 1000 AS x, count(*), avg(aid) FROM pgbench_accounts GROUP BY 1 ORDER BY 2 DESC LIMIT 3",
    "SELECT count(DISTINCT bid) FROM pgbench_accounts",
    "SELECT count(*) FROM pgbench_accounts WHERE filler LIKE '%a%'",
    "SELECT count(*) FROM pgbench_accounts a JOIN pgbench_branches b USING (bid) WHERE b.bbalance >= 0",
    "SELECT count(*) FROM pgbench_accounts a JOIN pgbench_accounts b ON a.aid = b.aid + 1",
    "SELECT aid FROM pgbench_accounts ORDER BY abalance, aid LIMIT 5",
    "SELECT aid + abalance AS s FROM pgbench_accounts ORDER BY 1 OFFSET 100 * 100000 - 1",
    "SELECT aid, bid FROM pgbench_accounts ORDER BY aid % 1000 DESC, aid OFFSET 100 * 100000 - 1",
]


def sqlite_fill(scale):
    def fill(database):
        database.execute("CREATE TABLE pgbench_accounts (aid INTEGER PRIMARY KEY, bid INT, abalance INT, filler TEXT)")
        database.execute("CREATE TABLE pgbench_branches (bid INTEGER PRIMARY KEY, bbalance INT)")
        database.executemany("INSERT INTO pgbench_accounts VALUES (?, ?, 0, ?)", ((i + 1, i // 100000 + 1, " " * 84) for i in range(scale * 100000)))
        database.executemany("INSERT INTO pgbench_branches VALUES (?, 0)", ((i + 1,) for i in range(scale)))
    return fill


def peer_times(scale):
    """The same rows in libraries."""
    peers.sqlite(sqlite_fill(scale), [(query, query.replace("OFFSET", "LIMIT -1 OFFSET")) for query in QUERIES])
    peers.duckdb(["CREATE TABLE pgbench_accounts AS SELECT (i + 1)::int AS aid, (i // 100000 + 1)::int AS bid, 0::int AS abalance, "
                  f"repeat(' ', 84) AS filler FROM range({scale * 100000}) t(i)",
                  f"CREATE TABLE pgbench_branches AS SELECT (i + 1)::int AS bid, 0::int AS bbalance FROM range({scale}) t(i)"],
                 [(query, query) for query in QUERIES])


def main():
    options = table.arguments("scans and aggregates beside PostgreSQL 15", scale=10)
    chosen = table.start(options)
    try:
        for server in chosen:
            subprocess.run(["pgbench", "-i", "-q", "-s", str(options.scale)], env=server.environment, check=True, capture_output=True)
            server.sql("VACUUM ANALYZE pgbench_accounts")
        works = [(query, lambda server, query=query: server.sql(query)) for query in QUERIES]
        table.compare(chosen, options.rounds, works)
    finally:
        for server in chosen:
            server.remove()
    peer_times(options.scale)


if __name__ == "__main__":
    main()
