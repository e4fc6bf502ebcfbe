#!/usr/bin/env python3
"""Writes src/catalog/data/{tables,rows,descriptions}.dat from a PostgreSQL 15 (PGHOST, PGPORT, PGUSER).

tables.dat: the system tables with columns and indexes. rows.dat: what a new database has in those that no other .dat
file describes. descriptions.dat: what psql says of functions, operators and types. Facts of objects that Sengi lacks are filtered out by generate_system_tables.py, not here.
"""
import os
import subprocess

import oracle

DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "src", "catalog", "data")


def query(sql):
    command = ["psql", "-X", "-A", "-t", "-F", "\t", "-P", "null=\\N", "-d", "template1", "-c", sql]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def tables():
    out = ["# System tables. Fields, separated by tabs; columns and indexes follow their table.",
           "# table  oid name shared rowtype arraytype mapped acl",
           "# column name type not_null collation",
           "# index  oid name unique primary immediate attnums opclasses collations constraint_oid mapped"]
    for line in query("""select c.oid, relname, relisshared, reltype, coalesce((select typarray from pg_type t where t.oid = reltype), 0),
            relfilenode = 0, coalesce(relacl::text, '') from pg_class c where relnamespace = 11 and relkind = 'r' order by c.oid"""):
        oid = line.split("\t")[0]
        out.append("table\t" + line)
        out += ["column\t" + row for row in query(f"""select attname, (select typname from pg_type where oid = atttypid), attnotnull,
            attcollation from pg_attribute where attrelid = {oid} and attnum > 0 order by attnum""")]
        out += ["index\t" + row for row in query(f"""select i.indexrelid, relname, indisunique, indisprimary, indimmediate, indkey, indclass,
            indcollation, coalesce((select oid from pg_constraint where conindid = i.indexrelid and conrelid = i.indrelid), 0), relfilenode = 0
            from pg_index i join pg_class c on c.oid = indexrelid where indrelid = {oid} order by 1""")]
    return out


ROWS = [
    ("pg_namespace", "oid nspname nspowner nspacl", "select oid, nspname, nspowner, nspacl from pg_namespace where oid in (11, 99, 2200)"),
    ("pg_am", "oid amname amhandler amtype", "select oid, amname, amhandler::oid, amtype from pg_am where amname in ('heap', 'btree', 'hash')"),
    ("pg_opfamily", "oid opfmethod opfname opfnamespace opfowner", "select oid, opfmethod, opfname, opfnamespace, opfowner from pg_opfamily where opfmethod in (403, 405) order by oid"),
    ("pg_opclass", "oid opcmethod opcname opcnamespace opcowner opcfamily opcintype opcdefault opckeytype",
     "select oid, opcmethod, opcname, opcnamespace, opcowner, opcfamily, opcintype, opcdefault, opckeytype from pg_opclass where opcmethod in (403, 405) order by ctid"),
    ("pg_amop", "oid amopfamily amoplefttype amoprighttype amopstrategy amoppurpose amopopr amopmethod amopsortfamily",
     "select oid, amopfamily, amoplefttype, amoprighttype, amopstrategy, amoppurpose, amopopr, amopmethod, amopsortfamily from pg_amop where amopmethod in (403, 405) order by oid"),
    ("pg_amproc", "oid amprocfamily amproclefttype amprocrighttype amprocnum amproc",
     "select a.oid, amprocfamily, amproclefttype, amprocrighttype, amprocnum, amproc::oid from pg_amproc a join pg_opfamily f on f.oid = amprocfamily where opfmethod in (403, 405) order by a.oid"),
    ("pg_collation", "oid collname collnamespace collowner collprovider collisdeterministic collencoding collcollate collctype colliculocale collversion",
     "select oid, collname, collnamespace, collowner, collprovider, collisdeterministic, collencoding, collcollate, collctype, colliculocale, collversion from pg_collation where collprovider <> 'i' and collname in ('default', 'C', 'POSIX', 'ucs_basic', 'C.utf8') order by oid"),
    ("pg_language", "oid lanname lanowner lanispl lanpltrusted lanplcallfoid laninline lanvalidator lanacl", "select * from pg_language where oid < 10000 order by oid"),
    ("pg_authid", "oid rolname rolsuper rolinherit rolcreaterole rolcreatedb rolcanlogin rolreplication rolbypassrls rolconnlimit rolpassword rolvaliduntil",
     "select oid, rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls, rolconnlimit, null, null from pg_authid where oid < 16384 order by oid"),
    ("pg_auth_members", "roleid member grantor admin_option", "select * from pg_auth_members where member < 16384 and roleid < 16384 order by 1, 2"),
    ("pg_tablespace", "oid spcname spcowner spcacl spcoptions", "select * from pg_tablespace where oid < 16384"),
    ("pg_type", "typname oid typnamespace typlen typbyval typtype typcategory typalign typstorage typarray typcollation typelem",
     "select typname, oid, typnamespace, typlen, typbyval, typtype, typcategory, typalign, typstorage, typarray, typcollation, typelem from pg_type where typname in ('pg_ndistinct', 'pg_dependencies', 'pg_mcv_list')"),
]


DESCRIPTIONS = [
    ("pg_description", "objoid classoid objsubid description",
     "select objoid, classoid::oid, objsubid, description from pg_description where classoid in (1247, 1255, 2601, 2612, 2617, 3456) and objoid < 10000 order by classoid::oid, objoid"),
]


def rows(tables_wanted):
    out = ["# Rows of a new database, by table. A line `@table columns…` begins a table's; fields are separated by tabs, \\N is null."]
    for table, columns, sql in tables_wanted:
        out.append("@" + table + "\t" + "\t".join(columns.split()))
        out += query(sql)
    return out


def write(name, lines):
    with open(os.path.join(DATA, name + ".dat"), "w", encoding="utf-8") as out:
        out.write("\n".join(lines) + "\n")


oracle.may_record_number(int(query("SELECT current_setting('server_version_num')")[0]))
write("tables", tables())
write("rows", rows(ROWS))
write("descriptions", rows(DESCRIPTIONS))
