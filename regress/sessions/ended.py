"""Who is told to end while nothing may interrupt him ends afterwards, without another word from his client.

The server is sengi_held (held.c), whose commits stop where the test says.
"""
import concurrent.futures
import os
import tempfile

import held
import suite
import wire
from sengi_server import Server


class Scene:
    """A commit that is held, by a session that its client then leaves alone."""

    def __init__(self, server, hold, session_class):
        self.server, self.hold, self.sync = server, hold, hold.path.with_name("sync")
        self.session = session_class(server.port, database="postgres")
        self.session.must("create table if not exists ended_t (n int)")

    def commit_held(self):
        self.hold.arm(1)
        self.session.send("Q", b"insert into ended_t values (1)\0")
        suite.wait_for(self.hold.is_held, "the commit is not held")

    def last_words(self):
        """What the session is told when it may go on: its answer, and the end."""
        self.hold.release()
        lines = []
        try:
            lines = self.session.until_ready()
            kind, body = self.session.message()
            lines.append(kind + wire.fields_text(body))
            lines.append(self.session.message()[0])
        except wire.WireError:
            lines.append("closed")
        except TimeoutError:
            lines.append("and waits")
        return lines


def by_another(scene, connect):
    """pg_terminate_backend, heard of by the worker while the commit is held."""
    watcher = connect()
    pid = int.from_bytes(scene.session.key[:4], "big")
    # Its transactions wait for nobody's apply: their snapshot is older.
    watcher.must("begin isolation level repeatable read")
    watcher.must("select 1")
    scene.commit_held()
    suite.check(watcher.rows(f"select pg_terminate_backend({pid})") == ["t"], "there is nobody to terminate")
    watcher.must("select 1")
    told = scene.last_words()
    watcher.close()
    return told


def before_it_is_durable(scene, connect):
    """pg_terminate_backend while the commit waits for the disk: what was committed is answered."""
    watcher = connect()
    pid = int.from_bytes(scene.session.key[:4], "big")
    waits = f"select 1 from pg_stat_activity where pid = {pid} and wait_event = 'WALSync'"
    watcher.must("begin isolation level repeatable read")
    watcher.must("select 1")
    scene.sync.write_text("", encoding="ascii")
    scene.session.send("Q", b"insert into ended_t values (1)\0")
    suite.wait_for(lambda: watcher.rows(waits), "the commit does not wait for the disk")
    suite.check(watcher.rows(f"select pg_terminate_backend({pid})") == ["t"], "there is nobody to terminate")
    watcher.must("select 1")
    scene.sync.unlink()
    told = scene.last_words()
    watcher.close()
    return told


def by_the_server(scene, _):
    """SIGTERM, heard of by the worker likewise: its listener is closed first."""
    scene.commit_held()
    scene.server.process.terminate()
    suite.wait_for(lambda: "received a stop request" in scene.server.log_tail(), "the server does not stop")
    return scene.last_words()


def taken_on_late(options, session_class, directory):
    """The server stops when a connection has been accepted, and is not yet a session: its client is answered, and the server ends."""
    hold = held.Hold(directory)
    server = Server(options.build, {"worker_threads": 2})
    server.binary = str(options.build / "regress/sessions/sengi_held")
    server.environment = {"SENGI_HOLD_START": str(hold.path)}
    with server:
        hold.arm(1)
        threads, early = concurrent.futures.ThreadPoolExecutor(1), []
        while not hold.is_held():  # the second worker's turn comes
            late = threads.submit(session_class, server.port, database="postgres", timeout=30)
            suite.wait_for(lambda late=late: hold.is_held() or late.done(), "a connection is neither held nor taken")
            early += [late.result()] if late.done() else []
        server.process.terminate()
        suite.wait_for(lambda: "received a stop request" in server.log_tail(), "the server does not stop")
        hold.release()
        said = repr(late.exception(60))
        for session in early:
            session.close()
        status = server.stop()
    right = "C57P01" in said and status == 0
    print("ok sessions/ended-taken-on-late" if right else f"not ok sessions/ended-taken-on-late: {said}, exit status {status}")


def run(options, session_class):
    directory = tempfile.mkdtemp(prefix="sengi-ended-")
    taken_on_late(options, session_class, directory)
    for told in (by_another, before_it_is_durable, by_the_server):
        hold = held.Hold(directory)
        server = Server(options.build, {"worker_threads": 1})
        server.binary = str(options.build / "regress/sessions/sengi_held")
        server.environment = {"SENGI_HOLD": str(hold.path), "SENGI_HOLD_SYNC": str(hold.path.with_name("sync"))}
        with server:
            scene = Scene(server, hold, session_class)
            scene.session.socket.settimeout(20)
            lines = told(scene, lambda server=server: session_class(server.port, database="postgres"))
            status = server.stop()
        wanted = ["tag INSERT 0 1", "ready I", "ESFATAL | C57P01 | Mterminating connection due to administrator command", "closed"]
        right = [line for line in lines if line in wanted] == wanted and status == 0
        print(f"ok sessions/ended-{told.__name__}" if right else f"not ok sessions/ended-{told.__name__}: {lines}, exit status {status}")
    os.rmdir(directory)
