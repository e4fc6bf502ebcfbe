#!/usr/bin/env python3
"""Scans, aggregates, joins and sorts over pgbench_accounts; PostgreSQL without parallel query, SQLite in process beside."""
import sqlite3
import subprocess
import tempfile
import time

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
]


def sqlite_times(scale):
    """The same rows in SQLite, one run of each query."""
    with tempfile.TemporaryDirectory() as directory:
        database = sqlite3.connect(f"{directory}/db")
        database.execute("CREATE TABLE pgbench_accounts (aid INTEGER PRIMARY KEY, bid INT, abalance INT, filler TEXT)")
        database.execute("CREATE TABLE pgbench_branches (bid INTEGER PRIMARY KEY, bbalance INT)")
        database.executemany("INSERT INTO pgbench_accounts VALUES (?, ?, 0, ?)", ((i + 1, i // 100000 + 1, " " * 84) for i in range(scale * 100000)))
        database.executemany("INSERT INTO pgbench_branches VALUES (?, 0)", ((i + 1,) for i in range(scale)))
        database.commit()
        for query in QUERIES:
            if "OFFSET" in query:
                query = query.replace("OFFSET", "LIMIT -1 OFFSET")
            start = time.monotonic()
            database.execute(query).fetchall()
            print(f"{query[:44]:44} {'sqlite':10} {(time.monotonic() - start) * 1000:9.1f}", flush=True)


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
    sqlite_times(options.scale)


if __name__ == "__main__":
    main()
