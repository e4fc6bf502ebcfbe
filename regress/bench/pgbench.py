"""pgbench runs, servers taking turns: throughput, latency, processor time for each transaction.

Used by the pgbench_*.py beside it. The order of servers turns round from one round to the next, so that
what else the machine does meets all of them.
"""
import argparse
import re
import resource
import statistics
import subprocess
import tempfile
import time

import results
import servers

SELECT_SCRIPT = "\\set aid random(1, 100000 * :scale)\nSELECT abalance FROM pgbench_accounts WHERE aid = :aid;\n"


def arguments(description, clients, modes):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--build", default=str(servers.TOP / "build/release"))
    parser.add_argument("--clients", default=clients, help="numbers, with commas")
    parser.add_argument("--modes", default=modes, help="simple, extended, prepared")
    parser.add_argument("--scale", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", help="one of the servers")
    parser.add_argument("--canned", action="store_true", help="also a server with canned answers (select-only)")
    return parser.parse_args()


def one_run(server, script, clients, mode, scale, seconds):
    threads = str(min(clients, 2))
    command = ["pgbench", "-n", "-c", str(clients), "-j", threads, "-T", str(seconds), "-M", mode, "-s", str(scale)]
    before, client_before = server.seconds(), resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        if script == "select-only":
            file.write(SELECT_SCRIPT)
            file.flush()
            command += ["-f", file.name]
        else:
            command += ["-b", script]
        result = subprocess.run(command, env=server.environment, capture_output=True, text=True)
    if result.returncode != 0:
        raise SystemExit(f"{server.name}: {' '.join(command)}: {result.stderr[-2000:]}")
    time.sleep(0.3)  # PostgreSQL's backends are counted once they have been waited for
    client_after = resource.getrusage(resource.RUSAGE_CHILDREN)
    count = int(re.search(r"transactions actually processed: (\d+)", result.stdout).group(1))
    used = server.seconds() - before
    client = client_after.ru_utime + client_after.ru_stime - client_before.ru_utime - client_before.ru_stime
    return {
        "tps": float(re.search(r"tps = ([\d.]+)", result.stdout).group(1)),
        "latency": float(re.search(r"latency average = ([\d.]+)", result.stdout).group(1)),
        "server": used / max(count, 1) * 1e6,
        "client": client / max(count, 1) * 1e6,
    }


def start_all(options, script):
    chosen = [servers.Sengi(options.build), servers.PostgreSQL()]
    if options.canned and script == "select-only":
        chosen.append(servers.Canned(options.build))
    if options.only:
        for server in chosen:
            if server.name != options.only:
                server.remove()
        chosen = [server for server in chosen if server.name == options.only]
    for server in chosen:
        server.start()
        if server.name != "canned":
            while subprocess.run(["pg_isready", "-q"], env=server.environment, check=False).returncode != 0:
                time.sleep(0.05)
            subprocess.run(["pgbench", "-i", "-q", "-s", str(options.scale)], env=server.environment, check=True, capture_output=True)
            server.sql("CHECKPOINT")
    return chosen


def compare(script, clients="1,8,64", modes="simple,extended,prepared"):
    options = arguments(f"pgbench {script} on Sengi and PostgreSQL 15", clients, modes)
    chosen = start_all(options, script)
    print(f"{'mode':9} {'clients':>7} {'server':10} {'tps':>9} {'latency ms':>10} {'server us':>9} {'client us':>9}   to postgresql")
    try:
        for mode in options.modes.split(","):
            for clients in map(int, options.clients.split(",")):
                runs_of = {server.name: [] for server in chosen}
                for turn in range(options.rounds):
                    for server in chosen if turn % 2 == 0 else reversed(chosen):
                        runs_of[server.name].append(one_run(server, script, clients, mode, options.scale, options.seconds))
                report(mode, clients, runs_of)
    finally:
        for server in chosen:
            server.remove()


def report(mode, clients, runs_of):
    medians = {name: {key: statistics.median(run[key] for run in runs) for key in runs[0]} for name, runs in runs_of.items()}
    peer = medians.get("postgresql")
    for name, row in medians.items():
        results.note(f"{mode}, {clients} client{'s' if clients > 1 else ''}", name, rate=row["tps"], cpu=row["server"])
        ratio = ""
        if peer and name != "postgresql":
            ratio = f"{row['tps'] / peer['tps']:.2f} x throughput, {row['server'] / max(peer['server'], 1e-9):.2f} x server CPU"
        print(f"{mode:9} {clients:7} {name:10} {row['tps']:9.0f} {row['latency']:10.3f} {row['server']:9.1f} {row['client']:9.1f}   {ratio}", flush=True)
