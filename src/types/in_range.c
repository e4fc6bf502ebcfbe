/* in_range(value, base, offset, subtract, less): the edges of RANGE frames with offsets. */
#include <math.h>

#include "types/datetime_internal.h"
#include "types/numeric_internal.h"

#define FAIL_OFFSET()                                                                              \
    FAIL(ERR_INVALID_PRECEDING_OR_FOLLOWING_SIZE,                                                  \
         .message = STR("invalid preceding or following size in window function"))

/* Wide enough that no sum overflows: what lies beyond a type's range compares as such. */
static bool integer_in_range(int64_t value, int64_t base, int64_t offset, const Value *args,
                             Value *ret)
{
    if (offset < 0)
        FAIL_OFFSET();
    const int128 edge = args[3].boolean ? (int128)base - offset : (int128)base + offset;
    ret->boolean = args[4].boolean ? value <= edge : value >= edge;
    return true;
}

#define INTEGER_IN_RANGE(symbol, field, offset_field)                                              \
    FUNCTION(symbol)                                                                               \
    {                                                                                              \
        return integer_in_range(args[0].field, args[1].field, args[2].offset_field, args, ret);    \
    }
INTEGER_IN_RANGE(in_range_int2_int2, int16, int16)
INTEGER_IN_RANGE(in_range_int2_int4, int16, int32)
INTEGER_IN_RANGE(in_range_int2_int8, int16, int64)
INTEGER_IN_RANGE(in_range_int4_int2, int32, int16)
INTEGER_IN_RANGE(in_range_int4_int4, int32, int32)
INTEGER_IN_RANGE(in_range_int4_int8, int32, int64)
INTEGER_IN_RANGE(in_range_int8_int8, int64, int64)

/* NaN is the greatest value and its own only peer; false: neither side is NaN. */
static bool nan_in_range(bool value_nan, bool base_nan, bool less, bool *ret)
{
    if (value_nan)
        *ret = base_nan || !less;
    else if (base_nan)
        *ret = less;
    return value_nan || base_nan;
}

static bool float_in_range(double value, double base, const Value *args, Value *ret)
{
    const double offset = args[2].float64;
    const bool subtract = args[3].boolean, less = args[4].boolean;
    if (isnan(offset) || offset < 0)
        FAIL_OFFSET();
    if (nan_in_range(isnan(value), isnan(base), less, &ret->boolean))
        return true;
    /* An infinite offset from an infinite base in its direction leaves nothing out. */
    if (isinf(offset) && isinf(base) && (subtract ? base > 0 : base < 0)) {
        ret->boolean = true;
        return true;
    }
    const double edge = subtract ? base - offset : base + offset;
    ret->boolean = less ? value <= edge : value >= edge;
    return true;
}

FUNCTION(in_range_float4_float8)
{
    return float_in_range(args[0].float32, args[1].float32, args, ret);
}

FUNCTION(in_range_float8_float8)
{
    return float_in_range(args[0].float64, args[1].float64, args, ret);
}

FUNCTION(in_range_numeric_numeric)
{
    const Value zero = numeric_from_int64(call->arena, 0);
    const bool subtract = args[3].boolean, less = args[4].boolean;
    const NumericKind offset = numeric_kind(&args[2]), base = numeric_kind(&args[1]);
    if (offset == NUMERIC_NAN || type_compare(TYPE_NUMERIC, &args[2], &zero) < 0)
        FAIL_OFFSET();
    if (nan_in_range(numeric_kind(&args[0]) == NUMERIC_NAN, base == NUMERIC_NAN, less,
                     &ret->boolean))
        return true;
    if (offset != NUMERIC_FINITE && base != NUMERIC_FINITE &&
        (type_compare(TYPE_NUMERIC, &args[1], &zero) > 0) == subtract) {
        ret->boolean = true;
        return true;
    }
    Value edge;
    TRY(numeric_add(call->arena, &args[1], &args[2], subtract, &edge));
    const int order = type_compare(TYPE_NUMERIC, &args[0], &edge);
    ret->boolean = less ? order <= 0 : order >= 0;
    return true;
}

/* ---- dates and times ---- */

typedef bool AddInterval(int64_t timestamp, const Interval *interval, int64_t *ret);

static bool moment_in_range(int64_t value, int64_t base, AddInterval *add, const Value *args,
                            Value *ret)
{
    Interval offset = args[2].interval;
    int64_t edge;
    if (interval_span(&offset) < 0)
        FAIL_OFFSET();
    if (args[3].boolean)
        TRY(interval_negate(&args[2].interval, &offset));
    TRY(add(base, &offset, &edge));
    ret->boolean = args[4].boolean ? value <= edge : value >= edge;
    return true;
}

FUNCTION(in_range_timestamp_interval)
{
    return moment_in_range(args[0].int64, args[1].int64, timestamp_add_interval, args, ret);
}

FUNCTION(in_range_timestamptz_interval)
{
    return moment_in_range(args[0].int64, args[1].int64, timestamptz_add_interval, args, ret);
}

FUNCTION(in_range_date_interval)
{
    int64_t value, base;
    TRY(date_to_timestamp(args[0].int32, &value));
    TRY(date_to_timestamp(args[1].int32, &base));
    return moment_in_range(value, base, timestamp_add_interval, args, ret);
}

/* A time of day does not wrap around here: past midnight is past every time. */
FUNCTION(in_range_time_interval)
{
    const int64_t offset = args[2].interval.microseconds;
    if (offset < 0)
        FAIL_OFFSET();
    const int128 base = args[1].int64;
    const int128 edge = args[3].boolean ? base - offset : base + offset;
    ret->boolean = args[4].boolean ? args[0].int64 <= edge : args[0].int64 >= edge;
    return true;
}

FUNCTION(in_range_timetz_interval)
{
    const int64_t offset = args[2].interval.microseconds;
    Value edge = args[1];
    if (offset < 0)
        FAIL_OFFSET();
    if (args[3].boolean) {
        edge.timetz.microseconds -= offset;
    } else if (__builtin_add_overflow(edge.timetz.microseconds, offset,
                                      &edge.timetz.microseconds)) {
        ret->boolean = args[4].boolean;
        return true;
    }
    const int order = type_compare(TYPE_TIMETZ, &args[0], &edge);
    ret->boolean = args[4].boolean ? order <= 0 : order >= 0;
    return true;
}

FUNCTION(in_range_interval_interval)
{
    const Interval *base = &args[1].interval, *offset = &args[2].interval;
    if (interval_span(offset) < 0)
        FAIL_OFFSET();
    const int128 span = interval_span(offset);
    const int128 edge = interval_span(base) + (args[3].boolean ? -span : span);
    const int128 value = interval_span(&args[0].interval);
    ret->boolean = args[4].boolean ? value <= edge : value >= edge;
    return true;
}
