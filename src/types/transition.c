/*
 * Transition functions of sums and averages of integers and intervals, which keep their state in
 * arrays and values that SQL sees: pg_proc has them, and anyone may call them. The aggregates
 * themselves have states of their own (aggregate.c).
 */
#include "types/array.h"
#include "types/datetime_internal.h"
#include "types/numeric_internal.h"

/* Sums of integers: a null sum begins with the first value, and null values are passed over. */
#define INTEGER_SUM(symbol, member)                                                                \
    FUNCTION(symbol)                                                                               \
    {                                                                                              \
        *ret_null = nulls[0] && nulls[1];                                                          \
        ret->int64 = 0;                                                                            \
        for (int i = 0; i < 2; i++)                                                                \
            if (!nulls[i])                                                                         \
                ret->int64 = (int64_t)((uint64_t)ret->int64 +                                      \
                                       (uint64_t)(i ? args[1].member : args[0].int64));            \
        return true;                                                                               \
    }
INTEGER_SUM(int2_sum, int16)
INTEGER_SUM(int4_sum, int32)

FUNCTION(int8_sum)
{
    *ret_null = nulls[0] && nulls[1];
    if (nulls[1]) {
        *ret = args[0];
        return true;
    }
    const Value value = numeric_from_int64(call->arena, args[1].int64);
    if (!nulls[0])
        return numeric_add(call->arena, &args[0], &value, false, ret);
    *ret = value;
    return true;
}

/* {count, sum}, in an array that keeps its lower bound. */
typedef struct CountedSum {
    int64_t count, sum;
    int32_t lower;
} CountedSum;

static bool counted_sum_read(const Value *array, CountedSum *ret)
{
    ArrayView view;
    Value count, sum;
    bool is_null;

    TRY(array_open(array, &view));
    if (view.dimension_count != 1 || view.count != 2 || view.has_nulls)
        FAIL(ERR_INTERNAL_ERROR, .message = STR("expected 2-element int8 array"));
    array_element(&view, 0, &count, &is_null);
    array_element(&view, 1, &sum, &is_null);
    *ret = (CountedSum){count.int64, sum.int64, view.lowers[0]};
    return true;
}

static bool counted_sum_make(Arena *arena, CountedSum sum, Value *ret)
{
    const int32_t length = 2;
    ArrayBuilder builder;
    array_builder_init(&builder, arena, TYPE_INT8);
    array_builder_add(&builder, &(Value){.int64 = sum.count}, false);
    array_builder_add(&builder, &(Value){.int64 = sum.sum}, false);
    return array_builder_finish_shape(&builder, 1, &length, &sum.lower, ret);
}

/* Adds a value, or with count -1 takes away one that a frame has left behind. */
static bool counted_sum_add(FunctionCall *call, const Value *array, int count, int64_t value,
                            Value *ret)
{
    CountedSum state;
    TRY(counted_sum_read(array, &state));
    state.count = (int64_t)((uint64_t)state.count + (uint64_t)count);
    state.sum = (int64_t)((uint64_t)state.sum + (uint64_t)(count * value));
    return counted_sum_make(call->arena, state, ret);
}

FUNCTION(int2_avg_accum)
{
    return counted_sum_add(call, &args[0], 1, args[1].int16, ret);
}
FUNCTION(int4_avg_accum)
{
    return counted_sum_add(call, &args[0], 1, args[1].int32, ret);
}
FUNCTION(int2_avg_accum_inv)
{
    return counted_sum_add(call, &args[0], -1, args[1].int16, ret);
}
FUNCTION(int4_avg_accum_inv)
{
    return counted_sum_add(call, &args[0], -1, args[1].int32, ret);
}
/* Adds to the first state in its place, and so is an aggregate's alone. */
FUNCTION(int4_avg_combine)
{
    FAIL(ERR_INTERNAL_ERROR, .message = STR("aggregate function called in non-aggregate context"));
}

FUNCTION(int8_avg)
{
    CountedSum state;
    TRY(counted_sum_read(&args[0], &state));
    *ret_null = state.count == 0;
    if (*ret_null)
        return true;
    const Value sum = numeric_from_int64(call->arena, state.sum);
    const Value count = numeric_from_int64(call->arena, state.count);
    return numeric_divide(call->arena, &sum, &count, ret);
}

FUNCTION(int2int4_sum)
{
    CountedSum state;
    TRY(counted_sum_read(&args[0], &state));
    *ret_null = state.count == 0;
    ret->int64 = state.sum;
    return true;
}

/* count() that moves with a window's frame; the values counted are not looked at. */
#define COUNT_STEP(symbol, operation)                                                              \
    FUNCTION(symbol)                                                                               \
    {                                                                                              \
        if (operation(args[0].int64, 1, &ret->int64))                                              \
            FAIL_RANGE("bigint");                                                                  \
        return true;                                                                               \
    }
COUNT_STEP(int8dec, __builtin_sub_overflow)
COUNT_STEP(int8inc_any, __builtin_add_overflow)
COUNT_STEP(int8dec_any, __builtin_sub_overflow)
COUNT_STEP(int8inc_float8_float8, __builtin_add_overflow)

/* {sum, count}, the count in the second interval's microseconds. */
typedef struct IntervalState {
    Interval sum;
    int64_t count;
} IntervalState;

static bool interval_state_read(const Value *array, IntervalState *ret)
{
    ArrayView view;
    Value sum, count;
    bool is_null;

    TRY(array_open(array, &view));
    if (view.has_nulls)
        FAIL(ERR_NULL_VALUE_NOT_ALLOWED,
             .message = STR("null array element not allowed in this context"));
    if (view.count != 2)
        FAIL(ERR_INTERNAL_ERROR, .message = STR("expected 2-element interval array"));
    array_element(&view, 0, &sum, &is_null);
    array_element(&view, 1, &count, &is_null);
    *ret = (IntervalState){sum.interval, count.interval.microseconds};
    return true;
}

/* The state with `more` added: `count` is 1, or that of another state. */
static bool interval_state_add(FunctionCall *call, const Value *array, IntervalState more,
                               Value *ret)
{
    IntervalState state;
    Interval sum;
    TRY(interval_state_read(array, &state));
    TRY(interval_plus(&state.sum, &more.sum, &sum));
    const int64_t count = (int64_t)((uint64_t)state.count + (uint64_t)more.count);
    const Value values[] = {{.interval = sum}, {.interval = {.microseconds = count}}};
    return array_from_values(call->arena, TYPE_INTERVAL, values, 2, ret);
}

FUNCTION(interval_accum)
{
    return interval_state_add(call, &args[0], (IntervalState){args[1].interval, 1}, ret);
}

FUNCTION(interval_accum_inv)
{
    IntervalState state;
    Interval sum;
    TRY(interval_state_read(&args[0], &state));
    TRY(interval_minus(&state.sum, &args[1].interval, &sum));
    const int64_t count = (int64_t)((uint64_t)state.count - 1);
    const Value values[] = {{.interval = sum}, {.interval = {.microseconds = count}}};
    return array_from_values(call->arena, TYPE_INTERVAL, values, 2, ret);
}

FUNCTION(interval_combine)
{
    IntervalState other;
    TRY(interval_state_read(&args[1], &other));
    return interval_state_add(call, &args[0], other, ret);
}

FUNCTION(interval_avg)
{
    IntervalState state;
    TRY(interval_state_read(&args[0], &state));
    *ret_null = state.count == 0;
    if (*ret_null)
        return true;
    const double count = (double)state.count;
    return interval_scale(&state.sum, 1.0 / count, count, &ret->interval);
}
