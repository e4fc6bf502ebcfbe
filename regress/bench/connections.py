#!/usr/bin/env python3
"""Connections: what idle ones cost in memory and in speed, how fast they come and go, herds, clients that vanish.

Each figure stands beside its goal (GOALS in the text); PostgreSQL is shown where it can do the same, with as many
connections as its processes allow.
"""
import resource
import statistics
import subprocess
import time

import pgbench
import servers
import table
import wire_client


def crowd(build):
    binary, source = servers.pathlib.Path(build) / "crowd", servers.TOP / "regress/bench/crowd.c"
    if not binary.exists() or binary.stat().st_mtime < source.stat().st_mtime:
        subprocess.run(["cc", "-O2", "-D_GNU_SOURCE", "-pthread", "-o", binary, source], check=True)
    return binary


class Crowd:
    """crowd.c against a server."""

    def __init__(self, build, server):
        self.binary, self.server = crowd(build), server
        self.socket = str(server.directory / f".s.PGSQL.{server.port}")

    def run(self, *arguments):
        result = subprocess.run([self.binary, self.socket, *map(str, arguments)], capture_output=True, text=True)
        if result.returncode != 0:
            raise SystemExit(f"{self.server.name}: crowd {arguments}: {result.stderr}")
        words = result.stdout.split()
        return dict(zip(words[::2], map(int, words[1::2])))

    def open(self, count, query):
        process = subprocess.Popen([self.binary, self.socket, "open", str(count), query], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if process.stdout.readline() != f"open {count}\n":
            raise SystemExit(f"{self.server.name}: {count} connections could not be opened")
        return process


def say(server, what, figure, goal=""):
    print(f"{what:52} {server.name:10} {figure:>28}   {goal}", flush=True)


def churn(crowd_of, count, rounds):
    """Connections made, served and left in a second; the server's CPU for each."""
    rates, costs = [], []
    for _ in range(rounds):
        before = crowd_of.server.seconds()
        rates.append(count / (crowd_of.run("storm", count, 4)["took"] / 1e6))
        time.sleep(0.1)
        costs.append((crowd_of.server.seconds() - before) / count * 1e6)
    say(crowd_of.server, "connects in a second over the Unix socket",
        f"{statistics.median(rates):.0f}, {statistics.median(costs):.0f} us of CPU each", "goal: 5,000 a second")


ACTIVE = {"select-only": "readers", "simple-update": "writers"}


def active_runs(server, seconds):
    """64 clients of each kind; by script."""
    return {script: pgbench.one_run(server, script, 64, "prepared", 1, seconds) for script in ACTIVE}


def idle_ones(crowd_of, quiet, count, seconds, rounds):
    """Memory of idle connections after a query, and what 64 active ones lose by them beside `quiet`, a server without."""
    server = crowd_of.server
    before = server.memory()
    process = crowd_of.open(count, "SELECT abalance FROM pgbench_accounts WHERE aid = 1")
    each = (server.memory() - before) / count / 1024
    say(server, f"memory (PSS) of each of {count} idle ones", f"{each:.1f} KiB", "goal: 32 KiB")
    alone, among = [], []
    for turn in range(2 * rounds):
        for runs, one in ((alone, quiet), (among, server)) if turn % 2 else ((among, server), (alone, quiet)):
            runs.append(active_runs(one, seconds))
    process.stdin.close()
    process.wait()
    while int(server.sql("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")) > 3:
        time.sleep(0.05)
    for script, who in ACTIVE.items():
        ratio = {of: statistics.median(runs[script][of] for runs in among) / statistics.median(runs[script][of] for runs in alone)
                 for of in ("tps", "server")}
        say(server, f"64 {who} among {count} idle: lost", f"{(1 - ratio['tps']) * 100:.1f}%, CPU {(ratio['server'] - 1) * 100:+.1f}%", "goal: 5%")


def herd(crowd_of, count):
    result = crowd_of.run("herd", count)
    say(crowd_of.server, f"{count} at once", f"{result['served']} served, {result['refused']} refused, {result['lost']} lost",
        "goal: none lost")
    crowd_of.server.sql("SELECT 1")


def vanish(server):
    """From a client's end with an open transaction to the moment somebody else gets its row lock."""
    worst = 0
    for _ in range(5):
        holder, other = wire_client.Client(server), wire_client.Client(server)
        holder.query("BEGIN; UPDATE pgbench_branches SET bbalance = 1 WHERE bid = 1")
        start = time.monotonic()
        holder.socket.close()
        other.query("UPDATE pgbench_branches SET bbalance = 2 WHERE bid = 1")
        worst = max(worst, time.monotonic() - start)
        other.close()
    say(server, "a client vanishes: its locks are free after", f"{worst * 1000:.1f} ms at most", "goal: 1 s")


def vanish_in_query(server):
    """The same while its statement runs and it waits for the answer."""
    holder, other = wire_client.Client(server), wire_client.Client(server)
    holder.query("BEGIN; UPDATE pgbench_branches SET bbalance = 1 WHERE bid = 1")
    text = b"SELECT pg_sleep(60)\0"
    holder.socket.sendall(b"Q" + (len(text) + 4).to_bytes(4, "big") + text)
    time.sleep(0.2)
    start = time.monotonic()
    holder.socket.close()
    other.query("UPDATE pgbench_branches SET bbalance = 2 WHERE bid = 1")
    say(server, "the same in the middle of a query", f"{(time.monotonic() - start) * 1000:.1f} ms", "goal: 1 s")
    other.close()


def make_ready(server):
    """Starts it, with pgbench's tables."""
    server.start()
    subprocess.run(["pgbench", "-i", "-q", "-s", "1"], env=server.environment, check=True, capture_output=True)


def main():
    options = table.arguments("connections beside PostgreSQL 15", connects=10000, idle=10000, herd=20000, seconds=4, peer_idle=500)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    makes = {"sengi": lambda: servers.Sengi(options.build, options=["max_connections=10100"]), "postgresql": servers.PostgreSQL}
    chosen = []
    try:
        for name, make in makes.items():
            if options.only not in (None, name):
                continue
            server, quiet = make(), make()
            chosen += [server, quiet]
            make_ready(server)
            make_ready(quiet)
            is_sengi = name == "sengi"
            people = Crowd(options.build, server)
            churn(people, options.connects if is_sengi else options.connects // 10, options.rounds)
            idle_ones(people, quiet, min(options.idle, hard - 1000) if is_sengi else options.peer_idle, options.seconds, options.rounds)
            vanish(server)
            if is_sengi:
                vanish_in_query(server)
                herd(people, min(options.herd, hard - 100))
    finally:
        for server in chosen:
            server.remove()


if __name__ == "__main__":
    main()
