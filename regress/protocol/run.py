#!/usr/bin/env python3
"""The protocol itself: conversations answered as PostgreSQL 15 answers them (expected/conversations.txt), and abuse.

`run.py --record` writes the expected answers; PGHOST and PGPORT say where the PostgreSQL is.
"""
import os
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "tools"))
sys.path.insert(0, str(HERE))
import suite  # pylint: disable=wrong-import-position
import abuse  # pylint: disable=wrong-import-position
from conversation import Talk, session_options, startup  # pylint: disable=wrong-import-position
from conversations import CONVERSATIONS, GREETINGS  # pylint: disable=wrong-import-position
from oracle import may_record  # pylint: disable=wrong-import-position
from sengi_server import Server  # pylint: disable=wrong-import-position

EXPECTED = HERE / "expected/conversations.txt"


def answers(port, name):
    """The answer to each turn; a connection that the server closes ends it."""
    lines = []
    greeting = GREETINGS.get(name)
    talk = Talk(port, startup(session_options() + greeting) if greeting else None)
    for number, turn in enumerate(CONVERSATIONS[name]):
        lines.append(f"> {number}")
        if greeting and number == 0:
            lines += [line for line in talk.until_ready() if not re.match("authentication|key|parameter (?!client_encoding)", line)]
            if lines[-1] == "closed":
                break
        syncs = count_ready(turn)
        talk.send(turn)
        try:
            for _ in range(syncs):
                lines += talk.until_ready()
        except TimeoutError:
            lines.append("no answer")
            break
        if lines[-1] == "closed":
            break
    talk.close()
    return lines


def count_ready(turn):
    """How many times the server will say that it is ready: a Query or Sync each, COPY's own excepted."""
    position, count, in_copy = 0, 0, False
    while position < len(turn):
        kind = chr(turn[position])
        body = turn[position + 5:position + 1 + int.from_bytes(turn[position + 1:position + 5], "big")]
        if kind == "Q":
            count += 1
            in_copy = b"FROM STDIN" in body
        elif kind == "S" and not in_copy:
            count += 1
        elif kind in "cf":
            in_copy = False
        position += 5 + len(body)
    return count


def record():
    """Asks PostgreSQL."""
    port = int(os.environ.get("PGPORT", "5432"))
    may_record(port)
    with open(EXPECTED, "w", encoding="utf-8") as out:
        for name in CONVERSATIONS:
            out.write(f"@ {name}\n")
            for line in answers(port, name):
                out.write(line + "\n")


def expected():
    """Recorded answers by name."""
    result, name = {}, None
    for line in EXPECTED.read_text(encoding="utf-8").split("\n"):
        if line.startswith("@ "):
            name = line[2:]
            result[name] = []
        elif name is not None and line:
            result[name].append(line)
    return result


def check_conversations(port, only):
    """Every turn of every conversation is a result."""
    wanted = expected()
    for name in CONVERSATIONS:
        if only and only not in name:
            continue
        try:
            got = answers(port, name)
        except (OSError, EOFError) as error:
            print(f"not ok {name}: {error}")
            continue
        want_turns, got_turns = turns(wanted[name]), turns(got)
        for number, answer in want_turns.items():
            have = got_turns.get(number)
            if have == answer:
                print(f"ok {name}/{number}")
                continue
            at = next((i for i, line in enumerate(answer) if have is None or i >= len(have) or have[i] != line), len(answer))
            print(f"not ok {name}/{number}: wanted {answer[at:at + 2]}, got {(have or ['nothing'])[at:at + 2]}")


def turns(lines):
    """Lines by turn."""
    result, current = {}, None
    for line in lines:
        if line.startswith("> "):
            current = result.setdefault(int(line[2:]), [])
        else:
            current.append(line)
    return result


def main():
    """Conversations on one server."""
    parser = suite.parser()
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--port", type=int, help="a server that runs already")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    if options.record:
        record()
        return
    if options.port:
        check_conversations(options.port, options.only)
        return
    server = Server(options.build)
    server.start()
    if options.only != "abuse":
        check_conversations(server.port, options.only)
    if options.only in ("", "abuse"):
        abuse.run(server, 200 if options.long else 10 if options.quick else 40)
    status = server.stop()
    print("ok server-stops-cleanly" if status == 0 else f"not ok server-stops-cleanly: status {status}: {server.log_tail()}".replace("\n", " | "))
    server.remove()


main()
