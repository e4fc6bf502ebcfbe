"""Where benchmarks leave their medians for report.py: a line of JSON each, in the file SENGI_BENCH_RESULTS names."""
import json
import os


def note(case, server, **measures):
    """measures: rate (per second; more is better), wall (ms), cpu (µs or ms of the server, less is better), …"""
    path = os.environ.get("SENGI_BENCH_RESULTS")
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps({"case": case, "server": server, **measures}) + "\n")
