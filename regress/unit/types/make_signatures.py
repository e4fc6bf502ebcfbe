#!/usr/bin/env python3
"""Makes catalog_signatures.h: argument and result types of the functions of this room.

usage: make_signatures.py FUNCTIONS.dat TYPES.dat OUTPUT
"""
import sys


def rows(path):
    columns = None
    for line in open(path, encoding="utf-8"):
        line = line.rstrip("\n")
        if line.startswith("# ") and "separated by tabs" not in line:
            columns = line[2:].split()
        elif line and not line.startswith("#"):
            yield dict(zip(columns, ["" if f == "_null_" else f for f in line.split("\t")]))


def main():
    oids = {row["typname"]: row["oid"] for row in rows(sys.argv[2])}
    with open(sys.argv[3], "w", encoding="utf-8") as out:
        out.write('#include "base/base.h"\ntypedef struct Signature { Oid oid, result; Oid args[8]; } Signature;\n'
                  "static const Signature signatures[] = {\n")
        for row in rows(sys.argv[1]):
            args = ", ".join(oids[t] for t in row["argtypes"].split()[:8])
            out.write(f"    {{{row['oid']}, {oids[row['rettype']]}, {{{args or 0}}}}},\n")
        out.write("};\n")


main()
