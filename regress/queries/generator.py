"""Random queries over a fixed schema, such that every run of one gives the same rows in some order.

What PostgreSQL leaves open is not generated: LIMIT without a total order, sums of floats, errors that depend on which
row is met first (divisions guard themselves, numbers stay small).
"""
import random

SCHEMA = [
    "CREATE TABLE t1 (id int PRIMARY KEY, a int, b int, c text, d numeric(8,2), e date, f bool)",
    "CREATE TABLE t2 (id int PRIMARY KEY, r int, x bigint, y text, z numeric)",
    "CREATE TABLE t3 (k smallint, v text, w timestamp)",
    "CREATE INDEX ON t1 (a)",
    "CREATE INDEX ON t1 (b, c)",
    "CREATE INDEX ON t1 (e) WHERE f",
    "CREATE INDEX ON t2 (r)",
    "CREATE INDEX ON t2 (lower(y))",
]

TABLES = {
    "t1": [("id", "int"), ("a", "int"), ("b", "int"), ("c", "text"), ("d", "num"), ("e", "date"), ("f", "bool")],
    "t2": [("id", "int"), ("r", "int"), ("x", "big"), ("y", "text"), ("z", "num")],
    "t3": [("k", "small"), ("v", "text"), ("w", "ts")],
}
NUMBERS = ("int", "big", "small", "num")
WORDS = ["a", "b", "ab", "ba", "B", "", "zz", "a%", "x y"]


def rows(seed=1):
    """INSERTs of the fixed rows."""
    rnd = random.Random(seed)

    def maybe(value):
        return "NULL" if rnd.random() < 0.15 else value

    def word():
        return "'" + rnd.choice(WORDS) + "'"

    def day():
        return f"date '2020-01-01' + {rnd.randint(0, 40)}"

    for i in range(60):
        yield (f"INSERT INTO t1 VALUES ({i}, {maybe(rnd.randint(0, 20))}, {maybe(rnd.randint(-3, 5))}, {maybe(word())}, "
               f"{maybe(rnd.randint(-500, 500) / 4)}, {maybe(day())}, {maybe(rnd.choice(['true', 'false']))})")
    for i in range(40):
        yield (f"INSERT INTO t2 VALUES ({i}, {maybe(rnd.randint(0, 59))}, {maybe(rnd.randint(-9, 9) * 1000000000)}, "
               f"{maybe(word())}, {maybe(rnd.randint(0, 30) / 10)})")
    for _ in range(25):
        yield f"INSERT INTO t3 VALUES ({maybe(rnd.randint(0, 6))}, {maybe(word())}, {maybe(day())})"


class Generator:
    """One seed, one stream of queries."""

    def __init__(self, seed):
        self.rnd = random.Random(seed)
        self.aliases = 0
        self.ctes = []

    def chance(self, p):
        """True with probability p."""
        return self.rnd.random() < p

    def alias(self):
        """A name no other item has."""
        self.aliases += 1
        return f"q{self.aliases}"

    # -- expressions: scope is a list of (text, type); outer ones are only used where correlation is legal ----

    def column(self, scope, kinds):
        """Some column of these types, or None."""
        fitting = [text for text, kind in scope if kind in kinds]
        return self.rnd.choice(fitting) if fitting else None

    def number(self, scope, depth):
        """An expression of a number type."""
        column = self.column(scope, NUMBERS)
        if depth <= 0 or self.chance(0.3):
            return column if column and self.chance(0.8) else str(self.rnd.randint(-5, 25))
        a = self.number(scope, depth - 1)
        pick = self.rnd.randint(0, 9)
        if pick < 4:
            return f"({a} {self.rnd.choice(['+', '-', '*'])} {self.rnd.randint(0, 3)})"
        if pick == 4:
            return f"({a} / nullif({self.number(scope, 0)}, 0))" if self.chance(0.5) else f"({a} % 7)"
        if pick == 5:
            return f"abs({a})"
        if pick == 6:
            return f"coalesce({a}, {self.number(scope, depth - 1)})"
        if pick == 7:
            return f"CASE WHEN {self.condition(scope, depth - 1)} THEN {a} ELSE {self.number(scope, 0)} END"
        if pick == 8:
            return f"length({self.text(scope, depth - 1)})"
        return f"{self.rnd.choice(['greatest', 'least'])}({a}, {self.number(scope, 0)})"

    def text(self, scope, depth):
        """An expression of type text."""
        column = self.column(scope, ("text",))
        if depth <= 0 or self.chance(0.4):
            return column if column and self.chance(0.8) else f"'{self.rnd.choice(WORDS)}'::text"
        a = self.text(scope, depth - 1)
        pick = self.rnd.randint(0, 6)
        if pick == 0:
            return f"({a} || {self.text(scope, depth - 1)})"
        if pick == 1:
            return f"upper({a})"
        if pick == 2:
            return f"coalesce({a}, '-')"
        if pick == 3:
            return f"substr({a}, {self.rnd.randint(1, 2)}, {self.rnd.randint(0, 3)})"
        if pick == 4:
            return f"({self.number(scope, 0)})::text"
        if pick == 5:
            return f"nullif({a}, {self.text(scope, 0)})"
        return f"CASE WHEN {self.condition(scope, depth - 1)} THEN {a} END"

    def comparison(self, scope, depth):
        """Two operands of like types."""
        op = self.rnd.choice(["=", "<>", "<", "<=", ">", ">="])
        pick = self.rnd.random()
        day = self.column(scope, ("date", "ts"))
        if pick < 0.15 and day:
            return f"{day} {op} date '2020-01-01' + {self.rnd.randint(0, 40)}"
        if pick < 0.4:
            return f"{self.text(scope, depth - 1)} {op} {self.text(scope, depth - 1)}"
        return f"{self.number(scope, depth - 1)} {op} {self.number(scope, depth - 1)}"

    def condition(self, scope, depth):
        """A boolean expression without subqueries."""
        pick = self.rnd.randint(0, 11)
        flag = self.column(scope, ("bool",))
        any_column = self.rnd.choice(scope)[0] if scope else "1"
        if depth > 0 and pick < 3:
            return f"({self.condition(scope, depth - 1)} {self.rnd.choice(['AND', 'OR'])} {self.condition(scope, depth - 1)})"
        if depth > 0 and pick == 3:
            return f"NOT ({self.condition(scope, depth - 1)})"
        if pick == 4:
            return f"{any_column} IS {self.rnd.choice(['', 'NOT '])}NULL"
        if pick == 5:
            low = self.rnd.randint(-2, 10)
            return f"{self.number(scope, 0)} BETWEEN {low} AND {low + self.rnd.randint(0, 9)}"
        if pick == 6:
            items = ", ".join(self.rnd.choice(["NULL"] + [str(n) for n in range(9)] * 3) for _ in range(self.rnd.randint(1, 4)))
            return f"{self.number(scope, 0)} {self.rnd.choice(['IN', 'NOT IN'])} ({items})"
        if pick == 7:
            return f"{self.text(scope, 0)} {self.rnd.choice(['LIKE', 'NOT LIKE'])} '{self.rnd.choice(['a%', '%b%', '_', 'zz', '%'])}'"
        if pick == 8 and flag:
            return self.rnd.choice([flag, f"{flag} IS NOT TRUE", f"{flag} IS FALSE"])
        if pick == 9:
            return f"{self.number(scope, 0)} IS {self.rnd.choice(['', 'NOT '])}DISTINCT FROM {self.number(scope, 0)}"
        return self.comparison(scope, depth)

    def predicate(self, scope, depth):
        """A condition of WHERE, with subqueries now and then."""
        if depth > 0 and self.chance(0.3):
            return self.subquery_test(scope, depth - 1)
        if self.chance(0.2):
            return f"({self.predicate(scope, depth)} {self.rnd.choice(['AND', 'OR'])} {self.condition(scope, 1)})"
        return self.condition(scope, 2)

    def subquery_test(self, scope, depth):
        """EXISTS, IN, ANY, ALL or a comparison with a scalar."""
        items, inner = self.from_clause(depth)
        outer = scope if self.chance(0.6) else []
        where = self.condition(inner + outer, 1)
        pick = self.rnd.randint(0, 4)
        negation = self.rnd.choice(["", "NOT "])
        if pick == 0:
            return f"{negation}EXISTS (SELECT 1 FROM {items} WHERE {where})"
        value = self.number(inner, 1)
        if pick == 1:
            return f"{self.number(scope, 1)} {negation}IN (SELECT {value} FROM {items} WHERE {where})"
        if pick == 2:
            return (f"{self.number(scope, 1)} {self.rnd.choice(['<', '=', '>='])} {self.rnd.choice(['ANY', 'ALL'])} "
                    f"(SELECT {value} FROM {items} WHERE {where})")
        function = self.rnd.choice(["max", "min", "count"])
        return f"{self.number(scope, 1)} {self.rnd.choice(['<', '=', '>='])} (SELECT {function}({value}) FROM {items} WHERE {where})"

    # -- FROM -------------------------------------------------------------------------------------------------

    def from_item(self, depth):
        """A table, subquery, VALUES, function or CTE: its text and columns."""
        name = self.alias()
        pick = self.rnd.random()
        if self.ctes and pick < 0.25:
            cte, columns = self.rnd.choice(self.ctes)
            return f"{cte} AS {name}", [(f"{name}.{c}", kind) for c, kind in columns]
        if depth > 0 and pick < 0.4:
            text, kinds = self.select(depth - 1)
            columns = [(f"c{i}", kind) for i, kind in enumerate(kinds)]
            return f"({text}) AS {name} ({', '.join(c for c, _ in columns)})", [(f"{name}.{c}", kind) for c, kind in columns]
        if pick < 0.45:
            return f"(VALUES (1, 'a'), (2, NULL), (NULL, 'b')) AS {name} (n, s)", [(f"{name}.n", "int"), (f"{name}.s", "text")]
        if pick < 0.5:
            return f"generate_series(0, {self.rnd.randint(0, 8)}) AS {name} (n)", [(f"{name}.n", "int")]
        table = self.rnd.choice(list(TABLES))
        return f"{table} AS {name}", [(f"{name}.{c}", kind) for c, kind in TABLES[table]]

    def join_condition(self, left, right):
        """Mostly an equality of one column each."""
        a, b = self.column(left, NUMBERS), self.column(right, NUMBERS)
        if a and b and self.chance(0.8):
            more = f" AND {self.condition(left + right, 1)}" if self.chance(0.3) else ""
            return f"{a} = {b}{more}"
        return None

    def from_clause(self, depth):
        """Joined items: text and columns."""
        text, scope = self.from_item(depth)
        for _ in range(self.rnd.choice([0, 0, 0, 1, 1, 2])):
            item, columns = self.from_item(depth)
            condition = self.join_condition(scope, columns)
            if condition:
                kind = self.rnd.choice(["JOIN", "JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"])
                if kind == "FULL JOIN":
                    condition = condition.split(" AND ")[0]
                text = f"{text} {kind} {item} ON {condition}"
            elif self.chance(0.5):
                text = f"{text} JOIN {item} ON {self.condition(scope + columns, 1)}"
            else:
                text = f"{text} CROSS JOIN {item}"
            scope = scope + columns
        return text, scope

    # -- queries ----------------------------------------------------------------------------------------------

    def value(self, scope, depth):
        """An output column and its type."""
        if self.chance(0.35) and scope:
            return self.rnd.choice(scope)
        pick = self.rnd.random()
        if pick < 0.5:
            return f"({self.number(scope, depth)})::numeric", "num"
        if pick < 0.8:
            return self.text(scope, depth), "text"
        return f"({self.condition(scope, depth)})", "bool"

    def aggregate(self, scope):
        """An aggregate call that does not depend on order."""
        function = self.rnd.choice(["count", "sum", "min", "max", "avg"])
        kind = {"count": "big"}.get(function, "num")
        if function == "count" and self.chance(0.4):
            call = "count(*)"
        else:
            distinct = "DISTINCT " if self.chance(0.2) else ""
            call = f"{function}({distinct}({self.number(scope, 1)})::numeric)"
        if self.chance(0.2):
            call += f" FILTER (WHERE {self.condition(scope, 1)})"
        return call, kind

    def grouped(self, depth):
        """GROUP BY with aggregates."""
        items, scope = self.from_clause(depth)
        keys = [self.value(scope, 1) for _ in range(self.rnd.randint(0, 2))]
        keys = [(text, kind) for text, kind in keys if any(c in text for c, _ in scope)]
        calls = [self.aggregate(scope) for _ in range(self.rnd.randint(1, 3))]
        where = f" WHERE {self.predicate(scope, depth)}" if self.chance(0.6) else ""
        group = f" GROUP BY {', '.join(str(i + 1) for i in range(len(keys)))}" if keys else ""
        having = f" HAVING count(*) {self.rnd.choice(['>', '<', '='])} {self.rnd.randint(0, 4)}" if self.chance(0.3) else ""
        outputs = ", ".join(text for text, _ in keys + calls)
        return f"SELECT {outputs} FROM {items}{where}{group}{having}", [kind for _, kind in keys + calls]

    def plain(self, depth):
        """SELECT … FROM … WHERE …"""
        items, scope = self.from_clause(depth)
        outputs = [self.value(scope, 2) for _ in range(self.rnd.randint(1, 4))]
        if depth > 0 and self.chance(0.15):
            outer = scope if self.chance(0.7) else []
            inner_items, inner = self.from_clause(0)
            function = self.rnd.choice(["max", "min", "count", "sum"])
            outputs.append((f"(SELECT {function}(({self.number(inner, 1)})::numeric) FROM {inner_items} "
                            f"WHERE {self.condition(inner + outer, 1)})::numeric", "num"))
        if self.chance(0.08):
            outputs.append((f"rank() OVER (PARTITION BY {self.rnd.choice(scope)[0]} ORDER BY {self.rnd.choice(scope)[0]})", "big"))
        where = f" WHERE {self.predicate(scope, depth)}" if self.chance(0.75) else ""
        distinct = "DISTINCT " if self.chance(0.15) else ""
        text = f"SELECT {distinct}{', '.join(o for o, _ in outputs)} FROM {items}{where}"
        if self.chance(0.1):
            order = ", ".join(str(i + 1) for i in range(len(outputs)))
            text += f" ORDER BY {order} LIMIT {self.rnd.randint(0, 9)}"
        return text, [kind for _, kind in outputs]

    def set_operation(self, depth):
        """Two or three terms of two columns."""
        terms = []
        for _ in range(self.rnd.randint(2, 3)):
            items, scope = self.from_clause(depth)
            where = f" WHERE {self.condition(scope, 1)}" if self.chance(0.6) else ""
            terms.append(f"SELECT ({self.number(scope, 1)})::numeric, {self.text(scope, 1)} FROM {items}{where}")
        text = terms[0]
        for term in terms[1:]:
            text += f" {self.rnd.choice(['UNION', 'UNION ALL', 'INTERSECT', 'EXCEPT', 'EXCEPT ALL'])} {term}"
        return text, ["num", "text"]

    def select(self, depth):
        """Any query: text and column types."""
        pick = self.rnd.random()
        if pick < 0.25:
            return self.grouped(depth)
        if pick < 0.35:
            text, kinds = self.set_operation(depth)
            return f"({text})", kinds
        text, kinds = self.plain(depth)
        return (f"({text})" if " LIMIT " in text else text), kinds

    def query(self):
        """A whole statement."""
        self.aliases, self.ctes = 0, []
        prefix = ""
        if self.chance(0.2):
            text, kinds = self.select(1)
            columns = [(f"c{i}", kind) for i, kind in enumerate(kinds)]
            how = self.rnd.choice(["", "MATERIALIZED ", "NOT MATERIALIZED "])
            prefix = f"WITH w ({', '.join(c for c, _ in columns)}) AS {how}({text}) "
            self.ctes = [("w", columns)]
        return prefix + self.select(2)[0]
