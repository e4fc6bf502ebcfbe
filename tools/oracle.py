"""A PostgreSQL 15 of one's own, from Debian's package: what the recorders and comparers ask."""
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile

BINARIES = pathlib.Path("/usr/lib/postgresql/15/bin")


def is_installed():
    """Is the package there?"""
    return (BINARIES / "initdb").exists()


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
