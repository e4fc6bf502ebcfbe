"""Runs of single pieces of work on several servers in turn, and the table of their medians."""
import argparse
import statistics
import time

import results
import servers


def arguments(description, **numbers):
    """--build, --rounds, --only, and a number option for each keyword."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--build", default=str(servers.TOP / "build/release"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", help="one of the servers")
    parser.add_argument("--grep", help="only what has this in its name")
    for name, value in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    return parser.parse_args()


def start(options):
    chosen = [make() for name, make in (("sengi", lambda: servers.Sengi(options.build)), ("postgresql", servers.PostgreSQL))
              if options.only in (None, name)]
    for server in chosen:
        server.start()
    return chosen


def measure(server, work):
    """Wall clock and processor seconds of one call."""
    before, start_at = server.seconds(), time.monotonic()
    work(server)
    took = time.monotonic() - start_at
    time.sleep(0.05)  # PostgreSQL's backends are counted once they have been waited for
    return took, server.seconds() - before


def compare(chosen, rounds, works):
    """works: (name, function of a server, perhaps one that prepares it), each run `rounds` times on all servers in turn."""
    print(f"{'work':44} {'server':10} {'wall ms':>9} {'CPU ms':>9}   to postgresql")
    for name, work, *preparations in works:
        runs_of = {server.name: [] for server in chosen}
        for turn in range(rounds):
            for server in chosen if turn % 2 == 0 else reversed(chosen):
                for prepare in preparations:
                    prepare(server)
                runs_of[server.name].append(measure(server, work))
        medians = {key: [statistics.median(run[i] for run in runs) * 1000 for i in (0, 1)] for key, runs in runs_of.items()}
        peer = medians.get("postgresql")
        for key, (wall, cpu) in medians.items():
            results.note(name, key, rate=1000 / wall, wall=wall, cpu=cpu)
            ratio = f"{peer[0] / wall:.2f} x as fast, {cpu / max(peer[1], 0.01):.2f} x CPU" if peer and key != "postgresql" else ""
            print(f"{name[:44]:44} {key:10} {wall:9.1f} {cpu:9.1f}   {ratio}", flush=True)
