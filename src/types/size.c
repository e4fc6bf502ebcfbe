/* Sizes in words, and what is said of values as such: pg_size_pretty, pg_size_bytes,
 * pg_collation_for. */
#include "types/identifier.h"
#include "types/numeric.h"
#include "types/types_internal.h"

/* `limit`: sizes below it are shown so; `rounds`: the size carries one more bit, for rounding. */
static const struct {
    const char *name;
    uint32_t limit;
    bool rounds;
    int bits;
} units[] = {
    {"bytes", 10 * 1024, false, 0},  {"kB", 20 * 1024 - 1, true, 10},
    {"MB", 20 * 1024 - 1, true, 20}, {"GB", 20 * 1024 - 1, true, 30},
    {"TB", 20 * 1024 - 1, true, 40}, {"PB", 20 * 1024 - 1, true, 50},
};

static int unit_shift(size_t i)
{
    return units[i + 1].bits - units[i].bits - (units[i + 1].rounds ? 1 : 0) +
           (units[i].rounds ? 1 : 0);
}

FUNCTION(pg_size_pretty)
{
    int64_t size = args[0].int64;
    for (size_t i = 0;; i++) {
        const uint64_t magnitude = size < 0 ? -(uint64_t)size : (uint64_t)size;
        if (i + 1 == ARRAY_LENGTH(units) || magnitude < units[i].limit) {
            if (units[i].rounds)
                size = (size + (size < 0 ? -1 : 1)) / 2;
            *ret = value_text(str_format(call->arena, "%lld %s", (long long)size, units[i].name));
            return true;
        }
        size /= INT64_C(1) << unit_shift(i);
    }
}

ScalarFunction fn_numeric_abs, fn_numeric_add, fn_numeric_sub, fn_numeric_mul, fn_numeric_div_trunc;

static bool with_integer(FunctionCall *call, ScalarFunction *operation, Value *size, int64_t by)
{
    const Value both[] = {*size, numeric_from_int64(call->arena, by)};
    const bool nulls[2] = {0};
    bool is_null;
    return operation(call, both, nulls, size, &is_null);
}

FUNCTION(pg_size_pretty_numeric)
{
    Value size = args[0];
    const Value zero = numeric_from_int64(call->arena, 0);
    for (size_t i = 0;; i++) {
        Value magnitude;
        TRY(fn_numeric_abs(call, &size, nulls, &magnitude, ret_null));
        const Value limit = numeric_from_int64(call->arena, units[i].limit);
        if (i + 1 == ARRAY_LENGTH(units) || numeric_order(&magnitude, &limit) < 0) {
            StrBuf out = strbuf_in(call->arena);
            if (units[i].rounds) {
                const bool is_negative = numeric_order(&size, &zero) < 0;
                TRY(with_integer(call, is_negative ? fn_numeric_sub : fn_numeric_add, &size, 1));
                TRY(with_integer(call, fn_numeric_div_trunc, &size, 2));
            }
            numeric_append_text(&size, &out);
            strbuf_format(&out, " %s", units[i].name);
            *ret = value_from_buf(&out);
            return true;
        }
        TRY(with_integer(call, fn_numeric_div_trunc, &size, INT64_C(1) << unit_shift(i)));
    }
}

/* The length of the number that the text begins with; an exponent only where it is one. */
static size_t number_length(Str s)
{
    size_t at = 0, digits = 0;
    if (at < s.length && (s.data[at] == '-' || s.data[at] == '+'))
        at++;
    for (; at < s.length && is_digit(s.data[at]); at++)
        digits++;
    if (at < s.length && s.data[at] == '.')
        for (at++; at < s.length && is_digit(s.data[at]); at++)
            digits++;
    if (digits == 0)
        return 0;
    if (at < s.length && ascii_lower(s.data[at]) == 'e') {
        size_t end = at + 1;
        if (end < s.length && (s.data[end] == '-' || s.data[end] == '+'))
            end++;
        if (end < s.length && is_digit(s.data[end]))
            for (at = end; at < s.length && is_digit(s.data[at]);)
                at++;
    }
    return at;
}

FUNCTION(pg_size_bytes)
{
    const Str original = var_str(args[0].var), s = str_trim(original);
    const size_t length = number_length(s);
    Value size;
    if (length == 0)
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("invalid size: \"%.*s\"", STR_ARGS(original)));
    TRY(numeric_parse(call->arena, str_slice(s, 0, length), -1, &size));
    const Str unit = str_trim(str_slice(s, length, s.length));
    if (unit.length > 0) {
        size_t i = 0;
        while (i < ARRAY_LENGTH(units) && !str_equal_nocase(unit, str_from_c(units[i].name)))
            i++;
        if (i == ARRAY_LENGTH(units))
            FAIL(ERR_INVALID_PARAMETER_VALUE,
                 .message = fmt("invalid size: \"%.*s\"", STR_ARGS(original)),
                 .detail = fmt("Invalid size unit: \"%.*s\".", STR_ARGS(unit)),
                 .hint = STR("Valid units are \"bytes\", \"kB\", \"MB\", \"GB\", \"TB\", and "
                             "\"PB\"."));
        TRY(with_integer(call, fn_numeric_mul, &size, INT64_C(1) << units[i].bits));
    }
    return numeric_to_int64(&size, &ret->int64);
}

FUNCTION(pg_collation_for)
{
    const BuiltinType *type = builtin_type(call->arg_types[0]);
    if (type && !type->collation && type->oid != TYPE_UNKNOWN) {
        StrBuf name = strbuf_in(call->arena);
        type_format(type->oid, TYPMOD_UNASKED, &name);
        FAIL(ERR_DATATYPE_MISMATCH, .message = fmt("collations are not supported by type %.*s",
                                                   STR_ARGS(strbuf_view(&name))));
    }
    switch (call->collation) {
    case COLLATION_DEFAULT:
        *ret = value_text(STR("\"default\""));
        return true;
    case COLLATION_C:
        *ret = value_text(STR("\"C\""));
        return true;
    case COLLATION_POSIX:
        *ret = value_text(STR("\"POSIX\""));
        return true;
    default:
        *ret_null = true;
        return true;
    }
}
