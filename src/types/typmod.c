/* Type modifiers as functions of SQL: varchartypmodin('{10}'), varchartypmodout(14). */
#include "types/array.h"
#include "types/datetime_internal.h"
#include "types/types_internal.h"

enum { MODIFIERS_MAX = 8 };

/* The modifiers are integers, written as text. */
static bool modifiers_read(FunctionCall *call, const Value *array, int64_t *ret, int *ret_count)
{
    ArrayView view;

    TRY(array_open(array, &view));
    if (view.dimension_count != 1)
        FAIL(ERR_ARRAY_SUBSCRIPT_ERROR, .message = STR("typmod array must be one-dimensional"));
    if (view.has_nulls)
        FAIL(ERR_NULL_VALUE_NOT_ALLOWED, .message = STR("typmod array must not contain nulls"));
    for (int i = 0; i < view.count; i++) {
        Value text, number;
        bool is_null;
        array_element(&view, i, &text, &is_null);
        TRY(type_input(call->arena, TYPE_INT4, -1, var_str(text.var), &number));
        if (i < MODIFIERS_MAX)
            ret[i] = number.int32;
    }
    *ret_count = MIN(view.count, MODIFIERS_MAX);
    return true;
}

static bool typmod_read(FunctionCall *call, Oid type, const Value *array, Value *ret)
{
    int64_t modifiers[MODIFIERS_MAX];
    int count;
    TRY(modifiers_read(call, array, modifiers, &count));
    return builtin_type(type)->typmod_in(modifiers, count, &ret->int32);
}

/* What follows the type's name: times say there, too, whether they have a zone. */
static bool typmod_write(FunctionCall *call, Oid type, int32_t typmod, Value *ret)
{
    StrBuf out = strbuf_in(call->arena);
    if (type == TYPE_INTERVAL && typmod >= 0 && !interval_range_text((typmod >> 16) & 0x7fff))
        FAIL(ERR_INTERNAL_ERROR, .message = fmt("invalid INTERVAL typmod: 0x%x", (unsigned)typmod));
    builtin_type(type)->typmod_out(typmod, &out);
    if (type == TYPE_TIME || type == TYPE_TIMESTAMP)
        strbuf_append_c(&out, " without time zone");
    else if (type == TYPE_TIMETZ || type == TYPE_TIMESTAMPTZ)
        strbuf_append_c(&out, " with time zone");
    *ret = value_from_buf(&out);
    return true;
}

#define TYPMOD(name, type)                                                                         \
    FUNCTION(name##typmodin)                                                                       \
    {                                                                                              \
        return typmod_read(call, type, &args[0], ret);                                             \
    }                                                                                              \
    FUNCTION(name##typmodout)                                                                      \
    {                                                                                              \
        return typmod_write(call, type, args[0].int32, ret);                                       \
    }
TYPMOD(bpchar, TYPE_BPCHAR)
TYPMOD(varchar, TYPE_VARCHAR)
TYPMOD(numeric, TYPE_NUMERIC)
TYPMOD(time, TYPE_TIME)
TYPMOD(timetz, TYPE_TIMETZ)
TYPMOD(timestamp, TYPE_TIMESTAMP)
TYPMOD(timestamptz, TYPE_TIMESTAMPTZ)
TYPMOD(interval, TYPE_INTERVAL)
