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
    pending_file = HERE / "pending.txt"
    pending = set(pending_file.read_text(encoding="utf-8").split()) if pending_file.exists() else set()
    server = Server(options.build)
    server.start()
    still_pending = []
    for path in sorted(HERE.glob("*.sql")):
        if options.show and path.stem != options.show:
            continue
        wanted = expected(HERE / "expected" / f"{path.stem}.txt")
        reset(server)
        got = answers_of(server, path, wanted)
        for line, answer in wanted.items():
            name = f"{path.stem}:{line}"
            agrees = got.get(line) == answer
            if options.show and not agrees:
                print(f"-- {name}\n  wanted {answer}\n  got    {got.get(line)}")
            if not agrees:
                still_pending.append(name)
            if options.update_pending or options.show:
                continue
            if agrees and name in pending:
                print(f"{name} agrees now; take it off regress/sql/pending.txt")
                print(f"ok sql/{name}")
            elif agrees:
                print(f"ok sql/{name}")
            elif name in pending:
                print(f"skip sql/{name}: pending")
            else:
                print(f"not ok sql/{name}: wanted {answer[:3]}, got {(got.get(line) or ['nothing'])[:3]}")
    status = server.stop()
    if not options.show and not options.update_pending:
        print("ok sql/stops-cleanly" if status == 0 else f"not ok sql/stops-cleanly: status {status}\n{server.log_tail()}")
    if options.update_pending:
        pending_file.write_text("".join(name + "\n" for name in still_pending), encoding="utf-8")
        print(f"{len(still_pending)} pending")
    server.remove()


main()
