"""A PostgreSQL 15 of one's own, from Debian's package: what the recorders and comparers ask.

Minor versions answer differently here and there. What is recorded is no older than RECORDED_FROM: a
recorder asks may_record() first, and who records from a newer one raises it.
"""
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile

import wire

BINARIES = pathlib.Path("/usr/lib/postgresql/15/bin")
RECORDED_FROM = 150020  # as server_version_num


def is_installed():
    """Is the package there?"""
    return (BINARIES / "initdb").exists()


def version_of(port):
    """Its server_version_num; 0: it is no server that tells."""
    connection = wire.Connection(port)
    rows = connection.rows("SELECT current_setting('server_version_num')")
    connection.close()
    return int(rows[0]) if rows else 0


def may_record_number(found):
    """Ends the program where what this PostgreSQL answers is older than what has been recorded."""
    if found // 10000 != 15 or found < RECORDED_FROM:
        raise SystemExit(f"PostgreSQL {found // 10000}.{found % 10000} is not recorded from: expected answers are those of "
                         f"{RECORDED_FROM // 10000}.{RECORDED_FROM % 10000} or later")


def may_record(port):
    """The same of the one at a port."""
    may_record_number(version_of(port))


class Oracle:
    """A throw-away cluster, run by the postgres user where we are root; `with Oracle() as port`."""

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
        """One of the package's programs, as who may run it."""
        subprocess.run([*self.prefix, *map(str, command)], check=True, stdout=subprocess.DEVNULL)

    def __exit__(self, *_):
        self.run(BINARIES / "pg_ctl", "-D", self.directory + "/data", "-m", "immediate", "stop")
        shutil.rmtree(self.directory)
