#!/usr/bin/env python3
"""Random expressions of the types' functions, operators and casts must be answered as PostgreSQL 15 answers them.

usage: run.py --build DIR [--long] [--seed N] [--count N] [--port N] [--oracle N] [--only TEXT] [--types NAME,…] [--sample FILE]

What is called comes from the catalogs of both servers: every function, operator and cast of the types in values.py that both
have. Each expression is a query of its own; columns, rows, SQLSTATEs, messages, details and hints are compared, and with
--long the binary forms too. The oracle is a throw-away cluster of Debian's package, or the server at --oracle.
The seed is printed: with it and the same count a run can be had again. Known differences are in known.txt (regular
expressions over "expression => wanted => got"), each with its reason; expressions that do not agree yet are in pending.txt. --sample writes the expressions that agree as
statements for regress/sql.
"""
import contextlib
import pathlib
import re
import struct
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent / "tools")]
import oracle as throw_away
import suite
import values
import wire
from sengi_server import Server

SETTINGS = ["set timezone = 'Europe/Berlin'", "set timezone = 'UTC'", "set timezone = 'America/New_York'", "set datestyle = 'ISO, MDY'",
            "set datestyle = 'SQL, DMY'", "set datestyle = 'German'", "set datestyle = 'Postgres, MDY'", "set intervalstyle = 'postgres'",
            "set intervalstyle = 'iso_8601'", "set intervalstyle = 'sql_standard'", "set intervalstyle = 'postgres_verbose'",
            "set extra_float_digits = 0", "set extra_float_digits = 1", "set bytea_output = 'escape'", "set bytea_output = 'hex'",
            "set datestyle = 'ISO, YMD'", "set extra_float_digits = -3"]

# Not functions of their arguments alone, or of what one server alone has.
SKIPPED = re.compile(r"""^(random|setseed|gen_random_uuid|pg_.*|has_.*|row_security_active|txid_.*|current_.*|set_config|hash.*|.*hash|.*hash_extended|timeofday|
    clock_timestamp|statement_timestamp|transaction_timestamp|now|version|nextval|setval|currval|lastval|to_reg.*|.*_send|.*send|.*recv|obj_description|
    col_description|shobj_description|format_type|inet_.*|age|oidvectortypes|.*_larger|.*_smaller|.*larger|.*smaller|query_to.*|.*_to_xml.*|binary_upgrade.*|
    generate_series|getdatabaseencoding|lo_.*|lowrite|loread|.*out|btequalimage|btvarstrequalimage|pg_stat.*|amvalidate|in_range|.*sortsupport|.*accum.*|.*combine|
    float8_(avg|var|stddev|regr|covar|corr).*|int.*_avg.*|int.*_sum|interval_avg|.*support|like_escape|similar_.*|to_ascii|convert|unknown.*|acl.*|makeaclitem|
    .*typmodin|dblink.*|mxid_age|xmlcomment|text|repeat|current_query|obj_.*|set_masklen|satisfies.*|.*_validator|nameconcatoid|array_fill|parse_ident|.*cmp)$""".replace("\n", "").replace("    ", ""))

SPECIAL = {
    "to_char": lambda v, name, i: v.pick(values.NUMBER_FORMATS if name[0] in ("int4", "int8", "float4", "float8", "numeric") else values.DATE_FORMATS),
    "to_date": lambda v, name, i: v.pick(values.DATE_FORMATS) if i == 1 else date_text(v),
    "to_timestamp": lambda v, name, i: v.pick(values.DATE_FORMATS) if i == 1 else date_text(v),
    "to_number": lambda v, name, i: v.pick(values.NUMBER_FORMATS) if i == 1 else v.pick(["12,454.8-", "1.5", "<123>", "-0.1", "$ 5", "1e3", "", "abc", "12th", " 7 "]),
    "encode": lambda v, name, i: v.pick(["hex", "base64", "escape", "bogus"]),
    "decode": lambda v, name, i: v.pick(["hex", "base64", "escape", "bogus"]) if i == 1 else v.pick(["00ff", "YWJj", "a\\\\\\\\b", "zz", "YQ==", "0", "\\\\\\\\001"]),
    "string_to_array": lambda v, name, i: v.pick([",", "", "a", " "]) if i else None,
    "string_to_table": lambda v, name, i: v.pick([",", "", "a", " "]) if i else None,
    "array_to_string": lambda v, name, i: v.pick([",", "", "NULL", "*"]),
    "unistr": lambda v, name, i: v.pick(["\\\\\\\\0061", "\\\\\\\\u00e9x", "\\\\\\\\+01F600", "\\\\\\\\U0001F600", "\\\\\\\\", "\\\\\\\\d83d\\\\\\\\de00", "plain", "\\\\\\\\zz"]),
    "convert_from": lambda v, name, i: "utf8", "convert_to": lambda v, name, i: "utf8",
    "jsonb_set_lax": lambda v, name, i: v.pick(["delete_key", "return_target", "use_json_null", "raise_exception", "x"]),
}


def date_text(v):
    return v.pick(["2024-02-29", "2024-02-30", "20240101", "1 Jan 2000", "Friday, 13 September 2024", "12:34:56 PM", "2024-13-01", "44-03-15 BC", "",
                   "2024-W09-5", "2024 366", "abc", "24", "2,024", "XII", "2024-02-29 12:34:56.789", "-5", "99", "0099-01-01", "  2000  01  05", "10:20:30",
                   "2024-02-29 25:00:00", "am", "2460000", "2005527", "12th", "2012-12-12 12:00 +01:30"])


def argument(v, function, types, index):
    """An argument of a type; some functions want words of their own."""
    name = types[index]
    words = None
    if name in ("text", "name"):
        if function in SPECIAL:
            words = SPECIAL[function](v, types, index)
        elif function in ("date_trunc", "date_part", "extract") and index == 0:
            words = v.pick(values.UNITS)
        elif function == "timezone" and index == 0 or function == "date_trunc" and index == 2 or function == "make_timestamptz":
            words = v.pick(values.ZONES)
        elif function.startswith("regexp") or function in ("substring", "~", "!~", "~*", "!~*", "textregexsubstr"):
            words = v.pick(values.PATTERNS) if index == 1 else v.pick(values.FLAGS) if index > 1 and v.random.random() < 0.7 else None
        elif "like" in function or function in ("~~", "!~~", "~~*", "!~~*"):
            words = v.pick(values.LIKES) if index == 1 else None
        elif function in ("->", "->>", "?", "jsonb_object_field", "json_object_field") and index == 1:
            words = v.pick(["a", "b", "k", "", "long key", "x"])
    if name == "_text" and index == 1 and ("json" in function or function in ("#>", "#>>", "#-", "?|", "?&", "-")):
        return f"'{v.pick(values.PATHS)}'::text[]"
    if name == "_text" and "path" in function:
        return f"'{v.pick(values.PATHS)}'::text[]"
    if words is not None and v.random.random() < 0.97:
        return f"{values.quote(words)}::{values.sql_name(name)}"
    if function in ("lpad", "rpad", "repeat", "factorial", "left", "right", "split_part", "overlay", "round", "trunc", "make_date", "make_time", "make_interval",
                    "make_timestamp", "make_timestamptz", "substring", "substr", "get_byte", "set_byte", "get_bit", "set_bit", "->", "->>", "width_bucket", "<<", ">>",
                    "regexp_instr", "regexp_substr", "regexp_count", "regexp_replace", "^", "power", "pow", "*", "array_length", "array_lower", "array_upper",
                    "trim_array", "bpchar", "varchar", "numeric", "log", "exp", "jsonb_array_element",
                    "jsonb_array_element_text", "json_array_element", "json_array_element_text", "-", "#-") and name in ("int4", "int8") and v.random.random() < 0.8:
        return f"{v.random.randint(-3, 12)}::{name}"
    return v.value(name)


def catalog(connection, sql):
    rows = [line[4:].split(" | ") for line in connection.query(sql) if line.startswith("row ")]
    return [tuple(row) for row in rows]


TYPE_LIST = ", ".join(f"'{name}'" for name in values.TYPES)
FUNCTIONS = """select p.oid, proname, array_to_string(array(select t.typname from unnest(string_to_array(proargtypes::text, ' ')::oid[]) with ordinality u(o, n)
    join pg_type t on t.oid = u.o order by n), ' '), p.proretset, p.provariadic from pg_proc p where pronamespace = 11 and prokind = 'f' and pronargs > 0 and p.oid < 10000 order by 1"""
OPERATORS = """select o.oid, oprname, coalesce((select typname from pg_type t where t.oid = oprleft), ''), (select typname from pg_type t where t.oid = oprright)
    from pg_operator o where oprnamespace = 11 and o.oid < 10000 order by 1"""
CASTS = """select (select typname from pg_type t where t.oid = castsource), (select typname from pg_type t where t.oid = casttarget) from pg_cast order by 1, 2"""
POLYMORPHIC = {"anyelement", "anyarray", "anynonarray", "anycompatible", "anycompatiblearray", "anycompatiblenonarray", "any"}


def concrete(v, types):
    """Polymorphic types made concrete; None where a type is not ours."""
    element = v.pick(values.ARRAYS)
    out = []
    for name in types:
        if name in ("anyarray", "anycompatiblearray"):
            name = "_" + element
        elif name == "any":
            name = v.pick(values.ARRAYS)
        elif name in POLYMORPHIC:
            name = element
        if name.lstrip("_") not in values.EDGES:
            return None
        out.append(name)
    return out


class Maker:
    """Makes expressions of what both servers have."""

    def __init__(self, seed, oracle, sengi, only, types):
        self.v = values.Values(seed)
        self.targets = values.TYPES
        self.has_special = not types
        both = set(catalog(sengi, FUNCTIONS))
        self.functions = [row for row in catalog(oracle, FUNCTIONS) if row in both and not SKIPPED.match(row[1])]
        both = set(catalog(sengi, OPERATORS))
        self.operators = [row for row in catalog(oracle, OPERATORS) if row in both]
        both = set(catalog(sengi, CASTS))
        self.casts = [row for row in catalog(oracle, CASTS) if row in both]
        self.functions = [f for f in self.functions if all(concrete(self.v, [n]) for n in f[2].split())]
        self.operators = [o for o in self.operators if all(concrete(self.v, [n]) for n in o[2:] if n)]
        if types:
            def ours(names):
                return all(n in POLYMORPHIC or n.lstrip("_") in types for n in names if n)
            self.functions = [f for f in self.functions if ours(f[2].split())]
            self.operators = [o for o in self.operators if ours(o[2:])]
            self.casts = [c for c in self.casts if ours(c)]
            self.targets = sorted(types)
        if only:
            self.functions = [f for f in self.functions if only in f[1]]
            self.operators = [o for o in self.operators if only in o[1]]

    def function(self):
        _, name, types, is_set, variadic = self.v.pick(self.functions)
        types = concrete(self.v, types.split())
        args = [argument(self.v, name, types, i) for i in range(len(types))]
        if variadic != "0" and types[-1].startswith("_"):
            args[-1] = "VARIADIC " + args[-1]
        call = f'"{name}"({", ".join(args)})'
        return f"select * from {call} as f" if is_set == "t" else f"select {call}"

    def operator(self):
        _, name, left, right = self.v.pick(self.operators)
        types = concrete(self.v, [left, right] if left else [right])
        args = [argument(self.v, name, types, i) for i in range(len(types))]
        return f"select {args[0]} {name} {args[1]}" if left else f"select {name} {args[0]}"

    def cast(self):
        if not self.casts or self.v.random.random() < 0.4:
            # Text in: right, nearly right and wrong.
            target = self.v.pick(self.targets)
            text = self.v.text(self.v.pick(values.TYPES) if self.v.random.random() < 0.2 else target)
            if self.v.random.random() < 0.3 and text:
                at = self.v.random.randrange(len(text))
                if text[at] not in "\\'" and (at == 0 or text[at - 1] not in "\\'"):
                    text = text[:at] + self.v.pick("0-:. xT,{}[]") + text[at + 1:]
            modifier = {"numeric": "(5,2)", "varchar": "(3)", "bpchar": "(4)", "timestamp": "(3)", "timestamptz": "(0)", "time": "(2)", "timetz": "(1)",
                        "interval": "(2)"}.get(target, "") if self.v.random.random() < 0.3 else ""
            return f"select {values.quote(text)}::{values.sql_name(target)}{modifier}"
        source, target = self.v.pick(self.casts)
        if source.lstrip("_") not in values.EDGES or target.lstrip("_") not in values.EDGES:
            return self.cast()
        return f"select {self.v.value(source)}::{values.sql_name(target)}"

    def special(self):
        """What has a grammar of its own."""
        v = self.v
        instant = v.pick(["date", "time", "timetz", "timestamp", "timestamptz", "interval"])
        return "select " + v.pick([
            lambda: f"extract({v.pick(values.UNITS)} from {v.value(instant)})",
            lambda: f"{v.value('text')} like {values.quote(v.pick(values.LIKES))} escape {v.pick(['$', chr(39) * 2, 'NULL', 'ab'])!r}".replace('"', "'"),
            lambda: f"{v.value('text')} similar to {values.quote(v.pick(values.PATTERNS))}",
            lambda: f"({v.value('timestamp')}, {v.value('interval')}) overlaps ({v.value('timestamp')}, {v.value('timestamp')})",
            lambda: f"format({values.quote(v.pick(['%s', '%I %L', '%%', '%5s|%-5s', '%2$s %1$s', '%x', '%', '%*s']))}, {v.value('text')}, {v.value('int4')})",
            lambda: f"make_interval({v.random.randint(-5, 5)}, {v.random.randint(-20, 20)}, 0, {v.random.randint(-40, 40)}, 1, 2, {v.value('float8')})",
            lambda: f"({v.value('timestamptz')}) at time zone {values.quote(v.pick(values.ZONES))}",
            lambda: f"({v.value('timestamp')}) at time zone {values.quote(v.pick(values.ZONES))}",
            lambda: f"age({v.value('timestamp')}, {v.value('timestamp')})",
            lambda: f"greatest({v.value(instant)}, {v.value(instant)}), least({v.value('float8')}, {v.value('float8')})",
            lambda: f"{v.value('_int4')}[{v.random.randint(-1, 4)}], ({v.value('_text')})[{v.random.randint(-1, 4)}:{v.random.randint(-1, 4)}]",
            lambda: f"{v.value('int4')} = any({v.value('_int4')}), {v.value('text')} < all({v.value('_text')})",
            lambda: f"{v.value('_text')}::text, {v.value('_interval')}::text[]",
            lambda: f"to_json({v.value('_' + v.pick(values.ARRAYS))}), to_jsonb({v.value(v.pick(values.TYPES))}), json_build_object({v.value('text')}, {v.value(instant)})",
            lambda: f"substring({v.value('text')} from {v.random.randint(-2, 5)} for {v.random.randint(-1, 5)}), position({v.value('text')} in {v.value('text')})",
            lambda: f"trim({v.pick(['both', 'leading', 'trailing'])} {values.quote(v.pick(['a', ' ', 'ab', '']))} from {v.value('text')})",
            lambda: f"{v.value('numeric')}::numeric({v.random.randint(1, 20)},{v.random.randint(-3, 8)})",
            lambda: f"{v.value('interval')}::interval {v.pick(['year', 'month', 'day', 'hour to second', 'day to minute', 'second(2)', 'year to month'])}",
        ])()

    def expression(self):
        kind = self.v.random.random()
        if kind < 0.5 and self.functions:
            return self.function()
        if kind < 0.75 and self.operators:
            return self.operator()
        return self.cast() if kind < 0.9 or not self.has_special else self.special()


def binary(connection, sql):
    """The rows in binary, through the extended protocol."""
    def message(kind, body):
        return kind + struct.pack("!i", len(body) + 4) + body
    connection.socket.sendall(message(b"P", b"\0" + sql.encode() + b"\0\0\0") + message(b"B", b"\0\0\0\0\0\0\0\1\0\1") +
                              message(b"E", b"\0\0\0\0\0") + message(b"S", b""))
    lines = []
    while True:
        kind, body = connection.message()
        if kind == "D":
            lines.append("row " + body.hex())
        elif kind == "E":
            lines.append("error " + wire.fields_text(body))
        elif kind == "Z":
            return lines


def sengi_server(build):
    """A server on a fresh directory."""
    server = Server(build)
    server.start()
    return server


def known_differences():
    lines = (HERE / "known.txt").read_text(encoding="utf-8").splitlines()
    return [re.compile(line) for line in lines if line and not line.startswith("#")]


def answer(connection, sql, is_binary):
    return binary(connection, sql) if is_binary else connection.query(sql)


def pending_expressions():
    return set((HERE / "pending.txt").read_text(encoding="utf-8").splitlines())


def compare(options, maker, oracle, sengi, known):
    """Runs the expressions; the differences as (setting, sql, wanted, got)."""
    differences, setting, agreed, seen, pending = [], "", [], set(), pending_expressions()
    for i in range(options.count):
        if i % 50 == 0:
            setting = maker.v.pick(SETTINGS)
            oracle.query(setting)
            sengi.query(setting)
        sql = maker.expression()
        is_binary = options.long and i % 4 == 3
        wanted = answer(oracle, sql, is_binary)
        try:
            got = answer(sengi, sql, is_binary)
        except (OSError, wire.WireError) as error:
            differences.append((setting, sql, wanted, [f"connection lost: {error}"]))
            break
        if wanted == got and options.sample and sql not in seen and len(str(wanted)) < 400 and "\\n" not in sql:
            seen.add(sql)
            agreed.append((setting, sql))
        if wanted != got:
            text = f"{sql} => {wanted} => {got}"
            if sql not in pending and not any(pattern.search(text) for pattern in known):
                differences.append((setting, sql, wanted, got))
    if options.sample:
        write_sample(options.sample, agreed)
    return differences


def write_sample(path, agreed):
    """The statements, each setting before those it was in force for."""
    lines, present = ["-- Written by regress/random/run.py --sample; answers are PostgreSQL's."], None
    for setting, sql in agreed:
        if setting != present:
            lines.append(setting + ";")
            present = setting
        lines.append(sql + ";")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main():
    parser = suite.parser()
    parser.add_argument("--seed", type=int, default=15, help="another one finds other differences")
    parser.add_argument("--count", type=int)
    parser.add_argument("--port", type=int, help="a Sengi that runs already")
    parser.add_argument("--oracle", type=int, help="a PostgreSQL 15 that runs already, on this port of 127.0.0.1")
    parser.add_argument("--types", help="functions, operators and casts of these alone")
    parser.add_argument("--sample", type=pathlib.Path, help="write what agrees to this file")
    parser.add_argument("--only", help="functions and operators whose name has this")
    options = parser.parse_args()
    if not options.long and not options.count:
        print("skip random/types: runs with --long")
        return
    if not options.oracle and not throw_away.is_installed():
        print("skip random/types: no PostgreSQL 15 to compare with")
        return
    options.count = options.count or 20000
    with contextlib.nullcontext(options.oracle) if options.oracle else throw_away.Oracle() as oracle_port:
        run(options, oracle_port)


def run(options, oracle_port):
    """Starts what is not running yet, compares, and says what differs."""
    server = None if options.port else sengi_server(options.build)
    sengi = wire.Connection(options.port or server.port)
    oracle = wire.Connection(oracle_port)
    for connection in (oracle, sengi):
        connection.query("set lc_messages = 'C'")
        connection.query("set statement_timeout = '5s'")
    maker = Maker(options.seed, oracle, sengi, options.only, set(options.types.split(",")) if options.types else None)
    print(f"seed {options.seed}, {options.count} expressions of {len(maker.functions)} functions, {len(maker.operators)} operators, {len(maker.casts)} casts")
    differences = compare(options, maker, oracle, sengi, known_differences())
    for setting, sql, wanted, got in differences[:2000]:
        print(f"-- {setting}\n{sql}\n  wanted {wanted}\n  got    {got}")
    if differences:
        print(f"not ok random/types: {len(differences)} of {options.count} differ, seed {options.seed}")
    else:
        print(f"ok random/types: {options.count} expressions agree but for those pending, seed {options.seed}")
    print(f"skip random/pending: {len(pending_expressions())} expressions do not agree yet")
    sengi.close()
    if server:
        server.stop()
        server.remove()


main()
