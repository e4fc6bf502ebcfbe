#!/usr/bin/env python3
"""Random queries: Sengi and a PostgreSQL 15 must give the same rows, in whatever order.

usage: run.py --build DIR [--long | --quick] [--seed N] [--count N] [--ports SENGI,ORACLE]

Only with --long (or --count): it needs Debian's postgresql-15. A failure names the seed and the query;
--ports compares servers that run already.
"""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "tools"))
import shapes
import suite
import wire
from generator import SCHEMA, Generator, rows

BATCH = 250
ZEROS = re.compile(r"(\d\.\d*?[1-9]|\d(?=\.0+\b))\.?0+\b")


def outcome(connection, query):
    """Rows sorted, or the SQLSTATE."""
    lines = connection.query(query)
    errors = [line for line in lines if line.startswith("error ")]
    if errors:
        return ["error " + part for part in errors[0].split(" | ") if part.startswith("C")]
    types = [part.split(":")[1] for line in lines if line.startswith("columns ") for part in line[8:].split(" | ")]
    # Of equal numerics either may stand for both: 1 and 1.00.
    return [" ".join(types)] + sorted(ZEROS.sub(r"\1", line) for line in lines if line.startswith("row "))


def prepare(connection):
    """The schema and its rows, fresh."""
    connection.query("DROP SCHEMA public CASCADE")
    connection.query("CREATE SCHEMA public")
    for statement in [*SCHEMA, *rows(), "ANALYZE"]:
        answer = connection.query(statement)
        if any(line.startswith("error ") for line in answer):
            raise SystemExit(f"not ok queries/schema: {statement}: {answer}")


def compare(name, queries, sengi_port, oracle_port):
    """Runs queries on both; prints a result line, and one for each that differs."""
    sengi, reference = wire.Connection(sengi_port, timeout=120), wire.Connection(oracle_port, timeout=120)
    reference.query("SET statement_timeout = '20s'")
    different = 0
    number = -1
    for number, query in enumerate(queries):
        wanted = outcome(reference, query)
        if wanted == ["error C57014"]:
            continue
        try:
            got = outcome(sengi, query)
        except (OSError, wire.WireError) as error:
            print(f"not ok queries/{name}.{number}: {error}: {query}", flush=True)
            return
        if got != wanted:
            different += 1
            missing = [line for line in wanted if line not in got][:3]
            extra = [line for line in got if line not in wanted][:3]
            print(f"not ok queries/{name}.{number}: wanted {len(wanted)} {missing}, got {len(got)} {extra}: {query}", flush=True)
    if not different:
        print(f"ok queries/{name}: {number + 1} queries", flush=True)
    sengi.close()
    reference.close()


def main():
    parser = suite.parser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int)
    parser.add_argument("--ports")
    options = parser.parse_args()
    if not suite.is_beside_due(options, options.count, "queries"):
        return
    count = options.count or 20 * BATCH
    with suite.beside(options) as (sengi_port, oracle_port):
        for port in (sengi_port, oracle_port):
            connection = wire.Connection(port)
            prepare(connection)
            connection.close()
        for seed in range(options.seed, options.seed + (count + BATCH - 1) // BATCH):
            generator = Generator(seed)
            compare(f"rows-{seed}", (generator.query() for _ in range(min(count, BATCH))), sengi_port, oracle_port)
            compare(f"shapes-{seed}", shapes.statements(seed, min(count, BATCH)), sengi_port, oracle_port)


main()
