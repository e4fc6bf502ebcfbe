#!/usr/bin/env python3
"""Every statement of *.sql must be answered as PostgreSQL 15 answered it (expected/*.txt).

Statements listed in pending.txt (NAME:LINE) are known not to agree yet: they count as skipped; one that
agrees by now is named, to be taken off. `run.py --build DIR --update-pending` rewrites the list.
"""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "tools"))
import suite
import wire
from sengi_server import Server


def expected(path):
    answers, line = {}, None
    for text in path.read_text(encoding="utf-8").splitlines():
        if text.startswith("@ "):
            line = int(text[2:])
            answers[line] = []
        else:
            answers[line].append(text)
    return answers


def answers_of(server, path, wanted):
    """As wire.answers, but a server that dies is started again and the rest is unanswered."""
    got = {}
    try:
        for line, _, answer in wire.answers(server.port, path):
            got[line] = answer
    except (OSError, wire.WireError) as error:
        lost = min((line for line in wanted if line not in got), default=0)
        got[lost] = [f"connection lost: {error}"]
        if not server.is_up():
            print(f"the server died in {path.name} at line {lost}:\n{server.log_tail()}")
            server.start()
    return got


def reset(server):
    admin = wire.Connection(server.port)
    for statement in ("DROP SCHEMA public CASCADE", "CREATE SCHEMA public"):
        admin.query(statement)
    admin.close()


def main():
    parser = suite.parser()
    parser.add_argument("--update-pending", action="store_true")
    parser.add_argument("--show", help="print differences of this file")
    options = parser.parse_args()
    judge = suite.Judge("sql", HERE, options)
    with Server(options.build) as server:
        for path in sorted(HERE.glob("*.sql")):
            if not options.show or path.stem == options.show:
                compare(judge, server, path)
        judge.end(server)


def compare(judge, server, path):
    """Each statement of a file."""
    wanted = expected(HERE / "expected" / f"{path.stem}.txt")
    reset(server)
    got = answers_of(server, path, wanted)
    for line, answer in wanted.items():
        name, found = f"{path.stem}:{line}", got.get(line) or ["nothing"]
        judge.judge(name, found == answer, lambda: f"wanted {answer[:3]}, got {found[:3]}", lambda: f"-- {name}\n  wanted {answer}\n  got    {found}")


main()
