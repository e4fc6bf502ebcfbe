#include "server/view_rows.h"

#include <netinet/in.h>

#include "base/os.h"
#include "protocol/hba.h"
#include "types/array.h"

ViewRow view_row_add(ViewRows *rows)
{
    const size_t count = (size_t)rows->column_count;
    ViewRow row = {.values = ARENA_ARRAY(rows->arena, Value, count),
                   .nulls = ARENA_ARRAY(rows->arena, bool, count),
                   .arena = rows->arena};

    memset(row.nulls, 1, count * sizeof(bool));
    VEC_PUSH(rows->arena, &rows->rows, row);
    return row;
}

void view_put_value(ViewRow row, int column, Value value)
{
    row.values[column] = value;
    row.nulls[column] = false;
}

void view_put_text(ViewRow row, int column, Str text)
{
    if (!str_is_none(text))
        view_put_value(row, column, (Value){.var = var_from_str(str_copy(row.arena, text))});
}

void view_put_bool(ViewRow row, int column, bool value)
{
    view_put_value(row, column, (Value){.boolean = value});
}

void view_put_int16(ViewRow row, int column, int16_t value)
{
    view_put_value(row, column, (Value){.int16 = value});
}

void view_put_int32(ViewRow row, int column, int32_t value)
{
    view_put_value(row, column, (Value){.int32 = value});
}

void view_put_int64(ViewRow row, int column, int64_t value)
{
    view_put_value(row, column, (Value){.int64 = value});
}

void view_put_oid(ViewRow row, int column, Oid value)
{
    if (value != OID_NONE)
        view_put_value(row, column, (Value){.oid = value});
}

void view_put_time(ViewRow row, int column, int64_t wall_clock)
{
    if (wall_clock != 0)
        view_put_value(row, column, (Value){.int64 = wall_clock - WALL_CLOCK_2000});
}

bool view_put_texts(ViewRow row, int column, const Str *texts, int count)
{
    Value *values = ARENA_ARRAY(row.arena, Value, (size_t)count + 1);
    Value array;

    for (int i = 0; i < count; i++)
        values[i].var = var_from_str(str_copy(row.arena, texts[i]));
    TRY(array_from_values(row.arena, TYPE_TEXT, values, count, &array));
    view_put_value(row, column, array);
    return true;
}

bool inet_of_address(Arena *arena, const struct sockaddr *address, Value *ret, bool *ret_null)
{
    *ret_null = address->sa_family != AF_INET && address->sa_family != AF_INET6;
    return *ret_null || type_input(arena, TYPE_INET, -1, address_text(arena, address), ret);
}

bool view_put_address(ViewRow row, int column, const struct sockaddr *address)
{
    return inet_of_address(row.arena, address, &row.values[column], &row.nulls[column]);
}

bool view_rows_give(FunctionCall *call, const Value *args, const bool *nulls, void **cursor,
                    int column_count, ViewFill *fill, Value *ret, bool *ret_nulls, bool *ret_done)
{
    ViewRows *rows = *cursor;

    if (!rows) {
        *cursor = rows = ARENA_NEW(call->site_arena, ViewRows);
        rows->arena = call->site_arena;
        rows->column_count = column_count;
        TRY(fill(call, args, nulls, rows));
    }
    *ret_done = rows->next == rows->rows.length;
    if (*ret_done)
        return true;
    const ViewRow row = rows->rows.items[rows->next++];
    memcpy(ret, row.values, (size_t)column_count * sizeof(Value));
    memcpy(ret_nulls, row.nulls, (size_t)column_count * sizeof(bool));
    return true;
}

extern const BuiltinFunction server_functions[];
extern const size_t server_function_count;

void server_functions_init(void)
{
    builtin_functions_register(server_functions, server_function_count);
}
