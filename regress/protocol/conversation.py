"""Messages by hand: builders for what a client sends, and a reader that turns what comes back into lines."""
import re
import socket
import struct
import sys
import pathlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "tools"))
import wire  # pylint: disable=wrong-import-position


def message(kind, body=b""):
    """One message."""
    return kind.encode("latin-1") + struct.pack("!i", len(body) + 4) + body


def text(value):
    """A string with its NUL."""
    return value.encode() + b"\0"


def Q(query):
    """Query."""
    return message("Q", text(query))


def raw(query, encoding):
    """Query in an encoding."""
    return message("Q", query.encode(encoding) + b"\0")


def P(name, query, *types):
    """Parse."""
    return message("P", text(name) + text(query) + struct.pack("!h", len(types)) + b"".join(struct.pack("!I", t) for t in types))


def B(portal, statement, values=(), formats=(), results=()):
    """Bind. A value is a str, bytes or None."""
    body = text(portal) + text(statement) + struct.pack("!h", len(formats)) + b"".join(struct.pack("!h", f) for f in formats)
    body += struct.pack("!H", len(values))
    for value in values:
        if value is None:
            body += struct.pack("!i", -1)
        else:
            data = value.encode() if isinstance(value, str) else value
            body += struct.pack("!i", len(data)) + data
    return message("B", body + struct.pack("!h", len(results)) + b"".join(struct.pack("!h", f) for f in results))


def D(kind, name=""):
    """Describe a statement (S) or portal (P)."""
    return message("D", kind.encode() + text(name))


def E(portal="", limit=0):
    """Execute."""
    return message("E", text(portal) + struct.pack("!i", limit))


def C(kind, name=""):
    """Close a statement (S) or portal (P)."""
    return message("C", kind.encode() + text(name))


S = message("S")
H = message("H")
COPY_DONE = message("c")


def data(value):
    """CopyData."""
    return message("d", value.encode() if isinstance(value, str) else value)


def copy_fail(why):
    """CopyFail."""
    return message("f", text(why))


def startup(options, version=196608):
    """A startup packet."""
    body = struct.pack("!I", version) + b"".join(text(k) + text(v) for k, v in options) + b"\0"
    return struct.pack("!i", len(body) + 4) + body


def session_options(database="postgres"):
    """What the conversations start with."""
    return [("user", "postgres"), ("database", database)]


class Talk:
    """A connection that sends bytes and reads lines."""

    def __init__(self, port, first=None, timeout=30, database="postgres"):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.received = b""
        if first is not None:
            self.socket.sendall(first)
            return
        self.socket.sendall(startup(session_options(database)))
        self.until_ready()

    def close(self):
        """Just closes."""
        self.socket.close()

    def send(self, *parts):
        """Sends them at once."""
        self.socket.sendall(b"".join(parts))

    def take(self, count):
        """The next bytes; EOFError at the end."""
        while len(self.received) < count:
            chunk = self.socket.recv(65536)
            if not chunk:
                raise EOFError
            self.received += chunk
        result, self.received = self.received[:count], self.received[count:]
        return result

    def next(self):
        """The next message: its type and body."""
        head = self.take(5)
        return chr(head[0]), self.take(struct.unpack("!i", head[1:])[0] - 4)

    def until_ready(self, stop="Z"):
        """Lines up to ReadyForQuery, a message of `stop`, or the end of the stream."""
        lines = []
        while True:
            try:
                kind, body = self.next()
            except EOFError:
                lines.append("closed")
                return lines
            except ConnectionError:
                lines.append("closed")
                return lines
            lines.append(line_of(kind, body))
            if kind in stop:
                return lines


def formats_of(body):
    """Beside what wire.columns_text tells of a RowDescription: for each column its format code, size and, where it is a table's, its number there."""
    count, position, codes = struct.unpack("!h", body[:2])[0], 2, []
    for _ in range(count):
        position = body.index(0, position) + 1
        table, number, _, size, _, code = struct.unpack("!ihihih", body[position:position + 18])
        codes.append(f"{code}/{size}" + (f"@{number}" if table or number else ""))
        position += 18
    return ",".join(codes)


def row_line(body):
    """Values; bytes that are not text are hexadecimal."""
    def value_line(value):
        if value is None:
            return "\\N"
        return value.decode() if all(32 <= byte < 127 for byte in value) else "0x" + value.hex()
    return " | ".join(map(value_line, wire.row_values(body)))


NAMES = {"1": "parse-complete", "2": "bind-complete", "3": "close-complete", "I": "empty-query", "n": "no-data", "s": "portal-suspended",
         "c": "copy-done", "N": "notice", "E": "error", "R": "authentication", "K": "key"}


def line_of(kind, body):
    """A message as a line; what differs from server to server is left out."""
    if kind == "T":
        return f"columns {formats_of(body)} {wire.columns_text(body)}"
    if kind == "D":
        return "row " + row_line(body)
    if kind in "EN":
        return f"{NAMES[kind]} " + re.sub("pg_temp_[0-9]+", "pg_temp_N", wire.fields_text(body))
    if kind == "C":
        return "tag " + body[:-1].decode()
    if kind == "Z":
        return "ready " + body.decode()
    if kind == "t":
        return "parameters " + " ".join(str(n) for n in struct.unpack(f"!{(len(body) - 2) // 4}I", body[2:]))
    if kind in "GHW":
        return f"copy-{kind} {body.hex()}"
    if kind == "d":
        return "data " + (body.decode() if all(byte in b"\n\t" or 32 <= byte < 127 for byte in body) else "0x" + body.hex()).replace("\n", "\\n").replace("\t", "\\t")
    if kind == "S":
        name, value = body[:-1].split(b"\0")
        return f"parameter {name.decode()}={value.decode()}"
    if kind == "R":
        return "authentication " + str(struct.unpack("!I", body[:4])[0])
    if kind == "v":
        return "negotiate " + body.hex()
    return NAMES.get(kind, kind)
