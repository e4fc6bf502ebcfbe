#!/usr/bin/env python3
"""psql's backslash commands must print what they print with PostgreSQL 15. See README.md."""
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
sys.path.insert(0, str(TOP / "tools"))
import absent
import suite
import wire
from sengi_server import Server

DATABASE = "kit_catalog"


def masked(text):
    """Sizes are each server's own; the widths that they give their columns too."""
    if not re.search(r"\d (bytes|kB|MB|GB)\b", text):
        return text
    lines = []
    for line in text.splitlines():
        line = re.sub(r"\b\d+ (bytes|kB|MB|GB)\b", "SIZE", line)
        lines.append(re.sub(r" {2,}", " ", re.sub(r"-{2,}", "--", line)))
    return "\n".join(lines)


def commands():
    return (HERE / "commands.txt").read_text(encoding="utf-8").splitlines()


def answers(psql, port):
    """What psql prints for each command, in one session."""
    script = "".join(f"\\echo @ {number}\n{command}\n" for number, command in enumerate(commands(), 1))
    result = subprocess.run([psql, "-X", "-q", "-P", "pager=off", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "-d", DATABASE],
                            input=script, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=300,
                            env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}, check=False)
    found, number = {}, None
    for line in result.stdout.splitlines():
        if re.fullmatch(r"@ \d+", line):
            number = int(line[2:])
            found[number] = []
        elif number:
            found[number].append(line)
    return {number: masked("\n".join(lines)) for number, lines in found.items()}


def read_expected():
    found, number = {}, None
    for line in (HERE / "expected.txt").read_text(encoding="utf-8").splitlines():
        if re.fullmatch(r"@ \d+ .*", line):
            number = int(line.split()[1])
            found[number] = []
        else:
            found[number].append(line)
    return {number: "\n".join(lines) for number, lines in found.items()}


def record(psql):
    from oracle import Oracle, may_record
    with Oracle() as port:
        may_record(port)
        wire.make_database(port, DATABASE, HERE.parent / "clients_catalog/schema.sql")
        found = answers(psql, port)
    with open(HERE / "expected.txt", "w", encoding="utf-8") as out:
        for number, command in enumerate(commands(), 1):
            out.write(f"@ {number} {command}\n")
            if found[number]:
                out.write(found[number] + "\n")


def main():
    parser = suite.parser()
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--update-pending", action="store_true")
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    psql = "/usr/lib/postgresql/15/bin/psql"
    if not pathlib.Path(psql).exists():
        print("skip psql/commands: PostgreSQL 15's psql is not installed")
        return
    if options.record:
        record(psql)
        return
    judge = suite.Judge("psql", HERE, options)
    wanted = read_expected()
    with Server(options.build) as server:
        wire.make_database(server.port, DATABASE, HERE.parent / "clients_catalog/schema.sql")
        got = answers(psql, server.port)
        for number, command in enumerate(commands(), 1):
            theirs, ours = absent.without(wanted[number].splitlines(), got.get(number, "").splitlines())
            judge.judge(command, got.get(number) == wanted[number] or theirs == ours, lambda: "prints something else (regress/psql/run.py --show)",
                        lambda: "\n".join([f"==== {command}", "---- wanted", *theirs, "---- got", *ours]))
        judge.end(server)


main()
