#!/usr/bin/env python3
"""What happens when the disk is full, fails or goes away, when memory and descriptors run out.

The server under test is sengi_faults: sengi with calls to the system that fail on command (shim.c, control.py).

usage: run.py --build DIR [--long | --quick] [--only TEXT]
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "tools"))
import disk
import memory
import suite
from control import FaultyServer

suite.run(disk.TESTS + memory.TESTS, last_words=lambda: FaultyServer.last_words)
