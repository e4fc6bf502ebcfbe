#!/usr/bin/env python3
"""The catalog queries of real clients must be answered as PostgreSQL 15 answers them. See README.md."""
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "tools"))
import absent
import suite
import wire
from sengi_server import Server

DATABASE = "kit_catalog"


def comparable(statement, answer):
    """Rows in order only where one was asked for, OIDs all alike."""
    lines = [re.sub(r"\b[1-9]\d{4,}\b", "OID", line) if line.startswith("row ") else line for line in answer]
    if not re.search(r"\border\s+by\b", statement, re.IGNORECASE):
        rows = sorted(line for line in lines if line.startswith("row "))
        head = [line for line in lines if line.startswith("columns ")]
        lines = head + rows + [line for line in lines if not line.startswith(("row ", "columns "))]
    return lines


def answers(port, path, on_lost=None):
    """(line, comparable answer) of every query of a file."""
    connection = wire.Connection(port, database=DATABASE)
    for line, statement in wire.statements(path):
        try:
            yield line, comparable(statement, connection.query(statement))
        except (OSError, wire.WireError) as error:
            yield line, [f"connection lost: {error}"]
            if on_lost:
                on_lost()
            connection = wire.Connection(port, database=DATABASE)
    connection.close()


def read_expected(path):
    found, line = {}, None
    for text in path.read_text(encoding="utf-8").splitlines():
        if text.startswith("@ "):
            line = int(text[2:])
            found[line] = []
        else:
            found[line].append(text)
    return found


def record():
    from oracle import Oracle, may_record
    with Oracle() as port:
        may_record(port)
        wire.make_database(port, DATABASE, HERE / "schema.sql")
        for path in sorted((HERE / "queries").glob("*.sql")):
            with open(HERE / "expected" / f"{path.stem}.txt", "w", encoding="utf-8") as out:
                for line, answer in answers(port, path):
                    out.write("\n".join([f"@ {line}", *answer]) + "\n")


def compare(judge, server, path):
    """Every query of a file."""
    def revive():
        if not server.is_up():
            print("the server died:\n" + server.log_tail())
            server.start()

    recorded = read_expected(HERE / "expected" / f"{path.stem}.txt")
    for line, answer in answers(server.port, path, revive):
        name, wanted = f"{path.stem}:{line}", recorded.get(line, [])
        if wanted != answer:
            wanted, answer = absent.without(wanted, answer)
        judge.judge(name, wanted == answer, lambda: f"wanted {wanted[:3]}, got {answer[:3]}",
                    lambda: f"-- {name}\n  only wanted {[l for l in wanted if l not in answer][:6]}\n  only got    {[l for l in answer if l not in wanted][:6]}")


def main():
    parser = suite.parser()
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--update-pending", action="store_true")
    parser.add_argument("--show", help="print the differences of this client")
    options = parser.parse_args()
    if options.record:
        record()
        return
    judge = suite.Judge("clients_catalog", HERE, options)
    with Server(options.build) as server:
        wire.make_database(server.port, DATABASE, HERE / "schema.sql")
        for path in sorted((HERE / "queries").glob("*.sql")):
            if not options.show or path.stem == options.show:
                compare(judge, server, path)
        judge.end(server)


main()
