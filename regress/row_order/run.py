#!/usr/bin/env python3
"""Random statements that fail at some row or have effects: rows, errors and effects must be PostgreSQL 15's, in its order.

usage: run.py --build DIR [--long | --quick] [--seed N] [--count N] [--ports SENGI,ORACLE] [--sample FILE]

Only with --long (or --count): it needs Debian's postgresql-15. Rows given before an error count, and how far sequences have
gone. Statements that differ for a known reason match a line of known.txt. --sample writes the statements that agree for
regress/sql.
"""
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent / "tools")]
import suite
import wire
from generator import EFFECTS, SCHEMA, Generator


def prepare(connection):
    """The schema and its rows, fresh."""
    connection.query("DROP SCHEMA public CASCADE")
    connection.query("CREATE SCHEMA public")
    for statement in SCHEMA:
        answer = connection.query(statement)
        if any(line.startswith("error ") for line in answer):
            raise SystemExit(f"not ok row_order/schema: {statement}: {answer}")


def outcome(connection, case):
    """What a client sees of the statements, and of the sequences after them."""
    lines = []
    for statement in [*case, EFFECTS]:
        lines.append([line for line in connection.query(statement) if not line.startswith("columns ")])
    return lines


def known_differences():
    lines = (HERE / "known.txt").read_text(encoding="utf-8").splitlines()
    return [re.compile(line) for line in lines if line and not line.startswith("#")]


def shown(lines):
    text = str(lines)
    return text if len(text) < 700 else text[:250] + " … " + text[-400:]


def compare(options, sengi, reference):
    """Runs the cases on both; how many differ."""
    generator, known, differing, agreed = Generator(options.seed), known_differences(), 0, []
    for number in range(options.count):
        case = generator.case()
        wanted = outcome(reference, case)
        got = outcome(sengi, case)
        if got == wanted:
            if len(str(wanted)) < 1500 and ("error" in str(wanted) or "nextval" in str(case)):
                agreed.append(case)
            continue
        text = "; ".join(case)
        if any(pattern.search(f"{text} => {wanted} => {got}") for pattern in known):
            continue
        differing += 1
        print(f"not ok row_order/{options.seed}.{number}: {text}\n  wanted {shown(wanted)}\n  got    {shown(got)}", flush=True)
    if options.sample:
        text = "\n".join(";\n".join([*case, EFFECTS]) + ";" for case in agreed)
        options.sample.write_text(";\n".join(SCHEMA) + ";\n" + text + "\n", encoding="utf-8")
    return differing


def main():
    parser = suite.parser()
    parser.add_argument("--seed", type=int, default=15)
    parser.add_argument("--count", type=int)
    parser.add_argument("--ports", help="of a Sengi and of a PostgreSQL 15 that run already; their schema public is made anew")
    parser.add_argument("--database", default="postgres")
    parser.add_argument("--sample", type=pathlib.Path, help="write what agrees to this file")
    options = parser.parse_args()
    if not suite.is_beside_due(options, options.count, "row_order/random"):
        return
    options.count = options.count or 10000
    with suite.beside(options) as (sengi_port, oracle_port):
        sengi = wire.Connection(sengi_port, database=options.database, timeout=120)
        reference = wire.Connection(oracle_port, database=options.database, timeout=120)
        for connection in (sengi, reference):
            prepare(connection)
        if compare(options, sengi, reference) == 0:
            print(f"ok row_order/random: {options.count} cases agree, seed {options.seed}")


main()
