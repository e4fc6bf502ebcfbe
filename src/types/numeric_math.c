/*
 * numeric: roots, powers, exponentials and logarithms.
 *
 * Computed as fixed-point integers with guard digits beyond the scale that PostgreSQL's rules
 * choose for the result, then rounded once.
 */
#include <math.h>
#include <stdlib.h>

#include "base/pace.h"
#include "types/numeric_internal.h"

#define GUARD_DIGITS 20

static int clamp_scale(int scale, int at_least)
{
    return MIN(MAX(MAX(scale, at_least), 0), NUMERIC_MAX_DISPLAY);
}

static void power_of_ten(mpz_t result, unsigned long n)
{
    mpz_ui_pow_ui(result, 10, n);
}

/* x (finite) as a fixed-point integer with `digits` decimals. */
static void fixed_load(mpz_t result, const Big *x, long digits)
{
    mpz_set(result, x->m);
    mpz_shift_truncate(result, digits - x->scale);
}

static void fixed_multiply(mpz_t result, const mpz_t a, const mpz_t b, const mpz_t one)
{
    mpz_mul(result, a, b);
    mpz_tdiv_q(result, result, one);
}

/* ln x for x > 0: roots bring it near 1, then 2 artanh((x-1)/(x+1)). */
static void fixed_ln_near(mpz_t result, const mpz_t x, const mpz_t one)
{
    mpz_t y, z, square, term, part;
    int halvings = 0;
    unsigned long n = 1;
    mpz_inits(y, z, square, term, part, NULL);
    mpz_set(y, x);
    for (;;) {
        /* |y - 1| < 1/64 makes each term of the series give four digits. */
        mpz_sub(z, y, one);
        mpz_mul_2exp(z, z, 6);
        if (mpz_cmpabs(z, one) < 0)
            break;
        mpz_mul(y, y, one);
        mpz_sqrt(y, y);
        halvings++;
    }
    mpz_sub(z, y, one);
    mpz_add(y, y, one);
    mpz_mul(z, z, one);
    mpz_tdiv_q(z, z, y);
    fixed_multiply(square, z, z, one);
    mpz_set(term, z);
    mpz_set(result, z);
    while (mpz_sgn(term) != 0 && pace_goes_on()) {
        fixed_multiply(term, term, square, one);
        n += 2;
        mpz_tdiv_q_ui(part, term, n);
        mpz_add(result, result, part);
    }
    mpz_mul_2exp(result, result, (mp_bitcnt_t)halvings + 1);
    mpz_clears(y, z, square, term, part, NULL);
}

/* ln of a finite positive number, with about `digits` decimals. */
static void fixed_ln(mpz_t result, const Big *x, long digits)
{
    const long wide = digits + GUARD_DIGITS;
    const long exponent = (long)mpz_digits(x->m) - 1 - x->scale;
    mpz_t one, near, ten;
    mpz_inits(one, near, ten, NULL);
    power_of_ten(one, (unsigned long)wide);
    /* x = near × 10^exponent with near in [1, 10) — unless x is near 1 itself. */
    const bool is_shifted = exponent < -1 || exponent > 0;
    mpz_set(near, x->m);
    mpz_shift_truncate(near, wide - x->scale - (is_shifted ? exponent : 0));
    fixed_ln_near(result, near, one);
    if (is_shifted) {
        mpz_mul_ui(ten, one, 10);
        fixed_ln_near(near, ten, one);
        mpz_mul_si(near, near, exponent);
        mpz_add(result, result, near);
    }
    mpz_shift_round(result, -GUARD_DIGITS);
    mpz_clears(one, near, ten, NULL);
}

/* e^x of a fixed-point x; both with `digits` decimals. */
static void fixed_exp(mpz_t result, const mpz_t x, long digits)
{
    const double size = fabs(mpz_get_d(x)) > 0 ? (double)mpz_digits(x) - (double)digits : 0;
    const int halvings = 10 + (size > 0 ? (int)(size * 3.33) + 1 : 0);
    const long weight = size > 0 ? (long)pow(10, MIN(size, 5)) : 1;
    const long wide = digits + GUARD_DIGITS + weight + halvings;
    mpz_t one, y, term;
    unsigned long n = 1;
    mpz_inits(one, y, term, NULL);
    power_of_ten(one, (unsigned long)wide);
    mpz_set(y, x);
    mpz_shift_truncate(y, wide - digits);
    mpz_tdiv_q_2exp(y, y, (mp_bitcnt_t)halvings);
    mpz_set(result, one);
    mpz_set(term, one);
    while (mpz_sgn(term) != 0 && pace_goes_on()) {
        fixed_multiply(term, term, y, one);
        mpz_tdiv_q_ui(term, term, n++);
        mpz_add(result, result, term);
    }
    for (int i = 0; i < halvings && pace_goes_on(); i++)
        fixed_multiply(result, result, result, one);
    mpz_shift_round(result, digits - wide);
    mpz_clears(one, y, term, NULL);
}

/* The decimal weight that ln x will have, as PostgreSQL guesses it. */
static int ln_weight(const Big *x)
{
    if (mpz_sgn(x->m) <= 0)
        return 0;
    BIG(low);
    BIG(high);
    mpz_set_ui(low.m, 9);
    mpz_set_ui(high.m, 11);
    low.scale = high.scale = 1;
    if (big_compare(x, &low) >= 0 && big_compare(x, &high) <= 0) {
        BIG(rest);
        int first;
        mpz_t one;
        mpz_init(one);
        power_of_ten(one, (unsigned long)x->scale);
        mpz_sub(rest.m, x->m, one);
        rest.scale = x->scale;
        mpz_clear(one);
        const int weight = big_weight(&rest, &first);
        return first == 0 ? 0 : weight * 4 + (int)log10(first);
    }
    int first;
    const int weight = big_weight(x, &first);
    BIG(two);
    big_copy(&two, x);
    mpz_shift_truncate(two.m, -(x->scale + 4L * (weight - 1)));
    const double digits = (double)mpz_get_si(two.m);
    const double ln = log(digits) + (weight - 1) * 4 * 2.302585092994046;
    return (int)log10(fabs(ln));
}

bool numeric_square_root(Arena *arena, const Value *a, int scale, Value *ret)
{
    BIG(x);
    int first;
    big_load(&x, a);
    if (x.kind == NUMERIC_NAN || x.kind == NUMERIC_PLUS_INFINITY) {
        *ret = *a;
        return true;
    }
    if (x.kind == NUMERIC_MINUS_INFINITY || mpz_sgn(x.m) < 0)
        FAIL(ERR_INVALID_ARGUMENT_FOR_POWER_FUNCTION,
             .message = STR("cannot take square root of a negative number"));
    const int weight = big_weight(&x, &first);
    const int result_weight = (weight + 1) * 4 / 2 - 1;
    if (scale < 0)
        scale = clamp_scale(NUMERIC_MIN_DIGITS - result_weight, x.scale);
    /* One digit more, then round; a square's root is never half way between two decimals. */
    mpz_shift_truncate(x.m, 2L * (scale + 1) - x.scale);
    mpz_sqrt(x.m, x.m);
    x.scale = scale + 1;
    big_round(&x, scale);
    return big_store(arena, &x, ret);
}

FUNCTION(numeric_sqrt)
{
    return numeric_square_root(call->arena, &args[0], -1, ret);
}

FUNCTION(numeric_exp)
{
    BIG(x);
    big_load(&x, &args[0]);
    if (x.kind == NUMERIC_MINUS_INFINITY) {
        *ret = numeric_from_int64(call->arena, 0);
        return true;
    }
    if (x.kind != NUMERIC_FINITE) {
        *ret = args[0];
        return true;
    }
    double value = big_double(&x);
    const double weight =
        MAX(-NUMERIC_MAX_RESULT, MIN(NUMERIC_MAX_RESULT, value * 0.434294481903252));
    const int scale = clamp_scale(NUMERIC_MIN_DIGITS - (int)weight, x.scale);
    if (fabs(value) >= NUMERIC_MAX_RESULT * 3) {
        if (value > 0)
            FAIL_NUMERIC_OVERFLOW();
        mpz_set_ui(x.m, 0);
        x.scale = scale;
        return big_store(call->arena, &x, ret);
    }
    const long digits = scale + GUARD_DIGITS + (long)fabs(weight);
    mpz_t fixed;
    mpz_init(fixed);
    fixed_load(fixed, &x, digits);
    fixed_exp(x.m, fixed, digits);
    mpz_clear(fixed);
    CHECK_INTERRUPTS(); /* it may have stopped in the midst of it */
    x.scale = (int)digits;
    big_round(&x, scale);
    return big_store(call->arena, &x, ret);
}

static bool check_logarithm(const Big *x)
{
    if (x->kind == NUMERIC_MINUS_INFINITY || (x->kind == NUMERIC_FINITE && mpz_sgn(x->m) < 0))
        FAIL(ERR_INVALID_ARGUMENT_FOR_LOG,
             .message = STR("cannot take logarithm of a negative number"));
    if (x->kind == NUMERIC_FINITE && mpz_sgn(x->m) == 0)
        FAIL(ERR_INVALID_ARGUMENT_FOR_LOG, .message = STR("cannot take logarithm of zero"));
    return true;
}

FUNCTION(numeric_ln)
{
    BIG(x);
    big_load(&x, &args[0]);
    TRY(check_logarithm(&x));
    if (x.kind != NUMERIC_FINITE) {
        *ret = args[0];
        return true;
    }
    const int scale = clamp_scale(NUMERIC_MIN_DIGITS - ln_weight(&x), x.scale);
    BIG(result);
    fixed_ln(result.m, &x, scale + GUARD_DIGITS);
    CHECK_INTERRUPTS(); /* it may have stopped in the midst of it */
    result.scale = scale + GUARD_DIGITS;
    big_round(&result, scale);
    return big_store(call->arena, &result, ret);
}

/* log of `x` to `base`, both finite and positive. */
static bool logarithm(Arena *arena, const Big *base, const Big *x, Value *ret)
{
    const int base_weight = ln_weight(base), x_weight = ln_weight(x);
    const int scale =
        clamp_scale(NUMERIC_MIN_DIGITS - (x_weight - base_weight), MAX(base->scale, x->scale));
    const long digits = scale + GUARD_DIGITS + labs(base_weight) * 2 + labs(x_weight);
    BIG(numerator);
    BIG(denominator);
    BIG(result);
    fixed_ln(numerator.m, x, digits);
    fixed_ln(denominator.m, base, digits);
    CHECK_INTERRUPTS(); /* it may have stopped in the midst of it */
    numerator.scale = denominator.scale = (int)digits;
    if (mpz_sgn(denominator.m) == 0)
        FAIL_DIVISION();
    big_divide(&result, &numerator, &denominator, scale + GUARD_DIGITS / 2);
    big_round(&result, scale);
    return big_store(arena, &result, ret);
}

FUNCTION(numeric_log)
{
    BIG(base);
    BIG(x);
    big_load(&base, &args[0]);
    big_load(&x, &args[1]);
    if (base.kind == NUMERIC_NAN || x.kind == NUMERIC_NAN) {
        *ret = numeric_special(NUMERIC_NAN);
        return true;
    }
    TRY(check_logarithm(&base));
    TRY(check_logarithm(&x));
    if (base.kind != NUMERIC_FINITE) {
        *ret = x.kind != NUMERIC_FINITE ? numeric_special(NUMERIC_NAN)
                                        : numeric_from_int64(call->arena, 0);
        return true;
    }
    if (x.kind != NUMERIC_FINITE) {
        *ret = args[1];
        return true;
    }
    return logarithm(call->arena, &base, &x, ret);
}

/* log(numeric) */
FUNCTION(sql_1741)
{
    const Value both[] = {numeric_from_int64(call->arena, 10), args[0]};
    return fn_numeric_log(call, both, nulls, ret, ret_null);
}

/* log10(numeric) */
FUNCTION(sql_1481)
{
    return fn_sql_1741(call, args, nulls, ret, ret_null);
}

/* base^n rounded to `scale`, by squaring with as many digits as the result needs. */
static bool integer_power(Arena *arena, const Big *base, long n, int scale, Value *ret)
{
    BIG(result);
    if (n == 0 || mpz_sgn(base->m) == 0) {
        if (n < 0)
            FAIL_DIVISION();
        mpz_set_ui(result.m, n == 0);
        mpz_shift_truncate(result.m, scale);
        result.scale = scale;
        return big_store(arena, &result, ret);
    }
    const double log10_base = (double)mpz_digits(base->m) - 1 - base->scale;
    BIG(mantissa);
    big_copy(&mantissa, base);
    mantissa.scale = (int)mpz_digits(base->m) - 1;
    const double exact_log = log10(fabs(big_double(&mantissa))) + log10_base;
    const double weight = exact_log * (double)n;
    if (weight > NUMERIC_MAX_WHOLE_DIGITS)
        FAIL_NUMERIC_OVERFLOW();
    if (weight + 1 < -scale || weight + 1 < -NUMERIC_MAX_SCALE) {
        result.scale = scale;
        return big_store(arena, &result, ret);
    }
    const long significant =
        1 + scale + (long)weight + (long)log10((double)labs(n)) + 8 + GUARD_DIGITS;
    long exponent = -base->scale, result_exponent = 0;
    mpz_t square;
    mpz_init_set(square, base->m);
    mpz_set_ui(result.m, 1);
    for (unsigned long rest = (unsigned long)labs(n); rest > 0; rest >>= 1) {
        if (rest & 1) {
            mpz_mul(result.m, result.m, square);
            result_exponent += exponent;
        }
        mpz_mul(square, square, square);
        exponent *= 2;
        const long extra = (long)mpz_sizeinbase(square, 10) - significant - 2;
        if (extra > 0) {
            mpz_shift_round(square, -extra);
            exponent += extra;
        }
        const long more = (long)mpz_sizeinbase(result.m, 10) - significant - 2;
        if (more > 0) {
            mpz_shift_round(result.m, -more);
            result_exponent += more;
        }
    }
    mpz_clear(square);
    if (n < 0) {
        /* 1 / (m × 10^e) = 10^(scale+1+…) / m */
        mpz_t numerator;
        mpz_init(numerator);
        const long digits = scale + 2L;
        const long shift = digits - result_exponent;
        if (shift >= 0) {
            mpz_ui_pow_ui(numerator, 10, (unsigned long)shift);
            mpz_tdiv_q(result.m, numerator, result.m);
        } else {
            mpz_set_ui(result.m, 0);
        }
        mpz_clear(numerator);
        result.scale = (int)digits;
    } else {
        if (result_exponent > 0)
            mpz_shift_truncate(result.m, result_exponent);
        result.scale = (int)MAX(0, -result_exponent);
    }
    big_round(&result, scale);
    return big_store(arena, &result, ret);
}

/* The zeros that ln x has behind its point, about: many where x is near 1. */
static long ln_zeros(const Big *x)
{
    mpz_t from_one;

    mpz_init(from_one);
    power_of_ten(from_one, (unsigned long)x->scale);
    mpz_sub(from_one, x->m, from_one);
    const long zeros = x->scale - (long)mpz_digits(from_one);
    mpz_clear(from_one);
    return MAX(0, zeros);
}

/* exponent × ln base, to some 16 digits; infinite where that is beyond a double. */
static double power_logarithm(const Big *base, const Big *exponent)
{
    const long zeros = ln_zeros(base);
    mpz_t product;

    mpz_init(product);
    fixed_ln(product, base, 40 + zeros);
    mpz_mul(product, product, exponent->m);
    mpz_shift_truncate(product, -zeros - exponent->scale);
    const double value = mpz_get_d(product) / 1e40;
    mpz_clear(product);
    return value;
}

/* |base|^exponent by logarithms; an odd exponent gives the sign back. */
static bool real_power(Arena *arena, const Big *base, const Big *exponent, Value *ret)
{
    BIG(magnitude);
    big_copy(&magnitude, base);
    const bool is_odd = mpz_sgn(base->m) < 0 && exponent->scale >= 0 && mpz_odd_p(exponent->m);
    mpz_abs(magnitude.m, magnitude.m);
    double value = power_logarithm(&magnitude, exponent);
    CHECK_INTERRUPTS();
    BIG(result);
    if (fabs(value) > NUMERIC_MAX_RESULT * 3.01) {
        if (value > 0)
            FAIL_NUMERIC_OVERFLOW();
        result.scale = NUMERIC_MAX_DISPLAY;
        return big_store(arena, &result, ret);
    }
    value *= 0.434294481903252;
    const int scale =
        clamp_scale(NUMERIC_MIN_DIGITS - (int)value, MAX(base->scale, exponent->scale));
    const long digits = scale + GUARD_DIGITS + (long)fabs(value) + (long)mpz_digits(exponent->m);
    BIG(product);
    fixed_ln(product.m, &magnitude, digits);
    mpz_mul(product.m, product.m, exponent->m);
    mpz_shift_round(product.m, -(long)exponent->scale);
    fixed_exp(result.m, product.m, digits);
    CHECK_INTERRUPTS(); /* it may have stopped in the midst of it */
    result.scale = (int)digits;
    big_round(&result, scale);
    if (is_odd)
        mpz_neg(result.m, result.m);
    return big_store(arena, &result, ret);
}

static bool is_integer(const Big *b)
{
    mpz_t power;
    mpz_init(power);
    power_of_ten(power, (unsigned long)b->scale);
    const bool whole = mpz_divisible_p(b->m, power);
    mpz_clear(power);
    return whole;
}

/* The POSIX table of special operands. */
static bool special_power(const Value *args, const Big *base, const Big *exponent, Arena *arena,
                          Value *ret)
{
    BIG(one);
    mpz_set_ui(one.m, 1);
    if (exponent->kind == NUMERIC_FINITE && mpz_sgn(exponent->m) == 0)
        return big_store(arena, &one, ret);
    if (big_compare(base, &one) == 0 && base->kind == NUMERIC_FINITE)
        return big_store(arena, &one, ret);
    if (base->kind == NUMERIC_NAN || exponent->kind == NUMERIC_NAN) {
        *ret = numeric_special(NUMERIC_NAN);
        return true;
    }
    if (base->kind == NUMERIC_MINUS_INFINITY && exponent->kind == NUMERIC_FINITE &&
        !is_integer(exponent))
        FAIL(ERR_INVALID_ARGUMENT_FOR_POWER_FUNCTION,
             .message = STR("a negative number raised to a non-integer power yields a complex "
                            "result"));
    if (exponent->kind != NUMERIC_FINITE) {
        BIG(magnitude);
        big_copy(&magnitude, base);
        mpz_abs(magnitude.m, magnitude.m);
        if (magnitude.kind == NUMERIC_MINUS_INFINITY)
            magnitude.kind = NUMERIC_PLUS_INFINITY;
        const int order = big_compare(&magnitude, &one);
        const bool grows = (order > 0) == (exponent->kind == NUMERIC_PLUS_INFINITY);
        if (order == 0)
            return big_store(arena, &one, ret);
        if (!grows) {
            mpz_set_ui(one.m, 0);
            return big_store(arena, &one, ret);
        }
        *ret = numeric_special(NUMERIC_PLUS_INFINITY);
        return true;
    }
    if (mpz_sgn(exponent->m) < 0) {
        *ret = numeric_from_int64(arena, 0);
        return true;
    }
    BIG(half);
    big_copy(&half, exponent);
    mpz_shift_truncate(half.m, -(long)half.scale);
    const bool is_odd = is_integer(exponent) && mpz_odd_p(half.m);
    *ret = numeric_special(base->kind == NUMERIC_MINUS_INFINITY && is_odd ? NUMERIC_MINUS_INFINITY
                                                                          : NUMERIC_PLUS_INFINITY);
    return true;
}

bool numeric_power_of(Arena *arena, const Value *a, const Value *b, Value *ret)
{
    BIG(base);
    BIG(exponent);
    const Value args[] = {*a, *b};
    big_load(&base, a);
    big_load(&exponent, b);
    if (base.kind != NUMERIC_FINITE || exponent.kind != NUMERIC_FINITE)
        return special_power(args, &base, &exponent, arena, ret);
    if (mpz_sgn(base.m) == 0 && mpz_sgn(exponent.m) < 0)
        FAIL(ERR_INVALID_ARGUMENT_FOR_POWER_FUNCTION,
             .message = STR("zero raised to a negative power is undefined"));
    const bool whole = is_integer(&exponent);
    if (mpz_sgn(base.m) < 0 && !whole)
        FAIL(ERR_INVALID_ARGUMENT_FOR_POWER_FUNCTION,
             .message = STR("a negative number raised to a non-integer power yields a complex "
                            "result"));
    if (whole) {
        mpz_shift_truncate(exponent.m, -(long)exponent.scale);
        exponent.scale = 0;
        if (mpz_fits_sint_p(exponent.m))
            return integer_power(arena, &base, mpz_get_si(exponent.m),
                                 clamp_scale(NUMERIC_MIN_DIGITS, base.scale), ret);
    }
    if (mpz_sgn(base.m) == 0) {
        base.scale = NUMERIC_MIN_DIGITS;
        return big_store(arena, &base, ret);
    }
    return real_power(arena, &base, &exponent, ret);
}

FUNCTION(numeric_power)
{
    return numeric_power_of(call->arena, &args[0], &args[1], ret);
}
