#!/usr/bin/env python3
"""Makes C tables from src/catalog/data/*.dat.

usage: generate_catalog.py types TYPES.dat OUTPUT
       generate_catalog.py functions ROOM FUNCTIONS.dat OUTPUT
       generate_catalog.py keywords KEYWORDS.txt OUTPUT      words that quote_ident quotes

`functions` makes the BuiltinFunction table of one room: its array is called <room>_functions, its
length <room>_function_count.
"""
import sys


def rows(path):
    columns = None
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            line = line.rstrip("\n")
            if line.startswith("# ") and "separated by tabs" not in line:
                columns = line[2:].split()
            elif line and not line.startswith("#"):
                fields = ["" if field == "_null_" else field for field in line.split("\t")]
                yield dict(zip(columns, fields))


def quote(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def flag(text):
    return "true" if text == "t" else "false"


def types(path):
    table = list(rows(path))
    oids = {row["typname"]: row["oid"] for row in table}
    out = ["/* Generated; edit the .dat file instead. */", '#include "types/types_internal.h"', "",
           "const BuiltinType type_table[] = {"]
    for row in table:
        io, compare, typmod = row["io"], row["compare"], row["typmod"]
        name = row["typname"]
        fields = [row["oid"], quote(name), quote(row["sql_name"]), row["typlen"], flag(row["typbyval"]),
                  f"'{row['typalign']}'", f"'{row['typstorage']}'", f"'{row['typtype']}'", f"'{row['typcategory']}'",
                  flag(row["typispreferred"]), "PHYS_" + row["phys"], oids.get(row["typelem"], "0"), oids.get(row["typarray"], "0"),
                  {"default": "COLLATION_DEFAULT", "C": "COLLATION_C"}.get(row["typcollation"], "0"),
                  f"{io}_input", f"{io}_output", f"{io}_receive", f"{io}_send",
                  f"typmod_{typmod}_in" if typmod else "NULL", f"typmod_{typmod}_out" if typmod else "NULL",
                  f"{compare}_compare" if compare else "NULL", f"{compare}_hash" if compare else "NULL"]
        out.append("    {" + ", ".join(fields) + "},")
    out += ["};", "const size_t type_table_count = sizeof(type_table) / sizeof(type_table[0]);", ""]
    return "\n".join(out)


KINDS = {"fn": "FUNCTION_SCALAR", "srf": "FUNCTION_SET", "agg": "FUNCTION_AGGREGATE", "wf": "FUNCTION_WINDOW"}
MEMBERS = {"fn": "scalar", "srf": "set", "agg": "aggregate", "wf": "window"}


def functions(room, path):
    declared, table = set(), []
    for row in rows(path):
        if row["room"] != room:
            continue
        symbol, vector = row["symbol"], row["vector"]
        kind = symbol.split("_")[0]
        if kind == "agg":
            declared.add(f"extern const AggregateFunction {symbol};")
            value = "&" + symbol
        elif kind == "wf":
            declared.add(f"extern const WindowFunction {symbol};")
            value = "&" + symbol
        else:
            declared.add(f"{'SetFunction' if kind == 'srf' else 'ScalarFunction'} {symbol};")
            value = symbol
        if vector:
            declared.add(f"VectorFunction {vector};")
        entry = (f"    {{.oid = {row['oid']}, .name = {quote(row['proname'])}, .kind = {KINDS[kind]}, .is_strict = {flag(row['strict'])}, "
                 f".volatility = '{row['volatile']}', .{MEMBERS[kind]} = {value}")
        entry += f", .vector = {vector}}}," if vector else "},"
        table.append((int(row["oid"]), entry))
    table.sort()
    include = "executor/window_function.h" if any("WindowFunction" in d for d in declared) else "types/function.h"
    out = ["/* Generated; edit the .dat file instead. */", f'#include "{include}"', "", *sorted(declared), "",
           f"extern const BuiltinFunction {room}_functions[];", f"extern const size_t {room}_function_count;",
           f"const BuiltinFunction {room}_functions[] = {{", *[entry for _, entry in table]]
    if not table:
        out.append("    {0},")
    out += ["};", f"const size_t {room}_function_count = {len(table)};", ""]
    return "\n".join(out)


def keywords(path):
    words = []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                word, category = line.split()[:2]
                if category != "U":
                    words.append(word)
    table = "".join(f'    "{word}",\n' for word in sorted(words))
    return ("/* Generated from grammar/keywords.txt. */\n#include <stddef.h>\n\n"
            "extern const char *const quoted_keywords[];\nextern const size_t quoted_keyword_count;\n"
            f"const char *const quoted_keywords[] = {{\n{table}}};\n"
            f"const size_t quoted_keyword_count = {len(words)};\n")


def main():
    if sys.argv[1] == "keywords":
        text = keywords(sys.argv[2])
    elif sys.argv[1] == "types":
        text = types(sys.argv[2])
    else:
        text = functions(sys.argv[2], sys.argv[3])
    with open(sys.argv[-1], "w", encoding="utf-8") as out:
        out.write(text)


if __name__ == "__main__":
    main()
