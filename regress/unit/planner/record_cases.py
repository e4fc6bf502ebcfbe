#!/usr/bin/env python3
"""Records what PostgreSQL 15 makes of the statements in a file: analysis only, nothing runs.

usage: record_cases.py CASES OUTPUT

CASES has one statement a line (# begins a comment); `view SELECT …` asks for the view's definition as pg_get_viewdef
prints it. OUTPUT has three fields a line, separated by tabs: kind, statement, answer, with newlines as \\n. Kinds: `ok` (parameter
types; result columns as name:type:typmod), `error` (SQLSTATE|position|message|detail|hint), `view` and `pretty`.
"""
import ctypes
import os
import sys

pq = ctypes.CDLL("libpq.so.5")
for name in ("PQconnectdb", "PQexec", "PQprepare", "PQdescribePrepared"):
    getattr(pq, name).restype = ctypes.c_void_p
for name in ("PQgetvalue", "PQresultErrorField", "PQfname"):
    getattr(pq, name).restype = ctypes.c_char_p
pq.PQftype.restype = ctypes.c_uint
pq.PQparamtype.restype = ctypes.c_uint
handle = ctypes.c_void_p(pq.PQconnectdb(os.environ.get("PLANNER_ORACLE", "dbname=template1").encode()))


def escape(text):
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")


def error_of(result):
    fields = []
    for code in "CPMDH":
        value = pq.PQresultErrorField(result, ord(code))
        fields.append(value.decode() if value else "")
    return "|".join(fields)


def run(sql):
    return ctypes.c_void_p(pq.PQexec(handle, sql.encode()))


def describe(sql):
    run("DEALLOCATE ALL")
    result = ctypes.c_void_p(pq.PQprepare(handle, b"s", sql.encode(), 0, None))
    if pq.PQresultStatus(result) != 1:
        return "error", error_of(result)
    result = ctypes.c_void_p(pq.PQdescribePrepared(handle, b"s"))
    params = ",".join(str(pq.PQparamtype(result, i)) for i in range(pq.PQnparams(result)))
    columns = ",".join(f"{pq.PQfname(result, i).decode()}:{pq.PQftype(result, i)}:{pq.PQfmod(result, i)}"
                       for i in range(pq.PQnfields(result)))
    return "ok", params + ";" + columns


def main():
    with open(sys.argv[1]) as cases, open(sys.argv[2], "w") as output:
        for line in cases:
            line = line.rstrip("\n")
            if not line or line.startswith("#"):
                continue
            if not line.startswith("view "):
                kind, answer = describe(line)
                output.write(f"{kind}\t{escape(line)}\t{escape(answer)}\n")
                continue
            sql = line[5:]
            run("DROP VIEW IF EXISTS planner_case")
            result = run("CREATE TEMP VIEW planner_case AS " + sql)
            if pq.PQresultStatus(result) != 1:
                sys.exit(f"{sql}: {error_of(result)}")
            for kind, pretty in ("view", "false"), ("pretty", "true"):
                result = run(f"SELECT pg_get_viewdef('planner_case'::regclass, {pretty})")
                text = pq.PQgetvalue(result, 0, 0).decode().rstrip(";")
                output.write(f"{kind}\t{escape(sql)}\t{escape(text)}\n")


main()
