#include "client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char failure[2000];
static char rows_text[1 << 16];

void client_fail(const char *file, int line, const char *format, ...)
{
    va_list args;

    if (failure[0])
        return;
    const char *slash = strrchr(file, '/');
    int length = snprintf(failure, sizeof(failure), "%s:%d: ", slash ? slash + 1 : file, line);
    va_start(args, format);
    vsnprintf(failure + length, sizeof(failure) - (size_t)length, format, args);
    va_end(args);
    for (char *c = failure; *c; c++)
        if (*c == '\n')
            *c = '|';
}

bool client_failed(void)
{
    return failure[0] != 0;
}

PGconn *client_connect(const char *options)
{
    PGconn *conn = PQconnectdb(options);

    if (PQstatus(conn) != CONNECTION_OK)
        client_fail(__FILE__, __LINE__, "no connection: %s", PQerrorMessage(conn));
    return conn;
}

void client_finish(PGconn **conn)
{
    PQfinish(*conn);
}

void client_clear(PGresult **result)
{
    PQclear(*result);
}

const char *client_rows(const PGresult *result)
{
    size_t length = 0;

    rows_text[0] = 0;
    for (int row = 0; row < PQntuples(result); row++) {
        for (int column = 0; column < PQnfields(result); column++) {
            const char *value =
                PQgetisnull(result, row, column) ? "\\N" : PQgetvalue(result, row, column);
            if (length < sizeof(rows_text))
                length += (size_t)snprintf(rows_text + length, sizeof(rows_text) - length, "%s%s",
                                           column ? ","
                                           : row  ? ";"
                                                  : "",
                                           value);
        }
    }
    return rows_text;
}

void client_run(const char *file, int line, PGconn *conn, const char *query)
{
    CLEANUP_RESULT PGresult *result = PQexec(conn, query);
    ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        client_fail(file, line, "%s: %s", query, PQerrorMessage(conn));
}

void client_expect_rows(const char *file, int line, PGconn *conn, const char *query,
                        const char *rows)
{
    CLEANUP_RESULT PGresult *result = PQexec(conn, query);

    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        client_fail(file, line, "%s: %s", query, PQerrorMessage(conn));
    else if (strcmp(client_rows(result), rows) != 0)
        client_fail(file, line, "%s: wanted %s, got %s", query, rows, rows_text);
}

static const char *state_of(const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    return state ? state : "none";
}

void client_expect_error(const char *file, int line, PGconn *conn, const char *query,
                         const char *sqlstate)
{
    CLEANUP_RESULT PGresult *result = PQexec(conn, query);

    if (strcmp(state_of(result), sqlstate) != 0)
        client_fail(file, line, "%s: wanted SQLSTATE %s, got %s %s", query, sqlstate,
                    state_of(result), PQresultErrorMessage(result));
}

void client_expect_next(const char *file, int line, PGconn *conn, ExecStatusType status,
                        const char *text)
{
    CLEANUP_RESULT PGresult *result = PQgetResult(conn);

    if (!result)
        client_fail(file, line, "wanted %s, got no result", PQresStatus(status));
    else if (PQresultStatus(result) != status)
        client_fail(file, line, "wanted %s, got %s: %s", PQresStatus(status),
                    PQresStatus(PQresultStatus(result)), PQresultErrorMessage(result));
    else if (text && status == PGRES_FATAL_ERROR && strcmp(state_of(result), text) != 0)
        client_fail(file, line, "wanted SQLSTATE %s, got %s", text, state_of(result));
    else if (text && status != PGRES_FATAL_ERROR && strcmp(client_rows(result), text) != 0)
        client_fail(file, line, "wanted %s, got %s", text, rows_text);
}

void client_expect_none(const char *file, int line, PGconn *conn)
{
    CLEANUP_RESULT PGresult *result = PQgetResult(conn);

    if (result)
        client_fail(file, line, "wanted no further result, got %s: %s",
                    PQresStatus(PQresultStatus(result)), PQresultErrorMessage(result));
}

uint32_t client_big32(uint32_t value)
{
    return __builtin_bswap32(value);
}

uint64_t client_big64(uint64_t value)
{
    return __builtin_bswap64(value);
}

static bool is_wanted(const char *name, int count, char **arguments)
{
    for (int i = 1; i < count; i++)
        if (strcmp(arguments[i], name) == 0)
            return true;
    return count == 1;
}

int main(int count, char **arguments)
{
    const Test *const groups[] = {tests_query, tests_pipeline, tests_copy, tests_cancel};
    bool any_failed = false;

    for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++) {
        for (const Test *test = groups[g]; test->name; test++) {
            if (!is_wanted(test->name, count, arguments))
                continue;
            failure[0] = 0;
            test->run();
            if (failure[0])
                printf("not ok libpq/%s: %s\n", test->name, failure);
            else
                printf("ok libpq/%s\n", test->name);
            fflush(stdout);
            any_failed |= failure[0] != 0;
        }
    }
    return any_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
