/* Functions of double precision. */
#include <math.h>

#include "base/os.h"
#include "types/types_internal.h"

#define FAIL_OVERFLOW()                                                                            \
    FAIL(ERR_NUMERIC_VALUE_OUT_OF_RANGE, .message = STR("value out of range: overflow"))
#define FAIL_UNDERFLOW()                                                                           \
    FAIL(ERR_NUMERIC_VALUE_OUT_OF_RANGE, .message = STR("value out of range: underflow"))
#define FAIL_INPUT() FAIL(ERR_NUMERIC_VALUE_OUT_OF_RANGE, .message = STR("input is out of range"))
#define RADIANS_A_DEGREE 0.0174532925199432957692

#define MATH_PLAIN(symbol, expression)                                                             \
    FUNCTION(symbol)                                                                               \
    {                                                                                              \
        const double x = args[0].float64;                                                          \
        ret->float64 = (expression);                                                               \
        return true;                                                                               \
    }
MATH_PLAIN(dround, rint(x))
MATH_PLAIN(dceil, ceil(x))
MATH_PLAIN(dfloor, floor(x))
MATH_PLAIN(dtrunc, trunc(x))
MATH_PLAIN(dsign, x > 0 ? 1 : x < 0 ? -1 : 0)
MATH_PLAIN(datan, atan(x))
MATH_PLAIN(dsinh, sinh(x))
MATH_PLAIN(dasinh, asinh(x))
MATH_PLAIN(dtanh, tanh(x))

FUNCTION(radians)
{
    ret->float64 = args[0].float64 * RADIANS_A_DEGREE;
    if (ret->float64 == 0 && args[0].float64 != 0)
        FAIL_UNDERFLOW();
    return true;
}

MATH_PLAIN(dcbrt, cbrt(x))

FUNCTION(degrees)
{
    const double x = args[0].float64;
    ret->float64 = x / RADIANS_A_DEGREE;
    if (isinf(ret->float64) && !isinf(x))
        FAIL_OVERFLOW();
    return true;
}

FUNCTION(dcosh)
{
    ret->float64 = cosh(args[0].float64);
    return true;
}

/* Periodic functions of infinity, and arcs beyond their domain, have no value. */
#define MATH_DOMAIN(symbol, is_outside, expression)                                                \
    FUNCTION(symbol)                                                                               \
    {                                                                                              \
        const double x = args[0].float64;                                                          \
        if (is_outside)                                                                            \
            FAIL_INPUT();                                                                          \
        ret->float64 = (expression);                                                               \
        return true;                                                                               \
    }
MATH_DOMAIN(dsin, isinf(x), sin(x))
MATH_DOMAIN(dcos, isinf(x), cos(x))
MATH_DOMAIN(dtan, isinf(x), tan(x))
MATH_DOMAIN(dcot, isinf(x), 1.0 / tan(x))
MATH_DOMAIN(dasin, x<-1 || x> 1, asin(x))
MATH_DOMAIN(dacos, x<-1 || x> 1, acos(x))
MATH_DOMAIN(dacosh, x < 1, acosh(x))
MATH_DOMAIN(datanh, x<-1 || x> 1, atanh(x))

FUNCTION(datan2)
{
    ret->float64 = atan2(args[0].float64, args[1].float64);
    return true;
}

/* In degrees, exact at multiples of 30 and 45, where radians would round. */
static double degrees_reduce(double x)
{
    return fmod(x, 360.0);
}

static double sine_of_quadrant(double x)
{
    const double unit = sin(30.0 * RADIANS_A_DEGREE);
    const double unit_cos = 1.0 - cos(60.0 * RADIANS_A_DEGREE);
    return x <= 30.0 ? sin(x * RADIANS_A_DEGREE) / unit / 2.0
                     : 1.0 - (1.0 - cos((90.0 - x) * RADIANS_A_DEGREE)) / unit_cos / 2.0;
}

static double degrees_sine(double x)
{
    int sign = 1;
    x = degrees_reduce(x);
    if (x < 0) {
        x = -x;
        sign = -sign;
    }
    if (x > 180) {
        x = 360 - x;
        sign = -sign;
    }
    if (x > 90)
        x = 180 - x;
    return sign * sine_of_quadrant(x);
}

static double degrees_cosine(double x)
{
    int sign = 1;
    x = fabs(degrees_reduce(x));
    if (x > 180)
        x = 360 - x;
    if (x > 90) {
        x = 180 - x;
        sign = -sign;
    }
    return sign * sine_of_quadrant(90 - x);
}

MATH_DOMAIN(dsind, isinf(x), isnan(x) ? x : degrees_sine(x))
MATH_DOMAIN(dcosd, isinf(x), isnan(x) ? x : degrees_cosine(x))
MATH_DOMAIN(dtand, isinf(x), isnan(x) ? x : degrees_sine(x) / degrees_cosine(x) + 0.0)
MATH_DOMAIN(dcotd, isinf(x), isnan(x) ? x : degrees_cosine(x) / degrees_sine(x) + 0.0)

static double arc_sine_degrees(double x)
{
    const double half = asin(0.5), half_cos = acos(0.5);
    return x <= 0.5 ? asin(x) / half * 30.0 : 90.0 - acos(x) / half_cos * 60.0 + 0.0;
}

static double arc_sine_signed(double x)
{
    return x >= 0 ? (x <= 0.5 ? arc_sine_degrees(x) : 90.0 - (acos(x) / acos(0.5)) * 60.0)
                  : -arc_sine_signed(-x);
}

static double arc_cosine_degrees(double x)
{
    if (x < 0)
        return 90.0 + arc_sine_signed(-x);
    return x <= 0.5 ? 90.0 - asin(x) / asin(0.5) * 30.0 : acos(x) / acos(0.5) * 60.0;
}

MATH_DOMAIN(dasind, x<-1 || x> 1, isnan(x) ? x : arc_sine_signed(x))
MATH_DOMAIN(dacosd, x<-1 || x> 1, isnan(x) ? x : arc_cosine_degrees(x))
MATH_PLAIN(datand, isnan(x) ? x : atan(x) / atan(1.0) * 45.0)

FUNCTION(datan2d)
{
    ret->float64 = atan2(args[0].float64, args[1].float64) / atan(1.0) * 45.0;
    return true;
}

FUNCTION(dsqrt)
{
    if (args[0].float64 < 0)
        FAIL(ERR_INVALID_ARGUMENT_FOR_POWER_FUNCTION,
             .message = STR("cannot take square root of a negative number"));
    ret->float64 = sqrt(args[0].float64);
    return true;
}

FUNCTION(dexp)
{
    const double x = args[0].float64;
    ret->float64 = exp(x);
    if (isinf(ret->float64) && !isinf(x))
        FAIL_OVERFLOW();
    if (ret->float64 == 0 && !isinf(x))
        FAIL_UNDERFLOW();
    return true;
}

static bool check_logarithm(double x)
{
    if (x == 0)
        FAIL(ERR_INVALID_ARGUMENT_FOR_LOG, .message = STR("cannot take logarithm of zero"));
    if (x < 0)
        FAIL(ERR_INVALID_ARGUMENT_FOR_LOG,
             .message = STR("cannot take logarithm of a negative number"));
    return true;
}

FUNCTION(dlog1)
{
    TRY(check_logarithm(args[0].float64));
    ret->float64 = log(args[0].float64);
    return true;
}

FUNCTION(dlog10)
{
    TRY(check_logarithm(args[0].float64));
    ret->float64 = log10(args[0].float64);
    return true;
}

FUNCTION(dpow)
{
    const double x = args[0].float64, y = args[1].float64;

    if (x == 0 && y < 0)
        FAIL(ERR_INVALID_ARGUMENT_FOR_POWER_FUNCTION,
             .message = STR("zero raised to a negative power is undefined"));
    if (x < 0 && isfinite(y) && floor(y) != y)
        FAIL(ERR_INVALID_ARGUMENT_FOR_POWER_FUNCTION,
             .message = STR("a negative number raised to a non-integer power yields a complex "
                            "result"));
    ret->float64 = pow(x, y);
    if (isfinite(x) && isfinite(y)) {
        if (isinf(ret->float64))
            FAIL_OVERFLOW();
        if (ret->float64 == 0 && x != 0)
            FAIL_UNDERFLOW();
    }
    return true;
}

FUNCTION(dpi)
{
    ret->float64 = M_PI;
    return true;
}

/* random(): xorshift seeded per thread; setseed makes the sequence repeat. */
static _Thread_local uint64_t random_state[2];
static _Thread_local bool random_is_seeded;

static void random_seed(uint64_t seed)
{
    random_state[0] = hash_mix64(seed + 0x9e3779b97f4a7c15u);
    random_state[1] = hash_mix64(seed + 0x3c6ef372fe94f82au) | 1;
    random_is_seeded = true;
}

static double random_fraction(void)
{
    if (!random_is_seeded) {
        uint64_t seed;
        os->random(&seed, sizeof(seed));
        random_seed(seed);
    }
    uint64_t a = random_state[0];
    const uint64_t b = random_state[1], sum = a + b;
    a ^= a << 23;
    random_state[0] = b;
    random_state[1] = a ^ b ^ (a >> 18) ^ (b >> 5);
    return (double)(sum >> 11) * 0x1p-53;
}

FUNCTION(drandom)
{
    ret->float64 = random_fraction();
    return true;
}

FUNCTION(setseed)
{
    const double seed = args[0].float64;
    if (!(seed >= -1 && seed <= 1))
        FAIL(ERR_INVALID_PARAMETER_VALUE,
             .message = fmt("setseed parameter %g is out of allowed range [-1,1]", seed));
    uint64_t bits;
    memcpy(&bits, &seed, sizeof(bits));
    random_seed(bits);
    ret->var = var_make("", 0);
    return true;
}

FUNCTION(width_bucket_float8)
{
    const double x = args[0].float64, low = args[1].float64, high = args[2].float64;
    const int32_t count = args[3].int32;

    if (count <= 0)
        FAIL(ERR_INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION,
             .message = STR("count must be greater than zero"));
    if (isnan(x) || isnan(low) || isnan(high))
        FAIL(ERR_INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION,
             .message = STR("operand, lower bound, and upper bound cannot be NaN"));
    if (isinf(low) || isinf(high))
        FAIL(ERR_INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION,
             .message = STR("lower and upper bounds must be finite"));
    if (low == high)
        FAIL(ERR_INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION,
             .message = STR("lower bound cannot equal upper bound"));
    const bool is_below = low < high ? x < low : x > low;
    const bool is_above = low < high ? x >= high : x <= high;
    if (is_below)
        ret->int32 = 0;
    else if (is_above) {
        if (__builtin_add_overflow(count, 1, &ret->int32))
            FAIL_RANGE("integer");
    } else {
        /* Halves keep the difference of two huge bounds finite. */
        const double span = high / 2 - low / 2, part = x / 2 - low / 2;
        ret->int32 = MIN((int32_t)(count * (part / span)), count - 1) + 1;
    }
    return true;
}
