#!/usr/bin/env python3
"""generate_encodings.py DAT OUT: the tables of types/encoding_convert.c from src/types/data/encodings.dat, which says what its lines are."""
import sys

GAP = 8  # holes that are filled rather than beginning another row
RUN = 16  # pairs in order that are worth a row without values
HOLE = 0xffff


def read(path):
    """{encoding: ({key: character}, {character: key}, [(key, first, second)])}"""
    tables, current = {}, None
    with open(path, encoding="ascii") as lines:
        for line in lines:
            words = line.split()
            if line.startswith("#"):
                continue
            if words[0] == "encoding":
                current = tables.setdefault(words[1], ([], [], []))
                continue
            mark, key = words[0][0], int(words[0][1:], 16)
            if mark == "&":
                current[2].append((key, int(words[1], 16), int(words[2], 16)))
                continue
            for word in words[1:]:
                first, _, more = word.partition("+")
                run = (key, int(first, 16), int(more or "0") + 1)
                key += run[2]
                if mark in "=<":
                    current[0].append(run)
                if mark in "=>":
                    current[1].append((run[1], run[0], run[2]))
    return tables


def rows(runs, values):
    """Rows (key, count, first value's place or -1, base) of runs (key, value, count)."""
    result = []
    pending = []  # pairs of the row being made

    def finish():
        if not pending:
            return
        start = pending[0][0]
        base = pending[0][1] & ~0xffff
        place = len(values)
        values.extend([HOLE] * (pending[-1][0] - start + 1))
        for key, value in pending:
            assert value & 0xffff != HOLE
            values[place + key - start] = value & 0xffff
        result.append((start, pending[-1][0] - start + 1, place, base))
        pending.clear()

    for key, value, count in sorted(runs):
        if count >= RUN:
            finish()
            result.append((key, count, -1, value))
            continue
        for more in range(count):
            pair = (key + more, value + more)
            if pending and (pair[0] - pending[-1][0] > GAP or pair[1] & ~0xffff != pending[0][1] & ~0xffff):
                finish()
            pending.append(pair)
    finish()
    return result


def main():
    """Writes the C file."""
    tables = read(sys.argv[1])
    values = []
    with open(sys.argv[2], "w", encoding="ascii") as out:
        out.write("/* Made by tools/generate_encodings.py. */\n#include \"types/encoding_table.h\"\n\n")
        for name, (decode, encode, combined) in tables.items():
            for kind, runs in (("decode", decode), ("encode", encode)):
                out.write(f"static const EncodingRow {name}_{kind}[] = {{\n")
                for key, count, place, base in rows(runs, values):
                    out.write(f"{{{key:#x},{count},{'ENCODING_RUN' if place < 0 else place},{base:#x}}},\n")
                out.write("};\n")
            if combined:
                out.write(f"static const EncodingPair {name}_pairs[] = {{\n" + "".join(f"{{{key:#x},{first:#x},{second:#x}}},\n" for key, first, second in combined) + "};\n")
        out.write("const EncodingTable encoding_tables[] = {\n")
        for name, (_, _, combined) in tables.items():
            pairs = f"{name}_pairs,sizeof({name}_pairs)/sizeof(EncodingPair)" if combined else "0,0"
            out.write(f"{{\"{name}\",{name}_decode,{name}_encode,sizeof({name}_decode)/sizeof(EncodingRow),sizeof({name}_encode)/sizeof(EncodingRow),{pairs}}},\n")
        out.write("{0}};\n")
        out.write("const uint16_t encoding_values[] = {\n")
        for at in range(0, len(values), 16):
            out.write(",".join(map(str, values[at:at + 16])) + ",\n")
        out.write("};\n")


main()
