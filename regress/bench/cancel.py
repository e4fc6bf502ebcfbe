#!/usr/bin/env python3
"""How soon statements of every kind listen: the longest turn on a worker, and what a cancel request takes to be answered.

Each work is run once to its end with log_min_messages = debug1, where the server tells each turn that took a millisecond of
processor time or more after it was to give its worker away: how many there were, the longest one, and that of what ends the
transaction. Then it is cancelled at --moments moments spread over the time that it took, and told are median, 95% and maximum of
the milliseconds from the request to the error, and the maximum of the processor time that the server took in between. Aims: turns
of less than a few milliseconds; 100 ms to the error without other load. --grep TEXT chooses works; --turns 1 leaves out the cancels.
"""
import pathlib
import re
import statistics
import struct
import sys
import time

import servers
import table

sys.path.insert(0, str(servers.TOP / "tools"))
import wire

READY = re.compile(b"Z\0\0\0\5[ITE]$")
TOLD = re.compile(r"worker was given away (\d+\.\d+) ms of processor time")

SETUP = [
    "CREATE TABLE big (id bigint PRIMARY KEY, v int, x text)",
    "INSERT INTO big SELECT i, i::bigint * 7919 % {rows}, md5(i::text) FROM generate_series(1, {rows}) i",
    "CREATE INDEX big_v ON big (v)",
    "CREATE TABLE plain AS SELECT * FROM big",
    "CREATE TABLE child (id bigint, parent bigint)",
    "INSERT INTO child SELECT i, i FROM generate_series(1, {rows}) i",
    "CREATE TABLE cascading (id bigint, parent bigint REFERENCES big ON DELETE CASCADE)",
    "CREATE INDEX ON cascading (parent)",
    "INSERT INTO cascading SELECT i, i FROM generate_series(1, {rows}, 10) i",
    "CREATE TABLE wide (id int, a text, b jsonb)",
    "INSERT INTO wide SELECT i, repeat(md5(i::text), 3000), NULL FROM generate_series(1, 300) i",
    "CREATE TABLE sink (id bigint PRIMARY KEY, v int, x text)",
    "CREATE TABLE heap (id bigint, v int, x text)",
    "CREATE DATABASE other TEMPLATE template1",
    "ANALYZE",
]
TWELVE = " , ".join(f"big t{i}" for i in range(12))
LINKS = " AND ".join(f"t{i}.id = t{i + 1}.v" for i in range(11))
MEMORY = "SET LOCAL work_mem = '{}'"

# name, statement; each in a transaction that is rolled back, but for those of PLAIN and COMMITTED
WORKS = [
    ("scan", "SELECT count(*), sum(v), max(x) FROM plain"),
    ("filter", "SELECT count(*) FROM plain WHERE x LIKE '%abc%' AND v % 7 = 3"),
    ("scan of long values", "SELECT sum(length(a)) FROM wide"),
    ("index scan", "SELECT sum(length(x)) FROM big WHERE v BETWEEN 10 AND 900000 AND id % 2 = 0"),
    ("hash join", "SELECT count(*) FROM plain a JOIN plain b ON a.id = b.v"),
    ("hash join in memory", "SET LOCAL work_mem = '1GB'; SELECT count(*) FROM plain a JOIN plain b ON a.id = b.v"),
    ("hash join of texts", "SET LOCAL work_mem = '1GB'; SELECT count(*) FROM plain a JOIN plain b USING (x)"),
    ("hash join, few keys", "SELECT count(*) FROM plain a JOIN (SELECT v % 100 k, id FROM plain LIMIT 10000) b ON a.v % 100 = b.k"),
    ("left join", "SELECT count(b.id) FROM plain a LEFT JOIN plain b ON a.id = b.v + 500000"),
    ("full join", "SELECT count(b.id) FROM plain a FULL JOIN plain b ON a.id = b.v + 500000"),
    ("semi join", "SELECT count(*) FROM plain a WHERE id IN (SELECT v FROM plain)"),
    ("not in", "SELECT count(*) FROM plain a WHERE id NOT IN (SELECT v FROM plain WHERE v < 20000)"),
    ("nested loops", "SELECT count(*) FROM big a JOIN (SELECT * FROM plain LIMIT 30) b ON a.id > b.v AND a.v <> b.id"),
    ("nested loops of an index", "SELECT count(*) FROM plain a WHERE (SELECT v FROM big b WHERE b.id = a.v + 1) > 5"),
    ("sort in memory", "SET LOCAL work_mem = '1GB'; SELECT count(*) FROM (SELECT * FROM plain ORDER BY v OFFSET 0) s"),
    ("sort of texts in memory", "SET LOCAL work_mem = '1GB'; SELECT count(*) FROM (SELECT * FROM plain ORDER BY x, id OFFSET 0) s"),
    ("sort of long equal texts", "SET LOCAL work_mem = '1GB'; SELECT count(*) FROM (SELECT * FROM plain ORDER BY repeat('x', 100) || x OFFSET 0) s"),
    ("sort by several", "SET LOCAL work_mem = '1GB'; SELECT count(*) FROM (SELECT * FROM plain ORDER BY v % 10, x DESC, id OFFSET 0) s"),
    ("sort of few values", "SET LOCAL work_mem = '1GB'; SELECT count(*) FROM (SELECT * FROM plain ORDER BY v % 3 OFFSET 0) s"),
    ("sort that spills", "SELECT count(*) FROM (SELECT * FROM plain ORDER BY x OFFSET 0) s"),
    ("top n", "SELECT * FROM plain ORDER BY x DESC LIMIT 1000 OFFSET 100000"),
    ("groups in memory", "SET LOCAL work_mem = '1GB'; SELECT count(*) FROM (SELECT x, sum(v) FROM plain GROUP BY x) s"),
    ("groups of numbers", "SET LOCAL work_mem = '1GB'; SELECT count(*) FROM (SELECT v, sum(id) FROM plain GROUP BY v) s"),
    ("groups that spill", "SELECT count(*) FROM (SELECT x, sum(v) FROM plain GROUP BY x) s"),
    ("few groups", "SELECT v % 10, count(*), sum(id), avg(v) FROM plain GROUP BY 1"),
    ("groups of arrays", "SET LOCAL work_mem = '1GB'; SELECT count(*) FROM (SELECT v / 2, array_agg(x) FROM plain GROUP BY 1) s"),
    ("grouping sets", "SELECT count(*) FROM (SELECT v, id % 100, count(*) FROM plain GROUP BY CUBE (1, 2)) s"),
    ("distinct", "SET LOCAL work_mem = '1GB'; SELECT count(*) FROM (SELECT DISTINCT v, x FROM plain) s"),
    ("count distinct", "SELECT count(DISTINCT x) FROM plain"),
    ("ordered aggregate", "SELECT length(string_agg(x, ',' ORDER BY v)) FROM plain"),
    ("percentile", "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY v), mode() WITHIN GROUP (ORDER BY x) FROM plain"),
    ("string_agg", "SELECT length(string_agg(x, ',')) FROM plain"),
    ("array_agg", "SELECT cardinality(array_agg(x)) FROM plain"),
    ("json_agg", "SELECT length(jsonb_agg(p)::text) FROM (SELECT * FROM plain LIMIT 300000) p"),
    ("json_object_agg", "SELECT length(jsonb_object_agg(x, v)::text) FROM (SELECT * FROM plain LIMIT 300000) p"),
    ("window", "SELECT count(*) FROM (SELECT sum(v) OVER (PARTITION BY v % 10 ORDER BY id) FROM plain) s"),
    ("window of one partition", "SELECT count(*) FROM (SELECT rank() OVER (ORDER BY x), lag(v) OVER (ORDER BY id) FROM plain) s"),
    ("window frames", "SELECT count(*) FROM (SELECT max(x) OVER (ORDER BY id ROWS BETWEEN 100 PRECEDING AND 100 FOLLOWING) FROM (SELECT * FROM plain LIMIT 20000) p) s"),
    ("union", "SELECT count(*) FROM (SELECT v FROM plain UNION SELECT id FROM plain) s"),
    ("intersect", "SELECT count(*) FROM (SELECT v FROM plain INTERSECT SELECT id FROM plain) s"),
    ("except all", "SELECT count(*) FROM (SELECT x FROM plain EXCEPT ALL SELECT x FROM plain WHERE v > 5) s"),
    ("recursion", "WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 300000) SELECT max(n) FROM r"),
    ("recursion of wide steps", "WITH RECURSIVE r (n, g) AS (SELECT 1, g FROM generate_series(1, 200000) g UNION SELECT n + 1, g FROM r WHERE n < 5) SELECT count(*) FROM r"),
    ("materialized", "WITH m AS MATERIALIZED (SELECT * FROM plain) SELECT count(*) FROM m a, (SELECT count(*) FROM m) b"),
    ("series", "SELECT count(*) FROM generate_series(1, 5000000)"),
    ("series in the list", "SELECT count(*) FROM (SELECT generate_series(1, 3000000)) s"),
    ("series of times", "SELECT count(*) FROM generate_series('2000-01-01'::timestamp, '2050-01-01', '10 minutes')"),
    ("unnest", "SELECT count(*) FROM unnest(array_fill(7, ARRAY[3000000]))"),
    ("insert", "INSERT INTO heap SELECT * FROM plain"),
    ("insert with keys", "INSERT INTO sink SELECT * FROM plain"),
    ("insert with foreign keys", "INSERT INTO cascading SELECT id, parent FROM child"),
    ("upsert", "INSERT INTO big SELECT * FROM plain ON CONFLICT (id) DO UPDATE SET v = excluded.v + 1"),
    ("upsert nothing", "INSERT INTO big SELECT * FROM plain ON CONFLICT DO NOTHING"),
    ("update", "UPDATE plain SET v = v + 1"),
    ("update of an indexed column", "UPDATE big SET v = v + 1"),
    ("update of keys", "UPDATE sink SET id = -id"),
    ("delete", "DELETE FROM plain"),
    ("delete with cascade", "DELETE FROM big"),
    ("for update", "SELECT count(*) FROM (SELECT id FROM big FOR UPDATE) s"),
    ("create table as", "CREATE TABLE made AS SELECT * FROM plain"),
    ("create index", "CREATE INDEX ON plain (v)"),
    ("create index of texts", "CREATE INDEX ON plain (x, id)"),
    ("create unique index", "CREATE UNIQUE INDEX ON plain (id)"),
    ("create index that spills", "SET LOCAL maintenance_work_mem = '1MB'; CREATE INDEX ON plain (x)"),
    ("create partial index", "CREATE INDEX ON plain (md5(x)) WHERE v % 2 = 0"),
    ("reindex", "REINDEX TABLE big"),
    ("rewrite", "ALTER TABLE plain ALTER COLUMN v TYPE bigint"),
    ("rewrite with indexes", "ALTER TABLE big ALTER COLUMN v TYPE numeric"),
    ("add column", "ALTER TABLE plain ADD COLUMN y text DEFAULT md5(random()::text)"),
    ("check", "ALTER TABLE plain ADD CHECK (length(x) > 0)"),
    ("not null", "ALTER TABLE plain ALTER COLUMN x SET NOT NULL"),
    ("foreign key", "ALTER TABLE child ADD FOREIGN KEY (parent) REFERENCES big"),
    ("primary key", "ALTER TABLE plain ADD PRIMARY KEY (id)"),
    ("analyze", "ANALYZE plain"),
    ("truncate", "TRUNCATE big CASCADE"),
    ("drop table", "DROP TABLE big CASCADE"),
    ("copy out", "COPY plain TO STDOUT"),
    ("copy out of csv", "COPY plain TO STDOUT (FORMAT csv)"),
    ("copy to a file", "COPY plain TO '{directory}/copied'"),
    ("copy from a file", "COPY heap FROM '{directory}/copied'"),
    ("copy from a file with keys", "COPY sink FROM '{directory}/copied'"),
    ("rows", "SELECT * FROM plain"),
    ("cursor", "DECLARE k SCROLL CURSOR FOR SELECT * FROM plain; MOVE ALL IN k; FETCH BACKWARD ALL IN k"),
    ("cursor that is held", "DECLARE held CURSOR WITH HOLD FOR SELECT * FROM plain; COMMIT; CLOSE held; BEGIN"),
    ("repeat", "SELECT length(repeat('abc', 100000000))"),
    ("replace", "SELECT length(replace(repeat('abc', 10000000), 'b', 'xyz'))"),
    ("replace of long", "SELECT length(replace(repeat('a', 20000000) || 'b', repeat('a', 1000) || 'b', 'c'))"),
    ("upper", "SELECT length(upper(repeat('äbc', 10000000)))"),
    ("position", "SELECT position('abcx' IN repeat('abc', 100000000))"),
    ("translate", "SELECT length(translate(repeat('abc', 10000000), 'abc', 'xyz'))"),
    ("reverse", "SELECT length(reverse(repeat('äbc', 10000000)))"),
    ("trim", "SELECT length(btrim(repeat('ab', 30000000), 'ba'))"),
    ("pad", "SELECT length(lpad('x', 50000000, 'äbc'))"),
    ("split", "SELECT split_part(repeat('abc,', 10000000), ',', 9999999)"),
    ("string_to_array", "SELECT cardinality(string_to_array(repeat('abc,', 3000000), ','))"),
    ("array_to_string", "SELECT length(array_to_string(array_fill(7, ARRAY[5000000]), ','))"),
    ("string_to_table", "SELECT count(*) FROM string_to_table(repeat('abc,', 3000000), ',')"),
    ("regexp_replace", "SELECT length(regexp_replace(repeat('abc', 3000000), '[bx]', 'yy', 'g'))"),
    ("regexp_matches", "SELECT count(*) FROM regexp_matches(repeat('abc', 1000000), 'b', 'g')"),
    ("regexp_split", "SELECT count(*) FROM regexp_split_to_table(repeat('abc', 1000000), 'b')"),
    ("regexp of backtracking", "SELECT repeat('a', 5000) ~ '^(a|aa)+$(b)'"),
    ("like of a long text", "SELECT repeat('ab', 5000000) LIKE '%a%b%a%c'"),
    ("md5 of a long text", "SELECT md5(repeat('abc', 100000000))"),
    ("sha512 of a long text", "SELECT sha512(repeat('abc', 30000000)::bytea)"),
    ("encode", "SELECT length(encode(repeat('abc', 30000000)::bytea, 'base64')), length(encode(repeat('abc', 30000000)::bytea, 'hex'))"),
    ("decode", "SELECT length(decode(repeat('abcd', 20000000), 'base64')), length(decode(repeat('abcd', 20000000), 'hex'))"),
    ("normalize", "SELECT length(normalize(repeat('é', 5000000), NFD))"),
    ("format", "SELECT length(format('%s %L %I', repeat('a''', 10000000), repeat('a''', 10000000), 'x'))"),
    ("quote", "SELECT length(quote_literal(repeat('a''', 20000000)))"),
    ("concat", "SELECT length(concat_ws(',', repeat('a', 100000000), repeat('b', 100000000)))"),
    ("comparison of long texts", "SELECT repeat('a', 200000000) < repeat('a', 200000000) || 'b'"),
    ("levels of json", "SELECT length((SELECT ('[' || string_agg('{{\"a\": [1, 2, {{\"b\": \"' || x || '\"}}]}}', ',') || ']') FROM (SELECT x FROM plain LIMIT 200000) p)::jsonb::text)"),
    ("json path", "SELECT count(*) FROM jsonb_path_query((SELECT jsonb_agg(v) FROM (SELECT v FROM plain LIMIT 300000) p), '$[*] ? (@ > 5)')"),
    ("json elements", "SELECT count(*) FROM jsonb_array_elements((SELECT jsonb_agg(v) FROM (SELECT v FROM plain LIMIT 500000) p))"),
    ("json pretty", "SELECT length(jsonb_pretty((SELECT jsonb_agg(p) FROM (SELECT * FROM plain LIMIT 200000) p)))"),
    ("array of text", "SELECT length(array_fill('ab'::text, ARRAY[3000000])::text)"),
    ("text to array", "SELECT cardinality(('{{' || repeat('12,', 3000000) || '3}}')::int[])"),
    ("array concatenation", "SELECT cardinality(array_fill(7, ARRAY[20000000]) || array_fill(8, ARRAY[20000000]))"),
    ("array search", "SELECT array_position(array_fill(7, ARRAY[20000000]), 8), 8 = ANY(array_fill(7, ARRAY[20000000]))"),
    ("array remove", "SELECT cardinality(array_remove(array_fill(7, ARRAY[10000000]), 8)), cardinality(array_replace(array_fill(7, ARRAY[10000000]), 7, 9))"),
    ("array comparison", "SELECT array_fill(7, ARRAY[20000000]) = array_fill(7, ARRAY[20000000])"),
    ("array containment", "SELECT array_fill(7, ARRAY[20000]) <@ (SELECT array_agg(g) FROM generate_series(10, 30000) g)"),
    ("array slices", "SELECT cardinality((array_fill(7, ARRAY[20000000]))[2:19999999])"),
    ("array trim", "SELECT cardinality(trim_array(array_fill('x'::text, ARRAY[10000000]), 5))"),
    ("array sort", "SELECT count(*) FROM (SELECT unnest(array_agg(v)) FROM plain ORDER BY 1) s"),
    ("factorial", "SELECT length(factorial(32000)::text)"),
    ("power", "SELECT length((7.123456789::numeric ^ 20000)::text)"),
    ("ln", "SELECT ln(repeat('7', 20000)::numeric)"),
    ("exp", "SELECT exp(5000.12345678::numeric), length(exp(5999.999::numeric(1000, 900))::text)"),
    ("sqrt", "SELECT length(sqrt((repeat('7', 60000) || '.' || repeat('3', 15000))::numeric)::text)"),
    ("multiplication", "SELECT length((repeat('7', 100000)::numeric * repeat('3', 30000)::numeric)::text)"),
    ("division", "SELECT length(div(repeat('7', 130000)::numeric, repeat('3', 60000)::numeric)::text)"),
    ("gcd", "SELECT gcd(repeat('7', 100000)::numeric, repeat('3', 99999)::numeric)"),
    ("numeric of text", "SELECT length((repeat('7', 130000)::numeric)::text)"),
    ("sums of numerics", "SELECT sum(v::numeric / 7), variance(v::numeric) FROM plain"),
    ("to_char", "SELECT max(length(to_char(now() + v * interval '1 second', 'YYYY-MM-DD HH24:MI:SS Day Month TZ'))), max(to_char(v, 'FM999,999,999.00')) FROM plain"),
    ("casts", "SELECT max(v::text::numeric::float8::text) FROM plain"),
    ("random", "SELECT count(random()), count(gen_random_uuid()) FROM plain"),
    ("sleep", "SELECT pg_sleep(0.5)"),
    ("large objects of text", "SELECT length(string_agg(a, '')) FROM wide"),
    ("twelve tables", f"EXPLAIN SELECT count(*) FROM {TWELVE} WHERE {LINKS}"),
    ("twelve tables, all joined", "EXPLAIN SELECT count(*) FROM " + TWELVE + " WHERE " + " AND ".join(f"t{i}.id = t{j}.id" for i in range(12) for j in range(i))),
    ("long statement", "SELECT count(*) FROM plain WHERE id = 1" + "".join(f" OR x = 'value{i:>60}'" for i in range(100000))),
    ("long values", "INSERT INTO heap VALUES " + ",".join(f"({i}, {i}, 'value{i:>30}')" for i in range(150000))),
    ("long list", "SELECT count(*) FROM plain WHERE v IN (" + ",".join(str(i * 3) for i in range(100000)) + ")"),
    ("long list of texts", "SELECT count(*) FROM plain WHERE x IN (" + ",".join(f"'{i * 3}'" for i in range(100000)) + ")"),
    ("long list of terms", "SELECT " + " + ".join(str(i) for i in range(5000))),
    ("long comment", "SELECT 1 /*" + " x" * 10000000 + "*/"),
    ("long literal", "SELECT length('" + "abc''" * 5000000 + "')"),
    ("many statements", "SELECT 1;" * 100000),
    ("many columns", "SELECT " + ",".join(f"{i} AS c{i}" for i in range(1600)) + " FROM generate_series(1, 3000)"),
    ("many unions", " UNION ALL ".join(f"SELECT {i}" for i in range(3000))),
    ("many ctes", "WITH " + ",".join(f"c{i} AS (SELECT {i} AS n)" for i in range(2000)) + " SELECT * FROM c0, c1999"),
    ("many parameters", "65535"),
    ("catalog", "SELECT count(*) FROM pg_class a, pg_attribute b, pg_type c WHERE a.oid = b.attrelid AND b.atttypid = c.oid"),
    ("information schema", "SELECT count(*) FROM information_schema.columns a, information_schema.table_constraints b"),
    ("size functions", "SELECT sum(pg_total_relation_size(oid)) FROM pg_class"),
]
COMMITTED = [
    ("commit of inserts", "INSERT INTO heap SELECT * FROM plain"),
    ("commit of few inserts", "INSERT INTO heap SELECT * FROM plain LIMIT 20000"),
    ("commit of keys", "INSERT INTO sink SELECT * FROM plain"),
    ("commit of updates", "UPDATE plain SET v = v + 1"),
    ("commit of indexed updates", "UPDATE sink SET id = -id"),
    ("commit of few updates", "UPDATE big SET v = v + 1 WHERE id % 50 = 0"),
    ("commit of deletes", "DELETE FROM sink"),
    ("commit of copy", "COPY heap FROM '{directory}/copied'"),
    ("commit of an index", "CREATE INDEX plain_x ON plain (x)"),
    ("commit of a drop", "DROP INDEX plain_x"),
    ("commit of a rewrite", "ALTER TABLE heap ALTER COLUMN v TYPE bigint"),
    ("commit of truncate", "TRUNCATE heap"),
    ("commit of a table", "CREATE TABLE made AS SELECT * FROM plain"),
    ("commit of its drop", "DROP TABLE made"),
]
PLAIN = [
    ("checkpoint", "CHECKPOINT"),
    ("create database", "CREATE DATABASE copied TEMPLATE other"),
    ("drop database", "DROP DATABASE copied"),
    ("vacuum", "VACUUM"),
    ("analyze all", "ANALYZE"),
]
# Those that a cancel finds nowhere, being too short, or in what may not end
UNCANCELLED = {name for name, _ in COMMITTED + PLAIN}


class Session(wire.Connection):
    """Runs works and takes the time of what ends them."""

    def __init__(self, port):
        super().__init__(port, timeout=600)

    def send_parameters(self, count):
        """Parse, Bind and Execute of a list of so many parameters."""
        text = b"\0SELECT 7 IN (" + b",".join(b"$%d" % (i + 1) for i in range(count)) + b")\0" + struct.pack("!h", 0)
        values = b"\0\0" + struct.pack("!hH", 0, count) + b"\0\0\0\x011" * count + struct.pack("!h", 0)
        for kind, body in ((b"P", text), (b"B", values), (b"E", b"\0\0\0\0\0"), (b"S", b"")):
            self.socket.sendall(kind + struct.pack("!i", len(body) + 4) + body)

    def start(self, text):
        if text.isdigit():
            self.send_parameters(int(text))
        else:
            self.send(text)

    def end(self):
        """Reads up to ReadyForQuery; the SQLSTATE of an error."""
        state = ""
        while True:
            kind, body = self.message()
            if kind == "E":
                state = dict((part[:1], part[1:].decode()) for part in body.split(b"\0") if part)[b"C"]
            elif kind == "Z":
                return state

    def end_soon(self):
        """As end(), without looking at each of the rows that the server has sent already: they are not its time."""
        text = self.received
        self.received = b""
        while not READY.search(text[-6:]):
            chunk = self.socket.recv(1 << 20)
            if not chunk:
                raise wire.WireError("the server closed the connection")
            text = text[-1000:] + chunk
        found = re.findall(b"\0C([0-9A-Z]{5})\0", text[-1000:])
        return found[-1].decode() if found else ""

    def run(self, text):
        self.start(text)
        return self.end()


class Log:
    """What the server has told since the last look: milliseconds of late turns."""

    def __init__(self, path):
        self.path, self.at = path, 0

    def turns(self):
        time.sleep(0.01)
        with open(self.path, encoding="utf-8", errors="replace") as file:
            file.seek(self.at)
            text = file.read()
            self.at = file.tell()
        return [float(match) for match in TOLD.findall(text)], text


def run_whole(session, log, text, ends):
    """Seconds and late turns of the statement, and those of what ends the transaction."""
    if ends:
        session.run("BEGIN")
    log.turns()
    start = time.monotonic()
    state = session.run(text)
    took = time.monotonic() - start
    turns = log.turns()[0]
    if ends:
        session.run(ends)
    return took, state, turns, log.turns()[0]


def one_cancel(server, session, text, delay):
    """Milliseconds by the clock and of the processor from the request to the answer; None where it had ended before."""
    session.run("BEGIN")
    session.start(text)
    time.sleep(delay)
    cpu, start = server.seconds(), time.monotonic()
    session.cancel()
    state = session.end_soon()
    took, used = time.monotonic() - start, server.seconds() - cpu
    session.run("ROLLBACK")
    return (took * 1000, used * 1000) if state == "57014" else None


def tell(name, took, state, turns, end_turns, cancels):
    longest = [f"{max(part, default=0):9.1f}" for part in (turns, end_turns)]
    line = f"{name:28} {took * 1000:9.0f} {len(turns):6} {longest[0]} {longest[1]}"
    if cancels:
        times = sorted(took for took, _ in cancels)
        line += f" {statistics.median(times):9.1f} {times[int(len(times) * 0.95)]:9.1f} {times[-1]:9.1f} {max(used for _, used in cancels):9.0f}"
    print(line + (f"  {state}" if state else ""), flush=True)


def run(server, options):
    server.start()
    session, log = Session(server.port), Log(server.directory / "log")
    for text in SETUP:
        session.must(text.format(rows=options.rows))
    session.must(f"COPY plain TO '{server.directory}/copied'")
    session.must("SET statement_timeout = '20s'")
    works = [(*work, "ROLLBACK") for work in WORKS] + [(*work, "COMMIT") for work in COMMITTED] + [(*work, None) for work in PLAIN]
    longest, latencies = (0, ""), []
    for name, text, ends in works:
        if options.grep and not re.search(options.grep, name):
            continue
        text = text if len(text) > 10000 else text.format(directory=server.directory)
        took, state, turns, end_turns = run_whole(session, log, text, ends)
        cancels = []
        if not options.turns and name not in UNCANCELLED:
            moments = [took * (i + 0.5) / options.moments for i in range(options.moments)]
            cancels = [found for found in (one_cancel(server, session, text, moment) for moment in moments) if found]
        tell(name, took, state, turns, end_turns, cancels)
        longest = max(longest, (max(turns + end_turns, default=0), name))
        latencies += [(took, name) for took, _ in cancels]
    print(f"longest turn: {longest[0]:.1f} ms after its time slice, {longest[1]}")
    if latencies:
        latencies.sort()
        print(f"{len(latencies)} cancels: median {statistics.median(took for took, _ in latencies):.1f} ms, "
              f"95% {latencies[int(len(latencies) * 0.95)][0]:.1f} ms, maximum {latencies[-1][0]:.1f} ms, {latencies[-1][1]}")
    session.close()
    server.stop()


def main():
    options = table.arguments(__doc__, rows=1000000, moments=10, turns=0)
    print(f"{'work':28} {'ms':>9} {'late':>6} {'longest':>9} {'at end':>9} {'cancel ms':>9} {'95%':>9} {'maximum':>9} {'CPU':>9}")
    servers.each({"sengi": lambda: servers.Sengi(options.build, options=["log_min_messages=debug1"])}, ["sengi"], lambda server: run(server, options))


if __name__ == "__main__":
    main()
