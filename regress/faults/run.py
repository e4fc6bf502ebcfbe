#!/usr/bin/env python3
"""What happens when the disk is full, fails or goes away, when memory and descriptors run out.

The server under test is sengi_faults: sengi with calls to the system that fail on command (shim.c, control.py).

usage: run.py --build DIR [--long | --quick] [--only TEXT]
"""
import argparse
import pathlib
import sys
import time

import disk
import memory
from control import FaultyServer


def main():
    """Each test is a result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    for test in disk.TESTS + memory.TESTS:
        if options.only not in test.__name__:
            continue
        start = time.monotonic()
        try:
            test(options)
            print(f"ok {test.__name__} ({time.monotonic() - start:.1f} s)" , flush=True)
        except disk.Skip as skip:
            print(f"skip {test.__name__}: {skip}", flush=True)
        except Exception as error:  # pylint: disable=broad-exception-caught
            print(f"not ok {test.__name__}: {type(error).__name__}: {error} | {FaultyServer.last_words}".replace("\n", " | "), flush=True)


main()
