#!/usr/bin/env python3
"""Runs the benchmarks one after the other and writes docs/benchmarks.md and its plots from what they measured.

`--quick` runs fewer rounds over less; the page says with which commands. `--only NAME,NAME` runs some and keeps the rest of the page.
"""
import argparse
import datetime
import json
import math
import os
import pathlib
import platform
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
PLOTS = TOP / "docs/benchmarks"

# name, title, what it tells, arguments, arguments with --quick; two numbers of a plot: rate and processor time
RUNS = [
    ("pgbench_select", "pgbench select-only", "One row read by its key. `canned` answers every query with the same bytes: what the kernel and the client cost.",
     ["--canned", "--modes", "simple,prepared"], ["--canned", "--modes", "simple,prepared", "--clients", "8,64", "--rounds", "3", "--seconds", "4"]),
    ("pgbench_tpcb", "pgbench tpcb-like", "Three updates, a read and an insert in a durable transaction.",
     ["--modes", "simple,prepared"], ["--modes", "simple,prepared", "--seconds", "4"]),
    ("pgbench_simple_update", "pgbench simple-update", "As above without the two contended tables.",
     ["--modes", "simple,prepared"], ["--modes", "simple,prepared", "--seconds", "4"]),
    ("ycsb", "YCSB", "A million rows of 1 KB, zipfian, 64 clients.", [], ["--rounds", "3", "--seconds", "5"]),
    ("copy_in", "Loading", "COPY, CREATE INDEX and PRIMARY KEY over 10 million rows; PostgreSQL builds indexes with parallel workers, "
     "as it comes. SQLite's and DuckDB's import of the same file.",
     ["--rows", "10000000"], ["--rows", "10000000", "--rounds", "3"]),
    ("scans", "Scans, aggregates, joins, sorts", "pgbench_accounts with 10 million rows, one thread each.", ["--scale", "100"], ["--scale", "100", "--rounds", "3"]),
    ("point_lookup", "One client", "Point reads and durable single-row inserts over a socket; SQLite in process, without one.", [], ["--rounds", "3"]),
    ("startup", "Starting", "From the start of the process to the first answer.", [], []),
    ("connections", "Connections", "Connects in a second, memory of idle ones, what active ones lose by them, a herd, clients that vanish.", [], ["--rounds", "3"]),
    ("checkpoints", "Checkpoints", "Latencies of tpcb-like transactions in checkpoints and between them.", [], ["--seconds", "100"]),
    ("large_transactions", "Large transactions", "One transaction with a pool of 256 MiB, and the longest that small sessions wait beside it.",
     ["--rows", "20000000", "--kill", "1", "--memory", "1200"], ["--kill", "1", "--memory", "1200"]),
    ("recovery", "Recovery", "Ten gigabytes of log since the checkpoint, and a second crash in the middle of it.", [], []),
    ("small_pool", "Twenty times the pool", "pgbench at scale 400 with a pool of 256 MiB: transactions, point reads of hot rows beside scans, memory.", [], ["--seconds", "5"]),
    ("held_snapshot", "A snapshot that is held", "tpcb-like load beside an idle REPEATABLE READ transaction.", [], ["--minutes", "6"]),
]


def output_of(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def machine():
    model = next((line.split(":", 1)[1].strip() for line in output_of("lscpu").splitlines() if line.startswith("Model name")), platform.machine())
    memory = int(pathlib.Path("/proc/meminfo").read_text().split()[1]) / 2**20
    return f"{model}, {os.cpu_count()} processors, {memory:.0f} GiB, Linux {platform.release().split('-')[0]}"


def versions():
    found = [output_of("/usr/lib/postgresql/15/bin/postgres", "--version").replace("postgres (PostgreSQL)", "PostgreSQL").split(" (D")[0],
             output_of("sqlite3", "--version").split(" ")[0] and "SQLite " + output_of("sqlite3", "--version").split(" ")[0],
             output_of("cc", "--version").splitlines()[0]]
    commit = output_of("git", "-C", str(TOP), "rev-parse", "--short", "HEAD")
    if output_of("git", "-C", str(TOP), "status", "--porcelain", "--untracked-files=no", "src", "grammar"):
        commit += " with changes"
    return ", ".join([f"Sengi at commit {commit}"] + [version for version in found if version])


def measure(name, arguments, build):
    with tempfile.NamedTemporaryFile("r", suffix=".jsonl") as file:
        command = [sys.executable, HERE / f"{name}.py", "--build", build, *arguments]
        done = subprocess.run(command, env=dict(os.environ, SENGI_BENCH_RESULTS=file.name), capture_output=True, text=True, check=False)
        sys.stderr.write(done.stderr)
        if done.returncode:
            raise SystemExit(f"{name}: {done.stderr[-1000:]}")
        return {"at": datetime.date.today().isoformat(), "machine": machine(), "versions": versions(), "load": os.getloadavg()[2],
                "arguments": arguments, "text": done.stdout.rstrip(), "notes": [json.loads(line) for line in file.read().splitlines()]}


def ratios(notes):
    """[(case, server, how many times PostgreSQL's rate, part of its processor time or None)]."""
    peers = {note["case"]: note for note in notes if note["server"] == "postgresql"}
    rows = []
    for note in notes:
        peer = peers.get(note["case"])
        if peer and note is not peer:
            cpu = note["cpu"] / peer["cpu"] if note.get("cpu") and peer.get("cpu") and note["server"] in ("sengi", "canned") else None
            rows.append((note["case"], note["server"], note["rate"] / peer["rate"], cpu))
    cases = list(peers)
    return sorted(rows, key=lambda row: cases.index(row[0]))


# -------- Plots: a bar a case, on a logarithmic scale around PostgreSQL = 1 --------

COLOURS = {"sengi": "#2b6cb0", "canned": "#a0aec0", "sqlite": "#38a169", "duckdb": "#d69e2e"}
BAR, GAP, LEFT, WIDTH = 14, 4, 330, 900


def escape(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def plot(title, rows):
    low, high = min([0.5] + [row[2] for row in rows]), max([2.0] + [row[2] for row in rows])
    scale = (WIDTH - LEFT - 60) / (math.log(high) - math.log(low))
    at = lambda ratio: LEFT + (math.log(ratio) - math.log(low)) * scale
    lines, y, last = [], 40, None
    for case, server, ratio, _ in rows:
        if case != last:
            y += GAP * 2
            lines.append(f'<text x="{LEFT - 8}" y="{y + BAR - 3}" text-anchor="end">{escape(case[:52])}</text>')
            last = case
        start, end = sorted((at(1), at(ratio)))
        lines.append(f'<rect x="{start:.1f}" y="{y}" width="{max(end - start, 1):.1f}" height="{BAR}" fill="{COLOURS.get(server, "#718096")}"/>')
        lines.append(f'<text x="{end + 4:.1f}" y="{y + BAR - 3}">{ratio:.2f}</text>')
        y += BAR + GAP
    used = [server for server in COLOURS if any(row[1] == server for row in rows)]
    legend = "".join(f'<rect x="{LEFT + i * 90}" y="24" width="10" height="10" fill="{COLOURS[server]}"/><text x="{LEFT + 14 + i * 90}" y="33">{server}</text>'
                     for i, server in enumerate(used))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y + 16}" font-family="sans-serif" font-size="11">\n'
            f'<rect width="100%" height="100%" fill="white"/>\n<text x="8" y="16" font-size="13">{escape(title)}: rate beside PostgreSQL 15 (= 1)</text>\n{legend}\n'
            f'<line x1="{at(1):.1f}" x2="{at(1):.1f}" y1="38" y2="{y + 6}" stroke="black"/>\n' + "\n".join(lines) + "\n</svg>\n")


# -------- The page --------

def losses(kept):
    found = []
    for name, title, *_ in RUNS:
        for case, server, ratio, cpu in ratios(kept[name]["notes"]) if name in kept else []:
            if server == "sengi" and (ratio < 1 or (cpu or 0) > 1):
                found.append(f"- {title}, {case}: {ratio:.2f} x PostgreSQL's rate" + (f", {cpu:.2f} x its processor time" if cpu else ""))
    for name, title, *_ in RUNS:
        notes = kept[name]["notes"] if name in kept else []
        ours = {note["case"]: note for note in notes if note["server"] == "sengi"}
        for note in notes:
            mine = ours.get(note["case"])
            if mine and note["server"] in ("sqlite", "duckdb") and note["rate"] > mine["rate"]:
                found.append(f"- {title}, {note['case']}: {note['server']} is {note['rate'] / mine['rate']:.1f} times as fast")
    return found


def page(kept):
    text = ["# Benchmarks", "", "Written by `tools/dev bench report`; the figures are what one run of it measured, medians of interleaved rounds, "
            "all servers with fsync on and buffer pools of 2 GB, PostgreSQL without parallel query. Rates on a shared machine move; ratios move less, "
            "processor time least. Each part tells of its own run: they need not be of the same day, commit or machine.", ""]
    for name, title, tells, *_ in RUNS:
        if name not in kept:
            continue
        run = kept[name]
        text += [f"## {title}", "", f"{tells} `tools/dev bench {' '.join([name, *run['arguments']])}`, {run['at']}, load of the machine {run['load']:.1f}.", "",
                 f"{run['versions']}; {run['machine']}.", ""]
        if ratios(run["notes"]):
            text += [f"![{title}](benchmarks/{name}.svg)", ""]
        text += ["```", run["text"], "```", ""]
    text += ["## What we lose at", "", *(losses(kept) or ["Nothing in this run."]), ""]
    return "\n".join(text)


def write_page(kept):
    (TOP / "docs/benchmarks.md").write_text(page(kept), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default=str(TOP / "build/release"))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", help="names, with commas; one that is none writes the page anew")
    options = parser.parse_args()
    PLOTS.mkdir(exist_ok=True)
    store = PLOTS / "results.json"
    kept = json.loads(store.read_text()) if store.exists() else {}
    for name, title, _, arguments, quick in RUNS:
        if options.only and name not in options.only.split(","):
            continue
        print(f"{name} …", file=sys.stderr, flush=True)
        kept[name] = measure(name, quick if options.quick else arguments, options.build)
        if ratios(kept[name]["notes"]):
            (PLOTS / f"{name}.svg").write_text(plot(title, ratios(kept[name]["notes"])), encoding="utf-8")
        store.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        write_page(kept)
    write_page(kept)


if __name__ == "__main__":
    main()
