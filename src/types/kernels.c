/*
 * Vector kernels: the hot operators over whole batches.
 *
 * Each is an X-macro over operand types. Nulls are the caller's (function_call_batch); kernels
 * that cannot fail compute null rows too, since any bits in a fixed-width vector are harmless.
 */
#include <math.h>

#include "base/pace.h"
#include "types/numeric_internal.h"

/* Comparison of two C types, specialised for which side is constant. */
#define DEFINE_COMPARE(name, left_type, right_type, op)                                            \
    static void name(const Vector *a, const Vector *b, Selection selection, uint8_t *results)      \
    {                                                                                              \
        const left_type *left = a->values;                                                         \
        const right_type *right = b->values;                                                       \
        if (!selection.rows && !a->constant && !b->constant)                                       \
            for (uint32_t row = 0; row < selection.count; row++)                                   \
                results[row] = left[row] op right[row];                                            \
        else if (!selection.rows && !a->constant)                                                  \
            for (uint32_t row = 0; row < selection.count; row++)                                   \
                results[row] = left[row] op right[0];                                              \
        else if (!selection.rows && !b->constant)                                                  \
            for (uint32_t row = 0; row < selection.count; row++)                                   \
                results[row] = left[0] op right[row];                                              \
        else                                                                                       \
            FOR_SELECTED (selection, row)                                                          \
                results[row] = left[vector_index(a, row)] op right[vector_index(b, row)];          \
    }

#define FOR_OPERATORS(X) X(eq, ==) X(ne, !=) X(lt, <) X(le, <=) X(gt, >) X(ge, >=)

typedef void CompareLoop(const Vector *a, const Vector *b, Selection selection, uint8_t *results);

#define SAME_TYPE(symbol, op)                                                                      \
    DEFINE_COMPARE(compare_i8_##symbol, uint8_t, uint8_t, op)                                      \
    DEFINE_COMPARE(compare_i16_##symbol, int16_t, int16_t, op)                                     \
    DEFINE_COMPARE(compare_i32_##symbol, int32_t, int32_t, op)                                     \
    DEFINE_COMPARE(compare_u32_##symbol, uint32_t, uint32_t, op)                                   \
    DEFINE_COMPARE(compare_i64_##symbol, int64_t, int64_t, op)                                     \
    DEFINE_COMPARE(compare_u64_##symbol, uint64_t, uint64_t, op)
FOR_OPERATORS(SAME_TYPE)

/* Floats and the rest compare through the type's order; nulls are passed by. */
typedef enum Wanted { WANT_EQ, WANT_NE, WANT_LT, WANT_LE, WANT_GT, WANT_GE } Wanted;

static ALWAYS_INLINE bool order_is(int order, Wanted wanted)
{
    switch (wanted) {
    case WANT_EQ:
        return order == 0;
    case WANT_NE:
        return order != 0;
    case WANT_LT:
        return order < 0;
    case WANT_LE:
        return order <= 0;
    case WANT_GT:
        return order > 0;
    default:
        return order >= 0;
    }
}

/* What is long is compared in pieces, between which others have their turn. */
static ALWAYS_INLINE bool texts_equal(const VarRef *x, const VarRef *y)
{
    if (unlikely(x->length > PACE_BYTES))
        return x->length == y->length && pace_compare(var_str(*x), var_str(*y)) == 0;
    return var_equal(x, y);
}

static ALWAYS_INLINE int texts_order(const VarRef *x, const VarRef *y)
{
    return unlikely(x->length > PACE_BYTES) ? pace_compare(var_str(*x), var_str(*y))
                                            : var_compare(x, y);
}

static ALWAYS_INLINE void compare_text(const Vector *a, const Vector *b, Selection selection,
                                       const Vector *ret, uint8_t *results, Wanted wanted)
{
    const VarRef *left = a->values, *right = b->values;
    FOR_SELECTED (selection, row) {
        if (ret->has_nulls && ret->nulls[row])
            continue;
        const VarRef *x = &left[vector_index(a, row)], *y = &right[vector_index(b, row)];
        results[row] = wanted == WANT_EQ   ? texts_equal(x, y)
                       : wanted == WANT_NE ? !texts_equal(x, y)
                                           : order_is(texts_order(x, y), wanted);
    }
}

static ALWAYS_INLINE void compare_double(const Vector *a, const Vector *b, Selection selection,
                                         uint8_t *results, Wanted wanted)
{
    const double *left = a->values, *right = b->values;
    FOR_SELECTED (selection, row) {
        const double x = left[vector_index(a, row)], y = right[vector_index(b, row)];
        results[row] = likely(!isnan(x) && !isnan(y)) ? order_is((x > y) - (x < y), wanted)
                                                      : order_is(float8_order(x, y), wanted);
    }
}

/* The same number with more digits behind the point, where there is room for them. */
static void rescale(int128 *mantissa, int *scale, int wanted)
{
    int128 more;
    if (wanted - *scale > 37 ||
        __builtin_mul_overflow(*mantissa, power_of_10(wanted - *scale), &more))
        return;
    *mantissa = more;
    *scale = wanted;
}

/* Mantissas of one scale compare as they are; a constant is taken apart once. */
static void compare_numeric(const Vector *a, const Vector *b, Selection selection,
                            const Vector *ret, Wanted wanted)
{
    uint8_t *results = ret->values;
    const VarRef *left = a->values, *right = b->values;
    int128 x, y = 0;
    int x_scale, y_scale = -1;
    const bool is_fixed = b->constant && !vector_is_null(b, 0) &&
                          numeric_small(&(Value){.var = right[0]}, &y, &y_scale);

    FOR_SELECTED (selection, row) {
        if (ret->has_nulls && ret->nulls[row])
            continue;
        const Value one = {.var = left[vector_index(a, row)]};
        const Value other = {.var = right[vector_index(b, row)]};
        const bool is_small =
            numeric_small(&one, &x, &x_scale) && (is_fixed || numeric_small(&other, &y, &y_scale));
        if (is_small && is_fixed && x_scale > y_scale)
            rescale(&y, &y_scale, x_scale);
        if (is_small && x_scale == y_scale)
            results[row] = order_is((x > y) - (x < y), wanted);
        else
            results[row] = order_is(numeric_order(&one, &other), wanted);
    }
}

static bool compare_any(const BuiltinType *type, const Vector *a, const Vector *b,
                        Selection selection, const Vector *ret, uint8_t *results, Wanted wanted)
{
    FOR_SELECTED (selection, row) {
        Value x, y;
        bool x_null, y_null;
        if (ret->has_nulls && ret->nulls[row])
            continue;
        vector_get(a, row, &x, &x_null);
        vector_get(b, row, &y, &y_null);
        if (type->compare == rowtype_compare)
            TRY(rowtype_comparable(&x, &y));
        results[row] = order_is(type->compare(type, &x, &y), wanted);
    }
    return true;
}

#define GENERIC_KERNEL(symbol, wanted)                                                             \
    VECTOR_FUNCTION(generic_##symbol)                                                              \
    {                                                                                              \
        const BuiltinType *type = builtin_type(call->arg_types[0]);                                \
        uint8_t *results = ret->values;                                                            \
        if (!type || !type->compare)                                                               \
            FAIL(ERR_UNDEFINED_FUNCTION, .message = fmt("could not identify %s for type %s",       \
                                                        (wanted) == WANT_EQ || (wanted) == WANT_NE \
                                                            ? "an equality operator"               \
                                                            : "a comparison function",             \
                                                        type ? type->sql_name : "unknown"));       \
        CompareLoop *loop = type->compare == int4_compare   ? compare_i32_##symbol                 \
                            : type->compare == int8_compare ? compare_i64_##symbol                 \
                            : type->compare == int2_compare ? compare_i16_##symbol                 \
                            : type->compare == oid_compare  ? compare_u32_##symbol                 \
                            : type->compare == xid8_compare ? compare_u64_##symbol                 \
                            : type->compare == bool_compare || type->compare == char_compare       \
                                ? compare_i8_##symbol                                              \
                                : NULL;                                                            \
        if (loop)                                                                                  \
            loop(args[0], args[1], selection, results);                                            \
        else if (type->compare == text_compare)                                                    \
            compare_text(args[0], args[1], selection, ret, results, wanted);                       \
        else if (type->compare == numeric_compare)                                                 \
            compare_numeric(args[0], args[1], selection, ret, wanted);                             \
        else if (type->compare == float8_compare)                                                  \
            compare_double(args[0], args[1], selection, results, wanted);                          \
        else                                                                                       \
            return compare_any(type, args[0], args[1], selection, ret, results, wanted);           \
        return true;                                                                               \
    }
GENERIC_KERNEL(eq, WANT_EQ)
GENERIC_KERNEL(ne, WANT_NE)
GENERIC_KERNEL(lt, WANT_LT)
GENERIC_KERNEL(le, WANT_LE)
GENERIC_KERNEL(gt, WANT_GT)
GENERIC_KERNEL(ge, WANT_GE)

#define CROSS_KERNEL(prefix, left, right, symbol, op)                                              \
    DEFINE_COMPARE(cross_##prefix##symbol, left, right, op)                                        \
    VECTOR_FUNCTION(prefix##symbol)                                                                \
    {                                                                                              \
        cross_##prefix##symbol(args[0], args[1], selection, ret->values);                          \
        return true;                                                                               \
    }
#define CROSS(prefix, left, right)                                                                 \
    CROSS_KERNEL(prefix, left, right, eq, ==)                                                      \
    CROSS_KERNEL(prefix, left, right, ne, !=)                                                      \
    CROSS_KERNEL(prefix, left, right, lt, <)                                                       \
    CROSS_KERNEL(prefix, left, right, le, <=)                                                      \
    CROSS_KERNEL(prefix, left, right, gt, >)                                                       \
    CROSS_KERNEL(prefix, left, right, ge, >=)
CROSS(int24, int16_t, int32_t)
CROSS(int42, int32_t, int16_t)
CROSS(int28, int16_t, int64_t)
CROSS(int82, int64_t, int16_t)
CROSS(int48, int32_t, int64_t)
CROSS(int84, int64_t, int32_t)

/* Arithmetic: overflow is gathered and looked at once; null rows do not count. */
#define ARITHMETIC_KERNEL(symbol, result_type, left_type, right_type, builtin, name)               \
    VECTOR_FUNCTION(symbol)                                                                        \
    {                                                                                              \
        const Vector *a = args[0], *b = args[1];                                                   \
        const left_type *left = a->values;                                                         \
        const right_type *right = b->values;                                                       \
        result_type *results = ret->values;                                                        \
        bool overflow = false;                                                                     \
        if (!ret->has_nulls && !selection.rows && !a->constant) {                                  \
            const uint32_t step = !b->constant;                                                    \
            for (uint32_t row = 0, at = 0; row < selection.count; row++, at += step)               \
                overflow |= builtin(left[row], right[at], &results[row]);                          \
        } else {                                                                                   \
            FOR_SELECTED (selection, row)                                                          \
                if (!ret->has_nulls || !ret->nulls[row])                                           \
                    overflow |= builtin(left[vector_index(a, row)], right[vector_index(b, row)],   \
                                        &results[row]);                                            \
        }                                                                                          \
        if (overflow)                                                                              \
            FAIL_RANGE(name);                                                                      \
        return true;                                                                               \
    }
#define ARITHMETIC(prefix, result, left, right, name)                                              \
    ARITHMETIC_KERNEL(prefix##pl, result, left, right, __builtin_add_overflow, name)               \
    ARITHMETIC_KERNEL(prefix##mi, result, left, right, __builtin_sub_overflow, name)               \
    ARITHMETIC_KERNEL(prefix##mul, result, left, right, __builtin_mul_overflow, name)
ARITHMETIC(int2, int16_t, int16_t, int16_t, "smallint")
ARITHMETIC(int4, int32_t, int32_t, int32_t, "integer")
ARITHMETIC(int8, int64_t, int64_t, int64_t, "bigint")
ARITHMETIC(int24, int32_t, int16_t, int32_t, "integer")
ARITHMETIC(int42, int32_t, int32_t, int16_t, "integer")
ARITHMETIC(int48, int64_t, int32_t, int64_t, "bigint")
ARITHMETIC(int84, int64_t, int64_t, int32_t, "bigint")

/* float8: infinite results of finite operands are errors; the slow path says which. */
#define FLOAT_KERNEL(symbol, op, zero_is_suspect)                                                  \
    VECTOR_FUNCTION(symbol)                                                                        \
    {                                                                                              \
        const double *left = args[0]->values, *right = args[1]->values;                            \
        double *results = ret->values;                                                             \
        FOR_SELECTED (selection, row) {                                                            \
            const double x = left[vector_index(args[0], row)];                                     \
            const double y = right[vector_index(args[1], row)];                                    \
            results[row] = x op y;                                                                 \
            if (unlikely(!isfinite(results[row]) || (zero_is_suspect && results[row] == 0)) &&     \
                (!ret->has_nulls || !ret->nulls[row])) {                                           \
                const Value values[] = {{.float64 = x}, {.float64 = y}};                           \
                bool is_null = false;                                                              \
                Value result;                                                                      \
                TRY(call->function->scalar(call, values, &is_null, &result, &is_null));            \
            }                                                                                      \
        }                                                                                          \
        return true;                                                                               \
    }
FLOAT_KERNEL(float8pl, +, false)
FLOAT_KERNEL(float8mi, -, false)
FLOAT_KERNEL(float8mul, *, true)
FLOAT_KERNEL(float8div, /, true)

/* Casts that cannot fail. */
#define CAST_KERNEL(symbol, from, to)                                                              \
    VECTOR_FUNCTION(symbol)                                                                        \
    {                                                                                              \
        const from *source = args[0]->values;                                                      \
        to *results = ret->values;                                                                 \
        FOR_SELECTED (selection, row)                                                              \
            results[row] = (to)source[vector_index(args[0], row)];                                 \
        return true;                                                                               \
    }
CAST_KERNEL(i2toi4, int16_t, int32_t)
CAST_KERNEL(i2tod, int16_t, double)
CAST_KERNEL(i4tod, int32_t, double)
CAST_KERNEL(i8tod, int64_t, double)
CAST_KERNEL(ftod, float, double)

/* numeric: one allocation holds a batch of small results. */
typedef bool SmallOperation(int128 x, int x_scale, int128 y, int y_scale, int128 *ret,
                            int *ret_scale);

static bool small_add(int128 x, int x_scale, int128 y, int y_scale, int128 *ret, int *ret_scale)
{
    const int by = x_scale - y_scale;
    if (by > 37 || by < -37 || (by < 0 && __builtin_mul_overflow(x, power_of_10(-by), &x)) ||
        (by > 0 && __builtin_mul_overflow(y, power_of_10(by), &y)))
        return false;
    *ret_scale = MAX(x_scale, y_scale);
    return !__builtin_add_overflow(x, y, ret);
}

static bool small_subtract(int128 x, int x_scale, int128 y, int y_scale, int128 *ret,
                           int *ret_scale)
{
    return small_add(x, x_scale, -y, y_scale, ret, ret_scale);
}

static bool small_multiply(int128 x, int x_scale, int128 y, int y_scale, int128 *ret,
                           int *ret_scale)
{
    *ret_scale = x_scale + y_scale;
    return *ret_scale <= NUMERIC_MAX_SCALE && !__builtin_mul_overflow(x, y, ret);
}

static ALWAYS_INLINE bool numeric_batch(FunctionCall *call, const Vector *const *args,
                                        Selection selection, Vector *ret, SmallOperation *operation)
{
    const VarRef *left = args[0]->values, *right = args[1]->values;
    VarRef *results = ret->values;
    byte *room = arena_alloc(call->arena, (size_t)selection.count * NUMERIC_ENCODED_SMALL + 16);

    FOR_SELECTED (selection, row) {
        int128 x, y, result;
        int x_scale, y_scale, scale;
        if (ret->has_nulls && ret->nulls[row])
            continue;
        const Value values[] = {{.var = left[vector_index(args[0], row)]},
                                {.var = right[vector_index(args[1], row)]}};
        if (numeric_small(&values[0], &x, &x_scale) && numeric_small(&values[1], &y, &y_scale) &&
            operation(x, x_scale, y, y_scale, &result, &scale)) {
            const size_t size = numeric_put_small(room, result, scale);
            results[row] = var_make(room, size);
            room += size;
            continue;
        }
        Value slow;
        bool is_null = false;
        TRY(call->function->scalar(call, values, &is_null, &slow, &is_null));
        results[row] = slow.var;
    }
    return true;
}

VECTOR_FUNCTION(numeric_add)
{
    return numeric_batch(call, args, selection, ret, small_add);
}
VECTOR_FUNCTION(numeric_sub)
{
    return numeric_batch(call, args, selection, ret, small_subtract);
}
VECTOR_FUNCTION(numeric_mul)
{
    return numeric_batch(call, args, selection, ret, small_multiply);
}
