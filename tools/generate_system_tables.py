#!/usr/bin/env python3
"""Makes C tables of the built-in objects from src/catalog/data/*.dat.

usage: generate_system_tables.py header DATA OUTPUT.h      numbers of tables, columns, indexes
       generate_system_tables.py tables DATA OUTPUT.c      the system tables' descriptions
       generate_system_tables.py builtins DATA OUTPUT.c    types, functions, operators … (catalog/builtin.h)
       generate_system_tables.py scripts DATA OUTPUT.c     the SQL of the system views
"""
import hashlib
import os
import sys

from generate_catalog import rows


def quote(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def str_of(text):
    return "{NULL, 0}" if text is None else f"{{{quote(text)}, {len(text.encode())}}}"


def flag(text):
    return "true" if text == "t" else "false"


def char(text):
    return "0" if not text else f"'{text}'"


def symbol(name):
    return "_" + name if name.startswith("_") else name


class Tables:
    def __init__(self, data):
        self.tables = []
        with open(os.path.join(data, "tables.dat"), encoding="utf-8") as lines:
            for line in lines:
                fields = line.rstrip("\n").split("\t")
                if fields[0] == "table":
                    self.tables.append({"fields": fields[1:], "columns": [], "indexes": []})
                elif fields[0] in ("column", "index"):
                    self.tables[-1]["columns" if fields[0] == "column" else "indexes"].append(fields[1:])


def header(data):
    out = ["/* Generated from data/tables.dat. */", "#ifndef CATALOG_TABLES_H", "#define CATALOG_TABLES_H", "", "enum {"]
    tables = Tables(data).tables
    for table in tables:
        out.append(f"    RELATION_{table['fields'][1].upper()} = {table['fields'][0]},")
    out += ["};", "", "typedef enum CatalogTableId {"]
    out += [f"    CAT_{table['fields'][1].upper()}," for table in tables]
    out += ["    CATALOG_TABLE_COUNT", "} CatalogTableId;", ""]
    for table in tables:
        name = table["fields"][1].upper()
        out.append("enum {")
        out += [f"    {name}_{column[0].upper()} = {i}," for i, column in enumerate(table["columns"])]
        out.append(f"    {name}_COLUMN_COUNT = {len(table['columns'])},")
        out.append("};")
    out += ["", "typedef enum CatalogIndexId {"]
    for table in tables:
        out += [f"    INDEX_{index[1].upper()}," for index in table["indexes"]]
    out += ["    CATALOG_INDEX_COUNT", "} CatalogIndexId;", "", "#endif", ""]
    return "\n".join(out)


def type_oids(data):
    oids = {row["typname"]: row["oid"] for row in rows(os.path.join(data, "types.dat"))}
    for row in sections(data).get("pg_type", []):
        oids[row["typname"]] = row["oid"]
    for table in Tables(data).tables:
        oids.setdefault(table["fields"][1], table["fields"][3])
        oids.setdefault("_" + table["fields"][1], table["fields"][4])
    return oids


def sections(data):
    out, columns, table = {}, None, None
    lines = []
    for name in ("rows.dat", "descriptions.dat"):
        with open(os.path.join(data, name), encoding="utf-8") as text:
            lines += text
    for line in lines:
        fields = line.rstrip("\n").split("\t")
        if line.startswith("#"):
            continue
        if line.startswith("@"):
            table, columns = fields[0][1:], fields[1:]
            out[table] = []
        else:
            out[table].append(dict(zip(columns, [None if f == "\\N" else f for f in fields])))
    return out


def tables_c(data):
    out = ["/* Generated from data/tables.dat. */", '#include "catalog/system_table.h"', ""]
    types = type_oids(data)
    tables = Tables(data).tables
    body, indexes = [], []
    for number, table in enumerate(tables):
        oid, name, shared, rowtype, arraytype, mapped, acl = table["fields"]
        out.append(f"static const CatalogColumn {name}_columns[] = {{")
        for column, type_name, not_null, collation in table["columns"]:
            out.append(f"    {{{str_of(column)}, {types[type_name]}, {flag(not_null)}, {collation}}},")
        out.append("};")
        for index in table["indexes"]:
            attnums, opclasses, collations = (item.split() for item in index[5:8])
            out.append(f"static const CatalogIndexColumn {index[1]}_columns[] = {{")
            out += [f"    {{{a}, {o}, {c}}}," for a, o, c in zip(attnums, opclasses, collations)]
            out.append("};")
        first = len(indexes)
        for index in table["indexes"]:
            indexes.append(f"    {{{index[0]}, {str_of(index[1])}, {number}, {flag(index[2])}, {flag(index[3])}, {index[8]}, "
                           f"{flag(index[9])}, {len(index[5].split())}, {index[1]}_columns}},")
        body.append(f"    {{{oid}, {str_of(name)}, {flag(shared)}, {flag(mapped)}, {rowtype}, {arraytype}, {len(table['columns'])}, "
                    f"{len(table['indexes'])}, {first}, {name}_columns, {flag('t' if '=r/' in acl else 'f')}}},")
    out += ["", "const CatalogTable catalog_tables[CATALOG_TABLE_COUNT] = {", *body, "};", "",
            "const CatalogIndex catalog_indexes[CATALOG_INDEX_COUNT] = {", *indexes, "};", ""]
    return "\n".join(out)


def builtins(data):
    dat = {name: list(rows(os.path.join(data, name + ".dat"))) for name in ("types", "functions", "operators", "casts", "aggregates")}
    extra = sections(data)
    types = type_oids(data)
    base = {row["typname"]: row["oid"] for row in dat["types"]}
    functions = {row["oid"]: row for row in dat["functions"]}
    by_source = {}
    for row in dat["functions"]:
        by_source.setdefault(row["proname"], row["oid"])
    proc = lambda name: by_source.get(name, "0") if name else "0"
    out = ["/* Generated from the .dat files. */", '#include "catalog/builtin.h"', ""]

    out.append("const TypeDesc builtin_types[] = {")
    lines = []
    for r in dat["types"]:
        collation = {"default": "100", "C": "950"}.get(r["typcollation"], "0")
        lines.append((int(r["oid"]), f"{{.oid = {r['oid']}, .name = {str_of(r['typname'])}, .namespace_oid = 11, .owner = 10, .length = {r['typlen']}, "
            f".by_value = {flag(r['typbyval'])}, .kind = '{r['typtype']}', .category = '{r['typcategory']}', .preferred = {flag(r['typispreferred'])}, "
            f".defined = true, .delimiter = '{r['typdelim'] or ','}', .subscript = {subscript(r['typsubscript'])}, .element = {types.get(r['typelem'], '0')}, "
            f".array = {types.get(r['typarray'], '0')}, .align = '{r['typalign']}', .storage = '{r['typstorage']}', .typmod = -1, .collation = {collation}, "
            f".input = {proc(r['typinput'])}, .output = {proc(r['typoutput'])}, .receive = {proc(r['typreceive'])}, .send = {proc(r['typsend'])}, "
            f".typmod_in = {proc(r['typmodin'])}, .typmod_out = {proc(r['typmodout'])}, .phys = PHYS_{r['phys']}}},"))
    for r in extra["pg_type"]:
        lines.append((int(r["oid"]), f"{{.oid = {r['oid']}, .name = {str_of(r['typname'])}, .namespace_oid = 11, .owner = 10, .length = -1, .kind = 'b', "
            f".category = 'Z', .defined = true, .delimiter = ',', .align = 'i', .storage = 'x', .typmod = -1, .collation = 100, .phys = PHYS_VAR}},"))
    for table in Tables(data).tables:
        oid, name, _, rowtype, arraytype = table["fields"][:5]
        if rowtype != "0":
            lines.append((int(rowtype), f"{{.oid = {rowtype}, .name = {str_of(name)}, .namespace_oid = 11, .owner = 10, .length = -1, .kind = 'c', "
                f".category = 'C', .defined = true, .delimiter = ',', .relation = {oid}, .array = {arraytype}, .align = 'd', .storage = 'x', .typmod = -1, "
                f".input = {proc('record_in')}, .output = {proc('record_out')}, .receive = {proc('record_recv')}, .send = {proc('record_send')}, .phys = PHYS_VAR}},"))
            lines.append((int(arraytype), f"{{.oid = {arraytype}, .name = {str_of('_' + name)}, .namespace_oid = 11, .owner = 10, .length = -1, .kind = 'b', "
                f".category = 'A', .defined = true, .delimiter = ',', .subscript = 6179, .element = {rowtype}, .align = 'd', .storage = 'x', .typmod = -1, "
                f".input = {proc('array_in')}, .output = {proc('array_out')}, .receive = {proc('array_recv')}, .send = {proc('array_send')}, .phys = PHYS_VAR}},"))
    seen = {}
    for oid, line in sorted(lines):
        if oid not in seen:
            seen[oid] = True
            out.append("    " + line)
    out += ["};", "const size_t builtin_type_count = ARRAY_LENGTH(builtin_types);", ""]

    languages = {"internal": 12, "c": 13, "sql": 14}
    oid_list = lambda names: ", ".join(types[n] for n in names.split())
    for r in dat["functions"]:
        if r["argtypes"]:
            out.append(f"static const Oid args_{r['oid']}[] = {{{oid_list(r['argtypes'])}}};")
        if r["allargtypes"]:
            out.append(f"static const Oid all_{r['oid']}[] = {{{oid_list(r['allargtypes'])}}};")
            out.append(f"static const char modes_{r['oid']}[] = {{{', '.join(char(c) for c in r['argmodes'].split())}}};")
        if r["argnames"]:
            names = ["" if n == '""' else n for n in r["argnames"].split(" ")]
            out.append(f"static const Str names_{r['oid']}[] = {{{', '.join(str_of(n) for n in names)}}};")
    # Beyond the pinned OIDs are the helpers of the information schema, whose own OID is before theirs.
    namespace_of = lambda r: 11 if int(r["oid"]) < 12000 else 13207
    out.append("const FunctionDesc builtin_function_descs[] = {")
    for r in sorted(dat["functions"], key=lambda r: int(r["oid"])):
        out.append(f"    {{.oid = {r['oid']}, .name = {str_of(r['proname'])}, .namespace_oid = {namespace_of(r)}, .owner = 10, .language = {languages.get(r['language'], 12)}, "
            f".kind = '{r['prokind']}', .strict = {flag(r['strict'])}, .returns_set = {flag(r['retset'])}, .leakproof = {flag(r['leakproof'])}, "
            f".volatility = '{r['volatile']}', .parallel = '{r['parallel']}', .cost = {float(r['cost'])}f, .rows = {float(r['rows'])}f, "
            f".variadic = {types.get(r['variadic'], '0')}, .return_type = {types[r['rettype']]}, .argument_count = {len(r['argtypes'].split())}, "
            f".default_count = {r['ndefaults'] or 0}, .argument_types = {'args_' + r['oid'] if r['argtypes'] else 'NULL'}, "
            f".all_count = {len(r['allargtypes'].split())}, .all_types = {'all_' + r['oid'] if r['allargtypes'] else 'NULL'}, "
            f".all_modes = {'modes_' + r['oid'] if r['allargtypes'] else 'NULL'}, .names = {'names_' + r['oid'] if r['argnames'] else 'NULL'}, "
            f".defaults = {str_of(r['defaults'])}, .source = {str_of(r['prosrc'])}}},")
    if not dat["functions"]:
        out.append("    {0},")
    out += ["};", f"const size_t builtin_function_desc_count = {len(dat['functions'])};", ""]

    out.append("const AggregateDesc builtin_aggregates[] = {")
    for r in sorted(dat["aggregates"], key=lambda r: int(r["oid"])):
        if r["oid"] not in functions:
            continue
        out.append(f"    {{.function = {r['oid']}, .kind = '{r['kind']}', .direct_count = {r['numdirectargs']}, "
            f".implementation = {str_of(functions[r['oid']]['symbol'])}, .sort_operator = {r['sortop']}, .transition_type = {types.get(internal_type(r['transtype']), '0')}}},")
    if not dat["aggregates"]:
        out.append("    {0},")
    out += ["};", f"const size_t builtin_aggregate_count = {len([r for r in dat['aggregates'] if r['oid'] in functions])};", ""]
    out.append("const AggregateRow builtin_aggregate_rows[] = {")
    for r in sorted(dat["aggregates"], key=lambda r: int(r["oid"])):
        if r["oid"] in functions:
            out.append("    {" + ", ".join(str_of(r[c]) for c in ("transfn finalfn combinefn serialfn deserialfn mtransfn minvtransfn mfinalfn").split())
                + f", {flag(r['finalextra'])}, {flag(r['mfinalextra'])}, '{r['finalmodify']}', '{r['mfinalmodify']}', {r['transspace']}, "
                f"{str_of(r['initval'] or None)}}},")
    if not dat["aggregates"]:
        out.append("    {{0}},")
    out += ["};", ""]

    kept_operators = {r["oid"] for r in dat["operators"]}
    out.append("const OperatorDesc builtin_operators[] = {")
    for r in sorted(dat["operators"], key=lambda r: int(r["oid"])):
        out.append(f"    {{.oid = {r['oid']}, .name = {str_of(r['oprname'])}, .namespace_oid = 11, .owner = 10, .kind = '{r['kind']}', .can_merge = {flag(r['canmerge'])}, "
            f".can_hash = {flag(r['canhash'])}, .left = {types.get(r['left'], '0')}, .right = {types.get(r['right'], '0')}, .result = {types.get(r['result'], '0')}, "
            f".commutator = {r['com']}, .negator = {r['negate']}, .function = {r['code']}, .restrict_estimator = {str_of(r['rest'])}, .join_estimator = {str_of(r['join'])}}},")
    if not dat["operators"]:
        out.append("    {0},")
    out += ["};", f"const size_t builtin_operator_count = {len(dat['operators'])};", ""]

    out.append("const CastDesc builtin_casts[] = {")
    for r in dat["casts"]:
        out.append(f"    {{.oid = {r['oid']}, .source = {types[r['source']]}, .target = {types[r['target']]}, .function = {r['function']}, "
            f".context = '{r['context']}', .method = '{r['method']}'}},")
    out += ["};", "const size_t builtin_cast_count = ARRAY_LENGTH(builtin_casts);", ""]

    known = set(base.values())
    classes = [r for r in extra["pg_opclass"] if r["opcintype"] in known]
    families = {r["opcfamily"] for r in classes}
    out.append("const OpfamilyDesc builtin_opfamilies[] = {")
    out += [f"    {{{r['oid']}, {r['opfmethod']}, {str_of(r['opfname'])}}}," for r in extra["pg_opfamily"] if r["oid"] in families]
    out += ["};", "const size_t builtin_opfamily_count = ARRAY_LENGTH(builtin_opfamilies);", ""]
    out.append("const OpclassDesc builtin_opclasses[] = {")
    out += [f"    {{{r['oid']}, {str_of(r['opcname'])}, 11, {r['opcmethod']}, {r['opcfamily']}, {r['opcintype']}, {flag(r['opcdefault'])}, {r['opckeytype']}}}," for r in classes]
    out += ["};", "const size_t builtin_opclass_count = ARRAY_LENGTH(builtin_opclasses);", ""]
    out.append("const AmopDesc builtin_amops[] = {")
    out += [f"    {{{r['oid']}, {r['amopfamily']}, {r['amoplefttype']}, {r['amoprighttype']}, {r['amopstrategy']}, {r['amopopr']}, {r['amopmethod']}}},"
            for r in extra["pg_amop"] if r["amopfamily"] in families and r["amopopr"] in kept_operators]
    out += ["    {0}", "};", "const size_t builtin_amop_count = ARRAY_LENGTH(builtin_amops) - 1;", ""]
    out.append("const AmprocDesc builtin_amprocs[] = {")
    out += [f"    {{{r['oid']}, {r['amprocfamily']}, {r['amproclefttype']}, {r['amprocrighttype']}, {r['amprocnum']}, {r['amproc']}}},"
            for r in extra["pg_amproc"] if r["amprocfamily"] in families and r["amproc"] in functions]
    out += ["    {0}", "};", "const size_t builtin_amproc_count = ARRAY_LENGTH(builtin_amprocs) - 1;", ""]
    out.append("const CollationDesc builtin_collations[] = {")
    out += [f"    {{{r['oid']}, {str_of(r['collname'])}, 11, '{r['collprovider']}', true, {str_of(r['collcollate'] or '')}, {str_of(r['collctype'] or '')}}}," for r in extra["pg_collation"]]
    out += ["};", "const size_t builtin_collation_count = ARRAY_LENGTH(builtin_collations);", ""]

    present = {"1255": set(functions), "2617": kept_operators, "1247": set(types.values()), "2601": {r["oid"] for r in extra["pg_am"]},
               "2612": {r["oid"] for r in extra["pg_language"]}, "3456": {r["oid"] for r in extra["pg_collation"]}}
    extra["pg_description"] = [r for r in extra["pg_description"] if r["objoid"] in present[r["classoid"]]]
    written = ("pg_namespace", "pg_am", "pg_language", "pg_authid", "pg_auth_members", "pg_tablespace", "pg_description")
    for table in written:
        out.append(f"static const char *const {table}_cells[] = {{")
        for r in extra[table]:
            out.append("    " + ", ".join("NULL" if v is None else quote(v) for v in r.values()) + ",")
        out.append("};")
    out.append("const BuiltinRows builtin_rows[] = {")
    for table in written:
        out.append(f"    {{CAT_{table.upper()}, {len(extra[table])}, {table}_cells}},")
    out += ["};", "const size_t builtin_rows_count = ARRAY_LENGTH(builtin_rows);", ""]
    return "\n".join(out)


def subscript(name):
    return {"array_subscript_handler": "6179", "raw_array_subscript_handler": "6180"}.get(name, "0")


def internal_type(name):
    names = {"bigint": "int8", "integer": "int4", "smallint": "int2", "double precision": "float8", "real": "float4", "boolean": "bool",
             "bigint[]": "_int8", "double precision[]": "_float8", "timestamp with time zone": "timestamptz", "character": "bpchar",
             "timestamp without time zone": "timestamp", "time without time zone": "time", "time with time zone": "timetz"}
    return names.get(name, name)


def scripts(data):
    out = ["/* Generated from the .sql files. */", '#include "catalog/catalog.h"', ""]
    names = ["system_views.sql", "information_schema.sql"]
    for i, name in enumerate(names):
        with open(os.path.join(data, name), encoding="utf-8") as text:
            lines = text.read().split("\n")
        out.append(f"static const char script_{i}[] =")
        out += ["    " + quote(line + "\n") for line in lines]
        out[-1] += ";"
    out += ["const Str *catalog_bootstrap_scripts(void)", "{", "    static const Str scripts[] = {"]
    out += [f"        {{script_{i}, sizeof(script_{i}) - 1}}," for i in range(len(names))]
    out += ["        {NULL, 0},", "    };", "    return scripts;", "}", ""]
    return "\n".join(out)


def version(data):
    """What a fresh directory's system tables hold, as a number: another one where any of the files differs."""
    digest = hashlib.sha256()
    for name in sorted(name for name in os.listdir(data) if name.endswith((".dat", ".sql"))):
        with open(os.path.join(data, name), "rb") as content:
            digest.update(name.encode() + b"\0" + content.read())
    return "\n".join(("/* Generated from all of the data. */", '#include "catalog/catalog.h"', "", "Str catalog_data_version(void)", "{",
                      f'    return STR("{digest.hexdigest()[:16]}");', "}", ""))


MAKERS = {"header": header, "tables": tables_c, "builtins": builtins, "scripts": scripts, "version": version}


def main():
    with open(sys.argv[3], "w", encoding="utf-8") as out:
        out.write(MAKERS[sys.argv[1]](sys.argv[2]))


if __name__ == "__main__":
    main()
