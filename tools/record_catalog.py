#!/usr/bin/env python3
"""Writes src/catalog/data/{types,functions,operators,casts,aggregates}.dat.

usage: record_catalog.py LIBRARY[=ROOM] …       e.g. build/src/types/libtypes.a=types

Rooms whose library is not given keep the functions they have in functions.dat. The facts (OIDs, signatures, flags) come from a PostgreSQL 15 (PGHOST, PGPORT, PGUSER); what exists comes
from the symbols in the built libraries: fn_<prosrc>, vk_<prosrc> (vector kernel), srf_<prosrc>,
agg_<name>_<argument types>, wf_<prosrc> (window). A function without a symbol gets no line; nor do operators, casts and
aggregates that need it. Functions written in SQL there are fn_sql_<oid> here.
"""
import os
import re
import subprocess
import sys

import oracle

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "src", "catalog", "data")

# typname: (physical type, prefix of the C text and binary functions, prefix of compare and hash or "", typmod prefix or "")
TYPES = {
    "bool": ("BOOL", "bool", "bool", ""), "bytea": ("VAR", "bytea", "text", ""),
    "char": ("INT8", "char", "char", ""), "name": ("VAR", "name", "text", ""),
    "int8": ("INT64", "int8", "int8", ""), "int2": ("INT16", "int2", "int2", ""),
    "int2vector": ("VAR", "int2vector", "array", ""), "int4": ("INT32", "int4", "int4", ""),
    "regproc": ("INT32", "reg", "oid", ""), "text": ("VAR", "text", "text", ""),
    "oid": ("INT32", "oid", "oid", ""), "tid": ("INT64", "tid", "xid8", ""),
    "xid": ("INT32", "xid", "oid", ""), "cid": ("INT32", "xid", "oid", ""),
    "oidvector": ("VAR", "oidvector", "array", ""), "json": ("VAR", "json", "", ""), "jsonb": ("VAR", "jsonb", "jsonb", ""),
    "pg_node_tree": ("VAR", "node_tree", "", ""), "xid8": ("INT64", "xid8", "xid8", ""),
    "float4": ("FLOAT32", "float4", "float4", ""), "float8": ("FLOAT64", "float8", "float8", ""),
    "unknown": ("VAR", "text", "", ""), "aclitem": ("VAR", "aclitem", "text", ""),
    "bpchar": ("VAR", "bpchar", "bpchar", "char"), "varchar": ("VAR", "varchar", "text", "varchar"),
    "date": ("INT32", "date", "int4", ""), "time": ("INT64", "time", "int8", "time"),
    "timestamp": ("INT64", "timestamp", "int8", "timestamp"),
    "timestamptz": ("INT64", "timestamptz", "int8", "timestamptz"),
    "interval": ("FIXED16", "interval", "interval", "interval"),
    "timetz": ("FIXED16", "timetz", "timetz", "timetz"), "numeric": ("VAR", "numeric", "numeric", "numeric"),
    "refcursor": ("VAR", "text", "", ""), "regprocedure": ("INT32", "reg", "oid", ""),
    "regoper": ("INT32", "reg", "oid", ""), "regoperator": ("INT32", "reg", "oid", ""),
    "regclass": ("INT32", "reg", "oid", ""), "regtype": ("INT32", "reg", "oid", ""),
    "regconfig": ("INT32", "reg", "oid", ""), "regdictionary": ("INT32", "reg", "oid", ""),
    "regnamespace": ("INT32", "reg", "oid", ""), "regrole": ("INT32", "reg", "oid", ""),
    "regcollation": ("INT32", "reg", "oid", ""), "uuid": ("FIXED16", "uuid", "uuid", ""),
    "pg_lsn": ("INT64", "lsn", "xid8", ""), "cstring": ("VAR", "text", "", ""),
    "void": ("VAR", "void", "", ""), "inet": ("VAR", "inet", "text", ""), "cidr": ("VAR", "cidr", "text", ""),
}
PSEUDO = ("record _record any anyarray trigger event_trigger language_handler internal anyelement anynonarray anyenum "
          "fdw_handler index_am_handler tsm_handler table_am_handler anyrange anymultirange anycompatible "
          "anycompatiblearray anycompatiblenonarray anycompatiblerange anycompatiblemultirange "
          "pg_ddl_command _cstring").split()
# Values, not arrays, of these are seen; they are refused as columns' types by their missing functions.
NO_ARRAY_NEEDED = {"cstring", "void", "unknown", "pg_node_tree"}


def query(sql):
    command = ["psql", "-X", "-A", "-t", "-F", "\x1f", "-R", "\x1e", "-d", "template1", "-c", sql]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if text.endswith("\n"):
        text = text[:-1]
    return [row.split("\x1f") for row in text.split("\x1e") if row]


def symbols(libraries):
    found = {}
    for item in libraries:
        path, _, room = item.partition("=")
        room = room or os.path.basename(path)[3:].split(".")[0]
        text = subprocess.run(["nm", "-g", "--defined-only", path], check=True, capture_output=True, text=True).stdout
        for line in text.splitlines():
            fields = line.split()
            if len(fields) == 3 and re.match(r"(fn|vk|srf|agg|wf)_", fields[2]):
                found[fields[2]] = room
    return found


def kept_symbols(found):
    """Symbols of rooms that were not looked at, from the present functions.dat."""
    rooms = set(found.values())
    with open(os.path.join(DATA, "functions.dat"), encoding="utf-8") as lines:
        for line in lines:
            fields = line.rstrip("\n").split("\t")
            if not line.startswith("#") and fields[-1] not in rooms:
                for symbol in fields[-3:-1]:
                    if symbol != "_null_":
                        found.setdefault(symbol, fields[-1])
    return found


def write(name, columns, rows):
    with open(os.path.join(DATA, name + ".dat"), "w", encoding="utf-8") as out:
        out.write("# Written by tools/record_catalog.py from PostgreSQL 15's catalogs. Fields, separated by tabs:\n")
        out.write("# " + " ".join(columns) + "\n")
        for row in rows:
            assert len(row) == len(columns), row
            out.write("\t".join(field if field != "" else "_null_" for field in row) + "\n")


def record_types():
    base = list(TYPES)
    names = ",".join("'" + n + "'" for n in base + PSEUDO)
    rows = query(f"""
        select t.oid, t.typname, format_type(t.oid, null), typlen, typbyval, typalign, typstorage, typtype, typcategory,
            typispreferred, typdelim, coalesce((select typname from pg_type e where e.oid = t.typelem), ''),
            coalesce((select typname from pg_type e where e.oid = t.typarray), ''), coalesce((select collname from pg_collation c where c.oid = typcollation), ''),
            typinput::text, typoutput::text, typreceive::text, typsend::text, typmodin::text, typmodout::text, typsubscript::text
        from pg_type t where typnamespace = 11 and (typname in ({names}) or
            typelem in (select oid from pg_type where typnamespace = 11 and typname in ({names})) and typcategory = 'A')
        order by t.oid""")
    out = []
    for row in rows:
        name = row[1]
        is_array = row[11] != "" and row[8] == "A" and name not in TYPES
        if name in TYPES:
            phys, io, compare, typmod = TYPES[name]
        elif is_array and name != "_record":
            element = row[11]
            phys, io = "VAR", "array"
            compare = "array" if TYPES.get(element, ("", "", ""))[2] else ""
            typmod = TYPES[element][3] if element in TYPES else ""
        else:
            phys, io, compare, typmod = "VAR", "pseudo", "", ""
            if name in ("anyarray", "record", "_record"):
                io = "rowtype" if name == "record" else "array"
                compare = io if "record" in name else ""
        fields = [f"{field}" for field in row]
        out.append(fields + [phys, io, compare, typmod])
    write("types", ("oid typname sql_name typlen typbyval typalign typstorage typtype typcategory typispreferred typdelim typelem "
                    "typarray typcollation typinput typoutput typreceive typsend typmodin typmodout typsubscript phys io compare typmod").split(), out)
    return {row[0]: row[1] for row in rows}, rows


def generic_symbols(type_names):
    """Functions that one C function serves for every type, by the rôle that the catalogs give them."""
    generic = {}
    for proc, strategy, method, left, right in query("""
            select o.oprcode::oid, amopstrategy, amname, amoplefttype, amoprighttype from pg_amop
            join pg_operator o on o.oid = amopopr join pg_am on pg_am.oid = amopmethod
            join pg_opfamily f on f.oid = amopfamily where amname in ('btree','hash') and opfname not like '%pattern%'"""):
        if left == right and left in type_names:
            name = "eq" if method == "hash" else {"1": "lt", "2": "le", "3": "eq", "4": "ge", "5": "gt"}[strategy]
            generic[proc] = "generic_" + name
    for proc, negated in query("""select n.oprcode::oid, o.oprcode::oid from pg_operator o
            join pg_operator n on n.oid = o.oprnegate"""):
        if generic.get(negated) == "generic_eq":
            generic.setdefault(proc, "generic_ne")
    for proc, kind, method, left, right in query("""
            select amproc::oid, amprocnum, amname, amproclefttype, amprocrighttype from pg_amproc
            join pg_opfamily f on f.oid = amprocfamily join pg_am on pg_am.oid = opfmethod where amname in ('btree','hash')
            and opfname not like '%pattern%'"""):
        if left == right and left in type_names:
            if method == "btree" and kind == "1":
                generic[proc] = "generic_cmp"
            if method == "hash":
                generic[proc] = {"1": "generic_hash", "2": "generic_hash_extended"}.get(kind)
    for column, symbol in (("typinput", "io_input"), ("typoutput", "io_output"), ("typreceive", "io_receive"),
                           ("typsend", "io_send")):
        for oid, proc in query(f"select oid, {column}::oid from pg_type where {column} <> 0"):
            if oid in type_names:
                generic[proc] = symbol
    for (proc,) in query("""select oid from pg_proc where pronamespace = 11 and prokind = 'f' and
            prosrc in ('int2larger','int2smaller','int4larger','int4smaller','int8larger','int8smaller','float4larger','float4smaller',
            'float8larger','float8smaller','oidlarger','oidsmaller','text_larger','text_smaller','bpchar_larger','bpchar_smaller',
            'numeric_larger','numeric_smaller','date_larger','date_smaller','time_larger','time_smaller','timetz_larger','timetz_smaller',
            'timestamp_larger','timestamp_smaller','interval_larger','interval_smaller','array_larger','array_smaller','tidlarger','tidsmaller',
            'pg_lsn_larger','pg_lsn_smaller')"""):
        generic[proc] = "generic_larger"
    for (proc,) in query("select oid from pg_proc where pronamespace = 11 and prosrc like '%smaller'"):
        if proc in generic:
            generic[proc] = "generic_smaller"
    return generic


def record_functions(found, type_names):
    generic = generic_symbols(type_names)
    fields = """p.oid, proname, prokind, proisstrict, provolatile, proparallel, proleakproof, proretset, prorettype, proargtypes,
        coalesce(array_to_string(proallargtypes, ' '), ''), coalesce(array_to_string(proargmodes, ' '), ''),
        coalesce(array_to_string(array(select case when n = '' then '""' else n end from unnest(proargnames) with ordinality u(n, i) order by i), ' '), ''), provariadic,
        procost, prorows, lanname, regexp_replace(prosrc, '[\\n\\t]', ' ', 'g'),
        pronargdefaults, coalesce(pg_get_expr(proargdefaults, 0), '')"""
    out, listed = [], {}
    for row in query(f"""select {fields} from pg_proc p join pg_language l on l.oid = prolang where pronamespace = 11
            and p.oid < 12000 or pronamespace = 'information_schema'::regnamespace order by p.oid"""):
        oid, name, kind, source, language = row[0], row[1], row[2], row[17], row[16]
        arguments = row[9].split()
        everything = arguments + row[10].split() + [row[8]]
        if any(item not in type_names for item in everything):
            continue
        names = [type_names[item] for item in arguments]
        stem = generic.get(oid) or ("sql_" + oid if language == "sql" else source)
        if int(oid) >= 12000:
            stem = "information_schema" + name
        if kind == "a":
            symbol = "agg_" + "_".join([name] + [n.lstrip("_") + ("_array" if n[0] == "_" else "") for n in names])
        elif kind == "w":
            symbol = "wf_" + source
        else:
            symbol = ("srf_" if row[7] == "t" else "fn_") + stem
        if symbol not in found:
            continue
        room = found[symbol]
        vector = "vk_" + stem if kind == "f" and "vk_" + stem in found else ""
        if kind == "f" and not vector and "vk_" + source in found:
            vector = "vk_" + source
        row[8] = type_names[row[8]]
        row[9] = " ".join(names)
        row[10] = " ".join(type_names[item] for item in row[10].split())
        row[13] = type_names[row[13]] if row[13] != "0" else ""
        out.append(row + [symbol, vector, room])
        listed[oid] = symbol
    write("functions", ("oid proname prokind strict volatile parallel leakproof retset rettype argtypes allargtypes argmodes argnames variadic "
                        "cost rows language prosrc ndefaults defaults symbol vector room").split(), out)
    return listed


def record_operators(listed, type_names):
    rows = query("""select oid, oprname, oprkind, oprcanmerge, oprcanhash, oprleft, oprright, oprresult, oprcom, oprnegate, oprcode::oid,
        case oprrest::oid when 0 then '' else oprrest::text end, case oprjoin::oid when 0 then '' else oprjoin::text end
        from pg_operator where oprnamespace = 11 order by oid""")
    kept = {r[0] for r in rows if r[10] in listed}
    out = []
    for row in rows:
        if row[0] not in kept:
            continue
        for i in (5, 6, 7):
            row[i] = type_names[row[i]] if row[i] != "0" else ""
        for i in (8, 9):
            row[i] = row[i] if row[i] in kept else "0"
        out.append(row)
    write("operators", "oid oprname kind canmerge canhash left right result com negate code rest join".split(), out)


def record_casts(listed, type_names):
    out = []
    for row in query("""select oid, castsource, casttarget, castfunc, castcontext, castmethod from pg_cast where oid < 16384 order by oid"""):
        if row[1] in type_names and row[2] in type_names and (row[3] == "0" or row[3] in listed):
            row[1], row[2] = type_names[row[1]], type_names[row[2]]
            out.append(row)
    write("casts", "oid source target function context method".split(), out)


def record_aggregates(listed, type_names):
    out = []
    for row in query("""select aggfnoid::oid, aggkind, aggnumdirectargs, aggtransfn::text, aggfinalfn::text, aggcombinefn::text,
            aggserialfn::text, aggdeserialfn::text, aggmtransfn::text, aggminvtransfn::text, aggmfinalfn::text,
            aggfinalextra, aggmfinalextra, aggfinalmodify, aggmfinalmodify, aggsortop, aggtranstype::regtype,
            aggtransspace, aggmtranstype, aggmtransspace, coalesce(agginitval, ''), coalesce(aggminitval, '')
            from pg_aggregate order by 1"""):
        if row[0] in listed:
            out.append(row)
    write("aggregates", ("oid kind numdirectargs transfn finalfn combinefn serialfn deserialfn mtransfn minvtransfn mfinalfn finalextra mfinalextra "
                         "finalmodify mfinalmodify sortop transtype transspace mtranstype mtransspace initval minitval").split(), out)


def main():
    oracle.may_record_number(int(query("SELECT current_setting('server_version_num')")[0][0]))
    found = kept_symbols(symbols(sys.argv[1:]))
    type_names, _ = record_types()
    listed = record_functions(found, type_names)
    record_operators(listed, type_names)
    record_casts(listed, type_names)
    record_aggregates(listed, type_names)
    print(f"{len(type_names)} types, {len(listed)} functions")


main()
