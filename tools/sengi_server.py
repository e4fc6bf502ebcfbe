"""A Sengi server for a test: a fresh directory under the temporary one, a free port of the loopback."""
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import wire


PORTS = range(10000, 32000)  # none that the system gives to clients: it stays free until the server takes it


def free_port():
    """A port of the loopback that nobody listens on now."""
    while True:
        port = random.choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class ServerFailure(Exception):
    """The server did not start, or did not end as it should."""


class Server:
    """start() serves the directory, stop() ends it with SIGTERM; `with Server(build)` does both, and tells what a server said
    that did not wait for it."""

    def __init__(self, build, settings=None, hba=None):
        self.binary = str(pathlib.Path(build) / "src/server/sengi")
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="sengi-test-"))
        self.data = self.directory / "data"
        self.settings = dict(settings or {})
        self.port = free_port()
        self.process = None
        self.environment = {}
        subprocess.run([self.binary, "init", str(self.data)], check=True, stdout=subprocess.DEVNULL)
        if hba is not None:
            self.write_hba(hba)

    def write_hba(self, text):
        """The access rules; take effect at start() or reload()."""
        (self.data / "hba.conf").write_text(text, encoding="utf-8")

    def start(self):
        """Serves; returns when a connection is taken."""
        command = [self.binary, "serve", str(self.data), "--listen", "127.0.0.1", "--port", str(self.port), "--socket", str(self.directory)]
        for name, value in self.settings.items():
            command += ["-c", f"{name}={value}"]
        with open(self.directory / "log", "ab") as log:
            self.process = subprocess.Popen(command, stderr=log, env={**os.environ, **self.environment})
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
                return
            except OSError:
                time.sleep(0.05)
        raise ServerFailure("the server did not start:\n" + self.log_tail())

    def reload(self, connection=None):
        """SIGHUP; returns when it has been heeded. Without a session that is there, postgres must be let in."""
        watcher = connection or wire.Connection(self.port)
        before = watcher.query("SELECT pg_conf_load_time()")
        self.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 60
        while watcher.query("SELECT pg_conf_load_time()") == before:
            if time.monotonic() > deadline:
                raise ServerFailure("SIGHUP is not heeded:\n" + self.log_tail())
            time.sleep(0.01)
        if watcher is not connection:
            watcher.close()

    def kill(self):
        """kill -9."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def is_up(self):
        """Does the process still run?"""
        return self.process is not None and self.process.poll() is None

    def resident_bytes(self):
        """Memory the process holds."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0

    def descriptors(self):
        """How many files and sockets the process has open."""
        return len(list(pathlib.Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def log_tail(self, lines=40):
        """The end of what the server said."""
        path = self.directory / "log"
        if not path.exists():
            return ""
        return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    def stop(self):
        """Ends the server; its exit status."""
        if self.process is None:
            return 0
        self.process.terminate()
        try:
            status = self.process.wait(timeout=120)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            status = -9
        self.process = None
        return status

    def remove(self):
        """The directory, once the server has ended."""
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self.process is not None and self.process.poll() is not None:
            print(f"the server ended by itself, status {self.process.returncode}:\n{self.log_tail(100)}", flush=True)
        self.stop()
        self.remove()
