"""The servers that benchmarks compare: each started on an own directory and an own Unix socket.

A server knows the processor time it has used, all its threads and processes together, and its
memory. Durability is on in all of them, and their buffer pools are alike.
"""
import atexit
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
TICKS = os.sysconf("SC_CLK_TCK")
PG_BIN = pathlib.Path("/usr/lib/postgresql/15/bin")


def process_seconds(pid):
    """User and system time of a process and of its children that have ended."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return sum(int(field) for field in fields[11:15]) / TICKS


def children(pid):
    try:
        return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def proportional_bytes(pid, kind="Pss:"):
    """The process's own share of memory, or of what of it is files' (Pss_File:)."""
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(kind):
            return int(line.split()[1]) * 1024
    return 0


CONTROLS = [("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")]


def group_make(parent, limit, megabytes):
    """A control group with this process in it, which leaves it in the end; False: there is no such thing here."""
    group = pathlib.Path(parent) / f"sengi-bench-{os.getpid()}"
    try:
        group.mkdir()
    except OSError:
        return False
    try:
        (group / limit).write_text(f"{megabytes}M")
        (group / "cgroup.procs").write_text(str(os.getpid()))
    except OSError:
        group.rmdir()
        return False
    atexit.register(group.rmdir)
    atexit.register(lambda: (group.parent / "cgroup.procs").write_text(str(os.getpid())))
    return True


def limit_memory(megabytes):
    """This process and those that it starts get no more, the system's cache of their files included."""
    if not any(group_make(parent, limit, megabytes) for parent, limit in CONTROLS):
        raise SystemExit("no control group of memory can be made here")


class Server:
    """Base: a directory of its own, a Unix socket in it, a process."""

    name = "server"
    database = "postgres"

    def __init__(self, options=()):
        self.options = list(options)
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="bench-"))
        self.directory.chmod(0o755)
        self.process = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    @property
    def environment(self):
        return dict(os.environ, PGHOST=str(self.directory), PGPORT=str(self.port), PGUSER="postgres", PGDATABASE=self.database,
                    PGSSLMODE="disable", PGOPTIONS="")

    def wait_until_ready(self, patience=30):
        path = self.directory / f".s.PGSQL.{self.port}"
        for _ in range(500 * patience):
            if self.process.poll() is not None:
                raise SystemExit(f"{self.name} did not start; see {self.directory}/log")
            with socket.socket(socket.AF_UNIX) as probe:
                try:
                    probe.connect(str(path))
                    return
                except OSError:
                    time.sleep(0.002)
        raise SystemExit(f"{self.name} does not answer")

    def seconds(self):
        return process_seconds(self.process.pid) + sum(process_seconds(child) for child in children(self.process.pid))

    def memory(self):
        pids = [self.process.pid] + children(self.process.pid)
        return sum(proportional_bytes(pid) for pid in pids)

    def mapped_files(self):
        """What of memory() are pages of files, which the system takes back when it wants them."""
        pids = [self.process.pid] + children(self.process.pid)
        return sum(proportional_bytes(pid, "Pss_File:") for pid in pids)

    def sql(self, text):
        """Runs statements with psql; returns its output."""
        result = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", text], env=self.environment, capture_output=True, text=True)
        if result.returncode != 0:
            raise SystemExit(f"{self.name}: {text}: {result.stderr}")
        return result.stdout.strip()

    def start(self, patience=30):
        """Serves; returns when it answers, and gives up after `patience` seconds."""
        self.launch()
        self.wait_until_ready(patience)
        return self

    def crash(self):
        """Ends it at once, whatever it is doing."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def remove(self):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


class Sengi(Server):
    name = "sengi"

    def __init__(self, build, pool="2GB", options=()):
        super().__init__(options)
        self.binary = pathlib.Path(build) / "src/server/sengi"
        self.pool = pool
        subprocess.run([self.binary, "init", self.directory / "data"], check=True, stdout=subprocess.DEVNULL)

    def launch(self):
        log = open(self.directory / "log", "a", encoding="utf-8")
        settings = [f"shared_buffers={self.pool}", "max_wal_size=4GB", "max_connections=10000", *self.options]
        arguments = [text for setting in settings for text in ("-c", setting)]
        self.process = subprocess.Popen([self.binary, "serve", self.directory / "data", "--port", str(self.port), "--listen", "127.0.0.1",
                                         "--socket", self.directory, *arguments], stderr=log)


class PostgreSQL(Server):
    name = "postgresql"

    def __init__(self, pool="2GB", options=()):
        super().__init__(options)
        self.pool = pool
        self.user = pwd.getpwnam("postgres") if os.getuid() == 0 else None
        if self.user:
            os.chown(self.directory, self.user.pw_uid, self.user.pw_gid)
        self.run("initdb", "-D", str(self.directory / "data"), "-A", "trust", "-U", "postgres", "--no-sync")

    def identity(self):
        return {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []} if self.user else {}

    def run(self, program, *arguments):
        subprocess.run([PG_BIN / program, *arguments], check=True, stdout=subprocess.DEVNULL, cwd="/", **self.identity())

    def launch(self):
        log = open(self.directory / "log", "a", encoding="utf-8")
        settings = [f"shared_buffers={self.pool}", "max_wal_size=4GB", "max_connections=1100", "max_parallel_workers_per_gather=0",
                    f"unix_socket_directories={self.directory}", "listen_addresses=127.0.0.1", *self.options]
        arguments = [text for setting in settings for text in ("-c", setting)]
        self.process = subprocess.Popen([PG_BIN / "postgres", "-D", self.directory / "data", "-p", str(self.port), *arguments],
                                        stderr=log, cwd="/", **self.identity())

    def wait_until_ready(self, patience=30):
        super().wait_until_ready(patience)
        while subprocess.run([PG_BIN / "pg_isready", "-q", "-h", self.directory, "-p", str(self.port)], check=False).returncode != 0:
            time.sleep(0.02)  # it listens before it answers

    def crash(self):
        """All of its processes: those that outlived a killed postmaster would hold the directory."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait()
        self.process = None


class Canned(Server):
    """Answers every query with the same bytes: what the kernel alone costs. `synced`: after a sync of the disk."""

    name = "canned"

    def __init__(self, build, synced=False):
        super().__init__()
        self.synced = [self.directory / "synced"] if synced else []
        self.binary = pathlib.Path(build) / "canned"
        source = TOP / "regress/bench/canned.c"
        if not self.binary.exists() or self.binary.stat().st_mtime < source.stat().st_mtime:
            subprocess.run(["cc", "-O2", "-pthread", "-o", self.binary, source], check=True)

    def launch(self):
        self.process = subprocess.Popen([self.binary, self.directory / f".s.PGSQL.{self.port}", str(os.cpu_count()), *self.synced])


def each(makes, wanted, run):
    """Runs `run` with each server of `makes` (name: how it is made) that is wanted, and takes it away again."""
    for name, make in makes.items():
        if name in wanted:
            server = make()
            try:
                run(server)
            finally:
                server.remove()
