#!/usr/bin/env python3
"""Statements of regress/sql, taken apart and put together wrong, must never end the server nor find it confused.

usage: run.py --build DIR [--long] [--seed N] [--count N] [--show]

A file of regress/sql is run, so that names mean something, and after its statements changed ones of the same: names, literals
and bracketed parts exchanged, dropped, doubled or taken from other statements. Any answer is right but these: the connection
or the server ends, or an error of class XX (internal error) comes that PostgreSQL would not tell. The seed is printed; a failure names the statements before
it in its session. --long runs many more.
"""
import pathlib
import random
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "tools"))
import suite
import wire
from sengi_server import Server

TOKEN = re.compile(r"""'(?:[^']|'')*'|"[^"]+"|\$\$.*?\$\$|[A-Za-z_][A-Za-z_0-9.]*|\d+(?:\.\d+)?|::|[-+*/<>=~!@#%^&|`?:]+|[^\s]""", re.S)
# PostgreSQL itself has no better word for these, as regress/sql has recorded: a relation by an OID that is none.
TOLD = re.compile(r"Mcould not open relation with OID \d+")
WORD = re.compile(r"^[A-Za-z_\"]")
SCHEMA = """
create table m1 (a int primary key, b text, c numeric(8,2) default 1.5, d timestamptz, e int[], f jsonb, g bool);
create table m2 (a int references m1 on delete cascade, b text not null, c int generated always as identity, x int generated always as (a * 2) stored);
create table m3 (id bigserial, k varchar(10) unique, v bytea, u uuid, i interval, n name, r regclass, check (length(k) < 9));
create index on m1 (b, c desc); create unique index on m1 (lower(b)) where g; create index on m2 ((a + c));
create view v1 as select m1.a, m2.b, count(*) over () as n from m1 left join m2 using (a);
create view v2 as with w as (select * from m3) select k, v from w where id > 0;
create temp table t1 (a int, b text, c char(3)); create sequence s1;
insert into m1 select g, 'x' || g, g / 3.0, '2020-01-01'::timestamptz + g * interval '1 day', array[g, g+1], jsonb_build_object('k', g), g % 2 = 0 from generate_series(1, 40) g;
insert into m2 (a, b) select g % 40 + 1, 'y' || g from generate_series(1, 60) g;
insert into m3 (k, v, i, r) select 'k' || g, decode('00ff', 'hex'), g * interval '1 hour', 'm1' from generate_series(1, 20) g;
insert into t1 select g, 'z' || g, g::text from generate_series(1, 10) g; analyze;
"""
NAMES = ["m1", "m2", "m3", "v1", "v2", "t1", "s1", "a", "b", "c", "d", "e", "f", "g", "k", "v", "id", "x", "m1.a", "m2.b", "*", "m1.*", "m1",
         "pg_class", "pg_attribute", "pg_type", "pg_proc", "pg_stats", "pg_index", "information_schema.columns", "oid", "relname", "ctid", "tableoid", "xmin",
         "null", "true", "1", "0", "-1", "2147483647", "'1'", "'x'", "''", "'{1,2}'", "'{\"a\": [1]}'", "1.5", "1e300", "'infinity'", "array[1,2]", "row(1,2)",
         "(select 1)", "(select a from m1 limit 1)", "int4", "text", "numeric", "jsonb", "timestamptz", "int[]", "record", "regclass", "count(*)", "sum(a)", "max(b)",
         "generate_series(1,3)", "row_number() over ()", "random()", "now()", "coalesce(a, 1)", "(m1)", "exists (select 1)", "excluded.a", "default"]
# What would end the test rather than the server, or wait, or change what others see.
FORBIDDEN = re.compile(r"pg_sleep|pg_terminate|pg_cancel|pg_rotate|pg_reload|copy|drop\s+(database|role|owned|schema)|create\s+(database|role|user)|alter\s+(system|role|user|database)"
                       r"|reassign|session\s+authorization|set\s+role|password|lock_timeout|statement_timeout|repeat|checkpoint|reindex|listen|(delete\s+from|update|into|only)\s+(pg_|information_schema)", re.I)


def keywords():
    """Words that mean something to the grammar and so are not exchanged for names."""
    lines = (HERE.parent.parent / "grammar/keywords.txt").read_text(encoding="utf-8").splitlines()
    return {line.split()[0] for line in lines if line.strip() and not line.startswith("#")} - {"name", "text", "key", "value", "type", "data"}


def read_files():
    """The statements of each file of regress/sql."""
    files = []
    for path in sorted((HERE.parent / "sql").glob("*.sql")):
        statements = [text for _, text in wire.statements(path)
                      if not FORBIDDEN.search(text) and len(text) < 1500 and "{directory}" not in text and TOKEN.findall(text)]
        files.append(statements)
    return files


class Mutator:
    """Statements put together wrong."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.files = read_files()
        self.keywords = keywords()

    def group(self, tokens, start):
        """Where the bracket that opens at `start` is closed."""
        depth = 0
        for end in range(start, len(tokens)):
            depth += {"(": 1, ")": -1}.get(tokens[end], 0)
            if depth == 0:
                return end + 1
        return len(tokens)

    def names(self, tokens):
        """Places of names and literals."""
        return [i for i, token in enumerate(tokens) if i > 0 and (WORD.match(token) or token[0] in "'0123456789") and token.lower() not in self.keywords]

    def groups(self, tokens):
        """Places of brackets."""
        return [i for i, token in enumerate(tokens) if token == "("]

    def mutate(self, tokens):
        """One change."""
        tokens = list(tokens)
        other = TOKEN.findall(self.random.choice(self.random.choice(self.files)))
        kind = self.random.random()
        names, groups, others = self.names(tokens), self.groups(tokens), self.groups(other)
        if kind < 0.5 and names:
            tokens[self.random.choice(names)] = self.random.choice(NAMES)
        elif kind < 0.65 and len(names) > 1:
            tokens[self.random.choice(names)] = tokens[self.random.choice(names)]
        elif kind < 0.75 and groups and others:
            start, there = self.random.choice(groups), self.random.choice(others)
            tokens[start:self.group(tokens, start)] = other[there:self.group(other, there)]
        elif kind < 0.8 and names and others:
            there = self.random.choice(others)
            at = self.random.choice(names)
            tokens[at:at + 1] = other[there:self.group(other, there)]
        elif kind < 0.88:
            start = self.random.randrange(len(tokens))
            tokens[start:start + self.random.choice([1, 2, 3])] = []
        elif kind < 0.94 and groups:
            start = self.random.choice(groups)
            end = self.group(tokens, start)
            tokens[end:end] = [",", *tokens[start:end]]
        else:
            start = self.random.randrange(len(tokens))
            tokens[start] = self.random.choice(other)
        return tokens or ["select"]

    def statements(self):
        """One file's statements, many of them followed by changed ones."""
        for text in self.random.choice(self.files):
            yield text
            for _ in range(self.random.choice([0, 1, 2])):
                tokens = TOKEN.findall(text)
                for _ in range(self.random.choice([1, 1, 1, 2, 2, 3])):
                    tokens = self.mutate(tokens)
                changed = " ".join(tokens)
                if not FORBIDDEN.search(changed):
                    yield changed


def session(server, mutator):
    """One connection's statements: how many, and the history and fault if one failed."""
    connection = wire.Connection(server.port, database="mutations", timeout=60)
    history = []
    try:
        for statement in ["drop schema public cascade", "create schema public", *SCHEMA.replace("\n", " ").split(";"),
                          "set statement_timeout = '2s'", "set lock_timeout = '1s'"]:
            connection.query(statement)
        for statement in mutator.statements():
            history.append(statement)
            for part in connection.query(statement):
                if part.startswith("error") and " | CXX" in part and not TOLD.search(part) and "memory alloc request" not in part:
                    return len(history), history, part
    except (OSError, wire.WireError) as error:
        return len(history), history, f"connection lost: {error}\n{server.log_tail()}"
    finally:
        connection.close()
    return len(history), None, None


def main():
    parser = suite.parser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, help="statements")
    parser.add_argument("--show", action="store_true", help="go on after a failure, naming each kind once")
    options = parser.parse_args()
    count = options.count or (200000 if options.long else 3000)
    mutator = Mutator(options.seed)
    seen = set()
    with Server(options.build) as server:
        admin = wire.Connection(server.port)
        admin.query("create database mutations")
        admin.close()
        done = 0
        while done < count:
            ran, history, why = session(server, mutator)
            done += ran
            if not why:
                continue
            key = re.sub(r"\d+", "N", why[:120])
            if key not in seen:
                seen.add(key)
                print(f"not ok mutations/seed-{options.seed}-{done}: {why}\n" + ";\n".join(history[-2 if options.show else -20:]), flush=True)
            if not options.show:
                return
            if not server.is_up():
                server.start()
        if not seen:
            print(f"ok mutations/seed-{options.seed}: {count} statements")


main()
