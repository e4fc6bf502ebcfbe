/* numeric: + - × ÷, remainders, rounding, and the small functions around them. */
#include <math.h>
#include <stdlib.h>

#include "types/numeric_internal.h"

/* Special values first: what any operation makes of NaN and the infinities is a table of signs. */
static int big_sign(const Big *b)
{
    return b->kind == NUMERIC_FINITE           ? mpz_sgn(b->m)
           : b->kind == NUMERIC_PLUS_INFINITY  ? 1
           : b->kind == NUMERIC_MINUS_INFINITY ? -1
                                               : 0;
}

static bool is_special(const Big *a, const Big *b)
{
    return a->kind != NUMERIC_FINITE || b->kind != NUMERIC_FINITE;
}

static NumericKind infinity_of(int sign)
{
    return sign > 0 ? NUMERIC_PLUS_INFINITY : NUMERIC_MINUS_INFINITY;
}

static void big_add(Big *result, const Big *a, const Big *b, bool subtract)
{
    const int scale = MAX(a->scale, b->scale);
    if (is_special(a, b)) {
        const int sb = b->kind == NUMERIC_FINITE ? 0 : subtract ? -big_sign(b) : big_sign(b);
        const int sa = a->kind == NUMERIC_FINITE ? 0 : big_sign(a);
        const bool is_nan = a->kind == NUMERIC_NAN || b->kind == NUMERIC_NAN || sa + sb == 0;
        big_set_special(result, is_nan ? NUMERIC_NAN : infinity_of(sa + sb));
        return;
    }
    BIG(x);
    BIG(y);
    big_copy(&x, a);
    big_copy(&y, b);
    mpz_shift_truncate(x.m, scale - a->scale);
    mpz_shift_truncate(y.m, scale - b->scale);
    if (subtract)
        mpz_sub(result->m, x.m, y.m);
    else
        mpz_add(result->m, x.m, y.m);
    result->scale = scale;
}

bool numeric_add(Arena *arena, const Value *a, const Value *b, bool subtract, Value *ret)
{
    int128 x, y;
    int x_scale, y_scale;

    if (numeric_small(a, &x, &x_scale) && numeric_small(b, &y, &y_scale)) {
        const int scale = MAX(x_scale, y_scale), by = abs(x_scale - y_scale);
        int128 *shorter = x_scale < y_scale ? &x : &y, sum;
        if (by <= 37 && !__builtin_mul_overflow(*shorter, power_of_10(by), shorter) &&
            !(subtract ? __builtin_sub_overflow(x, y, &sum) : __builtin_add_overflow(x, y, &sum))) {
            *ret = numeric_from_int128(arena, sum, scale);
            return true;
        }
    }
    BIG(left);
    BIG(right);
    BIG(result);
    big_load(&left, a);
    big_load(&right, b);
    big_add(&result, &left, &right, subtract);
    return big_store(arena, &result, ret);
}

bool numeric_multiply(Arena *arena, const Value *a, const Value *b, Value *ret)
{
    int128 x, y, product;
    int x_scale, y_scale;

    if (numeric_small(a, &x, &x_scale) && numeric_small(b, &y, &y_scale) &&
        x_scale + y_scale <= NUMERIC_MAX_SCALE && !__builtin_mul_overflow(x, y, &product)) {
        *ret = numeric_from_int128(arena, product, x_scale + y_scale);
        return true;
    }
    BIG(left);
    BIG(right);
    big_load(&left, a);
    big_load(&right, b);
    if (is_special(&left, &right)) {
        const int sign = big_sign(&left) * big_sign(&right);
        big_set_special(&left, sign == 0 ? NUMERIC_NAN : infinity_of(sign));
    } else {
        mpz_mul(left.m, left.m, right.m);
        left.scale += right.scale;
    }
    return big_store(arena, &left, ret);
}

/* Enough for sixteen significant digits, and not less than either operand shows. */
static int numeric_division_scale(const Big *a, const Big *b)
{
    int first_a, first_b;
    int weight = big_weight(a, &first_a) - big_weight(b, &first_b);
    if (first_a <= first_b)
        weight--;
    int scale = NUMERIC_MIN_DIGITS - weight * 4;
    scale = MAX(MAX(scale, a->scale), MAX(b->scale, 0));
    return MIN(scale, NUMERIC_MAX_DISPLAY);
}

void big_divide(Big *result, const Big *a, const Big *b, int scale)
{
    /* One digit more than wanted, then round: truncated digits never turn a round up into down. */
    const long by = (long)scale + 1 + b->scale - a->scale;
    mpz_t numerator, denominator;
    mpz_init_set(numerator, a->m);
    mpz_init_set(denominator, b->m);
    if (by >= 0)
        mpz_shift_truncate(numerator, by);
    else
        mpz_shift_truncate(denominator, -by);
    mpz_tdiv_q(result->m, numerator, denominator);
    mpz_clears(numerator, denominator, NULL);
    result->scale = scale + 1;
    result->kind = NUMERIC_FINITE;
    big_round(result, scale);
}

/* True when the quotient's kind is decided by special values. */
static bool divide_special(Big *result, const Big *a, const Big *b)
{
    if (a->kind == NUMERIC_NAN || b->kind == NUMERIC_NAN ||
        (a->kind != NUMERIC_FINITE && b->kind != NUMERIC_FINITE))
        big_set_special(result, NUMERIC_NAN);
    else if (b->kind != NUMERIC_FINITE)
        big_set_special(result, NUMERIC_FINITE);
    else
        big_set_special(result, infinity_of(big_sign(a) * big_sign(b)));
    return true;
}

bool numeric_divide(Arena *arena, const Value *a, const Value *b, Value *ret)
{
    BIG(left);
    BIG(right);
    BIG(result);
    big_load(&left, a);
    big_load(&right, b);
    if (left.kind != NUMERIC_NAN && right.kind == NUMERIC_FINITE && mpz_sgn(right.m) == 0)
        FAIL_DIVISION();
    if (is_special(&left, &right))
        divide_special(&result, &left, &right);
    else
        big_divide(&result, &left, &right, numeric_division_scale(&left, &right));
    return big_store(arena, &result, ret);
}

FUNCTION(numeric_add)
{
    return numeric_add(call->arena, &args[0], &args[1], false, ret);
}
FUNCTION(numeric_sub)
{
    return numeric_add(call->arena, &args[0], &args[1], true, ret);
}
FUNCTION(numeric_mul)
{
    return numeric_multiply(call->arena, &args[0], &args[1], ret);
}
FUNCTION(numeric_div)
{
    return numeric_divide(call->arena, &args[0], &args[1], ret);
}

FUNCTION(numeric_div_trunc)
{
    BIG(a);
    BIG(b);
    BIG(result);
    big_load(&a, &args[0]);
    big_load(&b, &args[1]);
    if (a.kind != NUMERIC_NAN && b.kind == NUMERIC_FINITE && mpz_sgn(b.m) == 0)
        FAIL_DIVISION();
    if (is_special(&a, &b)) {
        divide_special(&result, &a, &b);
        return big_store(call->arena, &result, ret);
    }
    const int scale = MAX(a.scale, b.scale);
    mpz_shift_truncate(a.m, scale - a.scale);
    mpz_shift_truncate(b.m, scale - b.scale);
    mpz_tdiv_q(result.m, a.m, b.m);
    return big_store(call->arena, &result, ret);
}

FUNCTION(numeric_mod)
{
    BIG(a);
    BIG(b);
    big_load(&a, &args[0]);
    big_load(&b, &args[1]);
    if (a.kind == NUMERIC_NAN || b.kind == NUMERIC_NAN) {
        *ret = numeric_special(NUMERIC_NAN);
        return true;
    }
    if (b.kind == NUMERIC_FINITE && mpz_sgn(b.m) == 0)
        FAIL_DIVISION();
    if (is_special(&a, &b)) {
        *ret = a.kind != NUMERIC_FINITE ? numeric_special(NUMERIC_NAN) : args[0];
        return true;
    }
    const int scale = MAX(a.scale, b.scale);
    mpz_shift_truncate(a.m, scale - a.scale);
    mpz_shift_truncate(b.m, scale - b.scale);
    mpz_tdiv_r(a.m, a.m, b.m);
    a.scale = scale;
    return big_store(call->arena, &a, ret);
}

static bool gcd_or_lcm(FunctionCall *call, const Value *args, bool is_lcm, Value *ret)
{
    BIG(a);
    BIG(b);
    big_load(&a, &args[0]);
    big_load(&b, &args[1]);
    if (is_special(&a, &b)) {
        *ret = numeric_special(NUMERIC_NAN);
        return true;
    }
    const int scale = MAX(a.scale, b.scale);
    mpz_shift_truncate(a.m, scale - a.scale);
    mpz_shift_truncate(b.m, scale - b.scale);
    if (is_lcm)
        mpz_lcm(a.m, a.m, b.m);
    else
        mpz_gcd(a.m, a.m, b.m);
    a.scale = scale;
    return big_store(call->arena, &a, ret);
}

FUNCTION(numeric_gcd)
{
    return gcd_or_lcm(call, args, false, ret);
}
FUNCTION(numeric_lcm)
{
    return gcd_or_lcm(call, args, true, ret);
}

FUNCTION(numeric_uminus)
{
    BIG(a);
    big_load(&a, &args[0]);
    mpz_neg(a.m, a.m);
    if (a.kind == NUMERIC_PLUS_INFINITY || a.kind == NUMERIC_MINUS_INFINITY)
        a.kind = a.kind == NUMERIC_PLUS_INFINITY ? NUMERIC_MINUS_INFINITY : NUMERIC_PLUS_INFINITY;
    return big_store(call->arena, &a, ret);
}

FUNCTION(numeric_uplus)
{
    *ret = args[0];
    return true;
}

FUNCTION(numeric_abs)
{
    BIG(a);
    big_load(&a, &args[0]);
    mpz_abs(a.m, a.m);
    if (a.kind == NUMERIC_MINUS_INFINITY)
        a.kind = NUMERIC_PLUS_INFINITY;
    return big_store(call->arena, &a, ret);
}

FUNCTION(numeric_sign)
{
    BIG(a);
    big_load(&a, &args[0]);
    *ret = a.kind == NUMERIC_NAN ? args[0] : numeric_from_int64(call->arena, big_sign(&a));
    return true;
}

FUNCTION(numeric_inc)
{
    const Value one = numeric_from_int64(call->arena, 1);
    return numeric_add(call->arena, &args[0], &one, false, ret);
}

static bool round_to(FunctionCall *call, const Value *value, int32_t scale, bool truncate,
                     Value *ret)
{
    BIG(a);
    big_load(&a, value);
    if (a.kind != NUMERIC_FINITE) {
        *ret = *value;
        return true;
    }
    scale = MAX(-NUMERIC_MAX_WHOLE_DIGITS - 1, MIN(scale, NUMERIC_MAX_SCALE));
    if (truncate)
        mpz_shift_truncate(a.m, (long)scale - a.scale);
    else
        mpz_shift_round(a.m, (long)scale - a.scale);
    a.scale = scale;
    if (scale < 0) {
        mpz_shift_truncate(a.m, -(long)scale);
        a.scale = 0;
    }
    return big_store(call->arena, &a, ret);
}

FUNCTION(numeric_round)
{
    return round_to(call, &args[0], args[1].int32, false, ret);
}
FUNCTION(numeric_trunc)
{
    return round_to(call, &args[0], args[1].int32, true, ret);
}
/* round(numeric), trunc(numeric) */
FUNCTION(sql_1708)
{
    return round_to(call, &args[0], 0, false, ret);
}
FUNCTION(sql_1710)
{
    return round_to(call, &args[0], 0, true, ret);
}

static bool ceil_or_floor(FunctionCall *call, const Value *value, bool up, Value *ret)
{
    BIG(a);
    mpz_t power;
    big_load(&a, value);
    if (a.kind != NUMERIC_FINITE) {
        *ret = *value;
        return true;
    }
    mpz_init(power);
    mpz_ui_pow_ui(power, 10, (unsigned long)a.scale);
    if (up)
        mpz_cdiv_q(a.m, a.m, power);
    else
        mpz_fdiv_q(a.m, a.m, power);
    mpz_clear(power);
    a.scale = 0;
    return big_store(call->arena, &a, ret);
}

FUNCTION(numeric_ceil)
{
    return ceil_or_floor(call, &args[0], true, ret);
}
FUNCTION(numeric_floor)
{
    return ceil_or_floor(call, &args[0], false, ret);
}

FUNCTION(numeric_scale)
{
    *ret_null = numeric_kind(&args[0]) != NUMERIC_FINITE;
    if (!*ret_null)
        ret->int32 = get_le16(args[0].var.data) & 0x3fff;
    return true;
}

static void big_trim(Big *b)
{
    while (b->scale > 0 && mpz_divisible_ui_p(b->m, 10)) {
        mpz_divexact_ui(b->m, b->m, 10);
        b->scale--;
    }
}

FUNCTION(numeric_min_scale)
{
    BIG(a);
    big_load(&a, &args[0]);
    *ret_null = a.kind != NUMERIC_FINITE;
    big_trim(&a);
    ret->int32 = a.scale;
    return true;
}

FUNCTION(numeric_trim_scale)
{
    BIG(a);
    big_load(&a, &args[0]);
    big_trim(&a);
    return big_store(call->arena, &a, ret);
}

FUNCTION(numeric_fac)
{
    const int64_t n = args[0].int64;
    if (n < 0)
        FAIL(ERR_NUMERIC_VALUE_OUT_OF_RANGE,
             .message = STR("factorial of a negative number is undefined"));
    if (n > 32177)
        FAIL_NUMERIC_OVERFLOW();
    BIG(a);
    mpz_fac_ui(a.m, (unsigned long)n);
    return big_store(call->arena, &a, ret);
}

FUNCTION(width_bucket_numeric)
{
    BIG(x);
    BIG(low);
    BIG(high);
    big_load(&x, &args[0]);
    big_load(&low, &args[1]);
    big_load(&high, &args[2]);
    const int32_t count = args[3].int32;

    if (count <= 0)
        FAIL(ERR_INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION,
             .message = STR("count must be greater than zero"));
    if (x.kind == NUMERIC_NAN || low.kind == NUMERIC_NAN || high.kind == NUMERIC_NAN)
        FAIL(ERR_INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION,
             .message = STR("operand, lower bound, and upper bound cannot be NaN"));
    if (is_special(&low, &high))
        FAIL(ERR_INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION,
             .message = STR("lower and upper bounds must be finite"));
    const int direction = big_compare(&high, &low);
    if (direction == 0)
        FAIL(ERR_INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION,
             .message = STR("lower bound cannot equal upper bound"));
    const int from_low = big_compare(&x, &low) * direction;
    const int from_high = big_compare(&x, &high) * direction;
    if (from_low < 0) {
        ret->int32 = 0;
        return true;
    }
    if (from_high >= 0) {
        if (__builtin_add_overflow(count, 1, &ret->int32))
            FAIL_RANGE("integer");
        return true;
    }
    BIG(part);
    BIG(span);
    big_add(&part, &x, &low, true);
    big_add(&span, &high, &low, true);
    const int scale = MAX(part.scale, span.scale);
    mpz_shift_truncate(part.m, scale - part.scale);
    mpz_shift_truncate(span.m, scale - span.scale);
    mpz_mul_si(part.m, part.m, count);
    mpz_tdiv_q(part.m, part.m, span.m);
    ret->int32 = (int32_t)mpz_get_si(part.m) + 1;
    return true;
}

/* Sets of numbers. */
typedef struct NumericSeries {
    Value next, stop, step;
    int direction;
} NumericSeries;

static bool numeric_series_begin(FunctionCall *call, const Value *args, const Value *step,
                                 void **cursor)
{
    static const char *const names[] = {"start value", "stop value", "step size"};
    const Value *values[] = {&args[0], &args[1], step};
    for (int i = 0; i < 3; i++) {
        const NumericKind kind = numeric_kind(values[i]);
        if (kind != NUMERIC_FINITE)
            FAIL(ERR_INVALID_PARAMETER_VALUE,
                 .message =
                     fmt("%s cannot be %s", names[i], kind == NUMERIC_NAN ? "NaN" : "infinity"));
    }
    BIG(by);
    big_load(&by, step);
    if (mpz_sgn(by.m) == 0)
        FAIL(ERR_INVALID_PARAMETER_VALUE, .message = STR("step size cannot equal zero"));
    NumericSeries *series = ARENA_NEW(call->site_arena, NumericSeries);
    series->next = value_copy(call->site_arena, PHYS_VAR, &args[0]);
    series->stop = value_copy(call->site_arena, PHYS_VAR, &args[1]);
    series->step = value_copy(call->site_arena, PHYS_VAR, step);
    series->direction = mpz_sgn(by.m);
    *cursor = series;
    return true;
}

static bool numeric_series_next(FunctionCall *call, NumericSeries *series, Value *ret,
                                bool *ret_nulls, bool *ret_done)
{
    *ret_done = numeric_order(&series->next, &series->stop) * series->direction > 0;
    if (*ret_done)
        return true;
    *ret = value_copy(call->arena, PHYS_VAR, &series->next);
    *ret_nulls = false;
    return numeric_add(call->site_arena, &series->next, &series->step, false, &series->next);
}

SET_FUNCTION(generate_series_numeric)
{
    const Value one = numeric_from_int64(call->arena, 1);
    if (!*cursor)
        TRY(numeric_series_begin(call, args, &one, cursor));
    return numeric_series_next(call, *cursor, ret, ret_nulls, ret_done);
}

SET_FUNCTION(generate_series_step_numeric)
{
    if (!*cursor)
        TRY(numeric_series_begin(call, args, &args[2], cursor));
    return numeric_series_next(call, *cursor, ret, ret_nulls, ret_done);
}
