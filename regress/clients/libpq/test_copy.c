/* COPY both ways in its three forms, and what goes wrong with it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

static bool copy_begin(PGconn *conn, const char *query, ExecStatusType wanted)
{
    CLEANUP_RESULT PGresult *result = PQexec(conn, query);

    if (PQresultStatus(result) != wanted)
        client_fail(__FILE__, __LINE__, "%s: %s", query, PQerrorMessage(conn));
    return PQresultStatus(result) == wanted;
}

static bool put(PGconn *conn, const char *text)
{
    return PQputCopyData(conn, text, (int)strlen(text)) == 1;
}

/* What COPY TO gives, all of it; to be freed. */
static char *copy_all(PGconn *conn, const char *query, size_t *ret_size)
{
    char *all = calloc(1, 1), *part;
    size_t size = 0;
    int length;

    if (!copy_begin(conn, query, PGRES_COPY_OUT))
        return all;
    while ((length = PQgetCopyData(conn, &part, 0)) > 0) {
        all = realloc(all, size + (size_t)length + 1);
        memcpy(all + size, part, (size_t)length);
        size += (size_t)length;
        all[size] = 0;
        PQfreemem(part);
    }
    if (ret_size)
        *ret_size = size;
    return all;
}

TEST(text_goes_in_and_out)
{
    CLEANUP_CONN PGconn *conn = client_connect("");
    RUN(conn, "CREATE TEMP TABLE t (id int, v text, n numeric)");
    CHECK(copy_begin(conn, "COPY t FROM STDIN", PGRES_COPY_IN));
    CHECK(put(conn, "1\tone\t1.50\n2\tt") && put(conn, "wo\\tx\\\\\t\\N\n") &&
          put(conn, "3\t\\N\t-3\n"));
    CHECK(PQputCopyEnd(conn, NULL) == 1);
    CLEANUP_RESULT PGresult *done = PQgetResult(conn);
    CHECK(PQresultStatus(done) == PGRES_COMMAND_OK && strcmp(PQcmdTuples(done), "3") == 0);
    EXPECT_NONE(conn);
    char *all = copy_all(conn, "COPY t TO STDOUT", NULL);
    bool same = strcmp(all, "1\tone\t1.50\n2\ttwo\\tx\\\\\t\\N\n3\t\\N\t-3\n") == 0;
    free(all);
    CHECK(same);
    EXPECT_ONLY(conn, PGRES_COMMAND_OK, NULL);
}

TEST(csv_goes_in_and_out)
{
    CLEANUP_CONN PGconn *conn = client_connect("");
    RUN(conn, "CREATE TEMP TABLE t (id int, v text)");
    CHECK(copy_begin(conn, "COPY t FROM STDIN (FORMAT csv, HEADER, DELIMITER ';')", PGRES_COPY_IN));
    CHECK(put(conn, "id;v\n1;\"a;b\"\n2;\"line\nbreak \"\"q\"\"\"\n3;\n4;\"\"\n") &&
          PQputCopyEnd(conn, NULL) == 1);
    EXPECT_ONLY(conn, PGRES_COMMAND_OK, NULL);
    EXPECT_ROWS(conn, "SELECT * FROM t", "1,a;b;2,line\nbreak \"q\";3,\\N;4,");
    char *all = copy_all(conn, "COPY t TO STDOUT (FORMAT csv, HEADER, FORCE_QUOTE (v))", NULL);
    bool same = strcmp(all, "id,v\n1,\"a;b\"\n2,\"line\nbreak \"\"q\"\"\"\n3,\n4,\"\"\n") == 0;
    free(all);
    CHECK(same);
    EXPECT_ONLY(conn, PGRES_COMMAND_OK, NULL);
}

TEST(binary_goes_out_and_in_again)
{
    CLEANUP_CONN PGconn *conn = client_connect("");
    RUN(conn, "CREATE TEMP TABLE t AS SELECT i AS id, 'v' || i AS v, i * 1.5 AS n, now() AS at, "
              "ARRAY[i, NULL] AS a FROM generate_series(1, 3000) AS i");
    RUN(conn, "CREATE TEMP TABLE u AS SELECT * FROM t WHERE false");
    size_t size;
    char *all = copy_all(conn, "COPY t TO STDOUT (FORMAT binary)", &size);
    bool sent = size > 3000 && memcmp(all, "PGCOPY\n\377\r\n", 11) == 0;
    EXPECT_ONLY(conn, PGRES_COMMAND_OK, NULL);
    sent = sent && copy_begin(conn, "COPY u FROM STDIN (FORMAT binary)", PGRES_COPY_IN);
    for (size_t at = 0; sent && at < size; at += 777) /* rows are cut anywhere */
        sent = PQputCopyData(conn, all + at, (int)(size - at < 777 ? size - at : 777)) == 1;
    free(all);
    CHECK(sent && PQputCopyEnd(conn, NULL) == 1);
    EXPECT_ONLY(conn, PGRES_COMMAND_OK, NULL);
    EXPECT_ROWS(conn, "SELECT count(*) FROM t JOIN u USING (id, v, n, at, a)", "3000");
}

TEST(a_client_may_give_up)
{
    CLEANUP_CONN PGconn *conn = client_connect("");
    RUN(conn, "CREATE TEMP TABLE t (id int)");
    CHECK(copy_begin(conn, "COPY t FROM STDIN", PGRES_COPY_IN));
    CHECK(put(conn, "1\n2\n") && PQputCopyEnd(conn, "had enough") == 1);
    CLEANUP_RESULT PGresult *failed = PQgetResult(conn);
    CHECK(strcmp(PQresultErrorField(failed, PG_DIAG_SQLSTATE), "57014") == 0);
    CHECK(strcmp(PQresultErrorField(failed, PG_DIAG_MESSAGE_PRIMARY),
                 "COPY from stdin failed: had enough") == 0);
    EXPECT_NONE(conn);
    EXPECT_ROWS(conn, "SELECT count(*) FROM t", "0");
}

TEST(bad_lines_are_named)
{
    static const struct {
        const char *query, *data, *state, *context;
    } cases[] = {
        {"COPY t FROM STDIN", "1\ta\nx\tb\n", "22P02", "COPY t, line 2, column id: \"x\""},
        {"COPY t FROM STDIN", "1\ta\n2\n", "22P04", "COPY t, line 2: \"2\""},
        {"COPY t FROM STDIN", "1\ta\tb\n", "22P04", "COPY t, line 1: \"1\ta\tb\""},
        {"COPY t FROM STDIN", "1\ta\n1\tb\n", "23505", "COPY t, line 2"},
        {"COPY t FROM STDIN", "\\N\ta\n", "23502", "COPY t, line 1: \"\\N\ta\""},
        {"COPY t FROM STDIN (FORMAT csv)", "1,\"open\n", "22P04", "COPY t, line 1: \"1,\"open\n\""},
        {"COPY t FROM STDIN", "1\t\xff\n", "22021", "COPY t, line 1"},
    };
    CLEANUP_CONN PGconn *conn = client_connect("");
    RUN(conn, "CREATE TEMP TABLE t (id int PRIMARY KEY, v text)");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK(copy_begin(conn, cases[i].query, PGRES_COPY_IN) && put(conn, cases[i].data) &&
              PQputCopyEnd(conn, NULL) == 1);
        CLEANUP_RESULT PGresult *failed = PQgetResult(conn);
        const char *state = PQresultErrorField(failed, PG_DIAG_SQLSTATE),
                   *context = PQresultErrorField(failed, PG_DIAG_CONTEXT);
        if (!state || strcmp(state, cases[i].state) != 0 || !context ||
            strcmp(context, cases[i].context) != 0) {
            client_fail(__FILE__, __LINE__, "case %zu: %s %s (%s)", i, state ? state : "no error",
                        PQresultErrorMessage(failed), context ? context : "");
            return;
        }
        EXPECT_NONE(conn);
        EXPECT_ROWS(conn, "SELECT count(*) FROM t", "0");
    }
}

/* The server finds an error while much data is still on its way. */
TEST(an_early_error_does_not_stall_the_sender)
{
    CLEANUP_CONN PGconn *conn = client_connect("");
    RUN(conn, "CREATE TEMP TABLE t (id int)");
    CHECK(copy_begin(conn, "COPY t FROM STDIN", PGRES_COPY_IN) && put(conn, "nonsense\n"));
    for (int i = 0; i < 200000 && PQputCopyData(conn, "123456789\n987654321\n", 20) == 1; i++)
        continue;
    PQputCopyEnd(conn, NULL);
    EXPECT_ONLY(conn, PGRES_FATAL_ERROR, "22P02");
    EXPECT_ROWS(conn, "SELECT 1", "1");
}

TEST(many_rows_are_copied)
{
    CLEANUP_CONN PGconn *conn = client_connect("");
    RUN(conn, "CREATE TEMP TABLE t (id int PRIMARY KEY, v text)");
    CHECK(copy_begin(conn, "COPY t FROM STDIN", PGRES_COPY_IN));
    for (int i = 0; i < 100000; i++) {
        char line[60];
        CHECK(PQputCopyData(conn, line, snprintf(line, sizeof(line), "%d\tvalue %d\n", i, i)) == 1);
    }
    CHECK(PQputCopyEnd(conn, NULL) == 1);
    EXPECT_ONLY(conn, PGRES_COMMAND_OK, NULL);
    EXPECT_ROWS(conn, "SELECT count(*), sum(id) FROM t WHERE v = 'value ' || id",
                "100000,4999950000");
}

const Test tests_copy[] = {
    ENTRY(text_goes_in_and_out),         ENTRY(csv_goes_in_and_out),
    ENTRY(binary_goes_out_and_in_again), ENTRY(a_client_may_give_up),
    ENTRY(bad_lines_are_named),          ENTRY(an_early_error_does_not_stall_the_sender),
    ENTRY(many_rows_are_copied),         {0},
};
