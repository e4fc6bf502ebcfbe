#!/usr/bin/env python3
"""Records what PostgreSQL 15 answers to cases of this folder.

usage: record_cases.py CASES OUTPUT

CASES has one case a line, fields separated by tabs: a function's name with its argument types, `int4pl(int4,int4)`, then
its arguments as text (\\N is NULL); or `=type` and a text, which is read and printed again. A line `set NAME VALUE` changes a setting for
those after it. OUTPUT repeats each line resolved to OIDs with what PostgreSQL printed, or its SQLSTATE and message.
"""
import ctypes
import os
import re
import subprocess
import sys


class Connection:
    """The few calls of libpq that this needs."""

    def __init__(self):
        self.pq = ctypes.CDLL("libpq.so.5")
        for name in ("PQconnectdb", "PQexec"):
            getattr(self.pq, name).restype = ctypes.c_void_p
        for name in ("PQgetvalue", "PQresultErrorField"):
            getattr(self.pq, name).restype = ctypes.c_char_p
        self.handle = ctypes.c_void_p(self.pq.PQconnectdb(b"dbname=" + os.environ.get("PGDATABASE", "template1").encode()))

    def run(self, sql):
        result = ctypes.c_void_p(self.pq.PQexec(self.handle, sql.encode()))
        status = self.pq.PQresultStatus(result)
        if status == 2:
            value = None
            if self.pq.PQntuples(result) and not self.pq.PQgetisnull(result, 0, 0):
                value = self.pq.PQgetvalue(result, 0, 0).decode()
            answer = ("ok", value)
        elif status == 1:
            answer = ("ok", None)
        else:
            answer = ("error", self.pq.PQresultErrorField(result, ord("C")).decode() + " " +
                      self.pq.PQresultErrorField(result, ord("M")).decode())
        self.pq.PQclear(result)
        return answer


def quote(text):
    return "NULL" if text == "\\N" else "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def escape(text):
    return "\\N" if text is None else text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")


def main():
    source, target = sys.argv[1:3]
    db = Connection()
    db.run("set timezone = 'UTC'")
    oids = {}

    def oid_of(kind, name):
        if (kind, name) not in oids:
            oids[kind, name] = db.run(f"select '{name}'::{kind}::oid")[1]
        return oids[kind, name]

    with open(source, encoding="utf-8") as lines, open(target, "w", encoding="utf-8") as out:
        for line in lines:
            line = line.rstrip("\n")
            if not line or line.startswith("#"):
                continue
            if line.startswith("set "):
                _, name, value = line.split(" ", 2)
                assert db.run(f"set {name} = '{value}'")[0] == "ok", line
                out.write(f"set\t{name}\t{value}\n")
                continue
            head, *arguments = line.split("\t")
            arguments = [a.replace("\\n", "\n").replace("\\t", "\t") if a != "\\N" else a for a in arguments]
            if head.startswith("="):
                kind = head[1:]
                typmod = "-1"
                match = re.fullmatch(r"(.*)#(-?\d+)", kind)
                if match:
                    kind, typmod = match.groups()
                name = oid_of("regtype", kind)
                inout = db.run(f"select typinput::text from pg_type where oid = {name}")[1]
                output = db.run(f"select typoutput::text from pg_type where oid = {name}")[1]
                value = (f"{inout}({quote(arguments[0])}::cstring, {name}, {typmod})" if typmod != "-1"
                         else f"cast({quote(arguments[0])} as {kind})")
                answer = db.run(f"select {output}({value})")
                fields = ["io", name, typmod]
            else:
                oid = oid_of("regprocedure", head)
                if oid is None:
                    sys.exit(f"no such function: {head}")
                name = head.split("(")[0]
                types = [t for t in head.split("(", 1)[1].rstrip(")").split(",") if t]
                call = ", ".join(f"{quote(a)}::{t}" for a, t in zip(arguments, types))
                answer = db.run(f"select pg_catalog.\"{name}\"({call})")
                kind = db.run(f"select pg_typeof(pg_catalog.\"{name}\"({call}))::oid") if answer[0] == "ok" else ("ok", "0")
                fields = ["fn", oid, kind[1] or "0"]
            status, value = answer
            out.write("\t".join(fields + [status, escape(value)] + [escape(a) if a != "\\N" else a for a in arguments]) + "\n")


main()
