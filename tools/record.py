#!/usr/bin/env python3
"""Records what PostgreSQL 15 answers to regress/{sql/*.sql,isolation/*.spec} into their expected/*.txt.

usage: record.py [--port N] [NAME…]     without --port it starts a PostgreSQL 15 of its own and stops it;
                                        NAME: files of regress/sql (by path or stem), or isolation/FILE, or isolation for all
"""
import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import isolation
import wire
from oracle import Oracle, may_record

TOP = pathlib.Path(__file__).resolve().parent.parent


def record(port, names):
    folder = TOP / "regress/sql"
    (folder / "expected").mkdir(exist_ok=True)
    for path in sorted(folder.glob("*.sql")):
        if names and path.stem not in names:
            continue
        admin = wire.Connection(port)
        for statement in ("DROP SCHEMA public CASCADE", "CREATE SCHEMA public"):
            admin.query(statement)
        admin.close()
        with open(folder / "expected" / f"{path.stem}.txt", "w", encoding="utf-8") as out:
            for line, _, answer in wire.answers(port, path):
                out.write(f"@ {line}\n" + "".join(part + "\n" for part in answer))
        print(f"recorded {path.stem}")


def record_all(port, names):
    """Without names everything; else what is named."""
    may_record(port)
    names = [name.removeprefix("regress/").removeprefix("sql/").removesuffix(".sql").removesuffix(".spec") for name in names]
    specs = [name.removeprefix("isolation").lstrip("/") for name in names if name.startswith("isolation")]
    files = [name for name in names if not name.startswith("isolation")]
    for name in files:
        if not (TOP / f"regress/sql/{name}.sql").exists():
            raise SystemExit(f"there is no regress/sql/{name}.sql")
    if not names or files:
        record(port, files)
    if not names or specs:
        isolation.record(port, TOP / "regress/isolation", [name for name in specs if name])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    if options.port:
        record_all(options.port, options.names)
    else:
        with Oracle() as port:
            record_all(port, options.names)


if __name__ == "__main__":
    main()
