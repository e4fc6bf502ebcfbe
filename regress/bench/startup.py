#!/usr/bin/env python3
"""Time from the start of the process to the first answer, on a clean existing database."""
import statistics
import subprocess
import time

import results
import servers
import table
import wire_client


def first_answer(server):
    """Milliseconds."""
    start = time.monotonic()
    server.start()
    client = None
    while not client:
        try:
            client = wire_client.Client(server)
        except wire_client.Refused:
            time.sleep(0.002)  # PostgreSQL listens before it lets anybody in
    client.query("SELECT 1")
    took = time.monotonic() - start
    client.close()
    server.stop()
    return took * 1000


def empty_directory(options):
    """init, serve, first answer."""
    start = time.monotonic()
    server = servers.Sengi(options.build)
    server.start()
    client = wire_client.Client(server)
    client.query("SELECT 1")
    took = time.monotonic() - start
    client.close()
    server.remove()
    return took * 1000


def main():
    options = table.arguments("start-up beside PostgreSQL 15", scale=10)
    chosen = table.start(options)
    try:
        for server in chosen:
            subprocess.run(["pgbench", "-i", "-q", "-s", str(options.scale)], env=server.environment, check=True, capture_output=True)
            server.stop()
        for server in chosen:
            times = [first_answer(server) for _ in range(options.rounds)]
            results.note("clean start to the first answer", server.name, rate=1000 / statistics.median(times), wall=statistics.median(times))
            print(f"{'clean start to the first answer':44} {server.name:10} {statistics.median(times):9.1f} ms")
    finally:
        for server in chosen:
            server.remove()
    times = [empty_directory(options) for _ in range(options.rounds)]
    print(f"{'empty directory to the first answer':44} {'sengi':10} {statistics.median(times):9.1f} ms")


if __name__ == "__main__":
    main()
