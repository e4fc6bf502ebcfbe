/* Queries of every kind: simple, with parameters, prepared, row by row, large. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

TEST(many_statements_are_one_transaction)
{
    CLEANUP_CONN PGconn *conn = client_connect("");
    RUN(conn, "CREATE TEMP TABLE t (id int PRIMARY KEY)");
    EXPECT_ERROR(conn, "INSERT INTO t VALUES (1); INSERT INTO t VALUES (1)", "23505");
    EXPECT_ROWS(conn, "SELECT count(*) FROM t", "0");
    RUN(conn, "INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)");
    EXPECT_ERROR(conn, "INSERT INTO t VALUES (3); COMMIT; INSERT INTO t VALUES (3)", "23505");
    EXPECT_ROWS(conn, "SELECT count(*) FROM t", "3");
    CHECK(PQtransactionStatus(conn) == PQTRANS_IDLE);
    RUN(conn, "BEGIN");
    CHECK(PQtransactionStatus(conn) == PQTRANS_INTRANS);
    EXPECT_ERROR(conn, "SELECT nothing", "42703");
    CHECK(PQtransactionStatus(conn) == PQTRANS_INERROR);
    EXPECT_ERROR(conn, "SELECT 1", "25P02");
    RUN(conn, "ROLLBACK");
    CHECK(PQtransactionStatus(conn) == PQTRANS_IDLE);
}

TEST(empty_queries_are_known)
{
    CLEANUP_CONN PGconn *conn = client_connect("");
    CLEANUP_RESULT PGresult *empty = PQexec(conn, "");
    CHECK(PQresultStatus(empty) == PGRES_EMPTY_QUERY);
    CLEANUP_RESULT PGresult *prepared =
        PQexecParams(conn, " -- nothing", 0, NULL, NULL, NULL, NULL, 0);
    CHECK(PQresultStatus(prepared) == PGRES_EMPTY_QUERY);
}

TEST(parameters_go_as_text_and_binary)
{
    CLEANUP_CONN PGconn *conn = client_connect("");
    uint32_t number = client_big32(42);
    uint64_t large = client_big64(1ull << 40);
    const char *values[] = {(char *)&number, (char *)&large, "text 'value'", NULL};
    const int lengths[] = {4, 8, 0, 0}, formats[] = {1, 1, 0, 0};
    const Oid types[] = {23, 20, 25, 1700};
    CLEANUP_RESULT PGresult *result =
        PQexecParams(conn, "SELECT $1, $2, $3, $4", 4, types, values, lengths, formats, 0);
    CHECK(PQresultStatus(result) == PGRES_TUPLES_OK);
    CHECK(strcmp(client_rows(result), "42,1099511627776,text 'value',\\N") == 0);
    CLEANUP_RESULT PGresult *binary =
        PQexecParams(conn, "SELECT $1 + 1, $2, $3, $4", 4, types, values, lengths, formats, 1);
    CHECK(PQresultStatus(binary) == PGRES_TUPLES_OK);
    CHECK(PQfformat(binary, 0) == 1 && PQgetlength(binary, 0, 0) == 4);
    uint32_t answer;
    memcpy(&answer, PQgetvalue(binary, 0, 0), sizeof(answer));
    CHECK(client_big32(answer) == 43);
    CHECK(memcmp(PQgetvalue(binary, 0, 1), &large, 8) == 0);
    CHECK(PQgetisnull(binary, 0, 3));
    CHECK(PQftype(binary, 3) == 1700);
}

/* A value of each type: its binary form, sent back, is the same value. */
TEST(binary_forms_go_round)
{
    static const char *const values[] = {
        "true::bool",
        "(-7)::int2",
        "2147483647::int4",
        "(-9223372036854775808)::int8",
        "1.5::float4",
        "'-Infinity'::float8",
        "'NaN'::float8",
        "0::numeric",
        "-123456789012345678901234567890.000123::numeric",
        "'NaN'::numeric",
        "'Infinity'::numeric",
        "1e100::numeric",
        "0.00000001::numeric",
        "'text'::text",
        "''::text",
        "'v'::varchar(7)",
        "'p'::char(1)",
        "'n'::name",
        "'c'::\"char\"",
        "'\\x00ff10'::bytea",
        "'2024-02-29'::date",
        "'infinity'::date",
        "'23:59:59.999999'::time",
        "'01:02:03+05:30'::timetz",
        "'1999-12-31 23:59:59.5'::timestamp",
        "'-infinity'::timestamptz",
        "'2024-02-29 12:00+00'::timestamptz",
        "'1 year 2 mons -3 days 04:05:06.7'::interval",
        "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid",
        "4294967295::oid",
        "'pg_class'::regclass",
        "'int4'::regtype",
        "'(5,6)'::tid",
        "'77'::xid",
        "'1/AB'::pg_lsn",
        "'{1,NULL,3}'::int4[]",
        "'{}'::text[]",
        "'{{a,b},{c,NULL}}'::text[]",
        "'[3:4]={7,8}'::int8[]",
        "'{1.50,NaN}'::numeric[]",
        "'{2024-01-01,infinity}'::date[]",
        "'{t,f}'::bool[]",
        "'{\"\\\\x00\",\"\\\\xff\"}'::bytea[]",
        "'{01:02:03,24:00:00}'::time[]",
    };
    CLEANUP_CONN PGconn *conn = client_connect("");
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        char query[400];
        snprintf(query, sizeof(query), "SELECT %s AS v, pg_typeof(%s)::text", values[i], values[i]);
        CLEANUP_RESULT PGresult *text = PQexec(conn, query);
        CLEANUP_RESULT PGresult *binary = PQexecParams(conn, query, 0, NULL, NULL, NULL, NULL, 1);
        if (PQresultStatus(text) != PGRES_TUPLES_OK || PQresultStatus(binary) != PGRES_TUPLES_OK) {
            client_fail(__FILE__, __LINE__, "%s: %s", values[i], PQerrorMessage(conn));
            return;
        }
        Oid type = PQftype(binary, 0);
        const char *parameter = PQgetvalue(binary, 0, 0);
        int length = PQgetlength(binary, 0, 0), format = 1;
        snprintf(query, sizeof(query), "SELECT $1::%s", PQgetvalue(text, 0, 1));
        CLEANUP_RESULT PGresult *back =
            PQexecParams(conn, query, 1, &type, &parameter, &length, &format, 0);
        if (PQresultStatus(back) != PGRES_TUPLES_OK ||
            strcmp(PQgetvalue(back, 0, 0), PQgetvalue(text, 0, 0)) != 0) {
            client_fail(__FILE__, __LINE__, "%s: came back as %s%s", values[i], client_rows(back),
                        PQerrorMessage(conn));
            return;
        }
    }
}

TEST(prepared_statements_are_described)
{
    CLEANUP_CONN PGconn *conn = client_connect("");
    RUN(conn, "CREATE TEMP TABLE t (id int PRIMARY KEY, name varchar(10), v numeric(8,2))");
    CLEANUP_RESULT PGresult *prepared = PQprepare(
        conn, "s", "SELECT id, name, v AS x FROM t WHERE id = $1 AND name LIKE $2", 0, NULL);
    CHECK(PQresultStatus(prepared) == PGRES_COMMAND_OK);
    CLEANUP_RESULT PGresult *described = PQdescribePrepared(conn, "s");
    CHECK(PQresultStatus(described) == PGRES_COMMAND_OK);
    CHECK(PQnparams(described) == 2 && PQparamtype(described, 0) == 23 &&
          PQparamtype(described, 1) == 25);
    CHECK(PQnfields(described) == 3 && PQftype(described, 1) == 1043 && PQfmod(described, 1) == 14);
    CHECK(PQftablecol(described, 2) == 3 && PQftable(described, 2) != 0 &&
          strcmp(PQfname(described, 2), "x") == 0);
    CHECK(PQfsize(described, 0) == 4 && PQfsize(described, 2) == -1);
    RUN(conn, "INSERT INTO t VALUES (1, 'one', 1.5), (2, 'two', NULL)");
    const char *values[] = {"2", "t%"};
    for (int i = 0; i < 50; i++) {
        CLEANUP_RESULT PGresult *result = PQexecPrepared(conn, "s", 2, values, NULL, NULL, 0);
        CHECK(strcmp(client_rows(result), "2,two,\\N") == 0);
    }
    CLEANUP_RESULT PGresult *again = PQprepare(conn, "s", "SELECT 1", 0, NULL);
    CHECK(strcmp(PQresultErrorField(again, PG_DIAG_SQLSTATE), "42P05") == 0);
    RUN(conn, "DEALLOCATE s");
    CLEANUP_RESULT PGresult *gone = PQdescribePrepared(conn, "s");
    CHECK(strcmp(PQresultErrorField(gone, PG_DIAG_SQLSTATE), "26000") == 0);
}

TEST(cursors_are_described_and_fetched)
{
    CLEANUP_CONN PGconn *conn = client_connect("");
    RUN(conn, "BEGIN");
    RUN(conn,
        "DECLARE c SCROLL CURSOR FOR SELECT i, 'v' || i AS v FROM generate_series(1, 10) AS i");
    CLEANUP_RESULT PGresult *described = PQdescribePortal(conn, "c");
    CHECK(PQresultStatus(described) == PGRES_COMMAND_OK && PQnfields(described) == 2 &&
          PQftype(described, 1) == 25);
    EXPECT_ROWS(conn, "FETCH 2 FROM c", "1,v1;2,v2");
    EXPECT_ROWS(conn, "FETCH LAST FROM c", "10,v10");
    EXPECT_ROWS(conn, "FETCH RELATIVE -3 FROM c", "7,v7");
    EXPECT_ROWS(conn, "FETCH BACKWARD 2 FROM c", "6,v6;5,v5");
    CLEANUP_RESULT PGresult *moved = PQexec(conn, "MOVE FORWARD 2 FROM c");
    CHECK(strcmp(PQcmdStatus(moved), "MOVE 2") == 0);
    EXPECT_ROWS(conn, "FETCH ALL FROM c", "8,v8;9,v9;10,v10");
    RUN(conn, "CLOSE c");
    EXPECT_ERROR(conn, "FETCH c", "34000");
    RUN(conn, "ROLLBACK");
}

TEST(rows_come_one_by_one)
{
    CLEANUP_CONN PGconn *conn = client_connect("");
    CHECK(PQsendQuery(conn, "SELECT i FROM generate_series(1, 20000) AS i; SELECT 'x'"));
    CHECK(PQsetSingleRowMode(conn));
    long sum = 0, count = 0;
    PGresult *result = PQgetResult(conn);
    for (; result && PQresultStatus(result) == PGRES_SINGLE_TUPLE; result = PQgetResult(conn)) {
        sum += strtol(PQgetvalue(result, 0, 0), NULL, 10);
        count++;
        PQclear(result);
    }
    CHECK(PQresultStatus(result) == PGRES_TUPLES_OK);
    PQclear(result);
    CHECK(count == 20000 && sum == 200010000);
    EXPECT_NEXT(conn, PGRES_SINGLE_TUPLE, "x");
    EXPECT_ONLY(conn, PGRES_TUPLES_OK, "");
    CHECK(PQsendQuery(conn, "SELECT 10 / (3 - i) FROM generate_series(1, 5) AS i"));
    CHECK(PQsetSingleRowMode(conn));
    while ((result = PQgetResult(conn)) && PQresultStatus(result) == PGRES_SINGLE_TUPLE)
        PQclear(result);
    CHECK(PQresultStatus(result) == PGRES_FATAL_ERROR);
    PQclear(result);
    EXPECT_NONE(conn);
    EXPECT_ROWS(conn, "SELECT 1", "1");
}

/* Tens of megabytes there and back, as text and as bytes. */
TEST(large_values_survive)
{
    CLEANUP_CONN PGconn *conn = client_connect("");
    const size_t size = 24 << 20;
    char *bytes = malloc(size + 1);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)('a' + i * 7 % 26);
    bytes[size] = 0;
    RUN(conn, "CREATE TEMP TABLE t (b bytea, v text)");
    const char *values[] = {bytes, bytes};
    const int lengths[] = {(int)size, 0}, formats[] = {1, 0};
    CLEANUP_RESULT PGresult *put =
        PQexecParams(conn, "INSERT INTO t VALUES ($1, $2)", 2, NULL, values, lengths, formats, 0);
    CLEANUP_RESULT PGresult *got =
        PQexecParams(conn, "SELECT b, v, length(b), md5(v) = md5(convert_from(b, 'UTF8')) FROM t",
                     0, NULL, NULL, NULL, NULL, 1);
    bool same = PQresultStatus(put) == PGRES_COMMAND_OK && PQresultStatus(got) == PGRES_TUPLES_OK &&
                (size_t)PQgetlength(got, 0, 0) == size && (size_t)PQgetlength(got, 0, 1) == size &&
                memcmp(PQgetvalue(got, 0, 0), bytes, size) == 0 &&
                memcmp(PQgetvalue(got, 0, 1), bytes, size) == 0 && PQgetvalue(got, 0, 3)[0] == 1;
    free(bytes);
    CHECK(same);
}

TEST(many_columns_and_rows_survive)
{
    CLEANUP_CONN PGconn *conn = client_connect("");
    char query[1600 * 6];
    size_t length = (size_t)snprintf(query, sizeof(query), "SELECT 0");
    for (int i = 1; i < 1600; i++)
        length += (size_t)snprintf(query + length, sizeof(query) - length, ",%d", i);
    CLEANUP_RESULT PGresult *wide = PQexec(conn, query);
    CHECK(PQnfields(wide) == 1600 && strcmp(PQgetvalue(wide, 0, 1599), "1599") == 0);
    CLEANUP_RESULT PGresult *tall =
        PQexec(conn, "SELECT i, repeat('x', 50) FROM generate_series(1, 100000) AS i");
    CHECK(PQntuples(tall) == 100000 && strcmp(PQgetvalue(tall, 99999, 0), "100000") == 0);
}

TEST(errors_have_all_fields)
{
    CLEANUP_CONN PGconn *conn = client_connect("");
    RUN(conn, "CREATE TEMP TABLE t (id int PRIMARY KEY, v int NOT NULL CONSTRAINT positive CHECK "
              "(v > 0))");
    RUN(conn, "INSERT INTO t VALUES (1, 1)");
    CLEANUP_RESULT PGresult *unique = PQexec(conn, "INSERT INTO t VALUES (1, 2)");
    CHECK(strcmp(PQresultErrorField(unique, PG_DIAG_CONSTRAINT_NAME), "t_pkey") == 0);
    CHECK(strcmp(PQresultErrorField(unique, PG_DIAG_TABLE_NAME), "t") == 0);
    CHECK(strcmp(PQresultErrorField(unique, PG_DIAG_MESSAGE_DETAIL),
                 "Key (id)=(1) already exists.") == 0);
    CHECK(strcmp(PQresultErrorField(unique, PG_DIAG_SEVERITY_NONLOCALIZED), "ERROR") == 0);
    CHECK(PQresultErrorField(unique, PG_DIAG_SOURCE_FILE) &&
          PQresultErrorField(unique, PG_DIAG_SOURCE_LINE));
    CLEANUP_RESULT PGresult *null = PQexec(conn, "INSERT INTO t VALUES (2, NULL)");
    CHECK(strcmp(PQresultErrorField(null, PG_DIAG_COLUMN_NAME), "v") == 0);
    CLEANUP_RESULT PGresult *check = PQexec(conn, "INSERT INTO t VALUES (3, -1)");
    CHECK(strcmp(PQresultErrorField(check, PG_DIAG_CONSTRAINT_NAME), "positive") == 0);
    CLEANUP_RESULT PGresult *syntax = PQexec(conn, "SELECT 1 +");
    CHECK(strcmp(PQresultErrorField(syntax, PG_DIAG_STATEMENT_POSITION), "11") == 0);
}

static void take_notice(void *context, const PGresult *result)
{
    snprintf(context, 200, "%s %s", PQresultErrorField(result, PG_DIAG_SEVERITY),
             PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
}

TEST(notices_and_parameters_arrive)
{
    CLEANUP_CONN PGconn *conn =
        client_connect("application_name=libpq options='-c statement_timeout=9s "
                       "-csearch_path=public --work_mem=8MB'");
    char notice[200] = "";
    PQsetNoticeReceiver(conn, take_notice, notice);
    RUN(conn, "DROP TABLE IF EXISTS never_was");
    CHECK(strcmp(notice, "NOTICE table \"never_was\" does not exist, skipping") == 0);
    RUN(conn, "COMMIT");
    CHECK(strcmp(notice, "WARNING there is no transaction in progress") == 0);
    EXPECT_ROWS(conn, "SHOW statement_timeout", "9s");
    EXPECT_ROWS(conn, "SHOW search_path", "public");
    EXPECT_ROWS(conn, "SHOW work_mem", "8MB");
    CHECK(strcmp(PQparameterStatus(conn, "application_name"), "libpq") == 0);
    CHECK(strncmp(PQparameterStatus(conn, "server_version"), "15.", 3) == 0);
    CHECK(PQserverVersion(conn) / 10000 == 15);
    RUN(conn, "SET DateStyle = 'German'");
    CHECK(strcmp(PQparameterStatus(conn, "DateStyle"), "German, DMY") == 0);
    RUN(conn, "BEGIN; SET LOCAL application_name = 'inner'");
    CHECK(strcmp(PQparameterStatus(conn, "application_name"), "inner") == 0);
    RUN(conn, "ROLLBACK");
    CHECK(strcmp(PQparameterStatus(conn, "application_name"), "libpq") == 0);
}

TEST(sixty_five_thousand_parameters_are_taken)
{
    CLEANUP_CONN PGconn *conn = client_connect("");
    enum { COUNT = 65535 };
    enum { ROOM = COUNT * 8 + 100 };
    char *query = malloc(ROOM);
    const char **values = malloc(COUNT * sizeof(*values));
    size_t length = (size_t)snprintf(
        query, ROOM, "SELECT count(*) FROM generate_series(1, 3) AS i WHERE i IN ($1::int");
    values[0] = "2";
    for (int i = 2; i <= COUNT; i++) {
        length += (size_t)snprintf(query + length, ROOM - length, ",$%d", i);
        values[i - 1] = i == COUNT ? "3" : "77";
    }
    snprintf(query + length, ROOM - length, ")");
    CLEANUP_RESULT PGresult *result = PQexecParams(conn, query, COUNT, NULL, values, NULL, NULL, 0);
    free(query);
    free(values);
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        client_fail(__FILE__, __LINE__, "%s", PQerrorMessage(conn));
    CHECK(strcmp(client_rows(result), "2") == 0);
}

const Test tests_query[] = {
    ENTRY(many_statements_are_one_transaction),
    ENTRY(empty_queries_are_known),
    ENTRY(parameters_go_as_text_and_binary),
    ENTRY(binary_forms_go_round),
    ENTRY(prepared_statements_are_described),
    ENTRY(cursors_are_described_and_fetched),
    ENTRY(rows_come_one_by_one),
    ENTRY(large_values_survive),
    ENTRY(many_columns_and_rows_survive),
    ENTRY(errors_have_all_fields),
    ENTRY(notices_and_parameters_arrive),
    ENTRY(sixty_five_thousand_parameters_are_taken),
    {0},
};
