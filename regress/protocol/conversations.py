"""What clients say, by name. A conversation is a list of turns; each turn is sent at once and answered up to ReadyForQuery."""
import struct

import copy_cases
from conversation import B, C, COPY_DONE, D, E, H, P, Q, S, copy_fail, data, message, raw, text

INT4, TEXT = 23, 25

FAILS = "SELECT 1/i FROM generate_series(0, 0) AS i"  # at run time

LATE = "SELECT 10 / (4 - i) FROM generate_series(1, 6) AS i"  # at the fourth row

TABLE = "CREATE TEMP TABLE t (id int PRIMARY KEY, v text)"
FILL = "INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 10) AS i"

CONVERSATIONS = {
    "empty_queries_are_answered": [Q(""), Q(";"), Q(" ; ; "), Q("-- only a comment"), P("", "") + B("", "") + D("P") + E() + S],
    "one_string_is_one_transaction": [
        Q(TABLE), Q("INSERT INTO t VALUES (1, 'a'); INSERT INTO t VALUES (1, 'b')"), Q("SELECT * FROM t"),
        Q("INSERT INTO t VALUES (1, 'a'); " + FAILS + "; INSERT INTO t VALUES (2, 'b')"), Q("SELECT count(*) FROM t"),
        Q("INSERT INTO t VALUES (1, 'a'); COMMIT; INSERT INTO t VALUES (2, 'b'); " + FAILS), Q("SELECT * FROM t"),
        Q("BEGIN; INSERT INTO t VALUES (3, 'c'); COMMIT; INSERT INTO t VALUES (4, 'd'); ROLLBACK"), Q("SELECT * FROM t"),
        Q("INSERT INTO t VALUES (5, 'e'); BEGIN; INSERT INTO t VALUES (6, 'f')"), Q("ROLLBACK"), Q("SELECT * FROM t"),
        Q("SAVEPOINT a"), Q("SELECT 1; SAVEPOINT a; SELECT 2"), Q("BEGIN; SAVEPOINT a; " + FAILS + "; SELECT 2"), Q("ROLLBACK TO a; SELECT 3"), Q("COMMIT AND CHAIN"),
        Q("ROLLBACK"), Q("COMMIT"), Q("ROLLBACK"), Q("BEGIN; BEGIN"), Q(FAILS), Q("SELECT 1"), Q("BEGIN"), Q("COMMIT")],
    "syntax_errors_stop_the_whole_string": [Q("SELECT 1; SELEC 2; SELECT 3"), Q("SELECT 1; SELECT 2;"), Q("SELECT 'open"), Q("SELECT 1 /* open")],
    "statements_are_parsed_described_bound_and_run": [
        Q(TABLE), Q(FILL), P("s", "SELECT id, v FROM t WHERE id < $1 ORDER BY id", INT4) + D("S", "s") + S,
        B("p", "s", ["4"]) + D("P", "p") + E("p") + S, B("", "s", [struct.pack("!i", 3)], [1], [1]) + D("P") + E() + S,
        B("", "s", [None]) + E() + S, B("", "s", ["3"], [0], [1, 0]) + D("P") + E() + S, C("S", "s") + S, B("", "s", ["1"]) + E() + S],
    "types_of_parameters_are_inferred": [
        Q(TABLE), P("", "INSERT INTO t VALUES ($1, $2) RETURNING *") + D("S") + S, P("", "SELECT $1 + 1, $2 || 'x', $3::date") + D("S") + S,
        P("", "SELECT $1") + D("S") + S, P("", "SELECT $1 IS NULL") + D("S") + S, P("", "SELECT $2::int") + D("S") + S, P("", "SELECT $1::int", 0) + D("S") + S,
        P("", "UPDATE t SET v = $1 WHERE id = $2") + D("S") + S, P("", "SELECT 1 LIMIT $1") + D("S") + S, P("", "SELECT * FROM t WHERE id IN ($1, $2)") + D("S") + S,
        P("", "SELECT * FROM t WHERE id = ANY($1)") + D("S") + S, P("", "SELECT coalesce($1, 5)") + D("S") + S, P("", "SELECT $1::text, $1::int") + D("S") + S,
        P("", "SELECT CASE WHEN $1 THEN $2 ELSE 1.5 END") + D("S") + S, P("", "VALUES ($1, 1), (2, $2)") + D("S") + S, P("", "SELECT $1 = $2") + D("S") + S],
    "statements_without_rows_have_no_description": [
        Q(TABLE), P("", "INSERT INTO t VALUES (1, 'a')") + D("S") + B("", "") + D("P") + E() + S, P("", "BEGIN") + D("S") + B("", "") + D("P") + E() + S,
        P("", "SET search_path = public") + D("S") + B("", "") + E() + S, P("", "COMMIT") + B("", "") + E() + S, P("", "SHOW search_path") + D("S") + B("", "") + D("P") + E() + S,
        P("", "CREATE TEMP TABLE u (a int)") + D("S") + B("", "") + E() + S, P("", "SELECT") + D("S") + B("", "") + D("P") + E() + S, Q("SELECT"), Q("SELECT FROM generate_series(1, 2)"),
        P("", "EXPLAIN SELECT 1") + D("S") + S, P("", "EXPLAIN (FORMAT json) SELECT 1") + D("S") + S,
        P("", "EXPLAIN (FORMAT json, FORMAT yaml) SELECT 1") + D("S") + S, P("", "DELETE FROM t") + B("", "") + E() + S],
    "rows_come_before_the_one_that_fails": [
        Q(LATE), P("", LATE) + B("", "") + D("P") + E() + S, P("s", LATE) + B("", "s") + E("", 2) + E("", 2) + S, B("", "s") + E("", 1) + E("", 1) + E("", 1) + E("", 1) + S,
        Q("SELECT 10 / (1500 - i) > 0 FROM generate_series(1, 3000) AS i LIMIT 4 OFFSET 1498"), Q("CREATE TEMP SEQUENCE n"),
        Q("BEGIN"), P("v", "SELECT nextval('n') FROM generate_series(1, 5)") + B("p", "v") + E("p", 2) + S, Q("SELECT currval('n')"), E("p", 1) + S, Q("SELECT currval('n')"), Q("COMMIT"),
        Q("PREPARE l AS " + LATE), Q("EXECUTE l"), Q("BEGIN; DECLARE c CURSOR FOR " + LATE), Q("FETCH 2 FROM c"), Q("FETCH 2 FROM c"), Q("ROLLBACK"),
        Q("COPY (" + LATE + ") TO STDOUT"), Q("SELECT 1; " + LATE + "; SELECT 2")],
    "row_limits_suspend_portals": [
        Q(TABLE), Q(FILL), Q("BEGIN"), P("s", "SELECT id FROM t ORDER BY id") + B("p", "s") + E("p", 3) + S, E("p", 3) + S, E("p", 0) + S, E("p", 1) + S,
        B("q", "s") + E("q", 5) + E("q", 5) + E("q", 5) + S, B("r", "s") + E("r", 10) + S, B("r2", "s") + E("r2", 10) + E("r2", 1) + S, C("P", "q") + E("q") + S, Q("ROLLBACK"),
        E("p", 1) + S],
    "portals_end_with_their_transaction": [
        P("s", "SELECT generate_series(1, 5)") + B("p", "s") + E("p", 2) + S, E("p", 2) + S, B("", "s") + E("", 2) + E("", 2) + S,
        Q("BEGIN"), B("p", "s") + E("p", 1) + S, Q("SELECT 7"), E("p", 1) + S, B("p", "s") + S, Q("ROLLBACK")],
    "unnamed_statement_and_portal_are_replaced": [
        P("", "SELECT 1") + P("", "SELECT 2") + B("", "") + E() + S, P("n", "SELECT 1") + S, P("n", "SELECT 2") + S, Q("BEGIN"), P("", "SELECT 3") + B("x", "") + B("x", "") + S, Q("ROLLBACK"),
        P("", "SELECT 4") + S, Q("SELECT 5"), B("", "") + E() + S],
    "errors_skip_to_sync": [
        P("", FAILS) + B("", "") + E() + P("", "SELECT 1") + B("", "") + E() + S, P("", "SELEC") + P("ok", "SELECT 1") + S, B("", "ok") + E() + S,
        P("a", "SELECT 1") + B("", "a") + E() + S, E("nowhere") + E("") + S, D("S", "nowhere") + S, D("P", "nowhere") + S, C("S", "nowhere") + C("P", "nowhere") + S,
        B("", "a", ["1"]) + S, B("", "a", [], [], [0, 0]) + S, B("", "a", [], [], [2]) + S, B("", "a", [], [0, 0]) + E() + S, H + S, S,
        message("D", b"Xname\0") + S, message("C", b"Xname\0") + S],
    "pipelines_are_transactions_up_to_sync": [
        Q(TABLE), P("i", "INSERT INTO t VALUES ($1, $2)") + B("", "i", ["1", "a"]) + E() + B("", "i", ["2", "b"]) + E() + B("", "i", ["1", "c"]) + E() + B("", "i", ["3", "d"]) + E() + S,
        Q("SELECT * FROM t"), B("", "i", ["1", "a"]) + E() + S + B("", "i", ["1", "b"]) + E() + S, Q("SELECT * FROM t"),
        P("b", "BEGIN") + P("c", "COMMIT") + B("", "b") + E() + B("", "i", ["7", "x"]) + E() + B("", "c") + E() + B("", "i", ["7", "y"]) + E() + S, Q("SELECT * FROM t ORDER BY id"),
        P("", "ROLLBACK") + B("", "") + E() + S],
    "parameters_that_do_not_fit_are_refused": [
        P("s", "SELECT $1::int4, $2::text") + S, B("", "s", ["x", "y"]) + E() + S, B("", "s", [b"\1\2", "y"], [1, 0]) + E() + S, B("", "s", [b"\0\0\0\1\0", "y"], [1, 0]) + S, B("", "s", ["1", b"\xff"]) + E() + S,
        B("", "s", ["1"]) + S, B("", "s", [None, None]) + E() + S, B("", "s", ["1", b"a\0b"]) + S, P("", "SELECT $1::bool") + B("", "", [b"\2"], [1]) + E() + S,
        P("", "SELECT $1::timestamp") + B("", "", ["2024-02-30"]) + S, P("", "SELECT $1::float8") + B("", "", [struct.pack("!d", 1.5)], [1], [1]) + E() + S],
    "columns_tell_where_they_come_from": [
        Q(TABLE), Q("CREATE TEMP VIEW w AS SELECT v AS x, id + 1 AS y, id FROM t"), Q("SELECT *, t, id + 0, tableoid, ctid FROM t"), Q("SELECT * FROM w JOIN t USING (id)"), Q("SELECT s.* FROM (SELECT v, id FROM t) s"),
        Q("WITH a AS (SELECT v, id FROM t), b AS (SELECT * FROM a) SELECT id, v, upper(v) FROM b"), Q("WITH a (p, q) AS (INSERT INTO t VALUES (1, 'a') RETURNING v, id) SELECT q, p FROM a"),
        Q("WITH RECURSIVE r (n, v) AS (SELECT id, v FROM t UNION ALL SELECT n + 1, v FROM r WHERE n < 2) SELECT * FROM r"), Q("SELECT id FROM t UNION SELECT id FROM t"), Q("SELECT (SELECT id FROM t), max(id) FROM t GROUP BY v"),
        Q("UPDATE t SET v = 'b' RETURNING *, v || 'c'"), Q("DELETE FROM t USING w WHERE w.id = t.id RETURNING w.x, t.v, w.y"), Q("SELECT a.* FROM t a FULL JOIN t b ON a.id = b.id"), Q("SELECT id FROM t a FULL JOIN t b USING (id)"),
        Q("VALUES (1, 'a')"), Q("SELECT * FROM generate_series(1, 0) AS g"), Q("SELECT relname FROM pg_class WHERE false"), Q("SELECT DISTINCT v FROM t ORDER BY v"), P("", "SELECT v FROM t WHERE id = $1") + D("S") + S],
    "errors_tell_their_parameter": [
        P("s", "SELECT 10 / (g - $1::int4), $2::text FROM generate_series(1, 3) AS g") + S, B("", "s", ["x", "y"]) + S, B("c1", "s", ["x'y", "y"]) + S, B("c1", "s", [b"\1\2", "y"], [1, 0]) + S,
        B("c1", "s", [b"\0\0\0\1\0", "y"], [1, 0]) + S, B("c1", "s", ["1", b"\xff"]) + S, B("", "s", ["", "y"]) + S, B("", "s", ["1", "y"]) + E() + S,
        Q("SET log_parameter_max_length_on_error = 3"), B("", "s", ["abcdef", "y"]) + S, B("c1", "s", ["abc", "y"]) + S, B("", "s", ["1", "it's"]) + E() + S, B("c1", "s", ["01", None]) + E("c1") + S,
        B("", "s", [struct.pack("!i", 2), "dé"], [1, 0]) + E() + S, B("", "s", ["3", "éé"]) + E("", 1) + E("", 5) + S, Q("SET log_parameter_max_length_on_error = -1"), B("", "s", ["1", "it's"]) + E() + S,
        P("d", "SELECT $1::date - $2::timestamp, g / $3::int4 FROM generate_series(1, 3) AS g") + S, B("", "d", ["2020-1-1", "2020-1-2", "0"]) + E() + S, B("", "d", ["2020-1-1", "2020-1-2", "1"], [], [0, 0, 0]) + E() + S,
        Q("BEGIN"), B("c2", "s", ["2", "y"]) + E("c2", 1) + S, Q("SET log_parameter_max_length_on_error = 0"), E("c2") + S, Q("ROLLBACK"), B("", "s", ["1", "y"]) + E() + S],
    "a_wrong_number_of_commands_is_refused": [P("", "SELECT 1; SELECT 2") + S, P("", "SELECT 1;") + B("", "") + E() + S, P("", ";") + B("", "") + E() + S],
    "failed_transactions_allow_little": [
        Q("BEGIN"), Q(FAILS), Q("SELECT 1"), P("", "SELECT 1") + S, P("r", "ROLLBACK") + B("", "r") + E() + S, Q("BEGIN"), Q(FAILS), P("", "COMMIT") + D("S") + B("", "") + E() + S,
        P("s", "SELECT 1") + S, Q("BEGIN; " + FAILS), B("", "s") + S, D("S", "s") + S, C("S", "s") + S, Q(""), Q("END")],
    "cursors_and_portals_share_names": [
        Q("BEGIN"), Q("DECLARE c SCROLL CURSOR FOR SELECT generate_series(1, 6)"), E("c", 2) + S, Q("FETCH 2 FROM c"), Q("FETCH BACKWARD 1 FROM c"), D("P", "c") + S, E("c") + S, C("P", "c") + S, Q("FETCH c"), Q("ROLLBACK"),
        Q("BEGIN"), P("", "DECLARE d CURSOR FOR SELECT $1::int + i FROM generate_series(1, 3) AS i") + B("", "", ["10"]) + E() + S, Q("FETCH ALL d"), P("", "FETCH 2 FROM d") + D("S") + B("", "") + D("P") + E() + S, Q("COMMIT"),
        Q("BEGIN"), Q("DECLARE b BINARY CURSOR FOR SELECT 1::int4, 'x'::text"), Q("FETCH b"), Q("COMMIT")],
    "prepare_and_parse_share_names": [
        Q("PREPARE one AS SELECT 1"), B("", "one") + E() + S, P("two", "SELECT $1::int") + S, Q("EXECUTE two(5)"), Q("DEALLOCATE two"), B("", "two", ["1"]) + S, P("one", "SELECT 2") + S,
        P("", "EXECUTE one") + D("S") + B("", "") + D("P") + E() + S, Q("PREPARE one AS SELECT 3"), Q("DEALLOCATE ALL"), D("S", "one") + S],
    "plans_follow_the_schema": [
        Q("CREATE TEMP TABLE g (a int)"), Q("INSERT INTO g VALUES (1)"), P("s", "SELECT * FROM g") + P("n", "SELECT a FROM g") + B("", "s") + E() + S, Q("ALTER TABLE g ADD COLUMN b text DEFAULT 'x'"),
        B("", "s") + E() + S, B("", "n") + E() + S, Q("ALTER TABLE g ALTER COLUMN a TYPE text"), B("", "n") + E() + S, Q("DROP TABLE g"), B("", "n") + S, D("S", "n") + S],
    "copy_in_takes_data": [
        Q(TABLE), Q("COPY t FROM STDIN") + data("1\ta\n2\t") + data("b\n") + COPY_DONE, Q("SELECT * FROM t"), Q("COPY t FROM STDIN") + data("3\tc\n") + copy_fail("enough"),
        Q("COPY t FROM STDIN") + data("x\tc\n") + data("4\td\n") + COPY_DONE, Q("COPY t FROM STDIN") + data("1\tc\n") + COPY_DONE, Q("COPY t FROM STDIN") + data("5\n") + COPY_DONE,
        Q("COPY t FROM STDIN") + data("5\ta\tb\n") + COPY_DONE, Q("COPY t FROM STDIN") + data("\\.\n") + COPY_DONE, Q("COPY t FROM STDIN; SELECT 1; COPY t FROM STDIN") + data("6\tf\n") + COPY_DONE + data("7\tg") + COPY_DONE,
        Q("SELECT * FROM t"), Q("COPY t (v, id) FROM STDIN (FORMAT csv, HEADER)") + data("v,id\n\"q\"\"\",8\n,9\n") + COPY_DONE, Q("SELECT * FROM t WHERE id > 7"),
        Q("COPY t FROM STDIN (FORMAT binary)") + data(b"PGCOPY\n\xff\r\n\0" + struct.pack("!iihiiii", 0, 0, 2, 4, 20, 1, 0x61000000)[:-3] + struct.pack("!h", -1)) + COPY_DONE, Q("SELECT * FROM t WHERE id = 20"),
        Q("COPY t FROM STDIN (FORMAT binary)") + data("nonsense of some length") + COPY_DONE, Q("COPY t FROM STDIN") + data("30\tx\n") + H + S + COPY_DONE, Q("SELECT count(*) FROM t")],
    "copy_in_by_the_extended_protocol": [
        Q(TABLE), P("", "COPY t FROM STDIN") + D("S") + B("", "") + D("P") + E() + data("1\ta\n") + COPY_DONE + S, P("", "COPY t FROM STDIN") + B("", "") + E() + data("x\n") + COPY_DONE + S,
        P("", "COPY t FROM STDIN") + B("", "") + E() + copy_fail("no") + S, Q("SELECT * FROM t")],
    "copy_out_gives_data": [
        Q(TABLE), Q(FILL), Q("COPY t TO STDOUT"), Q("COPY (SELECT id, NULL, v FROM t WHERE id < 3) TO STDOUT (FORMAT csv, HEADER, NULL 'nil')"), Q("COPY (SELECT 1::int4, 'a'::text, NULL) TO STDOUT (FORMAT binary)"),
        Q("COPY t (v) TO STDOUT (DELIMITER '|')"), Q("COPY nowhere TO STDOUT"), P("", "COPY t TO STDOUT") + B("", "") + E() + S, Q("COPY (SELECT 1/(id - 1) FROM t ORDER BY id) TO STDOUT"), Q("COPY (SELECT WHERE false) TO STDOUT"),
        Q("COPY t TO STDOUT; SELECT 1")],
    "copy_reads_lines_and_tells_the_first_fault": [Q(copy_cases.CHECKED)] + [
        turn for statement, lines in copy_cases.IN for turn in (Q(statement) + data(lines) + COPY_DONE, Q("SELECT * FROM c ORDER BY a"), Q("TRUNCATE c"))],
    "copy_in_tells_a_fault_before_more_is_sent": [Q(copy_cases.CHECKED)] + [
        turn for statement, lines in copy_cases.EARLY for turn in (Q(statement) + data(lines), Q("SELECT * FROM c ORDER BY a"))] + [
        P("", "COPY c(a,b,c) FROM STDIN") + B("", "") + E() + data("1\t2\tx\n2\t20\tx\n") + S, Q("SELECT count(*) FROM c")] + [
        turn for statement, lines in copy_cases.LATER for turn in (Q(statement) + data(lines) + COPY_DONE, Q("SELECT * FROM c ORDER BY a"), Q("TRUNCATE c"))],
    "copy_out_takes_options": [Q(copy_cases.CHECKED), Q("INSERT INTO c VALUES (1, 2, 'x,\"y'), (2, 3, E'\\\\N\\t\\n'), (3, NULL, '')")] + [Q(statement) for statement in copy_cases.OUT],
    "copy_messages_out_of_place_are_passed_over": [data("x") + Q("SELECT 1"), COPY_DONE + Q("SELECT 2"), copy_fail("x") + Q("SELECT 3")],
    "settings_are_reported_when_they_change": [
        Q("SET application_name = 'a'"), Q("SET application_name = 'a'"), Q("SET DateStyle = 'German'"), Q("BEGIN; SET IntervalStyle = 'sql_standard'"), Q("ROLLBACK"), Q("SET LOCAL IntervalStyle = 'iso_8601'"),
        Q("BEGIN; SET LOCAL IntervalStyle = 'iso_8601'"), Q("COMMIT"), Q("RESET ALL"), Q("SET client_encoding = 'utf-8'"), Q("SET standard_conforming_strings = off"), P("", "SET application_name = 'b'") + B("", "") + E() + S,
        Q("SET default_transaction_read_only = on; SET application_name = 'c'"), Q("SET application_name = 'd'; " + FAILS), Q("SHOW application_name")],
    "sql_ascii_is_utf8_as_it_is": [
        Q("SET client_encoding = 'sql-ascii'"), Q("SHOW client_encoding; SELECT pg_client_encoding()"), Q("SELECT length('é€'), 'é€' AS \"é\""), message("Q", b"SELECT 'caf\xe9'\0"),
        P("", "SELECT $1 AS \"é\"", TEXT) + B("", "", ["é"]) + D("P") + E() + S, P("", "SELECT $1", TEXT) + B("", "", [b"\xe9"]) + E() + S, Q("SELECT 'é'::int"), Q("SET NAMES 'SQL_ASCII'"), Q("RESET client_encoding"),
        Q("BEGIN; SET client_encoding = SQL_ASCII"), Q("ROLLBACK"), Q("SHOW client_encoding"), Q("SET client_encoding = 'UNICODE'"), Q("SET client_encoding = 'unicode'"), Q("SET client_encoding = MULE_INTERNAL"),
        Q("SET NAMES 'nowhere'"), Q("SET client_encoding = ''")],
    "latin1_is_converted_both_ways": [
        Q("SET client_encoding = 'latin1'"), raw("SELECT length('\xe9\xff'), '\xe9' AS \"\xe9\"", "latin-1"), Q("SELECT chr(8364)"), Q("SELECT 'a' AS a, chr(233), NULL, repeat(chr(233), 200)"),
        raw("SELECT '\xe9'::int", "latin-1"), raw("SELECT '\xe9' \xe9\xe9 x y", "latin-1"), Q("SELECT 1 AS U&\"\\20ac\""), Q("SELECT 2 AS a"), raw("CREATE TEMP TABLE \xe9 (u text PRIMARY KEY)", "latin-1"),
        raw("DROP TABLE IF EXISTS \xe8", "latin-1"), raw("INSERT INTO \xe9 VALUES ('\xe9'), ('\xe9')", "latin-1"), raw("INSERT INTO \xe9 VALUES ('\xe9'), ('b')", "latin-1"),
        P("", "SELECT $1 AS a, length($1), $2, $3, $4", TEXT, TEXT, 1009, 3802) + B("", "", [b"\xe9\xe8", b"\xe7", None, b'\x01"\xe9"'], [0, 1, 1, 1], [0, 0, 1, 1, 1]) + D("P") + E() + S,
        P("", "SELECT $1, ROW('a'::text, $1[1]), to_jsonb($1)", 1009) + B("", "", [struct.pack("!iiiiii", 1, 0, 25, 2, 1, 1) + b"\xe9" + struct.pack("!i", -1)], [1], [1]) + E() + S,
        P("", "SELECT chr(8364)") + B("", "", [], [], [1]) + E() + S, message("P", b"\xe9\0SELECT 1\0\0\0") + message("D", b"S\xe9\0") + message("B", b"p\xe9\0\xe9\0\0\0\0\0\0\0") + message("E", b"p\xe9\0\0\0\0\0") + message("C", b"S\xe8\0") + S,
        raw("COPY \xe9 TO STDOUT", "latin-1"), raw("COPY \xe9 FROM STDIN", "latin-1") + data(b"\xe4\n") + data(b"\xf6\n") + COPY_DONE, raw("COPY \xe9 TO STDOUT (FORMAT binary)", "latin-1"),
        raw("COPY \xe9 TO STDOUT (ENCODING 'UTF8', HEADER)", "latin-1"), raw("INSERT INTO \xe9 VALUES (chr(8364))", "latin-1"), raw("COPY \xe9 TO STDOUT (FORMAT csv)", "latin-1"), raw("SELECT count(*) FROM \xe9", "latin-1"),
        Q("SET application_name = 'plain'"), Q("RESET client_encoding"), Q("SELECT chr(8364)")],
    "second_bytes_that_look_like_ascii_are_converted_first": [
        Q("SET client_encoding = 'sjis'"), raw("SELECT 'ソ表', length('ソ表'), E'ソ\\n'", "shift-jis"), raw("SELECT 'ソ' x y", "shift-jis"), raw("COPY (SELECT 'ソ' || chr(10), '表') TO STDOUT", "shift-jis"),
        Q("CREATE TEMP TABLE t (a text, b text)"), Q("COPY t FROM STDIN") + data(b"\x83") + data(b"\x5c\t\x95") + data(b"\x5c\n\\N\tx\n") + COPY_DONE, Q("SELECT * FROM t"), Q("COPY t FROM STDIN") + data(b"a\tb\nc\t\x83") + COPY_DONE, Q("SELECT count(*) FROM t"),
        Q("COPY t FROM STDIN") + data(b"a\tb\nc\t\xfdx\nd\te\n") + COPY_DONE, message("Q", b"SELECT '\x83\0"), message("Q", b"SELECT '\xfd\xfd'\0"), Q("SET client_encoding = 'gbk'"), message("Q", b"SELECT '\x81\x5c', length('\x81\x5c')\0"),
        Q("SET client_encoding = 'gb18030'"), message("Q", b"SELECT '\x81\x30\x81\x30', length('\x81\x30\x81\x30\x81\x7c')\0"), Q("COPY t FROM STDIN") + data(b"\x81") + data(b"\x30") + data(b"\x81") + data(b"\x30\t\x81\x7c\n") + COPY_DONE, Q("SELECT a, b, length(a) FROM t ORDER BY a COLLATE \"C\" DESC LIMIT 1"),
        Q("SET client_encoding = 'big5'; SELECT U&'\\8a31\\529f'"), Q("SET client_encoding = 'uhc'; SELECT U&'\\ac02'"), Q("SET client_encoding = 'johab'; SELECT U&'\\ac02'"), Q("SET client_encoding = 'utf8'; SELECT U&'\\ac02'")],
    "notices_come_in_order": [Q("DROP TABLE IF EXISTS no1; SELECT 1; DROP TABLE IF EXISTS no2"), Q("SET client_min_messages = error; DROP TABLE IF EXISTS no1"), Q("COMMIT"), Q("SET client_min_messages = notice"), Q("ROLLBACK")],
    "binary_forms_of_every_type": [
        P("", "SELECT true, 5::int2, -5::int4, 5000000000::int8, 1.5::float4, -2.5::float8, 'NaN'::float8") + B("", "", [], [], [1]) + E() + S,
        P("", "SELECT 0::numeric, 12345.678::numeric, -0.00012::numeric, 'NaN'::numeric, 'Infinity'::numeric, 1e30::numeric, 10000::numeric, 1.10::numeric") + B("", "", [], [], [1]) + E() + S,
        P("", "SELECT 'text'::text, 'ab'::varchar(5), 'ab'::char(4), 'n'::name, 'c'::\"char\", '\\x00ff'::bytea, ''::text, NULL::text") + B("", "", [], [], [1]) + E() + S,
        P("", "SELECT '2024-02-29'::date, '-infinity'::date, '23:59:59.5'::time, '01:02:03+05:30'::timetz, '2024-02-29 12:00'::timestamp, 'infinity'::timestamp, '2024-02-29 12:00Z'::timestamptz, '1 year -2 days 03:00'::interval") + B("", "", [], [], [1]) + E() + S,
        P("", "SELECT 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid, 26::oid, 'pg_class'::regclass, 'int4'::regtype, '(1,2)'::tid, '5'::xid, '1/A'::pg_lsn") + B("", "", [], [], [1]) + E() + S,
        P("", "SELECT ARRAY[1,NULL,3], ARRAY['a','b']::text[], '{}'::int4[], '{{1,2},{3,4}}'::int8[], '[2:3]={5,6}'::int2[], ARRAY[1.5]::numeric[], ARRAY['2024-01-01'::date]") + B("", "", [], [], [1]) + E() + S,
        P("", "SELECT ROW(1, 'a'::text, NULL::int)") + B("", "", [], [], [1]) + E() + S],
    "binary_parameters_of_every_type": [
        P("", "SELECT $1::bool, $2::int2, $3::int4, $4::int8, $5::float4, $6::float8") + B("", "", [b"\1", struct.pack("!h", -2), struct.pack("!i", 3), struct.pack("!q", -4), struct.pack("!f", 1.5), struct.pack("!d", -2.5)], [1]) + E() + S,
        P("", "SELECT $1::numeric, $2::numeric, $3::numeric") + B("", "", [struct.pack("!hhhhhh", 2, 0, 0x4000, 4, 12, 3400), struct.pack("!hhHh", 0, 0, 0xC000, 0), struct.pack("!hhhh", 0, 0, 0, 2)], [1]) + E() + S,
        P("", "SELECT $1::numeric") + B("", "", [struct.pack("!hhhhh", 1, 0, 7, 0, 1)], [1]) + E() + S, P("", "SELECT $1::numeric") + B("", "", [struct.pack("!hhhhh", 1, 0, 0, 0, 10000)], [1]) + E() + S,
        P("", "SELECT $1::text, $2::varchar, $3::bytea, $4::bpchar") + B("", "", ["a", "b", b"\0\1", "c "], [1]) + E() + S,
        P("", "SELECT $1::date, $2::time, $3::timestamp, $4::timestamptz, $5::interval, $6::timetz") + B("", "", [
            struct.pack("!i", 8825), struct.pack("!q", 3600000000), struct.pack("!q", 762523200000000), struct.pack("!q", 2**63 - 1), struct.pack("!qii", 1000000, 2, 13), struct.pack("!qi", 1000000, -3600)], [1]) + E() + S,
        P("", "SELECT $1::time") + B("", "", [struct.pack("!q", 86400000001)], [1]) + E() + S, P("", "SELECT $1::date") + B("", "", [struct.pack("!i", 2**31 - 2)], [1]) + E() + S,
        P("", "SELECT $1::uuid, $2::oid") + B("", "", [bytes(range(16)), struct.pack("!I", 4000000000)], [1]) + E() + S, P("", "SELECT $1::uuid") + B("", "", [b"short"], [1]) + E() + S,
        P("", "SELECT $1::int4[], $2::text[]") + B("", "", [struct.pack("!iiiiiiiii", 1, 0, 23, 2, 1, 4, 7, 4, 8), struct.pack("!iii", 0, 0, 25)], [1]) + E() + S,
        P("", "SELECT $1::int4[]") + B("", "", [struct.pack("!iiiii", 1, 0, 25, 1, 1) + struct.pack("!i", 1) + b"x"], [1]) + E() + S, P("", "SELECT $1::int4[]") + B("", "", [struct.pack("!iii", 7, 0, 23)], [1]) + E() + S,
        P("", "SELECT $1::int4[]") + B("", "", [struct.pack("!iiiii", 1, 0, 23, 5, 1)], [1]) + E() + S],
    "malformed_bodies_are_protocol_violations": [
        message("P", b"no terminator") + S, message("B", b"\0") + S, message("E", b"\0") + S, message("Q", b"SELECT 1"), message("D", b"S") + S, message("P", text("") + text("SELECT 1") + struct.pack("!hI", 5, 23)) + S,
        message("B", b"\0\0" + struct.pack("!hh", 0, 1) + struct.pack("!i", 100) + b"abc") + S, message("S", b"extra") + Q("SELECT 1"), message("E", b"\0\0\0\0\0extra") + S, message("Q", b"SELECT 1\0more\0")],
}

# Startup packets beyond user and database, by the name of the conversation that begins with them: what is answered to them is its first turn.
GREETINGS = {
    "sql_ascii_from_the_start": [("client_encoding", "SQL_ASCII")],
    "latin1_from_the_start": [("client_encoding", "latin-1")],
    "encoding_that_is_none_from_the_start": [("client_encoding", "nowhere")],
    "encoding_without_conversion_from_the_start": [("client_encoding", "MULE_INTERNAL")],
}

for _name in GREETINGS:
    CONVERSATIONS[_name] = [b"", Q("SHOW client_encoding; SELECT 'é' AS \"é\""), Q("SET client_encoding = UTF8; RESET client_encoding")]
