#!/usr/bin/env python3
"""Records what PostgreSQL 15 answers to regress/sql/*.sql into regress/sql/expected/*.txt.

usage: record.py [--port N] [NAME…]     without --port it starts a PostgreSQL 15 of its own and stops it
"""
import argparse
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import wire

TOP = pathlib.Path(__file__).resolve().parent.parent
BINARIES = pathlib.Path("/usr/lib/postgresql/15/bin")


class Oracle:
    """A throw-away cluster, run by the postgres user where we are root."""

    def __enter__(self):
        self.directory = tempfile.mkdtemp(prefix="oracle")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.prefix = []
        if os.getuid() == 0:
            shutil.chown(self.directory, "postgres", "postgres")
            self.prefix = ["runuser", "-u", "postgres", "--"]
        data = self.directory + "/data"
        self.run(BINARIES / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--locale=C.UTF-8", "-E", "UTF8")
        self.run(BINARIES / "pg_ctl", "-D", data, "-w", "-l", self.directory + "/log", "-o",
                 f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.directory} -c timezone=UTC", "start")
        return self.port

    def run(self, *command):
        subprocess.run([*self.prefix, *map(str, command)], check=True, stdout=subprocess.DEVNULL)

    def __exit__(self, *_):
        self.run(BINARIES / "pg_ctl", "-D", self.directory + "/data", "-m", "immediate", "stop")
        shutil.rmtree(self.directory)


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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    if options.port:
        record(options.port, options.names)
    else:
        with Oracle() as port:
            record(port, options.names)


main()
