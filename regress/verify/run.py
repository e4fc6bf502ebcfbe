#!/usr/bin/env python3
"""`sengi verify` and a real data directory: sound after a day's work, and every damaged bit is noticed.

usage: run.py --build DIR [--long | --quick]
"""
import hashlib
import pathlib
import random
import re
import shutil
import struct
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "tools"))
import wire
import sengi_server
from sengi_server import Server
from suite import parser as arguments

PAGE = 16384
SCHEMA = [
    "CREATE TABLE t(id int PRIMARY KEY, name text, amount numeric, body text, at timestamptz DEFAULT now())",
    "CREATE INDEX t_name ON t(name DESC NULLS LAST, amount)",
    "CREATE INDEX t_lower ON t(lower(name))",
    "CREATE UNIQUE INDEX t_partial ON t(amount) WHERE id % 3 = 0",
    "CREATE TABLE child(id bigint REFERENCES t(id) ON DELETE CASCADE, note varchar(30))",
    "CREATE INDEX child_id ON child(id)",
    "INSERT INTO t SELECT i, CASE WHEN i % 7 <> 0 THEN 'Name ' || i % 50 END, i * 1.5, repeat(md5(i::text), i % 20) "
    "FROM generate_series(1, 3000) i",
    "INSERT INTO t VALUES (100000, 'large', -1, repeat('0123456789abcdef', 60000))",
    "INSERT INTO child SELECT i, 'n' FROM generate_series(1, 1000) i",
    "UPDATE t SET name = upper(name), amount = amount + 0.25 WHERE id % 5 = 0",
    "DELETE FROM t WHERE id % 11 = 0",
    "ALTER TABLE t ADD COLUMN extra int DEFAULT 7",
    "UPDATE t SET extra = 8, body = body || 'x' WHERE id % 13 = 0",
    "CREATE SEQUENCE s",
    "SELECT nextval('s')",
    "CREATE TABLE gone AS SELECT * FROM t",
    "DROP TABLE gone",
    "CREATE DATABASE other",
]


class Suite:
    """Prints one line a test."""

    def __init__(self):
        self.failed = False

    def check(self, name, condition, why=""):
        if condition:
            print(f"ok {name}", flush=True)
        else:
            self.failed = True
            print(f"not ok {name}: {' / '.join(str(why).splitlines())}", flush=True)


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82f63b78 & -(crc & 1))
    return crc ^ 0xffffffff


def flip(path, offset, bit=3):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ (1 << bit)]))


def verify(binary, data):
    result = subprocess.run([binary, "verify", str(data)], capture_output=True, text=True, timeout=300)
    return result.returncode, result.stdout + result.stderr


def other_format(data):
    """Every copy of the superblock says version 99, with a checksum that fits."""
    path = data / "superblock"
    blocks = bytearray(path.read_bytes())
    for at in range(0, len(blocks), 4096):
        struct.pack_into("<I", blocks, at + 8, 99)
        struct.pack_into("<I", blocks, at + 124, crc32c(bytes(blocks[at:at + 124])))
    path.write_bytes(bytes(blocks))


def damage_pages(suite, binary, data, copy, rounds):
    """Which slots are in use shows when all are damaged; then one bit at a time must be told, and where."""
    slots = (data / "pages").stat().st_size // PAGE
    shutil.copytree(data, copy)
    for slot in range(1, slots):
        flip(copy / "pages", slot * PAGE + 100)
    status, text = verify(binary, copy)
    used = {slot for slot in range(1, slots) if f"slot {slot}:" in text}
    suite.check("all_pages_damaged", status == 1 and len(used) > 100, text[-500:])
    shutil.rmtree(copy)
    rng = random.Random(5)
    shutil.copytree(data, copy)
    for number in range(rounds):
        slot, byte, bit = rng.choice(sorted(used)), rng.randrange(PAGE), rng.randrange(8)
        flip(copy / "pages", slot * PAGE + byte, bit)
        status, text = verify(binary, copy)
        suite.check(f"damaged_bit_{number}", status == 1 and f"slot {slot}:" in text and "0 problems" not in text,
                    f"slot {slot} byte {byte} bit {bit}: {text[-500:]}")
        flip(copy / "pages", slot * PAGE + byte, bit)
    status, text = verify(binary, copy)
    suite.check("repaired_bits_are_sound", status == 0, text)
    free = sorted(set(range(1, slots)) - used)
    if free:
        flip(copy / "pages", free[-1] * PAGE + 5)
        status, text = verify(binary, copy)
        suite.check("free_slots_do_not_count", status == 0, text)
    shutil.rmtree(copy)


def damage_rows(suite, server):
    """A table's page goes: verify and the server say which rows are lost; the index is made anew; the rest can be read."""
    pages = server.data / "pages"
    before = pages.read_bytes()
    marks = [hashlib.md5(str(number).encode()).hexdigest().encode() for number in range(1501, 1510) if number % 11 and number % 5]
    slots = [slot for slot in range(1, len(before) // PAGE) if all(mark in before[slot * PAGE:(slot + 1) * PAGE] for mark in marks)]
    for slot in slots:
        flip(pages, slot * PAGE + 9000)
    status, text = verify(server.binary, server.data)
    told = re.search(r"table public.t: (rows with ctid from \(0,\d+\) to \(0,\d+\)) cannot be read: page \d+ is damaged", text)
    suite.check("lost_rows_are_told_offline", slots and status == 1 and told, text[-800:])
    server.start()
    connection = wire.Connection(server.port)
    answer = "\n".join(connection.query("SELECT count(body) FROM t"))
    suite.check("lost_rows_are_told_by_the_server", told and "CXX001" in answer and told[1] in answer, answer)
    answer = "\n".join(connection.query("SELECT name FROM t WHERE id = 3; SELECT count(*) FROM child"))
    suite.check("other_rows_can_be_read", "error" not in answer and "row " in answer, answer)
    answer = "\n".join(connection.query("DELETE FROM t WHERE id = 1502; INSERT INTO child VALUES (3, 'more')"))
    suite.check("a_lost_row_is_not_deleted", "CXX001" in answer, answer)
    answer = "\n".join(connection.query("INSERT INTO child VALUES (3, 'more')"))
    suite.check("others_go_on", "INSERT 0 1" in answer, answer)
    connection.close()
    server.stop()


def damage_other_files(suite, binary, data, copy):
    shutil.copytree(data, copy)
    for block in (0, 2): # the first copy of each generation
        flip(copy / "superblock", block * 4096 + 60)
    status, text = verify(binary, copy)
    suite.check("second_copies_of_the_superblock_suffice", status == 0, text)
    for block in (1, 3):
        flip(copy / "superblock", block * 4096 + 60)
    status, text = verify(binary, copy)
    suite.check("no_superblock_is_left", status == 1 and "no valid superblock" in text and "backup" in text, text)
    shutil.rmtree(copy)

    for path in sorted(data.glob("map.*")):
        size = path.stat().st_size
        if size == 0:
            continue
        shutil.copytree(data, copy)
        flip(copy / path.name, size // 2)
        status, text = verify(binary, copy)
        suite.check(f"damaged_{path.name.split('.')[-1]}", status == 1, text)
        shutil.rmtree(copy)

    shutil.copytree(data, copy)
    other_format(copy)
    status, text = verify(binary, copy)
    suite.check("another_format_is_refused", status == 1 and "incompatible" in text and "version 99" in text, text)
    shutil.rmtree(copy)
    shutil.copytree(data, copy)
    path = copy / "catalog_version"
    path.write_text("0123456789abcdef-1\n")
    for name, told in (("other_system_tables_are_refused", "version 0123456789abcdef-1"), ("unknown_system_tables_are_refused", "version none")):
        status, text = verify(binary, copy)
        suite.check(name, status == 1 and "incompatible" in text and told in text and "Dump" in text, text)
        served = subprocess.run([binary, "serve", str(copy), "--port", str(sengi_server.free_port())], capture_output=True, text=True, timeout=60, check=False)
        suite.check(name + "_by_the_server", served.returncode == 1 and told in served.stderr, served.stderr)
        path.unlink(missing_ok=True)
    shutil.rmtree(copy)
    status, text = verify(binary, copy)
    suite.check("an_absent_directory_is_refused", status == 1 and "does not exist" in text and "init" in text, text)


# What each statement breaks, and what must be said of it.
SEQUENCES = [
    ("CREATE TABLE numbered(id serial, other int GENERATED ALWAYS AS IDENTITY)", None),
    ("CREATE SEQUENCE undefined", None),
    ("CREATE SEQUENCE bounded MAXVALUE 100", None),
    ("SELECT setval('bounded', 90)", None),
    ("UPDATE pg_sequence SET seqmax = 50 WHERE seqrelid = 'bounded'::regclass",
     "sequence public.bounded: its last value 90 is not between 1 and 50"),
    ("UPDATE pg_depend SET refobjsubid = 7 WHERE objid = 'numbered_id_seq'::regclass AND deptype = 'a'",
     "sequence public.numbered_id_seq: it is owned by column 7 of relation"),
    ("DELETE FROM pg_sequence WHERE seqrelid = 'undefined'::regclass", "sequence public.undefined: cache lookup failed"),
    ("UPDATE pg_class SET relfilenode = 999999 WHERE relname = 'numbered_other_seq'",
     "sequence public.numbered_other_seq: its state does not exist"),
    (None, "it belongs to no sequence"),
]


def damage_sequences(suite, server):
    """Catalog rows and states that do not agree. The directory is of no use afterwards."""
    server.start()
    connection = wire.Connection(server.port)
    for statement, _ in SEQUENCES:
        refused = statement and [line for line in connection.query(statement) if line.startswith("error ")]
        suite.check("a_sequence_is_broken", not refused, refused)
    connection.close()
    server.stop()
    status, text = verify(server.binary, server.data)
    for _, told in SEQUENCES:
        if told:
            suite.check("told: " + told, status == 1 and told in text, text[-800:])
    suite.check("nothing_else_is_told", f"{sum(1 for _, told in SEQUENCES if told)} problems" in text, text[-800:])


def main():
    options = arguments().parse_args()
    suite = Suite()
    with Server(options.build) as server:
        binary, data = server.binary, server.data
        wire.run_all(server.port, SCHEMA)
        status, text = verify(binary, data)
        suite.check("a_directory_in_use_is_refused", status == 1 and "in use" in text, text)
        server.kill()
        status, text = verify(binary, data)
        suite.check("after_a_crash_pages_and_trees_are_sound", status == 0 and "not shut down cleanly" in text, text)
        server.start()
        server.stop()
        status, text = verify(binary, data)
        suite.check("a_day_of_work_is_sound", status == 0 and "0 problems" in text, text)
        copy = data.parent / (data.name + "-copy")
        shutil.rmtree(copy, ignore_errors=True)
        damage_pages(suite, binary, data, copy, 40 if options.long else 6)
        damage_other_files(suite, binary, data, copy)
        damage_sequences(suite, server)
        with Server(options.build) as other:
            wire.run_all(other.port, SCHEMA)
            other.stop()
            damage_rows(suite, other)
    sys.exit(1 if suite.failed else 0)


main()
