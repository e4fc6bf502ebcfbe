/* Cancelling, timing out, recovering, leaving. */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* A cancel that comes before the query has begun is for nobody. */
static void wait_until_active(int process_id)
{
    PGconn *conn = PQconnectdb("");
    char query[100];
    bool is_active = false;

    snprintf(query, sizeof(query), "SELECT state FROM pg_stat_activity WHERE pid = %d", process_id);
    while (!is_active && PQstatus(conn) == CONNECTION_OK) {
        PGresult *result = PQexec(conn, query);
        is_active = PQntuples(result) == 1 && strcmp(PQgetvalue(result, 0, 0), "active") == 0;
        PQclear(result);
        usleep(10000);
    }
    PQfinish(conn);
}

static void *cancel_later(void *argument)
{
    char error[256];

    wait_until_active(PQbackendPID(argument));
    usleep(100000); /* in the midst of it */
    PGcancel *cancel = PQgetCancel(argument);
    if (!PQcancel(cancel, error, sizeof(error)))
        fprintf(stderr, "PQcancel: %s\n", error);
    PQfreeCancel(cancel);
    return NULL;
}

static void expect_cancelled(PGconn *conn, const char *query)
{
    pthread_t thread;
    double start = seconds();

    CHECK(pthread_create(&thread, NULL, cancel_later, conn) == 0);
    client_expect_error(__FILE__, __LINE__, conn, query, "57014");
    pthread_join(thread, NULL);
    CHECK(seconds() - start < 15);
    EXPECT_ROWS(conn, "SELECT 'well'", "well");
}

TEST(a_sleep_is_cancelled)
{
    CLEANUP_CONN PGconn *conn = client_connect("");
    expect_cancelled(conn, "SELECT pg_sleep(60)");
}

TEST(a_long_query_is_cancelled)
{
    CLEANUP_CONN PGconn *conn = client_connect("");
    expect_cancelled(conn, "SELECT count(*) FROM generate_series(1, 100000000) AS a, "
                           "generate_series(1, 1000) AS b WHERE a = b + 5");
}

TEST(a_wait_for_a_lock_is_cancelled)
{
    CLEANUP_CONN PGconn *holder = client_connect("");
    CLEANUP_CONN PGconn *conn = client_connect("");
    RUN(holder, "DROP TABLE IF EXISTS cancel_t; CREATE TABLE cancel_t (id int PRIMARY KEY)");
    RUN(holder, "BEGIN; LOCK TABLE cancel_t IN ACCESS EXCLUSIVE MODE");
    expect_cancelled(conn, "SELECT * FROM cancel_t");
    RUN(holder, "COMMIT");
    EXPECT_ROWS(conn, "SELECT count(*) FROM cancel_t", "0");
    RUN(holder, "DROP TABLE cancel_t");
}

TEST(a_late_cancel_does_no_harm)
{
    CLEANUP_CONN PGconn *conn = client_connect("");
    char error[256];
    PGcancel *cancel = PQgetCancel(conn);
    for (int i = 0; i < 20; i++) {
        CHECK(PQcancel(cancel, error, sizeof(error)));
        usleep(10000);
        EXPECT_ROWS(conn, "SELECT 1", "1");
    }
    PQfreeCancel(cancel);
}

TEST(statements_time_out)
{
    CLEANUP_CONN PGconn *conn = client_connect("options='-c statement_timeout=1000'");
    CLEANUP_RESULT PGresult *result = PQexec(conn, "SELECT pg_sleep(60)");
    CHECK(strcmp(PQresultErrorField(result, PG_DIAG_SQLSTATE), "57014") == 0);
    CHECK(strcmp(PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY),
                 "canceling statement due to statement timeout") == 0);
    EXPECT_ROWS(conn, "SELECT 1", "1");
    EXPECT_ERROR(conn, "SELECT 1; SELECT pg_sleep(60)", "57014");
    RUN(conn, "SET statement_timeout = 0");
    EXPECT_ROWS(conn, "SELECT pg_sleep(1.2)", "");
}

/* The server has said something, or has closed the connection. */
static bool is_told(const PGconn *conn)
{
    struct pollfd socket = {.fd = PQsocket(conn), .events = POLLIN};

    return poll(&socket, 1, 60000) == 1;
}

TEST(idle_transactions_time_out)
{
    CLEANUP_CONN PGconn *conn = client_connect("");
    RUN(conn, "SET idle_in_transaction_session_timeout = 200");
    RUN(conn, "BEGIN");
    CHECK(is_told(conn));
    CLEANUP_RESULT PGresult *result = PQexec(conn, "SELECT 1");
    CHECK(PQresultStatus(result) == PGRES_FATAL_ERROR);
    CHECK(
        strstr(PQerrorMessage(conn), "terminating connection due to idle-in-transaction timeout"));
    CHECK(PQstatus(conn) == CONNECTION_BAD);
}

TEST(a_session_is_terminated_by_another)
{
    CLEANUP_CONN PGconn *conn = client_connect("");
    CLEANUP_CONN PGconn *victim = client_connect("");
    char query[80];
    snprintf(query, sizeof(query), "SELECT pg_terminate_backend(%d)", PQbackendPID(victim));
    EXPECT_ROWS(conn, query, "t");
    CHECK(is_told(victim));
    CLEANUP_RESULT PGresult *result = PQexec(victim, "SELECT 1");
    CHECK(PQresultStatus(result) == PGRES_FATAL_ERROR);
    CHECK(PQstatus(victim) == CONNECTION_BAD);
    CHECK(strstr(PQerrorMessage(victim), "terminating connection due to administrator command"));
    PQreset(victim);
    EXPECT_ROWS(victim, "SELECT 1", "1");
}

TEST(a_client_that_leaves_ends_its_transaction)
{
    CLEANUP_CONN PGconn *conn = client_connect("");
    RUN(conn, "DROP TABLE IF EXISTS leave_t; CREATE TABLE leave_t (id int PRIMARY KEY)");
    PGconn *other = client_connect("");
    client_run(__FILE__, __LINE__, other, "BEGIN; INSERT INTO leave_t VALUES (1)");
    close(PQsocket(other)); /* without Terminate */
    RUN(conn, "SET statement_timeout = 10000; INSERT INTO leave_t VALUES (1)");
    EXPECT_ROWS(conn, "SELECT count(*) FROM leave_t", "1");
    RUN(conn, "DROP TABLE leave_t");
    int unused = dup(0); /* PQfinish closes a descriptor of that number */
    PQfinish(other);
    (void)unused;
}

const Test tests_cancel[] = {
    ENTRY(a_sleep_is_cancelled),
    ENTRY(a_long_query_is_cancelled),
    ENTRY(a_wait_for_a_lock_is_cancelled),
    ENTRY(a_late_cancel_does_no_harm),
    ENTRY(statements_time_out),
    ENTRY(idle_transactions_time_out),
    ENTRY(a_session_is_terminated_by_another),
    ENTRY(a_client_that_leaves_ends_its_transaction),
    {0},
};
