#!/usr/bin/env python3
"""What a snapshot that is held open costs: tpcb-like load beside an idle REPEATABLE READ transaction.

Told each tenth of the time: transactions a second, bytes of old row versions, the server's memory, the tables' size beside
that of their live rows. In the end the holder reads again: the sums that it saw first, or 72000 where the versions went beyond
version_memory_limit (--limit). The load must not notice either. Aims: 5% at most between the first tenth and the last, tables
at 1.2 times their live rows. PostgreSQL (--only postgresql) shows the same columns but for versions, which are in its tables.
"""
import subprocess
import sys
import threading
import time

import servers
import table

sys.path.insert(0, str(servers.TOP / "tools"))
import wire

PARTS = 10
SUMS = "SELECT sum(abalance), (SELECT sum(bbalance) FROM pgbench_branches), (SELECT sum(tbalance) FROM pgbench_tellers), (SELECT count(*) FROM pgbench_history) FROM pgbench_accounts"
SIZES = "SELECT pg_total_relation_size('pgbench_accounts') + pg_total_relation_size('pgbench_branches') + pg_total_relation_size('pgbench_tellers')"
VERSIONS = "SELECT coalesce(sum(size), 0) FROM pg_shmem_allocations WHERE name = 'Row Versions'"
COMMITS = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"


class Samples:
    """Figures at the end of each part of the time."""

    def __init__(self, server):
        self.server, self.rows, self.most_versions = server, [], 0
        self.connection = wire.Connection(server.port)

    def number(self, query):
        return int(self.connection.rows(query)[0])

    def commits(self):
        """How many there have been, and when."""
        return self.number(COMMITS), time.monotonic()

    def watch(self, before, until):
        """One part, from the commits `before` to the time `until`: versions are looked at twice a second. The commits at its end."""
        most = 0
        while time.monotonic() < until:
            time.sleep(min(0.5, max(0, until - time.monotonic())))
            most = max(most, self.number(VERSIONS))
        after = self.commits()
        self.most_versions = max(self.most_versions, most)
        self.rows.append(((after[0] - before[0]) / (after[1] - before[1]), self.number(SIZES)))
        print(f"{self.server.name:10} {len(self.rows):4} {self.rows[-1][0]:9.1f} {most / 2**20:12.2f} {self.server.memory() / 2**20:10.1f} {self.rows[-1][1] / 2**20:10.1f}", flush=True)
        return after


def hold(server):
    """A transaction that has read everything, and what it saw."""
    holder = wire.Connection(server.port, timeout=600)
    holder.must("BEGIN ISOLATION LEVEL REPEATABLE READ")
    return holder, holder.rows(SUMS)


def tell(samples, fresh, holder, saw):
    name, rates = samples.server.name, [row[0] for row in samples.rows]
    answer = [line for line in holder.query(SUMS) if line.startswith(("row", "error"))][0]
    print(f"{name:10} the last part has {rates[-1] / rates[0]:.3f} of the first one's rate")
    print(f"{name:10} tables have {samples.rows[-1][1] / fresh:.3f} of the size that they were loaded with")
    print(f"{name:10} versions took {samples.most_versions / 2**20:.2f} MiB at most")
    print(f"{name:10} the holder reads {'what it saw first' if answer == 'row ' + saw[0] else answer}", flush=True)


def run(server, options, faults):
    server.start()
    subprocess.run(["pgbench", "-q", "-i", "-s", str(options.scale)], env=server.environment, check=True, capture_output=True)
    server.sql("CHECKPOINT")
    samples = Samples(server)
    fresh = samples.number(SIZES)
    holder, saw = hold(server)
    seconds = options.minutes * 60
    load = subprocess.Popen(["pgbench", "-n", "-M", "prepared", "-c", str(options.clients), "-j", "2", "-T", str(seconds + 5)],
                            env=server.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    said = []
    reader = threading.Thread(target=lambda: said.extend(load.communicate()))
    reader.start()
    time.sleep(2)  # PostgreSQL's sessions tell their commits once a second
    commits = samples.commits()
    start = commits[1]
    for part in range(PARTS):
        commits = samples.watch(commits, start + (part + 1) * seconds / PARTS)
    reader.join()
    if load.returncode != 0:
        faults.append(f"{server.name:10} the load ended with status {load.returncode}: {said[1][:300]}")
    tell(samples, fresh, holder, saw)
    server.stop()


def main():
    options = table.arguments(__doc__, minutes=60, clients=16, scale=20, limit=1024)
    makes = {"sengi": lambda: servers.Sengi(options.build, options=[f"version_memory_limit={options.limit}MB"]), "postgresql": servers.PostgreSQL}
    faults = []
    print(f"{'server':10} {'part':>4} {'tps':>9} {'versions MiB':>12} {'memory MiB':>10} {'tables MiB':>10}")
    servers.each(makes, [options.only or "sengi"], lambda server: run(server, options, faults))
    if faults:
        sys.exit("\n".join(faults))


main()
