/* The helpers of the information schema, which clients call too; their namespace is its own. */
#include "base/error.h"
#include "catalog/function_session.h"
#include "catalog/lookup.h"
#include "catalog/relation.h"
#include "types/array.h"

enum { VARIABLE_HEADER = 4 }; /* what char's and numeric's modifiers are offset by */

typedef struct Expansion {
    ArrayView array;
    int next;
} Expansion;

/* The elements of an array with their numbers from 1. */
SET_FUNCTION(information_schema_pg_expandarray)
{
    Expansion *expansion = *cursor;

    if (!expansion) {
        *cursor = expansion = ARENA_NEW(call->site_arena, Expansion);
        TRY(array_open(&args[0], &expansion->array));
    }
    *ret_done = expansion->next >= expansion->array.count;
    if (*ret_done)
        return true;
    array_element(&expansion->array, expansion->next++, &ret[0], &ret_nulls[0]);
    ret[1].int32 = expansion->next;
    return true;
}

/* Which place of an index's key a column of its table has. */
FUNCTION(information_schema_pg_index_position)
{
    CatalogSession *session = function_session(call);
    const RelationDesc *index = relation_find(session, args[0].oid);

    *ret_null = true;
    TRY(index || !error_is_set());
    if (!index || index->kind != RELKIND_INDEX || index->index_count == 0)
        return true;
    const IndexDesc *desc = &index->indexes[0];
    for (int i = 0; i < desc->column_count && *ret_null; i++)
        if (desc->columns[i].attnum == args[1].int16) {
            ret->int32 = i + 1;
            *ret_null = false;
        }
    return true;
}

static bool give(int32_t value, bool is_null, Value *ret, bool *ret_null)
{
    ret->int32 = value;
    *ret_null = is_null;
    return true;
}

FUNCTION(information_schema_pg_char_max_length)
{
    const Oid type = args[0].oid;
    const int32_t typmod = args[1].int32;

    if (typmod != -1 && (type == TYPE_BPCHAR || type == TYPE_VARCHAR))
        return give(typmod - VARIABLE_HEADER, false, ret, ret_null);
    return give(0, true, ret, ret_null);
}

FUNCTION(information_schema_pg_char_octet_length)
{
    const Oid type = args[0].oid;
    const int32_t typmod = args[1].int32;
    const int64_t limit = 1 << 30;

    if (type != TYPE_TEXT && type != TYPE_BPCHAR && type != TYPE_VARCHAR)
        return give(0, true, ret, ret_null);
    if (typmod == -1 || type == TYPE_TEXT)
        return give((int32_t)limit, false, ret, ret_null);
    return give((int32_t)MIN((int64_t)(typmod - VARIABLE_HEADER) * 4, limit), false, ret, ret_null);
}

FUNCTION(information_schema_pg_numeric_precision)
{
    const int32_t typmod = args[1].int32;

    switch (args[0].oid) {
    case TYPE_INT2:
        return give(16, false, ret, ret_null);
    case TYPE_INT4:
        return give(32, false, ret, ret_null);
    case TYPE_INT8:
        return give(64, false, ret, ret_null);
    case TYPE_FLOAT4:
        return give(24, false, ret, ret_null);
    case TYPE_FLOAT8:
        return give(53, false, ret, ret_null);
    case TYPE_NUMERIC:
        return give((typmod - VARIABLE_HEADER) >> 16 & 0xffff, typmod == -1, ret, ret_null);
    default:
        return give(0, true, ret, ret_null);
    }
}

FUNCTION(information_schema_pg_numeric_precision_radix)
{
    switch (args[0].oid) {
    case TYPE_INT2:
    case TYPE_INT4:
    case TYPE_INT8:
    case TYPE_FLOAT4:
    case TYPE_FLOAT8:
        return give(2, false, ret, ret_null);
    case TYPE_NUMERIC:
        return give(10, false, ret, ret_null);
    default:
        return give(0, true, ret, ret_null);
    }
}

FUNCTION(information_schema_pg_numeric_scale)
{
    const int32_t typmod = args[1].int32;

    switch (args[0].oid) {
    case TYPE_INT2:
    case TYPE_INT4:
    case TYPE_INT8:
        return give(0, false, ret, ret_null);
    case TYPE_NUMERIC:
        return give((typmod - VARIABLE_HEADER) & 0xffff, typmod == -1, ret, ret_null);
    default:
        return give(0, true, ret, ret_null);
    }
}

FUNCTION(information_schema_pg_datetime_precision)
{
    const int32_t typmod = args[1].int32;

    switch (args[0].oid) {
    case TYPE_DATE:
        return give(0, false, ret, ret_null);
    case TYPE_TIME:
    case TYPE_TIMETZ:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
        return give(typmod < 0 ? 6 : typmod, false, ret, ret_null);
    case TYPE_INTERVAL:
        return give(typmod < 0 || (typmod & 0xffff) == 0xffff ? 6 : typmod & 0xffff, false, ret,
                    ret_null);
    default:
        return give(0, true, ret, ret_null);
    }
}

/* "DAY TO SECOND" of interval day to second: the words after the type's name, upper case. */
FUNCTION(information_schema_pg_interval_type)
{
    *ret_null = true;
    if (args[0].oid != TYPE_INTERVAL)
        return true;
    const Str name =
        type_sql_name(function_session(call), TYPE_INTERVAL, args[1].int32, call->arena);
    const size_t space = str_find_char(name, ' ', 0);
    if (space == SIZE_MAX)
        return true;
    const Str words = str_slice(name, space + 1, SIZE_MAX);
    const size_t parenthesis = MIN(str_find_char(words, '(', 0), words.length);
    StrBuf out = strbuf_in(call->arena);
    for (size_t i = 0; i < parenthesis; i++)
        strbuf_append_char(&out,
                           (char)(words.data[i] >= 'a' && words.data[i] <= 'z' ? words.data[i] - 32
                                                                               : words.data[i]));
    *ret = value_from_buf(&out);
    *ret_null = false;
    return true;
}
