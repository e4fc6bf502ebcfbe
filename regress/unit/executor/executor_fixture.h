/* SQL text in, rows as text out: parser, planner and executor over the catalog fixture's cluster.
 */
#ifndef TEST_EXECUTOR_FIXTURE_H
#define TEST_EXECUTOR_FIXTURE_H

#include "../catalog/catalog_fixture.h"

#include "executor/executor.h"

typedef struct SqlClient {
    Client *client;
    ExecSession session; /* its catalog part is the client's */
    Arena *arena;
} SqlClient;

typedef struct SqlResult {
    Str text; /* rows by newlines, columns by bars, nulls as ~ */
    uint64_t rows;
    uint64_t spilled; /* bytes that went to temporary files */
} SqlResult;

int executor_fixture_setup(void **state);
/* In a transaction that has made a table `t` and filled it. */
SqlClient *sql_open_table(const char *insert);
void sql_close(SqlClient *sql);
/* Within the client's transaction; fails the test on an error. The text lives until sql_close. */
SqlResult sql_run(SqlClient *sql, const char *text);
void work_mem_set(int kilobytes);

#endif
