"""The least of a client: logs in over a Unix socket and runs simple queries."""
import socket
import struct

class Refused(Exception):
    """The server did not let the client in, or answered with an error."""


READY = (b"Z\0\0\0\5I", b"Z\0\0\0\5T", b"Z\0\0\0\5E")


def write_copy_frames(data, file):
    """A text as messages of 8 KB, as psql sends them."""
    while chunk := data.read(8192):
        file.write(b"d" + struct.pack("!i", len(chunk) + 4) + chunk)
    file.write(b"c" + struct.pack("!i", 4))
    file.flush()


class Client:
    """One connection; answers are read to ReadyForQuery and not looked at."""

    def __init__(self, server):
        body = struct.pack("!i", 196608) + f"user\0postgres\0database\0{server.database}\0\0".encode()
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(server.directory / f".s.PGSQL.{server.port}"))
        self.socket.sendall(struct.pack("!i", len(body) + 4) + body)
        self.read()

    def read(self):
        """All bytes up to ReadyForQuery."""
        answer = b""
        while not answer.endswith(READY):
            chunk = self.socket.recv(65536)
            if not chunk:
                raise Refused(f"the server closed the connection: {answer[-300:]!r}")
            answer += chunk
        if answer.startswith(b"E"):
            raise Refused(f"an error: {answer[:300]!r}")
        return answer

    def query(self, text):
        """Runs statements; the bytes of their answer."""
        body = text.encode() + b"\0"
        self.socket.sendall(b"Q" + struct.pack("!i", len(body) + 4) + body)
        return self.read()

    def copy_in(self, text, frames):
        """Runs a COPY FROM STDIN; `frames`: a file of CopyData messages and CopyDone."""
        body = text.encode() + b"\0"
        self.socket.sendall(b"Q" + struct.pack("!i", len(body) + 4) + body)
        answer = self.socket.recv(65536)
        if not answer.startswith(b"G"):
            raise Refused(f"no copying: {answer[:300]!r}")
        frames.seek(0)
        self.socket.sendfile(frames)
        return self.read()

    def close(self):
        self.socket.sendall(b"X\0\0\0\4")
        self.socket.close()
