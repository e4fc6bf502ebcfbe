/*
 * Rows of the functions behind system views: all of them gathered at the first call, then given one
 * by one.
 *
 *   static bool fill(FunctionCall *call, const Value *args, const bool *nulls, ViewRows *rows)
 *   {
 *       ViewRow row = view_row_add(rows);             every column null
 *       view_put_text(row, 0, STR("…"));              STR_NONE stays null
 *       return true;
 *   }
 *   VIEW_FUNCTION(pg_cursor, 6, fill)
 *
 * What is put lives in rows->arena or is copied there. Gathering at once keeps locks short: no
 * mutex is held while rows are on their way.
 */
#ifndef SERVER_VIEW_ROWS_H
#define SERVER_VIEW_ROWS_H

#include "server/session.h"
#include "types/function.h"

typedef struct ViewRow {
    Value *values;
    bool *nulls;
    Arena *arena;
} ViewRow;

typedef struct ViewRows {
    Arena *arena;
    int column_count;
    VEC(ViewRow) rows;
    size_t next;
} ViewRows;

ViewRow view_row_add(ViewRows *rows);
void view_put_text(ViewRow row, int column, Str text);
void view_put_bool(ViewRow row, int column, bool value);
void view_put_int16(ViewRow row, int column, int16_t value);
void view_put_int32(ViewRow row, int column, int32_t value);
void view_put_int64(ViewRow row, int column, int64_t value);
void view_put_oid(ViewRow row, int column, Oid value); /* OID_NONE stays null */
/* Wall clock, microseconds since 1970; 0 stays null. */
void view_put_time(ViewRow row, int column, int64_t wall_clock);
void view_put_value(ViewRow row, int column, Value value);
MUST_CHECK bool view_put_texts(ViewRow row, int column, const Str *texts, int count);
/* inet of a socket's address; what is neither IPv4 nor IPv6 stays null. */
MUST_CHECK bool view_put_address(ViewRow row, int column, const struct sockaddr *address);
MUST_CHECK bool inet_of_address(Arena *arena, const struct sockaddr *address, Value *ret,
                                bool *ret_null);

typedef bool ViewFill(FunctionCall *call, const Value *args, const bool *nulls, ViewRows *rows);
MUST_CHECK bool view_rows_give(FunctionCall *call, const Value *args, const bool *nulls,
                               void **cursor, int column_count, ViewFill *fill, Value *ret,
                               bool *ret_nulls, bool *ret_done);

#define VIEW_FUNCTION(symbol, column_count, fill)                                                  \
    SET_FUNCTION(symbol)                                                                           \
    {                                                                                              \
        return view_rows_give(call, args, nulls, cursor, column_count, fill, ret, ret_nulls,       \
                              ret_done);                                                           \
    }
/* The view of something that this server does not have: truly empty. */
#define EMPTY_VIEW_FUNCTION(symbol)                                                                \
    SET_FUNCTION(symbol)                                                                           \
    {                                                                                              \
        *ret_done = true;                                                                          \
        return true;                                                                               \
    }

/* The session that calls, from FunctionCall.session. */
static inline Session *view_session(const FunctionCall *call)
{
    return session_of((ExecSession *)call->session);
}

/* Registers the functions of this room; once, at the start of the process. */
void server_functions_init(void);

#endif
