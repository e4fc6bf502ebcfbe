/* count, sum, avg, min, max, and, or: the aggregates of everyday. */
#include <stdlib.h>

#include "types/aggregate_internal.h"
#include "types/array.h"
#include "types/datetime_internal.h"
#include "types/numeric_internal.h"

/* count */

UPDATE(count_rows)
{
    if (target.single) {
        *(int64_t *)target.single += selection.count;
        return true;
    }
    for (uint32_t i = 0; i < selection.count; i++)
        ++*(int64_t *)target.states[i];
    return true;
}

UPDATE(count_values)
{
    if (!args[0]->has_nulls)
        return count_rows(call, args, selection, target);
    FOR_INPUT(int64_t, ++*state;);
    return true;
}

COMBINE(count_combine)
{
    *(int64_t *)into += *(const int64_t *)from;
    return true;
}

FINAL(count_final)
{
    ret->int64 = *(const int64_t *)from;
    return true;
}

AGGREGATE(count) = {sizeof(int64_t), count_rows, count_combine, count_final};
AGGREGATE(count_any) = {sizeof(int64_t), count_values, count_combine, count_final};

/* Sums of integers: 128 bits never overflow; the result's type decides in the end. */
typedef struct IntegerSum {
    int128 sum;
    int64_t count;
} IntegerSum;

#define INTEGER_SUM(name, ctype)                                                                   \
    UPDATE(name)                                                                                   \
    {                                                                                              \
        const ctype *values = args[0]->values;                                                     \
        if (target.single && !args[0]->has_nulls && !args[0]->constant) {                          \
            IntegerSum *all = target.single;                                                       \
            int128 sum = 0;                                                                        \
            FOR_SELECTED (selection, row)                                                          \
                sum += values[row];                                                                \
            all->sum += sum;                                                                       \
            all->count += selection.count;                                                         \
            return true;                                                                           \
        }                                                                                          \
        FOR_INPUT(IntegerSum, state->sum += values[at]; state->count++;);                          \
        return true;                                                                               \
    }
INTEGER_SUM(sum_int16, int16_t)
INTEGER_SUM(sum_int32, int32_t)
INTEGER_SUM(sum_int64, int64_t)

COMBINE(integer_combine)
{
    IntegerSum *a = into;
    const IntegerSum *b = from;
    a->sum += b->sum;
    a->count += b->count;
    return true;
}

FINAL(integer_sum_int8)
{
    const IntegerSum *s = from;
    *ret_null = s->count == 0;
    if (s->sum > INT64_MAX || s->sum < INT64_MIN)
        FAIL_RANGE("bigint");
    ret->int64 = (int64_t)s->sum;
    return true;
}

FINAL(integer_sum_numeric)
{
    const IntegerSum *s = from;
    *ret_null = s->count == 0;
    *ret = numeric_from_int128(call->arena, s->sum, 0);
    return true;
}

FINAL(integer_average)
{
    const IntegerSum *s = from;
    *ret_null = s->count == 0;
    if (*ret_null)
        return true;
    const Value sum = numeric_from_int128(call->arena, s->sum, 0);
    const Value count = numeric_from_int64(call->arena, s->count);
    return numeric_divide(call->arena, &sum, &count, ret);
}

AGGREGATE(sum_int2) = {sizeof(IntegerSum), sum_int16, integer_combine, integer_sum_int8};
AGGREGATE(sum_int4) = {sizeof(IntegerSum), sum_int32, integer_combine, integer_sum_int8};
AGGREGATE(sum_int8) = {sizeof(IntegerSum), sum_int64, integer_combine, integer_sum_numeric};
AGGREGATE(avg_int2) = {sizeof(IntegerSum), sum_int16, integer_combine, integer_average};
AGGREGATE(avg_int4) = {sizeof(IntegerSum), sum_int32, integer_combine, integer_average};
AGGREGATE(avg_int8) = {sizeof(IntegerSum), sum_int64, integer_combine, integer_average};

/* Sums of numerics: int128 while everything is small, the general form beyond. */
typedef struct NumericSum {
    int128 small;
    int32_t scale;
    bool is_big;
    int64_t count;
    Value big;
} NumericSum;

static bool numeric_sum_spill(FunctionCall *call, NumericSum *s)
{
    if (!s->is_big)
        s->big = numeric_from_int128(call->state_arena, s->small, s->scale);
    s->is_big = true;
    return true;
}

static bool numeric_sum_add(FunctionCall *call, NumericSum *s, const Value *value)
{
    int128 mantissa;
    int scale;

    s->count++;
    if (!s->is_big && numeric_small(value, &mantissa, &scale)) {
        int128 sum = s->small;
        const int by = abs(scale - s->scale);
        int128 *shorter = scale < s->scale ? &mantissa : &sum;
        if ((by == 0 ||
             (by <= 37 && !__builtin_mul_overflow(*shorter, power_of_10(by), shorter))) &&
            !__builtin_add_overflow(sum, mantissa, &sum) && sum < ((int128)1 << 119) &&
            sum > -((int128)1 << 119)) {
            s->small = sum;
            s->scale = MAX(scale, s->scale);
            return true;
        }
    }
    numeric_sum_spill(call, s);
    Value sum;
    const ArenaMark mark = arena_mark(call->arena);
    TRY(numeric_add(call->arena, &s->big, value, false, &sum));
    /* The sum is written over where it fits, so that a million additions take one place. */
    if (sum.var.length <= s->big.var.length && numeric_kind(&s->big) == NUMERIC_FINITE) {
        memcpy((char *)s->big.var.data, sum.var.data, sum.var.length);
        s->big.var = var_make(s->big.var.data, sum.var.length);
    } else {
        s->big = value_copy(call->state_arena, PHYS_VAR, &sum);
    }
    if (call->arena != call->state_arena)
        arena_rewind(call->arena, mark);
    return true;
}

static Value numeric_sum_value(Arena *arena, const NumericSum *s)
{
    return s->is_big ? value_copy(arena, PHYS_VAR, &s->big)
                     : numeric_from_int128(arena, s->small, s->scale);
}

UPDATE(numeric_sum_update)
{
    const VarRef *values = args[0]->values;
    FOR_INPUT(NumericSum, {
        const Value value = {.var = values[at]};
        TRY(numeric_sum_add(call, state, &value));
    });
    return true;
}

COMBINE(numeric_sum_combine)
{
    NumericSum *a = into;
    const NumericSum *b = from;
    if (b->count == 0)
        return true;
    const Value other = numeric_sum_value(call->arena, b);
    TRY(numeric_sum_add(call, a, &other));
    a->count += b->count - 1;
    return true;
}

FINAL(numeric_sum_final)
{
    const NumericSum *s = from;
    *ret_null = s->count == 0;
    *ret = numeric_sum_value(call->arena, s);
    return true;
}

FINAL(numeric_average)
{
    const NumericSum *s = from;
    *ret_null = s->count == 0;
    if (*ret_null)
        return true;
    const Value sum = numeric_sum_value(call->arena, s);
    const Value count = numeric_from_int64(call->arena, s->count);
    return numeric_divide(call->arena, &sum, &count, ret);
}

AGGREGATE(sum_numeric) = {sizeof(NumericSum), numeric_sum_update, numeric_sum_combine,
                          numeric_sum_final};
AGGREGATE(avg_numeric) = {sizeof(NumericSum), numeric_sum_update, numeric_sum_combine,
                          numeric_average};

/* Variances of exact types: count, sum and sum of squares, exactly. */
typedef struct ExactSquares {
    NumericSum sum, squares;
} ExactSquares;

static bool squares_add(FunctionCall *call, ExactSquares *s, const Value *value)
{
    Value square;
    TRY(numeric_multiply(call->arena, value, value, &square));
    TRY(numeric_sum_add(call, &s->sum, value));
    return numeric_sum_add(call, &s->squares, &square);
}

/* False: not while everything is small. */
static bool squares_add_integer(ExactSquares *s, int128 value)
{
    const int128 limit = (int128)1 << 119, square = value * value;
    if (s->sum.is_big || s->squares.is_big || s->sum.scale || s->squares.scale ||
        square >= limit - s->squares.small)
        return false;
    s->sum.count++;
    s->sum.small += value;
    s->squares.count++;
    s->squares.small += square;
    return true;
}

UPDATE(numeric_squares)
{
    const VarRef *values = args[0]->values;
    FOR_INPUT(ExactSquares, {
        const Value value = {.var = values[at]};
        TRY(squares_add(call, state, &value));
    });
    return true;
}

#define INTEGER_SQUARES(name, ctype)                                                               \
    UPDATE(name)                                                                                   \
    {                                                                                              \
        const ctype *values = args[0]->values;                                                     \
        FOR_INPUT(ExactSquares, {                                                                  \
            const int128 number = values[at];                                                      \
            if (!squares_add_integer(state, number)) {                                             \
                const Value value = numeric_from_int128(call->arena, number, 0);                   \
                TRY(squares_add(call, state, &value));                                             \
            }                                                                                      \
        });                                                                                        \
        return true;                                                                               \
    }
INTEGER_SQUARES(int2_squares, int16_t)
INTEGER_SQUARES(int4_squares, int32_t)
INTEGER_SQUARES(int8_squares, int64_t)

COMBINE(squares_combine)
{
    ExactSquares *a = into;
    const ExactSquares *b = from;
    TRY(numeric_sum_combine(call, &a->sum, &b->sum));
    return numeric_sum_combine(call, &a->squares, &b->squares);
}

/* (N ΣX² - (ΣX)²) / (N × N or N × (N-1)), and its root. */
static bool squares_final(FunctionCall *call, const ExactSquares *s, bool is_sample, bool is_root,
                          Value *ret, bool *ret_null)
{
    Arena *arena = call->arena;
    const int64_t n = s->sum.count;
    Value product, square, difference, divisor;

    *ret_null = n < 1 + is_sample;
    if (*ret_null)
        return true;
    const Value count = numeric_from_int64(arena, n), sum = numeric_sum_value(arena, &s->sum);
    const Value squares = numeric_sum_value(arena, &s->squares);
    if (numeric_kind(&sum) != NUMERIC_FINITE) {
        *ret = numeric_special(NUMERIC_NAN);
        return true;
    }
    const Value rest = numeric_from_int64(arena, n - is_sample);
    const Value zero = numeric_from_int64(arena, 0);
    TRY(numeric_multiply(arena, &count, &squares, &product));
    TRY(numeric_multiply(arena, &sum, &sum, &square));
    TRY(numeric_add(arena, &product, &square, true, &difference));
    if (numeric_order(&difference, &zero) <= 0) {
        *ret = zero;
        return true;
    }
    TRY(numeric_multiply(arena, &count, &rest, &divisor));
    TRY(numeric_divide(arena, &difference, &divisor, ret));
    if (!is_root)
        return true;
    const Value variance = *ret;
    return numeric_square_root(arena, &variance, get_le16(variance.var.data) & 0x3fff, ret);
}

FINAL(exact_var_pop)
{
    return squares_final(call, from, false, false, ret, ret_null);
}
FINAL(exact_var_samp)
{
    return squares_final(call, from, true, false, ret, ret_null);
}
FINAL(exact_stddev_pop)
{
    return squares_final(call, from, false, true, ret, ret_null);
}
FINAL(exact_stddev_samp)
{
    return squares_final(call, from, true, true, ret, ret_null);
}

#define EXACT_AGGREGATES(type)                                                                     \
    AGGREGATE(var_pop_##type) = {sizeof(ExactSquares), type##_squares, squares_combine,            \
                                 exact_var_pop};                                                   \
    AGGREGATE(var_samp_##type) = {sizeof(ExactSquares), type##_squares, squares_combine,           \
                                  exact_var_samp};                                                 \
    AGGREGATE(variance_##type) = {sizeof(ExactSquares), type##_squares, squares_combine,           \
                                  exact_var_samp};                                                 \
    AGGREGATE(stddev_pop_##type) = {sizeof(ExactSquares), type##_squares, squares_combine,         \
                                    exact_stddev_pop};                                             \
    AGGREGATE(stddev_samp_##type) = {sizeof(ExactSquares), type##_squares, squares_combine,        \
                                     exact_stddev_samp};                                           \
    AGGREGATE(stddev_##type) = {sizeof(ExactSquares), type##_squares, squares_combine,             \
                                exact_stddev_samp};
EXACT_AGGREGATES(int2)
EXACT_AGGREGATES(int4)
EXACT_AGGREGATES(int8)
EXACT_AGGREGATES(numeric)

/* min and max of anything ordered. */
typedef struct Extreme {
    bool has_value;
    uint32_t room; /* bytes that the held variable value may be overwritten with */
    Value value;
} Extreme;

static void extreme_keep(FunctionCall *call, Extreme *e, PhysType phys, const Value *value)
{
    e->has_value = true;
    if (phys != PHYS_VAR) {
        e->value = *value;
        return;
    }
    if (value->var.length > e->room || !e->room) {
        e->room = MAX(32, value->var.length * 2);
        e->value.var.data = arena_alloc(call->state_arena, e->room);
    }
    char *to = (char *)e->value.var.data;
    if (value->var.length)
        memcpy(to, value->var.data, value->var.length);
    e->value.var = var_make(to, value->var.length);
}

/* Of values that are equal but look different (1.0 and 1.00) the last one counts, as in PostgreSQL.
 */
static int extreme_threshold(Oid type)
{
    switch (type) {
    case TYPE_NUMERIC:
    case TYPE_FLOAT4:
    case TYPE_FLOAT8:
    case TYPE_INTERVAL:
    case TYPE_TIMETZ:
    case TYPE_BPCHAR:
        return 0;
    default:
        return 1;
    }
}

#define EXTREME_LOOP(name, ctype, member)                                                          \
    static void name(const Vector *input, Selection selection, AggregateTarget target, int sign)   \
    {                                                                                              \
        const ctype *values = input->values;                                                       \
        uint32_t nth = 0;                                                                          \
        FOR_SELECTED (selection, row) {                                                            \
            Extreme *state = aggregate_state(target, nth++);                                       \
            if (vector_is_null(input, row))                                                        \
                continue;                                                                          \
            const ctype value = values[vector_index(input, row)];                                  \
            if (!state->has_value ||                                                               \
                (sign > 0 ? value > state->value.member : value < state->value.member)) {          \
                state->has_value = true;                                                           \
                state->value = (Value){.member = value};                                           \
            }                                                                                      \
        }                                                                                          \
    }
EXTREME_LOOP(extreme_int32, int32_t, int32)
EXTREME_LOOP(extreme_int64, int64_t, int64)

static bool extreme_update(FunctionCall *call, const Vector *const *args, Selection selection,
                           AggregateTarget target, int sign)
{
    const BuiltinType *type = builtin_type(call->arg_types[0]);
    const Vector *input = args[0];
    const int threshold = extreme_threshold(call->arg_types[0]);
    uint32_t nth = 0;
    if (!type || !type->compare)
        FAIL(ERR_UNDEFINED_FUNCTION,
             .message = fmt("could not identify a comparison function for type %s",
                            type ? type->sql_name : "unknown"));
    switch (call->arg_types[0]) {
    case TYPE_INT4:
    case TYPE_DATE:
        extreme_int32(input, selection, target, sign);
        return true;
    case TYPE_INT8:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
    case TYPE_TIME:
        extreme_int64(input, selection, target, sign);
        return true;
    default:
        break;
    }
    FOR_SELECTED (selection, row) {
        Extreme *state = aggregate_state(target, nth++);
        Value value;
        bool is_null;
        vector_get(input, row, &value, &is_null);
        if (!is_null &&
            (!state->has_value || type->compare(type, &value, &state->value) * sign >= threshold))
            extreme_keep(call, state, input->type, &value);
    }
    return true;
}

UPDATE(max_update)
{
    return extreme_update(call, args, selection, target, 1);
}
UPDATE(min_update)
{
    return extreme_update(call, args, selection, target, -1);
}

static bool extreme_combine(FunctionCall *call, Extreme *a, const Extreme *b, int sign)
{
    const BuiltinType *type = builtin_type(call->arg_types[0]);
    if (b->has_value && (!a->has_value || type->compare(type, &b->value, &a->value) * sign >=
                                              extreme_threshold(call->arg_types[0])))
        extreme_keep(call, a, type->phys, &b->value);
    return true;
}

COMBINE(max_combine)
{
    return extreme_combine(call, into, from, 1);
}
COMBINE(min_combine)
{
    return extreme_combine(call, into, from, -1);
}

FINAL(extreme_final)
{
    const Extreme *e = from;
    *ret_null = !e->has_value;
    if (e->has_value)
        *ret = value_copy(call->arena, type_phys(call->arg_types[0]), &e->value);
    return true;
}

#define EXTREMES(type)                                                                             \
    AGGREGATE(max_##type) = {sizeof(Extreme), max_update, max_combine, extreme_final};             \
    AGGREGATE(min_##type) = {sizeof(Extreme), min_update, min_combine, extreme_final};
EXTREMES(int2)
EXTREMES(int4)
EXTREMES(int8)
EXTREMES(oid)
EXTREMES(float4)
EXTREMES(float8)
EXTREMES(numeric)
EXTREMES(text)
EXTREMES(bpchar)
EXTREMES(date)
EXTREMES(time)
EXTREMES(timetz)
EXTREMES(timestamp)
EXTREMES(timestamptz)
EXTREMES(interval)
EXTREMES(tid)
EXTREMES(pg_lsn)
EXTREMES(xid8)
EXTREMES(inet)
EXTREMES(anyarray)

/* Truth and bits. */
typedef struct BitState {
    bool has_value;
    int64_t bits;
} BitState;

#define BIT_UPDATE(name, ctype, op)                                                                \
    UPDATE(name)                                                                                   \
    {                                                                                              \
        const ctype *values = args[0]->values;                                                     \
        FOR_INPUT(BitState, {                                                                      \
            state->bits = state->has_value ? (state->bits op values[at]) : values[at];             \
            state->has_value = true;                                                               \
        });                                                                                        \
        return true;                                                                               \
    }
#define BIT_COMBINE(name, op)                                                                      \
    COMBINE(name)                                                                                  \
    {                                                                                              \
        BitState *a = into;                                                                        \
        const BitState *b = from;                                                                  \
        if (b->has_value)                                                                          \
            a->bits = a->has_value ? (a->bits op b->bits) : b->bits;                               \
        a->has_value |= b->has_value;                                                              \
        return true;                                                                               \
    }
#define BIT_FINAL(name, member, ctype)                                                             \
    FINAL(name)                                                                                    \
    {                                                                                              \
        const BitState *s = from;                                                                  \
        *ret_null = !s->has_value;                                                                 \
        ret->member = (ctype)s->bits;                                                              \
        return true;                                                                               \
    }
BIT_COMBINE(and_combine, &)
BIT_COMBINE(or_combine, |)
BIT_COMBINE(xor_combine, ^)
BIT_UPDATE(bool_and, uint8_t, &)
BIT_UPDATE(bool_or, uint8_t, |)
BIT_FINAL(bool_final, boolean, bool)
#define BIT_AGGREGATES(type, member, ctype)                                                        \
    BIT_UPDATE(type##_and_update, ctype, &)                                                        \
    BIT_UPDATE(type##_or_update, ctype, |)                                                         \
    BIT_UPDATE(type##_xor_update, ctype, ^)                                                        \
    BIT_FINAL(type##_bits, member, ctype)                                                          \
    AGGREGATE(bit_and_##type) = {sizeof(BitState), type##_and_update, and_combine, type##_bits};   \
    AGGREGATE(bit_or_##type) = {sizeof(BitState), type##_or_update, or_combine, type##_bits};      \
    AGGREGATE(bit_xor_##type) = {sizeof(BitState), type##_xor_update, xor_combine, type##_bits};
BIT_AGGREGATES(int2, int16, int16_t)
BIT_AGGREGATES(int4, int32, int32_t)
BIT_AGGREGATES(int8, int64, int64_t)

AGGREGATE(bool_and_bool) = {sizeof(BitState), bool_and, and_combine, bool_final};
AGGREGATE(bool_or_bool) = {sizeof(BitState), bool_or, or_combine, bool_final};
AGGREGATE(every_bool) = {sizeof(BitState), bool_and, and_combine, bool_final};
