#!/usr/bin/env python3
"""Plans: Sengi reads and joins the same tables in the same way as PostgreSQL 15, and expects as many rows.

usage: run.py --build DIR [--long | --quick] [--only TEXT] [--ports SENGI,ORACLE [--database NAME] [--keep]] [--verbose]

Only with --long (or --only, --ports): it needs Debian's postgresql-15. tables.sql has the tables, statements.sql and
estimates.sql the statements. Of a plan its essence counts: how each table is read, the joins' order and methods, sorts,
aggregation. Bitmap scans count as index scans; merge joins, memoize and parallel query are off over there.
pending.txt has the differences that stay, each with its reason. --ports compares servers that run already (the tables are
made unless --keep).
"""
import json
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(TOP.parent.parent / "tools"))
import suite
import wire

ORACLE_SETTINGS = ["SET enable_mergejoin = off", "SET enable_memoize = off", "SET max_parallel_workers_per_gather = 0", "SET jit = off"]
SCANS = {"Seq Scan": "seq", "Index Scan": "index", "Index Only Scan": "only", "Bitmap Heap Scan": "index", "Tid Scan": "tid"}
PASSED = {"Hash", "Materialize", "Limit", "Result", "Subquery Scan", "ProjectSet", "LockRows", "Memoize"}
JOINS = {"Nested Loop": "loop", "Hash Join": "hash", "Merge Join": "merge"}


def entries(name):
    """`name: text` lines of a file."""
    lines = (TOP / name).read_text(encoding="utf-8").splitlines()
    return [line.split(": ", 1) for line in lines if line and not line.startswith(("--", "#"))]


def run(connection, sql):
    """The answer's lines, or the end: what prepares a comparison must work."""
    lines = connection.query(sql)
    for line in lines:
        if line.startswith("error "):
            raise SystemExit(f"not ok plans/prepare: {sql}: {line}")
    return lines


def prepare(connection, finish):
    """The tables, loaded and analyzed."""
    run(connection, "DROP TABLE IF EXISTS facts, dims, groups")
    for line in (TOP / "tables.sql").read_text(encoding="utf-8").splitlines():
        if not line.startswith("--"):
            run(connection, line)
    run(connection, finish)


def plan_of(connection, sql):
    """EXPLAIN (FORMAT JSON)'s tree."""
    lines = connection.query("EXPLAIN (FORMAT JSON) " + sql)
    text = "\n".join(line[4:] for line in lines if line.startswith("row "))
    for line in lines:
        if line.startswith("error "):
            return {"Node Type": line}
    return json.loads(unescape(text))[0]["Plan"]


def unescape(text):
    """A value as wire.py prints it."""
    return re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t"}.get(m[1], m[1]), text)


def essence(plan):
    """A plan in one line."""
    kind = plan["Node Type"]
    children = [child for child in plan.get("Plans", []) if child["Node Type"] not in ("Bitmap Index Scan", "BitmapOr", "BitmapAnd")]
    inner = [essence(child) for child in children]
    if kind in SCANS:
        name = SCANS[kind] + " " + re.sub(r"_\d+$", "", plan["Alias"])
        return f"{name}({', '.join(inner)})" if inner else name
    if kind in PASSED:
        return ", ".join(inner) or kind.lower()
    if kind in JOINS:
        join = "" if plan["Join Type"] == "Inner" else plan["Join Type"].lower() + " "
        return f"{join}{JOINS[kind]}({', '.join(inner)})"
    if kind == "Aggregate":
        return f"{ {'Plain': 'agg', 'Sorted': 'groupagg', 'Hashed': 'hashagg', 'Mixed': 'mixedagg'}[plan['Strategy']] }({', '.join(inner)})"
    return f"{kind.lower()}({', '.join(inner)})"


def close(theirs, ours):
    """Do two estimates mean the same?"""
    return abs(theirs - ours) <= 10 or max(theirs, ours) <= 2 * min(theirs, ours)


def comparisons(only):
    """(name, sql, what is compared, how it is judged)."""
    for name, sql in entries("statements.sql"):
        if not only or only in name:
            yield name, sql, essence, lambda theirs, ours: theirs == ours
    for name, sql in entries("estimates.sql"):
        if not only or only in "rows_" + name:
            yield "rows_" + name, sql, lambda plan: plan.get("Plan Rows", -1), close


def compare(sengi, reference, only, verbose):
    """Prints a line for each statement."""
    pending = dict(entries("pending.txt"))
    for name, sql, view, is_same in comparisons(only):
        theirs, ours = view(plan_of(reference, sql)), view(plan_of(sengi, sql))
        if is_same(theirs, ours):
            if name in pending:
                print(f"plans/{name} agrees now; take it off regress/plans/pending.txt")
            print(f"ok plans/{name}", flush=True)
        elif name in pending:
            print(f"skip plans/{name}: {pending[name]}" + (f" ({theirs} / {ours})" if verbose else ""), flush=True)
        else:
            print(f"not ok plans/{name}: {theirs} / {ours}", flush=True)


def main():
    parser = suite.parser()
    parser.add_argument("--only")
    parser.add_argument("--ports")
    parser.add_argument("--database", default="postgres")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    if not suite.is_beside_due(options, options.only, "plans"):
        return
    with suite.beside(options) as (sengi_port, oracle_port):
        sengi, reference = (wire.Connection(port, database=options.database, timeout=600) for port in (sengi_port, oracle_port))
        for setting in ORACLE_SETTINGS:
            run(reference, setting)
        if not options.keep:
            prepare(sengi, "ANALYZE")
            prepare(reference, "VACUUM ANALYZE")
        compare(sengi, reference, options.only, options.verbose)
        sengi.close()
        reference.close()


main()
