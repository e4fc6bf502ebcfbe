"""Random statements that fail at some row, or call functions with effects, and do not want all rows."""
import random

SCHEMA = [
    "CREATE SEQUENCE s1", "CREATE SEQUENCE s2",
    "CREATE TABLE few (id int, a int, b int, c text)",
    "INSERT INTO few SELECT i, i % 4, CASE WHEN i % 5 = 0 THEN NULL ELSE 12 - i END, 'v' || i FROM generate_series(1, 12) AS i",
    "CREATE TABLE many (id int, a int, b int, c text)",
    "INSERT INTO many SELECT i, i % 9, 3000 - i, 'v' || i FROM generate_series(1, 2600) AS i",
    "CREATE TABLE keyed (id int PRIMARY KEY, a int, b int, c text)",
    "INSERT INTO keyed SELECT i, i % 3, i * 2, 'v' || i FROM generate_series(1, 40) AS i",
    "CREATE TABLE one (id int, a int, b int, c text)", "INSERT INTO one VALUES (5, 1, 7, 'v5')",
    "CREATE TABLE target (id serial PRIMARY KEY, a int UNIQUE, b int CHECK (b <> 7), c text NOT NULL DEFAULT 'd', g int GENERATED ALWAYS AS (20 / (b - 3)) STORED)",
    "INSERT INTO target (id, a, b) VALUES (101, 3, 1), (102, 8, 2), (103, 11, 4)",
    "PREPARE effects AS SELECT (SELECT (last_value, is_called) FROM s1), (SELECT (last_value, is_called) FROM s2), (SELECT (last_value, is_called) FROM target_id_seq), "
    "setval('s1', 1, false), setval('s2', 1, false), setval('target_id_seq', 1, false)",
    "ANALYZE",
]
EFFECTS = "EXECUTE effects"  # how far the sequences have gone; they begin anew
SIZES = {"few": 12, "many": 2600, "keyed": 40, "one": 5, "(SELECT * FROM few OFFSET 1)": 12, "generate_series(1, 30) AS g(id)": 30,
         "(VALUES (1), (2), (3), (4)) AS v(id)": 4}


class Generator:
    """Statements of one seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, *items):
        return self.random.choice(items)

    def chance(self, part):
        return self.random.random() < part

    def table(self):
        """A relation, with its alias, and the greatest id in it."""
        name = self.pick("few", "few", "few", "many", "keyed", "one", "(SELECT * FROM few OFFSET 1)")
        return name, SIZES[name]

    def failing(self, of, size):
        """An integer that one row, or some, cannot have."""
        at = self.random.randint(1, size + 3) if size < 100 or self.chance(0.4) else self.random.choice([3, 500, 1023, 1024, 1025, 1500, 2048, 2590])
        return self.pick(
            f"1 / ({of}.id - {at})", f"10 / ({at} - {of}.id)", f"length(substr('abc', 1, {at} - {of}.id))",
            f"(CASE WHEN {of}.id = {at} THEN 'x' ELSE '7' END)::int", f"({of}.id + {2147483647 - at})", f"sqrt({at} - {of}.id)::int",
            f"length(repeat('x', {of}.id) || ({of}.id::text || CASE WHEN {of}.id > {at} THEN 'z' ELSE '' END)::int)",
            f"CASE WHEN {of}.id < {at} THEN {of}.id ELSE 5 / ({of}.id - {at}) END", f"coalesce(nullif({of}.id, {at}), 1 / ({of}.id - {at}))")

    def effect(self):
        return self.pick("nextval('s1')", "nextval('s1')", "nextval('s2')", "nextval('s1') + nextval('s2')")

    def value(self, of, size, wild=0.5):
        if self.chance(wild):
            return self.failing(of, size) if self.chance(0.6) else self.effect()
        return self.pick(f"{of}.id", f"{of}.id + 1", f"{of}.id % 3", "7")

    def condition(self, of, size):
        if self.chance(0.3):
            return self.pick(f"{of}.id > {self.random.randint(0, min(size, 20))}", f"{of}.id % 2 = 0", f"{of}.id <> 4")
        if self.chance(0.4):
            return f"{self.effect()} {self.pick('>', '<>', '<')} {self.random.randint(1, 6)}"
        return f"{self.failing(of, size)} {self.pick('>=', '<>', '=')} {self.random.randint(-1, 3)}"

    def conditions(self, of, size):
        parts = [self.condition(of, size) for _ in range(self.pick(1, 1, 2))]
        if len(parts) == 2 and self.chance(0.3):
            return f"({parts[0]} OR {parts[1]})"
        return " AND ".join(parts)

    def limit(self):
        text = ""
        if self.chance(0.8):
            text += f" LIMIT {self.pick(0, 1, 1, 2, 2, 3, 5, 1100)}"
        if self.chance(0.2):
            text += f" OFFSET {self.pick(1, 2, 4)}"
        return text

    def simple(self):
        name, size = self.table()
        targets = ", ".join(self.value("t", size) for _ in range(self.pick(1, 2)))
        where = f" WHERE {self.conditions('t', size)}" if self.chance(0.6) else ""
        return f"SELECT {targets} FROM {name} AS t{where}"

    def limited(self):
        return self.simple() + self.limit()

    def subquery(self):
        """A subquery whose rows are not all wanted."""
        name, size = self.pick(("few", 12), ("one", 5), ("keyed", 40))
        inner, inner_size = self.table()
        correlated = self.pick("", "", " AND i.id >= t.id", " AND i.a = t.a")
        where = f" WHERE {self.conditions('i', inner_size)}{correlated}" if correlated or self.chance(0.6) else ""
        body = f"SELECT {self.value('i', inner_size)} FROM {inner} AS i{where}"
        use = self.pick(f"EXISTS ({body})", f"NOT EXISTS ({body})", f"({body} LIMIT 1)", f"({body})", f"t.id = ANY ({body})", f"t.id > ALL ({body})",
                        f"t.id IN ({body})", f"array_length(ARRAY({body}{self.limit()}), 1)")
        if self.chance(0.5):
            return f"SELECT {self.pick('t.id', '1')}, {use} FROM {name} AS t" + (self.limit() if self.chance(0.5) else "")
        test = use if use.startswith(("EXISTS", "NOT", "t.id")) else f"{use} > 2"
        return f"SELECT {self.value('t', size, 0.3)} FROM {name} AS t WHERE {test}" + (self.limit() if self.chance(0.5) else "")

    def nested(self):
        inner = self.limited() if self.chance(0.5) else self.simple()
        name, size = self.table()
        inner = f"SELECT t.id, {self.value('t', size)} AS x FROM {name} AS t" + (f" WHERE {self.conditions('t', size)}" if self.chance(0.5) else "") + (
            self.limit() if self.chance(0.4) else "")
        if self.chance(0.4):
            return f"WITH q AS {self.pick('', 'MATERIALIZED ')}({inner}) SELECT {self.pick('*', 'x', 'id')} FROM q" + self.limit()
        return f"SELECT {self.pick('*', 'x + 1', 'q.id', self.failing('q', size))} FROM ({inner}) AS q" + self.limit()

    def ordered(self):
        name, size = self.table()
        key = self.pick("t.id", "t.id DESC", "t.c", "2")
        distinct = self.pick("", "", "", "DISTINCT ON (t.id) ")
        if distinct:
            key = "t.id"
        return f"SELECT {distinct}{self.value('t', size)}, t.id FROM {name} AS t" + (
            f" WHERE {self.conditions('t', size)}" if self.chance(0.3) else "") + f" ORDER BY {key}" + self.limit()

    def appended(self):
        return f"{self.simple_one()} UNION ALL {self.simple_one()}" + self.limit()

    def simple_one(self):
        name, size = self.table()
        where = f" WHERE {self.conditions('t', size)}" if self.chance(0.4) else ""
        return f"SELECT {self.value('t', size)}::bigint FROM {name} AS t{where}"

    def joined(self):
        """Joins that PostgreSQL runs as a loop over the left side."""
        name, size = self.pick(("few", 12), ("keyed", 40))
        kind = self.pick("JOIN", "LEFT JOIN")
        inner = self.pick("generate_series(1, t.id % 3) AS j(id)", f"(SELECT {self.failing('t', size)} AS id) AS j",
                          "(SELECT i.id FROM keyed AS i WHERE i.id = t.id) AS j")
        return f"SELECT t.id, {self.pick('j.id', self.failing('t', size), self.effect())} FROM {name} AS t {kind} LATERAL {inner} ON true" + self.limit()

    def sets(self):
        name, size = self.table()
        return f"SELECT {self.pick('t.id', self.value('t', size))}, generate_series(1, {self.pick('3', 't.id % 3', self.failing('t', size) + ' % 4')}) FROM {name} AS t" + self.limit()

    def aggregated(self):
        name, size = self.table()
        if self.chance(0.5):
            return f"SELECT {self.pick('count(*)', 'sum(x)', 'max(x)')} FROM (SELECT {self.value('t', size)} AS x FROM {name} AS t{self.limit()}) AS q"
        return f"SELECT t.id, count(*), {self.failing('t', size)} FROM {name} AS t GROUP BY t.id ORDER BY t.id" + self.limit()

    def windowed(self):
        name, size = self.table()
        return f"SELECT t.id, row_number() OVER (ORDER BY t.id), {self.failing('t', size)} FROM {name} AS t" + self.limit()

    def cursor(self):
        query = self.pick(self.simple, self.limited, self.nested, self.appended, self.ordered, self.joined, self.sets)()
        turns = [f"DECLARE c {self.pick('', '', 'SCROLL ', 'NO SCROLL ')}CURSOR FOR {query}"]
        for _ in range(self.pick(1, 2, 3)):
            turns.append(self.pick("FETCH 1 FROM c", "FETCH 2 FROM c", "FETCH 3 FROM c", "MOVE 1 FROM c", "FETCH NEXT FROM c", "FETCH 40 FROM c"))
            if self.chance(0.3):
                turns.append("SELECT (SELECT (last_value, is_called) FROM s1)")
        return ["BEGIN", *turns, "ROLLBACK"]

    def changing(self):
        """Statements that write, and fail."""
        name, size = self.pick(("few", 12), ("keyed", 40))
        returning = f" RETURNING {self.pick('id', '1 / (id - 2)', '10 / (a - 6)', self.effect())}" if self.chance(0.5) else ""
        kind = self.random.randrange(6)
        if kind == 0:
            values = ", ".join(f"({self.random.randint(1, 12)}, {self.random.randint(1, 9)}, {self.pick(repr('x'), 'NULL', repr('y'), 'DEFAULT')})"
                               for _ in range(self.random.randint(1, 5)))
            text = f"INSERT INTO target (a, b, c) VALUES {values}{returning}"
        elif kind in (1, 2):
            text = (f"INSERT INTO target (a, b) SELECT t.id + {self.random.randint(0, 8)}, {self.pick('1', 't.id', self.value('t', size))} FROM {name} AS t" +
                    (f" WHERE {self.conditions('t', size)}" if self.chance(0.3) else "") + self.pick("", " ON CONFLICT DO NOTHING", "") + returning)
        elif kind == 3:
            text = f"UPDATE target SET b = {self.pick('id - 98', 'b + 3', 'a - 4', self.effect(), '10 / (a - 8)')}{self.pick('', ', a = a + 5', ', c = NULL')}{returning}"
        elif kind == 4:
            text = f"UPDATE {name} AS t SET a = {self.value('t', size, 0.9)} WHERE {self.conditions('t', size)}" + (" RETURNING t.id" if self.chance(0.4) else "")
        else:
            text = f"DELETE FROM {name} AS t WHERE {self.conditions('t', size)} RETURNING {self.value('t', size, 0.8)}"
        return ["BEGIN", text, "ROLLBACK"]

    def case(self):
        """A list of statements."""
        made = self.pick(self.limited, self.limited, self.limited, self.subquery, self.subquery, self.nested, self.ordered, self.appended, self.joined,
                         self.sets, self.aggregated, self.windowed, self.cursor, self.cursor, self.changing, self.changing)()
        return made if isinstance(made, list) else [made]
