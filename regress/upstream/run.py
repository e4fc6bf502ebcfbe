#!/usr/bin/env python3
"""PostgreSQL's own regression files against Sengi: whatever they say, the server goes on and nobody hears XX000.

usage: run.py --build DIR [--long | --quick] [--only NAME]...

Only with --long or --only: the files come from Debian's source package of postgresql-15, which apt fetches from the mirror
that the machine has. Many of them use what Sengi refuses; how much of what they expect is answered stands behind each: the
part of the expected lines that were printed, in any order. Nothing depends on that part.
"""
import collections
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "tools"))
import suite
import wire
from sengi_server import Server

PACKAGE = "postgresql-15"
SECONDS = 120  # for one file, with sanitizers
# They want what is no matter of SQL: a second server, the server's own disk, locales of the system, or minutes.
LEFT_OUT = {"tablespace", "largeobject", "maintain_every", "event_trigger", "publication", "subscription"}


def apt(directory, *command):
    """Runs apt with the machine's mirrors as sources of source packages; its output."""
    options = [f"Dir::Etc::sourcelist={directory}/sources.list", "Dir::Etc::sourceparts=-", f"Dir::State::Lists={directory}/lists",
               "APT::Sandbox::User=root"]
    arguments = [part for option in options for part in ("-o", option)]
    return subprocess.run([command[0], *arguments, *command[1:]], cwd=directory, capture_output=True, text=True, check=False)


def fetch(directory):
    """The unpacked src/test/regress, or None where no mirror has it."""
    targets = subprocess.run(["apt-get", "indextargets", "--format", "$(SITE) $(RELEASE) $(COMPONENT)", "Identifier: Packages"],
                             capture_output=True, text=True, check=True).stdout
    lines = [f"deb-src {line}" for line in sorted(set(targets.splitlines())) if line.endswith(" main") and "/debian" in line]
    (directory / "sources.list").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (directory / "lists/partial").mkdir(parents=True)
    apt(directory, "apt-get", "update")
    versions = re.findall(r"^Version: (.*)$", apt(directory, "apt-cache", "showsrc", PACKAGE).stdout, re.M)
    for version in sorted(set(versions), reverse=True):
        apt(directory, "apt-get", "source", "--download-only", f"{PACKAGE}={version}")
        for archive in directory.glob("*.orig.tar.*"):
            with tarfile.open(archive) as tar:
                tar.extractall(directory, [member for member in tar if "/src/test/regress/" in member.name])
            return next(directory.glob("*/src/test/regress"))
    return None


def names(source, only):
    """The schedule's files, in its order: later ones use tables of earlier ones."""
    scheduled = [name for line in re.findall(r"^test: (.*)$", (source / "parallel_schedule").read_text(encoding="utf-8"), re.M) for name in line.split()]
    return [name for name in scheduled if name not in LEFT_OUT and (name == "test_setup" or not only or name in only)]


def play(server, source, name):
    """What psql prints of a file."""
    environment = {**os.environ, "PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGUSER": "postgres", "PGDATABASE": "regression", "PGTZ": "PST8PDT",
                   "PGDATESTYLE": "Postgres, MDY", "PGOPTIONS": "-c intervalstyle=postgres_verbose", "PG_ABS_SRCDIR": str(source),
                   "PG_ABS_BUILDDIR": str(server.directory), "PG_LIBDIR": "/nowhere", "PG_DLSUFFIX": ".so"}
    command = ["psql", "-X", "-a", "-q", "-v", "HIDE_TABLEAM=on", "-v", "HIDE_TOAST_COMPRESSION=on"]
    try:
        with open(source / "sql" / f"{name}.sql", "rb") as script:
            done = subprocess.run(command, stdin=script, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, timeout=SECONDS, check=False)
        return done.stdout.decode("utf-8", "replace"), None
    except subprocess.TimeoutExpired:
        return "", f"takes more than {SECONDS} s"


def part_of(expected, printed):
    """Percent of the expected lines that were printed."""
    wanted, got = collections.Counter(expected.splitlines()), collections.Counter(printed.splitlines())
    return 100 * sum((wanted & got).values()) // max(1, sum(wanted.values()))


def log_count(server, *words):
    log = (server.directory / "log").read_bytes()
    return sum(log.count(word) for word in words)


def compare(server, source, name):
    words = [b"XX000", b"runtime error: "]  # the latter is what sanitizers say and go on
    before = log_count(server, *words)
    printed, fault = play(server, source, name)
    if server.process.poll() is not None:
        fault = f"the server ended: {server.log_tail()}"
        server.start()
    if log_count(server, *words) > before:
        fault = fault or "somebody heard XX000, or a sanitizer spoke"
    expected = source / "expected" / f"{name}.out"
    part = part_of(expected.read_text(encoding="utf-8", errors="replace"), printed) if expected.exists() else 0
    print(f"not ok upstream/{name}: {fault}" if fault else f"ok upstream/{name} ({part}% of what is expected)", flush=True)


def main():
    parser = suite.parser()
    parser.add_argument("--only", action="append", default=[], metavar="NAME")
    options = parser.parse_args()
    if not (options.long or options.only):
        print("skip upstream: runs with --long")
        return
    with tempfile.TemporaryDirectory(prefix="sengi-upstream-") as directory:
        source = fetch(pathlib.Path(directory))
        if not source:
            print(f"skip upstream: no mirror has the source of {PACKAGE}")
            return
        # SQLSTATEs in the log are what XX000 is looked for by.
        with Server(options.build, {"log_error_verbosity": "verbose"}) as server:
            wire.Connection(server.port).query("CREATE DATABASE regression")
            (server.directory / "results").mkdir()
            for name in names(source, options.only):
                compare(server, source, name)
            status = server.stop()
            print("ok upstream/stops-cleanly" if status == 0 else f"not ok upstream/stops-cleanly: exit status {status}\n{server.log_tail()}")


if __name__ == "__main__":
    main()
