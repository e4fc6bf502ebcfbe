/* Aggregates that collect: string_agg, array_agg; and those of intervals. */
#include "base/pace.h"
#include "types/aggregate_internal.h"
#include "types/array.h"
#include "types/datetime_internal.h"

typedef struct TextState {
    bool has_value;
    StrBuf text;
} TextState;

UPDATE(string_agg_update)
{
    uint32_t nth = 0;
    FOR_SELECTED (selection, row) {
        TextState *state = aggregate_state(target, nth++);
        Value value, delimiter;
        bool is_null, no_delimiter;
        vector_get(args[0], row, &value, &is_null);
        vector_get(args[1], row, &delimiter, &no_delimiter);
        if (is_null)
            continue;
        state->text.arena = call->state_arena;
        if (state->has_value && !no_delimiter)
            TRY(pace_append(&state->text, var_str(delimiter.var)));
        state->has_value = true;
        if (state->text.length + value.var.length > VALUE_SIZE_MAX)
            FAIL(ERR_PROGRAM_LIMIT_EXCEEDED, .message = STR("out of memory"),
                 .detail =
                     fmt("Cannot enlarge string buffer containing %zu bytes by %u more bytes.",
                         state->text.length, value.var.length));
        TRY(pace_append(&state->text, var_str(value.var)));
    }
    return true;
}

FINAL(string_agg_final)
{
    const TextState *s = from;
    *ret_null = !s->has_value;
    if (*ret_null)
        return true;
    const Str text = strbuf_view(&s->text);
    char *copy = pace_arena_copy(call->arena, text.data, text.length);
    TRY(copy);
    ret->var = var_make(copy, text.length);
    return true;
}

AGGREGATE(string_agg_text_text) = {sizeof(TextState), string_agg_update, NULL, string_agg_final};
AGGREGATE(string_agg_bytea_bytea) = {sizeof(TextState), string_agg_update, NULL, string_agg_final};

typedef struct ArrayState {
    bool has_value;
    ArrayBuilder builder;
} ArrayState;

static Oid element_type(const FunctionCall *call)
{
    const BuiltinType *type = builtin_type(call->result_type);
    return type && type->element ? type->element : call->arg_types[0];
}

UPDATE(array_agg_update)
{
    uint32_t nth = 0;
    FOR_SELECTED (selection, row) {
        ArrayState *state = aggregate_state(target, nth++);
        Value value;
        bool is_null;
        vector_get(args[0], row, &value, &is_null);
        if (!state->has_value) {
            array_builder_init(&state->builder, call->state_arena, call->arg_types[0]);
            state->has_value = true;
        }
        if (!is_null)
            value = value_copy(call->state_arena, args[0]->type, &value);
        array_builder_add(&state->builder, &value, is_null);
    }
    return true;
}

FINAL(array_agg_final)
{
    const ArrayState *s = from;
    *ret_null = !s->has_value;
    if (*ret_null)
        return true;
    ArrayBuilder builder = s->builder;
    builder.arena = call->arena;
    return array_builder_finish(&builder, ret);
}

/* Arrays of one shape become rows of an array with one more dimension. */
UPDATE(array_array_update)
{
    for (uint32_t i = 0; i < selection.count; i++)
        if (vector_is_null(args[0], selection_row(selection, i)))
            FAIL(ERR_NULL_VALUE_NOT_ALLOWED, .message = STR("cannot accumulate null arrays"));
    return array_agg_update(call, args, selection, target);
}

FINAL(array_array_final)
{
    const ArrayState *s = from;
    *ret_null = !s->has_value;
    if (*ret_null)
        return true;
    for (int i = 0; i < s->builder.count; i++) {
        ArrayView first, view;
        CHECK_INTERRUPTS_EACH(i);
        TRY(array_open(&s->builder.values[0], &first));
        TRY(array_open(&s->builder.values[i], &view));
        if (view.count == 0)
            FAIL(ERR_ARRAY_SUBSCRIPT_ERROR, .message = STR("cannot accumulate empty arrays"));
        if (first.dimension_count != view.dimension_count ||
            memcmp(first.lengths, view.lengths, sizeof(view.lengths)) != 0 ||
            memcmp(first.lowers, view.lowers, sizeof(view.lowers)) != 0)
            FAIL(ERR_ARRAY_SUBSCRIPT_ERROR,
                 .message = STR("cannot accumulate arrays of different dimensionality"));
    }
    return array_stack(call->arena, element_type(call), s->builder.values, s->builder.nulls,
                       s->builder.count, ret);
}

AGGREGATE(array_agg_anynonarray) = {sizeof(ArrayState), array_agg_update, NULL, array_agg_final};
AGGREGATE(array_agg_anyarray) = {sizeof(ArrayState), array_array_update, NULL, array_array_final};

/* Intervals. */
typedef struct IntervalSum {
    int64_t count;
    int64_t months, days, microseconds;
} IntervalSum;

UPDATE(interval_update)
{
    uint32_t nth = 0;
    FOR_SELECTED (selection, row) {
        IntervalSum *s = aggregate_state(target, nth++);
        Value value;
        bool is_null;
        vector_get(args[0], row, &value, &is_null);
        if (is_null)
            continue;
        s->count++;
        s->months += value.interval.months;
        s->days += value.interval.days;
        if (__builtin_add_overflow(s->microseconds, value.interval.microseconds, &s->microseconds))
            FAIL_INTERVAL_RANGE();
    }
    return true;
}

COMBINE(interval_combine)
{
    IntervalSum *a = into;
    const IntervalSum *b = from;
    a->count += b->count;
    a->months += b->months;
    a->days += b->days;
    if (__builtin_add_overflow(a->microseconds, b->microseconds, &a->microseconds))
        FAIL_INTERVAL_RANGE();
    return true;
}

FINAL(interval_sum)
{
    const IntervalSum *s = from;
    *ret_null = s->count == 0;
    if (s->months != (int32_t)s->months || s->days != (int32_t)s->days)
        FAIL_INTERVAL_RANGE();
    ret->interval = (Interval){s->microseconds, (int32_t)s->days, (int32_t)s->months};
    return true;
}

FINAL(interval_average)
{
    Value sum;
    const IntervalSum *s = from;
    TRY(interval_sum(call, from, &sum, ret_null));
    return *ret_null ? true
                     : interval_scale(&sum.interval, 1.0 / (double)s->count, (double)s->count,
                                      &ret->interval);
}

AGGREGATE(sum_interval) = {sizeof(IntervalSum), interval_update, interval_combine, interval_sum};
AGGREGATE(avg_interval) = {sizeof(IntervalSum), interval_update, interval_combine,
                           interval_average};
