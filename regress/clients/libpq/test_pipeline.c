/* Pipelines: many queries on their way at once, errors in their midst, sync points. */
#include <stdio.h>
#include <string.h>

#include "client.h"

static bool send_params(PGconn *conn, const char *query, const char *value)
{
    return PQsendQueryParams(conn, query, value ? 1 : 0, NULL, &value, NULL, NULL, 0);
}

TEST(pipelines_answer_in_order)
{
    CLEANUP_CONN PGconn *conn = client_connect("");
    RUN(conn, "CREATE TEMP TABLE t (id int PRIMARY KEY)");
    CHECK(PQenterPipelineMode(conn));
    for (int i = 0; i < 500; i++) {
        char value[12];
        snprintf(value, sizeof(value), "%d", i);
        CHECK(send_params(conn, "INSERT INTO t VALUES ($1) RETURNING id", value));
    }
    CHECK(PQpipelineSync(conn));
    for (int i = 0; i < 500; i++) {
        char value[12];
        snprintf(value, sizeof(value), "%d", i);
        EXPECT_ONLY(conn, PGRES_TUPLES_OK, value);
    }
    EXPECT_NEXT(conn, PGRES_PIPELINE_SYNC, NULL);
    CHECK(PQexitPipelineMode(conn));
    EXPECT_ROWS(conn, "SELECT count(*), sum(id) FROM t", "500,124750");
}

TEST(an_error_aborts_the_pipeline_up_to_its_sync)
{
    CLEANUP_CONN PGconn *conn = client_connect("");
    RUN(conn, "CREATE TEMP TABLE t (id int PRIMARY KEY)");
    CHECK(PQenterPipelineMode(conn));
    CHECK(send_params(conn, "INSERT INTO t VALUES ($1)", "1"));
    CHECK(send_params(conn, "INSERT INTO t VALUES ($1)", "1"));
    CHECK(send_params(conn, "INSERT INTO t VALUES ($1)", "2"));
    CHECK(PQpipelineSync(conn));
    CHECK(send_params(conn, "INSERT INTO t VALUES ($1)", "3"));
    CHECK(PQpipelineSync(conn));
    EXPECT_ONLY(conn, PGRES_COMMAND_OK, NULL);
    EXPECT_ONLY(conn, PGRES_FATAL_ERROR, "23505");
    CHECK(PQpipelineStatus(conn) == PQ_PIPELINE_ABORTED);
    EXPECT_ONLY(conn, PGRES_PIPELINE_ABORTED, NULL);
    EXPECT_NEXT(conn, PGRES_PIPELINE_SYNC, NULL);
    CHECK(PQpipelineStatus(conn) == PQ_PIPELINE_ON);
    EXPECT_ONLY(conn, PGRES_COMMAND_OK, NULL);
    EXPECT_NEXT(conn, PGRES_PIPELINE_SYNC, NULL);
    CHECK(PQexitPipelineMode(conn));
    EXPECT_ROWS(conn, "SELECT * FROM t", "3");
}

TEST(explicit_transactions_span_sync_points)
{
    CLEANUP_CONN PGconn *conn = client_connect("");
    RUN(conn, "CREATE TEMP TABLE t (id int PRIMARY KEY)");
    CHECK(PQenterPipelineMode(conn));
    CHECK(send_params(conn, "BEGIN", NULL) && send_params(conn, "INSERT INTO t VALUES (1)", NULL) &&
          PQpipelineSync(conn));
    CHECK(send_params(conn, "SELECT 1/0 FROM t", NULL) && PQpipelineSync(conn));
    CHECK(send_params(conn, "INSERT INTO t VALUES (2)", NULL) && PQpipelineSync(conn));
    CHECK(send_params(conn, "ROLLBACK", NULL) && PQpipelineSync(conn));
    EXPECT_ONLY(conn, PGRES_COMMAND_OK, NULL);
    EXPECT_ONLY(conn, PGRES_COMMAND_OK, NULL);
    EXPECT_NEXT(conn, PGRES_PIPELINE_SYNC, NULL);
    EXPECT_ONLY(conn, PGRES_FATAL_ERROR, "22012");
    EXPECT_NEXT(conn, PGRES_PIPELINE_SYNC, NULL);
    EXPECT_ONLY(conn, PGRES_FATAL_ERROR, "25P02");
    EXPECT_NEXT(conn, PGRES_PIPELINE_SYNC, NULL);
    EXPECT_ONLY(conn, PGRES_COMMAND_OK, NULL);
    EXPECT_NEXT(conn, PGRES_PIPELINE_SYNC, NULL);
    CHECK(PQexitPipelineMode(conn));
    EXPECT_ROWS(conn, "SELECT count(*) FROM t", "0");
}

TEST(statements_are_prepared_and_run_in_one_pipeline)
{
    CLEANUP_CONN PGconn *conn = client_connect("");
    const char *values[] = {"20", "22"};
    CHECK(PQenterPipelineMode(conn));
    CHECK(PQsendPrepare(conn, "s", "SELECT $1::int + $2::int", 0, NULL));
    CHECK(PQsendDescribePrepared(conn, "s"));
    CHECK(PQsendQueryPrepared(conn, "s", 2, values, NULL, NULL, 0));
    CHECK(PQsendFlushRequest(conn) && PQflush(conn) == 0);
    EXPECT_ONLY(conn, PGRES_COMMAND_OK, NULL);
    EXPECT_ONLY(conn, PGRES_COMMAND_OK, NULL);
    EXPECT_ONLY(conn, PGRES_TUPLES_OK, "42"); /* a Flush is enough */
    CHECK(PQpipelineSync(conn));
    EXPECT_NEXT(conn, PGRES_PIPELINE_SYNC, NULL);
    CHECK(PQexitPipelineMode(conn));
}

TEST(single_rows_come_in_pipelines)
{
    CLEANUP_CONN PGconn *conn = client_connect("");
    CHECK(PQenterPipelineMode(conn));
    CHECK(send_params(conn, "SELECT generate_series(1, 3)", NULL) &&
          send_params(conn, "SELECT 'next'", NULL) && PQpipelineSync(conn));
    CHECK(PQsetSingleRowMode(conn) == 1);
    EXPECT_NEXT(conn, PGRES_SINGLE_TUPLE, "1");
    EXPECT_NEXT(conn, PGRES_SINGLE_TUPLE, "2");
    EXPECT_NEXT(conn, PGRES_SINGLE_TUPLE, "3");
    EXPECT_ONLY(conn, PGRES_TUPLES_OK, "");
    EXPECT_ONLY(conn, PGRES_TUPLES_OK, "next");
    EXPECT_NEXT(conn, PGRES_PIPELINE_SYNC, NULL);
    CHECK(PQexitPipelineMode(conn));
}

/* More on its way than any socket buffer holds, both ways. */
TEST(deep_pipelines_do_not_stall)
{
    CLEANUP_CONN PGconn *conn = client_connect("");
    CHECK(PQenterPipelineMode(conn));
    CHECK(PQsetnonblocking(conn, 1) == 0);
    enum { COUNT = 3000 };
    int sent = 0, received = 0;
    while (received < COUNT) {
        for (int burst = 0; sent < COUNT && burst < 100; burst++, sent++)
            CHECK(send_params(conn, "SELECT repeat('x', 5000), $1::text",
                              "a parameter of some length"));
        if (sent == COUNT) {
            CHECK(PQpipelineSync(conn));
            sent++;
        }
        CHECK(PQflush(conn) >= 0 && PQconsumeInput(conn));
        while (received < COUNT && !PQisBusy(conn)) {
            CLEANUP_RESULT PGresult *result = PQgetResult(conn);
            if (!result)
                continue;
            CHECK(PQresultStatus(result) == PGRES_TUPLES_OK && PQgetlength(result, 0, 0) == 5000);
            received++;
        }
    }
    CHECK(PQsetnonblocking(conn, 0) == 0);
    EXPECT_NONE(conn);
    EXPECT_NEXT(conn, PGRES_PIPELINE_SYNC, NULL);
}

const Test tests_pipeline[] = {
    ENTRY(pipelines_answer_in_order),
    ENTRY(an_error_aborts_the_pipeline_up_to_its_sync),
    ENTRY(explicit_transactions_span_sync_points),
    ENTRY(statements_are_prepared_and_run_in_one_pipeline),
    ENTRY(single_rows_come_in_pipelines),
    ENTRY(deep_pipelines_do_not_stall),
    {0},
};
