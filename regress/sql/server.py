"""A Sengi for tests: on a fresh directory and a free port."""
import socket
import subprocess
import tempfile
import time

import wire


class Server:
    """Sengi on a fresh directory and a free port of the loopback."""

    def __init__(self, binary):
        self.binary = binary
        self.directory = tempfile.mkdtemp(prefix="sengi")
        self.process = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        subprocess.run([binary, "init", self.directory + "/data"], check=True, stdout=subprocess.DEVNULL)

    def start(self):
        self.log = open(self.directory + "/log", "a", encoding="utf-8")
        self.process = subprocess.Popen([self.binary, "serve", self.directory + "/data", "--listen", "127.0.0.1", "--port", str(self.port)],
                                        stderr=self.log)
        for _ in range(200):
            try:
                wire.Connection(self.port).close()
                return
            except (OSError, wire.WireError):
                time.sleep(0.05)
        raise SystemExit("the server did not start:\n" + self.tail())

    def tail(self):
        return "".join(open(self.directory + "/log", encoding="utf-8", errors="replace").readlines()[-40:])

    def stop(self):
        if self.process:
            self.process.terminate()
            status = self.process.wait(timeout=60)
            self.process = None
            return status
        return 0
