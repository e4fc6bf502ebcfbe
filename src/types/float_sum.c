/*
 * Aggregates of floats, of one variable and of two; and the functions of pg_proc that they are made
 * of, which keep the same sums in arrays.
 */
#include <math.h>

#include "types/aggregate_internal.h"
#include "types/array.h"

#define FAIL_FLOAT_OVERFLOW()                                                                      \
    FAIL(ERR_NUMERIC_VALUE_OUT_OF_RANGE, .message = STR("value out of range: overflow"))

/* sum() alone; `count` tells a sum of nothing. */
typedef struct FloatTotal {
    double sum;
    int64_t count;
} FloatTotal;

/* The first value is the sum as it is: -0 stays -0. */
UPDATE(float8_total_update)
{
    const double *values = args[0]->values;
    FOR_INPUT(FloatTotal, {
        const double value = values[at], sum = state->count++ ? state->sum + value : value;
        if (isinf(sum) && !isinf(value) && !isinf(state->sum))
            FAIL_FLOAT_OVERFLOW();
        state->sum = sum;
    });
    return true;
}

/* sum(float4) adds in single precision. */
UPDATE(float4_total_update)
{
    const float *values = args[0]->values;
    FOR_INPUT(FloatTotal, {
        const float value = values[at], before = (float)state->sum;
        const float sum = state->count++ ? before + value : value;
        if (isinf(sum) && !isinf(value) && !isinf(before))
            FAIL_FLOAT_OVERFLOW();
        state->sum = (double)sum;
    });
    return true;
}

COMBINE(float8_total_combine)
{
    FloatTotal *a = into;
    const FloatTotal *b = from;
    if (b->count == 0)
        return true;
    const double sum = a->count ? a->sum + b->sum : b->sum;
    if (isinf(sum) && !isinf(a->sum) && !isinf(b->sum))
        FAIL_FLOAT_OVERFLOW();
    a->sum = sum;
    a->count += b->count;
    return true;
}

COMBINE(float4_total_combine)
{
    FloatTotal *a = into;
    const FloatTotal *b = from;
    if (b->count == 0)
        return true;
    const float sum = a->count ? (float)a->sum + (float)b->sum : (float)b->sum;
    if (isinf(sum) && !isinf(a->sum) && !isinf(b->sum))
        FAIL_FLOAT_OVERFLOW();
    a->sum = (double)sum;
    a->count += b->count;
    return true;
}

FINAL(float8_total_final)
{
    const FloatTotal *s = from;
    *ret_null = s->count == 0;
    ret->float64 = s->sum;
    return true;
}

FINAL(float4_total_final)
{
    const FloatTotal *s = from;
    *ret_null = s->count == 0;
    ret->float32 = (float)s->sum;
    return true;
}

AGGREGATE(sum_float8) = {sizeof(FloatTotal), float8_total_update, float8_total_combine,
                         float8_total_final};
AGGREGATE(sum_float4) = {sizeof(FloatTotal), float4_total_update, float4_total_combine,
                         float4_total_final};

/* Count, sum, and the sum of squares about the mean (Youngs and Cramer). */
typedef struct FloatSum {
    double count, sum, squares;
} FloatSum;

/* An infinity from finite values is an overflow; one from an infinite value makes squares NaN. */
static bool float_sum_add(FloatSum *s, double value)
{
    const double sum = s->sum + value, count = s->count + 1;
    double squares = s->squares;

    if (s->count > 0) {
        const double t = value * count - sum;
        squares += t * t / (count * s->count);
        if (isinf(sum) || isinf(squares)) {
            if (!isinf(s->sum) && !isinf(value))
                FAIL_FLOAT_OVERFLOW();
            squares = NAN;
        }
    } else if (!isfinite(value)) {
        squares = NAN;
    }
    *s = (FloatSum){count, sum, squares};
    return true;
}

static bool float_sum_combine(FloatSum *a, const FloatSum *b)
{
    if (a->count == 0) {
        *a = *b;
        return true;
    }
    if (b->count == 0)
        return true;
    const double t = a->sum / a->count - b->sum / b->count, count = a->count + b->count;
    const double sum = a->sum + b->sum;
    const double squares = a->squares + b->squares + a->count * b->count * t * t / count;
    if (isinf(sum) && !isinf(a->sum) && !isinf(b->sum))
        FAIL_FLOAT_OVERFLOW();
    if (isinf(squares) && !isinf(a->squares) && !isinf(b->squares))
        FAIL_FLOAT_OVERFLOW();
    *a = (FloatSum){count, sum, squares};
    return true;
}

UPDATE(float8_update)
{
    const double *values = args[0]->values;
    FOR_INPUT(FloatSum, TRY(float_sum_add(state, values[at])););
    return true;
}

UPDATE(float4_update)
{
    const float *values = args[0]->values;
    FOR_INPUT(FloatSum, TRY(float_sum_add(state, (double)values[at])););
    return true;
}

COMBINE(float_combine)
{
    return float_sum_combine(into, from);
}

/* An array of exactly `count` floats, none of them null. */
static bool float_array_read(const char *function, const Value *array, int count, double *ret)
{
    ArrayView view;
    TRY(array_open(array, &view));
    if (view.dimension_count != 1 || view.count != count || view.has_nulls)
        FAIL(ERR_INTERNAL_ERROR,
             .message = fmt("%s: expected %d-element float8 array", function, count));
    for (int i = 0; i < count; i++) {
        Value element;
        bool is_null;
        array_element(&view, i, &element, &is_null);
        ret[i] = element.float64;
    }
    return true;
}

static bool float_array_make(Arena *arena, const double *numbers, int count, Value *ret)
{
    Value values[6];
    for (int i = 0; i < count; i++)
        values[i] = (Value){.float64 = numbers[i]};
    return array_from_values(arena, TYPE_FLOAT8, values, count, ret);
}

static bool float_sum_read(const char *function, const Value *array, FloatSum *ret)
{
    double numbers[3];
    TRY(float_array_read(function, array, 3, numbers));
    *ret = (FloatSum){numbers[0], numbers[1], numbers[2]};
    return true;
}

static bool float_sum_make(Arena *arena, const FloatSum *s, Value *ret)
{
    const double numbers[] = {s->count, s->sum, s->squares};
    return float_array_make(arena, numbers, 3, ret);
}

FUNCTION(float8_accum)
{
    FloatSum s;
    TRY(float_sum_read("float8_accum", &args[0], &s));
    TRY(float_sum_add(&s, args[1].float64));
    return float_sum_make(call->arena, &s, ret);
}

FUNCTION(float4_accum)
{
    FloatSum s;
    TRY(float_sum_read("float4_accum", &args[0], &s));
    TRY(float_sum_add(&s, (double)args[1].float32));
    return float_sum_make(call->arena, &s, ret);
}

FUNCTION(float8_combine)
{
    FloatSum a, b;
    TRY(float_sum_read("float8_combine", &args[0], &a));
    TRY(float_sum_read("float8_combine", &args[1], &b));
    TRY(float_sum_combine(&a, &b));
    return float_sum_make(call->arena, &a, ret);
}

/* The end of an aggregate, and the function of the same name over an array: of a sum `s`. */
#define SUM_FINAL(type, read, name, is_undefined, expression)                                      \
    FINAL(name##_final)                                                                            \
    {                                                                                              \
        const type *s = from;                                                                      \
        *ret_null = (is_undefined);                                                                \
        if (!*ret_null)                                                                            \
            ret->float64 = expression;                                                             \
        return true;                                                                               \
    }                                                                                              \
    FUNCTION(float8_##name)                                                                        \
    {                                                                                              \
        type s;                                                                                    \
        TRY(read("float8_" #name, &args[0], &s));                                                  \
        return name##_final(call, &s, ret, ret_null);                                              \
    }

#define FLOAT_FINAL(name, least, expression)                                                       \
    SUM_FINAL(FloatSum, float_sum_read, name, s->count < least, expression)
FLOAT_FINAL(avg, 1, s->sum / s->count)
FLOAT_FINAL(var_pop, 1, s->squares / s->count)
FLOAT_FINAL(var_samp, 2, s->squares / (s->count - 1))
FLOAT_FINAL(stddev_pop, 1, sqrt(s->squares / s->count))
FLOAT_FINAL(stddev_samp, 2, sqrt(s->squares / (s->count - 1)))

#define FLOAT_AGGREGATES(type)                                                                     \
    AGGREGATE(avg_##type) = {sizeof(FloatSum), type##_update, float_combine, avg_final};           \
    AGGREGATE(var_pop_##type) = {sizeof(FloatSum), type##_update, float_combine, var_pop_final};   \
    AGGREGATE(var_samp_##type) = {sizeof(FloatSum), type##_update, float_combine, var_samp_final}; \
    AGGREGATE(variance_##type) = {sizeof(FloatSum), type##_update, float_combine, var_samp_final}; \
    AGGREGATE(stddev_pop_##type) = {sizeof(FloatSum), type##_update, float_combine,                \
                                    stddev_pop_final};                                             \
    AGGREGATE(stddev_samp_##type) = {sizeof(FloatSum), type##_update, float_combine,               \
                                     stddev_samp_final};                                           \
    AGGREGATE(stddev_##type) = {sizeof(FloatSum), type##_update, float_combine, stddev_samp_final};
FLOAT_AGGREGATES(float8)
FLOAT_AGGREGATES(float4)

/* Two variables; the arguments are y, then x. */
typedef struct PairSum {
    double n, sx, sxx, sy, syy, sxy;
} PairSum;

/* Whether what came of adding x and y is infinite though they, and the sums before, were not. */
static bool pair_sum_overflows(const PairSum *before, const PairSum *after, double x, double y)
{
    const bool x_finite = !isinf(before->sx) && !isinf(x);
    const bool y_finite = !isinf(before->sy) && !isinf(y);
    return ((isinf(after->sx) || isinf(after->sxx)) && x_finite) ||
           ((isinf(after->sy) || isinf(after->syy)) && y_finite) ||
           (isinf(after->sxy) && x_finite && y_finite);
}

static bool pair_sum_add(PairSum *s, double y, double x)
{
    PairSum sum = *s;

    sum.n++;
    sum.sx += x;
    sum.sy += y;
    if (s->n > 0) {
        const double tx = x * sum.n - sum.sx, ty = y * sum.n - sum.sy;
        const double scale = 1.0 / (sum.n * s->n);
        sum.sxx += tx * tx * scale;
        sum.syy += ty * ty * scale;
        sum.sxy += tx * ty * scale;
        if (pair_sum_overflows(s, &sum, x, y))
            FAIL_FLOAT_OVERFLOW();
        sum.sxx = isinf(sum.sxx) ? NAN : sum.sxx;
        sum.syy = isinf(sum.syy) ? NAN : sum.syy;
        sum.sxy = isinf(sum.sxy) ? NAN : sum.sxy;
    } else {
        if (!isfinite(x))
            sum.sxx = sum.sxy = NAN;
        if (!isfinite(y))
            sum.syy = sum.sxy = NAN;
    }
    *s = sum;
    return true;
}

static bool pair_sum_combine(PairSum *a, const PairSum *b)
{
    if (a->n == 0) {
        *a = *b;
        return true;
    }
    if (b->n == 0)
        return true;
    const double n = a->n + b->n, factor = a->n * b->n;
    const double tx = a->sx / a->n - b->sx / b->n, ty = a->sy / a->n - b->sy / b->n;
    const PairSum sum = {n,
                         a->sx + b->sx,
                         a->sxx + b->sxx + factor * tx * tx / n,
                         a->sy + b->sy,
                         a->syy + b->syy + factor * ty * ty / n,
                         a->sxy + b->sxy + factor * tx * ty / n};
    if ((isinf(sum.sx) && !isinf(a->sx) && !isinf(b->sx)) ||
        (isinf(sum.sxx) && !isinf(a->sxx) && !isinf(b->sxx)) ||
        (isinf(sum.sy) && !isinf(a->sy) && !isinf(b->sy)) ||
        (isinf(sum.syy) && !isinf(a->syy) && !isinf(b->syy)) ||
        (isinf(sum.sxy) && !isinf(a->sxy) && !isinf(b->sxy)))
        FAIL_FLOAT_OVERFLOW();
    *a = sum;
    return true;
}

UPDATE(pair_update)
{
    uint32_t nth = 0;
    FOR_SELECTED (selection, row) {
        PairSum *s = aggregate_state(target, nth++);
        Value y, x;
        bool y_null, x_null;
        vector_get(args[0], row, &y, &y_null);
        vector_get(args[1], row, &x, &x_null);
        if (!y_null && !x_null)
            TRY(pair_sum_add(s, y.float64, x.float64));
    }
    return true;
}

COMBINE(pair_combine)
{
    return pair_sum_combine(into, from);
}

static bool pair_sum_read(const char *function, const Value *array, PairSum *ret)
{
    double numbers[6];
    TRY(float_array_read(function, array, 6, numbers));
    *ret = (PairSum){numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]};
    return true;
}

static bool pair_sum_make(Arena *arena, const PairSum *s, Value *ret)
{
    const double numbers[] = {s->n, s->sx, s->sxx, s->sy, s->syy, s->sxy};
    return float_array_make(arena, numbers, 6, ret);
}

FUNCTION(float8_regr_accum)
{
    PairSum s;
    TRY(pair_sum_read("float8_regr_accum", &args[0], &s));
    TRY(pair_sum_add(&s, args[1].float64, args[2].float64));
    return pair_sum_make(call->arena, &s, ret);
}

FUNCTION(float8_regr_combine)
{
    PairSum a, b;
    TRY(pair_sum_read("float8_regr_combine", &args[0], &a));
    TRY(pair_sum_read("float8_regr_combine", &args[1], &b));
    TRY(pair_sum_combine(&a, &b));
    return pair_sum_make(call->arena, &a, ret);
}

FINAL(pair_count)
{
    ret->int64 = (int64_t)((const PairSum *)from)->n;
    return true;
}

#define PAIR(name, least, is_undefined, expression)                                                \
    SUM_FINAL(PairSum, pair_sum_read, name, s->n < least || (is_undefined), expression)            \
    AGGREGATE(name##_float8_float8) = {sizeof(PairSum), pair_update, pair_combine, name##_final};
PAIR(regr_sxx, 1, false, s->sxx)
PAIR(regr_syy, 1, false, s->syy)
PAIR(regr_sxy, 1, false, s->sxy)
PAIR(regr_avgx, 1, false, s->sx / s->n)
PAIR(regr_avgy, 1, false, s->sy / s->n)
PAIR(covar_pop, 1, false, s->sxy / s->n)
PAIR(covar_samp, 2, false, s->sxy / (s->n - 1))
PAIR(corr, 1, s->sxx == 0 || s->syy == 0, s->sxy / sqrt(s->sxx * s->syy))
PAIR(regr_r2, 1, s->sxx == 0, s->syy == 0 ? 1 : s->sxy * s->sxy / (s->sxx * s->syy))
PAIR(regr_slope, 1, s->sxx == 0, s->sxy / s->sxx)
PAIR(regr_intercept, 1, s->sxx == 0, (s->sy - s->sx * s->sxy / s->sxx) / s->n)
AGGREGATE(regr_count_float8_float8) = {sizeof(PairSum), pair_update, pair_combine, pair_count};
