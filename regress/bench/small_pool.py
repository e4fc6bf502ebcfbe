#!/usr/bin/env python3
"""A database of twenty times the buffer pool: pgbench at scale 400 with a pool of 256 MiB, beside PostgreSQL 15.

Told are: how long loading takes; tpcb-like transactions over all of it; point reads in a hundredth of the rows (the
hot ones), alone and while another session scans the whole table again and again; how much of what the hot rows lie on
is read from the disk anew after a scan (none: the scan has not driven it out); memory beyond the pool; and whether the
sums agree in the end. Pages come back from the system's cache here, which is larger than the pool: rates are those of
a fast disk.
"""
import pathlib
import subprocess
import tempfile
import threading
import time

import pgbench
import results
import servers
import table

HOT = "\\set aid random(1, 1000 * :scale)\nSELECT abalance FROM pgbench_accounts WHERE aid = :aid;\n"
SCAN = "SELECT sum(abalance) FROM pgbench_accounts"
SUMS = ("SELECT (SELECT sum(abalance) FROM pgbench_accounts), (SELECT sum(tbalance) FROM pgbench_tellers), "
        "(SELECT sum(bbalance) FROM pgbench_branches), (SELECT sum(delta) FROM pgbench_history)")


def say(server, what, figure):
    print(f"{server.name:10} {what:58} {figure:>18}", flush=True)


def bytes_read(server):
    """What the server has read of its data so far."""
    if server.name == "postgresql":
        # A backend reports when it ends, and some time after its last statement.
        time.sleep(1.5)
        return int(server.sql("SELECT sum(blks_read) FROM pg_stat_database")) * 8192
    fields = dict(line.split(": ") for line in pathlib.Path(f"/proc/{server.process.pid}/io").read_text().splitlines())
    return int(fields["rchar"])  # files only: sockets are read otherwise


class Scanner(threading.Thread):
    """Scans the table again and again until it is told to end."""

    def __init__(self, server):
        super().__init__()
        self.server, self.ends, self.count = server, False, 0

    def run(self):
        while not self.ends:
            self.server.sql(SCAN)
            self.count += 1


def hot_run(server, options):
    """Transactions in a second, and bytes read for them."""
    before = bytes_read(server)
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(HOT)
        file.flush()
        result = subprocess.run(["pgbench", "-n", "-c", "8", "-j", "1", "-T", str(options.seconds), "-M", "prepared", "-s", str(options.scale),
                                 "-f", file.name], env=server.environment, capture_output=True, text=True, check=True)
    rate = float(result.stdout.split("tps = ")[1].split()[0])
    return rate, bytes_read(server) - before


def scans(server, options):
    server.stop()
    server.start()
    _, cold = hot_run(server, options)
    alone, again = hot_run(server, options)
    server.sql(SCAN)
    _, after = hot_run(server, options)
    scanner = Scanner(server)
    scanner.start()
    beside, _ = hot_run(server, options)
    scanner.ends = True
    scanner.join()
    say(server, "point reads of hot rows a second", f"{alone:.0f}")
    say(server, "hot pages, read once from the disk, MiB", f"{cold / 2**20:.1f}")
    say(server, "of them read again without a scan, and after one", f"{again / cold * 100:.1f}%, {after / cold * 100:.1f}%")
    say(server, f"point reads a second beside scans ({scanner.count} of them)", f"{beside:.0f}, {beside / alone * 100:.0f}%")
    results.note("point reads of hot rows", server.name, rate=alone)


def correct(server, options):
    """All of pgbench's sums agree, and no row is missing."""
    sums = set(server.sql(SUMS).split("|"))
    count = int(server.sql("SELECT count(*) FROM pgbench_accounts"))
    if len(sums) != 1 or count != options.scale * 100000:
        raise SystemExit(f"{server.name}: sums {sums}, {count} accounts")
    say(server, "sums agree, rows are all there", "yes")


def run(server, options):
    server.start()
    start = time.monotonic()
    subprocess.run(["pgbench", "-i", "-q", "-I", "dtgp", "-s", str(options.scale)], env=server.environment, check=True, capture_output=True)
    server.sql("CHECKPOINT")
    say(server, "loading, with keys and a checkpoint, s", f"{time.monotonic() - start:.1f}")
    say(server, "size of the database, MiB", server.sql("SELECT pg_database_size('postgres') / 1048576"))
    tpcb = pgbench.one_run(server, "tpcb-like", 16, "prepared", options.scale, 3 * options.seconds)
    say(server, "tpcb-like transactions a second, CPU us", f"{tpcb['tps']:.0f}, {tpcb['server']:.0f}")
    results.note("tpcb-like", server.name, rate=tpcb["tps"], cpu=tpcb["server"])
    say(server, "memory (PSS) beyond the pool, MiB", f"{server.memory() / 2**20 - options.pool:.0f}")
    correct(server, options)
    scans(server, options)
    correct(server, options)


def main():
    options = table.arguments(__doc__, scale=400, pool=256, seconds=10)
    makes = {"sengi": lambda: servers.Sengi(options.build, pool=f"{options.pool}MB"),
             "postgresql": lambda: servers.PostgreSQL(pool=f"{options.pool}MB")}
    servers.each(makes, [options.only] if options.only else list(makes), lambda server: run(server, options))


if __name__ == "__main__":
    main()
