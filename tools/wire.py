"""A small client of PostgreSQL's protocol 3.0, for recording and comparing: simple queries only."""
import os
import socket
import struct
import tempfile


class WireError(Exception):
    """The server closed the connection or broke the protocol."""


class Refused(Exception):
    """The server answered with an error: the text of the answer's line."""

    def __init__(self, line):
        super().__init__(line)
        self.sqlstate = line.split(" | C")[1][:5]


class Connection:
    """One session. query() gives the answer as lines of text, the same for any server."""

    fields = "SCMDHWstcdnP"  # of errors and notices, those that clients see and servers share

    def __init__(self, port, user="postgres", database="postgres", timeout=300):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.received = b""
        self.copy_data = b""
        self.port = port
        self.key = b""  # process and secret, for cancel requests
        body = struct.pack("!i", 196608) + f"user\0{user}\0database\0{database}\0client_min_messages\0notice\0\0".encode()
        self.socket.sendall(struct.pack("!i", len(body) + 4) + body)
        while True:
            kind, body = self.message()
            if kind == "E":
                raise WireError(fields_text(body))
            if kind == "K":
                self.key = body
            if kind == "Z":
                return

    def send(self, text):
        """A simple query, without waiting for its answer."""
        body = text.encode() + b"\0"
        self.socket.sendall(b"Q" + struct.pack("!i", len(body) + 4) + body)

    def cancel(self):
        """Asks, over a connection of its own, to cancel what runs here; returns when the server has taken that in."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as other:
            other.sendall(struct.pack("!ii", 16, 80877102) + self.key)
            other.recv(1)

    def close(self):
        """Says goodbye."""
        try:
            self.socket.sendall(b"X\0\0\0\4")
        except OSError:
            pass
        self.socket.close()

    def take(self, count):
        """The next bytes of the stream."""
        while len(self.received) < count:
            chunk = self.socket.recv(65536)
            if not chunk:
                raise WireError("the server closed the connection")
            self.received += chunk
        result, self.received = self.received[:count], self.received[count:]
        return result

    def message(self):
        """The next message: its type and body."""
        head = self.take(5)
        return chr(head[0]), self.take(struct.unpack("!i", head[1:])[0] - 4)

    def query(self, text, copy_data=b""):
        """Sends one query, and what its COPY FROM STDIN takes; the lines of its answer, ReadyForQuery's state last."""
        self.copy_data = copy_data
        body = text.encode() + b"\0"
        self.socket.sendall(b"Q" + struct.pack("!i", len(body) + 4) + body)
        return self.answer()

    def must(self, text, copy_data=b""):
        """As query(), but an error is Refused."""
        lines = self.query(text, copy_data)
        for line in lines:
            if line.startswith("error "):
                raise Refused(line)
        return lines

    def rows(self, text):
        """The rows alone, as text."""
        return [line[4:] for line in self.must(text) if line.startswith("row ")]

    def answer(self):
        """The lines of the answer to a query that has been sent."""
        lines = []
        while True:
            kind, body = self.message()
            if kind == "T":
                lines.append("columns " + columns_text(body))
            elif kind == "D":
                lines.append("row " + row_text(body))
            elif kind == "C":
                lines.append("tag " + body[:-1].decode())
            elif kind in "EN":
                lines.append(("error " if kind == "E" else "notice ") + fields_text(body, self.fields))
            elif kind == "I":
                lines.append("empty")
            elif kind == "G":
                for at in range(0, len(self.copy_data), 65536):
                    part = self.copy_data[at:at + 65536]
                    self.socket.sendall(b"d" + struct.pack("!i", len(part) + 4) + part)
                self.socket.sendall(b"c\0\0\0\4")
            elif kind == "Z":
                return lines


def columns_text(body):
    """Names and type OIDs."""
    count, position, parts = struct.unpack("!h", body[:2])[0], 2, []
    for _ in range(count):
        end = body.index(0, position)
        name = body[position:end].decode(errors="backslashreplace")
        position = end + 1
        _, _, type_oid, _, modifier, _ = struct.unpack("!ihihih", body[position:position + 18])
        position += 18
        parts.append(f"{name}:{type_oid if type_oid < 16384 else 'user'}:{modifier}")
    return " | ".join(parts)


def row_values(body):
    """The bytes of each value of a DataRow; None for NULL."""
    count, position = struct.unpack("!h", body[:2])[0], 2
    for _ in range(count):
        length = struct.unpack("!i", body[position:position + 4])[0]
        position += 4
        yield None if length < 0 else body[position:position + length]
        position += max(length, 0)


def row_text(body):
    """Values as text; NULL is \\N."""
    return " | ".join("\\N" if value is None else value.decode(errors="replace").replace("\\", "\\\\").replace("\n", "\\n")
                      for value in row_values(body))


def fields_text(body, fields=Connection.fields):
    """The fields that clients see; file, line and routine are each server's own."""
    parts = []
    for field in body.split(b"\0"):
        if field and chr(field[0]) in fields:
            parts.append(field.decode(errors="backslashreplace").replace("\n", "\\n"))
    return " | ".join(parts)


def statements(path):
    """The statements of a file with the line each begins on. A statement ends with `;` at a line's end."""
    text, start = [], 0
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            line = line.rstrip("\n")
            if not text and (not line.strip() or line.startswith("--")):
                continue
            if not text:
                start = number
            text.append(line)
            if line.endswith(";"):
                yield start, "\n".join(text)[:-1]
                text = []


def make_database(port, name, path):
    """A new database, and in it the statements of a file; an error ends the program."""
    admin = Connection(port)
    admin.query(f"CREATE DATABASE {name}")
    admin.close()
    connection = Connection(port, database=name)
    for line, statement in statements(path):
        errors = [text for text in connection.query(statement) if text.startswith("error")]
        if errors:
            raise SystemExit(f"{path.name}:{line}: {errors[0]}")
    connection.close()


def run_all(port, texts):
    """Statements in a session of their own, none of which may fail."""
    connection = Connection(port)
    try:
        for text in texts:
            connection.must(text)
    finally:
        connection.close()


def answers(port, path):
    """Runs a file in one session: (line, statement, answer lines) for each statement.

    {directory} in a statement is a directory that the server, whoever runs it, can write to.
    """
    connection = Connection(port)
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o777)
        try:
            for line, statement in statements(path):
                answer = connection.query(statement.replace("{directory}", directory))
                yield line, statement, [part.replace(directory, "{directory}") for part in answer]
        finally:
            connection.close()
