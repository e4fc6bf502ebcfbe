#!/usr/bin/env python3
"""Random queries over small tables full of nulls: joins of every kind, subqueries, grouping, sets, windows.

usage: shapes.py [--seed N] [--count N]     prints statements, one a line

Every query gives a digest of its sorted rows, so that order does not matter. run.py compares them;
regress/sql/random.sql has a fixed choice of them with PostgreSQL's answers.
"""
import argparse
import random

COLUMNS = {"a": "int", "b": "int", "c": "text", "d": "numeric"}
TABLES = ("r1", "r2", "r3", "r4")


def literal(rng, kind):
    if rng.random() < 0.2:
        return "NULL"
    if kind == "int":
        return str(rng.randint(0, 7))
    if kind == "text":
        return "'" + rng.choice(["x", "y", "z", "xy", ""]) + "'"
    return rng.choice(["0", "1.0", "1.00", "2.5", "3", "-1"])


def setup(rng):
    yield "SET statement_timeout = 20000"
    for number, table in enumerate(TABLES):
        yield f"DROP TABLE IF EXISTS {table}"
        yield f"CREATE TABLE {table} (a int, b int, c text, d numeric)"
        rows = ["(" + ", ".join(literal(rng, kind) for kind in COLUMNS.values()) + ")" for _ in range((8, 12, 5, 16)[number])]
        yield f"INSERT INTO {table} VALUES " + ", ".join(rows)
    yield "CREATE INDEX r2_a ON r2 (a)"
    yield "CREATE INDEX r4_b_c ON r4 (b, c)"
    yield "ANALYZE"


class Generator:
    """One random query after the other."""

    def __init__(self, rng):
        self.rng = rng
        self.aliases = 0

    def alias(self):
        self.aliases += 1
        return f"t{self.aliases}"

    def chance(self, probability):
        return self.rng.random() < probability

    def column(self, scope, kind=None):
        """A column of the aliases in scope, and its type."""
        names = [name for name, its in COLUMNS.items() if kind is None or its == kind]
        name = self.rng.choice(names)
        return f"{self.rng.choice(scope)}.{name}", COLUMNS[name]

    def equality(self, left, right):
        column, kind = self.column(left)
        other, _ = self.column(right, kind)
        return f"{column} = {other}"

    def comparison(self, scope, depth):
        """A condition over the scope."""
        choice = self.rng.random()
        column, kind = self.column(scope)
        if choice < 0.15:
            return f"{column} IS {self.rng.choice(['', 'NOT '])}NULL"
        if choice < 0.45:
            return f"{column} {self.rng.choice(['=', '<', '>', '<=', '>=', '<>'])} {self.column(scope, kind)[0]}"
        if choice < 0.6:
            return f"{column} IS {self.rng.choice(['', 'NOT '])}DISTINCT FROM {self.column(scope, kind)[0]}"
        if choice < 0.8 or depth > 1:
            value = literal(self.rng, kind)
            return f"{column} {self.rng.choice(['=', '<', '>', '<>'])} {value}"
        return self.subquery_condition(scope, depth)

    def subquery_condition(self, scope, depth):
        inner = self.alias()
        table = self.rng.choice(TABLES)
        where = self.equality([inner], scope) if self.chance(0.6) else self.comparison([inner], depth + 2)
        if self.chance(0.4):
            where += " AND " + self.comparison([inner] + scope, depth + 2)
        negation = self.rng.choice(["", "NOT "])
        if self.chance(0.5):
            return f"{negation}EXISTS (SELECT 1 FROM {table} {inner} WHERE {where})"
        column, kind = self.column(scope)
        other, _ = self.column([inner], kind)
        filtered = f" WHERE {where}" if self.chance(0.6) else ""
        if self.chance(0.75):
            return f"{column} {negation}IN (SELECT {other} FROM {table} {inner}{filtered})"
        operator = self.rng.choice(["=", "<", ">", "<>", ">="])
        return f"{column} {operator} {self.rng.choice(['ANY', 'ALL'])} (SELECT {other} FROM {table} {inner}{filtered})"

    def condition(self, scope, depth):
        text = self.comparison(scope, depth)
        while self.chance(0.35):
            text = f"({text} {self.rng.choice(['AND', 'OR', 'AND'])} {self.comparison(scope, depth)})"
        return f"NOT ({text})" if self.chance(0.1) else text

    def source(self, depth):
        """A table or a subquery: its text and alias."""
        alias = self.alias()
        if depth < 2 and self.chance(0.15):
            inner, scope = self.joined(self.rng.randint(1, 2), depth + 1)
            picks = ", ".join(f"{self.column(scope, kind)[0]} AS {name}" for name, kind in COLUMNS.items())
            limit = self.rng.choice(["", " OFFSET 0", " WHERE " + self.condition(scope, depth + 1)])
            return f"(SELECT {self.rng.choice(['', 'DISTINCT '])}{picks} FROM {inner}{limit}) {alias}", alias
        return f"{self.rng.choice(TABLES)} {alias}", alias

    def joined(self, count, depth):
        """FROM text of so many sources, and their aliases."""
        text, alias = self.source(depth)
        scope = [alias]
        for _ in range(count - 1):
            if self.chance(0.25) and count > 2:
                more, added = self.joined(2, depth)
                more = f"({more})"
            else:
                more, alias = self.source(depth)
                added = [alias]
            kind = self.rng.choice(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "LEFT JOIN", "CROSS JOIN"])
            if kind == "CROSS JOIN":
                text += f" CROSS JOIN {more}"
            else:
                on = self.equality(scope, added)
                if kind != "FULL JOIN" and self.chance(0.25):
                    on = self.condition(scope + added, 2)
                elif self.chance(0.3):
                    on += " AND " + self.condition(scope + added, 2)
                text += f" {kind} {more} ON {on}"
            scope += added
        return text, scope

    def rows(self, scope):
        """An expression that tells rows apart."""
        parts = []
        for _ in range(min(5, 2 + len(scope))):
            column, kind = self.column(scope)
            parts.append(f"coalesce({column}::{'numeric(9,2)::' if kind == 'numeric' else ''}text, '~')")
        return " || '|' || ".join(parts)

    def digest(self, query):
        return f"SELECT count(*), md5(string_agg(x, ';' ORDER BY x)) FROM ({query}) q(x)"

    def plain(self):
        text, scope = self.joined(self.rng.randint(2, 4), 0)
        where = " WHERE " + self.condition(scope, 0) if self.chance(0.6) else ""
        return f"SELECT {self.rows(scope)} FROM {text}{where}"

    def grouped(self):
        text, scope = self.joined(self.rng.randint(1, 3), 0)
        keys = [self.column(scope)[0] for _ in range(self.rng.randint(1, 3))]
        group = self.rng.choice(["{}", "ROLLUP({})", "CUBE({})", "GROUPING SETS(({}), ())"]).format(", ".join(keys))
        number = self.column(scope, "int")[0]
        text_column = self.column(scope, "text")[0]
        sums = f"count(*)::text || '/' || coalesce(sum({number})::text, '~') || '/' || count(DISTINCT {text_column})::text"
        sums += f" || '/' || coalesce(min({text_column}), '~') || '/' || coalesce(max({number})::text, '~')"
        shown = " || '|' || ".join(f"coalesce({key}::text, '~')" for key in keys if not key.endswith(".d"))
        having = f" HAVING count(*) > {self.rng.randint(1, 3)}" if self.chance(0.3) else ""
        return f"SELECT {shown + ' || ' if shown else ''}'#' || {sums} FROM {text} GROUP BY {group}{having}"

    def set_operation(self):
        parts = []
        for _ in range(self.rng.randint(2, 3)):
            text, scope = self.joined(self.rng.randint(1, 2), 1)
            parts.append(f"SELECT {self.column(scope, 'int')[0]} AS a, {self.column(scope, 'text')[0]} AS c FROM {text}")
        text = parts[0]
        for part in parts[1:]:
            operation = self.rng.choice(["UNION", "INTERSECT", "EXCEPT"]) + self.rng.choice(["", " ALL"])
            text = f"({text}) {operation} ({part})"
        return f"SELECT coalesce(a::text, '~') || '|' || coalesce(c, '~') FROM ({text}) s"

    def windowed(self):
        text, scope = self.joined(self.rng.randint(1, 2), 1)
        order, kind = self.column(scope, "int")
        partition, _ = self.column(scope)
        mode = self.rng.choice(["ROWS", "RANGE", "GROUPS"])
        bounds = ["UNBOUNDED PRECEDING", "2 PRECEDING", "CURRENT ROW", "1 FOLLOWING", "UNBOUNDED FOLLOWING"]
        first = self.rng.randint(0, 3)
        last = self.rng.randint(max(first, 1), 4)
        exclude = self.rng.choice(["", "", " EXCLUDE CURRENT ROW", " EXCLUDE GROUP", " EXCLUDE TIES"])
        # ROWS needs an order without ties: all of the row.
        key = f"{order}{self.rng.choice(['', ' DESC', ' NULLS FIRST'])}"
        if mode == "ROWS" or exclude.endswith("ROW") or exclude.endswith("TIES"):
            whole = ", ".join(f"{alias}.{name}" for alias in scope for name in COLUMNS)
            key = f"{order}, {whole}" if mode != "RANGE" else order
            exclude = "" if mode == "RANGE" else exclude
        by = f"PARTITION BY {partition} " if self.chance(0.6) else ""
        number = self.column(scope, "int")[0]
        frame = f"{mode} BETWEEN {bounds[first]} AND {bounds[last]}{exclude}"
        function = self.rng.choice([f"sum({number})", f"count({number})", f"max({number})", "count(*)", f"sum({number}) FILTER (WHERE {number} > 2)"])
        rank = self.rng.choice(["rank()", "dense_rank()", "cume_dist()", "percent_rank()"])
        return (f"SELECT coalesce({order}::text, '~') || '|' || coalesce(({function} OVER ({by}ORDER BY {key} {frame}))::text, '~')"
                f" || '|' || ({rank} OVER ({by}ORDER BY {order}))::text FROM {text}")

    def scalar(self, scope):
        """A subquery of one value that looks at the row around it."""
        inner = self.alias()
        column, _ = self.column([inner], self.rng.choice(["int", "text"]))
        function = self.rng.choice(["min", "max", "count"])
        where = self.equality([inner], scope) if self.chance(0.7) else self.condition([inner] + scope, 2)
        return f"(SELECT {function}({column}) FROM {self.rng.choice(TABLES)} {inner} WHERE {where})"

    def lateral(self):
        text, scope = self.joined(self.rng.randint(1, 2), 1)
        inner, inside = self.joined(self.rng.randint(1, 2), 2)
        picks = ", ".join(f"{self.column(inside, kind)[0]} AS {name}" for name, kind in COLUMNS.items())
        where = self.equality(inside, scope) if self.chance(0.7) else self.condition(inside + scope, 2)
        body = f"SELECT {picks} FROM {inner} WHERE {where}"
        if self.chance(0.3):
            column, _ = self.column(inside, "int")
            body = (f"SELECT count(*)::int AS a, max({column}) AS b, min({self.column(inside, 'text')[0]}) AS c, sum({column})::numeric AS d"
                    f" FROM {inner} WHERE {where}")
        alias = self.alias()
        join = self.rng.choice(["CROSS JOIN LATERAL ({}) {}", "LEFT JOIN LATERAL ({}) {} ON true"]).format(body, alias)
        scope = scope + [alias]
        condition = f" WHERE {self.condition(scope, 1)}" if self.chance(0.4) else ""
        return f"SELECT {self.rows(scope)} FROM {text} {join}{condition}"

    def with_items(self):
        text, scope = self.joined(self.rng.randint(1, 2), 1)
        picks = ", ".join(f"{self.column(scope, kind)[0]} AS {name}" for name, kind in COLUMNS.items())
        hint = self.rng.choice(["", "", "MATERIALIZED ", "NOT MATERIALIZED "])
        first = f"w1 AS {hint}(SELECT {picks} FROM {text} WHERE {self.condition(scope, 1)})"
        second = f"w2 AS (SELECT a, max(b) AS b, min(c) AS c, sum(d) AS d FROM w1 GROUP BY a)"
        left, right = self.rng.choice(["w1", "w2", "r1"]), self.rng.choice(["w1", "w2", "w2"])
        one, two = self.alias(), self.alias()
        kind = self.rng.choice(["JOIN", "LEFT JOIN", "FULL JOIN"])
        return (f"WITH {first}, {second} SELECT {self.rows([one, two])} FROM {left} {one} {kind} {right} {two} ON {self.equality([one], [two])}"
                + (f" WHERE {self.condition([one, two], 1)}" if self.chance(0.5) else ""))

    def recursive(self):
        column = self.rng.choice(["a", "b"])
        union = self.rng.choice(["UNION", "UNION ALL"])
        first = f"SELECT a, b, c, d, 0 FROM {self.rng.choice(TABLES)} t1 WHERE {self.condition(['t1'], 1)}"
        step = f"SELECT t.a, w.b, t.c, w.d, w.n + 1 FROM w JOIN {self.rng.choice(TABLES[:3])} t ON t.{column} = w.a AND {self.condition(['t'], 2)} WHERE w.n < 3"
        alias = self.alias()
        return f"WITH RECURSIVE w(a, b, c, d, n) AS ({first} {union} {step}) SELECT {self.rows([alias])} || '|' || n::text FROM w {alias}"

    def scalars(self):
        text, scope = self.joined(self.rng.randint(1, 2), 1)
        case = f"CASE WHEN {self.condition(scope, 1)} THEN 'yes' WHEN {self.condition(scope, 2)} THEN {self.scalar(scope)}::text ELSE 'no' END"
        return f"SELECT {self.rows(scope)} || coalesce({self.scalar(scope)}::text, '~') || coalesce({case}, '~') FROM {text}"

    def query(self):
        self.aliases = 0
        kind = self.rng.choice([self.plain, self.plain, self.plain, self.grouped, self.set_operation, self.windowed,
                                self.lateral, self.with_items, self.recursive, self.scalars])
        return self.digest(kind())


def statements(seed, count):
    rng = random.Random(seed)
    yield from setup(rng)
    generator = Generator(rng)
    for _ in range(count):
        yield generator.query()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=100)
    options = parser.parse_args()
    for text in statements(options.seed, options.count):
        print(text + ";")


if __name__ == "__main__":
    main()
