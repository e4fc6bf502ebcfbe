#!/usr/bin/env python3
"""Instructions for each transaction, counted by callgrind, beside those recorded in baseline/instructions.txt.

usage: baseline.py [--build DIR] [--record [--reason TEXT]] [--only NAME]

A server with one worker runs under callgrind; counting begins after the same transactions (the same random numbers)
have run once, so that caches are as warm each time. The count doesn't depend on what else the machine does. It fails
where a count is more than 5% above the lowest that was ever recorded, so that small steps don't add up unseen. Another
compiler, or another version of it, makes another count: then nothing is compared, and that is said. `--record` writes the
counts of this build beside the lowest; one above what is allowed is recorded only with `--reason`, which then stands on its
line, and is the lowest from there on.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import pgbench
import servers

RECORDED = pathlib.Path(__file__).resolve().parent / "baseline/instructions.txt"
TOLERANCE = 0.05
SCALE = 2

SCAN_SCRIPT = "SELECT bid, count(*), sum(abalance) FROM pgbench_accounts WHERE aid % 3 = 0 GROUP BY bid;\n"

# name, pgbench's script (its own, or a text), protocol, transactions
WORKLOADS = (
    ("select-only simple", pgbench.SELECT_SCRIPT, "simple", 2000),
    ("select-only prepared", pgbench.SELECT_SCRIPT, "prepared", 2000),
    ("simple-update prepared", "simple-update", "prepared", 1000),
    ("tpcb-like simple", "tpcb-like", "simple", 500),
    ("tpcb-like prepared", "tpcb-like", "prepared", 500),
    ("scan", SCAN_SCRIPT, "simple", 5),
)


class Counted(servers.Sengi):
    """Sengi with one worker under callgrind, not counting until it is told to."""

    name = "sengi under callgrind"

    def start_counted(self):
        log = open(self.directory / "log", "a", encoding="utf-8")
        self.process = subprocess.Popen(
            ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={self.directory}/count",
             self.binary, "serve", self.directory / "data", "--port", str(self.port), "--listen", "127.0.0.1", "--socket", self.directory,
             "-c", "shared_buffers=256MB", "-c", "worker_threads=1", "-c", "checkpoint_timeout=1d"],
            stdout=log, stderr=log)
        self.wait_until_ready()
        return self

    def control(self, *arguments):
        subprocess.run(["callgrind_control", *arguments, str(self.process.pid)], check=True, capture_output=True)

    def counted(self, work):
        """Instructions in all threads while `work` runs."""
        self.control("-z")
        self.control("-i", "on")
        work()
        time.sleep(0.3)  # what follows the last answer: the log writer's and the versions' end
        self.control("-i", "off")
        before = set(self.directory.glob("count*"))
        self.control("-d")
        dumps = set(self.directory.glob("count*")) - before
        total = sum(int(match) for dump in dumps
                    for match in re.findall(r"^totals: (\d+)$", dump.read_text(encoding="utf-8"), re.M)[:1])
        for dump in dumps:
            dump.unlink()
        return total


def run_pgbench(server, script, mode, count):
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        command = ["pgbench", "-n", "-c", "1", "-t", str(count), "-M", mode, "-s", str(SCALE), "--random-seed=20"]
        if "\n" in script:
            file.write(script)
            file.flush()
            command += ["-f", file.name]
        else:
            command += ["-b", script]
        result = subprocess.run(command, env=server.environment, capture_output=True, text=True)
    if result.returncode != 0 or f"{count}/{count}" not in result.stdout:
        raise SystemExit(f"pgbench: {result.stdout}{result.stderr}")


def count_all(build, only):
    counts = {}
    server = Counted(build)
    try:
        server.start()
        while subprocess.run(["pg_isready", "-q"], env=server.environment, check=False).returncode != 0:
            time.sleep(0.05)
        subprocess.run(["pgbench", "-i", "-q", "-s", str(SCALE)], env=server.environment, check=True, capture_output=True)
        server.stop()
        server.start_counted()
        for name, script, mode, count in WORKLOADS:
            if only and only not in name:
                continue
            run_pgbench(server, script, mode, count)
            total = server.counted(lambda: run_pgbench(server, script, mode, count))
            if total == 0:
                raise SystemExit(f"{name}: callgrind counted nothing")
            counts[name] = round(total / count)
    finally:
        server.remove()
    return counts


def compiler(build):
    """The compiler that made the build, with its version, as the binary itself says."""
    text = subprocess.run(["readelf", "-p", ".comment", pathlib.Path(build) / "src/server/sengi"], capture_output=True, text=True, check=True).stdout
    names = sorted(set(re.findall(r"\]\s+(.*\S)", text)))
    return f"{os.uname().machine}, {'; '.join(names)}"


class Recorded:
    """A workload's line: the last count, the lowest, and why that one was let rise."""

    def __init__(self, last, lowest, reason=""):
        self.last, self.lowest, self.reason = last, lowest, reason

    def allows(self, count):
        return count <= self.lowest * (1 + TOLERANCE)

    def after(self, count, reason=""):
        """What is recorded when this count is; None where it wants a reason and has none."""
        if self.allows(count):
            return Recorded(count, min(count, self.lowest), self.reason)
        return Recorded(count, count, reason) if reason else None


def parse(text):
    """(who made the counts, workload: Recorded) of the file's text."""
    maker, counts = None, {}
    for line in text.splitlines():
        if line.startswith("# made by "):
            maker = line[len("# made by "):]
        elif line and not line.startswith("#"):
            name, last, lowest, reason = re.fullmatch(r"(.*?) {2,}(\d+) +(\d+)(?: +(.*))?", line).groups()
            counts[name] = Recorded(int(last), int(lowest), reason or "")
    return maker, counts


def read_recorded():
    return parse(RECORDED.read_text(encoding="utf-8")) if RECORDED.exists() else (None, {})


def text_of(maker, recorded):
    lines = ["# Instructions for each transaction in the whole server, counted by callgrind: `tools/dev bench baseline --record`",
             f"# made by {maker}", "# workload, the last count, the lowest one, why it was let rise"]
    lines += [f"{name:24}  {line.last:10}  {line.lowest:10}  {line.reason}".rstrip() for name, line in recorded.items()]
    return "\n".join(lines) + "\n"


def record(maker, counts, reason=""):
    """Each count beside the lowest, unless the compiler is another: then all begin anew."""
    before, recorded = read_recorded()
    if before != maker:
        recorded = {}
    for name, count in counts.items():
        line = recorded[name].after(count, reason) if name in recorded else Recorded(count, count)
        if not line:
            raise SystemExit(f"{name}: {count} is more than {TOLERANCE:.0%} above the lowest, {recorded[name].lowest}: --reason TEXT says why it may be")
        recorded[name] = line
    RECORDED.parent.mkdir(exist_ok=True)
    RECORDED.write_text(text_of(maker, recorded), encoding="utf-8")


def results(build, only=""):
    """(name, count, Recorded or None, ok) for each workload; or the reason why nothing is compared."""
    for tool in ("valgrind", "callgrind_control", "pgbench", "readelf"):
        if not shutil.which(tool):
            return [], f"{tool} isn't installed"
    maker, recorded = read_recorded()
    if maker != compiler(build):
        return [], f"recorded with {maker}, this build is of {compiler(build)}"
    counts = count_all(build, only)
    return [(name, count, recorded.get(name), name in recorded and recorded[name].allows(count)) for name, count in counts.items()], ""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=str(servers.TOP / "build/release"))
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--reason", default="", help="why a count may be above what was allowed")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    if options.record:
        record(compiler(options.build), count_all(options.build, options.only), options.reason)
        print(RECORDED.read_text(encoding="utf-8"), end="")
        return
    rows, reason = results(options.build, options.only)
    if reason:
        print(f"skipped: {reason}")
        return
    print(f"{'workload':24} {'instructions':>12} {'recorded':>12} {'change':>8} {'lowest':>12} {'change':>8}")
    for name, count, before, ok in rows:
        columns = [f"{figure:12} {(count / figure - 1) * 100:+7.1f}%" for figure in (before.last, before.lowest)] if before else []
        print(f"{name:24} {count:12}", *columns, "" if ok else "  TOO MANY" if before else "  NOT RECORDED")
    if not all(ok for *_, ok in rows):
        sys.exit("instructions for a transaction are more than 5% above the lowest recorded, or were never recorded")


if __name__ == "__main__":
    main()
