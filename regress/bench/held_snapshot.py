#!/usr/bin/env python3
"""What a snapshot that is held open costs: tpcb-like load beside an idle REPEATABLE READ transaction.

The time is cut into ten parts. In each the load goes to a server whose snapshot is held, then for a quarter as long to another
one that has had the same load without a snapshot: what the machine does meanwhile befalls both. Told each time: transactions a
second, the server's processor time for each, bytes of old row versions, the server's memory, what it maps of files beside (old
versions beyond version_memory_limit, --limit, are in one), the tables' size. In the end the holder reads again: the sums that it
saw first, or 72000 where the versions went beyond version_disk_limit (--disk) as well. The load must not notice either. Aims:
beside the other server's, the last parts' rate is at most 5% below the first ones', and tables are at 1.2 times their live rows.
PostgreSQL (--only postgresql) shows the same columns but for versions, which are in its tables.
"""
import re
import statistics
import subprocess
import sys
import threading
import time

import servers
import table

sys.path.insert(0, str(servers.TOP / "tools"))
import wire

PARTS = 10
ENDS = 3  # parts at either end that are compared
SUMS = "SELECT sum(abalance), (SELECT sum(bbalance) FROM pgbench_branches), (SELECT sum(tbalance) FROM pgbench_tellers), (SELECT count(*) FROM pgbench_history) FROM pgbench_accounts"
SIZES = "SELECT pg_total_relation_size('pgbench_accounts') + pg_total_relation_size('pgbench_branches') + pg_total_relation_size('pgbench_tellers')"
VERSIONS = "SELECT coalesce(sum(size), 0) FROM pg_shmem_allocations WHERE name = 'Row Versions'"


class Loaded:
    """A server with pgbench's tables, and what it did in each part of the time."""

    def __init__(self, server, options, kind):
        self.server, self.options, self.kind = server, options, kind
        self.rates, self.costs, self.size, self.most_versions = [], [], 0, 0
        server.start()
        subprocess.run(["pgbench", "-q", "-i", "-s", str(options.scale)], env=server.environment, check=True, capture_output=True)
        server.sql("CHECKPOINT")
        self.connection = wire.Connection(server.port)
        self.fresh = self.number(SIZES)

    def number(self, query):
        return int(self.connection.rows(query)[0])

    def play(self, seconds):
        """The load for so long; versions are looked at twice a second. What pgbench said when it failed."""
        command = ["pgbench", "-n", "-M", "prepared", "-c", str(self.options.clients), "-j", "2", "-T", str(seconds)]
        before, most, said = self.server.seconds(), 0, []
        load = subprocess.Popen(command, env=self.server.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        reader = threading.Thread(target=lambda: said.extend(load.communicate()))
        reader.start()
        while reader.is_alive():
            most = max(most, self.number(VERSIONS))
            reader.join(0.5)
        if load.returncode != 0:
            return f"{self.server.name:10} the load ended with status {load.returncode}: {said[1][:300]}"
        count = int(re.search(r"actually processed: (\d+)", said[0]).group(1))
        self.rates.append(float(re.search(r"tps = ([\d.]+)", said[0]).group(1)))
        self.costs.append((self.server.seconds() - before) / count * 1e6)
        self.size, self.most_versions = self.number(SIZES), max(self.most_versions, most)
        mapped = self.server.mapped_files()
        print(f"{self.server.name:10} {self.kind:8} {len(self.rates):4} {self.rates[-1]:9.1f} {self.costs[-1]:9.1f} {most / 2**20:12.2f} "
              f"{(self.server.memory() - mapped) / 2**20:10.1f} {mapped / 2**20:10.1f} {self.size / 2**20:10.1f}", flush=True)
        return None


def hold(server):
    """A transaction that has read everything, and what it saw."""
    holder = wire.Connection(server.port, timeout=600)
    holder.must("BEGIN ISOLATION LEVEL REPEATABLE READ")
    return holder, holder.rows(SUMS)


def change(held, free):
    """Of the held one's figures beside the other's: the last parts' median to the first ones'."""
    beside = [one / other for one, other in zip(held, free)]
    return statistics.median(beside[-ENDS:]) / statistics.median(beside[:ENDS])


def tell(held, free, holder, saw):
    name = held.server.name
    answer = [line for line in holder.query(SUMS) if line.startswith(("row", "error"))][0]
    print(f"{name:10} beside a server without a snapshot, the last {ENDS} parts have {change(held.rates, free.rates):.3f} of the first {ENDS}' rate"
          f" and {change(held.costs, free.costs):.3f} of their processor time for a transaction")
    print(f"{name:10} tables have {held.size / held.fresh:.3f} of the size that they were loaded with")
    print(f"{name:10} versions took {held.most_versions / 2**20:.2f} MiB at most")
    print(f"{name:10} the holder reads {'what it saw first' if answer == 'row ' + saw[0] else answer}", flush=True)


def run(make, options):
    """What went wrong."""
    twins = [make(), make()]
    try:
        held, free = Loaded(twins[0], options, "held"), Loaded(twins[1], options, "none")
        holder, saw = hold(held.server)
        seconds = max(4, round(options.minutes * 60 / PARTS))
        faults = [loaded.play(long) for _ in range(PARTS) for loaded, long in ((held, seconds), (free, max(2, seconds // 4)))]
        faults = [fault for fault in faults if fault]
        if not faults:
            tell(held, free, holder, saw)
        return faults
    finally:
        for twin in twins:
            twin.remove()


def main():
    options = table.arguments(__doc__, minutes=60, clients=16, scale=20, limit=256, disk=16384)
    makes = {"sengi": lambda: servers.Sengi(options.build, options=[f"version_memory_limit={options.limit}MB", f"version_disk_limit={options.disk}MB"]), "postgresql": servers.PostgreSQL}
    print(f"{'server':10} {'snapshot':8} {'part':>4} {'tps':>9} {'cpu us/tx':>9} {'versions MiB':>12} {'memory MiB':>10} {'mapped MiB':>10} {'tables MiB':>10}")
    faults = run(makes[options.only or "sengi"], options)
    if faults:
        sys.exit("\n".join(faults))


main()
