/*
 * A libpq program's tests: each a function that says at its first failure what was wanted.
 *
 *   TEST(pipelines_answer_in_order)
 *   {
 *       CLEANUP_CONN PGconn *conn = client_connect("");
 *       CHECK(PQpipelineStatus(conn) == PQ_PIPELINE_OFF);
 *       EXPECT_ROWS(conn, "SELECT 1", "1");
 *   }
 *
 * The server is where PGHOST, PGPORT, PGUSER and PGDATABASE say, so the same program runs against
 * PostgreSQL.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef void TestFunction(void);

/* Fails the running test, which then returns; the first failure is the one told. */
void client_fail(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool client_failed(void);

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            client_fail(__FILE__, __LINE__, "not so: %s", #condition);                             \
            return;                                                                                \
        }                                                                                          \
    } while (0)

#define CHECK_CALL(call)                                                                           \
    do {                                                                                           \
        call;                                                                                      \
        if (client_failed())                                                                       \
            return;                                                                                \
    } while (0)

/* A session; options as in a connection string, beside the environment's. */
PGconn *client_connect(const char *options);
void client_finish(PGconn **conn);
#define CLEANUP_CONN __attribute__((cleanup(client_finish)))

void client_clear(PGresult **result);
#define CLEANUP_RESULT __attribute__((cleanup(client_clear)))

/* Rows as text: values joined by ',', rows by ';', NULL as \N. Borrowed until the next call. */
const char *client_rows(const PGresult *result);

void client_run(const char *file, int line, PGconn *conn, const char *query);
void client_expect_rows(const char *file, int line, PGconn *conn, const char *query,
                        const char *rows);
void client_expect_error(const char *file, int line, PGconn *conn, const char *query,
                         const char *sqlstate);
/* The next result of a pipeline or a single-row query is of this status, with these rows or
 * SQLSTATE (NULL: any). */
void client_expect_next(const char *file, int line, PGconn *conn, ExecStatusType status,
                        const char *text);
void client_expect_none(const char *file, int line, PGconn *conn);

#define RUN(conn, query) CHECK_CALL(client_run(__FILE__, __LINE__, conn, query))
#define EXPECT_ROWS(conn, query, rows)                                                             \
    CHECK_CALL(client_expect_rows(__FILE__, __LINE__, conn, query, rows))
#define EXPECT_ERROR(conn, query, sqlstate)                                                        \
    CHECK_CALL(client_expect_error(__FILE__, __LINE__, conn, query, sqlstate))
#define EXPECT_NEXT(conn, status, text)                                                            \
    CHECK_CALL(client_expect_next(__FILE__, __LINE__, conn, status, text))
#define EXPECT_NONE(conn) CHECK_CALL(client_expect_none(__FILE__, __LINE__, conn))
/* The whole answer to one statement. */
#define EXPECT_ONLY(conn, status, text)                                                            \
    do {                                                                                           \
        EXPECT_NEXT(conn, status, text);                                                           \
        EXPECT_NONE(conn);                                                                         \
    } while (0)

/* Integers as binary forms have them. */
uint32_t client_big32(uint32_t value);
uint64_t client_big64(uint64_t value);

typedef struct Test {
    const char *name;
    TestFunction *run;
} Test;

#define TEST(name) static void name(void)
#define ENTRY(name)                                                                                \
    {                                                                                              \
#name, name                                                                                \
    }

extern const Test tests_query[], tests_pipeline[], tests_copy[], tests_cancel[];

#endif
